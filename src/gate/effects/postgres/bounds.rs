//! Constants, and which of them a partition's bounds or a check lets in.
//!
//! Only what compares the same for every session is read: whole numbers, decimals, dates and
//! timestamps without a zone in ISO form, and for equality alone texts. Of anything else nothing is
//! said, and then every partition counts.

use std::cmp::Ordering;

use crate::sql::schema::Table;
use crate::sql::statement::Type;

/// A constant of a column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A number, in units of 10⁻¹⁸ (`numeric` with more digits is not read).
    Number(i128),
    /// A date or timestamp, written so that its order is that of its letters.
    Time(String),
    /// A text, a boolean, a UUID: equal or not, since its order is the collation's.
    Text(String),
    /// `NULL`.
    Null,
}

/// What a partition lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bounds {
    /// `FOR VALUES IN`.
    List(Vec<Value>),
    /// `FOR VALUES FROM … TO …`, column by column.
    Range(Vec<End>, Vec<End>),
}

/// An end of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// `MINVALUE`
    Min,
    /// A value.
    At(Value),
    /// `MAXVALUE`
    Max,
}

/// The columns by which a table is partitioned, if all are plain columns, and how (`range`, `list`,
/// `hash`).
pub(super) fn key(partition_by: &str) -> Option<(String, Vec<String>)> {
    let (head, rest) = partition_by.split_once('(')?;
    let how = head.split_whitespace().last()?.to_lowercase();
    let list = rest.trim_end().strip_suffix(')')?;
    let columns = list.split(',').map(|column| {
        let column = column.trim();
        let plain = column.chars().all(|c| c == '_' || c == '"' || c.is_alphanumeric());
        plain.then(|| match column.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
            Some(quoted) => quoted.to_owned(),
            None => column.to_lowercase(),
        })
    });
    Some((how, columns.collect::<Option<_>>()?))
}

/// The bounds that stand behind a partition's name, for columns of these types.
pub(super) fn bounds(text: &str, types: &[&Type]) -> Option<Bounds> {
    let mut groups = groups(text);
    let first = groups.next()?;
    let says = |word: &str| {
        text.split(|c: char| !c.is_alphanumeric()).any(|said| said.eq_ignore_ascii_case(word))
    };
    if let Some(second) = groups.next() {
        let ends = |group: &str| {
            let parts = split(group);
            let end = |(part, ty): (&&str, &&Type)| match part.to_lowercase().as_str() {
                "minvalue" => Some(End::Min),
                "maxvalue" => Some(End::Max),
                _ => value(part, ty).map(End::At),
            };
            parts.iter().zip(types).map(end).collect::<Option<Vec<_>>>()
        };
        return Some(Bounds::Range(ends(first)?, ends(second)?));
    }
    if says("modulus") {
        return None;
    }
    let ty = types.first()?;
    split(first).iter().map(|part| value(part, ty)).collect::<Option<_>>().map(Bounds::List)
}

impl Bounds {
    /// Whether `NULL` belongs here.
    pub(super) fn takes_null(&self) -> bool {
        matches!(self, Self::List(values) if values.contains(&Value::Null))
    }

    /// Whether a row with these values of the key belongs here; none if that cannot be told.
    pub(super) fn holds(&self, row: &[Value]) -> Option<bool> {
        match self {
            Self::List(values) => {
                let value = row.first()?;
                values.iter().try_fold(false, |found, one| Some(found || same(one, value)?))
            }
            // A range holds no NULL.
            Self::Range(..) if row.contains(&Value::Null) => Some(false),
            Self::Range(from, to) => {
                Some(compare(row, from)? != Ordering::Less && compare(row, to)? == Ordering::Less)
            }
        }
    }
}

