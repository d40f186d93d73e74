//! A report made by hand: one of everything that a format has to show.

use crate::gate::effects::{Effects, Loss, Mode, Relation, Verdict};
use crate::gate::{Allowance, FileReport, Finding, Judged, Report, Severity, StatementReport};
use crate::sql::statement::Name;

const WIDEN: &str = "SET lock_timeout = '5s';\n\n\
                     ALTER TABLE orders ALTER COLUMN total TYPE bigint;\n";
const SEVERAL: &str = "ALTER TABLE \"zákazníci|<b>\"\n\tADD COLUMN\n\t\tnote text;\n\
                       DROP TABLE old_orders;\n";
const BLOCK: &str = "DO $$ EXECUTE 'x' $$;\n";

/// The part of a text, by what it is.
fn span(text: &str, part: &str) -> std::ops::Range<usize> {
    let start = text.find(part).unwrap();
    start..start + part.len()
}

fn statement(text: &str, part: &str, effects: Effects, rules: &[&'static str]) -> StatementReport {
    let kind = part.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    StatementReport { span: span(text, part), kind, effects, rules: rules.to_vec() }
}

/// Two errors, a warning and one that is allowed, in three files.
pub(super) fn report() -> Report {
    let orders = Name::plain("orders");
    let mut widen = Effects::none();
    widen.lock(Relation::Table, &orders, Mode::AccessExclusiveLock);
    widen.rewrites(&orders);
    widen.assume("which type the column has: give the schema with `--schema`");
    let mut add = Effects::none();
    add.lock(Relation::Table, &Name::plain("zákazníci|<b>"), Mode::AccessExclusiveLock);
    let mut drop = Effects::none();
    drop.lock(Relation::Table, &Name::plain("old_orders"), Mode::AccessExclusiveLock);
    drop.loss.push(Loss {
        relation: Name::plain("old_orders"),
        what: "every row of `old_orders`".to_owned(),
    });
    let unseen = Effects {
        verdict: Verdict::NotEvaluated("it runs text that is not known".to_owned()),
        ..Effects::none()
    };
    let set = "SET lock_timeout = '5s'";
    let alter = "ALTER TABLE orders ALTER COLUMN total TYPE bigint";
    let several = "ALTER TABLE \"zákazníci|<b>\"\n\tADD COLUMN\n\t\tnote text";
    let table = "DROP TABLE old_orders";
    let block = "DO $$ EXECUTE 'x' $$";
    let finding = |rule, severity, file, span, message: &str| Finding {
        rule,
        severity,
        file,
        span,
        message: message.to_owned(),
        why: Vec::new(),
        instead: None,
        allowed: None,
    };
    let mut long_lock = finding(
        "long-lock",
        Severity::Error,
        0,
        span(WIDEN, alter),
        "`orders` is written anew under ACCESS EXCLUSIVE: nobody reads or writes it",
    );
    long_lock.why.push("`orders` is large: 50,000,000 rows".to_owned());
    long_lock.instead =
        Some("ALTER TABLE orders ADD COLUMN total_new bigint;\n-- backfill, then swap".to_owned());
    let mut loss = finding(
        "data-loss",
        Severity::Error,
        1,
        span(SEVERAL, table),
        "every row of `old_orders` is lost",
    );
    loss.allowed = Some(Allowance {
        reason: "unused since March".to_owned(),
        owner: Some("@data".to_owned()),
        until: Some("2026-12-31".to_owned()),
        span: 0..0,
    });
    Report {
        files: vec![
            FileReport {
                path: "migrations/0042.sql".to_owned(),
                text: WIDEN.to_owned(),
                statements: vec![
                    statement(WIDEN, set, Effects::none(), &[]),
                    statement(WIDEN, alter, widen, &["long-lock"]),
                ],
            },
            FileReport {
                path: "migrations/a b,c:d.sql".to_owned(),
                text: SEVERAL.to_owned(),
                statements: vec![
                    statement(SEVERAL, several, add, &["lock-timeout"]),
                    statement(SEVERAL, table, drop, &["data-loss"]),
                ],
            },
            FileReport {
                path: "-".to_owned(),
                text: BLOCK.to_owned(),
                statements: vec![statement(BLOCK, block, unseen, &["not-evaluated"])],
            },
        ],
        findings: vec![
            long_lock,
            finding(
                "lock-timeout",
                Severity::Warning,
                1,
                span(SEVERAL, several),
                "waits for `zákazníci|<b>` without a limit: 100%, and\neverybody behind it",
            ),
            loss,
            finding(
                "not-evaluated",
                Severity::Error,
                2,
                span(BLOCK, block),
                "could not be judged: it runs text that is not known",
            ),
        ],
        server: "PostgreSQL 15".to_owned(),
    }
}

/// One statement, and nothing to say of it.
pub(super) fn clean() -> Report {
    let text = "SELECT 1;\n";
    Report {
        files: vec![FileReport {
            path: "migrations/0001.sql".to_owned(),
            text: text.to_owned(),
            statements: vec![statement(text, "SELECT 1", Effects::none(), &[])],
        }],
        findings: Vec::new(),
        server: "PostgreSQL 15".to_owned(),
    }
}

/// The files of a report, each with its findings, as they are judged.
pub(super) fn judged(report: &Report) -> Vec<Judged> {
    let of = |number| {
        let inside = report.findings.iter().filter(move |finding| finding.file == number);
        inside.cloned().collect()
    };
    let files = report.files.iter().enumerate();
    files.map(|(number, file)| Judged { file: file.clone(), findings: of(number) }).collect()
}
