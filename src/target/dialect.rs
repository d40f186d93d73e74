//! How SQL is spelt on a database. Pure: no I/O here.

use super::{Bind, LateKey, Leftover, Place, Statement, Storage};
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

    /// Any column's value as text for people; bytes as hexadecimal digits, NULL as NULL.
    fn as_text(&self, column: &Column) -> String;

    /// A condition that is true, and never NULL, exactly where assigning `expression` to the
    /// column would change what is stored. The expression can be put into parentheses as it is.
    fn differs(&self, column: &Column, expression: &str) -> String;

    /// What the column keeps of a literal that is assigned to it.
    fn storage(&self, column: &Column) -> Storage;

    /// Whether `(a, b) > (x, y)` is answered from the index when it is a lower bound.
    fn row_comparison(&self) -> bool;

    /// What stands before and after a condition to make it a filter, which the planner does not
    /// look for an index to serve; empty where it looks for the narrowest ranges anyway.
    fn no_index(&self) -> (&'static str, &'static str) {
        ("", "")
    }

    /// What follows the table's name to mean one of its partitions, where those are no tables of
    /// their own.
    fn partition(&self, _name: &str) -> String {
        String::new()
    }

    /// What follows that to make the engine walk this key's index; empty where the
    /// planner can be trusted.
    fn index_hint(&self, key: &Key) -> String;

    /// What makes a SELECT lock its rows as an UPDATE of them would, and fail where it would have
    /// to wait; `None` where there is no such clause. `assigns_unique`: a column of a unique index
    /// is assigned.
    fn lock_clause(&self, _assigns_unique: bool) -> Option<&'static str> {
        None
    }

    /// A statement that takes the locks of one who writes these rows, and writes nothing: no trigger
    /// fires, nothing is logged, and nothing is read from the log.
    fn lock_as_writer(&self, table: &str, filter: &str, binds: Vec<Bind>) -> Statement {
        Statement { sql: format!("SELECT 1 FROM {table}{filter} FOR UPDATE"), binds }
    }

    /// What makes a session wait for no lock longer than this.
    fn wait_no_longer(&self, _wait: std::time::Duration) -> Vec<String> {
        Vec::new()
    }

    /// What makes the SELECT that keeps old values lock its rows as an UPDATE of them would; empty
    /// where the transaction locks everything anyway.
    fn keep_clause(&self, _assigns_unique: bool) -> &'static str {
        ""
    }

    /// What follows an INSERT of rows whose `key` may be there, so that `columns` take the newer
    /// values and all others stay. Quoted names.
    fn merge(&self, key: &[String], columns: &[String]) -> String {
        let set: Vec<_> = columns.iter().map(|name| format!("{name} = excluded.{name}")).collect();
        format!(" ON CONFLICT ({}) DO UPDATE SET {}", key.join(", "), set.join(", "))
    }

    /// How a table that is only added to gets its primary key `key` when its rows are looked at; `None`
    /// where it has it from the beginning. Of rows of one key the oldest by `time` stays, and takes the
    /// values of `newest` of the newest. Quoted names.
    fn late_key(
        &self,
        _table: &str,
        _key: &[String],
        _time: &str,
        _newest: &[String],
    ) -> Option<LateKey> {
        None
    }

    /// A value of the column as text for people.
    fn shown(&self, column: &Column) -> String;

    /// How many bytes a value of the column takes, NULL for NULL.
    fn width(&self, column: &Column) -> String;

    /// The time this many seconds ago, of the type of [`Dialect::now`].
    fn ago(&self, seconds: u64) -> String;

    /// An aggregate that gives one number, in decimal digits below 2^127, for the values of these columns
    /// in all rows: the same for the same rows in whatever order, and added up, that of several parts is
    /// that of the whole.
    fn checksum(&self, columns: &[&Column]) -> String;

    /// The server's present time, as an expression for the fence.
    fn now(&self) -> &'static str;

    /// Whether a later assignment of one `UPDATE` sees the result of an earlier one.
    fn assigns_left_to_right(&self) -> bool {
        false
    }

    /// The statement that takes a leftover of a tool away.
    fn removal(&self, leftover: &Leftover) -> String {
        let at =
            |place: &Place| format!("{}.{}", self.quote(&place.schema), self.quote(&place.name));
        match leftover {
            Leftover::Trigger { on, name } => {
                format!("DROP TRIGGER IF EXISTS {} ON {}", self.quote(name), at(on))
            }
            Leftover::Table(table) => format!("DROP TABLE IF EXISTS {}", at(table)),
            Leftover::Rename { from, to } => {
                format!("ALTER TABLE {} RENAME TO {}", at(from), self.quote(to))
            }
        }
    }

    /// The tokens of this dialect, for reading identifiers out of an expression.
    fn tokens(&self) -> crate::sql::Tokens;
}
