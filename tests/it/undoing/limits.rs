//! How long old values are kept, whose rights that takes, and what cannot be undone.

use super::crossing::images;
use super::{SMALL, spec};
use crate::database::{Database, Engine, engine};
use crate::harness::Desk;

const SCHEMA: &str = "\
CREATE TABLE t (id {{id}}, n integer NOT NULL, a integer);
INSERT INTO t (n) SELECT n FROM numbers WHERE n <= 5000";

const UPDATE: &str = "table = \"t\"\nset = { a = \"n + 1\" }";

/// A time long ago, as an image has it.
fn long_ago(engine: Engine) -> &'static str {
    match engine.family {
        "sqlite" => "'2020-01-01T00:00:00.000Z'",
        _ => "'2020-01-01 00:00:00'",
    }
}

pub fn expiry(engine: Engine) {
    let database = Database::new(engine);
    database.script(SCHEMA);
    let desk = Desk::at(&database.url);
    desk.write("job.toml", &spec("old", UPDATE, ""));
    desk.call(&["run", "job.toml", "--progress", "none"]).expect(0);
    let table = images(&database);
    let count = || database.value(&format!("SELECT count(*) FROM {table}"));
    assert_eq!(count(), "5000");
    desk.call(&["undo", "old", "--expire"]).expect(0).says("0 old values older than 30d");
    let age = |rows: &str| {
        let ago = long_ago(engine);
        database.script(&format!("UPDATE {table} SET undo_at = {ago} WHERE {rows}"));
    };
    age("undo_key_id <= 4100 AND undo_key_id <> 7");
    desk.call(&["undo", "old", "--expire"]).expect(0).says("4,099 old values older than 30d");
    assert_eq!(count(), "901");
    // The end of a run removes what has expired by itself.
    age("undo_key_id <= 4200");
    database.script("UPDATE t SET a = 0 WHERE id > 4990");
    let said = desk.call(&["run", "job.toml", "--again", "--progress", "none"]).expect(0);
    said.says("101 old values had expired and were removed");
    assert_eq!(count(), "810");
    age("0 < undo_generation");
    desk.call(&["undo", "job.toml", "--expire"]).expect(0).says("810 old values");
    desk.call(&["undo", "old"]).expect(2).says("all of it is older than `[undo] keep`");
}

/// A role that may write the table and the fence, and nothing else.
pub fn rights(engine: Engine) {
    let database = Database::new(engine);
    database.script(SCHEMA);
    let name = format!("undo_{}", database.login().database);
    let mut url = url::Url::parse(&database.url).unwrap();
    url.set_username(&name).unwrap();
    url.set_password(Some("secret")).unwrap();
    let postgres = engine.family == "postgres";
    if postgres {
        database.script(&format!(
            "CREATE ROLE {name} LOGIN PASSWORD 'secret';\nREVOKE CREATE ON SCHEMA public FROM PUBLIC;\n\
             GRANT SELECT, UPDATE ON t TO {name}"
        ));
    } else {
        database.script(&format!(
            "CREATE USER '{name}'@'%' IDENTIFIED BY 'secret';\nGRANT SELECT, UPDATE ON t TO '{name}'@'%'"
        ));
    }
    let desk = Desk::at(url.as_str());
    desk.write("job.toml", &spec("modest", UPDATE, SMALL));
    let refused = desk.call(&["plan", "job.toml"]).expect(2);
    refused.says("the old values cannot be kept in").says("undo_old_a").says("PRIMARY KEY");
    let said = desk.call(&["plan", "job.toml", "--grants", "--json"]).expect(0);
    let grants: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let list = |field: &str| -> Vec<String> {
        let list = grants[field].as_array().unwrap();
        list.iter().map(|sql| sql.as_str().unwrap().to_owned()).collect()
    };
    let (tables, rights) = (list("tables"), list("rights"));
    assert_eq!(tables.len(), 3, "{grants}");
    database.script(&[tables, rights.clone()].concat().join(";\n"));
    // Without the right to remove what has expired, nothing is begun.
    let last = rights.last().unwrap();
    assert!(last.contains("DELETE ON") && last.contains("backstop_undo_"), "{last}");
    database.script(&last.replace("GRANT", "REVOKE").replace(" TO ", " FROM "));
    desk.call(&["run", "job.toml"]).expect(2).says("the old values cannot be kept in");
    database.script(last);
    desk.call(&["run", "job.toml", "--progress", "none"]).expect(0);
    desk.call(&["undo", "modest", "--progress", "none"]).expect(0).says("5,000 rows put back");
    assert_eq!(database.value("SELECT count(*) FROM t WHERE a IS NULL"), "5000");
    let drop = if postgres {
        format!("DROP OWNED BY {name};\nDROP ROLE {name}")
    } else {
        format!("DROP USER '{name}'@'%'")
    };
    database.script(&drop);
}

/// What is refused, and with which words.
pub fn refusals() {
    let database = Database::new(engine("sqlite"));
    database.script(SCHEMA);
    let desk = Desk::at(&database.url);
    desk.call(&["undo", "job.toml"]).expect(2).says("cannot be read");
    desk.call(&["undo", "nobody"]).expect(2).says("no journal found");
    let plain = spec("plain", UPDATE, "").replace("[undo]\nkeep = \"30d\"", "");
    desk.write("plain.toml", &plain);
    desk.call(&["run", "plain.toml", "--progress", "none"]).expect(0);
    desk.call(&["undo", "plain"]).expect(2).says("its spec has no [undo]");
    desk.call(&["undo", "nobody"]).expect(2).says("knows no job `nobody`");
    // No file can say that it undoes something.
    desk.write("forged.toml", &format!("{plain}\n[restores]\njob = \"x\"\ngeneration = 1\n"));
    desk.call(&["plan", "forged.toml"]).expect(2).says("unknown section `restores`");

    // Columns that could be taken for those of an image.
    database.script("CREATE TABLE clash (id INTEGER PRIMARY KEY, a integer, undo_at integer)");
    let clash = UPDATE.replace("\"t\"", "\"clash\"").replace("n + 1", "1");
    desk.write("clash.toml", &spec("clash", &clash, ""));
    desk.call(&["plan", "clash.toml"]).expect(2).says("has a column `undo_at`");

    // The images are of the columns that the job had.
    desk.write("job.toml", &spec("changing", &UPDATE.replace("n + 1", "n + 2"), ""));
    desk.call(&["run", "job.toml", "--progress", "none"]).expect(0);
    let other = spec("changing", "table = \"t\"\nset = { n = \"5\" }", "");
    desk.write("job.toml", &other);
    desk.call(&["run", "job.toml", "--again"]).expect(2).says("was made for other columns");
    // By its name it is undone with the spec that it was run with.
    desk.call(&["undo", "changing", "--progress", "none"]).expect(0).says("5,000 rows put back");
}
