//! What a statement does on PostgreSQL.
//!
//! The modes are those of `AlterTableGetLockLevel` and its neighbours in PostgreSQL's source, and a
//! test holds every statement of `tests/effects/postgres.sql` against `pg_locks` and the server's
//! own DEBUG1 messages.

mod alter;
mod alter_refuse;
mod bounds;
mod cast;
mod column;
mod constraint;
mod index;
mod object;
mod partition;
mod refuse;
mod route;
mod routine;
mod rows;
mod since;
mod table;
mod types;
mod view;
mod volatility;

use super::{Effects, Loss, Mode, Relation, Verdict};
use crate::gate::Surroundings;
use crate::sql::schema::plain;
use crate::sql::statement::{Name, Statement, Verb, What};
use crate::sql::{Tokens, mentions};

/// What the statement does.
pub(super) fn effects(statement: &Statement, around: &Surroundings) -> Effects {
    let mut judge = Judge {
        around: *around,
        effects: Effects::none(),
        fired: Vec::new(),
        called: Vec::new(),
        planned: false,
        transitions: Vec::new(),
    };
    if let Some(since) = statement.since {
        judge.came_with(since.version, &format!("`{}`", since.what));
    }
    judge.statement(&statement.what);
    judge.effects
}

/// Collects what one statement does.
struct Judge<'a> {
    around: Surroundings<'a>,
    effects: Effects,
    /// The writes that were followed already, each a table, how, and the columns: triggers and keys
    /// may set one another off in a circle.
    fired: Vec<(Name, Verb, Vec<String>)>,
    /// The functions that were followed already.
    called: Vec<Name>,
    /// Whether what it is about is planned and not run.
    planned: bool,
    /// The names by which the function of a trigger knows the changed rows, which are no relations.
    transitions: Vec<String>,
}

