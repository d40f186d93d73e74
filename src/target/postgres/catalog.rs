//! What PostgreSQL's catalog says of a table.

use serde::Deserialize;

use super::dialect::quote;
use super::remarks;
use crate::catalog::{
    Column, Key, KeyColumn, KeyKind, Lookup, RowEstimate, Table, TableName, closest,
};
use crate::target::{Bind, Class, Error, Result, Row, Session, Statement};

/// A relation by name: as it was written, else folded; `$3` is the schema, if one was given.
const RESOLVE: &str = "\
SELECT c.oid::text, n.nspname::text, c.relname::text, c.relkind::text,
       (n.nspname IN ('pg_catalog', 'information_schema'))::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname IN ($1, $2)
  AND CASE WHEN $3 IS NULL THEN pg_table_is_visible(c.oid) ELSE n.nspname IN ($3, $4) END
ORDER BY c.relname = $1 DESC, n.nspname IS NOT DISTINCT FROM $3 DESC
LIMIT 1";

/// What inherits from a table, at any depth.
const PARTITIONS: &str = "\
WITH RECURSIVE tree(id) AS (
    SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::oid
    UNION SELECT inhrelid FROM pg_inherits JOIN tree ON inhparent = id)
SELECT c.oid::text, n.nspname::text, c.relname::text, c.relkind::text
FROM tree JOIN pg_class c ON c.oid = id JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY 2, 3";

/// Every user's table, and the name that leads to it from here.
const CANDIDATES: &str = "\
SELECT c.relname::text,
       CASE WHEN pg_table_is_visible(c.oid) THEN '' ELSE quote_ident(n.nspname) || '.' END
       || quote_ident(c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY 2 LIMIT 10000";

/// The columns, a domain as the type under it: its constraints are checked where a value is
/// assigned, and one that is `NOT VALID` would refuse key values that are in the table. From
/// PostgreSQL 18 on, `attnotnull` is also set by a constraint that old rows were not checked for.
const COLUMNS: &str = "\
WITH RECURSIVE base AS (
    SELECT attnum, atttypid AS type, atttypmod AS typmod
    FROM pg_attribute WHERE attrelid = $1::oid AND 0 < attnum AND NOT attisdropped
    UNION ALL
    SELECT b.attnum, t.typbasetype, CASE b.typmod WHEN -1 THEN t.typtypmod ELSE b.typmod END
    FROM base b JOIN pg_type t ON t.oid = b.type AND t.typtype = 'd')
SELECT json_build_object(
    'name', a.attname,
    'type_sql', format_type(b.type, b.typmod),
    'type_name', CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace OR t.typname = 'citext'
                      THEN t.typname END,
    'is_enum', t.typtype = 'e',
    'not_null', a.attnotnull AND NOT EXISTS (
        SELECT FROM pg_constraint k
        WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND k.conkey[1] = a.attnum
          AND NOT k.convalidated),
    'generated', coalesce(to_jsonb(a)->>'attgenerated', '') <> '' OR a.attidentity = 'a')::text
FROM base b
JOIN pg_type t ON t.oid = b.type AND t.typtype <> 'd'
JOIN pg_attribute a ON a.attrelid = $1::oid AND a.attnum = b.attnum
ORDER BY a.attnum";

/// The unique indexes, each with its key columns in order; `INCLUDE` columns are not among them.
const KEYS: &str = "\
SELECT json_build_object(
    'index', i.relname,
    'primary', x.indisprimary,
    'method', am.amname,
    'valid', x.indisvalid AND x.indisready,
    'immediate', x.indimmediate,
    'partial', x.indpred IS NOT NULL,
    'columns', json_agg(json_build_object(
        'name', a.attname,
        'descending', x.indoption[k] & 1 = 1,
        'operators', CASE WHEN NOT o.opcdefault THEN o.opcname END,
        'collation', (SELECT collname FROM pg_collation
                      WHERE oid = x.indcollation[k] AND oid <> a.attcollation)) ORDER BY k))::text
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_am am ON am.oid = i.relam
CROSS JOIN generate_series(
    0, coalesce((to_jsonb(x)->>'indnkeyatts')::integer, x.indnatts) - 1) AS k
JOIN pg_opclass o ON o.oid = x.indclass[k]
LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[k] AND 0 < a.attnum
WHERE x.indrelid = $1::oid AND x.indisunique
GROUP BY x.indexrelid, i.relname, x.indisprimary, am.amname, x.indisvalid, x.indisready,
         x.indimmediate, x.indpred IS NOT NULL
