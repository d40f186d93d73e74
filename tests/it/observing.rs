//! Being seen: metrics, dashboards, progress for machines and for logs.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use backstop::observe::handoff::HANDOFF_METRICS;
use backstop::observe::metrics::{Kind, METRICS};
use libtest_mimic::Trial;
use serde_json::Value;

use crate::database::{Database, engine};
use crate::harness::{Desk, Said, root, wait_for};
use crate::test;

const JOB: &str = r#"
[job]
name = "seen"

[target]
url_env = "DATABASE_URL"
name = "shop"

[update]
table = "t"
set   = { a = "id * 2" }
where = "a IS NULL"

[batch]
max_rows = 500
pause    = "10ms"

[throttle]
file = { path = "WAIT" }
"#;

const SCHEMA: &str = "\
CREATE TABLE t (id {{id}}, a integer);
INSERT INTO t (a) SELECT NULL FROM numbers;
UPDATE t SET a = id * 2 WHERE id % 4 = 0";

pub fn trials() -> Vec<Trial> {
    vec![
        test("observing: /metrics while a job runs and after its end", metrics),
        test("observing: the last state of a failed job can be scraped", failed_and_scraped),
        test("observing: promtool finds nothing to complain about", promtool),
        test("observing: the alert rules do what their tests say", alerts),
        test("observing: dashboards name exactly the metrics that exist", dashboards),
        test("observing: --progress json is a line of JSON for every event", json_lines),
        test("observing: a bar on a terminal, with a line for each worker", bars),
        test("observing: Ctrl-C leaves one bar, and the end below it", ctrl_c),
        test("observing: plain progress has no escape codes and is never silent", plain_lines),
        test("observing: an address that is taken", taken_address),
        test("observing: no password anywhere", no_password),
    ]
}

fn scene() -> (Database, Desk) {
    let database = Database::new(engine("sqlite"));
    database.script(SCHEMA);
    let desk = Desk::at(&database.url);
    desk.write("job.toml", JOB);
    (database, desk)
}

