//! What a change of a column's type costs.
//!
//! PostgreSQL writes the table anew unless the cast is none at all (`ATColumnChangeRequiresRewrite`
//! in `tablecmds.c`): a relabelling, a length that is not made shorter (the support functions of
//! `varchar`, `numeric`, `varbit`, `timestamp`, `time` and `interval`), a domain without constraint,
//! and between `timestamp` and `timestamptz` in a session whose zone is UTC.

use crate::gate::Surroundings;
use crate::sql::statement::{Expression, Type};

/// What becomes of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// They stay, because of this.
    None(String),
    /// Each is written anew, because of this.
    Rewrite(String),
    /// Something that decides it is not known; taken for a rewrite.
    Unknown(String),
}

/// What the change from one type to another does.
pub(super) fn change(
    column: &str,
    from: &Type,
    to: &Type,
    using: Option<&Expression>,
    around: &Surroundings,
) -> Change {
    if let Some(using) = using
        && !is_the_column_itself(column, to, &using.text)
    {
        let computed = format!("`USING {}` is computed for every row", using.text);
        return match casts(column, &using.text) {
            Some(steps) => through(column, from, &steps, to, around),
            None => Change::Rewrite(computed),
        };
    }
    let same = |from: &Type, to: &Type| *from == Type { text: from.text.clone(), ..to.clone() };
    if same(from, to) && !base(to, around).1 {
        return Change::None("it is the same type".to_owned());
    }
    // A value that left a domain with constraints is still of its base type.
    let (mut inner, _) = base(from, around);
    if inner != *from {
        // What comes out of a domain has no length of its own, as far as casts know.
        inner.modifiers.clear();
    }
    let from = inner;
    let (to, to_checked) = base(to, around);
    if to_checked {
        return Change::Rewrite("every row is checked against the domain".to_owned());
    }
    if same(&from, &to) {
        return Change::None("it is the same type".to_owned());
    }
    if from.array || to.array {
        return arrays(&from, &to);
    }
    between(&from, &to, around)
}

/// The types that `USING c::t::u` casts a column to, in order; none if it does anything else.
fn casts(column: &str, using: &str) -> Option<Vec<Type>> {
    let mut steps = using.split("::").map(str::trim);
    let first = steps.next()?;
    let step = |text: &str| {
        let (name, modifiers) = match text.strip_suffix(')') {
            Some(inner) => inner.split_once('(')?,
            None => (text, ""),
        };
        let modifiers = modifiers.split(',').map(str::trim).filter(|part| !part.is_empty());
        // Only what is written in the one way in which it is called here: others are not judged.
        let called = ["text", "varchar", "numeric", "varbit"].contains(&name);
        called.then(|| Type {
            name: name.to_owned(),
            modifiers: modifiers.map(str::to_owned).collect(),
            text: text.to_owned(),
            ..Type::default()
        })
    };
    if first == column { steps.map(step).collect() } else { None }
}

/// What several casts in a row do: nothing, if each of them does nothing.
fn through(column: &str, from: &Type, steps: &[Type], to: &Type, around: &Surroundings) -> Change {
    let mut from = from;
    let mut last = Change::None("it is the same type".to_owned());
    for step in steps.iter().chain([to]) {
        last = change(column, from, step, None, around);
        if !matches!(last, Change::None(_)) {
            return last;
        }
        from = step;
    }
    last
}

/// `USING c`, `USING c::t`, `USING CAST(c AS t)`: what the server would do by itself.
fn is_the_column_itself(column: &str, to: &Type, using: &str) -> bool {
    let squeezed = |text: &str| {
        text.to_lowercase().chars().filter(|c| !c.is_whitespace() && *c != '"').collect::<String>()
    };
    let mut using = squeezed(using);
    while let Some(inner) = using.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        if inner.contains('(') {
            break;
        }
        using = inner.to_owned();
    }
    let (column, to) = (squeezed(column), squeezed(&to.text));
    using == column
        || using == format!("{column}::{to}")
        || using == format!("({column})::{to}")
        || using == format!("cast({column}as{to})")
}

/// The type that a domain is made of, and whether a constraint stands on the way.
pub(super) fn base(ty: &Type, around: &Surroundings) -> (Type, bool) {
    let name = crate::sql::statement::Name { schema: ty.schema.clone(), name: ty.name.clone() };
    match around.schema.domains.get(&crate::sql::schema::plain(&name)) {
        Some((inner, constrained)) if !ty.array => {
            let (inner, deeper) = base(inner, around);
            (inner, *constrained || deeper)
        }
        _ => (ty.clone(), false),
    }
}

/// Every other cast of an array is done element by element, also where that of the element is none.
fn arrays(from: &Type, to: &Type) -> Change {
    let same = from.array && to.array && from.name == to.name;
    if same && (from.modifiers == to.modifiers || to.modifiers.is_empty()) {
        Change::None("the elements are kept as they are".to_owned())
    } else {
        Change::Rewrite("the elements of every array are cast".to_owned())
    }
}

