//! What a statement reads, out of EXPLAIN.

use std::time::Duration;

use serde_json::Value;

use super::session::PgSession;
use crate::event::RetryReason;
use crate::target::reads::{Access, Reads};
use crate::target::{Class, Commit, Patience, Result, Session, Statement};

/// Runs the SELECT under EXPLAIN, which throws its rows away.
pub(super) async fn measure(
    session: &mut PgSession,
    statement: &Statement,
    limit: Duration,
) -> Result<Option<Reads>> {
    let patience = Patience { statement: Some(limit), ..Patience::default() };
    session.begin_batch(&patience, Commit::Own).await?;
    let explained = explain(session, "ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON", statement).await;
    session.rollback().await?;
    let top = match explained {
        Ok(top) => top,
        Err(error) if error.class == Class::Retry(RetryReason::StatementTimeout) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let blocks = |kind: &str| top[kind].as_u64().unwrap_or(0);
    let mut reads = Reads {
        pages: blocks("Shared Hit Blocks") + blocks("Shared Read Blocks"),
        ..Reads::default()
    };
    add(&top, &mut reads);
    Ok(Some(reads))
}

/// The uppermost node of the plan.
async fn explain(session: &mut PgSession, options: &str, statement: &Statement) -> Result<Value> {
    let explain = Statement {
        sql: format!("EXPLAIN ({options}) {}", statement.sql),
        binds: statement.binds.clone(),
    };
    let rows = session.query(&explain).await?;
    let text = rows.into_iter().flatten().flatten().next().unwrap_or_default();
    let mut plan: Value = serde_json::from_str(&text).unwrap_or_default();
    Ok(plan[0]["Plan"].take())
}

fn children(node: &Value) -> impl Iterator<Item = &Value> {
    node["Plans"].as_array().into_iter().flatten()
}

/// Adds what a node of the plan, and those below it, have read.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of rows are positive and far below 2^53"
)]
fn add(node: &Value, reads: &mut Reads) {
    let kind = node["Node Type"].as_str().unwrap_or_default();
    let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
    // What a heap scan by bitmap finds, its index scans have found.
    let found = if kind.ends_with("Scan") && !["Subquery Scan", "Bitmap Heap Scan"].contains(&kind)
    {
        number("Actual Rows")
    } else {
        0.0
    };
    let passed = number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
    reads.rows += ((found + passed) * number("Actual Loops")).round() as u64;
    reads.sorts |= kind.contains("Sort");
    for child in children(node) {
        add(child, reads);
    }
}

/// Asks the planner.
pub(super) async fn foretell(
    session: &mut PgSession,
    statement: &Statement,
) -> Result<Option<Access>> {
    let mut node = &explain(session, "FORMAT JSON", statement).await?;
    while node["Node Type"].as_str().is_some_and(|kind| kind.starts_with("Gather"))
        && let Some(child) = children(node).next()
    {
        node = child;
    }
    let index = match node["Node Type"].as_str() {
        // Without a condition it is a walk through the whole index, unless the index is a partial
        // one that holds just these rows; then there is no filter either.
        Some("Index Scan" | "Index Only Scan")
            if node["Index Cond"].is_string() || node["Filter"].is_null() =>
        {
            node["Index Name"].as_str()
        }
        Some("Bitmap Heap Scan") => {
            children(node).next().and_then(|child| child["Index Name"].as_str())
        }
        _ => None,
    };
    let rows = node["Plan Rows"].as_u64();
    Ok(index.zip(rows).map(|(index, rows)| Access { index: index.to_owned(), rows }))
}
