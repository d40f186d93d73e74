//! What MySQL and MariaDB say of a table that is to be changed online.

use std::collections::BTreeMap;

use super::catalog::{fresh_statistics, one, rows, texts};
use super::dialect::quote;
use super::flavor::Flavor;
use super::holding;
use crate::catalog::{Engine, Release, Table};
use crate::target::online::{Beside, Fact, Online, Reach, Reference, Right};
use crate::target::{Result, Session, Statement};

/// Names that gh-ost and pt-online-schema-change give to tables of their own; `{}` is the table.
/// Source: their documentation, and what was seen.
const NAMES: [&str; 7] =
    ["_{}_gho", "_{}_ghc", "_{}_ghk", "_{}_del", "_{}_new", "__{}_new", "_{}_old"];

/// See [`crate::target::Target::online`].
pub(super) async fn online(
    session: &mut dyn Session,
    flavor: &Flavor,
    table: &Table,
    (host, port): (&str, u16),
) -> Result<Online> {
    let (schema, name) = (table.schema.as_str(), table.name.as_str());
    let engine = if flavor.mariadb { Engine::MariaDb } else { Engine::MySql };
    let sizes = format!(
        "SELECT {}CAST(TABLE_ROWS AS CHAR), CAST(DATA_LENGTH AS CHAR), CAST(INDEX_LENGTH AS CHAR) \
         FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
        fresh_statistics(flavor)
    );
    let [count, data, index] = one(session, &sizes, &[schema, name]).await?;
    let number = |text: &str| text.parse().unwrap_or(0);
    let (references, referring) = foreign_keys(session, schema, name).await?;
    let mut found = Online {
        release: Release { engine, version: flavor.version },
        // To the tools' client library the word means a socket, of whatever server has one.
        host: if host == "localhost" { "127.0.0.1" } else { host }.to_owned(),
        port,
        definitions: Vec::new(),
        rows: number(&count),
        data_bytes: number(&data),
        index_bytes: number(&index),
        triggers: triggers(session, schema, name).await?,
        references,
        referring,
        variables: variables(session).await?,
        rights: Vec::new(),
        has_roles: false,
        beside: beside(session, schema, name).await?,
        replicas: Vec::new(),
        replica_places: Vec::new(),
        tools_at_work: Vec::new(),
        transactions: Vec::new(),
        tells_tables: false,
        invalid_indexes: Vec::new(),
        unread: Vec::new(),
    };
    found.definitions.push(definition(session, schema, name, None).await?);
    let others: Vec<String> =
        found.references.iter().chain(&found.referring).map(|key| key.table.clone()).collect();
    for other in others {
        let (of, other) = match other.split_once('.') {
            Some((of, other)) => (of.to_owned(), other.to_owned()),
            None => (schema.to_owned(), other),
        };
        if of == schema && other == name {
            continue;
        }
        let qualifier = (of != schema).then_some(of.as_str());
        // Whoever may not see it learns less of the locks that it takes; the keys are known.
        if let Ok(definition) = definition(session, &of, &other, qualifier).await
            && !found.definitions.contains(&definition)
        {
            found.definitions.push(definition);
        }
    }
    rights(session, schema, name, &mut found).await;
    sessions(session, schema, name, &mut found).await;
    match holding::transactions(session, flavor, schema, name).await {
        Ok((transactions, tells)) => {
            (found.transactions, found.tells_tables) = (transactions, tells);
        }
        Err(error) => found.unread.push((Fact::Transactions, error.to_string())),
    }
    Ok(found)
}

/// See [`crate::target::Target::under_handoff`].
pub(super) async fn under_handoff(
    session: &mut dyn Session,
    table: &Table,
) -> Result<Option<String>> {
    let (schema, name) = (table.schema.as_str(), table.name.as_str());
    let triggers = triggers(session, schema, name).await?;
    if let Some(trigger) = triggers.iter().find(|trigger| is_of_percona(trigger)) {
        return Ok(Some(format!("the trigger `{trigger}` of pt-online-schema-change is on it")));
    }
    let copies = [format!("_{name}_gho"), format!("_{name}_new"), format!("_{name}_ghc")];
    let beside = beside(session, schema, name).await?;
    let copy = beside.into_iter().find(|beside| copies.contains(&beside.name));
    Ok(copy.map(|copy| {
        format!(
            "the table `{}`, as gh-ost or pt-online-schema-change makes it, is beside it",
            copy.name
        )
    }))
}

