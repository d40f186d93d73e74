//! Whether an expression gives another value for each row: then a default must be written row by
//! row, and the table is rewritten.
//!
//! `functions.txt` lists the functions of `pg_catalog` by name, `v` for volatile and `s` for the
//! others, and how many arguments each takes; it is the union of PostgreSQL 15 and 18, and a test
//! compares it with both servers.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::sql::{Call, Tokens, Use, read};

/// Whether each row gets a value of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Volatility {
    /// One value for all rows.
    Same,
    /// Another for each row, because of this.
    PerRow(String),
    /// Nobody can tell, because of this.
    Unknown(String),
}

/// The functions by name: of each signature whether it is volatile, and the numbers of arguments.
type Functions = HashMap<&'static str, Vec<(bool, Vec<Option<usize>>)>>;

static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| {
    let mut functions = Functions::new();
    for line in include_str!("functions.txt").lines() {
        let mut words = line.split(' ');
        let (Some(name), Some(volatile)) = (words.next(), words.next()) else { continue };
        let counts = words.map(|word| word.parse().ok()).collect();
        functions.entry(name).or_default().push((volatile == "v", counts));
    }
    functions
});

/// What the expression of a default is.
pub(super) fn volatility(expression: &str) -> Volatility {
    let reading = match read(Tokens::Postgres, expression) {
        Ok(reading) => reading,
        Err(unread) => return Volatility::Unknown(format!("`{expression}` {}", unread.0)),
    };
    let mut unknown = None;
    for used in &reading.uses {
        if let Use::Call(call) = used {
            match of_call(call) {
                Volatility::Same => {}
                Volatility::PerRow(why) => return Volatility::PerRow(why),
                Volatility::Unknown(why) => unknown = Some(why),
            }
        }
    }
    unknown.map_or(Volatility::Same, Volatility::Unknown)
}

/// Whether a function of `pg_catalog` of that name and number of arguments is known.
pub(super) fn is_builtin(name: &str, arguments: usize) -> bool {
    FUNCTIONS.get(name).is_some_and(|signatures| {
        signatures.iter().any(|(_, counts)| counts.iter().any(|count| fits(*count, arguments)))
    })
}

fn fits(count: Option<usize>, arguments: usize) -> bool {
    count.is_none_or(|count| count == arguments)
}

fn of_call(call: &Call) -> Volatility {
    // current_timestamp, current_user and their kin are stable, all of them.
    if call.keyword {
        return Volatility::Same;
    }
    let arguments = call.arguments.len();
    let own = call.schema.as_deref().is_none_or(|schema| schema.eq_ignore_ascii_case("pg_catalog"));
    let name = call.name.to_lowercase();
    let unknown = || {
        Volatility::Unknown(format!(
            "whether `{name}` with {arguments} arguments is volatile is known to the server only"
        ))
    };
    if !own {
        return unknown();
    }
    let Some(signatures) = FUNCTIONS.get(name.as_str()) else {
        // What the grammar itself turns into something else, such as COALESCE and EXTRACT.
        let of_grammar = [
            "coalesce",
            "nullif",
            "greatest",
            "least",
            "row",
            "array",
            "extract",
            "trim",
            "overlay",
            "position",
            "xmlelement",
            "xmlforest",
            "grouping",
            "json_object",
            "json_array",
            "json_scalar",
            "exists",
        ];
        let of_grammar = of_grammar.contains(&name.as_str());
        return if of_grammar { Volatility::Same } else { unknown() };
    };
    let mut fitting = signatures
        .iter()
        .filter(|(_, counts)| counts.iter().any(|count| fits(*count, arguments)))
        .map(|(volatile, _)| *volatile)
        .peekable();
    if fitting.peek().is_none() {
        return unknown();
    }
    if fitting.any(|volatile| volatile) {
        Volatility::PerRow(format!("`{name}` gives another value for each row"))
    } else {
        Volatility::Same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_judged_by_signature() {
        let same = [
            "now()",
            "current_timestamp",
            "CURRENT_DATE",
            "localtimestamp",
            "current_user",
            "pg_catalog.now()",
            "now() - interval '1 day'",
            "-1",
            "(1)",
            "lower('X')",
            "'{}'::jsonb",
            "NULL",
            "true",
            "'a'::character varying",
            "ARRAY[]::text[]",
            "round(1.5)",
            "to_char(now(), 'YYYY')",
            "coalesce(1, 2)",
            "timezone('utc', now())",
        ];
        for text in same {
            assert_eq!(volatility(text), Volatility::Same, "{text}");
        }
        let per_row = [
            "gen_random_uuid()",
            "clock_timestamp()",
            "timeofday()",
            "random()",
            "random(1, 10)",
            "nextval('s'::regclass)",
            "uuidv7()",
            "floor(random() * 10)",
        ];
        for text in per_row {
            assert!(matches!(volatility(text), Volatility::PerRow(_)), "{text}");
        }
        for text in ["my_default()", "app.now()", "now(1)", "random(1)", "uuid_generate_v4()"] {
            assert!(matches!(volatility(text), Volatility::Unknown(_)), "{text}");
        }
    }
}
