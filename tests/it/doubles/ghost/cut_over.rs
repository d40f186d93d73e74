//! The cut-over: two connections, of which one holds the tables while the other's rename waits in front of the
//! application.

use std::path::Path;
use std::time::{Duration, Instant};

use backstop::target::{Class, Error};

use super::copy::Copy;
use super::database::text;
use super::throttle;

/// Tries until it is done, or as often as `--default-retries` says.
pub async fn until_done(copy: &mut Copy) {
    let most = copy.double.flags.number("default-retries", 60);
    for attempt in 1.. {
        throttle::wait(&copy.double).await;
        postpone(copy).await;
        match attempt_once(copy).await {
            Ok(()) => return,
            Err(error) if attempt < most => {
                copy.double.log("ERROR", &error.to_string());
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => copy.double.fatal(&error.to_string()),
        }
    }
}

/// Waits as long as the flag file is there and nobody says to go on. Changes are followed meanwhile.
async fn postpone(copy: &mut Copy) {
    let file = copy.double.flags.text("postpone-cut-over-flag-file").to_owned();
    loop {
        let looked = Instant::now();
        {
            let mut live = copy.double.live();
            let is_told = std::mem::take(&mut live.unpostpone);
            live.postponing = !file.is_empty() && !is_told && Path::new(&file).exists();
            if !live.postponing {
                return;
            }
        }
        // It looks once a second.
        while looked.elapsed() < Duration::from_secs(1) {
            tokio::time::sleep(Duration::from_millis(100)).await;
            copy.sweep_in_time().await;
        }
    }
}

async fn attempt_once(copy: &mut Copy) -> Result<(), Error> {
    let double = copy.double.clone();
    let (original, copied, sentry) = (double.original(), double.own("gho"), double.own("del"));
    let limit = double.flags.number("cut-over-lock-timeout-seconds", 3);
    let mut locker = copy.database.another();
    let mut renamer = copy.database.another();
    // A sentry of an attempt before this one; never the whole old table of a run before.
    let is_sentry = format!(
        "select /* gh-ost */ count(*) from information_schema.tables where table_schema = {} and table_name = {} and \
         table_comment = 'ghost-cut-over-sentry'",
        text(double.flags.text("database")),
        text(&double.own_name("del"))
    );
    if copy.database.number(&is_sentry).await? == 1 {
        copy.database.execute(&format!("drop /* gh-ost */ table {sentry}")).await?;
    }
    let create = format!(
        "create /* gh-ost */ table {sentry} (id int auto_increment primary key) engine=InnoDB \
         comment='ghost-cut-over-sentry'"
    );
    copy.database.execute(&create).await?;
    let patience = format!("set /* gh-ost */ session lock_wait_timeout = {}", 2 * limit);
    locker.execute(&patience).await?;
    copy.remember(&mut locker).await?;
    // Under the name by which it is compared, too.
    let lock =
        format!("lock /* gh-ost */ tables {original} write, {sentry} write, {original} as o write");
    locker.execute(&lock).await?;
    let holder = locker.session().await?.id().to_owned();
    copy.bring_the_rest(&mut locker).await?;
    // Where the lock is gone with its connection, the sentry stays, and no rename succeeds.
    if locker.session().await?.id() != holder {
        return Err(Error::new(Class::Lost, "the session that held the lock is gone"));
    }
    // The rename asks for the locks by the names' order, so that it would wait for the sentry first, and stand
    // behind the application for the table itself.
    locker.execute(&format!("drop /* gh-ost */ table if exists {sentry}")).await?;
    renamer.execute(&format!("set /* gh-ost */ session lock_wait_timeout = {limit}")).await?;
    let number = renamer.session().await?.id().to_owned();
    let rename =
        format!("rename /* gh-ost */ table {original} to {sentry}, {copied} to {original}");
    let renamed = tokio::spawn(async move { renamer.execute(&rename).await });
    let waits = format!(
        "select /* gh-ost */ count(*) from information_schema.processlist where id = {number} and state like \
         '%metadata lock%' and info like '%rename%'"
    );
    let begun = Instant::now();
    while copy.database.number(&waits).await? == 0 {
        if renamed.is_finished() || Duration::from_secs(limit) < begun.elapsed() {
            // With the sentry back, a rename that comes behind the application fails.
            let _ = copy.database.execute(&create).await;
            let _ = locker.execute("unlock /* gh-ost */ tables").await;
            let why = match renamed.await {
                Ok(Err(error)) => return Err(error),
                Ok(Ok(_)) => return Ok(()),
                Err(error) => error.to_string(),
            };
            return Err(Error::new(Class::Refused, format!("rename is not seen to wait: {why}")));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    locker.execute("unlock /* gh-ost */ tables").await?;
    match renamed.await {
        Ok(done) => done.map(drop),
        Err(error) => Err(Error::new(Class::Refused, error.to_string())),
    }
}
