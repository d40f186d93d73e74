//! What the frameworks really generate: each is called, its migrations are run by itself on a real
//! server, and the gate says of each what a person wrote down in `tests/generators`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::{Desk, Said, root};
use crate::test;

/// A framework.
#[derive(Debug, Clone, Copy)]
struct Tool {
    /// Its name: of its runner, of its folder in `tests/generators`, and in the variable that says
    /// where `tests/run` put it.
    name: &'static str,
    /// The program that runs its generator, in the folder that the variable names or on the PATH, and
    /// the generator.
    program: &'static str,
    generator: &'static str,
    /// The variable in which the program looks for packages, and where they are.
    packages: (&'static str, &'static str),
}

const TOOLS: [Tool; 3] = [
    Tool {
        name: "django",
        program: "python3",
        generator: "generate.py",
        packages: ("PYTHONPATH", "packages"),
    },
    Tool {
        name: "alembic",
        program: "python3",
        generator: "generate.py",
        packages: ("PYTHONPATH", "packages"),
    },
    Tool {
        name: "typeorm",
        program: "node",
        generator: "generate.cjs",
        packages: ("NODE_PATH", "packages/node_modules"),
    },
];

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for tool in TOOLS {
        for engine in available() {
            let name = format!("generated: what {} writes for {}", tool.name, engine.name);
            trials.push(test(name, move || judged(tool, engine)).with_ignored_flag(tool.lacks()));
        }
    }
    trials.push(test("generated: a transaction around all files is one", together));
    trials
}

impl Tool {
    fn variable(self, what: &str) -> Option<String> {
        std::env::var(format!("BACKSTOP_TEST_{}_{what}", self.name.to_uppercase())).ok()
    }

    /// Whether `tests/run` could not have it, and says so in its last line.
    fn lacks(self) -> bool {
        self.variable("LACKING").is_some()
    }

    /// Where its generator, its migrations and what is said of them are.
    fn folder(self) -> PathBuf {
        root().join("tests/generators").join(self.name)
    }

    /// Lets it write its migrations for a database into a folder, and run them.
    fn generate(self, database: &Database, folder: &Path) {
        let from = self.variable("DIR").unwrap_or_else(|| {
            panic!(
                "`BACKSTOP_TEST_{}_DIR` is not set: `tests/run -- generated` fetches {} and sets it",
                self.name.to_uppercase(),
                self.name
            )
        });
        let from = Path::new(&from);
        let own = from.join(self.program);
        let program = if own.exists() { own } else { PathBuf::from(self.program) };
        let said = Said::by(
            Command::new(program)
                .arg(self.folder().join(self.generator))
                .args([&database.url, folder.to_str().unwrap()])
                .env(self.packages.0, from.join(self.packages.1))
                .env("PYTHONDONTWRITEBYTECODE", "1"),
        );
        said.expect(0);
    }

    /// What a person says that the gate must find: by migration, for an engine.
    fn claims(self, engine: Engine) -> BTreeMap<String, Vec<String>> {
        let path = self.folder().join("claims.txt");
        let text = std::fs::read_to_string(&path).unwrap();
        let mut claims = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('|').map(str::trim).collect();
            let [name, engines, rules, reason] = fields[..] else { panic!("{line}") };
            assert!(!reason.is_empty(), "no reason is given: {line}");
            let product = engine.name.trim_end_matches("18");
            if engines != "*" && !engines.split(' ').any(|one| one == product) {
                continue;
            }
            let rules = rules.split(' ').filter(|rule| *rule != "none").map(str::to_owned);
            let twice = claims.insert(name.to_owned(), rules.collect());
            assert!(twice.is_none(), "said twice for {}: {line}", engine.name);
        }
        claims
    }
}

/// The database as `--database` takes it.
fn release(database: &Database) -> String {
    let asks = match database.engine.family {
        "postgres" => "SHOW server_version",
        "sqlite" => return "sqlite".to_owned(),
        _ => "SELECT version()",
    };
    let said = database.value(asks);
    let numbers: Vec<&str> = said.split(['.', '-', ' ']).collect();
    match database.engine.name {
        "mariadb" | "mysql" => format!("{}-{}.{}", database.engine.name, numbers[0], numbers[1]),
        _ => format!("postgres-{}", numbers[0]),
    }
}

/// A desk where every migration is forward-only, with an empty file to stand for the schema of before.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("backstop.toml", "[gate]\nforward_only = [\".\"]\n");
    desk.write("before/0.sql", "");
    desk.write("out/0.sql", "");
    std::fs::remove_file(desk.path("out/0.sql")).unwrap();
    desk
}

/// The rules that were found in each file, by its name, with what was said. A validation is not what
/// this is about.
fn found(said: &Said) -> BTreeMap<String, (Vec<String>, String)> {
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let mut files = BTreeMap::new();
    for file in report["files"].as_array().unwrap() {
        files.insert(stem(file["path"].as_str().unwrap()), (Vec::new(), String::new()));
    }
    for finding in report["findings"].as_array().unwrap() {
        let rule = finding["rule"].as_str().unwrap();
        let path = finding["file"].as_str().unwrap();
        let (rules, said) = files.get_mut(&stem(path)).unwrap();
        if rule != "require-validation" {
            rules.push(rule.to_owned());
            said.push_str(&format!("\n      {rule}: {}", finding["message"].as_str().unwrap()));
        }
    }
    for (rules, _) in files.values_mut() {
        rules.sort();
        rules.dedup();
    }
    files
}

