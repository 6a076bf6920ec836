//! `play`: a scenario on a page of this machine, with its clock and its actors in the hand of who looks on.

mod broker;
mod command;
mod files;

pub(crate) use command::play;
