//! Three-valued logic over what is known: which truth values can a condition have?

use super::condition::{Check, Comparison, Condition, Literal, Outcome};

/// The truth values that are possible. More than one is what is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Possible {
    /// It may be true.
    pub yes: bool,
    /// It may be false.
    pub no: bool,
    /// It may be NULL.
    pub null: bool,
}

impl Possible {
    /// True.
    pub const YES: Self = Self { yes: true, no: false, null: false };
    /// False.
    pub const NO: Self = Self { yes: false, no: true, null: false };
    /// NULL.
    pub const NULL: Self = Self { yes: false, no: false, null: true };
    /// True or false.
    pub const EITHER: Self = Self { yes: true, no: true, null: false };
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { yes: true, no: true, null: true };

    const fn of(value: bool) -> Self {
        if value { Self::YES } else { Self::NO }
    }

    const fn or_also(self, other: Self) -> Self {
        Self { yes: self.yes || other.yes, no: self.no || other.no, null: self.null || other.null }
    }

    const fn not(self) -> Self {
        Self { yes: self.no, no: self.yes, null: self.null }
    }

    const fn and(self, other: Self) -> Self {
        Self {
            yes: self.yes && other.yes,
            no: self.no || other.no,
            null: (self.null && (other.null || other.yes)) || (other.null && self.yes),
        }
    }
}

/// The truth values that the condition can have, where `known` says what is known of a column (by
/// qualifier and name).
pub fn evaluate(condition: &Condition, known: &dyn Fn(Option<&str>, &str) -> Outcome) -> Possible {
    match condition {
        Condition::All(list) => {
            list.iter().map(|c| evaluate(c, known)).fold(Possible::YES, Possible::and)
        }
        Condition::Any(list) => {
            let none = list.iter().map(|c| evaluate(c, known).not());
            none.fold(Possible::YES, Possible::and).not()
        }
        Condition::Not(inner) => evaluate(inner, known).not(),
        Condition::Test { qualifier, column, check } => match known(qualifier.as_deref(), column) {
            Outcome::Anything => Possible::UNKNOWN,
            Outcome::NotNull if *check == Check::Null => Possible::NO,
            Outcome::NotNull => Possible::UNKNOWN,
            Outcome::OneOf(values) => values
                .iter()
                .map(|value| checked(value, check))
                .reduce(Possible::or_also)
                .unwrap_or(Possible::UNKNOWN),
        },
        Condition::Other => Possible::UNKNOWN,
    }
}

fn checked(value: &Literal, check: &Check) -> Possible {
    match check {
        Check::Null => Possible::of(*value == Literal::Null),
        Check::Bare => truth(value),
        Check::Is(wanted) => match truth(value) {
            Possible::NULL => Possible::NO,
            known if known == Possible::of(*wanted) => Possible::YES,
            known if known == Possible::of(!wanted) => Possible::NO,
            _ => Possible::UNKNOWN,
        },
        Check::Compare(comparison, other) => compare(value, *comparison, other),
        Check::Same(other) => match (value, other) {
            (Literal::Null, Literal::Null) => Possible::YES,
            (Literal::Null, _) | (_, Literal::Null) => Possible::NO,
            _ => compare(value, Comparison::Equal, other),
        },
        Check::In(list) => {
            let unequal = list.iter().map(|other| compare(value, Comparison::Equal, other).not());
            unequal.fold(Possible::YES, Possible::and).not()
        }
    }
}

fn truth(value: &Literal) -> Possible {
    match value {
        Literal::Null => Possible::NULL,
        Literal::Bool(value) => Possible::of(*value),
        Literal::Int(number) => Possible::of(*number != 0),
        Literal::Text(_) => Possible::UNKNOWN,
    }
}

