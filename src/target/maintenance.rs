//! What can be done for a table after many of its rows were written.

use super::{Class, Error, Result, Session, Statement};

/// Work for a table that the server does in one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maintenance {
    /// Make the space of dead rows free.
    Vacuum,
    /// Take the planner's statistics anew.
    Analyze,
}

impl Maintenance {
    /// The name used in specs, messages and events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vacuum => "vacuum",
            Self::Analyze => "analyze",
        }
    }
}

/// How it is done, or why it is not done here: a sentence.
pub type Chore = std::result::Result<Vec<Statement>, String>;

/// Does it. What MySQL and MariaDB have against a table is a row of the answer and no error.
///
/// # Errors
///
/// What the server says.
pub async fn perform(session: &mut dyn Session, chore: &[Statement]) -> Result<()> {
    for statement in chore {
        for row in session.query(statement).await? {
            if let [_, _, Some(kind), Some(message)] = row.as_slice()
                && kind.eq_ignore_ascii_case("error")
            {
                return Err(Error::new(Class::Refused, message.clone()));
            }
        }
    }
    Ok(())
}
