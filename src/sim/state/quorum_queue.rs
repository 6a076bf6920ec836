//! The contents of a quorum queue: returned entries in front, then the main part by its version's priorities, beside
//! them delayed returns and dead letters that wait (SIM-4). Knows nothing of consumers.

use crate::model::{Moment, Name, Properties, Table, Value};
use crate::rules::QuorumPriority;
use crate::sim::state::arena::{ChannelIndex, QueueId};
use crate::sim::state::backlog::Backlog;
use crate::sim::state::delayed::Delayed;
use crate::sim::state::queued_message::{NEVER, QueuedMessage};
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

/// Who publishes to a quorum queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Publisher {
    Channel(ChannelIndex),
    /// Brings the dead letters of an at-least-once queue.
    Worker(QueueId),
    /// The same, but hears no more than the first answer.
    DeafWorker(QueueId),
}

/// What a publisher was told: whether it is refused, since which turn of the broker, and what held before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PublisherState {
    refused: bool,
    since: u64,
    before: bool,
}

impl Hash for PublisherState {
    /// Where a broker is at rest, each further publish comes in a later turn.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.refused.hash(state);
    }
}

/// The messages of a quorum queue that no consumer has.
#[derive(Clone, Hash)]
pub(crate) struct QuorumQueue {
    priority: QuorumPriority,
    returns: VecDeque<QueuedMessage>,
    levels: Vec<VecDeque<QueuedMessage>>,
    /// Which levels hold something, a bit each.
    filled: u32,
    /// PRI-4: counts dequeues of the two-class pattern.
    turn: u8,
    ready: u64,
    bytes: u64,
    enqueued: u64,
    /// How many ready ones expire at all.
    expiring: u64,
    /// None of them expires before this: there is no need to look.
    none_before: Moment,
    /// And none after this.
    latest_expiry: Moment,
    /// QQ-43-4: by due time.
    pub delayed: Delayed,
    /// DL-30: dead letters that not all targets have confirmed.
    pub backlog: Box<Backlog>,
    /// LEN-9: whether it was at 80 % of its limits or below when last looked at.
    pub was_relaxed: bool,
    /// LEN-9: who publishes, in order.
    publishers: Vec<(Publisher, PublisherState)>,
}

impl QuorumQueue {
    pub(crate) fn new(priority: QuorumPriority) -> Self {
        let levels = match priority {
            QuorumPriority::None => 1,
            QuorumPriority::Two => 2,
            QuorumPriority::Strict => 32,
        };
        Self {
            priority,
            returns: VecDeque::new(),
            levels: (0..levels).map(|_| VecDeque::new()).collect(),
            filled: 0,
            turn: 0,
            ready: 0,
            bytes: 0,
            enqueued: 0,
            expiring: 0,
            none_before: NEVER,
            latest_expiry: Moment(0),
            delayed: Delayed::default(),
            backlog: Box::default(),
            was_relaxed: true,
            publishers: Vec::new(),
        }
    }

    pub(crate) fn ready(&self) -> u64 {
        self.ready
    }

    /// Returns messages and bytes that count towards the limits (LEN-2, DL-30, QQ-43-5).
    pub(crate) fn counted(&self) -> (u64, u64) {
        let delayed = self.delayed.entries();
        let (n, bytes) =
            delayed.fold(self.backlog.counted(), |(n, bytes), entry| (n + 1, bytes + u64::from(entry.size)));
        (self.ready + n, self.bytes + bytes)
    }

    /// Returns the level of a priority (PRI-4).
    pub(crate) fn level(&self, priority: Option<u8>) -> u8 {
        match self.priority {
            QuorumPriority::None => 0,
            QuorumPriority::Two => u8::from(priority.unwrap_or(0) >= 5),
            QuorumPriority::Strict => priority.unwrap_or(4).min(31),
        }
    }

    pub(crate) fn next_position(&mut self) -> u64 {
        self.enqueued += 1;
        self.enqueued
    }

    pub(crate) fn push(&mut self, entry: QueuedMessage) {
        self.added(&entry);
        self.filled |= 1 << entry.level;
        self.levels[usize::from(entry.level)].push_back(entry);
    }

    /// Puts a returned entry before all that wait, after the returns that came earlier (CO-10, PRI-5).
    pub(crate) fn push_return(&mut self, entry: QueuedMessage) {
        self.added(&entry);
        self.returns.push_back(entry);
    }

    /// Takes the next message.
    pub(crate) fn pop(&mut self) -> Option<QueuedMessage> {
        let entry = match self.returns.pop_front() {
            Some(entry) => entry,
            None => self.pop_main(self.next_level()?)?,
        };
        self.removed(&entry);
        Some(entry)
    }

