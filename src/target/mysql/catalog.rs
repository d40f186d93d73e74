//! What `information_schema` and the server's variables say.

use std::collections::BTreeMap;

use super::column_type::ColumnType;
use super::flavor::Flavor;
use crate::catalog::{
    Column, Key, KeyColumn, Lookup, RowEstimate, Server, Setting, Table, TableName, closest,
};
use crate::target::{Bind, Class, Error, Footing, Link, Result, Row, Session, Statement};

pub(super) async fn rows(session: &mut dyn Session, sql: &str, binds: &[&str]) -> Result<Vec<Row>> {
    let binds = binds.iter().map(|text| Bind::Text(Some((*text).to_owned()))).collect();
    session.query(&Statement { sql: sql.to_owned(), binds }).await
}

/// A row's texts, with nothing for NULL.
pub(super) fn texts<const N: usize>(row: Row) -> [String; N] {
    let mut values = row.into_iter().map(Option::unwrap_or_default);
    std::array::from_fn(|_| values.next().unwrap_or_default())
}

pub(super) async fn one<const N: usize>(
    session: &mut dyn Session,
    sql: &str,
    binds: &[&str],
) -> Result<[String; N]> {
    Ok(texts(rows(session, sql, binds).await?.into_iter().next().unwrap_or_default()))
}

/// What the server says its version is.
pub(super) async fn version(session: &mut dyn Session) -> Result<String> {
    one(session, "SELECT VERSION()", &[]).await.map(|[version]| version)
}

/// The session's variables, by name; those that this version does not have are absent.
async fn variables(session: &mut dyn Session) -> Result<BTreeMap<String, String>> {
    let wanted = [
        "binlog_format",
        "datadir",
        "group_replication_group_name",
        "hostname",
        "innodb_read_only",
        "log_bin",
        "lower_case_table_names",
        "port",
        "read_only",
        "server_id",
        "server_uid",
        "server_uuid",
        "sql_mode",
        "super_read_only",
        "system_time_zone",
        "time_zone",
        "wsrep_on",
    ];
    let sql = format!("SHOW SESSION VARIABLES WHERE Variable_name IN ('{}')", wanted.join("', '"));
    let rows = rows(session, &sql, &[]).await?;
    Ok(rows.into_iter().map(texts).map(|[name, value]| (name, value)).collect())
}

/// What differs between any two servers. MySQL has a UUID. A MariaDB is told by its place on the
/// machine and in the replication topology, and by `server_uid` where its version has that.
fn identity(variables: &BTreeMap<String, String>) -> String {
    let get = |name: &str| variables.get(name).map_or("", String::as_str);
    match (get("server_uuid"), get("server_uid")) {
        ("", uid) => {
            let place = ["hostname", "port", "server_id", "datadir"].map(get).join(" ");
            format!("{place} {uid}").trim_end().to_owned()
        }
        (uuid, _) => uuid.to_owned(),
    }
}

fn is_on(variables: &BTreeMap<String, String>, name: &str) -> bool {
    variables.get(name).is_some_and(|value| !["", "OFF", "0"].contains(&value.as_str()))
}

/// Why the server takes no writes, if it takes none.
fn closed(variables: &BTreeMap<String, String>) -> Option<String> {
    let name = ["read_only", "super_read_only", "innodb_read_only"]
        .into_iter()
        .find(|name| is_on(variables, name))?;
    Some(format!("`{name}` is {}", variables.get(name).map_or("", String::as_str)))
}

/// See [`crate::target::Target::footing`]. A replica that takes over has no name in common with its
/// primary: that it has the same data, the fence alone can show.
pub(super) async fn footing(session: &mut dyn Session) -> Result<Footing> {
    let variables = variables(session).await?;
    Ok(Footing { data: None, copy: Some(identity(&variables)), closed: closed(&variables) })
}

/// Whether the session's time zone has one offset for all times.
fn has_fixed_zone(variables: &BTreeMap<String, String>) -> bool {
    let get = |name: &str| variables.get(name).map_or("", String::as_str);
    let zone = match get("time_zone") {
        "SYSTEM" => get("system_time_zone"),
        zone => zone,
    };
    zone.starts_with(['+', '-']) || ["UTC", "Etc/UTC", "GMT"].contains(&zone)
}

