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
use std::collections::BTreeMap;

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

/// Follows a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observer {
    connections: BTreeMap<ConnectionId, ObservedConnection>,
    channels: BTreeMap<ChannelId, ObservedChannel>,
    consumers: BTreeMap<ConsumerKey, ObservedConsumer>,
    calls: BTreeMap<RequestId, (ChannelId, Method)>,
    unsettled: BTreeMap<(ChannelId, u64), Unsettled>,
    pub known: KnownMessages,
}

impl Observer {
    /// Takes note of a command; `who_is` names the client of a connection.
    pub(crate) fn command(&mut self, command: &Command, who_is: impl Fn(ConnectionId) -> Name) -> Vec<SessionEvent> {
        match command {
            Command::Connect { connection, vhost, .. } => {
                let connected = ObservedConnection { who: who_is(*connection), vhost: vhost.clone() };
                self.connections.insert(*connection, connected);
                Vec::new()
            }
            Command::OpenChannel { channel, connection, .. } => {
                let opened = ObservedChannel { connection: *connection, prefetch: 0, transaction: None };
                self.channels.insert(*channel, opened);
                Vec::new()
            }
            Command::Call { request, channel, method } => {
                self.calls.insert(*request, (*channel, method.clone()));
                Vec::new()
            }
            Command::Publish { channel, publish, exchange, routing_key, mandatory, message } => {
                let name = self.known.published(*publish, message);
                let (who, vhost) = self.party(*channel);
                vec![SessionEvent::Published {
                    channel: *channel,
                    who,
                    vhost,
                    message: name,
                    exchange: exchange.clone(),
                    routing_key: routing_key.clone(),
                    mandatory: *mandatory,
                    content: message.clone(),
                }]
            }
            Command::Settle { channel, tag, multiple, settlement } => {
                self.settled(*channel, tag.0, *multiple, *settlement)
            }
            Command::CloseChannel { channel, .. } => self.channel_ended(*channel, ConsumerEnd::ClosesChannel),
            Command::Disconnect { connection, .. } => self.connection_ended(*connection, ConsumerEnd::ClosesConnection),
            Command::Cut { connection, .. } => self.connection_ended(*connection, ConsumerEnd::Crashes),
            _ => Vec::new(),
        }
    }

    /// Takes note of an event.
    pub(crate) fn event(&mut self, event: &Event) -> Vec<SessionEvent> {
        match event {
            Event::Reply { request, reply } => match self.calls.remove(request) {
                Some((channel, method)) => self.answered(channel, method, reply),
                None => Vec::new(),
            },
            Event::Delivered { channel, consumer, delivery } => self.delivered(*channel, consumer, delivery),
            Event::Returned { publish, .. } => self.ended(*publish, PublishOutcome::Returned),
            Event::Confirmed { publish, confirmation: Confirmation::Ack } => {
                self.ended(*publish, PublishOutcome::Confirmed)
            }
            Event::Confirmed { publish, confirmation: Confirmation::Nack } => {
                self.ended(*publish, PublishOutcome::Nacked)
            }
            Event::Confirmed { publish, confirmation: Confirmation::RolledBack } => {
                self.ended(*publish, PublishOutcome::RolledBack)
            }
            Event::ChannelClosed { channel, .. } => self.channel_ended(*channel, ConsumerEnd::LosesChannel),
            Event::ConnectionClosed { connection, .. } => {
                self.connection_ended(*connection, ConsumerEnd::LosesConnection)
            }
            Event::Cancelled { channel, consumer } => {
                self.consumer_ended(&(*channel, consumer.clone()), ConsumerEnd::CancelledByBroker)
            }
            Event::Counted { .. } | Event::Told(_) => Vec::new(),
        }
    }

    /// Returns the queue that a consumer consumes from.
    pub(crate) fn queue_of(&self, channel: ChannelId, consumer: &Name) -> Option<&Name> {
        Some(&self.consumers.get(&(channel, consumer.clone()))?.queue.name)
    }

    /// Returns who has a channel, and its vhost.
    fn party(&self, channel: ChannelId) -> (Name, Name) {
        let connection = self.channels.get(&channel).and_then(|channel| self.connections.get(&channel.connection));
        connection.map_or_else(|| (Name::default(), Name::default()), |one| (one.who.clone(), one.vhost.clone()))
    }

    fn ended(&self, publish: PublishId, outcome: PublishOutcome) -> Vec<SessionEvent> {
        let message = self.known.of_publish(publish).cloned();
        message.into_iter().map(|message| SessionEvent::PublishEnded { message, outcome }).collect()
    }

