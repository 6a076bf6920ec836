//! A message arrives at a stream, and what the stream forgets over it (ST-7, ST-9 to ST-11).

use crate::broker::What;
use crate::rules::{appended_bytes, filter_value};
use crate::sim::broker::Sim;
use crate::sim::state::arena::{ExchangeId, QueueId};
use crate::sim::state::queue::{Queue, QueueContents};
use crate::sim::state::queued_message::Stored;
use crate::sim::state::stream::AppendedMessage;
use std::sync::OnceLock;

impl Sim {
    /// Puts a message at the end of a stream, which takes all that comes.
    pub(crate) fn append(&mut self, id: QueueId, stored: &Stored) -> bool {
        let (now, rules) = (self.now, self.rules);
        let Some(queue) = self.queues.get_mut(id) else { return true };
        let QueueContents::Stream(stream) = &mut queue.contents else { return true };
        let (offset, begins_segment) = stream.make_room(now);
        let headers = stored.headers();
        let death = headers.filter(|_| stored.died()).cloned();
        let (exchange, routing_key) = (stored.exchange(), stored.routing_key());
        let bytes = appended_bytes(&stored.message, headers, exchange, routing_key);
        let entry = AppendedMessage {
            offset,
            at: now,
            published_to: stream.published_to(exchange, routing_key),
            filter_value: filter_value(headers, rules).unwrap_or_default().map(Box::new),
            origin: stored.origin,
            published: stored.message.clone(),
            death: death.map(Box::new),
            rules,
            whole: OnceLock::new(),
        };
        stream.append(entry, bytes);
        self.tell_place(id, stored.origin);
        if begins_segment {
            self.truncate(id);
        }
        self.touch(id);
        self.serve_readers(id);
        true
    }

    /// Lets a stream forget what its retention does not keep.
    pub(crate) fn truncate(&mut self, id: QueueId) {
        let now = self.now;
        let Some(queue) = self.queues.get_mut(id) else { return };
        let retention = queue.settings.retention;
        let QueueContents::Stream(stream) = &mut queue.contents else { return };
        for (entry, was_read) in stream.truncate(&retention, now) {
            let why = match was_read {
                true => "its segment was deleted, by the retention of the stream",
                false => "its segment was deleted, by the retention of the stream, before anybody read it",
            };
            self.tell(Some(entry.origin), Some(id), "ST-10", || What::Dropped { why: why.into(), stood: true });
        }
        self.touch(id);
    }

    /// Tells what goes with a stream that nobody has read.
    pub(crate) fn tell_unread(&mut self, queue: &mut Queue, rule: &'static str, why: &str) {
        let QueueContents::Stream(stream) = &mut queue.contents else { return };
        for (entry, was_read) in stream.drain() {
            if !was_read {
                let why = format!("{} is gone: {why}", queue.name);
                self.tell(Some(entry.origin), None, rule, || What::Dropped { why, stood: false });
            }
        }
    }

    /// Returns whether a publish comes to a stream and has a filter value that is no text: RabbitMQ ends the connection over
    /// it (ST-9).
    pub(crate) fn stumbles_over_filter(&mut self, exchange: ExchangeId, stored: &Stored) -> bool {
        if stored.headers().is_none() || filter_value(stored.headers(), self.rules).is_ok() {
            return false;
        }
        self.route(exchange, stored);
        self.targets.iter().any(|target| self.is_stream(*target))
    }

    pub(crate) fn is_stream(&self, id: QueueId) -> bool {
        self.queues.get(id).is_some_and(|queue| matches!(queue.contents, QueueContents::Stream(_)))
    }
}
