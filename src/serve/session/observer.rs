//! Follows the commands and events of a session, and says what each means: who, over which vhost, which message.
//! Forgets what is closed and settled.

use crate::broker::{
    ChannelId, Command, Confirmation, ConnectionId, Delivery, Event, Got, Method, PublishId, Refusal, Reply, RequestId,
    Settlement,
};
use crate::model::{Name, PublishOutcome, QueueName};
use crate::player::ConsumerEnd;
use crate::serve::session::event::{ConsumerKey, SessionEvent};
use crate::serve::session::known_messages::KnownMessages;
use std::collections::{BTreeMap, VecDeque};

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
    consumers: BTreeMap<Name, ObservedConsumer>,
    /// By their delivery tags, which rise.
    unsettled: VecDeque<(u64, Unsettled)>,
    /// What its transaction settled, where it has transactions: a rollback takes that back.
    transaction: Option<Vec<(u64, Unsettled)>>,
}

/// A consumer that is there.
#[derive(Debug, Clone)]
struct ObservedConsumer {
    queue: QueueName,
    no_ack: bool,
    shown: Name,
}

/// A delivery that waits to be settled.
#[derive(Debug, Clone)]
struct Unsettled {
    consumer: Option<ConsumerKey>,
    shown: Name,
    message: Name,
}

impl ObservedChannel {
    fn of(connection: ConnectionId) -> Self {
        Self { connection, prefetch: 0, consumers: BTreeMap::new(), unsettled: VecDeque::new(), transaction: None }
    }

    /// Keeps a delivery at the place of its tag: nearly always the end.
    fn keep(&mut self, tag: u64, unsettled: Unsettled) {
        let at = self.unsettled.partition_point(|(other, _)| *other < tag);
        self.unsettled.insert(at, (tag, unsettled));
    }

    /// Takes the deliveries of a settlement, in the order of their tags.
    fn take(&mut self, tag: u64, multiple: bool) -> impl Iterator<Item = (u64, Unsettled)> {
        let last = if multiple && tag == 0 { u64::MAX } else { tag };
        let first = if multiple { 0 } else { self.unsettled.partition_point(|(other, _)| *other < tag) };
        let end = self.unsettled.partition_point(|(other, _)| *other <= last);
        self.unsettled.drain(first..end.max(first))
    }
}

/// Follows a session. What happened is added to a list that the caller brings, and may use again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observer {
    connections: BTreeMap<ConnectionId, ObservedConnection>,
    channels: BTreeMap<ChannelId, ObservedChannel>,
    calls: BTreeMap<RequestId, (ChannelId, Method)>,
    pub known: KnownMessages,
}

