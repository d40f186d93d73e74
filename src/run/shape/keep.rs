//! The write of a batch whose old values are kept.
//!
//! Images and rows are written by one transaction, so they commit together or not at all. What must
//! hold besides: every row that is written has an image, and the image's old value is the one that
//! was overwritten. Where the UPDATE itself returns what it overwrites, both hold by that. Elsewhere
//! the statement that makes the images locks their rows, so none of them changes before it is
//! written; and a row that came to match in between is written without one, which the numbers tell:
//! then the batch is rolled back and tried again.

use super::Window;
use crate::control::Level;
use crate::event::RetryReason;
use crate::plan::Undo;
use crate::run::Run;
use crate::target::{Class, Dialect, Error, Result, Row, Session, Statement};

/// Writes the window and its images; returns the number of rows that it changed.
pub(super) async fn write(
    run: &Run,
    undo: &Undo,
    session: &mut dyn Session,
    label: &str,
    window: &Window,
) -> Result<u64> {
    let (dialect, statements) = (run.target.dialect(), &run.plan.statements);
    let (generation, images) = (run.generation, &undo.images);
    let (after, upto) = (window.after.as_ref(), &window.upto);
    // A generation writes each row once. Images are there already where the fence was lost, or where
    // what came to match is written at the end; to allow for that in every INSERT would cost a tenth of
    // the batch (PostgreSQL 18). Who adds the key merges what is there by then, and from then on the
    // batches do.
    let merged = has_key(undo, dialect, session, label).await? && {
        let present = images.present(dialect, generation, after, upto).labelled(label);
        !session.query(&present).await?.is_empty()
    };
    let changed = if undo.returning {
        let write = images.write(dialect, statements, generation, merged, after, upto);
        session.execute(&write.labelled(label)).await?
    } else {
        let keep = images.keep(dialect, statements, generation, merged, after, upto);
        let kept = if merged {
            let count = images.count(dialect, statements, after, upto).labelled(label);
            let counted = session.query(&count).await?;
            session.execute(&keep.labelled(label)).await?;
            read(&counted)?
        } else {
            session.execute(&keep.labelled(label)).await?
        };
        // A cancel may have fallen between two statements.
        if Level::Cancel <= run.stop.level() {
            return Err(Error::new(Class::Cancelled, "cancelled by request"));
        }
        let write = statements.write(dialect, after, upto).labelled(label);
        let written = session.execute(&write).await?;
        // A trigger may keep rows from being written: their images hold nothing to put back.
        if kept < written || (written < kept && !undo.triggers) {
            return Err(Error::new(
                Class::Retry(RetryReason::Serialization),
                format!(
                    "{written} rows were written and {kept} old values kept: others wrote to the \
                     window between the two"
                ),
            ));
        }
        written
    };
    if undo.settles && 0 < changed {
        let settle = images.settle(dialect, generation, after, upto).labelled(label);
        session.execute(&settle).await?;
    }
    Ok(changed)
}

/// Whether the table has its key, which then stays so until the batch ends.
async fn has_key(
    undo: &Undo,
    dialect: &dyn Dialect,
    session: &mut dyn Session,
    label: &str,
) -> Result<bool> {
    match undo.images.late_key(dialect) {
        Some(late) if !undo.keyed => {
            let has = Statement::plain(late.has).labelled(label);
            Ok(!session.query(&has).await?.is_empty())
        }
        _ => Ok(true),
    }
}

fn read(rows: &[Row]) -> Result<u64> {
    let text = rows.first().and_then(|row| row.first()?.as_deref());
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| Error::new(Class::Refused, "the rows to be written could not be counted"))
}
