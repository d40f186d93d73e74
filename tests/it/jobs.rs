//! `jobs/*.toml`, the specs that people copy: each runs on every database that it claims, over the
//! dirty data of `tests/jobs/<job>/`, does what its `check.sql` says, and then finds nothing more
//! to do.
//!
//! The dialects of one job share a folder, so that they are held to the same answers.

use std::collections::BTreeSet;
use std::path::PathBuf;

use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::{Desk, root};
use crate::test;

/// What a first line may claim.
const PRODUCTS: [&str; 4] = ["postgres", "mysql", "mariadb", "sqlite"];

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        test("jobs: the index lists every file", index),
        test("jobs: a header says what one must know", headers),
        test("jobs: no job leaves a database out", coverage),
    ];
    for job in jobs() {
        for engine in available() {
            // `postgres18` is a `postgres`.
            let product = engine.name.trim_end_matches(|c: char| c.is_ascii_digit());
            if job.claims.iter().any(|claim| claim == product) {
                let job = job.clone();
                trials.push(test(format!("job {} on {}", job.file, engine.name), move || {
                    check(&job, engine);
                }));
            }
        }
    }
    trials
}

/// A ready-to-use spec.
#[derive(Clone)]
struct Job {
    /// Its file's name.
    file: String,
    text: String,
    /// The products that its first line claims.
    claims: Vec<String>,
}

impl Job {
    /// The job's name: that of its file up to the first dot, before any dialect.
    fn name(&self) -> &str {
        self.file.split('.').next().unwrap()
    }

    /// A file of its test data, if there is one.
    fn data(&self, file: &str) -> Option<String> {
        let path = root().join("tests/jobs").join(self.name()).join(file);
        std::fs::read_to_string(path).ok()
    }

    fn schema(&self, engine: Engine) -> String {
        self.data(&format!("schema.{}.sql", engine.family))
            .or_else(|| self.data("schema.sql"))
            .unwrap_or_else(|| panic!("tests/jobs/{} has no schema", self.name()))
    }

    /// The queries with what they must give: those for all, and those for this family.
    fn checks(&self, engine: Engine) -> Vec<(String, String)> {
        let common = self.data("check.sql").unwrap_or_default();
        let special = self.data(&format!("check.{}.sql", engine.family)).unwrap_or_default();
        let mut checks = Vec::new();
        for part in common.split(";\n").chain(special.split(";\n")) {
            let comment = |line: &&str| line.starts_with("--");
            let sql: Vec<_> = part.lines().filter(|line| !comment(line)).collect();
            if !part.trim().is_empty() {
                let is = part.lines().find_map(|line| line.strip_prefix("-- is: "));
                let is = is.unwrap_or_else(|| panic!("{}: no `-- is:` in {part}", self.file));
                checks.push((sql.join("\n"), is.to_owned()));
            }
        }
        assert!(!checks.is_empty(), "tests/jobs/{} checks nothing", self.name());
        checks
    }
}

fn jobs() -> Vec<Job> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join("jobs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).unwrap();
        let claims = text.lines().next().and_then(|line| line.strip_prefix("# databases: "));
        let claims = claims.unwrap_or_else(|| panic!("jobs/{file} does not begin `# databases: `"));
        let claims: Vec<_> = claims.split(", ").map(str::to_owned).collect();
        for claim in &claims {
            assert!(PRODUCTS.contains(&claim.as_str()), "jobs/{file} claims `{claim}`");
        }
        Job { file, text, claims }
    };
    files.into_iter().map(read).collect()
}

fn check(job: &Job, engine: Engine) {
    let database = Database::new(engine);
    database.script(&job.schema(engine));
    let checks = job.checks(engine);
    assert!(
        checks.iter().any(|(sql, is)| database.value(sql) != *is),
        "every check holds before the job has run"
    );

    let desk = Desk::at(&database.url);
    desk.write(&job.file, &job.text);
    desk.call(&["plan", &job.file]).expect(0);
    desk.call(&["run", &job.file]).expect(0).says("verified");
    assert_eq!(desk.status(job.name())["state"], "verified");
    let hold = || {
        for (sql, is) in &checks {
            assert_eq!(database.value(sql), *is, "{sql}");
        }
    };
    hold();

    desk.call(&["run", &job.file]).expect(0).says("was finished before");
    desk.call(&["run", &job.file, "--again"]).expect(0);
    assert_eq!(desk.status(job.name())["rows_changed"], 0, "a second pass changed rows");
    hold();
}

fn index() {
    let readme = std::fs::read_to_string(root().join("jobs/README.md")).unwrap();
    let listed: BTreeSet<_> = readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| link.ends_with(".toml"))
        .map(str::to_owned)
        .collect();
    let there: BTreeSet<_> = jobs().into_iter().map(|job| job.file).collect();
    assert_eq!(listed, there);
    let names: BTreeSet<_> = jobs().iter().map(|job| job.name().to_owned()).collect();
    assert!(names.len() >= 5, "only {names:?}");
    for entry in std::fs::read_dir(root().join("tests/jobs")).unwrap() {
        let folder = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(names.contains(&folder), "tests/jobs/{folder} is of no job");
    }
}

fn headers() {
    for job in jobs() {
        let header: Vec<_> = job.text.lines().take_while(|line| line.starts_with('#')).collect();
        for part in ["# Assumes", "# Adapt", "# Avoids"] {
            assert!(header.contains(&part), "jobs/{} says no `{part}`", job.file);
        }
        let spec: toml::Table = toml::from_str(&job.text).unwrap();
        assert_eq!(spec["job"]["name"].as_str(), Some(job.name()), "jobs/{}", job.file);
        assert_eq!(spec["target"]["url_env"].as_str(), Some("DATABASE_URL"), "jobs/{}", job.file);
        assert!(spec["verify"]["expect"].is_str(), "jobs/{} expects nothing", job.file);
    }
}

/// Between its dialects, a job is there for everybody, and nobody has it twice.
fn coverage() {
    let jobs = jobs();
    let mut all = PRODUCTS;
    all.sort_unstable();
    for job in &jobs {
        let dialects = jobs.iter().filter(|other| other.name() == job.name());
        let mut claimed: Vec<_> = dialects.flat_map(|dialect| &dialect.claims).collect();
        claimed.sort_unstable();
        assert_eq!(claimed, all, "{}", job.name());
    }
}
