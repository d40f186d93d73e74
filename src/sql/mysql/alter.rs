//! `ALTER TABLE`, clause by clause.

use super::Parser;
use crate::sql::statement::{
    Action, AlterTable, Column, Constraint, ConstraintKind, IndexKind, Name, Online,
    PartitionOperation, Place, What,
};

impl Parser<'_> {
    /// `ALTER …`
    pub(super) fn alter(&mut self) -> (String, Option<What>) {
        self.cursor.pass();
        self.cursor.eat(&["online"]);
        self.cursor.eat(&["ignore"]);
        if self.cursor.eat(&["table"]) {
            return ("ALTER TABLE".to_owned(), self.alter_table());
        }
        let of = self.cursor.text().to_uppercase();
        let kind = format!("ALTER {of}");
        let what = match of.as_str() {
            "USER" | "SERVER" | "INSTANCE" | "TABLESPACE" | "LOGFILE" | "RESOURCE" => {
                Some(What::Other)
            }
            "DATABASE" | "SCHEMA" => Some(What::Other),
            _ if self.cursor.left().any(|word| word.eq_ignore_ascii_case("view")) => {
                return self.create_view();
            }
            "EVENT" | "PROCEDURE" | "FUNCTION" | "DEFINER" => {
                Some(What::CreateRoutine { name: Name::default(), body: None })
            }
            _ => None,
        };
        (kind, what)
    }

    fn alter_table(&mut self) -> Option<What> {
        let if_exists = self.if_exists();
        let name = self.cursor.dotted()?;
        let mut online = Online::default();
        self.wait(&mut online);
        let mut actions = Vec::new();
        while !self.cursor.is_done() {
            let from = self.cursor.place();
            let mark = self.cursor.mark();
            if !self.online(&mut online) && !self.with_validation() {
                let count = actions.len();
                let read = self.clause(&name);
                let ended =
                    self.cursor.is_done() || self.cursor.is(&[","]) || self.begins_options();
                match read {
                    Some(read) if ended => {
                        let span = from..self.cursor.behind().max(from);
                        actions.extend(read.into_iter().map(|action| (action, span.clone())));
                    }
                    _ => {
                        self.cursor.back(mark);
                        self.cursor.skip_item();
                        // A closing parenthesis that nobody opened.
                        if self.cursor.is(&[")"]) {
                            self.cursor.pass();
                        }
                        let text = self.cursor.since(from).to_owned();
                        let span = from..self.cursor.behind().max(from);
                        actions.truncate(count);
                        actions.push((Action::Unknown { text }, span));
                    }
                }
            }
            if self.cursor.mark() == mark {
                self.cursor.pass();
            }
            self.cursor.eat(&[","]);
        }
        Some(What::AlterTable(AlterTable { name, if_exists, only: false, actions, online }))
    }

    /// Table options and partition operations may follow one another without a comma.
    fn begins_options(&self) -> bool {
        let words = [
            "engine",
            "row_format",
            "comment",
            "auto_increment",
            "default",
            "charset",
            "character",
            "collate",
            "partition",
            "algorithm",
            "lock",
            "key_block_size",
            "stats_persistent",
            "max_rows",
            "min_rows",
            "checksum",
            "pack_keys",
            "convert",
            "compression",
            "encryption",
            "remove",
            "page_compressed",
            "avg_row_length",
            "data",
            "index",
            "tablespace",
            "insert_method",
        ];
        words.iter().any(|word| self.cursor.is(&[word]))
    }

    fn with_validation(&mut self) -> bool {
        self.cursor.eat(&["with", "validation"]) || self.cursor.eat(&["without", "validation"])
    }

    /// One clause; `ADD (a int, b int)` is several.
    fn clause(&mut self, table: &Name) -> Option<Vec<Action>> {
        let one = |action: Option<Action>| action.map(|action| vec![action]);
        if self.cursor.eat(&["add"]) {
            return self.add(table);
        }
        if self.cursor.eat(&["drop"]) {
            return one(self.drop_clause());
        }
        if self.cursor.eat(&["modify"]) {
            self.cursor.eat(&["column"]);
            let if_exists = self.if_exists();
            let column = self.column()?;
            let place = self.place();
            let from = column.name.clone();
            return Some(vec![Action::Modify { from, column: Box::new(column), if_exists, place }]);
        }
        if self.cursor.eat(&["change"]) {
            self.cursor.eat(&["column"]);
            let if_exists = self.if_exists();
            let from = self.cursor.name()?;
            let column = Box::new(self.column()?);
            let place = self.place();
            return Some(vec![Action::Modify { from, column, if_exists, place }]);
        }
        if self.cursor.eat(&["rename"]) {
            return one(self.rename_clause());
        }
        if self.cursor.eat(&["alter"]) {
            return one(self.alter_clause());
        }
        if let Some(operation) = self.partition_operation() {
            return Some(vec![Action::Partition(operation)]);
        }
        one(self.option_clause())
    }

    fn add(&mut self, table: &Name) -> Option<Vec<Action>> {
        if let Some(operation) = self.add_partition() {
            return Some(vec![Action::Partition(operation)]);
        }
        if self.cursor.eat(&["system", "versioning"]) || self.cursor.eat(&["period"]) {
            let name = "system versioning".to_owned();
            self.cursor.skip_item();
            return Some(vec![Action::TableOption { name, value: "add".to_owned() }]);
        }
        if let Some(action) = self.add_key(table) {
            return Some(vec![action]);
        }
        let explicit = self.cursor.eat(&["column"]);
        let if_not_exists = self.if_not_exists();
        let add = |column: Column, place| Action::AddColumn {
            column: Box::new(column),
            if_not_exists,
            place,
        };
        if self.cursor.text() == "(" {
            let span = self.cursor.parenthesised()?;
            let mut inner = self.within(&span);
            let mut actions = Vec::new();
            while !inner.cursor.is_done() {
                let key = if explicit { None } else { inner.add_key(table) };
                let action = match key {
                    Some(action) => action,
                    None => add(inner.column()?, None),
                };
                actions.push(action);
                if !inner.cursor.eat(&[","]) && !inner.cursor.is_done() {
                    return None;
                }
            }
            return Some(actions);
        }
        let column = self.column()?;
        let place = self.place();
        Some(vec![add(column, place)])
    }

    /// A key, a check or a foreign key behind `ADD`, if that is what is next.
    pub(in crate::sql) fn add_key(&mut self, table: &Name) -> Option<Action> {
        let mark = self.cursor.mark();
        let found = self.constraint_or_index(table);
        if found.is_none() {
            self.cursor.back(mark);
        }
        found
    }

    fn constraint_or_index(&mut self, table: &Name) -> Option<Action> {
        let mut name = None;
        let constraint = self.cursor.eat(&["constraint"]);
        let mut if_not_exists = constraint && self.if_not_exists();
        if constraint
            && !["primary", "unique", "foreign", "check"].iter().any(|word| self.cursor.is(&[word]))
        {
            name = self.cursor.name();
        }
        let made = |name, kind, enforced, if_not_exists| Action::AddConstraint {
            constraint: Constraint {
                name,
                kind,
                not_valid: false,
                enforced,
                deferrable: false,
                include: Vec::new(),
                no_inherit: false,
            },
            if_not_exists,
        };
        if self.cursor.eat(&["primary", "key"]) {
            self.index_type();
            let columns = self.names_in_parentheses();
            self.index_options();
            let kind = ConstraintKind::PrimaryKey { columns, using_index: None };
            return Some(made(name, kind, true, if_not_exists));
        }
        if self.cursor.eat(&["foreign", "key"]) {
            if_not_exists |= self.if_not_exists();
            if self.cursor.text() != "(" {
                let index = self.cursor.name();
                name = name.or(index);
            }
            let columns = self.names_in_parentheses();
            if !self.cursor.eat(&["references"]) {
                return None;
            }
            let key = self.references(columns)?;
            return Some(made(name, ConstraintKind::ForeignKey(key), true, if_not_exists));
        }
        if self.cursor.is(&["check"]) {
            self.cursor.pass();
            let expression = self.cursor.inner()?;
            let enforced = self.enforced();
            return Some(made(name, ConstraintKind::Check(expression), enforced, if_not_exists));
        }
        if self.cursor.eat(&["unique"]) {
            self.cursor.eat_one(&["key", "index"]);
            if_not_exists |= self.if_not_exists();
            if self.cursor.text() != "(" && !self.cursor.is(&["using"]) {
                name = self.cursor.name().or(name);
            }
            self.index_type();
            let columns = self.names_in_parentheses();
            self.index_options();
            let kind = ConstraintKind::Unique { columns, using_index: None };
            return (!self.cursor.is_string()).then(|| made(name, kind, true, if_not_exists));
        }
        if constraint {
            return None;
        }
        let kind = match self.cursor.eat_one(&["fulltext", "spatial", "vector"]) {
            Some("fulltext") => IndexKind::FullText,
            Some("spatial") => IndexKind::Spatial,
            Some(_) => IndexKind::Vector,
            None => IndexKind::Ordinary,
        };
        let keyword = self.cursor.eat_one(&["key", "index"]).is_some();
        if !keyword && kind == IndexKind::Ordinary {
            return None;
        }
        if_not_exists |= self.if_not_exists();
        let name = if self.cursor.text() == "(" || self.cursor.is(&["using"]) {
            None
        } else {
            self.cursor.name()
        };
        let index = self.index_body(name.map(Name::plain), table, kind, false, if_not_exists)?;
        Some(Action::AddIndex { index: Box::new(index) })
    }

    fn drop_clause(&mut self) -> Option<Action> {
        if let Some(operation) = self.drop_partition() {
            return Some(Action::Partition(operation));
        }
        if self.cursor.eat(&["primary", "key"]) {
            return Some(Action::DropPrimaryKey);
        }
        if self.cursor.eat(&["foreign", "key"]) {
            let if_exists = self.if_exists();
            return Some(Action::DropForeignKey { name: self.cursor.name()?, if_exists });
        }
        if self.cursor.eat_one(&["key", "index"]).is_some() {
            let if_exists = self.if_exists();
            return Some(Action::DropIndex { name: self.cursor.name()?, if_exists });
        }
        if self.cursor.eat(&["check"]) {
            return Some(Action::DropCheck { name: self.cursor.name()? });
        }
        if self.cursor.eat(&["constraint"]) {
            let if_exists = self.if_exists();
            let name = self.cursor.name()?;
            return Some(Action::DropConstraint { name, if_exists, cascade: false });
        }
        if self.cursor.eat(&["system", "versioning"]) || self.cursor.eat(&["period"]) {
            self.cursor.skip_item();
            let name = "system versioning".to_owned();
            return Some(Action::TableOption { name, value: "drop".to_owned() });
        }
        self.cursor.eat(&["column"]);
        let if_exists = self.if_exists();
        let name = self.cursor.name()?;
        self.cursor.eat_one(&["restrict", "cascade"]);
        Some(Action::DropColumn { name, if_exists, cascade: false })
    }

    fn rename_clause(&mut self) -> Option<Action> {
        if self.cursor.eat(&["column"]) {
            self.if_exists();
            let from = self.cursor.name()?;
            return self
                .cursor
                .eat(&["to"])
                .then(|| self.cursor.name())
                .flatten()
                .map(|to| Action::RenameColumn { from, to });
        }
        let index = (self.cursor.is(&["index"]) || self.cursor.is(&["key"]))
            && self.cursor.left().any(|word| word.eq_ignore_ascii_case("to"));
        if index {
            self.cursor.pass();
            self.if_exists();
            let from = self.cursor.name()?;
            self.cursor.eat(&["to"]);
            return Some(Action::RenameIndex { from, to: self.cursor.name()? });
        }
        self.cursor.eat_one(&["to", "as", "="]);
        Some(Action::RenameTo(self.cursor.dotted()?))
    }

    fn alter_clause(&mut self) -> Option<Action> {
        if self.cursor.eat_one(&["index", "key"]).is_some() {
            self.if_exists();
            let name = self.cursor.name()?;
            let visible = match self.cursor.eat_one(&["visible", "invisible", "ignored", "not"])? {
                "visible" => true,
                "not" => self.cursor.eat(&["ignored"]),
                _ => false,
            };
            return Some(Action::IndexVisibility { name, visible });
        }
        if self.cursor.eat_one(&["check", "constraint"]).is_some() {
            let name = self.cursor.name()?;
            let enforced = Some(self.enforced());
            return Some(Action::AlterConstraint { name, enforced });
        }
        self.cursor.eat(&["column"]);
        self.if_exists();
        let column = self.cursor.name()?;
        if self.cursor.eat(&["set", "default"]) {
            let to = self.default_value()?;
            return Some(Action::SetDefault { column, to });
        }
        if self.cursor.eat(&["drop", "default"]) {
            return Some(Action::DropDefault { column });
        }
        if self.cursor.eat(&["set"]) {
            let visible = self.cursor.eat_one(&["visible", "invisible"])? == "visible";
            return Some(Action::ColumnVisibility { column, visible });
        }
        None
    }

    /// `FIRST`, `AFTER c`
    fn place(&mut self) -> Option<Place> {
        if self.cursor.eat(&["first"]) {
            return Some(Place::First);
        }
        self.cursor.eat(&["after"]).then(|| self.cursor.name()).flatten().map(Place::After)
    }

    fn option_clause(&mut self) -> Option<Action> {
        let cursor = &mut self.cursor;
        if cursor.eat(&["convert", "to"]) {
            if !cursor.eat(&["character", "set"]) && !cursor.eat(&["charset"]) {
                return None;
            }
            let charset = cursor.value()?.to_lowercase();
            let collation = self.collation();
            return Some(Action::ConvertCharset { charset, collation });
        }
        if cursor.eat(&["force"]) {
            return Some(Action::Force);
        }
        if cursor.eat(&["order", "by"]) {
            // Its commas are its own.
            cursor.rest();
            return Some(Action::OrderBy);
        }
        if let Some(word) = cursor.eat_one(&["enable", "disable"]) {
            return cursor.eat(&["keys"]).then_some(Action::Keys { enable: word == "enable" });
        }
        if let Some(word) = cursor.eat_one(&["discard", "import"]) {
            return cursor.eat(&["tablespace"]).then(|| Action::TableOption {
                name: "tablespace".to_owned(),
                value: word.to_owned(),
            });
        }
        let mark = cursor.mark();
        cursor.eat(&["default"]);
        if cursor.eat(&["character", "set"]) || cursor.eat(&["charset"]) {
            cursor.eat(&["="]);
            let charset = cursor.value().map(|name| name.to_lowercase());
            let collation = self.collation();
            return Some(Action::DefaultCharset { charset, collation });
        }
        if let Some(collation) = self.collation() {
            return Some(Action::DefaultCharset { charset: None, collation: Some(collation) });
        }
        self.cursor.back(mark);
        let (name, value) = self.table_option()?;
        Some(match name.as_str() {
            "engine" => Action::Engine(value.to_lowercase()),
            "row_format" => Action::RowFormat(value.to_lowercase()),
            "key_block_size" => Action::RowFormat(format!("key_block_size={value}")),
            _ => Action::TableOption { name, value },
        })
    }

    /// `COLLATE [=] name`
    pub(super) fn collation(&mut self) -> Option<String> {
        if !self.cursor.eat(&["collate"]) {
            return None;
        }
        self.cursor.eat(&["="]);
        self.cursor.value().map(|name| name.to_lowercase())
    }

    /// `name [=] value`, of the options that a table has.
    pub(super) fn table_option(&mut self) -> Option<(String, String)> {
        const TWO: [(&str, &str); 3] =
            [("data", "directory"), ("index", "directory"), ("secondary", "engine")];
        let mut name = self.cursor.name()?.to_lowercase();
        if let Some((_, second)) =
            TWO.iter().find(|(first, second)| *first == name && self.cursor.is(&[second]))
        {
            self.cursor.pass();
            name = format!("{name} {second}");
        }
        let known = [
            "engine",
            "type",
            "row_format",
            "key_block_size",
            "comment",
            "auto_increment",
            "avg_row_length",
            "checksum",
            "table_checksum",
            "compression",
            "connection",
            "data directory",
            "index directory",
            "delay_key_write",
            "encryption",
            "encrypted",
            "encryption_key_id",
            "insert_method",
            "max_rows",
            "min_rows",
            "pack_keys",
            "password",
            "stats_auto_recalc",
            "stats_persistent",
            "stats_sample_pages",
            "tablespace",
            "storage",
            "union",
            "autoextend_size",
            "engine_attribute",
            "secondary_engine",
            "secondary_engine_attribute",
            "page_checksum",
            "page_compressed",
            "page_compression_level",
            "transactional",
            "sequence",
            "ietf_quotes",
            "start",
        ];
        let assigned = self.cursor.eat(&["="]);
        if !assigned && !known.contains(&name.as_str()) {
            return None;
        }
        if name == "union" {
            self.cursor.parenthesised()?;
            return Some((name, String::new()));
        }
        let value = self.cursor.value()?;
        Some((name, value))
    }

    /// Everything that can follow `PARTITION`-like words outside of `ADD` and `DROP`.
    fn partition_operation(&mut self) -> Option<PartitionOperation> {
        let mark = self.cursor.mark();
        let found = self.read_partition_operation();
        if found.is_none() {
            self.cursor.back(mark);
        }
        found
    }
}
