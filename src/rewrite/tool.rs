//! A change of a large table of MySQL or MariaDB, as the command of an online-DDL tool.
//!
//! Which flags each server needs, and why, was measured; a command is never given where the tool
//! would lose rows without a word: both copy with `INSERT IGNORE`.

use crate::catalog::{Engine, Release};
use crate::sql::schema::Schema;
use crate::sql::statement::{Action, AlterTable, ConstraintKind, IndexKind, Name};

/// What to run, or why not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Given {
    /// A line for a shell; none where no tool should do it.
    pub command: Option<String>,
    /// Why this tool, why these flags, or why none.
    pub reasons: Vec<String>,
}

/// The command for this change. `script` is the text that the statement stands in.
#[must_use]
pub fn plan(alter: &AlterTable, script: &str, schema: &Schema, server: Release) -> Given {
    if let Some(why) = loses_rows(alter) {
        return Given {
            command: None,
            reasons: vec![format!(
                "neither gh-ost nor pt-online-schema-change should do it: {why}"
            )],
        };
    }
    let clauses = clauses(alter, script);
    let keys = schema.foreign_keys_of(&alter.name).next().is_some()
        || schema.referring_to(&alter.name).next().is_some();
    let triggers = schema.triggers_of(&alter.name).next().is_some();
    if keys || triggers {
        percona(alter, &clauses, schema, server, keys, triggers)
    } else {
        ghost(alter, &clauses, schema, server)
    }
}

/// Why the copy would lose rows, if it would.
fn loses_rows(alter: &AlterTable) -> Option<String> {
    alter.actions.iter().find_map(|(action, _)| match action {
        Action::AddConstraint { constraint, .. } => match &constraint.kind {
            ConstraintKind::Unique { columns, .. } => Some(format!(
                "rows that are equal in `{}` would be dropped by its INSERT IGNORE; first show that \
                 there are none: SELECT {0}, count(*) FROM {} GROUP BY {0} HAVING count(*) > 1",
                columns.join("`, `"),
                alter.name
            )),
            ConstraintKind::PrimaryKey { .. } => {
                Some("with another primary key, rows that are equal in it would be dropped".to_owned())
            }
            _ => None,
        },
        Action::AddIndex { index } if index.unique && index.kind == IndexKind::Ordinary => {
            Some("rows that are equal in the new unique index would be dropped".to_owned())
        }
        Action::ConvertCharset { charset, .. } => Some(format!(
            "under `{charset}` and its collation, texts may become equal in a unique index, and such \
             rows would be dropped; or a text may not fit"
        )),
        Action::DropPrimaryKey => Some("they need a key that is there before and after".to_owned()),
        Action::RenameTo(_) => Some("a rename of the table is no work for a tool".to_owned()),
        Action::Modify { from, column, .. } if column.not_null => Some(format!(
            "a NULL in `{from}` would be written as an empty value; first show that there is none: \
             SELECT count(*) FROM {} WHERE {from} IS NULL",
            alter.name
        )),
        _ => None,
    })
}

