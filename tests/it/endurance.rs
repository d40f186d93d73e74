//! Runners and servers that are killed again and again, and journals that are lost: every row exactly
//! once.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::{Desk, Running, is_full};
use crate::own_server::OwnServer;
use crate::test;

/// A job that cannot be done twice unseen.
const COUNT: &str = r#"
[job]
name = "count"

[target]
url_env = "DATABASE_URL"

[update]
table = "t"
set   = { n = "n + 1" }
exactly_once = true

[batch]
max_rows = 1000
workers  = 2
pause    = "10ms"
"#;

/// How hard it is tried.
struct Measure {
    rows: u64,
    runner_kills: u32,
    server_kills: u32,
}

impl Measure {
    fn chosen() -> Self {
        if is_full() {
            Self { rows: 1_000_000, runner_kills: 200, server_kills: 20 }
        } else {
            Self { rows: 200_000, runner_kills: 20, server_kills: 6 }
        }
    }
}

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available().filter(|engine| engine.name != "postgres18") {
        trials.push(test(
            format!("endurance: killed again and again on {}", engine.name),
            move || {
                killed_again_and_again(engine);
            },
        ));
    }
    for engine in available() {
        trials.push(test(
            format!("endurance: a journal lost in the middle on {}", engine.name),
            move || lost_journal(engine),
        ));
    }
    trials
}

/// Random numbers that can be had again: xorshift64* [Vigna 2016, An experimental exploration of
/// Marsaglia's xorshift generators].
pub struct Dice(u64);

impl Dice {
    /// Seeded by `BACKSTOP_TEST_SEED`, else by the clock; says by what.
    pub fn thrown_for(what: &str) -> Self {
        let clock = || {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            u64::from(since.subsec_nanos()) + 1
        };
        let given = std::env::var("BACKSTOP_TEST_SEED").ok().map(|seed| seed.parse().unwrap());
        let seed = given.unwrap_or_else(clock);
        println!("{what}: BACKSTOP_TEST_SEED={seed}");
        Self(seed.max(1))
    }

    /// The `number`th series of a seed: neighbours have nothing in common.
    pub fn of(seed: u64, number: u64) -> Self {
        let mixed = (seed + number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self((mixed ^ (mixed >> 32)).max(1))
    }

    /// One of the values.
    pub fn pick<'a, T>(&mut self, values: &'a [T]) -> &'a T {
        let at = self.below(u64::try_from(values.len()).unwrap());
        &values[usize::try_from(at).unwrap()]
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end
    }
}

/// A table of that many rows, each counted zero times.
fn count_table(database: &Database, rows: u64) {
    let more = rows.div_ceil(20_000);
    database.script(&format!(
        "CREATE TABLE t (id {{{{id}}}}, n bigint NOT NULL);\n\
         INSERT INTO t (n) SELECT 0 FROM numbers a, numbers b WHERE b.n <= {more}"
    ));
}

/// A job under fire. It may come to its end between two shots; then it begins its next generation.
struct Fire {
    database: Database,
    desk: Desk,
    rows: u64,
    is_finished: bool,
}

impl Fire {
    fn start(&mut self) -> Running {
        let again: &[&str] = if self.is_finished { &["--again"] } else { &[] };
        self.is_finished = false;
        self.desk.start(&[&["run", "job.toml", "--progress", "json"], again].concat())
    }

    /// Kills a runner: at some moment of its first half second, or while batches are under way.
    /// Says whether there still was one.
    fn kill_runner(&mut self, dice: &mut Dice) -> bool {
        let mut running = self.start();
        let early = dice.below(4) == 0;
        if !early {
            running.has_done_batches(1);
        }
        std::thread::sleep(Duration::from_millis(dice.below(if early { 500 } else { 200 })));
        running.signal("KILL");
        match running.wait().code {
            -1 => true,
            0 => {
                self.is_finished = true;
                false
            }
            code => panic!("the runner ended by itself with {code}"),
        }
    }

    /// Kills the server while batches are under way, and starts it again. The runner may live
    /// through it; if not, it must say that it can go on. Returns its exit code.
    fn kill_server(&mut self, server: &OwnServer, after: Duration) -> i32 {
        let mut running = self.start();
        running.has_done_batches(1);
        std::thread::sleep(after);
        server.kill();
        assert!(server.restart().wait().unwrap().success(), "the server does not come back");
        let said = running.wait();
        assert!([0, 3, 4, 5].contains(&said.code), "{said:?}");
        self.is_finished = said.code == 0;
        if !self.is_finished {
            assert!(said.err.contains("the job again"), "{said:?}");
        }
        said.code
    }

