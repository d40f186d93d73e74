//! What can be wrong with a row.

use crate::database::{Database, Engine, engine};
use crate::harness::Desk;

/// A way in which the row 25 of a table cannot be written.
struct Kind {
    name: &'static str,
    /// Families of databases that know it.
    on: &'static [&'static str],
    /// Columns besides `id`, and what stands beside them.
    columns: &'static str,
    /// What they hold, by `n`.
    values: &'static str,
    /// What else is made, and how the row 25 is spoilt.
    spoil: &'static str,
    set: &'static str,
}

const ALL: &[&str] = &["sqlite", "postgres", "mysql"];
const SERVERS: &[&str] = &["postgres", "mysql"];

const KINDS: [Kind; 10] = [
    Kind {
        name: "check",
        on: ALL,
        columns: "a integer, src integer, CHECK (a < 1000)",
        values: "NULL, n",
        spoil: "UPDATE {t} SET src = 1000 WHERE id = 25",
        set: "a = \"src\"",
    },
    Kind {
        name: "unique",
        on: ALL,
        columns: "a integer UNIQUE, src integer",
        values: "NULL, n",
        spoil: "UPDATE {t} SET src = 7 WHERE id = 25",
        set: "a = \"src\"",
    },
    Kind {
        name: "foreign_key",
        on: SERVERS,
        columns: "a integer, src integer, FOREIGN KEY (a) REFERENCES numbers (n)",
        values: "NULL, n",
        spoil: "UPDATE {t} SET src = 99999 WHERE id = 25",
        set: "a = \"src\"",
    },
    Kind {
        name: "not_null",
        on: ALL,
        columns: "a integer NOT NULL, src integer",
        values: "0, n",
        spoil: "UPDATE {t} SET src = NULL WHERE id = 25",
        set: "a = \"src\"",
    },
    Kind {
        name: "cast",
        on: SERVERS,
        columns: "a integer, src varchar(20)",
        values: "NULL, '7'",
        spoil: "UPDATE {t} SET src = 'seven' WHERE id = 25",
        set: "a = \"{cast}\"",
    },
    Kind {
        name: "overflow",
        on: SERVERS,
        columns: "a smallint, src integer",
        values: "NULL, n",
        spoil: "UPDATE {t} SET src = 100000 WHERE id = 25",
        set: "a = \"src\"",
    },
    Kind {
        name: "too_long",
        on: SERVERS,
        columns: "a varchar(3), src varchar(20)",
        values: "NULL, 'abc'",
        spoil: "UPDATE {t} SET src = 'abcdef' WHERE id = 25",
        set: "a = \"src\"",
    },
    Kind {
        name: "wrong_type",
        on: &["sqlite"],
        columns: "a integer CHECK (typeof(a) IN ('integer', 'null')), src text",
        values: "NULL, '7'",
        spoil: "UPDATE {t} SET src = 'seven' WHERE id = 25",
        set: "a = \"src\"",
    },
    Kind {
        name: "raised_by_a_trigger",
        on: ALL,
        columns: "a integer, src integer",
        values: "NULL, n",
        spoil: "UPDATE {t} SET src = 1000 WHERE id = 25;\n{trigger}",
        set: "a = \"src\"",
    },
    Kind {
        name: "deferred",
        on: &["postgres"],
        columns: "a integer REFERENCES numbers (n) DEFERRABLE INITIALLY DEFERRED, src integer",
        values: "NULL, n",
        spoil: "UPDATE {t} SET src = 99999 WHERE id = 25",
        set: "a = \"src\"",
    },
];

/// A trigger that refuses 1000.
fn trigger(engine: Engine) -> &'static str {
    match engine.family {
        "sqlite" => {
            "CREATE TRIGGER no BEFORE UPDATE ON {t} WHEN NEW.a = 1000 \
             BEGIN SELECT RAISE(ABORT, 'no thousand'); END"
        }
        "postgres" => {
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.a = 1000 THEN \
             RAISE EXCEPTION 'no thousand'; END IF; RETURN NEW; END $$;\n\
             CREATE TRIGGER no BEFORE UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION no()"
        }
        _ => {
            "CREATE TRIGGER no BEFORE UPDATE ON {t} FOR EACH ROW IF NEW.a = 1000 THEN \
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no thousand'; END IF"
        }
    }
}

