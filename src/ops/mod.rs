//! The use cases that the command line and the server share.

mod command;
pub mod demo;
mod error;
mod prepare;
mod start;
mod state;

pub use command::{Asked, ask};
pub use error::Error;
pub use prepare::{Prepared, load_spec, prepare};
pub use start::{Start, start};
pub use state::{open_journal, open_or_create_journal, person, read_all, read_status, runner_name};
