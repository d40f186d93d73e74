//! Every check, provoked once.

use std::time::Duration;

use backstop::target::Statement;
use libtest_mimic::Trial;

use super::{COPY, TABLE, desk, found, plan, planned};
use crate::database::{Database, Engine, available, engine, open};
use crate::own_server::OwnServer;
use crate::test;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available().filter(|engine| engine.family == "mysql") {
        let mut add = |name: &str, check: fn(Engine)| {
            let name = format!("handoff: {name} on {}", engine.name);
            trials.push(test(name, move || check(engine)));
        };
        add("what stands against a change is found", table_checks);
        add("leftovers are told from what is the user's", leftovers);
        add("a backfill and a handoff keep out of each other's way", backfill);
        add("who is at the table is seen", at_the_table);
        add("an account with few rights is told which it lacks", rights);
        add("tools that are old, mute or missing are seen", tools);
    }
    trials.push(test("handoff: settings of the server are read, on mariadb", settings));
    trials
}

/// A check: what stands there, the change, the check's name, and what it says.
struct Case {
    sql: &'static str,
    change: &'static str,
    check: &'static str,
    says: &'static str,
    refused: bool,
}

const CASES: &[Case] = &[
    Case {
        sql: "CREATE TABLE k (a int, c decimal(10,2))",
        change: "ALTER TABLE k MODIFY c decimal(12,3)",
        check: "key",
        says: "there must be one that the change leaves alone",
        refused: true,
    },
    Case {
        sql: "CREATE TABLE p1 (id int PRIMARY KEY);\nCREATE TABLE fk1 (id int PRIMARY KEY, p int, c \
              decimal(10,2), CONSTRAINT f1 FOREIGN KEY (p) REFERENCES p1 (id))",
        change: "ALTER TABLE fk1 MODIFY c decimal(12,3)",
        check: "foreign keys of the table",
        says: "gh-ost takes no table with foreign keys, and `f1` is one",
        refused: false,
    },
    Case {
        sql: "CREATE TABLE p2 (id int PRIMARY KEY);\nCREATE TABLE fk2 (id int PRIMARY KEY, p int, c \
              decimal(10,2), CONSTRAINT f2 FOREIGN KEY (p) REFERENCES p2 (id) ON DELETE CASCADE)",
        change: "ALTER TABLE fk2 MODIFY c decimal(12,3)",
        check: "foreign keys of the table",
        says: "InnoDB fires no triggers for those",
        refused: true,
    },
    Case {
        sql: "CREATE TABLE p3 (id int PRIMARY KEY, c decimal(10,2));\nCREATE TABLE fk3 (id int PRIMARY \
              KEY, p int, CONSTRAINT f3 FOREIGN KEY (p) REFERENCES p3 (id))",
        change: "ALTER TABLE p3 MODIFY c decimal(12,3)",
        check: "foreign keys to the table",
        says: "gh-ost takes no table that others refer to, and `fk3` does by `f3`",
        refused: false,
    },
    Case {
        sql: "CREATE TABLE tr (id int PRIMARY KEY, c decimal(10,2));\nCREATE TRIGGER tr_i BEFORE INSERT ON \
              tr FOR EACH ROW SET NEW.c = 1",
        change: "ALTER TABLE tr MODIFY c decimal(12,3)",
        check: "triggers",
        says: "gh-ost takes no table with triggers, and `tr_i` is one",
        refused: false,
    },
    Case {
        sql: "CREATE TABLE ge (id int PRIMARY KEY, c decimal(10,2), g int GENERATED ALWAYS AS (id + 1) \
              STORED)",
        change: "ALTER TABLE ge MODIFY g int, MODIFY c decimal(12,3)",
        check: "generated columns",
        says: "`g` is computed on one side of the change only",
        refused: true,
    },
    Case {
        sql: "CREATE TABLE re (id int PRIMARY KEY, c decimal(10,2))",
        change: "ALTER TABLE re CHANGE c d decimal(12,3)",
        check: "renamed columns",
        says: "`c` gets the name `d`",
        refused: true,
    },
    Case {
        sql: "CREATE TABLE pa (id int PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2",
        change: "ALTER TABLE pa REBUILD PARTITION p0",
        check: "partitions",
        says: "single partitions are changed by the server itself",
        refused: true,
    },
    Case {
        sql: "CREATE TABLE ch (id int PRIMARY KEY, b varchar(9) CHARACTER SET gbk, c decimal(10,2))",
        change: "ALTER TABLE ch MODIFY c decimal(12,3)",
        check: "character sets",
        says: "texts in `gbk` come to gh-ost by the binary log",
        refused: false,
    },
    Case {
        sql: "CREATE TABLE ro (id int PRIMARY KEY, a varchar(9000) CHARACTER SET utf8mb4)",
        change: "ALTER TABLE ro ADD b varchar(9000) CHARACTER SET utf8mb4",
        check: "row size",
        says: "these columns add up to 72008",
        refused: true,
    },
    Case {
        sql: "CREATE TABLE a12345678901234567890123456789012345678901234567890123456789 (id int PRIMARY \
              KEY, c decimal(10,2))",
        change: "ALTER TABLE a12345678901234567890123456789012345678901234567890123456789 MODIFY c \
                 decimal(12,3)",
        check: "name lengths",
        says: "the copy's would have 65",
        refused: true,
    },
    Case {
        sql: TABLE,
        change: "ALTER TABLE t MODIFY c decimal(12,3)",
        check: "free disk",
        says: "the free disk is not known",
        refused: false,
    },
];