    fn answered(
        &mut self,
        channel: ChannelId,
        mut method: Method,
        reply: &Result<Reply, Refusal>,
    ) -> Vec<SessionEvent> {
        let (who, vhost) = self.party(channel);
        let refusal = match (&mut method, reply) {
            (_, Err(refusal)) => Some(refusal.clone()),
            (Method::DeclareQueue(declared), Ok(Reply::Declared { queue, .. })) => {
                declared.name = queue.clone();
                None
            }
            (Method::Get { queue, no_ack }, Ok(Reply::Got(Some(got)))) => {
                let queue = QueueName { vhost, name: queue.clone() };
                return self.got(channel, who, queue, *no_ack, got);
            }
            (Method::Consume { queue, consumer, no_ack, arguments, .. }, Ok(_)) => {
                let key = (channel, consumer.clone());
                let queue = QueueName { vhost, name: queue.clone() };
                let prefetch = self.channels.get(&channel).map_or(0, |channel| channel.prefetch);
                let one = ObservedConsumer { queue: queue.clone(), no_ack: *no_ack, shown: shown(&who, consumer) };
                let (shown, no_ack) = (one.shown.clone(), *no_ack);
                self.consumers.insert(key.clone(), one);
                let arguments = Box::new(arguments.clone());
                return vec![SessionEvent::Started { consumer: key, shown, queue, prefetch, no_ack, arguments }];
            }
            (Method::Cancel { consumer }, Ok(_)) => {
                return self.consumer_ended(&(channel, consumer.clone()), ConsumerEnd::Cancels);
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
                let settled = self.channels.get_mut(&channel).and_then(|one| one.transaction.replace(Vec::new()));
                if method == Method::TxRollback {
                    let back = settled.into_iter().flatten().map(|(tag, unsettled)| ((channel, tag), unsettled));
                    self.unsettled.extend(back);
                }
                None
            }
            _ => None,
        };
        vec![SessionEvent::Called { channel, who, vhost, method: Box::new(method), refusal }]
    }

    fn got(&mut self, channel: ChannelId, who: Name, queue: QueueName, no_ack: bool, got: &Got) -> Vec<SessionEvent> {
        let message = self.known.of_content(got.delivery.message.published());
        if !no_ack {
            let unsettled = Unsettled { consumer: None, shown: who.clone(), message: message.clone() };
            self.unsettled.insert((channel, got.delivery.tag.0), unsettled);
        }
        vec![SessionEvent::Delivered {
            channel,
            consumer: None,
            shown: who,
            queue,
            message,
            redelivered: got.delivery.redelivered,
            content: (*got.delivery.message).clone(),
            no_ack,
        }]
    }

    fn delivered(&mut self, channel: ChannelId, consumer: &Name, delivery: &Delivery) -> Vec<SessionEvent> {
        let key = (channel, consumer.clone());
        let Some(ObservedConsumer { queue, no_ack, shown }) = self.consumers.get(&key).cloned() else {
            return Vec::new();
        };
        let message = self.known.of_content(delivery.message.published());
        if !no_ack {
            let unsettled = Unsettled { consumer: Some(key.clone()), shown: shown.clone(), message: message.clone() };
            self.unsettled.insert((channel, delivery.tag.0), unsettled);
        }
        vec![SessionEvent::Delivered {
            channel,
            consumer: Some(key),
            shown,
            queue,
            message,
            redelivered: delivery.redelivered,
            content: (*delivery.message).clone(),
            no_ack,
        }]
    }

    fn settled(&mut self, channel: ChannelId, tag: u64, multiple: bool, settlement: Settlement) -> Vec<SessionEvent> {
        let last = if multiple && tag == 0 { u64::MAX } else { tag };
        let first = if multiple { 0 } else { tag };
        let tags: Vec<_> = self.unsettled.range((channel, first)..=(channel, last)).map(|(key, _)| *key).collect();
        let settled: Vec<_> = tags.into_iter().filter_map(|key| self.unsettled.remove_entry(&key)).collect();
        if let Some(held) = self.channels.get_mut(&channel).and_then(|channel| channel.transaction.as_mut()) {
            held.extend(settled.iter().map(|((_, tag), unsettled)| (*tag, unsettled.clone())));
        }
        let told = settled.into_iter().map(|(_, Unsettled { consumer, shown, message })| SessionEvent::Settled {
            channel,
            consumer,
            shown,
            message,
            settlement,
        });
        told.collect()
    }

    fn consumer_ended(&mut self, key: &ConsumerKey, how: ConsumerEnd) -> Vec<SessionEvent> {
        let gone = self.consumers.remove(key);
        gone.into_iter().map(|one| SessionEvent::Gone { consumer: key.clone(), shown: one.shown, how }).collect()
    }

    fn channel_ended(&mut self, channel: ChannelId, how: ConsumerEnd) -> Vec<SessionEvent> {
        let ended = self.channels.remove(&channel).filter(|ended| ended.transaction.is_some());
        let ended = ended.map(|_| SessionEvent::TransactionsEnded { channel });
        self.unsettled.retain(|(of, _), _| *of != channel);
        self.calls.retain(|_, (of, _)| *of != channel);
        let keys: Vec<ConsumerKey> = self.consumers.keys().filter(|(of, _)| *of == channel).cloned().collect();
        ended.into_iter().chain(keys.iter().flat_map(|key| self.consumer_ended(key, how))).collect()
    }

    fn connection_ended(&mut self, connection: ConnectionId, how: ConsumerEnd) -> Vec<SessionEvent> {
        self.connections.remove(&connection);
        let of_it = self.channels.iter().filter(|(_, channel)| channel.connection == connection);
        let channels: Vec<ChannelId> = of_it.map(|(id, _)| *id).collect();
        channels.into_iter().flat_map(|channel| self.channel_ended(channel, how)).collect()
    }
}

/// Names a consumer: by the client's own tag, or by its client where the tag says nothing.
fn shown(who: &Name, tag: &Name) -> Name {
    if tag.starts_with("amq.ctag") || tag.starts_with("ctag") || tag.is_empty() { who.clone() } else { tag.clone() }
}
