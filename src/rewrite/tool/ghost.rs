//! gh-ost's arguments. Source: `doc/command-line-flags.md` of gh-ost 1.1.10.

use super::words::Command;
use super::{Around, Tool, pairs};

/// The most bytes of a table's name, as gh-ost counts them.
const LONGEST_NAME: usize = 64;

/// The name that gh-ost gives to a table of its own: `gho`, `ghc`, `ghk`, `del`, `rev_del`. Where it would be too
/// long, gh-ost cuts the table's.
#[must_use]
pub fn own_table(table: &str, end: &str) -> String {
    let room = LONGEST_NAME.saturating_sub(end.len() + 2);
    let cut = (0..=table.len().min(room)).rev().find(|&at| table.is_char_boundary(at));
    format!("_{}_{end}", table.get(..cut.unwrap_or_default()).unwrap_or_default())
}

pub(super) fn command(table: &str, clauses: &str, around: &Around) -> Command {
    let mut command = Command::of(Tool::GhOst);
    if let Some((host, port)) = &around.host {
        command.push(format!("--host={host}"));
        command.push(format!("--port={port}"));
    }
    command.word(around.defaults_file.after("--conf="));
    command.word(around.database.after("--database="));
    command.push(format!("--table={table}"));
    command.push(format!("--alter={clauses}"));
    // It follows the primary's own binary log, whose format the preflight has seen.
    command.push("--allow-on-master");
    command.push("--assume-rbr");
    if let Some(id) = around.server_id {
        command.push(format!("--replica-server-id={id}"));
    }
    command.push("--chunk-size=1000");
    command.push("--max-lag-millis=1500");
    if !around.replicas.is_empty() {
        command.push(format!("--throttle-control-replicas={}", around.replicas.join(",")));
    }
    command.push("--max-load=Threads_running=25");
    command.push("--critical-load=Threads_running=200");
    // Writers wait twice as long at each attempt while somebody reads in a long transaction.
    command.push("--cut-over-lock-timeout-seconds=3");
    command.push("--default-retries=60");
    let files = &around.files;
    command.push(format!("--serve-socket-file={files}.sock"));
    command.push(format!("--postpone-cut-over-flag-file={files}.postpone"));
    command.push(format!("--panic-flag-file={files}.panic"));
    for pair in pairs::of(Tool::GhOst, around.server, around.version) {
        if pair.is_set() {
            command.push(pair.flag);
        }
    }
    command.push("--checkpoint-seconds=60");
    command.push("--execute");
    command
}
