//! The imagined database, its two runners, and everything that can happen to them.
//!
//! **What the world is like**, where it is not a database's manual in short:
//!
//! - A statement is *sent*, and later *run* by the server, also when its client is frozen by then.
//!   Its view of the halts is that of the moment at which it begins, as on PostgreSQL, where a
//!   statement that waited for a row sees the row's newest version and the rest of the database as
//!   it was (READ COMMITTED, EvalPlanQual). InnoDB looks later, which only refuses more.
//! - Whoever wrote a row has its lock to the end of the transaction. A claim of the fence's row
//!   waits for the lock; it is a transaction of its own, which reads the row that it wrote.
//! - No advisory lock keeps a second runner out: where `GET_LOCK` is per node there is none, and the
//!   epoch has to do it alone. So a runner may claim at any time. A take-over also terminates the
//!   session that the fence's row records, which may be any or none: so any may be terminated at
//!   any time, and a kill may raise the epoch at any time.
//! - A connection that is lost leaves a transaction that the server has not noticed to be an
//!   orphan. It keeps its locks until it is rolled back, or, where the COMMIT was on its way, until
//!   it is rolled back or commits. A statement other than COMMIT that reaches the server after its
//!   client is gone can only add locks to a transaction that is rolled back, so it is left out.
//! - The journal does not appear: a runner that begins believes the fence.

use std::fmt;

use backstop::keyspace::{Key, Range};
use backstop::run::protocol::{Answer, End, Step, moved};

use super::fault::{Fault, after};

/// Batches of the job: the first shows what is applied twice, the second what is skipped.
const BATCHES: u8 = 2;

/// Transactions without a client that the server may hold at a time: one of each runner.
const ORPHANS: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name {
    A,
    B,
}

const NAMES: [Name; 2] = [Name::A, Name::B];

/// The fence's row, as committed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Row {
    epoch: u8,
    cursor: u8,
}

/// What a session's open transaction has written, which is also what it has locked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
struct Transaction {
    /// The batch whose rows it wrote.
    batch: Option<u8>,
    /// The cursor that it wrote into the fence's row.
    cursor: Option<u8>,
    /// Whether rows were written, or the fence's statement was begun, while a halt stood that
    /// still stands.
    past_halt: bool,
}

/// A transaction whose client is gone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Orphan {
    transaction: Transaction,
    /// Whether its COMMIT was on its way.
    may_commit: bool,
}

/// Where a runner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    /// No process: not begun yet, crashed, or left.
    Off,
    /// It has claimed, and reads what it has claimed ([`Fault::ClaimReadsLater`]).
    Read,
    /// It takes this step next.
    Next(Step),
    /// It has sent this step's statement, and whether a halt stood at that moment.
    Sent(Step, bool),
    /// Its connection was lost outside a COMMIT: it takes the row anew on another.
    Reclaim,
    /// It believes that every batch is applied.
    Done,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Runner {
    at: At,
    frozen: bool,
    /// The epoch that it believes to be its own.
    epoch: u8,
    /// The cursor that it believes in.
    cursor: u8,
    /// What its session has open; `None`: its connection is gone.
    session: Option<Transaction>,
}

const OFF: Runner = Runner { at: At::Off, frozen: false, epoch: 0, cursor: 0, session: None };

/// Everything.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct World {
    row: Row,
    halted: bool,
    /// How often each batch was applied, counted up to 2.
    applied: [u8; BATCHES as usize],
    runners: [Runner; 2],
    orphans: [Option<Orphan>; ORPHANS],
    /// Whether a batch committed past a halt that its last statement, or rows of it, came after.
    passed_halt: bool,
}

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Claims(Name),
    ClaimsAndDies(Name),
    ReadsItsClaim(Name),
    Takes(Name, Step),
    Sends(Name, Step),
    ServerRuns(Name, Step, Answer),
    Reclaims(Name),
    ReclaimsAndHearsNothing(Name),
    Leaves(Name),
    Crashes(Name),
    Freezes(Name),
    Wakes(Name),
    LosesItsConnection(Name),
    SessionIsTerminated(Name),
    EpochIsRaised,
    OrphanIsRolledBack,
    OrphanCommits,
    HaltIsInserted,
    HaltIsReleased,
    ServerRestarts,
}