ORDER BY x.indisprimary DESC, count(*), i.relname";

/// The size of the table and of everything that inherits from it, in pages, and the rows that
/// the last ANALYZE or VACUUM counted, scaled to the present size as the planner does it.
const SIZE: &str = "\
WITH RECURSIVE tree(id) AS (
    SELECT $1::oid UNION ALL SELECT inhrelid FROM pg_inherits JOIN tree ON inhparent = id),
leaf AS (
    SELECT reltuples::float8 AS tuples, relpages,
           pg_relation_size(oid) / current_setting('block_size')::integer AS pages
    FROM tree JOIN pg_class ON oid = id WHERE relkind IN ('r', 'f'))
SELECT sum(pages)::bigint,
       CASE WHEN bool_and(pages = 0 OR (0 < tuples AND 0 < relpages))
            THEN round(sum(tuples / nullif(relpages, 0) * pages))::bigint END,
       bool_and(pages = relpages), count(*)
FROM leaf";

/// Something that has the name.
pub(super) struct Place {
    /// Its number.
    pub(super) oid: String,
    /// Its schema, exactly.
    pub(super) schema: String,
    /// Its name, exactly.
    pub(super) name: String,
    kind: String,
}

/// What a name leads to, be it a table or not.
///
/// # Errors
///
/// What the server says.
pub(super) async fn find(session: &mut dyn Session, name: &TableName) -> Result<Option<Place>> {
    // Like the server, which folds ASCII letters only in a database of several bytes a character.
    let folded = if name.quoted { name.name.clone() } else { name.name.to_ascii_lowercase() };
    let binds = [
        Some(name.name.clone()),
        Some(folded),
        name.schema.clone(),
        name.schema.as_deref().map(str::to_ascii_lowercase),
    ];
    let resolve = Statement { sql: RESOLVE.to_owned(), binds: binds.map(Bind::Text).into() };
    let rows = session.query(&resolve).await?;
    let Some([Some(oid), Some(schema), Some(found), Some(kind), Some(system)]) =
        rows.first().map(Vec::as_slice)
    else {
        return Ok(None);
    };
    let kind = if system == "true" { "system" } else { kind };
    Ok(Some(Place {
        oid: oid.clone(),
        schema: schema.clone(),
        name: found.clone(),
        kind: kind.to_owned(),
    }))
}

/// Looks the table up.
///
/// # Errors
///
/// What the server says.
pub(super) async fn look_up(session: &mut dyn Session, name: &TableName) -> Result<Lookup> {
    let Some(Place { oid, schema, name, kind }) = find(session, name).await? else {
        return Ok(Lookup::Missing { close: close_names(session, name).await? });
    };
    let relation = Relation { oid: &oid, schema: &schema, name: &name, kind: &kind };
    describe(session, &relation).await
}

/// Something with a name and columns.
struct Relation<'a> {
    oid: &'a str,
    schema: &'a str,
    name: &'a str,
    kind: &'a str,
}

/// What a batch has to know of the relation, if it is a table.
async fn describe(session: &mut dyn Session, relation: &Relation<'_>) -> Result<Lookup> {
    let Relation { oid, schema, name, kind } = *relation;
    if let Some(kind) = not_a_table(kind) {
        return Ok(Lookup::NotATable { kind: kind.to_owned() });
    }
    let columns: Vec<ColumnFacts> = facts(session, COLUMNS, oid).await?;
    let keys: Vec<KeyFacts> = facts(session, KEYS, oid).await?;
    let keys = keys.into_iter().map(|key| key.resolve(&columns)).collect();
    let remarks::Found { triggers, remarks } = remarks::of(session, oid).await?;
    Ok(Lookup::Found(Box::new(Table {
        schema: schema.to_owned(),
        name: name.to_owned(),
        partition: None,
        identity: oid.to_owned(),
        columns: columns.into_iter().map(ColumnFacts::resolve).collect(),
        keys,
        estimate: estimate(session, oid, schema, name).await?,
        triggers,
        remarks,
    })))
}

