//! Columns: added, dropped, changed.

use super::cast::class_of;
use super::types::{Change, base, change};
use super::volatility::{Volatility, volatility};
use super::{Judge, Mode};
use crate::gate::effects::Relation;
use crate::sql::schema::{Index, Table, plain};
use crate::sql::statement::{
    Action, AlterTable, Column, Constraint, ConstraintKind, Expression, IndexPart, Name, Type,
};
use crate::sql::{Tokens, mentions};

impl Judge<'_> {
    /// What a new column makes of the rows that stand there.
    pub(super) fn add_column(&mut self, table: &Name, column: &Column) {
        self.identity_below(table, column);
        let rows = self.with_rows(table);
        let mut written = None;
        if matches!(column.ty.name.as_str(), "serial" | "bigserial" | "smallserial") {
            written = Some("a serial column takes `nextval` for every row".to_owned());
        } else if column.identity {
            written = Some("an identity column takes a number for every row".to_owned());
        } else if let Some(generated) = &column.generated {
            if generated.stored {
                written = Some("a stored generated column is computed for every row".to_owned());
            }
        } else if let Some(default) = &column.default {
            match volatility(&default.text) {
                Volatility::Same => {}
                Volatility::PerRow(why) => written = Some(why),
                Volatility::Unknown(why) => {
                    written = Some(format!("the default may be volatile: {why}"));
                    self.effects.assume(why);
                }
            }
        }
        let domain = Name { schema: column.ty.schema.clone(), name: column.ty.name.clone() };
        let virtual_one = column.generated.as_ref().is_some_and(|of| !of.stored);
        let known = self.around.schema.domains.get(&plain(&domain)).filter(|_| !column.ty.array);
        match known {
            Some(_) if !virtual_one && base(&column.ty, &self.around).1 => {
                written.get_or_insert_with(|| {
                    format!("the domain `{}` has a constraint to check on every row", domain.name)
                });
            }
            Some(_) => {}
            None if written.is_none() && self.may_be_domain(&column.ty) => {
                self.effects.assume(format!(
                    "whether the type `{}` is a domain with a constraint, which would rewrite the \
                     table: give the schema with `--schema`",
                    column.ty.text
                ));
                written = Some(format!(
                    "the type `{}` may be a domain with a constraint",
                    column.ty.text
                ));
            }
            None => {}
        }
        if self.version() < 11 && column.default.is_some() && written.is_none() {
            written = Some("before PostgreSQL 11 any default is written to every row".to_owned());
        }
        if let Some(default) = &column.default {
            self.lock_sequences_of_default(&default.text);
        }
        if let Some(why) = written {
            self.because(why);
            for one in &rows {
                self.rewrite(one);
            }
        } else if !column.checks.is_empty() && column.checks.iter().any(|check| check.enforced)
            || (column.not_null && column.generated.is_some())
        {
            self.because("the check is verified on every row");
            for one in &rows {
                self.effects.scans(one);
            }
        }
        if column.not_null
            && column.default.is_none()
            && column.generated.is_none()
            && !column.identity
            && !column.ty.name.ends_with("serial")
        {
            self.because("without a default it fails as soon as there is a row");
            self.breaks(table, format!("`{}` is NOT NULL and has no default", column.name));
        }
        if column.primary_key || column.unique {
            rows.iter()
                .filter(|one| !self.effects.rewrite.contains(one))
                .cloned()
                .collect::<Vec<_>>()
                .iter()
                .for_each(|one| self.effects.builds_index(one));
        }
        if let Some(references) = &column.references {
            let parent = references.table.clone();
            self.lock_tree(&parent, Mode::ShareRowExclusiveLock);
            let null = column
                .default
                .as_ref()
                .is_none_or(|default| default.text.eq_ignore_ascii_case("null"));
            if !null || self.effects.rewrite.contains(&plain(table)) {
                self.because("the new values are looked up in the parent");
                self.check_foreign_key(table, &parent);
            }
        }
    }

    /// A default that takes numbers from a sequence locks it.
    pub(super) fn lock_sequences_of_default(&mut self, default: &str) {
        if !default.contains("nextval") {
            return;
        }
        let named: Vec<Name> = self
            .around
            .schema
            .sequences
            .keys()
            .filter(|name| default.contains(&format!("'{}'", name.name)))
            .cloned()
            .collect();
        for sequence in named {
            self.effects.lock(Relation::Sequence, &sequence, Mode::RowExclusiveLock);
        }
    }

    /// A type that is none of PostgreSQL's own and none that was seen may be a domain.
    fn may_be_domain(&self, ty: &Type) -> bool {
        let name = Name { schema: ty.schema.clone(), name: ty.name.clone() };
        !ty.array
            && !self.around.schema.complete
            && !self.around.schema.types.contains_key(&plain(&name))
            && !is_own_type(&ty.name)
    }

    pub(super) fn drop_column(&mut self, table: &Name, column: &str, cascade: bool, only: bool) {
        self.loses(table, format!("the values of the column `{column}`"));
        self.breaks(table, format!("code that still reads or writes `{column}` fails"));
        self.mentioned_in_routines(table, column);
        let schema = self.around.schema;
        for below in schema.descendants(table).into_iter().filter(|_| only) {
            // The column stays there, as one of its own.
            if schema.parents_of(&below).any(|parent| *parent == plain(table)) {
                self.lock(&below, Mode::AccessExclusiveLock);
            }
        }
        for one in if only { vec![plain(table)] } else { self.tree(table) } {
            self.drop_with_column(&one, column);
        }
        if cascade {
            for view in self.views_of_column(table, column) {
                self.drop_view_tree(&view);
            }
        }
    }

    /// What of a table goes with a column: indexes, keys in both directions, sequences.
    pub(super) fn drop_with_column(&mut self, table: &Name, column: &str) {
        let schema = self.around.schema;
        for (index, _) in schema.indexes_of(table).filter(|(_, index)| index.covers(column)) {
            self.effects.lock(Relation::Index, index, Mode::AccessExclusiveLock);
        }
        self.lock_sequences(table, Some(column), Mode::AccessExclusiveLock);
        for (_, key) in schema.foreign_keys_of(table) {
            if key.columns.iter().any(|of| of == column) {
                self.lock(&key.table, Mode::AccessExclusiveLock);
            }
        }
        for child in self.keys_to_column(table, column) {
            self.lock_tree(&child, Mode::AccessExclusiveLock);
        }
    }

    /// The tables with a foreign key to a column of another one; its own keys to itself are not
    /// counted.
    pub(super) fn keys_to_column(&self, table: &Name, column: &str) -> Vec<Name> {
        let schema = self.around.schema;
        let primary = schema.table(table).and_then(Table::primary_key);
        let refers = |referenced: &[String]| {
            let default = || primary.is_none_or(|key| key.iter().any(|of| of == column));
            referenced.iter().any(|of| of == column) || (referenced.is_empty() && default())
        };
        let keys = schema.referring_to(table).filter(|(_, _, key)| refers(&key.referenced));
        keys.map(|(child, ..)| child.clone()).filter(|child| *child != plain(table)).collect()
    }

    /// The views whose query names a column of a table.
    pub(super) fn views_of_column(&self, table: &Name, column: &str) -> Vec<Name> {
        let views = self.around.schema.views_of(table);
        let named = views.filter(|(_, view)| view.mentions.iter().any(|m| m == column || m == "*"));
        named.map(|(name, _)| name.clone()).collect()
    }

    /// A view that goes, with all the views that are made of it.
    fn drop_view_tree(&mut self, view: &Name) {
        let mut open = vec![view.clone()];
        let mut seen: Vec<Name> = Vec::new();
        while let Some(view) = open.pop() {
            if seen.contains(&view) {
                continue;
            }
            self.lock(&view, Mode::AccessExclusiveLock);
            self.lock_indexes(&view, Mode::AccessExclusiveLock);
            self.loses(&view, "the view, with all that is in it");
            open.extend(self.around.schema.views_of(&view).map(|(name, _)| name.clone()));
            seen.push(view);
        }
    }

    pub(super) fn change_type(
        &mut self,
        table: &Name,
        column: &str,
        to: &Type,
        collation: Option<&str>,
        using: Option<&Expression>,
        alter: &AlterTable,
    ) {
        let seen = self.around.schema.column(table, column).cloned();
        let decided = match &seen {
            Some(seen) => change(column, &seen.ty, to, using, &self.around),
            None => Change::Unknown(Self::unseen(&format!(
                "which type `{column}` of `{}` has now",
                plain(table)
            ))),
        };
        let rewritten = !matches!(decided, Change::None(_));
        match decided {
            Change::None(why) => self.because(format!("no row is written: {why}")),
            Change::Rewrite(why) => self.because(why),
            Change::Unknown(why) => {
                self.because(format!("taken for a rewrite, since it is not known: {why}"));
                self.effects.assume(why);
            }
        }
        if let Some(seen) = &seen
            && rounds(seen, to)
        {
            self.loses(table, format!("the digits of `{column}` that `{}` does not keep", to.text));
        }
        for one in self.with_rows(table) {
            if rewritten {
                self.rewrite(&one);
            }
            self.follow_type(&one, column, rewritten, alter);
        }
        let recollated = collation.is_some_and(|to| {
            let had = seen.as_ref().map(|seen| seen.collation.as_deref().unwrap_or("default"));
            had != Some(to)
        }) || (collation.is_none()
            && seen.as_ref().is_some_and(|seen| seen.collation.is_some()));
        let inner = |ty: &Type| class_of(&base(ty, &self.around).0).to_owned();
        let reclassed = seen.as_ref().is_some_and(|seen| inner(&seen.ty) != inner(to));
        for one in self.tree(table) {
            self.follow_indexes(&one, column, rewritten, recollated || reclassed);
        }
        let sequences: Vec<Name> = match &seen {
            Some(seen) if seen.identity => {
                self.around.schema.sequences_of(table, Some(column)).cloned().collect()
            }
            _ => Vec::new(),
        };
        for sequence in sequences {
            self.effects.lock(Relation::Sequence, &sequence, Mode::ShareRowExclusiveLock);
        }
    }

    /// The indexes of a column whose type changes: each is made anew, and what it holds is kept
    /// where `CheckIndexCompatible` finds nothing that could differ.
    fn follow_indexes(&mut self, table: &Name, column: &str, rewritten: bool, key_differs: bool) {
        let schema = self.around.schema;
        let partitioned = schema.table(table).is_some_and(|table| table.partition_by.is_some());
        let rebuilt = |index: &Index| {
            index.computes(column)
                || !index.definition.parts.iter().all(is_column)
                || index.definition.predicate.is_some()
                || index.attached_to.is_some()
                || (key_differs && index.has_key(column))
        };
        let mut builds = false;
        for (name, index) in schema.indexes_of(table).filter(|(_, index)| index.covers(column)) {
            self.effects.lock(Relation::Index, name, Mode::AccessExclusiveLock);
            builds |= rebuilt(index);
        }
        if builds && !rewritten && !partitioned {
            self.because("an index of the column does not fit the new type, and is built anew");
            self.effects.builds_index(table);
        }
    }

    /// What else depends on a column whose type changes: checks and foreign keys are made anew.
    fn follow_type(&mut self, table: &Name, column: &str, rewritten: bool, alter: &AlterTable) {
        let schema = self.around.schema;
        let Some(known) = schema.table(table) else { return };
        let checked = known.constraints.iter().any(|constraint| match &constraint.kind {
            ConstraintKind::Check(check) => {
                !constraint.not_valid
                    && constraint.enforced
                    && !drops(alter, constraint)
                    && mentions(Tokens::Postgres, &check.text, column)
            }
            _ => false,
        });
        if checked && !rewritten {
            self.because("a check names the column, and is verified on every row again");
            self.effects.scans(table);
        }
        let own: Vec<Name> = known
            .foreign_keys()
            .filter(|(_, key)| key.columns.iter().any(|of| of == column))
            .map(|(_, key)| key.table.clone())
            .collect();
        for parent in own {
            self.lock_tree(&parent, Mode::AccessExclusiveLock);
            if rewritten {
                self.check_foreign_key(table, &parent);
            }
        }
        for child in self.keys_to_column(table, column) {
            self.lock_tree(&child, Mode::AccessExclusiveLock);
            if rewritten {
                self.check_foreign_key(&child, table);
            }
        }
    }

    /// PostgreSQL 12 and later look for a valid check that proves it.
    pub(super) fn set_not_null(&mut self, table: &Name, column: &str, alter: &AlterTable) {
        let schema = self.around.schema;
        let rewritten_now = alter.actions.iter().any(|(action, _)| {
            matches!(action, Action::AddColumn { column: added, .. } if added.name == column)
        });
        for one in if alter.only { self.with_rows_of_self(table) } else { self.with_rows(table) } {
            let known = schema.table(&one);
            if known.and_then(|table| table.column(column)).is_some_and(|column| column.not_null) {
                continue;
            }
            let proof = known.and_then(|table| table.proof_of_not_null(column));
            let proof = proof.filter(|proof| !drops(alter, proof));
            match proof {
                Some(proof) if self.version() >= 12 && !rewritten_now => {
                    self.because(format!(
                        "the valid check `{}` proves it, so no row is looked at",
                        proof.name.as_deref().unwrap_or_default()
                    ));
                }
                _ => {
                    self.because(format!(
                        "every row is looked at for NULL in `{column}`; no valid check proves it"
                    ));
                    if known.is_none_or(|table| !table.whole) && proof.is_none() {
                        self.effects.assume(Self::unseen(&format!(
                            "whether a valid check of `{one}` proves it"
                        )));
                    }
                    self.effects.scans(&one);
                }
            }
        }
    }

    pub(super) fn change_default(&mut self, table: &Name, action: &Action) {
        if let Action::AddIdentity { column } = action {
            let _ = column;
            return;
        }
        if let Action::DropDefault { column } = action
            && self.around.schema.column(table, column).is_some_and(|column| column.not_null)
        {
            self.breaks(
                table,
                format!(
                    "an INSERT of the old code that leaves out `{column}` fails: it is NOT NULL"
                ),
            );
        }
    }

    pub(super) fn set_expression(&mut self, table: &Name, column: &str) {
        let known = self.around.schema.column(table, column);
        let virtual_one =
            known.and_then(|column| column.generated.as_ref()).is_some_and(|of| !of.stored);
        if virtual_one {
            return;
        }
        self.because("a stored generated column is computed anew for every row");
        for one in self.with_rows(table) {
            self.rewrite(&one);
        }
    }
}

