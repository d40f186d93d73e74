//! What the server refuses, whatever the rows are. The table must be known whole.

use super::alter::is_named;
use super::order;
use super::shape::Shape;
use super::types::{fit_together, is_same};
use super::version::Flavor;
use crate::gate::Surroundings;
use crate::sql::schema::Schema;
use crate::sql::statement::{
    Action, AlterTable, Column, ConstraintKind, CreateIndex, ForeignKey, IndexKind, IndexPart,
    Name, Place,
};
use crate::sql::{Tokens, mentions};

/// Why the server refuses an `ALTER TABLE`, if it does.
pub(super) fn alter(alter: &AlterTable, shape: &Shape, around: &Surroundings) -> Option<String> {
    let names = Names::after(alter, shape);
    let flavor = Flavor::of(around.server);
    let asked = Asked { alter, shape, around, flavor, names };
    alter.actions.iter().find_map(|(action, _)| {
        asked.columns(action).or_else(|| asked.keys(action)).or_else(|| asked.table(action))
    })
}

/// The names of the columns as the statement leaves them.
struct Names {
    dropped: Vec<String>,
    added: Vec<String>,
    renamed: Vec<(String, String)>,
}

impl Names {
    fn after(alter: &AlterTable, shape: &Shape) -> Self {
        let dropped = order::of(alter, shape).dropped;
        let (mut added, mut renamed) = (Vec::new(), Vec::new());
        for (action, _) in &alter.actions {
            match action {
                Action::AddColumn { column, .. } => added.push(column.name.clone()),
                Action::RenameColumn { from, to } => renamed.push((from.clone(), to.clone())),
                Action::Modify { from, column, .. } if !from.eq_ignore_ascii_case(&column.name) => {
                    renamed.push((from.clone(), column.name.clone()));
                }
                _ => {}
            }
        }
        Self { dropped, added, renamed }
    }
}

struct Asked<'a> {
    alter: &'a AlterTable,
    shape: &'a Shape<'a>,
    around: &'a Surroundings<'a>,
    flavor: Flavor,
    names: Names,
}

fn among(list: &[String], name: &str) -> bool {
    list.iter().any(|have| have.eq_ignore_ascii_case(name))
}

