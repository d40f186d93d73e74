//! The sample that is written twice and rolled back.

use super::Error;
use crate::plan::{self, Plan, Proof, Refusal};
use crate::target::Target;

/// Writes the sample on a session of its own, as a worker would.
///
/// # Errors
///
/// The target cannot be reached any more.
pub async fn prove(plan: &Plan, target: &dyn Target) -> Result<Proof, Error> {
    let mut session = target.open("proof").await.map_err(Error::Connect)?;
    let proof = plan::prove(plan, target, session.as_mut()).await;
    session.close().await;
    proof.map_err(Error::Connect)
}

/// Refuses a job whose convergence the sample refutes.
pub(super) async fn refuse_refuted(plan: &Plan, target: &dyn Target) -> Result<(), Error> {
    let proof = prove(plan, target).await?;
    if !matches!(proof, Proof::Refuted { .. }) {
        return Ok(());
    }
    let refusal = Refusal::new(
        format!("that the job is convergent is {}", proof.text()),
        "without the fence a row may be written twice, and would get another value; a function may \
         be declared as what it is not",
        "say `exactly_once = true` in [update], which needs the fence, or find what changes",
    );
    Err(Error::Plan(plan::Error::Refused(vec![refusal])))
}
