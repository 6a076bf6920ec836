//! `serve`: the simulated broker at ports of this machine, and a command beside it.

mod beside;
mod clock;
mod command;
mod listeners;

pub(crate) use clock::clock;
pub(crate) use command::serve;
