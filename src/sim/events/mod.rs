//! What the broker publishes itself: the events of the event exchange, and the firehose (PX-4). Each message is kept until the
//! step that caused it is done, and goes through an exchange then like any other.

pub(crate) mod event_exchange;
pub(crate) mod event_facts;
pub(crate) mod firehose;
pub(crate) mod own_publishes;
mod publishing;
