//! The process that dies: this test binary, as a runner.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backstop::control::Stop;
use backstop::journal::Journal;
use backstop::ops;
use backstop::run::{Error, Options};
use serde::{Deserialize, Serialize};

use super::probe::{Probe, Probed};

/// The variable that makes this binary a runner; it holds an [`Orders`].
pub const VARIABLE: &str = "BACKSTOP_TEST_CRASH";

/// A runner that died holds its lock until the server has noticed.
const LOCK_IS_FREE_WITHIN: Duration = Duration::from_secs(20);

/// What the runner is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Orders {
    pub spec: PathBuf,
    pub journal: PathBuf,
    /// Where it dies.
    pub crash_at: Option<String>,
    /// Whether it tries the rows in quarantine again.
    pub retry: bool,
    /// Whether its session commits between the write and the fence.
    pub commits_early: bool,
}

/// How it went, if it lived.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// The job's last state.
    pub state: String,
    /// Every call that it made.
    pub points: Vec<String>,
    /// The rows that are or were in quarantine, and what became of them.
    pub quarantine: Vec<String>,
}

pub fn is_child() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Runs the job with its calls counted, and prints the report; or dies on the way.
pub fn live_and_die() {
    let orders: Orders = serde_json::from_str(&std::env::var(VARIABLE).unwrap()).unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let report = runtime.block_on(run(&orders));
    println!("{}", serde_json::to_string(&report).unwrap());
}

async fn run(orders: &Orders) -> Report {
    let probe = Probe::new(orders.crash_at.clone());
    probe.point("journal open");
    let told = Arc::clone(&probe);
    let journal = Journal::create_or_open(&orders.journal)
        .unwrap()
        .probed(move |what| told.point(&format!("journal {what}")));
    let spec = ops::load_spec(&orders.spec).unwrap();
    // Read by another journal than the one that counts.
    let plain = Journal::create_or_open(&orders.journal).unwrap();
    let waiting = || match ops::read_quarantine(&plain, &spec.job.name) {
        Ok(quarantine) => quarantine.choose(&[]).unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    let options = Options {
        retries: if orders.retry { waiting() } else { Vec::new() },
        runner: ops::runner_name(),
        spec_path: orders.spec.display().to_string(),
        ..Options::default()
    };
    let begun = Instant::now();
    let start = loop {
        let announced = ops::announce(&spec, &journal, &options).unwrap();
        let inner = ops::connect(&spec).await.unwrap();
        let commits_early = orders.commits_early;
        let target = Probed { inner, probe: Arc::clone(&probe), commits_early };
        let prepared =
            ops::prepare_on(Arc::new(target), &spec, "job.toml".as_ref(), &ops::Team::default())
                .await
                .unwrap();
        match ops::start(prepared, &announced, Stop::default(), Vec::new(), &options).await {
            Ok(start) => break start,
            Err(ops::Error::Begin(Error::HeldBy { .. }))
                if begun.elapsed() < LOCK_IS_FREE_WITHIN =>
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("{error}"),
        }
    };
    let ended = start.execute().await.unwrap();
    if let Some(error) = ended.error {
        panic!("{error}");
    }
    let quarantine = ops::read_quarantine(&plain, &spec.job.name).unwrap().rows;
    let row = |row: &backstop::journal::Quarantined| format!("{} {}", row.key, row.state.name());
    let mut rows: Vec<_> = quarantine.iter().map(row).collect();
    rows.sort();
    let state = ended.state.name().to_owned();
    Report { state, points: probe.passed(), quarantine: rows }
}