/// A GET, by hand: headers and body.
pub fn get(address: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The value of a series that begins with `series`.
pub fn value(body: &str, series: &str) -> f64 {
    let line = body.lines().find(|line| line.starts_with(series));
    let line = line.unwrap_or_else(|| panic!("no series `{series}` in\n{body}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

pub fn free_address() -> String {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().to_string()
}

fn metrics() {
    let (_database, desk) = scene();
    let address = free_address();
    let mut running = desk.start(&["run", "job.toml", "--listen", &address]);
    desk.wait_until(&mut running, "seen", |status| 3 <= status["batches"].as_u64().unwrap_or(0));
    let (head, body) = get(&address, "/metrics");
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    let labels = r#"{backfill="seen",database="shop"}"#;
    let scanned = value(&body, &format!("backstop_rows_scanned_total{labels}"));
    let changed = value(&body, &format!("backstop_rows_changed_total{labels}"));
    assert!(0.0 < changed && changed < scanned, "{changed} of {scanned}");
    let running_state = r#"backstop_run_state{backfill="seen",database="shop",state="running"}"#;
    assert_eq!(value(&body, running_state), 1.0);
    assert!(value(&body, &format!("backstop_run_progress_ratio{labels}")) < 1.0);
    assert_eq!(get(&address, "/healthz").1, "ok\n");

    // The job waits at its end until its last state was fetched.
    desk.wait_until(&mut running, "seen", |status| status["state"] == "verified");
    let mut last = String::new();
    wait_for("the end in the metrics", || {
        last = get(&address, "/metrics").1;
        0.0 < value(&last, &format!("backstop_run_end_timestamp_seconds{labels}"))
    });
    running.wait().expect(0);
    assert_eq!(value(&last, &format!("backstop_rows_scanned_total{labels}")), 20_000.0);
    assert_eq!(value(&last, &format!("backstop_rows_changed_total{labels}")), 15_000.0);
    assert_eq!(value(&last, &format!("backstop_verify_rows_total{labels}")), 20_000.0);
    assert_eq!(value(&last, &format!("backstop_run_progress_ratio{labels}")), 1.0);
    let verified = r#"backstop_run_state{backfill="seen",database="shop",state="verified"}"#;
    assert_eq!(value(&last, verified), 1.0);
    let states = last.lines().filter(|line| line.starts_with("backstop_run_state{"));
    assert_eq!(states.filter(|line| line.ends_with(" 1")).count(), 1, "exactly one state is 1");
    for metric in METRICS {
        assert!(
            last.contains(&format!("# TYPE {} ", metric.name)),
            "{} is not served",
            metric.name
        );
    }
    assert!(last.contains("process_resident_memory_bytes"));
}

fn failed_and_scraped() {
    let (database, desk) = scene();
    database.script(
        "CREATE TRIGGER no BEFORE UPDATE ON t WHEN new.id IN (3001, 3005) \
         BEGIN SELECT raise(abort, 'no'); END",
    );
    desk.write("job.toml", &format!("{JOB}\n[limits]\nquarantine = {{ max_rows = 1 }}"));
    let address = free_address();
    let mut running = desk.start(&["run", "job.toml", "--listen", &address]);
    desk.wait_until(&mut running, "seen", |status| status["state"] == "failed");
    let failed = r#"backstop_run_state{backfill="seen",database="shop",state="failed"}"#;
    let mut last = String::new();
    wait_for("the failure in the metrics", || {
        last = get(&address, "/metrics").1;
        value(&last, failed) == 1.0
    });
    let labels = r#"{backfill="seen",database="shop"}"#;
    for name in ["backstop_quarantine_rows", "backstop_rows_quarantined_total"] {
        assert_eq!(value(&last, &format!("{name}{labels}")), 1.0, "{name}");
    }
    running.wait().expect(4).says("waiting for monitoring");
}

fn promtool() {
    let promtool = std::env::var("BACKSTOP_TEST_PROMTOOL")
        .expect("`BACKSTOP_TEST_PROMTOOL` is not set: `tests/run` sets it");
    let jobs = backstop::observe::Metrics::new("seen", "shop").unwrap().text();
    check_metrics(&promtool, &jobs);
    let handoffs = backstop::observe::HandoffMetrics::new("0042", "shop").unwrap().text();
    check_metrics(&promtool, &handoffs);
}

fn check_metrics(promtool: &str, text: &str) {
    let mut child = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
}

/// The metrics that a text names.
fn named_in(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("backstop_")).map(str::to_owned)
}

fn alerts() {
    let promtool = std::env::var("BACKSTOP_TEST_PROMTOOL")
        .expect("`BACKSTOP_TEST_PROMTOOL` is not set: `tests/run` sets it");
    let folder = root().join("dashboards");
    let call = |arguments: &[&str]| {
        Said::by(Command::new(&promtool).args(arguments).current_dir(&folder)).expect(0)
    };
    call(&["check", "rules", "alerts.yaml"]);
    call(&["test", "rules", "alerts.test.yaml"]);
    let [rules, tests] =
        ["alerts.yaml", "alerts.test.yaml"].map(|name| std::fs::read_to_string(folder.join(name)));
    let (rules, tests) = (rules.unwrap(), tests.unwrap());
    for name in named_in(&rules) {
        let mut all = METRICS.iter().chain(HANDOFF_METRICS);
        assert!(all.any(|metric| metric.name == name), "no metric `{name}`");
    }
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tests.contains(&format!("alertname: {alert}")), "`{alert}` has no test");
    }
    // Where they send people to is there.
    let book = std::fs::read_to_string(root().join("docs/runbook.md")).unwrap();
    let headings: Vec<String> = book
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|heading| heading.to_lowercase().replace(' ', "-"))
        .collect();
    for place in rules.lines().filter_map(|line| line.trim().strip_prefix("runbook: ")) {
        let section = place.strip_prefix("docs/runbook.md#").unwrap();
        assert!(headings.iter().any(|heading| heading == section), "{place}: {headings:?}");
    }
}

/// Every text of the dashboard in which a metric can be named.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(text)
                        if ["expr", "query", "definition"].contains(&key.as_str()) =>
                    {
                        found.push(text.clone());
                    }
                    value => expressions(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        _ => {}
    }
}