/// A row beside one end of a range.
fn compare(row: &[Value], ends: &[End]) -> Option<Ordering> {
    for (value, end) in row.iter().zip(ends) {
        let order = match end {
            End::Min => Ordering::Greater,
            End::Max => Ordering::Less,
            End::At(at) => order(value, at)?,
        };
        if order != Ordering::Equal {
            return Some(order);
        }
    }
    Some(Ordering::Equal)
}

fn same(one: &Value, other: &Value) -> Option<bool> {
    match (one, other) {
        (Value::Null, other) => Some(*other == Value::Null),
        (one, Value::Null) => Some(*one == Value::Null),
        (Value::Text(one), Value::Text(other)) => Some(one == other),
        _ => Some(order(one, other)? == Ordering::Equal),
    }
}

fn order(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => Some(one.cmp(other)),
        (Value::Time(one), Value::Time(other)) => Some(one.cmp(other)),
        _ => None,
    }
}

/// A constant as written, as a value of that type.
pub(super) fn value(text: &str, ty: &Type) -> Option<Value> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("null") {
        return Some(Value::Null);
    }
    if ty.array {
        return None;
    }
    let bare = literal(text)?;
    match ty.name.as_str() {
        "integer" | "bigint" | "smallint" | "serial" | "bigserial" | "smallserial" | "numeric" => {
            number(&bare).map(Value::Number)
        }
        "date" => date(&bare).map(Value::Time),
        "timestamp" => timestamp(&bare).map(Value::Time),
        "text" | "varchar" | "uuid" => {
            let same = if ty.name == "uuid" { bare.to_lowercase() } else { bare };
            Some(Value::Text(same))
        }
        "boolean" => match bare.to_lowercase().as_str() {
            "true" | "t" | "yes" | "on" | "1" => Some(Value::Text("true".to_owned())),
            "false" | "f" | "no" | "off" | "0" => Some(Value::Text("false".to_owned())),
            _ => None,
        },
        _ => None,
    }
}

/// The text of a literal: quoted, also behind the name of its type or before a cast, or a number.
fn literal(text: &str) -> Option<String> {
    let cast = text.split_once("::").map_or(text, |(before, _)| before.trim());
    let quoted = match cast.split_once(char::is_whitespace) {
        Some((ty, quoted)) if ["date", "timestamp"].contains(&ty.to_lowercase().as_str()) => {
            quoted.trim()
        }
        _ => cast,
    };
    if let Some(inner) = quoted.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        let alone = !inner.replace("''", "").contains('\'');
        return alone.then(|| inner.replace("''", "'"));
    }
    let word = quoted.to_lowercase();
    let number = !quoted.is_empty()
        && quoted.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'));
    (number || word == "true" || word == "false").then(|| quoted.to_owned())
}

fn number(text: &str) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits.trim()),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.len() > 18 || !(whole.bytes().chain(fraction.bytes())).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let joined = format!("{whole}{fraction:0<18}");
    let value: i128 = joined.parse().ok()?;
    Some(if negative { -value } else { value })
}

/// `2025-01-31`, and nothing else: other forms depend on the session's `DateStyle`.
fn date(text: &str) -> Option<String> {
    let text = text.trim();
    let shape = |(at, c): (usize, char)| {
        if at == 4 || at == 7 { c == '-' } else { c.is_ascii_digit() }
    };
    (text.len() == 10 && text.chars().enumerate().all(shape)).then(|| text.to_owned())
}

fn timestamp(text: &str) -> Option<String> {
    let text = text.trim();
    let (day, time) = match text.split_once([' ', 'T']) {
        Some((day, time)) => (day, time.trim()),
        None => (text, "00:00:00"),
    };
    let shape = |(at, c): (usize, char)| match at {
        2 | 5 => c == ':',
        8 => c == '.',
        _ => c.is_ascii_digit(),
    };
    if !time.chars().enumerate().all(shape) || !matches!(time.len(), 5 | 8 | 10..) {
        return None;
    }
    let seconds = if time.len() == 5 { ":00" } else { "" };
    let full = format!("{} {time}{seconds}", date(day)?);
    // A fraction of zero is none.
    let full =
        if full.contains('.') { full.trim_end_matches('0').trim_end_matches('.') } else { &full };
    Some(full.to_owned())
}

