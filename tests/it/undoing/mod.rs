//! A job with `[undo]` keeps what it overwrites, and `backstop undo` puts it back: everywhere, of every
//! type, except where others have changed it since.

mod crossing;
mod limits;
mod twice;

use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::{Desk, Said};
use crate::test;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available() {
        let mut add = |name: &str, f: fn(Engine)| {
            trials.push(test(format!("undo: {name} on {}", engine.name), move || f(engine)));
        };
        add("what others changed or deleted since is left alone and listed", left_alone);
        add("values of every type come back as they were", types);
        add("a text key, a composite key, and an exactly-once job", keys);
        add("what triggers and volatile expressions have stored counts", stored);
        add("of two generations the newest is undone", generations);
        add("images expire", limits::expiry);
        add("killed in the middle of a run and of an undo, both go on", crossing::killed);
        add("no write of others is lost while images are kept", crossing::writers);
        add("what was written twice gets its first value back", twice::first_values);
        if engine.family != "sqlite" {
            add("a role that may not make the table is told what to run", limits::rights);
        }
    }
    trials.push(test("undo: what is not possible is said", limits::refusals));
    trials
}

/// A job's spec: the name, what stands in [update], and more sections.
pub fn spec(name: &str, update: &str, more: &str) -> String {
    format!(
        "[job]\nname = \"{name}\"\n\n[target]\nurl_env = \"DATABASE_URL\"\n\n[update]\n{update}\n\n\
         [undo]\nkeep = \"30d\"\n\n{more}\n"
    )
}

/// Small batches, so that there are many.
pub const SMALL: &str = "[batch]\nmax_rows = 150";

