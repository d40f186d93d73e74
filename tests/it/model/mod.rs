//! The protocol of a batch, exhaustively: every order in which two runners, crashes, freezes, lost
//! connections, halts, take-overs and restarts of the server can meet.
//!
//! The order of the steps and every decision are the runner's own ([`Step::next`], [`moved`]); the
//! database around them is imagined. It is a finite world without a bound on the number of events:
//! epochs only grow and are only compared for equality, so those that are not the row's present one
//! are all alike, and what is left has few values. The search therefore covers runs of any length.

mod fault;
mod world;

use std::collections::{HashMap, VecDeque};

use libtest_mimic::Trial;

use crate::test;
use fault::Fault;
use world::{Action, World};

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        test("model: the protocol keeps its promises in every order", holds),
        test("model: a trap is found out", trap_found_out),
    ];
    for fault in Fault::UNSAFE {
        trials.push(test(format!("model: {fault:?} is found out"), move || found_out(fault)));
    }
    trials
}

/// What a search has found.
struct Search {
    worlds: Vec<World>,
    /// From where, and by which action, each world was reached first.
    origins: Vec<Option<(usize, Action)>>,
    /// Who comes before each world without a misfortune.
    before: Vec<Vec<u32>>,
    /// The first world with a broken promise.
    broken: Option<(usize, &'static str)>,
}

/// Visits every world that can be reached, nearest first, until a promise is broken.
fn search(fault: Option<Fault>) -> Search {
    let beginning = World::BEGINNING.canonical();
    let mut found = Search {
        worlds: vec![beginning],
        origins: vec![None],
        before: vec![Vec::new()],
        broken: None,
    };
    let mut index = HashMap::from([(beginning, 0)]);
    let mut queue = VecDeque::from([0]);
    while let Some(here) = queue.pop_front() {
        for (action, world) in found.worlds[here].futures(fault) {
            let there = *index.entry(world).or_insert_with(|| {
                found.worlds.push(world);
                found.origins.push(Some((here, action)));
                found.before.push(Vec::new());
                queue.push_back(found.worlds.len() - 1);
                found.worlds.len() - 1
            });
            if let Some(promise) = world.broken() {
                found.broken = Some((there, promise));
                return found;
            }
            if !action.is_misfortune() {
                found.before[there].push(u32::try_from(here).unwrap());
            }
        }
    }
    found
}

impl Search {
    /// How a world is reached, a line for each action.
    fn trace(&self, mut to: usize) -> String {
        let mut actions = Vec::new();
        while let Some((from, action)) = self.origins[to] {
            actions.push(action);
            to = from;
        }
        let lines = actions.iter().rev().map(|action| format!("  {action}\n"));
        lines.collect()
    }

    /// A world from which no run without further misfortunes finishes the job.
    fn trap(&self) -> Option<usize> {
        let mut open: Vec<usize> =
            (0..self.worlds.len()).filter(|world| self.worlds[*world].is_finished()).collect();
        let mut finishes = vec![false; self.worlds.len()];
        open.iter().for_each(|world| finishes[*world] = true);
        while let Some(world) = open.pop() {
            for before in &self.before[world] {
                if !std::mem::replace(&mut finishes[*before as usize], true) {
                    open.push(*before as usize);
                }
            }
        }
        finishes.iter().position(|finishes| !finishes)
    }
}

fn holds() {
    let found = search(None);
    if let Some((world, promise)) = found.broken {
        panic!("{promise}:\n{}", found.trace(world));
    }
    if let Some(world) = found.trap() {
        panic!("nothing leads from here to the end of the job:\n{}", found.trace(world));
    }
    let finished = found.worlds.iter().filter(|world| world.is_finished()).count();
    assert!(0 < finished, "no run finishes the job");
    println!("model: {} states, {finished} of them finished, none broken", found.worlds.len());
}

fn trap_found_out() {
    let found = search(Some(Fault::OrphansStay));
    assert!(found.broken.is_none(), "a server that waits for ever breaks no promise");
    let trap = found.trap().expect("locks that stay must be a trap");
    println!("model: nothing leads from here to the end of the job:\n{}", found.trace(trap));
}

fn found_out(fault: Fault) {
    let found = search(Some(fault));
    let (world, promise) = found.broken.expect("the fault must break a promise");
    println!(
        "model: {fault:?}: {promise}, found after {} states:\n{}",
        found.worlds.len(),
        found.trace(world)
    );
}
