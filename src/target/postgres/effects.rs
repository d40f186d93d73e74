//! Whether what a statement leaves is there, by PostgreSQL's catalog.

use std::time::Duration;

use crate::sql::statement::{Action, ConstraintKind, IndexPart, What};
use crate::sql::{Source, Tokens, parse};
use crate::target::{
    Bind, Class, Commit, Effect, Error, Index, Patience, Place, Result, Row, Session, Standing,
    Statement,
};

/// A relation by its place. The schema may be left out.
const RELATION: &str =
    "to_regclass(CASE WHEN $1 = '' THEN format('%I', $2) ELSE format('%I.%I', $1, $2) END)";

/// What stands in the place of an index: its relation's kind, and of an index its table, whether it
/// is valid and unique, and what stands behind the table in its definition.
const INDEX: &str = "\
SELECT c.relkind::text, format('%I.%I', n.nspname, c.relname), (x.indrelid = t.oid)::text,
       x.indisvalid::text, x.indisunique::text, c.oid::text,
       substr(pg_get_indexdef(c.oid), position(' USING ' IN pg_get_indexdef(c.oid)))
FROM pg_class t JOIN pg_class c ON c.relnamespace = t.relnamespace AND c.relname = $3
JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index x ON x.indexrelid = c.oid
WHERE t.oid = ";

/// Who builds an index at this moment; from PostgreSQL 12 on.
const BUILDER: &str = "\
SELECT pid::text FROM pg_stat_progress_create_index WHERE index_relid = $1::oid";

const NAMED_INDEX: &str = "\
SELECT x.indisvalid::text, format('%I.%I', n.nspname, c.relname)
FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ";

const INHERITS: &str = "\
SELECT coalesce(to_jsonb(i) ->> 'inhdetachpending', 'false'), i.inhparent::regclass::text,
       i.inhrelid::regclass::text
FROM pg_inherits i WHERE i.inhrelid = ";

const CONSTRAINT: &str = "\
SELECT k.contype::text, k.convalidated::text, pg_get_constraintdef(k.oid)
FROM pg_constraint k WHERE k.conname = $3 AND k.conrelid = ";

/// On PostgreSQL 18 a column may be marked before the rows that are there were looked at.
const COLUMN: &str = "\
SELECT format_type(a.atttypid, a.atttypmod),
       (a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid
           AND k.contype = 'n' AND k.conkey[1] = a.attnum AND NOT k.convalidated))::text
FROM pg_attribute a WHERE a.attname = $3 AND 0 < a.attnum AND NOT a.attisdropped AND a.attrelid = ";

const DEFAULT: &str = "\
SELECT pg_get_expr(d.adbin, d.adrelid)
FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE a.attname = $3 AND NOT a.attisdropped AND d.adrelid = ";

/// The longest that a look may wait for the table, whose shape it copies.
const PROBE_WAIT: Duration = Duration::from_millis(500);

/// See [`crate::target::Target::standing`].
pub(super) async fn standing(
    session: &mut dyn Session,
    version: u32,
    effect: &Effect,
) -> Result<Standing> {
    let there = |is: bool| if is { Standing::There } else { Standing::Absent };
    match effect {
        Effect::Index(index) => of_index(session, version, index).await,
        Effect::NoIndex(place) => {
            Ok(there(ask(session, NAMED_INDEX, place, None).await?.is_empty()))
        }
        Effect::NoInvalidIndex(place) => {
            let found = ask(session, NAMED_INDEX, place, None).await?;
            Ok(there(found.iter().all(|row| text(row, 0) == "true")))
        }
        Effect::IndexAttached { parent, child } => {
            let found = ask(session, INHERITS, child, None).await?;
            let parent = relation(session, parent).await?;
            Ok(there(found.iter().any(|row| Some(text(row, 1)) == parent.as_deref())))
        }
        Effect::Constraint { table, name, demands } => {
            of_constraint(session, table, name, demands).await
        }
        Effect::Validated { table, name } => {
            let found = ask(session, CONSTRAINT, table, Some(name)).await?;
            Ok(there(found.iter().any(|row| text(row, 1) == "true")))
        }
        Effect::NoConstraint { table, name } => {
            Ok(there(ask(session, CONSTRAINT, table, Some(name)).await?.is_empty()))
        }
        Effect::Column { table, name, ty } => of_column(session, table, name, ty).await,
        Effect::NoColumn { table, name } => {
            Ok(there(ask(session, COLUMN, table, Some(name)).await?.is_empty()))
        }
        Effect::NotNull { table, column, holds } => {
            let found = ask(session, COLUMN, table, Some(column)).await?;
            let is = found.first().map(|row| text(row, 1) == "true");
            Ok(is.map_or(Standing::Absent, |is| there(is == *holds)))
        }
        Effect::Default { table, column, is } => of_default(session, table, column, is).await,
        Effect::Partition { parent, child, attached } => {
            of_partition(session, parent, child, *attached).await
        }
        Effect::Sequence(place) => Ok(there(relation(session, place).await?.is_some())),
        Effect::Altered { .. } => {
            Err(Error::new(Class::Refused, "no definition is compared on PostgreSQL"))
        }
    }
}