/// The clauses as written, without `ALGORITHM` and `LOCK`, on one line.
fn clauses(alter: &AlterTable, script: &str) -> String {
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let texts = alter.actions.iter().filter_map(|(_, span)| script.get(span.clone()));
    texts.map(squeezed).collect::<Vec<_>>().join(", ")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn database(name: &Name) -> String {
    name.schema.clone().unwrap_or_else(|| "$DATABASE".to_owned())
}

fn ghost(alter: &AlterTable, clauses: &str, schema: &Schema, server: Release) -> Given {
    let mut reasons = vec![
        "no foreign keys and no triggers are known on it, so gh-ost can follow it by the binlog, \
         which must hold rows in full (`binlog_format=ROW`, `binlog_row_image=FULL`)"
            .to_owned(),
    ];
    let mut arguments = vec![
        "gh-ost".to_owned(),
        format!(
            "--database={}",
            quoted(&database(&alter.name)).replace("'$DATABASE'", "\"$DATABASE\"")
        ),
        format!("--table={}", quoted(&alter.name.name)),
        format!("--alter={}", quoted(clauses)),
        "--conf=\"$HOME/.my.cnf\"".to_owned(),
        "--panic-on-warnings".to_owned(),
        "--max-lag-millis=1500".to_owned(),
        "--chunk-size=1000".to_owned(),
        "--cut-over-lock-timeout-seconds=3".to_owned(),
        "--default-retries=60".to_owned(),
        "--postpone-cut-over-flag-file=/tmp/backstop.postpone".to_owned(),
        "--checkpoint".to_owned(),
    ];
    reasons.push("`--panic-on-warnings`: without it, rows that do not fit are dropped".to_owned());
    if server.engine == Engine::MySql && (9, 0, 0) <= server.version {
        arguments.push("--exact-rowcount".to_owned());
        reasons.push(
            "`--exact-rowcount`: MySQL 9 explains as a tree, and gh-ost reads an estimate of 0 rows \
             from that"
                .to_owned(),
        );
    }
    if server.engine == Engine::MariaDb {
        arguments.push("--allow-setup-metadata-lock-instruments".to_owned());
        reasons.push(
            "`--allow-setup-metadata-lock-instruments`: MariaDB has the instrument off, and gh-ost \
             needs it (with `performance_schema=ON`)"
                .to_owned(),
        );
    }
    if schema.table(&alter.name).is_none() {
        reasons.push(format!(
            "assumed: foreign keys and triggers of `{}` are not known; give the schema with \
             `--schema`",
            alter.name
        ));
    }
    reasons.push(
        "try it first without `--execute`; and never `--attempt-instant-ddl`, which hangs on MySQL 9"
            .to_owned(),
    );
    arguments.push("--execute".to_owned());
    Given { command: Some(arguments.join(" \\\n  ")), reasons }
}

fn percona(
    alter: &AlterTable,
    clauses: &str,
    schema: &Schema,
    server: Release,
    keys: bool,
    triggers: bool,
) -> Given {
    let cascades = schema.foreign_keys_of(&alter.name).any(|(_, key)| {
        let changes = |action: &Option<String>| {
            action.as_deref().is_some_and(|action| action == "CASCADE" || action.starts_with("SET"))
        };
        changes(&key.on_delete) || changes(&key.on_update)
    });
    if cascades {
        return Given {
            command: None,
            reasons: vec![
                "gh-ost takes no foreign keys; and pt-online-schema-change follows by triggers, \
                 which InnoDB does not fire for rows that a cascade changes: the copy would differ"
                    .to_owned(),
            ],
        };
    }
    let mut reasons = vec![
        "gh-ost takes no table with foreign keys or triggers; pt-online-schema-change does"
            .to_owned(),
    ];
    let mut arguments = vec![
        "pt-online-schema-change".to_owned(),
        format!("--alter {}", quoted(clauses)),
        "--defaults-file \"$HOME/.my.cnf\"".to_owned(),
        "--progress time,5".to_owned(),
        "--check-alter".to_owned(),
        "--max-lag 2".to_owned(),
        "--set-vars lock_wait_timeout=3".to_owned(),
    ];
    if keys && schema.referring_to(&alter.name).next().is_some() {
        arguments.push("--alter-foreign-keys-method auto".to_owned());
        reasons.push(
            "`--alter-foreign-keys-method`: other tables refer to it, and their keys are rebuilt, \
             which locks them"
                .to_owned(),
        );
    }
    if triggers {
        arguments.push("--preserve-triggers".to_owned());
        reasons.push("`--preserve-triggers`: the table has triggers of its own".to_owned());
    }
    if server.engine == Engine::MySql && (9, 0, 0) <= server.version {
        arguments.retain(|argument| !argument.starts_with("--set-vars"));
        arguments.push("--set-vars lock_wait_timeout=3,explain_format=TRADITIONAL".to_owned());
        arguments.push("--recursion-method none".to_owned());
        reasons.push(
            "`explain_format=TRADITIONAL`: else it reads an estimate of 0 rows and copies the whole \
             table in one statement that locks it"
                .to_owned(),
        );
    } else if server.engine == Engine::MariaDb {
        arguments.push("--recursion-method processlist".to_owned());
    }
    arguments.push("--execute".to_owned());
    arguments.push(format!(
        "D={},t={}",
        database(&alter.name).replace("$DATABASE", "\"$DATABASE\""),
        alter.name.name
    ));
    reasons.push("try it first with `--dry-run` in place of `--execute`".to_owned());
    Given { command: Some(arguments.join(" \\\n  ")), reasons }
}
