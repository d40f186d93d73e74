//! Statements that write or read rows.

use super::volatility::is_builtin;
use super::{Judge, Mode};
use crate::gate::effects::{Relation, Verdict};
use crate::sql::schema::plain;
use crate::sql::statement::{Dml, Name, Query, Verb};

impl Judge<'_> {
    pub(super) fn dml(&mut self, dml: &Dml) {
        let Some(table) = &dml.table else {
            self.effects.verdict =
                Verdict::NotEvaluated("which table it writes could not be found".to_owned());
            return;
        };
        for one in self.written(table, dml.verb) {
            self.lock(&one, Mode::RowExclusiveLock);
            // What inserts lets go of the indexes at its end; what was planned with them does not.
            if matches!(dml.verb, Verb::Update | Verb::Delete | Verb::Merge) {
                self.lock_indexes(&one, Mode::RowExclusiveLock);
            }
        }
        for read in &dml.reads {
            self.read(read);
        }
        self.foreign_keys(table, dml);
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
        let parents: Vec<Name> = schema
            .foreign_keys_of(table)
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
        let children: Vec<(Name, bool)> = schema
            .referring_to(table)
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
            if !is_builtin(plain, arguments.len()) && !is_aggregate(plain) {
                self.effects.verdict = Verdict::NotEvaluated(format!(
                    "what the function `{name}` does stands elsewhere"
                ));
            }
        }
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
            self.lock_indexes(&one, Mode::AccessShareLock);
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
