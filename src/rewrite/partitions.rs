//! Changes of a partitioned table of PostgreSQL, partition by partition.

use super::steps::IndexText;
use crate::sql::schema::{Schema, plain};
use crate::sql::statement::Name;

/// The statements that make an index on a partitioned table while it is written: the index of the parent
/// alone, which is not valid yet; each partition's, concurrently; and each made a part of the parent's,
/// which is valid with the last one. A partition that is made meanwhile gets its part by itself.
#[must_use]
pub fn index(index: &IndexText, name: &str, table: &Name, schema: &Schema) -> Vec<String> {
    let mut statements = Vec::new();
    below(index, name, table, schema, &mut statements);
    statements
}

fn below(
    index: &IndexText,
    name: &str,
    table: &Name,
    schema: &Schema,
    statements: &mut Vec<String>,
) {
    let (unique, of) = (if index.unique { "UNIQUE " } else { "" }, index.of);
    let at = |table: &Name, name: &str| match &table.schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(name)),
        None => quoted(name),
    };
    statements.push(format!(
        "CREATE {unique}INDEX {} ON ONLY {} {of}",
        quoted(name),
        at(table, &table.name)
    ));
    let children: Vec<&Name> = schema.partitions_of(table).map(|(child, _)| child).collect();
    for child in children {
        let own = own_name(&child.name, name);
        let partitioned = schema.table(child).is_some_and(|child| child.partition_by.is_some());
        if partitioned {
            below(index, &own, child, schema, statements);
        } else {
            statements.push(format!(
                "CREATE {unique}INDEX CONCURRENTLY {} ON {} {of}",
                quoted(&own),
                at(child, &child.name)
            ));
        }
        statements.push(format!(
            "ALTER INDEX {} ATTACH PARTITION {}",
            at(table, name),
            at(child, &own)
        ));
    }
}

/// The name of a partition's index. The server would cut one of more than 63 bytes, and so make one of
/// two that begin alike.
fn own_name(table: &str, index: &str) -> String {
    let name = format!("{table}_{index}");
    if name.len() <= 63 {
        return name;
    }
    // FNV-1a, which is the same in every process.
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let mut end = 54;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{hash:08x}", &name[..end])
}

/// The statements that attach a partition without looking at its rows under the lock: checks that are
/// validated before, and dropped after. None where the bounds cannot be said as a check: of a default
/// partition, by hash, by several columns or an expression.
#[must_use]
pub fn attach(parent: &Name, child: &Name, bounds: &str, schema: &Schema) -> Option<Vec<String>> {
    // It must also belong into all that the parent is a partition of.
    let mut conditions = vec![within(parent, bounds, schema)?];
    let mut above = parent.clone();
    while let Some((of, _)) = schema.table(&above).and_then(|table| table.partition_of.clone()) {
        let bounds = schema.table(&above).and_then(|table| table.bounds.clone())?;
        conditions.push(within(&of, &bounds, schema)?);
        above = of;
    }
    let conditions: Vec<String> = conditions.into_iter().map(|(holds, _)| holds).collect();
    let mut checks =
        vec![(child.clone(), own_name(&child.name, "bounds"), conditions.join(" AND "))];
    let default = schema.partitions_of(parent).find(|(_, default)| *default);
    if let Some((default, _)) = default {
        let (_, outside) = within(parent, bounds, schema)?;
        checks.push((
            default.clone(),
            own_name(&format!("not_{}", child.name), "bounds"),
            outside?,
        ));
    }
    let mut statements = Vec::new();
    for (table, name, condition) in &checks {
        let (table, name) = (written(table), quoted(name));
        statements.push(format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID"
        ));
        statements.push(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"));
    }
    statements.push(format!(
        "ALTER TABLE {} ATTACH PARTITION {} {}",
        written(parent),
        written(child),
        bounds.trim()
    ));
    for (table, name, _) in &checks {
        statements.push(format!("ALTER TABLE {} DROP CONSTRAINT {}", written(table), quoted(name)));
    }
    Some(statements)
}

/// What holds for the rows of a partition with these bounds, and what for every row outside, where that
/// can be said.
fn within(parent: &Name, bounds: &str, schema: &Schema) -> Option<(String, Option<String>)> {
    let by = schema.table(parent)?.partition_by.as_deref()?;
    let (how, key) = by.split_once('(')?;
    let key = key.trim_end().strip_suffix(')')?.trim();
    let plain = |c: char| c == '_' || c == '"' || c.is_alphanumeric();
    if key.is_empty() || !key.chars().all(plain) {
        return None;
    }
    let how = how.split_whitespace().last()?.to_lowercase();
    let groups = groups(bounds)?;
    match (how.as_str(), groups.as_slice()) {
        ("range", [from, to]) => {
            let ends = [(from, ">=", "<", "minvalue"), (to, "<", ">=", "maxvalue")];
            let ends: Vec<_> = ends
                .iter()
                .filter(|(end, .., open)| !end.trim().eq_ignore_ascii_case(open))
                .map(|(end, holds, fails, _)| {
                    (format!("{key} {holds} {end}"), format!("{key} {fails} {end}"))
                })
                .collect();
            let of = |at: fn(&(String, String)) -> &String| ends.iter().map(at).cloned();
            let holds: Vec<String> = std::iter::once(format!("{key} IS NOT NULL"))
                .chain(of(|(holds, _)| holds))
                .collect();
            let (holds, fails) = (holds.join(" AND "), of(|(_, fails)| fails).collect::<Vec<_>>());
            Some((holds, (!fails.is_empty()).then(|| fails.join(" OR "))))
        }
        ("list", [values]) if !values.to_lowercase().contains("null") => {
            Some((format!("{key} IS NOT NULL AND {key} IN ({values})"), None))
        }
        _ => None,
    }
}

