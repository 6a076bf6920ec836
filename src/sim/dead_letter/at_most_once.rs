//! Dead-lettering: why a message dies, what is published instead, where it goes (DL-1 to DL-34).

use crate::broker::{Death, PublishId, What};
use crate::model::{Millis, Moment, Name, QueueKind, Value};
use crate::rules::{Differences, Dying, FailureCount, QueueSettings, is_cycle, record_death};
use crate::sim::access::vhost::Vhost;
use crate::sim::broker::Sim;
use crate::sim::dead_letter::at_least_once::{RETRY_MS, Waiting};
use crate::sim::queue::lifecycle::Queue;
use crate::sim::reason::{Cause, Reason};
use crate::sim::routing::exchange::Exchange;
use crate::sim::routing::publish::keys;
use crate::sim::state::arena::Id;
use crate::sim::state::queued_message::{DeadLetterRewrite, QueuedMessage, Stored};
use std::sync::Arc;

/// The wall clock at moment 0, in seconds since 1970.
const FIRST_SECOND: u64 = 1_767_225_600;

/// Is where the dead of a queue go: what its arguments and policies say when they die. It stays for as long as the broker
/// lives, for those that are on their way.
pub(crate) struct DeadLettering {
    vhost: Id<Vhost>,
    queue: Name,
    from_quorum: bool,
    exchange: Name,
    routing_key: Option<Name>,
    at_least_once: bool,
    last_first_death: Option<FirstDeath>,
}