/// What `--json` says.
pub fn json(said: &Said) -> serde_json::Value {
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

/// Every row of a table as one text: what is compared before and after.
pub fn digest(database: &Database, table: &str, columns: &[&str], order: &str) -> String {
    let shown = |column: &&str| match database.engine.family {
        "postgres" => format!("coalesce({column}::text, 'NULL')"),
        "sqlite" => format!("typeof({column}) || quote({column})"),
        _ => format!("coalesce(hex({column}), 'NULL')"),
    };
    let parts: Vec<_> = columns.iter().map(shown).collect();
    let sql = match database.engine.family {
        "postgres" => format!(
            "SELECT md5(string_agg(concat_ws('|', {}), E'\\n' ORDER BY {order})) FROM {table}",
            parts.join(", ")
        ),
        "sqlite" => format!(
            "SELECT group_concat({}, char(10)) FROM (SELECT * FROM {table} ORDER BY {order})",
            parts.join(" || '|' || ")
        ),
        _ => format!(
            "SELECT concat(count(*), ':', bit_xor(cast(conv(substring(sha2(concat_ws('|', {}), 256), 1, \
             16), 16, 10) AS unsigned))) FROM {table}",
            parts.join(", ")
        ),
    };
    let found = database.value(&sql);
    assert!(!found.is_empty() && found != "NULL", "{sql}");
    found
}

const ORDERS: &str = "\
CREATE TABLE orders (id {{id}}, total integer NOT NULL, cents integer, note varchar(40));
INSERT INTO orders (total, note) SELECT n % 97, 'note' FROM numbers WHERE n <= 5000";

fn left_alone(engine: Engine) {
    let database = Database::new(engine);
    database.script(ORDERS);
    let columns = ["id", "total", "cents", "note"];
    let before = digest(&database, "orders", &columns, "id");
    let desk = Desk::at(&database.url);
    let update = "table = \"orders\"\nset = { cents = \"total * 100\", note = \"'filled'\" }\n\
                  where = \"total <> 13\"";
    desk.write(
        "fill.toml",
        &spec("fill", update, "[batch]\nmax_rows = 700\n[verify]\nremaining = false"),
    );
    desk.call(&["plan", "fill.toml"]).expect(0).says("old values are kept in").says("for 30d");
    desk.call(&["undo", "fill.toml"]).expect(2).says("there are no old values of job `fill`");
    desk.call(&["run", "fill.toml", "--progress", "none"]).expect(0);
    let written = database.value("SELECT count(*) FROM orders WHERE cents = total * 100");
    assert_eq!(desk.status("fill")["rows_changed"].to_string(), written);

    // Others: a thousand rows changed, some deleted, and a column that the job does not write.
    database.script(
        "CREATE TABLE deleted AS SELECT id, total FROM orders WHERE id % 100 = 7 AND total <> 13;\n\
         UPDATE orders SET cents = -1 WHERE id % 5 = 0 AND total <> 13;\n\
         DELETE FROM orders WHERE id % 100 = 7 AND total <> 13",
    );
    let changed = database.value("SELECT count(*) FROM orders WHERE cents = -1");
    let written: u64 = written.parse().unwrap();
    let looked = json(&desk.call(&["undo", "fill", "--dry-run", "--json"]).expect(1));
    let gone = looked["deleted"].as_u64().unwrap();
    assert!((45..=50).contains(&gone), "{looked}");
    assert_eq!(looked["changed"].to_string(), changed, "{looked}");
    let restorable = written - gone - changed.parse::<u64>().unwrap();
    assert_eq!(looked["restorable"].as_u64(), Some(restorable), "{looked}");
    assert_eq!(looked["samples"][0]["values"][0]["column"], "cents");
    assert_eq!(looked["samples"][0]["values"][0]["then"], serde_json::Value::Null);
    assert_eq!(
        database.value("SELECT count(*) FROM orders WHERE note = 'filled'"),
        (written - gone).to_string(),
        "a dry run writes nothing"
    );

    let undone = json(&desk.call(&["undo", "fill", "--json", "--progress", "none"]).expect(1));
    assert_eq!(undone["restored"].as_u64(), Some(restorable), "{undone}");
    assert_eq!(undone["changed"].to_string(), changed, "{undone}");
    assert_eq!(undone["first_conflicts"][0]["key"], "id=5", "{undone}");
    // What was left alone has what others wrote and what the job wrote beside it.
    let left = "SELECT count(*) FROM orders WHERE cents = -1 AND note = 'filled'";
    assert_eq!(database.value(left), changed);
    let listed = desk.call(&["undo", "fill.toml", "--dry-run", "--conflicts"]).expect(1);
    let keys: Vec<&str> = listed.out.lines().collect();
    assert_eq!(keys.len() as u64, gone + changed.parse::<u64>().unwrap());
    assert!(keys.contains(&"id=5\tchanged") && keys.contains(&"id=7\tdeleted"), "{:?}", &keys[..3]);

    // Once more changes nothing; the job itself does not go on.
    let again = json(&desk.call(&["undo", "fill", "--json", "--progress", "none"]).expect(1));
    assert_eq!(again["restored"], undone["restored"], "{again}");
    assert_eq!(database.value(left), changed);
    desk.call(&["run", "fill.toml"]).expect(2).says("was undone").says("--again");
    // Whoever changed the rows takes that back: then they can be put back as well.
    database.script("UPDATE orders SET cents = total * 100 WHERE cents = -1");
    desk.call(&["undo", "fill", "--again", "--progress", "none"]).expect(1).says("0 changed since");
    assert_eq!(
        database.value("SELECT count(*) FROM orders WHERE cents IS NOT NULL OR note <> 'note'"),
        "0"
    );
    // With the deleted rows back, the whole table is as it was.
    database.script("INSERT INTO orders (id, total, note) SELECT id, total, 'note' FROM deleted");
    assert_eq!(digest(&database, "orders", &columns, "id"), before);
    desk.call(&["run", "fill.toml", "--again", "--progress", "none"]).expect(0);
}

/// Columns of common types, with the value before; the job writes another one into each.
fn typed(family: &str) -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    match family {
        "postgres" => vec![
            ("c_json", "json", "'{\"a\":  1}'", "'{\"a\": 1}'"),
            ("c_jsonb", "jsonb", "'{\"a\": 1.0}'", "'{\"a\": 1.00}'"),
            ("c_bytea", "bytea", "'\\x00ff'", "'\\x00fe'"),
            ("c_float", "double precision", "0.1", "1e300"),
            ("c_real", "real", "'NaN'", "-0.0"),
            ("c_num", "numeric", "1.0", "1.00"),
            ("c_ts", "timestamptz(3)", "'2026-03-29 01:30:00.123+00'", "'infinity'"),
            ("c_enum", "mood", "'sad'", "'ok'"),
            ("c_array", "text[]", "'{a,NULL,\"b c\"}'", "NULL"),
            ("c_text", "text COLLATE \"C\"", "'a'", "'A'"),
            ("c_char", "char(5)", "'a'", "'b'"),
            ("c_domain", "positive", "1", "2"),
            ("c_uuid", "uuid", "NULL", "'00000000-0000-0000-0000-000000000001'"),
            ("c_bit", "bit(4)", "B'1010'", "B'0101'"),
            ("c_interval", "interval", "'24 hours'", "'1 day'"),
        ],
        "sqlite" => vec![
            ("c_int", "INTEGER", "NULL", "7"),
            ("c_text", "TEXT COLLATE NOCASE", "'a'", "'A'"),
            ("c_blob", "BLOB", "x'00ff'", "'text'"),
            ("c_real", "REAL", "0.1", "1e300"),
            ("c_num", "DECIMAL(10,2)", "'x'", "1.5"),
            ("c_none", "", "'1'", "1"),
            ("c_date", "DATETIME", "'2026-01-01 00:00:00'", "NULL"),
        ],
        _ => vec![
            ("c_json", "json", "'{\"a\": [1, 2]}'", "'{\"a\": []}'"),
            ("c_blob", "blob", "x'00ff'", "x'00fe'"),
            ("c_double", "double", "0.1", "1e300"),
            ("c_float", "float", "0.1", "1e30"),
            ("c_dec", "decimal(20,6)", "1.5", "NULL"),
            ("c_ts", "timestamp(3) NULL", "'2026-07-01 01:30:00.123'", "NULL"),
            ("c_time", "time(2)", "'-12:00:00.25'", "'13:00:00'"),
            ("c_enum", "enum('sad','it''s')", "'sad'", "'it''s'"),
            ("c_set", "set('a','b')", "'a,b'", "'b'"),
            ("c_latin", "varchar(9) CHARACTER SET latin1 COLLATE latin1_bin", "'a'", "'A'"),
            ("c_text", "varchar(99) CHARACTER SET utf8mb4", "'a'", "'A'"),
            ("c_long", "varchar(5000) CHARACTER SET utf8mb4", "'long'", "repeat('é', 5000)"),
            ("c_bin", "binary(4)", "x'01'", "x'0102'"),
            ("c_bit", "bit(9)", "b'1'", "b'100000000'"),
            ("c_year", "year", "1999", "2026"),
            ("c_uint", "bigint unsigned", "18446744073709551615", "0"),
        ],
    }
}

