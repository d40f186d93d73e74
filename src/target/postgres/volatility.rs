//! What `pg_proc` says of a function.

use super::dialect::literal;
use crate::catalog::Table;
use crate::sql::{Call, Use};
use crate::target::volatility::Volatility;
use crate::target::{Bind, Result, Session, Statement};

/// Forms that look like calls and are part of the grammar: `pg_proc` does not list them.
/// Source: `func_expr_common_subexpr` in PostgreSQL's `gram.y`.
const GRAMMAR: [&str; 21] = [
    "coalesce",
    "nullif",
    "greatest",
    "least",
    "row",
    "grouping",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlparse",
    "xmlpi",
    "json",
    "json_array",
    "json_object",
    "json_scalar",
    "json_serialize",
    "json_exists",
    "json_query",
    "json_value",
    "merge_action",
];

/// Keywords without parentheses that read the clock.
const CLOCK_KEYWORDS: [&str; 5] =
    ["current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"];

/// Built-in functions that `pg_proc` calls stable because of settings of the session, which are the
/// same in every session of a job. The other stable ones read the clock, the transaction, the
/// session or the catalog. Source: `pg_proc` of PostgreSQL 15 and 18.
const STABLE_BY_SETTINGS: [&str; 63] = [
    "array_to_json",
    "array_to_string",
    "concat",
    "concat_ws",
    "convert",
    "convert_from",
    "convert_to",
    "date",
    "date_add",
    "date_part",
    "date_subtract",
    "date_trunc",
    "enum_first",
    "enum_last",
    "enum_range",
    "extract",
    "format",
    "generate_series",
    "json_agg",
    "json_agg_strict",
    "json_build_array",
    "json_build_object",
    "json_object_agg",
    "json_object_agg_strict",
    "json_object_agg_unique",
    "json_object_agg_unique_strict",
    "json_populate_record",
    "json_populate_recordset",
    "json_to_record",
    "json_to_recordset",
    "json_to_tsvector",
    "jsonb_agg",
    "jsonb_agg_strict",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_path_exists_tz",
    "jsonb_path_match_tz",
    "jsonb_path_query_array_tz",
    "jsonb_path_query_first_tz",
    "jsonb_path_query_tz",
    "jsonb_populate_record",
    "jsonb_populate_record_valid",
    "jsonb_populate_recordset",
    "jsonb_to_record",
    "jsonb_to_recordset",
    "jsonb_to_tsvector",
    "length",
    "make_timestamptz",
    "numeric",
    "overlaps",
    "phraseto_tsquery",
    "plainto_tsquery",
    "quote_literal",
    "quote_nullable",
    "row_to_json",
    "timestamptz",
    "timezone",
    "to_char",
    "to_json",
    "to_jsonb",
    "to_tsquery",
    "to_tsvector",
    "websearch_to_tsquery",
];

/// Likewise, and named apart because the clock is near: with a text as their argument they read
/// `now`, which is found as a text of the expression.
const STABLE_OF_TIME: [&str; 7] =
    ["age", "time", "timestamp", "timetz", "to_date", "to_number", "to_timestamp"];

/// Operators and types whose function somebody declared volatile; a fresh database has none.
const VOLATILE_NAMES: &str = "\
SELECT 'operator', oprname::text FROM pg_operator JOIN pg_proc p ON p.oid = oprcode
WHERE provolatile = 'v'
UNION SELECT 'type', typname::text FROM pg_cast JOIN pg_proc p ON p.oid = castfunc
JOIN pg_type t ON t.oid = casttarget WHERE provolatile = 'v'
UNION SELECT 'type', typname::text FROM pg_type JOIN pg_proc p ON p.oid = typinput
WHERE provolatile = 'v'";

/// See [`crate::target::Target::volatility`].
pub(super) async fn of(session: &mut dyn Session, uses: &[Use]) -> Result<Vec<Volatility>> {
    let volatile = session.query(&Statement::plain(VOLATILE_NAMES)).await?;
    let named = |kind: &str, name: &str| {
        volatile.iter().any(|row| match row.as_slice() {
            [Some(of), Some(known)] => of == kind && known.eq_ignore_ascii_case(name),
            _ => false,
        })
    };
    let mut answers = Vec::with_capacity(uses.len());
    for one in uses {
        answers.push(match one {
            Use::Call(call) => of_call(session, call).await?,
            Use::Operator(name) if named("operator", name) => Volatility::Volatile(format!(
                "an operator `{name}` of this database calls a function that is declared VOLATILE"
            )),
            Use::Cast(name) if named("type", base(name)) => Volatility::Volatile(format!(
                "the cast to `{name}` calls a function that is declared VOLATILE"
            )),
            Use::Text(text) if means_a_moment(text) => Volatility::Volatile(format!(
                "the text `{text}` means the present moment where a date or time is expected"
            )),
            Use::Operator(_) | Use::Cast(_) | Use::Text(_) => Volatility::Pure,
        });
    }
    Ok(answers)
}

