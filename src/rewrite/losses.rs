//! Which clauses of a change would lose rows or values where a table is copied with `INSERT IGNORE`,
//! and the query that shows whether any would be.
//!
//! Both online-DDL tools copy so; the server itself refuses such a change, but only after it has read
//! the table. So each is shown to be harmless first, on the data that are there.

use super::narrowing::{self, Narrowing};
use crate::catalog::Release;
use crate::sql::schema::{Schema, Table};
use crate::sql::statement::{
    Action, AlterTable, Column, ConstraintKind, CreateIndex, ForeignKey, IndexKind, IndexPart, Name,
};
use crate::sql::{Tokens, single_expression};

/// Something that may be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// What, and how: a clause of a sentence.
    pub what: String,
    /// The query that shows it; none where nothing can show it before the change is made.
    pub probe: Option<Probe>,
    /// It is a new unique key, of which a row that is written later can be a duplicate, too.
    pub unique: bool,
}

/// A query that shows what would be lost. Nothing is, when it counts 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// One row: how many, as text; of duplicates the rows that are too many.
    pub count: String,
    /// The first of them, each a value as text.
    pub sample: String,
}

/// A name between backquotes.
fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn quote_table(name: &Name) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", quote(schema), quote(&name.name)),
        None => quote(&name.name),
    }
}

/// What this change could lose, as far as the schema tells; a column that it does not know counts as
/// one that loses.
#[must_use]
pub fn losses(alter: &AlterTable, schema: &Schema, _server: Release) -> Vec<Loss> {
    let unseen = Table::default();
    let table = schema.table(&alter.name).unwrap_or(&unseen);
    let asking = Asking { name: quote_table(&alter.name), table, schema, alter };
    let mut losses = Vec::new();
    for (action, _) in &alter.actions {
        asking.action(action, &mut losses);
    }
    losses
}

struct Asking<'a> {
    name: String,
    table: &'a Table,
    schema: &'a Schema,
    alter: &'a AlterTable,
}

