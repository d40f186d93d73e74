//! `backstop schema`.

use super::args::{Format, SchemaArgs};
use super::exit::{Exit, Failure};
use super::printer;

pub(super) fn schema(args: &SchemaArgs) -> Result<Exit, Failure> {
    match args.format {
        Format::Job => printer::json(&crate::spec::json_schema()),
    }
    Ok(Exit::Done)
}
