//! Which path a change of MySQL or MariaDB takes: the best that nothing stands against.

use std::time::Duration;

use super::preflight::{self, Checked, Path, Seen, Verdict};
use super::probe::{self, Asked, Outcome};
use super::{Decision, Does, Error, Plan, Step, estimate, leaves};
use crate::catalog::Engine;
use crate::control::Stop;
use crate::gate::Surroundings;
use crate::gate::effects::{self, Algorithm, Effects};
use crate::rewrite::losses::losses;
use crate::rewrite::tool::{self, Around, Tool, Word, pairs};
use crate::sql::statement::{Action, AlterTable, Statement, What};
use crate::target::{Session, Target};

/// What the server itself would do.
struct Raw {
    effects: Effects,
    /// In place or at once, while the table is written.
    online: bool,
    instant: bool,
    rebuilds: bool,
}

pub(super) async fn plan(
    seen: &Seen<'_>,
    target: &dyn Target,
    session: &mut dyn Session,
    stop: &Stop,
) -> Result<Plan, Error> {
    let Some(alter) = seen.change.alter() else {
        return Err(Error::Usage("a handoff takes an `ALTER TABLE`".to_owned()));
    };
    let raw = raw(seen, &seen.change.statement);
    let checks = preflight::all(seen);
    let limit = seen.request.query_limit;
    let probes = losses(alter, &seen.change.before, seen.facts.release);
    let asked = probe::ask(probes, target, session, stop, limit).await?;
    let mut proof = None;
    if seen.request.prove && raw.online {
        let copy = format!("_backstop_{:08x}", fingerprint(seen));
        let clauses = with_algorithm(seen, &raw);
        proof = Some(target.try_on_copy(session, seen.table, &copy, &clauses).await?);
    }
    Ok(decide(seen, alter, &raw, checks, asked, proof.as_ref()))
}

fn raw(seen: &Seen, statement: &Statement) -> Raw {
    let around = Surroundings {
        server: seen.facts.release,
        schema: &seen.change.before,
        in_transaction: false,
        utc: None,
        foreign_key_checks: true,
    };
    let effects = effects::effects(statement, &around);
    let blocks = effects.locks.iter().any(|lock| !lock.mode.is_brief() && lock.blocks().writes);
    let judged = !matches!(effects.verdict, effects::Verdict::NotEvaluated(_));
    let online = judged
        && effects.fails.is_none()
        && !blocks
        && matches!(
            effects.algorithm,
            Some(Algorithm::Instant | Algorithm::NoCopy | Algorithm::InPlace | Algorithm::Rebuild)
        );
    let instant = online && effects.algorithm == Some(Algorithm::Instant);
    let rebuilds = matches!(effects.algorithm, Some(Algorithm::Rebuild | Algorithm::Copy));
    Raw { effects, online, instant, rebuilds }
}

/// The clauses, with the word that makes the server refuse rather than do it another way.
fn with_algorithm(seen: &Seen, raw: &Raw) -> String {
    let clauses = &seen.change.clauses;
    match raw.effects.algorithm {
        Some(Algorithm::Instant) => format!("{clauses}, ALGORITHM=INSTANT"),
        Some(Algorithm::NoCopy) => format!("{clauses}, ALGORITHM=NOCOPY, LOCK=NONE"),
        _ => format!("{clauses}, ALGORITHM=INPLACE, LOCK=NONE"),
    }
}

