//! Values that the target tells.

use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::{Desk, Line, Probe, Unread};
use crate::target::Question;

/// Between the two first looks at something that grows, which together are its first value.
const FIRST_GROWTH: Duration = Duration::from_millis(250);

/// The answer to a question, made anew for each look: it may name the job's sessions.
pub(in crate::throttle) struct Ask<F> {
    pub desk: Desk,
    pub question: F,
}

#[async_trait]
impl<F: FnMut() -> Option<Question> + Send> Probe for Ask<F> {
    /// A question that has nobody to ask about is answered by 0.
    async fn look(&mut self) -> Result<Vec<Line>, Unread> {
        match (self.question)() {
            None => Ok(vec![Line::plain(0.0)]),
            Some(question) => some(self.desk.ask(&question).await?),
        }
    }
}

/// No line at all is no value.
fn some(lines: Vec<Line>) -> Result<Vec<Line>, Unread> {
    if lines.is_empty() {
        return Err(Unread::Failed("the server answered nothing".to_owned()));
    }
    Ok(lines)
}

/// How fast something grows, a second.
pub(in crate::throttle) struct Growth {
    pub desk: Desk,
    pub question: Question,
    pub last: Option<(Instant, f64)>,
}

impl Growth {
    async fn total(&self) -> Result<(Instant, f64), Unread> {
        let lines = some(self.desk.ask(&self.question).await?)?;
        match lines.into_iter().next().map(|line| line.value) {
            Some(Ok(total)) => Ok((Instant::now(), total)),
            Some(Err(why)) => Err(Unread::Failed(why)),
            None => Err(Unread::Failed("the server answered nothing".to_owned())),
        }
    }
}

#[async_trait]
impl Probe for Growth {
    async fn look(&mut self) -> Result<Vec<Line>, Unread> {
        let before = match self.last.take() {
            Some(before) => before,
            None => {
                let first = self.total().await?;
                tokio::time::sleep(FIRST_GROWTH).await;
                first
            }
        };
        let now = self.total().await?;
        self.last = Some(now);
        // A server that was restarted may count from 0 again.
        let grown = (now.1 - before.1).max(0.0);
        Ok(vec![Line::plain(grown / (now.0 - before.0).as_secs_f64().max(1e-3))])
    }
}

/// How far each replica that the target knows is behind, or how much is kept for each slot: nothing at
/// all is an answer.
pub(in crate::throttle) struct Backlog {
    pub desk: Desk,
    pub question: Question,
    /// Whether the lines are positions, the first of which is the server's own.
    pub positions: bool,
}

#[async_trait]
impl Probe for Backlog {
    async fn look(&mut self) -> Result<Vec<Line>, Unread> {
        let lines = self.desk.ask(&self.question).await?;
        if !self.positions {
            return Ok(lines);
        }
        let (own, replicas) = super::log_clock::own_and_others(lines)?;
        let behind = |line: Line| Line {
            value: line.value.map(|position| (own - position).max(0.0)),
            ..line
        };
        Ok(replicas.into_iter().map(behind).collect())
    }
}
