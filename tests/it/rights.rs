//! A role with the rights that `plan --grants` prints, and no other, can run the job.

use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::Desk;
use crate::test;

const JOB: &str = r#"
[job]
name = "modest"

[target]
url_env = "DATABASE_URL"

[update]
table = "t"
set   = { a = "b + 1" }
where = "a IS NULL"

[batch]
max_rows = 100
workers  = 2
"#;

const SCHEMA: &str = "\
CREATE TABLE t (id {{id}}, a integer, b integer NOT NULL);
INSERT INTO t (b) SELECT n FROM numbers WHERE n <= 1000";

pub fn trials() -> Vec<Trial> {
    available()
        .map(|engine| {
            let name =
                format!("rights: `plan --grants` is enough, and no more, on {}", engine.name);
            test(name, move || enough(engine))
        })
        .collect()
}

/// A role that may connect and nothing else, and the URL with which it does.
fn role(database: &Database) -> String {
    let mut url = url::Url::parse(&database.url).unwrap();
    let name = format!("modest_{}", database.login().database);
    match database.engine.family {
        "postgres" => database.script(&format!(
            "CREATE ROLE {name} LOGIN PASSWORD 'secret';\nREVOKE CREATE ON SCHEMA public FROM PUBLIC"
        )),
        _ => database.script(&format!("CREATE USER '{name}'@'%' IDENTIFIED BY 'secret'")),
    }
    url.set_username(&name).unwrap();
    url.set_password(Some("secret")).unwrap();
    url.into()
}

fn drop_role(database: &Database) {
    let name = format!("modest_{}", database.login().database);
    match database.engine.family {
        "postgres" => database.script(&format!("DROP OWNED BY {name};\nDROP ROLE {name}")),
        _ => database.script(&format!("DROP USER '{name}'@'%'")),
    }
}

fn enough(engine: Engine) {
    let database = Database::new(engine);
    database.script(SCHEMA);
    if engine.family == "sqlite" {
        let desk = Desk::at(&database.url);
        desk.write("job.toml", JOB);
        let said = desk.call(&["plan", "job.toml", "--grants"]).expect(0);
        let said = said.says("CREATE TABLE backstop_fence").says("CREATE TABLE backstop_switch");
        said.says("there is nothing to grant");
        return;
    }
    // On MySQL an account without any right to a database may not even connect to it.
    let url = role(&database);
    if engine.family == "mysql" {
        let login = database.login();
        database.script(&format!(
            "GRANT SHOW VIEW ON {}.* TO 'modest_{}'@'%'",
            login.database, login.database
        ));
    }
    let desk = Desk::at(&url);
    desk.write("job.toml", &JOB.replace("where =", "exactly_once = true\nwhere ="));
    let refusal = if engine.family == "mysql" { "not visible" } else { "--grants" };
    desk.call(&["plan", "job.toml"]).expect(2).says(refusal);
    let said = desk.call(&["plan", "job.toml", "--grants", "--json"]).expect(0);
    let grants: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let list = |field: &str| -> Vec<String> {
        let list = grants[field].as_array().unwrap();
        list.iter().map(|sql| sql.as_str().unwrap().to_owned()).collect()
    };
    let (tables, rights) = (list("tables"), list("rights"));
    assert_eq!(tables.len(), 2, "{grants}");
    database.script(&[tables, rights.clone()].concat().join(";\n"));
    // Each of them is needed: without it the job is refused before it writes.
    for right in rights.iter().filter(|right| !right.contains("SCHEMA")) {
        database.script(&right.replace("GRANT", "REVOKE").replace(" TO ", " FROM "));
        desk.call(&["plan", "job.toml"]).expect(2);
        database.script(right);
    }
    desk.call(&["run", "job.toml"]).expect(0).says("verified");
    desk.call(&["plan", "job.toml", "--grants"]).expect(0).says("there already");
    assert_eq!(database.value("SELECT count(*) FROM t WHERE a = b + 1"), "1000");
    drop_role(&database);
}
