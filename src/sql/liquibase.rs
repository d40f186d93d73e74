//! Liquibase's formatted SQL: a file of changesets, each with its own transaction, its own way to end
//! a statement, and the databases that it is for.
//!
//! What is not run becomes blanks, so that every statement stands where it stands in the file. The
//! clauses are those of `AbstractFormattedChangeLogParser` and `FormattedSqlChangeLogParser` in
//! Liquibase's source: they are found line by line, in any case, with or without blanks behind `--`.

use std::ops::Range;

use crate::catalog::Engine;

/// A file of changesets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changelog {
    /// As long as the file: the SQL that is run, with its properties filled in, and comments.
    pub text: String,
    /// In the order of the file. Together they cover it.
    pub changesets: Vec<Changeset>,
}

/// One changeset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changeset {
    /// Where it stands, in bytes: from its line to that of the next.
    pub span: Range<usize>,
    /// Whether Liquibase opens a transaction for it.
    pub in_transaction: bool,
    /// What ends its statements.
    pub ends: Ends,
}

/// What ends a statement, by `StringUtil.processMultiLineSQL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ends {
    /// `;`, as the database's own client has it, and a line that is `/` or `go`.
    Client,
    /// A text that stands outside of quotes and comments.
    Text(String),
    /// Nothing: all of it is one text (`splitStatements:false`).
    Never,
    /// A pattern that is not read here, as it is written.
    Unread(String),
}

/// What the line of a changeset says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Head {
    in_transaction: bool,
    runs: bool,
    ends: Ends,
}

/// Reads a file that says in its first line that it is one; `None` for any other.
///
/// A changeset that is for other databases, or to be ignored, is blank. One with a context or a label
/// may be run, so it stands.
#[must_use]
pub fn changelog(text: &str, engine: Engine) -> Option<Changelog> {
    let first = text.trim_start_matches('\u{feff}').lines().find(|line| !line.trim().is_empty())?;
    comment(first)?.to_lowercase().starts_with("liquibase formatted sql").then_some(())?;
    let mut log = Changelog { text: String::with_capacity(text.len()), changesets: Vec::new() };
    let mut properties: Vec<(String, String)> = Vec::new();
    // What stands before the first changeset: Liquibase runs none of it, and nothing should.
    let mut head = Head { in_transaction: true, runs: true, ends: Ends::Client };
    let mut start = 0;
    let mut ignored = Ignored::No;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let said = comment(line).map(str::trim).unwrap_or_default();
        if ignored.takes(said) {
            log.text.push_str(&blank(line));
        } else if let Some(attributes) = clause(said, "changeset") {
            if start < at {
                log.changesets.push(head.changeset(start..at));
            }
            (head, start) = (Head::of(attributes, engine), at);
            log.text.push_str(&blank(line));
        } else if let Some(property) = clause(said, "property") {
            properties.extend(read_property(property, engine));
            log.text.push_str(&blank(line));
        } else if !head.runs || is_clause(said) {
            log.text.push_str(&blank(line));
        } else if head.ends == Ends::Client && is_end(line) {
            log.text.push_str(&blank(line).replacen(' ', ";", 1));
        } else {
            log.text.push_str(&filled(line, &properties));
        }
        at += line.len();
    }
    log.changesets.push(head.changeset(start..at));
    Some(log)
}

impl Head {
    fn of(attributes: &str, engine: Engine) -> Self {
        let says = |name: &str, value: &str| {
            attribute(attributes, name).is_some_and(|said| said.eq_ignore_ascii_case(value))
        };
        // Liquibase looks for `splitStatements:` without regard to what stands before it, and so
        // finds it in `rollbackSplitStatements:false` as well.
        let whole = says("splitStatements", "false")
            || (attribute(attributes, "splitStatements").is_none()
                && says("rollbackSplitStatements", "false"));
        // What another program runs for Liquibase (`runWith:psql`) commits each statement by itself.
        let native = attribute(attributes, "runWith").is_some_and(|with| with != "jdbc");
        let ends = if whole {
            Ends::Never
        } else {
            attribute(attributes, "endDelimiter").map_or(Ends::Client, |pattern| ends(&pattern))
        };
        Self {
            in_transaction: !native && !says("runInTransaction", "false"),
            runs: !says("ignore", "true")
                && attribute(attributes, "dbms").is_none_or(|databases| is_for(&databases, engine)),
            ends,
        }
    }