/// The groups in parentheses, without them.
fn groups(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let open = rest.find('(')?;
        let inner = &rest[open + 1..];
        let mut depth = 1;
        let mut quoted = false;
        let end = inner.char_indices().find(|(_, c)| {
            match c {
                '\'' => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth -= 1,
                _ => {}
            }
            depth == 0
        })?;
        rest = &inner[end.0 + 1..];
        Some(&inner[..end.0])
    })
}

/// What stands between the commas.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0, false, 0);
    let mut parts = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

/// What a table's valid checks say about one column: conditions that all hold, each a comparison
/// with a constant. What is not such a one says nothing here.
pub(super) fn conditions(table: &Table, column: &str) -> Vec<(Comparison, Vec<Value>)> {
    let Some(ty) = table.column(column).map(|column| &column.ty) else { return Vec::new() };
    let checks = table.constraints.iter().filter(|of| !of.not_valid && of.enforced);
    let mut found = Vec::new();
    for check in checks {
        let crate::sql::statement::ConstraintKind::Check(check) = &check.kind else { continue };
        conjuncts(&check.text, &mut |part| found.extend(comparison(part, column, ty)));
    }
    found
}

/// How a column is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`, `IN`
    OneOf,
    /// `>=`
    AtLeast,
    /// `>`
    More,
}

/// Gives the parts that `AND` joins, without the parentheses around them.
fn conjuncts(text: &str, each: &mut impl FnMut(&str)) {
    let mut text = text.trim();
    while let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        // (a) AND (b) begins and ends with parentheses that are not each other's.
        if groups(text).next() != Some(inner) {
            break;
        }
        text = inner.trim();
    }
    let (mut depth, mut quoted, mut start) = (0, false, 0);
    let mut parts = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            c if c.is_whitespace() && !quoted && depth == 0 => {
                let rest = text[at..].trim_start();
                let word = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
                if word.eq_ignore_ascii_case("or") || word.eq_ignore_ascii_case("between") {
                    return;
                }
                if word.eq_ignore_ascii_case("and") && start <= at {
                    parts.push(&text[start..at]);
                    start = text.len() - rest.len() + word.len();
                }
            }
            _ => {}
        }
    }
    if parts.is_empty() {
        each(text);
        return;
    }
    parts.push(&text[start..]);
    for part in parts {
        conjuncts(part, each);
    }
}

fn comparison(part: &str, column: &str, ty: &Type) -> Option<(Comparison, Vec<Value>)> {
    let rest = part.trim_start();
    let rest = match rest.strip_prefix('"') {
        Some(quoted) => quoted.strip_prefix(column)?.strip_prefix('"')?,
        None => {
            let head = rest.get(..column.len())?;
            head.eq_ignore_ascii_case(column).then(|| &rest[column.len()..])?
        }
    };
    let rest = rest.trim_start();
    let signs = [
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("<>", Comparison::OneOf),
        ("<", Comparison::Less),
        (">", Comparison::More),
        ("=", Comparison::OneOf),
    ];
    let word = rest.get(..2).unwrap_or_default();
    if word.eq_ignore_ascii_case("in") {
        let group = groups(rest).next()?;
        let values = split(group).into_iter().map(|part| value(part, ty)).collect::<Option<_>>()?;
        return Some((Comparison::OneOf, values));
    }
    let (sign, how) = signs.into_iter().find(|(sign, _)| rest.starts_with(sign))?;
    if sign == "<>" {
        return None;
    }
    let constant = value(rest[sign.len()..].trim(), ty).filter(|value| *value != Value::Null)?;
    Some((how, vec![constant]))
}

