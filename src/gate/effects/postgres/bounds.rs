//! Constants, and which of them a partition's bounds or a check lets in.
//!
//! Only what compares the same for every session is read: whole numbers, decimals, dates and
//! timestamps without a zone in ISO form, and for equality alone texts. Of anything else nothing is
//! said, and then every partition counts.

use std::cmp::Ordering;

use crate::sql::schema::Table;
use crate::sql::statement::{ConstraintKind, Type};

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

/// What is known of a column's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// The column, compared with a constant, or with several of which one fits.
    Is(Comparison, Vec<Value>),
    /// All of these hold.
    All(Vec<Self>),
    /// One of these holds.
    Any(Vec<Self>),
    /// It says something else.
    Else,
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

/// What a table's valid checks say about one column.
pub(super) fn conditions(table: &Table, column: &str) -> Condition {
    let Some(ty) = table.column(column).map(|column| &column.ty) else { return Condition::Else };
    let valid = table.constraints.iter().filter(|of| !of.not_valid && of.enforced);
    let checks = valid.filter_map(|constraint| match &constraint.kind {
        ConstraintKind::Check(check) => Some(condition(&check.text, column, ty)),
        _ => None,
    });
    Condition::All(checks.collect())
}

fn condition(text: &str, column: &str, ty: &Type) -> Condition {
    let mut text = text.trim();
    while let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        // (a) AND (b) begins and ends with parentheses that are not each other's.
        if groups(text).next() != Some(inner) {
            break;
        }
        text = inner.trim();
    }
    let parts = |word: &str| -> Option<Vec<Condition>> {
        let parts = joined(text, word);
        (parts.len() > 1).then(|| parts.iter().map(|part| condition(part, column, ty)).collect())
    };
    // OR binds less than AND.
    if let Some(parts) = parts("or") {
        return Condition::Any(parts);
    }
    if joined(text, "between").len() > 1 {
        return between(text, column, ty).unwrap_or(Condition::Else);
    }
    if let Some(parts) = parts("and") {
        return Condition::All(parts);
    }
    comparison(text, column, ty).unwrap_or(Condition::Else)
}

/// What a word joins, outside of parentheses and quotes.
fn joined<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let (mut depth, mut quoted, mut start) = (0, false, 0);
    let mut parts = Vec::new();
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        let apart = |c: char| !(c == '_' || c.is_alphanumeric());
        let here = text.get(at..at + word.len()).is_some_and(|of| of.eq_ignore_ascii_case(word));
        let ends = || text[at + word.len()..].chars().next().is_none_or(apart);
        if here && depth == 0 && !quoted && apart(before) && ends() && start <= at {
            parts.push(&text[start..at]);
            start = at + word.len();
        }
        before = c;
    }
    parts.push(&text[start..]);
    parts
}

/// `c BETWEEN a AND b`, alone.
fn between(text: &str, column: &str, ty: &Type) -> Option<Condition> {
    let parts = joined(text, "between");
    let [name, ends] = &parts[..] else { return None };
    let ends = joined(ends, "and");
    let [low, high] = &ends[..] else { return None };
    let both = [(">=", low), ("<=", high)];
    let both = both.map(|(sign, end)| comparison(&format!("{name} {sign} {end}"), column, ty));
    both.into_iter().collect::<Option<_>>().map(Condition::All)
}

fn comparison(part: &str, column: &str, ty: &Type) -> Option<Condition> {
    let rest = part.trim_start();
    let rest = match rest.strip_prefix('"') {
        Some(quoted) => quoted.strip_prefix(column)?.strip_prefix('"')?,
        None => {
            let head = rest.get(..column.len())?;
            head.eq_ignore_ascii_case(column).then(|| &rest[column.len()..])?
        }
    };
    let bare = rest.trim_start();
    let word = bare.get(..2).unwrap_or_default();
    if word.eq_ignore_ascii_case("in") && rest.len() > bare.len() {
        let group = groups(bare).next()?;
        let values = split(group).into_iter().map(|part| value(part, ty)).collect::<Option<_>>()?;
        return Some(Condition::Is(Comparison::OneOf, values));
    }
    let signs = [
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("<", Comparison::Less),
        (">", Comparison::More),
        ("=", Comparison::OneOf),
    ];
    let (sign, how) = signs.into_iter().find(|(sign, _)| bare.starts_with(sign))?;
    let constant = value(bare[sign.len()..].trim(), ty).filter(|value| *value != Value::Null)?;
    Some(Condition::Is(how, vec![constant]))
}