/// See [`crate::target::Target::try_on_copy`].
pub(super) async fn try_on_copy(
    session: &mut dyn Session,
    table: &Table,
    copy: &str,
    clauses: &str,
) -> Result<std::result::Result<(), String>> {
    let place = |name: &str| format!("{}.{}", quote(&table.schema), quote(name));
    let (own, copy) = (place(&table.name), place(copy));
    let run = |sql: String| Statement::plain(sql);
    session.execute(&run(format!("CREATE TABLE {copy} LIKE {own}"))).await?;
    let tried = session.execute(&run(format!("ALTER TABLE {copy} {clauses}"))).await;
    session.execute(&run(format!("DROP TABLE {copy}"))).await?;
    match tried {
        Ok(_) => Ok(Ok(())),
        Err(error) if error.is_lost() => Err(error),
        Err(error) => Ok(Err(error.to_string())),
    }
}

/// Whether pt-online-schema-change names its triggers so.
pub(super) fn is_of_percona(trigger: &str) -> bool {
    trigger.starts_with("pt_osc_")
}

async fn definition(
    session: &mut dyn Session,
    schema: &str,
    name: &str,
    qualifier: Option<&str>,
) -> Result<String> {
    let show = format!("SHOW CREATE TABLE {}.{}", quote(schema), quote(name));
    let [_, text] = one(session, &show, &[]).await?;
    let place = qualifier.map(|schema| format!("{}.", quote(schema))).unwrap_or_default();
    // The server writes the name alone, whatever database is asked about.
    let whole = format!("CREATE TABLE {}", quote(name));
    Ok(match text.strip_prefix(&whole) {
        Some(rest) => format!("CREATE TABLE {place}{}{rest}", quote(name)),
        None => text,
    })
}

async fn triggers(session: &mut dyn Session, schema: &str, name: &str) -> Result<Vec<String>> {
    let sql = "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS \
               WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? ORDER BY TRIGGER_NAME";
    let found = rows(session, sql, &[schema, name]).await?;
    Ok(found.into_iter().flatten().flatten().collect())
}

async fn foreign_keys(
    session: &mut dyn Session,
    schema: &str,
    name: &str,
) -> Result<(Vec<Reference>, Vec<Reference>)> {
    let key = |[name, of, table, on_update, on_delete]: [String; 5]| {
        let table = if of == schema { table } else { format!("{of}.{table}") };
        Reference { name, table, on_update, on_delete }
    };
    let own = "SELECT CONSTRAINT_NAME, UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME, UPDATE_RULE, \
               DELETE_RULE FROM information_schema.REFERENTIAL_CONSTRAINTS \
               WHERE CONSTRAINT_SCHEMA = ? AND TABLE_NAME = ? ORDER BY 1";
    let others = "SELECT CONSTRAINT_NAME, CONSTRAINT_SCHEMA, TABLE_NAME, UPDATE_RULE, DELETE_RULE \
                  FROM information_schema.REFERENTIAL_CONSTRAINTS \
                  WHERE UNIQUE_CONSTRAINT_SCHEMA = ? AND REFERENCED_TABLE_NAME = ? ORDER BY 1";
    let mut found = Vec::new();
    for sql in [own, others] {
        let rows = rows(session, sql, &[schema, name]).await?;
        found.push(rows.into_iter().map(texts).map(key).collect());
    }
    let referring = found.pop().unwrap_or_default();
    Ok((found.pop().unwrap_or_default(), referring))
}

async fn variables(session: &mut dyn Session) -> Result<BTreeMap<String, String>> {
    let wanted = [
        "binlog_expire_logs_seconds",
        "binlog_format",
        "binlog_row_image",
        "datadir",
        "expire_logs_days",
        "explain_format",
        "log_bin",
        "log_bin_trust_function_creators",
        "performance_schema",
        "wait_timeout",
        "wsrep_on",
    ];
    let sql = format!("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('{}')", wanted.join("', '"));
    let rows = rows(session, &sql, &[]).await?;
    Ok(rows.into_iter().map(texts).map(|[name, value]| (name, value)).collect())
}