impl Action {
    /// Whether it is a misfortune, or an order to stop, rather than a step towards the end.
    pub fn is_misfortune(self) -> bool {
        matches!(
            self,
            Self::ClaimsAndDies(_)
                | Self::ReclaimsAndHearsNothing(_)
                | Self::ServerRuns(_, _, Answer::Failed)
                | Self::Crashes(_)
                | Self::Freezes(_)
                | Self::LosesItsConnection(_)
                | Self::SessionIsTerminated(_)
                | Self::EpochIsRaised
                | Self::HaltIsInserted
                | Self::ServerRestarts
        )
    }
}

impl World {
    pub const BEGINNING: Self = Self {
        row: Row { epoch: 1, cursor: 0 },
        halted: false,
        applied: [0; BATCHES as usize],
        runners: [OFF; 2],
        orphans: [None; ORPHANS],
        passed_halt: false,
    };

    fn runner(&mut self, name: Name) -> &mut Runner {
        &mut self.runners[name as usize]
    }

    /// Every open transaction.
    fn transactions(&self) -> impl Iterator<Item = &Transaction> {
        let orphans = self.orphans.iter().flatten().map(|orphan| &orphan.transaction);
        self.runners.iter().filter_map(|runner| runner.session.as_ref()).chain(orphans)
    }

    /// Whether a transaction other than this runner's own has the lock of the batch's rows.
    fn rows_are_locked(&self, name: Name, batch: u8) -> bool {
        let wrote = |transaction: &Transaction| transaction.batch == Some(batch);
        let own = self.runners[name as usize].session.as_ref().is_some_and(wrote);
        usize::from(own) < self.transactions().filter(|other| wrote(other)).count()
    }

    /// Whether a transaction has the lock of the fence's row. The runner that asks has not: each
    /// transaction takes it once.
    fn row_is_locked(&self) -> bool {
        self.transactions().any(|transaction| transaction.cursor.is_some())
    }

    /// What a COMMIT does, whoever still listens for its answer.
    fn commit(&mut self, transaction: Transaction) {
        if let Some(batch) = transaction.batch {
            let count = &mut self.applied[usize::from(batch)];
            *count = 2.min(*count + 1);
        }
        if let Some(cursor) = transaction.cursor {
            self.row.cursor = cursor;
        }
        self.passed_halt |= transaction.past_halt;
    }

    /// Raises the epoch for this runner on a new session.
    fn claim(&mut self, name: Name, fault: Option<Fault>) {
        if fault != Some(Fault::ClaimKeepsEpoch) {
            self.row.epoch += 1;
        }
        let row = self.row;
        let runner = self.runner(name);
        runner.session = Some(Transaction::default());
        (runner.epoch, runner.cursor) = (row.epoch, row.cursor);
    }

    /// The runner gets an answer to the step that it is at, and decides by it.
    fn hear(&mut self, name: Name, step: Step, answer: Answer, fault: Option<Fault>) {
        let runner = self.runner(name);
        runner.at = match after(step, answer, fault) {
            Step::End(End::Committed) => {
                // A settled COMMIT has read the cursor with the row.
                runner.cursor += u8::from(step == Step::Commit);
                runner.onward()
            }
            Step::End(End::RolledBack) => runner.onward(),
            Step::End(End::Refused | End::Unknown) => {
                *runner = OFF;
                At::Off
            }
            next => At::Next(next),
        };
    }

