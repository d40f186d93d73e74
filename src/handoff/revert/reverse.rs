//! The change that leads back, as far as it decides what is lost: told by the two tables that stand there, and not
//! by the change that was made.

use crate::catalog::Release;
use crate::handoff::change::Placed;
use crate::sql::schema::{Schema, Table};
use crate::sql::statement::{
    Action, AlterTable, Column, ConstraintKind, CreateIndex, Name, Online, Statement, What,
};
use crate::sql::{Source, parse};

/// What leads back from the table that stands to the old one.
pub(super) struct Reverse {
    /// The change, with the schema before and after.
    pub(super) placed: Placed,
    /// Columns that the old table lacks: their values are lost.
    pub(super) lost: Vec<String>,
    /// Columns of the old table alone that must be given a value, and nobody has one.
    pub(super) unfilled: Vec<String>,
    /// Columns of the old table alone that get their default in rows that were written since.
    pub(super) filled: Vec<String>,
}

impl Reverse {
    /// `before` is the schema with the table as it stands, `old` the definition of the old one.
    pub(super) fn of(
        before: Schema,
        table: &str,
        old: &str,
        clauses: String,
        release: Release,
    ) -> Self {
        let name = Name::plain(table);
        let mut after = before.clone();
        let definition = under_its_name(old, table);
        parse(Source::of(release), &definition).statements.iter().for_each(|one| after.apply(one));
        let unseen = Table::default();
        let now = before.table(&name).unwrap_or(&unseen);
        let then = after.table(&name).unwrap_or(&unseen);
        let (mut unfilled, mut filled) = (Vec::new(), Vec::new());
        for column in then.columns.iter().filter(|column| is_stored(column)) {
            if now.column(&column.name).is_none() {
                let list = if is_demanded(column) { &mut unfilled } else { &mut filled };
                list.push(column.name.clone());
            }
        }
        let lost = now.columns.iter().filter(|column| is_stored(column));
        let lost = lost.filter(|column| then.column(&column.name).is_none());
        let lost = lost.map(|column| column.name.clone()).collect();
        let actions = actions(&before, &after, &name, now, then);
        let alter = AlterTable {
            name: name.clone(),
            if_exists: false,
            only: false,
            actions: actions.into_iter().map(|action| (action, 0..0)).collect(),
            online: Online::default(),
        };
        let statement = Statement {
            span: 0..0,
            kind: "ALTER TABLE".to_owned(),
            what: What::AlterTable(alter),
            since: None,
        };
        let placed = Placed { statement, text: String::new(), name, before, after, clauses };
        Self { placed, lost, unfilled, filled }
    }
}

/// The old table's definition, as if it stood in its place.
fn under_its_name(old: &str, table: &str) -> String {
    let quoted = table.replace('`', "``");
    let rest = old.split_once('\n').map_or("", |(_, rest)| rest);
    format!("CREATE TABLE `{quoted}` (\n{rest}")
}

fn is_stored(column: &Column) -> bool {
    column.generated.is_none()
}

fn is_demanded(column: &Column) -> bool {
    column.not_null && column.default.is_none() && !column.auto_increment
}

