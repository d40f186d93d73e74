//! A session for questions, opened when it is first needed and again after it was lost.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::{Line, Unread};
use crate::target::{Answer, Question, Reading, Session, Target};

/// Clones share one session; questions wait for each other.
#[derive(Clone)]
pub(in crate::throttle) struct Desk {
    target: Arc<dyn Target>,
    session: Arc<Mutex<Option<Box<dyn Session>>>>,
}

impl Desk {
    pub(in crate::throttle) fn new(target: Arc<dyn Target>) -> Self {
        Self { target, session: Arc::new(Mutex::new(None)) }
    }

    /// Asks. Whoever drops this before its end leaves no session behind that is in the middle of
    /// something.
    pub(in crate::throttle) async fn ask(&self, question: &Question) -> Result<Vec<Line>, Unread> {
        let mut held = self.session.lock().await;
        let failed = |error: crate::target::Error| Unread::Failed(error.to_string());
        let mut session = match held.take() {
            Some(session) => session,
            None => self.target.open("signals").await.map_err(failed)?,
        };
        let answer = self.target.signal(session.as_mut(), question).await;
        if !answer.as_ref().is_err_and(crate::target::Error::is_lost) {
            *held = Some(session);
        }
        match answer.map_err(failed)? {
            Answer::NotHere(why) => Err(Unread::NotHere(why.to_owned())),
            Answer::Read(readings) => Ok(readings.into_iter().map(line).collect()),
        }
    }

    pub(in crate::throttle) async fn close(&self) {
        if let Some(session) = self.session.lock().await.take() {
            session.close().await;
        }
    }
}

fn line(Reading { of, value }: Reading) -> Line {
    Line { of, value, note: None }
}
