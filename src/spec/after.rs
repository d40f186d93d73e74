//! The fields of `[after]`. The doc comments here are the reference.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is done for the table when every row is written: a backfill leaves statistics that are no
/// longer true, and on PostgreSQL a dead row for each that it changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct After {
    /// Have the planner's statistics of the table taken anew (`ANALYZE`). By default they are left to
    /// the server.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub analyze: bool,
    /// Have the space of dead rows made free (`VACUUM`, without giving it back to the disk), on
    /// PostgreSQL. By default that is left to autovacuum.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub vacuum: bool,
}

impl After {
    /// Whether it asks for nothing. It is then no part of the canonical form.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    pub(super) const fn is_empty(&self) -> bool {
        !self.analyze && !self.vacuum
    }
}
