//! The copy: chunks by the key, and the application's changes, found by comparing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backstop::target::Error;

use super::database::{Database, name, text};
use super::state::Double;
use super::throttle;
use super::{CHECKPOINT_MS, CHUNK_MS, milliseconds};

/// So often changes are looked for.
const SWEEP: Duration = Duration::from_millis(400);

/// What is known of the two tables.
pub struct Shape {
    /// The columns of the key that it copies by.
    pub key: Vec<String>,
    /// That key's name.
    index: String,
    /// The columns that both have and neither computes.
    columns: Vec<String>,
}

impl Shape {
    /// That of the table alone.
    pub async fn of(double: &Double, database: &mut Database) -> Result<Self, Error> {
        let of = |what: &str| {
            format!(
                "select /* gh-ost */ {what} from information_schema.statistics where table_schema = {} and \
                 table_name = {}",
                text(double.flags.text("database")),
                text(double.table())
            )
        };
        let keys = of("index_name")
            + " group by index_name having max(non_unique) = 0 and max(nullable = 'YES') = 0 order by index_name \
               <> 'PRIMARY', index_name";
        let index = database.column(&keys).await?.into_iter().next().unwrap_or_default();
        let columns = of("column_name")
            + &format!(" and index_name = {} order by seq_in_index", text(&index));
        let key = database.column(&columns).await?;
        Ok(Self { key, index, columns: Vec::new() })
    }

    /// With what the copy has in common.
    pub async fn with_copy(mut self, double: &Double, database: &mut Database) -> Self {
        let of = |table: &str| {
            format!(
                "select /* gh-ost */ column_name from information_schema.columns where table_schema = {} and \
                 table_name = {} and coalesce(generation_expression, '') = '' order by ordinal_position",
                text(double.flags.text("database")),
                text(table)
            )
        };
        let read = async {
            let copy = database.column(&of(&double.own_name("gho"))).await?;
            let own = database.column(&of(double.table())).await?;
            Ok(own.into_iter().filter(|column| copy.contains(column)).collect())
        };
        match read.await {
            Ok(columns) => self.columns = columns,
            Err(error) => double.fatal(&Error::to_string(&error)),
        }
        self
    }

    /// The columns, each behind this.
    fn list(&self, columns: &[String], before: &str) -> String {
        let columns: Vec<String> =
            columns.iter().map(|column| format!("{before}{}", name(column))).collect();
        columns.join(", ")
    }

    /// The key as one value, of the table of that alias.
    fn key_of(&self, alias: &str) -> String {
        format!("({})", self.list(&self.key, alias))
    }

    /// Its values, as a literal of each.
    fn quoted_key(&self, alias: &str) -> String {
        let parts: Vec<String> =
            self.key.iter().map(|column| format!("quote({alias}{})", name(column))).collect();
        format!("concat('(', concat_ws(', ', {}), ')')", parts.join(", "))
    }

    fn on_key(&self) -> String {
        let parts: Vec<String> =
            self.key.iter().map(|column| format!("g.{0} <=> o.{0}", name(column))).collect();
        parts.join(" and ")
    }

    /// How a row is written whether it is there or not. One of an old table keeps what the table has no column for.
    fn write(&self, double: &Double) -> (&'static str, String) {
        if !double.reverts() {
            return ("replace", String::new());
        }
        let parts: Vec<String> =
            self.columns.iter().map(|column| format!("{0} = values({0})", name(column))).collect();
        ("insert", format!(" on duplicate key update {}", parts.join(", ")))
    }

    fn is_same(&self) -> String {
        let parts: Vec<String> =
            self.columns.iter().map(|column| format!("o.{0} <=> g.{0}", name(column))).collect();
        parts.join(" and ")
    }
}

/// The copy under way.
pub struct Copy {
    pub double: Arc<Double>,
    pub database: Database,
    shape: Shape,
    /// Up to which key it is copied, and up to which it is to be.
    low: Option<String>,
    high: Option<String>,
    iteration: u64,
    swept: Instant,
    saved: Instant,
}

impl Copy {
    pub fn new(double: Arc<Double>, database: Database, shape: Shape) -> Self {
        let now = Instant::now();
        Self {
            double,
            database,
            shape,
            low: None,
            high: None,
            iteration: 0,
            swept: now,
            saved: now,
        }
    }

