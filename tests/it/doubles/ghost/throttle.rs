//! What makes it wait: a person, a load, a URL that says no or nothing; and the flag file that ends it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::database::{Database, text};
use super::state::Double;

/// The reason, of those that hold, that the real one names: what it sees first.
fn reason(double: &Double) -> Option<String> {
    let live = double.live();
    if let Some((_, words)) = &live.hibernates {
        return Some(format!("critical-load-hibernate until {words}"));
    }
    if let Some(reason) = &live.general {
        return Some(reason.clone());
    }
    match live.http {
        0 | 200 => None,
        -1 => Some("Connection error (http=-1)".to_owned()),
        404 => Some("Not found (http=404)".to_owned()),
        417 => Some("Expectation failed (http=417)".to_owned()),
        429 => Some("Too many requests (http=429)".to_owned()),
        500 => Some("Internal server error (http=500)".to_owned()),
        other => Some(format!("http={other}")),
    }
}

/// Waits as long as there is a reason to.
pub async fn wait(double: &Double) {
    while double.live().throttled.is_some() {
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// Begins to look, and returns once everything was looked at once.
pub async fn begin(double: &Arc<Double>) {
    let Ok(mut database) = Database::connect(double).await else { return };
    let asked = double.clone();
    let first = tokio::task::spawn_blocking(move || ask(&asked));
    let _ = first.await;
    check(double, &mut database).await;
    let (asked, checked, told) = (double.clone(), double.clone(), double.clone());
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(100));
            ask(&asked);
        }
    });
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            check(&checked, &mut database).await;
        }
    });
    let tell = move || {
        let reason = reason(&told);
        told.live().throttled = reason;
    };
    tell();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            tell();
        }
    });
}

/// Asks the URL. Without one, the last answer stays in force, whatever it was.
fn ask(double: &Double) {
    let url = {
        let live = double.live();
        if live.hibernates.is_some() {
            return;
        }
        live.throttle_http.clone()
    };
    if url.is_empty() {
        return;
    }
    let request = ureq::head(&url).config().timeout_global(Some(Duration::from_secs(1)));
    let answer = request.http_status_as_error(false).build().call();
    double.live().http = answer.map_or(-1, |answer| i64::from(answer.status().as_u16()));
}

async fn variable(database: &mut Database, name: &str) -> Result<u64, String> {
    let sql = format!("show /* gh-ost */ global status like {}", text(name));
    let rows = database.named(&sql, &["Value"]).await.map_err(|error| error.to_string())?;
    let value = rows.into_iter().flatten().flatten().next();
    value
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| "sql: no rows in result set".to_owned())
}

/// The checks of each second. While it hibernates there are none, not even of the file.
async fn check(double: &Double, database: &mut Database) {
    {
        let mut live = double.live();
        match &live.hibernates {
            Some((until, _)) if Instant::now() < *until => return,
            Some(_) => {
                live.hibernates = None;
                live.general = Some("leaving hibernation".to_owned());
            }
            None => {}
        }
    }
    let panic = double.flags.text("panic-flag-file");
    if !panic.is_empty() && Path::new(panic).exists() {
        double.fatal(&format!("found panic-file {panic}. Aborting without cleanup"));
    }
    let (critical, most) = {
        let live = double.live();
        (live.critical_load.clone(), live.max_load.clone())
    };
    for (name, limit) in &critical {
        match variable(database, name).await {
            Ok(value) if *limit <= value => return critical_load(double, name, value, *limit),
            Ok(_) => {}
            Err(error) => {
                double.live().general = Some(format!("{name} {error}"));
                return;
            }
        }
    }
    let mut reason = None;
    let throttle_file = double.flags.text("throttle-flag-file");
    if double.live().commanded {
        reason = Some("commanded by user".to_owned());
    } else if !throttle_file.is_empty() && Path::new(throttle_file).exists() {
        reason = Some("flag-file".to_owned());
    } else {
        for (name, limit) in &most {
            reason = match variable(database, name).await {
                Ok(value) if *limit <= value => Some(format!("max-load {name}={value} >= {limit}")),
                Ok(_) => continue,
                Err(error) => Some(format!("{name} {error}")),
            };
            break;
        }
    }
    double.live().general = reason;
}

fn critical_load(double: &Double, name: &str, value: u64, limit: u64) {
    let rest = Duration::from_secs(double.flags.number("critical-load-hibernate-seconds", 0));
    let met = format!("critical-load met: {name}={value}, >={limit}");
    if rest.is_zero() {
        double.fatal(&met);
    }
    let until = jiff::Timestamp::now() + rest;
    let words = until.strftime("%Y-%m-%d %H:%M:%S.%f +0000 UTC").to_string();
    double.log(
        "ERROR",
        &format!("{met}. Will hibernate for the duration of {}s, until {words}", rest.as_secs()),
    );
    double.live().hibernates = Some((Instant::now() + rest, words));
}
