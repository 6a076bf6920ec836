//! What is told of an outside client to those who ask: who it is, where it comes from, what was agreed.

use crate::broker::{ChannelId, ConnectionId};
use crate::model::{Name, Table, Value};
use crate::serve::connection::ServedConnection;
use crate::serve::served_channel::PublishMode;
use crate::sim::{ConnectionLabel, argument_text};

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

    /// Returns what events and traces call it by, and tell of it (PX-4).
    pub(crate) fn label(&self) -> ConnectionLabel {
        let text = |text: &str| Value::Text(text.into());
        let (peer, local) = (host_and_port(&self.peer), host_and_port(&self.local));
        let properties = self.properties.iter().map(|(name, value)| text(&argument_text(name, value)));
        let facts = vec![
            ("port", Value::I64(local.1.into())),
            ("peer_port", Value::I64(peer.1.into())),
            ("host", text(&erlang_address(local.0))),
            ("peer_host", text(&erlang_address(peer.0))),
            ("ssl", Value::Bool(false)),
            ("auth_mechanism", Value::Text(self.mechanism.clone())),
            ("type", text("network")),
            ("protocol", text("{0,9,1}")),
            ("timeout", Value::I64(self.heartbeat_s.into())),
            ("frame_max", Value::I64(self.frame_max.into())),
            ("channel_max", Value::I64(self.channel_max.into())),
            ("client_properties", Value::Array(properties.collect())),
        ];
        ConnectionLabel { name: self.name().into(), facts }
    }

    /// Returns RabbitMQ's name of the connection, `127.0.0.1:50123 -> 127.0.0.1:5672`.
    pub(crate) fn name(&self) -> String {
        format!("{} -> {}", self.peer, self.local)
    }
}

/// Splits an address, `[::1]:5672` too.
pub(crate) fn host_and_port(address: &str) -> (&str, u16) {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    (host.trim_matches(['[', ']']), port.parse().unwrap_or(0))
}

/// Writes an IPv4 address as Erlang does, `{127,0,0,1}`; others stay as they are.
fn erlang_address(host: &str) -> String {
    let is_v4 = host.contains('.') && host.chars().all(|c| c.is_ascii_digit() || c == '.');
    if is_v4 { format!("{{{}}}", host.replace('.', ",")) } else { host.to_owned() }
}
