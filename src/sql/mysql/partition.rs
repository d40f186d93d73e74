//! Operations on partitions.

use super::Parser;
use crate::sql::statement::PartitionOperation;

impl Parser<'_> {
    /// `PARTITION BY`, `REMOVE PARTITIONING` and the operations on named partitions.
    pub(super) fn read_partition_operation(&mut self) -> Option<PartitionOperation> {
        if self.cursor.eat(&["partition", "by"]) {
            self.cursor.rest();
            return Some(PartitionOperation::PartitionBy);
        }
        if self.cursor.eat(&["remove", "partitioning"]) {
            return Some(PartitionOperation::Remove);
        }
        let words = [
            "truncate",
            "coalesce",
            "reorganize",
            "exchange",
            "rebuild",
            "optimize",
            "analyze",
            "check",
            "repair",
            "discard",
            "import",
            "convert",
        ];
        let word = self.cursor.eat_one(&words)?;
        if word == "convert" && self.cursor.eat(&["table"]) {
            let table = self.cursor.dotted()?;
            self.cursor.rest();
            return Some(PartitionOperation::Convert(table));
        }
        if !self.cursor.eat(&["partition"]) {
            return None;
        }
        self.cursor.eat_one(&["local", "no_write_to_binlog"]);
        Some(match word {
            "coalesce" => {
                self.cursor.value()?;
                PartitionOperation::Coalesce
            }
            "truncate" => PartitionOperation::Truncate(self.partition_names()),
            "reorganize" => {
                let names =
                    if self.cursor.is(&["into"]) { Vec::new() } else { self.partition_names() };
                self.cursor.eat(&["into"]);
                self.cursor.parenthesised();
                PartitionOperation::Reorganize(names)
            }
            "exchange" => {
                let partition = self.cursor.name()?;
                if !self.cursor.eat(&["with", "table"]) {
                    return None;
                }
                let with = self.cursor.dotted()?;
                let validate = !self.cursor.eat(&["without", "validation"]);
                self.cursor.eat(&["with", "validation"]);
                PartitionOperation::Exchange { partition, with, validate }
            }
            "rebuild" | "optimize" => PartitionOperation::Rebuild(self.partition_names()),
            "analyze" | "check" | "repair" => {
                let names = self.partition_names();
                while self
                    .cursor
                    .eat_one(&["quick", "fast", "medium", "extended", "changed", "use_frm"])
                    .is_some()
                {}
                PartitionOperation::Check(names)
            }
            "convert" => {
                self.cursor.name()?;
                self.cursor.eat(&["to", "table"]);
                let table = self.cursor.dotted()?;
                self.cursor.eat(&["with", "validation"]);
                self.cursor.eat(&["without", "validation"]);
                PartitionOperation::Convert(table)
            }
            _ => {
                let names = self.partition_names();
                self.cursor.eat(&["tablespace"]);
                PartitionOperation::Tablespace(names)
            }
        })
    }

    /// Behind `ADD`.
    pub(super) fn add_partition(&mut self) -> Option<PartitionOperation> {
        if !self.cursor.is(&["partition"]) {
            return None;
        }
        self.cursor.pass();
        self.cursor.eat_one(&["local", "no_write_to_binlog"]);
        self.if_not_exists();
        let hash = self.cursor.eat(&["partitions"]);
        if hash {
            self.cursor.value();
        } else {
            self.cursor.parenthesised();
        }
        Some(PartitionOperation::Add { hash })
    }

    /// Behind `DROP`.
    pub(super) fn drop_partition(&mut self) -> Option<PartitionOperation> {
        if !self.cursor.is(&["partition"]) {
            return None;
        }
        self.cursor.pass();
        self.if_exists();
        Some(PartitionOperation::Drop(self.partition_names()))
    }

    /// The names of partitions; none means `ALL`.
    fn partition_names(&mut self) -> Vec<String> {
        if self.cursor.eat(&["all"]) {
            return Vec::new();
        }
        let mut names = Vec::new();
        while let Some(name) = self.cursor.name() {
            names.push(name);
            let option = ["algorithm", "lock"].iter().any(|word| self.cursor.is(&[",", word, "="]));
            if option || !self.cursor.eat(&[","]) {
                break;
            }
        }
        names
    }
}
