//! What is done for the table when every row is written.

use super::{Error, Refusal};
use crate::catalog::Table;
use crate::spec::JobSpec;
use crate::target::{Maintenance, Session, Statement, Target};

/// One thing that is done for the table.
#[derive(Debug, Clone)]
pub struct Chore {
    /// What.
    pub maintenance: Maintenance,
    /// How: the last statement does it, those before it prepare its session.
    pub statements: Vec<Statement>,
}

impl Chore {
    /// The statement that does it.
    #[must_use]
    pub fn sql(&self) -> &str {
        self.statements.last().map_or("", |statement| &statement.sql)
    }
}

/// What the spec asks for, in the order in which it is done.
///
/// # Errors
///
/// The server could not be asked.
pub(super) async fn find(
    spec: &JobSpec,
    table: &Table,
    target: &dyn Target,
    session: &mut dyn Session,
    refusals: &mut Vec<Refusal>,
) -> Result<Vec<Chore>, Error> {
    let wanted =
        [(spec.after.vacuum, Maintenance::Vacuum), (spec.after.analyze, Maintenance::Analyze)];
    let mut chores = Vec::new();
    for (_, maintenance) in wanted.into_iter().filter(|(wanted, _)| *wanted) {
        match target.maintenance(session, table, maintenance).await? {
            Ok(statements) => chores.push(Chore { maintenance, statements }),
            Err(reason) => refusals.push(Refusal::new(
                format!("`{} = true` in [after] cannot be had here", maintenance.name()),
                reason,
                format!("take `{}` out of [after]", maintenance.name()),
            )),
        }
    }
    Ok(chores)
}
