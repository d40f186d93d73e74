//! Whether batches may be committed without waiting for the disk.

use super::Refusal;
use crate::spec::{Durability, JobSpec};
use crate::target::{Target, fence};

/// Refuses `durability = "async"` where a crash would leave more said than done.
pub(super) fn refuse_async(
    spec: &JobSpec,
    target: &dyn Target,
    fence: Option<&fence::Home>,
    refusals: &mut Vec<Refusal>,
) {
    const WHAT: &str = "`durability = \"async\"` in [batch] cannot be had here";
    if spec.batch.durability == Durability::Sync {
        return;
    }
    if let Err(reason) = target.unflushed_commits() {
        refusals.push(Refusal::new(WHAT, reason, "take `durability` out of [batch]"));
    } else if fence.is_none() {
        refusals.push(Refusal::new(
            WHAT,
            "the job runs without the fence, and the journal would go on saying that rows are \
             written which the server has lost in a crash",
            "take `durability` out of [batch], or let the job have the fence",
        ));
    }
}
