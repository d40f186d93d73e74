//! From what the user said and what the database is to everything that will happen.
//!
//! Every refusal happens here, before the first write. The plan holds the statements word for
//! word, so what is reviewed is what runs.

mod after;
mod checks;
mod convergence;
mod cost;
mod durability;
pub mod images;
mod judge;
mod key;
mod pace;
mod pair;
mod proof;
mod refusal;
mod row;
mod signals;
mod sql;
mod stretches;
mod table;
pub mod tuning;
mod undo;

use std::sync::Arc;
use std::time::Duration;

pub use after::Chore;
pub use convergence::{Convergence, Doubtful};
pub use pace::{Ends, Pace, Pause};
pub use pair::{Pair, Stretch};
pub use proof::{Proof, prove};
pub use refusal::{Error, Refusal};
pub use signals::Around;
pub use sql::{Assignment, Statements};
pub use undo::{Restoring, Undo, add_key, images_of, restoring};

use crate::catalog::{Column, Key as Index, RowEstimate, Server, Table, closest};
use crate::event::Phase;
use crate::keyspace::Key;
use crate::spec::JobSpec;
use crate::target::{Session, Target, fence};
use crate::throttle::{self, Watched};

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
    /// The statements of the verification.
    pub verification: Statements,
    /// How many rows the walk goes through, as far as that is known without reading them.
    pub estimate: Option<RowEstimate>,
    /// Where the fence stands; `None`: the job runs without it.
    pub fence: Option<fence::Home>,
    /// How what it overwrites is kept, where it is.
    pub undo: Option<Undo>,
    /// Whether writing a row once more leaves it as it is.
    pub convergence: Convergence,
    /// The pace.
    pub pace: Pace,
    /// What the job steps aside for, as it was when the plan was made; those by default that cannot be
    /// read here are among them.
    pub signals: Vec<Watched>,
    /// A value that is older than this counts as bad.
    pub stale_after: Duration,
    /// What is done for the table when every row is written, in this order.
    pub after: Vec<Chore>,
    /// What stands around the spec.
    pub around: Around,
    /// Things a person should know; none of them stops the job.
    pub notes: Vec<String>,
}

impl Plan {
    /// What is guaranteed of each row, and why, in a sentence.
    #[must_use]
    pub fn guarantee(&self) -> String {
        let convergence = match &self.convergence {
            Convergence::Convergent(why) => format!("convergent: {why}"),
            Convergence::Dependent(_) => "not convergent: only the fence keeps a row from being \
                                          written twice"
                .to_owned(),
        };
        match &self.fence {
            Some(home) => format!(
                "exactly once per key value: each batch writes its rows and its cursor (`{}`) in \
                 one transaction\n{convergence}",
                home.fence.table
            ),
            None => format!(
                "the same result however often a row is written; there is no fence, and the cursor \
                 is only in the journal\n{convergence}"
            ),
        }
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
            checks.push(match self.spec.verify.sample {
                Some(rows) => format!("a sample of {rows} rows satisfies `{}`", expect.trim()),
                None => format!("every row satisfies `{}`", expect.trim()),
            });
        }
        checks
    }

    /// The statements of a phase.
    #[must_use]
    pub const fn statements_of(&self, phase: Phase) -> &Statements {
        match phase {
            Phase::Write => &self.statements,
            Phase::Verify => &self.verification,
        }
    }

    /// The names of the key's columns.
    #[must_use]
    pub fn key_names(&self) -> Vec<String> {
        self.index.names()
    }

    /// The lock step of a batch, where this job takes one.
    #[must_use]
    pub fn lock_step(
        &self,
        pace: &Pace,
        dialect: &dyn crate::target::Dialect,
        after: Option<&Key>,
        upto: &Key,
    ) -> Option<crate::target::Statement> {
        lock_step(&self.statements, pace, dialect, after, upto)
    }

    /// What a DBA who looks at the server's sessions reads before each statement of a batch. Names
    /// of jobs are lower-case letters, digits, `-` and `_`, so nothing in it ends the comment.
    #[must_use]
    pub fn label(&self, range: u32) -> String {
        let job = &self.spec.job.name;
        format!("backstop {job} range {range}; to stop it: backstop kill {job}")
    }

    /// A key for people.
    #[must_use]
    pub fn show_key(&self, key: &Key) -> String {
        key.display(&self.key_names())
    }
}