async fn beside(session: &mut dyn Session, schema: &str, name: &str) -> Result<Vec<Beside>> {
    let names = NAMES.map(|pattern| pattern.replace("{}", name));
    let sql = format!(
        "SELECT TABLE_NAME, TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? \
         AND TABLE_NAME IN ({}) ORDER BY TABLE_NAME",
        vec!["?"; names.len()].join(", ")
    );
    let binds: Vec<&str> =
        std::iter::once(schema).chain(names.iter().map(String::as_str)).collect();
    let found = rows(session, &sql, &binds).await?;
    Ok(found.into_iter().map(texts).map(|[name, comment]| Beside { name, comment }).collect())
}

/// What `SHOW GRANTS` says, without what stands behind the account: that may be a password's hash.
async fn rights(session: &mut dyn Session, schema: &str, name: &str, found: &mut Online) {
    match granted(session, schema, name).await {
        Ok((rights, has_roles)) => (found.rights, found.has_roles) = (rights, has_roles),
        Err(error) => found.unread.push((Fact::Rights, error.to_string())),
    }
}

/// What the account may do with a table, and whether it has roles as well.
pub(super) async fn granted(
    session: &mut dyn Session,
    schema: &str,
    name: &str,
) -> Result<(Vec<Right>, bool)> {
    let grants = rows(session, "SHOW GRANTS FOR CURRENT_USER()", &[]).await?;
    let grants: Vec<String> = grants.into_iter().flatten().flatten().collect();
    let has_roles = grants.iter().any(|grant| !grant.contains(" ON "));
    Ok((grants.iter().filter_map(|grant| right(grant, schema, name)).collect(), has_roles))
}

/// A line of `SHOW GRANTS`, as far as it is of that table.
pub(super) fn right(grant: &str, schema: &str, name: &str) -> Option<Right> {
    let (privileges, rest) = grant.strip_prefix("GRANT ")?.split_once(" ON ")?;
    let place = rest.rsplit_once(" TO ").map_or(rest, |(place, _)| place);
    // An account's name may hold ` TO ` as well, a place hardly does.
    let place = rest.split(" TO ").next().unwrap_or(place);
    let privileges = privileges.split(',').map(|word| word.trim().to_uppercase()).collect();
    let (database, table) = parts(place)?;
    let reach = match (database.as_str(), table.as_str()) {
        ("*", "*") => Reach::Server,
        (of, "*") if is_like(schema, of) => Reach::Database,
        (of, table) if of == schema && table == name => Reach::Table,
        _ => return None,
    };
    Some(Right { privileges, reach })
}

/// A place as `SHOW GRANTS` writes it, taken apart: `` `shop\_1`.* ``.
fn parts(place: &str) -> Option<(String, String)> {
    let bare = |part: &str| match part.strip_prefix('`').and_then(|part| part.strip_suffix('`')) {
        Some(inside) => inside.replace("``", "`"),
        None => part.to_owned(),
    };
    let at = if place.starts_with('`') { place.find("`.")? + 1 } else { place.find('.')? };
    Some((bare(&place[..at]), bare(&place[at + 1..])))
}

/// Whether a name is of a pattern with `%`, `_` and `\`.
fn is_like(name: &str, pattern: &str) -> bool {
    let mut letters = pattern.chars();
    match letters.next() {
        None => name.is_empty(),
        Some('%') => {
            let rest = letters.as_str();
            (0..=name.len())
                .filter(|at| name.is_char_boundary(*at))
                .any(|at| is_like(&name[at..], rest))
        }
        Some(letter) => {
            let (wanted, rest) = match (letter, letters.clone().next()) {
                ('\\', Some(escaped)) => {
                    letters.next();
                    (Some(escaped), letters.as_str())
                }
                ('_', _) => (None, letters.as_str()),
                (letter, _) => (Some(letter), letters.as_str()),
            };
            let mut own = name.chars();
            own.next().is_some_and(|own| wanted.is_none_or(|wanted| wanted == own))
                && is_like(own.as_str(), rest)
        }
    }
}

