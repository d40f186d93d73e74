//! `backstop check` as its users call it.

use std::process::Command;

use libtest_mimic::Trial;

use crate::harness::{Desk, Said};
use crate::test;

pub fn trials() -> Vec<Trial> {
    vec![
        test("checking: the exit code says whether it may go on", exit_codes),
        test("checking: a table is large from its threshold on", threshold),
        test("checking: a contract waits for its job", contract),
        test("checking: only what changed since a revision is judged", since),
        test("checking: who runs a migration decides what stands in a transaction", runners),
        test("checking: every format is written", formats),
        test("checking: what nests too deep ends nothing", deep),
        test("checking: what is said wrongly is said to be", wrong_use),
        test("checking: a later file sees what an earlier one made", across_files),
    ]
}

const SAFE: &str = "-- backstop: forward-only\nSET lock_timeout = '5s';\n\
                    ALTER TABLE orders ADD COLUMN note text;\n";
const UNSAFE: &str = "-- backstop: forward-only\nSET lock_timeout = '5s';\n\
                      CREATE INDEX orders_note ON orders (note);\n";

fn desk(files: &[(&str, &str)]) -> Desk {
    let desk = Desk::new();
    for (name, text) in files {
        desk.write(name, text);
    }
    desk
}

fn check(desk: &Desk, more: &[&str]) -> Said {
    let arguments = [&["check", "--database", "postgres-15"], more].concat();
    desk.call(&arguments)
}

fn exit_codes() {
    let desk = desk(&[("safe.sql", SAFE), ("unsafe.sql", UNSAFE), ("torn.sql", "ALTER TABLE")]);
    let said = check(&desk, &["safe.sql"]).expect(0);
    assert!(said.out.contains("warning[require-validation]"), "{}", said.out);
    let said = check(&desk, &["safe.sql", "unsafe.sql"]).expect(1);
    assert!(said.out.contains("error[long-lock]"), "{}", said.out);
    assert!(said.out.contains("INDEX CONCURRENTLY orders_note ON orders (note);"), "{}", said.out);
    let said = check(&desk, &["torn.sql"]).expect(1);
    assert!(said.out.contains("error[not-evaluated]"), "{}", said.out);
    check(&desk, &["missing.sql"]).expect(2);
    desk.call(&["check", "safe.sql"]).expect(2).says("--database postgres-15");
}

fn threshold() {
    let desk =
        desk(&[("a.sql", UNSAFE), ("under.csv", "orders,99999\n"), ("at.csv", "orders,100000\n")]);
    check(&desk, &["a.sql", "--stats", "under.csv"]).expect(0);
    let said = check(&desk, &["a.sql", "--stats", "at.csv"]).expect(1);
    assert!(said.out.contains("`orders` is of 100,000 rows"), "{}", said.out);
    desk.write("backstop.toml", "[gate]\nlarge_rows_of = { orders = 99_999 }\n");
    check(&desk, &["a.sql", "--stats", "under.csv"]).expect(1);
}

fn contract() {
    let contract = "-- backstop: forward-only\n-- backstop: phase contract of 1.sql job=fill-notes\n\
                    SET lock_timeout = '5s';\nALTER TABLE orders DROP COLUMN old_note;\n";
    let expand = SAFE.replace(
        "-- backstop: forward-only",
        "-- backstop: forward-only\n-- backstop: phase expand",
    );
    let desk = desk(&[("m/1.sql", &expand), ("m/2.sql", contract)]);
    let said = check(&desk, &["m"]).expect(1);
    assert!(said.out.contains("nothing is known of the job `fill-notes`"), "{}", said.out);
    let report = |state: &str| {
        format!(
            "{{\"format\": 1, \"job\": \"fill-notes\", \"spec_hash\": \"x\", \"generation\": 1, \
             \"table\": \"orders\", \"state\": \"{state}\", \"counts\": {{\"rows_scanned\": 1, \
             \"rows_changed\": 1, \"rows_checked\": 1, \"rows_wrong\": 0}}, \"violations\": 0, \
             \"finished_at\": \"2026-11-01T00:00:00Z\"}}"
        )
    };
    desk.write("job.json", &report("completed"));
    let said = check(&desk, &["m", "--evidence", "job.json"]).expect(1);
    assert!(said.out.contains("is not verified"), "{}", said.out);
    desk.write("job.json", &report("verified"));
    check(&desk, &["m", "--evidence", "job.json"]).expect(0);
    desk.write("job.json", "{\"job\": 1}");
    check(&desk, &["m", "--evidence", "job.json"]).expect(2).says("job.json");
}

