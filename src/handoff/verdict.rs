//! temp
pub use crate::target::Shape;
use serde::{Deserialize, Serialize};
pub enum Verdict {
    Done,
    NotDone,
    Unknown(String),
}
pub fn judge(_b: &Shape, _c: Option<&Shape>, _n: Option<&Shape>) -> Verdict {
    Verdict::NotDone
}
