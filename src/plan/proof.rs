//! A sample of the job, written twice in a transaction that is rolled back.
//!
//! It can only refute: a clock stands still within a transaction, and what did not happen to the
//! first rows may happen to others.

use super::Plan;
use crate::keyspace::Key;
use crate::target::{Class, Commit, Error, Result, Row, Session, Target};

/// Windows that are tried until one has a row to change.
const WINDOWS: u32 = 10;

/// Rows in each: enough to meet the common case, few enough to lock.
const ROWS: u64 = 100;

/// What the sample showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The job is one that writes each row once, so that nothing is claimed that could be refuted.
    NotClaimed,
    /// Writing a row again changed it again.
    Refuted {
        /// The row's key.
        key: String,
        /// The columns that differed, if they could be told.
        columns: Vec<String>,
    },
    /// That many rows were written twice, and the second writing changed none.
    NotRefuted {
        /// Rows that the first writing changed.
        rows: u64,
    },
    /// The sample could not be written.
    NotTried(String),
}

impl Proof {
    /// What it showed, in a sentence.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::NotClaimed => {
                "nothing to prove: `exactly_once` jobs may depend on how often a row is written"
                    .to_owned()
            }
            Self::Refuted { key, columns } => {
                let columns: Vec<_> = columns.iter().map(|name| format!("`{name}`")).collect();
                let what = if columns.is_empty() { "the row".into() } else { columns.join(", ") };
                format!(
                    "refuted: written twice in one transaction, {what} of the row with {key} \
                     changed twice"
                )
            }
            Self::NotRefuted { rows: 0 } => format!(
                "not refuted, by 0 rows: none of the first {} needs a change",
                u64::from(WINDOWS) * ROWS
            ),
            Self::NotRefuted { rows } => format!(
                "not refuted by {rows} row{}, written twice in one transaction that was rolled \
                 back (a clock stands still within a transaction, so this proves nothing)",
                if *rows == 1 { "" } else { "s" }
            ),
            Self::NotTried(reason) => format!("not tried: {reason}"),
        }
    }
}

/// Writes the first rows that change twice, and rolls back.
///
/// # Errors
///
/// The connection was lost, or somebody cancelled. That the sample itself cannot be written is
/// [`Proof::NotTried`]: the run meets the same rows, and says which they are.
pub async fn prove(plan: &Plan, target: &dyn Target, session: &mut dyn Session) -> Result<Proof> {
    if plan.spec.update.exactly_once {
        return Ok(Proof::NotClaimed);
    }
    let begun = session.begin_batch(&plan.pace.patience, Commit::Own).await;
    let proof = match begun {
        Ok(()) => sample(plan, target, session).await,
        Err(error) => Err(error),
    };
    match proof {
        Err(error) if matches!(error.class, Class::Lost | Class::Cancelled) => {
            let _ = session.rollback().await;
            Err(error)
        }
        Err(error) => {
            session.rollback().await?;
            Ok(Proof::NotTried(error.to_string()))
        }
        Ok(proof) => session.rollback().await.map(|()| proof),
    }
}

async fn sample(plan: &Plan, target: &dyn Target, session: &mut dyn Session) -> Result<Proof> {
    let dialect = target.dialect();
    let statements = &plan.statements;
    let last = session.query(&statements.last_key(dialect)).await?;
    let Some(hi) = last.into_iter().next() else { return Ok(Proof::NotRefuted { rows: 0 }) };
    let hi = key_of(plan, hi)?;
    let mut after: Option<Key> = None;
    for _ in 0..WINDOWS {
        let end = session.query(&statements.boundary(dialect, after.as_ref(), &hi, ROWS)).await?;
        let upto = match end.into_iter().next() {
            Some(mut row) => {
                row.truncate(statements.key.len());
                Some(key_of(plan, row)?)
            }
            None => None,
        };
        let is_last = upto.is_none();
        let upto = upto.unwrap_or_else(|| hi.clone());
        let write = statements.write(dialect, after.as_ref(), &upto);
        let rows = session.execute(&write).await?;
        if 0 < rows {
            let again = statements.unsettled(dialect, after.as_ref(), &upto);
            let unsettled = session.query(&again).await?.into_iter().next();
            let changed_again = 0 < session.execute(&write).await?;
            return match unsettled {
                Some(row) => refuted(plan, row),
                None if changed_again => Ok(Proof::Refuted {
                    key: format!("a key up to {}", plan.show_key(&upto)),
                    columns: Vec::new(),
                }),
                None => Ok(Proof::NotRefuted { rows }),
            };
        }
        if is_last {
            break;
        }
        after = Some(upto);
    }
    Ok(Proof::NotRefuted { rows: 0 })
}

fn refuted(plan: &Plan, mut row: Row) -> Result<Proof> {
    let flags = row.split_off(plan.statements.key.len());
    let columns = plan
        .statements
        .set
        .iter()
        .zip(flags)
        .filter(|(_, flag)| flag.as_deref() == Some("1"))
        .map(|(assignment, _)| assignment.column.name.clone())
        .collect();
    Ok(Proof::Refuted { key: plan.show_key(&key_of(plan, row)?), columns })
}

fn key_of(plan: &Plan, row: Row) -> Result<Key> {
    row.into_iter().collect::<Option<Vec<_>>>().map(Key).ok_or_else(|| {
        Error::new(
            Class::Refused,
            format!(
                "a key ({}) has a value that its type cannot express",
                plan.key_names().join(", ")
            ),
        )
    })
}
