//! `CREATE TABLE` and `CREATE INDEX`.

use std::ops::Range;

use super::Parser;
use crate::sql::statement::{
    Action, CreateIndex, CreateTable, IndexKind, IndexPart, Name, Online, What,
};

/// A table of which nothing but its name is known yet.
pub(in crate::sql) fn empty_table(name: Name, if_not_exists: bool, temporary: bool) -> CreateTable {
    CreateTable {
        name,
        if_not_exists,
        temporary,
        columns: Vec::new(),
        constraints: Vec::new(),
        indexes: Vec::new(),
        partition_of: None,
        partition_by: None,
        inherits: Vec::new(),
        like: Vec::new(),
        from_query: None,
        options: Vec::new(),
    }
}

impl Parser<'_> {
    /// `CREATE TABLE`, behind its words.
    pub(super) fn create_table(&mut self, temporary: bool) -> Option<What> {
        let if_not_exists = self.if_not_exists();
        let name = self.cursor.dotted()?;
        let mut table = empty_table(name.clone(), if_not_exists, temporary);
        if self.cursor.eat(&["like"]) {
            table.like.push(self.cursor.dotted()?);
            return self.cursor.is_done().then(|| What::CreateTable(Box::new(table)));
        }
        if self.cursor.text() == "(" {
            let span = self.cursor.parenthesised()?;
            let mut inner = self.within(&span);
            if inner.cursor.eat(&["like"]) {
                table.like.push(inner.cursor.dotted()?);
            } else if inner.cursor.is(&["select"]) || inner.cursor.is(&["with"]) {
                table.from_query = Some(inner.reads(None));
            } else {
                inner.table_body(&name, &mut table)?;
            }
        }
        self.table_tail(&mut table)?;
        Some(What::CreateTable(Box::new(table)))
    }

    fn table_body(&mut self, name: &Name, table: &mut CreateTable) -> Option<()> {
        while !self.cursor.is_done() {
            match self.add_key(name) {
                Some(Action::AddConstraint { constraint, .. }) => {
                    table.constraints.push(constraint);
                }
                Some(Action::AddIndex { index }) => table.indexes.push(*index),
                Some(_) => return None,
                None if self.cursor.eat(&["period", "for"]) => self.cursor.skip_item(),
                None => table.columns.push(self.column()?),
            }
            if !self.cursor.eat(&[","]) && !self.cursor.is_done() {
                return None;
            }
        }
        Some(())
    }

    /// The options behind the columns, `PARTITION BY`, and a query.
    fn table_tail(&mut self, table: &mut CreateTable) -> Option<()> {
        while !self.cursor.is_done() {
            let from = self.cursor.place();
            if self.cursor.eat(&["partition", "by"]) {
                let end = ["select", "as", "ignore", "replace"];
                while !self.cursor.is_done() && !end.iter().any(|word| self.cursor.is(&[word])) {
                    if self.cursor.parenthesised().is_none() {
                        self.cursor.pass();
                    }
                }
                table.partition_by = Some(self.cursor.since(from).to_owned());
            } else if self.cursor.eat_one(&["ignore", "replace", "as"]).is_some()
                || self.cursor.is(&["select"])
                || self.cursor.is(&["with"]) && !self.cursor.is(&["with", "system"])
                || self.cursor.is(&["("])
            {
                if self.cursor.is(&["as"]) {
                    self.cursor.pass();
                }
                table.from_query = Some(self.reads(None));
                self.cursor.rest();
            } else if self.cursor.eat(&["with", "system", "versioning"]) {
                table.options.push(("system versioning".to_owned(), String::new()));
            } else if !self.cursor.eat(&[","]) {
                self.cursor.eat(&["default"]);
                if self.cursor.eat(&["character", "set"]) || self.cursor.eat(&["charset"]) {
                    self.cursor.eat(&["="]);
                    let charset = self.cursor.value()?.to_lowercase();
                    table.options.push(("charset".to_owned(), charset));
                } else if let Some(collation) = self.collation() {
                    table.options.push(("collate".to_owned(), collation));
                } else {
                    let (name, value) = self.table_option()?;
                    let fixed = matches!(name.as_str(), "engine" | "row_format");
                    let value = if fixed { value.to_lowercase() } else { value };
                    table.options.push((name, value));
                }
            }
        }
        Some(())
    }

    /// `CREATE INDEX`, behind `INDEX`.
    pub(super) fn create_index(&mut self, unique: bool, kind: IndexKind) -> Option<What> {
        let if_not_exists = self.if_not_exists();
        let name = self.cursor.name()?;
        self.index_type();
        if !self.cursor.eat(&["on"]) {
            return None;
        }
        let table = self.cursor.dotted()?;
        let mut index =
            self.index_body(Some(Name::plain(name)), &table, kind, unique, if_not_exists)?;
        let mut online = Online::default();
        while self.online(&mut online) {}
        index.online = online;
        self.cursor.is_done().then(|| What::CreateIndex(Box::new(index)))
    }

    /// `[USING …] (parts) [options]`
    pub(in crate::sql) fn index_body(
        &mut self,
        name: Option<Name>,
        table: &Name,
        kind: IndexKind,
        unique: bool,
        if_not_exists: bool,
    ) -> Option<CreateIndex> {
        self.index_type();
        let span = self.cursor.parenthesised()?;
        let parts = self.index_parts(&span);
        self.index_options();
        Some(CreateIndex {
            name,
            table: table.clone(),
            only: false,
            unique,
            concurrently: false,
            if_not_exists,
            parts,
            include: Vec::new(),
            predicate: None,
            kind,
            online: Online::default(),
        })
    }

    fn index_parts(&self, span: &Range<usize>) -> Vec<IndexPart> {
        let mut inner = self.within(span);
        let mut parts = Vec::new();
        while !inner.cursor.is_done() {
            let mark = inner.cursor.mark();
            if let Some(expression) = inner.cursor.inner() {
                parts.push(IndexPart::Expression(expression));
            } else if let Some(name) = inner.cursor.name() {
                let length = inner.cursor.inner().and_then(|length| length.text.parse().ok());
                parts.push(IndexPart::Column(name, length));
            }
            inner.cursor.skip_item();
            inner.cursor.eat(&[","]);
            if inner.cursor.mark() == mark {
                inner.cursor.pass();
            }
        }
        parts
    }

    /// `USING BTREE`
    pub(super) fn index_type(&mut self) {
        if self.cursor.eat(&["using"]) || self.cursor.eat(&["type"]) {
            self.cursor.pass();
        }
    }

    /// What stands behind the columns of an index.
    pub(super) fn index_options(&mut self) {
        loop {
            let named = [
                "key_block_size",
                "comment",
                "engine_attribute",
                "secondary_engine_attribute",
                "clustering",
                "m",
                "distance",
            ];
            if self.cursor.eat(&["with", "parser"]) {
                self.cursor.pass();
            } else if self.cursor.eat(&["using"]) {
                self.cursor.pass();
            } else if self.cursor.eat_one(&named).is_some() {
                self.cursor.eat(&["="]);
                self.cursor.value();
            } else if self.cursor.eat_one(&["visible", "invisible", "ignored"]).is_none()
                && !self.cursor.eat(&["not", "ignored"])
            {
                break;
            }
        }
    }
}
