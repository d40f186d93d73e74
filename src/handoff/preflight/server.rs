//! What the server has and allows.

use super::around::unread;
use super::{ANY, COPYING, GHOST, Look, PERCONA, RAW, Seen};
use crate::catalog::Engine;
use crate::handoff::{Decision, estimate};
use crate::rewrite::tool::{Tool, pairs};
use crate::target::online::{Fact, Reach};

/// gh-ost keeps one connection idle for as long as it runs; one that is closed ends the run.
const IDLE: u64 = 600;

pub(super) fn read_only(seen: &Seen) -> Look {
    match &seen.server.read_only {
        None => Look::at("it takes writes"),
        Some(why) => Look::at("read-only").fail(ANY, why.clone()),
    }
}

pub(super) fn cluster(seen: &Seen) -> Look {
    match seen.server.cluster {
        None => Look::at("none"),
        Some(cluster) => Look::at(cluster)
            .fail(
                GHOST,
                format!("gh-ost's cut-over holds the table by LOCK TABLES, which {cluster} does not replicate"),
            )
            .note(PERCONA, format!("{cluster} runs each DDL on all nodes at once: expect each to stall")),
    }
}

pub(super) fn binlog(seen: &Seen) -> Look {
    let on = matches!(seen.variable("log_bin"), "ON" | "1");
    if !on {
        return Look::at("off").fail(
            GHOST,
            "`log_bin` is OFF: gh-ost follows the table by the binary log; set it and restart, or \
             take pt-online-schema-change",
        );
    }
    let (format, image) = (seen.variable("binlog_format"), seen.variable("binlog_row_image"));
    let mut look = Look::at(format!("{format}, row image {image}"));
    if !format.eq_ignore_ascii_case("ROW") {
        look = look.fail(
            GHOST,
            format!(
                "`binlog_format` is {format}: gh-ost reads rows; set it to ROW, for every session"
            ),
        );
    }
    if !image.eq_ignore_ascii_case("FULL") {
        look = look.fail(
            GHOST,
            format!("`binlog_row_image` is {image}: gh-ost needs whole rows; set it to FULL"),
        );
    }
    look
}

pub(super) fn retention(seen: &Seen) -> Look {
    let number = |name: &str| seen.variable(name).parse::<f64>().unwrap_or(0.0);
    let seconds = number("binlog_expire_logs_seconds");
    let seconds = if 0.0 < seconds { seconds } else { number("expire_logs_days") * 86_400.0 };
    if seconds <= 0.0 {
        return Look::at("never removed by age");
    }
    let look = Look::at(format!("{seconds:.0} s"));
    let decision = Decision::Tool(Tool::GhOst);
    let needed = estimate::of(seen.facts, decision, true, 0).seconds_most.saturating_mul(2);
    #[expect(clippy::cast_precision_loss, reason = "a number of seconds")]
    let needed = needed as f64;
    if seconds < needed {
        return look.fail(
            GHOST,
            format!(
                "the binary log is removed after {seconds:.0} s, and the copy may take half of \
                 {needed:.0} s: throttled or paused, gh-ost would lose its place; keep it longer \
                 (`binlog_expire_logs_seconds`)"
            ),
        );
    }
    look
}

