//! What the team decided: thresholds, severities, sizes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::runner::{PSQL, Runner};
use super::{Server, Severity};
use crate::sql::schema::plain;
use crate::sql::statement::Name;

/// The decisions under which a migration is judged.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The server that it is for.
    pub server: Server,
    /// Who runs it.
    pub runner: &'static Runner,
    /// A table of more rows is production-sized.
    pub large_rows: u64,
    /// A table of more bytes is production-sized, however few its rows.
    pub large_bytes: u64,
    /// The longest that a migration may wait for a lock, and the application behind it.
    pub longest_lock_wait: Duration,
    /// Folders all of whose migrations are forward-only by decision; `.` is every one.
    pub forward_only: Vec<String>,
    /// Whether a change that takes something away must be a contract with its expand.
    pub demand_phases: bool,
    /// What a rule weighs here; `None` for one that is off.
    pub severities: BTreeMap<String, Option<Severity>>,
    /// Thresholds of single tables, in rows.
    pub large_rows_of: BTreeMap<Name, u64>,
    /// What is known of the tables' sizes.
    pub sizes: Sizes,
    /// PostgreSQL: whether the session's zone is UTC.
    pub utc: Option<bool>,
    /// The day of the check, `2026-11-27`: an allowance may have ended.
    pub today: String,
}

impl Policy {
    /// The decisions of a team that made none.
    #[must_use]
    pub fn new(server: Server, today: impl Into<String>) -> Self {
        Self {
            server,
            runner: &PSQL,
            large_rows: 100_000,
            large_bytes: 256 * 1024 * 1024,
            longest_lock_wait: Duration::from_secs(5),
            forward_only: Vec::new(),
            demand_phases: false,
            severities: BTreeMap::new(),
            large_rows_of: BTreeMap::new(),
            sizes: Sizes::default(),
            utc: None,
            today: today.into(),
        }
    }

    /// Whether a migration is forward-only by the folder that it stands in.
    #[must_use]
    pub fn is_forward_only(&self, path: &str) -> bool {
        let inside = |folder: &String| {
            let folder = folder.trim_start_matches("./").trim_end_matches('/');
            let path = path.trim_start_matches("./");
            folder == "." || folder.is_empty() || path.starts_with(&format!("{folder}/"))
        };
        self.forward_only.iter().any(inside)
    }

    /// How large a table is in the eyes of the team.
    #[must_use]
    pub fn class(&self, table: &Name) -> Class {
        let table = plain(table);
        let Some(size) = self.sizes.tables.get(&table) else { return Class::Unknown };
        let rows = self.large_rows_of.get(&table).copied().unwrap_or(self.large_rows);
        if rows <= size.rows || self.large_bytes <= size.bytes.unwrap_or(0) {
            Class::Large(size.rows)
        } else {
            Class::Small(size.rows)
        }
    }
}

/// The sizes of tables, as a statistics file tells them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sizes {
    /// By name, without the schema that is searched first.
    pub tables: BTreeMap<Name, Size>,
}

/// The size of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Rows, estimated.
    pub rows: u64,
    /// Bytes with its indexes.
    pub bytes: Option<u64>,
    /// Reads and writes a second, or any count that says which table is busy.
    pub activity: Option<u64>,
}

/// How large a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Below the threshold, with its rows.
    Small(u64),
    /// Production-sized, with its rows.
    Large(u64),
    /// Nobody said. Never small.
    Unknown,
}

impl Class {
    /// Whether the time that work on it takes matters.
    #[must_use]
    pub fn matters(self) -> bool {
        !matches!(self, Self::Small(_))
    }

    /// In words: "of 2,000,000 rows", "of unknown size".
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Small(rows) | Self::Large(rows) => format!("of {} rows", grouped(rows)),
            Self::Unknown => "of unknown size, so taken for large".to_owned(),
        }
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at != 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Sizes {
    /// Reads a statistics file: a line a table, `name,rows[,bytes[,activity]]`, as CSV or with tabs.
    /// A first line of headings is left out.
    ///
    /// # Errors
    ///
    /// The line that cannot be read, and what it should look like.
    pub fn parse(file: &str, text: &str) -> Result<Self, String> {
        let mut sizes = Self::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let separator = if line.contains('\t') { '\t' } else { ',' };
            let fields: Vec<&str> =
                line.split(separator).map(|field| field.trim().trim_matches('"')).collect();
            let number = |at: usize| -> Option<Result<u64, ()>> {
                let field = fields.get(at).filter(|field| !field.is_empty())?;
                // -1 is what PostgreSQL says of a table that was never analyzed.
                let whole = field.split('.').next().unwrap_or_default();
                Some(
                    whole.parse::<i64>().map_err(|_| ()).map(|number| number.max(0).unsigned_abs()),
                )
            };
            let rows = match number(1) {
                Some(Ok(rows)) => rows,
                Some(Err(())) if at == 0 => continue,
                _ => {
                    return Err(format!(
                        "{file}:{}: `{line}` is no line of statistics; write \
                         `table,rows,bytes,activity`, the last two may be left out",
                        at + 1
                    ));
                }
            };
            // Never analyzed is not empty.
            if fields.get(1).is_some_and(|field| field.starts_with('-')) {
                continue;
            }
            let name = match fields[0].split_once('.') {
                Some((schema, name)) => {
                    Name { schema: Some(schema.to_owned()), name: name.to_owned() }
                }
                None => Name::plain(fields[0]),
            };
            let optional = |at: usize| number(at).and_then(Result::ok);
            let size = Size { rows, bytes: optional(2), activity: optional(3) };
            sizes.tables.insert(plain(&name), size);
        }
        Ok(sizes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_read_as_the_databases_write_them() {
        let text = "table,rows,bytes\npublic.orders,2000000,1073741824\n\"shop.items\",10\n\n";
        let sizes = Sizes::parse("stats.csv", text).unwrap();
        assert_eq!(sizes.tables[&Name::plain("orders")].rows, 2_000_000);
        let items = Name { schema: Some("shop".to_owned()), name: "items".to_owned() };
        assert_eq!(sizes.tables[&items], Size { rows: 10, bytes: None, activity: None });
        let never = Sizes::parse("stats.csv", "orders\t-1\t0").unwrap();
        assert!(never.tables.is_empty(), "a table that was never analyzed is not empty");
        let error = Sizes::parse("stats.csv", "a,1\nb,many").unwrap_err();
        assert!(error.starts_with("stats.csv:2: "), "{error}");
    }

    #[test]
    fn an_unknown_size_is_never_small() {
        let server = Server::parse("postgres").unwrap();
        let mut policy = Policy::new(server, "2026-11-27");
        let table = Name::plain("t");
        assert!(policy.class(&table).matters());
        let mut size = |rows, bytes| {
            policy.sizes.tables.insert(table.clone(), Size { rows, bytes, activity: None });
            policy.class(&table).matters()
        };
        assert!(!size(99_999, None));
        assert!(size(100_000, None));
        assert!(size(1, Some(256 * 1024 * 1024)));
        assert_eq!(Class::Large(1_234_567).words(), "of 1,234,567 rows");
    }
}