    fn changeset(&self, span: Range<usize>) -> Changeset {
        Changeset { span, in_transaction: self.in_transaction, ends: self.ends.clone() }
    }
}

/// Lines that are left out: `--ignoreLines:start` to `:end`, or a number of them.
#[derive(Debug, Clone, Copy)]
enum Ignored {
    No,
    ToTheEnd,
    More(usize),
}

impl Ignored {
    /// Whether a line, of which this is the comment if it is one, is left out.
    fn takes(&mut self, said: &str) -> bool {
        let value = clause(said, "ignoreLines").map(str::to_lowercase);
        match (*self, value.as_deref()) {
            (_, Some("start")) => *self = Self::ToTheEnd,
            (_, Some("end")) => *self = Self::No,
            (_, Some(number)) => *self = number.parse().map_or(Self::No, Self::More),
            (Self::No | Self::More(0), None) => {
                *self = Self::No;
                return false;
            }
            (Self::ToTheEnd, None) => {}
            (Self::More(left), None) => *self = Self::More(left - 1),
        }
        true
    }
}

/// What stands behind the `--` of a line.
fn comment(line: &str) -> Option<&str> {
    line.trim_start_matches('\u{feff}').trim().strip_prefix("--").map(str::trim_start)
}

/// What stands behind a word of Liquibase's and the `:` or blank that follows it.
fn clause<'a>(said: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = said.split_at_checked(word.len())?;
    let follows = rest.is_empty() || rest.starts_with([':', ' ', '\t']);
    (head.eq_ignore_ascii_case(word) && follows)
        .then(|| rest.trim_start_matches([':', ' ', '\t']).trim_end())
}

/// Whether a line alone ends a statement where no other end is given: `/` and `go`.
fn is_end(line: &str) -> bool {
    let line = line.trim_end();
    line == "/" || line.eq_ignore_ascii_case("go")
}

/// Whether a comment is a clause that runs nothing. `--rollback` is the way back, and what a
/// precondition asks changes nothing.
fn is_clause(said: &str) -> bool {
    let word = said.split([':', ' ', '\t']).next().unwrap_or_default().to_lowercase();
    matches!(word.as_str(), "rollback" | "preconditions" | "comment" | "validchecksum" | "labels")
        || word.starts_with("precondition-")
}

/// The value of an attribute, `name:value` or `name:"several words"`.
fn attribute(attributes: &str, name: &str) -> Option<String> {
    let lower = attributes.to_ascii_lowercase();
    let wanted = format!("{}:", name.to_ascii_lowercase());
    let mut from = 0;
    loop {
        let found = from + lower[from..].find(&wanted)?;
        from = found + wanted.len();
        if lower[..found].is_empty() || lower[..found].ends_with([' ', '\t']) {
            break;
        }
    }
    let value = &attributes[from..];
    let quoted = |quote: char| value.strip_prefix(quote)?.split_once(quote).map(|(value, _)| value);
    let plain = || value.split([' ', '\t']).next().unwrap_or_default();
    Some(quoted('"').or_else(|| quoted('\'')).unwrap_or_else(plain).to_owned())
}

/// Whether a list of databases, each perhaps with a `!` before it, means this one
/// (`DatabaseList.definitionMatches`).
///
/// A MariaDB that is reached by MySQL's driver is one or the other by Liquibase's version: both names
/// mean it, and neither `!mysql` nor `!mariadb` alone keeps a changeset from it.
fn is_for(databases: &str, engine: Engine) -> bool {
    let own: &[&str] = match engine {
        Engine::Postgres => &["postgresql"],
        Engine::MySql => &["mysql"],
        Engine::MariaDb => &["mariadb", "mysql"],
        Engine::Sqlite => &["sqlite"],
    };
    let all: Vec<String> = databases.split(',').map(|one| one.trim().to_lowercase()).collect();
    let names = |one: &str| own.contains(&one);
    let (not, yes): (Vec<_>, Vec<_>) = all.iter().partition(|one| one.starts_with('!'));
    if own.iter().all(|own| not.iter().any(|one| one[1..] == **own)) {
        return false;
    }
    yes.is_empty() || yes.iter().any(|one| *one == "all" || names(one))
}