pub(super) fn replicas(seen: &Seen) -> Look {
    if let Some(why) = unread(seen, Fact::Sessions) {
        let declared = match seen.request.replicas {
            Some(declared) => format!("{declared} declared, seen not known"),
            None => "not known".to_owned(),
        };
        let look = Look::at(declared);
        let message = format!("the replicas cannot be seen: {why}");
        return match seen.request.replicas {
            Some(0) | None => look.unknown(COPYING, message),
            Some(_) => look.fail(COPYING, message),
        };
    }
    let seen_here = seen.facts.replicas.len();
    let look = Look::at(match seen.request.replicas {
        Some(declared) => format!("{seen_here} seen, {declared} declared"),
        None => format!("{seen_here} seen, none declared"),
    });
    let declared = usize::try_from(seen.request.replicas.unwrap_or(0)).unwrap_or(usize::MAX);
    if seen_here < declared {
        return look.fail(
            COPYING,
            format!(
                "{declared} replicas were declared (`--replicas`), and {seen_here} read from this \
                 server: one is down, or hangs on another one, and nobody would watch its lag; a tool \
                 says nothing of it"
            ),
        );
    }
    let mut look = look;
    if declared < seen_here {
        look = look.note(
            COPYING,
            format!(
                "{seen_here} replicas read from this server: say `--replicas {seen_here}`, so that one \
                 that is missing is noticed"
            ),
        );
    }
    let blind = pairs::cannot_find_replicas(seen.facts.release, seen.version(Tool::Percona));
    if 0 < seen_here && blind {
        look = look.fail(
            PERCONA,
            "before version 3.7, pt-online-schema-change cannot find the replicas of this server, and \
             would watch the lag of none: take 3.7 or newer",
        );
    }
    if seen.facts.replica_places.len() < seen_here {
        look = look.note(
            GHOST,
            "not every replica says where it listens (`report_host`), and gh-ost watches the lag of those \
             that it is told: add them as `--throttle-control-replicas=HOST:PORT,…`",
        );
    }
    look
}

