//! The gate: each page of a rule is true, and what is said is said where it should be.

use backstop::catalog::Release;
use backstop::gate::review::{Evidence, File, JobDone, hash, review};
use backstop::gate::{Policy, Report, Runner, Schema, Size, rules};
use backstop::sql::statement::Name;
use backstop::sql::{Source, parse};
use libtest_mimic::Trial;

use crate::test;

/// What stands before every example.
const POSTGRES: &str = "
CREATE TABLE countries (code char(2) PRIMARY KEY, name text);
CREATE TABLE customers (id bigint PRIMARY KEY, name text);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id bigint, total numeric, note varchar(100));
CREATE TABLE audit_log (id bigint PRIMARY KEY, said text);
CREATE TABLE events (id bigint, at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events DEFAULT;
";
const MYSQL: &str = "
CREATE TABLE countries (code char(2) PRIMARY KEY, name varchar(100)) ENGINE=InnoDB;
CREATE TABLE customers (id bigint PRIMARY KEY, name varchar(100)) ENGINE=InnoDB;
CREATE TABLE orders (id int PRIMARY KEY, customer_id bigint, total int, note varchar(100)) \
ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
";

pub fn trials() -> Vec<Trial> {
    let pages = rules::ALL
        .iter()
        .map(|rule| test(format!("gate: the page of {} is true", rule.id), || page(rule)));
    pages.collect()
}

/// An example of a page.
struct Example {
    bad: bool,
    /// The words behind `sql bad` or `sql safe`.
    words: Vec<String>,
    text: String,
}

fn examples(page: &str) -> Vec<Example> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```sql ") else { continue };
        let mut words = info.split(' ').map(str::to_owned);
        let bad = match words.next().as_deref() {
            Some("bad") => true,
            Some("safe") => false,
            other => panic!("an example is `bad` or `safe`, not {other:?}"),
        };
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        found.push(Example { bad, words: words.collect(), text: text.join("\n") + "\n" });
    }
    found
}

fn judged(rule: &rules::Rule, example: &Example) -> Report {
    let server = Release::parse(&example.words[0]).unwrap();
    let mut schema = Schema::default();
    let before = if example.words[0].starts_with("postgres") { POSTGRES } else { MYSQL };
    let after = example.text.lines().filter_map(|line| line.strip_prefix("-- after: "));
    for text in std::iter::once(before).chain(after) {
        for statement in &parse(Source::of(server), text).statements {
            schema.apply(statement);
        }
    }
    schema.complete = true;
    let mut policy = Policy::new(server, "2026-11-27");
    if rule.id != "forward-only" {
        policy.forward_only = vec![".".to_owned()];
    }
    if let Some(runner) = example.words.iter().skip(1).find_map(|word| Runner::by_name(word)) {
        policy.runner = runner;
    }
    let large = ["orders", "customers", "events", "events_2026", "audit_log"];
    for (name, rows) in large.map(|name| (name, 50_000_000)).into_iter().chain([("countries", 200)])
    {
        let size = Size { rows, bytes: None, activity: None };
        policy.sizes.tables.insert(Name::plain(name), size);
    }
    let mut evidence = Evidence {
        files: vec!["migrations/0001_expand.sql".to_owned()],
        jobs: vec![JobDone { name: "orders-note".to_owned(), verified: true, dual_write: None }],
        ..Evidence::default()
    };
    if rule.id != "require-validation" {
        evidence.validated.push(hash(&example.text));
    }
    let file = File { path: "migrations/0002.sql".to_owned(), text: example.text.clone() };
    review(vec![file], schema, &policy, &evidence)
}

/// Each bad example gives its rule and no other, each safe one nothing.
fn page(rule: &'static rules::Rule) {
    assert!(rule.page.starts_with(&format!("# {}\n", rule.id)), "its title is not its id");
    let examples = examples(rule.page);
    assert!(examples.iter().any(|example| example.bad), "it shows nothing that is bad");
    let mut wrong = Vec::new();
    for example in &examples {
        let report = judged(rule, example);
        let open = report.findings.iter().filter(|finding| finding.allowed.is_none());
        let mut found: Vec<&str> = open.clone().map(|finding| finding.rule).collect();
        found.dedup();
        let expected: &[&str] = if example.bad { &[rule.id] } else { &[] };
        if found != expected {
            let said: Vec<&str> = open.map(|finding| finding.message.as_str()).collect();
            wrong.push(format!("{}\n  gives {found:?}: {said:#?}", example.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