/// Whether a length or precision was not made shorter; none is the longest.
fn widens(from: Option<&String>, to: Option<&String>) -> bool {
    match (from, to) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(from), Some(to)) => match (from.parse::<i64>(), to.parse::<i64>()) {
            (Ok(from), Ok(to)) => from <= to,
            _ => false,
        },
    }
}

/// Types that share their bytes, so that a value is only called something else.
const RELABELLED: &[(&str, &str)] = &[
    ("varchar", "text"),
    ("text", "varchar"),
    ("varchar", "char"),
    ("text", "char"),
    ("bit", "varbit"),
    ("text", "citext"),
    ("varchar", "citext"),
    ("citext", "text"),
    ("citext", "varchar"),
    ("cidr", "inet"),
    ("xml", "text"),
    ("xml", "varchar"),
    ("integer", "oid"),
    ("oid", "integer"),
    ("oid", "regclass"),
    ("regclass", "oid"),
    ("integer", "regclass"),
    ("regclass", "integer"),
    ("oid", "regproc"),
    ("oid", "regtype"),
];

/// The least unit that an interval keeps: `interval day to second` keeps seconds, as one without
/// units does.
fn least_unit(name: &str) -> usize {
    let last = name.rsplit(' ').next().unwrap_or_default();
    let units = ["second", "minute", "hour", "day", "month", "year"];
    units.iter().position(|unit| *unit == last).unwrap_or(0)
}

fn between(from: &Type, to: &Type, around: &Surroundings) -> Change {
    let (first, second) = (from.name.as_str(), to.name.as_str());
    let (had, gets) = (from.modifiers.first(), to.modifiers.first());
    let kept = |why: &str| Change::None(why.to_owned());
    let written = |why: String| Change::Rewrite(why);
    let clocks = |name: &str| matches!(name, "timestamp" | "timestamptz");
    let six = "6".to_owned();
    // A time without a precision has six digits.
    let digits = |modifier: Option<&String>| modifier.cloned().unwrap_or_else(|| six.clone());
    match (first, second) {
        _ if clocks(first) && clocks(second) => {
            if !widens(Some(&digits(had)), Some(&digits(gets))) {
                return written("the times are rounded".to_owned());
            }
            if first == second {
                return kept("the precision is not made less");
            }
            if gets.is_some_and(|gets| *gets != six) {
                // The cast to the other type gives six digits, whatever there was.
                return written("the times are rounded".to_owned());
            }
            if around.server.version < (12, 0, 0) {
                return written("the times move to another zone".to_owned());
            }
            match around.utc {
                Some(true) => kept("the session's time zone is UTC"),
                Some(false) => {
                    written("the session's time zone is not UTC, so every time moves".to_owned())
                }
                None => Change::Unknown(
                    "whether the session's `TimeZone` is UTC: in UTC nothing is rewritten, else the \
                     whole table; `SET timezone = 'UTC'` in the migration settles it if the times \
                     are in UTC"
                        .to_owned(),
                ),
            }
        }
        ("varchar", "varchar") | ("varbit", "varbit") if widens(had, gets) => {
            kept("the length is not made less")
        }
        _ if first.starts_with("interval") && second.starts_with("interval") => {
            let (kept_unit, new_unit) = (least_unit(first), least_unit(second));
            let whole = second == "interval" && to.modifiers.is_empty();
            let digits_fit = widens(Some(&digits(had)), Some(&digits(gets)));
            if whole || (new_unit <= kept_unit && (kept_unit > 0 || digits_fit)) {
                kept("no unit and no digit is left out")
            } else {
                written("every interval is cut to its units and digits".to_owned())
            }
        }
        ("char", "char") if gets.is_none() => kept("the new type has no length"),
        ("time", "time") | ("timetz", "timetz")
            if widens(Some(&digits(had)), Some(&digits(gets))) =>
        {
            kept("the precision is not made less")
        }
        ("numeric", "numeric") => {
            let scale = |ty: &Type| ty.modifiers.get(1).cloned().unwrap_or_else(|| "0".to_owned());
            if to.modifiers.is_empty()
                || (!from.modifiers.is_empty() && scale(from) == scale(to) && widens(had, gets))
            {
                kept("the precision is not made less, and the scale is the same")
            } else {
                written("every number is rounded to the new scale".to_owned())
            }
        }
        _ if first == second => {
            written(format!("`{}` is cut or padded to another length", from.text))
        }
        _ if RELABELLED.contains(&(first, second)) && gets.is_none() => {
            kept("both types keep the same bytes")
        }
        _ if RELABELLED.contains(&(first, second)) => {
            written("every value is checked against the length".to_owned())
        }
        _ => written(format!("every value is cast from `{}` to `{}`", from.text, to.text)),
    }
}
