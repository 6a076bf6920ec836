//! `serve`: the simulated broker at ports of this machine, and a command beside it.

mod beside;
mod clock;
mod command;
mod control_port;
mod fault;
mod listeners;
mod looking;
mod recorded;
mod scenario;

pub(crate) use clock::clock;
pub(crate) use command::serve;
pub(crate) use control_port::with_control_port;
pub(crate) use fault::fault;
pub(crate) use looking::{queues, story, timeline};
