//! Whether two sessions are direct: each with a server process of its own, from its first statement
//! to its last, on the same server.
//!
//! A pooler in transaction mode lends a server process to whichever client speaks. Settings then
//! reach strangers, and an advisory lock outlives the runner that took it.

use crate::target::{Bind, Class, Error, Result, Session, Statement};

/// What the proof does on which session. The order makes every way of lending show itself: a pooler
/// that hands out the process used last gives the one session's process to the other when that
/// begins; one that takes turns changes the process between two statements of the same session.
const STEPS: [(Who, Step); 9] = [
    (Who::One, Step::Look),
    (Who::One, Step::Look),
    (Who::Other, Step::Look),
    (Who::Other, Step::Begin),
    (Who::Other, Step::Look),
    (Who::One, Step::Look),
    (Who::Other, Step::RollBack),
    (Who::One, Step::Look),
    (Who::Other, Step::Look),
];

#[derive(Clone, Copy)]
enum Who {
    One,
    Other,
}

#[derive(Clone, Copy)]
enum Step {
    /// Its process must be the one that it was opened with.
    Look,
    Begin,
    RollBack,
}

/// Fails where either session shares its server process. Leaves nothing behind, also there.
///
/// # Errors
///
/// [`Class::Unsuitable`] for a pooler, else what the server says.
pub(super) async fn prove_processes(one: &mut dyn Session, other: &mut dyn Session) -> Result<()> {
    let proof = walk(one, other).await;
    if proof.is_err() {
        // The first error says what is wrong; a second one would only hide it.
        let _ = other.rollback().await;
    }
    proof
}

async fn walk(one: &mut dyn Session, other: &mut dyn Session) -> Result<()> {
    if one.id() == other.id() {
        return Err(pooled("two sessions were given the same server process"));
    }
    for (who, step) in STEPS {
        let session: &mut dyn Session = match who {
            Who::One => &mut *one,
            Who::Other => &mut *other,
        };
        match step {
            Step::Begin => session.begin().await?,
            Step::RollBack => session.rollback().await?,
            Step::Look => {
                if process(session).await? != session.id() {
                    return Err(pooled("the server process changed between two statements"));
                }
            }
        }
    }
    Ok(())
}

/// Fails where a setting of one session is gone again, or reaches the other, or where the two are
/// not on one server. `identity` is the statement that identifies the server.
///
/// # Errors
///
/// [`Class::Unsuitable`] for a pooler or two servers, else what the server says.
pub(super) async fn prove_state(
    one: &mut dyn Session,
    other: &mut dyn Session,
    identity: &'static str,
) -> Result<()> {
    let mark = format!("{}/{}", one.id(), std::process::id());
    set_mark(one, &mark).await?;
    let seen = (read_mark(one).await?, read_mark(other).await?);
    set_mark(one, "").await?;
    if seen.0.as_deref() != Some(&mark) {
        return Err(pooled("a setting of the session was gone in its next statement"));
    }
    if seen.1.as_deref() == Some(&mark) {
        return Err(pooled("a setting of one session reached another"));
    }
    let servers = (text(one, identity).await?, text(other, identity).await?);
    if servers.0 != servers.1 {
        return Err(Error::new(
            Class::Unsuitable,
            "two sessions of the target's URL reached two different servers, so that a stop sent \
             through the one would not reach the other; give a URL that leads to one server only",
        ));
    }
    Ok(())
}

fn pooled(seen: &str) -> Error {
    Error::new(
        Class::Unsuitable,
        format!(
            "{seen}: a pooler in transaction or statement mode stands in between; the lock of the \
             job and the settings of its sessions would leak to other clients; connect to the \
             server's own port (5432 by default), or to a pool in session mode"
        ),
    )
}

async fn process(session: &mut dyn Session) -> Result<String> {
    Ok(text(session, "SELECT pg_backend_pid()::text").await?.unwrap_or_default())
}

async fn set_mark(session: &mut dyn Session, mark: &str) -> Result<()> {
    let statement = Statement {
        sql: "SELECT set_config('backstop.proof', $1, false)".to_owned(),
        binds: vec![Bind::Text(Some(mark.to_owned()))],
    };
    session.query(&statement).await.map(drop)
}

async fn read_mark(session: &mut dyn Session) -> Result<Option<String>> {
    text(session, "SELECT current_setting('backstop.proof', true)").await
}

/// The first value of a statement's result.
pub(super) async fn text(session: &mut dyn Session, sql: &'static str) -> Result<Option<String>> {
    let rows = session.query(&Statement::plain(sql)).await?;
    Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten())
}