fn types(engine: Engine) {
    let database = Database::new(engine);
    let typed = typed(engine.family);
    if engine.family == "postgres" {
        database.script(
            "CREATE TYPE mood AS ENUM ('sad', 'ok');\n\
             CREATE DOMAIN positive AS integer CHECK (0 < VALUE)",
        );
    }
    let declared: Vec<_> = typed.iter().map(|(name, of, ..)| format!("{name} {of}")).collect();
    let names: Vec<_> = typed.iter().map(|(name, ..)| *name).collect();
    let values: Vec<_> = typed.iter().map(|(_, _, old, _)| *old).collect();
    let stored = "twice integer GENERATED ALWAYS AS (n * 2) STORED";
    database.script(&format!(
        "CREATE TABLE t (id {{{{id}}}}, n integer, {stored}, {});\n\
         INSERT INTO t (n, {}) SELECT n, {} FROM numbers WHERE n <= 300;\n\
         INSERT INTO t (n) VALUES (NULL)",
        declared.join(", "),
        names.join(", "),
        values.join(", ")
    ));
    let columns: Vec<_> = ["id", "n", "twice"].into_iter().chain(names).collect();
    let before = digest(&database, "t", &columns, "id");
    let set = typed.iter().map(|(name, _, _, new)| format!("{name} = {new:?}"));
    let set: Vec<_> = set.chain(["n = \"id + 5\"".to_owned()]).collect();
    let desk = Desk::at(&database.url);
    let update = format!("table = \"t\"\nset = {{ {} }}", set.join(", "));
    desk.write("job.toml", &spec("types", &update, SMALL));
    desk.call(&["run", "job.toml", "--progress", "none"]).expect(0);
    assert_ne!(digest(&database, "t", &columns, "id"), before);
    let looked = json(&desk.call(&["undo", "types", "--dry-run", "--json"]).expect(0));
    assert_eq!(looked["restorable"], 301, "{looked}");
    // The table is there by now: the statements are judged by the server, and the columns still fit.
    desk.call(&["plan", "job.toml"]).expect(0);
    let undone = json(&desk.call(&["undo", "types", "--json", "--progress", "none"]).expect(0));
    assert_eq!(undone["restored"], 301, "{undone}");
    assert_eq!(digest(&database, "t", &columns, "id"), before);
}