impl Observer {
    /// Takes note of a command; `who_is` names the client of a connection.
    pub(crate) fn command(
        &mut self,
        command: &Command,
        who_is: impl Fn(ConnectionId) -> Name,
        told: &mut Vec<SessionEvent>,
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
                let name = self.known.published(*publish, message);
                let (who, vhost) = self.party(*channel);
                told.push(SessionEvent::Published {
                    channel: *channel,
                    who,
                    vhost,
                    message: name,
                    exchange: exchange.clone(),
                    routing_key: routing_key.clone(),
                    mandatory: *mandatory,
                    content: message.clone(),
                });
            }
            Command::Settle { channel, tag, multiple, settlement } => {
                self.settled(*channel, tag.0, *multiple, *settlement, told);
            }
            Command::CloseChannel { channel, .. } => self.channel_ended(*channel, ConsumerEnd::ClosesChannel, told),
            Command::Disconnect { connection, .. } => {
                self.connection_ended(*connection, ConsumerEnd::ClosesConnection, told);
            }
            Command::Cut { connection, .. } => self.connection_ended(*connection, ConsumerEnd::Crashes, told),
            _ => {}
        }
    }

    /// Takes note of an event.
    pub(crate) fn event(&mut self, event: &Event, told: &mut Vec<SessionEvent>) {
        match event {
            Event::Reply { request, reply } => {
                if let Some((channel, method)) = self.calls.remove(request) {
                    self.answered(channel, method, reply, told);
                }
            }
            Event::Delivered { channel, consumer, delivery } => self.delivered(*channel, consumer, delivery, told),
            Event::Returned { publish, .. } => self.ended(*publish, PublishOutcome::Returned, told),
            Event::Confirmed { publish, confirmation } => {
                let outcome = match confirmation {
                    Confirmation::Ack => PublishOutcome::Confirmed,
                    Confirmation::Nack => PublishOutcome::Nacked,
                    Confirmation::RolledBack => PublishOutcome::RolledBack,
                };
                self.ended(*publish, outcome, told);
            }
            Event::ChannelClosed { channel, .. } => self.channel_ended(*channel, ConsumerEnd::LosesChannel, told),
            Event::ConnectionClosed { connection, .. } => {
                self.connection_ended(*connection, ConsumerEnd::LosesConnection, told);
            }
            Event::Cancelled { channel, consumer } => {
                self.consumer_ended(*channel, consumer, ConsumerEnd::CancelledByBroker, told);
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

    fn ended(&self, publish: PublishId, outcome: PublishOutcome, told: &mut Vec<SessionEvent>) {
        let message = self.known.of_publish(publish).cloned();
        told.extend(message.map(|message| SessionEvent::PublishEnded { message, outcome }));
    }

    fn answered(
        &mut self,
        channel: ChannelId,
        mut method: Method,
        reply: &Result<Reply, Refusal>,
        told: &mut Vec<SessionEvent>,
    ) {
        let (who, vhost) = self.party(channel);
        let refusal = match (&mut method, reply) {
            (_, Err(refusal)) => Some(refusal.clone()),
            (Method::DeclareQueue(declared), Ok(Reply::Declared { queue, .. })) => {
                declared.name = queue.clone();
                None
            }
            (Method::Get { queue, no_ack }, Ok(Reply::Got(Some(got)))) => {
                let queue = QueueName { vhost, name: queue.clone() };
                return told.push(self.got(channel, who, queue, *no_ack, got));
            }
            (Method::Consume { queue, consumer, no_ack, arguments, .. }, Ok(_)) => {
                let queue = QueueName { vhost, name: queue.clone() };
                let (shown, no_ack) = (shown(&who, consumer), *no_ack);
                let mut prefetch = 0;
                if let Some(channel) = self.channels.get_mut(&channel) {
                    prefetch = channel.prefetch;
                    let one = ObservedConsumer { queue: queue.clone(), no_ack, shown: shown.clone() };
                    channel.consumers.insert(consumer.clone(), one);
                }
                let (consumer, arguments) = ((channel, consumer.clone()), Box::new(arguments.clone()));
                return told.push(SessionEvent::Started { consumer, shown, queue, prefetch, no_ack, arguments });
            }
            (Method::Cancel { consumer }, Ok(_)) => {
                return self.consumer_ended(channel, consumer, ConsumerEnd::Cancels, told);
            }
            (Method::Qos { prefetch, .. }, Ok(_)) => {
                if let Some(channel) = self.channels.get_mut(&channel) {
                    channel.prefetch = *prefetch;
                }
                None
            }
            (Method::TxSelect, Ok(_)) => {
                if let Some(channel) = self.channels.get_mut(&channel) {
                    channel.transaction.get_or_insert_default();
                }
                None
            }
            (Method::TxCommit | Method::TxRollback, Ok(_)) => {
                if let Some(channel) = self.channels.get_mut(&channel) {
                    let settled = channel.transaction.replace(Vec::new());
                    if method == Method::TxRollback {
                        settled.into_iter().flatten().for_each(|(tag, unsettled)| channel.keep(tag, unsettled));
                    }
                }
                None
            }
            _ => None,
        };
        told.push(SessionEvent::Called { channel, who, vhost, method: Box::new(method), refusal });
    }

    fn got(&mut self, channel: ChannelId, who: Name, queue: QueueName, no_ack: bool, got: &Got) -> SessionEvent {
        let message = self.known.of_content(got.delivery.message.published());
        if let Some(channel) = self.channels.get_mut(&channel).filter(|_| !no_ack) {
            let unsettled = Unsettled { consumer: None, shown: who.clone(), message: message.clone() };
            channel.keep(got.delivery.tag.0, unsettled);
        }
        SessionEvent::Delivered {
            channel,
            consumer: None,
            shown: who,
            queue,
            message,
            redelivered: got.delivery.redelivered,
            content: (*got.delivery.message).clone(),
            no_ack,
        }
    }

    fn delivered(&mut self, id: ChannelId, consumer: &Name, delivery: &Delivery, told: &mut Vec<SessionEvent>) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let Some(ObservedConsumer { queue, no_ack, shown }) = channel.consumers.get(consumer) else { return };
        let (queue, no_ack, shown) = (queue.clone(), *no_ack, shown.clone());
        let key = (id, consumer.clone());
        let message = self.known.of_content(delivery.message.published());
        if !no_ack {
            let unsettled = Unsettled { consumer: Some(key.clone()), shown: shown.clone(), message: message.clone() };
            channel.keep(delivery.tag.0, unsettled);
        }
        told.push(SessionEvent::Delivered {
            channel: id,
            consumer: Some(key),
            shown,
            queue,
            message,
            redelivered: delivery.redelivered,
            content: (*delivery.message).clone(),
            no_ack,
        });
    }

    fn settled(
        &mut self,
        id: ChannelId,
        tag: u64,
        multiple: bool,
        settlement: Settlement,
        told: &mut Vec<SessionEvent>,
    ) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let mut transaction = channel.transaction.take();
        for (tag, unsettled) in channel.take(tag, multiple) {
            if let Some(held) = &mut transaction {
                held.push((tag, unsettled.clone()));
            }
            let Unsettled { consumer, shown, message } = unsettled;
            told.push(SessionEvent::Settled { channel: id, consumer, shown, message, settlement });
        }
        channel.transaction = transaction;
    }

    fn consumer_ended(&mut self, id: ChannelId, tag: &Name, how: ConsumerEnd, told: &mut Vec<SessionEvent>) {
        let gone = self.channels.get_mut(&id).and_then(|channel| channel.consumers.remove(tag));
        told.extend(gone.map(|one| SessionEvent::Gone { consumer: (id, tag.clone()), shown: one.shown, how }));
    }

    fn channel_ended(&mut self, id: ChannelId, how: ConsumerEnd, told: &mut Vec<SessionEvent>) {
        self.calls.retain(|_, (of, _)| *of != id);
        let Some(ended) = self.channels.remove(&id) else { return };
        if ended.transaction.is_some() {
            told.push(SessionEvent::TransactionsEnded { channel: id });
        }
        let gone = ended.consumers.into_iter();
        told.extend(gone.map(|(tag, one)| SessionEvent::Gone { consumer: (id, tag), shown: one.shown, how }));
    }

    fn connection_ended(&mut self, connection: ConnectionId, how: ConsumerEnd, told: &mut Vec<SessionEvent>) {
        self.connections.remove(&connection);
        let of_it = self.channels.iter().filter(|(_, channel)| channel.connection == connection);
        let channels: Vec<ChannelId> = of_it.map(|(id, _)| *id).collect();
        channels.into_iter().for_each(|channel| self.channel_ended(channel, how, told));
    }
}

/// Names a consumer: by the client's own tag, or by its client where the tag says nothing.
fn shown(who: &Name, tag: &Name) -> Name {
    if tag.starts_with("amq.ctag") || tag.starts_with("ctag") || tag.is_empty() { who.clone() } else { tag.clone() }
}