impl Asked<'_> {
    fn had(&self, column: &str) -> bool {
        self.shape.table.column(column).is_some()
    }

    /// Whether a column of that name stands there at the end.
    fn has(&self, column: &str) -> bool {
        let renamed_to = self.names.renamed.iter().any(|(_, to)| to.eq_ignore_ascii_case(column));
        let gone = among(&self.names.dropped, column)
            || self.names.renamed.iter().any(|(from, _)| from.eq_ignore_ascii_case(column));
        renamed_to || among(&self.names.added, column) || (self.had(column) && !gone)
    }

    fn misses(&self, column: &str) -> Option<String> {
        let name = &self.shape.name;
        (!self.had(column)).then(|| format!("the table `{name}` has no column `{column}`"))
    }

    fn columns(&self, action: &Action) -> Option<String> {
        match action {
            Action::AddColumn { column, if_not_exists, place } => {
                let stays = self.had(&column.name)
                    && !among(&self.names.dropped, &column.name)
                    && !self.names.renamed.iter().any(|(from, _)| *from == column.name);
                if stays && !if_not_exists {
                    return Some(format!("the column `{}` exists already", column.name));
                }
                self.place(place.as_ref())
                    .or_else(|| self.inline_checks(column))
                    .or_else(|| self.made_of(column))
            }
            Action::DropColumn { name, if_exists, .. } => {
                let gone = self.misses(name).filter(|_| !if_exists);
                gone.or_else(|| self.needed(name, false)).or_else(|| self.halved(name))
            }
            Action::RenameColumn { from, to } => self
                .misses(from)
                .or_else(|| self.taken(from, to))
                .or_else(|| self.needed(from, true)),
            Action::Modify { from, column, if_exists, place } => {
                let Some(old) = self.shape.table.column(from) else {
                    return self.misses(from).filter(|_| !if_exists);
                };
                let renames = !from.eq_ignore_ascii_case(&column.name);
                let renamed = renames
                    .then(|| self.taken(from, &column.name).or_else(|| self.needed(from, true)));
                renamed
                    .flatten()
                    .or_else(|| self.place(place.as_ref()))
                    .or_else(|| stored_status(old, column))
                    .or_else(|| self.typed(old, column))
            }
            Action::SetDefault { column, .. }
            | Action::DropDefault { column }
            | Action::ColumnVisibility { column, .. } => self.misses(column),
            _ => None,
        }
    }

    fn place(&self, place: Option<&Place>) -> Option<String> {
        match place {
            Some(Place::After(name)) if !self.has(name) && !self.had(name) => self.misses(name),
            _ => None,
        }
    }

    fn taken(&self, from: &str, to: &str) -> Option<String> {
        let free = from.eq_ignore_ascii_case(to)
            || !self.had(to)
            || among(&self.names.dropped, to)
            || self.names.renamed.iter().any(|(other, _)| other.eq_ignore_ascii_case(to));
        (!free).then(|| format!("the column `{to}` exists already"))
    }

    /// MySQL: a check behind a column speaks of no other.
    fn inline_checks(&self, column: &Column) -> Option<String> {
        if self.flavor.mariadb || !self.flavor.checks() {
            return None;
        }
        let other = self.shape.table.columns.iter().find(|other| {
            !other.name.eq_ignore_ascii_case(&column.name)
                && column
                    .checks
                    .iter()
                    .any(|check| mentions(Tokens::MySql, &check.expression.text, &other.name))
        })?;
        Some(format!("the check of `{}` speaks of the column `{}`", column.name, other.name))
    }

    /// A new generated column is made of the columns as the statement leaves them.
    fn made_of(&self, column: &Column) -> Option<String> {
        let text = &column.generated.as_ref()?.expression.text;
        let mut all = self.shape.table.columns.iter();
        let gone =
            all.find(|other| mentions(Tokens::MySql, text, &other.name) && !self.has(&other.name))?;
        Some(format!("`{}` is made of `{}`, which is gone by then", column.name, gone.name))
    }

    /// MariaDB: a unique key does not lose one of its columns.
    fn halved(&self, name: &str) -> Option<String> {
        let stays = |column: &String| !among(&self.names.dropped, column);
        let mut keys = self.shape.keys.iter();
        let key =
            keys.find(|key| key.unique && key.covers(name) && key.columns.iter().any(stays))?;
        let drops = self.alter.actions.iter().any(|(action, _)| match action {
            Action::DropIndex { name, .. } | Action::DropConstraint { name, .. } => {
                key.name.eq_ignore_ascii_case(name)
            }
            Action::DropPrimaryKey => key.name == "PRIMARY",
            _ => false,
        });
        (self.flavor.mariadb && !drops)
            .then(|| format!("the unique key `{}` needs the column `{name}`", key.name))
    }

    /// Why a column cannot go, or have another name.
    fn needed(&self, name: &str, renames: bool) -> Option<String> {
        let table = self.shape.table;
        let says = |text: &str| mentions(Tokens::MySql, text, name);
        let dependent = table.columns.iter().find(|column| {
            let generated = column.generated.as_ref();
            !among(&self.names.dropped, &column.name)
                && generated.is_some_and(|generated| says(&generated.expression.text))
        });
        if let Some(dependent) = dependent
            && !(renames && self.flavor.mariadb)
        {
            return Some(format!("the generated column `{}` is made of `{name}`", dependent.name));
        }
        let partitioned = table.partition_by.as_ref().is_some_and(|by| says(by));
        if partitioned && !(renames && self.flavor.mariadb) {
            return Some(format!("the table is partitioned by `{name}`"));
        }
        self.checked(name, renames).or_else(|| if renames { None } else { self.tied(name) })
    }

    /// Why a check keeps a column as it is.
    fn checked(&self, name: &str, renames: bool) -> Option<String> {
        let table = self.shape.table;
        let check = table.constraints.iter().find(|constraint| {
            let ConstraintKind::Check(check) = &constraint.kind else { return false };
            let stays = !self.drops_constraint(constraint.name.as_deref().unwrap_or_default());
            let others = table.columns.iter().any(|other| {
                !other.name.eq_ignore_ascii_case(name)
                    && mentions(Tokens::MySql, &check.text, &other.name)
            });
            let kept = if renames { !self.flavor.mariadb } else { others };
            stays && kept && mentions(Tokens::MySql, &check.text, name)
        })?;
        let called = check.name.as_deref().unwrap_or("of the table");
        Some(format!("the check `{called}` speaks of `{name}`"))
    }

    /// Why foreign keys keep a column.
    fn tied(&self, name: &str) -> Option<String> {
        let own = self.shape.table.foreign_keys().find(|(constraint, key)| {
            among(&key.columns, name)
                && !self.drops_constraint(constraint.name.as_deref().unwrap_or_default())
        });
        if let Some((constraint, _)) = own {
            let called = constraint.name.as_deref().unwrap_or_default();
            return Some(format!("the foreign key `{called}` needs `{name}`"));
        }
        let schema = self.around.schema;
        let (child, ..) = schema.referring_to(&self.shape.name).find(|(_, _, key)| {
            among(&key.referenced, name)
                || (key.referenced.is_empty() && self.shape.is_primary(name))
        })?;
        Some(format!("a foreign key of `{child}` refers to `{name}`"))
    }

    fn drops_constraint(&self, name: &str) -> bool {
        self.alter.actions.iter().any(|(action, _)| match action {
            Action::DropForeignKey { name: gone, .. }
            | Action::DropCheck { name: gone }
            | Action::DropConstraint { name: gone, .. } => gone.eq_ignore_ascii_case(name),
            _ => false,
        })
    }

    /// Why a column that foreign keys tie cannot have another type.
    fn typed(&self, old: &Column, new: &Column) -> Option<String> {
        let kept = |key: &ForeignKey| key.on_delete.as_deref() == Some("SET NULL");
        let own = self.shape.table.foreign_keys().find(|(constraint, key)| {
            among(&key.columns, &old.name)
                && !self.drops_constraint(constraint.name.as_deref().unwrap_or_default())
        });
        if let Some((constraint, key)) = own
            && new.not_null
            && kept(key)
        {
            let called = constraint.name.as_deref().unwrap_or_default();
            return Some(format!("the foreign key `{called}` sets `{}` to NULL", old.name));
        }
        if is_same(&old.ty, &new.ty) || fit_together(&old.ty, &new.ty) && !self.flavor.mariadb {
            return None;
        }
        self.tied(&old.name)
    }

    fn keys(&self, action: &Action) -> Option<String> {
        match action {
            Action::AddIndex { index } => self.new_index(index),
            Action::AddConstraint { constraint, .. } => match &constraint.kind {
                ConstraintKind::PrimaryKey { columns, .. } => self
                    .second_primary()
                    .or_else(|| columns.iter().find_map(|name| self.without(name))),
                ConstraintKind::Unique { columns, .. } => columns
                    .iter()
                    .find_map(|name| self.without(name))
                    .or_else(|| self.partition_key(columns)),
                ConstraintKind::ForeignKey(key) => {
                    self.foreign_key(constraint.name.as_deref(), key)
                }
                _ => None,
            },
            Action::DropIndex { name, if_exists } => self.drop_index(name, *if_exists),
            Action::RenameIndex { from, to } => {
                let missing = self.shape.key(from).is_none();
                let taken = self.shape.key(to).is_some() && !from.eq_ignore_ascii_case(to);
                if missing {
                    return Some(format!("there is no index `{from}`"));
                }
                taken.then(|| format!("the index `{to}` exists already"))
            }
            Action::IndexVisibility { name, .. } => self.no_index(name),
            Action::DropPrimaryKey => self.drop_primary(),
            Action::DropForeignKey { name, if_exists } => {
                let mut keys = self.shape.table.foreign_keys();
                let there = keys.any(|(constraint, _)| is_named(constraint.name.as_deref(), name));
                (!there && !if_exists && !made_up(name))
                    .then(|| format!("there is no foreign key `{name}`"))
            }
            Action::DropCheck { name } => self.no_constraint(name),
            Action::DropConstraint { name, if_exists, .. } => {
                self.no_constraint(name).filter(|_| !if_exists)
            }
            _ => None,
        }
    }

    fn without(&self, column: &str) -> Option<String> {
        (!self.has(column)).then(|| format!("the column `{column}` of the key does not exist"))
    }

    fn no_index(&self, name: &str) -> Option<String> {
        self.shape.key(name).is_none().then(|| format!("there is no index `{name}`"))
    }

    fn no_constraint(&self, name: &str) -> Option<String> {
        let mut all = self.shape.table.constraints.iter();
        let there = all.any(|constraint| is_named(constraint.name.as_deref(), name))
            || self.shape.key(name).is_some();
        (!there && !made_up(name)).then(|| format!("there is no constraint `{name}`"))
    }

    fn new_index(&self, index: &CreateIndex) -> Option<String> {
        let name = index.name.as_ref().map(|name| name.name.as_str());
        let dropped = |name: &str| {
            self.alter.actions.iter().any(|(action, _)| {
                matches!(action, Action::DropIndex { name: gone, .. } if gone.eq_ignore_ascii_case(name))
            })
        };
        if let Some(name) = name
            && self.shape.key(name).is_some()
            && !dropped(name)
            && !index.if_not_exists
        {
            return Some(format!("the index `{name}` exists already"));
        }
        if index.kind == IndexKind::FullText && self.shape.partitioned && !self.flavor.mariadb {
            return Some("a partitioned table has no full-text index".to_owned());
        }
        let named = |part: &IndexPart| match part {
            IndexPart::Column(name, _) => Some(name.clone()),
            IndexPart::Expression(_) => None,
        };
        let columns: Vec<_> = index.parts.iter().filter_map(named).collect();
        let missing = columns.iter().find_map(|name| self.without(name));
        missing.or_else(|| if index.unique { self.partition_key(&columns) } else { None })
    }

    /// A unique key of a partitioned table holds all that it is partitioned by.
    fn partition_key(&self, columns: &[String]) -> Option<String> {
        let by = self.shape.table.partition_by.as_ref()?;
        let column = self.shape.table.columns.iter().find(|column| {
            mentions(Tokens::MySql, by, &column.name) && !among(columns, &column.name)
        })?;
        Some(format!("a unique key must hold `{}`, by which the table is partitioned", column.name))
    }

    fn second_primary(&self) -> Option<String> {
        let drops = self.alter.actions.iter().any(|(action, _)| match action {
            Action::DropPrimaryKey => true,
            Action::DropColumn { name, .. } => self.shape.is_primary(name),
            _ => false,
        });
        (self.shape.key("PRIMARY").is_some() && !drops)
            .then(|| "the table has a primary key already".to_owned())
    }

    fn drop_primary(&self) -> Option<String> {
        let Some(primary) = self.shape.key("PRIMARY") else {
            return Some("the table has no primary key".to_owned());
        };
        let counter = self.shape.table.columns.iter().find(|column| column.auto_increment);
        let indexed = |name: &String| {
            let stays = |key: &super::shape::Key| {
                key.name != "PRIMARY" && key.columns.first() == Some(name)
            };
            let comes = self.alter.actions.iter().any(|(action, _)| match action {
                Action::AddIndex { index } => {
                    matches!(index.parts.first(), Some(IndexPart::Column(first, _)) if first == name)
                }
                Action::AddConstraint { constraint, .. } => match &constraint.kind {
                    ConstraintKind::PrimaryKey { columns, .. }
                    | ConstraintKind::Unique { columns, .. } => columns.first() == Some(name),
                    _ => false,
                },
                Action::Modify { from, column, .. } => from == name && !column.auto_increment,
                Action::DropColumn { name: gone, .. } => gone == name,
                _ => false,
            });
            comes || self.shape.keys.iter().any(stays)
        };
        if let Some(column) = counter
            && !indexed(&column.name)
        {
            return Some(format!("`{}` counts, and must be the first of a key", column.name));
        }
        // MariaDB lets it go while another unique key will do as the primary one.
        let next = self.flavor.mariadb
            && self.shape.keys.iter().any(|key| key.unique && key.name != "PRIMARY");
        if next { None } else { self.referred_key(&primary.columns, "PRIMARY") }
    }

    fn drop_index(&self, name: &str, if_exists: bool) -> Option<String> {
        let Some(key) = self.shape.key(name) else {
            return if if_exists { None } else { self.no_index(name) };
        };
        let remains = |columns: &[String]| {
            let stays =
                |have: &super::shape::Key| have.name != key.name && have.begins_with(columns);
            let comes = |index: &CreateIndex| matches!(index.parts.first(), Some(IndexPart::Column(first, _)) if Some(first) == columns.first());
            self.shape.keys.iter().any(stays)
                || self
                    .alter
                    .actions
                    .iter()
                    .any(|(action, _)| matches!(action, Action::AddIndex { index } if comes(index)))
        };
        let own = self.shape.table.foreign_keys().find(|(constraint, foreign)| {
            key.begins_with(&foreign.columns)
                && !self.drops_constraint(constraint.name.as_deref().unwrap_or_default())
                && !remains(&foreign.columns)
        });
        if let Some((constraint, _)) = own {
            let called = constraint.name.as_deref().unwrap_or_default();
            return Some(format!("the foreign key `{called}` needs the index `{name}`"));
        }
        self.referred_key(&key.columns, name)
    }

    /// Why foreign keys of other tables keep a key.
    fn referred_key(&self, columns: &[String], name: &str) -> Option<String> {
        let schema = self.around.schema;
        let (child, ..) = schema.referring_to(&self.shape.name).find(|(_, _, foreign)| {
            let wanted = if foreign.referenced.is_empty() {
                self.shape.key("PRIMARY").map(|key| key.columns.clone()).unwrap_or_default()
            } else {
                foreign.referenced.clone()
            };
            let served = |key: &super::shape::Key| {
                !key.name.eq_ignore_ascii_case(name) && key.begins_with(&wanted)
            };
            let replaced = self.alter.actions.iter().any(|(action, _)| match action {
                Action::AddConstraint { constraint, .. } => matches!(
                    &constraint.kind,
                    ConstraintKind::PrimaryKey { columns, .. } if columns.starts_with(&wanted)
                ),
                _ => false,
            });
            !wanted.is_empty()
                && columns.starts_with(&wanted)
                && !self.shape.keys.iter().any(served)
                && !replaced
        })?;
        Some(format!("a foreign key of `{child}` refers to the columns of `{name}`"))
    }

    fn foreign_key(&self, name: Option<&str>, key: &ForeignKey) -> Option<String> {
        if self.shape.partitioned {
            return Some("a partitioned table has no foreign keys".to_owned());
        }
        if let Some(name) = name
            && self.shape.table.foreign_keys().any(|(have, _)| is_named(have.name.as_deref(), name))
        {
            return Some(format!(
                "the foreign key `{name}` exists already, even if it is dropped here"
            ));
        }
        if let Some(missing) = key.columns.iter().find_map(|name| self.without(name)) {
            return Some(missing);
        }
        let types = key.columns.iter().map(|name| self.shape.table.column(name)).collect();
        foreign_key(key, types, self.around.schema)
    }

    fn table(&self, action: &Action) -> Option<String> {
        match action {
            Action::RenameTo(to) => {
                table_exists(to, self.around.schema).filter(|_| *to != self.alter.name)
            }
            Action::Engine(engine)
                if !engine.eq_ignore_ascii_case("innodb") && self.shape.innodb =>
            {
                let tied = self.shape.table.foreign_keys().next().is_some()
                    || self.around.schema.referring_to(&self.shape.name).next().is_some();
                tied.then(|| "foreign keys tie the table to its engine".to_owned())
            }
            _ => None,
        }
    }
}

