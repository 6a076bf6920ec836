//! `serve`: the simulated broker at ports of this machine, and a command beside it.

mod beside;
mod clock;
mod command;

pub(crate) use clock::clock;
pub(crate) use command::serve;
