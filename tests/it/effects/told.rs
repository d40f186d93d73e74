//! What a server tells of a statement: DEBUG1 messages and answers to queries of ours, in the order
//! in which psql passes them on. It must be told to say an error's code (`VERBOSITY verbose`).

use std::collections::{BTreeMap, BTreeSet};

use super::data::{Case, Done};

/// The relations before the statement that is looked at, as `name=kind`, joined by `;`. Their names
/// stand there as the gate has them: without the schema that is searched first.
pub const BEFORE: &str = "\
CREATE TEMP TABLE before AS
SELECT c.oid, relfilenode, relkind::text,
    CASE nspname WHEN 'public' THEN '' ELSE nspname || '.' END || relname AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND relkind <> 'c'
    AND c.relpersistence <> 't';
CREATE TEMP TABLE keys_before AS SELECT oid FROM pg_constraint WHERE contype = 'f' AND convalidated;
SELECT coalesce(string_agg(name || '=' || relkind, ';'), '') AS names FROM before \\gset
\\warn @names :names
";

/// What it holds after it, which tables have another file, and which foreign keys are valid that were
/// not, and whose (a partition's key has the name of its parent's).
pub const AFTER: &str = "\
SET LOCAL client_min_messages = warning;
\\unset locks\n\\unset anew\n\\unset keys
SELECT coalesce(string_agg(name || '=' || mode, ';'), '') AS locks FROM pg_locks l
JOIN pg_temp.before b ON b.oid = l.relation WHERE pid = pg_backend_pid() AND granted \\gset
\\warn @locks :locks
SELECT coalesce(string_agg(b.name, ';'), '') AS anew FROM pg_temp.before b JOIN pg_class c
USING (oid) WHERE c.relfilenode <> b.relfilenode AND c.relkind IN ('r', 'm') \\gset
\\warn @anew :anew
SELECT coalesce(string_agg(conname || '=' || b.name, ';'), '') AS keys FROM pg_constraint
JOIN pg_temp.before b ON b.oid = conrelid WHERE contype = 'f' AND convalidated
AND NOT EXISTS (SELECT FROM pg_temp.keys_before k WHERE k.oid = pg_constraint.oid) \\gset
\\warn @keys :keys
";

/// Forgets them.
pub const FORGET: &str = "\
SET client_min_messages = warning;
DROP TABLE IF EXISTS pg_temp.before, pg_temp.keys_before;
";

/// How strong a mode is: the strongest of several is what counts.
pub fn strength(mode: &str) -> usize {
    const MODES: [&str; 8] = [
        "AccessShareLock",
        "RowShareLock",
        "RowExclusiveLock",
        "ShareUpdateExclusiveLock",
        "ShareLock",
        "ShareRowExclusiveLock",
        "ExclusiveLock",
        "AccessExclusiveLock",
    ];
    MODES.iter().position(|known| *known == mode).unwrap_or_else(|| panic!("the mode {mode}"))
}

/// `a=b;c=d`.
fn pairs(list: &str) -> impl Iterator<Item = (&str, &str)> {
    list.split(';').filter_map(|pair| pair.rsplit_once('='))
}

/// What is told of one case.
pub fn told<'a>(case: &Case, lines: impl Iterator<Item = &'a str>) -> Done {
    let mut done = Done::default();
    let mut kinds = BTreeMap::new();
    let mut validated = Vec::new();
    // Of a table that is emptied, neither its new file nor its indexes are work.
    let empties = case.statement.starts_with("TRUNCATE");
    for line in lines {
        // psql's own prefix: `psql:<stdin>:12: DEBUG:  …`
        if let Some((_, error)) = line.split_once("ERROR:  ") {
            assert!(!kinds.is_empty(), "before `{}`: {error}", case.title());
            if !error.contains("current transaction is aborted") {
                done.refused.get_or_insert_with(|| error.to_owned());
            }
        } else if let Some((_, message)) = line.split_once("DEBUG:  00000: ") {
            announced(&mut done, &mut validated, message, empties);
        } else if let Some(names) = line.strip_prefix("@names ") {
            kinds.extend(pairs(names).map(|(name, kind)| (name.to_owned(), kind.to_owned())));
        } else if let Some(locks) = line.strip_prefix("@locks ") {
            // After an error there is no such variable, and psql prints its name.
            for (relation, mode) in pairs(locks) {
                let held = done.locks.entry(relation.to_owned()).or_insert(mode.to_owned());
                if strength(held) < strength(mode) {
                    mode.clone_into(held);
                }
            }
        } else if let Some(anew) = line.strip_prefix("@anew ")
            && !empties
        {
            done.rewrite.extend(anew.split(';').map(str::to_owned));
        } else if let Some(keys) = line.strip_prefix("@keys ") {
            for key in &validated {
                let of = pairs(keys).filter(|(name, _)| name == key);
                done.scan.extend(of.map(|(_, table)| table.to_owned()));
            }
        }
    }
    settle(&mut done, &kinds);
    done.scan.extend(case.unseen.iter().cloned());
    done
}

fn announced(done: &mut Done, validated: &mut Vec<String>, message: &str, empties: bool) {
    let quoted = |after: &str| {
        let rest = message.split_once(after)?.1.strip_prefix('"')?;
        Some(rest.split('"').next()?.to_owned())
    };
    if let Some(table) = quoted("rewriting table ") {
        done.rewrite.insert(table);
    } else if let Some(table) = quoted("verifying table ") {
        done.scan.insert(table);
    } else if let Some(key) = quoted("validating foreign key constraint ") {
        validated.push(key);
    } else if message.starts_with("building index ")
        && !empties
        && let Some(table) = quoted("on table ")
    {
        done.index_build.insert(table);
    }
}

/// Leaves the relations that were there before. Messages name them without their schema; a
/// partitioned table has no rows (a partition's key has the name of its parent's key); and what is
/// written anew is not read and indexed besides.
fn settle(done: &mut Done, kinds: &BTreeMap<String, String>) {
    let full = |name: &String| {
        let ends = |have: &&String| have.rsplit('.').next() == Some(name.as_str());
        kinds.get_key_value(name).map(|(have, _)| have).or_else(|| kinds.keys().find(ends))
    };
    let known = |set: &BTreeSet<String>| -> BTreeSet<String> {
        set.iter().filter_map(full).filter(|name| kinds[*name] != "p").cloned().collect()
    };
    done.rewrite = known(&done.rewrite);
    done.scan = &known(&done.scan) - &done.rewrite;
    done.index_build = &known(&done.index_build) - &done.rewrite;
}
