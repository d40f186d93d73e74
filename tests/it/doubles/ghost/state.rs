//! What it knows of itself, and how it tells it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::database::{Database, name};
use super::flags::{Flags, load};
use super::{log, say};

/// What changes while it runs.
pub struct Live {
    pub chunk_size: u64,
    pub batch_size: u64,
    pub max_lag: u64,
    pub nice: f64,
    pub max_load: Vec<(String, u64)>,
    pub critical_load: Vec<(String, u64)>,
    pub throttle_query: String,
    pub throttle_http: String,
    pub throttle_replicas: String,
    /// Of the last answer of the URL; 0 before there is one, -1 where there is none.
    pub http: i64,
    pub commanded: bool,
    /// What the checks of each second found.
    pub general: Option<String>,
    /// Until when it hibernates, and the same in words.
    pub hibernates: Option<(Instant, String)>,
    /// Why it waits.
    pub throttled: Option<String>,
    pub postponing: bool,
    pub unpostpone: bool,
    pub copied: u64,
    pub estimate: u64,
    pub is_copied: bool,
    pub applied: u64,
    pub backlog: u64,
    pub streamer: String,
    copying_since: Option<Instant>,
    copied_at: Option<Instant>,
    has_socket: bool,
}

/// The whole.
pub struct Double {
    pub flags: Flags,
    begun: Instant,
    live: Mutex<Live>,
}

impl Double {
    pub fn new(flags: Flags) -> Self {
        let limits = |name| load(flags.text(name)).unwrap_or_default();
        let live = Live {
            chunk_size: flags.number("chunk-size", 1000).clamp(10, 100_000),
            batch_size: flags.number("dml-batch-size", 10).clamp(1, 1000),
            max_lag: flags.number("max-lag-millis", 1500).max(100),
            nice: flags.text("nice-ratio").parse().unwrap_or_default(),
            max_load: limits("max-load"),
            critical_load: limits("critical-load"),
            throttle_query: String::new(),
            throttle_http: flags.text("throttle-http").to_owned(),
            throttle_replicas: flags.text("throttle-control-replicas").to_owned(),
            http: 0,
            commanded: false,
            general: None,
            hibernates: None,
            throttled: None,
            postponing: false,
            unpostpone: false,
            copied: 0,
            estimate: 0,
            is_copied: false,
            applied: 0,
            backlog: 0,
            streamer: "binlog.000001:4".to_owned(),
            copying_since: None,
            copied_at: None,
            has_socket: false,
        };
        Self { flags, begun: Instant::now(), live: Mutex::new(live) }
    }

