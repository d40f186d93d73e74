//! `ALTER TABLE`, clause by clause.

use super::types::{Change, change};
use super::volatility::{Volatility, volatility};
use super::{Judge, Mode};
use crate::gate::effects::Relation;
use crate::sql::schema::{Table, plain};
use crate::sql::statement::{
    Action, AlterTable, Column, Constraint, ConstraintKind, Name, PartitionOperation,
};
use crate::sql::{Tokens, mentions};

impl Judge<'_> {
    pub(super) fn alter_table(&mut self, alter: &AlterTable) {
        if alter.if_exists && self.is_missing(&alter.name) {
            return;
        }
        for (action, _) in &alter.actions {
            let mode = level(action);
            if alter.only || !recurses(action) {
                self.lock(&alter.name, mode);
            } else {
                self.lock_tree(&alter.name, mode);
            }
            self.action(&alter.name, action, alter);
        }
    }

    pub(super) fn alter_view(&mut self, alter: &AlterTable) {
        for (action, _) in &alter.actions {
            let mode = level(action);
            self.lock(&alter.name, mode);
            match action {
                Action::RenameTo(_) | Action::SetSchema(_) | Action::RenameColumn { .. } => {
                    self.breaks(&alter.name, "queries that use the old name fail");
                }
                Action::SetTablespace | Action::SetAccessMethod => self.rewrite(&alter.name),
                _ => {}
            }
        }
    }

    fn action(&mut self, table: &Name, action: &Action, alter: &AlterTable) {
        match action {
            Action::AddColumn { column, if_not_exists, .. } => {
                let there = self.around.schema.column(table, &column.name).is_some();
                if !(*if_not_exists && there) {
                    self.add_column(table, column);
                }
            }
            Action::DropColumn { name, .. } => self.drop_column(table, name),
            Action::RenameColumn { from, .. } => {
                self.breaks(table, format!("code that still says `{from}` fails"));
                self.mentioned_in_routines(table, from);
            }
            Action::ChangeType { column, to, collation, using } => {
                self.change_type(table, column, to, collation.as_deref(), using.as_ref());
            }
            Action::SetNotNull { column } => self.set_not_null(table, column, alter),
            Action::DropNotNull { column } => {
                self.breaks(table, format!("code that counts on a value in `{column}` meets NULL"));
            }
            Action::AddIdentity { .. } | Action::SetDefault { .. } | Action::DropDefault { .. } => {
                self.change_default(table, action);
            }
            Action::SetExpression { column, .. } => self.set_expression(table, column),
            Action::AddConstraint { constraint, .. } => {
                self.add_constraint(table, constraint, alter.only);
            }
            Action::DropConstraint { name, cascade, .. } => {
                self.drop_constraint(table, name, *cascade);
            }
            Action::ValidateConstraint { name } => self.validate(table, name),
            Action::AlterConstraint { name, enforced: Some(true) } => self.validate(table, name),
            Action::RenameTo(to) => {
                self.breaks(table, format!("code that still says `{}` fails", plain(table)));
                let _ = to;
                self.table_in_routines(table);
            }
            Action::SetSchema(_) => {
                self.breaks(table, "code that names its schema, or searches only there, fails");
                self.table_in_routines(table);
            }
            Action::AttachPartition { child, bounds, .. } => self.attach(table, child, bounds),
            Action::DetachPartition { child, concurrently, finalize } => {
                self.detach(table, child, *concurrently || *finalize);
            }
            Action::Partition(PartitionOperation::Split) => {
                self.lock_tree(table, Mode::AccessExclusiveLock);
                self.rewrite(table);
            }
            Action::SetLogged { logged } => {
                let is_logged =
                    self.around.schema.table(table).is_some_and(|table| {
                        table.whole && !table.options.contains_key("unlogged")
                    });
                if *logged && is_logged {
                    return;
                }
                for one in self.with_rows_of_self(table) {
                    self.rewrite(&one);
                }
            }
            Action::SetTablespace | Action::SetAccessMethod => {
                for one in self.with_rows_of_self(table) {
                    self.rewrite(&one);
                }
            }
            Action::Inherit(parent) | Action::NoInherit(parent) => {
                let mode = match action {
                    Action::Inherit(_) => Mode::ShareUpdateExclusiveLock,
                    _ => Mode::AccessShareLock,
                };
                self.lock(parent, mode);
            }
            Action::ClusterOn { index: Some(index) }
            | Action::ReplicaIdentity { index: Some(index) } => {
                let mode = match action {
                    Action::ClusterOn { .. } => Mode::ShareUpdateExclusiveLock,
                    _ => Mode::ShareLock,
                };
                let index = Name { schema: plain(table).schema, name: index.clone() };
                self.effects.lock(Relation::Index, &index, mode);
            }
            Action::AlterIdentity { column } | Action::DropIdentity { column } => {
                let mode = match action {
                    Action::AlterIdentity { .. } => Mode::ShareRowExclusiveLock,
                    _ => Mode::AccessExclusiveLock,
                };
                self.lock_sequences(table, Some(column), mode);
            }
            Action::Unknown { text } => {
                let why = format!("`{text}` cannot be read");
                self.effects.verdict = super::Verdict::NotEvaluated(why);
            }
            _ => {}
        }
    }

    fn with_rows_of_self(&self, table: &Name) -> Vec<Name> {
        let partitioned = |table: &Table| table.partition_by.is_some();
        if self.around.schema.table(table).is_some_and(partitioned) {
            Vec::new()
        } else {
            vec![plain(table)]
        }
    }

    /// What a new column makes of the rows that stand there.
    fn add_column(&mut self, table: &Name, column: &Column) {
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
        match self.around.schema.domains.get(&plain(&domain)) {
            Some((_, true)) if !virtual_one => {
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
    fn lock_sequences_of_default(&mut self, default: &str) {
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
    fn may_be_domain(&self, ty: &crate::sql::statement::Type) -> bool {
        let name = Name { schema: ty.schema.clone(), name: ty.name.clone() };
        !ty.array
            && !self.around.schema.complete
            && !self.around.schema.types.contains_key(&plain(&name))
            && !is_own_type(&ty.name)
    }

    fn drop_column(&mut self, table: &Name, column: &str) {
        self.loses(table, format!("the values of the column `{column}`"));
        self.breaks(table, format!("code that still reads or writes `{column}` fails"));
        self.mentioned_in_routines(table, column);
        let indexes: Vec<Name> = self
            .around
            .schema
            .indexes_of(table)
            .filter(|(_, index)| index.covers(column))
            .map(|(name, _)| name.clone())
            .collect();
        for index in indexes {
            self.effects.lock(Relation::Index, &index, Mode::AccessExclusiveLock);
        }
        let keys: Vec<Name> = self
            .around
            .schema
            .foreign_keys_of(table)
            .filter(|(_, key)| key.columns.iter().any(|of| of == column))
            .map(|(_, key)| key.table.clone())
            .collect();
        for parent in keys {
            self.lock(&parent, Mode::AccessExclusiveLock);
        }
    }

    /// PostgreSQL follows a rename in views, but keeps the bodies of routines as text.
    fn mentioned_in_routines(&mut self, table: &Name, column: &str) {
        let both = |body: &str| {
            let mentions = |word: &str| mentions(Tokens::Postgres, body, word);
            mentions(column) && mentions(&table.name)
        };
        let found: Vec<Name> = self
            .around
            .schema
            .routines
            .iter()
            .filter(|(_, body)| both(body))
            .map(|(name, _)| name.clone())
            .collect();
        for routine in found {
            self.breaks(
                table,
                format!(
                    "the function `{routine}` names `{column}`, and fails when it is called next"
                ),
            );
        }
    }

    fn table_in_routines(&mut self, table: &Name) {
        let found: Vec<Name> = self
            .around
            .schema
            .routines
            .iter()
            .filter(|(_, body)| mentions(Tokens::Postgres, body, &table.name))
            .map(|(name, _)| name.clone())
            .collect();
        for routine in found {
            let what = format!(
                "the function `{routine}` names `{}`, and fails when it is called next",
                table.name
            );
            self.breaks(table, what);
        }
    }

    fn change_type(
        &mut self,
        table: &Name,
        column: &str,
        to: &crate::sql::statement::Type,
        collation: Option<&str>,
        using: Option<&crate::sql::statement::Expression>,
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
            self.follow_type(&one, column, rewritten, seen.as_ref(), collation);
        }
    }

    /// What depends on a column whose type changes: its indexes, checks and foreign keys are made
    /// anew.
    fn follow_type(
        &mut self,
        table: &Name,
        column: &str,
        rewritten: bool,
        seen: Option<&Column>,
        collation: Option<&str>,
    ) {
        let schema = self.around.schema;
        let recollated = collation.is_some_and(|to| {
            seen.is_none_or(|seen| seen.collation.as_deref().unwrap_or("default") != to)
        }) || (collation.is_none()
            && seen.is_some_and(|seen| seen.collation.is_some()));
        let indexes: Vec<Name> = schema
            .indexes_of(table)
            .filter(|(_, index)| index.covers(column))
            .map(|(name, _)| name.clone())
            .collect();
        for index in &indexes {
            self.effects.lock(Relation::Index, index, Mode::AccessExclusiveLock);
        }
        if recollated && !rewritten && !indexes.is_empty() {
            self.because("the collation changes, so the indexes of the column are built anew");
            self.effects.builds_index(table);
        }
        let Some(known) = schema.table(table) else { return };
        let checked = known.constraints.iter().any(|constraint| match &constraint.kind {
            ConstraintKind::Check(check) => {
                !constraint.not_valid
                    && constraint.enforced
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
        let theirs: Vec<Name> = schema
            .referring_to(table)
            .filter(|(_, _, key)| {
                key.referenced.is_empty() || key.referenced.iter().any(|of| of == column)
            })
            .map(|(name, ..)| name.clone())
            .collect();
        for child in theirs {
            self.lock_tree(&child, Mode::AccessExclusiveLock);
            if rewritten {
                self.check_foreign_key(&child, table);
            }
        }
        let mut views = schema
            .views_of(table)
            .filter(|(_, view)| view.mentions.iter().any(|m| m == column || m == "*"));
        if let Some((view, _)) = views.next() {
            self.fails(format!("the view `{view}` uses the column"));
        }
    }

    /// PostgreSQL 12 and later look for a valid check that proves it.
    fn set_not_null(&mut self, table: &Name, column: &str, alter: &AlterTable) {
        let schema = self.around.schema;
        let rewritten_now = alter.actions.iter().any(|(action, _)| {
            matches!(action, Action::AddColumn { column: added, .. } if added.name == column)
        });
        for one in self.with_rows(table) {
            let known = schema.table(&one);
            if known.and_then(|table| table.column(column)).is_some_and(|column| column.not_null) {
                continue;
            }
            let proof = known.and_then(|table| table.proves_not_null(column));
            match proof {
                Some(name) if self.version() >= 12 && !rewritten_now => {
                    self.because(format!(
                        "the valid check `{name}` proves it, so no row is looked at"
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

    fn change_default(&mut self, table: &Name, action: &Action) {
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

    fn set_expression(&mut self, table: &Name, column: &str) {
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

    fn attach(&mut self, parent: &Name, child: &Name, bounds: &str) {
        self.lock_tree(child, Mode::AccessExclusiveLock);
        let default = self.around.schema.partitions_of(parent).find(|(_, default)| *default);
        let default = default.map(|(name, _)| name.clone());
        let _ = bounds;
        let proven = self.around.schema.table(child).is_some_and(|table| {
            table.constraints.iter().any(|constraint| {
                matches!(constraint.kind, ConstraintKind::Check(_)) && !constraint.not_valid
            })
        });
        if proven {
            self.because(
                "a valid check of the partition may prove its bounds, and then no row is looked at",
            );
        } else {
            self.because("no valid check proves the bounds, so every row of it is looked at");
            for one in self.with_rows(child) {
                self.effects.scans(&one);
            }
        }
        if let Some(default) = default {
            self.lock(&default, Mode::AccessExclusiveLock);
            self.because(format!(
                "the default partition `{default}` is looked through for rows that belong to it"
            ));
            self.effects.scans(&default);
        }
    }

    fn detach(&mut self, parent: &Name, child: &Name, concurrently: bool) {
        let default = self.around.schema.partitions_of(parent).find(|(_, default)| *default);
        let default = default.map(|(name, _)| name.clone());
        if concurrently {
            self.lock(child, Mode::ShareUpdateExclusiveLock);
            if default.is_some() {
                self.fails("it cannot be detached concurrently beside a default partition");
            }
            if self.around.in_transaction {
                self.fails("`DETACH … CONCURRENTLY` cannot run inside a transaction");
            }
            return;
        }
        self.lock(child, Mode::AccessExclusiveLock);
        if let Some(default) = default {
            self.lock(&default, Mode::AccessExclusiveLock);
        }
    }
}

/// The lock that a clause takes on the table itself (`AlterTableGetLockLevel`).
fn level(action: &Action) -> Mode {
    match action {
        Action::ValidateConstraint { .. }
        | Action::SetStatistics { .. }
        | Action::ColumnOptions { .. }
        | Action::ClusterOn { .. }
        | Action::AttachPartition { .. } => Mode::ShareUpdateExclusiveLock,
        Action::DetachPartition { concurrently, finalize, .. } => {
            if *concurrently || *finalize {
                Mode::ShareUpdateExclusiveLock
            } else {
                Mode::AccessExclusiveLock
            }
        }
        Action::SetOptions(names) => options_level(names),
        Action::Triggers { .. } => Mode::ShareRowExclusiveLock,
        Action::AddConstraint { constraint, .. } => match &constraint.kind {
            ConstraintKind::ForeignKey(_) => Mode::ShareRowExclusiveLock,
            _ => Mode::AccessExclusiveLock,
        },
        _ => Mode::AccessExclusiveLock,
    }
}

/// `AlterTableGetRelOptionsLockLevel`: the strongest among the parameters that are named.
fn options_level(names: &[String]) -> Mode {
    let calm = |name: &String| {
        let name = name.strip_prefix("toast.").unwrap_or(name);
        name.starts_with("autovacuum_")
            || matches!(
                name,
                "fillfactor"
                    | "toast_tuple_target"
                    | "parallel_workers"
                    | "vacuum_index_cleanup"
                    | "vacuum_truncate"
                    | "vacuum_max_eager_freeze_failure_rate"
                    | "log_autovacuum_min_duration"
            )
    };
    if names.iter().all(calm) { Mode::ShareUpdateExclusiveLock } else { Mode::AccessExclusiveLock }
}

/// Whether a clause reaches the partitions and children as well.
fn recurses(action: &Action) -> bool {
    !matches!(
        action,
        Action::AttachPartition { .. }
            | Action::DetachPartition { .. }
            | Action::RenameTo(_)
            | Action::SetSchema(_)
            | Action::SetOptions(_)
            | Action::RowSecurity
            | Action::Rules
            | Action::ReplicaIdentity { .. }
            | Action::OwnerTo
            | Action::SetTablespace
            | Action::SetAccessMethod
            | Action::SetLogged { .. }
            | Action::ClusterOn { .. }
            | Action::Inherit(_)
            | Action::NoInherit(_)
            | Action::OfType
            | Action::Partition(_)
            | Action::SetStorage { .. }
            | Action::SetCompression { .. }
            | Action::ColumnOptions { .. }
    )
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
fn rounds(from: &Column, to: &crate::sql::statement::Type) -> bool {
    let digits = |ty: &crate::sql::statement::Type| match ty.name.as_str() {
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
    pub(super) fn proves_not_null(&self, column: &str) -> Option<&str> {
        let proves = |constraint: &&Constraint| {
            !constraint.not_valid
                && constraint.enforced
                && match &constraint.kind {
                    ConstraintKind::Check(check) => is_not_null(&check.text, column),
                    ConstraintKind::NotNull(of) => of == column,
                    _ => false,
                }
        };
        self.constraints.iter().find(proves).and_then(|constraint| constraint.name.as_deref())
    }
}

/// `c IS NOT NULL`, alone or joined to more by AND.
fn is_not_null(check: &str, column: &str) -> bool {
    let words: String = check
        .chars()
        .filter(|c| !matches!(c, '(' | ')' | '"'))
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase();
    // With an OR in it, one part proves nothing.
    !words.contains(" or ")
        && words.split(" and ").any(|part| part == format!("{} is not null", column.to_lowercase()))
}
