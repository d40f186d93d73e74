//! The relations that a query names, and the functions that it calls, found without a grammar of
//! expressions: by the words that stand before a table.

use std::collections::{HashMap, HashSet};

use super::cursor::Cursor;
use super::statement::{Name, Query};

/// A table where a query reads it.
#[derive(Debug, Clone)]
pub(in crate::sql) struct Relation {
    pub(in crate::sql) name: Name,
    pub(in crate::sql) alias: Option<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub(in crate::sql) struct Found {
    pub(in crate::sql) relations: Vec<Relation>,
    pub(in crate::sql) calls: Vec<(String, Vec<String>)>,
    pub(in crate::sql) locks_rows: bool,
}

/// With what a text begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sql) enum Start {
    /// A query or an expression.
    Query,
    /// A list of tables, as behind `FROM`.
    Tables,
}

/// Words behind a table that are no alias of it.
const NO_ALIAS: &[&str] = &[
    "join",
    "inner",
    "left",
    "right",
    "cross",
    "natural",
    "straight_join",
    "full",
    "outer",
    "on",
    "using",
    "where",
    "group",
    "having",
    "order",
    "limit",
    "union",
    "except",
    "intersect",
    "minus",
    "set",
    "use",
    "force",
    "ignore",
    "partition",
    "for",
    "lock",
    "window",
    "into",
    "procedure",
    "values",
    "select",
    "indexed",
    "not",
    "returning",
    "fetch",
    "offset",
    "tablesample",
    "do",
    "then",
    "with",
];

/// Words that end the list of tables of a query.
const ENDS_LIST: &[&str] = &[
    "where",
    "group",
    "having",
    "order",
    "limit",
    "union",
    "except",
    "intersect",
    "minus",
    "window",
    "procedure",
    "set",
    "values",
    "returning",
    "into",
];

/// Words before a parenthesis that call nothing.
const NO_CALL: &[&str] = &[
    "in",
    "and",
    "or",
    "not",
    "where",
    "on",
    "using",
    "values",
    "value",
    "as",
    "from",
    "join",
    "select",
    "exists",
    "any",
    "all",
    "some",
    "over",
    "union",
    "case",
    "when",
    "then",
    "else",
    "between",
    "like",
    "regexp",
    "rlike",
    "div",
    "xor",
    "by",
    "set",
    "index",
    "key",
    "partition",
    "interval",
    "distinct",
    "having",
    "limit",
    "return",
    "with",
    "is",
    "except",
    "intersect",
    "minus",
    "end",
    "into",
    "update",
    "lateral",
    "recursive",
    "materialized",
    "filter",
    "glob",
    "do",
    "collate",
    "unique",
    "primary",
    "references",
    "check",
    "default",
    "row",
];

/// Words that are no name of anything in a query.
const WORDS: &[&str] = &[
    "select",
    "from",
    "where",
    "group",
    "order",
    "by",
    "having",
    "limit",
    "offset",
    "union",
    "all",
    "distinct",
    "as",
    "on",
    "using",
    "join",
    "inner",
    "left",
    "right",
    "outer",
    "cross",
    "natural",
    "straight_join",
    "and",
    "or",
    "not",
    "in",
    "is",
    "null",
    "like",
    "between",
    "exists",
    "case",
    "when",
    "then",
    "else",
    "end",
    "asc",
    "desc",
    "with",
    "recursive",
    "true",
    "false",
    "interval",
    "over",
    "partition",
    "rows",
    "range",
    "unbounded",
    "preceding",
    "following",
    "current",
    "row",
    "div",
    "mod",
    "xor",
    "regexp",
    "rlike",
    "collate",
    "escape",
    "any",
    "some",
    "for",
    "update",
    "option",
    "cascaded",
    "local",
    "check",
    "values",
    "except",
    "intersect",
    "window",
    "dual",
    "cast",
    "convert",
    "glob",
    "isnull",
    "notnull",
];

/// The names that the `WITH`s of a statement give, in lower case, and from which token on each is
/// known.
pub(in crate::sql) struct Commons(HashMap<String, usize>);

