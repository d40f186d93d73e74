//! How SQL is spelt on PostgreSQL.

use crate::catalog::{Column, Key, KeyKind};
use crate::sql::Tokens;
use crate::target::{Bind, Dialect, LateKey, Statement, Storage};

/// PostgreSQL's spelling.
pub(super) struct PgDialect;

/// The identifier in quotes.
pub(super) fn quote(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// The text as a literal that means the same under either `standard_conforming_strings`.
pub(super) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

impl Dialect for PgDialect {
    /// A lock of a row would be written into the row. The table's own lock is what DDL and writers meet
    /// in, so that one alone; `ONLY`, because a write locks one partition and not all.
    fn lock_as_writer(&self, table: &str, _filter: &str, _binds: Vec<Bind>) -> Statement {
        Statement::plain(format!("LOCK TABLE ONLY {table} IN ROW EXCLUSIVE MODE"))
    }

    fn wait_no_longer(&self, wait: std::time::Duration) -> Vec<String> {
        vec![format!("SET lock_timeout = '{}ms'", wait.as_millis().max(1))]
    }

    fn quote(&self, identifier: &str) -> String {
        quote(identifier)
    }

    fn placeholder(&self, n: usize) -> String {
        format!("${n}")
    }

    fn key_as_text(&self, column: &Column) -> String {
        let name = quote(&column.name);
        if column.key_kind == Ok(KeyKind::Bytes) {
            format!("encode({name}, 'hex')")
        } else if is_moment(&column.type_sql) {
            // JSON writes dates and times by ISO 8601, and a cast by `DateStyle`.
            format!("to_json({name})#>>'{{}}'")
        } else {
            format!("{name}::text")
        }
    }

    fn key_from_text(&self, column: &Column, placeholder: &str) -> String {
        if column.key_kind == Ok(KeyKind::Bytes) {
            format!("decode({placeholder}, 'hex')")
        } else {
            format!("CAST({placeholder} AS {})", column.type_sql)
        }
    }

    fn as_text(&self, column: &Column) -> String {
        let name = quote(&column.name);
        if column.type_sql == "bytea" {
            format!("encode({name}, 'hex')")
        } else if is_moment(&column.type_sql) {
            format!("to_json({name})#>>'{{}}'")
        } else {
            format!("{name}::text")
        }
    }

    fn differs(&self, column: &Column, expression: &str) -> String {
        let cast = |to: &str| format!("({expression})::{to}");
        let name = quote(&column.name);
        let to = column.type_sql.as_str();
        match Family::of(to) {
            Family::Identity => format!("{name} IS DISTINCT FROM {}", cast(to)),
            // By bytes, whatever the column's collation calls equal.
            Family::Text => {
                format!("{name} COLLATE \"C\" IS DISTINCT FROM {} COLLATE \"C\"", cast(to))
            }
            // An explicit cast cuts what is too long, and an assignment refuses it, except that
            // both cut spaces at the end; `bpchar` has no length, and ignores those spaces.
            Family::Padded => {
                format!("{name} COLLATE \"C\" IS DISTINCT FROM {} COLLATE \"C\"", cast("bpchar"))
            }
            Family::Limited => format!(
                "({name} COLLATE \"C\" IS DISTINCT FROM {} COLLATE \"C\" \
                 OR {name}::bpchar COLLATE \"C\" IS DISTINCT FROM {} COLLATE \"C\")",
                cast(to),
                cast("bpchar")
            ),
            Family::LimitedArray => format!(
                "(ROW({name}::{to})::record *<> ROW({}) OR {name}::bpchar[] COLLATE \"C\" \
                 IS DISTINCT FROM {} COLLATE \"C\")",
                cast(to),
                cast("bpchar[]")
            ),
            Family::Bits(without_length) => {
                format!("{name}::{without_length} IS DISTINCT FROM {}", cast(without_length))
            }
            // `1.0 = 1.00`, `'A' = 'a'` for citext, `-0 = 0`; `json` has no equality at all. The
            // stored images tell them apart. They compare only between equal types, hence the cast
            // of a column that may be of a domain; and the cast of the row keeps it from being
            // compared column by column, for which the operator does not exist.
            Family::Image => format!("ROW({name}::{to})::record *<> ROW({})", cast(to)),
        }
    }

    fn storage(&self, column: &Column) -> Storage {
        match column.type_sql.split('(').next().unwrap_or_default() {
            "smallint" => Storage::integer(16, false),
            "integer" => Storage::integer(32, false),
            "bigint" => Storage::integer(64, false),
            "boolean" => Storage::Boolean,
            // What is too long for `character varying(n)` is an error, and not cut.
            "text" | "character varying" | "citext" => Storage::Text(usize::MAX),
            // `name` is cut, and `character` is padded; of the others equal values have several texts.
            "name" | "character" | "bpchar" | "uuid" | "date" | "inet" | "cidr" | "macaddr"
            | "macaddr8" => Storage::Other,
            base if base.starts_with("time") => Storage::Other,
            // What is left of the types that are keys as text are enums, to which any other text
            // than a member's is an error, and `citext` in a schema.
            _ if column.key_kind == Ok(KeyKind::Text) => Storage::Text(usize::MAX),
            _ => Storage::Other,
        }
    }

    /// Only a bare operator is matched with an index. Else PostgreSQL 18 preferred `(a, b, c) >
    /// (…)` to the five ranges of a window, and read 941 pages instead of 34 (200,000 rows, of which
    /// the window held 1,000).
    fn no_index(&self) -> (&'static str, &'static str) {
        ("(", ") IS TRUE")
    }

    fn row_comparison(&self) -> bool {
        true
    }

    fn index_hint(&self, _key: &Key) -> String {
        String::new()
    }

    /// An UPDATE takes the stronger lock where a foreign key could refer to a column that it
    /// assigns. Source: <https://www.postgresql.org/docs/current/explicit-locking.html>, row-level
    /// locks.
    fn lock_clause(&self, assigns_unique: bool) -> Option<&'static str> {
        Some(if assigns_unique { "FOR UPDATE NOWAIT" } else { "FOR NO KEY UPDATE NOWAIT" })
    }

    fn keep_clause(&self, assigns_unique: bool) -> &'static str {
        if assigns_unique { " FOR UPDATE" } else { " FOR NO KEY UPDATE" }
    }

    /// An entry in the index takes a tenth of what a batch with its old values takes: an UPDATE of one
    /// column of 500,000 rows and the images of it 3.0 s of processor time without and 3.4 s with it on
    /// 15, and 3.3 s and 3.9 s on 18.
    fn late_key(
        &self,
        table: &str,
        key: &[String],
        time: &str,
        newest: &[String],
    ) -> Option<LateKey> {
        Some(super::late_key::late_key(table, key, time, newest))
    }

    fn shown(&self, column: &Column) -> String {
        format!("{}::text", quote(&column.name))
    }

    fn width(&self, column: &Column) -> String {
        format!("pg_column_size({})", quote(&column.name))
    }

    fn ago(&self, seconds: u64) -> String {
        format!("clock_timestamp() - interval '{seconds} seconds'")
    }

    /// 60 bits of each row's MD5, which a `bigint` holds; their sum is `numeric` and has no limit.
    fn checksum(&self, columns: &[&Column]) -> String {
        let value = |column: &&Column| {
            // Of equal keys, whatever the session shows dates as.
            let text = match column.key_kind {
                Ok(_) => self.key_as_text(column),
                Err(_) => format!("{}::text", quote(&column.name)),
            };
            format!("coalesce(length({text}) || ':' || ({text}), '-')")
        };
        let row: Vec<_> = columns.iter().map(value).collect();
        format!(
            "coalesce(sum(('x' || substr(md5({}), 1, 15))::bit(60)::bigint), 0)::text",
            row.join(" || ")
        )
    }

    fn now(&self) -> &'static str {
        "clock_timestamp()"
    }

    fn tokens(&self) -> Tokens {
        Tokens::Postgres
    }
}

