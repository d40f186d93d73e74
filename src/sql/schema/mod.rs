//! The schema as it stands before a statement: what was given, and what the statements before it
//! made of it.
//!
//! A dump, all earlier migrations in order, and the migration itself are the same thing here:
//! statements that are applied one by one. What was never seen is unknown, not absent.

mod apply;
mod index;
mod inherit;
mod links;
mod mysql;
mod naming;
mod object;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use self::links::Links;
use crate::sql::statement::{
    Body, Call, Column, Constraint, ConstraintKind, CreateIndex, ForeignKey, IndexPart, Name,
    Named, Signature, TableObject, Type, Verb,
};

/// Relations, types and routines, as far as they were seen.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    /// Tables by name.
    pub tables: BTreeMap<Name, Table>,
    /// Indexes by name; those of MySQL and MariaDB stand as `table.index`, since they share no
    /// name space.
    pub indexes: BTreeMap<Name, Index>,
    /// Views and materialized views.
    pub views: BTreeMap<Name, View>,
    /// Sequences, and the table and column that each belongs to.
    pub sequences: BTreeMap<Name, Option<(Name, String)>>,
    /// Enums with their labels; other types have none.
    pub types: BTreeMap<Name, Option<Vec<String>>>,
    /// Domains: what each is made of, and whether it has a constraint.
    pub domains: BTreeMap<Name, (Type, bool)>,
    /// Triggers by name; those of PostgreSQL stand as `table.trigger`, since each table has its own.
    pub triggers: BTreeMap<Name, Trigger>,
    /// Rules, as `table.rule`.
    pub rules: BTreeMap<Name, Rule>,
    /// Extended statistics, and the table of each.
    pub statistics: BTreeMap<Name, Name>,
    /// Policies and rules, by their table, kind and name: the names in their expressions.
    pub dependents: BTreeMap<(Name, TableObject, String), Vec<String>>,
    /// Routines; those that share a name are one here, which does what any of them does.
    pub routines: BTreeMap<Name, Routine>,
    /// What belongs to the database as a whole: extensions, servers.
    pub named: BTreeSet<(Named, String)>,
    /// Whether all that stands in the database was given, so that what is not here is not there.
    pub complete: bool,
    /// Who belongs to whom, so that nobody looks through everything.
    links: Links,
    /// Made by the script that is being judged: nobody waits for it.
    born: Vec<Name>,
    /// Whether the script that is being judged is applied now, and not what stood before.
    judging: bool,
}

/// A table.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Its constraints, also those that were written with a column.
    pub constraints: Vec<Constraint>,
    /// `PARTITION BY`, if it is partitioned.
    pub partition_by: Option<String>,
    /// Its parent, and whether it is the default partition.
    pub partition_of: Option<(Name, bool)>,
    /// PostgreSQL: `FOR VALUES …` of a partition, as written.
    pub bounds: Option<String>,
    /// `INHERITS`.
    pub inherits: Vec<Name>,
    /// Nobody else sees it.
    pub temporary: bool,
    /// `engine`, `row_format`, `charset`, `collate`.
    pub options: BTreeMap<String, String>,
    /// Whether all its columns and constraints are known: it was made by a statement that was seen.
    pub whole: bool,
}

/// An index.
#[derive(Debug, Clone)]
pub struct Index {
    /// Its table.
    pub table: Name,
    /// What it is made of.
    pub definition: CreateIndex,
    /// The index of the parent that it is a part of.
    pub attached_to: Option<Name>,
    /// The constraint that it stands for, which shares its name.
    pub of_constraint: bool,
}

/// A view.
#[derive(Debug, Clone)]
pub struct View {
    /// Whether it holds rows of its own.
    pub materialized: bool,
    /// The relations that it reads.
    pub reads: Vec<Name>,
    /// The columns that its query names.
    pub mentions: Vec<String>,
    /// The names of its own columns; none if not all are known.
    pub columns: Vec<String>,
    /// The functions that its query calls.
    pub calls: Vec<Call>,
}

/// A trigger.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Its table.
    pub table: Name,
    /// The names in its `UPDATE OF` and `WHEN`.
    pub mentions: Vec<String>,
    /// PostgreSQL: what fires it, and of `UPDATE` the columns, if it names some; none if that is not
    /// known.
    pub events: Vec<(Verb, Vec<String>)>,
    /// Its body as text, where it has one.
    pub body: String,
    /// The function that it calls, where its body stands in one.
    pub calls: Option<Name>,
}

