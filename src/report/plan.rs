//! A plan for people and for machines.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::count;
use crate::control::Standing;
use crate::plan::{Convergence, Pause, Plan, Proof, Undo};
use crate::spec::{Durability, Duration, Walk};
use crate::target::Dialect;
use crate::throttle::{Origin, Watched};

fn pause_text(plan: &Plan) -> String {
    match plan.pace.pause {
        Pause::None => "no pause".to_owned(),
        Pause::AsLong => "then a pause as long as the batch took".to_owned(),
        Pause::Fixed(time) => format!("then a pause of {time:?}"),
    }
}

/// How fast the job may go besides, and how far one run.
fn pace_text(plan: &Plan) -> Option<String> {
    let (pace, ends) = (&plan.pace, &plan.pace.ends);
    let parts = [
        pace.rows_per_second.map(|rate| format!("at most {} rows a second", count(rate))),
        (0.0 < pace.nice).then(|| format!("sleeps {} times as long as it works", pace.nice)),
        ends.max_runtime.map(|time| format!("a run ends after {}", Duration(time))),
        ends.max_rows.map(|rows| format!("a run ends after {} changed rows", count(rows))),
        plan.spec
            .limits
            .max_outage
            .map(|time| format!("a run waits for at most {time} for a server that is away")),
        ends.max_errors.map(|errors| {
            format!("a run fails when more than {} batches had to be tried again", count(errors))
        }),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("\n"))
}

fn signal_json(watched: &Watched) -> Value {
    json!({
        "signal": watched.signal.name,
        "watched": watched.is_watched(),
        "asked_for_by": match watched.origin {
            Origin::Spec => "spec",
            Origin::Team => "config",
            Origin::Default => "default",
        },
        "pause": watched.band.pause,
        "resume": watched.band.resume,
        "value": watched.worst().map(|(_, value)| value),
        "unread": watched.unread(),
        "text": watched.line(),
    })
}

/// What stands around the plan and comes from outside of the job's spec.
#[derive(Debug)]
pub struct Surroundings {
    /// The `backstop.toml` that counts.
    pub config: Option<PathBuf>,
    /// Each kill file, and whether it is there.
    pub kill_files: Vec<(PathBuf, Option<Standing>)>,
}

impl Surroundings {
    fn config_text(&self) -> String {
        match &self.config {
            Some(file) => file.display().to_string(),
            None => "defaults: no `backstop.toml` here or above".to_owned(),
        }
    }
}

/// Where old values are kept, for how long, and what they take.
fn undo_text(plan: &Plan, undo: &Undo) -> String {
    let made = if undo.place.exists { "" } else { " (made on the first run)" };
    let rows = plan.estimate.as_ref().map(|estimate| estimate.rows);
    let takes = match rows {
        Some(rows) => {
            let size = match rows.saturating_mul(undo.bytes_per_row) >> 20 {
                0 => "less than 1MiB".to_owned(),
                mebibytes => format!("about {}MiB", count(mebibytes)),
            };
            format!("{size} if all {} rows change", count(rows))
        }
        None => "as much as the rows that are changed make it".to_owned(),
    };
    format!(
        "old values are kept in {}{made} for {}: {} bytes a row, {takes}\nto put them back: backstop \
         undo {}",
        undo.place.table,
        Duration(undo.keep),
        count(undo.bytes_per_row),
        plan.spec.job.name
    )
}

fn kill_file_text(path: &Path, standing: Option<&Standing>) -> String {
    let path = path.display();
    match standing.map(|standing| standing.reason.as_deref()) {
        None => format!("{path} (absent)"),
        Some(None) => format!("{path} is PRESENT: the job does not begin"),
        Some(Some(reason)) => format!("{path} is PRESENT: the job does not begin ({reason})"),
    }
}

