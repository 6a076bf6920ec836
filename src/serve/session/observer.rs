//! Follows the commands and events of a session, and says what each means: who, over which vhost, which message.
//! Forgets what is closed and settled.
//!
//! What belongs to a publisher or a consumer is looked up once and shared: a message costs the places of its channel and of
//! its name, and no text.

use crate::broker::{
    ChannelId, Command, Confirmation, ConnectionId, Delivery, Event, Method, PublishId, Refusal, Reply, RequestId,
    Settlement,
};
use crate::model::{Name, PublishOutcome, QueueName};
use crate::player::ConsumerEnd;
use crate::serve::session::event::{PublishRoute, PublishSeen, SessionEvent, Subscription};
use crate::serve::session::hearers::Hearers;
use crate::serve::session::known_messages::{KnownMessages, MessageName};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A connection, as it is told.
#[derive(Debug, Clone)]
struct ObservedConnection {
    who: Name,
    vhost: Name,
}

/// An open channel.
#[derive(Debug, Clone)]
struct ObservedChannel {
    connection: ConnectionId,
    prefetch: u16,
    consumers: BTreeMap<Name, Arc<Subscription>>,
    /// Where it published last.
    place: Option<Arc<PublishRoute>>,
    /// By their delivery tags, which rise.
    unsettled: VecDeque<Unsettled>,
    /// What its transaction settled, where it has transactions: a rollback takes that back.
    transaction: Option<Vec<Unsettled>>,
}

/// A delivery that waits to be settled.
#[derive(Debug, Clone)]
struct Unsettled {
    tag: u64,
    subscription: Arc<Subscription>,
    message: MessageName,
}

impl ObservedChannel {
    fn of(connection: ConnectionId) -> Self {
        let (consumers, unsettled) = (BTreeMap::new(), VecDeque::new());
        Self { connection, prefetch: 0, consumers, place: None, unsettled, transaction: None }
    }

    /// Keeps a delivery at the place of its tag: nearly always the end.
    fn keep(&mut self, unsettled: Unsettled) {
        match self.unsettled.back() {
            Some(last) if last.tag > unsettled.tag => {
                let at = self.unsettled.partition_point(|other| other.tag < unsettled.tag);
                self.unsettled.insert(at, unsettled);
            }
            _ => self.unsettled.push_back(unsettled),
        }
    }

    /// Takes the delivery of a tag: nearly always the first.
    fn take(&mut self, tag: u64) -> Option<Unsettled> {
        if self.unsettled.front()?.tag == tag {
            return self.unsettled.pop_front();
        }
        let at = self.unsettled.binary_search_by_key(&tag, |other| other.tag).ok()?;
        self.unsettled.remove(at)
    }

    /// Takes the deliveries up to a tag, in the order of their tags.
    fn take_up_to(&mut self, tag: u64) -> impl Iterator<Item = Unsettled> {
        let last = if tag == 0 { u64::MAX } else { tag };
        let end = self.unsettled.partition_point(|other| other.tag <= last);
        self.unsettled.drain(..end)
    }
}

/// Follows a session; what happened is told to hearers that the caller brings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observer {
    connections: BTreeMap<ConnectionId, ObservedConnection>,
    channels: IndexMap<ChannelId, ObservedChannel, FxBuildHasher>,
    calls: BTreeMap<RequestId, (ChannelId, Method)>,
    pub known: KnownMessages,
}

impl Observer {
    /// Takes note of a command; `who_is` names the client of a connection.
    pub(crate) fn command(
        &mut self,
        command: &Command,
        who_is: impl Fn(ConnectionId) -> Name,
        hearers: &mut Hearers<'_>,
    ) {
        match command {
            Command::Connect { connection, vhost, .. } => {
                let connected = ObservedConnection { who: who_is(*connection), vhost: vhost.clone() };
                self.connections.insert(*connection, connected);
            }
            Command::OpenChannel { channel, connection, .. } => {
                self.channels.insert(*channel, ObservedChannel::of(*connection));
            }
            Command::Call { request, channel, method } => {
                self.calls.insert(*request, (*channel, method.clone()));
            }
            Command::Publish { channel, publish, exchange, routing_key, mandatory, message } => {
                let (channel, publish, mandatory) = (*channel, *publish, *mandatory);
                let name = self.known.published(publish, message);
                let place = &self.place(channel, exchange, routing_key, hearers);
                hearers.published(PublishSeen { channel, publish, place, name, mandatory, message });
            }
            Command::Settle { channel, tag, multiple, settlement } => {
                self.settled(*channel, tag.0, *multiple, *settlement, hearers);
            }
            Command::CloseChannel { channel, .. } => self.channel_ended(*channel, ConsumerEnd::ClosesChannel, hearers),
            Command::Disconnect { connection, .. } => {
                self.connection_ended(*connection, ConsumerEnd::ClosesConnection, hearers);
            }
            Command::Cut { connection, .. } => self.connection_ended(*connection, ConsumerEnd::Crashes, hearers),
            _ => {}
        }
    }

