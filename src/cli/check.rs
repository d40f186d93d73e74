//! `backstop check`.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use super::args::CheckArgs;
use super::exit::{Exit, Failure};
use super::spool::Page;
use crate::ops::{self, check as gate};
use crate::report::findings;

pub(super) fn check(args: &CheckArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    let stdin = if args.paths.iter().any(|path| path == Path::new("-")) {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).map_err(|error| {
            Failure::usage(format!("standard input cannot be read as text: {error}"))
        })?;
        Some(text)
    } else {
        None
    };
    let asked = gate::Asked {
        paths: args.paths.clone(),
        stdin,
        since: args.since.clone(),
        database: args.database.clone(),
        runner: args.runner.clone(),
        schema: args.schema.clone(),
        stats: args.stats.clone(),
        evidence: args.evidence.clone(),
    };
    // A check needs no journal; one that is there knows which jobs are verified.
    let journal = match ops::open_journal(state) {
        Ok(journal) => Some(journal),
        Err(ops::Error::NoJournal { .. }) if state.is_none() => None,
        Err(error) => return Err(error.into()),
    };
    let ready = gate::prepare(&asked, &ops::load_config()?, journal.as_ref())?;
    let format = if args.json { "json" } else { &args.format };
    let style = findings::Style { colour: coloured() };
    let heading = findings::Heading { server: ready.server(), style };
    let mut writing = findings::Writing::begin(format, &heading);
    let mut page = Page::new();
    let sum = ready.judge(|judged| {
        writing.file(&judged);
        page.take(&mut writing.out)
    })?;
    page.take(&mut writing.out)?;
    page.end(&writing.end(&sum))?;
    Ok(if sum.passes() { Exit::Done } else { Exit::No })
}

/// Colour is for a terminal, and for nobody who said no (<https://no-color.org>).
fn coloured() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
    !refused && !dumb && std::io::stdout().is_terminal()
}
