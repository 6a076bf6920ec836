//! Readers of streams: where they begin, what they get, and what settling means to them (ST-1 to ST-4).

use crate::broker::{DeliveredMessage, Delivery, Event, Refusal, Settlement, code};
use crate::model::{Moment, Name, QueueKind, Table, Value};
use crate::rules;
use crate::rules::{BadStreamArgument, ReaderRefusal, refused_reader, stream_filter, stream_offset};
use crate::sim::broker::Sim;
use crate::sim::state::arena::{Arena, ChannelIndex, ConsumerId, QueueId};
use crate::sim::state::channel::{Channel, Delivered, Unacked};
use crate::sim::state::consumer::Consumer;
use crate::sim::state::queue::{Queue, QueueContents};
use crate::sim::state::reason::Reason;
use crate::sim::state::refusal::{connection_error, internal_error, precondition_failed};
use crate::sim::state::stream::{StreamQueue, StreamReader};
use std::cmp::Reverse;
use std::collections::VecDeque;

impl Sim {
    /// Checks an offset that is a text: RabbitMQ does so before all else, and stumbles over another type later.
    pub(crate) fn check_text_offset(&mut self, id: QueueId, arguments: &Table) -> Result<(), Refusal> {
        let Some(queue) = self.queues.get(id) else { return Ok(()) };
        if !matches!(arguments.get("x-stream-offset"), Some(Value::Text(_))) {
            return Ok(());
        }
        match stream_offset(arguments, &queue.name.vhost, &queue.name.name, self.rules) {
            Ok(_) => Ok(()),
            Err(BadStreamArgument::Refused(text)) => Err(precondition_failed(text)),
            Err(BadStreamArgument::Crashes) => Err(self.stumble("ST-3", "its x-stream-offset is none")),
        }
    }

    /// Makes the reader of a new consumer, whose offset is none only where it is no text; `None` where the queue is no stream.
    pub(crate) fn new_reader(
        &mut self,
        id: QueueId,
        (no_ack, prefetch, global): (bool, u16, u16),
        arguments: &Table,
    ) -> Result<Option<Box<StreamReader>>, Refusal> {
        let Some(queue) = self.queues.get(id) else { return Ok(None) };
        let QueueContents::Stream(stream) = &queue.contents else { return Ok(None) };
        let asked = stream_offset(arguments, &queue.name.vhost, &queue.name.name, self.rules);
        match refused_reader(&queue.name.vhost, &queue.name.name, (no_ack, prefetch, global), self.rules) {
            Some(ReaderRefusal::OfChannel(text)) => return Err(precondition_failed(text)),
            Some(ReaderRefusal::OfConnection(text)) => return Err(connection_error(code::NOT_IMPLEMENTED, text)),
            None => {}
        }
        let Ok(offset) = asked else { return Err(self.stumble("ST-3", "its x-stream-offset is none")) };
        let Ok(filter) = stream_filter(arguments, self.rules) else {
            return Err(self.stumble("ST-9", "its x-stream-filter names no value"));
        };
        let since_1970 = |moment: crate::model::Moment| self.epoch_s * 1_000 + moment.0;
        let (passed, from) = stream.place(offset, since_1970, self.now);
        Ok(Some(Box::new(StreamReader { passed, from, filter })))
    }

    /// Makes the end of a connection over what RabbitMQ looks at too late, and remembers why.
    pub(crate) fn stumble(&mut self, rule: &'static str, why: &str) -> Refusal {
        self.note = Some(Reason::new(rule, format!("{why}, and RabbitMQ looks at it too late")));
        internal_error()
    }

    /// Returns where a new consumer of a stream stands among the others: those of a channel are served by their tags, the
    /// last one first.
    pub(crate) fn place_of_reader(&self, id: QueueId, channel: ChannelIndex, tag: &Name) -> usize {
        let Some(queue) = self.queues.get(id).filter(|queue| queue.kind == QueueKind::Stream) else { return 0 };
        let key = (channel, Reverse(tag));
        queue.consumers.all.partition_point(|other| {
            self.consumers.get(*other).is_some_and(|other| (other.channel, Reverse(&other.tag)) < key)
        })
    }

    /// Delivers to all readers of a stream what they have room for.
    pub(crate) fn serve_readers(&mut self, id: QueueId) {
        if self.own_publishes.traces() {
            let mut at = 0;
            while let Some(&reader) = self.queues.get(id).and_then(|queue| queue.consumers.all.get(at)) {
                self.read_on(id, reader);
                at += 1;
            }
            return;
        }
        let Some(queue) = self.queues.get_mut(id) else { return };
        let QueueContents::Stream(stream) = &mut queue.contents else { return };
        let mut last = None;
        for &reader in &queue.consumers.all {
            let Some(consumer) = self.consumers.get_mut(reader) else { continue };
            if hand_out(stream, (id, reader), consumer, &mut self.channels, self.now, &mut self.events) {
                last = Some(reader);
            }
        }
        // What one has had until now, all have had: those of a stream time out alike.
        if let Some(reader) = last {
            self.expect_timeout(id, reader);
        }
    }

