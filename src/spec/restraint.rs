//! What `[throttle]` and `[limits]` may not say.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::fields::unusable_path;
use super::throttle::{Limit, Throttle};
use super::{JobSpec, Size};

/// What `look_every` may be.
const LOOKS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(10);

/// What `nice` may be. With more, a job of a day would take a quarter of a year.
pub const NICE: RangeInclusive<f64> = 0.0..=100.0;

/// What `max_outage` may be. With more, a job that waits for a server which is gone for good would be
/// noticed by nobody.
pub const MAX_OUTAGE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(24);

/// A field, as its path, and what is wrong with it.
pub(super) type Wrong = (Vec<&'static str>, String);

/// The first thing that is wrong.
pub(super) fn first_wrong(spec: &JobSpec) -> Option<Wrong> {
    rates(&spec.throttle).or_else(|| limits(spec)).or_else(|| bands(&spec.throttle)).or_else(|| {
        sources(&spec.throttle).map(|(section, field, message)| {
            let mut path = vec!["throttle", section];
            path.extend(field);
            (path, message)
        })
    })
}

fn rates(throttle: &Throttle) -> Option<Wrong> {
    let at = |field, message| Some((vec!["throttle", field], message));
    if throttle.rows_per_second == Some(0) {
        let message = "with 0 rows a second the job would never end; to wait use `backstop pause`";
        return at("rows_per_second", message.to_owned());
    }
    if let Some(nice) = throttle.nice.filter(|nice| !NICE.contains(nice)) {
        return at("nice", format!("`nice` is {nice}, and must be 0 to 100"));
    }
    let every = throttle.look_every.map_or(Duration::from_secs(1), |every| every.0);
    if !LOOKS.contains(&every) {
        return at("look_every", "`look_every` must be 100ms to 10m".to_owned());
    }
    if let Some(stale) = throttle.stale_after.filter(|stale| stale.0 < every) {
        let message = format!(
            "a signal would count as stale after `{stale}`, before it is looked at again; use more \
             than `look_every`"
        );
        return at("stale_after", message);
    }
    None
}

fn limits(spec: &JobSpec) -> Option<Wrong> {
    let limits = &spec.limits;
    let at = |field, message: &str| Some((vec!["limits", field], message.to_owned()));
    if let Some(Err(message)) = limits.window.as_ref().map(super::limits::Window::minutes) {
        return Some((vec!["limits", "window", "between"], message));
    }
    if limits.max_runtime.is_some_and(|time| time.0.is_zero()) {
        return at("max_runtime", "a run of no time does nothing; leave `max_runtime` out instead");
    }
    if let Some(outage) = limits.max_outage.filter(|time| !MAX_OUTAGE.contains(&time.0)) {
        let message = format!("`max_outage` is {outage}, and must be at most 24h");
        return Some((vec!["limits", "max_outage"], message));
    }
    if limits.max_rows == Some(0) {
        return at("max_rows", "a run of no rows does nothing; leave `max_rows` out instead");
    }
    None
}

/// Limits that are never left once they are reached, or that say two things.
fn bands(throttle: &Throttle) -> Option<Wrong> {
    let sizes = [
        ("replica_lag_bytes", &throttle.replica_lag_bytes),
        ("retained_wal", &throttle.retained_wal),
        ("wal_rate", &throttle.wal_rate),
        ("binlog_rate", &throttle.binlog_rate),
    ];
    let counts = [
        ("blocked_sessions", &throttle.blocked_sessions),
        ("active_sessions", &throttle.active_sessions),
        ("wal_archive_backlog", &throttle.wal_archive_backlog),
        ("vacuum", &throttle.vacuum),
        ("autovacuum", &throttle.autovacuum),
        ("history_list", &throttle.history_list),
    ];
    let of_sizes = sizes.into_iter().find_map(|(name, limit)| band(name, limit.as_ref()?));
    let of_counts = || counts.into_iter().find_map(|(name, limit)| band(name, limit.as_ref()?));
    let lag = || {
        let lag = throttle.replica_lag.as_ref()?;
        let limit = Limit {
            pause_above: lag.pause_above.map(|time| time.0),
            resume_below: lag.resume_below.map(|time| time.0),
            off: lag.off,
        };
        band("replica_lag", &limit)
    };
    let age = || {
        let age = throttle.transaction_age.as_ref()?;
        let limit = Limit {
            pause_above: age.pause_above.map(|time| time.0),
            resume_below: age.resume_below.map(|time| time.0),
            off: age.off,
        };
        band("transaction_age", &limit)
    };
    let dead = || {
        let limit = throttle.dead_rows.as_ref()?;
        let is_share = |share: Option<f64>| share.is_none_or(|share| (0.0..=1.0).contains(&share));
        if !is_share(limit.pause_above) || !is_share(limit.resume_below) {
            let message = "a share of the rows is from 0 to 1".to_owned();
            return Some((vec!["throttle", "dead_rows"], message));
        }
        band("dead_rows", limit)
    };
    of_sizes.or_else(of_counts).or_else(lag).or_else(age).or_else(dead).or_else(|| disk(throttle))
}

fn band<T: PartialOrd>(name: &'static str, limit: &Limit<T>) -> Option<Wrong> {
    let Limit { pause_above, resume_below, off } = limit;
    if *off && (pause_above.is_some() || resume_below.is_some()) {
        let message = format!("`{name}` is off and has limits; keep one of the two");
        return Some((vec!["throttle", name, "off"], message));
    }
    let crossed = pause_above.as_ref().zip(resume_below.as_ref()).is_some_and(|(p, r)| p < r);
    crossed.then(|| {
        let message = "`resume_below` is more than `pause_above`: the job would go on and wait at \
                       the same value; make it at most that"
            .to_owned();
        (vec!["throttle", name, "resume_below"], message)
    })
}

fn disk(throttle: &Throttle) -> Option<Wrong> {
    let disk = throttle.disk_free.as_ref()?;
    let below = disk.pause_below.unwrap_or(Size(0));
    disk.resume_above.filter(|above| *above < below).map(|_| {
        let message = "`resume_above` is less than `pause_below`: the job would go on and wait at \
                       the same value; make it at least that"
            .to_owned();
        (vec!["throttle", "disk_free", "resume_above"], message)
    })
}

/// What is named as a source and cannot be one.
fn sources(throttle: &Throttle) -> Option<(&'static str, Option<&'static str>, String)> {
    if let Some(query) = &throttle.query {
        if query.sql.trim().is_empty() {
            let message = "`sql` is empty; write a SELECT that returns one number".to_owned();
            return Some(("query", Some("sql"), message));
        }
        if query.resume_below.is_some_and(|resume| query.pause_above < resume) {
            let message = "`resume_below` is more than `pause_above`; make it at most that";
            return Some(("query", Some("resume_below"), message.to_owned()));
        }
    }
    if let Some(http) = &throttle.http {
        let parsed = url::Url::parse(&http.url).ok();
        if !parsed.as_ref().is_some_and(|url| ["http", "https"].contains(&url.scheme())) {
            let message = "`url` is not one of http:// or https://".to_owned();
            return Some(("http", Some("url"), message));
        }
        if parsed.is_some_and(|url| url.password().is_some()) {
            let message = "a password stands in the file, where everyone who reads the repository \
                           sees it; ask by a `command` that knows it";
            return Some(("http", Some("url"), message.to_owned()));
        }
    }
    if let Some(command) = &throttle.command
        && command.run.first().is_none_or(|program| program.trim().is_empty())
    {
        let message =
            "`run` names no program; write for example run = [\"/opt/may-i\", \"orders\"]";
        return Some(("command", Some("run"), message.to_owned()));
    }
    let paths = [
        ("file", throttle.file.as_ref().map(|file| &file.path)),
        ("disk_free", throttle.disk_free.as_ref().and_then(|disk| disk.path.as_ref())),
    ];
    for (signal, path) in paths {
        if let Some(message) = path.and_then(|path| unusable_path("path", path)) {
            return Some((signal, Some("path"), message));
        }
    }
    let lag = throttle.replica_lag.as_ref()?;
    let heartbeat = lag.heartbeat.as_deref()?;
    if lag.replicas.is_empty() {
        let message = "a heartbeat is read on the replicas; name them in `replicas`".to_owned();
        return Some(("replica_lag", Some("heartbeat"), message));
    }
    let parts = heartbeat.split('.').count();
    (!(2..=3).contains(&parts) || heartbeat.split('.').any(|part| part.trim().is_empty())).then(
        || {
            let message = format!(
                "`{heartbeat}` names no column of a table; write for example \
                 \"percona.heartbeat.ts\""
            );
            ("replica_lag", Some("heartbeat"), message)
        },
    )
}
