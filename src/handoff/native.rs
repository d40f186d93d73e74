//! PostgreSQL's own online path: statements that hold no lock while they work, in order.

use std::time::Duration;

use super::preflight::{self, Seen, Verdict};
use super::{Decision, Does, Plan, Step, estimate, leaves};
use crate::gate::Surroundings;
use crate::gate::effects::{self, Effects};
use crate::rewrite::steps::{self, Doing};
use crate::sql::schema::{Schema, plain};
use crate::sql::statement::{Action, AlterTable, CreateIndex, Drop, Name, Statement, What};
use crate::target::{Effect, Place};

/// An ALTER that waits behind a reader keeps every other reader waiting as well; half a second and many
/// attempts kept the worst read at 0.65 s where one attempt without a limit made it 3.5 s.
const LOCK_TIMEOUT: Duration = Duration::from_millis(500);

pub(super) fn plan(seen: &Seen) -> Plan {
    let checks = preflight::postgres(seen);
    let mut reasons: Vec<String> = Vec::new();
    let mut path = Path { seen, schema: seen.change.before.clone(), steps: Vec::new() };
    path.clear();
    let mut refused = false;
    for (statement, sql) in pieces(seen) {
        if let Err(why) = path.take(&statement, &sql) {
            reasons.push(why);
            refused = true;
        }
    }
    for check in &checks {
        for found in check.on(None).filter(|found| found.verdict == Verdict::Fail) {
            reasons.push(found.message.clone());
            refused = true;
        }
    }
    let decision = if refused { Decision::Refuse } else { Decision::Native };
    let steps = if refused { Vec::new() } else { path.finish() };
    if !refused {
        reasons.insert(
            0,
            "PostgreSQL makes the change itself, by statements that let the table be read and written \
             while they work; each waits for its lock but a moment, and is tried again"
                .to_owned(),
        );
    }
    Plan {
        reasons,
        steps,
        checks,
        lock_wait: LOCK_TIMEOUT.min(seen.request.lock_wait),
        ..Plan::about(seen, decision, estimate::of(seen.facts, decision, false, 0))
    }
}

/// The change, clause by clause.
fn pieces(seen: &Seen) -> Vec<(Statement, String)> {
    let statement = &seen.change.statement;
    let alter = match &statement.what {
        What::AlterTable(alter) => alter,
        What::CreateIndex(index) => return vec![named(statement, index, &seen.change.clauses)],
        _ => return vec![(statement.clone(), seen.change.clauses.clone())],
    };
    let piece = |action: &(Action, std::ops::Range<usize>)| {
        let one = AlterTable { actions: vec![action.clone()], ..alter.clone() };
        let clause = seen.change.text.get(action.1.clone()).unwrap_or_default();
        let clause: Vec<&str> = clause.split_whitespace().collect();
        let only = if alter.only { "ONLY " } else { "" };
        let sql = format!("ALTER TABLE {only}{} {}", alter.name, clause.join(" "));
        (Statement { what: What::AlterTable(one), ..statement.clone() }, sql)
    };
    alter.actions.iter().map(piece).collect()
}

/// An index under a name: one that is cut off is found again by it.
fn named(statement: &Statement, index: &CreateIndex, sql: &str) -> (Statement, String) {
    let name = steps::index_name(index);
    let named = CreateIndex { name: Some(Name::plain(&name)), ..index.clone() };
    let sql = match steps::index_text(sql) {
        Some(text) if text.name.is_empty() => format!("{} {name} {}", text.head, text.on),
        _ => sql.to_owned(),
    };
    let what = What::CreateIndex(Box::new(named));
    (Statement { what, span: 0..sql.len(), ..statement.clone() }, sql)
}

struct Path<'a> {
    seen: &'a Seen<'a>,
    schema: Schema,
    steps: Vec<Step>,
}

