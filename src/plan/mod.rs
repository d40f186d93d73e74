//! From what the user said and what the database is to everything that will happen.
//!
//! Every refusal happens here, before the first write. The plan holds the statements word for
//! word, so what is reviewed is what runs.

mod key;
mod refusal;
mod sql;

use std::time::Duration;

pub use refusal::{Error, Refusal};
pub use sql::{Assignment, Statements};

use crate::catalog::{Column, Key as Index, Lookup, Server, Table, TableName, closest};
use crate::keyspace::Key;
use crate::spec::JobSpec;
use crate::target::{Class, Session, Target, fence};

/// Everything that will happen.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The spec.
    pub spec: JobSpec,
    /// Its hash.
    pub spec_hash: String,
    /// The target's name in metrics and messages.
    pub target_name: String,
    /// Where the target is, without credentials.
    pub address: String,
    /// The server.
    pub server: Server,
    /// The table.
    pub table: Table,
    /// The index that batches walk along.
    pub index: Index,
    /// Why that index.
    pub index_reason: String,
    /// The statements.
    pub statements: Statements,
    /// Where the fence stands.
    pub fence: fence::Home,
    /// The pace.
    pub pace: Pace,
    /// Things a person should know; none of them stops the job.
    pub notes: Vec<String>,
}

/// How fast the job goes.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The duration that a batch should take.
    pub target_time: Duration,
    /// No batch has more rows.
    pub max_rows: u64,
    /// Ranges that are walked in parallel.
    pub workers: u32,
    /// The pause after each batch.
    pub pause: Pause,
}

/// The pause of a worker after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// None.
    None,
    /// As long as the batch took.
    AsLong,
    /// A fixed time.
    Fixed(Duration),
}

impl Plan {
    /// What the fence guarantees, in a sentence.
    #[must_use]
    pub fn guarantee(&self) -> String {
        format!(
            "exactly once per key value: each batch writes its rows and its cursor (`{}`) in one \
             transaction",
            self.fence.table
        )
    }

    /// What is checked after the last batch, in sentences.
    #[must_use]
    pub fn checks(&self) -> Vec<String> {
        let mut checks = Vec::new();
        if self.statements.remaining {
            checks.push(match &self.statements.filter {
                Some(filter) => format!("no row matches `{}` any more", filter.trim()),
                None => "no row would be changed by another run".to_owned(),
            });
        }
        if let Some(expect) = &self.statements.expect {
            checks.push(format!("every row satisfies `{}`", expect.trim()));
        }
        checks
    }

    /// The names of the key's columns.
    #[must_use]
    pub fn key_names(&self) -> &[String] {
        &self.index.columns
    }

    /// A key for people.
    #[must_use]
    pub fn show_key(&self, key: &Key) -> String {
        key.display(self.key_names())
    }
}

/// Makes the plan. `control` and `worker` are two sessions of `target`, used as the job will.
///
/// # Errors
///
/// Every reason why the job cannot run; or that the database could not be asked.
pub async fn make(
    spec: &JobSpec,
    target: &dyn Target,
    control: &mut dyn Session,
    worker: &mut dyn Session,
) -> Result<Plan, Error> {
    let dialect = target.dialect();
    let server = target.server(control).await?;
    refuse_server(&server)?;
    target.prove_direct(control, worker).await?;

    let table = find_table(spec, target, control, &server).await?;
    let mut refusals = Vec::new();
    let chosen = key::choose(&table, spec.batch.key.as_deref());
    let set = resolve_assignments(spec, &table, dialect, &mut refusals);
    refuse_broken_expressions(spec, dialect, &mut refusals);
    let (index, index_reason) = match chosen {
        Ok(chosen) => chosen,
        Err(refusal) => {
            refusals.push(refusal);
            return Err(Error::Refused(refusals));
        }
    };
    refuse_assigned_key(&set, &index, &mut refusals);
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }

    let key = index.columns.iter().filter_map(|name| table.column(name)).cloned().collect();
    let mut statements = Statements::new(dialect, &table, &index, key, set);
    statements.filter.clone_from(&spec.update.filter);
    statements.expect.clone_from(&spec.verify.expect);
    statements.remaining = spec.checks_remaining();
    ask_the_server(&statements, target, worker, &mut refusals).await?;

    let fence = target.fence_home(control, &table).await?;
    if let Some(reason) = &fence.refused {
        refusals.push(Refusal::new(
            format!("the fence `{}` cannot be used", fence.table),
            format!("{reason}, and rows and cursor commit together only with it"),
            format!("let a DBA run this once:\n{};", fence.ddl),
        ));
    }
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }

    let mut notes = table.remarks.clone();
    let pace = set_pace(spec, target, &mut notes);
    notes.extend(note_reads_of_writes(&statements, dialect));
    Ok(Plan {
        spec: spec.clone(),
        spec_hash: spec.hash(),
        target_name: spec.target.name.clone().unwrap_or_else(|| server.database.clone()),
        address: target.address().to_owned(),
        server,
        table,
        index,
        index_reason,
        statements,
        fence,
        pace,
        notes,
    })
}