/// Whether the type is a date or a time, whose text depends on the session.
fn is_moment(type_sql: &str) -> bool {
    // `time(3) without time zone` has its precision in the middle.
    let (base, zone) = type_sql.split_once([' ', '(']).unwrap_or((type_sql, ""));
    match base {
        "date" => zone.is_empty(),
        "time" | "timestamp" => {
            zone.ends_with("without time zone") || zone.ends_with("with time zone")
        }
        _ => false,
    }
}

/// The types, by what it takes to tell whether an assignment changes what is stored.
#[derive(Debug, PartialEq, Eq)]
enum Family {
    /// Equal values have one stored form.
    Identity,
    /// Text without a length.
    Text,
    /// `character(n)`.
    Padded,
    /// `character varying(n)`.
    Limited,
    /// Arrays of `character(n)` and `character varying(n)`.
    LimitedArray,
    /// Bit strings, or arrays of them, with the type to compare them as: an explicit cast to one
    /// with a length cuts or pads, and an assignment refuses.
    Bits(&'static str),
    /// Everything else.
    Image,
}

impl Family {
    /// The family of a type in the words of `format_type`, which never name a domain here.
    fn of(type_sql: &str) -> Self {
        let array = type_sql.ends_with("[]");
        let (base, limited) = match type_sql.split_once('(') {
            Some((base, _)) => (base, true),
            None => (type_sql.trim_end_matches("[]"), false),
        };
        match (base, limited, array) {
            ("bit" | "\"bit\"" | "bit varying", _, true) => Self::Bits("bit varying[]"),
            ("bit" | "\"bit\"" | "bit varying", _, false) => Self::Bits("bit varying"),
            ("character" | "character varying", true, true) => Self::LimitedArray,
            (_, _, true) => Self::Image,
            ("character", true, _) => Self::Padded,
            ("character varying", true, _) => Self::Limited,
            ("text" | "character varying", false, _) => Self::Text,
            (
                "smallint" | "integer" | "bigint" | "oid" | "boolean" | "uuid" | "bytea" | "name",
                ..,
            ) => Self::Identity,
            // Equality of `time with time zone` is identity as well: it compares the zones, too.
            _ if is_moment(type_sql) => Self::Identity,
            _ => Self::Image,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(type_sql: &str, key_kind: KeyKind) -> Column {
        Column {
            name: "a\"b".into(),
            type_sql: type_sql.into(),
            nullable: true,
            generated: false,
            self_updating: false,
            key_kind: Ok(key_kind),
        }
    }

    #[test]
    fn types_have_their_families() {
        let cases = [
            ("integer", Family::Identity),
            ("date", Family::Identity),
            ("timestamp(3) without time zone", Family::Identity),
            ("time with time zone", Family::Identity),
            ("bytea", Family::Identity),
            ("text", Family::Text),
            ("character varying", Family::Text),
            ("character varying(5)", Family::Limited),
            ("character(10)", Family::Padded),
            ("bpchar", Family::Image),
            ("character varying(5)[]", Family::LimitedArray),
            ("character varying[]", Family::Image),
            ("bit(4)", Family::Bits("bit varying")),
            ("\"bit\"", Family::Bits("bit varying")),
            ("bit(4)[]", Family::Bits("bit varying[]")),
            ("integer[]", Family::Image),
            ("timestamp(3) with time zone[]", Family::Image),
            ("numeric(10,2)", Family::Image),
            ("double precision", Family::Image),
            ("citext", Family::Image),
            ("jsonb", Family::Image),
            ("\"char\"", Family::Image),
            ("time_of_day", Family::Image),
            ("interval day to second(3)", Family::Image),
            ("shop.\"text\"", Family::Image),
        ];
        for (type_sql, family) in cases {
            assert_eq!(Family::of(type_sql), family, "{type_sql}");
        }
    }

    #[test]
    fn keys_travel_as_text_of_their_own_type() {
        let cases = [
            (column("bigint", KeyKind::Integer), "\"a\"\"b\"::text", "CAST($1 AS bigint)"),
            (column("bytea", KeyKind::Bytes), "encode(\"a\"\"b\", 'hex')", "decode($1, 'hex')"),
            (column("date", KeyKind::Text), "to_json(\"a\"\"b\")#>>'{}'", "CAST($1 AS date)"),
        ];
        for (column, as_text, from_text) in cases {
            assert_eq!(PgDialect.key_as_text(&column), as_text);
            assert_eq!(PgDialect.key_from_text(&column, "$1"), from_text);
        }
    }

    #[test]
    fn literals_survive_quotes_and_backslashes() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'b"), "E'a\\\\''b'");
    }
}