    /// Drops tables of its own.
    pub async fn drop_tables(&mut self, ends: &[&str]) {
        for end in ends {
            let sql = format!("drop /* gh-ost */ table if exists {}", self.double.own(end));
            if let Err(error) = self.database.execute(&sql).await {
                self.double.log("ERROR", &error.to_string());
            }
        }
    }

    /// Goes on where the last checkpoint was.
    pub async fn take_up(&mut self) {
        let sql = format!(
            "select /* gh-ost */ gh_ost_range_max, gh_ost_rows_copied from {} order by gh_ost_chk_id desc limit 1",
            self.double.own("ghk")
        );
        let row = match self.database.query(&sql).await {
            Ok(rows) => rows.into_iter().next(),
            Err(error) => self.double.fatal(&error.to_string()),
        };
        let Some([low, Some(copied)]) = row.as_deref() else {
            self.double.fatal("no checkpoint found, unable to resume: sql: no rows in result set");
        };
        self.low.clone_from(low);
        self.double.live().copied = copied.parse().unwrap_or_default();
    }

    /// How many rows there are, or what the server's plan says of that.
    pub async fn count(&mut self) {
        let original = self.double.original();
        let exact = self.double.flags.is("exact-rowcount");
        let as_tree = "select /* gh-ost */ version() like '9.%'";
        let explains_as_tree = self.database.number(as_tree).await.unwrap_or_default() == 1;
        let counted = if exact || !explains_as_tree {
            // The real one takes an estimate here without `--exact-rowcount`, that is not far off on the tables
            // of a test.
            self.database.number(&format!("select /* gh-ost */ count(*) from {original}")).await
        } else {
            Ok(0)
        };
        match counted {
            Ok(counted) => self.double.live().estimate = counted,
            Err(error) => self.double.fatal(&error.to_string()),
        }
    }

    /// Copies what is there.
    pub async fn all(&mut self) {
        let greatest = format!(
            "select /* gh-ost */ {} from {} order by {} desc limit 1",
            self.shape.quoted_key(""),
            self.double.original(),
            self.shape.list(&self.shape.key, "").replace(", ", " desc, ")
        );
        self.high = match self.database.column(&greatest).await {
            Ok(column) => column.into_iter().next(),
            Err(error) => self.double.fatal(&error.to_string()),
        };
        while self.high.is_some() {
            throttle::wait(&self.double).await;
            let begun = Instant::now();
            let more = self.again_and_again().await;
            let took = begun.elapsed();
            self.sweep_in_time().await;
            self.save_in_time().await;
            if !more {
                return;
            }
            let nice = self.double.live().nice;
            tokio::time::sleep(took.mul_f64(nice)).await;
        }
    }

