//! Finding where a window ends.

use super::read::{read_count, read_key};
use super::seat::Seat;
use super::shape::Window;
use super::{Error, Run};
use crate::keyspace::Range;
use crate::plan::Statements;
use crate::target::Session;

/// The next `rows` counted rows of the range, or what is left of it.
pub(super) async fn find_window(
    run: &Run,
    statements: &Statements,
    seat: &mut Seat,
    range: &Range,
    rows: u64,
) -> Result<Window, Error> {
    let (dialect, session) = (run.target.dialect(), seat.session.as_mut());
    if let Some(window) = boundary_window(run, statements, session, range, rows).await? {
        return Ok(window);
    }
    let (position, label) = (range.position(), run.plan.label(range.id));
    let count = statements.count(dialect, position, &range.hi).labelled(&label);
    let counted = session.query(&count).await?;
    let rows = read_count(&counted, 0)?;
    Ok(Window { after: position.cloned(), upto: range.hi.clone(), rows, last: true })
}

/// The next `rows` counted rows of the range; `None` where it has fewer.
pub(super) async fn boundary_window(
    run: &Run,
    statements: &Statements,
    session: &mut dyn Session,
    range: &Range,
    rows: u64,
) -> Result<Option<Window>, Error> {
    let (position, label) = (range.position(), run.plan.label(range.id));
    let boundary = statements.boundary(run.target.dialect(), position, &range.hi, rows);
    let Some(mut row) = session.query(&boundary.labelled(&label)).await?.pop() else {
        return Ok(None);
    };
    let past = row.pop().flatten();
    let upto = read_key(&run.plan, row)?;
    let last = upto == range.hi;
    let is_within = past.as_deref() == Some("0");
    Ok(is_within.then(|| Window { after: position.cloned(), upto, rows, last }))
}
