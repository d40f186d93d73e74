//! What the gate predicts of a statement, held against what the servers do.

mod locks;

use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    locks::trials()
}
