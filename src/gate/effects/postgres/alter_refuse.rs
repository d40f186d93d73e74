//! What PostgreSQL refuses to do to a table, whatever rows it has.
//!
//! Only what is known is held against a statement: what is missing counts only where the schema is
//! complete, and what the statement itself drops or adds counts as dropped or added.

use super::cast::{are_apart, is_refused};
use super::{Judge, Relation};
use crate::sql::schema::{Table, plain};
use crate::sql::statement::{
    Action, AlterTable, Constraint, ConstraintKind, ForeignKey, IndexPart, Name, TableObject,
};
use crate::sql::{Tokens, mentions};

impl Judge<'_> {
    /// Says so if the server refuses the clause.
    pub(super) fn refuse(&mut self, table: &Name, action: &Action, alter: &AlterTable) {
        let why = self.not_of_view(table, action).or_else(|| match action {
            Action::AddColumn { column, if_not_exists, .. } => {
                self.added(table, &column.name, *if_not_exists, alter)
            }
            Action::DropColumn { name, if_exists, cascade } => {
                self.dropped(table, name, *if_exists, *cascade)
            }
            Action::RenameColumn { from, .. } => self.inherited(table, from),
            Action::ChangeType { column, .. } => self.retyped(table, column, action, alter),
            Action::DropNotNull { column } => self.nullable(table, column),
            Action::AddConstraint { constraint, .. } => self.constrained(table, constraint, alter),
            Action::ValidateConstraint { name } => self.validated(table, name, alter),
            Action::DropConstraint { name, if_exists, .. } => {
                self.freed(table, name, *if_exists, alter)
            }
            Action::AlterConstraint { name, .. } => self.deferred(table, name),
            _ => None,
        });
        if let Some(why) = why {
            self.fails(why);
        }
    }

    fn known(&self, table: &Name) -> Option<&Table> {
        self.around.schema.table(table)
    }

    /// A table of which everything is known.
    fn whole(&self, table: &Name) -> Option<&Table> {
        self.known(table).filter(|table| table.whole && self.around.schema.complete)
    }

    fn not_of_view(&self, table: &Name, action: &Action) -> Option<String> {
        let kind = self.kind(table);
        let never = matches!(
            action,
            Action::AddColumn { .. }
                | Action::DropColumn { .. }
                | Action::ChangeType { .. }
                | Action::SetNotNull { .. }
                | Action::DropNotNull { .. }
                | Action::AddConstraint { .. }
                | Action::DropConstraint { .. }
                | Action::ValidateConstraint { .. }
        );
        let default = matches!(action, Action::SetDefault { .. } | Action::DropDefault { .. });
        let refused = match kind {
            Relation::View => never,
            Relation::MaterializedView => never || default,
            _ => false,
        };
        refused.then(|| format!("`{table}` is a view, which cannot be changed like this"))
    }

    fn added(
        &self,
        table: &Name,
        column: &str,
        if_not_exists: bool,
        alter: &AlterTable,
    ) -> Option<String> {
        let known = self.known(table)?;
        if known.partition_of.is_some() {
            return Some(format!("`{table}` is a partition, which gets no columns of its own"));
        }
        if alter.only && self.has_children(table) {
            return Some("the column must be added to the tables below as well".to_owned());
        }
        let goes = alter
            .actions
            .iter()
            .any(|(action, _)| matches!(action, Action::DropColumn { name, .. } if name == column));
        let there = known.columns.iter().any(|have| have.name == column);
        (there && !if_not_exists && !goes).then(|| format!("`{column}` is there already"))
    }

    fn dropped(
        &self,
        table: &Name,
        column: &str,
        if_exists: bool,
        cascade: bool,
    ) -> Option<String> {
        if let Some(known) = self.whole(table)
            && known.column(column).is_none()
        {
            return (!if_exists).then(|| format!("`{table}` has no column `{column}`"));
        }
        if self.is_partition_key(table, column) {
            return Some(format!("`{column}` is part of the partition key"));
        }
        self.inherited(table, column).or_else(|| {
            let who = self.dependent(table, column).filter(|_| !cascade)?;
            Some(format!("{who} depends on the column"))
        })
    }

    /// What keeps a column from being dropped without `CASCADE`.
    fn dependent(&self, table: &Name, column: &str) -> Option<String> {
        if let Some(child) = self.keys_to_column(table, column).first() {
            return Some(format!("a foreign key of `{child}`"));
        }
        if let Some(view) = self.view_with(table, column) {
            return Some(view);
        }
        let generated = self.generated_from(table, column);
        generated
            .or_else(|| self.trigger_or_rule(table, column))
            .or_else(|| self.routine_with(table, column))
    }

    /// A view that surely uses the column: a name in a view of several tables may be a column of any
    /// of them.
    fn view_with(&self, table: &Name, column: &str) -> Option<String> {
        let schema = self.around.schema;
        let may_have = |read: &Name| {
            let columns = schema.table(read).filter(|table| table.whole);
            columns.is_none_or(|table| table.column(column).is_some())
        };
        let (view, _) = schema.views_of(table).find(|(_, view)| {
            let named = view.mentions.iter().any(|word| word == column);
            let elsewhere = view.reads.iter().any(|read| *read != plain(table) && may_have(read));
            view.mentions.iter().any(|word| word == "*") || (named && !elsewhere)
        })?;
        Some(format!("the view `{view}`"))
    }

    fn generated_from(&self, table: &Name, column: &str) -> Option<String> {
        let of = self.known(table)?.columns.iter().find(|other| {
            other.generated.as_ref().is_some_and(|generated| {
                other.name != column
                    && mentions(Tokens::Postgres, &generated.expression.text, column)
            })
        })?;
        Some(format!("the generated column `{}`", of.name))
    }

    fn trigger_or_rule(&self, table: &Name, column: &str) -> Option<String> {
        let schema = self.around.schema;
        let says = |mentions: &[String]| mentions.iter().any(|word| word == column);
        let trigger = schema.triggers_of(table).find(|(_, trigger)| says(&trigger.mentions));
        if let Some((trigger, _)) = trigger {
            return Some(format!("the trigger `{trigger}`"));
        }
        let (of, name, _) = schema.rules_of(table).find(|(.., mentions)| says(mentions))?;
        let kind = if of == TableObject::Policy { "policy" } else { "rule" };
        Some(format!("the {kind} `{name}`"))
    }

    /// A routine whose body is no text depends on what stands in it.
    fn routine_with(&self, table: &Name, column: &str) -> Option<String> {
        let says = |mentions: &[String], word: &str| mentions.iter().any(|one| one == word);
        let (routine, _) = self.around.schema.routines.iter().find(|(_, routine)| {
            let mentions = routine.signature.mentions.as_deref().unwrap_or_default();
            says(mentions, &table.name) && says(mentions, column)
        })?;
        Some(format!("the function `{routine}`"))
    }

    fn is_partition_key(&self, table: &Name, column: &str) -> bool {
        let key = self.known(table).and_then(|table| table.partition_by.as_ref());
        key.is_some_and(|key| mentions(Tokens::Postgres, key, column))
    }

    fn has_children(&self, table: &Name) -> bool {
        !self.around.schema.descendants(table).is_empty()
    }

    fn inherited(&self, table: &Name, column: &str) -> Option<String> {
        let schema = self.around.schema;
        let from = schema.parents_of(table).find(|of| schema.column(of, column).is_some())?;
        Some(format!("`{column}` is inherited from `{from}`, and changes only there"))
    }

    fn retyped(
        &self,
        table: &Name,
        column: &str,
        action: &Action,
        alter: &AlterTable,
    ) -> Option<String> {
        let Action::ChangeType { to, using, .. } = action else { return None };
        if self.is_partition_key(table, column) {
            return Some(format!("`{column}` is part of the partition key"));
        }
        if let Some(why) = self.inherited(table, column) {
            return Some(why);
        }
        if alter.only && self.has_children(table) {
            return Some("the type must be changed in the tables below as well".to_owned());
        }
        let who = self.generated_from(table, column);
        let view = || Some(format!("the view `{}`", self.views_of_column(table, column).first()?));
        let rest =
            || self.trigger_or_rule(table, column).or_else(|| self.routine_with(table, column));
        if let Some(who) = who.or_else(view).or_else(rest) {
            return Some(format!("{who} uses the column"));
        }
        let seen = self.around.schema.column(table, column)?;
        if !is_refused(&seen.ty, to, &self.around) {
            return None;
        }
        if using.is_none() {
            return Some(format!(
                "`{}` is not cast to `{}` by itself: it takes `USING`",
                seen.ty.text, to.text
            ));
        }
        // A default that the same statement drops is gone before the type changes.
        let drops_default = alter.actions.iter().any(
            |(action, _)| matches!(action, Action::DropDefault { column: of } if of == column),
        );
        let stays = seen.default.is_some() && !drops_default;
        stays.then(|| {
            format!(
                "the default of `{column}` is not cast to `{}`: drop it in the same statement",
                to.text
            )
        })
    }

    fn nullable(&self, table: &Name, column: &str) -> Option<String> {
        let known = self.known(table)?;
        let in_key = |table: &Table| {
            table.primary_key().is_some_and(|key| key.iter().any(|of| of == column))
        };
        if in_key(known) {
            return Some(format!("`{column}` is in the primary key"));
        }
        if known.column(column).is_some_and(|column| column.identity) {
            return Some(format!("`{column}` is an identity column"));
        }
        // PostgreSQL 18 hands NOT NULL down to every child, older ones only to partitions.
        let bound = known.partition_of.is_some() || self.version() >= 18;
        let schema = self.around.schema;
        let above = schema
            .parents_of(table)
            .find(|parent| schema.column(parent, column).is_some_and(|column| column.not_null))?;
        bound.then(|| format!("`{column}` is NOT NULL in `{above}`"))
    }

    fn constrained(
        &self,
        table: &Name,
        constraint: &Constraint,
        alter: &AlterTable,
    ) -> Option<String> {
        let known = self.known(table)?;
        match &constraint.kind {
            ConstraintKind::Check(_) if constraint.no_inherit && known.partition_by.is_some() => {
                Some("a partitioned table hands every check down".to_owned())
            }
            ConstraintKind::ForeignKey(key) => self.unfit_key(known, key),
            ConstraintKind::PrimaryKey { columns, .. } => {
                let drops = |action: &Action| matches!(action, Action::DropConstraint { .. });
                let replaced = alter.actions.iter().any(|(action, _)| drops(action));
                if known.primary_key().is_some() && !replaced {
                    return Some(format!("`{table}` has a primary key already"));
                }
                Self::without_partition_key(known, columns)
            }
            ConstraintKind::Unique { columns, using_index: None } => {
                Self::without_partition_key(known, columns)
            }
            _ => None,
        }
    }

    /// A unique index of a partitioned table can only compare rows of one partition.
    fn without_partition_key(table: &Table, columns: &[String]) -> Option<String> {
        let by = table.partition_by.as_deref()?;
        let missing = table.columns.iter().find(|column| {
            mentions(Tokens::Postgres, by, &column.name) && !columns.contains(&column.name)
        })?;
        Some(format!("it must hold `{}`, by which the table is partitioned", missing.name))
    }

    fn unfit_key(&self, table: &Table, key: &ForeignKey) -> Option<String> {
        let parent = self.known(&key.table)?;
        let unlogged = |table: &Table| table.options.contains_key("unlogged");
        if unlogged(parent) && !unlogged(table) && !table.temporary && table.whole {
            return Some(format!("`{}` is not logged, as this table is", key.table));
        }
        let referenced = match key.referenced.as_slice() {
            [] => parent.primary_key()?,
            named => named,
        };
        if self.whole(&key.table).is_some() && !self.is_unique(&key.table, referenced) {
            return Some(format!("no unique key of `{}` has exactly these columns", key.table));
        }
        let pairs = key.columns.iter().zip(referenced);
        let mut types = pairs.filter_map(|(own, other)| {
            Some((own, &table.column(own)?.ty, &parent.column(other)?.ty))
        });
        let (own, ..) = types.find(|(_, own, other)| are_apart(own, other, &self.around))?;
        Some(format!("`{own}` cannot be compared with what it refers to"))
    }

    fn is_unique(&self, table: &Name, columns: &[String]) -> bool {
        let same = |have: &[&String]| {
            have.len() == columns.len() && have.iter().all(|column| columns.contains(column))
        };
        let column = |part: &'_ IndexPart| match part {
            IndexPart::Column(name, _) => Some(name.clone()),
            IndexPart::Expression(_) => None,
        };
        self.around.schema.indexes_of(table).any(|(_, index)| {
            let definition = &index.definition;
            let names: Option<Vec<String>> = definition.parts.iter().map(column).collect();
            let fits = names.is_some_and(|names| same(&names.iter().collect::<Vec<_>>()));
            definition.unique && definition.predicate.is_none() && fits
        })
    }

    fn validated(&self, table: &Name, name: &str, alter: &AlterTable) -> Option<String> {
        if let Some(why) = self.missing(table, name, alter) {
            return Some(why);
        }
        let constraint = self.known(table)?.constraint(name)?;
        let handed_down = constraint.not_valid && constraint.is_inherited();
        (alter.only && handed_down && self.has_children(table))
            .then(|| "it must be validated in the tables below as well".to_owned())
    }

    fn freed(
        &self,
        table: &Name,
        name: &str,
        if_exists: bool,
        alter: &AlterTable,
    ) -> Option<String> {
        let schema = self.around.schema;
        let above = schema.parents_of(table).find(|parent| {
            let constraint = schema.table(parent).and_then(|table| table.constraint(name));
            constraint.is_some_and(Constraint::is_inherited)
        });
        match above {
            Some(above) => Some(format!("`{name}` is inherited from `{above}`")),
            None if if_exists => None,
            None => self.missing(table, name, alter),
        }
    }

    fn missing(&self, table: &Name, name: &str, alter: &AlterTable) -> Option<String> {
        let known = self.whole(table)?;
        // PostgreSQL 18 gives every NOT NULL a name, which is not kept here, and names that it had
        // to choose may have been chosen differently.
        let not_null = known.columns.iter().any(|column| {
            column.not_null && name == format!("{}_{}_not_null", table.name, column.name)
        });
        let index = Name { schema: plain(table).schema, name: name.to_owned() };
        let added = alter.actions.iter().any(|(action, _)| {
            matches!(action, Action::AddConstraint { constraint, .. }
                if constraint.name.as_deref().is_none_or(|added| added == name))
        });
        let there = known.constraint(name).is_some()
            || not_null
            || added
            || self.around.schema.indexes.contains_key(&index);
        (!there).then(|| format!("`{table}` has no constraint `{name}`"))
    }

    fn deferred(&self, table: &Name, name: &str) -> Option<String> {
        let constraint = self.known(table)?.constraint(name)?;
        let key =
            matches!(constraint.kind, ConstraintKind::ForeignKey(_) | ConstraintKind::NotNull(_));
        (!key).then(|| format!("`{name}` is not a foreign key"))
    }
}
