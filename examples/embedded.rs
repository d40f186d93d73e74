//! A program that runs a backfill by itself: the library does what the binary does.
//!
//! ```text
//! cargo run --example embedded
//! ```

use std::error::Error;
use std::sync::Arc;

use backstop::control::Stop;
use backstop::event::{Event, JobState, Listener, Record};
use backstop::journal::Journal;
use backstop::run::Options;
use backstop::{ops, spec};

const SPEC: &str = r#"
[job]
name = "greetings"

[target]
url = "sqlite:greetings.db"

[update]
table = "people"
set   = { greeting = "'Hello, ' || name" }
where = "greeting IS NULL"
"#;

/// Prints what happens; a program would rather log it.
struct Printed;

impl Listener for Printed {
    fn on(&self, record: &Record) {
        match &record.event {
            Event::StateChanged { from, to, .. } => println!("{from} -> {to}"),
            Event::BatchDone { rows_changed, cursor, .. } => {
                println!("{rows_changed} rows, up to {cursor}");
            }
            _ => {}
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    for left_by_the_last_run in ["greetings.db", "greetings-journal.db"] {
        let _ = std::fs::remove_file(left_by_the_last_run);
    }
    rusqlite::Connection::open("greetings.db")?.execute_batch(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, greeting TEXT);
         INSERT INTO people (name) VALUES ('Ada'), ('Grace'), ('Barbara');",
    )?;

    // The plan holds everything that will happen; nothing is written before `execute`.
    let spec = spec::parse("greetings.toml", SPEC)?;
    let prepared = ops::prepare(&spec, "greetings.toml".as_ref(), &ops::Team::default()).await?;
    println!("{}", prepared.plan.guarantee());

    // Somebody else may hold a clone of `stop` and ask the job to leave at any time.
    let stop = Stop::default();
    let options = Options {
        spec_path: "greetings.toml".to_owned(),
        runner: ops::runner_name(),
        ..Options::default()
    };
    let journal = Journal::create_or_open("greetings-journal.db".as_ref())?;
    let announced = ops::announce(&spec, &journal, &options)?;
    let start = ops::start(prepared, &announced, stop, vec![Arc::new(Printed)], &options).await?;
    let ended = start.execute().await?;

    assert_eq!(ended.state, JobState::Verified);
    Ok(())
}
