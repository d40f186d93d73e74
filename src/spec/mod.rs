//! What the user said, and no more: the text of a job spec as a [`JobSpec`].
//!
//! This room is pure. It knows the fields, their units and their limits; whether the table exists
//! is the plan's business.

mod assignments;
mod document;
mod error;
mod job;
mod reference;
mod url;

pub use assignments::Assignments;
pub use document::parse;
pub use error::SpecError;
pub use job::{Batch, Duration, Job, JobSpec, Target, Update, Verify};
pub use reference::reference;
pub use url::{Secret, expand, redact};

/// The JSON Schema of a job spec, for editors.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(JobSpec);
    schema.insert("title".into(), "Backstop job".into());
    schema.to_value()
}