/// Makes the plan. `control` and `worker` are two sessions of `target`, used as the job will.
///
/// # Errors
///
/// Every reason why the job cannot run; or that the database could not be asked.
pub async fn make(
    spec: &JobSpec,
    shared: &Arc<dyn Target>,
    control: &mut dyn Session,
    worker: &mut dyn Session,
    around: &Around,
) -> Result<Plan, Error> {
    let target = &**shared;
    let dialect = target.dialect();
    let server = target.server(control).await?;
    refuse_server(&server)?;
    target.prove_direct(control, worker).await?;

    let table = table::find(spec, target, control, &server).await?;
    table::refuse_under_handoff(target, control, &table).await?;
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
    refuse_no_change_time(spec, &table, &mut refusals);
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }

    let key = index.names().iter().filter_map(|name| table.column(name)).cloned().collect();
    let mut statements = Statements::new(dialect, &table, &index, key, set);
    statements.filter.clone_from(&spec.update.filter);
    statements.expect.clone_from(&spec.verify.expect);
    statements.remaining = spec.checks_remaining();
    statements.checksum = spec.verify.checksum;
    statements.walk = spec.batch.walk;
    let mut notes = table.remarks.clone();
    notes.extend(server.cluster.map(|cluster| {
        format!(
            "this is a node of {cluster}, whose nodes share no session locks: a second runner on \
             another node is kept out by the fence alone"
        )
    }));
    let mut pace = pace::set(spec, target, &mut notes);
    pace.patience = target.patience(control, pace.target_time).await?;
    ask_the_server(&statements, &pace, target, worker, &mut refusals).await?;
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }

    let judge::Judged { convergence, notes: judged, steady } =
        judge::judge(spec, &table, &statements, target, control, &mut refusals).await?;
    let need = fence_need(spec, &table, &convergence);
    let (fence, without) =
        find_fence(&need, target, control, around.fence_schema.as_deref(), &mut refusals).await?;
    let schema = around.fence_schema.as_deref();
    let undo = undo::find(
        &undo::Job { spec, table: &table, index: &index, statements: &statements, steady, schema },
        target,
        control,
        &mut refusals,
    )
    .await?;
    durability::refuse_async(spec, target, fence.as_ref(), &mut refusals);
    if refusals.is_empty() {
        // A volatile predicate would have been refused, and is never run here.
        cost::refuse_costly(&table, &statements, dialect, worker, &mut refusals).await?;
    }
    let after = after::find(spec, &table, target, control, &mut refusals).await?;
    pace::open(spec, &mut pace, &mut refusals);
    let signals = signals::survey(spec, &table, around, shared, &pace, &mut refusals).await;
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    pace.watches = throttle::watches(&signals);
    let extent = cost::extent(&table, &statements, dialect, worker).await?;

    statements.sweeps = statements.remaining && convergence.holds() && !spec.update.exactly_once;
    notes.extend(judged);
    notes.extend(without);
    notes.extend(extent.offer);
    Ok(Plan {
        spec: spec.clone(),
        spec_hash: spec.hash(),
        target_name: spec.target.name.clone().unwrap_or_else(|| server.database.clone()),
        address: target.address().to_owned(),
        server,
        table,
        index,
        index_reason,
        verification: statements.for_verification(),
        statements,
        estimate: extent.estimate,
        fence,
        undo,
        convergence,
        pace,
        signals,
        stale_after: signals::stale_after(spec),
        after,
        around: around.clone(),
        notes,
    })
}

/// How much a job needs the fence.
enum Need {
    /// It was told to do without.
    Unwanted,
    /// It takes it where it can be had.
    Wanted,
    /// It cannot do without, for this reason.
    Required(String),
    /// It cannot do without, for this reason, and was told to.
    Denied(String),
}

fn fence_need(spec: &JobSpec, table: &Table, convergence: &Convergence) -> Need {
    let reason = if spec.undo.is_some() || spec.restores.is_some() {
        Some("only there is it known what a job has written and that it was undone".to_owned())
    } else if spec.update.exactly_once {
        Some("an `exactly_once` job writes no row twice only by it".to_owned())
    } else if !convergence.holds() {
        // Refused already, for a reason of its own.
        return Need::Unwanted;
    } else {
        let names: Vec<_> = table.triggers.iter().map(|name| format!("`{name}`")).collect();
        (!names.is_empty()).then(|| {
            format!(
                "what the triggers of `{table}` ({}) make of a row that is written twice is not \
                 known",
                names.join(", ")
            )
        })
    };
    match (reason, spec.update.fence) {
        (None, true) => Need::Wanted,
        (None, false) => Need::Unwanted,
        (Some(reason), true) => Need::Required(reason),
        (Some(reason), false) => Need::Denied(reason),
    }
}