fn table_checks(engine: Engine) {
    let database = Database::new(engine);
    let desk = desk(&database, "1.1.10");
    for case in CASES {
        database.script(case.sql);
        let plan = planned(&desk, case.change, &[]);
        let said = found(&plan, case.check);
        assert!(said.contains(case.says), "{}: {said}", case.change);
        assert_eq!(plan["decision"] == "refuse", case.refused, "{}: {plan:#}", case.change);
    }
    // Replicas that are missing.
    let plan = planned(&desk, COPY, &["--replicas", "2"]);
    assert!(
        found(&plan, "replicas").contains("2 replicas were declared (`--replicas`), and 0 read")
    );
    assert_eq!(plan["decision"], "refuse", "{plan:#}");
}

fn leftovers(engine: Engine) {
    let database = Database::new(engine);
    database.script(TABLE);
    let desk = desk(&database, "1.1.10");
    let look = |make: &str, says: &str, remove: &str| {
        database.script(make);
        let plan = planned(&desk, COPY, &[]);
        let said = found(&plan, "leftovers");
        assert!(said.contains(says), "{make}: {said}");
        database.script(remove);
        plan["decision"].as_str().unwrap().to_owned()
    };
    let decision =
        look("CREATE TABLE _t_gho (id int)", "`_t_gho` is of a run of gh-ost", "DROP TABLE _t_gho");
    assert_eq!(decision, "refuse");
    look(
        "CREATE TABLE _t_del (id int) COMMENT='ghost-cut-over-sentry'",
        "`_t_del` is the sentry of a cut-over",
        "DROP TABLE _t_del",
    );
    look(
        "CREATE TABLE _t_del (id int)",
        "is no sentry, so it is your old table",
        "DROP TABLE _t_del",
    );
    look("CREATE TABLE _t_new (id int)", "`_t_new` is in the way of the copy", "DROP TABLE _t_new");
    let trigger = format!("pt_osc_{}_t_ins", database.login().database);
    let decision = look(
        &format!("CREATE TRIGGER {trigger} AFTER INSERT ON t FOR EACH ROW SET @x = 1"),
        "drop the triggers first and then `_t_new`",
        &format!("DROP TRIGGER {trigger}"),
    );
    assert_eq!(decision, "refuse");
    // A change that is done at once is refused as well while triggers copy the table.
    assert_eq!(planned(&desk, "ALTER TABLE t ADD z int", &[])["decision"], "instant");
}

const JOB: &str = "[job]\nname = \"fill\"\n[target]\nurl_env = \"DATABASE_URL\"\n[update]\ntable = \"t\"\n\
                   set = { a = \"7\" }\nwhere = \"a <> 7\"\n[batch]\nmax_rows = 10\n[limits]\nmax_rows = 50\n";

fn backfill(engine: Engine) {
    let database = Database::new(engine);
    database.script(TABLE);
    let desk = desk(&database, "1.1.10");
    desk.write("job.toml", JOB);
    database.script("CREATE TABLE _t_gho (id int)");
    desk.call(&["plan", "job.toml"]).expect(2).says("is under a handoff: the table `_t_gho`");
    database.script("DROP TABLE _t_gho");
    desk.call(&["run", "job.toml"]).expect(3);
    let said = plan(&desk, "ALTER TABLE t ADD z int", &[]).expect(1);
    said.says("the backfill `fill` is not done with the table, held last by");
    desk.write("job.toml", &JOB.replace("max_rows = 50", "max_rows = 100000"));
    desk.call(&["run", "job.toml", "--accept-changed-spec"]).expect(0);
    plan(&desk, "ALTER TABLE t ADD z int", &[]).expect(0);
}

