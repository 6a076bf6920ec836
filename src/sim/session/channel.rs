//! Channels: delivery tags, what is unacknowledged, limits, and what happens when one ends (CO-14, CO-17, ER-13).

use crate::broker::{ChannelId, ConnectionId, Event, Reply, RequestId, code};
use crate::model::{Name, QueueKind};
use crate::sim::broker::Sim;
use crate::sim::session::direct;
use crate::sim::state::arena::{ChannelIndex, QueueId};
use crate::sim::state::channel::{Channel, ChannelMode, KEEPS_UP, Unacked};
use crate::sim::state::permission::PermissionCache;
use crate::sim::state::queued_message::QueuedMessage;
use crate::sim::state::reason::Return;
use crate::sim::state::refusal::connection_error;
use std::collections::{BTreeMap, VecDeque};

impl Sim {
    pub(crate) fn open_channel(&mut self, request: RequestId, id: ChannelId, connection: ConnectionId, confirms: bool) {
        let Some(open) = self.connections.get(&connection) else {
            return self.answer(request, Err(connection_error(code::CHANNEL_ERROR, "the connection is closed")));
        };
        if self.channel_ids.get(id).is_some() {
            let refusal = connection_error(code::CHANNEL_ERROR, "second 'channel.open' seen");
            self.answer(request, Err(refusal.clone()));
            return self.close_connection(connection, refusal);
        }
        let (user, vhost) = (open.user.clone(), open.vhost);
        let taken: Vec<u32> = open.channels.iter().filter_map(|id| Some(self.channels.get(*id)?.number)).collect();
        let number = (1..).find(|number| !taken.contains(number)).unwrap_or(1);
        if let Some((name, max)) = self.channel_limit(user.as_ref()) {
            let max = if self.rules.channel_limit_in_parentheses { format!("({max})") } else { max.to_string() };
            let text = format!(
                "number of channels opened for user '{name}' has reached the maximum allowed user limit of {max}"
            );
            let refusal = connection_error(code::NOT_ALLOWED, text);
            self.answer(request, Err(refusal.clone()));
            return self.close_connection(connection, refusal);
        }
        let channel = self.channels.insert(Channel {
            id,
            number,
            connection,
            user,
            vhost,
            last_tag: 0,
            unacked: VecDeque::new(),
            consumers: BTreeMap::new(),
            prefetch: 0,
            global_prefetch: 0,
            volume: 0,
            filled_by: None,
            unsent_left: KEEPS_UP,
            last_queue: None,
            last_exchange: None,
            permissions: PermissionCache::default(),
            reply_consumer: None,
            mode: if confirms { ChannelMode::Confirms } else { ChannelMode::Plain },
        });
        self.channel_ids.insert(id, channel);
        if let Some(open) = self.connections.get_mut(&connection) {
            open.channels.insert(channel);
        }
        if connection != direct::CONNECTION {
            self.emit("channel.created", |sim| sim.channel_created(channel));
        }
        self.answer(request, Ok(Reply::Done));
    }

    /// Returns user and limit when the limit of channels is reached (ER-13).
    fn channel_limit(&self, user: Option<&Name>) -> Option<(Name, i64)> {
        let name = user?;
        let max = self.users.get(name)?.limit("max-channels")?;
        let open = self.connections.values().filter(|c| c.user.as_ref() == Some(name)).map(|c| c.channels.len());
        (open.sum::<usize>() as i64 >= max).then(|| (name.clone(), max))
    }

    /// Ends a channel: its consumers go, then what they held returns (CO-14).
    pub(crate) fn end_channel(&mut self, id: ChannelIndex) {
        let Some(channel) = self.channels.remove(id) else { return };
        self.channel_ids.remove(channel.id);
        if let Some(connection) = self.connections.get_mut(&channel.connection) {
            connection.channels.remove(&id);
        }
        if let ChannelMode::Transaction(transaction) = channel.mode {
            self.tell_abandoned(&transaction);
        }
        let unacked = self.in_order_of_return(channel.unacked);
        let mut touched: Vec<QueueId> = Vec::new();
        for &consumer in channel.consumers.values() {
            self.tell_consumer_gone(consumer, channel.id, channel.user.as_ref());
            self.leave_ghost(consumer, unacked.iter().rfind(|unacked| unacked.consumer == Some(consumer)));
            if let Some(queue) = self.drop_consumer(consumer) {
                touched.push(queue);
            }
        }
        let mut groups: Vec<(QueueId, Vec<QueuedMessage>)> = Vec::new();
        for unacked in unacked {
            self.release(&unacked);
            let from = unacked.queue;
            let Some(entry) = unacked.into_entry() else { continue };
            match groups.iter_mut().find(|(queue, _)| *queue == from) {
                Some((_, entries)) => entries.push(entry),
                None => groups.push((from, vec![entry])),
            }
        }
        for &queue in &touched {
            self.auto_delete(queue);
        }
        for (queue, entries) in groups {
            self.put_back(queue, entries, Return::Closed, None);
            self.to_serve.push_back(queue);
        }
        self.to_serve.extend(touched);
        self.forget_publisher(id, channel.vhost);
        if channel.connection != direct::CONNECTION {
            self.emit("channel.closed", |sim| sim.channel_closed(channel.id, channel.user.as_ref()));
        }
        self.own_publishes.numbers.remove(&channel.id);
    }

    /// Orders what a channel held as its queues take it back: a quorum queue consumer by consumer, got
    /// messages before all others on 3.10 and after them since 4.0 (CO-10).
    fn in_order_of_return(&self, unacked: VecDeque<Unacked>) -> Vec<Unacked> {
        let mut unacked: Vec<Unacked> = unacked.into();
        unacked.sort_by_cached_key(|unacked| {
            if self.queues.get(unacked.queue).is_none_or(|queue| queue.kind != QueueKind::Quorum) {
                return (0, None);
            }
            if self.rules.quorum_returns_by_subscription {
                let got = if unacked.consumer.is_none() { 1 << 63 } else { 0 };
                return (got | unacked.attached, None);
            }
            let consumer = unacked.consumer.and_then(|id| self.consumers.get(id));
            (0, consumer.map(|consumer| consumer.tag.clone()))
        });
        unacked
    }

    /// Tells a queue and a consumer that a delivery is off their hands.
    pub(crate) fn release(&mut self, unacked: &Unacked) {
        if let Some(queue) = self.queues.get_mut(unacked.queue) {
            queue.unacked -= u64::from(unacked.entry().is_some());
            if unacked.consumer.is_none() {
                queue.got -= 1;
                if queue.kind == QueueKind::Quorum {
                    self.start_lease(unacked.queue);
                }
            }
        }
        if let Some(id) = unacked.consumer {
            self.free_consumer(id, !unacked.is_out());
        }
    }

    /// Says to the client that the broker cancelled a consumer (CO-18).
    pub(crate) fn tell_cancelled(&mut self, channel: ChannelIndex, consumer: Name) {
        if let Some(channel) = self.channels.get(channel) {
            self.events.push_back(Event::Cancelled { channel: channel.id, consumer });
        }
    }
}
