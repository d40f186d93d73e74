//! What a statement does on PostgreSQL.

use super::{Effects, Verdict};
use crate::gate::Surroundings;
use crate::sql::statement::Statement;

/// What the statement does.
pub(super) fn effects(_statement: &Statement, _around: &Surroundings) -> Effects {
    Effects { verdict: Verdict::NotEvaluated("no table".to_owned()), ..Effects::default() }
}