pub(super) fn grants(seen: &Seen) -> Look {
    if let Some(why) = unread(seen, Fact::Rights) {
        return Look::at("not known").unknown(ANY, format!("the grants cannot be read: {why}"));
    }
    let has = |privilege: &str, least: Reach| {
        seen.facts.rights.iter().any(|right| {
            let whole = |own: &String| own == "ALL PRIVILEGES" || own == "ALL";
            least <= right.reach
                && right.privileges.iter().any(|own| own == privilege || whole(own))
        })
    };
    let lacking = |wanted: &[&'static str], least: Reach| -> Vec<&'static str> {
        wanted.iter().copied().filter(|privilege| !has(privilege, least)).collect()
    };
    let copying =
        ["ALTER", "CREATE", "DELETE", "DROP", "INDEX", "INSERT", "SELECT", "TRIGGER", "UPDATE"];
    let mut look = Look::at(match lacking(&copying, Reach::Database).as_slice() {
        [] => "all that a tool needs in the database".to_owned(),
        some => format!("without {}", some.join(", ")),
    });
    let missing = |look: Look, path, tool: &str, list: &[&str], place: &str| {
        if list.is_empty() {
            return look;
        }
        let message = format!(
            "the account lacks {} on {place}, which {tool} needs: `GRANT {} ON {place} TO …`{}",
            list.join(", "),
            list.join(", "),
            if seen.facts.has_roles { "; roles are not looked into" } else { "" }
        );
        if seen.facts.has_roles { look.unknown(path, message) } else { look.fail(path, message) }
    };
    let place = format!("`{}`.*", seen.table.schema);
    let mut for_ghost = lacking(&copying, Reach::Database);
    for_ghost.extend(lacking(&["LOCK TABLES"], Reach::Database));
    look = missing(look, GHOST, "gh-ost", &for_ghost, &place);
    let on_server = lacking(&["REPLICATION SLAVE"], Reach::Server);
    look = missing(look, GHOST, "gh-ost", &on_server, "*.*");
    // MariaDB from 10.5 on calls it `BINLOG MONITOR`.
    if !has("REPLICATION CLIENT", Reach::Server) && !has("BINLOG MONITOR", Reach::Server) {
        look = missing(look, GHOST, "gh-ost", &["REPLICATION CLIENT"], "*.*");
    }
    let tool = Tool::Percona.program();
    look = missing(look, PERCONA, tool, &lacking(&copying, Reach::Database), &place);
    let logged = matches!(seen.variable("log_bin"), "ON" | "1");
    let trusts = matches!(seen.variable("log_bin_trust_function_creators"), "ON" | "1");
    if seen.facts.release.engine == Engine::MySql
        && logged
        && !trusts
        && !has("SUPER", Reach::Server)
    {
        look = look.fail(
            PERCONA,
            "with the binary log on, MySQL lets only an account with SUPER make triggers, unless \
             `log_bin_trust_function_creators` is ON",
        );
    }
    let raw = lacking(&["ALTER", "CREATE", "INSERT"], Reach::Table);
    let table = format!("`{}`.`{}`", seen.table.schema, seen.table.name);
    missing(look, RAW, "ALTER TABLE", &raw, &table)
}

pub(super) fn disk(seen: &Seen) -> Look {
    let needed = estimate::of(seen.facts, Decision::Tool(Tool::GhOst), true, 0);
    #[expect(clippy::cast_precision_loss, reason = "a number of bytes")]
    let needed = needed.total_bytes as f64;
    match &seen.disk {
        Ok(free) => {
            let look = Look::at(format!("{:.1} GB free", free / 1e9));
            if *free < needed {
                return look.fail(
                    COPYING,
                    format!(
                        "{:.1} GB are free on the server's disk, and the copy with its binary log needs \
                         {:.1} GB: a full disk stops every write",
                        free / 1e9,
                        needed / 1e9
                    ),
                );
            }
            look
        }
        Err(why) => Look::at("not known").unknown(
            COPYING,
            format!(
                "the free disk is not known ({why}): look on the machine, `df {}`; {:.1} MB are needed",
                match seen.variable("datadir") {
                    "" => "DATADIR",
                    folder => folder,
                },
                needed / 1e6
            ),
        ),
    }
}

pub(super) fn wait_timeout(seen: &Seen) -> Look {
    let seconds: u64 = seen.variable("wait_timeout").parse().unwrap_or(u64::MAX);
    let look = Look::at(format!("{seconds} s"));
    if seconds < IDLE {
        return look.fail(
            GHOST,
            format!(
                "`wait_timeout` is {seconds} s: gh-ost keeps a connection idle from its beginning to \
                 its end, and dies when the server closes it; set it to {IDLE} s at least while it runs"
            ),
        );
    }
    look
}

pub(super) fn instrument(seen: &Seen) -> Look {
    let schema = seen.variable("performance_schema");
    let look = Look::at(format!("performance_schema {schema}"));
    if schema == "ON" {
        return look;
    }
    look.fail(
        GHOST,
        "`performance_schema` is OFF: gh-ost can then not see that it holds the table's lock when it \
         renames, and rows can be lost; set `performance_schema=ON` and restart",
    )
}

pub(super) fn ghost_version(seen: &Seen) -> Look {
    let Some(found) = seen.found(Tool::GhOst) else { return Look::at("not asked") };
    let oldest = pairs::OLDEST_GHOST;
    match &found.version {
        Ok(version) => {
            let shown = format!("{}.{}.{}", version.0, version.1, version.2);
            let look = Look::at(shown.clone());
            if *version < oldest {
                return look.fail(
                    GHOST,
                    format!(
                        "gh-ost {shown} has no `--panic-on-warnings`, without which rows are dropped \
                         without a word; take {}.{}.{} or newer",
                        oldest.0, oldest.1, oldest.2
                    ),
                );
            }
            look
        }
        Err(why) => Look::at("not known").unknown(
            GHOST,
            format!(
                "{why}; where it runs, it must be {}.{}.{} or newer, for `--panic-on-warnings`",
                oldest.0, oldest.1, oldest.2
            ),
        ),
    }
}

/// PostgreSQL: only the owner changes a table.
pub(super) fn owner(seen: &Seen) -> Look {
    if seen.facts.rights.iter().any(|right| right.privileges.iter().any(|own| own == "OWNER")) {
        return Look::at("this account");
    }
    Look::at("another account").fail(
        ANY,
        "only the owner of a table may change it: connect as the owner, or as a member of its role",
    )
}