    /// Takes note of an event.
    pub(crate) fn event(&mut self, event: &Event, hearers: &mut Hearers<'_>) {
        match event {
            Event::Reply { request, reply } => {
                if let Some((channel, method)) = self.calls.remove(request) {
                    self.answered(channel, method, reply, hearers);
                }
            }
            Event::Delivered { channel, consumer, delivery } => self.delivered(*channel, consumer, delivery, hearers),
            Event::Returned { publish, .. } => self.ended(*publish, PublishOutcome::Returned, hearers),
            Event::Confirmed { publish, confirmation } => {
                let outcome = match confirmation {
                    Confirmation::Ack => PublishOutcome::Confirmed,
                    Confirmation::Nack => PublishOutcome::Nacked,
                    Confirmation::RolledBack => PublishOutcome::RolledBack,
                };
                self.ended(*publish, outcome, hearers);
            }
            Event::ChannelClosed { channel, .. } => self.channel_ended(*channel, ConsumerEnd::LosesChannel, hearers),
            Event::ConnectionClosed { connection, .. } => {
                self.connection_ended(*connection, ConsumerEnd::LosesConnection, hearers);
            }
            Event::Cancelled { channel, consumer } => {
                self.consumer_ended(*channel, consumer, ConsumerEnd::CancelledByBroker, hearers);
            }
            Event::Counted { .. } | Event::Told(_) => {}
        }
    }

    /// Returns the queue that a consumer consumes from.
    pub(crate) fn queue_of(&self, channel: ChannelId, consumer: &Name) -> Option<&Name> {
        Some(&self.channels.get(&channel)?.consumers.get(consumer)?.queue.name)
    }

    /// Returns who has a channel, and its vhost.
    fn party(&self, channel: ChannelId) -> (Name, Name) {
        let connection = self.channels.get(&channel).and_then(|channel| self.connections.get(&channel.connection));
        connection.map_or_else(|| (Name::default(), Name::default()), |one| (one.who.clone(), one.vhost.clone()))
    }

