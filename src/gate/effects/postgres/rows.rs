//! Statements that write or read rows.

use super::volatility::is_builtin;
use super::{Judge, Mode};
use crate::gate::effects::{Relation, Verdict};
use crate::sql::schema::plain;
use crate::sql::statement::{Dml, Name, Query, Verb, What};
use crate::sql::{Source, parse};

impl Judge<'_> {
    pub(super) fn dml(&mut self, dml: &Dml) {
        let Some(table) = &dml.table else {
            self.effects.verdict =
                Verdict::NotEvaluated("which table it writes could not be found".to_owned());
            return;
        };
        if self.kind(table) == Relation::View {
            self.write_view(table, dml);
            return;
        }
        for one in self.written(table, dml.verb) {
            self.lock(&one, Mode::RowExclusiveLock);
            // What inserts lets go of the indexes at its end; what was planned with them does not.
            let updates = matches!(dml.verb, Verb::Update | Verb::Delete | Verb::Merge);
            if (updates || !dml.set.is_empty()) && self.plans_indexes(&one) {
                self.lock_indexes(&one, Mode::RowExclusiveLock);
            }
        }
        if dml.verb != Verb::Delete {
            // A partition looks up which rows belong to it.
            for above in self.line(table).iter().skip(1) {
                self.lock(above, Mode::AccessShareLock);
            }
        }
        self.take_numbers(table, dml);
        self.follow_rules(table);
        self.fire_triggers(table);
        for read in &dml.reads {
            self.read(read);
        }
        self.foreign_keys(table, dml);
    }

    /// A view that can be written passes it on to the table that it reads.
    fn write_view(&mut self, view: &Name, dml: &Dml) {
        self.lock(view, Mode::RowExclusiveLock);
        let reads = self.around.schema.views.get(&plain(view)).map(|view| view.reads.clone());
        for read in reads.into_iter().flatten() {
            self.dml(&Dml { table: Some(read), ..dml.clone() });
        }
        for read in &dml.reads {
            self.read(read);
        }
    }

    /// A column that an INSERT leaves out takes its number from its sequence.
    fn take_numbers(&mut self, table: &Name, dml: &Dml) {
        if dml.columns.is_empty() {
            return;
        }
        let schema = self.around.schema;
        let Some(known) = schema.table(table) else { return };
        let left_out = known.columns.iter().filter(|column| {
            let numbered = column.identity || column.ty.name.ends_with("serial");
            numbered && !dml.columns.contains(&column.name)
        });
        for column in left_out {
            self.lock_sequences(table, Some(&column.name), Mode::RowExclusiveLock);
        }
    }

    /// What the rules of a table do besides; on which event, is not asked.
    fn follow_rules(&mut self, table: &Name) {
        let table = plain(table);
        for rule in self.around.schema.rules.values().filter(|rule| rule.table == table) {
            for written in &rule.writes {
                self.lock(written, Mode::RowExclusiveLock);
            }
            for read in &rule.reads {
                self.read(read);
            }
        }
    }

    /// What the functions of a table's triggers write and read; on which event, is not asked.
    fn fire_triggers(&mut self, table: &Name) {
        let table = plain(table);
        if self.fired.contains(&table) {
            return;
        }
        self.fired.push(table.clone());
        let schema = self.around.schema;
        let functions =
            schema.triggers_of(&table).filter_map(|(_, trigger)| trigger.calls.as_ref());
        for text in functions.filter_map(|function| schema.routines.get(function)) {
            // Kept as text, it is read as what it is: a block that runs now.
            let block = format!("DO $backstop$ {text} $backstop$");
            let script = parse(Source::of(self.around.server), &block);
            let Some(What::Do(body)) = script.statements.first().map(|one| &one.what) else {
                continue;
            };
            for statement in &body.statements {
                match &statement.what {
                    What::Dml(dml) => self.dml(dml),
                    What::Query(query) => query.reads.iter().for_each(|read| self.read(read)),
                    _ => {}
                }
            }
        }
    }

    /// Since PostgreSQL 16 the planner opens the indexes of a partitioned table as well.
    fn plans_indexes(&self, table: &Name) -> bool {
        16 <= self.version() || !self.is_partitioned(table)
    }

    /// A row that is written is looked up in the tables that it refers to; one that goes, in those
    /// that refer to it.
    fn foreign_keys(&mut self, table: &Name, dml: &Dml) {
        let schema = self.around.schema;
        let names = |column: &String| match dml.verb {
            Verb::Update => dml.set.iter().any(|(name, _)| name == column),
            Verb::Delete => false,
            _ => dml.columns.is_empty() || dml.columns.contains(column),
        };
        let line = self.line(table);
        let parents: Vec<Name> = line
            .iter()
            .flat_map(|one| schema.foreign_keys_of(one))
            .filter(|(constraint, key)| constraint.enforced && key.columns.iter().any(names))
            .map(|(_, key)| key.table.clone())
            .collect();
        for parent in parents {
            for one in self.tree(&parent) {
                self.lock(&one, Mode::RowShareLock);
                self.lock_indexes(&one, Mode::RowShareLock);
            }
        }
        let key = schema.table(table).and_then(|table| table.primary_key()).unwrap_or_default();
        let children: Vec<(Name, bool)> = line
            .iter()
            .flat_map(|one| schema.referring_to(one))
            .filter(|(_, _, reference)| {
                let referenced =
                    if reference.referenced.is_empty() { key } else { &reference.referenced };
                dml.verb == Verb::Delete
                    || (dml.verb == Verb::Update && referenced.iter().any(names))
            })
            .map(|(child, _, reference)| {
                let action = match dml.verb {
                    Verb::Delete => &reference.on_delete,
                    _ => &reference.on_update,
                };
                let writes = action
                    .as_deref()
                    .is_some_and(|action| action == "CASCADE" || action.starts_with("SET"));
                (child.clone(), writes)
            })
            .collect();
        for (child, writes) in children {
            let mode = if writes { Mode::RowExclusiveLock } else { Mode::RowShareLock };
            for one in self.tree(&child) {
                self.lock(&one, mode);
                self.lock_indexes(&one, mode);
            }
        }
    }

    /// An INSERT opens only the partition that a row goes to, which depends on the row.
    fn written(&self, table: &Name, verb: Verb) -> Vec<Name> {
        match verb {
            Verb::Insert | Verb::InsertSelect | Verb::Load | Verb::Replace => vec![plain(table)],
            Verb::Update | Verb::Delete | Verb::Merge => self.tree(table),
        }
    }

    pub(super) fn query(&mut self, query: &Query) {
        for read in &query.reads {
            self.read(read);
            if query.locks_rows {
                for one in self.tree(read) {
                    self.lock(&one, Mode::RowShareLock);
                    self.lock_indexes(&one, Mode::RowShareLock);
                }
            }
        }
        for (name, arguments) in &query.calls {
            let plain = name.strip_prefix("pg_catalog.").unwrap_or(name);
            if matches!(plain, "nextval" | "setval") {
                self.lock_counter(arguments.first());
            }
            if !is_builtin(plain, arguments.len()) && !is_aggregate(plain) {
                self.effects.verdict = Verdict::NotEvaluated(format!(
                    "what the function `{name}` does stands elsewhere"
                ));
            }
        }
    }

    /// The sequence that a call names, if it names it there and then.
    fn lock_counter(&mut self, argument: Option<&String>) {
        let text = argument.and_then(|text| text.trim().strip_prefix('\''));
        let Some((named, _)) = text.and_then(|text| text.split_once('\'')) else { return };
        let name = match named.split_once('.') {
            Some((schema, name)) => Name { schema: Some(schema.to_owned()), name: name.to_owned() },
            None => Name::plain(named),
        };
        self.effects.lock(Relation::Sequence, &plain(&name), Mode::RowExclusiveLock);
    }

    /// A relation that is read, with all that is below it and behind it.
    pub(super) fn read(&mut self, name: &Name) {
        if self.kind(name) == Relation::View {
            self.lock(name, Mode::AccessShareLock);
            let reads = self.around.schema.views.get(&plain(name)).map(|view| view.reads.clone());
            reads.iter().flatten().for_each(|read| self.read(read));
            return;
        }
        for one in self.tree(name) {
            self.lock(&one, Mode::AccessShareLock);
            if self.plans_indexes(&one) {
                self.lock_indexes(&one, Mode::AccessShareLock);
            }
        }
    }
}

fn is_aggregate(name: &str) -> bool {
    const AGGREGATES: &[&str] = &[
        "count",
        "sum",
        "avg",
        "min",
        "max",
        "bool_and",
        "bool_or",
        "every",
        "array_agg",
        "string_agg",
        "json_agg",
        "jsonb_agg",
        "json_object_agg",
        "jsonb_object_agg",
        "row_number",
        "rank",
        "dense_rank",
        "lag",
        "lead",
        "first_value",
        "last_value",
        "ntile",
        "coalesce",
        "nullif",
        "greatest",
        "least",
        "exists",
        "percentile_cont",
        "percentile_disc",
        "mode",
        "stddev",
        "variance",
        "extract",
        "position",
        "substring",
        "trim",
        "overlay",
    ];
    AGGREGATES.contains(&name)
}
