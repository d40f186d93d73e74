//! Plans, states and progress as text and as JSON. Pure: what is shown comes in as data.

pub mod findings;
mod handoff;
mod handoff_status;
mod line;
mod numbers;
mod plan;
mod quarantine;
mod status;

pub use handoff::{handoff_json, handoff_text};
pub use handoff_status::{handoff_status_json, handoff_status_line, handoff_status_text};
pub use line::status_line;
pub use numbers::{count, duration, percent};
pub use plan::{Surroundings, plan_json, plan_text, proof_json};
pub use quarantine::{quarantine_csv, quarantine_json, quarantine_text};
pub use status::{status_json, status_text};
