//! Connections: who may open one, and what goes with it when it ends (PE-1, ER-8, ER-13, CO-21, CO-27).

use crate::broker::{ConnectionId, Event, HEARTBEAT_S, Refusal, Scope, What, code};
use crate::model::{Millis, Name};
use crate::sim::broker::Sim;
use crate::sim::session::direct;
use crate::sim::state::arena::{ChannelIndex, VhostId};
use crate::sim::state::connection::Connection;
use crate::sim::state::refusal::connection_error;
use crate::sim::state::timer::Timer;
use std::collections::BTreeSet;

impl Sim {
    pub(crate) fn connect(
        &mut self,
        id: ConnectionId,
        user: Option<Name>,
        vhost: &Name,
        heartbeat: Option<Millis>,
    ) -> Result<(), Refusal> {
        if self.connections.contains_key(&id) {
            return Err(connection_error(code::CHANNEL_ERROR, "connection is open already"));
        }
        if let Some(name) = &user {
            self.check_login(name, vhost)?;
        }
        let Some(&vhost_id) = self.vhost_names.get(vhost) else {
            return Err(connection_error(code::NOT_ALLOWED, format!("vhost {vhost} not found")));
        };
        self.check_connection_limits(user.as_ref(), vhost, vhost_id)?;
        let (channels, opened) = (BTreeSet::new(), self.now);
        let heartbeat = heartbeat.unwrap_or(Millis(u64::from(HEARTBEAT_S) * 1_000));
        let connection = Connection { user, vhost: vhost_id, channels, heartbeat, opened, isolated: false };
        self.connections.insert(id, connection);
        self.emit("connection.created", |sim| sim.connection_created(id));
        Ok(())
    }

    /// Checks who the user is and whether it may enter the vhost (PE-1).
    fn check_login(&self, name: &Name, vhost: &Name) -> Result<(), Refusal> {
        let Some(user) = self.users.get(name) else {
            let text = "Login was refused using authentication mechanism PLAIN. For details see the broker logfile.";
            return Err(connection_error(code::ACCESS_REFUSED, text));
        };
        if self.vhost_names.contains_key(vhost) && !user.permissions.contains_key(vhost) {
            let text = format!("access to vhost '{vhost}' refused for user '{name}'");
            return Err(connection_error(code::NOT_ALLOWED, text));
        }
        Ok(())
    }

    fn check_connection_limits(&self, user: Option<&Name>, vhost: &Name, vhost_id: VhostId) -> Result<(), Refusal> {
        let count = |fits: &dyn Fn(&Connection) -> bool| self.connections.values().filter(|c| fits(c)).count() as i64;
        if let Some(max) = self.vhosts.get(vhost_id).and_then(|vhost| vhost.limit("max-connections"))
            && count(&|connection| connection.vhost == vhost_id) >= max
        {
            let name = user.map_or("guest", |name| name);
            let text =
                format!("access to vhost '{vhost}' refused for user '{name}': connection limit ({max}) is reached");
            return Err(connection_error(code::NOT_ALLOWED, text));
        }
        let Some(name) = user else { return Ok(()) };
        let limit = self.users.get(name).and_then(|user| user.limit("max-connections"));
        match limit {
            Some(max) if count(&|connection| connection.user.as_ref() == Some(name)) >= max => {
                let text = format!("connection refused for user '{name}': user connection limit ({max}) is reached");
                Err(connection_error(code::NOT_ALLOWED, text))
            }
            _ => Ok(()),
        }
    }

    /// Lets a connection stand of which the client is gone, until its heartbeats have been missed (CO-28).
    pub(crate) fn isolate(&mut self, id: ConnectionId) {
        let now = self.now;
        let Some(connection) = self.connections.get_mut(&id).filter(|connection| !connection.isolated) else { return };
        connection.isolated = true;
        self.isolated += 1;
        if let Some(at) = connection.missed_at(now) {
            self.timers.set(at, Timer::HeartbeatsMissed(id));
        }
    }

    /// Ends a connection that nothing came over for long enough.
    pub(crate) fn heartbeats_missed(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(&id).filter(|connection| connection.isolated) else { return };
        let why = format!("missed heartbeats from client, timeout: {}s", connection.heartbeat.0 / 1_000);
        self.tell(None, None, "CO-28", || What::ConnectionEnded { why: why.clone() });
        self.close_connection(id, Refusal::new(Scope::Connection, 0, why));
    }

    /// Returns whether an event goes to a client that the network has lost.
    pub(crate) fn is_lost(&self, event: &Event) -> bool {
        let (Event::Delivered { channel, .. }
        | Event::ChannelClosed { channel, .. }
        | Event::Cancelled { channel, .. }) = event
        else {
            return false;
        };
        let channel = self.channel_ids.get(*channel).and_then(|id| self.channels.get(id));
        let connection = channel.and_then(|channel| self.connections.get(&channel.connection));
        connection.is_some_and(|connection| connection.isolated)
    }

    /// Drops what was said to clients that the network has lost.
    pub(crate) fn drop_lost_events(&mut self) {
        let said = std::mem::take(&mut self.events);
        self.events = said.into_iter().filter(|event| !self.is_lost(event)).collect();
    }

    /// Ends a connection with all that lives by it; says nothing to its client.
    pub(crate) fn end_connection(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.remove(&id) else { return };
        self.isolated -= usize::from(connection.isolated);
        for channel in connection.channels {
            self.end_channel(channel);
        }
        let owned: Vec<_> =
            self.queues.iter().filter(|(_, queue)| queue.owner == Some(id)).map(|(queue, _)| queue).collect();
        for queue in owned {
            self.remove_queue(queue, "CO-21", "its connection is gone and it was exclusive to it");
        }
        if id != direct::CONNECTION {
            self.emit("connection.closed", |sim| sim.connection_closed(id));
        }
        self.own_publishes.labels.remove(&id);
    }

    /// Closes a connection and tells its client why.
    pub(crate) fn close_connection(&mut self, id: ConnectionId, cause: Refusal) {
        if self.connections.contains_key(&id) {
            self.events.push_back(Event::ConnectionClosed { connection: id, cause });
            self.end_connection(id);
        }
    }

    /// Closes all connections that fit, as the broker does by force (CO-27).
    pub(crate) fn force_out(&mut self, why: &str, fits: impl Fn(&Connection) -> bool) {
        let ids: Vec<ConnectionId> =
            self.connections.iter().filter(|(_, connection)| fits(connection)).map(|(id, _)| *id).collect();
        for id in ids {
            self.tell(None, None, "CO-27", || What::ConnectionEnded { why: why.to_owned() });
            self.close_connection(id, connection_error(code::CONNECTION_FORCED, why));
        }
    }

    /// Closes what a refusal closes: the channel, or its whole connection.
    pub(crate) fn close_for(&mut self, channel: ChannelIndex, cause: Refusal) {
        let Some(state) = self.channels.get(channel) else { return };
        match cause.scope {
            Scope::Connection => {
                let connection = state.connection;
                self.close_connection(connection, cause);
            }
            _ => {
                let id = state.id;
                self.events.push_back(Event::ChannelClosed { channel: id, cause });
                self.end_channel(channel);
            }
        }
    }
}