fn since() {
    let desk = desk(&[("m/1.sql", UNSAFE)]);
    let git = |arguments: &[&str]| {
        let said = Said::by(
            Command::new("git")
                .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
                .args(arguments)
                .current_dir(desk.path("")),
        );
        said.expect(0)
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "one"]);
    desk.write("m/2.sql", SAFE);
    check(&desk, &["m"]).expect(1);
    let said = check(&desk, &["m", "--since", "HEAD"]).expect(0);
    assert!(said.out.contains("in 1 file"), "{}", said.out);
    check(&desk, &["m", "--since", "nowhere"]).expect(2).says("nowhere");
    check(&desk, &["m", "--since", "--help"]).expect(2);
}

fn runners() {
    let two = "-- backstop: forward-only\nSET lock_timeout = '5s';\n\
               ALTER TABLE orders ADD COLUMN a text;\nALTER TABLE orders ADD COLUMN b text;\n";
    let index = "-- backstop: forward-only\nSET lock_timeout = '5s';\n\
                 CREATE INDEX CONCURRENTLY i ON orders (a);\n";
    let desk = desk(&[("two.sql", two), ("index.sql", index)]);
    let found = |file: &str, runner: &str, rule: &str| {
        check(&desk, &[file, "--runner", runner]).out.contains(&format!("[{rule}]"))
    };
    for (runner, boundaries, fails) in [
        ("psql", true, false),
        ("django", false, true),
        ("golang-migrate", false, true),
        ("efcore", true, false),
    ] {
        assert_eq!(found("two.sql", runner, "transaction-boundaries"), boundaries, "{runner}");
        assert_eq!(found("index.sql", runner, "will-fail"), fails, "{runner}");
    }
    // What a framework prints says itself where its transaction is.
    for (runner, headline) in
        [("django", "--\n-- Add index\n--"), ("alembic", "-- Running upgrade 1 -> 2\n")]
    {
        desk.write("printed.sql", &format!("{headline}\n{index}"));
        assert!(!found("printed.sql", runner, "will-fail"), "{runner}");
        desk.write("printed.sql", &format!("BEGIN;\n{headline}\n{index}COMMIT;"));
        assert!(found("printed.sql", runner, "will-fail"), "{runner}");
    }
    // Where DDL commits by itself, these two open no transaction, also not for data.
    desk.write("data.sql", "DELETE FROM a WHERE id = 1;\nDELETE FROM b WHERE id = 1;\n");
    for (runner, boundaries) in [("rails", true), ("django", true), ("flyway", false)] {
        let said = desk.call(&["check", "data.sql", "--database", "mysql", "--runner", runner]);
        assert_eq!(said.out.contains("[transaction-boundaries]"), boundaries, "{runner}");
    }
    desk.write("plain.sql", &format!("-- no-transaction\n{index}"));
    assert!(!found("plain.sql", "sqlx", "will-fail"));
}