/// A cell of a row; empty for NULL, which no text of the catalog is.
fn text(row: &Row, at: usize) -> &str {
    row.get(at).and_then(Option::as_deref).unwrap_or_default()
}

/// Asks about what is in a place; `sql` ends before the relation.
async fn ask(
    session: &mut dyn Session,
    sql: &str,
    place: &Place,
    name: Option<&str>,
) -> Result<Vec<Row>> {
    let mut binds =
        vec![Bind::Text(Some(place.schema.clone())), Bind::Text(Some(place.name.clone()))];
    binds.extend(name.map(|name| Bind::Text(Some(name.to_owned()))));
    session.query(&Statement { sql: format!("{sql}{RELATION}"), binds }).await
}

/// The relation in a place, as it is written for the session.
async fn relation(session: &mut dyn Session, place: &Place) -> Result<Option<String>> {
    let binds = vec![Bind::Text(Some(place.schema.clone())), Bind::Text(Some(place.name.clone()))];
    let rows = session.query(&Statement { sql: format!("SELECT {RELATION}::text"), binds }).await?;
    Ok(rows.into_iter().flatten().next().flatten())
}

async fn of_index(session: &mut dyn Session, version: u32, index: &Index) -> Result<Standing> {
    let found = ask(session, INDEX, &index.table, Some(&index.name)).await?;
    let Some(row) = found.first() else { return Ok(Standing::Absent) };
    let name = &index.name;
    if text(row, 2) != "true" {
        return Ok(Standing::Other(format!(
            "`{name}` is the name of something else in that schema; give the index another name"
        )));
    }
    let valid = text(row, 3) == "true";
    if !valid && text(row, 0) == "i" && !index.only {
        if 120_000 <= version {
            let binds = vec![Bind::Text(Some(text(row, 5).to_owned()))];
            let builder = session.query(&Statement { sql: BUILDER.to_owned(), binds }).await?;
            if let Some(pid) = builder.into_iter().flatten().flatten().next() {
                return Ok(Standing::InTheMaking(pid));
            }
        }
        return Ok(Standing::Broken {
            what: format!("the index `{name}` is not valid: an earlier build was cut off"),
            repair: format!("DROP INDEX CONCURRENTLY IF EXISTS {}", text(row, 1)),
            completes: false,
        });
    }
    let wanted = match definition(session, index).await {
        Ok(wanted) => wanted,
        Err(error) if error.is_passing() => return Err(error),
        Err(error) => {
            return Ok(Standing::Other(format!(
                "there is an index `{name}`, and whether it is the one that is wanted could not be \
                 told: {error}; drop it, or give the new one another name"
            )));
        }
    };
    let unique = text(row, 4) == "true";
    if unique == index.unique && text(row, 6) == wanted {
        return Ok(Standing::There);
    }
    let kind = |unique: bool| if unique { "UNIQUE INDEX" } else { "INDEX" };
    Ok(Standing::Other(format!(
        "there is another index of the name `{name}`: it is `{}{}`, and wanted is `{}{wanted}`; give \
         the new one another name, or drop the old one",
        kind(unique),
        text(row, 6),
        kind(index.unique)
    )))
}

/// What the server makes of the definition of an index, by an empty table of the same shape that
/// nobody else sees and that is never committed.
async fn definition(session: &mut dyn Session, index: &Index) -> Result<String> {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let make =
        format!("CREATE {unique}INDEX backstop_probe_i ON pg_temp.backstop_probe {}", index.of);
    let read = "SELECT substr(d, position(' USING ' IN d)) \
                FROM pg_get_indexdef('pg_temp.backstop_probe_i'::regclass) AS d";
    let like = like(session, &index.table).await?;
    probe(session, &[&like, &make], read).await
}

