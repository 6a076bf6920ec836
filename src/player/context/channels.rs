//! The channels that are open, or asked for: on which connection, and whose.

use crate::broker::{ChannelId, ConnectionId};
use crate::player::context::owner::Owner;
use std::collections::BTreeMap;

/// All channels of the run.
#[derive(Debug, Clone, Default, Hash)]
pub(crate) struct Channels {
    open: BTreeMap<ChannelId, (ConnectionId, Owner)>,
}

impl Channels {
    pub fn open(&mut self, channel: ChannelId, connection: ConnectionId, owner: Owner) {
        self.open.insert(channel, (connection, owner));
    }

    pub fn owner(&self, channel: ChannelId) -> Option<Owner> {
        self.open.get(&channel).map(|(_, owner)| *owner)
    }

    /// Forgets a channel and gives whose it was.
    pub fn close(&mut self, channel: ChannelId) -> Option<Owner> {
        self.open.remove(&channel).map(|(_, owner)| owner)
    }

    /// Forgets the channels of a connection and gives them.
    pub fn close_connection(&mut self, connection: ConnectionId) -> Vec<(ChannelId, Owner)> {
        let mut gone = Vec::new();
        self.open.retain(|channel, (of, owner)| {
            if *of == connection {
                gone.push((*channel, *owner));
            }
            *of != connection
        });
        gone
    }

    /// Forgets the channels that the driver has on a connection.
    pub fn close_of_driver(&mut self, connection: ConnectionId) {
        self.open.retain(|_, (of, owner)| *of != connection || matches!(owner, Owner::Instance(_)));
    }

    pub fn clear(&mut self) {
        self.open.clear();
    }
}