/// `0007_widen` of `out/0007_widen.sql`, `Widen` of `1700000000007-Widen.ts`.
fn stem(path: &str) -> String {
    let stem = Path::new(path).file_stem().unwrap().to_str().unwrap();
    stem.split_once('-').map_or(stem, |(_, name)| name).to_owned()
}

fn migrations(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

fn judged(tool: Tool, engine: Engine) {
    let database = Database::new(engine);
    let desk = desk();
    tool.generate(&database, &desk.path("out"));
    let release = release(&database);
    let check = |more: &[&str]| {
        let fixed = ["check", "--json", "--database", &release, "--runner", tool.name];
        let said = desk.call(&[&fixed, more].concat());
        assert!(said.code == 0 || said.code == 1, "{said:?}");
        found(&said)
    };
    let found = if tool.name == "typeorm" {
        // In one call they would be one transaction, and the first would hold its locks to the last.
        let mut found = BTreeMap::new();
        for name in migrations(&desk.path("out")) {
            found.extend(check(&[&format!("out/{name}"), "--schema", "before"]));
            std::fs::copy(desk.path(&format!("out/{name}")), desk.path(&format!("before/{name}")))
                .unwrap();
        }
        found
    } else {
        piped(&desk, &release, tool);
        check(&["out", "--schema", "before"])
    };
    let claims = tool.claims(engine);
    let mut wrong = Vec::new();
    for (name, (rules, said)) in &found {
        match claims.get(name) {
            None => wrong.push(format!("{name}: nothing is claimed; found {rules:?}{said}")),
            Some(claimed) if claimed != rules => {
                wrong.push(format!("{name}\n    claimed {claimed:?}\n    found   {rules:?}{said}"));
            }
            // The server has taken it.
            Some(claimed) if claimed.iter().any(|rule| rule == "will-fail") => {
                let run = !name.to_lowercase().contains("intransaction");
                let run = run && !name.contains("in_transaction");
                assert!(!run, "{name}: it has run, and cannot be claimed to fail");
            }
            Some(_) => {}
        }
    }
    for name in claims.keys().filter(|name| !found.contains_key(*name)) {
        wrong.push(format!("{name}: it is not generated"));
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), found.len(), wrong.join("\n"));
    assert!(15 <= found.len(), "only {} migrations", found.len());
}

/// The last migration as its users pipe it gives what its file gives.
fn piped(desk: &Desk, release: &str, tool: Tool) {
    let last = migrations(&desk.path("out")).pop().unwrap();
    let last = format!("out/{last}");
    let call = |path| {
        let mut command =
            desk.command(&["check", "--json", "--database", release, "--runner", tool.name, path]);
        command.stdin(std::fs::File::open(desk.path(&last)).unwrap());
        let report: serde_json::Value =
            serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        findings.map(|finding| finding["rule"].to_string()).collect::<Vec<_>>()
    };
    // Standard input has no folder that could be forward-only.
    let mut file = call(&last);
    assert!(!file.is_empty());
    let mut stdin = call("-");
    stdin.retain(|rule| !rule.contains("forward-only"));
    file.retain(|rule| !rule.contains("forward-only"));
    assert_eq!(stdin, file);
}

/// TypeORM's default is one transaction around all pending migrations: what the first locks is locked
/// while the second works.
fn together() {
    let migration = |sql: &str, more: &str| {
        format!(
            "module.exports = class A {{ {more}\nasync up(queryRunner) {{\nawait queryRunner.query(\"{sql}\")\n}} }}\n"
        )
    };
    let desk = desk();
    let first = "ALTER TABLE a ADD COLUMN x int";
    let second = "ALTER TABLE b VALIDATE CONSTRAINT c";
    let check = |more: &str, runner: &str| {
        desk.write("out/1-First.js", &migration(first, ""));
        desk.write("out/2-Second.js", &migration(second, more));
        let said =
            desk.call(&["check", "out", "--database", "postgres-15", "--runner", runner, "--json"]);
        found(&said)["Second"].clone()
    };
    let (rules, said) = check("", "typeorm");
    assert_eq!(rules, ["work-under-lock"]);
    assert!(said.contains("by the ALTER TABLE in line 3 of `out/1-First.js`"), "{said}");
    // A migration may end the transaction and begin another, which TypeORM ends.
    let alone =
        "CREATE INDEX CONCURRENTLY i ON b (c)\")\nawait queryRunner.startTransaction()\n//(\"";
    desk.write(
        "out/1-First.js",
        &migration(alone, "").replace(
            "await queryRunner.query",
            "await queryRunner.commitTransaction()\nawait queryRunner.query",
        ),
    );
    let typeorm = ["check", "out", "--database", "postgres-15", "--runner", "typeorm", "--json"];
    let files = found(&desk.call(&typeorm));
    assert_eq!(files["First"].0, [""; 0], "{files:?}");
    assert_eq!(files["Second"].0, [""; 0], "{files:?}");
    // With one such migration TypeORM refuses that mode, so it is another.
    assert_eq!(check("transaction = false", "typeorm").0, [""; 0]);
    assert_eq!(check("", "django").0, [""; 0]);
}
