//! HTTP: what a runner shows of itself to monitoring, and the kill switch beside it.

mod alive;
mod kill;
mod listener;

pub use alive::{Watching, listen_alive};
pub use kill::KillSwitch;
pub use listener::{Listening, Text, listen};
