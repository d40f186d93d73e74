//! How SQL is spelt on SQLite.

use crate::catalog::{Column, Key};
use crate::sql::Tokens;
use crate::target::{Dialect, Storage};

/// SQLite's spelling.
pub(super) struct SqliteDialect;

/// The one value of [`SqliteDialect`].
pub(super) static SQLITE: SqliteDialect = SqliteDialect;

impl Dialect for SqliteDialect {
    fn quote(&self, identifier: &str) -> String {
        format!("\"{}\"", identifier.replace('"', "\"\""))
    }

    fn placeholder(&self, n: usize) -> String {
        format!("?{n}")
    }

    fn key_as_text(&self, column: &Column) -> String {
        let name = self.quote(&column.name);
        // Any column may hold a value of any type. One of another type than the key's becomes
        // NULL, which ends the walk with an error instead of a wrong order.
        match Affinity::of(&column.type_sql) {
            Affinity::Integer => {
                format!("CASE typeof({name}) WHEN 'integer' THEN CAST({name} AS TEXT) END")
            }
            Affinity::Blob => format!("CASE typeof({name}) WHEN 'blob' THEN hex({name}) END"),
            Affinity::Text => format!("CASE typeof({name}) WHEN 'text' THEN {name} END"),
            // A text that looks like a number has become one, so the two cannot be confused.
            Affinity::Numeric | Affinity::Real => format!(
                "CASE typeof({name}) WHEN 'integer' THEN CAST({name} AS TEXT) \
                 WHEN 'text' THEN {name} WHEN 'real' THEN {} END",
                real_as_text(&name)
            ),
        }
    }

    fn key_from_text(&self, column: &Column, placeholder: &str) -> String {
        match Affinity::of(&column.type_sql) {
            // Without the plus it has the affinity INTEGER, whose comparison with a column is one
            // of the affinity NUMERIC, and of `(a, b, c) > (…)` the index then serves only `a`.
            Affinity::Integer => format!("+CAST({placeholder} AS INTEGER)"),
            Affinity::Blob => format!("unhex({placeholder})"),
            // A text bind has the column's collation and affinity in a comparison with it.
            Affinity::Text | Affinity::Numeric | Affinity::Real => placeholder.to_owned(),
        }
    }

    fn as_text(&self, column: &Column) -> String {
        let name = self.quote(&column.name);
        format!("CASE typeof({name}) WHEN 'blob' THEN hex({name}) ELSE CAST({name} AS TEXT) END")
    }

    /// The unary plus takes the affinity off the expression, so that the column's own applies, as
    /// it does in an assignment; `COLLATE BINARY` makes `'A'` and `'a'` differ on a `NOCASE` column.
    /// A column without affinity keeps the type of what is assigned, so there the type counts too.
    /// Source: <https://www.sqlite.org/datatype3.html>, sections 3 and 4.2.
    fn differs(&self, column: &Column, expression: &str) -> String {
        let name = self.quote(&column.name);
        let value = format!("({expression})");
        let differs = format!("{name} IS NOT +{value} COLLATE BINARY");
        if Affinity::of(&column.type_sql) == Affinity::Blob {
            format!("({differs} OR typeof({name}) IS NOT typeof({value}))")
        } else {
            format!("({differs})")
        }
    }

    fn storage(&self, column: &Column) -> Storage {
        let declared = column.type_sql.to_ascii_uppercase();
        match Affinity::of(&declared) {
            Affinity::Integer => Storage::integer(64, false),
            // It keeps whole numbers.
            Affinity::Numeric if ["BOOLEAN", "BOOL"].contains(&declared.as_str()) => {
                Storage::integer(64, false)
            }
            Affinity::Text => Storage::Text(usize::MAX),
            _ => Storage::Other,
        }
    }

    /// Source: <https://www.sqlite.org/optoverview.html>, section 8.1.
    fn no_index(&self) -> (&'static str, &'static str) {
        ("+(", ")")
    }

    fn row_comparison(&self) -> bool {
        true
    }

    fn index_hint(&self, _: &Key) -> String {
        // The statistics that could mislead the planner here exist only after ANALYZE, and a
        // rowid cannot be named in a hint.
        String::new()
    }

    fn shown(&self, column: &Column) -> String {
        let name = self.quote(&column.name);
        format!("CASE typeof({name}) WHEN 'blob' THEN hex({name}) ELSE CAST({name} AS TEXT) END")
    }