fn is_own_type(name: &str) -> bool {
    const OWN: &[&str] = &[
        "integer",
        "bigint",
        "smallint",
        "serial",
        "bigserial",
        "smallserial",
        "boolean",
        "text",
        "varchar",
        "char",
        "\"char\"",
        "name",
        "numeric",
        "real",
        "double precision",
        "money",
        "bytea",
        "date",
        "time",
        "timetz",
        "timestamp",
        "timestamptz",
        "interval",
        "uuid",
        "json",
        "jsonb",
        "jsonpath",
        "xml",
        "inet",
        "cidr",
        "macaddr",
        "macaddr8",
        "bit",
        "varbit",
        "point",
        "line",
        "lseg",
        "box",
        "path",
        "polygon",
        "circle",
        "tsvector",
        "tsquery",
        "oid",
        "regclass",
        "regproc",
        "regtype",
        "regrole",
        "regnamespace",
        "regconfig",
        "pg_lsn",
        "int4range",
        "int8range",
        "numrange",
        "tsrange",
        "tstzrange",
        "daterange",
        "int4multirange",
        "int8multirange",
        "nummultirange",
        "tsmultirange",
        "tstzmultirange",
        "datemultirange",
        "xid",
        "xid8",
        "cid",
        "tid",
        "hstore",
        "citext",
        "ltree",
        "geometry",
        "geography",
        "vector",
    ];
    OWN.contains(&name) || name.starts_with("interval ")
}

