//! Two runners that claim a range at the same moment: each knows its own epoch, on every engine.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use backstop::keyspace::{Key, Range};
use backstop::target::fence::{Fence, Generation};
use backstop::target::{Access, Brake, Reads, Result, Row, Session, Statement, Target};
use libtest_mimic::Trial;
use tokio::task::JoinHandle;

use crate::database::{Database, Engine, available, execute, try_connect};
use crate::test;

pub fn trials() -> Vec<Trial> {
    let each = |engine: Engine| {
        test(format!("claiming: no two runners get one epoch on {}", engine.name), move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let database = Database::new(engine);
            runtime.block_on(no_shared_epoch(&database.url));
        })
    };
    let shared = |engine: Engine| {
        let name =
            format!("claiming: a range that is shared meanwhile is claimed on {}", engine.name);
        test(name, move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let database = Database::new(engine);
            runtime.block_on(shared_meanwhile(&database.url));
        })
    };
    let servers = available().filter(|engine| engine.url_env.is_some());
    available().map(each).chain(servers.map(shared)).collect()
}

/// A session of one runner, whose COMMITs another runner meets.
struct Met {
    inner: Box<dyn Session>,
    target: Arc<dyn Target>,
    fence: Fence,
    meeting: Meeting,
}

/// What the other runner does.
enum Meeting {
    /// Claims the job after every COMMIT; what it got.
    After { session: Box<dyn Session>, theirs: Vec<Range> },
    /// Begins to claim the job before the next COMMIT, and waits.
    Before(Option<Box<dyn Session>>),
    /// Waits, or has claimed the job.
    Claiming(JoinHandle<Vec<Range>>),
}

impl Met {
    fn theirs(&self) -> &[Range] {
        match &self.meeting {
            Meeting::After { theirs, .. } => theirs,
            _ => &[],
        }
    }