fn refuse_server(server: &Server) -> Result<(), Error> {
    let mut refusals: Vec<Refusal> = Vec::new();
    if let Some(reason) = &server.read_only {
        refusals.push(Refusal::new(
            format!("the target takes no writes: {reason}"),
            "a backfill runs on the primary",
            "point the URL at the primary",
        ));
    }
    refusals.extend(server.unsuitable.iter().map(|reason| Refusal::new(reason.clone(), "", "")));
    if refusals.is_empty() { Ok(()) } else { Err(Error::Refused(refusals)) }
}

async fn find_table(
    spec: &JobSpec,
    target: &dyn Target,
    control: &mut dyn Session,
    server: &Server,
) -> Result<Table, Error> {
    let refuse = |refusal| Err(Error::Refused(vec![refusal]));
    let name = match TableName::parse(&spec.update.table) {
        Ok(name) => name,
        Err(reason) => {
            return refuse(Refusal::new(
                format!("`update.table` is not a table's name: {reason}"),
                "",
                "write `table`, `schema.table`, or quote the parts as in SQL",
            ));
        }
    };
    match target.look_up(control, &name).await? {
        Lookup::Found(table) => Ok(*table),
        Lookup::NotATable { kind } => refuse(Refusal::new(
            format!("`{name}` is a {kind}"),
            "batches walk a key and commit one by one, which only an ordinary table allows",
            "name the table behind it",
        )),
        Lookup::Missing { close } => {
            let fix = if close.is_empty() {
                "check the name, the schema, and that the URL's user may see the table".to_owned()
            } else {
                let close: Vec<_> = close.iter().map(|name| format!("`{name}`")).collect();
                format!("did you mean {}?", close.join(", "))
            };
            refuse(Refusal::new(
                format!("there is no table `{name}` in database `{}`", server.database),
                "",
                fix,
            ))
        }
    }
}

fn resolve_assignments(
    spec: &JobSpec,
    table: &Table,
    dialect: &dyn crate::target::Dialect,
    refusals: &mut Vec<Refusal>,
) -> Vec<Assignment> {
    let mut resolved: Vec<Assignment> = Vec::new();
    for (name, expression) in &spec.update.set.0 {
        let Some(column) = find_column(table, name) else {
            let close = closest(name, table.columns.iter().map(|column| column.name.as_str()));
            let fix = match close.first() {
                Some(near) => format!("did you mean `{near}`?"),
                None => "check `update.set`".to_owned(),
            };
            refusals.push(Refusal::new(format!("table `{table}` has no column `{name}`"), "", fix));
            continue;
        };
        if column.generated {
            refusals.push(Refusal::new(
                format!("column `{}` is generated", column.name),
                "the server computes it and refuses an assignment",
                "assign the columns that it is computed from",
            ));
        }
        if resolved.iter().any(|earlier| earlier.column.name == column.name) {
            refusals.push(Refusal::new(
                format!("column `{}` is assigned twice", column.name),
                "which of the two counts differs between databases",
                "keep one of them",
            ));
        }
        if dialect.assigns_left_to_right()
            && let Some(earlier) = resolved
                .iter()
                .find(|a| crate::sql::mentions(dialect.tokens(), expression, &a.column.name))
        {
            refusals.push(Refusal::new(
                format!(
                    "the expression for `{name}` reads `{}`, which is assigned before it",
                    earlier.column.name
                ),
                "this database assigns from left to right, so it would see the new value; \
                 PostgreSQL and SQLite would see the old one",
                "change the order of the assignments, or write the new value out in full",
            ));
        }
        resolved.push(Assignment { column: column.clone(), expression: expression.clone() });
    }
    resolved
}

