//! What the clients of a served broker do and are given, told by names: a message by its id, a consumer by its connection.
//! Reads the commands and events of the seam as they pass; changes nothing of them.
//!
//! The observer says what each means, the hearers pass it on to whoever keeps it. Nothing is copied and no text is made per
//! message: what the messages of a publisher or a consumer have in common is shared, names are numbers until somebody asks,
//! and the latest are found by the place of their number. Bounded are: the journal (10,000 entries of 64 bytes, with what
//! they share), known names (20,000 of outside clients and as many of a scenario), moments of publishes that nobody was given
//! yet (100,000 each). What `--write-scenario` records grows with the session.

mod event;
pub(crate) mod goal;
mod hearers;
mod journal;
mod known_messages;
mod observer;
mod onlooking;
mod recording;
mod ring;
mod tally;
mod transactions;

pub(crate) use hearers::Hearers;
pub(crate) use journal::Journal;
pub(crate) use known_messages::{KnownMessages, MessageName};
pub(crate) use observer::Observer;
pub(crate) use recording::Recording;
