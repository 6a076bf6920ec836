//! What the clients of a served broker do and are given, told by names: a message by its id, a consumer by its connection.
//! Reads the commands and events of the seam as they pass; changes nothing of them.

mod event;
pub(crate) mod goal;
mod journal;
mod known_messages;
mod observer;
mod onlooking;
mod recording;
mod transactions;

pub(crate) use event::SessionEvent;
pub(crate) use journal::Journal;
pub(crate) use known_messages::KnownMessages;
pub(crate) use observer::Observer;
pub(crate) use recording::{Recording, id_of};
