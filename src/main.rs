//! The `backstop` binary: parse, run, one exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    backstop::cli::main()
}
