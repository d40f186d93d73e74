//! Asks the data what a change would lose.

use std::time::Duration;

use super::Error;
use crate::control::{Level, Stop};
use crate::rewrite::losses::{Loss, Probe};
use crate::target::{self, Force, Session, Statement, Target};

/// Something that may be lost, and what the data say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What would be lost, and how.
    pub what: String,
    /// It is a new unique key.
    pub unique: bool,
    /// The query, for a person to run again.
    pub query: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What the data say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing would be lost.
    None,
    /// So many rows, and the first values.
    Rows(u64, Vec<String>),
    /// It is not known, and why.
    Unknown(String),
}

/// Asks, one after the other, each for at most `limit`.
pub(super) async fn ask(
    losses: Vec<Loss>,
    target: &dyn Target,
    session: &mut dyn Session,
    stop: &Stop,
    limit: Duration,
) -> Result<Vec<Asked>, Error> {
    let mut asked = Vec::new();
    for Loss { what, probe, unique } in losses {
        let outcome = match &probe {
            None => Outcome::Unknown("no query can show it beforehand".to_owned()),
            Some(probe) => one(probe, target, session, stop, limit).await?,
        };
        asked.push(Asked { what, unique, query: probe.map(|probe| probe.count), outcome });
    }
    Ok(asked)
}

async fn one(
    probe: &Probe,
    target: &dyn Target,
    session: &mut dyn Session,
    stop: &Stop,
    limit: Duration,
) -> Result<Outcome, Error> {
    let count = match query(&probe.count, target, session, stop, limit).await? {
        Ok(Some(rows)) => rows.into_iter().flatten().flatten().next(),
        Ok(None) => {
            return Ok(Outcome::Unknown(format!(
                "the query did not end within {}; give it longer with `--query-limit`, or run it \
                 where it disturbs nobody",
                crate::spec::Duration(limit)
            )));
        }
        Err(error) => return Ok(Outcome::Unknown(error.to_string())),
    };
    let Some(count) = count.and_then(|count| count.parse::<u64>().ok()) else {
        return Ok(Outcome::Unknown("the server gave no number".to_owned()));
    };
    if count == 0 {
        return Ok(Outcome::None);
    }
    let sample = match query(&probe.sample, target, session, stop, limit).await? {
        Ok(Some(rows)) => rows.into_iter().map(|row| {
            let cells = row.into_iter().map(|cell| cell.unwrap_or_else(|| "NULL".to_owned()));
            // Of duplicates, how often each is there.
            cells.collect::<Vec<_>>().join(" × ")
        }),
        // The count is what forbids it.
        _ => return Ok(Outcome::Rows(count, Vec::new())),
    };
    Ok(Outcome::Rows(count, sample.collect()))
}

/// Rows; nothing where the query took too long.
type Answered = target::Result<Option<Vec<target::Row>>>;

/// Runs it, and has it cancelled on the server when somebody asks to leave.
async fn query(
    sql: &str,
    target: &dyn Target,
    session: &mut dyn Session,
    stop: &Stop,
    limit: Duration,
) -> Result<Answered, Error> {
    let brake = session.brake();
    let statement = Statement::plain(sql);
    let running = session.query_within(&statement, limit);
    tokio::pin!(running);
    tokio::select! {
        done = &mut running => Ok(done),
        () = stop.reached(Level::Drain) => {
            // A statement is awaited and never dropped: the server would go on with it.
            let mut control = target.open("handoff").await?;
            let applied = brake.apply(control.as_mut(), Force::Cancel).await;
            control.close().await;
            applied?;
            let _ = running.await;
            Err(Error::Stopped)
        }
    }
}
