//! What it looks at and makes before it copies, and what it refuses.

use std::sync::Arc;
use std::time::Duration;

use super::copy::Shape;
use super::database::{Database, text};
use super::state::Double;
use super::{LOCK_MS, VALIDATE_MS, milliseconds};

/// Looks at everything, and ends it where something is in the way.
pub async fn all(double: &Double, database: &mut Database) -> Shape {
    let flags = &double.flags;
    if double.reverts() && flags.is("resume") {
        double.fatal("--revert cannot be used with --resume");
    }
    if double.reverts() && flags.text("old-table").is_empty() {
        double.fatal("--revert must be called with --old-table");
    }
    for needed in ["alter", "database", "table"] {
        if flags.text(needed).is_empty() && !(needed == "alter" && double.reverts()) {
            double.fatal(&format!("--{needed} must be provided and must not be empty"));
        }
    }
    if !flags.is("allow-on-master") {
        double.fatal(
            "it seems like this migration attempt to run directly on master. Preferably it would be executed \
             on a replica (this reduces load from the master). To proceed please provide --allow-on-master",
        );
    }
    if let Some((from, to)) = renamed(flags.text("alter")) {
        double.fatal(&format!(
            "gh-ost believes the ALTER statement renames columns, as follows: map[{from}:{to}]; as precaution, \
             you are asked to confirm gh-ost is correct, and provide with `--approve-renamed-columns`"
        ));
    }
    tokio::time::sleep(milliseconds(VALIDATE_MS).unwrap_or_default()).await;
    match look(double, database).await {
        Ok(shape) => shape,
        Err(error) => double.fatal(&error.to_string()),
    }
}

/// The names of a column that the statement renames.
fn renamed(alter: &str) -> Option<(String, String)> {
    let words: Vec<&str> = alter.split_whitespace().collect();
    let at = words.iter().position(|word| word.eq_ignore_ascii_case("change"))?;
    let column = usize::from(words.get(at + 1)?.eq_ignore_ascii_case("column"));
    let bare = |word: &&str| word.trim_matches('`').to_owned();
    let (from, to) = (words.get(at + column + 1).map(bare)?, words.get(at + column + 2).map(bare)?);
    (!from.eq_ignore_ascii_case(&to)).then_some((from, to))
}

async fn look(double: &Double, database: &mut Database) -> Result<Shape, backstop::target::Error> {
    let (schema, table) = (text(double.flags.text("database")), text(double.table()));
    let original = double.original();
    let tables = format!(
        "select /* gh-ost */ count(*) from information_schema.tables where table_schema = {schema} and table_name \
         = {table} and table_type = 'BASE TABLE'"
    );
    if database.number(&tables).await? == 0 {
        double.fatal(&format!("cannot find table {original}!"));
    }
    for (side, columns) in [
        ("child", ("table_schema", "table_name")),
        ("parent", ("referenced_table_schema", "referenced_table_name")),
    ] {
        let keys = format!(
            "select /* gh-ost */ count(distinct constraint_name) from information_schema.key_column_usage where \
             referenced_table_name is not null and {} = {schema} and {} = {table}",
            columns.0, columns.1
        );
        let found = database.number(&keys).await?;
        if 0 < found {
            double.fatal(&format!(
                "found {found} {side}-side foreign keys on {original}. {side}-side foreign keys are not \
                 supported. Bailing out"
            ));
        }
    }
    let triggers = format!(
        "select /* gh-ost */ count(*) from information_schema.triggers where event_object_schema = {schema} and \
         event_object_table = {table}"
    );
    if 0 < database.number(&triggers).await? {
        double.fatal(&format!(
            "found triggers on {original}. Triggers are not supported at this time. Bailing out"
        ));
    }
    let shape = Shape::of(double, database).await?;
    if shape.key.is_empty() {
        double.fatal("no PRIMARY nor UNIQUE key found in table! Bailing out");
    }
    Ok(shape)
}

/// Takes the lock that it holds to its end, on a connection of its own.
pub async fn lock(double: &Double) -> Database {
    let mut keeper = match Database::connect(double).await {
        Ok(keeper) => keeper,
        Err(error) => double.fatal(&error),
    };
    let sql = format!("select /* gh-ost */ get_lock({}, 0)", text(&double.lock_name()));
    match keeper.number(&sql).await {
        Ok(1) => keeper,
        Ok(_) => double
            .fatal(&format!("another gh-ost process is already migrating {}", double.original())),
        Err(error) => double.fatal(&error.to_string()),
    }
}

/// Ends it when that connection is found to be gone.
pub async fn keep_lock(double: Arc<Double>, mut keeper: Database) {
    let every = milliseconds(LOCK_MS).unwrap_or(Duration::from_secs(30));
    let sql = format!(
        "select /* gh-ost */ is_used_lock({}) = connection_id()",
        text(&double.lock_name())
    );
    loop {
        tokio::time::sleep(every).await;
        if keeper.number(&sql).await.is_ok_and(|is_held| is_held == 1) {
            continue;
        }
        double.fatal(&format!(
            "migration lock {} connection lost: invalid connection",
            double.lock_name()
        ));
    }
}

