//! Statements that write or read rows, as MySQL, MariaDB and SQLite write them.

use super::cursor::Cursor;
use super::relations::{Commons, Found, Start, distinct, into_query, query, scan};
use super::statement::{Dml, Name, Verb, What};

/// What a statement is, and what it says.
pub(in crate::sql) type Said = (&'static str, What);

/// Words between the verb and its table.
const MODIFIERS: &[&str] =
    &["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "QUICK", "IGNORE", "HISTORY"];

/// What ends a predicate.
fn ends_predicate(c: &Cursor<'_>) -> bool {
    c.is_any(&["ORDER", "LIMIT", "RETURNING"])
}

/// A statement that begins with one of the verbs of rows, or with a `WITH` before it.
pub(in crate::sql) fn rows(c: &mut Cursor<'_>) -> Option<Said> {
    let whole = *c;
    let commons = Commons::of(*c);
    let mut before = Found::default();
    if c.is("WITH") {
        let verbs = ["SELECT", "UPDATE", "DELETE", "INSERT", "REPLACE", "VALUES", "TABLE"];
        let with = c.until(|c| c.is_any(&verbs));
        before = scan(with, Start::Query, &commons);
    }
    let verb = c.eat_any(&["INSERT", "REPLACE", "UPDATE", "DELETE"]);
    let (kind, mut dml) = match verb {
        Some("UPDATE") => ("UPDATE", update(c, &commons)?),
        Some("DELETE") => ("DELETE", delete(c, &commons)?),
        Some("REPLACE") => ("REPLACE", insert(c, true, &commons)?),
        Some(_) => ("INSERT", insert(c, false, &commons)?),
        None => {
            let kind = c.eat_any(&["VALUES", "TABLE"]).unwrap_or("SELECT");
            c.rest();
            return Some((kind, What::Query(query(whole))));
        }
    };
    let earlier = before.relations.into_iter().map(|relation| relation.name);
    let reads = earlier.chain(std::mem::take(&mut dml.reads));
    dml.reads = distinct(reads.filter(|name| Some(name) != dml.table.as_ref()));
    Some((kind, What::Dml(dml)))
}

fn skip_modifiers(c: &mut Cursor<'_>) -> Option<&'static str> {
    c.eat_while(MODIFIERS);
    if c.eat("OR") {
        return c.eat_any(&["ROLLBACK", "ABORT", "REPLACE", "FAIL", "IGNORE"]);
    }
    None
}

fn names_of(found: Found) -> Vec<Name> {
    into_query(found).reads
}

/// The predicate of what is left, as written.
fn predicate(mut c: Cursor<'_>) -> Option<String> {
    c.until(|c| c.is("WHERE"));
    let found = c.eat("WHERE").then(|| c.until(ends_predicate).rest_text().to_owned());
    found.filter(|text| !text.is_empty())
}

/// The table that a name in the statement stands for.
fn resolve(name: Name, found: &Found) -> Name {
    let is = |alias: &Option<String>| {
        alias.as_ref().is_some_and(|alias| alias.eq_ignore_ascii_case(&name.name))
    };
    let aliased = found.relations.iter().find(|relation| is(&relation.alias));
    match aliased {
        Some(relation) if name.schema.is_none() => relation.name.clone(),
        _ => name,
    }
}

fn update(c: &mut Cursor<'_>, commons: &Commons) -> Option<Dml> {
    skip_modifiers(c);
    let found = scan(*c, Start::Tables, commons);
    c.until(|c| c.is("SET"));
    if !c.eat("SET") {
        return None;
    }
    let list = c.until(|c| c.is_any(&["WHERE", "FROM"]) || ends_predicate(c));
    let mut set = Vec::new();
    let mut qualifier = None;
    for mut part in list.split(',') {
        let (column, of) = column(&mut part)?;
        part.symbol(':');
        if !part.symbol('=') {
            return None;
        }
        qualifier = qualifier.or(of);
        set.push((column, part.rest_text().to_owned()));
    }
    // Of several tables the one is written whose columns are assigned.
    let first = found.relations.first().map(|relation| relation.name.clone());
    let table = match (qualifier, found.relations.len()) {
        (Some(qualifier), 2..) => Some(resolve(qualifier, &found)),
        _ => first,
    };
    let predicate = predicate(*c);
    c.rest();
    let bounded = predicate.is_some();
    table.as_ref()?;
    Some(Dml { reads: names_of(found), bounded, set, predicate, ..Dml::new(Verb::Update, table) })
}

/// A column, or several in parentheses, and the table that stands before it.
fn column(c: &mut Cursor<'_>) -> Option<(String, Option<Name>)> {
    let from = c.at();
    if c.group().is_some() {
        return Some((c.text_since(from).to_owned(), None));
    }
    let first = c.qualified()?;
    if c.symbol('.') {
        let qualifier = Name { schema: first.schema, name: first.name };
        return Some((c.name()?, Some(qualifier)));
    }
    Some((first.name, first.schema.map(Name::plain)))
}

fn delete(c: &mut Cursor<'_>, commons: &Commons) -> Option<Dml> {
    skip_modifiers(c);
    let mut target = None;
    if c.eat("FROM") {
        let mut ahead = *c;
        ahead.until(|c| c.is_any(&["USING", "WHERE"]) || ends_predicate(c));
        if ahead.eat("USING") {
            target = Some(c.qualified()?);
            *c = ahead;
        }
    } else {
        target = Some(c.qualified()?);
        c.until(|c| c.is("FROM"));
        if !c.eat("FROM") {
            return None;
        }
    }
    let found = scan(*c, Start::Tables, commons);
    let table = match target {
        Some(target) => Some(resolve(target, &found)),
        None => found.relations.first().map(|relation| relation.name.clone()),
    };
    let predicate = predicate(*c);
    c.rest();
    let bounded = predicate.is_some();
    table.as_ref()?;
    Some(Dml { reads: names_of(found), bounded, predicate, ..Dml::new(Verb::Delete, table) })
}

fn insert(c: &mut Cursor<'_>, replace: bool, commons: &Commons) -> Option<Dml> {
    let replace = replace | (skip_modifiers(c) == Some("REPLACE"));
    c.eat("INTO");
    let table = c.qualified()?;
    if c.eat("PARTITION") {
        c.group()?;
    }
    if c.eat("AS") {
        c.name()?;
    }
    let mut columns = Vec::new();
    let mut ahead = *c;
    if let Some(inner) = ahead.group()
        && !inner.is_any(&["SELECT", "WITH", "VALUES", "TABLE"])
        && !inner.is_symbol('(')
    {
        *c = ahead;
        for mut part in inner.split(',') {
            columns.push(part.qualified()?.name);
        }
    }
    let found = scan(*c, Start::Query, commons);
    let counted = c.is_any(&["VALUES", "VALUE", "SET"]) || c.are(&["DEFAULT", "VALUES"]);
    if !counted && !c.is_any(&["SELECT", "WITH", "TABLE"]) && !c.is_symbol('(') {
        return None;
    }
    let verb = match (replace, counted) {
        (true, _) => Verb::Replace,
        (false, true) => Verb::Insert,
        (false, false) => Verb::InsertSelect,
    };
    let bounded = counted || found.relations.is_empty() || predicate(*c).is_some();
    c.rest();
    Some(Dml { reads: names_of(found), bounded, columns, ..Dml::new(verb, Some(table)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Tokens;
    use crate::sql::cursor::{Opening, cut};

    fn read(text: &str) -> What {
        let tokens = cut(Tokens::MySql, text, &(0..text.len()), |text| Opening::Hides(text.len()));
        rows(&mut Cursor::new(Tokens::MySql, text, &tokens)).expect(text).1
    }

    fn shown(names: &[Name]) -> String {
        names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn queries_read_and_call() {
        let cases = [
            ("SELECT 1", "", ""),
            (
                "SELECT * FROM a, s.b AS x JOIN (c LEFT JOIN d ON c.i = d.i) USING (id)",
                "a s.b c d",
                "",
            ),
            ("SELECT a FROM (SELECT b FROM t) x, u WHERE i IN (SELECT i FROM v)", "t u v", ""),
            ("WITH x AS (SELECT 1 FROM a), y AS (SELECT * FROM x) SELECT * FROM y, b", "a b", ""),
            ("WITH t AS (SELECT * FROM t) SELECT * FROM t", "t", ""),
            ("WITH RECURSIVE n AS (SELECT 1 UNION SELECT i FROM n) SELECT * FROM n", "", ""),
            ("SELECT EXTRACT(YEAR FROM d), TRIM(x FROM y) FROM t", "t", "extract trim"),
            ("SELECT GET_LOCK('a', 1) FROM dual", "", "get_lock"),
            ("SELECT * FROM t USE INDEX FOR JOIN (a, b), u", "t u", ""),
            ("SELECT CAST(a AS CHAR(10)) FROM JSON_TABLE(x, '$') j", "", "cast json_table"),
            ("TABLE t", "t", ""),
            ("(SELECT 1 FROM a) UNION (SELECT 2 FROM b)", "a b", ""),
            ("SELECT 1 FROM a UNION SELECT 2 FROM b ORDER BY 1, 2", "a b", ""),
        ];
        for (text, reads, calls) in cases {
            let What::Query(query) = read(text) else { panic!("{text}") };
            assert_eq!(shown(&query.reads), reads, "{text}");
            let called: Vec<_> = query.calls.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(called.join(" "), calls, "{text}");
        }
        let What::Query(query) = read("SELECT a FROM t WHERE f(x, g(1, 2)) FOR UPDATE") else {
            panic!("no query")
        };
        assert!(query.locks_rows);
        assert_eq!(query.calls[0], ("f".to_owned(), vec!["x".to_owned(), "g(1, 2)".to_owned()]));
    }

    #[test]
    fn writes_name_their_table() {
        let cases = [
            ("UPDATE t SET a = 1", "t", "", false),
            (
                "UPDATE LOW_PRIORITY t SET a = (SELECT max(b) FROM u) WHERE a IS NULL",
                "t",
                "u",
                true,
            ),
            ("UPDATE a JOIN b ON a.i = b.i SET b.x = a.x WHERE a.i < 9", "b", "a", true),
            ("UPDATE a x, c y SET x.i = y.i", "a", "c", false),
            ("DELETE FROM t", "t", "", false),
            ("DELETE FROM t WHERE a = 1 LIMIT 5", "t", "", true),
            ("DELETE x FROM t AS x JOIN u ON x.i = u.i WHERE u.a", "t", "u", true),
            ("DELETE FROM a USING a, b WHERE a.i = b.i", "a", "b", true),
            ("DELETE a.*, b.* FROM a, b", "a", "b", false),
            ("INSERT INTO t VALUES (1), (2)", "t", "", true),
            ("INSERT IGNORE t (a, b) SELECT a, b FROM u", "t", "u", false),
            ("INSERT INTO t (a) (SELECT a FROM u WHERE b)", "t", "u", false),
            ("INSERT INTO t SET a = 1 ON DUPLICATE KEY UPDATE a = a + 1", "t", "", true),
            ("REPLACE INTO d.t VALUES (1)", "d.t", "", true),
            (
                "WITH x AS (SELECT i FROM u) DELETE FROM t WHERE i IN (SELECT i FROM x)",
                "t",
                "u",
                true,
            ),
            ("WITH x AS (SELECT i FROM u) UPDATE t JOIN x USING (i) SET a = 1", "t", "u", false),
        ];
        for (text, table, reads, bounded) in cases {
            let What::Dml(dml) = read(text) else { panic!("{text}") };
            assert_eq!(
                dml.table.as_ref().map(ToString::to_string).as_deref(),
                Some(table),
                "{text}"
            );
            assert_eq!(shown(&dml.reads), reads, "{text}");
            assert_eq!(dml.bounded, bounded, "{text}");
        }
        let What::Dml(dml) = read("UPDATE t SET `a` = b + 1, t.c = 'x' WHERE d = 1 ORDER BY e")
        else {
            panic!("no write")
        };
        let owned = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(dml.set, [owned("a", "b + 1"), owned("c", "'x'")]);
        assert_eq!(dml.predicate.as_deref(), Some("d = 1"));
    }
}