/// Whether rows of the table are also rows of another one: a partition, a parent, a child.
pub(super) async fn inherits(session: &mut dyn Session, table: &Table) -> Result<bool> {
    let statement = Statement {
        sql: "SELECT 1 FROM pg_inherits WHERE $1::oid IN (inhrelid, inhparent) LIMIT 1".to_owned(),
        binds: vec![Bind::Text(Some(table.identity.clone()))],
    };
    Ok(!session.query(&statement).await?.is_empty())
}

/// The last part of a type's name, without quotes and length.
fn base(name: &str) -> &str {
    let name = name.split('(').next().unwrap_or(name).trim_end_matches("[]");
    name.rsplit('.').next().unwrap_or(name).trim_matches('"')
}

/// Whether a date or time type reads the text as a moment of the clock: one of four words, alone
/// or with a time. Source: section 8.5.1.4 of the manual, and `datetktbl` in `datetime.c`.
fn means_a_moment(text: &str) -> bool {
    let words = ["now", "today", "tomorrow", "yesterday"];
    let text = text.to_ascii_lowercase();
    let mut found = false;
    let others_are_numbers = text
        .split(|c: char| c.is_ascii_whitespace() || c == ',')
        .filter(|word| !word.is_empty())
        .all(|word| {
            let is = words.contains(&word);
            found |= is;
            // `today 10:00`, `tomorrow allballs`, `today 10:00 utc`: a zone is a short word.
            is || word.chars().any(|c| c.is_ascii_digit()) || word.len() <= 8
        });
    found && others_are_numbers
}

async fn of_call(session: &mut dyn Session, call: &Call) -> Result<Volatility> {
    let name = if call.quoted { call.name.clone() } else { call.name.to_lowercase() };
    let is_in = |list: &[&str]| list.contains(&name.as_str());
    if call.keyword && !call.quoted {
        return Ok(if is_in(&CLOCK_KEYWORDS) {
            Volatility::clock(&call.name)
        } else {
            Volatility::Volatile(format!("`{}` depends on the session", call.name))
        });
    }
    if !call.quoted && call.schema.is_none() && is_in(&GRAMMAR) {
        return Ok(Volatility::Pure);
    }
    let schemas = match &call.schema {
        Some(schema) => format!("n.nspname IN ({}, lower({}))", literal(schema), literal(schema)),
        None => "n.nspname = ANY (current_schemas(true))".to_owned(),
    };
    let arguments = call.arguments.len();
    // Rows of a table can be written as the argument of any function that takes its type.
    let sql = format!(
        "SELECT DISTINCT (n.nspname = 'pg_catalog')::text, p.provolatile::text \
         FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
         WHERE p.proname = $1::name AND {schemas} \
         AND p.pronargs - p.pronargdefaults <= {arguments} \
         AND ({arguments} <= p.pronargs OR p.provariadic <> 0)"
    );
    let found =
        session.query(&Statement { sql, binds: vec![Bind::Text(Some(name.clone()))] }).await?;
    if found.is_empty() {
        return Ok(Volatility::unknown(&call.name, arguments));
    }
    for row in &found {
        let of = |at: usize| row.get(at).and_then(Option::as_deref).unwrap_or_default();
        let built_in = of(0) == "true";
        match of(1) {
            "i" => {}
            "s" if built_in && is_in(&STABLE_BY_SETTINGS) => {}
            "s" if built_in && is_in(&STABLE_OF_TIME) && (name != "age" || arguments == 2) => {}
            "s" if built_in && is_clock(&name) => return Ok(Volatility::clock(&call.name)),
            "s" if built_in => {
                return Ok(Volatility::Volatile(format!(
                    "`{}` depends on the session, the transaction or the catalog",
                    call.name
                )));
            }
            "s" => {
                return Ok(Volatility::Volatile(format!(
                    "`{}` is declared STABLE, so it may read tables, this one among them, and the \
                     clock",
                    call.name
                )));
            }
            _ => {
                return Ok(Volatility::Volatile(format!("`{}` is declared VOLATILE", call.name)));
            }
        }
    }
    Ok(Volatility::Pure)
}

fn is_clock(name: &str) -> bool {
    ["now", "transaction_timestamp", "statement_timestamp", "age"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_mean_the_present_moment_are_told() {
        for text in ["now", " NOW ", "today", "tomorrow 10:00", "today allballs", "today 10:00 utc"]
        {
            assert!(means_a_moment(text), "{text}");
        }
        for text in ["", "nowhere", "the show goes on now indefinitely", "epoch", "2024-01-01"] {
            assert!(!means_a_moment(text), "{text}");
        }
    }

    #[test]
    fn a_type_is_known_by_its_last_part() {
        assert_eq!(base("shop.\"Money\"(3)[]"), "Money");
    }
}
