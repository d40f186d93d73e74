//! A change of a large table of MySQL or MariaDB, as the command of an online-DDL tool.
//!
//! Which flags each pair of tool and server needs, and why, was measured, and stands in [`pairs`]; a
//! command is never given where the tool would lose rows without a word: both copy with `INSERT
//! IGNORE` ([`losses`](super::losses)).

pub mod ghost;
pub mod pairs;
mod percona;
mod words;

use serde::{Deserialize, Serialize};

use crate::catalog::Release;
use crate::sql::schema::Schema;
use crate::sql::statement::{AlterTable, ForeignKey};

pub use words::{Command, Word, quoted};

use super::losses::losses;

/// A version of a tool: `(1, 1, 10)`.
pub type Version = (u16, u16, u16);

/// An online-DDL tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tool {
    /// gh-ost: follows the table by the binary log.
    GhOst,
    /// pt-online-schema-change: follows it by triggers.
    Percona,
}

/// Every tool.
pub static ALL: [Tool; 2] = [Tool::GhOst, Tool::Percona];

impl Tool {
    /// Its program.
    #[must_use]
    pub const fn program(self) -> &'static str {
        match self {
            Self::GhOst => "gh-ost",
            Self::Percona => "pt-online-schema-change",
        }
    }
}

/// What decides a command besides the change itself.
#[derive(Debug, Clone)]
pub struct Around {
    /// The server.
    pub server: Release,
    /// The tool's version, where it is known.
    pub version: Option<Version>,
    /// Where the server listens; else what the defaults file says.
    pub host: Option<(String, u16)>,
    /// The database.
    pub database: Word,
    /// The file with user and password.
    pub defaults_file: Word,
    /// Begins the names of the files that belong to this run: socket, flags.
    pub files: String,
    /// The number by which the server knows gh-ost among its replicas.
    pub server_id: Option<u32>,
    /// Replicas whose lag is watched, as `host:port`.
    pub replicas: Vec<String>,
    /// Other tables refer to it.
    pub referred: bool,
    /// It has triggers of its own.
    pub triggers: bool,
}

/// The command by which this tool makes the change. Whether it may is not asked here.
#[must_use]
pub fn command(tool: Tool, table: &str, clauses: &str, around: &Around) -> Command {
    match tool {
        Tool::GhOst => ghost::command(table, clauses, around),
        Tool::Percona => percona::command(table, clauses, around),
    }
}

/// What the gate gives: what to run, or why not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Given {
    /// A line for a shell; none where no tool should do it as it stands.
    pub command: Option<String>,
    /// Why this tool, why these flags, or why none.
    pub reasons: Vec<String>,
}

/// The command for this change, as far as it can be known without a server. `script` is the text
/// that the statement stands in.
#[must_use]
pub fn plan(alter: &AlterTable, script: &str, schema: &Schema, server: Release) -> Given {
    if let Some(loss) = losses(alter, schema, server).first() {
        let shown = match &loss.probe {
            Some(probe) => format!("; first show that there is none: {}", probe.count),
            None => String::new(),
        };
        return Given {
            command: None,
            reasons: vec![format!(
                "neither gh-ost nor pt-online-schema-change should do it unseen: {}{shown}",
                loss.what
            )],
        };
    }
    let keys = schema.foreign_keys_of(&alter.name).next().is_some();
    let referred = schema.referring_to(&alter.name).next().is_some();
    let triggers = schema.triggers_of(&alter.name).next().is_some();
    let own = schema.foreign_keys_of(&alter.name);
    if own.map(|(_, key)| key).any(cascades) {
        let why = "gh-ost takes no foreign keys; and pt-online-schema-change follows by triggers, \
                   which InnoDB does not fire for rows that a cascade changes: the copy would differ";
        return Given { command: None, reasons: vec![why.to_owned()] };
    }
    let tool = if keys || referred || triggers { Tool::Percona } else { Tool::GhOst };
    let database = match &alter.name.schema {
        Some(database) => Word::plain(database),
        None => Word::in_shell("DATABASE", "\"$DATABASE\""),
    };
    let around = Around {
        server,
        version: None,
        host: None,
        database,
        defaults_file: Word::in_shell("~/.my.cnf", "\"$HOME/.my.cnf\""),
        files: format!("/tmp/backstop-{}", alter.name.name),
        server_id: None,
        replicas: Vec::new(),
        referred,
        triggers,
    };
    let command = command(tool, &alter.name.name, &clauses(alter, script), &around);
    let mut reasons = vec![match tool {
        Tool::GhOst => {
            "no foreign keys and no triggers are known on it, so gh-ost can follow it by the binlog, \
             which must hold rows in full (`binlog_format=ROW`, `binlog_row_image=FULL`)"
        }
        Tool::Percona => {
            "gh-ost takes no table with foreign keys or triggers; pt-online-schema-change does"
        }
    }
    .to_owned()];
    let always = pairs::of(tool, server, None).filter(|pair| pair.is_set() && pair.is_particular());
    reasons.extend(always.map(|pair| format!("`{}`: {}", pair.flag, pair.why)));
    if referred {
        reasons.push(percona::WHY_REBUILD.to_owned());
    }
    if triggers {
        reasons.push(percona::WHY_PRESERVE.to_owned());
    }
    if schema.table(&alter.name).is_none() {
        reasons.push(format!(
            "assumed: foreign keys and triggers of `{}` are not known; give the schema with \
             `--schema`",
            alter.name
        ));
    }
    Given { command: Some(command.shell()), reasons }
}

