//! The documents are true: generated pages are compared, commands are run.

use std::process::Command;

use libtest_mimic::Trial;

use crate::database::{Database, engine};
use crate::harness::{Desk, is_full, root};
use crate::test;

pub fn trials() -> Vec<Trial> {
    vec![
        test("docs: the generated pages are up to date", generated),
        test("docs: the README's commands, to the letter", readme),
        test("docs: the page of handoffs shows every flag", flags),
        test("docs: links between the pages lead somewhere", links),
        test("docs: the specs on the page of signals are ones", throttling),
        test("docs: the schemas are JSON Schemas with every field described", schema),
    ]
}

/// Compared by default; written only when asked.
fn generated() {
    let schema = serde_json::to_string_pretty(&backstop::report::findings::findings_schema());
    let pages = [
        ("docs/commands.md", backstop::cli::reference()),
        ("docs/job-spec.md", backstop::spec::job_reference()),
        ("docs/config.md", backstop::spec::config_reference()),
        ("docs/metrics.md", backstop::observe::metrics::reference()),
        ("docs/rules.md", backstop::gate::rules::reference()),
        ("docs/findings.schema.json", schema.unwrap() + "\n"),
    ];
    for (path, text) in pages {
        let file = root().join(path);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        let present = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(present == text, "`{path}` is out of date: UPDATE_GOLDEN=1 writes it\n{text}");
    }
}

/// The commands of each section, in order.
fn commands(markdown: &str) -> Vec<(String, String)> {
    let (mut section, mut inside) = (String::new(), false);
    let mut found: Vec<(String, String)> = Vec::new();
    for line in markdown.lines() {
        if !inside && let Some(heading) = line.strip_prefix("## ") {
            heading.clone_into(&mut section);
        } else if line == "```sh" {
            inside = true;
            found.push((section.clone(), String::new()));
        } else if line == "```" {
            inside = false;
        } else if inside && let Some((_, block)) = found.last_mut() {
            block.push_str(line);
            block.push('\n');
        }
    }
    found
}

fn readme() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let database = Database::new(engine("postgres"));
    database.script(
        "CREATE TABLE orders (id {{id}}, total numeric(10, 2) NOT NULL, total_cents integer);\n\
         INSERT INTO orders (total) SELECT n / 7.0 FROM numbers",
    );
    let desk = Desk::new();
    let bin = desk.path("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_backstop"), bin.join("backstop")).unwrap();
    let full = is_full();
    let mut script = String::from("set -e\n");
    let mut stopping = String::new();
    for (section, block) in commands(&text) {
        for line in block.lines() {
            // Three things differ from what a person types: the address of the database, the binary
            // that the tests have built already, and where the repository is.
            let line = match line {
                "cargo run --release -- demo" if full => {
                    format!(
                        "(cd {} && cargo run --release -- demo --dir \"$OLDPWD/shop\")",
                        root().display()
                    )
                }
                "cargo run --release -- demo" => "backstop demo".to_owned(),
                line if line.starts_with("export DATABASE_URL=") => {
                    format!("export DATABASE_URL='{}'", database.url)
                }
                line => line.replace("127.0.0.1:9187", "127.0.0.1:0"),
            };
            let to = if section == "Stop it" { &mut stopping } else { &mut script };
            to.push_str(&line);
            to.push('\n');
        }
    }
    assert!(script.contains("backstop run ") && stopping.contains("backstop stop "));
    // The commands of the last section need a job that runs.
    script.push_str(
        "sed -i 's/^\\[verify\\]/[batch]\\nmax_rows = 10\\npause = \"50ms\"\\n\\n[verify]/' \
         orders-total-cents.toml\n\
         backstop run orders-total-cents.toml --again & runner=$!\n\
         until backstop status --json | grep -q '\"state\": \"running\"'; do sleep 0.05; done\n",
    );
    script.push_str("trap 'kill $runner 2> /dev/null || true' EXIT\n");
    script.push_str(&stopping);
    script.push_str("wait $runner || test $? = 3\n");
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(desk.path(""))
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("XDG_STATE_HOME", desk.path("state"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{script}\n{said}\n{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(said.contains("orders-total-cents: verified (1,000,000 rows checked"), "{said}");
    assert!(said.contains("orders-total-cents: verified (20,000 rows checked"), "{said}");
    assert!(said.contains("stopped by"), "{said}");
}

fn links() {
    for page in [
        "README.md",
        "docs/runbook.md",
        "docs/config.md",
        "docs/gate.md",
        "docs/handoff.md",
        "docs/quarantine.md",
        "docs/undo.md",
        "docs/verification.md",
        "jobs/README.md",
        "dashboards/README.md",
    ] {
        let file = root().join(page);
        let text = std::fs::read_to_string(&file).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !target.starts_with("http") {
                let target = target.split('#').next().unwrap();
                assert!(file.parent().unwrap().join(target).exists(), "{page}: `{target}`");
            }
        }
    }
}

/// The page shows the whole table of flags, and nothing that is not in it.
fn flags() {
    let page = std::fs::read_to_string(root().join("docs/handoff.md")).unwrap();
    let shown =
        page.lines().filter(|line| line.starts_with("| gh-ost | `") || line.starts_with("| pt-"));
    let mut rows: Vec<String> = shown.map(ToOwned::to_owned).collect();
    for pair in backstop::rewrite::tool::pairs::ALL {
        let (tool, flag) = (pair.tool.program(), pair.flag);
        let row = rows.iter().position(|row| {
            row.starts_with(&format!("| {tool} | `{flag}` |"))
                && row.ends_with(&format!("| {} | {} |", pair.on, pair.why))
        });
        rows.remove(
            row.unwrap_or_else(|| panic!("docs/handoff.md lacks {tool} {flag}: {}", pair.why)),
        );
    }
    assert_eq!(rows, Vec::<String>::new(), "rows of no flag");
}

/// Each of them as a part of a spec, and the freezes as the file that a job looks at.
fn throttling() {
    let page = std::fs::read_to_string(root().join("docs/throttling.md")).unwrap();
    let blocks: Vec<&str> =
        page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let (freezes, sections): (Vec<&str>, Vec<&str>) =
        blocks.into_iter().partition(|block| block.starts_with("[[freeze]]"));
    assert!(!freezes.is_empty() && 2 <= sections.len());
    for section in sections {
        let spec = format!("{}\n{section}", crate::bad_input::GOOD);
        backstop::spec::parse("it", &spec).unwrap_or_else(|error| panic!("{section}: {error}"));
    }
    let database = Database::new(engine("sqlite"));
    database.script("CREATE TABLE t (id {{id}}, a integer)");
    let desk = Desk::at(&database.url);
    desk.write("job.toml", crate::bad_input::GOOD);
    desk.write("backstop.toml", "[throttle]\nfreeze_file = \"freeze.toml\"");
    for freeze in freezes {
        desk.write("freeze.toml", freeze);
        desk.call(&["plan", "job.toml"]).expect(0).says("signal        freeze; now ");
        desk.write("freeze.toml", &freeze.replace("from", "form"));
        desk.call(&["plan", "job.toml"]).expect(2).says("`freeze` cannot be read: ");
    }
}

fn schema() {
    for format in ["job", "config", "findings", "report"] {
        let said = Desk::new().call(&["schema", format]).expect(0);
        let schema: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        for (name, section) in schema["$defs"].as_object().unwrap() {
            for (field, value) in section["properties"].as_object().into_iter().flatten() {
                assert!(value["description"].is_string(), "`{name}.{field}` is not described");
            }
        }
    }
}
