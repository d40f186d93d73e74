//! What came out of a file: predictions held against the truth.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::data::{Case, Done, version};
use super::told::strength;
use crate::database::Engine;

/// How a prediction can be wrong, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    /// The server does more.
    TooLittle,
    /// The server accepts it.
    FalseRefusal,
    /// The server refuses it.
    Accepted,
    /// The server does less.
    TooMuch,
}

#[derive(Default)]
pub struct Report {
    truth: String,
    wrong: Vec<(Wrong, String)>,
    cases: usize,
}

impl Report {
    /// Holds one prediction, with a word if it is not sure, against the truth.
    pub fn add(&mut self, case: &Case, is: &Done, (said, sure): &(Done, String)) {
        self.cases += 1;
        let _ = writeln!(self.truth, "== {}\n{}", case.title(), lines(is));
        let mut differences = differences(is, said);
        differences.retain(|(wrong, _)| !(case.more && *wrong == Wrong::TooMuch));
        let Some(worst) = differences.iter().map(|(wrong, _)| *wrong).min() else {
            return;
        };
        let mut text = format!("== {worst:?}: {}\n", case.title());
        for (_, line) in differences {
            let _ = writeln!(text, "   {line}");
        }
        if !sure.is_empty() {
            let _ = writeln!(text, "   ({sure})");
        }
        self.wrong.push((worst, text));
    }

    /// Fails if anything is wrong. `BACKSTOP_TEST_TRUTH` names a folder that
    /// gets what the servers did, and all that is wrong, for whoever writes a prediction.
    pub fn end(mut self, engine: Engine, name: &str) {
        let joined = |list: &mut Vec<(Wrong, String)>| {
            list.sort_by_key(|(wrong, _)| *wrong);
            list.iter().map(|(_, text)| text.as_str()).collect::<String>()
        };
        let wrong = joined(&mut self.wrong);
        if let Ok(folder) = std::env::var("BACKSTOP_TEST_TRUTH") {
            let write = |what: &str, text: &str| {
                let file = format!("{folder}/{what}{}-{name}.txt", version(engine));
                std::fs::write(file, text).unwrap();
            };
            write("", &self.truth);
            write("mismatches-", &wrong);
        }
        assert!(
            wrong.is_empty(),
            "{} of {} cases of {name}\n{wrong}",
            self.wrong.len(),
            self.cases
        );
    }
}

/// The truth, to be read.
fn lines(is: &Done) -> String {
    if let Some(error) = &is.refused {
        return format!("   refused: {error}\n");
    }
    let mut text = String::new();
    for (relation, mode) in &is.locks {
        let _ = writeln!(text, "   {relation}: {mode}");
    }
    for (what, tables) in work(is).into_iter().filter(|(_, tables)| !tables.is_empty()) {
        let _ = writeln!(text, "   {what}: {tables:?}");
    }
    text
}

fn work(done: &Done) -> [(&'static str, &BTreeSet<String>); 3] {
    [("rewrite", &done.rewrite), ("scan", &done.scan), ("index_build", &done.index_build)]
}

fn differences(is: &Done, said: &Done) -> Vec<(Wrong, String)> {
    if let Some(error) = &is.refused {
        // What rows violate (class 23), no schema foretells.
        let foretold = said.refused.is_some() || error.starts_with("23");
        let line = format!("refused: {error}");
        return if foretold { Vec::new() } else { vec![(Wrong::Accepted, line)] };
    }
    if let Some(why) = &said.refused {
        return vec![(Wrong::FalseRefusal, format!("refused: predicted, {why}"))];
    }
    let mut found = Vec::new();
    let relations: BTreeSet<&String> = is.locks.keys().chain(said.locks.keys()).collect();
    for relation in relations {
        let rank = |done: &Done| done.locks.get(relation).map(|mode| strength(mode));
        let name = |done: &Done| done.locks.get(relation).cloned().unwrap_or("no lock".to_owned());
        if rank(is) != rank(said) {
            let wrong = if rank(is) < rank(said) { Wrong::TooMuch } else { Wrong::TooLittle };
            let line = format!("{relation}: {} predicted, {} is", name(said), name(is));
            found.push((wrong, line));
        }
    }
    for ((what, is), (_, said)) in work(is).into_iter().zip(work(said)) {
        if is != said {
            let wrong = if is.is_subset(said) { Wrong::TooMuch } else { Wrong::TooLittle };
            found.push((wrong, format!("{what}: {said:?} predicted, {is:?} is")));
        }
    }
    found
}
