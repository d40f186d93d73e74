//! What of a table decides how it can be changed.

use super::version::Flavor;
use crate::gate::Schema;
use crate::sql::schema::Table;
use crate::sql::statement::{Column, ConstraintKind, CreateIndex, IndexKind, IndexPart, Name};

/// An index of a table, also one that the server made by itself.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// Its name; `PRIMARY` for the primary key.
    pub name: String,
    /// Its columns, in order; an expression is empty.
    pub columns: Vec<String>,
    /// No two rows are the same in it.
    pub unique: bool,
    /// Some columns stand in it with their first characters only.
    pub prefix: bool,
    /// What kind.
    pub kind: IndexKind,
}

/// A table, as far as it decides how it is changed.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question that the matrix asks")]
pub(super) struct Shape<'a> {
    /// The table.
    pub table: &'a Table,
    /// Its name.
    pub name: Name,
    /// All its indexes.
    pub keys: Vec<Key>,
    /// Whether InnoDB keeps it.
    pub innodb: bool,
    /// `ROW_FORMAT=COMPRESSED`.
    pub compressed: bool,
    /// `ROW_FORMAT=REDUNDANT`.
    pub redundant: bool,
    /// How many full-text indexes it has.
    pub fulltext: usize,
    /// Whether it keeps the hidden column of full-text indexes.
    pub hidden_key: bool,
    /// How many spatial indexes it has.
    pub spatial: usize,
    /// Whether an index is over a column that is computed when read.
    pub virtual_index: bool,
    /// Whether a generated column keeps its values.
    pub stored: bool,
    /// Whether it has partitions.
    pub partitioned: bool,
}

impl<'a> Shape<'a> {
    /// That of a table.
    pub(super) fn of(name: &Name, table: &'a Table, schema: &Schema) -> Self {
        let keys = keys(name, table, schema);
        let option = |name: &str| table.options.get(name).map(|value| value.to_lowercase());
        let format = option("row_format").unwrap_or_default();
        let count = |kind| keys.iter().filter(|key| key.kind == kind).count();
        let is_virtual = |column: &str| {
            let generated = table.column(column).and_then(|column| column.generated.as_ref());
            generated.is_some_and(|generated| !generated.stored)
        };
        Self {
            table,
            name: name.clone(),
            innodb: option("engine").is_none_or(|engine| engine == "innodb"),
            compressed: format == "compressed" || option("key_block_size").is_some(),
            redundant: format == "redundant",
            fulltext: count(IndexKind::FullText),
            hidden_key: table.options.contains_key("fts_doc_id"),
            spatial: count(IndexKind::Spatial),
            virtual_index: keys.iter().any(|key| key.columns.iter().any(|of| is_virtual(of))),
            stored: table.columns.iter().any(keeps),
            partitioned: table.partition_by.is_some(),
            keys,
        }
    }

    /// The index of that name.
    pub(super) fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name.eq_ignore_ascii_case(name))
    }

    /// Whether a column is in an index.
    pub(super) fn is_indexed(&self, column: &str) -> bool {
        self.keys.iter().any(|key| key.covers(column))
    }

    /// Whether a column is in the primary key.
    pub(super) fn is_primary(&self, column: &str) -> bool {
        self.key("PRIMARY").is_some_and(|key| key.covers(column))
    }

    /// Whether a column forbids `NULL`.
    pub(super) fn is_not_null(&self, column: &Column, flavor: Flavor) -> bool {
        let implied = !column.null
            && column.generated.is_none()
            && column.ty.name == "timestamp"
            && flavor.timestamps_are_not_null();
        column.not_null || column.primary_key || implied || self.is_primary(&column.name)
    }

    /// The key in whose order the rows are: the primary key, or the first unique one without
    /// `NULL`.
    pub(super) fn clustered(&self, flavor: Flavor) -> Option<&Key> {
        self.key("PRIMARY").or_else(|| {
            self.keys.iter().find(|key| {
                let forbids = |column: &String| {
                    let column = self.table.column(column);
                    column.is_some_and(|column| self.is_not_null(column, flavor))
                };
                key.unique && !key.prefix && key.columns.iter().all(forbids)
            })
        })
    }

    /// The character set of a column of this table, if it is known.
    pub(super) fn charset(&self, column: &Column) -> Option<String> {
        let of = |collation: &String| collation.split('_').next().map(str::to_lowercase);
        let own = column.ty.charset.clone().or_else(|| column.collation.as_ref().and_then(of));
        let table = || {
            let option = |name: &str| self.table.options.get(name);
            option("charset").cloned().or_else(|| option("collate").and_then(of))
        };
        let name = own.or_else(table)?.to_lowercase();
        Some(if name == "utf8" { "utf8mb3".to_owned() } else { name })
    }

    /// The collation of a column of this table, if it is known.
    pub(super) fn collation(&self, column: &Column, flavor: Flavor) -> Option<String> {
        if let Some(collation) = &column.collation {
            return Some(collation.to_lowercase());
        }
        let charset = self.charset(column)?;
        let table = self.table.options.get("collate").map(|collation| collation.to_lowercase());
        let fits = |collation: &String| {
            column.ty.charset.is_none() && collation.split('_').next() == Some(&charset)
        };
        Some(table.filter(fits).unwrap_or_else(|| flavor.collation_of(&charset)))
    }
}

