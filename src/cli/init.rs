//! `backstop init`.

use super::exit::{Exit, Failure};
use super::printer;
use crate::ops::{self, Written};

pub(super) fn init() -> Result<Exit, Failure> {
    let Written { file, hides } = ops::write_config()?;
    printer::note(&format!(
        "`{}` is written; every field in it is a comment, and counts when you uncomment it",
        file.display()
    ));
    if let Some(hidden) = hides {
        printer::note(&format!(
            "from this directory on, `{}` does not count any more, nor its kill file: the nearest \
             config counts alone, so copy from it what should hold here too",
            hidden.display()
        ));
    }
    Ok(Exit::Done)
}
