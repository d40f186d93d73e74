//! HTTP: what a runner shows of itself to monitoring.

mod listener;

pub use listener::{Listening, listen};