/// Everything that will happen, for people.
#[must_use]
pub fn plan_text(plan: &Plan, dialect: &dyn Dialect, around: &Surroundings) -> String {
    let (after, upto) = plan.statements.example();
    let statements = &plan.statements;
    let mut text = String::new();
    let mut field = |name: &str, value: String| {
        let value = value.replace('\n', "\n              ");
        text.push_str(&format!("{name:<12}  {value}\n"));
    };
    let spec = &plan.spec;
    field(
        "job",
        match &spec.job.description {
            Some(description) => format!("{}: {description}", spec.job.name),
            None => spec.job.name.clone(),
        },
    );
    if let Some(owner) = &spec.job.owner {
        field("owner", owner.clone());
    }
    field(
        "target",
        format!(
            "{} ({}), {} {}",
            plan.target_name, plan.address, plan.server.product, plan.server.version
        ),
    );
    field(
        "table",
        format!(
            "{}, {}",
            plan.table,
            match &plan.table.estimate {
                Some(estimate) => {
                    format!("about {} rows ({})", count(estimate.rows), estimate.source)
                }
                None => "number of rows unknown to the catalog".to_owned(),
            }
        ),
    );
    if plan.statements.walk == Walk::Predicate {
        let rows = plan.estimate.as_ref().map_or_else(
            || "the rows that match `where`; how many is unknown".to_owned(),
            |estimate| format!("about {} {}", count(estimate.rows), estimate.source),
        );
        field("walk", rows);
    }
    field("key", format!("{} ({})", plan.key_names().join(", "), plan.index_reason));
    field(
        "batch",
        format!(
            "sized to take {:?}, at most {} rows and {} of the server's log; {} worker{}, {}",
            plan.pace.target_time,
            count(plan.pace.max_rows),
            plan.pace.max_log,
            plan.pace.workers,
            if plan.pace.workers == 1 { "" } else { "s" },
            pause_text(plan),
        ),
    );
    if let Some(pace) = pace_text(plan) {
        field("pace", pace);
    }
    for watched in &plan.signals {
        field("signal", watched.line());
    }
    if plan.spec.batch.durability == Durability::Async {
        field(
            "commit",
            "waits for nothing; a crash of the server may undo the latest batches, rows and cursor \
             together; every stop and the end of each range wait for the disk"
                .to_owned(),
        );
    }
    field("window", statements.boundary(dialect, Some(&after), &upto, 1).sql);
    if let Some(lock) = plan.lock_step(&plan.pace, dialect, Some(&after), &upto) {
        field("lock", lock.sql);
    }
    match &plan.undo {
        Some(undo) => {
            for (name, sql) in undo.statements(dialect, statements) {
                field(name, sql);
            }
            field("undo", undo_text(plan, undo));
        }
        None => field("write", statements.write(dialect, Some(&after), &upto).sql),
    }
    field(
        "fence",
        match &plan.fence {
            Some(home) if home.exists() => home.fence.table.clone(),
            Some(home) => format!("{} (made on the first run)", home.fence.table),
            None => "none".to_owned(),
        },
    );
    field("guarantee", plan.guarantee());
    let checks = plan.checks();
    field(
        "afterwards",
        if checks.is_empty() {
            "nothing is checked: add `[verify] expect` or a `where`".to_owned()
        } else {
            checks.join("\n")
        },
    );
    for chore in &plan.after {
        field(chore.maintenance.name(), format!("{} (when every row is written)", chore.sql()));
    }
    if statements.verifies() {
        let statements = &plan.verification;
        field("check", statements.verify(dialect, Some(&after), &upto, true, true).sql);
    }
    for setting in &plan.server.settings {
        field("setting", format!("{} = {} ({})", setting.name, setting.value, setting.source));
    }
    for note in &plan.notes {
        field("note", note.clone());
    }
    field("config", around.config_text());
    for (path, standing) in &around.kill_files {
        field("kill file", kill_file_text(path, standing.as_ref()));
    }
    field("spec", format!("hash {}", plan.spec_hash.get(..16).unwrap_or(&plan.spec_hash)));
    text
}

