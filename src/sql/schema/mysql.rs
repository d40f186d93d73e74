//! What MySQL and MariaDB do with a table besides what they are told.

use super::{Schema, plain};
use crate::sql::statement::{
    Constraint, ConstraintKind, CreateIndex, IndexKind, IndexPart, Name, Online,
};

impl Schema {
    /// MySQL, MariaDB: `LIKE` brings all but the foreign keys.
    pub(super) fn be_like(&mut self, name: &Name, others: &[Name]) {
        for other in others {
            let other = plain(other);
            let Some(model) = self.tables.get(&other) else { continue };
            let (options, by) = (model.options.clone(), model.partition_by.clone());
            let foreign = |have: &Constraint| matches!(have.kind, ConstraintKind::ForeignKey(_));
            let mut constraints = model.constraints.clone();
            constraints.retain(|have| !foreign(have));
            if let Some(table) = self.tables.get_mut(name) {
                table.options.extend(options);
                table.partition_by = by;
                table.constraints.extend(constraints);
            }
            let indexes: Vec<_> = self
                .indexes_of(&other)
                .map(|(have, index)| (have.clone(), index.clone()))
                .collect();
            for (have, mut index) in indexes {
                index.table.clone_from(name);
                index.definition.table.clone_from(name);
                let own = |text: &str| match text.strip_prefix(&other.name) {
                    Some(rest) if index.of_constraint => format!("{}{rest}", name.name),
                    _ => text.to_owned(),
                };
                let schema = have.schema.as_ref().map(|_| name.name.clone());
                let called = Name { schema, name: own(&have.name) };
                self.insert_index(called, index);
            }
        }
    }

    /// MySQL, MariaDB: the index that came with a foreign key stays.
    pub(super) fn keep_index(&mut self, table: &Name, constraint: &str) {
        let Some(entry) = self.tables.get(table) else { return };
        let made_up = entry.made_up(&table.name, constraint);
        let same = |have: &Option<String>| {
            have.as_deref() == Some(constraint) || (made_up.is_some() && *have == made_up)
        };
        let found = entry.foreign_keys().find(|(have, _)| same(&have.name));
        let Some(columns) = found.map(|(_, key)| key.columns.clone()) else { return };
        let served = self.indexes_of(table).any(|(_, index)| {
            let parts = index.definition.parts.iter().zip(&columns);
            let same = |(part, column): (&IndexPart, &String)| {
                matches!(part, IndexPart::Column(name, _) if name.eq_ignore_ascii_case(column))
            };
            columns.len() <= index.definition.parts.len() && parts.into_iter().all(same)
        });
        if served {
            return;
        }
        let called = match (&made_up, columns.first()) {
            (Some(_), Some(first)) => first.clone(),
            _ => constraint.to_owned(),
        };
        let index = CreateIndex {
            include: Vec::new(),
            name: Some(Name { schema: Some(table.name.clone()), name: called }),
            table: table.clone(),
            only: false,
            unique: false,
            concurrently: false,
            if_not_exists: false,
            parts: columns.into_iter().map(|name| IndexPart::Column(name, None)).collect(),
            predicate: None,
            kind: IndexKind::Ordinary,
            online: Online::default(),
        };
        self.create_index(&index, false);
    }
}