fn at_the_table(engine: Engine) {
    let database = Database::new(engine);
    database.script(TABLE);
    let desk = desk(&database, "1.1.10");
    let (url, own) = (database.url.clone(), database.login().database);
    let others = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut reader = open(&url).await;
            let mut tool = open(&url).await;
            reader.begin().await.unwrap();
            reader.query(&Statement::plain("SELECT count(*) FROM t")).await.unwrap();
            let copying = format!("SELECT /* gh-ost `{own}`.`t` */ CAST(SLEEP(6) AS CHAR)");
            tool.query(&Statement::plain(copying)).await.unwrap();
            reader.rollback().await.unwrap();
        });
    });
    std::thread::sleep(Duration::from_millis(3200));
    let seen = planned(&desk, COPY, &[]);
    let run = found(&seen, "another run");
    assert!(run.contains("is at work on `t`: let it end"), "{run}");
    assert_eq!(seen["decision"], "refuse");
    let open = found(&seen, "open transactions");
    assert!(open.contains("has a transaction open for"), "{open}");
    others.join().unwrap();
}

fn rights(engine: Engine) {
    let database = Database::new(engine);
    database.script(TABLE);
    let name = format!("few_{}", database.login().database);
    let own = database.login().database;
    database.script(&format!(
        "CREATE USER '{name}'@'%' IDENTIFIED BY 'h0ney';\nGRANT SELECT, CREATE, INSERT ON {own}.* TO \
         '{name}'@'%'"
    ));
    let mut url = url::Url::parse(&database.url).unwrap();
    url.set_username(&name).unwrap();
    url.set_password(Some("h0ney")).unwrap();
    let desk = desk(&database, "1.1.10").set("DATABASE_URL", url.as_str());
    let seen = planned(&desk, COPY, &[]);
    let lacks = found(&seen, "grants");
    for part in ["the account lacks ALTER", "which gh-ost needs", "`GRANT ALTER", "on *.*"] {
        assert!(lacks.contains(part), "{part}: {lacks}");
    }
    assert!(found(&seen, "another run").contains("the account has no PROCESS"), "{seen:#}");
    assert_eq!(seen["decision"], "refuse");
    assert!(!seen.to_string().contains("h0ney") && !seen.to_string().contains("IDENTIFIED"));
    // A change that is done at once needs few, and is refused without them as well.
    let said = plan(&desk, "ALTER TABLE t ADD z int", &[]).expect(1);
    said.says("the account lacks ALTER on");
    database.script(&format!("DROP USER '{name}'@'%'"));
}

fn tools(engine: Engine) {
    let database = Database::new(engine);
    database.script(TABLE);
    let old = desk(&database, "1.1.7");
    let said = found(&planned(&old, COPY, &["--tool", "gh-ost"]), "gh-ost's version");
    assert!(said.contains("gh-ost 1.1.7 has no `--panic-on-warnings`"), "{said}");
    let mute = desk(&database, "hello");
    let said = found(&planned(&mute, COPY, &["--tool", "gh-ost"]), "gh-ost's version");
    assert!(said.contains("says `hello`, which is no version"), "{said}");
    let none = desk(&database, "1.1.10").set("PATH", "/nowhere");
    let said = plan(&none, COPY, &[]).expect(0);
    said.says("no `gh-ost` is on the path here").says("run the command where it is");
}

/// A server of its own, whose settings can be changed for everybody.
fn settings() {
    let server = OwnServer::of(engine("mariadb"));
    let database = Database::on(engine("mariadb"), server.url.clone());
    database.script(TABLE);
    let desk = desk(&database, "1.1.10");
    for (set, check, says) in [
        (
            "binlog_format = STATEMENT",
            "binary log",
            "`binlog_format` is STATEMENT: gh-ost reads rows",
        ),
        ("binlog_row_image = MINIMAL", "binary log", "`binlog_row_image` is MINIMAL"),
        (
            "binlog_expire_logs_seconds = 1",
            "binary log's retention",
            "the binary log is removed after 1 s",
        ),
        (
            "wait_timeout = 60",
            "wait_timeout",
            "`wait_timeout` is 60 s: gh-ost keeps a connection idle",
        ),
    ] {
        database.script(&format!("SET GLOBAL {set}"));
        let said = found(&planned(&desk, COPY, &["--tool", "gh-ost"]), check);
        assert!(said.contains(says), "{set}: {said}");
    }
    database.script("SET GLOBAL binlog_format = ROW");
    let plan = planned(&desk, COPY, &["--tool", "gh-ost"]);
    assert!(found(&plan, "metadata lock instrument").contains("`performance_schema` is OFF"));
    assert_eq!(plan["decision"], "refuse");
    database.script("INSTALL SONAME 'disks'");
    let said = found(&planned(&desk, COPY, &[]), "free disk");
    assert!(said.contains("GB free"), "{said}");
    database.script("SET GLOBAL read_only = 1");
    let plan = planned(&desk, "ALTER TABLE t ADD z int", &[]);
    assert!(found(&plan, "read-only").contains("`read_only` is"), "{plan:#}");
    assert_eq!(plan["decision"], "refuse");
    database.script("SET GLOBAL read_only = 0");
}
