//! `--revert`: the old table is brought up to date, and put in its place again.
//!
//! The real one reads the binary log from the cut-over's checkpoint on. This one has none, and compares the two
//! tables as it does with a copy; what the real one needs is looked for all the same, in its order and its words.

use super::copy::Copy;
use super::database::Database;
use super::state::Double;
use super::validate;

/// The statement that tells the place in the log, by the server's version.
const PLACES: [&str; 2] =
    ["show /* gh-ost */ binary log status", "show /* gh-ost */ master status"];

/// Makes what it makes, of which there is no copy.
pub async fn tables(double: &Double, database: &mut Database) {
    let made = async {
        if !validate::is_there(double, database, "gho").await? {
            double.fatal(&format!("Error 1146: Table {} doesn't exist", double.own("gho")));
        }
        let log = double.own("ghc");
        database.execute(&format!("drop /* gh-ost */ table if exists {log}")).await?;
        validate::changelog(double, database).await?;
        validate::metadata_lock(double, database).await
    };
    if let Err(error) = made.await {
        double.fatal(&backstop::target::Error::to_string(&error));
    }
}

/// Whether the last checkpoint is that of a cut-over, and the log from there on is there.
pub async fn look(copy: &mut Copy) {
    let double = copy.double.clone();
    if !copy.shares_a_key().await {
        double.fatal("No shared unique key can be found between original and ghost");
    }
    let newest = format!(
        "select /* gh-ost */ gh_ost_chk_coords, cast(gh_ost_is_cutover as char), gh_ost_rows_copied from {} order by \
         gh_ost_chk_id desc limit 1",
        double.own("ghk")
    );
    let rows = match copy.database.query(&newest).await {
        Ok(rows) => rows,
        Err(error) => double.fatal(&format!("no checkpoint found, unable to revert: {error}")),
    };
    let Some([Some(at), Some(is_cut_over), copied]) = rows.first().map(Vec::as_slice) else {
        double.fatal("no checkpoint found, unable to revert: sql: no rows in result set");
    };
    if is_cut_over != "1" {
        double
            .fatal(&format!("last checkpoint is not after cutover, unable to revert: coords={at}"));
    }
    let copied = copied.as_deref().and_then(|copied| copied.parse().ok());
    double.live().copied = copied.unwrap_or_default();
    let files = copy.database.named("show /* gh-ost */ binary logs", &["Log_name"]).await;
    let files: Vec<String> = files.unwrap_or_default().into_iter().flatten().flatten().collect();
    let file = at.rsplit_once(':').map_or("", |(file, _)| file);
    if !files.iter().any(|one| one == file) {
        double.fatal(
            "ERROR 1236 (HY000): Could not find first log file name in binary log index file",
        );
    }
}

/// Writes down where the log was at the cut-over.
pub async fn note_cut_over(copy: &mut Copy) {
    let double = copy.double.clone();
    let mut at = double.live().streamer.clone();
    for place in PLACES {
        if let Ok(rows) = copy.database.named(place, &["File", "Position"]).await
            && let Some([Some(file), Some(position)]) = rows.first().map(Vec::as_slice)
        {
            at = format!("{file}:{position}");
        }
    }
    copy.save(&at, true).await;
}
