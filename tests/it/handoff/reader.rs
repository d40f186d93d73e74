//! Somebody whose transaction is open, and who thereby holds the table.

use std::time::Duration;

use backstop::target::Statement;

use crate::database::{Database, open};

/// A transaction that has read the table, until it is dropped.
pub struct Reader {
    end: std::sync::mpsc::Sender<()>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Reader {
    pub fn of(database: &Database) -> Self {
        Self::that(database, "SELECT COUNT(*) FROM t")
    }

    /// Has run that statement.
    pub fn that(database: &Database, statement: &'static str) -> Self {
        let (url, (end, ended)) = (database.url.clone(), std::sync::mpsc::channel::<()>());
        let (begun, begins) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut session = open(&url).await;
                session.begin().await.unwrap();
                session.query(&Statement::plain(statement)).await.unwrap();
                begun.send(()).unwrap();
                // The server ends a session of ours that is idle in a transaction for ten seconds.
                while ended.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    session.ping().await.unwrap();
                }
                session.rollback().await.unwrap();
                session.close().await;
            });
        });
        begins.recv().unwrap();
        Self { end, thread: Some(thread) }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.end.send(());
        let _ = self.thread.take().unwrap().join();
    }
}
