//! Which jobs give the same result however often a row is written: what the servers say of
//! functions, and what a second writing does.

use backstop::spec::Secret;
use backstop::sql::{Tokens, read};
use backstop::target::{Link, Volatility, connect};
use libtest_mimic::Trial;

use crate::database::{Database, Engine, available, engine};
use crate::harness::Desk;
use crate::test;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available() {
        trials.push(test(format!("convergence: functions on {}", engine.name), move || {
            functions(engine);
        }));
        trials.push(test(format!("convergence: a second writing on {}", engine.name), move || {
            written_twice(engine);
        }));
        trials.push(test(format!("convergence: refused on {}", engine.name), move || {
            refused(engine);
        }));
        trials.push(test(format!("convergence: triggers on {}", engine.name), move || {
            triggers(engine);
        }));
        if engine.family != "sqlite" {
            trials.push(test(
                format!("convergence: a sample refutes on {}", engine.name),
                move || {
                    refuted(engine);
                },
            ));
        }
    }
    trials.push(test("convergence: a sample that refutes nothing", not_refuted));
    trials
}

/// Functions of our own, by what their definition claims.
fn own_functions(engine: Engine) -> &'static str {
    match engine.family {
        "postgres" => {
            "CREATE SEQUENCE s;
CREATE FUNCTION honest(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
CREATE FUNCTION looking(integer) RETURNS integer LANGUAGE sql STABLE AS 'SELECT $1 + 1';
CREATE FUNCTION wild(integer) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT $1 + 1';
CREATE FUNCTION two(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION two(integer, integer DEFAULT 1) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT $1';
CREATE FUNCTION tick(integer) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN nextval(''s''); END'"
        }
        "mysql" => {
            "CREATE FUNCTION honest(n int) RETURNS int DETERMINISTIC NO SQL RETURN n + 1;
CREATE FUNCTION looking(n int) RETURNS int DETERMINISTIC READS SQL DATA RETURN n + 1;
CREATE FUNCTION wild(n int) RETURNS int NOT DETERMINISTIC NO SQL RETURN n + 1;
CREATE FUNCTION tick(n int) RETURNS int DETERMINISTIC NO SQL RETURN floor(rand() * 1000000000)"
        }
        _ => "",
    }
}

/// Expressions that call nothing volatile, and such that do.
fn expressions(engine: Engine) -> (Vec<&'static str>, Vec<&'static str>) {
    let (mut pure, mut volatile) = (
        vec!["lower(trim(c))", "round(a * 100)", "coalesce(a, 0)", "nullif(a, 1)", "abs(a) % 7"],
        vec!["CURRENT_TIMESTAMP", "CURRENT_DATE", "no_such_function(a)"],
    );
    match engine.family {
        "postgres" => {
            pure.extend([
                "to_char(at, 'YYYY')",
                "date_trunc('day', at)",
                "age(at, at)",
                "concat(a, c)",
                "to_json(c)",
                "substring(c from 2 for 3)",
                "extract(year from at)",
                "at AT TIME ZONE 'UTC'",
                "c::timestamptz",
                "CASE WHEN a > 1 THEN greatest(a, b) ELSE least(a, b) END",
                "honest(a)",
                "pg_catalog.upper(c)",
                "ARRAY[a, b]",
                "c || 'nowhere'",
            ]);
            volatile.extend([
                "now()",
                "statement_timestamp()",
                "clock_timestamp()",
                "age(at)",
                "LOCALTIMESTAMP",
                "'now'::timestamptz",
                "date 'today'",
                "CAST('yesterday' AS date)",
                "at < 'tomorrow'",
                "random()",
                "gen_random_uuid()",
                "nextval('s')",
                "txid_current()",
                "current_setting('application_name')",
                "pg_backend_pid()",
                "current_user",
                "looking(a)",
                "wild(a)",
                "two(a)",
                "public.wild(a)",
                "\"Honest\"(a)",
                "coalesce(a, wild(b))",
                "(SELECT max(wild(x.a)) FROM x)",
            ]);
        }
        "mysql" => {
            pure.extend([
                "concat_ws(' ', c, a)",
                "date_format(at, '%Y')",
                "from_unixtime(a)",
                "unix_timestamp(at)",
                "date_add(at, INTERVAL 1 DAY)",
                "if(a > 1, 'x', 'y')",
                "json_unquote(json_extract(c, '$.a'))",
                "sha2(c, 256)",
                "honest(a)",
            ]);
            volatile.extend([
                "now()",
                "now(6)",
                "SYSDATE()",
                "curdate()",
                "UTC_TIMESTAMP",
                "unix_timestamp()",
                "rand()",
                "uuid()",
                "uuid_short()",
                "last_insert_id()",
                "connection_id()",
                "row_count()",
                "found_rows()",
                "get_lock('a', 0)",
                "sleep(1)",
                "nextval(s)",
                "user()",
                "looking(a)",
                "wild(a)",
            ]);
        }
        _ => {
            pure.extend([
                "datetime(c)",
                "strftime('%Y', c)",
                "date(c, '+1 day')",
                "printf('%d', a)",
                "instr(c, 'x')",
                "json_extract(c, '$.a')",
            ]);
            volatile.extend([
                "date()",
                "datetime('now')",
                "datetime(' NOW ')",
                "strftime('%s')",
                "strftime('%s', 'now')",
                "unixepoch('subsec')",
                "julianday('now')",
                "random()",
                "hex(randomblob(4))",
                "changes()",
                "last_insert_rowid()",
            ]);
        }
    }
    (pure, volatile)
}

fn functions(engine: Engine) {
    let database = Database::new(engine);
    database.script(own_functions(engine));
    let tokens = match engine.family {
        "postgres" => Tokens::Postgres,
        "mysql" => Tokens::MySql,
        _ => Tokens::Sqlite,
    };
    let (pure, volatile) = expressions(engine);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let wrong: Vec<String> = runtime.block_on(async {
        let link = Link {
            url: Secret::new(database.url.clone()),
            job: "test".to_owned(),
            time_zone: None,
            sql_mode: None,
        };
        let target = connect(link).await.unwrap();
        let mut session = target.open("test").await.unwrap();
        let mut wrong = Vec::new();
        let expected = pure.into_iter().map(|e| (e, true));
        for (expression, expected) in expected.chain(volatile.into_iter().map(|e| (e, false))) {
            let reading =
                read(tokens, expression).unwrap_or_else(|e| panic!("{expression}: {e:?}"));
            let answers = target.volatility(session.as_mut(), &reading.uses).await.unwrap();
            assert_eq!(answers.len(), reading.uses.len(), "{expression}");
            if answers.iter().all(|answer| *answer == Volatility::Pure) != expected {
                wrong.push(format!("{expression}: {answers:?}"));
            }
        }
        session.close().await;
        wrong
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const TABLES: &str = "\
CREATE TABLE t (id {{id}}, a integer, b integer, c varchar(20), d integer NOT NULL DEFAULT 0);
CREATE TABLE other (id {{id}}, n integer);
INSERT INTO other (n) VALUES (10), (20), (30);
INSERT INTO t (a, b, c) VALUES (NULL, 1, NULL), (NULL, NULL, 'open'), (3, 2, 'done'), (4, 3, 'new'), \
(5, NULL, 'OPEN'), (6, 1, ''), (0, 0, 'open ')";

fn job(set: &str, filter: Option<&str>, more: &str) -> String {
    let filter = filter.map_or(String::new(), |filter| format!("where = '''{filter}'''\n"));
    format!(
        "[job]\nname = \"twice\"\n[target]\nurl_env = \"DATABASE_URL\"\n[update]\ntable = \"t\"\n\
         {filter}{more}[update.set]\n{}\n",
        set.split(";; ")
            .map(|one| {
                let (column, expression) = one.split_once(" := ").unwrap();
                format!("{column} = '''{expression}'''")
            })
            .collect::<Vec<_>>()
            .join("\n")
    )
}

/// Every column of every row.
fn contents(database: &Database) -> String {
    database.value(match database.engine.family {
        "postgres" => "SELECT string_agg(t::text, ' ' ORDER BY id) FROM t",
        "mysql" => {
            "SELECT group_concat(concat_ws(',', id, quote(a), quote(b), quote(c), d) ORDER BY id) FROM t"
        }
        _ => {
            "SELECT group_concat(quote(id) || quote(a) || quote(b) || quote(c) || d) \
             FROM (SELECT * FROM t ORDER BY id)"
        }
    })
}

/// Jobs that are judged convergent.
const CONVERGENT: [(&str, Option<&str>); 14] = [
    ("a := b + 1", None),
    ("a := 5;; c := 'x'", None),
    ("a := coalesce(b, a + 1)", Some("a IS NULL")),
    ("a := coalesce(a, 0) + 1", Some("a IS NULL")),
    ("c := coalesce(c, 'none');; d := 1", Some("c IS NULL")),
    ("d := d + 1;; c := 'done'", Some("c = 'open'")),
    ("d := d + 1;; c := 'done'", Some("c <> 'done'")),
    ("d := d + 1;; c := 'done'", Some("(c IS NULL OR c <> 'done') AND b > 0")),
    ("d := d + 1;; a := 5", Some("a < 5")),
    ("d := d + 1;; a := -5", Some("NOT (a <= -5)")),
    ("d := d + 1;; a := NULL", Some("a BETWEEN 1 AND 9 AND a IS NOT NULL")),
    (
        "c := CASE c WHEN 'open' THEN 'done' WHEN 'new' THEN 'gone' ELSE c END",
        Some("c IN ('open', 'new')"),
    ),
    ("d := d + 1;; c := CASE WHEN b > 1 THEN 'done' ELSE 'gone' END", Some("c IN ('open', 'new')")),
    ("a := (SELECT o.n FROM other o WHERE o.id = b)", None),
];

/// Jobs that are not, each with a part of the reason.
const DEPENDENT: [(&str, Option<&str>, &str); 13] = [
    ("a := a + 1", None, "reads `a`"),
    ("a := a + 1", Some("a < 5"), "reads `a`"),
    ("b := a;; a := 7", None, "reads `a`"),
    ("d := d + 1;; c := 'done'", Some("c = 'DONE'"), "reads `d`"),
    ("d := d + 1;; c := 'done'", Some("c = 'open' OR b > 0"), "reads `d`"),
    ("d := d + 1;; c := 'done'", Some("lower(c) <> 'done'"), "reads `d`"),
    ("a := b + 1;; b := 5", Some("a IS NULL"), "reads `b`"),
    ("d := d + 1;; a := b", Some("a IS NULL"), "reads `d`"),
    ("d := d + 1;; a := 5", Some("a <= 5"), "reads `d`"),
    ("a := (SELECT max(n) FROM other WHERE n > a)", None, "names `a`"),
    ("a := (SELECT o.n FROM other o LIMIT 1)", None, "in no stated order"),
    ("c := CURRENT_TIMESTAMP", None, "reads the clock"),
    ("a := no_such(b)", None, "no_such"),
];

fn written_twice(engine: Engine) {
    let database = Database::new(engine);
    for (set, filter) in CONVERGENT {
        database.script("DROP TABLE IF EXISTS t;\nDROP TABLE IF EXISTS other");
        database.script(TABLES);
        let desk = Desk::at(&database.url);
        desk.write("job.toml", &job(set, filter, ""));
        let said = desk.call(&["plan", "job.toml", "--json"]).expect(0);
        let plan: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(plan["convergence"]["convergent"], true, "{set} {filter:?}: {}", said.out);
        desk.call(&["plan", "job.toml", "--prove"]).expect(0).says("not refuted");

        let assignments = set.replace(";; ", ", ").replace(" := ", " = ");
        let filter = filter.map_or(String::new(), |filter| format!(" WHERE {filter}"));
        let update = format!("UPDATE t SET {assignments}{filter}");
        let untouched = contents(&database);
        database.script(&update);
        let once = contents(&database);
        assert_ne!(once, untouched, "the case writes nothing: {update}");
        database.script(&update);
        assert_eq!(contents(&database), once, "{update}");
    }
}

fn refused(engine: Engine) {
    let database = Database::new(engine);
    database.script(TABLES);
    let desk = Desk::at(&database.url);
    for (set, filter, reason) in DEPENDENT {
        desk.write("job.toml", &job(set, filter, ""));
        let said = desk.call(&["plan", "job.toml"]).expect(2).says(reason);
        // What no server knows is refused by the server itself.
        if !set.contains("no_such") {
            let said = said.says("may depend on how often a row is written");
            said.says("`exactly_once = true` in [update]");
            desk.write("job.toml", &job(set, filter, "exactly_once = true\n"));
            let said = desk.call(&["plan", "job.toml", "--prove"]).expect(0);
            said.says("only the fence keeps").says("nothing to prove");
        }
    }
    let clock = Some("b > 0 AND CURRENT_TIMESTAMP > '2020-01-01'");
    for more in ["", "exactly_once = true\n", "fence = false\n"] {
        desk.write("job.toml", &job("a := b", clock, more));
        desk.call(&["plan", "job.toml"]).expect(2).says("`update.where` is volatile");
    }
    if engine.family == "mysql" {
        // Outside of strict mode the text is cut, and nobody knows to what.
        let long = "d := d + 1;; c := 'a text of more than 20 letters'";
        desk.write("job.toml", &job(long, Some("c = 'open'"), ""));
        desk.call(&["plan", "job.toml"]).expect(2).says("reads `d`");
    } else {
        // MySQL refuses such a statement by itself.
        desk.write("job.toml", &job("a := (SELECT max(o.b) FROM t o)", None, ""));
        desk.call(&["plan", "job.toml"]).expect(2).says("a subquery reads").says("itself");
        database.script("CREATE VIEW v AS SELECT * FROM t");
        desk.write("job.toml", &job("a := (SELECT max(v.b) FROM v)", None, ""));
        desk.call(&["plan", "job.toml"]).expect(2).says("a subquery reads the view");
    }
}

fn triggers(engine: Engine) {
    let database = Database::new(engine);
    database.script(TABLES);
    database.script(match engine.family {
        "postgres" => {
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.d := OLD.d + 1; RETURN NEW; END';
CREATE TRIGGER counting BEFORE UPDATE ON t FOR EACH ROW EXECUTE PROCEDURE f()"
        }
        "mysql" => "CREATE TRIGGER counting BEFORE UPDATE ON t FOR EACH ROW SET NEW.d = OLD.d + 1",
        _ => "CREATE TRIGGER counting AFTER UPDATE OF a ON t BEGIN UPDATE t SET d = d + 1 WHERE id = NEW.id; END",
    });
    let desk = Desk::at(&database.url);
    desk.write("job.toml", &job("a := b", None, ""));
    desk.call(&["plan", "job.toml"]).expect(0).says("convergent: no assignment reads");
    desk.write("job.toml", &job("a := b", None, "fence = false\n"));
    desk.call(&["plan", "job.toml"]).expect(2).says("`counting`").says("`fence = false`");
}

/// A function that is declared as what it is not.
fn refuted(engine: Engine) {
    let database = Database::new(engine);
    database.script(TABLES);
    database.script(own_functions(engine));
    let desk = Desk::at(&database.url);
    desk.write("job.toml", &job("a := tick(d)", None, "fence = false\n"));
    let before = contents(&database);
    desk.call(&["plan", "job.toml"]).expect(0).says("there is no fence");
    let said = desk.call(&["plan", "job.toml", "--prove"]).expect(2);
    said.says("refuted: written twice").says("`a` of the row with id=1");
    let said = desk.call(&["run", "job.toml"]).expect(2);
    said.says("refuted").says("`exactly_once = true`");
    assert_eq!(contents(&database), before);
}

fn not_refuted() {
    let database = Database::new(engine("sqlite"));
    database.script(TABLES);
    let desk = Desk::at(&database.url);
    let before = contents(&database);
    desk.write("job.toml", &job("a := id * 2", None, ""));
    let said = desk.call(&["plan", "job.toml", "--prove", "--json"]).expect(0);
    let plan: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(plan["proof"]["result"], "not_refuted");
    assert!(plan["proof"]["text"].as_str().unwrap().contains("by 7 rows"), "{}", said.out);
    assert_eq!(contents(&database), before, "the sample was rolled back");
    desk.write("job.toml", &job("a := id * 2", Some("id > 1000"), ""));
    desk.call(&["plan", "job.toml", "--prove"]).expect(0).says("not refuted, by 0 rows");
}
