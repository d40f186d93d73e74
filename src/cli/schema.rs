//! `backstop schema`.

use super::args::{Format, SchemaArgs};
use super::exit::Exit;
use super::printer;

pub(super) fn schema(args: &SchemaArgs) -> Exit {
    match args.format {
        Format::Job => printer::json(&crate::spec::json_schema()),
    }
    Exit::Done
}