async fn like(session: &mut dyn Session, table: &Place) -> Result<String> {
    let name = relation(session, table)
        .await?
        .ok_or_else(|| Error::new(Class::Refused, format!("there is no table `{}`", table.name)))?;
    Ok(format!("CREATE TEMPORARY TABLE backstop_probe (LIKE {name})"))
}

/// Runs statements in a transaction that is rolled back, and reads one value at their end.
async fn probe(session: &mut dyn Session, make: &[&str], read: &str) -> Result<String> {
    let patience = Patience { lock_wait: Some(PROBE_WAIT), ..Patience::default() };
    session.begin_batch(&patience, Commit::Own).await?;
    let mut outcome = Ok(Vec::new());
    for sql in make {
        if outcome.is_ok() {
            outcome = session.execute(&Statement::plain(*sql)).await.map(|_| Vec::new());
        }
    }
    if outcome.is_ok() {
        outcome = session.query(&Statement::plain(read)).await;
    }
    session.rollback().await?;
    Ok(outcome?.into_iter().flatten().flatten().next().unwrap_or_default())
}

async fn of_constraint(
    session: &mut dyn Session,
    table: &Place,
    name: &str,
    demands: &str,
) -> Result<Standing> {
    let found = ask(session, CONSTRAINT, table, Some(name)).await?;
    let Some(row) = found.first() else { return Ok(Standing::Absent) };
    let have = text(row, 2).trim_end_matches(" NOT VALID");
    let same = match text(row, 0) {
        "c" => {
            let like = like(session, table).await?;
            let add = format!(
                "ALTER TABLE pg_temp.backstop_probe ADD CONSTRAINT backstop_probe_c {demands}"
            );
            let read = "SELECT pg_get_constraintdef(oid) FROM pg_constraint \
                        WHERE conrelid = 'pg_temp.backstop_probe'::regclass \
                        AND conname = 'backstop_probe_c'";
            match probe(session, &[&like, &add], read).await {
                Ok(wanted) => wanted.trim_end_matches(" NOT VALID") == have,
                Err(error) if error.is_passing() => return Err(error),
                Err(_) => false,
            }
        }
        "f" => same_key(have, demands),
        // By an index, whose definition the step before has looked at.
        "u" | "p" => demands.to_uppercase().contains("USING INDEX"),
        "n" => words(have) == words(demands.trim_end().trim_end_matches("NOT VALID")),
        _ => false,
    };
    Ok(if same {
        Standing::There
    } else {
        Standing::Other(format!(
            "there is another constraint of the name `{name}`: it is `{}`, and wanted is `{demands}`; \
             give the new one another name, or drop the old one",
            text(row, 2)
        ))
    })
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_lowercase).collect()
}

