//! A table that is made anew and put in the place of the old one.
//!
//! `SQLite` alters little in place; its manual (<https://sqlite.org/lang_altertable.html#otheralter>)
//! and so Django, Alembic and `TypeORM` create a new table, copy the rows, drop the old one, and give
//! the new one its name. Statement by statement that is a lost table and a rename in disguise; together,
//! in one transaction, it is one change of one table.

use crate::sql::schema::{Schema, plain};
use crate::sql::statement::{Action, Column, CreateTable, Dml, Name, Statement, Verb, What};
use crate::sql::{Tokens, mentions};

/// The places of its statements among those of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remake {
    /// `CREATE TABLE new`.
    pub create: usize,
    /// `INSERT INTO new … SELECT … FROM old`, of every row.
    pub copy: usize,
    /// `DROP TABLE old`.
    pub drop: usize,
    /// `ALTER TABLE new RENAME TO old`.
    pub rename: usize,
}

/// What a table that is made anew has no more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gone {
    /// Columns whose values nobody copies.
    pub lost: Vec<String>,
    /// Columns whose values are copied into one of another name.
    pub renamed: Vec<String>,
}

impl Remake {
    /// Every one in these statements with nothing of a transaction between its steps. Whether one is
    /// open around them is for the caller to see: without one, a row that is written between the copy
    /// and the drop is lost.
    #[must_use]
    pub fn all(statements: &[Statement]) -> Vec<Self> {
        let renames = statements.iter().enumerate().filter_map(|(at, one)| match &one.what {
            What::AlterTable(alter) => match alter.actions.as_slice() {
                [(Action::RenameTo(to), _)] => Some((at, &alter.name, to)),
                _ => None,
            },
            _ => None,
        });
        let found = renames.filter_map(|(rename, new, old)| {
            let before = |end: usize, is: &dyn Fn(&What) -> bool| {
                statements[..end].iter().rposition(|one| is(&one.what))
            };
            let drop = before(rename, &|what| drops(what, old))?;
            let copy = before(drop, &|what| copies(what, old, new))?;
            let create = before(copy, &|what| creates(what, new))?;
            let ends = statements[create..rename]
                .iter()
                .any(|one| matches!(one.what, What::Transaction(_)));
            (!ends).then_some(Self { create, copy, drop, rename })
        });
        found.collect()
    }

    /// What becomes of the old table's columns that the new one has not. `text` is what the statements
    /// were read from, `schema` the one before the drop.
    #[must_use]
    pub fn gone(&self, statements: &[Statement], text: &str, schema: &Schema) -> Gone {
        let Some((new, copy, old)) = self.parts(statements, schema) else { return Gone::default() };
        let kept = |name: &str| {
            let written = copy.columns.is_empty() || copy.columns.iter().any(|one| one == name);
            let computed = |column: &Column| column.generated.is_some();
            new.columns.iter().any(|column| column.name == name && (written || computed(column)))
        };
        let gone = old.iter().filter(|column| !kept(&column.name));
        // The copy names a column that the new table has not: it is read into another.
        let copied = &text[statements[self.copy].span.clone()];
        let (renamed, lost) = gone
            .map(|column| column.name.clone())
            .partition(|name| mentions(Tokens::Sqlite, copied, name));
        Gone { lost, renamed }
    }

    /// Columns that the old table has not, or lets be NULL, and that an `INSERT` cannot leave out of the
    /// new one.
    #[must_use]
    pub fn demanded(&self, statements: &[Statement], schema: &Schema) -> Vec<String> {
        let Some((new, _, old)) = self.parts(statements, schema) else { return Vec::new() };
        let key = |column: &Column| column.primary_key || column.not_null;
        let known = |column: &&Column| {
            old.iter().find(|other| other.name == column.name).is_none_or(|other| !key(other))
        };
        let demands = |column: &&Column| {
            column.not_null && column.default.is_none() && column.generated.is_none()
        };
        let columns = new.columns.iter().filter(known).filter(demands);
        columns.map(|column| column.name.clone()).collect()
    }

