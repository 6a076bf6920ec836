//! Queues as an onlooker sees them: counts, and what comes next by itself. Nothing that is asked here changes anything.

use crate::broker::{DeliveredMessage, PublishId, SharedMessage};
use crate::model::{Message, Moment, QueueKind, QueueName};
use crate::sim::broker::Sim;
use crate::sim::state::arena::QueueId;
use crate::sim::state::channel::{ChannelMode, TransactedMessage};
use crate::sim::state::queue::{Queue, QueueContents};
use crate::sim::state::queued_message::Stored;
use crate::sim::state::timer::Timer;
use std::sync::Arc;

/// A queue, as an onlooker sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueStatus {
    /// Its name and vhost.
    pub name: QueueName,
    /// Its type.
    pub kind: QueueKind,
    /// How many messages wait.
    pub ready: u64,
    /// How many wait to be settled.
    pub unacked: u64,
    /// How many consumers it has.
    pub consumers: u64,
    /// When something next happens in it by itself.
    pub next: Option<Moment>,
}

impl Sim {
    /// Lists all queues, by vhost and name.
    pub fn queue_views(&self) -> Vec<QueueStatus> {
        let mut views: Vec<QueueStatus> = self.queues.iter().map(|(id, queue)| self.view(id, queue)).collect();
        views.sort_by(|one, other| one.name.cmp(&other.name));
        views
    }

    /// Returns one queue; `None` where there is none of that name.
    pub fn queue_view(&self, name: &QueueName) -> Option<QueueStatus> {
        let id = self.queue_id(*self.vhost_names.get(&name.vhost)?, &name.name)?;
        Some(self.view(id, self.queues.get(id)?))
    }

    /// Lists what a queue holds, unsettled deliveries included, as it was published, each with the publish that it stems from.
    pub fn messages_of(&self, name: &QueueName) -> Vec<(PublishId, Arc<Message>)> {
        let id = self.vhost_names.get(&name.vhost).and_then(|vhost| self.queue_id(*vhost, &name.name));
        let Some((id, queue)) = id.and_then(|id| Some((id, self.queues.get(id)?))) else { return Vec::new() };
        let unacked = self.channels.iter().flat_map(|(_, channel)| &channel.unacked).filter(|one| one.queue == id);
        let unacked = unacked.filter_map(|one| Some(published(&one.entry()?.stored)));
        ready_in(queue).into_iter().chain(unacked).collect()
    }

    /// Lists all that the broker holds: in queues, with consumers, in exchanges that hold back and in transactions; as it was
    /// published, each with the publish that it stems from.
    pub fn held_messages(&self) -> Vec<(PublishId, Arc<Message>)> {
        let ready = self.queues.iter().flat_map(|(_, queue)| ready_in(queue));
        let channels = || self.channels.iter().map(|(_, channel)| channel);
        let overtaken = self.overtaken.iter().flat_map(|one| &one.taken);
        let unacked = channels().flat_map(|channel| &channel.unacked).chain(overtaken);
        let unacked = unacked.filter_map(|one| Some(published(&one.entry()?.stored)));
        let delayed = self.delayed_publishes.iter().map(|one| published(&one.stored));
        let publishes = channels().flat_map(|channel| match &channel.mode {
            ChannelMode::Transaction(transaction) => transaction.publishes.as_slice(),
            _ => &[],
        });
        let transacted = publishes.filter_map(|one| match &one.what {
            TransactedMessage::Routed { stored, .. } => Some(published(stored)),
            _ => None,
        });
        ready.chain(unacked).chain(delayed).chain(transacted).collect()
    }

    /// Lists what waits in a queue, next first, as a consumer would get it.
    pub fn letters_of(&self, name: &QueueName) -> Vec<DeliveredMessage> {
        let id = self.vhost_names.get(&name.vhost).and_then(|vhost| self.queue_id(*vhost, &name.name));
        let Some(queue) = id.and_then(|id| self.queues.get(id)) else { return Vec::new() };
        if let QueueContents::Stream(stream) = &queue.contents {
            return stream
                .entries()
                .map(|entry| DeliveredMessage::of_stream(entry.clone()).stemming_from(entry.origin))
                .collect();
        }
        let mut copy = queue.clone();
        std::iter::from_fn(|| copy.pop()).map(|entry| entry.stored.letter()).collect()
    }

    /// Returns whether the broker is stopped.
    pub fn is_down(&self) -> bool {
        self.down_until.is_some()
    }

    fn view(&self, id: QueueId, queue: &Queue) -> QueueStatus {
        let is_its = |timer: Timer| {
            matches!(timer,
                Timer::MessageTtl(of) | Timer::QueueExpires(of) | Timer::DelayedRetry(of) | Timer::DeadLetterRetry(of)
                if of == id)
        };
        QueueStatus {
            name: queue.name.clone(),
            kind: queue.kind,
            ready: queue.ready(),
            unacked: queue.unacked,
            consumers: self.counted_consumers(queue),
            next: self.timers.all().find(|(_, timer)| is_its(*timer)).map(|(at, _)| at),
        }
    }
}

fn published(stored: &Stored) -> (PublishId, Arc<Message>) {
    (stored.origin, stored.message.clone())
}

/// Lists what waits in a queue.
fn ready_in(queue: &Queue) -> Vec<(PublishId, Arc<Message>)> {
    if let QueueContents::Stream(stream) = &queue.contents {
        return stream.entries().map(|entry| (entry.origin, entry.whole().clone())).collect();
    }
    let mut copy = queue.clone();
    std::iter::from_fn(|| copy.pop()).map(|entry| published(&entry.stored)).collect()
}
