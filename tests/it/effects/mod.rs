//! What the gate predicts of a statement, held against what the servers do.

mod boundaries;
mod data;
mod ladder;
mod locks;
mod parked;
mod psql;
mod report;
mod told;

use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    [parked::trials(), locks::trials(), ladder::trials(), boundaries::trials()]
        .into_iter()
        .flatten()
        .collect()
}
