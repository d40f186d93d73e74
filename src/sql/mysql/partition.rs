//! Changes of a table's partitions.

use super::key::{if_exists, if_not_exists};
use crate::sql::cursor::Cursor;
use crate::sql::statement::{Action, Name, PartitionOperation};

/// Names of partitions; none means all.
fn names(c: &mut Cursor<'_>) -> Option<Vec<String>> {
    c.eat("NO_WRITE_TO_BINLOG");
    if c.is("LOCAL") && 1 < c.left() && !c.is_symbol_at(1, ',') {
        c.skip();
    }
    if c.eat("ALL") { Some(Vec::new()) } else { list(c) }
}

/// Names as far as they are in the list; what follows may be another clause.
fn list(c: &mut Cursor<'_>) -> Option<Vec<String>> {
    const BEHIND: &[&str] =
        &["INTO", "TABLESPACE", "QUICK", "FAST", "MEDIUM", "EXTENDED", "CHANGED", "USE_FRM", "FOR"];
    let mut names = vec![c.name()?];
    let mut ahead = *c;
    while ahead.symbol(',')
        && let Some(name) = ahead.name()
        && (ahead.done() || ahead.is_symbol(',') || ahead.is_any(BEHIND))
    {
        names.push(name);
        *c = ahead;
    }
    Some(names)
}

/// `PARTITION BY …`, to its end; the cursor stands behind the `BY`. As written.
pub(super) fn by(c: &mut Cursor<'_>) -> Option<String> {
    let from = c.at();
    c.eat("LINEAR");
    match c.eat_any(&["RANGE", "LIST", "HASH", "KEY", "SYSTEM_TIME"])? {
        "KEY" => {
            if c.eat("ALGORITHM") {
                c.symbol('=');
                c.number()?;
            }
            c.group()?;
        }
        "SYSTEM_TIME" => {
            c.until(|c| c.is_symbol('(') || c.is("PARTITIONS"));
        }
        _ => {
            c.eat("COLUMNS");
            c.group()?;
        }
    }
    count(c)?;
    if c.eat_all(&["SUBPARTITION", "BY"]) {
        c.eat("LINEAR");
        if c.eat_any(&["HASH", "KEY"])? == "KEY" && c.eat("ALGORITHM") {
            c.symbol('=');
            c.number()?;
        }
        c.group()?;
        count(c)?;
    }
    if c.is_symbol('(') {
        c.group()?;
    }
    Some(c.text_since(from).to_owned())
}

fn count(c: &mut Cursor<'_>) -> Option<()> {
    if c.eat_any(&["PARTITIONS", "SUBPARTITIONS"]).is_some() {
        c.number()?;
        c.eat("AUTO");
    }
    Some(())
}

/// Whether a change of partitions is next.
pub(super) fn is_next(c: &Cursor<'_>) -> bool {
    const VERBS: &[&str] = &[
        "ADD",
        "DROP",
        "TRUNCATE",
        "COALESCE",
        "REORGANIZE",
        "EXCHANGE",
        "REBUILD",
        "OPTIMIZE",
        "ANALYZE",
        "CHECK",
        "REPAIR",
        "DISCARD",
        "IMPORT",
        "CONVERT",
    ];
    (c.is_any(VERBS) && c.is_at(1, "PARTITION"))
        || c.are(&["CONVERT", "TABLE"])
        || c.are(&["PARTITION", "BY"])
        || c.are(&["REMOVE", "PARTITIONING"])
}

/// A change of partitions.
pub(super) fn action(c: &mut Cursor<'_>) -> Option<Action> {
    operation(c).map(Action::Partition)
}