/// Makes its tables, as the changed table will be.
pub async fn tables(double: &Double, database: &mut Database, shape: &Shape) {
    let made = make_tables(double, database, shape).await;
    if let Err(error) = made {
        double.fatal(&error.to_string());
    }
}

pub async fn is_there(
    double: &Double,
    database: &mut Database,
    end: &str,
) -> Result<bool, backstop::target::Error> {
    let sql = format!(
        "select /* gh-ost */ count(*) from information_schema.tables where table_schema = {} and table_name = {}",
        text(double.flags.text("database")),
        text(&double.own_name(end))
    );
    database.number(&sql).await.map(|count| 0 < count)
}

/// Makes the table for its own notes.
pub async fn changelog(
    double: &Double,
    database: &mut Database,
) -> Result<(), backstop::target::Error> {
    let columns = "id bigint unsigned auto_increment, last_update timestamp not null default current_timestamp on \
                   update current_timestamp, hint varchar(64) charset ascii not null, value varchar(4096) charset \
                   ascii not null, primary key (id), unique key hint_uidx (hint)";
    let create = format!("create /* gh-ost */ table {} ({columns})", double.own("ghc"));
    database.execute(&create).await.map(drop)
}

async fn make_tables(
    double: &Double,
    database: &mut Database,
    shape: &Shape,
) -> Result<(), backstop::target::Error> {
    let flags = &double.flags;
    let (copy, log, checkpoints) = (double.own("gho"), double.own("ghc"), double.own("ghk"));
    if flags.is("resume") {
        for end in ["gho", "ghc", "ghk"] {
            if !is_there(double, database, end).await? {
                double.fatal(&format!(
                    "no checkpoint found, unable to resume: table {} doesn't exist",
                    double.own(end)
                ));
            }
        }
        return metadata_lock(double, database).await;
    }
    if flags.is("initially-drop-ghost-table") {
        database.execute(&format!("drop /* gh-ost */ table if exists {copy}")).await?;
    }
    for (end, flag) in
        [("gho", "--initially-drop-ghost-table"), ("del", "--initially-drop-old-table")]
    {
        if is_there(double, database, end).await? {
            double.fatal(&format!(
                "table `{}` already exists. Panicking. Use {flag} to force dropping it, though I really \
                 prefer that you drop it or rename it away",
                double.own_name(end)
            ));
        }
    }
    database.execute(&format!("drop /* gh-ost */ table if exists {log}")).await?;
    changelog(double, database).await?;
    database
        .execute(&format!("create /* gh-ost */ table {copy} like {}", double.original()))
        .await?;
    let alter = format!("alter /* gh-ost */ table {copy} {}", flags.text("alter"));
    if let Err(error) = database.execute(&alter).await {
        double.log("ERROR", "unable to ALTER ghost table, see further error details. Bailing out");
        return Err(error);
    }
    let state = format!(
        "insert /* gh-ost */ into {log} (id, hint, value) values (2, 'state', 'GhostTableMigrated')"
    );
    database.execute(&state).await?;
    metadata_lock(double, database).await?;
    if flags.is("checkpoint") {
        database.execute(&format!("drop /* gh-ost */ table if exists {checkpoints}")).await?;
        let columns = "gh_ost_chk_id bigint auto_increment primary key, gh_ost_chk_timestamp bigint, \
                       gh_ost_chk_coords text, gh_ost_chk_iteration bigint, gh_ost_rows_copied bigint, \
                       gh_ost_dml_applied bigint, gh_ost_is_cutover tinyint(1) default '0', gh_ost_range_max text";
        database.execute(&format!("create /* gh-ost */ table {checkpoints} ({columns})")).await?;
    }
    assert!(!shape.key.is_empty());
    Ok(())
}

/// Whether the server can show who holds the table's metadata lock. MariaDB has that off.
pub async fn metadata_lock(
    double: &Double,
    database: &mut Database,
) -> Result<(), backstop::target::Error> {
    if double.flags.is("skip-metadata-lock-check") {
        double.log(
            "WARNING",
            "metadata lock instrument check is skipped: this may lead to data loss",
        );
        return Ok(());
    }
    let sql = "select /* gh-ost */ count(*) from performance_schema.setup_instruments where name = \
               'wait/lock/metadata/sql/mdl' and enabled = 'YES' and @@performance_schema = 1";
    if database.number(sql).await? == 1 {
        return Ok(());
    }
    if double.flags.is("allow-setup-metadata-lock-instruments") {
        let set = "update /* gh-ost */ performance_schema.setup_instruments set enabled = 'YES', timed = 'YES' \
                   where name = 'wait/lock/metadata/sql/mdl'";
        database.execute(set).await?;
        if database.number(sql).await? == 1 {
            return Ok(());
        }
    }
    double.fatal("metadata lock instrument not enabled");
}