fn refuse_broken_expressions(
    spec: &JobSpec,
    dialect: &dyn crate::target::Dialect,
    refusals: &mut Vec<Refusal>,
) {
    let set = spec.update.set.0.iter().map(|(name, text)| (format!("update.set.{name}"), text));
    let filter = spec.update.filter.iter().map(|text| ("update.where".to_owned(), text));
    let expect = spec.verify.expect.iter().map(|text| ("verify.expect".to_owned(), text));
    for (field, text) in set.chain(filter).chain(expect) {
        if let Err(reason) = crate::sql::single_expression(dialect.tokens(), text) {
            refusals.push(Refusal::new(
                format!("`{field}` is not one expression: {reason}"),
                "it stands within a larger statement, whose meaning it would change",
                "write one complete SQL expression, without parameters",
            ));
        }
    }
}

fn find_column<'a>(table: &'a Table, name: &str) -> Option<&'a Column> {
    table.column(name).or_else(|| {
        let mut same = table.columns.iter().filter(|c| c.name.eq_ignore_ascii_case(name));
        same.next().filter(|_| same.next().is_none())
    })
}

fn refuse_assigned_key(set: &[Assignment], index: &Index, refusals: &mut Vec<Refusal>) {
    for assignment in set {
        if index.columns.contains(&assignment.column.name) {
            refusals.push(Refusal::new(
                format!("`{}` is assigned, and the walk goes along it", assignment.column.name),
                "a row whose key changes moves ahead of the cursor or behind it, and would be \
                 written twice or never",
                "walk another unique key with `[batch] key`",
            ));
        }
    }
}

/// Lets the server judge every expression alone, then the statements as they will run.
async fn ask_the_server(
    statements: &Statements,
    target: &dyn Target,
    worker: &mut dyn Session,
    refusals: &mut Vec<Refusal>,
) -> Result<(), Error> {
    let dialect = target.dialect();
    for (field, sql) in statements.probes() {
        if let Err(error) = worker.prepare(&sql).await {
            refuse_unless_lost(error, &format!("the server refuses `{field}`"), refusals)?;
        }
    }
    if !refusals.is_empty() {
        return Ok(());
    }
    let key = Key(statements.key.iter().map(|_| String::new()).collect());
    let mut whole = vec![
        ("the write of a batch", statements.write(dialect, Some(&key), &key)),
        ("the look-up of a batch's end", statements.boundary(dialect, Some(&key), &key, 1)),
    ];
    if statements.verifies() {
        whole.push(("the verification", statements.verify(dialect, Some(&key), &key)));
    }
    for (what, statement) in whole {
        if let Err(error) = worker.prepare(&statement.sql).await {
            let what = format!("the server refuses {what}, `{}`", statement.sql);
            refuse_unless_lost(error, &what, refusals)?;
        }
    }
    Ok(())
}

fn refuse_unless_lost(
    error: crate::target::Error,
    what: &str,
    refusals: &mut Vec<Refusal>,
) -> Result<(), Error> {
    if error.class == Class::Lost {
        return Err(error.into());
    }
    refusals.push(Refusal::new(what, error.to_string(), ""));
    Ok(())
}

fn set_pace(spec: &JobSpec, target: &dyn Target, notes: &mut Vec<String>) -> Pace {
    let manners = target.manners();
    let workers = spec.batch.workers.min(manners.max_workers);
    if workers < spec.batch.workers {
        notes.push(format!(
            "this database has one writer at a time: {workers} worker instead of {}",
            spec.batch.workers
        ));
    }
    Pace {
        target_time: spec.batch.target_time.map_or(manners.target_time, |time| time.0),
        max_rows: spec.batch.max_rows,
        workers,
        pause: match spec.batch.pause {
            Some(time) if time.0.is_zero() => Pause::None,
            Some(time) => Pause::Fixed(time.0),
            None if manners.pause_as_long => Pause::AsLong,
            None => Pause::None,
        },
    }
}

/// A job that reads what it writes gives another result when it is run twice.
fn note_reads_of_writes(
    statements: &Statements,
    dialect: &dyn crate::target::Dialect,
) -> Option<String> {
    let tokens = dialect.tokens();
    let reads: Vec<String> = statements
        .set
        .iter()
        .map(|a| &a.column.name)
        .filter(|name| {
            statements.set.iter().any(|a| crate::sql::mentions(tokens, &a.expression, name))
        })
        .map(|name| format!("`{name}`"))
        .collect();
    (!reads.is_empty()).then(|| {
        format!(
            "{} is both read and written: the fence applies each row once, but `run --again` would \
             apply the expression to its own result",
            reads.join(", ")
        )
    })
}