fn keys(engine: Engine) {
    let database = Database::new(engine);
    let (text, integer) = match engine.family {
        "postgres" => ("text COLLATE \"C\"", "integer"),
        "sqlite" => ("TEXT COLLATE NOCASE", "INTEGER"),
        _ => ("varchar(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", "integer"),
    };
    database.script(&format!(
        "CREATE TABLE t (tenant {integer} NOT NULL, code {text} NOT NULL, n integer NOT NULL, \
         PRIMARY KEY (tenant, code));\n\
         CREATE TABLE w (code {text} NOT NULL PRIMARY KEY, n integer NOT NULL);\n\
         INSERT INTO t SELECT n % 7, {}, n FROM numbers WHERE n <= 2000;\n\
         INSERT INTO w SELECT {}, n FROM numbers WHERE n <= 500",
        mixed(engine),
        mixed(engine)
    ));
    let desk = Desk::at(&database.url);
    for (table, columns, order, rows) in [
        ("t", &["tenant", "code", "n"][..], "tenant, code", 2000),
        ("w", &["code", "n"], "code", 500),
    ] {
        let before = digest(&database, table, columns, order);
        let update = format!("table = \"{table}\"\nset = {{ n = \"n + 1\" }}\nexactly_once = true");
        let workers = if engine.family == "sqlite" { "" } else { "\nworkers = 2" };
        desk.write("job.toml", &spec(table, &update, &format!("{SMALL}{workers}")));
        desk.call(&["run", "job.toml", "--progress", "none"]).expect(0);
        database.script(&format!("UPDATE {table} SET n = -5 WHERE code = 'Key 77'"));
        let undone = json(&desk.call(&["undo", table, "--json", "--progress", "none"]).expect(1));
        assert_eq!(undone["restored"].as_u64(), Some(rows - 1), "{undone}");
        database.script(&format!("UPDATE {table} SET n = 77 WHERE code = 'Key 77'"));
        assert_eq!(digest(&database, table, columns, order), before);
        let whole = json(&desk.call(&["undo", table, "--json", "--progress", "none"]).expect(0));
        assert_eq!(whole["as_before"].as_u64(), Some(rows), "{whole}");
    }
}