    /// The client of a session is gone, and the server has not noticed.
    fn orphan(&mut self, name: Name) {
        let runner = self.runner(name);
        let may_commit = matches!(runner.at, At::Sent(Step::Commit, _));
        let Some(transaction) = runner.session.take() else { return };
        // One that has written nothing has no effect on anybody.
        if transaction != Transaction::default()
            && let Some(slot) = self.orphans.iter_mut().find(|slot| slot.is_none())
        {
            *slot = Some(Orphan { transaction, may_commit });
        }
    }

    /// The runner's session is gone. It hears of it when it waits for an answer, or else at its
    /// next statement.
    fn lose(&mut self, name: Name, fault: Option<Fault>) {
        self.runner(name).session = None;
        match self.runner(name).at {
            At::Sent(step, _) => self.hear(name, step, Answer::Lost, fault),
            At::Read => *self.runner(name) = OFF,
            _ => {}
        }
    }

    /// The same world with what makes no difference made equal: which of the older epochs a runner
    /// has, and which orphan came first.
    pub fn canonical(mut self) -> Self {
        for runner in &mut self.runners {
            runner.epoch = u8::from(runner.epoch == self.row.epoch);
        }
        self.row.epoch = 1;
        self.orphans.sort_unstable();
        self
    }

    /// The promise that is broken here, if one is.
    pub fn broken(&self) -> Option<&'static str> {
        let cursor = self.row.cursor;
        let whole =
            self.applied.iter().zip(0..).all(|(count, batch)| *count == u8::from(batch < cursor));
        if self.applied.contains(&2) {
            Some("a batch was applied twice")
        } else if !whole {
            Some("the cursor is not at the end of what was applied")
        } else if self.runners.iter().any(|runner| cursor < runner.cursor) {
            Some("a runner believes in more than was committed")
        } else if self.runners.iter().any(|runner| runner.at == At::Done) && cursor < BATCHES {
            Some("a runner believes that it is done, and a batch is missing")
        } else if self.passed_halt {
            Some("a batch committed past a halt that stood before its last statement began")
        } else {
            None
        }
    }

    pub fn is_finished(&self) -> bool {
        self.runners.iter().any(|runner| runner.at == At::Done)
    }

    /// Everything that can happen next, and what the world is like then.
    pub fn futures(&self, fault: Option<Fault>) -> Vec<(Action, Self)> {
        let mut futures = Vec::new();
        for name in NAMES {
            self.of_runner(name, fault, &mut futures);
            self.of_server(name, fault, &mut futures);
            self.misfortunes(name, fault, &mut futures);
        }
        self.of_others(fault, &mut futures);
        futures.into_iter().map(|(action, world)| (action, world.canonical())).collect()
    }

    /// What the runner's process does by itself.
    fn of_runner(&self, name: Name, fault: Option<Fault>, futures: &mut Vec<(Action, Self)>) {
        let runner = self.runners[name as usize];
        if runner.frozen {
            let mut world = *self;
            world.runner(name).frozen = false;
            futures.push((Action::Wakes(name), world));
            return;
        }
        let mut world = *self;
        match runner.at {
            At::Off if !self.row_is_locked() => {
                world.claim(name, fault);
                let mut dead = world;
                *dead.runner(name) = OFF;
                futures.push((Action::ClaimsAndDies(name), dead));
                let runner = world.runner(name);
                let later = fault == Some(Fault::ClaimReadsLater);
                runner.at = if later { At::Read } else { runner.onward() };
                futures.push((Action::Claims(name), world));
            }
            At::Read => {
                let row = world.row;
                let runner = world.runner(name);
                (runner.epoch, runner.cursor) = (row.epoch, row.cursor);
                runner.at = runner.onward();
                futures.push((Action::ReadsItsClaim(name), world));
            }
            At::Next(step @ Step::Settle) => self.settle(name, step, fault, futures),
            At::Next(step @ (Step::Begin | Step::Rollback(_))) => {
                let answer = match &mut world.runner(name).session {
                    Some(transaction) => {
                        *transaction = Transaction::default();
                        Answer::Done
                    }
                    None => Answer::Lost,
                };
                world.hear(name, step, answer, fault);
                futures.push((Action::Takes(name, step), world));
            }
            At::Next(step) => {
                let halted = self.halted;
                match &mut world.runner(name).session {
                    Some(transaction) => {
                        transaction.past_halt |= step == Step::Fence && halted;
                        world.runner(name).at = At::Sent(step, halted);
                    }
                    None => world.hear(name, step, Answer::Lost, fault),
                }
                futures.push((Action::Sends(name, step), world));
            }
            At::Reclaim => self.reclaim(name, fault, futures),
            At::Done => {
                *world.runner(name) = OFF;
                futures.push((Action::Leaves(name), world));
            }
            At::Off | At::Sent(..) => {}
        }
    }

    /// Takes the row anew, on condition that it is still this runner's, and asks whether the batch
    /// moved it whose COMMIT was not answered.
    fn settle(
        &self,
        name: Name,
        step: Step,
        fault: Option<Fault>,
        futures: &mut Vec<(Action, Self)>,
    ) {
        let waits = fault != Some(Fault::SettleWithoutWaiting);
        if waits && self.row_is_locked() {
            return;
        }
        let mut world = *self;
        let runner = self.runners[name as usize];
        let answer = if runner.epoch != self.row.epoch {
            Answer::Failed
        } else {
            if waits {
                world.claim(name, fault);
            } else {
                world.runner(name).session = Some(Transaction::default());
                world.runner(name).cursor = self.row.cursor;
            }
            let next = range(runner.cursor + 1);
            if moved(&range(self.row.cursor), &next) { Answer::Done } else { Answer::NotSo }
        };
        let mut unheard = world;
        unheard.runner(name).session = None;
        unheard.hear(name, step, Answer::Lost, fault);
        futures.push((Action::ReclaimsAndHearsNothing(name), unheard));
        world.hear(name, step, answer, fault);
        futures.push((Action::Takes(name, step), world));
    }

    /// Takes the row anew after a connection was lost outside a COMMIT.
    fn reclaim(&self, name: Name, fault: Option<Fault>, futures: &mut Vec<(Action, Self)>) {
        if self.row_is_locked() {
            return;
        }
        let mut world = *self;
        if world.runner(name).epoch == self.row.epoch {
            world.claim(name, fault);
            let mut unheard = world;
            *unheard.runner(name) = OFF;
            futures.push((Action::ReclaimsAndHearsNothing(name), unheard));
            let runner = world.runner(name);
            runner.at = runner.onward();
        } else {
            *world.runner(name) = OFF;
        }
        futures.push((Action::Reclaims(name), world));
    }

    /// What the server does with the statement that the runner has sent.
    fn of_server(&self, name: Name, fault: Option<Fault>, futures: &mut Vec<(Action, Self)>) {
        let Runner { at: At::Sent(step, saw_halt), epoch, cursor, session, .. } =
            self.runners[name as usize]
        else {
            return;
        };
        let mut transaction = session.unwrap_or_default();
        let mut answered = |mut world: Self, transaction: Transaction, answer| {
            world.runner(name).session = Some(transaction);
            world.hear(name, step, answer, fault);
            futures.push((Action::ServerRuns(name, step, answer), world));
        };
        // A deadlock, a time-out, a cancel. At COMMIT it means that all was rolled back.
        let kept = if step == Step::Commit { Transaction::default() } else { transaction };
        answered(*self, kept, Answer::Failed);

        let writes = step == Step::Write;
        let fences = step == Step::Fence || (writes && fault == Some(Fault::OneSnapshot));
        if (writes && self.rows_are_locked(name, cursor)) || (fences && self.row_is_locked()) {
            return;
        }
        let mut world = *self;
        if step == Step::Commit {
            world.commit(transaction);
            answered(world, Transaction::default(), Answer::Done);
            return;
        }
        if writes {
            transaction.batch = Some(cursor);
            transaction.past_halt |= self.halted;
        }
        let own = epoch == self.row.epoch || fault == Some(Fault::EpochNotChecked);
        let free = !saw_halt || fault == Some(Fault::HaltNotChecked);
        if !fences {
            answered(world, transaction, Answer::Done);
        } else if own && free {
            transaction.cursor = Some(cursor + 1);
            answered(world, transaction, Answer::Done);
        } else {
            answered(world, transaction, Answer::NotSo);
        }
    }

    /// What can befall a runner.
    fn misfortunes(&self, name: Name, fault: Option<Fault>, futures: &mut Vec<(Action, Self)>) {
        let runner = self.runners[name as usize];
        if runner.at == At::Off {
            return;
        }
        // With no room for another orphan, one of those there ends first: the world without it is
        // visited too.
        if self.orphans.contains(&None) {
            let mut world = *self;
            world.orphan(name);
            *world.runner(name) = OFF;
            futures.push((Action::Crashes(name), world));
            if runner.session.is_some() {
                let mut world = *self;
                world.orphan(name);
                world.lose(name, fault);
                futures.push((Action::LosesItsConnection(name), world));
            }
        }
        if !runner.frozen {
            let mut world = *self;
            world.runner(name).frozen = true;
            futures.push((Action::Freezes(name), world));
        }
    }

    /// What the server, an operator and a runner elsewhere do.
    fn of_others(&self, fault: Option<Fault>, futures: &mut Vec<(Action, Self)>) {
        for (index, orphan) in self.orphans.iter().enumerate() {
            let Some(orphan) = orphan else { continue };
            let mut world = *self;
            world.orphans[index] = None;
            if fault != Some(Fault::OrphansStay) {
                futures.push((Action::OrphanIsRolledBack, world));
            }
            if orphan.may_commit {
                world.commit(orphan.transaction);
                futures.push((Action::OrphanCommits, world));
            }
        }
        for name in NAMES {
            if self.runners[name as usize].session.is_some() {
                let mut world = *self;
                world.lose(name, fault);
                futures.push((Action::SessionIsTerminated(name), world));
            }
        }
        let mut world = *self;
        world.halted = !self.halted;
        if self.halted {
            let runners = world.runners.iter_mut().filter_map(|runner| runner.session.as_mut());
            let orphans = world.orphans.iter_mut().flatten();
            runners
                .chain(orphans.map(|orphan| &mut orphan.transaction))
                .for_each(|transaction| transaction.past_halt = false);
            futures.push((Action::HaltIsReleased, world));
        } else {
            futures.push((Action::HaltIsInserted, world));
        }
        if !self.row_is_locked() {
            let mut world = *self;
            world.row.epoch += 1;
            futures.push((Action::EpochIsRaised, world));
        }
        let mut world = *self;
        world.orphans = [None; ORPHANS];
        NAMES.into_iter().for_each(|name| world.lose(name, fault));
        futures.push((Action::ServerRestarts, world));
    }
}

impl Runner {
    /// Where it goes when a batch is over.
    fn onward(&self) -> At {
        if self.session.is_none() {
            At::Reclaim
        } else if self.cursor == BATCHES {
            At::Done
        } else {
            At::Next(Step::FIRST)
        }
    }
}

/// The range with that many batches done, as the runner would read it.
fn range(batches: u8) -> Range {
    let key = |number: u8| Key(vec![number.to_string()]);
    Range {
        cursor: (0 < batches).then(|| key(batches)),
        batches: batches.into(),
        ..Range::new(0, None, key(BATCHES))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServerRuns(name, step, answer) => {
                write!(f, "the server runs {name:?}'s {step:?}: {answer:?}")
            }
            Self::Takes(name, step) => write!(f, "{name:?}: {step:?}"),
            Self::Sends(name, step) => write!(f, "{name:?} sends {step:?}"),
            other => write!(f, "{other:?}"),
        }
    }
}
