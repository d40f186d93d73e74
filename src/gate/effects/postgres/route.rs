//! Which partitions rows go to.

use super::Judge;
use super::bounds::{Bounds, Value, bounds, key, value};
use crate::sql::schema::{Table, plain};
use crate::sql::statement::{Dml, Name, Type};

/// Where a row goes.
enum Target {
    /// To this partition.
    Partition(Name),
    /// No partition takes it.
    Nowhere,
}

impl Judge<'_> {
    /// The tables that an `INSERT` opens to write: where each row goes, its constants say; of a row
    /// of which they do not, all partitions count.
    pub(super) fn partitions_of_rows(&self, table: &Name, dml: &Dml) -> Vec<Name> {
        let root = plain(table);
        if !self.is_partitioned(&root) {
            return vec![root];
        }
        if dml.rows.is_empty() {
            return self.tree(&root);
        }
        let mut found = vec![root.clone()];
        for row in &dml.rows {
            let mut at = root.clone();
            while self.is_partitioned(&at) {
                match self.child_of_row(&at, &root, &dml.columns, row) {
                    Some(Target::Partition(child)) => {
                        if !found.contains(&child) {
                            found.push(child.clone());
                        }
                        at = child;
                    }
                    // No partition takes it: the server refuses the row.
                    Some(Target::Nowhere) => break,
                    None => {
                        let below = self.around.schema.descendants(&at);
                        found.extend(
                            below
                                .into_iter()
                                .filter(|one| !found.contains(one))
                                .collect::<Vec<_>>(),
                        );
                        break;
                    }
                }
            }
        }
        found
    }

    /// The partition of `parent` that a row of the statement goes to, or that there is none; nothing
    /// if that cannot be told.
    fn child_of_row(
        &self,
        parent: &Name,
        root: &Name,
        columns: &[String],
        row: &[String],
    ) -> Option<Target> {
        let schema = self.around.schema;
        let known = schema.table(parent)?;
        let (_, names) = key(known.partition_by.as_deref()?)?;
        let types = names.iter().map(|name| known.column(name).map(|column| &column.ty));
        let types: Vec<&Type> = types.collect::<Option<_>>()?;
        // Values stand in the order of the table that the statement names.
        let order = schema.table(root)?;
        let given = |(name, ty): (&String, &&Type)| value_of(order, columns, row, name, ty);
        let values: Vec<Value> = names.iter().zip(&types).map(given).collect::<Option<_>>()?;
        let mut default = None;
        for (child, is_default) in schema.partitions_of(parent) {
            if is_default {
                default = Some(child.clone());
                continue;
            }
            let of = bounds(schema.table(child)?.bounds.as_deref()?, &types)?;
            if of.holds(&values)? {
                return Some(Target::Partition(child.clone()));
            }
        }
        Some(default.map_or(Target::Nowhere, Target::Partition))
    }

    /// The bounds that a partition of this table would have, and the one column that they are about.
    pub(super) fn bounds_below(&self, parent: &Name, text: &str) -> Option<(Bounds, String)> {
        let known = self.around.schema.table(parent)?;
        let (_, mut names) = key(known.partition_by.as_deref()?)?;
        let name = names.pop().filter(|_| names.is_empty())?;
        let ty = &known.column(&name)?.ty;
        Some((bounds(text, &[ty])?, name))
    }
}

/// The constant that a row gives a column; nothing if it is none.
fn value_of(
    table: &Table,
    columns: &[String],
    row: &[String],
    name: &str,
    ty: &Type,
) -> Option<Value> {
    let at = if columns.is_empty() {
        table.columns.iter().position(|column| column.name == name)?
    } else {
        match columns.iter().position(|column| column == name) {
            Some(at) => at,
            None => return default_of(table, name, ty),
        }
    };
    match row.get(at) {
        Some(text) if text.trim().eq_ignore_ascii_case("default") => default_of(table, name, ty),
        Some(text) => value(text, ty),
        None => default_of(table, name, ty),
    }
}

fn default_of(table: &Table, name: &str, ty: &Type) -> Option<Value> {
    match &table.column(name)?.default {
        Some(default) => value(&default.text, ty),
        None => Some(Value::Null),
    }
}