impl Path<'_> {
    fn effects(&self, statement: &Statement) -> Effects {
        let around = Surroundings {
            server: self.seen.facts.release,
            schema: &self.schema,
            in_transaction: false,
            utc: None,
            foreign_key_checks: true,
        };
        effects::effects(statement, &around)
    }

    /// Takes one clause, as it stands or by the way around.
    fn take(&mut self, statement: &Statement, sql: &str) -> Result<(), String> {
        let effects = self.effects(statement);
        if let Some(why) = &effects.fails {
            return Err(format!("the server refuses `{sql}`: {why}"));
        }
        if let effects::Verdict::NotEvaluated(why) = &effects.verdict {
            return Err(format!("`{sql}` could not be judged: {why}"));
        }
        if !holds_up(&effects) {
            self.push(statement, sql, "it is done at once");
            return Ok(());
        }
        // An index was given its name, and stands alone; clauses stand where they were written.
        let text = match &statement.what {
            What::CreateIndex(_) => sql,
            _ => self.seen.change.text.as_str(),
        };
        let release = self.seen.facts.release;
        let first = self.steps.len();
        let doing = match steps::instead(statement, text, &self.schema, release) {
            Ok(doing) => doing,
            Err(advice) => {
                let advice =
                    advice.map(|advice| format!("; instead:\n{advice}")).unwrap_or_default();
                return Err(format!(
                    "PostgreSQL has no online path for `{sql}`: the table is locked while its rows are \
                     gone through, and no statement does it otherwise{advice}"
                ));
            }
        };
        for one in doing {
            match one {
                Doing::Besides(note) => {
                    self.steps.push(Step { sql: None, note, alone: false, does: Does::ByHand });
                }
                Doing::Statement(statement, sql, note) => {
                    if holds_up(&self.effects(&statement)) {
                        return Err(format!(
                            "`{sql}` would lock the table while its rows are gone through"
                        ));
                    }
                    self.push(&statement, &sql, &note);
                }
            }
        }
        spare(&mut self.steps[first..]);
        Ok(())
    }

    /// Makes way for an index where an earlier attempt at it has failed: `IF NOT EXISTS` would pass over
    /// what that has left.
    fn clear(&mut self) {
        let What::CreateIndex(index) = &self.seen.change.statement.what else { return };
        let name = steps::index_name(index);
        if !self.seen.facts.invalid_indexes.contains(&name) {
            return;
        }
        let place = Place { schema: self.seen.table.schema.clone(), name: name.clone() };
        let name = Name { schema: Some(place.schema.clone()), name };
        self.steps.push(Step {
            sql: Some(format!("DROP INDEX CONCURRENTLY {}", plain(&name))),
            note: "an earlier build of it failed, and what that left is not valid".to_owned(),
            alone: true,
            does: Does::Change {
                leaves: vec![Effect::NoInvalidIndex(place)],
                spared_by: Vec::new(),
            },
        });
        let drop = Drop { names: vec![name], if_exists: false, cascade: false, temporary: false };
        let dropped = What::DropIndex {
            drop,
            table: None,
            concurrently: true,
            online: crate::sql::statement::Online::default(),
        };
        self.schema.apply(&Statement { what: dropped, ..self.seen.change.statement.clone() });
    }

    fn push(&mut self, statement: &Statement, sql: &str, note: &str) {
        self.schema.apply(statement);
        let does = Does::Change { leaves: leaves::of(sql, self.seen.table), spared_by: Vec::new() };
        self.steps.push(Step {
            sql: Some(sql.to_owned()),
            note: note.to_owned(),
            alone: is_alone(statement),
            does,
        });
    }

    /// With the settings between them.
    fn finish(self) -> Vec<Step> {
        let limit = LOCK_TIMEOUT.min(self.seen.request.lock_wait);
        let mut steps = Vec::new();
        let mut limited = None;
        for step in self.steps {
            let patient = step.sql.as_deref().is_some_and(|_| step.alone && !detaches(&step));
            if step.sql.is_some() && limited != Some(!patient) {
                limited = Some(!patient);
                let (wait, note) = if patient {
                    (
                        Duration::ZERO,
                        "it waits for transactions while it locks nobody out, and one that is cut off \
                         there leaves an index that is not valid",
                    )
                } else {
                    (
                        limit,
                        "whoever comes after it waits as long as it waits; error 55P03 means: nothing \
                         was done, try again",
                    )
                };
                steps.push(Step {
                    sql: Some(leaves::postgres_lock_wait(wait)),
                    note: note.to_owned(),
                    alone: false,
                    does: Does::LockWait(wait),
                });
            }
            steps.push(step);
        }
        steps
    }
}

/// A partition that is detached concurrently is locked against everybody at its end: whoever waits for
/// that keeps its readers waiting, so it must not wait long.
fn detaches(step: &Step) -> bool {
    matches!(&step.does, Does::Change { leaves, .. }
        if leaves.iter().any(|leaf| matches!(leaf, Effect::Partition { attached: false, .. })))
}

/// What makes and validates a constraint that a later step drops is needed only until what stands between
/// them is done.
fn spare(steps: &mut [Step]) {
    let leaves = |step: &Step| match &step.does {
        Does::Change { leaves, .. } => leaves.clone(),
        _ => Vec::new(),
    };
    let of = |effect: &Effect| match effect {
        Effect::Constraint { table, name, .. }
        | Effect::Validated { table, name }
        | Effect::NoConstraint { table, name } => Some((table.clone(), name.clone())),
        _ => None,
    };
    let dropped: Vec<_> = steps
        .iter()
        .flat_map(&leaves)
        .filter(|effect| matches!(effect, Effect::NoConstraint { .. }))
        .filter_map(|effect| of(&effect))
        .collect();
    let goal: Vec<Effect> = steps
        .iter()
        .flat_map(&leaves)
        .filter(|effect| of(effect).is_none_or(|one| !dropped.contains(&one)))
        .collect();
    if goal.is_empty() {
        return;
    }
    for step in steps {
        let made = leaves(step).iter().any(|effect| {
            !matches!(effect, Effect::NoConstraint { .. })
                && of(effect).is_some_and(|one| dropped.contains(&one))
        });
        if let Does::Change { spared_by, .. } = &mut step.does
            && made
        {
            spared_by.clone_from(&goal);
        }
    }
}

/// Whether others wait while rows are gone through.
fn holds_up(effects: &Effects) -> bool {
    let blocks = effects.blocks();
    effects.grows() && (blocks.writes || blocks.reads)
}

/// Whether it must not stand in a transaction.
fn is_alone(statement: &Statement) -> bool {
    match &statement.what {
        What::CreateIndex(index) => index.concurrently,
        What::DropIndex { concurrently, .. } => *concurrently,
        What::AlterTable(alter) => alter.actions.iter().any(|(action, _)| {
            matches!(action, Action::DetachPartition { concurrently: true, .. })
        }),
        _ => false,
    }
}
