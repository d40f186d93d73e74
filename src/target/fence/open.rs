//! Jobs that are not done with a table.

use super::{Home, row::FenceRow};
use crate::target::{Result, Session, Statement};

/// Jobs with ranges of this table that are not done, and who held each last: none where there is no
/// fence.
///
/// # Errors
///
/// What the server says.
pub async fn open_on(
    home: &Home,
    session: &mut dyn Session,
    identity: &str,
) -> Result<Vec<(String, Option<String>)>> {
    if !home.fence.exists {
        return Ok(Vec::new());
    }
    // A superseded generation is nobody's work.
    let sql = format!(
        "SELECT DISTINCT job, holder, table_identity FROM {0} f WHERE state <> 'done' \
         AND generation = (SELECT max(generation) FROM {0} g WHERE g.job = f.job)",
        home.fence.table
    );
    let part = format!("{identity} PARTITION (");
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    for row in session.query(&Statement::plain(sql)).await? {
        let row = FenceRow(&row);
        let (job, of) = (row.text(0)?.to_owned(), row.text(2)?);
        let holder = row.0.get(1).cloned().flatten();
        let known = found.iter().any(|(known, _)| *known == job);
        if !known && (of == identity || of.starts_with(&part)) {
            found.push((job, holder));
        }
    }
    Ok(found)
}