/// Texts whose order differs by collation.
fn mixed(engine: Engine) -> &'static str {
    match engine.family {
        "mysql" => "concat(if(n % 2 = 0, 'key ', 'Key '), n)",
        _ => "CASE WHEN n % 2 = 0 THEN 'key ' ELSE 'Key ' END || n",
    }
}

fn stored(engine: Engine) {
    let database = Database::new(engine);
    database.script(
        "CREATE TABLE t (id {{id}}, n integer NOT NULL, r double precision);\n\
         INSERT INTO t (n) SELECT n FROM numbers WHERE n <= 600",
    );
    match engine.family {
        "postgres" => {
            database.script(
                "CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 IF OLD.id = 13 THEN RETURN NULL; END IF; NEW.n := NEW.n * 3; RETURN NEW; END $$",
            );
            database.script(
                "CREATE TRIGGER odd BEFORE UPDATE ON t FOR EACH ROW WHEN (0 <= NEW.n AND \
                 OLD.n < NEW.n) EXECUTE FUNCTION odd()",
            );
        }
        "sqlite" => database.script(
            "CREATE TRIGGER odd AFTER UPDATE OF n ON t WHEN OLD.n < NEW.n AND NEW.n < 10000 BEGIN \
             UPDATE t SET n = 10000 + NEW.n WHERE id = NEW.id; END",
        ),
        _ => database.script(
            "CREATE TRIGGER odd BEFORE UPDATE ON t FOR EACH ROW SET NEW.n = IF(OLD.n < NEW.n, NEW.n * \
             3, NEW.n)",
        ),
    }
    let before = digest(&database, "t", &["id", "n", "r"], "id");
    let desk = Desk::at(&database.url);
    let random = match engine.family {
        "mysql" => "rand()",
        _ => "random()",
    };
    let update =
        format!("table = \"t\"\nset = {{ n = \"n + 1\", r = \"{random}\" }}\nexactly_once = true");
    desk.write("job.toml", &spec("stored", &update, SMALL));
    desk.call(&["run", "job.toml", "--progress", "none"]).expect(0);
    let held = if engine.family == "postgres" { 599 } else { 600 };
    let undone = json(&desk.call(&["undo", "stored", "--json", "--progress", "none"]).expect(0));
    assert_eq!(undone["restored"], held, "{undone}");
    assert_eq!(digest(&database, "t", &["id", "n", "r"], "id"), before);
}

fn generations(engine: Engine) {
    let database = Database::new(engine);
    database.script(ORDERS);
    let desk = Desk::at(&database.url);
    let update = "table = \"orders\"\nset = { total = \"total + 1\" }\nexactly_once = true";
    desk.write("job.toml", &spec("up", update, ""));
    let columns = ["id", "total", "cents", "note"];
    desk.call(&["undo", "job.toml", "--generation", "3"]).expect(2).says("of generation 3 of job");
    let zero = digest(&database, "orders", &columns, "id");
    desk.call(&["run", "job.toml", "--progress", "none"]).expect(0);
    let one = digest(&database, "orders", &columns, "id");
    desk.call(&["run", "job.toml", "--again", "--progress", "none"]).expect(0);
    let undone = json(&desk.call(&["undo", "up", "--json", "--progress", "none"]).expect(0));
    assert_eq!((&undone["generation"], &undone["undo_job"]), (&2.into(), &"up-undo-2".into()));
    assert_eq!(digest(&database, "orders", &columns, "id"), one);
    // The one before it by its number, and by the name of its undo.
    desk.call(&["undo", "up", "--generation", "1", "--progress", "none"]).expect(0);
    assert_eq!(digest(&database, "orders", &columns, "id"), zero);
    desk.call(&["undo", "up-undo-1", "--progress", "none"]).expect(0).says("was finished before");
    desk.call(&["status", "up-undo-1"]).expect(0).says("completed");
}