/// See [`crate::target::Target::server`].
pub(super) async fn server(
    session: &mut dyn Session,
    flavor: &Flavor,
    link: &Link,
) -> Result<Server> {
    let [database] = one(session, "SELECT DATABASE()", &[]).await?;
    let variables = variables(session).await?;
    let get = |name: &str| variables.get(name).map_or("", String::as_str);

    let read_only = closed(&variables).map(|closed| {
        format!(
            "{closed}: this is a replica, or a server that somebody closed for writing; an account \
             that may write all the same would make it differ from its primary; connect to the \
             primary"
        )
    });

    let setting = |name: &str, pinned: bool| Setting {
        name: name.to_owned(),
        value: get(name).to_owned(),
        source: if pinned { "spec" } else { "server" }.to_owned(),
    };
    let mut settings = vec![
        setting("sql_mode", link.sql_mode.is_some()),
        setting("time_zone", link.time_zone.is_some()),
    ];
    if get("time_zone") == "SYSTEM" {
        settings.push(setting("system_time_zone", false));
    }

    let mut unsuitable: Vec<_> = flavor.too_old().into_iter().collect();
    if is_on(&variables, "log_bin") && get("binlog_format") == "STATEMENT" {
        unsuitable.push(
            "`binlog_format` is STATEMENT: a batch runs at READ COMMITTED, where InnoDB refuses \
             to write with such a binary log; set it to ROW or MIXED"
                .to_owned(),
        );
    }
    Ok(Server {
        product: flavor.product(),
        version: flavor.text.clone(),
        database,
        identity: identity(&variables),
        read_only,
        settings,
        unsuitable,
        cluster: if is_on(&variables, "wsrep_on") {
            Some("Galera")
        } else if get("group_replication_group_name").is_empty() {
            None
        } else {
            Some("Group Replication")
        },
    })
}

/// Checks that the two sessions are what they were when they were opened, are two, and are on one
/// server and database.
pub(super) async fn prove_pair(one: &mut dyn Session, other: &mut dyn Session) -> Result<()> {
    let (a, b) = (whereabouts(one).await?, whereabouts(other).await?);
    let wrong = if a[0] != one.id() || b[0] != other.id() {
        "a session changed into another one between two statements"
    } else if a[0] == b[0] {
        "two sessions of ours share one session of the server"
    } else if a[1..] != b[1..] {
        "two sessions of ours reached different servers or databases"
    } else {
        return Ok(());
    };
    Err(Error::new(
        Class::Unsuitable,
        format!(
            "{wrong}: a proxy such as ProxySQL stands in between; locks and settings of a job \
             would leak into other sessions; let the target's URL name the server itself"
        ),
    ))
}

/// Session, database, and what identifies the server. `CONNECTION_ID()` stands in an expression,
/// for ProxySQL answers the plain query by itself.
async fn whereabouts(session: &mut dyn Session) -> Result<[String; 3]> {
    let [id, database] = self::one(session, "SELECT CONNECTION_ID() + 0, DATABASE()", &[]).await?;
    Ok([id, database, identity(&variables(session).await?)])
}

/// Something with rows and a name.
pub(super) struct Relation {
    name: String,
    /// `BASE TABLE`, `VIEW`, ….
    kind: String,
    engine: String,
    transactional: bool,
}

impl Relation {
    pub(super) fn not_a_table(&self) -> Option<String> {
        match self.kind.as_str() {
            "BASE TABLE" | "SYSTEM VERSIONED" if self.transactional => None,
            "BASE TABLE" | "SYSTEM VERSIONED" => {
                Some(format!("{} table (not transactional)", self.engine))
            }
            other => Some(other.to_lowercase()),
        }
    }
}

const RELATIONS: &str = "SELECT t.TABLE_NAME, t.TABLE_TYPE, t.ENGINE, e.TRANSACTIONS \
     FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e \
     ON e.ENGINE = t.ENGINE WHERE t.TABLE_SCHEMA = ?";

