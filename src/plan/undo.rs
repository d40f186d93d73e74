//! Where a job's images are kept, and whether they can be.

use std::time::Duration;

use super::images::{Images, table_name};
use super::sql::Statements;
use super::{Error, Refusal};
use crate::catalog::{Key as Index, Lookup, Table, TableName};
use crate::spec::JobSpec;
use crate::target::fence::{ColumnTypes, Home, Place};
use crate::target::{Dialect, Session, Statement, Target};

/// What a row and its entry in the primary key take besides the values, about, in bytes.
const OVERHEAD: u64 = 60;

/// How a job keeps what it overwrites.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own of server and spec")]
pub struct Undo {
    /// The table.
    pub place: Place,
    /// Its statements.
    pub images: Images,
    /// Whether it has its key, or will be made with it: where the rows that a batch has written are
    /// looked up among the images. Elsewhere the key is added by who puts old values back or removes
    /// them, and a row that was written twice is merged then.
    pub keyed: bool,
    /// How long an image is kept.
    pub keep: Duration,
    /// Whether write and images are one statement.
    pub returning: bool,
    /// Whether the new values are read from the rows once they are written.
    pub settles: bool,
    /// Whether a trigger may keep a row from being written.
    pub triggers: bool,
    /// What an image takes on disk, about, in bytes.
    pub bytes_per_row: u64,
}

impl Undo {
    /// Makes the table ready for images.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn make_ready(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
    ) -> crate::target::Result<()> {
        if self.settles { add_key(dialect, session, &self.images).await } else { Ok(()) }
    }

    /// The DDL by which a run makes the table.
    #[must_use]
    pub fn ddl(&self, dialect: &dyn Dialect) -> String {
        let ddl = &self.place.ddl;
        if self.keyed { ddl.clone() } else { self.images.without_key(dialect, ddl) }
    }

    /// The statements of a batch that writes and keeps, in their order, each with its name: what is
    /// shown and what the server is asked to judge.
    #[must_use]
    pub fn statements(
        &self,
        dialect: &dyn Dialect,
        job: &Statements,
    ) -> Vec<(&'static str, String)> {
        let (after, upto) = job.example();
        let (images, after, upto) = (&self.images, Some(&after), &upto);
        let mut list = if self.returning {
            vec![("write", images.write(dialect, job, 1, false, after, upto))]
        } else {
            vec![
                ("keep", images.keep(dialect, job, 1, false, after, upto)),
                ("write", job.write(dialect, after, upto)),
            ]
        };
        if self.settles {
            list.push(("keep new", images.settle(dialect, 1, after, upto)));
        }
        list.into_iter().map(|(name, statement)| (name, statement.sql)).collect()
    }
}

/// The table of a job's images, beside the fence.
pub(super) struct Found {
    pub place: Place,
    pub images: Images,
    /// Why it cannot be used, if it cannot.
    obstacle: Option<String>,
    /// Whether a column of it has another type than the column that it is for.
    converts: bool,
}

/// Looks for the table of the images of the job `job`, or for its place.
///
/// # Errors
///
/// The server could not be asked.
pub(super) async fn look(
    job: &str,
    table: &Table,
    index: &Index,
    statements: &Statements,
    target: &dyn Target,
    session: &mut dyn Session,
    schema: Option<&str>,
) -> Result<Found, Error> {
    let dialect = target.dialect();
    let images = Images::new(dialect, statements, &table.name, "");
    let declared = target.declarations(session, table, index, &images.sources()).await?;
    let sources = images.sources();
    let converts =
        sources.iter().zip(&declared).any(|(column, of)| !of.starts_with(&column.type_sql));
    let ddl = |name: &str, types: &ColumnTypes| images.ddl(dialect, name, types, &declared);
    let (place, obstacle) = target.annex(session, schema, &table_name(job), &ddl).await?;
    let mut obstacle = obstacle.map(|obstacle| obstacle.reason().to_owned());
    if place.exists && obstacle.is_none() {
        let wanted = images.columns(&declared);
        obstacle = other_columns(&place, &wanted, target, session).await?;
    }
    let images = Images::new(dialect, statements, &table.name, &place.table);
    Ok(Found { place, images, obstacle, converts })
}

