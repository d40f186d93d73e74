//! Whether the server made the change: by its catalog, step by step.

use crate::handoff::verdict::Verdict;
use crate::handoff::{Does, Plan};
use crate::target::{Result, Session, Standing, Target};

/// What the catalog says of a plan that the server makes itself. A change that needs several statements may be
/// half done when it ends: that is told as what it is, and the next run goes on with the rest.
///
/// # Errors
///
/// The server could not be asked.
pub async fn judge(plan: &Plan, target: &dyn Target, session: &mut dyn Session) -> Result<Verdict> {
    let (mut there, mut absent, mut untold) = (0_u32, 0_u32, 0_u32);
    for step in &plan.steps {
        let Does::Change { leaves, spared_by } = &step.does else { continue };
        // What a later step takes away again says nothing at the end.
        if !spared_by.is_empty() {
            continue;
        }
        if leaves.is_empty() {
            untold += 1;
        }
        for effect in leaves {
            match target.standing(session, effect).await? {
                Standing::There => there += 1,
                _ => absent += 1,
            }
        }
    }
    Ok(match (there, absent, untold) {
        (_, 0, 0) => Verdict::Done,
        (0, _, 0) => Verdict::NotDone,
        (_, 0, untold) => Verdict::Unknown(format!(
            "of {untold} statements the catalog does not tell whether they were run"
        )),
        (there, absent, _) => Verdict::Unknown(format!(
            "it is half done: {there} of {} effects are there; each step harms nobody by itself, and the \
             next run goes on with the rest",
            there + absent
        )),
    })
}