impl Commons {
    /// Of a whole statement.
    pub(in crate::sql) fn of(mut c: Cursor<'_>) -> Self {
        let mut found = HashMap::new();
        while !c.done() {
            if c.eat("WITH") {
                let recursive = c.eat("RECURSIVE");
                let begins = c.at();
                // The inside of each is gone through again for what it holds itself.
                let mut list = c;
                while let Some((name, ends)) = common(&mut list) {
                    let from = if recursive { begins } else { ends };
                    found.entry(name.to_lowercase()).or_insert(from);
                    if !list.symbol(',') {
                        break;
                    }
                }
            }
            step(&mut c);
        }
        Self(found)
    }

    fn holds(&self, name: &Name, at: usize) -> bool {
        name.schema.is_none()
            && !self.0.is_empty()
            && self.0.get(&name.name.to_lowercase()).is_some_and(|from| *from <= at)
    }
}

/// `name [(columns)] AS (…)`: the name, and where it ends.
fn common(c: &mut Cursor<'_>) -> Option<(String, usize)> {
    let name = c.name()?;
    let _ = c.group();
    if !c.eat("AS") {
        return None;
    }
    c.eat_while(&["NOT", "MATERIALIZED"]);
    c.group()?;
    Some((name, c.at()))
}

/// One token further, also into a parenthesis.
fn step(c: &mut Cursor<'_>) {
    if !c.symbol('(') {
        c.skip();
    }
}

/// What is known of one parenthesis, or of what stands outside of all.
#[derive(Clone, Copy)]
struct Level {
    /// `FROM` in it is followed by tables, and is not part of `EXTRACT(… FROM …)`.
    query: bool,
    /// The list of tables goes on: a comma is followed by another one.
    list: bool,
    /// A table is next.
    expect: bool,
}

/// Looks through all that is left.
pub(in crate::sql) fn scan(c: Cursor<'_>, start: Start, commons: &Commons) -> Found {
    let tables = start == Start::Tables;
    let mut scanner = Scanner {
        c,
        level: Level { query: true, list: tables, expect: tables },
        outer: Vec::new(),
        commons,
        found: Found::default(),
    };
    while !scanner.c.done() {
        scanner.step();
    }
    scanner.found
}

/// As [`scan`], with the names that `WITH` gives in it.
pub(in crate::sql) fn query(c: Cursor<'_>) -> Query {
    into_query(scan(c, Start::Query, &Commons::of(c)))
}

/// What was found, each relation once.
pub(in crate::sql) fn into_query(found: Found) -> Query {
    Query {
        reads: distinct(found.relations.into_iter().map(|relation| relation.name)),
        locks_rows: found.locks_rows,
        calls: found.calls,
        ..Query::default()
    }
}

/// Each once, in the order of their first mention.
pub(in crate::sql) fn distinct(all: impl Iterator<Item = Name>) -> Vec<Name> {
    let mut seen = HashSet::new();
    all.filter(|name| seen.insert(name.clone())).collect()
}

/// Every name in it that may be one of a column or a table.
pub(in crate::sql) fn identifiers(mut c: Cursor<'_>) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    while !c.done() {
        let calls = c.word().is_some() && c.is_symbol_at(1, '(');
        match c.name_unless(WORDS) {
            Some(name) => {
                if !calls && seen.insert(name.clone()) {
                    found.push(name);
                }
            }
            None => step(&mut c),
        }
    }
    found
}

struct Scanner<'a, 'b> {
    c: Cursor<'a>,
    level: Level,
    outer: Vec<Level>,
    commons: &'b Commons,
    found: Found,
}

impl Scanner<'_, '_> {
    fn step(&mut self) {
        if self.c.symbol('(') {
            let tables = self.level.expect;
            self.level.expect = false;
            self.outer.push(self.level);
            self.level = Level { query: false, list: tables, expect: tables };
        } else if self.c.symbol(')') {
            self.level = self.outer.pop().unwrap_or(self.level);
        } else if self.c.symbol(',') {
            self.level.expect = self.level.list;
        } else if self.c.symbol(';') {
            // The statement of a body that was not told apart from the next.
            self.level = Level { query: true, list: false, expect: false };
        } else if self.level.expect {
            self.table();
        } else if !self.keyword() {
            self.operand();
        }
    }

