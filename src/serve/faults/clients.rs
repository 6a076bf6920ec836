//! Outside clients by their names, and what is done to them all: found, dropped, blocked by an alarm.

use crate::broker::{ChannelId, ConnectionId, PublishId};
use crate::model::{Name, Value};
use crate::serve::connection::{ConnectionPhase, ServedConnection};
use crate::serve::server::{Server, SocketId};
use crate::wire::AmqpMethod;

/// Whose connections are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whom {
    All,
    /// An address, a connection's own name, or a user.
    Named(String),
}

impl Server {
    /// Returns what the client of a connection is called: the name that it gave, else its address.
    pub(crate) fn client_name(&self, connection: ConnectionId) -> Option<Name> {
        let connection = self.sockets.get(self.connections.get(&connection)?)?;
        Some(own_name(connection).unwrap_or_else(|| connection.peer.as_str().into()))
    }

    /// Lists what connections are called.
    pub(crate) fn client_names(&self) -> Vec<Name> {
        self.connections.keys().filter_map(|connection| self.client_name(*connection)).collect()
    }

    /// Finds the connections of some clients.
    pub(crate) fn find_clients(&self, whom: &Whom) -> Vec<(SocketId, ConnectionId)> {
        let fits = |connection: &ServedConnection| match whom {
            Whom::All => true,
            Whom::Named(name) => {
                connection.peer == *name
                    || connection.agreement.user == *name
                    || own_name(connection).is_some_and(|own| own == *name)
            }
        };
        let open = self.sockets.iter().filter(|(_, connection)| connection.phase == ConnectionPhase::Running);
        open.filter(|(_, connection)| fits(connection)).map(|(socket, connection)| (*socket, connection.id)).collect()
    }

    /// Closes a socket with nothing said.
    pub(crate) fn drop_client(&mut self, socket: SocketId) {
        if let Some(connection) = self.sockets.get_mut(&socket) {
            connection.drop_now();
            self.touched.insert(socket);
        }
    }

    /// Drops whoever connects while the broker is down.
    pub(crate) fn set_down(&mut self, is_down: bool) {
        self.is_down = is_down;
    }

    /// Returns the connection that has a channel.
    pub(crate) fn connection_of(&self, channel: ChannelId) -> Option<ConnectionId> {
        let (socket, _) = self.channels.get(&channel)?;
        Some(self.sockets.get(socket)?.id)
    }

    /// Returns the method that the command at hand came from, by class and method.
    pub(crate) fn method_at_hand(&self) -> Option<(u16, u16)> {
        self.at_hand.map(|at_hand| at_hand.ids)
    }

    /// Returns whether a publish will be confirmed.
    pub(crate) fn awaits_confirm(&self, publish: PublishId) -> bool {
        self.publishes.get(&publish).is_some_and(|(_, publish)| publish.confirm.is_some())
    }

    /// Lists the resources that are low.
    pub(crate) fn alarms(&self) -> Vec<&'static str> {
        self.alarms.iter().copied().collect()
    }

    /// Sets or clears an alarm. Connections that publish from now on are blocked; when the last alarm is cleared, all go on.
    pub(crate) fn set_alarm(&mut self, resource: &'static str, is_on: bool) {
        if is_on {
            self.alarms.insert(resource);
        } else {
            self.alarms.remove(resource);
        }
        if !self.alarms.is_empty() {
            return;
        }
        let blocked = self.sockets.iter_mut().filter(|(_, connection)| connection.is_blocked);
        let mut woken = Vec::new();
        for (socket, connection) in blocked {
            connection.unblock(self.now_ms);
            woken.push(*socket);
        }
        for socket in woken {
            self.touched.insert(socket);
            self.wake(socket);
        }
    }
}

impl ServedConnection {
    /// Stops to read from a client that publishes while a resource is low, and tells it if it wants to know. RabbitMQ does so
    /// when the header of a content arrives: what it belongs to waits too.
    pub(crate) fn block(&mut self, reason: &str) {
        if std::mem::replace(&mut self.is_blocked, true) || !self.agreement.can("connection.blocked") {
            return;
        }
        self.outbox.method(0, AmqpMethod::ConnectionBlocked { reason: reason.into() });
    }

    /// Reads on.
    pub(crate) fn unblock(&mut self, now_ms: u64) {
        self.is_blocked = false;
        // Heartbeats were not heard meanwhile.
        self.received_ms = now_ms;
        if self.agreement.can("connection.blocked") {
            self.outbox.method(0, AmqpMethod::ConnectionUnblocked {});
        }
    }
}

/// Returns the name that a client gave its connection.
fn own_name(connection: &ServedConnection) -> Option<Name> {
    connection.agreement.client_properties.get("connection_name").and_then(Value::as_text).map(Name::from)
}
