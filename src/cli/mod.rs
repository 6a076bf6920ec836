//! Arguments, commands and exit codes; joins the rooms. Holds no logic of another room.
#![expect(clippy::disallowed_methods, reason = "this room reads the environment")]

mod applying;
mod arguments;
mod brokers;
mod commands;
mod compare;
mod completion;
mod convert;
mod desired;
mod exit_code;
mod explore;
mod filter;
mod foresee;
mod live_settings;
mod load;
mod named_cells;
mod options;
mod planned;
mod playing;
mod program;
mod progress;
mod reach;
mod run_reporter;
mod runtime;
mod saved_plans;
mod select;
mod serving;
mod snapshot_store;
mod suite;
mod terminal;
mod unparsed;
mod verdicts;
mod versions;
mod warned;

pub use exit_code::ExitCode;
pub use program::main;