impl DeadLettering {
    /// Makes what a death makes of a message, and puts it in its place (DL-11 to DL-23).
    fn rewrite(&mut self, entry: &mut QueuedMessage, death: Death, died_at: Moment, rules: &Differences) {
        let afterlife = self.afterlife(&entry.stored, death, died_at, rules);
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

    fn afterlife(
        &mut self,
        old: &Stored,
        death: Death,
        died_at: Moment,
        rules: &Differences,
    ) -> Arc<DeadLetterRewrite> {
        let time = FIRST_SECOND + died_at.0 / 1_000;
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
            expiration: old.expiration(),
            died_before: old.died(),
            new_routing_key: self.routing_key.is_some(),
        };
        let afterlife = Arc::new(DeadLetterRewrite {
            headers: record_death(old.headers(), &dying, rules),
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

/// Remembers what a message's first death made of it: those that die alike in the same second share it.
struct FirstDeath {
    death: Death,
    published_to: (Name, Name),
    time: u64,
    afterlife: Arc<DeadLetterRewrite>,
}

impl FirstDeath {
    fn is_like(&self, stored: &Stored, death: Death, time: u64) -> bool {
        self.time == time && self.death == death && self.published_to == stored.published_to
    }
}

/// Gives the keys that x-death shows (DL-17).
fn death_keys<'a>(old: &'a Stored, rules: &Differences) -> Vec<&'a Name> {
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

/// Is a message that died and is on its way to its dead-letter exchange.
pub(crate) struct DeadLetter {
    entry: QueuedMessage,
    death: Death,
    pub died_at: Moment,
    from: Id<Queue>,
    by: Id<DeadLettering>,
    /// DL-24: what its queue keeps until all targets took it.
    pub kept: Option<Box<Waiting>>,
    /// With insights on.
    reason: Option<Box<Reason>>,
}

/// Is a dead letter that is being published.
struct Sending {
    origin: PublishId,
    death: Death,
    from: Id<Queue>,
    by: Id<DeadLettering>,
    /// Whether it had headers, its own deaths among them, before this death.
    has_history: bool,
    /// DL-24: what the queue keeps until all targets took it.
    kept: Option<Box<Waiting>>,
}

impl Sim {
    /// Reads a queue's settings; `None` where there is no dead-letter exchange. What a policy left as it was stays.
    pub(crate) fn dead_lettering(
        &mut self,
        vhost: Id<Vhost>,
        queue: &Name,
        kind: QueueKind,
        settings: &QueueSettings,
        before: Option<Id<DeadLettering>>,
    ) -> Option<Id<DeadLettering>> {
        let exchange = settings.dead_letter_exchange.clone()?;
        let is_same = |before: &DeadLettering| {
            (&before.exchange, &before.routing_key) == (&exchange, &settings.dead_letter_routing_key)
                && before.at_least_once == settings.at_least_once
        };
        if before.and_then(|id| self.dead_letterings.get(id)).is_some_and(is_same) {
            return before;
        }
        Some(self.dead_letterings.insert(DeadLettering {
            vhost,
            queue: queue.clone(),
            from_quorum: kind == QueueKind::Quorum,
            exchange,
            routing_key: settings.dead_letter_routing_key.clone(),
            at_least_once: settings.at_least_once,
            last_first_death: None,
        }))
    }

    /// Lets a message die in a queue: it is dead-lettered, or dropped where there is no exchange for that.
    pub(crate) fn die(&mut self, id: Id<Queue>, entry: QueuedMessage, cause: Cause) {
        self.bury(id, entry, cause, Vec::new());
    }

    /// Tries a dead letter again that some targets may have (DL-30).
    pub(crate) fn die_again(&mut self, id: Id<Queue>, letter: Waiting) {
        self.bury(id, letter.entry, Cause::Again(letter.death), letter.taken_by);
    }

    fn bury(&mut self, id: Id<Queue>, entry: QueuedMessage, cause: Cause, taken_by: Vec<Id<Queue>>) {
        let origin = entry.stored.origin;
        let Some(queue) = self.queues.get(id) else { return self.tell_no_way_back(origin) };
        let by = queue.dead_lettering;
        let reason = self.insights.then(|| Box::new(self.reason_of_death(id, &entry, &cause)));
        let Some(by) = by else {
            if let Some(Reason { rule, why }) = reason.map(|reason| *reason) {
                let why = format!("{why}; the queue has no dead-letter exchange");
                self.tell(Some(origin), Some(id), rule, || What::Dropped {
                    why,
                    stood: !matches!(cause, Cause::FullOnArrival),
                });
            }
            return;
        };
        let death = cause.death();
        if self.dead_letterings.get(by).is_some_and(|by| by.at_least_once) {
            let kept = Some(Box::new(Waiting { entry: entry.clone(), death, taken_by, sent_at: None }));
            let letter = DeadLetter { entry, death, died_at: self.now, from: id, by, kept, reason };
            self.give_to_worker(id, letter);
        } else {
            let letter = DeadLetter { entry, death, died_at: self.now, from: id, by, kept: None, reason };
            self.dead_letters.push_back(letter);
        }
    }

    /// Publishes a dead letter to its exchange (DL-10 to DL-12).
    pub(crate) fn send_dead_letter(&mut self, letter: DeadLetter) {
        let DeadLetter { mut entry, death, died_at, from, by, kept, reason } = letter;
        let origin = entry.stored.origin;
        let has_history = entry.stored.headers().is_some();
        let Some(dead_lettering) = self.dead_letterings.get_mut(by) else { return };
        dead_lettering.rewrite(&mut entry, death, died_at, self.rules);
        let stored = entry.stored;
        if let Some(Reason { rule, why }) = reason.map(|reason| *reason) {
            let routing_keys = std::iter::once(stored.routing_key()).chain(stored.further.cc()).cloned().collect();
            let exchange = stored.exchange().clone();
            self.tell(Some(origin), Some(from), rule, || What::DeadLettered { death, exchange, routing_keys, why });
        }
        let letter = Sending { origin, death, from, by, has_history, kept };
        let found = self.dead_letterings.get(by).and_then(|by| self.exchange_id(by.vhost, &by.exchange));
        let Some(exchange) = found else {
            let why = || format!("its dead-letter exchange '{}' does not exist", stored.exchange());
            self.tell_lost(&letter, letter.from, "DL-3", why);
            return self.settle_with_worker(letter.from, letter.kept, false);
        };
        self.spread(letter, exchange, stored);
    }

    /// Puts a dead letter into the queues that it is routed to, but into none twice in a cycle (DL-25).
    fn spread(&mut self, mut letter: Sending, exchange: Id<Exchange>, stored: Box<Stored>) {
        self.route(exchange, &keys(&stored));
        let targets = std::mem::take(&mut self.targets);
        // DL-30: a cycle counts as no target, so one that has others is not held back by it.
        let (mut any, mut all_took) = (false, true);
        let mut count = |taken: Option<bool>| {
            any |= taken.is_some();
            all_took &= taken.unwrap_or(true);
        };
        match targets.split_last() {
            None => {
                let (exchange, key) = (stored.exchange(), stored.routing_key());
                let shown = if exchange.is_empty() { "(the default one)" } else { exchange };
                let why = || format!("its dead-letter exchange {shown} has no queue for the key '{key}'");
                self.tell_lost(&letter, letter.from, "DL-4", why);
            }
            Some((&last, others)) => {
                for &target in others {
                    count(self.bring(&mut letter, target, stored.clone()));
                }
                count(self.bring(&mut letter, last, stored));
            }
        }
        self.targets = targets;
        if let Some(kept) = &mut letter.kept {
            kept.sent_at = any.then_some(self.now);
        }
        self.settle_with_worker(letter.from, letter.kept, any && all_took);
    }

    /// Brings a dead letter to one of its targets, and says whether that has it; `None` where it would close a cycle.
    fn bring(&mut self, letter: &mut Sending, target: Id<Queue>, stored: Box<Stored>) -> Option<bool> {
        if letter.kept.as_ref().is_some_and(|kept| kept.taken_by.contains(&target)) {
            return Some(self.hears_of(target, letter.from));
        }
        if self.closes_cycle(letter, &stored, target) {
            self.tell_cycle(letter, &stored, target);
            return None;
        }
        if letter.kept.is_some() && self.refuses_dead_letter(target, letter.from) {
            self.tell_lost(letter, target, "DL-30", || "a target is full and does not confirm it".into());
            return Some(false);
        }
        let taken = self.enqueue(target, stored, None);
        let Some(kept) = letter.kept.as_mut().filter(|_| taken) else { return Some(taken) };
        kept.taken_by.push(target);
        if !self.hears_of(target, letter.from) {
            let why = || "its own queue has it again, which this version never confirms".into();
            self.tell_lost(letter, target, "DL-30", why);
            return Some(false);
        }
        Some(true)
    }

    /// Tells that a dead letter is lost; one that its queue keeps is not.
    fn tell_lost(&mut self, letter: &Sending, queue: Id<Queue>, rule: &'static str, why: impl FnOnce() -> String) {
        let origin = Some(letter.origin);
        if letter.kept.is_none() {
            return self.tell(origin, Some(queue), rule, || What::Dropped { why: why(), stood: false });
        }
        let until = Some(Millis(RETRY_MS));
        self.tell(origin, Some(letter.from), "DL-30", || What::Blocked { behind: None, until, why: why() });
    }

    /// Tells through which queues a dead letter went round (DL-25, DL-26).
    fn tell_cycle(&mut self, letter: &Sending, stored: &Stored, target: Id<Queue>) {
        let Some(queue) = self.queues.get(target).filter(|_| self.insights) else { return };
        if target == letter.from {
            let why = || "dead-lettered into the queue it died in, without a rejection: a cycle".to_owned();
            return self.tell_lost(letter, target, "DL-26", why);
        }
        let deaths =
            stored.headers().and_then(|headers| headers.get("x-death")).and_then(Value::as_array).unwrap_or_default();
        let names = deaths.iter().filter_map(|death| death.as_table()?.get("queue")?.as_text());
        let mut through: Vec<&str> = Vec::new();
        for name in names {
            through.push(name);
            if *name == *queue.name.name {
                break;
            }
        }
        through.reverse();
        let why = format!("a cycle without rejection through {}", through.join(", "));
        self.tell_lost(letter, target, "DL-25", || why);
    }

    fn closes_cycle(&self, letter: &Sending, stored: &Stored, target: Id<Queue>) -> bool {
        let Some(queue) = self.queues.get(target).filter(|_| letter.death != Death::Rejected) else { return false };
        if !letter.has_history {
            // Its first death, and no history of the client's: the only way back is into the same queue.
            return self.dead_letterings.get(letter.by).is_some_and(|by| queue.name.name == by.queue);
        }
        stored.headers().is_some_and(|headers| is_cycle(headers, &queue.name.name))
    }
}
