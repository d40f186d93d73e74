//! What `--generate-only` writes: the command, a runbook, and the clean-up plan.
//!
//! They are texts; whoever asked writes them. None holds a secret: the tool reads user and password from
//! its defaults file, `psql` from the environment.

use std::fmt::Write as _;

use super::{Decision, Plan};
use crate::rewrite::tool::ghost::own_table;
use crate::rewrite::tool::{Tool, pairs};

/// A file that is generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: String,
    /// Whether it is to be run.
    pub runs: bool,
}

/// The files of a plan; none where it refuses.
#[must_use]
pub fn files(plan: &Plan) -> Vec<Generated> {
    if plan.decision == Decision::Refuse {
        return Vec::new();
    }
    let generated = |name, text, runs| Generated { name, text, runs };
    vec![
        generated("run.sh", script(plan), true),
        generated("runbook.md", runbook(plan), false),
        generated("clean-up.md", clean_up(plan), false),
    ]
}

fn head(plan: &Plan) -> String {
    format!(
        "#!/bin/sh\n# {}\n# on `{}`.`{}` of {}, {}:{}, by: {}\n# Planned by `backstop handoff plan`; plan \
         again when the table or the server has changed.\nset -eu\n",
        one_line(&plan.clauses),
        one_line(&plan.database),
        one_line(&plan.table),
        plan.server,
        plan.host,
        plan.port,
        plan.decision.name()
    )
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

fn script(plan: &Plan) -> String {
    let mut text = head(plan);
    match (&plan.command, plan.decision) {
        (Some(command), _) => {
            if command.tool == Tool::GhOst {
                let _ = writeln!(text, "\n# The cut-over waits as long as this file is there.");
                let _ = writeln!(text, ": > {}", quoted(&format!("{}.postpone", plan.files)));
            }
            let _ = writeln!(
                text,
                "\n# `./run.sh trial` makes and drops the copy alone, and shows whether the tool would run."
            );
            let _ = writeln!(
                text,
                "if [ \"${{1-}}\" = trial ]; then\nexec {}\nfi",
                command.trial().shell()
            );
            if command.tool == Tool::GhOst {
                let _ = writeln!(
                    text,
                    "\n# `./run.sh revert` puts the old table back after the cut-over: see `runbook.md` first."
                );
                let back = command.reverting(&own_table(&plan.table, "del"));
                let _ = writeln!(
                    text,
                    "if [ \"${{1-}}\" = revert ]; then\nexec {} \\\n  >> {} 2>&1\nfi",
                    back.shell(),
                    log(plan)
                );
            }
            // Output into a file: gh-ost dies when the reader of a pipe does.
            let _ = writeln!(text, "exec {} \\\n  >> {} 2>&1", command.shell(), log(plan));
        }
        (None, Decision::Native) => {
            let _ = writeln!(
                text,
                "\n# The URL, with user and password, is in the environment: {}.\n: \"${{{0}:?}}\"",
                plan.url_env
            );
            text.push_str(&by_client(
                plan,
                "psql -X -v ON_ERROR_STOP=1 -v VERBOSITY=verbose",
                "55P03",
            ));
        }
        (None, _) => {
            let _ = writeln!(text, "\n# The defaults file holds user and password.");
            text.push_str(&by_client(plan, "mysql", "ERROR 1205"));
        }
    }
    text
}

/// A loop around statements that give up where they would wait for a lock.
fn by_client(plan: &Plan, client: &str, again: &str) -> String {
    let mut text = String::new();
    let call = match plan.decision {
        Decision::Native => format!("{client} -d \"${}\" -f -", plan.url_env),
        _ => format!(
            "{client} --defaults-file={} --host={} --port={} --database={}",
            quoted(&plan.defaults_file),
            quoted(&plan.host),
            plan.port,
            quoted(&plan.database)
        ),
    };
    let _ = write!(
        text,
        "\nrun() {{\n  attempt=1\n  while :; do\n    if said=$(printf '%s\\n' \"$1\" | {call} 2>&1); then \
         return; fi\n    case $said in\n    *'{again}'*) ;;\n    *) printf '%s\\n' \"$said\" >&2; exit \
         1 ;;\n    esac\n    [ \"$attempt\" -lt 60 ] || {{ printf '%s\\n' \"$said\" >&2; exit 1; }}\n    \
         attempt=$((attempt + 1))\n    sleep 2\n  done\n}}\n"
    );
    let mut settings = String::new();
    for step in &plan.steps {
        let Some(sql) = &step.sql else {
            let _ = writeln!(
                text,
                "\n# By hand: {0}\nprintf '%s\\n' {1} >&2\nprintf 'done? press Enter: ' >&2\nread -r _",
                one_line(&step.note),
                quoted(&format!("by hand: {}", step.note))
            );
            continue;
        };
        // A setting is the session's, and each call is one.
        if sql.starts_with("SET ") {
            settings = format!("{sql};\n");
            continue;
        }
        if !step.note.is_empty() {
            let _ = write!(text, "\n# {}", one_line(&step.note));
        }
        let _ = writeln!(text, "\nrun {}", quoted(&format!("{settings}{sql};")));
    }
    text
}

fn log(plan: &Plan) -> String {
    quoted(&format!("{}.log", plan.files))
}

fn quoted(text: &str) -> String {
    crate::rewrite::tool::quoted(text)
}

fn runbook(plan: &Plan) -> String {
    let mut text = format!(
        "# `{}`.`{}`: {}\n\nBy {}, on {}, {}:{}.\n",
        plan.database,
        plan.table,
        one_line(&plan.clauses),
        plan.decision.name(),
        plan.server,
        plan.host,
        plan.port
    );
    let sections: Vec<(&str, String)> = match plan.decision {
        Decision::Tool(Tool::GhOst) => ghost(plan),
        Decision::Tool(Tool::Percona) => percona(plan),
        _ => raw(plan),
    };
    for (title, body) in sections {
        let _ = write!(text, "\n## {title}\n\n{}\n", body.trim());
    }
    text
}

/// Text in a block.
fn block(text: &str) -> String {
    format!("```sh\n{}\n```\n", text.trim_end())
}

fn ghost(plan: &Plan) -> Vec<(&'static str, String)> {
    let Plan { files, table, database, .. } = plan;
    let socket =
        |command: &str| format!("echo {command} | nc -U {}", quoted(&format!("{files}.sock")));
    vec![
        (
            "Start",
            format!(
                "{}\nIts output goes to `{files}.log`: gh-ost dies when what it writes to goes away. Let \
                 it run in a session of its own:\n\n{}",
                block("./run.sh trial"),
                block("setsid nohup ./run.sh < /dev/null &")
            ),
        ),
        (
            "Watch",
            format!(
                "{}\n`State: migrating`, then `postponing cut-over`. The socket is there once the copy \
                 has begun.",
                block(&socket("sup"))
            ),
        ),
        (
            "Pause",
            format!(
                "{}\nWithin a second. The table is not written meanwhile, and the binary log that must \
                 be read afterwards grows.",
                block(&format!("{}\n{}", socket("throttle"), socket("no-throttle")))
            ),
        ),
        (
            "Cut over",
            format!(
                "Look for open transactions on `{database}`.`{table}` first: with one, each attempt keeps \
                 all writers waiting for 6 s. Then:\n\n{}\nWriters wait for about a second. The old \
                 table is `_{table}_del` afterwards.",
                block(&format!("rm {}", quoted(&format!("{files}.postpone"))))
            ),
        ),
        (
            "Stop",
            format!(
                "{}\nIt leaves with 1, and nothing of `{table}` was changed. If the socket does not \
                 answer, `touch {files}.panic`; if that is not seen either, `kill` the process.",
                block(&socket("panic"))
            ),
        ),
        ("Going back", going_back(plan)),
        ("Clean up", "As `clean-up.md` says.".to_owned()),
    ]
}

/// The way back after gh-ost's cut-over.
fn going_back(plan: &Plan) -> String {
    let Plan { files, table, .. } = plan;
    let own = |end: &str| own_table(table, end);
    let (old, checkpoints, replaced) = (own("del"), own("ghk"), own("rev_del"));
    format!(
        "After the cut-over, with gh-ost {}.{}.{} or newer, as long as `{old}` and `{checkpoints}` are there and the \
         binary log since the cut-over is on the server:\n\n{}\ngh-ost brings `{old}` up to date, with what was \
         written since, and waits for its cut-over as before; `{table}` is `{replaced}` afterwards. Look first what is \
         lost: values of columns that `{old}` does not have. It fails where a value does not fit any more, or where \
         `{old}` has a column that is NOT NULL without a default and new. Never run it without `--execute`: gh-ost \
         drops its copy then, and here that is `{old}`.",
        pairs::REVERTS.0,
        pairs::REVERTS.1,
        pairs::REVERTS.2,
        block(&format!(
            ": > {}\nsetsid nohup ./run.sh revert < /dev/null &",
            quoted(&format!("{files}.postpone"))
        ))
    )
}

fn percona(plan: &Plan) -> Vec<(&'static str, String)> {
    let Plan { files, table, database, .. } = plan;
    vec![
        (
            "Start",
            format!(
                "{}\nThen, in a session of its own; its output goes to `{files}.log`:\n\n{}",
                block("./run.sh trial"),
                block("setsid nohup ./run.sh < /dev/null &")
            ),
        ),
        ("Watch", block(&format!("tail -f {}", quoted(&format!("{files}.log"))))),
        (
            "Pause",
            format!(
                "{}\nIt looks between two chunks, and then once a minute. Its triggers go on writing to \
                 the copy.",
                block(&format!("touch {0}\nrm {0}", quoted(&format!("{files}.pause"))))
            ),
        ),
        (
            "Cut over",
            format!(
                "It does so by itself when everything is copied, and waits for its lock for 1 s at most, \
                 30 times. To decide the moment, pause it shortly before the end and look for open \
                 transactions on `{database}`.`{table}`. The old table is `_{table}_old` afterwards."
            ),
        ),
        (
            "Stop",
            format!(
                "{}\nIt leaves its triggers and `_{table}_new`: clean up at once. With SIGKILL the \
                 statement that runs goes on, on the server, and commits.",
                block("kill PID    # SIGTERM, of the pt-online-schema-change")
            ),
        ),
        ("Clean up", "As `clean-up.md` says.".to_owned()),
    ]
}

fn raw(plan: &Plan) -> Vec<(&'static str, String)> {
    let native = plan.decision == Decision::Native;
    let look = if native {
        "SELECT pid, phase, blocks_done, blocks_total FROM pg_stat_progress_create_index"
    } else {
        "SHOW FULL PROCESSLIST"
    };
    let end = if native { "SELECT pg_cancel_backend(PID)" } else { "KILL QUERY ID" };
    vec![
        (
            "Start",
            format!(
                "{}\nEach statement gives up after {} ms where it would wait for its lock, and is tried \
                 again, 60 times.",
                block("./run.sh"),
                plan.lock_wait.as_millis()
            ),
        ),
        ("Watch", format!("```sql\n{look};\n```\n")),
        ("Pause", "It cannot be paused: stop it, and start it again later.".to_owned()),
        ("Cut over", "There is none: a statement that has ended is in force.".to_owned()),
        (
            "Stop",
            format!(
                "```sql\n{end};\n```\n\nTo end the client alone is not enough: the server goes on with the \
                 statement."
            ),
        ),
        ("Clean up", "As `clean-up.md` says.".to_owned()),
    ]
}

/// A text of SQL.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// What may be left, and the only order in which it is removed safely.
fn clean_up(plan: &Plan) -> String {
    let Plan { files, table, database, .. } = plan;
    let quote = |name: &str| format!("`{}`", name.replace('`', "``"));
    let of = |name: String| format!("{}.{}", quote(database), quote(&name));
    let mut text = format!(
        "# Clean up after `{database}`.`{table}`\n\nOnly when the run has ended: look at its process, and \
         at the server's list of sessions.\n\n"
    );
    match plan.decision {
        Decision::Tool(Tool::GhOst) => {
            let _ = write!(
                text,
                "1. The copy and the log of a run that did not end well. They are no data of yours:\n\n\
                 ```sql\nDROP TABLE IF EXISTS {};\nDROP TABLE IF EXISTS {};\nDROP TABLE IF EXISTS {};\n```\n\n\
                 2. `_{table}_del`. Look first:\n\n```sql\nSELECT TABLE_COMMENT FROM information_schema.TABLES \
                 WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {};\n```\n\n   With the comment \
                 `ghost-cut-over-sentry` it is empty, and can be dropped. Without it, **it is your old table, \
                 with all of its rows**: keep it until nobody needs the way back, rename it, and drop it \
                 later, when the server is quiet. Without `_{table}_ghk` it cannot be put back any more. `{}`, if it is \
                 there, is the table that was replaced on the way back.\n\n3. Files:\n\n{}",
                of(format!("_{table}_gho")),
                of(format!("_{table}_ghc")),
                of(format!("_{table}_ghk")),
                literal(database),
                literal(&format!("_{table}_del")),
                own_table(table, "rev_del"),
                block(&format!("rm -f {0}.sock {0}.postpone {0}.panic", quoted(files)))
            );
        }
        Decision::Tool(Tool::Percona) => {
            let trigger = |what: &str| of(format!("pt_osc_{database}_{table}_{what}"));
            let _ = write!(
                text,
                "1. The triggers, always first: without its copy, a trigger makes every write of the \
                 application fail.\n\n```sql\nDROP TRIGGER IF EXISTS {};\nDROP TRIGGER IF EXISTS {};\nDROP \
                 TRIGGER IF EXISTS {};\n```\n\n2. Then the copy of a run that did not end well:\n\n```sql\nDROP \
                 TABLE IF EXISTS {};\n```\n\n3. `_{table}_old` **is your old table, with all of its rows**: \
                 keep it until nobody needs the way back, and drop it later, when the server is quiet.\n\n\
                 4. Files:\n\n{}",
                trigger("del"),
                trigger("upd"),
                trigger("ins"),
                of(format!("_{table}_new")),
                block(&format!("rm -f {}", quoted(&format!("{files}.pause"))))
            );
        }
        Decision::Native => {
            let _ = write!(
                text,
                "An index that failed is there and not valid:\n\n```sql\nSELECT c.relname FROM pg_index x \
                 JOIN pg_class c ON c.oid = x.indexrelid WHERE NOT x.indisvalid;\n```\n\nDrop it with `DROP \
                 INDEX CONCURRENTLY`, and run the statement again: `IF NOT EXISTS` would pass over it. A \
                 constraint that is not validated is harmless: validate it again.\n"
            );
        }
        _ => text.push_str(
            "There is nothing to remove: the server makes the change whole, or not at all.\n",
        ),
    }
    text
}
