//! What a statement does on SQLite.
//!
//! There is one lock, on the file, and one writer at a time: what differs is how long it writes.
//! In WAL mode readers go on; other writers wait for their `busy_timeout` and fail then.

mod alter;

use super::{Break, Effects, Loss, Mode, Relation, Verdict};
use crate::gate::Surroundings;
use crate::sql::statement::{
    Body, CreateIndex, CreateTable, Drop, Maintenance, Name, Statement, Transaction, What,
};

/// What the statement does.
pub(super) fn effects(statement: &Statement, around: &Surroundings) -> Effects {
    match &statement.what {
        What::AlterTable(alter) => alter::alter(alter, around),
        What::CreateTable(create) => create_table(create, around),
        What::DropTable(drop) => drop_table(drop, around),
        What::CreateIndex(index) => create_index(index, around),
        What::DropIndex { drop, .. } => drop_index(drop, around),
        What::Reindex { name, .. } => reindex(name.as_ref(), around),
        What::Maintenance { of, tables } => maintenance(*of, tables, around),
        What::DropView { drop, .. } => {
            let mut effects = writes();
            for view in &drop.names {
                breaks(&mut effects, view, format!("code that reads the view `{view}` fails"));
            }
            effects
        }
        What::CreateView { .. }
        | What::CreateTrigger { .. }
        | What::DropTrigger { .. }
        | What::Dml(_) => writes(),
        What::Transaction(transaction) => Effects {
            fails: (*transaction == Transaction::Begin && around.in_transaction)
                .then(|| "a transaction is open already".to_owned()),
            ..Effects::default()
        },
        What::Do(body) => block(body, around),
        What::Query(_) | What::Set(_) | What::Other => Effects::none(),
        What::Unknown { why } => {
            Effects { verdict: Verdict::NotEvaluated(why.clone()), ..Effects::default() }
        }
        _ => Effects {
            verdict: Verdict::NotEvaluated(format!("`{}` is not known here", statement.kind)),
            ..Effects::default()
        },
    }
}

/// A statement that writes to the file.
fn writes() -> Effects {
    let mut effects = Effects::none();
    effects.lock(Relation::Database, &Name::plain("main"), Mode::Exclusive);
    effects
}

fn breaks(effects: &mut Effects, relation: &Name, what: String) {
    effects.breaks.push(Break { relation: relation.clone(), what });
}

fn loses(effects: &mut Effects, relation: &Name, what: String) {
    effects.loss.push(Loss { relation: relation.clone(), what });
}

fn create_table(create: &CreateTable, around: &Surroundings) -> Effects {
    if create.temporary {
        return Effects::none();
    }
    let mut effects = writes();
    let taken = around.schema.table(&create.name).is_some()
        || around.schema.views.contains_key(&create.name);
    if taken && !create.if_not_exists {
        effects.fails = Some(format!("the table `{}` exists already", create.name));
    }
    for read in create.from_query.iter().flat_map(|query| &query.reads) {
        effects.scans(read);
    }
    effects
}

fn drop_table(drop: &Drop, around: &Surroundings) -> Effects {
    let mut effects = writes();
    for name in &drop.names {
        if around.schema.complete && around.schema.table(name).is_none() {
            if !drop.if_exists {
                effects.fails = Some(format!("the table `{name}` does not exist"));
            }
            continue;
        }
        loses(&mut effects, name, "all its rows, and its indexes and triggers".to_owned());
        breaks(&mut effects, name, format!("code that names the table `{name}` fails"));
        for (view, _) in around.schema.views_of(name) {
            breaks(&mut effects, view, format!("the view `{view}` reads `{name}`, and fails"));
        }
        let mut children = around.schema.referring_to(name).map(|(child, ..)| child);
        if around.foreign_key_checks
            && let Some(child) = children.find(|child| *child != name)
        {
            effects.scans(child);
            effects.why.push(format!(
                "with `foreign_keys` on, the rows of `{child}` that refer to `{name}` are looked for"
            ));
        }
    }
    effects
}

fn create_index(index: &CreateIndex, around: &Surroundings) -> Effects {
    let mut effects = writes();
    let taken = index.name.as_ref().is_some_and(|name| around.schema.indexes.contains_key(name));
    if taken && index.if_not_exists {
        return effects;
    }
    if let (true, Some(name)) = (taken, &index.name) {
        effects.fails = Some(format!("the index `{name}` exists already"));
    }
    effects.builds_index(&index.table);
    effects
}

fn drop_index(drop: &Drop, around: &Surroundings) -> Effects {
    let mut effects = writes();
    for name in &drop.names {
        match around.schema.indexes.get(name) {
            Some(index) if index.of_constraint => {
                effects.fails = Some(format!("the index `{name}` belongs to a constraint"));
            }
            None if around.schema.complete && !drop.if_exists => {
                effects.fails = Some(format!("there is no index `{name}`"));
            }
            _ => {}
        }
    }
    effects
}

fn reindex(name: Option<&Name>, around: &Surroundings) -> Effects {
    let mut effects = writes();
    let of_index = name.and_then(|name| around.schema.indexes.get(name));
    match (name, of_index) {
        (_, Some(index)) => effects.builds_index(&index.table),
        (Some(name), None) => effects.builds_index(name),
        (None, None) => {
            around.schema.tables.keys().for_each(|table| effects.builds_index(table));
        }
    }
    effects
}

fn maintenance(of: Maintenance, tables: &[Name], around: &Surroundings) -> Effects {
    let mut effects = writes();
    let all = || around.schema.tables.keys();
    match of {
        Maintenance::Vacuum | Maintenance::VacuumFull => {
            all().for_each(|table| effects.rewrites(table));
            effects
                .why
                .push("`VACUUM` writes the whole file anew, and needs as much again".to_owned());
            if around.in_transaction {
                effects.fails = Some("`VACUUM` does not run in a transaction".to_owned());
            }
        }
        _ if tables.is_empty() => all().for_each(|table| effects.scans(table)),
        _ => tables.iter().for_each(|table| effects.scans(table)),
    }
    effects
}

fn block(body: &Body, around: &Surroundings) -> Effects {
    let mut all = Effects::none();
    for statement in &body.statements {
        let one = effects(statement, around);
        for lock in &one.locks {
            all.lock(lock.of, &lock.relation, lock.mode);
        }
    }
    all.verdict = Verdict::NotEvaluated("SQLite runs no blocks of code".to_owned());
    all
}

#[cfg(test)]
mod tests;
