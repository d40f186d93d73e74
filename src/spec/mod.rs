//! What the user said, and no more: the text of a job spec as a [`JobSpec`],
//! that of `backstop.toml` as a [`Config`].
//!
//! This room is pure. It knows the fields, their units and their limits; whether the table exists
//! is the plan's business.

mod after;
mod assignments;
mod config;
mod document;
mod duration;
mod error;
mod fields;
mod job;
mod limits;
mod reference;
mod restraint;
mod share;
mod size;
mod throttle;
mod url;

pub use after::After;
pub use assignments::Assignments;
pub use config::{
    Config, Confirm, TeamControl, TeamFence, TeamGate, TeamHandoff, TeamThrottle, Weight,
    parse_config,
};
pub use document::parse;
pub use duration::Duration;
pub use error::SpecError;
pub use job::{
    Batch, Control, Durability, Job, JobSpec, KEEP, MAX_LOG, MAX_ROWS, Restores, TARGET_TIMES,
    Target, Undo, Update, Verify, WORKERS, Walk,
};
pub use limits::{Day, Limits, Quarantine, Window};
pub use reference::{config_reference, job_reference};
pub use restraint::{MAX_OUTAGE, NICE};
pub use share::Share;
pub use size::Size;
pub use throttle::{Command, DiskFree, Http, Limit, Query, ReplicaLag, Throttle, WaitFile};
pub use url::{Secret, expand, redact};

/// The JSON Schema of a job spec, for editors.
#[must_use]
pub fn job_schema() -> serde_json::Value {
    titled(schemars::schema_for!(JobSpec), "Backstop job")
}

/// The JSON Schema of `backstop.toml`, for editors.
#[must_use]
pub fn config_schema() -> serde_json::Value {
    titled(schemars::schema_for!(Config), "Backstop config")
}

fn titled(mut schema: schemars::Schema, title: &str) -> serde_json::Value {
    schema.insert("title".into(), title.into());
    schema.to_value()
}
