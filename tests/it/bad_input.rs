//! Bad input: each gives one clear message, exit 2, and nothing written.

use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::{Desk, root};
use crate::test;

/// A spec that is right in itself.
pub const GOOD: &str = r#"
[job]
name = "good"

[target]
url_env = "DATABASE_URL"

[update]
table = "t"
set   = { a = "1" }
"#;

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        test("bad input: a missing file", missing_file),
        test("bad input: a file that is not text", not_text),
        test("bad input: arguments", arguments),
        test("bad input: no URL in the environment", no_variable),
        test("bad input: a journal that is not SQLite", foreign_journal),
        test("bad input: another program's SQLite file as journal", other_program),
        test("bad input: a journal of a future version", future_journal),
        test("bad input: a journal that cannot be made", unwritable_journal),
        test("bad input: a server that is down", server_down),
    ];
    let mut specs: Vec<_> = std::fs::read_dir(root().join("tests/bad-specs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    specs.sort();
    for path in specs {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        trials.push(test(format!("bad spec: {name}"), move || {
            let text = std::fs::read_to_string(&path).unwrap();
            let claim = text.lines().next().and_then(|line| line.strip_prefix("# expect: "));
            let desk = Desk::new();
            desk.write(&name, &text);
            for command in ["plan", "run"] {
                let said = desk.call(&[command, &name]).expect(2);
                let said = said.says("error: ").says(claim.unwrap_or("the file is empty"));
                assert!(!format!("{}{}", said.out, said.err).contains("h0ney"), "{}", said.err);
            }
        }));
    }
    for engine in available().filter(|engine| engine.url_env.is_some()) {
        trials.push(test(format!("bad input: a wrong password on {}", engine.name), move || {
            wrong_password(engine);
        }));
        trials.push(test(format!("bad input: a missing database on {}", engine.name), move || {
            missing_database(engine);
        }));
    }
    trials
}

fn missing_file() {
    Desk::new().call(&["run", "nowhere.toml"]).expect(2).says("`nowhere.toml` cannot be read");
}

fn not_text() {
    let desk = Desk::new();
    std::fs::write(desk.path("job.toml"), [0xff, 0xfe, 0x00]).unwrap();
    desk.call(&["run", "job.toml"]).expect(2).says("it is not UTF-8 text");
}

fn arguments() {
    let desk = Desk::new();
    desk.call(&[]).expect(2);
    desk.call(&["statsu"]).expect(2).says("status");
    desk.call(&["run", "x.toml", "--listen", "nowhere"]).expect(2);
    desk.call(&["run", "x.toml", "--progress-interval", "0s"]).expect(2);
    desk.call(&["--help"]).expect(0).says("Exit codes");
    desk.call(&["status", "x"]).expect(2).says("no journal found").says("looked at");
}

fn no_variable() {
    let desk = Desk::new();
    desk.write("job.toml", GOOD);
    desk.call(&["plan", "job.toml"])
        .expect(2)
        .says("the environment variable `DATABASE_URL` is not set");
}

fn with_good_spec() -> Desk {
    let desk = Desk::at("sqlite:shop.db");
    std::fs::write(desk.path("shop.db"), "").unwrap();
    desk.write("job.toml", GOOD);
    desk
}

fn foreign_journal() {
    let desk = with_good_spec();
    desk.write("notes.txt", &"these are my notes, and not a database\n".repeat(100));
    desk.call(&["run", "job.toml", "--state", "notes.txt"])
        .expect(2)
        .says("`notes.txt` is not a Backstop journal, and is left as it is");
    assert!(std::fs::read_to_string(desk.path("notes.txt")).unwrap().starts_with("these are"));
}

fn other_program() {
    let desk = with_good_spec();
    let other = rusqlite::Connection::open(desk.path("other.db")).unwrap();
    other.execute_batch("CREATE TABLE precious (a)").unwrap();
    drop(other);
    desk.call(&["run", "job.toml", "--state", "other.db"])
        .expect(2)
        .says("is not a Backstop journal");
}

fn future_journal() {
    let desk = with_good_spec();
    let journal = rusqlite::Connection::open(desk.path("future.db")).unwrap();
    journal.execute_batch("PRAGMA application_id = 1651733616; PRAGMA user_version = 99").unwrap();
    drop(journal);
    // A file for every step from one format to the next.
    let newest = std::fs::read_dir(root().join("src/journal/schema")).unwrap().count();
    let says = format!("has format 99, and this version of Backstop knows none above {newest};");
    desk.call(&["run", "job.toml", "--state", "future.db"]).expect(2).says(&says);
}

fn unwritable_journal() {
    let desk = with_good_spec();
    desk.write("file", "");
    desk.call(&["run", "job.toml", "--state", "file/journal.db"])
        .expect(2)
        .says("the journal's folder `file` cannot be made")
        .says("--state PATH");
}

fn server_down() {
    for scheme in ["postgres", "mysql", "mariadb"] {
        // A port that was free a moment ago: nobody listens there.
        let port = {
            let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            socket.local_addr().unwrap().port()
        };
        let desk = Desk::at(&format!("{scheme}://app:h0ney@127.0.0.1:{port}/shop"));
        desk.write("job.toml", GOOD);
        let said = desk.call(&["run", "job.toml"]).expect(2).says(&format!("127.0.0.1:{port}"));
        assert!(!said.err.contains("h0ney"), "{}", said.err);
    }
    let desk = Desk::at("sqlite:nowhere.db");
    desk.write("job.toml", GOOD);
    desk.call(&["run", "job.toml"]).expect(2).says("there is no file `nowhere.db`");
}

fn wrong_password(engine: Engine) {
    let database = Database::new(engine);
    let mut url = url::Url::parse(&database.url).unwrap();
    url.set_password(Some("h0ney")).unwrap();
    let desk = Desk::at(url.as_str());
    desk.write("job.toml", GOOD);
    let said = desk.call(&["run", "job.toml"]).expect(2).says("password");
    assert!(!said.err.contains("h0ney"), "{}", said.err);
}

fn missing_database(engine: Engine) {
    let mut url = url::Url::parse(&engine.server_url()).unwrap();
    url.set_path("no_such_database");
    let desk = Desk::at(url.as_str());
    desk.write("job.toml", GOOD);
    desk.call(&["run", "job.toml"]).expect(2).says("no_such_database");
}