    /// Returns the way of a publish: that of the last one of its channel, if it goes the same.
    fn place(
        &mut self,
        id: ChannelId,
        exchange: &Name,
        routing_key: &Name,
        hearers: &mut Hearers<'_>,
    ) -> Arc<PublishRoute> {
        let is_it = |place: &&Arc<PublishRoute>| place.routing_key == *routing_key && place.exchange == *exchange;
        if let Some(place) = self.channels.get(&id).and_then(|channel| channel.place.as_ref()).filter(is_it) {
            return place.clone();
        }
        let (who, vhost) = self.party(id);
        let counted_as = hearers.count_exchange(exchange);
        let (exchange, routing_key) = (exchange.clone(), routing_key.clone());
        let place = Arc::new(PublishRoute { who, vhost, exchange, routing_key, counted_as });
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.place = Some(place.clone());
        }
        place
    }

    fn ended(&self, publish: PublishId, outcome: PublishOutcome, hearers: &mut Hearers<'_>) {
        if let Some(message) = self.known.of_publish(publish) {
            hearers.ended(message, outcome);
        }
    }

    fn answered(
        &mut self,
        id: ChannelId,
        mut method: Method,
        reply: &Result<Reply, Refusal>,
        hearers: &mut Hearers<'_>,
    ) {
        let (who, vhost) = self.party(id);
        let channel = self.channels.get_mut(&id);
        let refusal = match (&mut method, reply, channel) {
            (_, Err(refusal), _) => Some(refusal.clone()),
            (Method::DeclareQueue(declared), Ok(Reply::Declared { queue, .. }), _) => {
                declared.name = queue.clone();
                None
            }
            (Method::Get { queue, no_ack }, Ok(Reply::Got(Some(got))), _) => {
                let queue = QueueName { vhost, name: queue.clone() };
                let counted_as = hearers.count_queue(&queue);
                let taking = Subscription { consumer: None, shown: who, queue, no_ack: *no_ack, counted_as };
                return self.handed_out(id, &Arc::new(taking), &got.delivery, hearers);
            }
            (Method::Consume { queue, consumer, no_ack, arguments, .. }, Ok(_), channel) => {
                let queue = QueueName { vhost, name: queue.clone() };
                let (shown, counted_as) = (shown(&who, consumer), hearers.count_queue(&queue));
                let key = Some((id, consumer.clone()));
                let begun = Subscription { consumer: key, shown, queue, no_ack: *no_ack, counted_as };
                let (subscription, mut prefetch) = (Arc::new(begun), 0);
                if let Some(channel) = channel {
                    prefetch = channel.prefetch;
                    channel.consumers.insert(consumer.clone(), subscription.clone());
                }
                let arguments = Box::new(arguments.clone());
                return hearers.note(SessionEvent::Started { subscription, prefetch, arguments });
            }
            (Method::Cancel { consumer }, Ok(_), _) => {
                return self.consumer_ended(id, consumer, ConsumerEnd::Cancels, hearers);
            }
            (Method::Qos { prefetch, .. }, Ok(_), Some(channel)) => {
                channel.prefetch = *prefetch;
                None
            }
            (Method::TxSelect, Ok(_), Some(channel)) => {
                channel.transaction.get_or_insert_default();
                None
            }
            (Method::TxCommit, Ok(_), Some(channel)) => {
                channel.transaction = Some(Vec::new());
                None
            }
            (Method::TxRollback, Ok(_), Some(channel)) => {
                let settled = channel.transaction.replace(Vec::new());
                settled.into_iter().flatten().for_each(|unsettled| channel.keep(unsettled));
                None
            }
            _ => None,
        };
        hearers.note(SessionEvent::Called { channel: id, who, vhost, method: Box::new(method), refusal });
    }

    fn delivered(&mut self, id: ChannelId, consumer: &Name, delivery: &Delivery, hearers: &mut Hearers<'_>) {
        let Some(channel) = self.channels.get(&id) else { return };
        let Some(subscription) = channel.consumers.get(consumer).cloned() else { return };
        self.handed_out(id, &subscription, delivery, hearers);
    }

    /// Takes note of what a consumer or a get is given.
    fn handed_out(
        &mut self,
        id: ChannelId,
        subscription: &Arc<Subscription>,
        delivery: &Delivery,
        hearers: &mut Hearers<'_>,
    ) {
        let message = self.known.of_delivery(&delivery.message);
        hearers.delivered(id, subscription, &message, delivery);
        if let Some(channel) = self.channels.get_mut(&id).filter(|_| !subscription.no_ack) {
            channel.keep(Unsettled { tag: delivery.tag.0, subscription: subscription.clone(), message });
        }
    }

    fn settled(&mut self, id: ChannelId, tag: u64, multiple: bool, settlement: Settlement, hearers: &mut Hearers<'_>) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let mut transaction = channel.transaction.take();
        let mut tell = |unsettled: Unsettled| {
            if let Some(held) = &mut transaction {
                held.push(unsettled.clone());
            }
            hearers.settled(id, unsettled.subscription, unsettled.message, settlement);
        };
        match multiple {
            true => channel.take_up_to(tag).for_each(&mut tell),
            false => channel.take(tag).into_iter().for_each(&mut tell),
        }
        channel.transaction = transaction;
    }

    fn consumer_ended(&mut self, id: ChannelId, tag: &Name, how: ConsumerEnd, hearers: &mut Hearers<'_>) {
        let gone = self.channels.get_mut(&id).and_then(|channel| channel.consumers.remove(tag));
        gone.into_iter().for_each(|subscription| hearers.note(SessionEvent::Gone { subscription, how }));
    }

    fn channel_ended(&mut self, id: ChannelId, how: ConsumerEnd, hearers: &mut Hearers<'_>) {
        self.calls.retain(|_, (of, _)| *of != id);
        let Some(ended) = self.channels.swap_remove(&id) else { return };
        if ended.transaction.is_some() {
            hearers.note(SessionEvent::TransactionsEnded { channel: id });
        }
        let gone = ended.consumers.into_values();
        gone.for_each(|subscription| hearers.note(SessionEvent::Gone { subscription, how }));
    }

    fn connection_ended(&mut self, connection: ConnectionId, how: ConsumerEnd, hearers: &mut Hearers<'_>) {
        self.connections.remove(&connection);
        let of_it = self.channels.iter().filter(|(_, channel)| channel.connection == connection);
        let mut channels: Vec<ChannelId> = of_it.map(|(id, _)| *id).collect();
        channels.sort_unstable();
        channels.into_iter().for_each(|channel| self.channel_ended(channel, how, hearers));
    }
}

/// Names a consumer: by the client's own tag, or by its client where the tag says nothing.
fn shown(who: &Name, tag: &Name) -> Name {
    if tag.starts_with("amq.ctag") || tag.starts_with("ctag") || tag.is_empty() { who.clone() } else { tag.clone() }
}