impl Judge<'_> {
    fn statement(&mut self, what: &What) {
        match what {
            What::Transaction(_) | What::Other => {}
            What::Set(settings) => self.set(settings),
            What::CreateTable(create) => self.create_table(create),
            What::DropTable(drop) => self.drop_tables(drop),
            What::AlterTable(alter) => self.alter_table(alter),
            What::AlterView(alter) => self.alter_view(alter),
            What::Dml(dml) => self.dml(dml),
            What::Query(query) => self.query(query),
            What::Do(body) => self.body(body),
            What::CreateRoutine { body: Some(body), .. } => self.check_body(body),
            What::Unknown { why } => {
                self.effects.verdict = Verdict::NotEvaluated(why.clone());
            }
            other => self.object(other),
        }
    }

    fn absorb(&mut self, inner: Effects) {
        for lock in inner.locks {
            self.effects.lock(lock.of, &lock.relation, lock.mode);
        }
        inner.rewrite.iter().for_each(|table| self.effects.rewrites(table));
        inner.scan.iter().for_each(|table| self.effects.scans(table));
        inner.index_build.iter().for_each(|table| self.effects.builds_index(table));
        self.effects.why.extend(inner.why);
        self.effects.loss.extend(inner.loss);
        self.effects.breaks.extend(inner.breaks);
        if self.effects.fails.is_none() {
            self.effects.fails = inner.fails;
        }
        match inner.verdict {
            Verdict::Proven => {}
            Verdict::Assumed(why) => self.effects.assume(why),
            not @ Verdict::NotEvaluated(_) => self.effects.verdict = not,
        }
    }

    /// What kind of relation a name stands for; a table if nobody has seen it.
    fn kind(&self, name: &Name) -> Relation {
        let name = plain(name);
        match self.around.schema.views.get(&name) {
            Some(view) if view.materialized => Relation::MaterializedView,
            Some(_) => Relation::View,
            None if self.around.schema.indexes.contains_key(&name) => Relation::Index,
            None => Relation::Table,
        }
    }

    fn lock(&mut self, name: &Name, mode: Mode) {
        if name.schema.is_none() && self.transitions.contains(&name.name) {
            return;
        }
        let of = self.kind(name);
        self.effects.lock(of, &plain(name), mode);
    }

    /// Locks a table and all below it.
    fn lock_tree(&mut self, name: &Name, mode: Mode) {
        self.lock(name, mode);
        for below in self.around.schema.descendants(name) {
            self.lock(&below, mode);
        }
    }

    /// A table and all below it.
    fn tree(&self, name: &Name) -> Vec<Name> {
        let mut all = vec![plain(name)];
        all.extend(self.around.schema.descendants(name));
        all
    }

    /// Those of a tree that hold rows themselves: a partitioned table has none.
    fn with_rows(&self, name: &Name) -> Vec<Name> {
        self.tree(name).into_iter().filter(|name| !self.is_partitioned(name)).collect()
    }

    fn is_partitioned(&self, name: &Name) -> bool {
        self.around.schema.table(name).is_some_and(|table| table.partition_by.is_some())
    }

    /// The tables with a rule that names this relation in what it does.
    fn tables_ruled_with(&self, relation: &Name) -> Vec<Name> {
        let wanted = plain(relation);
        let rules = self.around.schema.rules.values();
        let naming = rules.filter(|rule| {
            let mut writes = rule.writes.iter().filter_map(|write| write.table.as_ref());
            rule.reads.contains(&wanted) || writes.any(|table| plain(table) == wanted)
        });
        naming.map(|rule| rule.table.clone()).filter(|table| *table != wanted).collect()
    }

    fn lock_sequences(&mut self, table: &Name, column: Option<&str>, mode: Mode) {
        let names: Vec<Name> = self.around.schema.sequences_of(table, column).cloned().collect();
        for name in names {
            self.effects.lock(Relation::Sequence, &name, mode);
        }
    }

    /// Whether it is known that no such relation is there.
    fn is_missing(&self, name: &Name) -> bool {
        let (schema, name) = (self.around.schema, plain(name));
        schema.complete
            && !schema.tables.contains_key(&name)
            && !schema.views.contains_key(&name)
            && !schema.indexes.contains_key(&name)
            && !schema.sequences.contains_key(&name)
    }

    fn lock_indexes(&mut self, table: &Name, mode: Mode) {
        let names: Vec<Name> =
            self.around.schema.indexes_of(table).map(|(name, _)| name.clone()).collect();
        for name in names {
            self.effects.lock(Relation::Index, &name, mode);
        }
    }

    /// Writes a table anew, and with it all its indexes.
    fn rewrite(&mut self, table: &Name) {
        self.effects.rewrites(&plain(table));
        self.lock_indexes(table, Mode::AccessExclusiveLock);
    }

    fn loses(&mut self, relation: &Name, what: impl Into<String>) {
        self.effects.loss.push(Loss { relation: plain(relation), what: what.into() });
    }

    fn breaks(&mut self, relation: &Name, what: impl Into<String>) {
        let what = what.into();
        self.effects.breaks.push(super::Break { relation: plain(relation), what });
    }

    fn fails(&mut self, why: impl Into<String>) {
        self.effects.fails.get_or_insert_with(|| why.into());
    }

    fn because(&mut self, why: impl Into<String>) {
        self.effects.why.push(why.into());
    }

    fn version(&self) -> u16 {
        self.around.server.version.0
    }

    /// What was not seen, and what would settle it.
    fn unseen(what: &str) -> String {
        format!("{what}; give the schema with `--schema`")
    }

    /// PostgreSQL follows a rename in views, but keeps the bodies of routines as text.
    pub(super) fn mentioned_in_routines(&mut self, table: &Name, column: &str) {
        let both = |body: &str| {
            let mentions = |word: &str| mentions(Tokens::Postgres, body, word);
            mentions(column) && mentions(&table.name)
        };
        let found: Vec<Name> = self
            .around
            .schema
            .routines
            .iter()
            .filter(|(_, routine)| both(&routine.body.text))
            .map(|(name, _)| name.clone())
            .collect();
        for routine in found {
            self.breaks(
                table,
                format!(
                    "the function `{routine}` names `{column}`, and fails when it is called next"
                ),
            );
        }
    }

    pub(super) fn table_in_routines(&mut self, table: &Name) {
        let found: Vec<Name> = self
            .around
            .schema
            .routines
            .iter()
            .filter(|(_, routine)| mentions(Tokens::Postgres, &routine.body.text, &table.name))
            .map(|(name, _)| name.clone())
            .collect();
        for routine in found {
            let what = format!(
                "the function `{routine}` names `{}`, and fails when it is called next",
                table.name
            );
            self.breaks(table, what);
        }
    }
}
