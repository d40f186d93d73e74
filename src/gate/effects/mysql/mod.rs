//! What a statement does on MySQL and MariaDB.
//!
//! A clause of `ALTER TABLE` is one or more *changes* ([`change`]), as the storage engine sees
//! them; each has its cost on a table of that shape and a server of that version, and the dearest
//! decides, with the exceptions in [`combine`]. `tests/effects/mysql.sql` asks real servers whether
//! all of this is so.

mod alter;
mod breaks;
mod change;
mod clauses;
mod column;
mod combine;
mod order;
mod partition;
mod refuse;
mod shape;
mod tables;
mod told;
mod types;
mod version;
mod why;

use super::{Effects, Verdict};
use crate::gate::Surroundings;
use crate::sql::statement::{
    Body, Maintenance, Name, Scope, Setting, Statement, Transaction, What,
};

/// What the statement does.
pub(super) fn effects(statement: &Statement, around: &Surroundings) -> Effects {
    match &statement.what {
        What::AlterTable(alter) => alter::alter(alter, around),
        What::CreateIndex(index) => alter::create_index(index, around),
        What::DropIndex { drop, table, online, .. } => {
            alter::drop_index(drop, table.as_ref(), *online, around)
        }
        What::CreateTable(create) => tables::create(create, around),
        What::DropTable(drop) => tables::drop(drop, around),
        What::RenameTables(pairs) => tables::rename(pairs, around),
        What::Truncate { tables, .. } => tables::truncate(tables, around),
        What::Maintenance { of: Maintenance::Optimize, tables } => alter::optimize(tables, around),
        What::Maintenance { tables, .. } => tables::analyze(tables),
        What::LockTables { tables, .. } => tables::lock(tables),
        What::CreateView { name, reads, .. } => {
            tables::view(std::slice::from_ref(name), reads, false, around)
        }
        What::DropView { drop, .. } => {
            let mut effects = tables::view(&drop.names, &[], true, around);
            let known = |name: &&Name| around.schema.views.contains_key(*name);
            if around.schema.complete && !drop.if_exists && !drop.names.iter().all(|n| known(&n)) {
                effects.fails = Some("there is no such view".to_owned());
            }
            effects
        }
        What::CreateTrigger { table, .. } => tables::belonging(Some(table)),
        What::DropTrigger { name, if_exists, .. } => drop_trigger(name, *if_exists, around),
        What::TableObject { table, .. } => tables::belonging(table.as_ref()),
        What::Dml(dml) => tables::dml(dml),
        What::Query(query) => tables::query(query),
        What::Do(body) => block(body, around),
        What::Transaction(transaction) => Effects {
            commits: matches!(transaction, Transaction::Begin | Transaction::Commit)
                && around.in_transaction,
            ..Effects::default()
        },
        What::Set(settings) => Effects {
            commits: settings.iter().any(|setting| ends(setting, around)),
            ..Effects::default()
        },
        What::DropSchema(drop) => {
            let mut effects = Effects { commits: true, ..Effects::default() };
            for name in &drop.names {
                breaks::lose(&mut effects, name, "every table in it");
            }
            effects.assume("its tables were not listed: all of them are locked and lost");
            effects
        }
        What::Unknown { why } => {
            Effects { verdict: Verdict::NotEvaluated(why.clone()), ..Effects::default() }
        }
        What::Other => Effects { commits: is_ddl(&statement.kind), ..Effects::default() },
        What::CreateRoutine { .. }
        | What::DropRoutine(_)
        | What::CreateSchema { .. }
        | What::Sequence { .. }
        | What::Grant(_) => Effects { commits: true, ..Effects::default() },
        _ => Effects {
            verdict: Verdict::NotEvaluated(format!("`{}` is not known here", statement.kind)),
            ..Effects::default()
        },
    }
}

fn drop_trigger(name: &Name, if_exists: bool, around: &Surroundings) -> Effects {
    let trigger = around.schema.triggers.get(name);
    let mut effects = tables::belonging(trigger.map(|trigger| &trigger.table));
    if around.schema.complete && trigger.is_none() {
        effects.verdict = Verdict::Proven;
        effects.fails = (!if_exists).then(|| format!("there is no trigger `{name}`"));
    }
    effects
}

/// A block that runs now: all that its statements do.
fn block(body: &Body, around: &Surroundings) -> Effects {
    let mut all = Effects::none();
    for statement in &body.statements {
        merge(&mut all, effects(statement, around));
    }
    if let Some(why) = body.unread.first() {
        all.verdict = Verdict::NotEvaluated(why.clone());
    }
    all
}

/// `SET autocommit = 1` ends the transaction that is open.
fn ends(setting: &Setting, around: &Surroundings) -> bool {
    let on = |value: &str| matches!(value.to_lowercase().as_str(), "1" | "on" | "true");
    setting.name == "autocommit"
        && setting.scope != Scope::Global
        && around.in_transaction
        && setting.value.as_deref().is_none_or(on)
}

fn is_ddl(kind: &str) -> bool {
    ["CREATE", "ALTER", "DROP", "RENAME", "GRANT", "REVOKE", "INSTALL", "UNINSTALL"]
        .iter()
        .any(|word| kind.starts_with(word))
}

/// What two statements do, one after the other.
fn merge(all: &mut Effects, one: Effects) {
    for lock in &one.locks {
        all.lock(lock.of, &lock.relation, lock.mode);
    }
    one.rewrite.iter().for_each(|table| all.rewrites(table));
    one.scan.iter().for_each(|table| all.scans(table));
    one.index_build.iter().for_each(|table| all.builds_index(table));
    all.algorithm = all.algorithm.max(one.algorithm);
    all.why.extend(one.why);
    all.loss.extend(one.loss);
    all.breaks.extend(one.breaks);
    all.fails = all.fails.take().or(one.fails);
    all.commits |= one.commits;
    match one.verdict {
        Verdict::Proven => {}
        Verdict::Assumed(what) => all.assume(what),
        Verdict::NotEvaluated(why) => all.verdict = Verdict::NotEvaluated(why),
    }
}

#[cfg(test)]
mod tests;
