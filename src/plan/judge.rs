//! Asks the server what [`convergence`] needs to know, and says what follows.

use super::convergence::{self, Convergence, Doubtful, Read};
use super::sql::{Assignment, Statements};
use super::{Error, Refusal};
use crate::catalog::Table;
use crate::spec::JobSpec;
use crate::sql::{Reading, Use, read};
use crate::target::{Session, Target, Volatility};

/// What is known of the job's reading.
pub(super) struct Judged {
    /// Whether it is convergent.
    pub convergence: Convergence,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Whether each expression comes to the same when it is evaluated a second time before its row is
    /// written.
    pub steady: bool,
}

/// Reads the job, and refuses what cannot be right.
///
/// # Errors
///
/// The server could not be asked.
pub(super) async fn judge(
    spec: &JobSpec,
    table: &Table,
    statements: &Statements,
    target: &dyn Target,
    session: &mut dyn Session,
    refusals: &mut Vec<Refusal>,
) -> Result<Judged, Error> {
    if spec.restores.is_some() {
        let why = "a row that was put back no longer holds what the job wrote";
        let convergence = Convergence::Convergent(why.to_owned());
        return Ok(Judged { convergence, notes: Vec::new(), steady: true });
    }
    let mut asked = Asker { table, target, session };
    let mut notes = Vec::new();
    let filter = statements.filter.as_deref();
    if let Some(filter) = filter {
        asked.predicate(spec, filter, &mut notes, refusals).await?;
    }
    let mut set = Vec::with_capacity(statements.set.len());
    for assignment in &statements.set {
        set.push(asked.assignment(assignment).await?);
    }
    let steady = set
        .iter()
        .all(|one| one.reading.is_ok() && one.volatile.is_empty() && one.subquery.is_none());
    let mut convergence = convergence::decide(table, target.dialect(), &set, filter);
    if let (Convergence::Convergent(_), Some(Unknown(reason))) =
        (&convergence, unread_predicate(target, filter))
    {
        let unproven = |one: &Read<'_>| Doubtful {
            column: one.assignment.column.name.clone(),
            nullable: false,
            reasons: vec![format!("which rows `where` takes is not known: {reason}")],
        };
        convergence = Convergence::Dependent(set.iter().map(unproven).collect());
    }
    if let Convergence::Dependent(doubtful) = &convergence {
        if spec.update.exactly_once {
            notes.push(format!(
                "the result depends on how often a row is written ({}): the fence writes each row \
                 once, and `run --again` would write it once more",
                convergence.doubts().join("; ")
            ));
        } else {
            refusals.extend(doubtful.iter().map(|one| refuse(one, filter)));
        }
    }
    Ok(Judged { convergence, notes, steady })
}

struct Unknown(String);

fn unread_predicate(target: &dyn Target, filter: Option<&str>) -> Option<Unknown> {
    read(target.dialect().tokens(), filter?).err().map(|unread| Unknown(unread.0))
}

fn refuse(doubtful: &Doubtful, filter: Option<&str>) -> Refusal {
    let Doubtful { column, nullable, reasons } = doubtful;
    let converge = if *nullable {
        let condition = match filter {
            Some(filter) => format!("({}) AND {column} IS NULL", filter.trim()),
            None => format!("{column} IS NULL"),
        };
        format!(
            "leave out the rows that were written, for example with `where = \"{condition}\"`, or"
        )
    } else {
        "either".to_owned()
    };
    Refusal::new(
        format!("what `{column}` becomes may depend on how often a row is written"),
        format!(
            "{}, and a job that is not declared as `exactly_once` must give the same result however \
             often it runs",
            reasons.join("; ")
        ),
        format!(
            "{converge} assign something that reads only other columns and calls nothing volatile; \
             if each row shall be written exactly once, say `exactly_once = true` in [update], \
             which needs the fence"
        ),
    )
}

/// Asks about one table.
struct Asker<'a> {
    table: &'a Table,
    target: &'a dyn Target,
    session: &'a mut dyn Session,
}

impl Asker<'_> {
    async fn assignment<'s>(&mut self, assignment: &'s Assignment) -> Result<Read<'s>, Error> {
        let dialect = self.target.dialect();
        let reading = read(dialect.tokens(), &assignment.expression);
        let mut volatile = Vec::new();
        let mut subquery = None;
        if let Ok(reading) = &reading {
            let storage = dialect.storage(&assignment.column);
            let text = convergence::is_mere_text(dialect.tokens(), assignment, &storage);
            let uses = reading.uses.iter().filter(|one| !(text && matches!(one, Use::Text(_))));
            volatile = self.volatile(uses.cloned().collect()).await?;
            volatile.extend(of_session(reading));
            subquery = self.target.may_read(self.session, self.table, &reading.tables).await?;
        }
        Ok(Read { assignment, reading, volatile, subquery })
    }

    async fn volatile(&mut self, uses: Vec<Use>) -> Result<Vec<String>, Error> {
        let mut different: Vec<Use> = Vec::new();
        for one in uses {
            if !different.contains(&one) {
                different.push(one);
            }
        }
        let answers = self.target.volatility(self.session, &different).await?;
        Ok(answers
            .into_iter()
            .filter_map(|answer| match answer {
                Volatility::Pure => None,
                Volatility::Volatile(reason) => Some(reason),
            })
            .collect())
    }

    /// A predicate that changes its mind by itself covers other rows in the next batch, in the
    /// verification and in the next run: no fence helps there.
    async fn predicate(
        &mut self,
        spec: &JobSpec,
        filter: &str,
        notes: &mut Vec<String>,
        refusals: &mut Vec<Refusal>,
    ) -> Result<(), Error> {
        let reading = match read(self.target.dialect().tokens(), filter) {
            Ok(reading) => reading,
            Err(unread) => {
                if spec.update.exactly_once {
                    notes.push(format!(
                        "whether `where` depends on the clock or on chance is not known: {}",
                        unread.0
                    ));
                }
                return Ok(());
            }
        };
        let mut reasons = self.volatile(reading.uses.clone()).await?;
        reasons.extend(of_session(&reading));
        if !reasons.is_empty() {
            refusals.push(Refusal::new(
                format!("`update.where` is volatile: {}", reasons.join("; ")),
                "which rows the job covers would change while it runs, and what it has left out \
                 could not be told from what it has not reached",
                "write the value out as a literal, for example `created_at < '2026-01-31 00:00:00'` \
                 instead of `created_at < now()`",
            ));
        }
        Ok(())
    }
}

/// What depends on the session or on chance by its form.
fn of_session(reading: &Reading) -> Vec<String> {
    let variables =
        reading.variables.iter().map(|name| format!("`{name}` is a variable of the session"));
    let undetermined = reading.undetermined.iter().map(|reason| format!("in a subquery {reason}"));
    variables.chain(undetermined).collect()
}