fn compare(value: &Literal, comparison: Comparison, other: &Literal) -> Possible {
    use std::cmp::Ordering;

    let ordering = match (value, other) {
        (Literal::Null, _) | (_, Literal::Null) => return Possible::NULL,
        (Literal::Int(a), Literal::Int(b)) => a.cmp(b),
        (Literal::Bool(a), Literal::Bool(b)) => a.cmp(b),
        // `TRUE` is 1 where truth values are stored as numbers.
        (Literal::Bool(a), Literal::Int(b)) => i128::from(*a).cmp(b),
        (Literal::Int(a), Literal::Bool(b)) => a.cmp(&i128::from(*b)),
        (Literal::Text(a), Literal::Text(b)) if a == b => Ordering::Equal,
        // Which of two texts comes first is the collation's business.
        (Literal::Text(a), Literal::Text(b)) if differ_everywhere(a, b) => {
            return match comparison {
                Comparison::Equal => Possible::NO,
                Comparison::Unequal => Possible::YES,
                _ => Possible::EITHER,
            };
        }
        (Literal::Text(_), Literal::Text(_)) => return Possible::EITHER,
        _ => return Possible::UNKNOWN,
    };
    Possible::of(match comparison {
        Comparison::Equal => ordering.is_eq(),
        Comparison::Unequal => ordering.is_ne(),
        Comparison::Less => ordering.is_lt(),
        Comparison::AtMost => ordering.is_le(),
        Comparison::More => ordering.is_gt(),
        Comparison::AtLeast => ordering.is_ge(),
    })
}

/// Whether the two texts are unequal under any collation: both are plain ASCII letters and digits,
/// and one holds a letter that the other does not, or not as often.
///
/// Comparing letter by letter would not do. Collations ignore case, spaces and punctuation; they
/// call `i`, `j` and `y` equal, or `u`, `v` and `w` (MySQL's `utf8mb4_roman_ci`, `_lithuanian_ci`,
/// `_swedish_ci`); they read `ddzs` as `dzsdzs` and `lly` as `lyly` (Hungarian, where `s`, `y` and `z` are what is
/// repeated), and `007` as `7` (ICU's `kn`).
fn differ_everywhere(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let class = |c: char| match c.to_ascii_lowercase() {
        'j' | 'y' => 'i',
        'v' | 'w' => 'u',
        c => c,
    };
    let count = |text: &str, of: char| text.chars().filter(|c| class(*c) == of).count();
    let told_by = |c: char| {
        let (in_a, in_b) = (count(a, c), count(b, c));
        (in_a == 0) != (in_b == 0) || (in_a != in_b && !['i', 's', 'z'].contains(&c))
    };
    let mut classes = a.chars().chain(b.chars()).map(class).filter(|c| *c != '0');
    plain(a) && plain(b) && classes.any(told_by)
}

#[cfg(test)]
mod tests {
    use super::super::{Tokens, condition};
    use super::*;

    fn possible(tokens: Tokens, text: &str, value: &Outcome) -> Possible {
        evaluate(&condition(tokens, text), &|qualifier, name| {
            let ours = name == "c" && qualifier.is_none_or(|table| table == "t");
            if ours { value.clone() } else { Outcome::Anything }
        })
    }