pub(super) fn each(engine: Engine) {
    let database = Database::new(engine);
    database.script("DELETE FROM numbers WHERE 100 < n");
    let desk = Desk::at(&database.url);
    for kind in KINDS.iter().filter(|kind| kind.on.contains(&engine.family)) {
        let name = &format!("of_{}", kind.name);
        let cast = if engine.family == "postgres" { "CAST(src AS integer)" } else { "src" };
        let fill = |text: &str| {
            let text = text.replace("{trigger}", trigger(engine)).replace("{cast}", cast);
            text.replace("{t}", name)
        };
        for sql in [
            format!("CREATE TABLE {name} (id integer PRIMARY KEY, {})", kind.columns),
            format!("INSERT INTO {name} SELECT n, {} FROM numbers WHERE n <= 60", kind.values),
            fill(kind.spoil),
        ] {
            // The table of numbers is there, and is not made again.
            database.plainly(&sql);
        }
        desk.write(
            "job.toml",
            &format!(
                "[job]\nname = \"{name}\"\n[target]\nurl_env = \"DATABASE_URL\"\n[update]\n\
                 table = \"{name}\"\nset = {{ {} }}\nwhere = \"{}\"\n",
                fill(kind.set),
                if kind.name == "not_null" { "a = 0" } else { "a IS NULL" },
            ),
        );
        let said = desk.call(&["run", "job.toml"]);
        assert_eq!(said.code, 1, "{name}: {}", said.err);
        let rows = super::list(&desk, name);
        assert_eq!(rows.len(), 1, "{name}: {rows:?}");
        assert_eq!(rows[0]["key_text"], "id=25", "{name}");
        println!(
            "quarantine: {name} on {}: {} {}",
            engine.name, rows[0]["code"], rows[0]["message"]
        );
        assert!(rows[0]["code"].is_string(), "{name}: {rows:?}");
        let left = if kind.name == "not_null" { "a = 0" } else { "a IS NULL" };
        let left = format!("SELECT count(*) FROM {name} WHERE {left}");
        assert_eq!(database.value(&left), "1", "{name}");
        // To try again is the same whatever was wrong; but for what only the COMMIT finds out.
        if ["check", "deferred"].contains(&kind.name) {
            database.plainly(&format!("UPDATE {name} SET src = 25 WHERE id = 25"));
            desk.call(&["quarantine", "retry", "job.toml"]).expect(0).says("verified (");
            assert_eq!(database.value(&left), "0", "{name}");
        }
    }
}

/// A condition of the spec may itself fail on a row: `where` while windows are looked for by it, and
/// `expect` at the end.
pub(super) fn conditions() {
    let database = Database::new(engine("postgres"));
    database.script(
        "CREATE TABLE t (id {{id}}, src text NOT NULL, a integer);\n\
         INSERT INTO t (src) SELECT CASE WHEN n % 50 = 0 THEN '1' ELSE '0' END FROM numbers;\n\
         UPDATE t SET src = 'one' WHERE id IN (1234, 15000);\n\
         CREATE INDEX ON t (id) WHERE src <> '0';\n\
         ANALYZE t",
    );
    let desk = Desk::at(&database.url);
    let job = "[job]\nname = \"conditions\"\n[target]\nurl_env = \"DATABASE_URL\"\n[update]\n\
               table = \"t\"\nset = { a = \"7\" }\n\
               where = \"src <> '0' AND CAST(src AS integer) = 1 AND a IS NULL\"\n\
               [batch]\nwalk = \"predicate\"\n";
    desk.write("job.toml", job);
    desk.call(&["run", "job.toml"]).expect(1).says("2 rows are in quarantine: id=1234; id=15000");
    assert_eq!(database.value("SELECT count(*) FROM t WHERE a = 7"), "400");
    // Given up, they are no violations, though nobody can say what they are.
    desk.call(&["quarantine", "release", "conditions", "--all", "--reason", "junk"]).expect(0);
    desk.call(&["run", "job.toml"]).expect(0).says("verified");

    let job = "[job]\nname = \"expecting\"\n[target]\nurl_env = \"DATABASE_URL\"\n[update]\n\
               table = \"t\"\nset = { a = \"8\" }\nwhere = \"a = 7\"\n\
               [verify]\nexpect = \"CAST(src AS integer) < 2\"\n";
    desk.write("job.toml", job);
    let said = desk.call(&["run", "job.toml"]).expect(1).says("2 rows violate `expect`");
    said.says("id=1234 (invalid input syntax").says("unverified");
}