fn formats() {
    let desk = desk(&[("unsafe.sql", UNSAFE)]);
    let written = |format: &str| check(&desk, &["unsafe.sql", "--format", format]).expect(1).out;
    for format in ["json", "sarif", "gitlab"] {
        let value: serde_json::Value = serde_json::from_str(&written(format)).unwrap();
        assert!(value.to_string().contains("long-lock"), "{format}");
    }
    assert!(written("github").contains("::error file=unsafe.sql,line=3,"), "{}", written("github"));
    assert!(written("markdown").contains("long-lock"));
    assert!(written("junit").starts_with("<?xml"));
    let json = check(&desk, &["unsafe.sql", "--json"]).expect(1).out;
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let statement = &value["files"][0]["statements"][1];
    assert_eq!(statement["kind"], "CREATE INDEX");
    assert_eq!(statement["effects"]["locks"][0]["relation"], "orders");
    assert_eq!(statement["effects"]["locks"][0]["mode"], "ShareLock");
    assert_eq!(statement["effects"]["index_build"][0], "orders");
    assert_eq!(statement["findings"][0], "long-lock");
}

fn deep() {
    let nested = format!("SELECT {}1{};\n", "(".repeat(100_000), ")".repeat(100_000));
    let chain = format!("SELECT {}1;\n", "1 + ".repeat(100_000));
    let desk = desk(&[("nested.sql", &nested), ("chain.sql", &chain)]);
    for database in ["postgres", "mysql", "mariadb", "sqlite"] {
        for file in ["nested.sql", "chain.sql"] {
            let said = desk.call(&["check", file, "--database", database]);
            let said = said.expect(1);
            assert!(said.out.contains("1 statement"), "{database} {file}");
        }
    }
}

fn wrong_use() {
    let desk = desk(&[("a.sql", SAFE), ("empty/readme.txt", "none")]);
    desk.call(&["check", "a.sql", "--database", "oracle"]).expect(2).says("`oracle`");
    check(&desk, &["a.sql", "--runner", "make"]).expect(2).says("`make`");
    check(&desk, &["empty"]).expect(2).says("holds no migration");
    check(&desk, &["a.sql", "--stats", "a.sql"]).expect(2).says("a.sql:1");
    desk.call(&["explain", "long-lokc"]).expect(2).says("did you mean `long-lock`");
    desk.write("backstop.toml", "[gate]\nseverity = { long-lokc = \"off\" }\n");
    check(&desk, &["a.sql"]).expect(2).says("did you mean `long-lock`");
    // One of the five is never silently off.
    desk.write("backstop.toml", "[gate]\nseverity = { long-lock = \"off\" }\n");
    desk.write("b.sql", UNSAFE);
    let said = check(&desk, &["b.sql"]).expect(0);
    assert!(said.out.contains("note[long-lock]"), "{}", said.out);
}

fn across_files() {
    let table = "-- backstop: forward-only\nCREATE TABLE fresh (id bigint PRIMARY KEY, a text);\n";
    let born = "-- backstop: forward-only\nBEGIN;\nCREATE TABLE fresh (id bigint PRIMARY KEY, a text);\n\
                CREATE INDEX fresh_a ON fresh (a);\nCOMMIT;\n";
    let index =
        "-- backstop: forward-only\nSET lock_timeout = '5s';\nCREATE INDEX fresh_a ON fresh (a);\n";
    let check_added = "-- backstop: forward-only\nSET lock_timeout = '5s';\nALTER TABLE orders ADD \
                       CONSTRAINT n CHECK (total IS NOT NULL) NOT VALID;\n";
    let validated = "-- backstop: forward-only\nSET lock_timeout = '5s';\nALTER TABLE orders VALIDATE \
                     CONSTRAINT n;\n";
    let not_null = "-- backstop: forward-only\nSET lock_timeout = '5s';\nALTER TABLE orders ALTER \
                    total SET NOT NULL;\n";
    let desk = desk(&[
        ("born/1.sql", born),
        ("live/1.sql", table),
        ("live/2.sql", index),
        ("proof/1.sql", check_added),
        ("proof/2.sql", validated),
        ("proof/10.sql", not_null),
    ]);
    // Nobody waits for a table that this file makes; one of an earlier file is live.
    check(&desk, &["born"]).expect(0);
    check(&desk, &["live"]).expect(1);
    check(&desk, &["proof"]).expect(0);
    check(&desk, &["proof/10.sql"]).expect(1);
}