/// A number that is this change's own: of server, table and clauses.
fn fingerprint(seen: &Seen) -> u32 {
    let text = format!(
        "{}:{}/{}.{} {}",
        seen.facts.host, seen.facts.port, seen.table.schema, seen.table.name, seen.change.clauses
    );
    // FNV-1a; it names files, and nothing rests on it.
    text.bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn decide(
    seen: &Seen,
    alter: &AlterTable,
    raw: &Raw,
    checks: Vec<Checked>,
    asked: Vec<Asked>,
    proof: Option<&Result<(), String>>,
) -> Plan {
    let mut reasons = Vec::new();
    let refused = |path: Path| -> Vec<String> {
        let of_checks = checks.iter().flat_map(|check| {
            let fails = check.on(Some(path)).filter(|found| found.verdict == Verdict::Fail);
            fails.map(|found| found.message.clone())
        });
        let of_losses = asked.iter().filter_map(|loss| against(loss, path));
        of_checks.chain(of_losses).collect()
    };
    let online = raw.online && !matches!(proof, Some(Err(_)));
    let cheap = raw.instant || is_small(seen) || (!raw.rebuilds && seen.replicas() == 0);
    reasons.extend(what_the_server_does(seen, raw, proof));
    let decision = choose(seen, online, cheap, raw, &refused, &mut reasons);
    let decision = match raw.effects.fails.as_ref() {
        Some(why) => {
            reasons = vec![format!("the server refuses it: {why}")];
            Decision::Refuse
        }
        None => decision,
    };
    let run = files(seen);
    let command = match decision {
        Decision::Tool(tool) => Some(command(seen, tool, &run)),
        _ => None,
    };
    let flags = match decision {
        Decision::Tool(tool) => pairs::of(tool, seen.facts.release, seen.version(tool)).collect(),
        _ => Vec::new(),
    };
    let steps = match decision {
        Decision::Instant | Decision::InPlace => statements(seen, raw),
        _ => Vec::new(),
    };
    Plan {
        reasons,
        steps,
        command,
        flags,
        checks,
        losses: asked,
        installed: seen.installed.clone(),
        advice: advice(seen, alter, raw),
        files: run,
        defaults_file: seen.request.defaults_file.clone(),
        ..Plan::about(
            seen,
            decision,
            estimate::of(seen.facts, decision, raw.rebuilds, seen.replicas()),
        )
    }
}

/// What the names of this run's files begin with.
pub(super) fn files(seen: &Seen) -> String {
    format!("{}/backstop-{:08x}", seen.request.folder.trim_end_matches('/'), fingerprint(seen))
}

/// What was asked about rows, held against a path.
pub(super) fn against(loss: &Asked, path: Path) -> Option<String> {
    let query = || loss.query.as_deref().map(|sql| format!(": {sql}")).unwrap_or_default();
    match &loss.outcome {
        Outcome::Rows(count, first) => Some(format!(
            "{}, and there are {count} such rows (first: {}); put them right and plan again{}",
            loss.what,
            first.join("; "),
            query()
        )),
        // The server looks by itself, and refuses.
        Outcome::Unknown(_) if path == Path::Raw && loss.query.is_none() => None,
        Outcome::Unknown(why) => Some(format!("{}: {why}{}", loss.what, query())),
        Outcome::None if path == Path::Percona && loss.unique => Some(format!(
            "{}; there is none now, but pt-online-schema-change has no `--panic-on-warnings`: one that \
             is written during the copy would be dropped without a word",
            loss.what
        )),
        Outcome::None => None,
    }
}

fn is_small(seen: &Seen) -> bool {
    let bytes = seen.facts.data_bytes.saturating_add(seen.facts.index_bytes);
    seen.facts.rows < seen.request.large_rows && bytes < seen.request.large_bytes
}

fn what_the_server_does(seen: &Seen, raw: &Raw, proof: Option<&Result<(), String>>) -> Vec<String> {
    let table = &seen.table.name;
    let waits = "and nobody else waits but for the moment of its lock";
    let mut reasons = vec![match raw.effects.algorithm {
        Some(Algorithm::Instant) if raw.online => {
            format!("the server changes its dictionary alone (INSTANT), {waits}")
        }
        Some(Algorithm::NoCopy | Algorithm::InPlace) if raw.online => {
            format!("the server makes it in place while `{table}` is read and written, {waits}")
        }
        Some(Algorithm::Rebuild) if raw.online => {
            format!("the server writes `{table}` anew in place, while it is read and written")
        }
        Some(Algorithm::Copy) => {
            format!("the server itself would copy `{table}` row by row, and writes would wait")
        }
        _ => format!("the server itself would make writes to `{table}` wait while it works"),
    }];
    reasons.extend(raw.effects.why.iter().cloned());
    match &raw.effects.verdict {
        effects::Verdict::Proven => {}
        effects::Verdict::Assumed(what) => reasons.push(format!("assumed: {what}")),
        effects::Verdict::NotEvaluated(why) => {
            reasons.push(format!("it could not be judged: {why}"));
        }
    }
    match proof {
        None => {}
        Some(Ok(())) => reasons.push(
            "proved: the server made the change on an empty copy of the table, by that algorithm"
                .to_owned(),
        ),
        Some(Err(why)) => reasons.push(format!(
            "on an empty copy of the table the server refused that algorithm: {why}"
        )),
    }
    reasons
}

fn choose(
    seen: &Seen,
    online: bool,
    cheap: bool,
    raw: &Raw,
    refused: &dyn Fn(Path) -> Vec<String>,
    reasons: &mut Vec<String>,
) -> Decision {
    let by_server = if raw.instant { Decision::Instant } else { Decision::InPlace };
    let wanted = seen.request.tool;
    if online && cheap && wanted.is_none() {
        let against = refused(Path::Raw);
        if against.is_empty() {
            return by_server;
        }
        // What stands against the best path (a backfill, rows that break the change) is put right, and
        // not gone around with something dearer.
        reasons.extend(against);
        return Decision::Refuse;
    }
    if online && wanted.is_none() {
        reasons.push(format!(
            "every replica does the same behind the server, and lags as long as it takes there: {} \
             replicas, and the table is large; so a tool does it in small pieces",
            seen.replicas()
        ));
    }
    let fits = |tool: &Tool| refused(path(*tool)).is_empty();
    let there = |tool: &Tool| seen.found(*tool).is_some_and(|found| found.there);
    let tools: Vec<Tool> = match wanted {
        Some(tool) => vec![tool],
        None => tool::ALL.to_vec(),
    };
    let fitting: Vec<Tool> = tools.iter().copied().filter(fits).collect();
    // gh-ost first: its load can be taken off at any moment, and it asks before the cut-over.
    let chosen = fitting.iter().copied().find(there).or_else(|| fitting.first().copied());
    for tool in &tools {
        for why in refused(path(*tool)) {
            reasons.push(format!("not {}: {why}", tool.program()));
        }
    }
    let all_seen = seen.request.replicas.is_none_or(|declared| {
        u32::try_from(seen.facts.replicas.len()).is_ok_and(|found| declared <= found)
    });
    match chosen {
        Some(tool) => {
            reasons.push(match tool {
                Tool::GhOst => {
                    "gh-ost copies in small pieces, follows the table by the binary log, can be paused, \
                     and waits for you before the cut-over"
                }
                Tool::Percona => {
                    "pt-online-schema-change copies in small pieces, and follows the table by triggers: a \
                     write of the application that meets a chunk may be the victim of a deadlock \
                     (error 1213), and must be tried again"
                }
            }
            .to_owned());
            if tool == Tool::Percona && seen.facts.release.engine == Engine::MariaDb {
                reasons.push(
                    "a statement that the application keeps prepared may look for the copy when it is gone, \
                     and fail with error 1146, on MariaDB (MDEV-26048): 95 of 9,100 where fifty were run over \
                     and over; let the application prepare them anew, or connect anew"
                        .to_owned(),
                );
            }
            if !there(&tool) {
                reasons.push(format!(
                    "no `{}` is on the path here: run the command where it is",
                    tool.program()
                ));
            }
            Decision::Tool(tool)
        }
        // A replica that is missing is found first: it would be behind for as long as this takes.
        None if online && all_seen && refused(Path::Raw).is_empty() && wanted.is_none() => {
            reasons.push(
                "no tool can do it, so the server does, in place; watch the replicas: they lag"
                    .to_owned(),
            );
            by_server
        }
        None => Decision::Refuse,
    }
}

fn path(tool: Tool) -> Path {
    match tool {
        Tool::GhOst => Path::GhOst,
        Tool::Percona => Path::Percona,
    }
}

pub(super) fn command(seen: &Seen, tool: Tool, files: &str) -> tool::Command {
    let own = seen.facts.triggers.iter().any(|name| !name.starts_with("pt_osc_"));
    let around = Around {
        server: seen.facts.release,
        version: seen.version(tool),
        host: Some((seen.facts.host.clone(), seen.facts.port)),
        database: Word::plain(&seen.table.schema),
        defaults_file: Word::plain(&seen.request.defaults_file),
        files: files.to_owned(),
        // Below 2^31, and not near the numbers that people give.
        server_id: Some(1_000_000_000 + fingerprint(seen) % 1_000_000_000),
        replicas: seen.facts.replica_places.clone(),
        referred: !seen.facts.referring.is_empty(),
        triggers: own,
    };
    tool::command(tool, &seen.table.name, &seen.change.clauses, &around)
}

/// The statements, for a session that waits for its lock no longer than the team allows.
fn statements(seen: &Seen, raw: &Raw) -> Vec<Step> {
    let seconds = seen.request.lock_wait.as_secs().max(1);
    let quote = |name: &str| format!("`{}`", name.replace('`', "``"));
    let wait = Duration::from_secs(seconds);
    let step = |sql: String, note: &str, does| Step {
        sql: Some(sql),
        note: note.to_owned(),
        alone: true,
        does,
    };
    let leaves = leaves::of_raw(&seen.change.statement, seen.table, &seen.facts.definitions);
    vec![
        step(
            leaves::mysql_lock_wait(wait),
            "whoever comes after it waits as long as it waits for its lock; error 1205 means: nothing \
             was done, try again",
            Does::LockWait(wait),
        ),
        step(
            format!(
                "ALTER TABLE {}.{} {}",
                quote(&seen.table.schema),
                quote(&seen.table.name),
                with_algorithm(seen, raw)
            ),
            "the algorithm is named, so that the server refuses where it would have to work another way",
            Does::Change { leaves, spared_by: Vec::new() },
        ),
    ]
}

/// What a part of the change would need by itself, where that is less.
fn advice(seen: &Seen, alter: &AlterTable, raw: &Raw) -> Vec<String> {
    let mut advice = Vec::new();
    if alter.actions.len() < 2 || raw.instant {
        return advice;
    }
    let alone = |action: &(Action, std::ops::Range<usize>)| {
        let one = AlterTable { actions: vec![action.clone()], ..alter.clone() };
        let statement = Statement { what: What::AlterTable(one), ..seen.change.statement.clone() };
        let text = seen.change.text.get(action.1.clone()).unwrap_or_default();
        (self::raw(seen, &statement).instant, text.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let (quick, slow): (Vec<_>, Vec<_>) =
        alter.actions.iter().map(alone).partition(|(instant, _)| *instant);
    if !quick.is_empty() && !slow.is_empty() {
        let clauses: Vec<String> = quick.into_iter().map(|(_, text)| format!("`{text}`")).collect();
        advice.push(format!(
            "{} would be done at once in a file of {} own; together with the rest, one copy does it all",
            clauses.join(", "),
            if clauses.len() == 1 { "its" } else { "their" }
        ));
    }
    advice
}
