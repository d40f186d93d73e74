//! What PostgreSQL says of a table that is to be changed online.

use std::collections::BTreeMap;

use super::catalog::about;
use super::traces::transaction;
use crate::catalog::{Engine, Release, Table};
use crate::target::online::{Online, Reach, Right};
use crate::target::{Result, Session};

/// The table's DDL, as far as it decides how a change of it works: columns with their defaults,
/// constraints, indexes, partitions and theirs, in an order in which they can be applied.
pub(super) const DEFINITIONS: &str = "\
WITH RECURSIVE t AS (
    SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid),
tree(id, above, level) AS (
    SELECT i.inhrelid, i.inhparent, 1 FROM pg_inherits i JOIN t ON t.oid = i.inhparent
    UNION ALL
    SELECT i.inhrelid, i.inhparent, level + 1 FROM pg_inherits i JOIN tree ON tree.id = i.inhparent)
SELECT ddl FROM (
    SELECT 0 AS part, 0 AS at, format('CREATE TABLE %s (%s)%s', t.name,
        (SELECT string_agg(format('%I %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
                CASE WHEN d.oid IS NULL THEN ''
                     WHEN coalesce(to_jsonb(a)->>'attgenerated', '') <> ''
                     THEN ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ') STORED'
                     ELSE ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END), ', ' ORDER BY a.attnum)
         FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = t.oid AND 0 < a.attnum AND NOT a.attisdropped),
        CASE WHEN t.relkind = 'p' THEN ' PARTITION BY ' || pg_get_partkeydef(t.oid) ELSE '' END) AS ddl
    FROM t
    UNION ALL
    SELECT 1, tree.level * 10000000000 + c.oid::bigint, format('CREATE TABLE %I.%I PARTITION OF %I.%I %s%s',
        n.nspname, c.relname, m.nspname, o.relname, pg_get_expr(c.relpartbound, c.oid),
        CASE WHEN c.relkind = 'p' THEN ' PARTITION BY ' || pg_get_partkeydef(c.oid) ELSE '' END)
    FROM tree JOIN pg_class c ON c.oid = tree.id JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class o ON o.oid = tree.above JOIN pg_namespace m ON m.oid = o.relnamespace
    WHERE c.relpartbound IS NOT NULL
    UNION ALL
    SELECT 2, k.oid::bigint, format('ALTER TABLE %s ADD CONSTRAINT %I %s', t.name, k.conname,
        pg_get_constraintdef(k.oid))
    FROM t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('p', 'u', 'c', 'f', 'x')
    UNION ALL
    SELECT 3, x.indexrelid::bigint, pg_get_indexdef(x.indexrelid)
    FROM t JOIN pg_index x ON x.indrelid = t.oid
    WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid)) AS all_of_it
ORDER BY part, at";

const SIZES: &str = "\
WITH RECURSIVE tree(id) AS (
    SELECT $1::oid UNION ALL SELECT inhrelid FROM pg_inherits JOIN tree ON inhparent = id)
SELECT greatest(sum(c.reltuples), 0)::bigint::text, sum(pg_table_size(c.oid))::bigint::text,
       sum(pg_indexes_size(c.oid))::bigint::text
FROM tree JOIN pg_class c ON c.oid = id";

/// When a transaction of another role began is not shown to everybody, that it holds the table is. One that
/// is prepared to be committed holds it without a session.
pub(super) const HOLDING: &str = "\
SELECT DISTINCT coalesce(l.pid::text, 'prepared'), coalesce(a.usename::text, ''),
       greatest(0, coalesce(extract(epoch FROM now() - a.xact_start), 0))::bigint::text
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.relation = $1::oid AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";

pub(super) const INVALID: &str = "\
SELECT c.relname::text FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
WHERE x.indrelid = $1::oid AND NOT x.indisvalid ORDER BY 1";

const OWNER: &str = "\
SELECT pg_has_role(current_user, relowner, 'USAGE')::text FROM pg_class WHERE oid = $1::oid";

const TRIGGERS: &str = "\
SELECT tgname::text FROM pg_trigger WHERE tgrelid = $1::oid AND NOT tgisinternal ORDER BY 1";

/// See [`crate::target::Target::online`].
pub(super) async fn online(
    session: &mut dyn Session,
    table: &Table,
    (host, port): (&str, u16),
    version: u32,
) -> Result<Online> {
    let oid = table.identity.as_str();
    let texts = |rows: Vec<Vec<Option<String>>>| -> Vec<String> {
        rows.into_iter().flatten().flatten().collect()
    };
    let definitions = texts(about(session, DEFINITIONS, oid).await?);
    let sizes: Vec<u64> = texts(about(session, SIZES, oid).await?)
        .iter()
        .map(|text| text.parse().unwrap_or(0))
        .collect();
    let size = |at: usize| sizes.get(at).copied().unwrap_or(0);
    let owns = texts(about(session, OWNER, oid).await?).first().is_some_and(|is| is == "true");
    let transactions = about(session, HOLDING, oid).await?.into_iter().map(transaction).collect();
    Ok(Online {
        release: Release {
            engine: Engine::Postgres,
            version: (u16::try_from(version / 10_000).unwrap_or(u16::MAX), 0, 0),
        },
        host: host.to_owned(),
        port,
        definitions,
        rows: size(0),
        data_bytes: size(1),
        index_bytes: size(2),
        triggers: texts(about(session, TRIGGERS, oid).await?),
        references: Vec::new(),
        referring: Vec::new(),
        variables: BTreeMap::new(),
        rights: owns
            .then(|| Right { privileges: vec!["OWNER".to_owned()], reach: Reach::Table })
            .into_iter()
            .collect(),
        has_roles: false,
        beside: Vec::new(),
        replicas: Vec::new(),
        replica_places: Vec::new(),
        tools_at_work: Vec::new(),
        transactions,
        tells_tables: true,
        invalid_indexes: texts(about(session, INVALID, oid).await?),
        unread: Vec::new(),
    })
}
