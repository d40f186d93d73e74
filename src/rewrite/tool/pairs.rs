//! Version of the tool × version of the server: what must be set, what never, and why.
//!
//! One table. The commands are made from it, and the gate's advice and `handoff plan` print it. It was
//! measured with gh-ost 1.1.10 and pt-online-schema-change 3.2.1 and 3.7.1 on MariaDB 10.11 and MySQL 9.7;
//! what a version in between does is assumed from the release in which the cause came or went.

use super::{Tool, Version};
use crate::catalog::{Engine, Release};

/// What is done with a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It is an argument.
    Argument,
    /// It is a variable of the tool's sessions (pt-online-schema-change's `--set-vars`).
    Variable,
    /// It never is.
    Never,
}

/// A flag, and the pairs of tool and server that it belongs to.
#[derive(Debug)]
pub struct Pair {
    /// Whose.
    pub tool: Tool,
    /// With its value.
    pub flag: &'static str,
    /// What is done with it.
    pub usage: Use,
    /// On which servers, and of which versions of the tool, in words.
    pub on: &'static str,
    /// The same, decided. A version that is not known is none.
    pub holds: fn(Release, Option<Version>) -> bool,
    /// Why.
    pub why: &'static str,
}

impl Pair {
    /// Whether it stands in a command.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.usage != Use::Never
    }

    /// Whether it is there for some servers or versions only.
    #[must_use]
    pub fn is_particular(&self) -> bool {
        self.on != EVERYWHERE
    }
}

const EVERYWHERE: &str = "every server";

/// The rows that hold for this pair. An unknown version of the tool is taken for one that needs most.
pub fn of(
    tool: Tool,
    server: Release,
    version: Option<Version>,
) -> impl Iterator<Item = &'static Pair> {
    ALL.iter().filter(move |pair| pair.tool == tool && (pair.holds)(server, version))
}

/// The oldest gh-ost that has all of the flags below.
pub const OLDEST_GHOST: Version = (1, 1, 8);

/// The first gh-ost that goes back (`--revert`).
pub const REVERTS: Version = (1, 1, 8);

/// The first pt-online-schema-change that asks `SHOW REPLICAS` in place of `SHOW SLAVE HOSTS`.
const SHOWS_REPLICAS: Version = (3, 7, 0);

fn always(_: Release, _: Option<Version>) -> bool {
    true
}

fn is_mariadb(server: Release, _: Option<Version>) -> bool {
    server.engine == Engine::MariaDb
}

fn explains_as_a_tree(server: Release, _: Option<Version>) -> bool {
    server.engine == Engine::MySql && (9, 0, 0) <= server.version
}

/// Whether pt-online-schema-change finds no replicas there: MySQL 8.4 took `SHOW SLAVE HOSTS` out.
#[must_use]
pub fn cannot_find_replicas(server: Release, version: Option<Version>) -> bool {
    server.engine == Engine::MySql
        && (8, 4, 0) <= server.version
        && version.is_none_or(|version| version < SHOWS_REPLICAS)
}

fn finds_replicas(server: Release, version: Option<Version>) -> bool {
    !cannot_find_replicas(server, version)
}

