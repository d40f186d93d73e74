//! Statements that write or read rows.

use super::{Judge, Mode};
use crate::gate::effects::{Relation, Verdict};
use crate::sql::schema::{Table, plain};
use crate::sql::statement::{Dml, ForeignKey, Name, Query, Verb};

impl Judge<'_> {
    pub(super) fn dml(&mut self, dml: &Dml) {
        for other in &dml.with {
            self.dml(other);
        }
        for call in &dml.calls {
            self.call(call);
        }
        for read in &dml.reads {
            self.read(read);
        }
        self.write(dml);
    }

    /// Writes rows, and follows what that sets off. `fired` keeps a circle from going round for ever.
    fn write(&mut self, dml: &Dml) {
        let Some(table) = &dml.table else {
            self.effects.verdict =
                Verdict::NotEvaluated("which table it writes could not be found".to_owned());
            return;
        };
        let once = (plain(table), dml.verb, assigned(dml));
        if self.fired.contains(&once) {
            return;
        }
        self.fired.push(once);
        if self.kind(table) == Relation::View {
            self.write_view(table, dml);
            return;
        }
        let written = self.written(table, dml);
        for one in &written {
            self.lock(one, Mode::RowExclusiveLock);
            // What inserts lets go of the indexes at its end; what was planned with them does not.
            let updates = matches!(dml.verb, Verb::Update | Verb::Delete | Verb::Merge);
            if (updates || !dml.set.is_empty()) && self.plans_indexes(one) {
                self.lock_indexes(one, Mode::RowExclusiveLock);
            }
        }
        if dml.verb != Verb::Delete {
            // A partition looks up which rows belong to it.
            for above in self.line(table).iter().skip(1) {
                self.lock(above, Mode::AccessShareLock);
            }
        }
        for event in events(dml) {
            self.follow_event(table, &written, event);
        }
    }

    /// What comes with the rows that one way of writing writes.
    fn follow_event(&mut self, table: &Name, written: &[Name], dml: &Dml) {
        self.fill_in(table, dml);
        self.follow_rules(table, dml);
        for one in written {
            self.fire_triggers(one, dml);
            self.foreign_keys(one, dml);
            if dml.verb != Verb::Delete {
                let known = self.around.schema.table(one);
                for expression in known.into_iter().flat_map(Table::checks) {
                    self.follow_expression(expression);
                }
            }
        }
    }

    /// A view that can be written passes it on to the table that it reads; one with a trigger of its
    /// own leaves it to that.
    fn write_view(&mut self, view: &Name, dml: &Dml) {
        self.lock(view, Mode::RowExclusiveLock);
        let Some(known) = self.around.schema.views.get(&plain(view)) else { return };
        let events = events(dml);
        let schema = self.around.schema;
        let instead = |dml: &Dml| {
            let mut triggers = schema.triggers_of(view);
            triggers.any(|(_, trigger)| fires(&trigger.events, dml))
        };
        if events.iter().any(|event| instead(event)) {
            for event in events {
                self.fire_triggers(view, event);
                if event.verb != Verb::Insert && event.verb != Verb::InsertSelect {
                    known.reads.iter().for_each(|read| self.read(read));
                }
            }
            return;
        }
        let rules = schema.rules.values().filter(|rule| rule.table == plain(view));
        if rules.clone().next().is_some() {
            for event in events {
                self.follow_rules(view, event);
            }
            return;
        }
        for read in &known.reads {
            self.write(&Dml { table: Some(read.clone()), ..dml.clone() });
        }
    }

    /// A column that an `INSERT` leaves out takes its default: a number from its sequence, or what a
    /// function gives.
    fn fill_in(&mut self, table: &Name, dml: &Dml) {
        if matches!(dml.verb, Verb::Update | Verb::Delete | Verb::Merge) {
            return;
        }
        let schema = self.around.schema;
        let Some(known) = schema.table(table) else { return };
        // Without names, values stand for the first columns.
        let given = dml.rows.iter().map(Vec::len).min().unwrap_or(usize::MAX);
        let left_out = known.columns.iter().enumerate().filter(|(at, column)| {
            if dml.columns.is_empty() { given <= *at } else { !dml.columns.contains(&column.name) }
        });
        for (_, column) in left_out {
            if column.identity || column.ty.name.ends_with("serial") {
                self.lock_sequences(table, Some(&column.name), Mode::RowExclusiveLock);
            }
            if let Some(default) = &column.default {
                self.lock_sequences_of_default(&default.text);
                self.follow_expression(&default.text);
            }
        }
    }

    /// What the rules of a table do besides, or instead.
    fn follow_rules(&mut self, table: &Name, dml: &Dml) {
        let table = plain(table);
        let verb = event_of(dml.verb);
        let rules = self.around.schema.rules.values();
        for rule in
            rules.filter(|rule| rule.table == table && rule.event.is_none_or(|of| of == verb))
        {
            for written in &rule.writes {
                self.lock(written, Mode::RowExclusiveLock);
            }
            for read in &rule.reads {
                self.read(read);
            }
        }
    }

    /// What the functions of a table's triggers do, and of those that it has as a partition.
    fn fire_triggers(&mut self, table: &Name, dml: &Dml) {
        let schema = self.around.schema;
        for one in self.line(table) {
            let firing =
                schema.triggers_of(&one).filter(|(_, trigger)| fires(&trigger.events, dml));
            for function in firing.filter_map(|(_, trigger)| trigger.calls.as_ref()) {
                if let Some(routine) = schema.routines.get(function) {
                    self.body(&routine.body);
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
        let set = assigned(dml);
        let names = |column: &String| match dml.verb {
            Verb::Update => set.contains(column),
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
        let children: Vec<(Name, ForeignKey)> = line
            .iter()
            .flat_map(|one| schema.referring_to(one))
            .filter(|(_, constraint, reference)| {
                let referenced =
                    if reference.referenced.is_empty() { key } else { &reference.referenced };
                constraint.enforced
                    && (dml.verb == Verb::Delete
                        || (dml.verb == Verb::Update && referenced.iter().any(names)))
            })
            .map(|(child, _, reference)| (child.clone(), reference.clone()))
            .collect();
        for (child, reference) in children {
            self.refer(&child, &reference, dml.verb);
        }
    }

    /// What becomes of the rows that refer to one which goes or gets another key.
    fn refer(&mut self, child: &Name, reference: &ForeignKey, verb: Verb) {
        let action = match verb {
            Verb::Delete => reference.on_delete.as_deref(),
            _ => reference.on_update.as_deref(),
        };
        let write = match action {
            Some("CASCADE") if verb == Verb::Delete => Some(Verb::Delete),
            Some(action) if action == "CASCADE" || action.starts_with("SET") => Some(Verb::Update),
            _ => None,
        };
        let mode = if write.is_some() { Mode::RowExclusiveLock } else { Mode::RowShareLock };
        for one in self.tree(child) {
            self.lock(&one, mode);
            self.lock_indexes(&one, mode);
        }
        if let Some(verb) = write {
            let set = reference.columns.iter().map(|column| (column.clone(), String::new()));
            let set = if verb == Verb::Update { set.collect() } else { Vec::new() };
            self.write(&Dml { set, ..Dml::new(verb, Some(child.clone())) });
        }
    }

    /// The tables that a statement opens to write: all below it, but of what is inserted only the
    /// partitions that a row may go to.
    fn written(&self, table: &Name, dml: &Dml) -> Vec<Name> {
        match dml.verb {
            Verb::Insert | Verb::InsertSelect | Verb::Load | Verb::Replace => {
                self.partitions_of_rows(table, dml)
            }
            Verb::Update | Verb::Delete | Verb::Merge if dml.only => vec![plain(table)],
            Verb::Update | Verb::Delete | Verb::Merge => self.tree(table),
        }
    }

    pub(super) fn query(&mut self, query: &Query) {
        for read in &query.reads {
            if query.only.contains(read) {
                self.read_one(&plain(read));
            } else {
                self.read(read);
            }
        }
        for locked in &query.locked {
            self.lock_rows(locked, query.only.contains(locked));
        }
        for call in &query.calls {
            self.call(call);
        }
    }

    /// `FOR UPDATE`: of a view, the rows of what it reads.
    fn lock_rows(&mut self, name: &Name, only: bool) {
        if self.kind(name) == Relation::View {
            self.lock(name, Mode::RowShareLock);
            let reads = self.around.schema.views.get(&plain(name)).map(|view| view.reads.clone());
            reads.iter().flatten().for_each(|read| self.lock_rows(read, false));
            return;
        }
        for one in if only { vec![plain(name)] } else { self.tree(name) } {
            self.lock(&one, Mode::RowShareLock);
            if self.plans_indexes(&one) {
                self.lock_indexes(&one, Mode::RowShareLock);
            }
        }
    }

    /// A relation that is read, with all that is below it and behind it.
    pub(super) fn read(&mut self, name: &Name) {
        let schema = self.around.schema;
        if let Some(view) = schema.views.get(&plain(name)).filter(|view| !view.materialized) {
            self.lock(name, Mode::AccessShareLock);
            view.reads.iter().for_each(|read| self.read(read));
            view.calls.iter().for_each(|call| self.call(call));
            return;
        }
        for one in self.tree(name) {
            self.read_one(&one);
        }
    }

    fn read_one(&mut self, one: &Name) {
        self.lock(one, Mode::AccessShareLock);
        if self.plans_indexes(one) {
            self.lock_indexes(one, Mode::AccessShareLock);
        }
    }
}

/// The ways in which a statement writes rows: a `MERGE` in one for each branch, an `INSERT` with
/// `ON CONFLICT DO UPDATE` in two.
fn events(dml: &Dml) -> Vec<&Dml> {
    if dml.verb == Verb::Merge { dml.branches.iter().collect() } else { vec![dml] }
}

/// The event of triggers and rules that a way of writing is.
fn event_of(verb: Verb) -> Verb {
    match verb {
        Verb::Insert | Verb::InsertSelect | Verb::Load | Verb::Replace => Verb::Insert,
        other => other,
    }
}

/// Whether a trigger of these events is fired. One of which they are not known always is.
fn fires(events: &[(Verb, Vec<String>)], dml: &Dml) -> bool {
    let verb = event_of(dml.verb);
    let set = assigned(dml);
    let updates = verb == Verb::Update || !dml.set.is_empty();
    events.is_empty()
        || events.iter().any(|(event, columns)| match event {
            Verb::Update => {
                updates && (columns.is_empty() || columns.iter().any(|one| set.contains(one)))
            }
            event => *event == verb,
        })
}

/// The columns that are assigned to, as the server folds their names; `(a, b) = …` assigns to each.
fn assigned(dml: &Dml) -> Vec<String> {
    let lists = dml.set.iter().map(|(names, _)| names.trim_matches(['(', ')']));
    let names = lists.flat_map(|names| names.split(','));
    let folded = |name: &str| {
        let name = name.trim();
        match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
            Some(quoted) => quoted.to_owned(),
            None => name.to_lowercase(),
        }
    };
    names.map(folded).collect()
}