/// Whether rows of which all these conditions hold are surely none of the bounds'. A condition
/// lets NULL through, which a range does not hold and a list only if it names it.
pub(super) fn excludes(conditions: &[(Comparison, Vec<Value>)], bounds: &Bounds) -> bool {
    let outside = |(how, constants): &(Comparison, Vec<Value>)| match bounds {
        Bounds::Range(from, to) => {
            let ([End::At(_) | End::Min], [End::At(_) | End::Max]) = (&from[..], &to[..]) else {
                return false;
            };
            match (how, &constants[..], &from[0], &to[0]) {
                (Comparison::Less, [at], End::At(from), _) => {
                    order(at, from).is_some_and(|order| order != Ordering::Greater)
                }
                (Comparison::AtMost, [at], End::At(from), _) => {
                    order(at, from) == Some(Ordering::Less)
                }
                (Comparison::AtLeast | Comparison::More, [at], _, End::At(to)) => {
                    order(at, to).is_some_and(|order| order != Ordering::Less)
                }
                (Comparison::OneOf, constants, ..) => constants
                    .iter()
                    .all(|one| bounds.holds(std::slice::from_ref(one)) == Some(false)),
                _ => false,
            }
        }
        Bounds::List(values) => {
            *how == Comparison::OneOf
                && !values.contains(&Value::Null)
                && constants
                    .iter()
                    .all(|one| bounds.holds(std::slice::from_ref(one)) == Some(false))
        }
    };
    conditions.iter().any(outside)
}