/// Why an existing table does not fit the job's columns, if it does not.
async fn other_columns(
    place: &Place,
    wanted: &[(String, String)],
    target: &dyn Target,
    session: &mut dyn Session,
) -> Result<Option<String>, Error> {
    let Ok(name) = TableName::parse(&place.table) else { return Ok(None) };
    let Lookup::Found(found) = target.look_up(session, &name).await? else { return Ok(None) };
    let of_us = ["undo_generation", "undo_at"];
    let present: Vec<_> = found
        .columns
        .iter()
        .filter(|column| !of_us.contains(&column.name.as_str()))
        .map(|column| (column.name.as_str(), column.type_sql.as_str()))
        .collect();
    let fits = |(name, declared): &(String, String)| {
        present.iter().any(|(other, of)| {
            let rest = declared.strip_prefix(of);
            name == other && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
    };
    if present.len() == wanted.len() && wanted.iter().all(fits) {
        return Ok(None);
    }
    Ok(Some(format!(
        "{} was made for other columns, or for other types of them, and keeps the old values of \
         earlier runs; undo those with the spec that they were run with, or drop it when nobody \
         needs them any more",
        place.table
    )))
}

/// What the job is, and what decides how its images are kept.
pub(super) struct Job<'a> {
    pub spec: &'a JobSpec,
    pub table: &'a Table,
    pub index: &'a Index,
    pub statements: &'a Statements,
    /// See [`super::judge::Judged::steady`].
    pub steady: bool,
    /// The name of the team's schema for our tables.
    pub schema: Option<&'a str>,
}

/// How the job keeps what it overwrites; `None` where it does not.
///
/// # Errors
///
/// The server could not be asked.
pub(super) async fn find(
    job: &Job<'_>,
    target: &dyn Target,
    session: &mut dyn Session,
    refusals: &mut Vec<Refusal>,
) -> Result<Option<Undo>, Error> {
    let Job { spec, table, index, statements, steady, schema } = *job;
    let Some(undo) = &spec.undo else { return Ok(None) };
    let name = &spec.job.name;
    let found = look(name, table, index, statements, target, session, schema).await?;
    let Found { place, images, obstacle, converts } = found;
    if let Some(column) = table.columns.iter().find(|column| images.takes(&column.name)) {
        refusals.push(Refusal::new(
            format!("`{table}` has a column `{}`", column.name),
            "the table of old values has one of that name, and an expression could mean the one or the \
             other",
            "take [undo] out, or rename the column",
        ));
        return Ok(None);
    }
    if let Some(reason) = obstacle {
        let ddl = if place.exists { String::new() } else { format!("\n{};", place.ddl) };
        let fix = if place.exists {
            "or take [undo] out: the job then runs, and cannot be undone".to_owned()
        } else {
            format!("let a DBA run this once, or take [undo] out:{ddl}")
        };
        refusals.push(Refusal::new(
            format!("the old values cannot be kept in {}", place.table),
            reason,
            fix,
        ));
        return Ok(None);
    }
    let dialect = target.dialect();
    let width = session.query(&images.width(dialect)).await?;
    let sample: Vec<u64> = width
        .into_iter()
        .flatten()
        .map(|cell| cell.and_then(|text| text.parse().ok()).unwrap_or_default())
        .collect();
    let width = match sample.as_slice() {
        [bytes, rows] => bytes.checked_div(*rows).unwrap_or(0),
        _ => 0,
    };
    let triggers = !table.triggers.is_empty();
    let mut returning = target.returns_old();
    if returning && triggers {
        returning = session.prepare(&images.probe(dialect, statements)).await.is_ok();
    }
    let settles = triggers || !(returning || (steady && !converts));
    let keyed = match images.late_key(dialect) {
        Some(late) if place.exists => !session.query(&Statement::plain(late.has)).await?.is_empty(),
        Some(_) => settles,
        None => true,
    };
    let undo = Undo {
        place,
        images,
        keyed,
        keep: undo.keep.0,
        returning,
        settles,
        triggers,
        bytes_per_row: width + OVERHEAD,
    };
    if undo.place.exists {
        for (name, sql) in undo.statements(dialect, statements) {
            if let Err(error) = session.prepare(&sql).await {
                let what = format!("the server refuses the step `{name}` of a batch, `{sql}`");
                super::refuse_unless_lost(error, &what, refusals)?;
            }
        }
    }
    Ok(Some(undo))
}

/// Adds the key of a table of images, which exists, if it has none yet; and merges the images of rows
/// that were written twice until then.
///
/// # Errors
///
/// What the server says: only the table's owner may.
pub async fn add_key(
    dialect: &dyn Dialect,
    session: &mut dyn Session,
    images: &Images,
) -> crate::target::Result<()> {
    let Some(late) = images.late_key(dialect) else { return Ok(()) };
    let has = Statement::plain(late.has.clone());
    if !session.query(&has).await?.is_empty() {
        return Ok(());
    }
    let merging = std::iter::once(late.first.to_owned()).chain(late.merge);
    let merging: Vec<_> = merging.chain([late.add.clone()]).collect();
    let done = match transact(session, &[late.first.to_owned(), late.add]).await {
        Err(error) if error.is_duplicate() => transact(session, &merging).await,
        done => done,
    };
    match done {
        // Another one may have added it at the same moment, and that is as good.
        Err(error) if session.query(&has).await.is_ok_and(|found| found.is_empty()) => Err(error),
        Err(error) if error.is_lost() => Err(error),
        _ => Ok(()),
    }
}

/// Runs the statements in one transaction.
async fn transact(session: &mut dyn Session, statements: &[String]) -> crate::target::Result<()> {
    session.begin().await?;
    for sql in statements {
        if let Err(error) = session.execute(&Statement::plain(sql.clone())).await {
            // The first error is the one that matters.
            let _ = session.rollback().await;
            return Err(error);
        }
    }
    session.commit().await
}

/// What a job has written, where it can be put back.
#[derive(Debug)]
pub struct Restoring {
    /// The statements of its images.
    pub images: Images,
    /// Whether their table exists.
    pub exists: bool,
    /// The qualified and quoted name of the fence.
    pub fence: Option<Home>,
    /// The job's table.
    pub table: Table,
    /// The names of the key's columns.
    pub key: Vec<String>,
}

/// Where the images of a job are kept, or would be.
///
/// # Errors
///
/// The table or its key is not there; or the database could not be asked.
pub async fn images_of(
    spec: &JobSpec,
    target: &dyn Target,
    session: &mut dyn Session,
    schema: Option<&str>,
) -> Result<Place, Error> {
    let (found, ..) = locate(spec, target, session, schema).await?;
    Ok(found.place)
}

/// Finds a job's table, its key and its images. Its expressions and its condition are not looked at:
/// they may be what was wrong.
///
/// # Errors
///
/// The table or its key is not there any more; or the database could not be asked.
pub async fn restoring(
    spec: &JobSpec,
    target: &dyn Target,
    session: &mut dyn Session,
    schema: Option<&str>,
) -> Result<Restoring, Error> {
    let (found, table, key) = locate(spec, target, session, schema).await?;
    let home = target.fence_home(session, schema).await?;
    if let (true, Some(reason)) = (found.place.exists, found.obstacle) {
        return Err(Error::Refused(vec![Refusal::new(
            format!("the old values in {} cannot be used", found.place.table),
            reason,
            "",
        )]));
    }
    let fence = home.fence.exists.then_some(home);
    Ok(Restoring { images: found.images, exists: found.place.exists, fence, table, key })
}

/// The images of a job, its table, and the names of its key's columns.
async fn locate(
    spec: &JobSpec,
    target: &dyn Target,
    session: &mut dyn Session,
    schema: Option<&str>,
) -> Result<(Found, Table, Vec<String>), Error> {
    let dialect = target.dialect();
    let server = target.server(session).await?;
    let table = super::table::find(spec, target, session, &server).await?;
    let mut refusals = Vec::new();
    let set = super::resolve_assignments(spec, &table, dialect, &mut refusals);
    let (index, _) = super::key::choose(&table, spec.batch.key.as_deref())
        .map_err(|refusal| Error::Refused(vec![refusal]))?;
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    let key = index.names();
    let columns = key.iter().filter_map(|name| table.column(name)).cloned().collect();
    let statements = Statements::new(dialect, &table, &index, columns, set);
    let job = &spec.job.name;
    let found = look(job, &table, &index, &statements, target, session, schema).await?;
    Ok((found, table, key))
}