/// A routine, or all that share its name.
#[derive(Debug, Clone, Default)]
pub struct Routine {
    /// What it does when called.
    pub body: Body,
    /// What else is known of it.
    pub signature: Signature,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its table.
    pub table: Name,
    /// The statement that it stands for.
    pub event: Option<Verb>,
    /// The relations that its statements read.
    pub reads: Vec<Name>,
    /// Those that they write.
    pub writes: Vec<Name>,
}

/// The name under which a trigger or rule of PostgreSQL is kept.
#[must_use]
pub fn of_table(table: &Name, object: &Name) -> Name {
    Name { schema: Some(plain(table).to_string()), name: object.name.clone() }
}

impl Schema {
    /// From now on what is applied belongs to the script that is being judged: what it makes is
    /// its own, and nobody waits for it.
    pub fn judge(&mut self) {
        self.judging = true;
        self.born.clear();
    }

    /// A table by the name that a statement uses. A name without a schema, and one with the schema
    /// that is searched first, are the same.
    #[must_use]
    pub fn table(&self, name: &Name) -> Option<&Table> {
        self.tables.get(&plain(name))
    }

    /// A column of a table that was seen.
    #[must_use]
    pub fn column(&self, table: &Name, column: &str) -> Option<&Column> {
        self.table(table)?.column(column)
    }

    /// Whether the script that is being judged made this relation, so that nobody waits for it.
    #[must_use]
    pub fn is_born(&self, name: &Name) -> bool {
        self.born.contains(&plain(name))
    }

    /// The indexes of a table, with their names.
    pub fn indexes_of<'a>(&'a self, table: &Name) -> impl Iterator<Item = (&'a Name, &'a Index)> {
        let names = self.links.indexes.get(&plain(table)).into_iter().flatten();
        names.filter_map(|name| self.indexes.get_key_value(name))
    }

    /// The sequences that belong to a column of a table, or to any.
    pub fn sequences_of<'a>(
        &'a self,
        table: &Name,
        column: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Name> {
        let table = plain(table);
        self.sequences.iter().filter_map(move |(name, owner)| {
            let (of, own) = owner.as_ref()?;
            (*of == table && column.is_none_or(|column| column == own)).then_some(name)
        })
    }

    /// The partitions of a table, and whether each is the default one.
    pub fn partitions_of<'a>(&'a self, table: &Name) -> impl Iterator<Item = (&'a Name, bool)> {
        let parent = plain(table);
        let names = self.links.children.get(&parent).into_iter().flatten();
        names.filter_map(move |name| {
            let (of, is_default) = self.tables.get(name)?.partition_of.as_ref()?;
            (*of == parent).then_some((name, *is_default))
        })
    }

    /// The partitions of a table, and those that inherit from it, but not what is below them.
    pub fn children_of<'a>(&'a self, table: &Name) -> impl Iterator<Item = &'a Name> + use<'a> {
        self.links.children.get(&plain(table)).into_iter().flatten()
    }

    /// All below a table: partitions and tables that inherit, to the last.
    #[must_use]
    pub fn descendants(&self, table: &Name) -> Vec<Name> {
        let mut found = Vec::new();
        let mut open = vec![plain(table)];
        while let Some(parent) = open.pop() {
            for name in self.links.children.get(&parent).into_iter().flatten() {
                if !found.contains(name) {
                    found.push(name.clone());
                    open.push(name.clone());
                }
            }
        }
        found
    }

    /// The foreign keys of a table, each with its constraint.
    pub fn foreign_keys_of<'a>(
        &'a self,
        table: &Name,
    ) -> impl Iterator<Item = (&'a Constraint, &'a ForeignKey)> {
        self.table(table).into_iter().flat_map(Table::foreign_keys)
    }

    /// The foreign keys of other tables (and of itself) that refer to a table, with their table.
    pub fn referring_to<'a>(
        &'a self,
        table: &Name,
    ) -> impl Iterator<Item = (&'a Name, &'a Constraint, &'a ForeignKey)> {
        let wanted = plain(table);
        let names = self.links.referrers.get(&wanted).into_iter().flatten();
        let tables = names.filter_map(|name| self.tables.get_key_value(name));
        tables.flat_map(move |(name, table)| {
            let wanted = wanted.clone();
            table
                .foreign_keys()
                .filter(move |(_, key)| plain(&key.table) == wanted)
                .map(move |(constraint, key)| (name, constraint, key))
        })
    }

    /// The views that read a relation.
    pub fn views_of<'a>(&'a self, relation: &Name) -> impl Iterator<Item = (&'a Name, &'a View)> {
        let wanted = plain(relation);
        self.views
            .iter()
            .filter(move |(_, view)| view.reads.iter().any(|read| plain(read) == wanted))
    }

    /// The tables right above a table: the one that it is a partition of, or those that it inherits
    /// from.
    pub fn parents_of<'a>(&'a self, table: &Name) -> impl Iterator<Item = &'a Name> {
        self.table(table).into_iter().flat_map(|table| {
            table.partition_of.iter().map(|(parent, _)| parent).chain(&table.inherits)
        })
    }

    /// The policies and rules of a table, each with the names in its expressions.
    pub fn rules_of<'a>(
        &'a self,
        table: &Name,
    ) -> impl Iterator<Item = (TableObject, &'a str, &'a [String])> {
        let wanted = plain(table);
        let rules = self.dependents.iter().filter(move |((of, ..), _)| *of == wanted);
        rules.map(|((_, kind, name), mentions)| (*kind, name.as_str(), mentions.as_slice()))
    }

    /// The triggers of a table.
    pub fn triggers_of<'a>(
        &'a self,
        table: &Name,
    ) -> impl Iterator<Item = (&'a Name, &'a Trigger)> {
        let wanted = plain(table);
        self.triggers.iter().filter(move |(_, trigger)| trigger.table == wanted)
    }
}

