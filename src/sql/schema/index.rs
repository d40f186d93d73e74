//! Indexes: made, with those of the partitions, dropped and altered.

use super::{Index, Schema, plain};
use crate::sql::statement::{CreateIndex, Drop, IndexAction, IndexKind, IndexPart, Name};

impl Schema {
    pub(super) fn create_index(&mut self, index: &CreateIndex, of_constraint: bool) {
        let table = plain(&index.table);
        let name = index.name.clone().unwrap_or_else(|| {
            let columns = index.parts.iter().map(|part| match part {
                IndexPart::Column(name, _) => name.as_str(),
                IndexPart::Expression(_) => "expr",
            });
            let columns: Vec<_> = columns.collect();
            let name = format!("{}_{}_idx", table.name, columns.join("_"));
            Name { schema: table.schema.clone(), name }
        });
        let other = self.indexes.get(&plain(&name)).map(|have| have.table != table);
        // Where another table has an index of that name, names belong to their table.
        let name = match other {
            Some(true) => Name { schema: Some(table.name.clone()), name: name.name },
            _ => name,
        };
        if self.indexes.contains_key(&plain(&name)) && index.if_not_exists {
            return;
        }
        self.bear(&name, !index.if_not_exists || self.complete);
        // With its first full-text index InnoDB gives a table a hidden column, which stays.
        if index.kind == IndexKind::FullText
            && let Some(entry) = self.tables.get_mut(&table)
        {
            entry.options.insert("fts_doc_id".to_owned(), String::new());
        }
        let entry = Index {
            table: table.clone(),
            definition: index.clone(),
            attached_to: None,
            of_constraint,
        };
        let name = plain(&name);
        self.insert_index(name.clone(), entry);
        if !index.only {
            let children: Vec<Name> =
                self.partitions_of(&table).map(|(child, _)| child.clone()).collect();
            for child in children {
                self.create_child_index(&name, &child);
            }
        }
    }

    /// The index that a partition gets as its part of the parent's, under the name that PostgreSQL
    /// chooses.
    pub(super) fn create_child_index(&mut self, parent: &Name, table: &Name) {
        let Some(of) = self.indexes.get(parent) else { return };
        let columns = of.definition.parts.iter().map(|part| match part {
            IndexPart::Column(name, _) => name.as_str(),
            IndexPart::Expression(_) => "expr",
        });
        let columns: Vec<_> = columns.collect();
        let name = if of.of_constraint && parent.name.ends_with("_pkey") {
            format!("{}_pkey", table.name)
        } else {
            let suffix = if of.of_constraint { "key" } else { "idx" };
            format!("{}_{}_{suffix}", table.name, columns.join("_"))
        };
        let name = Name { schema: table.schema.clone(), name };
        let mut definition = of.definition.clone();
        definition.name = Some(name.clone());
        definition.table = table.clone();
        let entry = Index {
            table: table.clone(),
            definition,
            attached_to: Some(parent.clone()),
            of_constraint: of.of_constraint,
        };
        self.insert_index(name.clone(), entry);
        let children: Vec<Name> =
            self.partitions_of(table).map(|(child, _)| child.clone()).collect();
        for child in children {
            self.create_child_index(&name, &child);
        }
    }

    pub(super) fn drop_indexes(&mut self, drop: &Drop, table: Option<&Name>) {
        for name in &drop.names {
            match table {
                // Index names of MySQL and MariaDB belong to their table.
                Some(table) => {
                    let table = plain(table);
                    self.remove_indexes(&table, |have, _| {
                        have.name.eq_ignore_ascii_case(&name.name)
                    });
                }
                None => {
                    self.remove_index(&plain(name));
                }
            }
        }
    }

    pub(super) fn alter_index(&mut self, name: &Name, action: &IndexAction) {
        match action {
            IndexAction::RenameTo(to) => {
                if let Some(index) = self.remove_index(&plain(name)) {
                    let to = Name { schema: plain(name).schema, name: to.clone() };
                    self.insert_index(to, index);
                }
            }
            IndexAction::Attach(child) => {
                if let Some(index) = self.indexes.get_mut(&plain(child)) {
                    index.attached_to = Some(plain(name));
                }
            }
            IndexAction::SetTablespace | IndexAction::Set => {}
        }
    }
}
