//! A plan for people and for machines.

use serde_json::{Value, json};

use super::count;
use crate::keyspace::Key;
use crate::plan::{Pause, Plan};
use crate::target::Dialect;

/// The key at which the printed statements are shown: any will do, the values are parameters.
fn sample_key(plan: &Plan) -> Key {
    Key(plan.key_names().iter().map(|_| String::new()).collect())
}

fn pause_text(plan: &Plan) -> String {
    match plan.pace.pause {
        Pause::None => "no pause".to_owned(),
        Pause::AsLong => "then a pause as long as the batch took".to_owned(),
        Pause::Fixed(time) => format!("then a pause of {time:?}"),
    }
}

/// Everything that will happen, for people.
#[must_use]
pub fn plan_text(plan: &Plan, dialect: &dyn Dialect) -> String {
    let key = sample_key(plan);
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
    field("key", format!("{} ({})", plan.key_names().join(", "), plan.index_reason));
    field(
        "batch",
        format!(
            "sized to take {:?}, at most {} rows; {} worker{}, {}",
            plan.pace.target_time,
            count(plan.pace.max_rows),
            plan.pace.workers,
            if plan.pace.workers == 1 { "" } else { "s" },
            pause_text(plan),
        ),
    );
    field("window", statements.boundary(dialect, Some(&key), &key, 1).sql);
    field("write", statements.write(dialect, Some(&key), &key).sql);
    field(
        "fence",
        format!(
            "{}{}",
            plan.fence.table,
            if plan.fence.exists { "" } else { " (made on the first run)" }
        ),
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
    if statements.verifies() {
        field("check", statements.verify(dialect, Some(&key), &key).sql);
    }
    for setting in &plan.server.settings {
        field("setting", format!("{} = {} ({})", setting.name, setting.value, setting.source));
    }
    for note in &plan.notes {
        field("note", note.clone());
    }
    field("spec", format!("hash {}", plan.spec_hash.get(..16).unwrap_or(&plan.spec_hash)));
    text
}

/// Everything that will happen, for machines. Fields are only ever added.
#[must_use]
pub fn plan_json(plan: &Plan, dialect: &dyn Dialect) -> Value {
    let key = sample_key(plan);
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
        "table": { "schema": plan.table.schema, "name": plan.table.name },
        "estimated_rows": plan.table.estimate,
        "key": { "columns": plan.key_names(), "index": plan.index.index, "why": plan.index_reason },
        "batch": {
            "target_seconds": plan.pace.target_time.as_secs_f64(),
            "max_rows": plan.pace.max_rows,
            "workers": plan.pace.workers,
        },
        "sql": {
            "window": statements.boundary(dialect, Some(&key), &key, 1).sql,
            "write": statements.write(dialect, Some(&key), &key).sql,
            "verify": statements
                .verifies()
                .then(|| statements.verify(dialect, Some(&key), &key).sql),
        },
        "fence": { "table": plan.fence.table, "exists": plan.fence.exists, "ddl": plan.fence.ddl },
        "guarantee": plan.guarantee(),
        "checks": plan.checks(),
        "notes": plan.notes,
    })
}
