//! A dead letter: where a queue sends its dead, and what a death makes of a message (DL-6, DL-11 to DL-23, DL-32, DL-34).

use crate::broker::Death;
use crate::model::{Moment, Name};
use crate::rules::{Differences, Dying, FailureCount, record_death, with_negated_delay};
use crate::sim::state::arena::{DeadLetteringId, QueueId, VhostId};
use crate::sim::state::queued_message::{DeadLetterRewrite, QueuedMessage, Stored};
use crate::sim::state::reason::Reason;
use std::sync::Arc;

/// The wall clock at moment 0, in seconds since 1970.
pub(crate) const FIRST_SECOND: u64 = 1_767_225_600;

/// Where the dead of a queue go: what its arguments and policies say when they die. It stays for as long as the broker
/// lives, for those that are on their way.
#[derive(Clone)]
pub(crate) struct DeadLettering {
    pub vhost: VhostId,
    pub queue: Name,
    pub from_quorum: bool,
    pub exchange: Name,
    pub routing_key: Option<Name>,
    pub at_least_once: bool,
    pub last_first_death: Option<FirstDeath>,
    /// The ways of dying that are on record, a bit each.
    pub covered: u8,
}

impl DeadLettering {
    /// Makes what a death makes of a message, and puts it in its place (DL-11 to DL-23).
    pub(crate) fn rewrite(&mut self, entry: &mut QueuedMessage, death: Death, second: u64, rules: &Differences) {
        let afterlife = self.afterlife(&entry.stored, death, second, rules);
        let stored = &mut entry.stored;
        if stored.message.properties.headers.is_some() {
            stored.property_bytes = None;
        }
        stored.afterlife = Some(afterlife);
        if self.routing_key.is_some() {
            stored.further.replace();
        }
        stored.expiration_ms = None;
        stored.failures = if rules.failure_count == FailureCount::Counted { entry.failures } else { 0 };
        stored.quorum_rejections += entry.losses + u32::from(self.from_quorum && death == Death::Rejected);
    }

    pub(crate) fn afterlife(
        &mut self,
        old: &Stored,
        death: Death,
        second: u64,
        rules: &Differences,
    ) -> Arc<DeadLetterRewrite> {
        let time = second;
        let is_plain = old.headers().is_none() && old.expiration().is_none() && old.further.is_empty();
        if let Some(alike) = self.last_first_death.as_ref().filter(|last| is_plain && last.is_like(old, death, time)) {
            return alike.afterlife.clone();
        }
        let dying = Dying {
            queue: &self.queue,
            reason: death.as_str(),
            exchange: old.exchange(),
            routing_keys: &death_keys(old, rules),
            time,
            expiration: old.expiration().filter(|_| !rules.classic_forgets_expiration || old.expiration_ms.is_some()),
            died_before: old.died(),
            new_routing_key: self.routing_key.is_some(),
        };
        let negated = old.headers().filter(|_| old.negates_delay_at_death).map(|old| with_negated_delay(old, rules));
        let afterlife = Arc::new(DeadLetterRewrite {
            headers: record_death(negated.as_ref().or(old.headers()), &dying, rules),
            exchange: self.exchange.clone(),
            routing_key: self.routing_key.as_ref().unwrap_or(old.routing_key()).clone(),
        });
        if is_plain {
            let published_to = old.published_to.clone();
            self.last_first_death = Some(FirstDeath { death, published_to, time, afterlife: afterlife.clone() });
        }
        afterlife
    }
}

/// What a message's first death made of it: those that die alike in the same second share it.
#[derive(Clone)]
pub(crate) struct FirstDeath {
    death: Death,
    published_to: (Name, Name),
    time: u64,
    afterlife: Arc<DeadLetterRewrite>,
}

impl FirstDeath {
    pub(crate) fn is_like(&self, stored: &Stored, death: Death, time: u64) -> bool {
        self.time == time && self.death == death && self.published_to == stored.published_to
    }
}

/// Returns the keys that x-death shows (DL-17).
pub(crate) fn death_keys<'a>(old: &'a Stored, rules: &Differences) -> Vec<&'a Name> {
    let mut keys: Vec<&Name> = std::iter::once(old.routing_key()).chain(old.further.cc()).collect();
    if rules.bcc_hides_likenesses {
        // RabbitMQ subtracts the BCC list from all keys, its own among them.
        keys.extend(old.further.bcc());
        for hidden in old.further.hiding() {
            if let Some(at) = keys.iter().position(|key| *key == hidden) {
                keys.remove(at);
            }
        }
    }
    keys
}

/// A message that died and is on its way to its dead-letter exchange.
#[derive(Clone, Hash)]
pub(crate) struct DeadLetter {
    pub entry: QueuedMessage,
    pub death: Death,
    pub died_at: Moment,
    pub from: QueueId,
    pub by: DeadLetteringId,
    /// DL-24: what its queue keeps until all targets took it.
    pub kept: Option<Box<WaitingDeadLetter>>,
    /// With insights on.
    pub reason: Option<Box<Reason>>,
}

/// How long dead letters that found no place wait before the next try (DL-30).
pub(crate) const RETRY_MS: u64 = 180_000;

/// A dead letter that not all of its targets have taken.
#[derive(Debug, Clone, Hash)]
pub(crate) struct WaitingDeadLetter {
    pub entry: QueuedMessage,
    pub death: Death,
    /// The targets that have it already.
    pub taken_by: Vec<QueueId>,
    /// When it was last sent to a target; `None`: there was none.
    pub sent_at: Option<Moment>,
}
