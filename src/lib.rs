//! # Backstop
//!
//! Backfills you can stop, and a gate for the migrations around them, on PostgreSQL, MySQL, MariaDB
//! and SQLite. A job is walked along a key in batches; each batch is one transaction that writes its
//! rows and advances a row of the *fence*, a small table in the target, so that rows and cursor
//! commit together or not at all. A migration is judged by what its statements do: text becomes
//! statements ([`sql`]), statements become effects, and rules read effects ([`gate`]).
//!
//! ## The house
//!
//! Arrows point down only; a test holds them, and that the rooms marked ◦ use no I/O, no clock and
//! no async.
//!
//! | tier | rooms |
//! | --- | --- |
//! | 1 | `main` |
//! | 2 | [`cli`]: arguments, one file a command, exit codes · [`serve`]: HTTP |
//! | 3 | [`ops`]: the use cases that both share |
//! | 4 | [`run`]: the executor, one loop for every shape of job · [`handoff`]: schema changes for online-DDL tools |
//! | 5 | [`plan`]: spec and catalog to statements; every refusal · [`throttle`]: when it steps aside · [`control`]: what can stop a job · [`journal`]: the local SQLite file |
//! | 6 | [`target`]: the databases, a folder each · [`gate`] ◦: what migrations do, and whether they may · [`rewrite`] ◦: something unsafe, written otherwise |
//! | 7 | [`sql`] ◦ · [`keyspace`] ◦ · [`spec`] ◦ |
//! | 8 | [`catalog`] ◦ · [`event`] ◦ |
//!
//! [`observe`] and [`report`] listen and show; nobody below tier 3 names them.
//!
//! ## Invariants
//!
//! - **Only `target` speaks SQL to a server**, only `journal` and `target/sqlite` know rusqlite,
//!   only `cli/args` knows clap, only `observe` knows indicatif and prometheus.
//! - **Rules read effects**, and never ask which database they are on; nothing passes because it was
//!   not looked at.
//! - **Keys are compared by the server.** Here they are text that is shown, stored and sent back.
//! - **The fence is the truth**, the journal its copy: at every start the journal is written to
//!   match the fence.
//! - **A state changes in one function** ([`event::next`]), and whoever changes it writes it to the
//!   journal and says so on the event stream.

#![deny(unsafe_code, reason = "a tool that writes to production databases has no need of it")]
#![deny(missing_docs, reason = "every public item says what it is")]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::todo,
    clippy::unimplemented,
    reason = "no panic reaches a user"
)]
#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::dbg_macro,
    clippy::exit,
    reason = "output goes through `cli::printer` and the listeners, where a closed pipe is no panic"
)]
#![warn(clippy::pedantic)]
#![allow(
    clippy::module_name_repetitions,
    clippy::too_many_lines,
    clippy::similar_names,
    clippy::format_push_string,
    clippy::match_same_arms,
    clippy::single_match_else,
    clippy::must_use_candidate,
    reason = "matters of taste where the code reads better without them"
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failing test should panic"
    )
)]

pub mod catalog;
pub mod cli;
pub mod control;
pub mod event;
pub mod gate;
pub mod handoff;
pub mod journal;
pub mod keyspace;
pub mod observe;
pub mod ops;
pub mod plan;
pub mod report;
pub mod rewrite;
pub mod run;
pub mod serve;
pub mod spec;
pub mod sql;
pub mod target;
pub mod throttle;
