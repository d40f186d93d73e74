//! How SQL is spelt on SQLite.

use crate::catalog::{Column, Key, KeyKind};
use crate::sql::Tokens;
use crate::target::Dialect;

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
        match column.key_kind {
            Ok(KeyKind::Integer) => {
                format!("CASE typeof({name}) WHEN 'integer' THEN CAST({name} AS TEXT) END")
            }
            Ok(KeyKind::Bytes) => format!("CASE typeof({name}) WHEN 'blob' THEN hex({name}) END"),
            _ => format!("CASE typeof({name}) WHEN 'text' THEN {name} END"),
        }
    }

    fn key_from_text(&self, column: &Column, placeholder: &str) -> String {
        match column.key_kind {
            Ok(KeyKind::Integer) => format!("CAST({placeholder} AS INTEGER)"),
            Ok(KeyKind::Bytes) => format!("unhex({placeholder})"),
            // A text bind has the column's collation and affinity in a comparison with it.
            _ => placeholder.to_owned(),
        }
    }

    /// The unary plus takes the affinity off the expression, so that the column's own applies, as
    /// it does in an assignment; `COLLATE BINARY` makes `'A'` and `'a'` differ on a `NOCASE` column.
    /// A column without affinity keeps the type of what is assigned, so there the type counts too.
    /// Source: <https://www.sqlite.org/datatype3.html>, sections 3 and 4.2.
    fn differs(&self, column: &Column, expression: &str) -> String {
        let name = self.quote(&column.name);
        let value = format!("({expression})");
        let differs = format!("{name} IS NOT +{value} COLLATE BINARY");
        if has_no_affinity(&column.type_sql) {
            format!("({differs} OR typeof({name}) IS NOT typeof({value}))")
        } else {
            format!("({differs})")
        }
    }

    fn row_comparison(&self) -> bool {
        true
    }

    fn index_hint(&self, _: &Key) -> String {
        // The statistics that could mislead the planner here exist only after ANALYZE, and a
        // rowid cannot be named in a hint.
        String::new()
    }

    fn now(&self) -> &'static str {
        "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
    }

    fn tokens(&self) -> Tokens {
        Tokens::Sqlite
    }
}

/// Whether a declared type gives a column the affinity BLOB, which converts nothing.
/// Source: <https://www.sqlite.org/datatype3.html>, section 3.1.
pub(super) fn has_no_affinity(declared: &str) -> bool {
    let declared = declared.to_ascii_uppercase();
    declared.is_empty()
        || declared == "ANY"
        || (declared.contains("BLOB")
            && !["INT", "CHAR", "CLOB", "TEXT"].iter().any(|part| declared.contains(part)))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn column(type_sql: &str) -> Column {
        Column {
            name: "c".into(),
            type_sql: type_sql.into(),
            nullable: true,
            generated: false,
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