impl Condition {
    /// Whether it proves what a comparison may prove: all of several say more than each, and one of
    /// several only what each says.
    fn proves(&self, of: &impl Fn(Comparison, &[Value]) -> bool) -> bool {
        match self {
            Self::Is(how, constants) => of(*how, constants),
            Self::All(parts) => parts.iter().any(|part| part.proves(of)),
            Self::Any(parts) => parts.iter().all(|part| part.proves(of)),
            Self::Else => false,
        }
    }
}

/// Whether rows of which this holds are surely none of the bounds'. A check lets NULL through, which
/// a range does not hold, and a list only if it names it.
pub(super) fn excludes(condition: &Condition, bounds: &Bounds) -> bool {
    let none_of = |constants: &[Value]| {
        constants.iter().all(|one| bounds.holds(std::slice::from_ref(one)) == Some(false))
    };
    match bounds {
        Bounds::List(_) => {
            let outside = |how, constants: &[Value]| how == Comparison::OneOf && none_of(constants);
            !bounds.takes_null() && condition.proves(&outside)
        }
        Bounds::Range(from, to) => {
            let ([from], [to]) = (&from[..], &to[..]) else { return false };
            condition.proves(&|how, constants| match (how, constants, from, to) {
                (Comparison::OneOf, constants, ..) => none_of(constants),
                (Comparison::Less, [at], End::At(from), _) => {
                    order(at, from).is_some_and(|order| order != Ordering::Greater)
                }
                (Comparison::AtMost, [at], End::At(from), _) => {
                    order(at, from) == Some(Ordering::Less)
                }
                (Comparison::AtLeast | Comparison::More, [at], _, End::At(to)) => {
                    order(at, to).is_some_and(|order| order != Ordering::Less)
                }
                _ => false,
            })
        }
    }
}

/// Whether rows of which this holds surely are the bounds', but for NULL.
pub(super) fn implies(condition: &Condition, bounds: &Bounds) -> bool {
    let within = |how, constants: &[Value]| {
        how == Comparison::OneOf
            && constants.iter().all(|one| bounds.holds(std::slice::from_ref(one)) == Some(true))
    };
    if condition.proves(&within) {
        return true;
    }
    let Bounds::Range(from, to) = bounds else { return false };
    let ([from], [to]) = (&from[..], &to[..]) else { return false };
    let above = |how, constants: &[Value]| match (how, constants, from) {
        (Comparison::AtLeast | Comparison::More, [at], End::At(from)) => {
            order(at, from).is_some_and(|order| order != Ordering::Less)
        }
        (Comparison::OneOf, ..) => within(how, constants),
        _ => false,
    };
    let below = |how, constants: &[Value]| match (how, constants, to) {
        (Comparison::Less, [at], End::At(to)) => {
            order(at, to).is_some_and(|order| order != Ordering::Greater)
        }
        (Comparison::AtMost, [at], End::At(to)) => order(at, to) == Some(Ordering::Less),
        (Comparison::OneOf, ..) => within(how, constants),
        _ => false,
    };
    (*from == End::Min || condition.proves(&above)) && (*to == End::Max || condition.proves(&below))
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
            ("n = 11 OR (n > 11 AND n < 20)", true, false),
            ("n < 10 OR n >= 20", false, true),
            ("n BETWEEN 10 AND 19", true, false),
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