/// The fence's home, or a note that says why the job runs without.
async fn find_fence(
    need: &Need,
    target: &dyn Target,
    control: &mut dyn Session,
    schema: Option<&str>,
    refusals: &mut Vec<Refusal>,
) -> Result<(Option<fence::Home>, Option<String>), Error> {
    if let Need::Denied(reason) = need {
        refusals.push(Refusal::new(
            "the job cannot do without the fence",
            reason.clone(),
            "take `fence = false` out of [update]",
        ));
    }
    if matches!(need, Need::Unwanted | Need::Denied(_)) {
        return Ok((None, None));
    }
    let home = target.fence_home(control, schema).await?;
    let Some(obstacle) = home.obstacle.clone() else { return Ok((Some(home), None)) };
    if let (Need::Wanted, fence::Obstacle::NoRight(reason)) = (need, &obstacle) {
        let note = format!(
            "the job runs without the fence: {reason}; after a crash rows may be written twice, \
             which changes nothing here; `backstop plan --grants` prints what a DBA has to run for \
             the fence"
        );
        return Ok((None, Some(note)));
    }
    let missing = home.places().into_iter().filter(|place| !place.exists);
    let ddl: Vec<_> = missing.map(|place| format!("{};", place.ddl)).collect();
    let without = match need {
        Need::Wanted => "the job is convergent, so `fence = false` in [update] does without\n",
        _ => "",
    };
    let why = match need {
        Need::Required(reason) => format!("{}; {reason}", obstacle.reason()),
        _ => format!("{}, and rows and cursor commit together only with it", obstacle.reason()),
    };
    refusals.push(Refusal::new(
        format!("the fence `{}` cannot be used", home.fence.table),
        why,
        if ddl.is_empty() {
            without.trim_end().to_owned()
        } else {
            format!("{without}let a DBA run this once:\n{}", ddl.join("\n"))
        },
    ));
    Ok((Some(home), None))
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
        if index.columns.iter().any(|column| column.name == assignment.column.name) {
            refusals.push(Refusal::new(
                format!("`{}` is assigned, and the walk goes along it", assignment.column.name),
                "a row whose key changes moves ahead of the cursor or behind it, and would be \
                 written twice or never",
                "walk another unique key with `[batch] key`",
            ));
        }
    }
}

fn refuse_no_change_time(spec: &JobSpec, table: &Table, refusals: &mut Vec<Refusal>) {
    let Some(name) = &spec.verify.changed_at else { return };
    let Some(column) = find_column(table, name) else {
        refusals.push(Refusal::new(
            format!("table `{table}` has no column `{name}`"),
            "`changed_at` of [verify] names it as what tells when a row was written",
            "name the column, or leave `changed_at` out",
        ));
        return;
    };
    if let Err(reason) = &column.key_kind {
        refusals.push(Refusal::new(
            format!("`changed_at` names `{name}`, whose values cannot be gone along: {reason}"),
            "",
            "name a column of a time or of a number, or leave `changed_at` out",
        ));
    }
}

fn lock_step(
    statements: &Statements,
    pace: &Pace,
    dialect: &dyn crate::target::Dialect,
    after: Option<&Key>,
    upto: &Key,
) -> Option<crate::target::Statement> {
    if pace.patience.lock_first { statements.lock(dialect, after, upto) } else { None }
}

/// Lets the server judge every expression alone, then the statements as they will run.
async fn ask_the_server(
    statements: &Statements,
    pace: &Pace,
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
    let (after, upto) = statements.example();
    let mut whole = vec![
        ("the write of a batch", statements.write(dialect, Some(&after), &upto)),
        ("the look-up of a batch's end", statements.boundary(dialect, Some(&after), &upto, 1)),
    ];
    if let Some(lock) = lock_step(statements, pace, dialect, Some(&after), &upto) {
        whole.push(("the lock step of a batch", lock));
    }
    if statements.verifies() {
        whole.push((
            "the verification",
            statements.verify(dialect, Some(&after), &upto, true, true),
        ));
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
    if error.is_lost() {
        return Err(error.into());
    }
    let fix =
        if error.is_denial() { "let a DBA grant what `backstop plan --grants` prints" } else { "" };
    refusals.push(Refusal::new(what, error.to_string(), fix));
    Ok(())
}