    /// Returns whether anything in it expires at all.
    pub(crate) fn may_expire(&self) -> bool {
        self.expiring > 0
    }

    /// Returns whether it is worth looking for an expired head.
    pub(crate) fn may_have_expired(&self, now: Moment) -> bool {
        now >= self.none_before
    }

    /// Takes an expired head: each on its own, or only what is next (TTL-13).
    pub(crate) fn pop_expired(&mut self, now: Moment, heads_apart: bool) -> Option<QueuedMessage> {
        if !self.may_have_expired(now) {
            return None;
        }
        let expired = |entry: Option<&QueuedMessage>| entry.is_some_and(|entry| entry.is_expired(now));
        let entry = if expired(self.returns.front()) {
            self.returns.pop_front()?
        } else if heads_apart {
            let level = self.filled_levels().find(|level| expired(self.levels[*level].front()))?;
            self.pop_main(level)?
        } else {
            let level = self.next_level().filter(|_| self.returns.is_empty())?;
            if !expired(self.levels[level].front()) {
                return None;
            }
            self.pop_main(level)?
        };
        self.removed(&entry);
        Some(entry)
    }

    /// Returns the next moment at which a head expires.
    pub(crate) fn heads_expire_at(&self, heads_apart: bool) -> Option<Moment> {
        if !self.may_expire() {
            return None;
        }
        let at = if heads_apart {
            let levels = self.filled_levels().filter_map(|level| self.levels[level].front());
            let heads = levels.chain(self.returns.front());
            heads.map(|entry| entry.expires_at).min()
        } else {
            self.head().map(|entry| entry.expires_at)
        };
        at.filter(|at| *at != NEVER)
    }

    /// Returns what must go before a newcomer of that level can expire (TTL-13).
    pub(crate) fn in_front_of(&self, level: u8) -> impl Iterator<Item = &QueuedMessage> {
        self.levels[usize::from(level)].iter()
    }

