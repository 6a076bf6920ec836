//! Arguments, commands and exit codes; joins the rooms. Holds no logic of another room.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod apply;
mod arguments;
mod brokers;
mod check;
mod clean;
mod exit_code;
mod filter;
mod fmt;
mod init;
mod keeping;
mod list;
mod load;
mod pace;
mod program;
mod progress;
mod review;
mod run;
mod run_live;
mod runtime;
mod schema;
mod select;
mod stage;
mod terminal;
mod verdicts;
mod wait;

pub use exit_code::ExitCode;
pub use program::main;
