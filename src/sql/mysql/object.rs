//! `CREATE`, `DROP` and `RENAME` of what is no table, and maintenance.

use super::Parser;
use crate::sql::statement::{
    Drop, IndexKind, LockMode, Maintenance, Name, Online, SequenceAction, What,
};

impl Parser<'_> {
    /// `CREATE …`
    pub(super) fn create(&mut self) -> (String, Option<What>) {
        self.cursor.pass();
        let or_replace = self.cursor.eat(&["or", "replace"]);
        let temporary = self.cursor.eat(&["temporary"]);
        if self.cursor.eat(&["table"]) {
            return ("CREATE TABLE".to_owned(), self.create_table(temporary));
        }
        let mark = self.cursor.mark();
        self.cursor.eat_one(&["online", "offline"]);
        let unique = self.cursor.eat(&["unique"]);
        let kind = match self.cursor.eat_one(&["fulltext", "spatial", "vector"]) {
            Some("fulltext") => IndexKind::FullText,
            Some("spatial") => IndexKind::Spatial,
            Some(_) => IndexKind::Vector,
            None => IndexKind::Ordinary,
        };
        if self.cursor.eat(&["index"]) {
            return ("CREATE INDEX".to_owned(), self.create_index(unique, kind));
        }
        self.cursor.back(mark);
        if self.cursor.eat_one(&["database", "schema"]).is_some() {
            self.if_not_exists();
            let name = self.cursor.name();
            return ("CREATE DATABASE".to_owned(), name.map(What::CreateSchema));
        }
        if self.cursor.eat(&["sequence"]) {
            self.if_not_exists();
            return ("CREATE SEQUENCE".to_owned(), self.sequence(SequenceAction::Create));
        }
        let others =
            ["user", "role", "server", "tablespace", "logfile", "resource", "package", "aggregate"];
        if let Some(word) = others.iter().find(|word| self.cursor.is(&[word])) {
            return (format!("CREATE {}", word.to_uppercase()), Some(What::Other));
        }
        self.definer();
        match self.cursor.text().to_uppercase().as_str() {
            "VIEW" => {
                let what = self.create_view();
                match what {
                    (kind, Some(What::CreateView { name, materialized, reads, mentions, .. })) => {
                        let view =
                            What::CreateView { name, materialized, or_replace, reads, mentions };
                        (kind, Some(view))
                    }
                    other => other,
                }
            }
            "TRIGGER" => ("CREATE TRIGGER".to_owned(), self.create_trigger()),
            word @ ("PROCEDURE" | "FUNCTION" | "EVENT") => {
                (format!("CREATE {word}"), self.create_routine())
            }
            word => (format!("CREATE {word}"), None),
        }
    }

    /// `ALGORITHM = …`, `DEFINER = …`, `SQL SECURITY …`, in any order.
    fn definer(&mut self) {
        loop {
            if self.cursor.eat(&["algorithm", "="]) {
                self.cursor.pass();
            } else if self.cursor.eat(&["definer", "="]) {
                self.cursor.value();
                if self.cursor.eat(&["@"]) {
                    self.cursor.value();
                }
                self.cursor.parenthesised();
            } else if self.cursor.eat(&["sql", "security"]) {
                self.cursor.pass();
            } else {
                break;
            }
        }
    }

    /// `… VIEW name AS query`, of `CREATE` and `ALTER`.
    pub(in crate::sql) fn create_view(&mut self) -> (String, Option<What>) {
        self.definer();
        while !self.cursor.is_done() && !self.cursor.eat(&["view"]) {
            self.cursor.pass();
        }
        self.if_not_exists();
        let Some(name) = self.cursor.dotted() else { return ("CREATE VIEW".to_owned(), None) };
        self.cursor.parenthesised();
        let mut mentions: Vec<String> = Vec::new();
        for word in self.cursor.left() {
            let word = crate::sql::cursor::unquoted(word).to_lowercase();
            if !mentions.contains(&word) {
                mentions.push(word);
            }
        }
        let reads = self.reads(None);
        let view =
            What::CreateView { name, materialized: false, or_replace: true, reads, mentions };
        ("CREATE VIEW".to_owned(), Some(view))
    }

    fn sequence(&mut self, action: SequenceAction) -> Option<What> {
        let names = self.cursor.dotted_list();
        (!names.is_empty()).then(|| What::Sequence {
            drop: Drop { names, if_exists: false, cascade: false, temporary: false },
            action,
            owned_by: None,
        })
    }

    /// `DROP …`
    pub(super) fn drop(&mut self) -> (String, Option<What>) {
        self.cursor.pass();
        let temporary = self.cursor.eat(&["temporary"]);
        let word = self.cursor.text().to_uppercase();
        let kind = format!("DROP {word}");
        self.cursor.pass();
        let if_exists = self.if_exists();
        let names = |parser: &mut Self| {
            let names = parser.cursor.dotted_list();
            parser.cursor.eat_one(&["restrict", "cascade"]);
            let mut online = Online::default();
            parser.wait(&mut online);
            (!names.is_empty() && parser.cursor.is_done()).then_some(Drop {
                names,
                if_exists,
                cascade: false,
                temporary,
            })
        };
        let what = match word.as_str() {
            "TABLE" | "TABLES" => names(self).map(What::DropTable),
            "VIEW" => names(self).map(|drop| What::DropView { drop, materialized: false }),
            "DATABASE" | "SCHEMA" => names(self).map(What::DropSchema),
            "INDEX" => self.drop_index(if_exists),
            "TRIGGER" => {
                self.cursor.dotted().map(|name| What::DropTrigger { name, table: None, if_exists })
            }
            "PROCEDURE" | "FUNCTION" | "EVENT" => names(self).map(What::DropRoutine),
            "SEQUENCE" => self.sequence(SequenceAction::Drop),
            "USER" | "ROLE" | "SERVER" | "TABLESPACE" | "PREPARE" | "PACKAGE" | "LOGFILE"
            | "RESOURCE" => Some(What::Other),
            _ => None,
        };
        (kind, what)
    }

    fn drop_index(&mut self, if_exists: bool) -> Option<What> {
        let name = self.cursor.name()?;
        if !self.cursor.eat(&["on"]) {
            return None;
        }
        let table = self.cursor.dotted()?;
        let mut online = Online::default();
        while self.online(&mut online) {}
        let drop =
            Drop { names: vec![Name::plain(name)], if_exists, cascade: false, temporary: false };
        self.cursor.is_done().then_some(What::DropIndex {
            drop,
            table: Some(table),
            concurrently: false,
            online,
        })
    }

    /// `RENAME TABLE a TO b, …`
    pub(super) fn rename(&mut self) -> (String, Option<What>) {
        self.cursor.pass();
        if self.cursor.eat_one(&["table", "tables"]).is_none() {
            return ("RENAME".to_owned(), self.cursor.is(&["user"]).then_some(What::Other));
        }
        (("RENAME TABLE").to_owned(), self.rename_tables())
    }

    fn rename_tables(&mut self) -> Option<What> {
        self.if_exists();
        let mut pairs = Vec::new();
        loop {
            let from = self.cursor.dotted()?;
            let mut online = Online::default();
            self.wait(&mut online);
            if !self.cursor.eat(&["to"]) {
                return None;
            }
            pairs.push((from, self.cursor.dotted()?));
            if !self.cursor.eat(&[","]) {
                break;
            }
        }
        self.cursor.is_done().then_some(What::RenameTables(pairs))
    }

    /// Work on whole tables, and locks by name.
    pub(super) fn maintenance(&mut self, first: &str) -> (String, Option<What>) {
        self.cursor.pass();
        if first == "LOCK" {
            let kind = "LOCK TABLES".to_owned();
            let tables = self.cursor.eat_one(&["tables", "table"]).is_some();
            return (kind, tables.then(|| self.locked()).flatten());
        }
        if first == "UNLOCK" {
            return ("UNLOCK TABLES".to_owned(), Some(What::LockTables(Vec::new())));
        }
        if first == "FLUSH" {
            let lock = self.cursor.left().any(|word| word.eq_ignore_ascii_case("lock"));
            // With a read lock on all tables, nobody writes anywhere.
            return ("FLUSH".to_owned(), (!lock).then_some(What::Other));
        }
        self.cursor.eat_one(&["no_write_to_binlog", "local"]);
        let tables = self.cursor.eat_one(&["table", "tables"]).is_some();
        if !tables && first != "TRUNCATE" {
            return (first.to_owned(), None);
        }
        let names = self.cursor.dotted_list();
        let what = match first {
            _ if names.is_empty() => None,
            "TRUNCATE" => {
                let mut online = Online::default();
                self.wait(&mut online);
                self.cursor.is_done().then_some(What::Truncate { tables: names, cascade: false })
            }
            "OPTIMIZE" => Some(What::Maintenance { of: Maintenance::Optimize, tables: names }),
            _ => Some(What::Maintenance { of: Maintenance::Analyze, tables: names }),
        };
        (format!("{first} TABLE"), what)
    }

    fn locked(&mut self) -> Option<What> {
        let mut tables = Vec::new();
        loop {
            let name = self.cursor.dotted()?;
            self.cursor.eat(&["as"]);
            if !["read", "write", "low_priority"].iter().any(|word| self.cursor.is(&[word])) {
                self.cursor.name();
            }
            self.cursor.eat(&["low_priority"]);
            let mode = match self.cursor.eat_one(&["read", "write"])? {
                "read" => LockMode::Read,
                _ => LockMode::Write,
            };
            self.cursor.eat_one(&["local", "concurrent"]);
            tables.push((name, mode));
            if !self.cursor.eat(&[","]) {
                break;
            }
        }
        let mut online = Online::default();
        self.wait(&mut online);
        self.cursor.is_done().then_some(What::LockTables(tables))
    }
}
