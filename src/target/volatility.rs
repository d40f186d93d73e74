//! Whether a function gives the same result whenever it is given the same arguments.
//!
//! The server is asked where it knows; what it does not say counts as volatile. A clock is volatile
//! here, also where the server calls it stable: it stands still within a statement or a transaction,
//! and a batch that is written again is written by another one.

use crate::catalog::{Column, Lookup, Table, TableName};

/// The nature of one [`Use`](crate::sql::Use).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Volatility {
    /// The same result for the same arguments.
    Pure,
    /// Not so, or not known to be so; why, as a sentence without its end.
    Volatile(String),
}

impl Volatility {
    /// A reading of the clock.
    #[must_use]
    pub fn clock(what: &str) -> Self {
        Self::Volatile(format!("`{what}` reads the clock"))
    }

    /// A function that nothing is known of.
    #[must_use]
    pub fn unknown(name: &str, arguments: usize) -> Self {
        let s = if arguments == 1 { "" } else { "s" };
        Self::Volatile(format!(
            "nothing is known of a function `{name}` with {arguments} argument{s}"
        ))
    }
}

/// Whether what was found under `name` is a table of its own, other than `table`.
///
/// # Errors
///
/// The reason why it is not, or why that is not known.
pub fn stands_apart(table: &Table, name: &TableName, found: &Lookup) -> Result<(), String> {
    match found {
        Lookup::Found(found) if (&found.schema, &found.name) == (&table.schema, &table.name) => {
            Err(format!("a subquery reads `{table}` itself"))
        }
        Lookup::Found(_) => Ok(()),
        Lookup::NotATable { kind } => {
            Err(format!("a subquery reads the {kind} `{name}`, which may show rows of `{table}`"))
        }
        Lookup::Missing { .. } => {
            Err(format!("nothing is known of `{name}`, which a subquery reads"))
        }
    }
}

/// What a column keeps of a literal that is assigned to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// Exactly the text, up to so many characters.
    Text(usize),
    /// Exactly the whole number, from the first to the last.
    Integer(i128, i128),
    /// Exactly the text, if it is one of these.
    Members(Vec<String>),
    /// Exactly the truth value.
    Boolean,
    /// Not known.
    Other,
}

impl Storage {
    /// The integers of a type with so many bits.
    #[must_use]
    pub const fn integer(bits: u32, unsigned: bool) -> Self {
        if unsigned {
            Self::Integer(0, (1 << bits) - 1)
        } else {
            Self::Integer(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
        }
    }
}

/// The length in parentheses behind a type's name, such as 20 in `varchar(20)`.
#[must_use]
pub fn length(column: &Column) -> Option<usize> {
    let (_, rest) = column.type_sql.split_once('(')?;
    rest.split([')', ',']).next()?.trim().parse().ok()
}