impl Asking<'_> {
    fn action(&self, action: &Action, losses: &mut Vec<Loss>) {
        match action {
            Action::AddConstraint { constraint, .. } => match &constraint.kind {
                ConstraintKind::Unique { columns, .. }
                | ConstraintKind::PrimaryKey { columns, .. } => {
                    losses.push(self.duplicates(&whole(columns)));
                }
                ConstraintKind::Check(check) if constraint.enforced => {
                    losses.push(self.breaks_check(&check.text));
                }
                ConstraintKind::ForeignKey(key) => losses.push(self.orphans(key)),
                _ => {}
            },
            Action::AddIndex { index } if index.unique && index.kind == IndexKind::Ordinary => {
                losses.push(self.index(index));
            }
            Action::AddColumn { column, .. }
                if (column.unique || column.primary_key) && !column.auto_increment =>
            {
                losses.push(self.duplicates(&whole(std::slice::from_ref(&column.name))));
            }
            Action::DropColumn { name, .. } => self.drop_column(name, losses),
            Action::ConvertCharset { charset, collation } => {
                let texts = self.table.columns.iter().filter(|column| is_text(column));
                let names: Vec<&str> = texts.map(|column| column.name.as_str()).collect();
                self.collate(&names, charset, collation.as_deref(), losses);
            }
            Action::Modify { from, column, .. } => self.modify(from, column, losses),
            _ => {}
        }
    }

    fn index(&self, index: &CreateIndex) -> Loss {
        let mut parts = Vec::new();
        for part in &index.parts {
            match part {
                IndexPart::Column(name, length) => parts.push((name.clone(), *length)),
                IndexPart::Expression(expression) => {
                    let what = format!(
                        "rows that are equal in `{}` would be dropped, and an expression in a new \
                         unique index is not looked at here",
                        expression.text
                    );
                    return Loss { what, probe: None, unique: true };
                }
            }
        }
        self.duplicates(&parts)
    }

    /// Rows that are equal in these columns, or in their first characters.
    fn duplicates(&self, parts: &[(String, Option<u32>)]) -> Loss {
        let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
        let what = format!(
            "rows that are equal in `{}` would be dropped by the copy's INSERT IGNORE",
            names.join("`, `")
        );
        let born = |name: &&str| {
            self.alter.actions.iter().any(|(action, _)| match action {
                Action::AddColumn { column, .. } => column.name.eq_ignore_ascii_case(name),
                _ => false,
            })
        };
        if let Some(new) = names.iter().find(|name| born(name)) {
            let what = format!(
                "{what}, and `{new}` has no values before the change: add it and fill it first, and \
                 the key in a later file"
            );
            return Loss { what, probe: None, unique: true };
        }
        let expressions = parts.iter().map(|(name, length)| match length {
            Some(length) => format!("LEFT({}, {length})", quote(name)),
            None => quote(name),
        });
        let probe = self.equal(&names, &expressions.collect::<Vec<_>>());
        Loss { what, probe: Some(probe), unique: true }
    }

    /// Counts rows that are too many where these are to be unique. NULLs are never equal.
    fn equal(&self, names: &[&str], expressions: &[String]) -> Probe {
        let from = &self.name;
        let known: Vec<String> =
            names.iter().map(|name| format!("{} IS NOT NULL", quote(name))).collect();
        let (known, grouped) = (known.join(" AND "), expressions.join(", "));
        let groups = format!(
            "SELECT COUNT(*) AS n FROM {from} WHERE {known} GROUP BY {grouped} HAVING COUNT(*) > 1"
        );
        Probe {
            count: format!(
                "SELECT CAST(COALESCE(SUM(n), 0) - COUNT(*) AS CHAR) FROM ({groups}) AS d"
            ),
            sample: format!(
                "SELECT CONCAT_WS(', ', {grouped}), CAST(COUNT(*) AS CHAR) FROM {from} \
                 WHERE {known} GROUP BY {grouped} HAVING COUNT(*) > 1 ORDER BY {grouped} LIMIT 5"
            ),
        }
    }

    /// Counts rows of which this is true.
    fn such(&self, shown: &str, predicate: &str) -> Probe {
        let from = &self.name;
        Probe {
            count: format!("SELECT CAST(COUNT(*) AS CHAR) FROM {from} WHERE {predicate}"),
            sample: format!("SELECT CONCAT('', {shown}) FROM {from} WHERE {predicate} LIMIT 5"),
        }
    }

    /// A row by its key, where its own value would show nothing.
    fn key(&self) -> String {
        let key = self.table.primary_key().unwrap_or_default();
        let columns: Vec<String> = key.iter().map(|name| quote(name)).collect();
        if columns.is_empty() {
            "NULL".to_owned()
        } else {
            format!("CONCAT_WS(', ', {})", columns.join(", "))
        }
    }

    fn breaks_check(&self, check: &str) -> Loss {
        let readable = single_expression(Tokens::MySql, check).is_ok();
        Loss {
            what: format!("rows that break `{check}` would be dropped by the copy's INSERT IGNORE"),
            probe: readable.then(|| self.such(&self.key(), &format!("NOT ({check})"))),
            unique: false,
        }
    }

    fn orphans(&self, key: &ForeignKey) -> Loss {
        let what = format!(
            "rows that refer to no row of `{}` would be dropped by the copy's INSERT IGNORE",
            key.table
        );
        let pairs: Vec<_> = key.columns.iter().zip(&key.referenced).collect();
        let probe = (!pairs.is_empty() && pairs.len() == key.columns.len()).then(|| {
            let known: Vec<String> =
                pairs.iter().map(|(own, _)| format!("c.{} IS NOT NULL", quote(own))).collect();
            let same: Vec<String> = pairs
                .iter()
                .map(|(own, other)| format!("p.{} = c.{}", quote(other), quote(own)))
                .collect();
            let own: Vec<String> =
                pairs.iter().map(|(own, _)| format!("c.{}", quote(own))).collect();
            let body = format!(
                "FROM {} AS c WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE {})",
                self.name,
                known.join(" AND "),
                quote_table(&key.table),
                same.join(" AND ")
            );
            Probe {
                count: format!("SELECT CAST(COUNT(*) AS CHAR) {body}"),
                sample: format!("SELECT CONCAT_WS(', ', {}) {body} LIMIT 5", own.join(", ")),
            }
        });
        Loss { what, probe, unique: false }
    }

    /// A unique index loses the column as well, and what is left of it must still be unique.
    fn drop_column(&self, name: &str, losses: &mut Vec<Loss>) {
        for key in self.unique_keys() {
            let dropped = |column: &String| column.eq_ignore_ascii_case(name);
            if key.iter().any(dropped) && 1 < key.len() {
                let left: Vec<String> = key.into_iter().filter(|column| !dropped(column)).collect();
                losses.push(self.duplicates(&whole(&left)));
            }
        }
    }

    /// The columns of each unique key, the primary one first.
    fn unique_keys(&self) -> Vec<Vec<String>> {
        let mut keys: Vec<Vec<String>> = Vec::new();
        let mut add = |columns: Vec<String>| {
            if !columns.is_empty() && !keys.contains(&columns) {
                keys.push(columns);
            }
        };
        add(self.table.primary_key().unwrap_or_default().to_vec());
        for constraint in &self.table.constraints {
            if let ConstraintKind::Unique { columns, .. } = &constraint.kind {
                add(columns.clone());
            }
        }
        for (_, index) in self.schema.indexes_of(&self.alter.name) {
            if index.definition.unique {
                let column = |part: &IndexPart| match part {
                    IndexPart::Column(name, _) => Some(name.clone()),
                    IndexPart::Expression(_) => None,
                };
                add(index.definition.parts.iter().filter_map(column).collect());
            }
        }
        keys
    }

    /// Texts under another character set and collation: they may become equal, or not fit.
    fn collate(
        &self,
        names: &[&str],
        charset: &str,
        collation: Option<&str>,
        losses: &mut Vec<Loss>,
    ) {
        let among = |column: &str| names.iter().any(|name| name.eq_ignore_ascii_case(column));
        let plain = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let shown = collation.unwrap_or(charset);
        if self.table.columns.is_empty() || !plain(charset) || !collation.is_none_or(plain) {
            losses.push(Loss {
                what: format!(
                    "under `{shown}`, texts may become equal in a unique index, and such rows would \
                     be dropped; or a text may not fit"
                ),
                probe: None,
                unique: true,
            });
            return;
        }
        let collate = collation.map(|name| format!(" COLLATE {name}")).unwrap_or_default();
        for key in self.unique_keys().iter().filter(|key| key.iter().any(|name| among(name))) {
            let expressions: Vec<String> = key
                .iter()
                .map(|name| {
                    if among(name) {
                        format!("CONVERT({} USING {charset}){collate}", quote(name))
                    } else {
                        quote(name)
                    }
                })
                .collect();
            let own: Vec<&str> = key.iter().map(String::as_str).collect();
            losses.push(Loss {
                what: format!(
                    "texts of `{}` may become equal under `{shown}`, and such rows would be dropped",
                    own.join("`, `")
                ),
                probe: Some(self.equal(&own, &expressions)),
                unique: true,
            });
        }
        if charset.eq_ignore_ascii_case("utf8mb4") {
            return;
        }
        for name in names {
            let column = quote(name);
            let there = format!("CONVERT({column} USING utf8mb4)");
            let back = format!("CONVERT(CONVERT({column} USING {charset}) USING utf8mb4)");
            let predicate = format!("CAST({there} AS BINARY) <> CAST({back} AS BINARY)");
            losses.push(Loss {
                what: format!(
                    "texts of `{name}` that `{charset}` has no letters for would be written otherwise"
                ),
                probe: Some(self.such(&column, &predicate)),
                unique: false,
            });
        }
    }

    fn modify(&self, from: &str, to: &Column, losses: &mut Vec<Loss>) {
        if (to.unique || to.primary_key) && !to.auto_increment {
            losses.push(self.duplicates(&whole(&[from.to_owned()])));
        }
        let column = quote(from);
        let nulls = || Loss {
            what: format!(
                "a NULL in `{from}` would be written as an empty value, or its row dropped"
            ),
            probe: Some(self.such(&self.key(), &format!("{column} IS NULL"))),
            unique: false,
        };
        let Some(old) = self.table.column(from) else {
            if to.not_null {
                losses.push(nulls());
            }
            losses.push(Loss {
                what: format!(
                    "whether the values of `{from}` fit `{}` depends on its type of today, which is \
                     not known; give the schema with `--schema`",
                    to.ty.text
                ),
                probe: None,
                unique: false,
            });
            return;
        };
        let primary = self.table.primary_key().unwrap_or_default();
        let in_primary = primary.iter().any(|name| name.eq_ignore_ascii_case(from));
        if to.not_null && !old.not_null && !in_primary {
            losses.push(nulls());
        }
        let fit = |probe| Loss {
            what: format!(
                "values of `{from}` that do not fit `{}` would be cut or their rows dropped",
                to.ty.text
            ),
            probe,
            unique: false,
        };
        match narrowing::of(&column, &old.ty, &to.ty) {
            Narrowing::Fits => {}
            Narrowing::Unless(predicate) => losses.push(fit(Some(self.such(&column, &predicate)))),
            Narrowing::Unknown => losses.push(Loss {
                what: format!(
                    "whether every value of `{from}` means the same as `{}` as it does as `{}`, no \
                     query of ours shows",
                    to.ty.text, old.ty.text
                ),
                ..fit(None)
            }),
        }
        if is_text(old) && is_text(to) {
            let charset = |column: &Column| column.ty.charset.clone();
            let option = |name: &str| self.table.options.get(name).cloned();
            let before = (
                charset(old).or_else(|| option("charset")),
                old.collation.clone().or_else(|| option("collate")),
            );
            let after = (
                charset(to).or_else(|| option("charset")),
                to.collation
                    .clone()
                    .or_else(|| to.ty.charset.is_none().then(|| option("collate"))?),
            );
            let folded = |pair: &(Option<String>, Option<String>)| {
                (
                    pair.0.as_ref().map(|s| s.to_lowercase()),
                    pair.1.as_ref().map(|s| s.to_lowercase()),
                )
            };
            if folded(&before) != folded(&after) {
                let collation = after.1.clone();
                let of_collation =
                    || collation.as_deref()?.split('_').next().map(ToOwned::to_owned);
                if let Some(charset) = after.0.clone().or_else(of_collation) {
                    self.collate(&[from], &charset, collation.as_deref(), losses);
                }
            }
        }
    }
}

