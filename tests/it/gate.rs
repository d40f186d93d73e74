//! The gate: each page of a rule is true, and what is said is said where it should be.

use backstop::catalog::Release;
use backstop::gate::review::{Evidence, File, JobDone, hash, review};
use backstop::gate::{Engine, Policy, Report, Runner, Schema, Size, rules};
use backstop::sql::script::{Kind, script};
use backstop::sql::statement::Name;
use backstop::sql::{Source, parse};
use libtest_mimic::Trial;

use crate::harness::{is_full, root};
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
const SQLITE: &str = "
CREATE TABLE countries (code text PRIMARY KEY, name text);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, total integer, note text);
";

pub fn trials() -> Vec<Trial> {
    let pages = rules::ALL
        .iter()
        .map(|rule| test(format!("gate: the page of {} is true", rule.id), || page(rule)));
    let more = [test("gate: mutated statements are read to their end", fuzz)];
    pages.chain(more).collect()
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
    let before = match server.engine {
        Engine::Postgres => POSTGRES,
        Engine::MySql | Engine::MariaDb => MYSQL,
        Engine::Sqlite => SQLITE,
    };
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
    review(vec![file.read(server)], schema, &policy, &evidence)
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

/// Statements of every kind, as the test data has them.
fn corpus(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(file)).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with("-- "));
    let text = lines.collect::<Vec<_>>().join("\n");
    let parts = text.split("\n\n").flat_map(|part| part.split(";\n"));
    parts.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }
}

/// A statement with some of its words dropped, doubled, swapped, cut, or taken from elsewhere.
fn mutate(statement: &str, other: &str, numbers: &mut Numbers) -> String {
    let mut words: Vec<String> =
        statement.split_inclusive([' ', '(', ')', ',', '\'', '"']).map(str::to_owned).collect();
    let strangers: Vec<&str> = other.split_inclusive([' ', '(', ')', ',']).collect();
    for _ in 0..=numbers.below(3) {
        if words.is_empty() {
            break;
        }
        let at = numbers.below(words.len());
        match numbers.below(6) {
            0 => drop(words.remove(at)),
            1 => words.insert(at, words[at].clone()),
            2 => {
                let with = numbers.below(words.len());
                words.swap(at, with);
            }
            3 => words.insert(at, strangers[numbers.below(strangers.len())].to_owned()),
            4 => {
                let odd = [
                    "'", "\"", "`", "$$", "/*", "--", "\\", "\0", "é", "(", ")", ";", "::", "[",
                    "0x",
                ];
                words.insert(at, odd[numbers.below(odd.len())].to_owned());
            }
            _ => words.truncate(at),
        }
    }
    words.concat()
}

/// Whatever stands in a file, it is read to its end, nothing of it is lost, and nothing panics.
fn fuzz() {
    let rounds = if is_full() { 1_000_000 } else { 50_000 };
    // A mistake within a block leaves the rest of the block read, so its statements are half ones.
    let all = ["", "-boundaries", "-keys", "-objects", "-rows", "-types"];
    let all = all.iter().flat_map(|name| corpus(&format!("tests/effects/postgres{name}.sql")));
    let blocks = all.map(|statement| format!("DO $x$ BEGIN {statement}; END $x$")).collect();
    let sources = [
        ("postgres", corpus("tests/effects/postgres.sql")),
        ("postgres-15", blocks),
        ("mysql", corpus("tests/effects/mysql.sql")),
        ("mariadb-10.11", corpus("tests/effects/mysql.sql")),
        ("sqlite", corpus("tests/effects/postgres.sql")),
    ];
    let threads =
        sources.into_iter().filter(|(_, corpus)| !corpus.is_empty()).map(|(name, corpus)| {
            std::thread::spawn(move || {
                let server = Release::parse(name).unwrap();
                let source = Source::of(server);
                let mut numbers = Numbers(7);
                let mut schema = Schema::default();
                for statement in corpus.iter().take(60) {
                    parse(source, statement).statements.iter().for_each(|one| schema.apply(one));
                }
                let policy = Policy::new(server, "2026-11-27");
                for _ in 0..rounds / 5 {
                    let (one, other) = (
                        &corpus[numbers.below(corpus.len())],
                        &corpus[numbers.below(corpus.len())],
                    );
                    let text = mutate(one, other, &mut numbers);
                    let file = File { path: "fuzz.sql".to_owned(), text: text.clone() };
                    let report = review(
                        vec![file.read(server)],
                        schema.clone(),
                        &policy,
                        &Evidence::default(),
                    );
                    let pieces = script(source.tokens, &text);
                    let statements = pieces.iter().filter(|piece| piece.kind == Kind::Statement);
                    let spans: Vec<_> = statements.map(|piece| piece.span.clone()).collect();
                    let read = &report.files[0].statements;
                    let read: Vec<_> = read.iter().map(|one| one.span.clone()).collect();
                    assert_eq!(read, spans, "a statement of {text:?} is lost");
                    for finding in &report.findings {
                        assert!(
                            text.get(finding.span.clone()).is_some(),
                            "{finding:?} of {text:?}"
                        );
                    }
                }
            })
        });
    let threads: Vec<_> = threads.collect();
    for thread in threads {
        thread.join().unwrap();
    }
}