fn operation(c: &mut Cursor<'_>) -> Option<PartitionOperation> {
    use PartitionOperation as Is;
    Some(if c.eat_all(&["PARTITION", "BY"]) {
        by(c)?;
        Is::PartitionBy
    } else if c.eat_all(&["REMOVE", "PARTITIONING"]) {
        Is::Remove
    } else if c.eat_all(&["ADD", "PARTITION"]) {
        add(c)?
    } else if c.eat_all(&["DROP", "PARTITION"]) {
        if_exists(c);
        Is::Drop(list(c)?)
    } else if c.eat_all(&["TRUNCATE", "PARTITION"]) {
        Is::Truncate(names(c)?)
    } else if c.eat_all(&["COALESCE", "PARTITION"]) {
        c.eat_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
        c.number()?;
        Is::Coalesce
    } else if c.eat_all(&["REORGANIZE", "PARTITION"]) {
        reorganize(c)?
    } else if c.eat_all(&["EXCHANGE", "PARTITION"]) {
        let partition = c.name()?;
        let with = c.eat_all(&["WITH", "TABLE"]).then(|| c.qualified()).flatten()?;
        Is::Exchange { partition, with, validate: validates(c) }
    } else if c.eat_all(&["REBUILD", "PARTITION"]) || c.eat_all(&["OPTIMIZE", "PARTITION"]) {
        Is::Rebuild(names(c)?)
    } else if c.eat_all(&["ANALYZE", "PARTITION"])
        || c.eat_all(&["CHECK", "PARTITION"])
        || c.eat_all(&["REPAIR", "PARTITION"])
    {
        Is::Check(checked(c)?)
    } else if c.eat_all(&["DISCARD", "PARTITION"]) || c.eat_all(&["IMPORT", "PARTITION"]) {
        let found = names(c)?;
        c.eat("TABLESPACE").then_some(Is::Tablespace(found))?
    } else if c.eat("CONVERT") {
        Is::Convert(convert(c)?)
    } else {
        return None;
    })
}

/// `ADD PARTITION [IF NOT EXISTS] [NO_WRITE_TO_BINLOG] {PARTITIONS n | (…)}`
fn add(c: &mut Cursor<'_>) -> Option<PartitionOperation> {
    if_not_exists(c);
    c.eat_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
    let hash = c.eat("PARTITIONS");
    if hash {
        c.number()?;
    } else {
        c.group()?;
    }
    Some(PartitionOperation::Add { hash })
}

/// `REORGANIZE PARTITION [names INTO (…)]`
fn reorganize(c: &mut Cursor<'_>) -> Option<PartitionOperation> {
    if c.done() || c.is_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]) && c.left() == 1 {
        c.rest();
        return Some(PartitionOperation::Reorganize(Vec::new()));
    }
    let found = names(c)?;
    if !c.eat("INTO") {
        return None;
    }
    c.group()?;
    Some(PartitionOperation::Reorganize(found))
}

fn checked(c: &mut Cursor<'_>) -> Option<Vec<String>> {
    let found = names(c)?;
    c.eat_while(&["QUICK", "FAST", "MEDIUM", "EXTENDED", "CHANGED", "USE_FRM"]);
    c.eat_all(&["FOR", "UPGRADE"]);
    Some(found)
}

/// MariaDB's `CONVERT PARTITION p TO TABLE t`, `CONVERT TABLE t TO PARTITION p …`.
fn convert(c: &mut Cursor<'_>) -> Option<Name> {
    if c.eat("PARTITION") {
        c.name()?;
        return c.eat_all(&["TO", "TABLE"]).then(|| c.qualified()).flatten();
    }
    let table = if c.eat("TABLE") { c.qualified()? } else { return None };
    if !c.eat_all(&["TO", "PARTITION"]) {
        return None;
    }
    c.name()?;
    // The bounds of the new partition.
    c.until(|c| c.is_symbol(',') || c.is_any(&["WITH", "WITHOUT"]));
    validates(c);
    Some(table)
}

fn validates(c: &mut Cursor<'_>) -> bool {
    c.eat_all(&["WITH", "VALIDATION"]);
    !c.eat_all(&["WITHOUT", "VALIDATION"])
}
