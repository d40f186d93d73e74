//! What a person should know of a table before a job writes to it.

use super::catalog::about;
use crate::target::{Result, Session};

/// One row for each remark: what kind it is, and the names that belong into it.
const REMARKS: &str = "\
WITH RECURSIVE tree(id, depth) AS (
    SELECT $1::oid, 0
    UNION ALL SELECT inhrelid, depth + 1 FROM pg_inherits JOIN tree ON inhparent = id)
SELECT * FROM (
    SELECT 1 AS place, 'trigger' AS kind, tgname::text AS name,
           CASE WHEN bool_or(tgtype & 1 = 1) THEN 'row' ELSE 'statement' END AS more
    FROM pg_trigger JOIN tree ON id = tgrelid
    WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgtype & 16 = 16
    GROUP BY tgname
    UNION ALL
    SELECT 2, 'cascade', conname::text, conrelid::regclass::text
    FROM pg_constraint JOIN tree ON id = confrelid
    WHERE contype = 'f' AND confupdtype IN ('c', 'n', 'd')
    UNION ALL
    SELECT 3, 'rule', rulename::text, NULL
    FROM pg_rewrite WHERE ev_class = $1::oid AND ev_type = '2' AND ev_enabled IN ('O', 'A')
    UNION ALL
    SELECT 4, 'row security', NULL, NULL WHERE row_security_active($1::oid)
    UNION ALL
    SELECT 5, CASE c.relkind WHEN 'p' THEN 'partitions' ELSE 'children' END,
           (SELECT count(*)::text FROM tree t JOIN pg_class l ON l.oid = t.id
            WHERE 0 < t.depth AND l.relkind <> 'p'),
           (SELECT string_agg(l.oid::regclass::text, ', ') FROM tree t
            JOIN pg_class l ON l.oid = t.id AND l.relkind = 'f')
    FROM pg_class c
    WHERE c.oid = $1::oid
      AND (c.relkind = 'p' OR EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid))
    UNION ALL
    SELECT 6, 'partition of', inhparent::regclass::text, NULL
    FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
    WHERE inhrelid = $1::oid AND c.relispartition
    UNION ALL
    SELECT 7, 'unlogged', NULL, NULL FROM pg_class
    WHERE oid = $1::oid AND relpersistence = 'u'
) AS found ORDER BY place, name";

/// What a table has.
pub(super) struct Found {
    /// The names of the triggers and rules that an update sets off.
    pub triggers: Vec<String>,
    /// The remarks, each one sentence.
    pub remarks: Vec<String>,
}

/// The remarks on a table.
///
/// # Errors
///
/// What the server says.
pub(super) async fn of(session: &mut dyn Session, oid: &str) -> Result<Found> {
    let rows = about(session, REMARKS, oid).await?;
    let mut found = Found { triggers: Vec::new(), remarks: Vec::new() };
    for row in &rows {
        let [_, Some(kind), name, more] = row.as_slice() else { continue };
        let name = name.as_deref().unwrap_or_default();
        if kind == "trigger" || kind == "rule" {
            found.triggers.push(name.to_owned());
        }
        found.remarks.extend(sentence(kind, name, more.as_deref()));
    }
    Ok(found)
}

fn sentence(kind: &str, name: &str, more: Option<&str>) -> Option<String> {
    Some(match (kind, more) {
        ("trigger", Some("row")) => format!("the trigger `{name}` fires for every row updated"),
        ("trigger", _) => format!("the trigger `{name}` fires for every batch that updates"),
        ("cascade", more) => format!(
            "the foreign key `{name}` writes to `{}` when a column that it refers to is updated",
            more.unwrap_or_default()
        ),
        ("rule", _) => format!("the rule `{name}` rewrites every update"),
        ("row security", _) => {
            "row-level security is active for this role: rows that its policies hide are neither \
             written nor counted"
                .to_owned()
        }
        ("partitions", None) => format!("the table is split into partitions: {name}"),
        ("partitions", Some(foreign)) => {
            format!("the table is split into partitions: {name}; not on this server: `{foreign}`")
        }
        ("children", _) => format!(
            "tables that inherit from this one: {name}; their rows are written, too, and no key is \
             unique across them"
        ),
        ("partition of", _) => format!("the table is a partition of `{name}`"),
        ("unlogged", _) => "the table is unlogged: a crash of the server empties it".to_owned(),
        _ => return None,
    })
}
