//! What a consumer remembers over all its instances, connections and crashes: attempts, and the keys it has acked.
//! A pure function of what came, never of a clock; forgets the oldest rather than grow with the run.

use crate::broker::Delivery;
use crate::model::{Consumer, Key, Millis, Moment, Name, Scenario, Seen};
use crate::player::record::bounded_log::{digest_of, fnv};
use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};

/// Of how many messages a consumer counts the attempts.
const ATTEMPTS_KEPT: usize = 10_000;

/// How many keys are remembered; the oldest is forgotten first.
const KEYS_KEPT: usize = 100_000;

/// A key that was found in a message: which of the consumer's kinds, and the text.
pub(crate) type Remembered = (usize, String);

/// What one consumer remembers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    attempts: BTreeMap<Name, u64>,
    /// The kinds of keys that its rules ask for, each with the longest time that one asks for.
    kinds: Vec<(Key, Option<Millis>)>,
    acked: BTreeMap<Remembered, Moment>,
    /// In order of remembering.
    order: VecDeque<(Moment, Remembered)>,
    /// How many messages met a rule, and how many none.
    pub matched: u64,
    pub unmatched: u64,
}

impl Hash for Memory {
    /// The kinds of keys are those of its consumer.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { attempts, kinds: _, acked, order, matched, unmatched } = self;
        (attempts, acked, order, matched, unmatched).hash(state);
    }
}

impl Memory {
    /// Makes the memories of all consumers, in file order.
    pub fn all(scenario: &Scenario) -> Vec<Self> {
        scenario.consumers.iter().map(Self::of).collect()
    }

    /// Makes the memory of a consumer.
    pub fn of(consumer: &Consumer) -> Self {
        let mut kinds: Vec<(Key, Option<Millis>)> = Vec::new();
        for seen in consumer.rules.iter().filter_map(|rule| rule.matcher.seen.as_ref()) {
            match kinds.iter_mut().find(|(by, _)| *by == seen.by) {
                Some((_, longest)) => *longest = longest.zip(seen.lasting).map(|(a, b)| a.max(b)),
                None => kinds.push((seen.by.clone(), seen.lasting)),
            }
        }
        Self { kinds, ..Self::default() }
    }

    /// Counts a delivery and gives which attempt it is, from 1.
    pub fn attempt(&mut self, name: &Name, delivery: &Delivery) -> u64 {
        let again =
            delivery.redelivered || ["x-death", "x-retry"].iter().any(|it| delivery.message.header(it).is_some());
        // Past that many messages only those that come back are counted, so that memory does not grow with the run.
        if !again && self.attempts.len() >= ATTEMPTS_KEPT && !self.attempts.contains_key(name) {
            return 1;
        }
        let count = self.attempts.entry(name.clone()).or_default();
        *count += 1;
        *count
    }

    /// Lists the keys that a message would be known again by.
    pub fn keys(&self, delivery: &Delivery) -> Vec<Remembered> {
        let kinds = self.kinds.iter().enumerate();
        kinds.filter_map(|(kind, (key, _))| Some((kind, text_of(key, delivery)?))).collect()
    }

    /// Remembers that a message was acked; a key that is remembered still keeps its moment.
    pub fn acked(&mut self, keys: Vec<Remembered>, now: Moment) {
        for key in keys {
            let lasting = self.kinds.get(key.0).and_then(|(_, lasting)| *lasting);
            if self.acked.get(&key).is_some_and(|since| holds(*since, lasting, now)) {
                continue;
            }
            self.order.push_back((now, key.clone()));
            self.acked.insert(key, now);
            if self.order.len() > KEYS_KEPT
                && let Some((moment, oldest)) = self.order.pop_front()
                && self.acked.get(&oldest) == Some(&moment)
            {
                self.acked.remove(&oldest);
            }
        }
    }

    /// Returns whether a message with the same key was acked within the time that a rule asks for.
    pub fn has_seen(&self, seen: &Seen, delivery: &Delivery, now: Moment) -> bool {
        let kind = self.kinds.iter().position(|(by, _)| *by == seen.by);
        let Some(key) = kind.zip(text_of(&seen.by, delivery)) else { return false };
        self.acked.get(&key).is_some_and(|since| holds(*since, seen.lasting, now))
    }
}

fn holds(since: Moment, lasting: Option<Millis>, now: Moment) -> bool {
    lasting.is_none_or(|lasting| now < since + lasting)
}

/// Returns the text that a message is told from others by; a message without it is like no other.
pub(crate) fn text_of(key: &Key, delivery: &Delivery) -> Option<String> {
    let properties = &delivery.message.properties;
    match key {
        Key::MessageId => properties.message_id.as_deref().map(str::to_owned),
        Key::CorrelationId => properties.correlation_id.as_deref().map(str::to_owned),
        Key::RoutingKey => Some(delivery.routing_key.to_string()),
        Key::Body => Some(format!("{:016x}", digest_of(&delivery.message.body))),
        Key::Json(path) => {
            let json: serde_json::Value = serde_json::from_slice(&delivery.message.body).ok()?;
            json.pointer(&format!("/{}", path.replace('.', "/"))).filter(|it| !it.is_null()).map(|it| it.to_string())
        }
        Key::Header(name) => delivery.message.header(name).map(|value| value.to_json().to_string()),
    }
}

/// Throws the die for one attempt at a message and says whether it fell under so many of a million. The same seed,
/// consumer, message and attempt give the same throw, whatever came before.
pub(crate) fn chance_falls(per_million: u32, seed: u64, consumer: &str, message: &str, attempt: u64) -> bool {
    let mut digest = digest_of(&seed.to_le_bytes());
    for part in [consumer, message] {
        digest = fnv(fnv(digest, part.as_bytes()), &[0]);
    }
    digest = fnv(digest, &attempt.to_le_bytes());
    // FNV's high bits change little with the last bytes: mixed once more (the finalizer of splitmix64).
    digest = (digest ^ (digest >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    digest = (digest ^ (digest >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    digest ^= digest >> 31;
    digest % 1_000_000 < u64::from(per_million)
}