    fn parts<'a>(
        &self,
        statements: &'a [Statement],
        schema: &'a Schema,
    ) -> Option<(&'a CreateTable, &'a Dml, &'a [Column])> {
        let (What::CreateTable(new), What::Dml(copy), What::DropTable(drop)) = (
            &statements[self.create].what,
            &statements[self.copy].what,
            &statements[self.drop].what,
        ) else {
            return None;
        };
        let old = drop.names.first().and_then(|name| schema.table(name))?;
        Some((new, copy, &old.columns))
    }
}

fn creates(what: &What, new: &Name) -> bool {
    matches!(what, What::CreateTable(create) if plain(&create.name) == plain(new)
        && !create.temporary && create.from_query.is_none())
}

fn copies(what: &What, old: &Name, new: &Name) -> bool {
    let What::Dml(dml) = what else { return false };
    dml.verb == Verb::InsertSelect
        && dml.predicate.is_none()
        && !dml.bounded
        && dml.table.as_ref().is_some_and(|table| plain(table) == plain(new))
        && matches!(dml.reads.as_slice(), [read] if plain(read) == plain(old))
}

fn drops(what: &What, old: &Name) -> bool {
    matches!(what, What::DropTable(drop)
        if matches!(drop.names.as_slice(), [name] if plain(name) == plain(old)) && !drop.cascade)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Release;
    use crate::sql::{Source, parse};

    const WHOLE: &[&str] = &[
        "CREATE TABLE new__t (id integer PRIMARY KEY, a text, b text NOT NULL)",
        "INSERT INTO new__t (id, a, b) SELECT id, a, 'x' FROM t",
        "DROP TABLE t",
        "ALTER TABLE new__t RENAME TO t",
    ];

    fn before(table: &str) -> Schema {
        let mut schema = Schema::default();
        let source = Source::of(Release::parse("sqlite").unwrap());
        parse(source, table).statements.iter().for_each(|one| schema.apply(one));
        schema
    }

    fn remakes(parts: &[&str]) -> (Vec<Remake>, Vec<Statement>) {
        let source = Source::of(Release::parse("sqlite").unwrap());
        let statements = parse(source, &parts.join(";\n")).statements;
        (Remake::all(&statements), statements)
    }

    #[test]
    fn the_four_steps_are_one_change() {
        let (found, statements) = remakes(WHOLE);
        assert_eq!(found, [Remake { create: 0, copy: 1, drop: 2, rename: 3 }]);
        let schema = before("CREATE TABLE t (id integer PRIMARY KEY, a text, c text)");
        let gone = found[0].gone(&statements, &WHOLE.join(";\n"), &schema);
        assert_eq!(gone, Gone { lost: vec!["c".to_owned()], renamed: Vec::new() });
        assert_eq!(found[0].demanded(&statements, &schema), ["b"]);
    }

    #[test]
    fn a_column_that_is_copied_into_another_is_renamed() {
        let mut parts = WHOLE.to_vec();
        parts[1] = "INSERT INTO new__t (id, a, b) SELECT id, a, c FROM t";
        let (found, statements) = remakes(&parts);
        let schema = before("CREATE TABLE t (id integer PRIMARY KEY, a text, c text)");
        let gone = found[0].gone(&statements, &parts.join(";\n"), &schema);
        assert_eq!(gone, Gone { lost: Vec::new(), renamed: vec!["c".to_owned()] });
    }

    #[test]
    fn what_leaves_rows_behind_is_none() {
        let with = |at: usize, text: &'static str| {
            let mut parts = WHOLE.to_vec();
            parts[at] = text;
            remakes(&parts).0
        };
        assert_eq!(with(1, "INSERT INTO new__t SELECT id, a, 'x' FROM t WHERE id > 5"), []);
        assert_eq!(with(1, "INSERT INTO new__t SELECT id, a, 'x' FROM other"), []);
        assert_eq!(with(1, "COMMIT"), []);
        assert_eq!(with(2, "DROP TABLE other"), []);
        assert_eq!(with(3, "ALTER TABLE new__t RENAME TO other"), []);
    }
}