    pub fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().expect("no task panics with it")
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        self.flags.text("table")
    }

    /// A table of that name, with its database.
    pub fn qualified(&self, table: &str) -> String {
        format!("{}.{}", name(self.flags.text("database")), name(table))
    }

    /// The table that is changed.
    pub fn original(&self) -> String {
        self.qualified(self.table())
    }

    /// One of its own tables: `gho`, `ghc`, `ghk`, `del`.
    pub fn own(&self, end: &str) -> String {
        self.qualified(&self.own_name(end))
    }

    /// The same without the database. Where it goes back, the old table is what it writes to in place of a copy, and
    /// what it replaces has a name of its own.
    pub fn own_name(&self, end: &str) -> String {
        match end {
            "gho" if self.reverts() => self.flags.text("old-table").to_owned(),
            "del" if self.reverts() => format!("_{}_rev_del", self.table()),
            end => format!("_{}_{end}", self.table()),
        }
    }

    /// Whether it goes back.
    pub fn reverts(&self) -> bool {
        self.flags.is("revert")
    }

    /// The name of the lock that it holds.
    pub fn lock_name(&self) -> String {
        format!("gh-ost::{}.{}", self.flags.text("database"), self.table())
    }

    /// A line of the log.
    pub fn log(&self, level: &str, text: &str) {
        if level != "INFO" || self.flags.is("verbose") {
            let now = jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S").to_string();
            log(&format!("{now} {level} {text}"));
        }
    }

    /// The end that is not well.
    pub fn fatal(&self, why: &str) -> ! {
        self.remove_socket();
        self.log("FATAL", why);
        std::process::exit(1);
    }

    pub fn touch_postpone_file(&self) {
        let file = self.flags.text("postpone-cut-over-flag-file");
        if !file.is_empty() && !Path::new(file).exists() && std::fs::write(file, "").is_err() {
            self.fatal(&format!(
                "--postpone-cut-over-flag-file indicated by gh-ost is unable to create said file: {file}"
            ));
        }
    }

    /// Takes note of the socket, whose owner alone can write to it.
    pub fn has_socket(&self) {
        let file = self.flags.text("serve-socket-file");
        let _ = std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755));
        self.live().has_socket = true;
    }

    pub fn remove_socket(&self) {
        if std::mem::take(&mut self.live().has_socket) {
            let _ = std::fs::remove_file(self.flags.text("serve-socket-file"));
        }
    }

    /// Every row is copied: what was counted is the estimate from now on.
    pub fn copied_all(&self) {
        let mut live = self.live();
        live.is_copied = true;
        live.copied_at = Some(Instant::now());
    }

    /// The status, as it is printed and answered.
    pub fn status(&self) -> String {
        let live = self.live();
        let done = live.is_copied && !self.reverts();
        let estimate = if done { live.copied } else { live.estimate };
        let copying = live.copying_since.map_or(Duration::ZERO, |since| {
            live.copied_at.unwrap_or_else(Instant::now).duration_since(since)
        });
        let ratio = if estimate == 0 { 1.0 } else { live.copied as f64 / estimate as f64 };
        let eta = if live.postponing || 1.0 <= ratio {
            "due".to_owned()
        } else if ratio < 0.001 {
            "N/A".to_owned()
        } else {
            go(Duration::from_secs_f64(copying.as_secs_f64() * (1.0 - ratio) / ratio))
        };
        let state = if live.postponing {
            "postponing cut-over".to_owned()
        } else {
            live.throttled
                .as_ref()
                .map_or_else(|| "migrating".to_owned(), |why| format!("throttled, {why}"))
        };
        format!(
            "Copy: {}/{estimate} {:.1}%; Applied: {}; Backlog: {}/1000; Time: {}(total), {}(copy); streamer: {}; \
             Lag: 0.01s, HeartbeatLag: 0.01s, State: {state}; ETA: {eta}",
            live.copied,
            100.0 * ratio,
            live.applied,
            live.backlog,
            go(self.begun.elapsed()),
            go(copying),
            live.streamer,
        )
    }

    /// What it was told, in lines that begin with `#`.
    pub fn hint(&self) -> String {
        let (flags, live) = (&self.flags, self.live());
        let address = format!("{}:{}", flags.text("host"), flags.number("port", 3306));
        let mut lines = vec![
            format!("# Migrating {}; Ghost table is {}", self.original(), self.own("gho")),
            format!("# Migrating {address}; inspecting {address}; executing on double"),
            format!(
                "# chunk-size: {}; max-lag-millis: {}ms; dml-batch-size: {}; max-load: {}; critical-load: {}; \
                 nice-ratio: {:.6}",
                live.chunk_size,
                live.max_lag,
                live.batch_size,
                limits(&live.max_load),
                limits(&live.critical_load),
                live.nice
            ),
        ];
        let postpone = flags.text("postpone-cut-over-flag-file");
        if !postpone.is_empty() {
            let set = if Path::new(postpone).exists() { " [set]" } else { " " };
            lines.push(format!("# postpone-cut-over-flag-file: {postpone}{set}"));
        }
        if !flags.text("panic-flag-file").is_empty() {
            lines.push(format!("# panic-flag-file: {}", flags.text("panic-flag-file")));
        }
        lines.push(format!("# Serving on unix socket: {}", flags.text("serve-socket-file")));
        lines.join("\n")
    }

    /// Both, on stdout.
    pub fn hint_and_status(&self) {
        say(&self.hint());
        say(&self.status());
    }
}

/// Limits as they are told.
pub fn limits(load: &[(String, u64)]) -> String {
    let parts: Vec<String> = load.iter().map(|(name, limit)| format!("{name}={limit}")).collect();
    parts.join(",")
}

/// A duration in whole seconds, as Go writes it.
fn go(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// Prints the status once a second in the first minute, and ever more rarely after it; each time the changelog
/// gets a line, and the place in the binary log is read.
pub async fn begin_status(double: &Arc<Double>) {
    double.live().copying_since = Some(Instant::now());
    double.hint_and_status();
    let Ok(mut database) = Database::connect(double).await else { return };
    let double = double.clone();
    tokio::spawn(async move {
        let place = match database
            .named("show /* gh-ost */ binary log status", &["File", "Position"])
            .await
        {
            Ok(_) => "show /* gh-ost */ binary log status",
            Err(_) => "show /* gh-ost */ master status",
        };
        for second in 1_u64.. {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if let Ok(rows) = database.named(place, &["File", "Position"]).await
                && let Some([Some(file), Some(position)]) = rows.first().map(Vec::as_slice)
            {
                double.live().streamer = format!("{file}:{position}");
            }
            let heartbeat = format!(
                "insert /* gh-ost */ into {} (id, hint, value) values (1, 'heartbeat', now(6)) on duplicate key \
                 update last_update = now(), value = values(value)",
                double.own("ghc")
            );
            let _ = database.execute(&heartbeat).await;
            let every = if second <= 60 {
                1
            } else if second <= 180 {
                5
            } else {
                30
            };
            if second.is_multiple_of(every) {
                say(&double.status());
            }
        }
    });
}
