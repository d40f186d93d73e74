//! Whether a change was made, by what the database says: exit codes and texts are hints.
//!
//! Pure. A tool makes a copy, changes it, and puts it in the place of the table by a rename, with which
//! InnoDB's number of the table goes along: so the number says which of the two stands there, also where
//! both look alike. Where no number can be told, what they consist of has to say it.

use crate::target::Shape;

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The table is as planned.
    Done,
    /// The table is as it was.
    NotDone,
    /// It cannot be told; what was seen.
    Unknown(String),
}

impl Verdict {
    /// Its name in the journal and in JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotDone => "not_done",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// Judges what stands in the place of a table `now`, which was `before` when the change began. `copy` is the
/// tool's altered copy as it was last seen; without one, or where the server itself makes the change, it is
/// an empty table that was changed in the same way, with no identity.
#[must_use]
pub fn judge(before: &Shape, copy: Option<&Shape>, now: Option<&Shape>) -> Verdict {
    let Some(now) = now else {
        return Verdict::Unknown(
            "there is no table of that name any more: somebody dropped it or gave it another name, or a \
             swap of two tables was cut in the middle; look for it before anything is dropped"
                .to_owned(),
        );
    };
    let names = Names::of([Some(before), copy, Some(now)].into_iter().flatten());
    let as_before = names.bare(before) == names.bare(now);
    let as_copy = copy.map(|copy| names.bare(copy) == names.bare(now));
    let is = |shape: &Shape| {
        let known = !shape.identity.is_empty() && !now.identity.is_empty();
        known.then(|| shape.identity == now.identity)
    };
    match (as_before, as_copy, is(before), copy.and_then(is)) {
        // The very table that the tool has altered.
        (_, Some(true), _, Some(true)) => Verdict::Done,
        (_, Some(false), _, Some(true)) => Verdict::Unknown(format!(
            "the tool's copy stands in its place, and was changed since: {}",
            names.difference(copy.unwrap_or(before), now)
        )),
        // The very table that was there; the server may change one in its place.
        (true, _, Some(true), _) => Verdict::NotDone,
        (false, Some(true), ..) => Verdict::Done,
        (false, ..) => Verdict::Unknown(format!(
            "it is neither as it was nor as planned: {}",
            names.difference(before, now)
        )),
        // As it was, and another table, or nobody can tell: the difference alone decides.
        (true, Some(false) | None, None, _) => Verdict::NotDone,
        (true, Some(false), Some(false), _) => Verdict::NotDone,
        (true, ..) => Verdict::Unknown(
            "it looks as it did before, which is also what the change makes of it, and the server does not \
             tell which of the two tables it is; `GRANT PROCESS ON *.* TO …` would let it"
                .to_owned(),
        ),
    }
}

/// The names that the table had, which stand in those of its constraints.
struct Names(Vec<String>);

impl Names {
    fn of<'a>(shapes: impl Iterator<Item = &'a Shape>) -> Self {
        let name = |shape: &Shape| {
            let first = shape.definition.lines().next()?.strip_prefix("CREATE TABLE `")?;
            Some(first.strip_suffix("` (")?.trim_start_matches('_').to_owned())
        };
        let mut names: Vec<String> = shapes.filter_map(name).collect();
        // `orders_gho` before `orders`, which it begins with.
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        names.dedup();
        Self(names)
    }

    /// What it consists of, without what a copy has in its own way: its name, the next number, and the names
    /// of its constraints. MySQL numbers checks anew in a copy, also those that have a name;
    /// pt-online-schema-change puts `_` before a foreign key's name, or takes it away.
    fn bare(&self, shape: &Shape) -> Vec<String> {
        shape
            .definition
            .lines()
            .enumerate()
            .map(|(at, line)| match line {
                line if at == 0 && line.starts_with("CREATE TABLE `") => {
                    "CREATE TABLE (".to_owned()
                }
                line if line.starts_with("  CONSTRAINT `") => self.constraint(line),
                line if line.starts_with(") ") => without_number(line),
                line => line.to_owned(),
            })
            // The last of them has no comma, whichever it is.
            .map(|line| line.trim_end_matches(',').to_owned())
            .collect()
    }

    fn constraint(&self, line: &str) -> String {
        let Some((name, rest)) = line["  CONSTRAINT `".len()..].split_once("` ") else {
            return line.to_owned();
        };
        if rest.starts_with("CHECK ") {
            return format!("  CONSTRAINT {rest}");
        }
        let bare = name.trim_start_matches('_');
        let bare =
            self.0.iter().find_map(|table| bare.strip_prefix(table.as_str())).unwrap_or(bare);
        format!("  CONSTRAINT `{}` {rest}", bare.trim_start_matches('_'))
    }

    /// The first lines that are in one alone, for people.
    fn difference(&self, one: &Shape, other: &Shape) -> String {
        let (one, other) = (self.bare(one), self.bare(other));
        let only = |of: &[String], without: &[String]| {
            of.iter().find(|line| !without.contains(line)).map(|line| line.trim().to_owned())
        };
        match (only(&one, &other), only(&other, &one)) {
            (Some(was), Some(is)) => format!("`{was}` was expected, and it has `{is}`"),
            (Some(was), None) => format!("`{was}` is missing"),
            (None, Some(is)) => format!("`{is}` is new"),
            (None, None) => "its parts stand in another order".to_owned(),
        }
    }
}