fn dashboards() {
    let mut named = BTreeSet::new();
    let mut count = 0;
    for entry in std::fs::read_dir(root().join("dashboards")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        count += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        let dashboard: Value = serde_json::from_str(&text).unwrap();
        let mut texts = Vec::new();
        expressions(&dashboard, &mut texts);
        for text in texts {
            named.extend(named_in(&text));
        }
        let panels = dashboard["panels"].as_array().unwrap();
        let mut ids = BTreeSet::new();
        for panel in panels {
            assert!(ids.insert(panel["id"].as_u64()), "panel id {} twice", panel["id"]);
        }
    }
    assert!(0 < count, "there is no dashboard");
    let mut declared = BTreeSet::new();
    for metric in METRICS.iter().chain(HANDOFF_METRICS) {
        let suffix = if matches!(metric.kind, Kind::Histogram(_)) { "_bucket" } else { "" };
        declared.insert(format!("{}{suffix}", metric.name));
    }
    let unknown: Vec<_> = named.difference(&declared).collect();
    let unused: Vec<_> = declared.difference(&named).collect();
    assert!(unknown.is_empty(), "panels name metrics that do not exist: {unknown:?}");
    assert!(unused.is_empty(), "metrics that no panel shows: {unused:?}");
}

fn json_lines() {
    let (_database, desk) = scene();
    let said = desk.call(&["run", "job.toml", "--progress", "json"]).expect(0);
    let events: Vec<Value> =
        said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> =
        events.iter().map(|event| event["message_type"].as_str().unwrap()).collect();
    assert_eq!(kinds.first(), Some(&"started"));
    assert_eq!(kinds.last(), Some(&"ended"));
    let sum = |field: &str| -> u64 {
        let written = events.iter().filter(|event| event["phase"] == "write");
        written
            .filter(|event| event["message_type"] == "batch_done")
            .map(|event| event[field].as_u64().unwrap())
            .sum()
    };
    assert_eq!(sum("rows_scanned"), 20_000);
    assert_eq!(sum("rows_changed"), 15_000);
    for event in &events {
        assert!(event["time"].as_str().unwrap().ends_with('Z'), "{event}");
        assert_eq!(event["backfill"], "seen");
    }
}

/// `script` gives the program a terminal.
fn bars() {
    let database = Database::new(engine("postgres"));
    database.script(SCHEMA);
    let desk = Desk::at(&database.url);
    desk.write("job.toml", &JOB.replace("max_rows = 500", "workers = 2\nmax_rows = 200"));
    let call = desk.command(&["run", "job.toml"]);
    let mut command = Command::new("script");
    command
        .args(["-qec", &format!("{} run job.toml", call.get_program().to_string_lossy()), "typed"])
        .current_dir(desk.path(""))
        .env("TERM", "xterm")
        .env("DATABASE_URL", &database.url)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    assert!(command.status().unwrap().success());
    let seen = String::from_utf8_lossy(&std::fs::read(desk.path("typed")).unwrap()).into_owned();
    for text in ["━", "running, ", "worker 0: range ", "worker 1: range ", "rows/s", "\u{1b}["] {
        assert!(seen.contains(text), "`{text}` is not drawn: {seen}");
    }
    assert!(seen.contains("seen: verified (20,000 rows checked"), "{seen}");
}

/// What a terminal of this width shows after all that was typed and written: lines, as far as the
/// sequences that the bars use go.
fn screen(written: &str, width: usize) -> Vec<String> {
    let (mut lines, mut row, mut column) = (vec![Vec::new()], 0_usize, 0_usize);
    let mut letters = written.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' => column = 0,
            '\n' => row += 1,
            '\u{1b}' => {
                assert_eq!(letters.next(), Some('['));
                let mut number = String::new();
                let last = loop {
                    match letters.next().unwrap() {
                        digit if digit.is_ascii_digit() || digit == ';' => number.push(digit),
                        last => break last,
                    }
                };
                let number = number.parse::<usize>();
                match last {
                    'A' => row = row.saturating_sub(number.unwrap_or(1)),
                    'B' => row += number.unwrap_or(1),
                    'K' if number == Ok(2) => lines[row].clear(),
                    'm' => {}
                    other => panic!("what does `{other}` do?"),
                }
            }
            letter => {
                // At the right edge, the next letter begins the next line.
                if column == width {
                    (row, column) = (row + 1, 0);
                }
                let needed = lines.len().max(row + 1);
                lines.resize(needed, Vec::new());
                let letters = lines[row].len().max(column + 1);
                lines[row].resize(letters, ' ');
                lines[row][column] = letter;
                column += 1;
            }
        }
        let needed = lines.len().max(row + 1);
        lines.resize(needed, Vec::new());
    }
    let text = |line: Vec<char>| line.into_iter().collect::<String>().trim_end().to_owned();
    lines.into_iter().map(text).filter(|line| !line.is_empty()).collect()
}