/// What stands in the parentheses of `FOR VALUES …`; none for what has others, as `WITH (MODULUS …)`.
fn groups(bounds: &str) -> Option<Vec<String>> {
    let lower = bounds.to_lowercase();
    if lower.contains("modulus") || lower.contains("default") {
        return None;
    }
    let (mut found, mut depth, mut quoted) = (Vec::new(), 0_u32, false);
    for letter in bounds.chars() {
        match letter {
            '\'' => quoted = !quoted,
            '(' if !quoted => {
                depth += 1;
                if depth == 1 {
                    found.push(String::new());
                    continue;
                }
            }
            ')' if !quoted => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if 0 < depth
            && let Some(group) = found.last_mut()
        {
            group.push(letter);
        }
    }
    (depth == 0 && !quoted).then_some(found)
}

fn written(name: &Name) -> String {
    let name = plain(name);
    match &name.schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(&name.name)),
        None => quoted(&name.name),
    }
}

/// A name as the server reads it back: in quotes where it must be.
fn quoted(name: &str) -> String {
    let simple = name.starts_with(|c: char| c == '_' || c.is_ascii_lowercase())
        && name.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit());
    if simple { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{Source, Tokens, parse};

    fn schema(sql: &str) -> Schema {
        let source = Source { tokens: Tokens::Postgres, mariadb: false, version: (18, 0, 0) };
        let mut schema = Schema::default();
        parse(source, sql).statements.iter().for_each(|one| schema.apply(one));
        schema
    }

    #[test]
    fn bounds_are_said_as_checks() {
        let schema = schema(
            "CREATE TABLE m (at date, n int) PARTITION BY RANGE (at);
             CREATE TABLE d PARTITION OF m DEFAULT;
             CREATE TABLE p PARTITION OF m FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') PARTITION BY LIST (n);
             CREATE TABLE h (n int) PARTITION BY HASH (n)",
        );
        let of = |parent: &str, bounds: &str| {
            attach(&Name::plain(parent), &Name::plain("c"), bounds, &schema)
        };
        assert_eq!(
            of("m", "FOR VALUES FROM (MINVALUE) TO ('2020-01-01')").unwrap(),
            [
                "ALTER TABLE c ADD CONSTRAINT c_bounds CHECK (at IS NOT NULL AND at < '2020-01-01') NOT VALID",
                "ALTER TABLE c VALIDATE CONSTRAINT c_bounds",
                "ALTER TABLE d ADD CONSTRAINT not_c_bounds CHECK (at >= '2020-01-01') NOT VALID",
                "ALTER TABLE d VALIDATE CONSTRAINT not_c_bounds",
                "ALTER TABLE m ATTACH PARTITION c FOR VALUES FROM (MINVALUE) TO ('2020-01-01')",
                "ALTER TABLE c DROP CONSTRAINT c_bounds",
                "ALTER TABLE d DROP CONSTRAINT not_c_bounds",
            ]
        );
        assert!(
            of("p", "FOR VALUES IN (1, 2)").unwrap()[0].contains(
                "CHECK (n IS NOT NULL AND n IN (1, 2) AND at IS NOT NULL AND at >= '2020-01-01' AND at < \
                 '2021-01-01')"
            )
        );
        assert_eq!(of("p", "FOR VALUES IN (NULL)"), None);
        assert_eq!(of("m", "DEFAULT"), None);
        assert_eq!(of("h", "FOR VALUES WITH (MODULUS 2, REMAINDER 0)"), None);
    }

    #[test]
    fn an_index_goes_down_to_the_last_partition() {
        let schema = schema(
            "CREATE TABLE m (a int, b int) PARTITION BY LIST (a);
             CREATE TABLE x PARTITION OF m FOR VALUES IN (1) PARTITION BY LIST (b);
             CREATE TABLE y PARTITION OF x FOR VALUES IN (1)",
        );
        let text = super::super::steps::index_text("CREATE INDEX i ON m USING hash (b)").unwrap();
        assert_eq!(
            index(&text, "i", &Name::plain("m"), &schema),
            [
                "CREATE INDEX i ON ONLY m USING hash (b)",
                "CREATE INDEX x_i ON ONLY x USING hash (b)",
                "CREATE INDEX CONCURRENTLY y_x_i ON y USING hash (b)",
                "ALTER INDEX x_i ATTACH PARTITION y_x_i",
                "ALTER INDEX i ATTACH PARTITION x_i",
            ]
        );
        let long = own_name(&"t".repeat(50), "the_same_index_name");
        assert!(long.len() == 63 && long != own_name(&"t".repeat(51), "the_same_index_name"));
    }
}
