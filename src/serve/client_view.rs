//! What is told of an outside client to those who ask: who it is, where it comes from, what was agreed.

use crate::broker::{ChannelId, ConnectionId};
use crate::model::{Name, Table};
use crate::serve::connection::ServedConnection;
use crate::serve::served_channel::PublishMode;

/// An outside client whose connection is open.
#[derive(Debug, Clone)]
pub(crate) struct ServedClient {
    pub id: ConnectionId,
    /// Its own address, and the one that it came to.
    pub peer: String,
    pub local: String,
    pub user: Name,
    pub vhost: Name,
    /// As connection.start-ok has them.
    pub properties: Table,
    pub mechanism: Name,
    pub frame_max: u32,
    pub channel_max: u16,
    pub heartbeat_s: u16,
    /// By number: the id in the simulator, and whether publishes are confirmed.
    pub channels: Vec<(u16, ChannelId, bool)>,
}

impl ServedClient {
    pub(crate) fn of(connection: &ServedConnection) -> Self {
        let agreed = &connection.agreement;
        let channels = connection
            .channels
            .iter()
            .map(|(number, channel)| (*number, channel.id, matches!(channel.mode, PublishMode::Confirm { .. })));
        Self {
            id: connection.id,
            peer: connection.peer.clone(),
            local: connection.local.clone(),
            user: agreed.user.clone(),
            vhost: connection.vhost.clone(),
            properties: agreed.client_properties.clone(),
            mechanism: agreed.mechanism.clone(),
            frame_max: agreed.frame_max,
            channel_max: agreed.channel_max,
            heartbeat_s: agreed.heartbeat_s,
            channels: channels.collect(),
        }
    }

    /// Returns RabbitMQ's name of the connection, `127.0.0.1:50123 -> 127.0.0.1:5672`.
    pub(crate) fn name(&self) -> String {
        format!("{} -> {}", self.peer, self.local)
    }
}