fn ctrl_c() {
    let database = Database::new(engine("postgres"));
    database.script(SCHEMA);
    let desk = Desk::at(&database.url);
    desk.write("job.toml", &JOB.replace("max_rows = 500", "workers = 2\nmax_rows = 50"));
    let call = desk.command(&["run", "job.toml"]);
    // exec: the keys reach the whole group, and a shell in it may end by the signal itself (130).
    let program = call.get_program().to_string_lossy();
    let line = format!("stty rows 40 cols 150; exec {program} run job.toml");
    let mut typist = Command::new("script")
        .args(["-qefc", &line, "typed"])
        .current_dir(desk.path(""))
        .env("TERM", "xterm")
        .env("DATABASE_URL", &database.url)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let seen = || {
        let typed = std::fs::read(desk.path("typed")).unwrap_or_default();
        String::from_utf8_lossy(&typed).into_owned()
    };
    wait_for("the bars", || seen().contains("worker 1: range "));
    typist.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
    assert_eq!(typist.wait().unwrap().code(), Some(3), "{}", seen());
    let seen = seen();
    let shown = screen(&seen[seen.find('\n').unwrap() + 1..], 150);
    assert!(seen.contains("^C"), "the terminal printed the keys: {shown:#?}");
    let bars: Vec<_> = shown.iter().filter(|line| line.contains('─')).collect();
    assert_eq!(bars.len(), 1, "{shown:#?}");
    assert!(bars[0].contains(" stopped, "), "{shown:#?}");
    let below = shown.iter().skip_while(|line| !line.contains('─')).nth(1);
    assert!(below.unwrap().starts_with("seen: stopped by SIGINT"), "{shown:#?}");
}

fn plain_lines() {
    let (_database, desk) = scene();
    let arguments = ["run", "job.toml", "--progress", "plain", "--progress-interval", "100ms"];
    let said = desk.call(&arguments).expect(0);
    assert!(!said.err.contains('\u{1b}'), "{}", said.err);
    assert!(said.out.is_empty(), "progress is no data: {}", said.out);
    let progress = said.err.lines().filter(|line| line.contains("rows scanned"));
    assert!(2 <= progress.count(), "{}", said.err);
    for line in said.err.lines().filter(|line| line.contains(" % ")) {
        let percent = line.split(' ').zip(line.split(' ').skip(1)).find(|(_, next)| *next == "%,");
        let percent: f64 = percent.unwrap().0.parse().unwrap();
        assert!(percent <= 100.0, "{line}");
    }
}

fn taken_address() {
    let (_database, desk) = scene();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    desk.call(&["run", "job.toml", "--listen", &address])
        .expect(2)
        .says(&format!("`--listen {address}` is not possible"))
        .says("name a free address");
}

/// The password of the server's URL appears in no output, and not in the journal.
fn no_password() {
    let database = Database::new(engine("postgres"));
    database.script(SCHEMA);
    let desk = Desk::at(&database.url);
    desk.write("job.toml", JOB);
    let url = url::Url::parse(&database.url).unwrap();
    let encoded = url.password().unwrap().to_owned();
    let said = [
        desk.call(&["plan", "job.toml", "--json"]).expect(0),
        desk.call(&["run", "job.toml", "--progress", "json"]).expect(0),
        desk.call(&["status", "--json"]).expect(0),
    ];
    let mut texts: Vec<String> = said.into_iter().flat_map(|said| [said.out, said.err]).collect();
    for entry in std::fs::read_dir(desk.path(".backstop")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        texts.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    let decoded = decode(&encoded);
    for text in &texts {
        assert!(!text.contains(&encoded) && !text.contains(&decoded), "the password is in\n{text}");
    }
}

fn decode(text: &str) -> String {
    let pair = format!("p={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(pair.as_bytes()).next().unwrap().1.into_owned()
}