/// What an `endDelimiter` is: it is a regular expression, and almost always a plain text.
fn ends(pattern: &str) -> Ends {
    let mut text = String::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('t') => text.push('\t'),
                Some(sign) if !sign.is_alphanumeric() => text.push(sign),
                _ => return Ends::Unread(pattern.to_owned()),
            },
            // As the only letters of a pattern they are meant as they are, and Liquibase quotes them.
            '$' | '|' | '.' | '*' | '+' | '?' if pattern.chars().all(|one| one == letter) => {
                text.push(letter);
            }
            '^' | '$' | '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' => {
                return Ends::Unread(pattern.to_owned());
            }
            letter => text.push(letter),
        }
    }
    match text.trim() {
        "" => Ends::Unread(pattern.to_owned()),
        ";" => Ends::Client,
        // A division elsewhere: it ends a statement only where it begins a line.
        "/" => Ends::Text("\n/".to_owned()),
        _ => Ends::Text(text),
    }
}

/// `--property name:schema value:shop dbms:postgresql`.
fn read_property(property: &str, engine: Engine) -> Option<(String, String)> {
    let for_this = attribute(property, "dbms").is_none_or(|databases| is_for(&databases, engine));
    for_this.then_some(())?;
    Some((attribute(property, "name")?, attribute(property, "value")?))
}

/// A line with the properties that it names, as long as before: what is shorter than its name moves
/// what follows it in the same word, and a blank fills the place behind that. A value that is longer
/// than `${its name}` cannot stand there, and the statement is then one that nobody can read.
fn filled(line: &str, properties: &[(String, String)]) -> String {
    let mut line = line.to_owned();
    for (name, value) in properties {
        let mark = format!("${{{name}}}");
        let mut from = 0;
        while let Some(found) = line[from..].find(&mark).map(|at| from + at) {
            let Some(room) = mark.len().checked_sub(value.len()) else { break };
            let behind = found + mark.len();
            let rest = &line[behind..];
            let end = rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len());
            let word = line[behind..behind + end].to_owned();
            line.replace_range(found..behind + end, &format!("{value}{word}{}", " ".repeat(room)));
            from = found + value.len();
        }
    }
    line
}

/// What may follow a property in one word: a name goes on, also behind a dot or in quotes.
fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '$' | '.' | '{' | '}' | '"' | '`')
}