    /// Where a table must stand.
    fn table(&mut self) {
        if self.c.is_any(&["SELECT", "WITH", "VALUES", "TABLE"]) {
            self.keyword();
            return;
        }
        if self.c.eat_any(&["LATERAL", "ONLY", "OJ"]).is_some() || self.c.symbol('{') {
            return;
        }
        let at = self.c.at();
        let mut ahead = self.c;
        self.level.expect = false;
        let Some(name) = ahead.qualified() else {
            self.c.skip();
            return;
        };
        if ahead.is_symbol('(') {
            self.operand();
            return;
        }
        self.c = ahead;
        let alias = self.alias();
        let is_dual = name.schema.is_none() && name.name.eq_ignore_ascii_case("dual");
        if !is_dual && !self.commons.holds(&name, at) {
            self.found.relations.push(Relation { name, alias });
        }
    }

    fn alias(&mut self) -> Option<String> {
        let mut ahead = self.c;
        if ahead.eat("PARTITION") {
            let _ = ahead.group();
        }
        let named = ahead.eat("AS");
        let alias = if named { ahead.name() } else { ahead.name_unless(NO_ALIAS) };
        if alias.is_some() {
            self.c = ahead;
        }
        alias
    }

    /// A word that says where tables stand. Whether it was one.
    fn keyword(&mut self) -> bool {
        let Some(word) = self.c.word() else { return false };
        let mut ahead = self.c;
        ahead.skip();
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        let known = |words: &[&str]| words.iter().any(|word| is(word));
        if is("select") || is("with") {
            self.level = Level { query: true, list: false, expect: false };
        } else if is("table") {
            self.level = Level { query: true, list: true, expect: true };
        } else if is("from") {
            if self.level.query {
                self.level.list = true;
                self.level.expect = true;
            }
        } else if is("join") || (is("straight_join") && self.level.list) {
            self.level.expect = true;
            self.level.list = true;
        } else if is("distinct") {
            // `IS DISTINCT FROM` compares.
            ahead.eat("FROM");
        } else if is("use") || is("force") || is("ignore") {
            // `USE INDEX FOR JOIN (a)`
            if ahead.eat_any(&["INDEX", "KEY"]).is_some() && ahead.eat("FOR") {
                ahead.skip();
            }
        } else if is("for") || is("lock") {
            self.found.locks_rows |= ahead.is_any(&["UPDATE", "SHARE"]) || ahead.is("IN");
            ahead.eat_any(&["UPDATE", "SHARE"]);
        } else if known(ENDS_LIST) {
            self.level.list = false;
        } else {
            return false;
        }
        self.c = ahead;
        true
    }

    /// A part of an expression: perhaps a call.
    fn operand(&mut self) {
        // More than this in one call's parentheses is not cut into arguments: a tower of calls would
        // be copied as often as it is high.
        const MOST: usize = 500;
        let mut ahead = self.c;
        let is_type = self.c.eat("AS");
        if is_type && self.c.word().is_some() {
            self.c.skip();
            return;
        }
        if is_type || self.c.is_any(NO_CALL) {
            self.c = ahead;
            self.c.skip();
            return;
        }
        match ahead.qualified() {
            Some(name) if ahead.is_symbol('(') => {
                // The arguments are looked through, too.
                self.c = ahead;
                let inner = ahead.group().filter(|inner| inner.left() <= MOST);
                let arguments = inner.map_or_else(Vec::new, |inner| inner.split(','));
                let arguments = arguments.into_iter().map(|one| one.rest_text().to_owned());
                self.found.calls.push((name.to_string().to_lowercase(), arguments.collect()));
            }
            Some(_) => self.c = ahead,
            None => self.c.skip(),
        }
    }
}