    /// A chunk, tried as often as `--default-retries` says. Whether there are more.
    async fn again_and_again(&mut self) -> bool {
        let most = self.double.flags.number("default-retries", 60);
        for attempt in 1.. {
            match self.chunk().await {
                Ok(more) => return more,
                Err(error) if attempt < most => {
                    self.double.log("ERROR", &error.to_string());
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Err(error) => self.double.fatal(&error.to_string()),
            }
        }
        false
    }

    async fn chunk(&mut self) -> Result<bool, Error> {
        let Some(high) = self.high.clone() else { return Ok(false) };
        let (original, key) = (self.double.original(), self.shape.key_of(""));
        let above = match &self.low {
            Some(low) => format!("{key} > {low} and "),
            None => String::new(),
        };
        let rows = self.double.live().chunk_size;
        let end = format!(
            "select /* gh-ost {original} */ {} from {original} where {above}{key} <= {high} order by {} limit 1 offset \
             {}",
            self.shape.quoted_key(""),
            self.shape.list(&self.shape.key, ""),
            rows - 1
        );
        let end = self.database.column(&end).await?.into_iter().next();
        let (to, more) = match end {
            Some(end) => {
                let more = end != high;
                (end, more)
            }
            None => (high, false),
        };
        // A subquery of its own is run once, however many rows there are.
        let slowly = milliseconds(CHUNK_MS).map_or_else(String::new, |time| {
            format!("(select sleep({}) as s) as p straight_join ", time.as_secs_f64())
        });
        let columns = self.shape.list(&self.shape.columns, "");
        let insert = format!(
            "insert /* gh-ost {original} */ ignore into {} ({columns}) (select {columns} from {slowly}{original} force \
             index ({}) where {above}{key} <= {to})",
            self.double.own("gho"),
            name(&self.shape.index)
        );
        let copied = self.database.execute(&insert).await?;
        if self.double.flags.is("panic-on-warnings") {
            let above = match &self.low {
                Some(low) => format!("{} > {low} and ", self.shape.key_of("o.")),
                None => String::new(),
            };
            self.panic_on_warnings(&above, &to).await?;
        }
        self.low = Some(to);
        self.iteration += 1;
        self.double.live().copied += copied;
        Ok(more)
    }

    /// Ends it where a row of the chunk did not get into the copy as it is. The real one reads the server's
    /// warnings, which MySQL does not tell by a prepared statement: here such a row is written once more, as
    /// nothing is ignored, and what the server says then is what it warned of.
    async fn panic_on_warnings(&mut self, above: &str, to: &str) -> Result<(), Error> {
        let (original, copy) = (self.double.original(), self.double.own("gho"));
        let first = name(&self.shape.key[0]);
        let odd = format!(
            "select /* gh-ost {original} */ {}, g.{first} is null from {original} as o left join {copy} as g on {} where \
             {above}{} <= {to} and (g.{first} is null or not ({})) limit 1",
            self.shape.quoted_key("o."),
            self.shape.on_key(),
            self.shape.key_of("o."),
            self.shape.is_same()
        );
        let odd = self.database.query(&odd).await?;
        let Some([Some(key), Some(is_missing)]) = odd.first().map(Vec::as_slice) else {
            return Ok(());
        };
        let columns = self.shape.list(&self.shape.columns, "");
        let verb = if is_missing == "1" { "insert" } else { "replace" };
        let again = format!(
            "{verb} /* gh-ost {original} */ into {copy} ({columns}) select {columns} from {original} where {} = {key}",
            self.shape.key_of("")
        );
        match self.database.execute(&again).await {
            // The application wrote it a moment ago.
            Ok(_) => Ok(()),
            Err(error) if error.is_lost() => Err(error),
            Err(error) => self.double.fatal(&format!(
                "ApplyIterationInsertQuery failed because of SQL warnings: [Warning: {error}]"
            )),
        }
    }

    /// Brings the changes over, if it is time to and nothing makes it wait.
    pub async fn sweep_in_time(&mut self) {
        if self.swept.elapsed() < SWEEP || self.double.live().throttled.is_some() {
            return;
        }
        let up_to = if self.double.live().is_copied { None } else { self.low.clone() };
        // A connection that is lost is made again; what was missed is found the next time.
        if let Err(error) = sweep(&self.double, &self.shape, &mut self.database, up_to).await {
            self.double.log("ERROR", &error.to_string());
        }
        self.swept = Instant::now();
    }

    /// Keeps what the copy holds now in a temporary table of the connection that is to hold the lock: that one
    /// may use no table then that it has not locked, and must not lock the copy, for the rename would wait for
    /// that, and not in front of the application.
    pub async fn remember(&mut self, locker: &mut Database) -> Result<(), Error> {
        sweep(&self.double, &self.shape, &mut self.database, None).await?;
        let (copy, columns) = (self.double.own("gho"), self.shape.list(&self.shape.columns, ""));
        locker.execute(&format!("create /* gh-ost */ temporary table _seen like {copy}")).await?;
        let fill = format!(
            "insert /* gh-ost {copy} */ into _seen ({columns}) select {columns} from {copy}"
        );
        locker.execute(&fill).await.map(drop)
    }

    /// Brings over all that has changed since, while that connection holds the table's lock.
    pub async fn bring_the_rest(&mut self, locker: &mut Database) -> Result<(), Error> {
        let (original, copy) = (self.double.original(), self.double.own("gho"));
        let first = name(&self.shape.key[0]);
        let values: Vec<String> =
            self.shape.columns.iter().map(|column| format!("quote(o.{})", name(column))).collect();
        let changed = format!(
            "select /* gh-ost {copy} */ concat('(', concat_ws(', ', {}), ')') from {original} as o left join _seen as g on \
             {} where g.{first} is null or not ({})",
            values.join(", "),
            self.shape.on_key(),
            self.shape.is_same()
        );
        let gone = format!(
            "select /* gh-ost {copy} */ {} from _seen as g left join {original} as o on {} where o.{first} is null",
            self.shape.quoted_key("g."),
            self.shape.on_key()
        );
        let (changed, gone) = (locker.column(&changed).await?, locker.column(&gone).await?);
        if !gone.is_empty() {
            let delete = format!(
                "delete /* gh-ost {copy} */ from {copy} where {} in ({})",
                self.shape.key_of(""),
                gone.join(", ")
            );
            self.database.execute(&delete).await?;
        }
        if !changed.is_empty() {
            let (verb, behind) = self.shape.write(&self.double);
            let replace = format!(
                "{verb} /* gh-ost {copy} */ into {copy} ({}) values {}{behind}",
                self.shape.list(&self.shape.columns, ""),
                changed.join(", ")
            );
            self.database.execute(&replace).await?;
        }
        Ok(())
    }

    /// Notes how far it is, every so often.
    async fn save_in_time(&mut self) {
        let seconds = self.double.flags.number("checkpoint-seconds", 300).max(10);
        let every = milliseconds(CHECKPOINT_MS).unwrap_or(Duration::from_secs(seconds));
        if !self.double.flags.is("checkpoint") || self.saved.elapsed() < every {
            return;
        }
        if self.low.is_none() {
            return;
        }
        let streamer = self.double.live().streamer.clone();
        self.save(&streamer, false).await;
        self.saved = Instant::now();
    }

    /// Writes a checkpoint, at that place in the log.
    pub async fn save(&mut self, at: &str, is_cut_over: bool) {
        let low = self.low.as_deref().map_or_else(|| "null".to_owned(), text);
        let (copied, applied) = {
            let live = self.double.live();
            (live.copied, live.applied)
        };
        let sql = format!(
            "insert /* gh-ost */ into {} (gh_ost_chk_timestamp, gh_ost_chk_coords, gh_ost_chk_iteration, \
             gh_ost_rows_copied, gh_ost_dml_applied, gh_ost_is_cutover, gh_ost_range_max) values (unix_timestamp(), {}, \
             {}, {copied}, {applied}, {is_cut_over}, {low})",
            self.double.own("ghk"),
            text(at),
            self.iteration,
        );
        if let Err(error) = self.database.execute(&sql).await {
            self.double.log("ERROR", &error.to_string());
        }
    }

    /// Whether the other table has the columns of the key that this one is walked by, as a key.
    pub async fn shares_a_key(&mut self) -> bool {
        let sql = format!(
            "select /* gh-ost */ coalesce(group_concat(column_name order by seq_in_index), '') from \
             information_schema.statistics where table_schema = {} and table_name = {} and non_unique = 0 group by \
             index_name",
            text(self.double.flags.text("database")),
            text(&self.double.own_name("gho"))
        );
        let keys = self.database.column(&sql).await.unwrap_or_default();
        keys.contains(&self.shape.key.join(","))
    }
}

/// Makes the copy equal to the table, up to a key.
async fn sweep(
    double: &Double,
    shape: &Shape,
    database: &mut Database,
    up_to: Option<String>,
) -> Result<(), Error> {
    let (original, copy) = (double.original(), double.own("gho"));
    let range =
        up_to.map_or_else(|| "1 = 1".to_owned(), |to| format!("{} <= {to}", shape.key_of("o.")));
    let (verb, behind) = shape.write(double);
    let replace = format!(
        "{verb} /* gh-ost {copy} */ into {copy} ({}) select {} from {original} as o left join {copy} as g on {} where \
         {range} and (g.{} is null or not ({})){behind}",
        shape.list(&shape.columns, ""),
        shape.list(&shape.columns, "o."),
        shape.on_key(),
        name(&shape.key[0]),
        shape.is_same()
    );
    let mut applied = database.execute(&replace).await?;
    // Read first: a DELETE with a join would lock the rows that it reads.
    let gone = format!(
        "select /* gh-ost {copy} */ {} from {copy} as g left join {original} as o on {} where o.{} is null limit 1000",
        shape.quoted_key("g."),
        shape.on_key(),
        name(&shape.key[0])
    );
    let gone = database.column(&gone).await?;
    if !gone.is_empty() {
        let delete = format!(
            "delete /* gh-ost {copy} */ from {copy} where {} in ({})",
            shape.key_of(""),
            gone.join(", ")
        );
        applied += database.execute(&delete).await?;
    }
    double.live().applied += applied;
    Ok(())
}
