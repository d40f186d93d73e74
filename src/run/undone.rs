//! Whether what a job has written was undone since.

use super::Error;
use crate::plan::{Plan, images};
use crate::target::fence::{Fence, Generation};
use crate::target::{Dialect, Session};

/// The job's newest generation, if its undo was begun: the fence knows the job that undoes it. From
/// then on nothing goes on with the generation, for what lies before its cursor is not written any
/// more.
pub(super) async fn is_undone(
    plan: &Plan,
    dialect: &dyn Dialect,
    session: &mut dyn Session,
    found: Option<&Generation>,
) -> Result<Option<u32>, Error> {
    let (Some(home), Some(found)) = (&plan.fence, found) else { return Ok(None) };
    if !home.fence.exists || plan.spec.restores.is_some() {
        return Ok(None);
    }
    let undo = Fence::of(home, &images::job_name(&plan.spec.job.name, found.number));
    Ok(undo.load(dialect, session).await?.map(|_| found.number))
}