/// Names that servers choose, which the schema does not know.
fn made_up(name: &str) -> bool {
    name.contains("_ibfk_") || name.contains("_chk_") || name.starts_with("CONSTRAINT_")
}

fn stored_status(old: &Column, new: &Column) -> Option<String> {
    let is_virtual = |column: &Column| column.generated.as_ref().map(|generated| !generated.stored);
    let refused = match (is_virtual(old), is_virtual(new)) {
        (Some(before), Some(after)) => before != after,
        (Some(before), None) => before,
        (None, Some(after)) => after,
        (None, None) => false,
    };
    refused.then(|| format!("whether `{}` keeps its values cannot be changed", old.name))
}

/// Why a table cannot be made under that name.
pub(super) fn table_exists(name: &Name, schema: &Schema) -> Option<String> {
    let taken = schema.table(name).is_some() || schema.views.contains_key(name);
    taken.then(|| format!("the table `{name}` exists already"))
}

/// Why a foreign key over columns of these types cannot be made.
pub(super) fn foreign_key(
    key: &ForeignKey,
    columns: Vec<Option<&Column>>,
    schema: &Schema,
) -> Option<String> {
    let Some(parent) = schema.table(&key.table) else {
        return schema.complete.then(|| format!("the table `{}` does not exist", key.table));
    };
    if !parent.whole {
        return None;
    }
    let shape = Shape::of(&key.table, parent, schema);
    let referenced = if key.referenced.is_empty() {
        shape.key("PRIMARY").map(|key| key.columns.clone()).unwrap_or_default()
    } else {
        key.referenced.clone()
    };
    for (own, there) in columns.into_iter().zip(&referenced) {
        let Some(there) = parent.column(there) else {
            return Some(format!("the table `{}` has no column `{there}`", key.table));
        };
        if let Some(own) = own
            && !fit_together(&own.ty, &there.ty)
        {
            return Some(format!(
                "`{}` and `{}.{}` are of other types",
                own.name, key.table, there.name
            ));
        }
    }
    let indexed = shape.keys.iter().any(|have| have.begins_with(&referenced));
    (!indexed).then(|| {
        format!("no index of `{}` begins with the columns that are referred to", key.table)
    })
}
