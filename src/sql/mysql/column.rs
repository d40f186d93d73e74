//! Columns and their types.

use super::Parser;
use crate::sql::cursor::unquoted;
use crate::sql::statement::{Check, Column, Expression, ForeignKey, Generated, Type};

impl Parser<'_> {
    /// `name type attributes…`, up to what is none of them.
    pub(super) fn column(&mut self) -> Option<Column> {
        let name = self.cursor.name()?;
        self.column_named(name)
    }

    /// A column whose name has been read.
    pub(super) fn column_named(&mut self, name: String) -> Option<Column> {
        let ty = self.ty()?;
        let mut column = Column { name, ..Column::default() };
        if ty.name == "serial" {
            column.not_null = true;
            column.auto_increment = true;
            column.unique = true;
        }
        column.ty = ty;
        while self.attribute(&mut column) {}
        Some(column)
    }

    /// A type: its words, what stands in parentheses, and what follows it.
    pub(in crate::sql) fn ty(&mut self) -> Option<Type> {
        let from = self.cursor.place();
        let mut words = vec![self.cursor.name()?.to_lowercase()];
        let longer: &[(&str, &[&str])] = &[
            ("double", &["precision"]),
            ("character", &["varying"]),
            ("char", &["varying", "byte"]),
            ("national", &["char", "character", "varchar"]),
            ("long", &["varchar", "varbinary"]),
        ];
        while let Some((_, more)) =
            longer.iter().find(|(first, _)| words.last().is_some_and(|word| word == first))
        {
            match self.cursor.eat_one(more) {
                Some(word) => words.push(word.to_owned()),
                None => break,
            }
        }
        if words.first().is_some_and(|word| word == "national") {
            self.cursor.eat(&["varying"]);
        }
        let mut ty = Type { name: words.join(" "), ..Type::default() };
        if let Some(span) = self.cursor.parenthesised() {
            ty.modifiers = self.list_texts(span);
        }
        loop {
            if self.cursor.eat(&["unsigned"]) {
                ty.unsigned = true;
            } else if self.cursor.eat(&["zerofill"]) {
                ty.zerofill = true;
                ty.unsigned = true;
            } else if self.cursor.eat(&["signed"]) || self.cursor.eat(&["binary"]) {
            } else if self.cursor.eat(&["character", "set"]) || self.cursor.eat(&["charset"]) {
                ty.charset = self.cursor.value().map(|name| name.to_lowercase());
            } else if self.cursor.eat(&["ascii"]) {
                ty.charset = Some("latin1".to_owned());
            } else {
                break;
            }
        }
        self.cursor.since(from).clone_into(&mut ty.text);
        Some(ty)
    }

    /// The texts between the commas of a list, without quotes.
    fn list_texts(&self, span: std::ops::Range<usize>) -> Vec<String> {
        let mut inner = self.within(&span);
        let mut texts = Vec::new();
        while !inner.cursor.is_done() {
            let from = inner.cursor.place();
            inner.cursor.skip_item();
            texts.push(unquoted(inner.cursor.since(from).trim()));
            inner.cursor.pass();
        }
        texts
    }

    /// One attribute of a column; whether there was one.
    pub(in crate::sql) fn attribute(&mut self, column: &mut Column) -> bool {
        let cursor = &mut self.cursor;
        if cursor.eat(&["not", "null"]) {
            column.not_null = true;
        } else if cursor.eat(&["null"]) {
            column.null = true;
        } else if cursor.eat(&["default"]) {
            column.default = self.default_value();
        } else if cursor.eat(&["on", "update"]) {
            column.on_update = self.default_value();
        } else if cursor.eat_one(&["auto_increment", "autoincrement"]).is_some() {
            column.auto_increment = true;
        } else if cursor.eat(&["unique"]) {
            cursor.eat(&["key"]);
            column.unique = true;
        } else if cursor.eat(&["primary"]) {
            cursor.eat(&["key"]);
            column.primary_key = true;
            column.not_null = true;
        } else if cursor.is(&["key"]) && !matches!(cursor.text_at(1), "(" | "=") {
            cursor.pass();
            column.primary_key = true;
            column.not_null = true;
        } else if cursor.eat(&["comment"]) {
            column.comment = cursor.value();
        } else if cursor.eat(&["collate"]) {
            cursor.eat(&["="]);
            column.collation = cursor.value().map(|name| name.to_lowercase());
        } else if cursor.eat(&["invisible"]) {
            column.invisible = true;
        } else if cursor.eat_one(&["visible", "binary"]).is_some() {
        } else if cursor
            .eat_one(&[
                "column_format",
                "storage",
                "srid",
                "ref_system_id",
                "secondary_engine_attribute",
                "engine_attribute",
            ])
            .is_some()
        {
            cursor.eat(&["="]);
            cursor.value();
        } else if cursor.eat(&["compressed"]) {
            if cursor.eat(&["="]) {
                cursor.value();
            }
        } else if cursor.eat(&["with", "system", "versioning"])
            || cursor.eat(&["without", "system", "versioning"])
        {
        } else if cursor.is(&["generated"]) || (cursor.is(&["as"]) && cursor.text_at(1) == "(") {
            return self.generated(column);
        } else if cursor.is(&["check"]) || cursor.is(&["constraint"]) {
            return self.inline_check(column);
        } else if cursor.eat(&["references"]) {
            column.references = self.references(Vec::new());
        } else {
            return false;
        }
        true
    }

    /// `[GENERATED ALWAYS] AS (…) [VIRTUAL | STORED | PERSISTENT]`
    fn generated(&mut self, column: &mut Column) -> bool {
        self.cursor.eat(&["generated"]);
        self.cursor.eat(&["always"]);
        if self.cursor.eat(&["as", "row"]) {
            // MariaDB's system versioning: the server writes it.
            self.cursor.pass();
            return true;
        }
        if !self.cursor.eat(&["as"]) {
            return false;
        }
        let Some(expression) = self.cursor.inner() else { return false };
        let kept = self.cursor.eat_one(&["stored", "persistent", "virtual"]);
        let stored = matches!(kept, Some("stored" | "persistent"));
        column.generated = Some(Generated { expression, stored });
        true
    }

    fn inline_check(&mut self, column: &mut Column) -> bool {
        let mark = self.cursor.mark();
        let name = if self.cursor.eat(&["constraint"]) && !self.cursor.is(&["check"]) {
            self.cursor.name()
        } else {
            None
        };
        if !self.cursor.eat(&["check"]) {
            self.cursor.back(mark);
            return false;
        }
        let Some(expression) = self.cursor.inner() else { return false };
        let enforced = self.enforced();
        column.checks.push(Check { name, expression, enforced });
        true
    }

    /// `[NOT] ENFORCED`
    pub(super) fn enforced(&mut self) -> bool {
        if self.cursor.eat(&["not", "enforced"]) {
            return false;
        }
        self.cursor.eat(&["enforced"]);
        true
    }

    /// What stands behind `REFERENCES`.
    pub(super) fn references(&mut self, columns: Vec<String>) -> Option<ForeignKey> {
        let table = self.cursor.dotted()?;
        let referenced = self.names_in_parentheses();
        let mut key = ForeignKey { columns, table, referenced, on_delete: None, on_update: None };
        loop {
            if self.cursor.eat(&["match"]) {
                self.cursor.pass();
            } else if self.cursor.eat(&["on", "delete"]) {
                key.on_delete = self.referential_action();
            } else if self.cursor.eat(&["on", "update"]) {
                key.on_update = self.referential_action();
            } else {
                break;
            }
        }
        Some(key)
    }

    fn referential_action(&mut self) -> Option<String> {
        let two: &[(&[&str], &str)] = &[
            (&["set", "null"], "SET NULL"),
            (&["set", "default"], "SET DEFAULT"),
            (&["no", "action"], "NO ACTION"),
            (&["cascade"], "CASCADE"),
            (&["restrict"], "RESTRICT"),
        ];
        two.iter().find(|(words, _)| self.cursor.eat(words)).map(|(_, said)| (*said).to_owned())
    }

    /// The names in a list in parentheses, of each entry the first.
    pub(super) fn names_in_parentheses(&mut self) -> Vec<String> {
        let Some(span) = self.cursor.parenthesised() else { return Vec::new() };
        let mut inner = self.within(&span);
        let mut names = Vec::new();
        while !inner.cursor.is_done() {
            names.extend(inner.cursor.name());
            inner.cursor.skip_item();
            inner.cursor.pass();
        }
        names
    }

    /// The value of a default: a literal, an expression in parentheses, or (MariaDB) an expression.
    pub(super) fn default_value(&mut self) -> Option<Expression> {
        let from = self.cursor.place();
        loop {
            while matches!(self.cursor.text(), "-" | "+" | "~" | "!") {
                self.cursor.pass();
            }
            if self.cursor.parenthesised().is_none() {
                if self.cursor.is_done() || matches!(self.cursor.text(), "," | ")") {
                    return None;
                }
                let introducer = self.cursor.text().starts_with('_')
                    || matches!(self.cursor.text(), "b" | "B" | "x" | "X" | "n" | "N")
                    || ["date", "time", "timestamp"].iter().any(|word| self.cursor.is(&[word]));
                self.cursor.pass();
                if introducer && self.cursor.is_string() {
                    self.cursor.pass();
                }
                while self.cursor.text() == "." {
                    self.cursor.pass();
                    self.cursor.pass();
                }
                self.cursor.parenthesised();
            }
            if !matches!(self.cursor.text(), "+" | "-" | "*" | "/" | "%" | "|" | "&" | "^") {
                break;
            }
            self.cursor.pass();
        }
        Some(self.cursor.expression(from..self.cursor.behind()))
    }
}
