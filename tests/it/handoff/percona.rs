//! The generated command, run by the real pt-online-schema-change under a writer.

use std::process::Command;

use libtest_mimic::Trial;

use super::writer::Writer;
use super::{defaults_file, plan};
use crate::database::{Database, Engine, available};
use crate::harness::{Desk, Said};
use crate::test;

const ROWS: u64 = 240_000;

pub fn trials() -> Vec<Trial> {
    let engines = available().filter(|engine| engine.family == "mysql");
    engines
        .map(|engine| {
            let name = format!(
                "handoff: the command for pt-online-schema-change works on {}",
                engine.name
            );
            test(name, move || works(engine))
        })
        .collect()
}

fn works(engine: Engine) {
    let database = Database::new(engine);
    database.script(
        "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, a int NOT NULL, c decimal(10,2), g int GENERATED \
         ALWAYS AS (a + 1) STORED);\nINSERT INTO t (id, a, c) SELECT n, 0, n FROM numbers WHERE n <= 15000",
    );
    for rows in [15_000, 30_000, 60_000, 120_000] {
        database.script(&format!("INSERT INTO t (id, a, c) SELECT id + {rows}, 0, c FROM t"));
    }
    database.script("ANALYZE TABLE t");
    let desk = Desk::at(&database.url);
    let file = defaults_file(engine);
    let more = [
        "--tool",
        "pt-online-schema-change",
        "--generate-only",
        "--out",
        "ho",
        "--defaults-file",
        &file,
    ];
    let change =
        "ALTER TABLE t MODIFY c decimal(12,3), ADD note varchar(20) DEFAULT 'it''s' NOT NULL";
    let said = plan(&desk, change, &more).expect(0).says("(error 1213), and must be tried again");
    let password = database.login().password;
    for name in ["run.sh", "runbook.md", "clean-up.md"] {
        let text = std::fs::read_to_string(desk.path("ho").join(name)).unwrap();
        assert!(!text.contains(&password) && !text.contains("mysql://"), "{name}");
        assert!(
            text.contains("pt_osc_") || text.contains("pt-online-schema-change"),
            "{name}: {text}"
        );
    }
    assert!(!said.out.contains(&password));
    let runbook = std::fs::read_to_string(desk.path("ho/runbook.md")).unwrap();
    let order = ["## Start", "## Watch", "## Pause", "## Cut over", "## Stop", "## Clean up"];
    let places: Vec<usize> = order.iter().map(|title| runbook.find(title).expect(title)).collect();
    assert!(places.is_sorted(), "{runbook}");
    let clean = std::fs::read_to_string(desk.path("ho/clean-up.md")).unwrap();
    assert!(clean.find("DROP TRIGGER") < clean.find("DROP TABLE"), "{clean}");

    Said::by(Command::new(desk.path("ho/run.sh")).arg("trial")).expect(0).says("Dry run complete");
    let columns = "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = \
                   DATABASE() AND TABLE_NAME = 't'";
    assert_eq!(database.value(columns), "4");

    let writer = Writer::on(&database, ROWS);
    let ran = Said::by(&mut Command::new(desk.path("ho/run.sh")));
    let wrote = writer.end();
    let logs = std::fs::read_dir(desk.path("ho")).unwrap().map(|entry| entry.unwrap().path());
    let log = logs.filter(|path| path.extension().is_some_and(|end| end == "log"));
    let log: String = log.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert_eq!(ran.code, 0, "{ran:?}\n{log}");
    assert!(log.contains("Successfully altered"), "{log}");
    // One chunk would be the whole table in one statement that locks it.
    let chunks = log.lines().find_map(|line| line.strip_prefix("# INSERT")).map(str::trim);
    let chunks: u64 =
        chunks.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{log}"));
    assert!(2 < chunks, "{chunks} chunks\n{log}");
    assert_eq!(wrote.errors, Vec::<String>::new());
    println!(
        "{chunks} chunks, {} writes, worst wait {:?}",
        wrote.updates + wrote.inserts + wrote.deletes,
        wrote.longest
    );
    assert_eq!(database.value(columns), "5");
    let count = |sql: &str| database.value(sql);
    let rows = ROWS + wrote.inserts - wrote.deletes;
    assert_eq!(count("SELECT CAST(COUNT(*) AS CHAR) FROM t"), rows.to_string());
    assert_eq!(count("SELECT CAST(SUM(a) AS CHAR) FROM t"), wrote.updates.to_string());
    assert_eq!(
        count("SELECT CAST(COUNT(*) AS CHAR) FROM t WHERE g <> a + 1 OR note <> 'it''s'"),
        "0"
    );
    let triggers = "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = \
                    DATABASE()";
    assert_eq!(count(triggers), "0");
    // What is kept as the way back is known as that.
    let again = "ALTER TABLE t MODIFY c decimal(13,3)";
    let said = plan(&desk, again, &["--tool", "pt-online-schema-change"]).expect(1);
    said.says("`_t_old` is no sentry, so it is your old table");
}