/// The last line without the next number of the table, which goes on by itself. A comment, which comes after
/// it, may hold anything.
fn without_number(line: &str) -> String {
    let options = line.find(" COMMENT='").unwrap_or(line.len());
    let Some(at) = line[..options].find(" AUTO_INCREMENT=") else { return line.to_owned() };
    let behind = &line[at + " AUTO_INCREMENT=".len()..];
    format!("{}{}", &line[..at], behind.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(name: &str, column: &str, constraints: &[&str], options: &str, id: &str) -> Shape {
        let mut lines = vec![format!("CREATE TABLE `{name}` ("), format!("  `c` {column},")];
        lines.push("  PRIMARY KEY (`id`),".to_owned());
        lines.extend(constraints.iter().map(|one| format!("  CONSTRAINT {one},")));
        if let Some(last) = lines.last_mut() {
            last.pop();
        }
        lines.push(format!(") ENGINE=InnoDB{options}"));
        Shape { definition: lines.join("\n"), identity: id.to_owned() }
    }

    fn plain(name: &str, column: &str, id: &str) -> Shape {
        shape(name, column, &[], "", id)
    }

    #[test]
    fn the_copy_in_its_place_is_done_and_the_old_table_is_not() {
        let (before, copy) =
            (plain("t", "decimal(10,2)", "7"), plain("_t_gho", "decimal(12,3)", "9"));
        let judged = |now: &Shape| judge(&before, Some(&copy), Some(now));
        assert_eq!(judged(&plain("t", "decimal(12,3)", "9")), Verdict::Done);
        assert_eq!(judged(&before), Verdict::NotDone);
        // Without rights, what they consist of decides.
        assert_eq!(judged(&plain("t", "decimal(12,3)", "")), Verdict::Done);
        assert_eq!(judged(&plain("t", "decimal(10,2)", "")), Verdict::NotDone);
        // The server changed it in its place, or built the old one anew.
        assert_eq!(judged(&plain("t", "decimal(12,3)", "7")), Verdict::Done);
        assert_eq!(judged(&plain("t", "decimal(10,2)", "11")), Verdict::NotDone);
    }

    #[test]
    fn a_change_that_shows_nowhere_is_told_by_the_table_alone() {
        let (before, copy) = (plain("t", "int", "7"), plain("_t_new", "int", "9"));
        let judged = |id: &str| judge(&before, Some(&copy), Some(&plain("t", "int", id)));
        assert_eq!(judged("9"), Verdict::Done);
        assert_eq!(judged("7"), Verdict::NotDone);
        for id in ["", "11"] {
            assert!(matches!(judged(id), Verdict::Unknown(_)), "{id}");
        }
    }

    #[test]
    fn what_is_neither_is_unknown_and_says_what_was_seen() {
        let (before, copy) = (plain("t", "int", "7"), plain("_t_gho", "bigint", "9"));
        let unknown = |now: Option<&Shape>, words: &str| match judge(&before, Some(&copy), now) {
            Verdict::Unknown(why) => assert!(why.contains(words), "{why}"),
            other => panic!("{other:?}"),
        };
        unknown(None, "no table of that name");
        unknown(Some(&plain("t", "text", "7")), "`c` text");
        unknown(Some(&plain("t", "text", "9")), "copy stands in its place, and was changed since");
        // A copy that was renamed into the place before it was altered.
        unknown(Some(&plain("t", "int", "9")), "changed since");
        assert!(matches!(judge(&before, None, Some(&copy)), Verdict::Unknown(_)));
        assert_eq!(judge(&before, None, Some(&before)), Verdict::NotDone);
    }

    #[test]
    fn names_and_numbers_of_a_copy_are_its_own() {
        let before = shape(
            "orders",
            "int",
            &[
                "`orders_chk_1` CHECK ((`c` < 9))",
                "`fk_user` FOREIGN KEY (`c`) REFERENCES `u` (`id`)",
            ],
            " AUTO_INCREMENT=412 DEFAULT CHARSET=utf8mb4 COMMENT='AUTO_INCREMENT=5'",
            "",
        );
        let copy = shape(
            "_orders_new",
            "int",
            &[
                "`_orders_new_chk_1` CHECK ((`c` < 9))",
                "`_fk_user` FOREIGN KEY (`c`) REFERENCES `u` (`id`)",
            ],
            " DEFAULT CHARSET=utf8mb4 COMMENT='AUTO_INCREMENT=5'",
            "",
        );
        let names = Names::of([&before, &copy].into_iter());
        assert_eq!(names.bare(&before), names.bare(&copy));
        let own = shape(
            "orders",
            "int",
            &["`orders_ibfk_1` FOREIGN KEY (`c`) REFERENCES `u` (`id`)"],
            "",
            "",
        );
        let its = shape(
            "_orders_new",
            "int",
            &["`_orders_ibfk_1` FOREIGN KEY (`c`) REFERENCES `u` (`id`)"],
            "",
            "",
        );
        assert_eq!(names.bare(&own), names.bare(&its));
        let other =
            shape("orders", "int", &["`fk_user` FOREIGN KEY (`c`) REFERENCES `v` (`id`)"], "", "");
        assert_ne!(names.bare(&own), names.bare(&other));
    }
}