    #[test]
    fn a_condition_is_false_only_where_no_reading_makes_it_true() {
        use Tokens::{MySql, Postgres, Sqlite};

        let int = |n| Outcome::OneOf(vec![Literal::Int(n)]);
        let text = |t: &str| Outcome::OneOf(vec![Literal::Text(t.into())]);
        let yes = Outcome::OneOf(vec![Literal::Bool(true)]);
        let null = Outcome::OneOf(vec![Literal::Null]);
        // (dialect, condition, the new value of `c`, whether the row is excluded)
        let cases = [
            (Postgres, "c IS NULL", Outcome::NotNull, true),
            (Postgres, "t.c IS NULL AND b > now()", Outcome::NotNull, true),
            (Postgres, "x.c IS NULL", Outcome::NotNull, false),
            (Postgres, "c IS NULL", Outcome::Anything, false),
            (Postgres, "c IS NULL", null.clone(), false),
            (Postgres, "c = 1", null, true),
            (Postgres, "c IS NULL OR b", Outcome::NotNull, false),
            (Postgres, "c IS NULL OR c < 5", int(5), true),
            (Postgres, "(c IS NULL OR c < 5) AND a", int(5), true),
            (Postgres, "a AND (b OR c IS NULL)", int(5), false),
            (Postgres, "NOT (c IS NULL AND a)", int(5), false),
            (Postgres, "NOT (c IS NOT NULL OR a)", int(5), true),
            (Postgres, "c < 5", int(4), false),
            (Postgres, "c BETWEEN 1 AND 2 AND c IS NULL", int(5), true),
            (Postgres, "a BETWEEN 1 AND c IS NULL", int(5), false),
            (Postgres, "CASE WHEN a AND c IS NULL THEN true ELSE b END", int(5), false),
            (Postgres, "(SELECT a FROM x WHERE a AND c IS NULL)", int(5), false),
            (Postgres, "EXISTS (SELECT FROM x WHERE a AND c IS NULL)", int(5), false),
            (Postgres, "NOT c", yes.clone(), true),
            (Postgres, "c = false", yes.clone(), true),
            (Postgres, "c IS FALSE", yes.clone(), true),
            (Postgres, "c IS NOT TRUE", yes.clone(), true),
            (Postgres, "NOT c IS TRUE", yes.clone(), true),
            (Postgres, "NOT coalesce(c, false)", yes, false),
            (Postgres, "c = 'open'", text("closed"), true),
            (Postgres, "c = 'open'", text("OPEN"), false),
            (Postgres, "c = 'open '", text("closed"), false),
            (Postgres, "c = 'viewed'", text("uieued"), false),
            (Postgres, "c = '7'", text("007"), false),
            (Postgres, "c = 'ddzs'", text("dzsdzs"), false),
            (Postgres, "c = 'canceled'", text("cancelled"), true),
            (Postgres, "c IN ('a', 'b')", text("c"), true),
            (Postgres, "c IN ('a', lower(b))", text("c"), false),
            (Postgres, "c <> 'done'", text("done"), true),
            (Postgres, "c IS DISTINCT FROM 'done'", text("done"), true),
            (Postgres, "c IS DISTINCT FROM 'done'", text("DONE"), false),
            (Postgres, "lower(c) <> 'done'", text("done"), false),
            (Postgres, "c || 'a' IS NULL", Outcome::NotNull, false),
            (Postgres, "c = 1", text("a"), false),
            (MySql, "NOT (c <=> 'done')", text("done"), true),
            (MySql, "NOT c <=> 'done'", text("done"), false),
            (MySql, "a || b AND c IS NULL", Outcome::NotNull, false),
            (MySql, "a XOR b AND c IS NULL", Outcome::NotNull, false),
            (MySql, "a && c IS NULL", Outcome::NotNull, true),
            (MySql, "(a || b) AND c IS NULL", Outcome::NotNull, true),
            (MySql, "c = \"open\"", text("closed"), false),
            (Sqlite, "c IS NULL /* OR */ AND a", Outcome::NotNull, true),
            (Sqlite, "c ISNULL", Outcome::NotNull, false),
            (Sqlite, "c = NULL", int(1), true),
        ];
        for (tokens, sql, value, excluded) in cases {
            assert_eq!(!possible(tokens, sql, &value).yes, excluded, "{sql} with {value:?}");
        }
    }

    #[test]
    fn connectives_follow_the_truth_tables() {
        let values = [Possible::YES, Possible::NO, Possible::NULL];
        for a in values {
            for b in values {
                let expected = match (a, b) {
                    (Possible::NO, _) | (_, Possible::NO) => Possible::NO,
                    (Possible::NULL, _) | (_, Possible::NULL) => Possible::NULL,
                    _ => Possible::YES,
                };
                assert_eq!(a.and(b), expected, "{a:?} AND {b:?}");
            }
        }
    }
}
