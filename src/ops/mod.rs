//! The use cases that the command line and the server share.

pub mod check;
mod command;
pub mod demo;
mod error;
mod find_spec;
mod grants;
pub mod handoff;
mod in_order;
mod kill;
mod permit;
mod prepare;
mod prove;
mod quarantine;
mod start;
mod state;
mod team;
mod tune;
mod undo;

pub use command::{Asked, ask};
pub use error::Error;
pub use find_spec::spec_of;
pub use grants::{Grants, grants};
pub use kill::{Halted, Killed, Lifted, Scope, halt_target, kill, release, release_target};
pub use permit::{Action, Ask, Consent, Permit, permit};
pub use prepare::{Prepared, connect, connect_to, load_spec, prepare, prepare_on};
pub use prove::prove;
pub use quarantine::{GivenUp, Quarantine, read_quarantine, release_rows};
pub use start::{Announced, Start, announce, start};
pub use state::{
    open_journal, open_or_create_journal, person, read_all, read_status, runner_name, running,
};
pub use team::{Switches, Team, Written, arm, load_config, write_config};
pub use tune::{Change, Tuning, back_to_spec, tune};
pub use undo::{
    Conflict, Fates, KeptOut, Sample, Undoing, expire, restores_begun, undoable, undoing,
};
