//! Views and materialized views.

use super::{Judge, Mode};
use crate::gate::effects::Relation;
use crate::sql::schema::{Index, plain};
use crate::sql::statement::{Drop, IndexPart, Name};

impl Judge<'_> {
    pub(super) fn drop_views(&mut self, drop: &Drop, materialized: bool) {
        let (of, kind) = if materialized {
            (Relation::MaterializedView, "materialized view")
        } else {
            (Relation::View, "view")
        };
        for name in &drop.names {
            if self.is_missing(name) {
                if !drop.if_exists {
                    self.fails(format!("there is no {kind} `{name}`"));
                }
                continue;
            }
            if self.around.schema.complete && self.kind(name) != of {
                self.fails(format!("`{name}` is no {kind}"));
            }
            self.effects.lock(of, &plain(name), Mode::AccessExclusiveLock);
            self.lock_indexes(name, Mode::AccessExclusiveLock);
            self.breaks(name, "code that still reads it fails");
            let mut readers = self.readers_of(name);
            if drop.cascade {
                self.lock_readers(&readers);
                continue;
            }
            readers.retain(|reader| !drop.names.iter().any(|name| plain(name) == *reader));
            if let Some(routine) = self.routine_on(name) {
                self.fails(format!("the function `{routine}` depends on it"));
            }
            if let Some(reader) = readers.first() {
                self.fails(format!("the view `{reader}` reads it"));
            }
        }
    }

    /// A view that takes the place of another keeps its columns, and may have more behind them.
    pub(super) fn refuse_view(&mut self, name: &Name, or_replace: bool, columns: &[String]) {
        let Some(had) = self.around.schema.views.get(&plain(name)) else { return };
        if !or_replace || had.columns.is_empty() || columns.is_empty() {
            return;
        }
        let kept = had.columns.iter().zip(columns).take_while(|(had, is)| had == is).count();
        if let Some(lost) = had.columns.get(kept) {
            self.fails(format!("the view loses its column `{lost}`, or has another in its place"));
        }
    }

    /// The views that read a relation, and those that read them, to the last.
    pub(super) fn readers_of(&self, relation: &Name) -> Vec<Name> {
        let mut found: Vec<Name> = Vec::new();
        let mut open = vec![plain(relation)];
        while let Some(one) = open.pop() {
            for (reader, _) in self.around.schema.views_of(&one) {
                if !found.contains(reader) {
                    found.push(reader.clone());
                    open.push(reader.clone());
                }
            }
        }
        found
    }

    /// Locks views that go with what they read.
    pub(super) fn lock_readers(&mut self, readers: &[Name]) {
        for reader in readers {
            self.lock(reader, Mode::AccessExclusiveLock);
            self.lock_indexes(reader, Mode::AccessExclusiveLock);
            self.breaks(reader, "it goes with what it reads, and code that reads it fails");
        }
    }

    pub(super) fn refresh(&mut self, name: &Name, concurrently: bool, with_data: bool) {
        let view = plain(name);
        self.refuse_refresh(name, concurrently);
        let mode = if concurrently { Mode::ExclusiveLock } else { Mode::AccessExclusiveLock };
        self.effects.lock(Relation::MaterializedView, &view, mode);
        if with_data {
            let reads = self.around.schema.views.get(&view).map(|view| view.reads.clone());
            for read in reads.iter().flatten() {
                self.read(read);
            }
        }
        if concurrently {
            self.lock_indexes(name, Mode::RowExclusiveLock);
            self.effects.scans(&view);
        } else {
            self.rewrite(name);
        }
    }

    fn refuse_refresh(&mut self, name: &Name, concurrently: bool) {
        if !self.around.schema.complete {
            return;
        }
        if self.kind(name) != Relation::MaterializedView {
            self.fails(format!("`{name}` is no materialized view"));
        }
        let whole = |index: &Index| {
            let parts = &index.definition.parts;
            let plain = parts.iter().all(|part| matches!(part, IndexPart::Column(..)));
            index.definition.unique && index.definition.predicate.is_none() && plain
        };
        if concurrently && !self.around.schema.indexes_of(name).any(|(_, index)| whole(index)) {
            self.fails("without a unique index on columns it cannot be refreshed concurrently");
        }
    }

    /// `LOCK TABLE`: of a view also what it reads.
    pub(super) fn lock_named(&mut self, name: &Name, mode: Mode) {
        match self.kind(name) {
            Relation::View => {
                self.lock(name, mode);
                let reads =
                    self.around.schema.views.get(&plain(name)).map(|view| view.reads.clone());
                reads.iter().flatten().for_each(|read| self.lock_named(read, mode));
            }
            Relation::MaterializedView => self.fails(format!("`{name}` is no table or view")),
            _ => self.lock_tree(name, mode),
        }
    }
}
