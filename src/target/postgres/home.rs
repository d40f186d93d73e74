//! Where the fence stands in a PostgreSQL database, or would be created.

use super::dialect::quote;
use crate::target::fence::{ColumnTypes, Home, TABLE, ddl};
use crate::target::{Bind, Result, Session, Statement};

/// Each batch updates its row: room on the page keeps the new version there, out of the indexes.
const TYPES: ColumnTypes = ColumnTypes {
    name: "text COLLATE \"C\"",
    text: "text",
    int: "integer",
    bigint: "bigint",
    time: "timestamptz",
    suffix: " WITH (fillfactor = 50)",
};

/// The fence on the search path, and what this role may do with it.
const EXISTING: &str = "\
SELECT n.nspname::text, c.relkind::text, quote_ident(current_user),
       concat_ws(', ', VARIADIC ARRAY(
           SELECT right_ FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS right_
           WHERE NOT has_table_privilege(c.oid, right_)))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass($1)";

/// Where it would be created.
const FUTURE: &str = "\
SELECT current_schema()::text, quote_ident(current_user),
       has_schema_privilege(current_schema(), 'CREATE')::text,
       (SELECT string_agg(quote_ident(pubname), ', ' ORDER BY pubname)
        FROM pg_publication WHERE puballtables)";

/// Finds the fence, or its place.
///
/// # Errors
///
/// What the server says.
pub(super) async fn find(session: &mut dyn Session) -> Result<Home> {
    let binds = vec![Bind::Text(Some(TABLE.to_owned()))];
    let existing = session.query(&Statement { sql: EXISTING.to_owned(), binds }).await?;
    if let Some([Some(schema), Some(kind), Some(role), Some(lacking)]) =
        existing.first().map(Vec::as_slice)
    {
        let table = format!("{}.{}", quote(schema), quote(TABLE));
        let refused = if kind != "r" {
            Some(format!("{table} is not a table; the fence needs that name for itself"))
        } else if !lacking.is_empty() {
            Some(format!(
                "{role} lacks {lacking} on {table}, through which rows and cursor commit together; \
                 have its owner run `GRANT {lacking} ON {table} TO {role}`"
            ))
        } else {
            None
        };
        return Ok(Home { ddl: ddl(&table, &TYPES), table, exists: true, refused });
    }

    let future = session.query(&Statement::plain(FUTURE)).await?;
    let (schema, role, may_create, publications) = match future.first().map(Vec::as_slice) {
        Some([schema, Some(role), may_create, publications]) => {
            (schema.as_deref(), role.as_str(), may_create.as_deref(), publications.as_deref())
        }
        _ => (None, "the role", None, None),
    };
    let table = format!("{}.{}", quote(schema.unwrap_or("public")), quote(TABLE));
    let ddl = ddl(&table, &TYPES);
    let refused = match (schema, publications) {
        (None, _) => Some(format!(
            "no schema of the `search_path` of {role} exists, so there is no place for the fence; \
             set one with `ALTER ROLE {role} SET search_path = …`"
        )),
        (Some(_), Some(publications)) => Some(format!(
            "{table} does not exist, and creating it would stop the subscribers of the publication \
             {publications} (`FOR ALL TABLES`), which lack it; create it by hand on every \
             subscriber first and then here, with the DDL that `backstop plan --grants` prints"
        )),
        (Some(schema), None) if may_create != Some("true") => Some(format!(
            "{role} may not create {table}, through which rows and cursor commit together; have a \
             DBA run `GRANT CREATE ON SCHEMA {} TO {role}`, or create it with the DDL that `backstop \
             plan --grants` prints, and `GRANT SELECT, INSERT, UPDATE ON {table} TO {role}`",
            quote(schema)
        )),
        (Some(_), None) => None,
    };
    Ok(Home { table, exists: false, ddl, refused })
}