/// Whether rows of which all these conditions hold surely are the bounds', but for NULL.
pub(super) fn implies(conditions: &[(Comparison, Vec<Value>)], bounds: &Bounds) -> bool {
    let within = |(how, constants): &(Comparison, Vec<Value>)| {
        *how == Comparison::OneOf
            && constants.iter().all(|one| bounds.holds(std::slice::from_ref(one)) == Some(true))
    };
    if conditions.iter().any(within) {
        return true;
    }
    let Bounds::Range(from, to) = bounds else { return false };
    let ([from], [to]) = (&from[..], &to[..]) else { return false };
    let above = |(how, constants): &(Comparison, Vec<Value>)| match (from, &constants[..]) {
        (End::At(from), [at]) if matches!(how, Comparison::AtLeast | Comparison::More) => {
            order(at, from).is_some_and(|order| order != Ordering::Less)
        }
        _ => false,
    };
    let below = |(how, constants): &(Comparison, Vec<Value>)| match (to, how, &constants[..]) {
        (End::At(to), Comparison::Less, [at]) => {
            order(at, to).is_some_and(|order| order != Ordering::Greater)
        }
        (End::At(to), Comparison::AtMost, [at]) => order(at, to) == Some(Ordering::Less),
        _ => false,
    };
    (*from == End::Min || conditions.iter().any(above))
        && (*to == End::Max || conditions.iter().any(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Type {
        Type { name: name.to_owned(), ..Type::default() }
    }

    #[test]
    fn only_constants_that_mean_the_same_to_everyone_are_read() {
        let read = [
            ("5", "integer", Value::Number(5_000_000_000_000_000_000)),
            ("'-5'", "bigint", Value::Number(-5_000_000_000_000_000_000)),
            ("'2025-01-31'::date", "date", Value::Time("2025-01-31".to_owned())),
            ("DATE '2025-01-31'", "date", Value::Time("2025-01-31".to_owned())),
            ("'2025-01-31 12:00'", "timestamp", Value::Time("2025-01-31 12:00:00".to_owned())),
            (
                "'2025-01-31 12:00:00.50'",
                "timestamp",
                Value::Time("2025-01-31 12:00:00.5".to_owned()),
            ),
            ("'it''s'", "text", Value::Text("it's".to_owned())),
            ("'F'", "boolean", Value::Text("false".to_owned())),
            ("null", "text", Value::Null),
        ];
        for (text, ty, expected) in read {
            assert_eq!(value(text, &of(ty)), Some(expected), "{text}");
        }
        let not = [
            ("5 + 5", "integer"),
            ("now()", "date"),
            ("'31/01/2025'", "date"),
            ("'tomorrow'", "date"),
            ("'2025-01-31 12:00:00+02'", "timestamp"),
            ("'2025-01-31'", "timestamptz"),
            ("'a' || 'b'", "text"),
            ("n", "integer"),
        ];
        for (text, ty) in not {
            assert_eq!(value(text, &of(ty)), None, "{text}");
        }
    }

    #[test]
    fn rows_are_held_against_every_kind_of_bounds() {
        let (int, text) = (of("integer"), of("text"));
        let number = |n: i128| Value::Number(n * 1_000_000_000_000_000_000);
        let range = bounds("FOR VALUES FROM (0) TO (10)", &[&int]).unwrap();
        let held = [(-1, false), (0, true), (9, true), (10, false)];
        for (n, expected) in held {
            assert_eq!(range.holds(&[number(n)]), Some(expected), "{n}");
        }
        assert_eq!(range.holds(&[Value::Null]), Some(false));
        let open = bounds("FOR VALUES FROM (MINVALUE) TO (10)", &[&int]).unwrap();
        assert_eq!(open.holds(&[number(-99)]), Some(true));
        let two = bounds("FOR VALUES FROM (0, 5) TO (1, MAXVALUE)", &[&int, &int]).unwrap();
        assert_eq!(two.holds(&[number(0), number(4)]), Some(false));
        assert_eq!(two.holds(&[number(1), number(99)]), Some(true));
        let list = bounds("FOR VALUES IN ('a', 'b, c', NULL)", &[&text]).unwrap();
        let is = |text: &str| list.holds(&[Value::Text(text.to_owned())]);
        assert_eq!((is("a"), is("b, c"), is("b")), (Some(true), Some(true), Some(false)));
        assert_eq!(list.holds(&[Value::Null]), Some(true));
        // Which of two texts is the greater, the collation says.
        let words = bounds("FOR VALUES FROM ('a') TO ('m')", &[&text]).unwrap();
        assert_eq!(words.holds(&[Value::Text("b".to_owned())]), None);
        assert_eq!(bounds("FOR VALUES WITH (MODULUS 2, REMAINDER 0)", &[&int]), None);
    }

    #[test]
    fn checks_prove_only_what_they_say() {
        let table = |check: &str| {
            let text = format!("CREATE TABLE t (n integer, CHECK ({check}))");
            let script = crate::sql::parse(
                crate::sql::Source::of(crate::catalog::Release::parse("postgres-18").unwrap()),
                &text,
            );
            let mut schema = crate::sql::schema::Schema::default();
            schema.apply(&script.statements[0]);
            schema.tables.into_values().next().unwrap()
        };
        let of = bounds("FOR VALUES FROM (10) TO (20)", &[&of("integer")]).unwrap();
        let cases = [
            ("n >= 10 AND n < 20", true, false),
            ("(n >= 12) AND (n <= 19) AND true", true, false),
            ("n = 15", true, false),
            ("n IN (10, 19)", true, false),
            ("n IN (10, 20)", false, false),
            ("n > 9 AND n < 20", false, false),
            ("n >= 10", false, false),
            ("n < 10", false, true),
            ("n <= 10", false, false),
            ("n >= 20", false, true),
            ("n IN (1, 30)", false, true),
            ("n >= 10 AND n < 20 OR n = 5", false, false),
            ("n < 10 OR n >= 20", false, false),
            ("n BETWEEN 10 AND 19", false, false),
            ("NOT n < 10", false, false),
            ("n + 1 < 10", false, false),
            ("nn < 10", false, false),
        ];
        for (check, within, without) in cases {
            let table = table(check);
            let said = conditions(&table, "n");
            assert_eq!((implies(&said, &of), excludes(&said, &of)), (within, without), "{check}");
        }
    }
}