/// Whether digits are rounded away. A value that does not fit at all makes the statement fail, which
/// loses nothing.
fn rounds(from: &Column, to: &Type) -> bool {
    let digits = |ty: &Type| match ty.name.as_str() {
        "numeric" if ty.modifiers.is_empty() => i64::MAX,
        "numeric" => ty.modifiers.get(1).and_then(|scale| scale.parse().ok()).unwrap_or(0),
        "integer" | "bigint" | "smallint" | "date" => 0,
        "double precision" | "real" => i64::MAX,
        "timestamp" | "timestamptz" | "time" | "timetz" | "interval" => {
            ty.modifiers.first().and_then(|precision| precision.parse().ok()).unwrap_or(6)
        }
        _ => -1,
    };
    let (had, keeps) = (digits(&from.ty), digits(to));
    0 <= keeps && keeps < had
}

impl Table {
    /// The valid constraint that proves that a column holds no NULL.
    pub(super) fn proof_of_not_null(&self, column: &str) -> Option<&Constraint> {
        let proves = |constraint: &&Constraint| {
            !constraint.not_valid
                && constraint.enforced
                && match &constraint.kind {
                    ConstraintKind::Check(check) => is_not_null(&check.text, column),
                    ConstraintKind::NotNull(of) => of == column,
                    _ => false,
                }
        };
        self.constraints.iter().find(proves)
    }
}

/// `c IS NOT NULL` or `NOT (c IS NULL)`, alone or joined to more by AND.
fn is_not_null(check: &str, column: &str) -> bool {
    let words: String = check
        .chars()
        .filter(|c| !matches!(c, '(' | ')' | '"'))
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase();
    let column = column.to_lowercase();
    let (said, denied) = (format!("{column} is not null"), format!("not {column} is null"));
    // With an OR in it, one part proves nothing; and a NOT before a parenthesis may turn several.
    if denied == words {
        return true;
    }
    let proves_alone = !words.contains(" or ") && !words.contains("case ");
    let mut parts = words.split(" and ");
    proves_alone
        && !parts.clone().any(|part| part.starts_with("not "))
        && parts.any(|part| part == said)
}

/// Whether the same statement drops the constraint, which it does before it looks at any row.
fn drops(alter: &AlterTable, constraint: &Constraint) -> bool {
    alter.actions.iter().any(|(action, _)| {
        let dropped = match action {
            Action::DropConstraint { name, .. } => Some(name),
            _ => None,
        };
        dropped.is_some() && dropped == constraint.name.as_ref()
    })
}

fn is_column(part: &IndexPart) -> bool {
    matches!(part, IndexPart::Column(..))
}