fn relation(row: Row) -> Relation {
    let [name, kind, engine, transactions] = texts(row);
    Relation { name, kind, engine, transactional: transactions == "YES" }
}

/// The relation of exactly that name.
pub(super) async fn find(
    session: &mut dyn Session,
    schema: &str,
    name: &str,
) -> Result<Option<Relation>> {
    let sql = format!("{RELATIONS} AND t.TABLE_NAME = ?");
    let found = rows(session, &sql, &[schema, name]).await?;
    Ok(found.into_iter().map(relation).find(|relation| relation.name == name))
}

/// See [`crate::target::Target::look_up`].
pub(super) async fn look_up(
    session: &mut dyn Session,
    flavor: &Flavor,
    name: &TableName,
) -> Result<Lookup> {
    let variables = variables(session).await?;
    let schema = match &name.schema {
        Some(schema) => schema.clone(),
        None => one(session, "SELECT DATABASE()", &[]).await.map(|[schema]| schema)?,
    };
    let mut found = find(session, &schema, &name.name).await?;
    let folds = variables.get("lower_case_table_names").is_some_and(|value| value != "0");
    if found.is_none() && folds {
        // Such a server folds quoted names too.
        let all = rows(session, RELATIONS, &[&schema]).await?;
        found = all
            .into_iter()
            .map(relation)
            .find(|relation| relation.name.to_lowercase() == name.name.to_lowercase());
    }
    let Some(found) = found else {
        return close(session, &schema, &name.name).await.map(|close| Lookup::Missing { close });
    };
    if let Some(kind) = found.not_a_table() {
        return Ok(Lookup::NotATable { kind });
    }
    let (columns, updating) =
        columns(session, &schema, &found.name, has_fixed_zone(&variables)).await?;
    let (estimate, options) = estimate(session, flavor, &schema, &found.name).await?;
    let (triggers, mut remarks) = remarks(session, &schema, &found.name).await?;
    for column in updating {
        remarks.push(format!(
            "the server sets `{column}` to the present time in every row that changes, unless the \
             job assigns to it"
        ));
    }
    if options.contains("partitioned") {
        remarks.push(PARTITIONED.to_owned());
    }
    if found.kind == "SYSTEM VERSIONED" {
        remarks.push(
            "the table is system-versioned: every changed row leaves its old version behind, and \
             the table grows"
                .to_owned(),
        );
    }
    let keys = keys(session, flavor, &schema, &found.name, &columns).await?;
    let identity = format!("{schema}.{}", found.name);
    Ok(Lookup::Found(Box::new(Table {
        schema,
        name: found.name,
        partition: None,
        identity,
        columns,
        keys,
        estimate,
        triggers,
        remarks,
    })))
}

/// Of a table of which all partitions are walked.
const PARTITIONED: &str = "the table is partitioned; a batch may write to several partitions";

/// See [`crate::target::Target::partition`]. The name of a subpartition is one as well.
pub(super) async fn partition(
    session: &mut dyn Session,
    flavor: &Flavor,
    table: &Table,
    name: &str,
) -> Result<Option<Lookup>> {
    let sql = format!(
        "SELECT {}PARTITION_NAME, SUBPARTITION_NAME, TABLE_ROWS \
         FROM information_schema.PARTITIONS \
         WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND PARTITION_NAME IS NOT NULL \
         ORDER BY PARTITION_ORDINAL_POSITION, SUBPARTITION_ORDINAL_POSITION",
        fresh_statistics(flavor)
    );
    let parts = rows(session, &sql, &[&table.schema, &table.name]).await?;
    let parts: Vec<[String; 3]> = parts.into_iter().map(texts).collect();
    if parts.is_empty() {
        return Ok(None);
    }
    // The server compares these names without regard to case.
    let is = |text: &String| text.to_lowercase() == name.to_lowercase();
    let names = || parts.iter().flat_map(|[part, sub, _]| [part, sub]);
    let Some(found) = names().find(|name| is(name)) else {
        let close = closest(name, names().map(String::as_str));
        return Ok(Some(Lookup::Missing { close }));
    };
    let of_it = parts.iter().filter(|[part, sub, _]| is(part) || is(sub));
    let counts = of_it.map(|[_, _, rows]| rows.parse::<u64>().ok());
    let source = "information_schema.PARTITIONS.TABLE_ROWS".to_owned();
    let mut table = table.clone();
    table.estimate =
        counts.sum::<Option<u64>>().map(|rows| RowEstimate { rows, source, guessed: false });
    table.identity = format!("{} PARTITION ({found})", table.identity);
    table.partition = Some(found.clone());
    table.remarks.retain(|remark| remark != PARTITIONED);
    Ok(Some(Lookup::Found(Box::new(table))))
}