/// Everything that will happen, for machines. Fields are only ever added.
#[must_use]
pub fn plan_json(plan: &Plan, dialect: &dyn Dialect, around: &Surroundings) -> Value {
    let kill_files = around.kill_files.iter().map(|(path, standing)| {
        json!({
            "path": path.display().to_string(),
            "present": standing.is_some(),
            "reason": standing.as_ref().and_then(|standing| standing.reason.as_ref()),
        })
    });
    let (after, upto) = plan.statements.example();
    let statements = &plan.statements;
    json!({
        "job": plan.spec.job.name,
        "spec_hash": plan.spec_hash,
        "spec": plan.spec.canonical(),
        "target": {
            "name": plan.target_name,
            "address": plan.address,
            "product": plan.server.product,
            "version": plan.server.version,
            "settings": plan.server.settings,
        },
        "table": {
            "schema": plan.table.schema,
            "name": plan.table.name,
            "partition": plan.table.partition,
        },
        "estimated_rows": plan.table.estimate,
        "key": { "columns": plan.key_names(), "index": plan.index.index, "why": plan.index_reason },
        "batch": {
            "target_seconds": plan.pace.target_time.as_secs_f64(),
            "max_rows": plan.pace.max_rows,
            "max_log_bytes": plan.pace.max_log.0,
            "workers": plan.pace.workers,
            "walk": plan.statements.walk,
            "durability": plan.spec.batch.durability,
            "estimated_rows": plan.estimate,
        },
        "pace": {
            "rows_per_second": plan.pace.rows_per_second,
            "nice": plan.pace.nice,
            "max_runtime_seconds": plan.pace.ends.max_runtime.map(|time| time.as_secs_f64()),
            "max_rows": plan.pace.ends.max_rows,
            "max_outage_seconds": plan.pace.ends.max_outage.as_secs_f64(),
            "max_errors": plan.pace.ends.max_errors,
        },
        "signals": plan.signals.iter().map(signal_json).collect::<Vec<_>>(),
        "sql": {
            "window": statements.boundary(dialect, Some(&after), &upto, 1).sql,
            "lock": plan.lock_step(&plan.pace, dialect, Some(&after), &upto).map(|lock| lock.sql),
            "write": statements.write(dialect, Some(&after), &upto).sql,
            "verify": statements
                .verifies()
                .then(|| plan.verification.verify(dialect, Some(&after), &upto, true, true).sql),
        },
        "fence": plan.fence.as_ref().map(|home| json!({
            "table": home.fence.table,
            "exists": home.fence.exists,
            "ddl": home.fence.ddl,
            "switch": {
                "table": home.switch.table,
                "exists": home.switch.exists,
                "ddl": home.switch.ddl,
            },
        })),
        "undo": plan.undo.as_ref().map(|undo| json!({
            "table": undo.place.table,
            "exists": undo.place.exists,
            "ddl": undo.place.ddl,
            "keep_seconds": undo.keep.as_secs(),
            "bytes_per_row": undo.bytes_per_row,
            "statements": undo
                .statements(dialect, statements)
                .into_iter()
                .map(|(name, sql)| json!({ "step": name, "sql": sql }))
                .collect::<Vec<_>>(),
        })),
        "guarantee": plan.guarantee(),
        "exactly_once": plan.spec.update.exactly_once,
        "convergence": match &plan.convergence {
            Convergence::Convergent(why) => json!({ "convergent": true, "why": [why] }),
            dependent @ Convergence::Dependent(_) => {
                json!({ "convergent": false, "why": dependent.doubts() })
            }
        },
        "checks": plan.checks(),
        "after": plan.after.iter().map(|chore| json!({
            "what": chore.maintenance.name(),
            "sql": chore.sql(),
        })).collect::<Vec<_>>(),
        "notes": plan.notes,
        "config": around.config.as_ref().map(|file| file.display().to_string()),
        "kill_files": kill_files.collect::<Vec<_>>(),
    })
}

/// What a sample showed, for machines.
#[must_use]
pub fn proof_json(proof: &Proof) -> Value {
    let result = match proof {
        Proof::NotClaimed => "not_claimed",
        Proof::Refuted { .. } => "refuted",
        Proof::NotRefuted { .. } => "not_refuted",
        Proof::NotTried(_) => "not_tried",
    };
    json!({ "result": result, "text": proof.text() })
}