    /// Returns the message that is next.
    pub(crate) fn head(&self) -> Option<&QueuedMessage> {
        self.returns.front().or_else(|| self.levels[self.next_level()?].front())
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Counts ready messages and bytes anew.
    pub(crate) fn recount(&self) -> (u64, u64) {
        let all = self.returns.iter().chain(self.levels.iter().flatten());
        all.fold((0, 0), |(n, bytes), entry| (n + 1, bytes + u64::from(entry.size)))
    }

    /// Takes all ready messages.
    pub(crate) fn drain(&mut self) -> Vec<QueuedMessage> {
        let all = std::iter::from_fn(|| self.pop()).collect();
        // PRI-4: an emptied queue begins its pattern anew.
        self.turn = 0;
        all
    }

    /// Returns whether what somebody publishes in a turn of the broker is refused by a queue that is over its limit or not
    /// (LEN-9). Word of a change reaches nobody within the turn of the change.
    pub(crate) fn refuses(&mut self, publisher: Publisher, over: bool, turn: u64) -> bool {
        match self.place_of(publisher) {
            Ok(at) => {
                let told = self.publishers[at].1;
                if told.since < turn { told.refused } else { told.before }
            }
            Err(at) => {
                self.publishers.insert(at, (publisher, PublisherState { refused: over, since: turn, before: over }));
                over
            }
        }
    }

    /// Returns whether a publisher that the queue knows would be refused.
    pub(crate) fn would_refuse(&self, publisher: Publisher, over: bool, turn: u64) -> bool {
        match self.place_of(publisher) {
            Ok(at) => {
                let told = self.publishers[at].1;
                if told.since < turn { told.refused } else { told.before }
            }
            Err(_) => over,
        }
    }

    /// Tells all known publishers that they are refused from now on, or none is.
    pub(crate) fn refuse_all(&mut self, refused: bool, turn: u64) {
        let hears = |(publisher, _): &&mut (Publisher, PublisherState)| !matches!(publisher, Publisher::DeafWorker(_));
        for (_, told) in self.publishers.iter_mut().filter(hears) {
            if told.since < turn {
                *told = PublisherState { refused, since: turn, before: told.refused };
            }
            told.refused = refused;
        }
    }

    /// Returns whether it was known.
    pub(crate) fn forget_publisher(&mut self, publisher: Publisher) -> bool {
        let place = self.place_of(publisher);
        if let Ok(at) = place {
            self.publishers.remove(at);
        }
        place.is_ok()
    }

    pub(crate) fn place_of(&self, publisher: Publisher) -> Result<usize, usize> {
        self.publishers.binary_search_by_key(&publisher, |(id, _)| *id)
    }

    /// Moves the pattern of two classes on by one dequeue (PRI-4).
    pub(crate) fn count_dequeue(&mut self) {
        if self.priority == QuorumPriority::Two {
            self.turn = if self.turn == 2 { 0 } else { self.turn + 1 };
        }
    }

    pub(crate) fn pop_main(&mut self, level: usize) -> Option<QueuedMessage> {
        self.count_dequeue();
        let entry = self.levels[level].pop_front();
        if self.levels[level].is_empty() {
            self.filled &= !(1 << level);
        }
        entry
    }

    /// Returns the levels that hold something, highest first.
    pub(crate) fn filled_levels(&self) -> impl Iterator<Item = usize> {
        let mut rest = self.filled;
        std::iter::from_fn(move || {
            let level = rest.checked_ilog2()?;
            rest &= !(1 << level);
            Some(level as usize)
        })
    }

    /// Returns the level that is served next.
    pub(crate) fn next_level(&self) -> Option<usize> {
        match self.priority {
            QuorumPriority::None | QuorumPriority::Strict => self.filled_levels().next(),
            QuorumPriority::Two => match (self.levels[0].front(), self.levels[1].front()) {
                (None, None) => None,
                (Some(_), None) => Some(0),
                (None, Some(_)) => Some(1),
                (Some(normal), Some(high)) => Some(usize::from(self.turn != 2 || high.position < normal.position)),
            },
        }
    }

    pub(crate) fn added(&mut self, entry: &QueuedMessage) {
        self.ready += 1;
        self.bytes += u64::from(entry.size);
        self.expiring += u64::from(entry.expires_at != NEVER);
        self.none_before = self.none_before.min(entry.expires_at);
        self.latest_expiry = self.latest_expiry.max(entry.expires_at);
    }

    /// Returns a moment after which nothing that is ready expires; what was in it may have been the last to.
    pub(crate) fn latest_expiry(&self) -> Moment {
        self.latest_expiry
    }

    pub(crate) fn removed(&mut self, entry: &QueuedMessage) {
        self.ready -= 1;
        self.bytes -= u64::from(entry.size);
        if self.ready == 0 {
            self.latest_expiry = Moment(0);
        }
        self.expiring -= u64::from(entry.expires_at != NEVER);
        if self.expiring == 0 {
            self.none_before = NEVER;
        }
    }
}

/// Returns the bytes of the encoded property section with these headers (LEN-1): two of flags, then the values as on the
/// wire; the headers that are left out, and a table that holds none but them, take no room.
pub(crate) fn encoded_size(properties: &Properties, headers: Option<&Table>, left_out: impl Fn(&str) -> bool) -> usize {
    let size = |text: &Option<Name>| text.as_ref().map_or(0, |text| 1 + text.len());
    let texts = size(&properties.content_type)
        + size(&properties.content_encoding)
        + size(&properties.correlation_id)
        + size(&properties.reply_to)
        + size(&properties.expiration)
        + size(&properties.message_id)
        + size(&properties.kind)
        + size(&properties.user_id)
        + size(&properties.app_id)
        + size(&properties.cluster_id);
    let headers = headers.map_or(0, |headers| {
        let (mut kept, mut bytes) = (0, 0);
        for (key, value) in headers {
            if !left_out(key) {
                kept += 1;
                bytes += field_size((key, value));
            }
        }
        if kept == 0 && !headers.is_empty() { 0 } else { 4 + bytes }
    });
    let octets = usize::from(properties.delivery_mode.is_some()) + usize::from(properties.priority.is_some());
    2 + texts + headers + octets + properties.timestamp.map_or(0, |_| 8)
}

pub(crate) fn table_size(table: &Table) -> usize {
    4 + table.iter().map(field_size).sum::<usize>()
}

pub(crate) fn field_size((key, value): (&Name, &Value)) -> usize {
    1 + key.len() + value_size(value)
}

pub(crate) fn value_size(value: &Value) -> usize {
    1 + match value {
        Value::Void => 0,
        Value::Bool(_) | Value::I8(_) | Value::U8(_) => 1,
        Value::I16(_) | Value::U16(_) => 2,
        Value::I32(_) | Value::U32(_) | Value::F32(_) => 4,
        Value::I64(_) | Value::F64(_) | Value::Timestamp(_) => 8,
        Value::Decimal(..) => 5,
        Value::Text(text) => 4 + text.len(),
        Value::Bytes(bytes) => 4 + bytes.len(),
        Value::Array(entries) => 4 + entries.iter().map(value_size).sum::<usize>(),
        Value::Table(table) => table_size(table),
    }
}
