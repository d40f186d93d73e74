//! PostgreSQL's own online path: statements that hold no lock while they work, in order.

use super::preflight::{self, Seen, Verdict};
use super::{Decision, Plan, Step, estimate};
use crate::gate::Surroundings;
use crate::gate::effects::{self, Effects};
use crate::rewrite::steps::{self, Doing};
use crate::sql::schema::Schema;
use crate::sql::statement::{Action, AlterTable, Statement, What};

/// An ALTER that waits behind a reader keeps every other reader waiting as well; half a second and many
/// attempts kept the worst read at 0.65 s where one attempt without a limit made it 3.5 s.
const LOCK_TIMEOUT: std::time::Duration = std::time::Duration::from_millis(500);

pub(super) fn plan(seen: &Seen) -> Plan {
    let checks = preflight::postgres(seen);
    let mut reasons: Vec<String> = Vec::new();
    let mut path = Path { seen, schema: seen.change.before.clone(), steps: Vec::new() };
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
        file: seen.request.file.clone(),
        url_env: seen.request.url_env.clone(),
        server: format!("{} {}", seen.server.product, seen.server.version),
        host: seen.facts.host.clone(),
        port: seen.facts.port,
        database: seen.table.schema.clone(),
        table: seen.table.name.clone(),
        clauses: seen.change.clauses.clone(),
        decision,
        reasons,
        steps,
        command: None,
        flags: Vec::new(),
        estimate: estimate::of(seen.facts, decision, false, 0),
        checks,
        losses: Vec::new(),
        installed: Vec::new(),
        advice: Vec::new(),
        files: String::new(),
        defaults_file: String::new(),
        lock_wait: LOCK_TIMEOUT.min(seen.request.lock_wait),
    }
}

/// The change, clause by clause.
fn pieces(seen: &Seen) -> Vec<(Statement, String)> {
    let statement = &seen.change.statement;
    let What::AlterTable(alter) = &statement.what else {
        return vec![(statement.clone(), seen.change.clauses.clone())];
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
        let (text, release) = (&self.seen.change.text, self.seen.facts.release);
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
                Doing::Besides(note) => self.steps.push(Step { sql: None, note, alone: false }),
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
        Ok(())
    }

    fn push(&mut self, statement: &Statement, sql: &str, note: &str) {
        self.schema.apply(statement);
        let step =
            Step { sql: Some(sql.to_owned()), note: note.to_owned(), alone: is_alone(statement) };
        self.steps.push(step);
    }

    /// With the settings between them.
    fn finish(self) -> Vec<Step> {
        let limit = LOCK_TIMEOUT.min(self.seen.request.lock_wait).as_millis();
        let set = |value: String, note: &str| Step {
            sql: Some(format!("SET lock_timeout = {value}")),
            note: note.to_owned(),
            alone: false,
        };
        let mut steps = Vec::new();
        let mut limited = None;
        for step in self.steps {
            if step.sql.is_some() && limited != Some(!step.alone) {
                limited = Some(!step.alone);
                steps.push(if step.alone { set(
                        "0".to_owned(),
                        "it waits for transactions while it locks nobody out, and one that is cut off \
                         there leaves an index that is not valid",
                    ) } else { set(
                        format!("'{limit}ms'"),
                        "whoever comes after it waits as long as it waits; error 55P03 means: nothing \
                         was done, try again",
                    ) });
            }
            steps.push(step);
        }
        steps
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
