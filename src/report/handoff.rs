//! A plan of a handoff, for people and for machines.

use serde_json::{Value, json};

use super::{count, duration};
use crate::handoff::preflight::{Path, Verdict};
use crate::handoff::{Asked, Checked, Decision, Estimate, Outcome, Plan};
use crate::rewrite::tool::Tool;

/// Bytes in the largest unit that leaves a digit before the point.
#[expect(clippy::cast_precision_loss, reason = "one digit behind the point")]
fn bytes(number: u64) -> String {
    let number = number as f64;
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    match units.iter().find(|(unit, _)| *unit <= number) {
        Some((unit, name)) => format!("{:.1} {name}", number / unit),
        None => format!("{number} B"),
    }
}

/// What a check comes to: for the path that was taken, where one was. What speaks of other paths alone
/// is no pass.
fn word(check: &Checked, path: Option<Path>) -> &'static str {
    match check.verdict(path) {
        Verdict::Pass if !check.found.is_empty() => "n/a",
        verdict => verdict.word(),
    }
}

/// The path that was taken, if one was.
fn taken(plan: &Plan) -> Option<Path> {
    match plan.decision {
        Decision::Instant | Decision::InPlace | Decision::Native => Some(Path::Raw),
        Decision::Tool(Tool::GhOst) => Some(Path::GhOst),
        Decision::Tool(Tool::Percona) => Some(Path::Percona),
        Decision::Refuse => None,
    }
}

fn takes(estimate: &Estimate, decision: Decision) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a number of seconds")]
    let time = |seconds: u64| duration(seconds as f64);
    match decision {
        Decision::Refuse => "nothing: it is not done".to_owned(),
        Decision::Instant => "a moment, and no room".to_owned(),
        _ => format!(
            "about {} to {}; {} for the copy and {} of binary log on each server, {} in all with {} \
             replicas",
            time(estimate.seconds_least),
            time(estimate.seconds_most),
            bytes(estimate.copy_bytes),
            bytes(estimate.binlog_bytes),
            bytes(estimate.total_bytes),
            estimate.replicas
        ),
    }
}

fn loss(asked: &Asked) -> String {
    match &asked.outcome {
        Outcome::None => format!("0 rows: {}", asked.what),
        Outcome::Rows(rows, first) => {
            format!("{} rows (first: {}): {}", count(*rows), first.join("; "), asked.what)
        }
        Outcome::Unknown(why) => format!("not known, {why}: {}", asked.what),
    }
}

/// The plan as text.
#[must_use]
pub fn handoff_text(plan: &Plan) -> String {
    let mut text = String::new();
    let mut part = |name: &str, lines: &[String]| {
        let mut label = name;
        for line in lines.iter().flat_map(|line| line.lines()) {
            text.push_str(&format!("{label:<12}  {line}\n"));
            label = "";
        }
    };
    let one = |text: String| vec![text];
    part("file", &one(plan.file.clone()));
    part("server", &one(format!("{}, {}:{}", plan.server, plan.host, plan.port)));
    let size = &plan.estimate;
    part(
        "table",
        &one(format!(
            "{}.{}: about {} rows, {}, and {} of other indexes",
            plan.database,
            plan.table,
            count(size.rows),
            bytes(size.data_bytes),
            bytes(size.index_bytes)
        )),
    );
    part("change", &one(plan.clauses.clone()));
    part("decision", &one(plan.decision.name().to_owned()));
    part("why", &plan.reasons);
    part("takes", &one(takes(size, plan.decision)));
    let losses: Vec<String> = plan.losses.iter().map(loss).collect();
    part("rows lost", &losses);
    let path = taken(plan);
    let mut checks = Vec::new();
    for check in &plan.checks {
        checks.push(format!("{:<8}  {:<26}  {}", word(check, path), check.check, check.value));
        for found in check.on(path).filter(|found| found.verdict != Verdict::Pass) {
            // What refuses stands among the reasons already.
            if path.is_some() {
                checks.push(format!("{:<8}  {:<26}  {}", "", "", found.message));
            }
        }
    }
    part("preflight", &checks);
    let installed: Vec<String> = plan
        .installed
        .iter()
        .map(|found| match &found.version {
            Ok((major, minor, patch)) => {
                format!("{} {major}.{minor}.{patch}", found.tool.program())
            }
            Err(why) => why.clone(),
        })
        .collect();
    part("tools", &installed);
    let flag = |set: bool| {
        let of = plan.flags.iter().filter(move |pair| pair.is_set() == set);
        of.map(|pair| format!("{} ({}): {}", pair.flag, pair.on, pair.why)).collect::<Vec<_>>()
    };
    part("set", &flag(true));
    part("never", &flag(false));
    part("advice", &plan.advice);
    if let Some(command) = &plan.command {
        part("arguments", &one(json!(command.vector()).to_string()));
        text.push_str(&format!("\n{}\n", command.shell()));
    }
    if !plan.steps.is_empty() {
        text.push('\n');
    }
    for step in &plan.steps {
        for line in step.note.lines() {
            text.push_str(&format!("-- {line}\n"));
        }
        match &step.sql {
            Some(sql) => text.push_str(&format!("{sql};\n")),
            None => text.push_str("-- (by hand, before what follows)\n"),
        }
    }
    text
}

/// The plan as JSON.
#[must_use]
pub fn handoff_json(plan: &Plan) -> Value {
    let path = taken(plan);
    let checks: Vec<Value> = plan
        .checks
        .iter()
        .map(|check| {
            json!({
                "check": check.check,
                "value": check.value,
                "verdict": word(check, path),
                "found": check.found,
            })
        })
        .collect();
    let losses: Vec<Value> = plan
        .losses
        .iter()
        .map(|asked| {
            let (rows, first, why) = match &asked.outcome {
                Outcome::None => (Some(0), Vec::new(), None),
                Outcome::Rows(rows, first) => (Some(*rows), first.clone(), None),
                Outcome::Unknown(why) => (None, Vec::new(), Some(why.clone())),
            };
            json!({
                "what": asked.what,
                "rows": rows,
                "first": first,
                "unknown": why,
                "query": asked.query,
            })
        })
        .collect();
    let installed: Vec<Value> = plan
        .installed
        .iter()
        .map(|found| {
            let version = found.version.as_ref().ok();
            json!({
                "tool": found.tool.program(),
                "on_the_path": found.there,
                "version": version.map(|(major, minor, patch)| format!("{major}.{minor}.{patch}")),
                "why_not": found.version.as_ref().err(),
            })
        })
        .collect();
    let flags: Vec<Value> = plan
        .flags
        .iter()
        .map(|pair| json!({ "flag": pair.flag, "set": pair.is_set(), "on": pair.on, "why": pair.why }))
        .collect();
    let steps: Vec<Value> = plan
        .steps
        .iter()
        .map(|step| json!({ "sql": step.sql, "note": step.note, "alone": step.alone }))
        .collect();
    json!({
        "file": plan.file,
        "server": plan.server,
        "host": plan.host,
        "port": plan.port,
        "database": plan.database,
        "table": plan.table,
        "change": plan.clauses,
        "decision": plan.decision.name(),
        "reasons": plan.reasons,
        "estimate": plan.estimate,
        "checks": checks,
        "losses": losses,
        "tools": installed,
        "flags": flags,
        "advice": plan.advice,
        "steps": steps,
        "arguments": plan.command.as_ref().map(crate::rewrite::tool::Command::vector),
        "shell": plan.command.as_ref().map(crate::rewrite::tool::Command::shell),
        "trial": plan.command.as_ref().map(|command| command.trial().vector()),
    })
}
