//! What the gate predicts of a statement, held against what the servers do.

mod ladder;
mod locks;

use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    let mut trials = locks::trials();
    trials.extend(ladder::trials());
    trials
}
