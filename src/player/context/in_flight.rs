//! A publish that has not ended, and who sends one. Plain data.

use crate::broker::ChannelId;
use crate::model::{Millis, Name};
use crate::player::assert::tally::Share;
use crate::player::context::owner::Owner;

/// Who sends a message, and over which channel.
#[derive(Debug, Clone)]
pub(crate) struct Sender<'s> {
    pub owner: Owner,
    /// What timeline and ledger call it.
    pub by: Name,
    /// The consumer that it is an instance of.
    pub consumer: Option<&'s Name>,
    pub vhost: &'s Name,
    pub channel: ChannelId,
}

/// A publish that has not ended.
#[derive(Debug, Clone)]
pub(crate) struct InFlight {
    pub name: Name,
    /// Its place among the ledger's publishes.
    pub place: u64,
    pub by: Name,
    pub channel: ChannelId,
    pub returned: bool,
    /// The scenario wants to hear of a return; else only the count does.
    pub mandatory: bool,
    /// Its own time to live, where a step waits for the ends of such.
    pub expiration: Option<Millis>,
    /// What it adds to tallies once it is confirmed.
    pub shares: Vec<Share>,
    /// Who waits for its end.
    pub owner: Owner,
    /// It is part of a transaction, and its step is over.
    pub held: bool,
}
