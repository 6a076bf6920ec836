//! What the driver and the consumers share: the way to the broker and back, and the record of the run.

pub(crate) mod adrift;
pub(crate) mod channels;
pub(crate) mod clock;
pub(crate) mod command_sequence;
pub(crate) mod facts;
pub(crate) mod failing;
pub(crate) mod given_back;
pub(crate) mod held;
pub(crate) mod in_flight;
pub(crate) mod outbox;
pub(crate) mod owner;
pub(crate) mod publishing;
pub(crate) mod queue_kind;
pub(crate) mod shared;
pub(crate) mod watching;

pub(crate) use shared::Context;

#[cfg(test)]
mod tests;