/// What the rows that stand there have to fit.
fn actions(before: &Schema, after: &Schema, name: &Name, now: &Table, then: &Table) -> Vec<Action> {
    let mut actions = Vec::new();
    for column in &then.columns {
        match now.column(&column.name) {
            None => actions.push(Action::AddColumn {
                column: Box::new(column.clone()),
                if_not_exists: false,
                place: None,
            }),
            Some(own) if differs(own, column) => actions.push(Action::Modify {
                from: own.name.clone(),
                column: Box::new(column.clone()),
                if_exists: false,
                place: None,
            }),
            Some(_) => {}
        }
    }
    let option = |table: &Table, name: &str| table.options.get(name).cloned();
    let texts = |table: &Table| (option(table, "charset"), option(table, "collate"));
    if texts(now) != texts(then)
        && let (Some(charset), collation) = texts(then)
    {
        actions.push(Action::ConvertCharset { charset, collation });
    }
    let primary = now.primary_key();
    let checks: Vec<&str> = now.checks().collect();
    for constraint in &then.constraints {
        let is_new = match &constraint.kind {
            ConstraintKind::PrimaryKey { columns, .. } => primary != Some(columns.as_slice()),
            ConstraintKind::Check(check) => !checks.contains(&check.text.as_str()),
            // Those that are unique are looked at by their indexes, which know of parts of a column.
            _ => false,
        };
        if is_new {
            actions.push(Action::AddConstraint {
                constraint: constraint.clone(),
                if_not_exists: false,
            });
        }
    }
    let own: Vec<&CreateIndex> = unique(before, name).collect();
    let new = unique(after, name).filter(|index| !own.iter().any(|own| own.parts == index.parts));
    actions.extend(new.map(|index| Action::AddIndex { index: Box::new(index.clone()) }));
    actions
}

fn unique<'a>(schema: &'a Schema, name: &Name) -> impl Iterator<Item = &'a CreateIndex> {
    let indexes = schema.indexes_of(name).map(|(_, index)| &index.definition);
    indexes.filter(|index| index.unique && !index.parts.is_empty())
}

fn differs(own: &Column, column: &Column) -> bool {
    own.ty != column.ty
        || own.collation != column.collation
        || own.not_null != column.not_null
        || own.generated.is_some() != column.generated.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewrite::losses::losses;

    const NOW: &str = "CREATE TABLE `t` (\n  `id` int NOT NULL,\n  `a` bigint DEFAULT NULL,\n  `b` varchar(40) NOT \
                       NULL,\n  `note` varchar(20) DEFAULT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT \
                       CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci";

    fn back_to(old: &str) -> (Reverse, Vec<String>) {
        let release = Release::parse("mysql-8.4").unwrap();
        let mut before = Schema::default();
        parse(Source::of(release), NOW).statements.iter().for_each(|one| before.apply(one));
        let reverse = Reverse::of(before, "t", old, String::new(), release);
        let What::AlterTable(alter) = &reverse.placed.statement.what else { panic!() };
        let losses = losses(alter, &reverse.placed.before, release);
        let queries =
            losses.into_iter().map(|loss| loss.probe.map_or(loss.what, |probe| probe.count));
        let queries = queries.collect();
        (reverse, queries)
    }

    #[test]
    fn what_the_way_back_loses_is_told_by_the_two_tables() {
        let (reverse, queries) = back_to(
            "CREATE TABLE `_t_del` (\n  `id` int NOT NULL,\n  `a` int NOT NULL,\n  `b` varchar(20) NOT NULL,\n  `e` \
             int NOT NULL,\n  `f` int NOT NULL DEFAULT '0',\n  PRIMARY KEY (`id`),\n  UNIQUE KEY `b` (`b`)\n) \
             ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci",
        );
        assert_eq!(reverse.lost, ["note"]);
        assert_eq!(reverse.unfilled, ["e"]);
        assert_eq!(reverse.filled, ["f"]);
        for part in ["`a` IS NULL", "2147483647", "CHAR_LENGTH(`b`) > 20", "GROUP BY `b` HAVING"] {
            assert!(queries.iter().any(|sql| sql.contains(part)), "{part}: {queries:#?}");
        }
        assert_eq!(queries.len(), 4, "{queries:#?}");
    }

    #[test]
    fn what_the_table_has_more_of_is_nothing_to_ask_about() {
        let old =
            NOW.replace("`t`", "`_t_del`").replace("  `note` varchar(20) DEFAULT NULL,\n", "");
        let (reverse, queries) = back_to(&old);
        assert_eq!(queries, Vec::<String>::new());
        assert_eq!(reverse.lost, ["note"]);
    }
}
