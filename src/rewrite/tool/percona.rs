//! pt-online-schema-change's arguments. Source:
//! <https://docs.percona.com/percona-toolkit/pt-online-schema-change.html>.

use super::pairs::{self, Use};
use super::words::Command;
use super::{Around, Tool};

/// Why `--alter-foreign-keys-method`.
pub(super) const WHY_REBUILD: &str = "`--alter-foreign-keys-method=rebuild_constraints`: other \
     tables refer to it, and their keys are made anew at the end, each in one ALTER that locks its \
     table; `auto` might drop the table before its copy has the name";

/// Why `--preserve-triggers`.
pub(super) const WHY_PRESERVE: &str = "`--preserve-triggers`: the table has triggers of its own";

pub(super) fn command(table: &str, clauses: &str, around: &Around) -> Command {
    let mut command = Command::of(Tool::Percona);
    command.word(around.defaults_file.after("--defaults-file="));
    command.push(format!("--alter={clauses}"));
    command.push("--charset=utf8mb4");
    // Aimed at half a second by default; a short chunk is a short wait for whoever writes its rows.
    command.push("--chunk-time=0.25");
    command.push("--max-lag=2");
    command.push("--max-load=Threads_running=25");
    // The default of 50 ends the run in a spike, and leaves its triggers behind.
    command.push("--critical-load=Threads_running=200");
    // Whoever comes behind it waits as long as it waits: behind an open transaction, the creation of each
    // trigger held writers up for 3.02 s with 3. It tries again, 30 times.
    let mut variables = vec!["lock_wait_timeout=1", "innodb_lock_wait_timeout=1"];
    let pairs = || pairs::of(Tool::Percona, around.server, around.version);
    variables.extend(pairs().filter(|pair| pair.usage == Use::Variable).map(|pair| pair.flag));
    command.push(format!("--set-vars={}", variables.join(",")));
    command.push("--tries=create_triggers:30:1,drop_triggers:30:1,swap_tables:30:1");
    command.push("--progress=time,5");
    // How many chunks it took is said at the end: one alone would have locked the whole table.
    command.push("--statistics");
    command.push(format!("--pause-file={}.pause", around.files));
    // The old table is the way back; it is dropped by a person, later.
    command.push("--no-drop-old-table");
    for pair in pairs().filter(|pair| pair.usage == Use::Argument) {
        command.push(pair.flag);
    }
    if around.referred {
        command.push("--alter-foreign-keys-method=rebuild_constraints");
    }
    if around.triggers {
        command.push("--preserve-triggers");
    }
    command.push("--execute");
    let place = around.host.as_ref().map(|(host, port)| format!("h={host},P={port},"));
    let before = format!("{}D=", place.unwrap_or_default());
    let database = around.database.after(&before);
    command.word(database.before(&format!(",t={table}")));
    command
}