/// As many bytes, all of them blanks, but for the end of the line.
fn blank(line: &str) -> String {
    line.bytes()
        .map(|byte| if matches!(byte, b'\n' | b'\r') { char::from(byte) } else { ' ' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, engine: Engine) -> Changelog {
        let log = changelog(text, engine).unwrap();
        assert_eq!(log.text.len(), text.len());
        let mut end = 0;
        for changeset in &log.changesets {
            assert_eq!(changeset.span.start, end);
            end = changeset.span.end;
        }
        assert_eq!(end, text.len());
        log
    }

    #[test]
    fn a_file_says_in_its_first_line_that_it_is_one() {
        for text in [
            "--liquibase formatted sql\n",
            "\n-- Liquibase Formatted SQL \n",
            "\u{feff}--liquibase formatted sql logicalFilePath:a.sql",
        ] {
            assert!(changelog(text, Engine::Postgres).is_some(), "{text}");
        }
        for text in ["", "SELECT 1;\n--liquibase formatted sql", "-- formatted sql"] {
            assert!(changelog(text, Engine::Postgres).is_none(), "{text}");
        }
    }

    #[test]
    fn each_changeset_has_its_own_way() {
        let text = "--liquibase formatted sql\n\n--changeset ann:1\nSELECT 1;\n\
                    -- ChangeSet ann:2 runInTransaction:FALSE endDelimiter://\nSELECT 2//\n\
                    --changeset ann:3 splitStatements:false\nSELECT 3\n\
                    --changeset ann:4 runWith:psql\nSELECT 4;\n";
        let log = read(text, Engine::Postgres);
        let ways: Vec<_> =
            log.changesets.iter().map(|one| (one.in_transaction, one.ends.clone())).collect();
        assert_eq!(
            ways,
            [
                (true, Ends::Client),
                (true, Ends::Client),
                (false, Ends::Text("//".to_owned())),
                (true, Ends::Never),
                (false, Ends::Client),
            ]
        );
    }

    #[test]
    fn what_is_not_run_is_blank() {
        let text = "--liquibase formatted sql\n--changeset a:1 dbms:oracle,h2\nA;\n\
                    --changeset a:2 dbms:\"postgresql, h2\"\nB;\n--rollback C;\n--comment: D\n\
                    --preconditions onFail:HALT\n--precondition-sql-check expectedResult:0 SELECT 1\n\
                    --changeset a:3 ignore:true\nE;\n--changeset a:4 dbms:!postgresql\nF;\n\
                    --changeset a:5 context:test labels:x\nG;\n--ignoreLines:1\nH;\nI;\n\
                    --ignoreLines:start\n--changeset a:6\nJ;\n--ignoreLines:end\nK\ngo\nL\n/\n\n-- backstop: forward-only\n";
        let log = read(text, Engine::Postgres);
        let left: Vec<&str> = log.text.split_whitespace().collect();
        let whole = "--liquibase formatted sql B; G; I; K ; L ; -- backstop: forward-only";
        assert_eq!(left.join(" "), whole);
    }

    #[test]
    fn databases_are_meant_by_name() {
        let cases = [
            ("postgresql", Engine::Postgres, true),
            ("PostgreSQL, oracle", Engine::Postgres, true),
            ("oracle", Engine::Postgres, false),
            ("!oracle", Engine::Postgres, true),
            ("!postgresql", Engine::Postgres, false),
            ("all", Engine::Sqlite, true),
            ("mysql", Engine::MariaDb, true),
            ("!mysql", Engine::MariaDb, true),
            ("!mysql,!mariadb", Engine::MariaDb, false),
            ("mariadb", Engine::MySql, false),
        ];
        for (databases, engine, expected) in cases {
            assert_eq!(is_for(databases, engine), expected, "{databases} on {engine:?}");
        }
    }

    #[test]
    fn properties_are_filled_in_where_they_fit() {
        let properties = [("schema".to_owned(), "shop".to_owned())];
        let cases = [
            ("DROP TABLE ${schema}.orders;\n", "DROP TABLE shop.orders     ;\n"),
            ("DROP TABLE ${schema}_x, ${schema}_y;", "DROP TABLE shop_x     , shop_y     ;"),
            ("DROP TABLE ${other}.orders;", "DROP TABLE ${other}.orders;"),
        ];
        for (line, expected) in cases {
            assert_eq!(filled(line, &properties), expected);
        }
        let long = [("a".to_owned(), "longer".to_owned())];
        assert_eq!(filled("DROP TABLE ${a};", &long), "DROP TABLE ${a};");
    }

    #[test]
    fn delimiters_are_texts_or_said_to_be_unread() {
        let text = |text: &str| Ends::Text(text.to_owned());
        let unread = |text: &str| Ends::Unread(text.to_owned());
        let cases = [
            (";", Ends::Client),
            ("//", text("//")),
            ("/", text("\n/")),
            ("$$", text("$$")),
            ("|", text("|")),
            ("\\n/", text("\n/")),
            ("\\$\\$", text("$$")),
            (";\\s*\\n", unread(";\\s*\\n")),
            ("go|GO", unread("go|GO")),
        ];
        for (pattern, expected) in cases {
            assert_eq!(ends(pattern), expected, "{pattern}");
        }
    }
}