/// Looks up a partition by its name, however deep it lies: on this server it is a table itself.
///
/// # Errors
///
/// What the server says.
pub(super) async fn partition(
    session: &mut dyn Session,
    table: &Table,
    name: &str,
) -> Result<Option<Lookup>> {
    let rows = about(session, PARTITIONS, &table.identity).await?;
    let parts: Vec<Relation<'_>> = rows
        .iter()
        .filter_map(|row| match row.as_slice() {
            [Some(oid), Some(schema), Some(name), Some(kind)] => {
                Some(Relation { oid, schema, name, kind })
            }
            _ => None,
        })
        .collect();
    if parts.is_empty() {
        return Ok(None);
    }
    let found: Vec<_> = match TableName::parse(name) {
        Ok(wanted) => parts.iter().filter(|part| is_called(part, &wanted)).collect(),
        Err(_) => Vec::new(),
    };
    if let [part] = found.as_slice() {
        return describe(session, part).await.map(Some);
    }
    let full = |part: &Relation<'_>| format!("{}.{}", part.schema, part.name);
    let close = if found.is_empty() {
        let bare = name.rsplit('.').next().unwrap_or(name);
        closest(bare, parts.iter().map(|part| part.name))
    } else {
        found.into_iter().map(full).collect()
    };
    Ok(Some(Lookup::Missing { close }))
}

/// Whether this is the partition's name, as it was written or as the server folds it.
fn is_called(part: &Relation<'_>, wanted: &TableName) -> bool {
    let quoted = wanted.quoted;
    let is = |name: &str, wanted: &str| {
        name == wanted || (!quoted && name == wanted.to_ascii_lowercase())
    };
    is(part.name, &wanted.name)
        && wanted.schema.as_deref().is_none_or(|schema| is(part.schema, schema))
}

/// What else may have the name; `None` for ordinary and partitioned tables.
fn not_a_table(relkind: &str) -> Option<&'static str> {
    match relkind {
        "r" | "p" => None,
        "v" => Some("view"),
        "m" => Some("materialized view"),
        "f" => Some("foreign table"),
        "S" => Some("sequence"),
        "i" | "I" => Some("index"),
        "c" => Some("composite type"),
        "system" => Some("system catalog"),
        _ => Some("relation of another kind"),
    }
}

async fn close_names(session: &mut dyn Session, name: &TableName) -> Result<Vec<String>> {
    let rows = session.query(&Statement::plain(CANDIDATES)).await?;
    let tables: Vec<(&str, &str)> = rows
        .iter()
        .filter_map(|row| match row.as_slice() {
            [Some(bare), Some(full)] => Some((bare.as_str(), full.as_str())),
            _ => None,
        })
        .collect();
    let bare = closest(&name.name, tables.iter().map(|(bare, _)| *bare));
    let mut close: Vec<String> = bare
        .iter()
        .flat_map(|bare| tables.iter().filter(move |table| table.0 == bare))
        .map(|(_, full)| (*full).to_owned())
        .collect();
    close.truncate(3);
    Ok(close)
}

/// The rows of a statement about the table, each one JSON object.
pub(super) async fn facts<T: serde::de::DeserializeOwned>(
    session: &mut dyn Session,
    sql: &str,
    oid: &str,
) -> Result<Vec<T>> {
    about(session, sql, oid)
        .await?
        .iter()
        .map(|row| {
            let text = row.first().and_then(Option::as_deref).unwrap_or_default();
            serde_json::from_str(text).map_err(|error| {
                Error::new(
                    Class::Unsuitable,
                    format!("the catalog holds something that this version cannot read: {error}"),
                )
            })
        })
        .collect()
}

/// The rows of a statement about the table.
pub(super) async fn about(session: &mut dyn Session, sql: &str, oid: &str) -> Result<Vec<Row>> {
    let binds = vec![Bind::Text(Some(oid.to_owned()))];
    session.query(&Statement { sql: sql.to_owned(), binds }).await
}

#[derive(Deserialize)]
struct ColumnFacts {
    name: String,
    type_sql: String,
    type_name: Option<String>,
    is_enum: bool,
    not_null: bool,
    generated: bool,
}

impl ColumnFacts {
    fn resolve(self) -> Column {
        Column {
            key_kind: self.key_kind(),
            name: self.name,
            type_sql: self.type_sql,
            nullable: !self.not_null,
            generated: self.generated,
            self_updating: false,
        }
    }

    /// Only types whose text leads back to exactly the same value, and whose order is total.
    fn key_kind(&self) -> Result<KeyKind, String> {
        if self.is_enum {
            return Ok(KeyKind::Text);
        }
        let why = match self.type_name.as_deref().unwrap_or_default() {
            "int2" | "int4" | "int8" | "oid" | "numeric" => return Ok(KeyKind::Integer),
            "bytea" => return Ok(KeyKind::Bytes),
            "text" | "varchar" | "bpchar" | "citext" | "name" | "uuid" | "bool" | "date"
            | "time" | "timestamp" | "timestamptz" | "inet" | "cidr" | "macaddr" | "macaddr8" => {
                return Ok(KeyKind::Text);
            }
            "float4" | "float8" => "before PostgreSQL 12 its text loses digits",
            "money" => "its text depends on `lc_monetary`",
            "interval" => "different intervals, such as `1 mon` and `30 days`, are equal",
            _ => "its text is not known to lead back to the same value",
        };
        Err(format!("a `{}` cannot be walked as a key: {why}", self.type_sql))
    }
}