/// Whether a cascade of this key changes rows of the table that has it.
#[must_use]
pub fn cascades(key: &ForeignKey) -> bool {
    let changes = |action: &Option<String>| {
        action.as_deref().is_some_and(|action| action == "CASCADE" || action.starts_with("SET"))
    };
    changes(&key.on_delete) || changes(&key.on_update)
}

/// The clauses as written, without `ALGORITHM` and `LOCK`, on one line.
#[must_use]
pub fn clauses(alter: &AlterTable, script: &str) -> String {
    let texts = alter.actions.iter().filter_map(|(_, span)| script.get(span.clone()));
    texts.map(on_one_line).collect::<Vec<_>>().join(", ")
}

/// White space outside of quotes squeezed: a default or a comment keeps what it says.
fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let (mut quote, mut escaped) = (None, false);
    for letter in text.trim().chars() {
        match quote {
            Some(open) => {
                line.push(letter);
                if escaped {
                    escaped = false;
                } else if letter == '\\' && open != '`' {
                    escaped = true;
                } else if letter == open {
                    quote = None;
                }
            }
            None if letter.is_whitespace() => {
                if !line.ends_with(' ') {
                    line.push(' ');
                }
            }
            None => {
                if matches!(letter, '\'' | '"' | '`') {
                    quote = Some(letter);
                }
                line.push(letter);
            }
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Release;

    fn around(server: &str, version: Option<Version>) -> Around {
        Around {
            server: Release::parse(server).unwrap(),
            version,
            host: Some(("db.internal".to_owned(), 3307)),
            database: Word::plain("shop"),
            defaults_file: Word::plain("/etc/osc.cnf"),
            files: "/tmp/backstop-1f".to_owned(),
            server_id: Some(1_234_567_890),
            replicas: vec!["r1:3306".to_owned(), "r2:3306".to_owned()],
            referred: false,
            triggers: false,
        }
    }

    /// The flags of gh-ost 1.1.10, as `gh-ost --help` and its `doc/command-line-flags.md` list them.
    const GHOST_FLAGS: &[&str] = &[
        "allow-on-master",
        "allow-setup-metadata-lock-instruments",
        "alter",
        "assume-rbr",
        "checkpoint",
        "checkpoint-seconds",
        "chunk-size",
        "conf",
        "critical-load",
        "cut-over-lock-timeout-seconds",
        "database",
        "default-retries",
        "exact-rowcount",
        "execute",
        "host",
        "max-lag-millis",
        "max-load",
        "panic-flag-file",
        "panic-on-warnings",
        "port",
        "postpone-cut-over-flag-file",
        "replica-server-id",
        "serve-socket-file",
        "table",
        "throttle-control-replicas",
    ];

    #[test]
    fn gh_ost_gets_flags_that_it_has_each_once_and_none_that_is_forbidden() {
        for server in ["mysql-5.7", "mysql-8.4", "mysql-9.7", "mariadb-10.11"] {
            let around = around(server, Some((1, 1, 10)));
            let vector = command(Tool::GhOst, "orders", "ADD note text", &around).vector();
            assert_eq!(vector[0], "gh-ost");
            let flags: Vec<&str> = vector[1..]
                .iter()
                .map(|word| word.strip_prefix("--").unwrap().split('=').next().unwrap())
                .collect();
            for flag in &flags {
                assert!(GHOST_FLAGS.contains(flag), "gh-ost has no --{flag}");
                assert_eq!(flags.iter().filter(|other| *other == flag).count(), 1, "{flag}");
            }
            for needed in ["panic-on-warnings", "postpone-cut-over-flag-file", "checkpoint"] {
                assert!(flags.contains(&needed), "{needed} on {server}");
            }
            assert_eq!(flags.contains(&"exact-rowcount"), server == "mysql-9.7", "{server}");
            let instrument = flags.contains(&"allow-setup-metadata-lock-instruments");
            assert_eq!(instrument, server.starts_with("mariadb"), "{server}");
            assert_eq!(vector.last().unwrap(), "--execute");
            let socket = vector.iter().find(|word| word.contains("socket")).unwrap();
            // The kernel's limit to the name of a socket.
            assert!(socket.split('=').nth(1).unwrap().len() < 108);
        }
    }

    #[test]
    fn a_revert_is_the_same_command_without_the_change() {
        let around = around("mysql-8.4", Some((1, 1, 10)));
        let own = command(Tool::GhOst, "orders", "ADD note text", &around);
        let (vector, reverting) = (own.vector(), own.reverting("_orders_del").vector());
        let same = |word: &&String| !word.starts_with("--alter=");
        let kept: Vec<&String> = vector.iter().filter(same).collect();
        let added = ["--revert", "--old-table=_orders_del"];
        let rest = reverting.iter().filter(|word| !added.contains(&word.as_str()));
        assert_eq!(rest.collect::<Vec<_>>(), kept);
        assert_eq!(reverting.len(), vector.len() + 1);
        assert_eq!(reverting.last().unwrap(), "--execute");
        assert_eq!(ghost::own_table("orders", "rev_del"), "_orders_rev_del");
        assert_eq!(ghost::own_table(&"x".repeat(59), "rev_del").len(), 64);
    }

    #[test]
    fn no_command_holds_what_the_table_forbids() {
        for tool in ALL {
            for server in ["mysql-5.7", "mysql-8.4", "mysql-9.7", "mariadb-10.11"] {
                for version in [None, Some((1, 1, 10)), Some((3, 2, 1)), Some((3, 7, 1))] {
                    let around = around(server, version);
                    let line = command(tool, "t", "ENGINE=InnoDB", &around).shell();
                    for pair in pairs::of(tool, around.server, version) {
                        let has = line.contains(pair.flag);
                        assert_eq!(has, pair.is_set(), "{} on {server}: {line}", pair.flag);
                    }
                }
            }
        }
    }

    #[test]
    fn pt_osc_reads_its_row_estimate_and_finds_replicas_as_the_pair_allows() {
        let cases = [
            ("mysql-9.7", (3, 2, 1), "--recursion-method=none", true),
            ("mysql-9.7", (3, 7, 1), "--recursion-method=processlist", true),
            ("mysql-8.0", (3, 2, 1), "--recursion-method=processlist", false),
            ("mariadb-10.11", (3, 2, 1), "--recursion-method=processlist", false),
            ("mariadb-10.11", (3, 7, 1), "--recursion-method=processlist", false),
        ];
        for (server, version, method, traditional) in cases {
            let around = around(server, Some(version));
            let vector = command(Tool::Percona, "orders", "ADD note text", &around).vector();
            assert!(vector.contains(&method.to_owned()), "{server} {version:?}: {vector:?}");
            let set = vector.iter().find(|word| word.starts_with("--set-vars=")).unwrap();
            assert_eq!(set.contains("explain_format=TRADITIONAL"), traditional, "{server}");
            assert_eq!(vector.last().unwrap(), "h=db.internal,P=3307,D=shop,t=orders");
        }
    }

    #[test]
    fn a_shell_reads_the_vector_back_whatever_stands_in_it() {
        let around = around("mysql-8.4", None);
        let clauses = "ADD note varchar(9) DEFAULT 'it''s $HOME `x` \"y\"'";
        let command = command(Tool::GhOst, "odd 'name", clauses, &around);
        let said = std::process::Command::new("sh")
            .arg("-c")
            .arg(command.shell().replacen("gh-ost", "printf '%s\\n'", 1))
            .output()
            .unwrap();
        let words: Vec<String> =
            String::from_utf8(said.stdout).unwrap().lines().map(str::to_owned).collect();
        assert_eq!(words, command.vector()[1..]);
    }

    #[test]
    fn what_stands_in_quotes_keeps_its_space() {
        assert_eq!(
            on_one_line("ADD  a int\n  COMMENT 'two  words\\'  '"),
            "ADD a int COMMENT 'two  words\\'  '"
        );
    }
}
