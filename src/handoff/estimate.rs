//! What a change takes: time, and room on the disks.

use serde::{Deserialize, Serialize};

use super::Decision;
use crate::target::Online;

/// Bytes a second. gh-ost copied 21 MB a second, unthrottled and with a writer beside it, on two cores; a
/// busy server gives less, and throttling takes its part.
const COPIES: (u64, u64) = (25_000_000, 4_000_000);
/// An index is read from the rows and sorted.
const BUILDS: (u64, u64) = (100_000_000, 15_000_000);

/// What a change takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Estimate {
    /// Rows, estimated by the server.
    pub rows: u64,
    /// Bytes of the rows.
    pub data_bytes: u64,
    /// Bytes of the other indexes.
    pub index_bytes: u64,
    /// Seconds at least.
    pub seconds_least: u64,
    /// Seconds, when it goes slowly.
    pub seconds_most: u64,
    /// Bytes of the copy, on each server.
    pub copy_bytes: u64,
    /// Bytes of binary log, on each server.
    pub binlog_bytes: u64,
    /// Replicas that were counted.
    pub replicas: u32,
    /// Bytes on all servers.
    pub total_bytes: u64,
}

/// For a change that is made so.
pub(super) fn of(facts: &Online, decision: Decision, rebuilds: bool, replicas: u32) -> Estimate {
    let (data, index) = (facts.data_bytes, facts.index_bytes);
    let whole = data.saturating_add(index);
    // A log of rows holds each once, without the pages' unused room; its worst is the data.
    let (copy, log, (fast, slow)) = match decision {
        Decision::Instant | Decision::Refuse => (0, 0, (0, 0)),
        Decision::InPlace if rebuilds => (whole, 0, BUILDS),
        // At the worst the new index is as large as the rows.
        Decision::InPlace | Decision::Native => (data, 0, BUILDS),
        Decision::Tool(_) => (whole, data, COPIES),
    };
    let seconds = |speed: u64| whole.checked_div(speed).map_or(0, |seconds| seconds.max(1));
    let servers = u64::from(replicas) + 1;
    Estimate {
        rows: facts.rows,
        data_bytes: data,
        index_bytes: index,
        seconds_least: seconds(fast),
        seconds_most: seconds(slow),
        copy_bytes: copy,
        binlog_bytes: log,
        replicas,
        total_bytes: copy.saturating_add(log).saturating_mul(servers),
    }
}
