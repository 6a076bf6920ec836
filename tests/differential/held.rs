//! What the playing side holds at a moment: connections, channels, consumers, unsettled deliveries, queues.
//! Follows from what was said by the broker alone, so that both sides hold the same as long as they agree.

use crate::script::Step;
use rmqplay::broker::{ChannelId, ConnectionId, DeliveryTag};
use rmqplay::model::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A delivery that is not settled.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsettled {
    pub tag: DeliveryTag,
    pub id: String,
    pub message: Arc<Message>,
    pub redelivered: bool,
    /// The queue, as far as its consumer tells; what basic.get took is numbered when it is asked for.
    pub queue: Option<String>,
    /// During which operation it came.
    pub came_at: usize,
}

/// Holds it all, by the names that the sequence uses.
#[derive(Debug, Clone, Default)]
pub struct Held {
    pub connections: BTreeMap<String, ConnectionId>,
    pub channels: BTreeMap<String, ChannelId>,
    /// Which connection a channel is on; kept when the channel is gone.
    pub owners: BTreeMap<String, String>,
    /// Which user a connection is for; kept when the connection is gone.
    pub logins: BTreeMap<String, Option<String>>,
    /// Channel and consumer, and the queue.
    pub consumers: BTreeMap<(String, String), String>,
    pub unsettled: BTreeMap<String, Vec<Unsettled>>,
    pub queues: BTreeSet<String>,
    /// Those that are streams: their counts come late, and are not compared (ST-6).
    pub streams: BTreeSet<String>,
    /// What channels may hold over all consumers (CO-4).
    pub limits: BTreeMap<ChannelId, usize>,
    /// What channels settled in a transaction that is open; a channel that has none yet is not there.
    pub transactions: BTreeMap<String, Vec<Unsettled>>,
    names: BTreeMap<ChannelId, String>,
}

impl Held {
    /// Notes a channel.
    pub fn open(&mut self, name: &str, id: ChannelId, owner: &str) {
        self.channels.insert(name.to_owned(), id);
        self.owners.insert(name.to_owned(), owner.to_owned());
        self.names.insert(id, name.to_owned());
    }

    /// Returns the name of a channel, also of one that is gone.
    pub fn name(&self, id: ChannelId) -> String {
        self.names.get(&id).cloned().unwrap_or_default()
    }

    /// Forgets a channel with what was on it.
    pub fn forget_channel(&mut self, id: ChannelId) {
        let name = self.name(id);
        if self.channels.get(&name) == Some(&id) {
            self.channels.remove(&name);
            self.unsettled.remove(&name);
            self.transactions.remove(&name);
            self.consumers.retain(|(channel, _), _| *channel != name);
        }
    }

    /// Forgets a connection with its channels; gives their ids.
    pub fn forget_connection(&mut self, name: &str) -> Vec<ChannelId> {
        self.connections.remove(name);
        let gone: Vec<ChannelId> = (self.channels.iter())
            .filter(|(channel, _)| self.owners.get(*channel).is_some_and(|owner| owner == name))
            .map(|(_, id)| *id)
            .collect();
        for id in &gone {
            self.forget_channel(*id);
        }
        gone
    }

    /// Lists the connections that hold messages on one channel and consume on another.
    pub fn divided(&self) -> BTreeSet<ConnectionId> {
        let holding: Vec<&String> =
            self.unsettled.iter().filter(|(_, all)| !all.is_empty()).map(|(on, _)| on).collect();
        let consuming = self.consumers.keys().map(|(channel, _)| channel);
        let pairs = consuming.flat_map(|one| holding.iter().map(move |other| (one, *other)));
        let both = pairs.filter(|(one, other)| one != other && self.owners.get(*one) == self.owners.get(*other));
        both.filter_map(|(one, _)| self.connections.get(self.owners.get(one)?).copied()).collect()
    }

    /// Lists the channels that hold as much as their shared limit allows.
    pub fn full(&self) -> BTreeSet<ChannelId> {
        let held = |id: &ChannelId| self.unsettled.get(&self.name(*id)).map_or(0, Vec::len);
        self.limits.iter().filter(|(id, max)| **max > 0 && held(id) >= **max).map(|(id, _)| *id).collect()
    }

    /// Notes a delivery that must be settled.
    pub fn take(&mut self, channel: &str, delivery: Unsettled) {
        self.unsettled.entry(channel.to_owned()).or_default().push(delivery);
    }

    /// Finds the latest unsettled delivery of a message on a channel, by what the broker numbered last: those of several
    /// consumers arrive in no order.
    pub fn tag(&self, channel: &str, id: &str) -> Option<DeliveryTag> {
        let all = self.unsettled.get(channel)?;
        all.iter().filter(|delivery| delivery.id == id).map(|delivery| delivery.tag).max()
    }

    /// Returns whether an operation names a delivery that came beside one of another queue: which of the two has the higher
    /// number is not promised.
    pub fn is_numbered_by_chance(&self, step: &Step) -> bool {
        let verb = step.word(0);
        if !matches!(verb.as_str(), "ack" | "nack" | "reject" | "forward") {
            return false;
        }
        let Some(all) = self.unsettled.get(&step.channel) else { return false };
        let ids = &step.words[1..];
        let named = all.iter().filter(|delivery| ids.contains(&delivery.id));
        let up_to = step.has("multiple");
        named.into_iter().any(|one| {
            let beside = |other: &&Unsettled| other.came_at == one.came_at && other.queue != one.queue;
            all.iter().filter(beside).any(|other| up_to || other.id == one.id)
        })
    }

    /// Returns a message as a channel holds it: of several deliveries the one that the broker numbered last.
    pub fn message(&self, channel: &str, id: &str) -> Option<Arc<Message>> {
        let all = self.unsettled.get(channel)?.iter().filter(|delivery| delivery.id == id);
        all.max_by_key(|delivery| delivery.tag).map(|delivery| delivery.message.clone())
    }

    /// Notes that a tag is settled, or all up to it; 0 is all.
    pub fn settle(&mut self, channel: &str, tag: DeliveryTag, multiple: bool) {
        if let Some(all) = self.unsettled.get_mut(channel) {
            let is_meant =
                |delivery: &mut Unsettled| delivery.tag == tag || multiple && (tag.0 == 0 || delivery.tag <= tag);
            let settled = all.extract_if(.., is_meant);
            match self.transactions.get_mut(channel) {
                Some(transaction) => transaction.extend(settled),
                None => drop(settled.count()),
            }
        }
    }

    /// Notes that a channel selects transactions.
    pub fn select(&mut self, channel: &str) {
        self.transactions.entry(channel.to_owned()).or_default();
    }

    /// Notes that a transaction ends: what it settled is settled, or to be settled again.
    pub fn end_transaction(&mut self, channel: &str, rolled_back: bool) {
        let Some(settled) = self.transactions.get_mut(channel).map(std::mem::take) else { return };
        if rolled_back {
            let all = self.unsettled.entry(channel.to_owned()).or_default();
            all.extend(settled);
            all.sort_by_key(|delivery| delivery.tag);
        }
    }
}