/// Up to three tables that may have been meant: of this database first, then, qualified, of others.
async fn close(session: &mut dyn Session, schema: &str, name: &str) -> Result<Vec<String>> {
    let sql = "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES \
         WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND TABLE_SCHEMA NOT IN \
         ('information_schema', 'mysql', 'performance_schema', 'sys')";
    let all: Vec<[String; 2]> = rows(session, sql, &[]).await?.into_iter().map(texts).collect();
    let (here, elsewhere): (Vec<_>, Vec<_>) = all.iter().partition(|[of, _]| of == schema);
    let mut names = closest(name, here.iter().map(|[_, table]| table.as_str()));
    for near in closest(name, elsewhere.iter().map(|[_, table]| table.as_str())) {
        let same = elsewhere.iter().filter(|[_, table]| *table == near);
        names.extend(same.map(|[schema, table]| format!("{schema}.{table}")));
    }
    names.truncate(3);
    Ok(names)
}

/// The columns in order, and the names of those that the server updates by itself.
async fn columns(
    session: &mut dyn Session,
    schema: &str,
    table: &str,
    fixed_zone: bool,
) -> Result<(Vec<Column>, Vec<String>)> {
    let sql = "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, EXTRA, CHARACTER_SET_NAME, \
         COLLATION_NAME FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION";
    let mut columns = Vec::new();
    let mut updating = Vec::new();
    for row in rows(session, sql, &[schema, table]).await? {
        let [name, mut type_sql, nullable, extra, charset, collation] = texts(row);
        if !charset.is_empty() {
            type_sql = format!("{type_sql} CHARACTER SET {charset} COLLATE {collation}");
        }
        let extra = extra.to_lowercase();
        let self_updating = extra.contains("on update");
        if self_updating {
            updating.push(name.clone());
        }
        // MySQL says `DEFAULT_GENERATED` of a default that is an expression.
        let generated =
            ["virtual generated", "stored generated"].iter().any(|words| extra.contains(words));
        let key_kind = ColumnType::parse(&type_sql).key_kind(fixed_zone);
        let nullable = nullable == "YES";
        columns.push(Column { name, type_sql, nullable, generated, self_updating, key_kind });
    }
    Ok((columns, updating))
}

/// The hint without which MySQL 8 shows statistics that are up to a day old: 0 rows for a table just
/// loaded.
pub(super) fn fresh_statistics(flavor: &Flavor) -> &'static str {
    if flavor.is_mysql_since((8, 0, 3)) {
        "/*+ SET_VAR(information_schema_stats_expiry = 0) */ "
    } else {
        ""
    }
}

/// The size by InnoDB's statistics, and the table's options.
async fn estimate(
    session: &mut dyn Session,
    flavor: &Flavor,
    schema: &str,
    table: &str,
) -> Result<(Option<RowEstimate>, String)> {
    let fresh = fresh_statistics(flavor);
    let sql = format!(
        "SELECT {fresh}TABLE_ROWS, CREATE_OPTIONS FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?"
    );
    let [count, options] = one(session, &sql, &[schema, table]).await?;
    let source = "information_schema.TABLES.TABLE_ROWS".to_owned();
    Ok((
        count.parse().ok().map(|rows| RowEstimate { rows, source, guessed: false }),
        options.to_lowercase(),
    ))
}