#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "one for each fact of `pg_index`")]
struct KeyFacts {
    index: String,
    primary: bool,
    method: String,
    valid: bool,
    immediate: bool,
    partial: bool,
    columns: Vec<KeyColumnFacts>,
}

#[derive(Deserialize)]
struct KeyColumnFacts {
    /// `None` for an expression.
    name: Option<String>,
    descending: bool,
    /// The operator class, where it is not the type's default.
    operators: Option<String>,
    /// The index's collation, where it is not the column's.
    collation: Option<String>,
}

impl KeyColumnFacts {
    fn resolve(self) -> Option<KeyColumn> {
        let Self { name, descending, .. } = self;
        name.map(|name| KeyColumn { descending, ..KeyColumn::ascending(name) })
    }
}

impl KeyFacts {
    fn resolve(self, columns: &[ColumnFacts]) -> Key {
        Key {
            unusable: self.unusable(columns),
            columns: self.columns.into_iter().filter_map(KeyColumnFacts::resolve).collect(),
            index: Some(self.index),
            primary: self.primary,
        }
    }

    fn unusable(&self, columns: &[ColumnFacts]) -> Option<String> {
        if !self.valid {
            return Some("it is not valid: it was never built to its end".to_owned());
        }
        if self.partial {
            return Some("it is partial, and does not hold every row".to_owned());
        }
        if self.method != "btree" {
            return Some(format!("it is of the kind `{}`, which has no order", self.method));
        }
        if !self.immediate {
            return Some(
                "its constraint is deferrable, and so not unique within a transaction".to_owned(),
            );
        }
        for column in &self.columns {
            let Some(name) = &column.name else {
                return Some("it is over an expression".to_owned());
            };
            if !columns.iter().any(|facts| facts.name == *name && facts.not_null) {
                return Some(format!("`{name}` can be NULL"));
            }
            if let Some(operators) = &column.operators {
                return Some(format!(
                    "it orders `{name}` by `{operators}`, and a comparison uses the type's own \
                     order"
                ));
            }
            if let Some(collation) = &column.collation {
                return Some(format!(
                    "it orders `{name}` by the collation `{collation}`, and a comparison uses the \
                     column's"
                ));
            }
        }
        None
    }
}

async fn estimate(
    session: &mut dyn Session,
    oid: &str,
    schema: &str,
    name: &str,
) -> Result<Option<RowEstimate>> {
    let rows = about(session, SIZE, oid).await?;
    let [pages, tuples, as_analyzed, files] = rows.first().map(Vec::as_slice).unwrap_or_default()
    else {
        return Ok(None);
    };
    let is = |cell: &Option<String>, text: &str| cell.as_deref() == Some(text);
    if pages.is_none() || is(pages, "0") {
        return Ok(Some(RowEstimate {
            rows: 0,
            source: "the table's files are empty".to_owned(),
            guessed: false,
        }));
    }
    if let Some(rows) = tuples.as_ref().and_then(|rows| rows.parse().ok()) {
        let of = if is(files, "1") { "" } else { ", summed over the partitions" };
        let scaled = if is(as_analyzed, "true") { "" } else { ", scaled to the present size" };
        return Ok(Some(RowEstimate {
            rows,
            source: format!("`pg_class.reltuples`{of}{scaled}"),
            guessed: false,
        }));
    }
    // Never analyzed: the planner guesses from the size of the file and the width of a row.
    let explain = format!("EXPLAIN (FORMAT JSON) SELECT 1 FROM {}.{}", quote(schema), quote(name));
    let plan = match session.query(&Statement::plain(explain)).await {
        Ok(rows) => rows.into_iter().flatten().flatten().next().unwrap_or_default(),
        // Without the right to read the table there is no plan, and so no guess.
        Err(error) if error.class == Class::Refused => return Ok(None),
        Err(error) => return Err(error),
    };
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap_or_default();
    Ok(plan.pointer("/0/Plan/Plan Rows").and_then(serde_json::Value::as_u64).map(|rows| {
        RowEstimate {
            rows,
            source: "the planner's guess; the table was never analyzed".to_owned(),
            guessed: true,
        }
    }))
}