fn whole(columns: &[String]) -> Vec<(String, Option<u32>)> {
    columns.iter().map(|name| (name.clone(), None)).collect()
}

fn is_text(column: &Column) -> bool {
    ["varchar", "char", "tinytext", "text", "mediumtext", "longtext", "enum", "set"]
        .contains(&column.ty.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::statement::What;
    use crate::sql::{Source, parse};

    const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, a int, b varchar(20) NOT NULL, \
                         c varchar(300), UNIQUE KEY ab (a, b)) CHARSET=latin1;";

    fn found(clauses: &str) -> Vec<Loss> {
        let release = Release::parse("mysql-8.4").unwrap();
        let text = format!("{TABLE}\nALTER TABLE t {clauses}");
        let script = parse(Source::of(release), &text);
        let mut schema = Schema::default();
        schema.apply(&script.statements[0]);
        let What::AlterTable(alter) = &script.statements[1].what else { panic!("{clauses}") };
        losses(alter, &schema, release)
    }

    #[test]
    fn what_cannot_lose_anything_asks_nothing() {
        for clauses in [
            "ADD INDEX (c)",
            "ADD d int NOT NULL DEFAULT 1",
            "DROP COLUMN c",
            "MODIFY a bigint",
            "MODIFY b varchar(40) NOT NULL",
            "ENGINE=InnoDB",
            "MODIFY id bigint NOT NULL",
        ] {
            assert_eq!(found(clauses), [], "{clauses}");
        }
    }

    #[test]
    fn each_way_to_lose_has_its_query() {
        for (clauses, part) in [
            ("ADD UNIQUE KEY (a)", "GROUP BY `a` HAVING"),
            ("ADD UNIQUE KEY (a, c(10))", "GROUP BY `a`, LEFT(`c`, 10) HAVING"),
            ("MODIFY a int NOT NULL", "WHERE `a` IS NULL"),
            ("MODIFY a smallint", "`a` < -32768 OR `a` > 32767"),
            ("MODIFY c varchar(100)", "CHAR_LENGTH(`c`) > 100"),
            ("ADD CONSTRAINT k CHECK (a > 0)", "WHERE NOT (a > 0)"),
            ("ADD FOREIGN KEY (a) REFERENCES p (id)", "NOT EXISTS (SELECT 1 FROM `p`"),
            ("DROP COLUMN b", "GROUP BY `a` HAVING"),
            (
                "CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
                "CONVERT(`b` USING utf8mb4) COLLATE utf8mb4_general_ci",
            ),
        ] {
            let losses = found(clauses);
            let queries: Vec<&str> = losses
                .iter()
                .filter_map(|loss| Some(loss.probe.as_ref()?.count.as_str()))
                .collect();
            assert!(queries.iter().any(|sql| sql.contains(part)), "{clauses}: {losses:?}");
        }
        // The column has no values yet.
        assert_eq!(found("ADD d int, ADD UNIQUE KEY (d)")[0].probe, None);
        assert_eq!(found("MODIFY a json")[0].probe, None);
    }
}
