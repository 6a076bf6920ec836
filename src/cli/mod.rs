//! Arguments, commands and exit codes; joins the rooms. Holds no logic of another room.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod accept;
mod apply;
mod arguments;
mod brokers;
mod check;
mod clean;
mod exit_code;
mod load;
mod pace;
mod program;
mod run;
mod run_live;
mod runtime;
mod terminal;
mod verdicts;
mod wait;

pub use exit_code::ExitCode;
pub use program::main;
