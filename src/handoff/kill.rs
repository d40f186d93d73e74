//! temp
use super::work::*;
use crate::target::*;
pub struct Proof {
    pub proven: bool,
}
impl Proof {
    pub fn said(&self) -> Vec<String> {
        vec![]
    }
}
pub async fn end(
    _w: &mut dyn Work,
    _h: Ending,
    _t: &dyn Target,
    _s: Option<&mut dyn Session>,
    _p: &Place,
) -> Proof {
    Proof { proven: false }
}
pub async fn sweep(_w: &Mark, _t: &dyn Target, _s: Option<&mut dyn Session>, _p: &Place) -> Proof {
    Proof { proven: false }
}
