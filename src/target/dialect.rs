//! How SQL is spelt on a database. Pure: no I/O here.

use crate::catalog::{Column, Key};

/// How SQL is spelt on a database.
pub trait Dialect: Send + Sync {
    /// Quotes an identifier.
    fn quote(&self, identifier: &str) -> String;

    /// The placeholder of the `n`th parameter, from 1.
    fn placeholder(&self, n: usize) -> String;

    /// A key column's value as text that [`Dialect::key_from_text`] turns back into exactly that
    /// value, whatever the session's settings. NULL where it cannot.
    fn key_as_text(&self, column: &Column) -> String;

    /// The text at `placeholder` as a value of the key column's own type and collation.
    fn key_from_text(&self, column: &Column, placeholder: &str) -> String;

    /// A condition that is true, and never NULL, exactly where assigning `expression` to the
    /// column would change what is stored. The expression can be put into parentheses as it is.
    fn differs(&self, column: &Column, expression: &str) -> String;

    /// Whether `(a, b) > (x, y)` is answered from the index when it is a lower bound.
    fn row_comparison(&self) -> bool;

    /// What follows the table's name to make the engine walk this key's index; empty where the
    /// planner can be trusted.
    fn index_hint(&self, key: &Key) -> String;

    /// The server's present time, as an expression for the fence.
    fn now(&self) -> &'static str;

    /// Whether a later assignment of one `UPDATE` sees the result of an earlier one.
    fn assigns_left_to_right(&self) -> bool {
        false
    }

    /// The tokens of this dialect, for reading identifiers out of an expression.
    fn tokens(&self) -> crate::sql::Tokens;
}