impl Table {
    /// A column by its name, without regard to case (two columns of PostgreSQL that differ in
    /// nothing else are not told apart).
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// Its foreign keys, each with its constraint.
    pub fn foreign_keys(&self) -> impl Iterator<Item = (&Constraint, &ForeignKey)> {
        self.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey(key) => Some((constraint, key)),
            _ => None,
        })
    }

    /// The expressions of its checks, as written.
    pub fn checks(&self) -> impl Iterator<Item = &str> {
        self.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::Check(check) => Some(check.text.as_str()),
            _ => None,
        })
    }

    /// A constraint by its name.
    #[must_use]
    pub fn constraint(&self, name: &str) -> Option<&Constraint> {
        self.constraints.iter().find(|constraint| constraint.name.as_deref() == Some(name))
    }

    /// The columns of its primary key.
    #[must_use]
    pub fn primary_key(&self) -> Option<&[String]> {
        self.constraints.iter().find_map(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey { columns, .. } => Some(columns.as_slice()),
            _ => None,
        })
    }
}

impl Index {
    /// Whether it depends on this column: in its key, beside it, or in its condition.
    #[must_use]
    pub fn covers(&self, column: &str) -> bool {
        self.has_key(column)
            || self.computes(column)
            || self.definition.include.iter().any(|name| name.eq_ignore_ascii_case(column))
    }

    /// Whether the column itself is part of its key.
    #[must_use]
    pub fn has_key(&self, column: &str) -> bool {
        self.definition.parts.iter().any(|part| match part {
            IndexPart::Column(name, _) => name.eq_ignore_ascii_case(column),
            IndexPart::Expression(_) => false,
        })
    }

    /// Whether an expression of it, or its condition, names the column.
    #[must_use]
    pub fn computes(&self, column: &str) -> bool {
        let parts = self.definition.parts.iter().filter_map(|part| match part {
            IndexPart::Column(..) => None,
            IndexPart::Expression(expression) => Some(expression),
        });
        parts.chain(&self.definition.predicate).any(|expression| {
            crate::sql::mentions(crate::sql::Tokens::Postgres, &expression.text, column)
        })
    }
}

/// The name without the schema that is searched first.
#[must_use]
pub fn plain(name: &Name) -> Name {
    match name.schema.as_deref() {
        Some("public") => Name::plain(&name.name),
        _ => name.clone(),
    }
}
