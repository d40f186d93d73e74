//! Statements that write or read rows.

use super::Parser;
use crate::sql::cursor::unquoted;
use crate::sql::statement::{Dml, Name, Query, Verb, What};

impl Parser<'_> {
    /// Statements that write or read rows.
    pub(in crate::sql) fn rows(&mut self, first: &str) -> (String, Option<What>) {
        let kind = if first == "(" { "SELECT".to_owned() } else { first.to_owned() };
        let what = match first {
            "INSERT" | "REPLACE" => self.insert(first),
            "UPDATE" => self.update(),
            "DELETE" => self.delete(),
            "LOAD" => self.load(),
            "WITH" => {
                let verb = self.cursor.left().find(|word| {
                    ["update", "delete", "insert", "replace"]
                        .iter()
                        .any(|verb| word.eq_ignore_ascii_case(verb))
                });
                match verb.map(str::to_lowercase).as_deref() {
                    Some(verb @ ("update" | "delete")) => {
                        while !self.cursor.is(&[verb]) {
                            self.cursor.pass();
                        }
                        return self.rows(&verb.to_uppercase());
                    }
                    _ => Some(What::Query(self.query())),
                }
            }
            "EXPLAIN" | "DESCRIBE" | "DESC" => {
                // Only ANALYZE runs what it explains.
                self.cursor.pass();
                if self.cursor.eat(&["analyze"]) {
                    while self.cursor.eat(&["format", "="]) {
                        self.cursor.pass();
                    }
                    return self.statement();
                }
                Some(What::Other)
            }
            _ => Some(What::Query(self.query())),
        };
        (kind, what)
    }

    fn query(&mut self) -> Query {
        let words: Vec<&str> = self.cursor.left().collect();
        let is = |at: usize, word: &str| {
            words.get(at).is_some_and(|have: &&str| have.eq_ignore_ascii_case(word))
        };
        let locks_rows = (0..words.len()).any(|at| {
            is(at, "for") && (is(at + 1, "update") || is(at + 1, "share"))
                || is(at, "lock") && is(at + 1, "in")
        });
        let reads = self.reads(None);
        Query { reads, locks_rows, calls: self.calls() }
    }

    /// Every name before a parenthesis that is no word of the grammar.
    fn calls(&self) -> Vec<(String, Vec<String>)> {
        let words: Vec<&str> = self.cursor.left().collect();
        let grammar = [
            "in", "and", "or", "not", "values", "as", "on", "select", "from", "where", "exists",
            "over", "using", "all", "any", "some", "union", "between", "like", "case", "when",
            "then", "else", "by", "having", "join", "distinct", "into", "with", "set", "row",
            "interval",
        ];
        let mut calls = Vec::new();
        for pair in words.windows(2) {
            let name = pair[0].to_lowercase();
            let named = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
            if pair[1] == "(" && named && !grammar.contains(&name.as_str()) {
                calls.push((name, Vec::new()));
            }
        }
        calls
    }

    /// The tables that stand behind `FROM`, `JOIN` and commas between them, in what is left.
    pub(in crate::sql) fn reads(&self, besides: Option<&Name>) -> Vec<Name> {
        let mut found: Vec<Name> = Vec::new();
        let mut own: Vec<String> = Vec::new();
        let mut walk = self.within(&(self.cursor.place()..self.span.end));
        let mut listing = false;
        while !walk.cursor.is_done() {
            let opens = walk.cursor.eat_one(&["from", "join", "straight_join"]).is_some()
                || (listing && walk.cursor.eat(&[","]));
            if opens {
                while walk.cursor.eat(&["("]) {}
                let mark = walk.cursor.mark();
                let keyword =
                    ["select", "lateral", "json_table"].iter().any(|word| walk.cursor.is(&[word]));
                if keyword {
                    listing = false;
                } else if let Some(name) = walk.cursor.dotted() {
                    listing = true;
                    if Some(&name) != besides && !found.contains(&name) {
                        found.push(name);
                    }
                } else {
                    walk.cursor.back(mark);
                    walk.cursor.pass();
                }
            } else {
                if walk.cursor.text_at(1).eq_ignore_ascii_case("as")
                    && walk.cursor.text_at(2) == "("
                {
                    own.push(unquoted(walk.cursor.text()));
                }
                let ends =
                    ["where", "group", "order", "having", "limit", "set", "on", "union", "values"];
                if ends.iter().any(|word| walk.cursor.is(&[word])) || walk.cursor.is(&[")"]) {
                    listing = false;
                }
                walk.cursor.pass();
            }
        }
        found.retain(|name| name.schema.is_some() || !own.contains(&name.name));
        found
    }

    fn insert(&mut self, first: &str) -> Option<What> {
        self.cursor.pass();
        while self
            .cursor
            .eat_one(&["low_priority", "delayed", "high_priority", "ignore", "into"])
            .is_some()
        {}
        let table = self.cursor.dotted()?;
        if self.cursor.eat(&["partition"]) {
            self.cursor.parenthesised();
        }
        let mark = self.cursor.mark();
        let columns = self.names_in_parentheses();
        let columns = match columns.first() {
            // INSERT INTO t (SELECT …)
            Some(first) if first.eq_ignore_ascii_case("select") => {
                self.cursor.back(mark);
                Vec::new()
            }
            _ => columns,
        };
        let counted = ["values", "value", "set"].iter().any(|word| self.cursor.is(&[word]))
            && !self.cursor.left().any(|word| word.eq_ignore_ascii_case("select"));
        let verb = match (first, counted) {
            ("REPLACE", _) => Verb::Replace,
            (_, true) => Verb::Insert,
            (_, false) => Verb::InsertSelect,
        };
        let reads = self.reads(Some(&table));
        Some(What::Dml(Dml {
            verb,
            table: Some(table),
            reads,
            bounded: counted,
            columns,
            set: Vec::new(),
            predicate: None,
        }))
    }

    fn update(&mut self) -> Option<What> {
        self.cursor.pass();
        while self.cursor.eat_one(&["low_priority", "ignore"]).is_some() {}
        let from = self.cursor.place();
        let table = self.cursor.dotted()?;
        // Joined tables, up to SET.
        while !self.cursor.is_done() && !self.cursor.is(&["set"]) {
            if self.cursor.parenthesised().is_none() {
                self.cursor.pass();
            }
        }
        let mut reads = self.within(&(from..self.cursor.place())).reads(Some(&table));
        if !self.cursor.eat(&["set"]) {
            return None;
        }
        reads.extend(self.reads(Some(&table)));
        let mut set = Vec::new();
        while let Some(column) = self.cursor.dotted() {
            if !self.cursor.eat(&["="]) {
                return None;
            }
            let from = self.cursor.place();
            let ends = ["where", "order", "limit", "returning"];
            while !self.cursor.is_done()
                && !self.cursor.is(&[","])
                && !ends.iter().any(|word| self.cursor.is(&[word]))
            {
                if self.cursor.parenthesised().is_none() {
                    self.cursor.pass();
                }
            }
            set.push((column.name, self.cursor.since(from).trim().to_owned()));
            if !self.cursor.eat(&[","]) {
                break;
            }
        }
        let predicate = self.predicate();
        Some(What::Dml(Dml {
            verb: Verb::Update,
            table: Some(table),
            reads,
            bounded: predicate.is_some(),
            columns: Vec::new(),
            set,
            predicate,
        }))
    }

    fn delete(&mut self) -> Option<What> {
        self.cursor.pass();
        while self.cursor.eat_one(&["low_priority", "quick", "ignore"]).is_some() {}
        let from = self.cursor.place();
        // DELETE FROM t …, DELETE t FROM t JOIN u …
        self.cursor.eat(&["from"]);
        let table = self.cursor.dotted()?;
        let reads = self.within(&(from..self.span.end)).reads(Some(&table));
        let predicate = self.predicate();
        Some(What::Dml(Dml {
            verb: Verb::Delete,
            table: Some(table),
            reads,
            bounded: predicate.is_some(),
            columns: Vec::new(),
            set: Vec::new(),
            predicate,
        }))
    }

    /// What stands behind `WHERE`, up to `ORDER`, `LIMIT` or the end.
    fn predicate(&mut self) -> Option<String> {
        while !self.cursor.is_done() && !self.cursor.is(&["where"]) {
            if self.cursor.parenthesised().is_none() {
                self.cursor.pass();
            }
        }
        if !self.cursor.eat(&["where"]) {
            return None;
        }
        let from = self.cursor.place();
        let ends = ["order", "limit", "returning"];
        while !self.cursor.is_done() && !ends.iter().any(|word| self.cursor.is(&[word])) {
            if self.cursor.parenthesised().is_none() {
                self.cursor.pass();
            }
        }
        Some(self.cursor.since(from).trim().to_owned())
    }

    fn load(&mut self) -> Option<What> {
        while !self.cursor.is_done() && !self.cursor.is(&["into", "table"]) {
            self.cursor.pass();
        }
        if !self.cursor.eat(&["into", "table"]) {
            // LOAD INDEX INTO CACHE
            return None;
        }
        let table = self.cursor.dotted()?;
        Some(What::Dml(Dml {
            verb: Verb::Load,
            table: Some(table),
            reads: Vec::new(),
            bounded: false,
            columns: Vec::new(),
            set: Vec::new(),
            predicate: None,
        }))
    }
}