/// The table.
pub static ALL: &[Pair] = &[
    Pair {
        tool: Tool::GhOst,
        flag: "--panic-on-warnings",
        usage: Use::Argument,
        on: EVERYWHERE,
        holds: always,
        why: "without it, rows that do not fit the new shape are dropped without a word: of 200,000, \
              an ADD UNIQUE left 9,973, and gh-ost said `Done`",
    },
    Pair {
        tool: Tool::GhOst,
        flag: "--checkpoint",
        usage: Use::Argument,
        on: EVERYWHERE,
        holds: always,
        why: "a restart of the server, or one lost connection, ends gh-ost; without a checkpoint it \
              then begins anew",
    },
    Pair {
        tool: Tool::GhOst,
        flag: "--exact-rowcount",
        usage: Use::Argument,
        on: "MySQL 9",
        holds: explains_as_a_tree,
        why: "MySQL 9 explains as a tree, and gh-ost reads an estimate of 0 rows from that: it says \
              100 % and `due` all along",
    },
    Pair {
        tool: Tool::GhOst,
        flag: "--allow-setup-metadata-lock-instruments",
        usage: Use::Argument,
        on: "MariaDB",
        holds: is_mariadb,
        why: "MariaDB has the metadata lock's instrument off, and gh-ost refuses to run without it; \
              it also needs `performance_schema=ON`",
    },
    Pair {
        tool: Tool::GhOst,
        flag: "--attempt-instant-ddl",
        usage: Use::Never,
        on: EVERYWHERE,
        holds: always,
        why: "on MySQL 9 the change was made and gh-ost hung; what can be instant is done without a \
              tool, with ALGORITHM=INSTANT",
    },
    Pair {
        tool: Tool::GhOst,
        flag: "--serve-tcp-port",
        usage: Use::Never,
        on: EVERYWHERE,
        holds: always,
        why: "whoever reaches the port can cut over or end the run: it asks for no password. The file \
              of a socket has an owner",
    },
    Pair {
        tool: Tool::GhOst,
        flag: "--skip-metadata-lock-check",
        usage: Use::Never,
        on: EVERYWHERE,
        holds: always,
        why: "then nothing shows that the renaming session holds the table's lock, and rows that are \
              written in that moment can be lost",
    },
    Pair {
        tool: Tool::GhOst,
        flag: "--discard-foreign-keys",
        usage: Use::Never,
        on: EVERYWHERE,
        holds: always,
        why: "it drops the foreign keys without a word",
    },
    Pair {
        tool: Tool::GhOst,
        flag: "--force-named-panic",
        usage: Use::Never,
        on: EVERYWHERE,
        holds: always,
        why: "a `panic` without the table's name is then refused, and the run goes on and cuts over",
    },
    Pair {
        tool: Tool::GhOst,
        flag: "--initially-drop-old-table",
        usage: Use::Never,
        on: EVERYWHERE,
        holds: always,
        why: "`_…_del` may be the whole old table of an earlier run: look before it is dropped",
    },
    Pair {
        tool: Tool::Percona,
        flag: "explain_format=TRADITIONAL",
        usage: Use::Variable,
        on: "MySQL 9",
        holds: explains_as_a_tree,
        why: "else it reads an estimate of 0 rows, and copies the whole table in one statement that \
              locks it: an UPDATE waited 7.6 s for 600,000 rows",
    },
    Pair {
        tool: Tool::Percona,
        flag: "--recursion-method=none",
        usage: Use::Argument,
        on: "MySQL from 8.4, of versions before 3.7",
        holds: cannot_find_replicas,
        why: "it asks `SHOW SLAVE HOSTS`, which this server refuses as a syntax error; then it watches \
              the lag of no replica",
    },
    Pair {
        tool: Tool::Percona,
        flag: "--recursion-method=processlist",
        usage: Use::Argument,
        on: "every other pair",
        holds: finds_replicas,
        why: "from 3.7 on it asks `SHOW REPLICAS`, which MariaDB 10.11 refuses; the list of sessions \
              can be asked everywhere",
    },
    Pair {
        tool: Tool::Percona,
        flag: "--check-alter",
        usage: Use::Argument,
        on: EVERYWHERE,
        holds: always,
        why: "it refuses a rename of a column, whose values would be lost",
    },
    Pair {
        tool: Tool::Percona,
        flag: "--no-check-unique-key-change",
        usage: Use::Never,
        on: EVERYWHERE,
        holds: always,
        why: "it copies with INSERT IGNORE, and rows that are equal in a new unique key are dropped \
              without a word",
    },
    Pair {
        tool: Tool::Percona,
        flag: "--history",
        usage: Use::Never,
        on: "MariaDB",
        holds: is_mariadb,
        why: "there it refuses its own table at the second use, so that nothing can be resumed",
    },
    Pair {
        tool: Tool::Percona,
        flag: "--nocheck-replication-filters",
        usage: Use::Never,
        on: EVERYWHERE,
        holds: always,
        why: "a replica that filters the table would stop at the rename",
    },
];
