//! `ALGORITHM =` and `LOCK =`: what the server does when it is told how, and when it refuses.

use super::super::Algorithm;
use super::combine::{Changes, Decision, copies_online, decide};
use super::shape::Shape;
use super::version::Flavor;
use crate::sql::statement::{Algorithm as Told, LockClause, Online};

/// How the server goes about it when it is told how, and whether it then locks exclusively; or why
/// it refuses.
pub(super) fn follow(
    online: Online,
    natural: Decision,
    changes: &Changes,
    shape: &Shape,
    flavor: Flavor,
) -> Result<(Decision, bool), String> {
    let decision = algorithm(online, natural, changes, shape, flavor)?;
    let exclusive = lock(online, decision, flavor)?;
    let mut decision = decision;
    if online.lock == Some(LockClause::Shared) && decision.algorithm != Algorithm::Instant {
        decision.blocks_writes = true;
    }
    Ok((decision, exclusive))
}

fn algorithm(
    online: Online,
    natural: Decision,
    changes: &Changes,
    shape: &Shape,
    flavor: Flavor,
) -> Result<Decision, String> {
    let needs = |word: &str| {
        let (algorithm, lock) = (natural.algorithm, natural.blocks_writes);
        let writes = if lock { ", while writes wait" } else { "" };
        let does = match algorithm {
            Algorithm::Instant => "`INSTANT`",
            Algorithm::NoCopy => "`NOCOPY`",
            Algorithm::InPlace => "`INPLACE`",
            Algorithm::Rebuild => "`INPLACE` with a rebuild",
            Algorithm::Copy => "`COPY`",
        };
        Err(format!("`ALGORITHM={word}` is refused: it takes {does}{writes}"))
    };
    match online.algorithm {
        None | Some(Told::Default) => Ok(natural),
        Some(Told::Instant) if !flavor.instant() => {
            Err("this version does not know `ALGORITHM=INSTANT`".to_owned())
        }
        Some(Told::Instant) if natural.algorithm == Algorithm::Instant => Ok(natural),
        Some(Told::Instant) => needs("INSTANT"),
        Some(Told::NoCopy) if !(flavor.mariadb && flavor.instant()) => {
            Err("this server does not know `ALGORITHM=NOCOPY`".to_owned())
        }
        Some(Told::NoCopy) if natural.algorithm <= Algorithm::NoCopy => Ok(natural),
        Some(Told::NoCopy) => needs("NOCOPY"),
        Some(Told::InPlace) if natural.algorithm == Algorithm::Copy => needs("INPLACE"),
        // To MariaDB it means that, or better; to MySQL exactly that.
        Some(Told::InPlace) if flavor.mariadb => Ok(natural),
        Some(Told::InPlace) => {
            let mut slower = decide(changes, shape, flavor, false);
            slower.algorithm = slower.algorithm.max(Algorithm::InPlace);
            if slower.algorithm == Algorithm::Copy {
                return Err(
                    "`ALGORITHM=INPLACE` is refused: it takes `INSTANT` or `COPY`".to_owned()
                );
            }
            Ok(slower)
        }
        Some(Told::Copy) => Ok(Decision {
            algorithm: Algorithm::Copy,
            blocks_writes: !copies_online(changes, flavor),
        }),
    }
}

/// Whether it locks exclusively.
fn lock(online: Online, decision: Decision, flavor: Flavor) -> Result<bool, String> {
    let told = online.lock.filter(|lock| *lock != LockClause::Default);
    if told.is_some() && !flavor.mariadb && online.algorithm == Some(Told::Instant) {
        return Err("`ALGORITHM=INSTANT` takes no `LOCK` but `DEFAULT`".to_owned());
    }
    if told == Some(LockClause::None) && decision.blocks_writes {
        return Err("`LOCK=NONE` is refused: writes must wait while it works".to_owned());
    }
    Ok(told == Some(LockClause::Exclusive))
}
