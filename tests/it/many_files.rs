//! `backstop check` on thousands of files: what it holds, and what becomes of a report that is longer
//! than what it holds.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::harness::{Desk, Said};
use crate::test;

pub fn trials() -> Vec<Trial> {
    vec![
        test("checking: memory does not grow with the number of files", flat),
        test("checking: a report that is longer than what is held is written whole", whole),
        test("checking: a report that cannot be printed whole is no answer", unprinted),
        test("checking: a report whose end cannot be kept is no answer", unkept),
        test("checking: a file that cannot be read leaves no half of a report", unread),
    ]
}

/// Tables that the files change. As many for however many files: a schema is held, and may grow.
const TABLES: usize = 40;

/// Writes files into a folder, each with two statements on which something is found.
fn write(desk: &Desk, folder: &str, count: usize) {
    for number in 0..count {
        let table = format!("t{}", number % TABLES);
        desk.write(
            &format!("{folder}/{number}.sql"),
            &format!(
                "SET lock_timeout = '5s';\nALTER TABLE {table} ALTER COLUMN a TYPE bigint;\n\
                 CREATE INDEX ON {table} (b);\nALTER TABLE {table} DROP COLUMN c;\n"
            ),
        );
    }
}

fn arguments<'a>(folder: &'a str, format: &'a str) -> [&'a str; 6] {
    ["check", folder, "--database", "postgres-15", "--format", format]
}

/// The most memory that a check had at once, in kilobytes, as far as it was seen: it is looked at
/// every millisecond, and never gets less.
fn peak(desk: &Desk, folder: &str, runner: &str, format: &str) -> u64 {
    let mut command = desk.command(&arguments(folder, format));
    command.args(["--runner", runner]);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let exit = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let seen = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        peak = seen.unwrap_or(peak);
        if let Some(exit) = child.try_wait().unwrap() {
            break exit;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(exit.code(), Some(1), "something is found");
    assert!(0 < peak, "`{status}` said nothing of its memory");
    peak
}

fn flat() {
    const FEW: u64 = 1_000;
    const MANY: u64 = 6_000;
    // Of each file its path is held, three times (what is judged, what was, what stands beside it),
    // and its directives: some hundred bytes. Its text, its statements and what is said of them are
    // several thousand, as JSON more than ten.
    const OF_A_FILE: u64 = 1_000;
    let desk = Desk::new();
    write(&desk, "few", FEW.try_into().unwrap());
    write(&desk, "many", MANY.try_into().unwrap());
    // TypeORM runs them all in one transaction, and has every text asked about that before the first.
    for (runner, format) in [("psql", "human"), ("psql", "json"), ("typeorm", "human")] {
        let peak = |folder| peak(&desk, folder, runner, format);
        let (few, many) = (peak("few"), peak("many"));
        let grown = many.saturating_sub(few) * 1024 / (MANY - FEW);
        assert!(
            grown <= OF_A_FILE,
            "{runner}, {format}: {few} kB for {FEW} files, {many} kB for {MANY}: {grown} bytes for each file"
        );
    }
}

fn whole() {
    let desk = Desk::new();
    write(&desk, "m", 1_500);
    let said = desk.call(&arguments("m", "json")).expect(1);
    assert!(4 * 1024 * 1024 < said.out.len(), "{} bytes fit into what is held", said.out.len());
    let value: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let count = |list: &str| value[list].as_array().unwrap().len();
    assert_eq!(count("files"), 1_500);
    let summary = &value["summary"];
    let sum =
        ["errors", "warnings", "notes", "allowed"].map(|kind| summary[kind].as_u64().unwrap());
    assert_eq!(u64::try_from(count("findings")).unwrap(), sum.iter().sum::<u64>());
    // The numbers of rules are known at the end, and stand in the middle of what was kept by then.
    let said = desk.call(&arguments("m", "sarif")).expect(1);
    let value: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let run = &value["runs"][0];
    for result in run["results"].as_array().unwrap() {
        let number = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][number]["id"], result["ruleId"]);
    }
}

fn unprinted() {
    let desk = Desk::new();
    write(&desk, "m", 1);
    let mut command = desk.command(&arguments("m", "human"));
    let full = File::options().write(true).open("/dev/full").unwrap();
    let done = command.stdout(full).spawn().unwrap().wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&done.stderr).into_owned();
    let said = Said { code: done.status.code().unwrap_or(-1), out: String::new(), err };
    said.expect(2).says("cannot be printed whole");
}

fn unkept() {
    let desk = Desk::new().set("TMPDIR", "/nowhere/at/all");
    write(&desk, "few", 2);
    write(&desk, "many", 1_500);
    desk.call(&arguments("few", "json")).expect(1);
    desk.call(&arguments("many", "json")).expect(2).says("`TMPDIR`");
    // It needs no end that would have to be kept.
    desk.call(&arguments("many", "markdown")).expect(1);
}

fn unread() {
    let desk = Desk::new();
    write(&desk, "m", 20);
    std::fs::write(desk.path("m/20.sql"), [0xff, 0xfe]).unwrap();
    for format in ["human", "json"] {
        let said = desk.call(&arguments("m", format)).expect(2).says("m/20.sql");
        assert_eq!(said.out, "", "{format}");
    }
}