    /// Delivers to a reader of a stream what it has room for.
    fn read_on(&mut self, queue_id: QueueId, id: ConsumerId) {
        let Some(Queue { contents: QueueContents::Stream(stream), .. }) = self.queues.get_mut(queue_id) else { return };
        let Some(consumer) = self.consumers.get_mut(id) else { return };
        let (to, before) = (consumer.channel, self.events.len());
        if !hand_out(stream, (queue_id, id), consumer, &mut self.channels, self.now, &mut self.events) {
            return;
        }
        if self.own_publishes.traces() {
            self.trace_read(to, queue_id, before);
        }
        self.expect_timeout(queue_id, id);
    }

    /// Traces the deliveries that were said last.
    fn trace_read(&mut self, to: ChannelIndex, queue: QueueId, before: usize) {
        let delivered = self.events.range(before..).filter_map(|event| match event {
            Event::Delivered { delivery, .. } => Some(delivery.clone()),
            _ => None,
        });
        for Delivery { exchange, routing_key, message, .. } in delivered.collect::<Vec<_>>() {
            self.tap_out(to, queue, (&exchange, vec![routing_key]), (&message, false));
        }
    }

    /// Takes the acknowledgement of one delivery that was read from a stream: it gives its reader room.
    pub(crate) fn ack_read(&mut self, unacked: &Unacked) {
        let Some(id) = unacked.consumer else { return self.release(unacked) };
        match self.consumers.get_mut(id) {
            Some(reader) if !reader.cancelled => reader.unacked -= 1,
            _ => return self.release(unacked),
        }
        self.read_on(unacked.queue, id);
    }

    /// Settles deliveries of which some were read from streams: each gives its reader room, whatever was said of it. The others
    /// are settled as ever.
    pub(crate) fn settle_read(&mut self, channel: ChannelIndex, taken: Vec<Unacked>, settlement: Settlement) {
        let (read, others): (Vec<Unacked>, Vec<Unacked>) = taken.into_iter().partition(|unacked| unacked.is_read());
        if !others.is_empty() {
            self.settle_all(channel, others, settlement);
        }
        if let Some(state) = self.channels.get_mut(channel) {
            state.discount(read.len());
        }
        let mut readers: Vec<(QueueId, ConsumerId)> = Vec::new();
        for unacked in &read {
            self.release(unacked);
            readers.extend(unacked.consumer.map(|consumer| (unacked.queue, consumer)));
        }
        if settlement != Settlement::Ack
            && self.rules.streams.refuses_returns
            && let Some(queue) = read.first().and_then(|unacked| self.queues.get(unacked.queue))
        {
            let cause = unsupported_by_streams("basic.nack and basic.reject", queue);
            self.tell_refused(None, &cause);
            return self.close_for(channel, cause);
        }
        readers.dedup();
        for (queue, reader) in readers {
            self.read_on(queue, reader);
        }
    }
}

/// Hands a reader of a stream what it has room for; returns whether that is anything.
#[inline]
fn hand_out(
    stream: &mut StreamQueue,
    (queue, id): (QueueId, ConsumerId),
    consumer: &mut Consumer,
    channels: &mut Arena<ChannelIndex, Channel>,
    now: Moment,
    events: &mut VecDeque<Event>,
) -> bool {
    let Consumer { tag: name, reader: Some(reader), prefetch, unacked, cancelled: false, attached, .. } = consumer
    else {
        return false;
    };
    let room = u32::from(*prefetch).saturating_sub(*unacked);
    if room == 0 || !stream.has_more(reader) {
        return false;
    }
    let Some(channel) = channels.get_mut(consumer.channel) else { return false };
    let mut handed = 0;
    while handed < room
        && let Some(entry) = stream.read(reader)
    {
        handed += 1;
        let tag = channel.next_tag();
        channel.unacked.push_back(Unacked {
            tag: tag.0,
            queue,
            consumer: Some(id),
            since: now,
            attached: *attached,
            what: Delivered::Read(entry.origin),
            held: false,
        });
        let (exchange, routing_key) = (entry.published_to.0.clone(), entry.published_to.1.clone());
        let message = DeliveredMessage::of_stream(entry.clone()).stemming_from(entry.origin);
        let delivery = Delivery { tag, redelivered: false, exchange, routing_key, message };
        events.push_back(Event::Delivered { channel: channel.id, consumer: name.clone(), delivery });
    }
    if handed > 0 {
        *unacked += handed;
        channel.permissions.wake(now);
    }
    handed > 0
}

/// Makes the refusal of what streams do not have (ST-2, ST-4).
pub(crate) fn unsupported_by_streams(method: &str, queue: &Queue) -> Refusal {
    connection_error(code::NOT_IMPLEMENTED, rules::unsupported_by_streams(method, &queue.name.vhost, &queue.name.name))
}
