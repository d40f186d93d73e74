//! Rows that one generation has written twice: their fence was lost.

use super::crossing::images;
use super::{digest, json, spec};
use crate::database::{Database, Engine};
use crate::harness::Desk;

const SCHEMA: &str = "\
CREATE TABLE t (id {{id}}, a integer, b integer);
INSERT INTO t (a) SELECT n FROM numbers WHERE n <= 1000";

const UPDATE: &str = "table = \"t\"\nset = { a = \"id + 5000\", b = \"id + 6000\" }";

/// The first old value is put back, whether the images are looked at before the second writing or not.
pub fn first_values(engine: Engine) {
    for looked in [false, true] {
        let database = Database::new(engine);
        database.script(SCHEMA);
        let before = digest(&database, "t", &["id", "a", "b"], "id");
        let run = || {
            // A new place: the journal is lost as well.
            let desk = Desk::at(&database.url);
            let batch = "[batch]\nmax_rows = 150";
            desk.write("job.toml", &spec("twice", UPDATE, batch));
            desk.call(&["run", "job.toml", "--progress", "none"]).expect(0);
            desk
        };
        let desk = run();
        let table = images(&database);
        assert_eq!(has_key(&database, &table), engine.family != "postgres");
        if looked {
            let seen = json(&desk.call(&["undo", "twice", "--dry-run", "--json"]).expect(0));
            assert_eq!(seen["restorable"], 1000, "{seen}");
            assert!(has_key(&database, &table));
        }
        database.script(
            "DELETE FROM backstop_fence;\nUPDATE t SET a = -id WHERE id <= 10;\n\
             UPDATE t SET b = NULL WHERE 5 < id AND id <= 20",
        );
        let desk = run();
        let undone = json(&desk.call(&["undo", "twice", "--json", "--progress", "none"]).expect(0));
        assert_eq!(undone["restored"], 1000, "{undone}");
        assert_eq!(digest(&database, "t", &["id", "a", "b"], "id"), before);
        assert_eq!(database.value(&format!("SELECT count(*) FROM {table}")), "1000");
        assert!(has_key(&database, &table));
    }
}

/// Whether the table has a primary key.
fn has_key(database: &Database, table: &str) -> bool {
    let sql = match database.engine.family {
        "sqlite" => format!("SELECT count(*) FROM pragma_table_info('{table}') WHERE 0 < pk"),
        _ => format!(
            "SELECT count(*) FROM information_schema.table_constraints WHERE table_name = '{table}' AND \
             constraint_type = 'PRIMARY KEY'"
        ),
    };
    database.value(&sql) != "0"
}
