//! The demo: a SQLite shop with a million orders, and a job that mends them.

use std::path::Path;

use super::Error;
use crate::spec::Secret;
use crate::target::{self, Bind, Link, Statement};

/// The shop's file.
pub const SHOP: &str = "shop.db";

/// The job's file.
pub const JOB: &str = "orders-total-cents.toml";

/// Orders in the shop.
pub const ORDERS: u64 = 1_000_000;

const SPEC: &str = include_str!("orders-total-cents.toml");
const SCHEMA: &str = include_str!("shop.sql");
const ORDERS_SQL: &str = include_str!("orders.sql");

/// Makes the shop and the spec in `folder`, unless both are there. Returns whether it made them.
///
/// # Errors
///
/// [`Error::Demo`]: the folder holds something else, or cannot be written.
pub async fn make(folder: &Path, orders: u64, fresh: bool) -> Result<bool, Error> {
    let fail = |reason: String| Error::Demo { path: folder.display().to_string(), reason };
    let (shop, job) = (folder.join(SHOP), folder.join(JOB));
    if shop.is_file() && job.is_file() && !fresh {
        return Ok(false);
    }
    std::fs::create_dir_all(folder).map_err(|error| fail(error.to_string()))?;
    if fresh {
        clear(folder).map_err(|error| fail(error.to_string()))?;
    }
    let foreign = std::fs::read_dir(folder)
        .map_err(|error| fail(error.to_string()))?
        .filter_map(Result::ok)
        .find(|entry| entry.file_name() != ".backstop");
    if let Some(entry) = foreign {
        let name = entry.file_name();
        return Err(fail(format!("it already holds `{}`", name.to_string_lossy())));
    }
    // Under another name until it is whole: an interrupted demo leaves no half a shop behind.
    let unfinished = folder.join("shop.unfinished");
    if let Err(reason) = fill(&unfinished, orders).await {
        let _ = std::fs::remove_file(&unfinished);
        return Err(fail(reason));
    }
    std::fs::rename(&unfinished, &shop).map_err(|error| fail(error.to_string()))?;
    std::fs::write(&job, SPEC).map_err(|error| fail(error.to_string()))?;
    Ok(true)
}

/// Removes what an earlier demo made, and nothing else.
fn clear(folder: &Path) -> std::io::Result<()> {
    for name in [SHOP, "shop.db-wal", "shop.db-shm", "shop.unfinished", JOB] {
        remove_if_there(&folder.join(name))?;
    }
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        remove_if_there(&folder.join(".backstop").join(name))?;
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

async fn fill(path: &Path, orders: u64) -> Result<(), String> {
    // A file of no length is an empty database; the target makes none by itself.
    std::fs::write(path, "").map_err(|error| error.to_string())?;
    let link = Link {
        url: Secret::new(format!("sqlite:{}", path.display())),
        job: "demo".to_owned(),
        time_zone: None,
        sql_mode: None,
    };
    let filled = async {
        let target = target::connect(link).await?;
        let mut session = target.open("demo").await?;
        // Nothing is lost if the machine fails now: the file still has its unfinished name.
        for pragma in ["synchronous = OFF", "journal_mode = MEMORY"] {
            session.query(&Statement::plain(format!("PRAGMA {pragma}"))).await?;
        }
        session.begin().await?;
        session.execute(&Statement::plain(SCHEMA)).await?;
        let orders = Bind::Int(i64::try_from(orders).unwrap_or(i64::MAX));
        session.execute(&Statement { sql: ORDERS_SQL.to_owned(), binds: vec![orders] }).await?;
        session.commit().await?;
        // As a shop that is in use would have it.
        session.query(&Statement::plain("PRAGMA journal_mode = WAL")).await?;
        session.close().await;
        Ok(())
    };
    filled.await.map_err(|error: target::Error| error.to_string())
}
