//! Who belongs to whom.

use std::collections::{BTreeMap, BTreeSet};

use super::{Index, Schema, plain};
use crate::sql::statement::Name;

/// What the maps above say, by the table that is asked about. A schema has thousands of tables, and
/// every statement asks.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    /// The indexes of a table.
    pub(super) indexes: BTreeMap<Name, BTreeSet<Name>>,
    /// The partitions of a table, and those that inherit from it.
    pub(super) children: BTreeMap<Name, BTreeSet<Name>>,
    /// The tables with a foreign key to a table.
    pub(super) referrers: BTreeMap<Name, BTreeSet<Name>>,
    /// The sequences that belonged to a column of a table at some time. Whether one still does is
    /// said by the sequence itself, which may have gone or belong to another since.
    pub(super) sequences: BTreeMap<Name, BTreeSet<Name>>,
}

impl Schema {
    /// Finds anew who belongs to whom.
    pub(super) fn relink(&mut self) {
        self.links.children.clear();
        self.links.referrers.clear();
        let names: Vec<Name> = self.tables.keys().cloned().collect();
        for name in names {
            self.link(&name);
        }
    }

    /// Notes to whom a table belongs, and to whom it refers.
    pub(super) fn link(&mut self, name: &Name) {
        let Some(table) = self.tables.get(name) else { return };
        let parents = table.partition_of.iter().map(|(parent, _)| parent).chain(&table.inherits);
        for parent in parents {
            self.links.children.entry(plain(parent)).or_default().insert(name.clone());
        }
        for (_, key) in table.foreign_keys() {
            self.links.referrers.entry(plain(&key.table)).or_default().insert(name.clone());
        }
    }

    /// Takes back what [`Self::link`] noted.
    pub(super) fn unlink(&mut self, name: &Name) {
        let Some(table) = self.tables.get(name) else { return };
        let parents = table.partition_of.iter().map(|(parent, _)| parent).chain(&table.inherits);
        for parent in parents {
            if let Some(children) = self.links.children.get_mut(&plain(parent)) {
                children.remove(name);
            }
        }
        for (_, key) in table.foreign_keys() {
            if let Some(referrers) = self.links.referrers.get_mut(&plain(&key.table)) {
                referrers.remove(name);
            }
        }
    }

    pub(super) fn insert_index(&mut self, name: Name, index: Index) {
        self.links.indexes.entry(index.table.clone()).or_default().insert(name.clone());
        self.indexes.insert(name, index);
    }

    /// Keeps a sequence with the table and column that it belongs to.
    pub(super) fn insert_sequence(&mut self, name: Name, owner: Option<(Name, String)>) {
        let owner = owner.map(|(table, column)| (plain(&table), column));
        if let Some((table, _)) = &owner {
            self.links.sequences.entry(table.clone()).or_default().insert(name.clone());
        }
        self.sequences.insert(name, owner);
    }

    pub(super) fn remove_index(&mut self, name: &Name) -> Option<Index> {
        let index = self.indexes.remove(name)?;
        if let Some(names) = self.links.indexes.get_mut(&index.table) {
            names.remove(name);
        }
        Some(index)
    }

    /// Removes those of a table's indexes that are meant.
    pub(super) fn remove_indexes(&mut self, table: &Name, meant: impl Fn(&Name, &Index) -> bool) {
        let names: Vec<Name> = self
            .indexes_of(table)
            .filter(|(name, index)| meant(name, index))
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            self.remove_index(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Release;
    use crate::sql::{Source, parse};

    fn after(text: &str) -> Schema {
        let source = Source::of(Release::parse("postgres").unwrap());
        let mut schema = Schema::default();
        parse(source, text).statements.iter().for_each(|one| schema.apply(one));
        schema
    }

    fn sequences(schema: &Schema, table: &str) -> Vec<String> {
        schema.sequences_of(&Name::plain(table), None).map(|name| name.name.clone()).collect()
    }

    #[test]
    fn a_sequence_belongs_to_its_table_however_that_is_named() {
        let made = "CREATE TABLE t (id int, b int); CREATE TABLE u (id int);\n\
                    CREATE SEQUENCE public.s OWNED BY public.t.id; CREATE SEQUENCE r OWNED BY t.b;\n";
        let of = |more: &str| {
            let schema = after(&format!("{made}{more}"));
            (sequences(&schema, "t"), sequences(&schema, "u"), schema.sequences.len())
        };
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(of(""), (names(&["r", "s"]), names(&[]), 2));
        assert_eq!(of("ALTER SEQUENCE s OWNED BY u.id"), (names(&["r"]), names(&["s"]), 2));
        assert_eq!(of("ALTER SEQUENCE s OWNED BY NONE"), (names(&["r"]), names(&[]), 2));
        assert_eq!(of("ALTER SEQUENCE s RENAME TO q"), (names(&["q", "r"]), names(&[]), 2));
        assert_eq!(of("DROP SEQUENCE s"), (names(&["r"]), names(&[]), 1));
        assert_eq!(of("DROP TABLE t"), (names(&[]), names(&[]), 0));
        let moved = "DROP TABLE u; ALTER TABLE t RENAME TO u";
        assert_eq!(of(moved), (names(&[]), names(&["r", "s"]), 2));
    }
}
