//! `backstop schema`.

use super::args::{Format, SchemaArgs};
use super::exit::Exit;
use super::printer;

pub(super) fn schema(args: &SchemaArgs) -> Exit {
    match args.format {
        Format::Job => printer::json(&crate::spec::job_schema()),
        Format::Config => printer::json(&crate::spec::config_schema()),
        Format::Report => printer::json(&crate::gate::evidence::job_schema()),
        Format::Findings => printer::json(&crate::report::findings::findings_schema()),
    }
    Exit::Done
}
