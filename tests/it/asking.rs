//! A session that asks a database after its health, and others that give it something to see.

use std::sync::Arc;
use std::time::Duration;

use backstop::catalog::TableName;
use backstop::target::{
    Answer, Brake, Error, Force, Question, Reading, Session, Statement, Target,
};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::database::{execute, try_connect};
use crate::harness::wait_for;

/// One that asks.
pub struct Asker {
    runtime: Runtime,
    target: Arc<dyn Target>,
    session: Box<dyn Session>,
}

/// Another session, which is seen.
pub struct Other {
    session: Box<dyn Session>,
    /// Its number, as the questions name it.
    pub id: String,
}

/// A session that runs one statement meanwhile.
pub struct Busy {
    /// Its number, as the questions name it.
    pub id: String,
    brake: Brake,
    running: JoinHandle<Result<u64, Error>>,
}

/// A table by its name.
pub fn table(name: &str) -> TableName {
    TableName::parse(name).unwrap()
}

impl Asker {
    /// One at the database behind the URL.
    pub fn at(url: &str) -> Self {
        // Others go on while this one asks or waits.
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let (target, session) = runtime.block_on(async {
            let target = try_connect(url).await.unwrap_or_else(|error| panic!("{error}"));
            let session = target.open("ask").await.unwrap();
            (target, session)
        });
        Self { runtime, target, session }
    }

    /// The rows that a query gives, as text; NULL is empty.
    #[track_caller]
    pub fn rows(&mut self, sql: &str) -> Vec<Vec<String>> {
        let rows = self.runtime.block_on(self.session.query(&Statement::plain(sql)));
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.into_iter()
            .map(|row| row.into_iter().map(Option::unwrap_or_default).collect())
            .collect()
    }

    /// The same; `None` where the statement fails.
    pub fn try_rows(&mut self, sql: &str) -> Option<Vec<Vec<String>>> {
        let rows = self.runtime.block_on(self.session.query(&Statement::plain(sql))).ok()?;
        let texts =
            |row: Vec<Option<String>>| row.into_iter().map(Option::unwrap_or_default).collect();
        Some(rows.into_iter().map(texts).collect())
    }

    /// What the database says.
    pub fn ask(&mut self, question: &Question) -> Result<Answer, Error> {
        self.runtime.block_on(self.target.signal(self.session.as_mut(), question))
    }

    /// What was read.
    #[track_caller]
    pub fn readings(&mut self, question: &Question) -> Vec<Reading> {
        match self.ask(question) {
            Ok(Answer::Read(readings)) => readings,
            other => panic!("{question:?}: {other:?}"),
        }
    }

    /// The one number that was read.
    #[track_caller]
    pub fn value(&mut self, question: &Question) -> f64 {
        match self.readings(question).as_slice() {
            [Reading { of: None, value: Ok(value) }] => *value,
            other => panic!("{question:?}: {other:?}"),
        }
    }

    /// Why nothing could be read.
    #[track_caller]
    pub fn reason(&mut self, question: &Question) -> String {
        match self.readings(question).as_slice() {
            [Reading { value: Err(reason), .. }] => reason.clone(),
            other => panic!("{question:?}: {other:?}"),
        }
    }

    /// Waits until this is the number. InnoDB's list of transactions is as old as the first of those
    /// who look at it more often than every 100 ms.
    #[track_caller]
    pub fn wait_for(&mut self, question: &Question, is: impl Fn(f64) -> bool) {
        let mut seen = f64::NAN;
        wait_for(&format!("{question:?}"), || {
            seen = self.value(question);
            if !is(seen) {
                std::thread::sleep(Duration::from_millis(120));
            }
            is(seen)
        });
    }

    /// Another session.
    pub fn open(&self) -> Other {
        let session = self.runtime.block_on(self.target.open("other")).unwrap();
        Other { id: session.id().to_owned(), session }
    }

    /// Runs a statement in another session, to its end.
    #[track_caller]
    pub fn run(&self, other: &mut Other, sql: &str) {
        self.runtime.block_on(execute(other.session.as_mut(), sql));
    }

    /// Begins a transaction in another session.
    pub fn begin(&self, other: &mut Other) {
        self.runtime.block_on(other.session.begin()).unwrap();
    }

    /// Rolls the transaction of another session back.
    pub fn roll_back(&self, other: &mut Other) {
        self.runtime.block_on(other.session.rollback()).unwrap();
    }

    /// Runs a statement in another session, and does not wait for its end.
    pub fn start(&self, sql: &str) -> Busy {
        let Other { mut session, id } = self.open();
        let (brake, sql) = (session.brake(), sql.to_owned());
        let running = self.runtime.spawn(async move {
            let done = session.execute(&Statement::plain(sql)).await;
            session.close().await;
            done
        });
        Busy { id, brake, running }
    }

    /// Waits for the end of what was started.
    pub fn finish(&self, busy: Busy) {
        self.runtime.block_on(busy.running).unwrap().unwrap();
    }

    /// Ends what was started.
    pub fn stop(&mut self, busy: Busy) {
        self.runtime.block_on(async {
            busy.brake.apply(self.session.as_mut(), Force::Terminate).await.unwrap();
            let _ = busy.running.await;
        });
    }
}