    fn width(&self, column: &Column) -> String {
        format!("length(CAST({} AS BLOB))", self.quote(&column.name))
    }

    fn ago(&self, seconds: u64) -> String {
        format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-{seconds} seconds')")
    }

    /// A function of ours ([`super::checksum`]): SQLite has no digest.
    fn checksum(&self, columns: &[&Column]) -> String {
        let columns: Vec<_> = columns.iter().map(|column| self.quote(&column.name)).collect();
        format!("{}({})", super::checksum::NAME, columns.join(", "))
    }

    fn now(&self) -> &'static str {
        "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
    }

    fn tokens(&self) -> Tokens {
        Tokens::Sqlite
    }
}

/// A float as text that leads back to it: with the 15 digits of a decimal literal, or with as many
/// as it takes. SQLite rounds in both directions, so 17 digits are not always enough; NULL where 20
/// are not.
fn real_as_text(name: &str) -> String {
    let cases = [15, 17, 20].map(|digits| {
        let text = format!("printf('%!.{digits}g', {name})");
        format!("WHEN CAST({text} AS REAL) = {name} THEN {text}")
    });
    format!("CASE {} END", cases.join(" "))
}

/// What a column makes of the values that are put into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Affinity {
    /// Whole numbers, of texts too that look like one.
    Integer,
    /// Texts, of numbers too.
    Text,
    /// Nothing.
    Blob,
    /// Floats.
    Real,
    /// Numbers, of texts too that look like one; other texts stay texts.
    Numeric,
}

impl Affinity {
    /// That of a declared type: the first rule that matches.
    /// Source: <https://www.sqlite.org/datatype3.html>, section 3.1.
    pub(super) fn of(declared: &str) -> Self {
        let declared = declared.to_ascii_uppercase();
        let has = |parts: &[&str]| parts.iter().any(|part| declared.contains(part));
        if has(&["INT"]) {
            Self::Integer
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            Self::Text
        // In a STRICT table, ANY converts nothing; elsewhere it has the affinity NUMERIC. Where it
        // matters which, it is safe to assume that it converts nothing.
        } else if has(&["BLOB"]) || declared.is_empty() || declared == "ANY" {
            Self::Blob
        } else if has(&["REAL", "FLOA", "DOUB"]) {
            Self::Real
        } else {
            Self::Numeric
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::catalog::KeyKind;

    fn column(type_sql: &str) -> Column {
        Column {
            name: "c".into(),
            type_sql: type_sql.into(),
            nullable: true,
            generated: false,
            self_updating: false,
            key_kind: Ok(KeyKind::Text),
        }
    }

    /// For every pair of stored value and expression: after one UPDATE guarded by the condition,
    /// the stored value is what a plain UPDATE gives, and the condition is false.
    #[test]
    fn differs_is_true_exactly_where_an_update_changes_the_value() {
        let db = Connection::open_in_memory().unwrap();
        let values =
            ["NULL", "1", "1.0", "1.5", "'1'", "'01'", "'A'", "'a'", "''", "x'41'", "'a '"];
        for declared in ["INTEGER", "TEXT", "TEXT COLLATE NOCASE", "REAL", "NUMERIC", "BLOB", ""] {
            let type_sql = declared.split(' ').next().unwrap();
            for old in values {
                for new in values.iter().copied().chain(["c", "lower(c)", "o"]) {
                    let differs = SQLITE.differs(&column(type_sql), new);
                    db.execute_batch(&format!(
                        "DROP TABLE IF EXISTS t; CREATE TABLE t (c {declared}, p {declared}, o INTEGER);\
                         INSERT INTO t VALUES ({old}, {old}, 5);\
                         UPDATE t SET p = {};",
                        new.replace('c', "p").replace("lopwer", "lower")
                    ))
                    .unwrap();
                    let before: String = db
                        .query_row("SELECT typeof(c) || quote(c) FROM t", [], |row| row.get(0))
                        .unwrap();
                    let changed =
                        db.execute(&format!("UPDATE t SET c = {new} WHERE {differs}"), []).unwrap();
                    let (c, p): (String, String) = db
                        .query_row(
                            "SELECT typeof(c) || quote(c), typeof(p) || quote(p) FROM t",
                            [],
                            |row| Ok((row.get(0)?, row.get(1)?)),
                        )
                        .unwrap();
                    let case = format!("{declared}: {old} := {new}");
                    assert_eq!(c, p, "{case}");
                    assert_eq!(changed == 1, before != c, "{case}: counted");
                }
            }
        }
    }
}
