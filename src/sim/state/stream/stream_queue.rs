//! The contents of a stream: messages by offset, which readers leave where they are, in segments of which the oldest are
//! deleted whole. Knows nothing of consumers. Each message is a chunk of its own, as it is on a broker where each is
//! confirmed before the next is published (ST-9).

use crate::model::{Moment, Name};
use crate::rules::{STREAM_SEGMENT_BYTES_MAX, StreamOffset, StreamRetention};
use crate::sim::state::stream::appended_message::AppendedMessage;
use crate::sim::state::stream::segment::{SNAPSHOT_BYTES, Segment};
use crate::sim::state::stream::stream_reader::StreamReader;
use std::collections::VecDeque;
use std::sync::Arc;

/// The messages of a stream.
#[derive(Debug, Clone)]
pub(crate) struct StreamQueue {
    log: VecDeque<Arc<AppendedMessage>>,
    /// Where its last message was published to.
    last_published_to: Option<Arc<(Name, Name)>>,
    /// How many messages were deleted from its front.
    gone: u64,
    /// How many messages, from the very first on, a reader has got.
    read: u64,
    next_offset: u64,
    segments: VecDeque<Segment>,
    segment_bytes_max: u64,
}

impl StreamQueue {
    pub(crate) fn new(segment_bytes_max: Option<u64>, now: Moment) -> Self {
        Self {
            log: VecDeque::new(),
            last_published_to: None,
            gone: 0,
            read: 0,
            next_offset: 0,
            segments: VecDeque::from([Segment::new(0, now)]),
            segment_bytes_max: segment_bytes_max.unwrap_or(STREAM_SEGMENT_BYTES_MAX),
        }
    }

    /// Returns how many messages RabbitMQ counts: the beginning of a segment, but the first, counts as one (ST-10).
    pub(crate) fn counted(&self) -> u64 {
        self.next_offset - self.segments.front().map_or(0, |segment| segment.first_offset)
    }

    /// Lists its messages, oldest first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<AppendedMessage>> {
        self.log.iter()
    }

    /// Makes room for a message: returns its offset, and whether a new segment begins with it.
    pub(crate) fn make_room(&mut self, now: Moment) -> (u64, bool) {
        let is_full = self.segments.back().is_some_and(|segment| segment.bytes >= self.segment_bytes_max);
        if is_full {
            let mut segment = Segment::new(self.next_offset, now);
            segment.bytes += SNAPSHOT_BYTES;
            self.segments.push_back(segment);
            self.next_offset += 1;
        }
        (self.next_offset, is_full)
    }

    /// Returns exchange and routing key as the log keeps them.
    pub(crate) fn published_to(&mut self, exchange: &Name, routing_key: &Name) -> Arc<(Name, Name)> {
        match &self.last_published_to {
            Some(last) if last.0 == *exchange && last.1 == *routing_key => Arc::clone(last),
            _ => Arc::clone(self.last_published_to.insert(Arc::new((exchange.clone(), routing_key.clone())))),
        }
    }

    pub(crate) fn append(&mut self, entry: AppendedMessage, bytes: u64) {
        if let Some(segment) = self.segments.back_mut() {
            segment.messages += 1;
            segment.bytes += bytes;
            segment.last_at = entry.at;
        }
        self.next_offset = entry.offset + 1;
        self.log.push_back(Arc::new(entry));
    }

    /// Returns where a reader begins; `now_ms` is the present since 1970, of which the log knows `at`.
    pub(crate) fn place(&self, offset: StreamOffset, since_1970: impl Fn(Moment) -> u64, now: Moment) -> (u64, u64) {
        let end = self.gone + self.log.len() as u64;
        let first_since = |ms: u64| {
            let at = self.log.partition_point(|entry| since_1970(entry.at) < ms);
            (self.gone + at as u64, 0)
        };
        match offset {
            StreamOffset::First => (self.gone, 0),
            StreamOffset::Last => (end.saturating_sub(1).max(self.gone), 0),
            StreamOffset::Next => (end, 0),
            StreamOffset::At(offset) => {
                let at = self.log.partition_point(|entry| entry.offset < offset);
                (self.gone + at as u64, offset)
            }
            StreamOffset::Since(ms) => first_since(ms),
            StreamOffset::Back(ms) => first_since(since_1970(now).saturating_sub(ms)),
        }
    }

    /// Returns whether a reader has not come to the end.
    #[inline]
    pub(crate) fn has_more(&self, reader: &StreamReader) -> bool {
        reader.passed < self.gone + self.log.len() as u64
    }

    /// Takes a reader to the next message that it wants, and past it.
    #[inline]
    pub(crate) fn read(&mut self, reader: &mut StreamReader) -> Option<&Arc<AppendedMessage>> {
        let Self { log, gone, read, .. } = self;
        reader.passed = reader.passed.max(*gone);
        loop {
            let entry = log.get(usize::try_from(reader.passed - *gone).ok()?)?;
            reader.passed += 1;
            let is_wanted = reader.filter.as_ref().is_none_or(|filter| filter.wants(entry.filter_value.as_deref()));
            if is_wanted && entry.offset >= reader.from {
                *read = (*read).max(reader.passed);
                return Some(entry);
            }
        }
    }

    /// Deletes the oldest segments as long as there is more than the retention allows; the newest one stays. Returns the
    /// messages that were in them, with whether any reader got each.
    pub(crate) fn truncate(&mut self, retention: &StreamRetention, now: Moment) -> Vec<(Arc<AppendedMessage>, bool)> {
        let mut kept = self.segments.len();
        if let Some(max) = retention.bytes_max {
            let (mut room, mut within) = (max, 0);
            for segment in self.segments.iter().rev() {
                if within > 0 && segment.bytes > room {
                    break;
                }
                room = room.saturating_sub(segment.bytes);
                within += 1;
            }
            kept = within;
        }
        if let Some(max) = retention.age_max_ms {
            let is_old = |segment: &&Segment| (now - segment.last_at).0 > max;
            let young = self.segments.len() - self.segments.iter().take_while(is_old).count();
            kept = kept.min(young.max(1));
        }
        let mut deleted = Vec::new();
        while self.segments.len() > kept
            && let Some(segment) = self.segments.pop_front()
        {
            for _ in 0..segment.messages {
                let Some(entry) = self.log.pop_front() else { break };
                deleted.push((entry, self.gone < self.read));
                self.gone += 1;
            }
        }
        deleted
    }

    /// Takes everything, with whether any reader got it.
    pub(crate) fn drain(&mut self) -> Vec<(Arc<AppendedMessage>, bool)> {
        let (gone, read) = (self.gone, self.read);
        let all = std::mem::take(&mut self.log).into_iter().enumerate();
        all.map(|(at, entry)| (entry, gone + (at as u64) < read)).collect()
    }
}