    /// Lets the job come to its end; every row was counted once in each generation.
    fn finish(mut self) -> u64 {
        if !self.is_finished {
            let ended = self.start().wait();
            ended.expect(0);
        }
        let generations = self.database.value("SELECT max(generation) FROM backstop_fence");
        let right = self.database.value(&format!("SELECT count(*) FROM t WHERE n = {generations}"));
        assert_eq!(right, self.rows.to_string(), "every row exactly {generations} times");
        let counted = self.database.value("SELECT count(*) FROM t");
        assert_eq!(counted, self.rows.to_string());
        generations.parse().unwrap()
    }
}

fn killed_again_and_again(engine: Engine) {
    let measure = Measure::chosen();
    let name = engine.name;
    let mut dice = Dice::thrown_for(name);
    let server = engine.url_env.map(|_| OwnServer::of(engine));
    let database = match &server {
        Some(server) => Database::on(engine, server.url.clone()),
        None => Database::new(engine),
    };
    count_table(&database, measure.rows);
    let desk = Desk::at(&database.url);
    desk.write("job.toml", COUNT);
    let mut fire = Fire { database, desk, rows: measure.rows, is_finished: false };

    let mut kills = 0;
    while kills < measure.runner_kills {
        kills += u32::from(fire.kill_runner(&mut dice));
    }
    let mut codes = Vec::new();
    if let Some(server) = &server {
        for _ in 0..measure.server_kills {
            codes.push(fire.kill_server(server, Duration::from_millis(dice.below(200))));
        }
    }
    let generations = fire.finish();
    println!(
        "{name}: {kills} runners killed, {} servers (runners left with {codes:?}), {} rows counted \
         {generations} times",
        codes.len(),
        measure.rows
    );
}

/// The journal is gone, and the table has grown at one end, so that a split of today would be
/// another one: the ranges come from the fence. Workers may share them meanwhile, and only that.
fn lost_journal(engine: Engine) {
    const ROWS: u64 = 40_000;
    let database = Database::new(engine);
    count_table(&database, ROWS);
    let desk = Desk::at(&database.url);
    desk.write("job.toml", COUNT);
    let bounds = || {
        let list = match engine.family {
            "postgres" => "string_agg(hi, ';')",
            "sqlite" => "group_concat(hi, ';')",
            _ => "group_concat(hi SEPARATOR ';')",
        };
        let bounds = database.value(&format!("SELECT {list} FROM backstop_fence"));
        bounds.split(';').map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let batches = || {
        database
            .value("SELECT CAST(sum(batches) AS char(20)) FROM backstop_fence")
            .trim()
            .parse::<u64>()
            .unwrap()
    };
    let mut known = BTreeSet::new();
    for (number, signal) in ["KILL", "INT", "KILL"].into_iter().enumerate() {
        let mut running = desk.start(&["run", "job.toml"]);
        let before = if number == 0 { 0 } else { batches() };
        desk.wait_until(&mut running, "count", |status| {
            before + 4 <= status["batches"].as_u64().unwrap_or(0)
        });
        running.signal(signal);
        running.wait();
        let found = bounds();
        assert!(engine.family == "sqlite" || 1 < found.len(), "several ranges: {found:?}");
        assert!(known.is_subset(&found), "the split has changed: {known:?}, {found:?}");
        known = found;
        std::fs::remove_dir_all(desk.path(".backstop")).unwrap();
        // Below the first key, and far above the last one.
        let (down, up) = (-1_000_000 * (number as i64 + 1), 10_000_000 * (number as i64 + 1));
        database.script(&format!(
            "INSERT INTO t (id, n) SELECT {down} - id, 1 FROM t WHERE id BETWEEN 1 AND 1000;\n\
             INSERT INTO t (id, n) SELECT {up} + id, 1 FROM t WHERE id BETWEEN 1 AND 20000"
        ));
        database.script(match engine.family {
            "postgres" | "sqlite" => "ANALYZE",
            _ => "ANALYZE TABLE t",
        });
    }
    desk.call(&["run", "job.toml"]).expect(0);
    assert!(known.is_subset(&bounds()), "the split has changed: {known:?}");
    let of = |n: u32, bounds: &str| {
        database.value(&format!("SELECT count(*) FROM t WHERE n = {n} AND {bounds}"))
    };
    assert_eq!(of(1, "id BETWEEN 1 AND 1000000"), ROWS.to_string(), "every row exactly once");
    // What came above the last key after the job had begun is not its business.
    assert_eq!(of(1, "1000000 < id"), "60000");
    desk.call(&["run", "job.toml"]).expect(0).says("was finished before");
}
