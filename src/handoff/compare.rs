//! temp
use crate::control::Stop;
use crate::target::{self, *};
/// x
#[derive(Debug)]
pub struct Compared {
    /// x
    pub equal: bool,
}
impl std::fmt::Display for Compared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("x")
    }
}
/// x
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// x
    #[error("{0}")]
    T(#[from] target::Error),
}
/// x
pub async fn compare(
    _t: &dyn Target,
    _s: &mut dyn Session,
    _o: &Place,
    _n: &Place,
    _stop: &Stop,
) -> Result<Compared, Error> {
    Ok(Compared { equal: true })
}
