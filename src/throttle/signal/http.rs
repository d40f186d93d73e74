//! Whatever a web server can tell, as freno's throttle checks do.

use std::time::Duration;

use super::{PLAIN, Said, Signal};
use crate::throttle::Unit;
use crate::throttle::probe::Get;

/// How long an answer may take. Freno's come within milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "http",
    unit: Unit::Flag,
    said: |scene| scene.throttle.http.as_ref().map(|_| Said::default()),
    probe: |scene| {
        let url = scene.throttle.http.as_ref().map_or("", |http| http.url.as_str());
        Box::new(Get::new(url, PATIENCE))
    },
    ..PLAIN
};
