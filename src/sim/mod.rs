//! RabbitMQ in memory: commands and a moment in, events and the next wake-up out.
//! Never reads a clock, never draws at random, never loses a message silently: with insights on, each loss is told.
//!
//! One file per concern, in RabbitMQ's words. `state` holds data that know nothing of the broker; the folders beside it
//! are the verbs, which move messages between queues, consumers' channels and dead-letter exchanges. What a step causes
//! elsewhere (dead letters, queues to serve) is kept in lists that the step works off at its end.

mod access;
mod broker;
mod coverage;
mod dead_letter;
mod delivery;
mod events;
mod exploring;
mod invariants;
mod inventory;
mod management;
mod methods;
mod openings;
mod queue;
mod queue_counts;
mod queue_views;
mod reason;
mod restart;
mod routing;
mod session;
mod standing;
mod state;
mod transaction;
mod views;

pub use broker::Sim;
pub use events::event_facts::{NODE, argument_text};
pub use events::own_publishes::ConnectionLabel;
pub use exploring::Touched;
pub(crate) use exploring::shuffle;
pub use inventory::{HeldChannel, HeldConnection, HeldConsumer, HeldExchange, HeldQueue, HeldUser, HeldVhost};
pub use queue_views::QueueStatus;
pub use session::direct::DirectPublish;
pub(crate) use standing::SharedObjects;
pub use views::UnsettledDelivery;
