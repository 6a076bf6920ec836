//! RabbitMQ in memory: commands and a moment in, events and the next wake-up out.
//! Never reads a clock, never draws at random, never loses a message silently: with insights on, each loss is told.
//!
//! One file per concern, in RabbitMQ's words. A queue's data structure ([`classic_queue`], [`quorum_queue`]) knows
//! nothing of the node; the node moves entries between queues, consumers' channels and dead-letter exchanges. What a
//! step causes elsewhere (dead letters, queues to serve) is kept in lists that the step works off at its end.

mod acknowledgement;
mod at_least_once;
mod audit;
mod binding;
mod call;
mod channel;
mod checkout;
mod classic_queue;
mod connection;
mod consumer;
mod dead_letter;
mod delayed;
mod enqueue;
mod entry;
mod exchange;
mod expiry;
mod further_keys;
mod get;
mod management;
mod names;
mod node;
mod permission;
mod policy;
mod publish;
mod queue;
mod quorum_queue;
mod reason;
mod refusal;
mod reply_to;
mod requeue;
mod restart;
mod single_active;
mod slots;
mod timer;
mod topic;
mod user;
mod vhost;
mod watch;

pub use node::Sim;