/// One column of an index.
struct Part {
    column: Option<String>,
    prefix: bool,
    descending: bool,
    kind: String,
    hidden: bool,
}

impl Part {
    /// `None` for an expression.
    fn resolve(self) -> Option<KeyColumn> {
        let Self { column, descending, .. } = self;
        column.map(|name| KeyColumn { descending, ..KeyColumn::ascending(name) })
    }
}

/// The primary key and the unique indexes: the primary key first, then by number of columns.
async fn keys(
    session: &mut dyn Session,
    flavor: &Flavor,
    schema: &str,
    table: &str,
    columns: &[Column],
) -> Result<Vec<Key>> {
    let hidden = if flavor.is_mysql_since((8, 0, 0)) {
        "IS_VISIBLE = 'NO'"
    } else if flavor.is_mariadb_since((10, 6, 0)) {
        "IGNORED = 'YES'"
    } else {
        "0"
    };
    let sql = format!(
        "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART, COLLATION, INDEX_TYPE, {hidden} \
         FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0 \
         ORDER BY INDEX_NAME, SEQ_IN_INDEX"
    );
    let mut indexes: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for row in rows(session, &sql, &[schema, table]).await? {
        let column = row.get(1).cloned().flatten();
        let [index, _, prefix, order, kind, hidden] = texts(row);
        indexes.entry(index).or_default().push(Part {
            column,
            prefix: !prefix.is_empty(),
            descending: order == "D",
            kind,
            hidden: hidden == "1",
        });
    }
    let mut keys: Vec<_> = indexes
        .into_iter()
        .map(|(index, parts)| Key {
            primary: index == "PRIMARY",
            unusable: unusable(&parts, columns),
            columns: parts.into_iter().filter_map(Part::resolve).collect(),
            index: Some(index),
        })
        .collect();
    // Stable: the names are in order already.
    keys.sort_by_key(|key| (!key.primary, key.columns.len()));
    Ok(keys)
}

fn unusable(parts: &[Part], columns: &[Column]) -> Option<String> {
    for part in parts {
        let Some(name) = &part.column else {
            return Some("it is over an expression".to_owned());
        };
        if part.hidden {
            return Some("it is invisible to the optimizer".to_owned());
        }
        if part.kind != "BTREE" {
            return Some(format!("it is a {} index, which has no order", part.kind));
        }
        if part.prefix {
            return Some(format!("it holds only the beginning of `{name}`"));
        }
        if columns.iter().any(|column| column.name == *name && column.nullable) {
            return Some(format!("`{name}` can be NULL"));
        }
    }
    None
}

/// The names of the triggers, and remarks on the triggers and foreign keys, that the job's writes
/// would set off.
async fn remarks(
    session: &mut dyn Session,
    schema: &str,
    table: &str,
) -> Result<(Vec<String>, Vec<String>)> {
    let mut remarks = Vec::new();
    let mut names = Vec::new();
    let triggers = "SELECT TRIGGER_NAME, ACTION_TIMING FROM information_schema.TRIGGERS \
         WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? \
         AND EVENT_MANIPULATION LIKE '%UPDATE%' ORDER BY TRIGGER_NAME";
    for row in rows(session, triggers, &[schema, table]).await? {
        let [name, timing] = texts(row);
        let timing = timing.to_lowercase();
        remarks.push(format!("the trigger `{name}` runs {timing} the update of every row"));
        names.push(name);
    }
    let children = "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, UPDATE_RULE \
         FROM information_schema.REFERENTIAL_CONSTRAINTS \
         WHERE UNIQUE_CONSTRAINT_SCHEMA = ? AND REFERENCED_TABLE_NAME = ? \
         AND UPDATE_RULE IN ('CASCADE', 'SET NULL') ORDER BY 1, 2, 3";
    for row in rows(session, children, &[schema, table]).await? {
        let [schema, child, constraint, rule] = texts(row);
        remarks.push(format!(
            "the foreign key `{constraint}` of `{schema}.{child}` follows changes of the columns \
             that it refers to (ON UPDATE {rule})"
        ));
    }
    Ok((names, remarks))
}