/// Replicas, and tools at work on the table, by the list of sessions. Without `PROCESS` it holds one's
/// own alone, and would seem empty.
async fn sessions(session: &mut dyn Session, schema: &str, name: &str, found: &mut Online) {
    let may = |privilege: &str| {
        found.rights.iter().any(|right| {
            right.reach == Reach::Server
                && right.privileges.iter().any(|own| own == privilege || own == "ALL PRIVILEGES")
        })
    };
    if !may("PROCESS") {
        let why = "the account has no PROCESS: `GRANT PROCESS ON *.* TO …`".to_owned();
        return found.unread.push((Fact::Sessions, why));
    }
    let list = Statement::plain("SHOW FULL PROCESSLIST");
    let names = ["Id", "User", "Host", "Command", "Info"];
    let rows = match session.query_columns(&list, &names).await {
        Ok(rows) => rows,
        Err(error) => return found.unread.push((Fact::Sessions, error.to_string())),
    };
    let place = format!("{}.{}", quote(schema), quote(name));
    for [id, user, host, command, info] in rows.into_iter().map(texts) {
        if command.starts_with("Binlog Dump") {
            found.replicas.push(host.split(':').next().unwrap_or_default().to_owned());
        }
        // Both name the table with its database in whatever they run on it.
        let marks =
            [("gh-ost", "/* gh-ost"), ("pt-online-schema-change", "/*pt-online-schema-change ")];
        let marked = marks.into_iter().find(|(_, mark)| info.contains(mark));
        if let Some((tool, _)) = marked.filter(|_| info.contains(&place)) {
            found.tools_at_work.push(format!("{tool}, session {id} of `{user}`"));
        }
    }
    if !found.replicas.is_empty() {
        found.replica_places = replica_places(session).await;
    }
    // gh-ost holds it from its beginning to its end; a name may have 64 characters.
    let lock = format!("gh-ost::{schema}.{name}");
    if lock.chars().count() <= 64
        && let Ok([holder]) = one(session, "SELECT IS_USED_LOCK(?)", &[&lock]).await
        && !holder.is_empty()
    {
        found.tools_at_work.push(format!("gh-ost, by its lock `{lock}` of session {holder}"));
    }
}

/// Newer servers refuse the second word, older ones the first.
async fn replica_places(session: &mut dyn Session) -> Vec<String> {
    for sql in ["SHOW REPLICAS", "SHOW SLAVE HOSTS"] {
        let asked = session.query_columns(&Statement::plain(sql), &["Host", "Port"]).await;
        let Ok(rows) = asked else { continue };
        let places = rows.into_iter().map(texts).filter(|[host, _]| !host.is_empty());
        return places.map(|[host, port]| format!("{host}:{port}")).collect();
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_without_what_follows_the_account() {
        let all = right(
            "GRANT ALL PRIVILEGES ON *.* TO `a`@`b` IDENTIFIED BY PASSWORD '*7D7' WITH GRANT OPTION",
            "shop",
            "orders",
        );
        let all = all.unwrap();
        assert_eq!((all.privileges, all.reach), (vec!["ALL PRIVILEGES".to_owned()], Reach::Server));
        let reach = |grant: &str| right(grant, "shop_1", "orders").map(|right| right.reach);
        assert_eq!(reach("GRANT SELECT ON `shop\\_1`.* TO `a`@`%`"), Some(Reach::Database));
        assert_eq!(reach("GRANT SELECT ON `shop%`.* TO `a`@`%`"), Some(Reach::Database));
        assert_eq!(
            reach("GRANT SELECT, UPDATE ON `shop_1`.`orders` TO `a`@`%`"),
            Some(Reach::Table)
        );
        assert_eq!(reach("GRANT SELECT ON `other`.* TO `a`@`%`"), None);
        assert_eq!(reach("GRANT `role`@`%` TO `a`@`%`"), None);
    }
}
