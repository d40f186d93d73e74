//! HTTP: what a runner shows of itself to monitoring, and the kill switch beside it.

mod kill;
mod listener;

pub use kill::KillSwitch;
pub use listener::{Listening, listen};