impl Key {
    /// Whether it is made of this column, among others.
    pub(super) fn covers(&self, column: &str) -> bool {
        self.columns.iter().any(|have| have.eq_ignore_ascii_case(column))
    }

    /// Whether it begins with these columns, in any order.
    pub(super) fn begins_with(&self, columns: &[String]) -> bool {
        columns.len() <= self.columns.len()
            && self.kind == IndexKind::Ordinary
            && self.columns[..columns.len()]
                .iter()
                .all(|have| columns.iter().any(|column| column.eq_ignore_ascii_case(have)))
    }

    fn of(name: String, index: &CreateIndex) -> Self {
        let mut key = Self {
            name,
            columns: Vec::new(),
            unique: index.unique,
            prefix: false,
            kind: index.kind,
        };
        for part in &index.parts {
            match part {
                IndexPart::Column(column, length) => {
                    key.columns.push(column.clone());
                    key.prefix |= length.is_some();
                }
                IndexPart::Expression(_) => {
                    key.columns.push(String::new());
                    key.prefix = true;
                }
            }
        }
        key
    }
}

/// Whether it is generated and keeps its values.
pub(super) fn keeps(column: &Column) -> bool {
    column.generated.as_ref().is_some_and(|generated| generated.stored)
}

/// The indexes of a table, the primary key first and unique ones before the others, as the server
/// keeps them.
fn keys(name: &Name, table: &Table, schema: &Schema) -> Vec<Key> {
    let mut keys = Vec::new();
    for (have, index) in schema.indexes_of(name) {
        let first = index.definition.parts.iter().find_map(|part| match part {
            IndexPart::Column(column, _) => Some(column.clone()),
            IndexPart::Expression(_) => None,
        });
        // The schema makes up names as PostgreSQL does; here an index without a name has that of
        // its first column.
        let made_up = |suffix: &str| {
            have.name.starts_with(&format!("{}_", name.name)) && have.name.ends_with(suffix)
        };
        let called = if index.of_constraint && made_up("_pkey") {
            "PRIMARY".to_owned()
        } else if (index.of_constraint && made_up("_key")) || index.definition.name.is_none() {
            first.unwrap_or_else(|| "functional_index".to_owned())
        } else {
            have.name.clone()
        };
        keys.push(Key::of(called, &index.definition));
    }
    for constraint in &table.constraints {
        let (columns, called) = match &constraint.kind {
            ConstraintKind::PrimaryKey { columns, .. } => (columns, "PRIMARY".to_owned()),
            ConstraintKind::Unique { columns, .. } => {
                (columns, constraint.name.clone().unwrap_or_default())
            }
            _ => continue,
        };
        if !keys.iter().any(|key| key.unique && key.columns == *columns) {
            let prefix = false;
            let kind = IndexKind::Ordinary;
            keys.push(Key { name: called, columns: columns.clone(), unique: true, prefix, kind });
        }
    }
    // A foreign key makes an index where there is none, and loses it to the next one that will do.
    for (constraint, key) in table.foreign_keys() {
        if !keys.iter().any(|have| have.begins_with(&key.columns)) {
            let made_up = format!("{}_{}_fkey", name.name, key.columns.join("_"));
            let named = constraint.name.clone().filter(|name| *name != made_up);
            let called = named.or_else(|| key.columns.first().cloned()).unwrap_or_default();
            keys.push(Key {
                name: called,
                columns: key.columns.clone(),
                unique: false,
                prefix: false,
                kind: IndexKind::Ordinary,
            });
        }
    }
    keys.sort_by_key(|key| (key.name != "PRIMARY", !key.unique));
    keys
}
