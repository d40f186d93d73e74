//! Tables with a key that chance makes.

use crate::database::Engine;
use crate::endurance::Dice;

use super::insert;
use super::types::KeyType;

/// A table with a key.
pub struct Schema {
    engine: Engine,
    /// The table's name.
    pub table: String,
    /// The statements that make it, without rows.
    pub ddl: Vec<String>,
    /// The key's columns.
    pub key: Vec<String>,
    /// The values that each column's rows are drawn from.
    pools: Vec<Vec<String>>,
}

/// The direction of each column of an index.
fn directions(engine: Engine, dice: &mut Dice, columns: usize) -> Vec<&'static str> {
    match (dice.below(4), engine.family) {
        (0, _) => vec![" DESC"; columns],
        (1, _) => (0..columns).map(|_| *dice.pick(&["", " DESC"])).collect(),
        _ => vec![""; columns],
    }
}

/// What may follow a column's name in an index of SQLite.
const COLLATIONS: &[&str] = &["", "", " COLLATE BINARY", " COLLATE NOCASE"];

/// The collation of an index's column, where it may be another than the table's.
fn collation(engine: Engine, dice: &mut Dice) -> &'static str {
    let any: &&str = dice.pick(COLLATIONS);
    if engine.family == "sqlite" { any } else { "" }
}

impl Schema {
    /// One of up to five columns.
    pub fn any(engine: Engine, types: &[KeyType], dice: &mut Dice, table: String) -> Self {
        let count = usize::try_from(1 + dice.below(5)).unwrap();
        let kinds: Vec<&KeyType> = (0..count).map(|_| dice.pick(types)).collect();
        let key: Vec<String> = (0..count).map(|at| format!("k{at}")).collect();
        let mut columns: Vec<_> = key
            .iter()
            .zip(&kinds)
            .map(|(name, kind)| format!("{name} {} NOT NULL", kind.ddl))
            .collect();
        // The order in the table is another than in the key.
        columns.reverse();
        columns.push("row_id int NOT NULL, n int NOT NULL DEFAULT 0".to_owned());

        let ordered: Vec<_> = key
            .iter()
            .zip(directions(engine, dice, count))
            .map(|(name, direction)| format!("{name}{}{direction}", collation(engine, dice)))
            .collect();
        let ordered = ordered.join(", ");
        // PostgreSQL's primary keys have no directions.
        let primary = if engine.family == "postgres" { key.join(", ") } else { ordered.clone() };
        let is_primary = dice.below(2) == 0;
        if is_primary {
            columns.push(format!("PRIMARY KEY ({primary})"));
        }
        let (option, parts) = storage(engine, dice, &table, kinds[0], is_primary);
        let mut ddl = vec![format!("CREATE TABLE {table} ({}){option}", columns.join(", "))];
        ddl.extend(parts);
        if !is_primary {
            ddl.push(format!("CREATE UNIQUE INDEX {table}_key ON {table} ({ordered})"));
        }
        ddl.push(format!("CREATE INDEX {table}_row_id ON {table} (row_id)"));

        let pools = kinds.iter().map(|kind| pool(kind, dice)).collect();
        Self { engine, table, ddl, key, pools }
    }

    /// An INSERT of rows that chance makes, with these numbers.
    pub fn insert(&self, dice: &mut Dice, row_ids: std::ops::Range<u64>) -> String {
        let columns = format!("row_id, {}", self.key.join(", "));
        let rows: Vec<_> = row_ids
            .map(|row_id| {
                let values: Vec<_> =
                    self.pools.iter().map(|pool| dice.pick(pool).as_str()).collect();
                format!("({row_id}, {})", values.join(", "))
            })
            .collect();
        insert(self.engine, &self.table, &columns, &rows)
    }
}

/// Few values give long runs of equal prefixes, many give gaps.
fn pool(kind: &KeyType, dice: &mut Dice) -> Vec<String> {
    let size = *dice.pick(&[1, 3, 20, 400]);
    let mut pool: Vec<String> = (0..size).map(|_| (kind.any)(dice)).collect();
    if size != 1 {
        pool.extend(kind.odd.iter().cloned());
    }
    pool
}

/// Table options, and the statements that make the partitions.
fn storage(
    engine: Engine,
    dice: &mut Dice,
    table: &str,
    first: &KeyType,
    is_primary: bool,
) -> (String, Vec<String>) {
    let chance = dice.below(5);
    let nothing = (String::new(), Vec::new());
    match (engine.family, chance, first.cut) {
        ("sqlite", 0..=2, _) if is_primary => (" WITHOUT ROWID".to_owned(), Vec::new()),
        ("postgres", 0, Some(at)) => (
            " PARTITION BY RANGE (k0)".to_owned(),
            vec![
                format!(
                    "CREATE TABLE {table}_low PARTITION OF {table} FOR VALUES FROM (MINVALUE) TO ({at})"
                ),
                format!(
                    "CREATE TABLE {table}_high PARTITION OF {table} FOR VALUES FROM ({at}) TO (MAXVALUE)"
                ),
            ],
        ),
        ("postgres", 1, _) if first.hashed => (
            " PARTITION BY HASH (k0)".to_owned(),
            (0..3)
                .map(|rest| {
                    format!(
                        "CREATE TABLE {table}_{rest} PARTITION OF {table} \
                         FOR VALUES WITH (MODULUS 3, REMAINDER {rest})"
                    )
                })
                .collect(),
        ),
        ("mysql", 0, Some(at)) => (
            format!(
                " PARTITION BY RANGE COLUMNS (k0) (PARTITION low VALUES LESS THAN ({at}), \
                 PARTITION high VALUES LESS THAN (MAXVALUE))"
            ),
            Vec::new(),
        ),
        ("mysql", 1, _) if first.hashed => {
            (" PARTITION BY KEY (k0) PARTITIONS 3".to_owned(), Vec::new())
        }
        _ => nothing,
    }
}
