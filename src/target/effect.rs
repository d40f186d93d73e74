//! What a statement of a change leaves in the catalog, and whether it is there.
//!
//! A change is taken up again by what the server shows, and never by what a journal remembers: a
//! session may have gone on when its client was gone.

use serde::{Deserialize, Serialize};

use super::{Brake, Place, Trace};

/// What is there once a statement is done. A [`Place`] without a schema is looked for where the session
/// looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// An index of this definition.
    Index(Index),
    /// No index of that name.
    NoIndex(Place),
    /// No index of that name that is not valid: none, or one that is.
    NoInvalidIndex(Place),
    /// An index of a partition is a part of its parent's.
    IndexAttached {
        /// The parent's.
        parent: Place,
        /// The partition's.
        child: Place,
    },
    /// A constraint of that name that demands the same.
    Constraint {
        /// Its table.
        table: Place,
        /// Its name.
        name: String,
        /// What stands behind the name: `CHECK (a > 0) NOT VALID`.
        demands: String,
    },
    /// A constraint of that name holds for the rows that were there before it.
    Validated {
        /// Its table.
        table: Place,
        /// Its name.
        name: String,
    },
    /// No constraint of that name.
    NoConstraint {
        /// Its table.
        table: Place,
        /// Its name.
        name: String,
    },
    /// A column of that name and type.
    Column {
        /// Its table.
        table: Place,
        /// Its name.
        name: String,
        /// Its type, as a statement writes it; empty where any will do.
        ty: String,
    },
    /// No column of that name.
    NoColumn {
        /// Its table.
        table: Place,
        /// Its name.
        name: String,
    },
    /// A column takes no NULL, or does.
    NotNull {
        /// Its table.
        table: Place,
        /// The column.
        column: String,
        /// It takes none.
        holds: bool,
    },
    /// The default of a column, as a statement writes it; empty: it has none.
    Default {
        /// Its table.
        table: Place,
        /// The column.
        column: String,
        /// What new rows get.
        is: String,
    },
    /// A table is a partition, or is none any more.
    Partition {
        /// Of which.
        parent: Place,
        /// The table.
        child: Place,
        /// It is.
        attached: bool,
    },
    /// A sequence of that name.
    Sequence(Place),
    /// The table's definition is another than this one, by MySQL's and MariaDB's words.
    Altered {
        /// The table.
        table: Place,
        /// As it was.
        before: String,
    },
}

/// An index that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Its name, in its table's schema.
    pub name: String,
    /// Its table.
    pub table: Place,
    /// `UNIQUE`.
    pub unique: bool,
    /// What stands behind the table: `USING btree (a DESC) INCLUDE (b) WHERE c`. Empty where any of the
    /// name will do (MySQL, MariaDB).
    pub of: String,
    /// Of a partitioned table, made without its partitions: not valid until each has its part.
    pub only: bool,
}

/// How the catalog stands to an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is there.
    There,
    /// It is not.
    Absent,
    /// An earlier attempt was cut off, and what it left is in the way: what, and the statement that makes
    /// way, or ends what was begun.
    Broken {
        /// What is there, in words.
        what: String,
        /// What to run.
        repair: String,
        /// The repair is the end of what was begun, and not its removal.
        completes: bool,
    },
    /// A session is making it at this moment.
    InTheMaking(String),
    /// Something else is in its place, or it could not be told; a sentence.
    Other(String),
}

impl Standing {
    /// Of several effects of one statement. A statement is done whole or not at all, so those that
    /// disagree show that somebody else was there.
    #[must_use]
    pub fn of_all(found: Vec<(String, Self)>) -> Self {
        let mut found = found.into_iter();
        let Some((mut first, mut standing)) = found.next() else { return Self::Absent };
        for (what, next) in found {
            match (&standing, &next) {
                (Self::There, Self::There) | (Self::Absent, Self::Absent) => {}
                (Self::There | Self::Absent, Self::There | Self::Absent) => {
                    let (there, not) =
                        if next == Self::There { (what, first) } else { (first, what) };
                    return Self::Other(format!(
                        "{there}, but not: {not}; one statement does both or nothing, so somebody \
                         else has changed the table meanwhile"
                    ));
                }
                (Self::There | Self::Absent, _) => (first, standing) = (what, next),
                _ => {}
            }
        }
        standing
    }
}

impl Effect {
    /// In words, for messages.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Index(index) => format!("the index `{}` is there", index.name),
            Self::NoIndex(place) => format!("the index `{}` is gone", place.name),
            Self::NoInvalidIndex(place) => format!("no index `{}` is invalid", place.name),
            Self::IndexAttached { parent, child } => {
                format!("the index `{}` is a part of `{}`", child.name, parent.name)
            }
            Self::Constraint { name, .. } => format!("the constraint `{name}` is there"),
            Self::Validated { name, .. } => format!("the constraint `{name}` is validated"),
            Self::NoConstraint { name, .. } => format!("the constraint `{name}` is gone"),
            Self::Column { name, .. } => format!("the column `{name}` is there"),
            Self::NoColumn { name, .. } => format!("the column `{name}` is gone"),
            Self::NotNull { column, holds: true, .. } => format!("`{column}` takes no NULL"),
            Self::NotNull { column, holds: false, .. } => format!("`{column}` takes NULL"),
            Self::Default { column, is, .. } if is.is_empty() => {
                format!("`{column}` has no default")
            }
            Self::Default { column, is, .. } => format!("`{column}` gets `{is}` by default"),
            Self::Partition { parent, child, attached: true } => {
                format!("`{}` is a partition of `{}`", child.name, parent.name)
            }
            Self::Partition { parent, child, attached: false } => {
                format!("`{}` is no partition of `{}`", child.name, parent.name)
            }
            Self::Sequence(place) => format!("the sequence `{}` is there", place.name),
            Self::Altered { table, .. } => format!("`{}` is defined otherwise", table.name),
        }
    }
}

/// A session that runs something of ours.
pub struct AtWork {
    /// Which, and what.
    pub trace: Trace,
    /// What ends it.
    pub brake: Brake,
}

/// What a session is seen to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Watched {
    /// Its statement runs.
    pub at_work: bool,
    /// It waits for a lock, or for transactions to end.
    pub waits: bool,
    /// For whom, in words.
    pub waits_for: Option<String>,
    /// The server's word for what it does.
    pub phase: Option<String>,
    /// Blocks or tuples that it has gone through in this phase.
    pub done: Option<u64>,
    /// Of how many.
    pub total: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_done_whole_or_not_at_all() {
        let of = |all: &[Standing]| {
            Standing::of_all(all.iter().map(|one| ("a".to_owned(), one.clone())).collect())
        };
        let broken =
            Standing::Broken { what: String::new(), repair: String::new(), completes: false };
        assert_eq!(of(&[]), Standing::Absent);
        assert_eq!(of(&[Standing::There, Standing::There]), Standing::There);
        assert_eq!(of(&[Standing::Absent, Standing::Absent]), Standing::Absent);
        assert_eq!(of(&[Standing::There, broken.clone()]), broken);
        assert!(matches!(of(&[Standing::There, Standing::Absent]), Standing::Other(_)));
    }
}
