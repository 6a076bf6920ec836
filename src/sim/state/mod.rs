//! What the broker holds: data and their own rules, without a verb on the whole broker.

pub(crate) mod arena;
pub(crate) mod backlog;
pub(crate) mod cc_bcc;
pub(crate) mod channel;
pub(crate) mod classic_queue;
pub(crate) mod connection;
pub(crate) mod consumer;
pub(crate) mod covered;
pub(crate) mod dead_letter;
pub(crate) mod delayed;
pub(crate) mod delayed_exchange;
pub(crate) mod exchange;
pub(crate) mod names;
pub(crate) mod permission;
pub(crate) mod queue;
pub(crate) mod queue_counts;
pub(crate) mod queued_message;
pub(crate) mod quorum_queue;
pub(crate) mod reason;
pub(crate) mod refusal;
pub(crate) mod router;
pub(crate) mod stream;
pub(crate) mod timer;
pub(crate) mod user;
pub(crate) mod vhost;
