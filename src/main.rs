//! The `backstop` binary: parse, run, one exit code.

use std::process::ExitCode;

/// Trees of statements are made on one thread and freed on another, by the hundred thousand: glibc's
/// allocator takes a fifth of a check's time for that, and keeps what was freed in an arena for each
/// thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    backstop::cli::main()
}