/// Whether two foreign keys are one, by what the parser reads of them.
fn same_key(have: &str, wanted: &str) -> bool {
    let read = |demands: &str| {
        let sql = format!("ALTER TABLE t ADD CONSTRAINT k {demands}");
        let source = Source { tokens: Tokens::Postgres, mariadb: false, version: (0, 0, 0) };
        let script = parse(source, &sql);
        match script.statements.into_iter().next().map(|one| one.what) {
            Some(What::AlterTable(alter)) => match alter.actions.into_iter().next() {
                Some((Action::AddConstraint { constraint, .. }, _)) => match constraint.kind {
                    ConstraintKind::ForeignKey(key) => Some(key),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    };
    let (Some(have), Some(wanted)) = (read(have), read(wanted)) else { return false };
    let rule = |rule: &Option<String>| rule.clone().filter(|rule| rule != "NO ACTION");
    have.columns == wanted.columns
        && have.table.name == wanted.table.name
        && (wanted.referenced.is_empty() || have.referenced == wanted.referenced)
        && rule(&have.on_delete) == rule(&wanted.on_delete)
        && rule(&have.on_update) == rule(&wanted.on_update)
}

async fn of_column(
    session: &mut dyn Session,
    table: &Place,
    name: &str,
    ty: &str,
) -> Result<Standing> {
    let found = ask(session, COLUMN, table, Some(name)).await?;
    let Some(row) = found.first() else { return Ok(Standing::Absent) };
    let have = text(row, 0);
    if ty.is_empty() {
        return Ok(Standing::There);
    }
    let make = format!("CREATE TEMPORARY TABLE backstop_probe (a {ty})");
    let read = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute \
                WHERE attrelid = 'pg_temp.backstop_probe'::regclass AND attname = 'a'";
    let wanted = match probe(session, &[&make], read).await {
        Ok(wanted) => wanted,
        Err(error) if error.is_passing() => return Err(error),
        Err(error) => error.to_string(),
    };
    Ok(if wanted == have {
        Standing::There
    } else {
        Standing::Other(format!(
            "there is a column `{name}` already: it is `{have}`, and wanted is `{ty}`; give the new one \
             another name"
        ))
    })
}

/// A default is put in the place of whatever is there, so another one is as good as none.
async fn of_default(
    session: &mut dyn Session,
    table: &Place,
    column: &str,
    is: &str,
) -> Result<Standing> {
    let found = ask(session, DEFAULT, table, Some(column)).await?;
    let have = found.first().map_or("", |row| text(row, 0));
    if is.is_empty() || have.is_empty() {
        return Ok(if have == is { Standing::There } else { Standing::Absent });
    }
    let like = like(session, table).await?;
    let column = column.replace('"', "\"\"");
    let set =
        format!("ALTER TABLE pg_temp.backstop_probe ALTER COLUMN \"{column}\" SET DEFAULT {is}");
    let read = "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef \
                WHERE adrelid = 'pg_temp.backstop_probe'::regclass";
    match probe(session, &[&like, &set], read).await {
        Ok(wanted) if wanted == have => Ok(Standing::There),
        Err(error) if error.is_passing() => Err(error),
        _ => Ok(Standing::Absent),
    }
}

async fn of_partition(
    session: &mut dyn Session,
    parent: &Place,
    child: &Place,
    attached: bool,
) -> Result<Standing> {
    let found = ask(session, INHERITS, child, None).await?;
    let Some(above) = relation(session, parent).await? else { return Ok(Standing::Absent) };
    let row = found.iter().find(|row| text(row, 1) == above);
    Ok(match (row, attached) {
        (Some(row), _) if text(row, 0) == "true" => Standing::Broken {
            what: format!(
                "`{}` is half detached from `{}`: an earlier DETACH CONCURRENTLY was cut off",
                child.name, parent.name
            ),
            repair: format!("ALTER TABLE {above} DETACH PARTITION {} FINALIZE", text(row, 2)),
            completes: !attached,
        },
        (Some(_), true) | (None, false) => Standing::There,
        (Some(_), false) => Standing::Absent,
        (None, true) => match found.first() {
            Some(row) => Standing::Other(format!(
                "`{}` is a partition of `{}` already",
                child.name,
                text(row, 1)
            )),
            None => Standing::Absent,
        },
    })
}

/// The longest that duplicates are looked for: the build has gone through the table once already.
const LOOK_FOR: Duration = Duration::from_secs(5);

/// See [`crate::target::Target::duplicates`].
pub(super) async fn duplicates(session: &mut dyn Session, index: &Index) -> Result<Vec<String>> {
    let source = Source { tokens: Tokens::Postgres, mariadb: false, version: (0, 0, 0) };
    let script = parse(source, &format!("CREATE INDEX i ON t {}", index.of));
    let Some(What::CreateIndex(read)) = script.statements.first().map(|one| &one.what) else {
        return Ok(Vec::new());
    };
    let parts: Vec<String> = read
        .parts
        .iter()
        .map(|part| match part {
            IndexPart::Column(name, _) => format!("\"{}\"", name.replace('"', "\"\"")),
            IndexPart::Expression(expression) => format!("({})", expression.text),
        })
        .collect();
    // NULLs are never the same, but with NULLS NOT DISTINCT, which the server has named one of.
    let mut filters: Vec<String> = parts.iter().map(|part| format!("{part} IS NOT NULL")).collect();
    filters.extend(read.predicate.as_ref().map(|predicate| format!("({})", predicate.text)));
    let table = relation(session, &index.table).await?.unwrap_or_default();
    let sql = format!(
        "SELECT concat_ws(', ', {parts})::text || ' (' || count(*) || ' times)' FROM {table} \
         WHERE {filters} GROUP BY {parts} HAVING 1 < count(*) ORDER BY count(*) DESC LIMIT 5",
        parts = parts.join(", "),
        filters = filters.join(" AND ")
    );
    let patience = Patience { statement: Some(LOOK_FOR), ..Patience::default() };
    session.begin_batch(&patience, Commit::Own).await?;
    let found = session.query(&Statement::plain(sql)).await;
    session.rollback().await?;
    match found {
        Ok(rows) => Ok(rows.into_iter().flatten().flatten().collect()),
        Err(error) if matches!(error.class, Class::Retry(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