    /// Begins the other's claim, and lets it come to where it waits.
    async fn begin_claim(&mut self, mut session: Box<dyn Session>) {
        let (target, fence) = (Arc::clone(&self.target), self.fence.clone());
        self.meeting = Meeting::Claiming(tokio::spawn(async move {
            let ranges = fence.claim(target.dialect(), session.as_mut(), 1, "the other").await;
            session.close().await;
            ranges.unwrap()
        }));
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[async_trait]
impl Session for Met {
    fn id(&self) -> &str {
        self.inner.id()
    }

    fn identity(&self) -> &str {
        self.inner.identity()
    }

    fn brake(&self) -> Brake {
        self.inner.brake()
    }

    async fn prepare(&mut self, sql: &str) -> Result<()> {
        self.inner.prepare(sql).await
    }

    async fn query(&mut self, statement: &Statement) -> Result<Vec<Row>> {
        self.inner.query(statement).await
    }

    async fn execute(&mut self, statement: &Statement) -> Result<u64> {
        self.inner.execute(statement).await
    }

    async fn measure(&mut self, statement: &Statement, limit: Duration) -> Result<Option<Reads>> {
        self.inner.measure(statement, limit).await
    }

    async fn foretell(&mut self, statement: &Statement) -> Result<Option<Access>> {
        self.inner.foretell(statement).await
    }

    async fn begin(&mut self) -> Result<()> {
        self.inner.begin().await
    }

    async fn commit(&mut self) -> Result<()> {
        if let Meeting::Before(session) = &mut self.meeting
            && let Some(session) = session.take()
        {
            self.begin_claim(session).await;
        }
        self.inner.commit().await?;
        if let Meeting::After { session, theirs } = &mut self.meeting {
            let dialect = self.target.dialect();
            *theirs = self.fence.claim(dialect, session.as_mut(), 1, "the other").await?;
        }
        Ok(())
    }

    async fn rollback(&mut self) -> Result<()> {
        self.inner.rollback().await
    }

    async fn close(self: Box<Self>) {
        if let Meeting::After { session, .. } = self.meeting {
            session.close().await;
        }
        self.inner.close().await;
    }
}

fn key(value: &str) -> Key {
    Key(vec![value.to_owned()])
}

fn generation(holder: Option<&str>, ranges: Vec<Range>) -> Generation {
    Generation {
        number: 1,
        spec_hash: "hash".to_owned(),
        table_identity: "table".to_owned(),
        holder: holder.map(str::to_owned),
        ranges,
    }
}

/// A fence with one range that nobody owns, and the session that made it.
async fn fence(target: &dyn Target) -> (Fence, Box<dyn Session>) {
    let mut session = target.open("claiming").await.unwrap();
    let home = target.fence_home(session.as_mut(), None).await.unwrap();
    for place in home.places() {
        execute(session.as_mut(), &place.ddl).await;
    }
    let fence = Fence::of(&home, "claimed");
    let unclaimed = generation(None, vec![Range::new(0, None, key("9"))]);
    fence.create(target.dialect(), session.as_mut(), &unclaimed).await.unwrap();
    (fence, session)
}

/// The owner shares its range while another runner's claim waits for that range's row: what the
/// owner inserts then was not there when the claim began, and must be the other's all the same.
async fn shared_meanwhile(url: &str) {
    let target = try_connect(url).await.unwrap();
    let dialect = target.dialect();
    let (fence, mut owner) = fence(&*target).await;
    let owned = fence.claim(dialect, owner.as_mut(), 1, "the owner").await.unwrap().remove(0);

    let other = target.open("claiming too").await.unwrap();
    let meeting = Meeting::Before(Some(other));
    let (target, inner) = (Arc::clone(&target), owner);
    let mut owner = Met { inner, target, fence: fence.clone(), meeting };
    let kept = Range { hi: key("5"), ..owned.clone() };
    let given = Range { epoch: owned.epoch, ..Range::new(1, Some(key("5")), key("9")) };
    let parts = generation(Some("the owner"), vec![kept.clone(), given.clone()]);
    assert!(fence.split(dialect, &mut owner, &parts).await.unwrap());
    let Meeting::Claiming(claim) = std::mem::replace(&mut owner.meeting, Meeting::Before(None))
    else {
        panic!("the two did not meet")
    };
    let theirs = claim.await.unwrap();
    assert_eq!(theirs.len(), 2, "{theirs:?}");
    for range in [&kept, &given] {
        let taken = &theirs[range.id as usize];
        assert_eq!((&taken.lo, &taken.hi), (&range.lo, &range.hi), "{theirs:?}");
        assert!(range.epoch < taken.epoch, "two runners own range {}: {theirs:?}", range.id);
    }
    assert!(!fence.split(dialect, &mut owner, &parts).await.unwrap(), "it is the other's");
    let found = fence.load(dialect, &mut owner).await.unwrap().unwrap();
    assert_eq!(found.ranges, theirs, "nothing of the second attempt stays");
    Box::new(owner).close().await;
}

async fn no_shared_epoch(url: &str) {
    let target = try_connect(url).await.unwrap();
    let dialect = target.dialect();
    let (fence, inner) = fence(&*target).await;
    let other = target.open("claiming too").await.unwrap();
    let meeting = Meeting::After { session: other, theirs: Vec::new() };
    let target = Arc::clone(&target);
    let mut session = Met { inner, target, fence: fence.clone(), meeting };
    let ours = fence.claim(dialect, &mut session, 1, "this one").await.unwrap();
    assert_eq!(ours[0].epoch + 1, session.theirs()[0].epoch, "a claim");

    // The row is the other's by now: this one takes it back as if it were that one.
    let before = session.theirs()[0].clone();
    let ours =
        fence.reclaim(dialect, &mut session, 1, &before, "this one", &[]).await.unwrap().unwrap();
    assert_eq!(before.epoch + 1, ours.epoch);
    assert_eq!(ours.epoch + 1, session.theirs()[0].epoch, "a reclaim");

    let late = fence.reclaim(dialect, &mut session, 1, &ours, "this one", &[]).await.unwrap();
    assert!(late.is_none(), "the row is another's, and was taken all the same");
    Box::new(session).close().await;
}
