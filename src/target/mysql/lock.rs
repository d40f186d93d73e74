//! The lock by which runners of one job exclude each other: `GET_LOCK`. It ends with its session.
//!
//! It holds on one server. Nodes of a Galera cluster or of Group Replication do not share such
//! locks; there the fence's epoch alone excludes.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::flavor::Flavor;
use crate::target::{Bind, Class, Error, JobLock, LockAttempt, Result, Session, Statement};

/// `GET_LOCK` takes 64 characters.
const LONGEST: usize = 64;

/// The name of the lock of a job on a database. MySQL compares such names without case and
/// MariaDB with it, so a name that is not all lower-case is hashed, as is one that is too long.
pub(super) fn name(database: &str, job: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let name = format!("backstop:{database}:{job}");
    if name.len() <= LONGEST && database.chars().chain(job.chars()).all(plain) {
        return name;
    }
    // A NUL stands in neither name, so two pairs never make one text.
    let digest = Sha256::digest(format!("{database}\0{job}"));
    digest.iter().take(20).fold("backstop:".to_owned(), |mut name, byte| {
        // Writing to a String cannot fail.
        let _ = write!(name, "{byte:02x}");
        name
    })
}

/// Takes the lock of that name, without waiting.
pub(super) async fn take(
    session: &mut dyn Session,
    flavor: &Flavor,
    name: &str,
) -> Result<LockAttempt> {
    // Twice at most: the holder may end between our attempt and our question.
    for _ in 0..2 {
        match one(session, "SELECT GET_LOCK(?, 0)", name).await?.as_deref() {
            Some("1") => return Ok(LockAttempt::Held(JobLock::default())),
            Some(_) => {}
            None => {
                return Err(Error::new(
                    Class::Unsuitable,
                    format!(
                        "the server cannot tell whether the lock `{name}` is free; without it two \
                         runners could work on this job; look at the server's error log"
                    ),
                ));
            }
        }
        if let Some(id) = one(session, "SELECT IS_USED_LOCK(?)", name).await? {
            return holder(session, flavor, &id).await.map(LockAttempt::HeldBy);
        }
    }
    Ok(LockAttempt::HeldBy("a session that ended just now".to_owned()))
}

/// The session that holds the lock of that name, if somebody does.
pub(super) async fn holder_id(session: &mut dyn Session, name: &str) -> Result<Option<String>> {
    one(session, "SELECT IS_USED_LOCK(?)", name).await
}

/// The name of the lock that a session of ours takes to be told from a later one of its number: the
/// numbers begin anew when the server is restarted.
pub(super) fn session_name(database: &str, job: &str, id: &str) -> String {
    let digest = Sha256::digest(format!("{database}\0{job}"));
    let hash = digest.iter().take(12).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("backstop:session:{hash}:{id}")
}

/// Shows whose session this is, for as long as it lives.
pub(super) async fn mark(session: &mut dyn Session, database: &str, job: &str) -> Result<()> {
    let name = session_name(database, job, session.id());
    one(session, "SELECT GET_LOCK(?, 0)", &name).await.map(drop)
}

/// How often it is looked whether a session is gone.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// See [`crate::target::Target::terminate`].
pub(super) async fn terminate(
    session: &mut dyn Session,
    database: &str,
    job: &str,
    id: &str,
    patience: Duration,
) -> Result<bool> {
    let name = session_name(database, job, id);
    let lives = |holder: Option<String>| holder.as_deref() == Some(id);
    if !lives(holder_id(session, &name).await?) {
        return Ok(true);
    }
    let number: u64 = id.parse().unwrap_or_default();
    session.query(&Statement::plain(format!("KILL CONNECTION {number}"))).await?;
    let begun = Instant::now();
    while lives(holder_id(session, &name).await?) {
        if patience <= begun.elapsed() {
            return Ok(false);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(true)
}

async fn one(session: &mut dyn Session, sql: &str, name: &str) -> Result<Option<String>> {
    let binds = vec![Bind::Text(Some(name.to_owned()))];
    let rows = session.query(&Statement { sql: sql.to_owned(), binds }).await?;
    Ok(rows.into_iter().flatten().next().flatten())
}

/// What the server tells of a session: without the PROCESS privilege, only of those of our account.
async fn holder(session: &mut dyn Session, flavor: &Flavor, id: &str) -> Result<String> {
    // MySQL announced the removal of the older view.
    let list = if flavor.is_mysql_since((8, 0, 22)) {
        "performance_schema.processlist"
    } else {
        "information_schema.processlist"
    };
    let sql = format!(
        "SELECT CONCAT(USER, ' from ', HOST, ', ', IF(COMMAND = 'Sleep', 'idle', 'busy'), \
         ' for ', TIME, ' s') FROM {list} WHERE ID = CAST(? AS UNSIGNED)"
    );
    // Who it is helps a person; that we cannot see it must not hide that the lock is held.
    let detail = one(session, &sql, id).await.ok().flatten();
    Ok(match detail {
        Some(detail) => format!("session {id}: {detail}"),
        None => format!("session {id}, of which our account may not see more"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_readable_where_they_can_be_and_unique_always() {
        assert_eq!(name("shop", "orders-total"), "backstop:shop:orders-total");
        let hashed =
            [name("Shop", "a"), name("shop", &"a".repeat(63)), name("s:a", "b"), name("s", "a:b")];
        for name in &hashed {
            assert_eq!(name.len(), 49, "{name}");
        }
        let distinct: std::collections::BTreeSet<_> = hashed.iter().collect();
        assert_eq!(distinct.len(), hashed.len());
    }
}
