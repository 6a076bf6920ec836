//! Dead-lettering: why a message dies, what is published instead, where it goes (DL-1 to DL-34).

use crate::broker::{Death, PublishId, What};
use crate::model::{Millis, Name, QueueKind, Value};
use crate::rules::{QueueSettings, is_cycle};
use crate::sim::broker::Sim;
use crate::sim::state::arena::{DeadLetteringId, ExchangeId, QueueId, VhostId};
use crate::sim::state::covered::Site;
use crate::sim::state::dead_letter::{DeadLetter, DeadLettering, RETRY_MS, WaitingDeadLetter};
use crate::sim::state::exchange::keys;
use crate::sim::state::queued_message::{QueuedMessage, Stored};
use crate::sim::state::reason::{DeathCause, Reason};

/// A dead letter that is being published.
struct Sending {
    origin: PublishId,
    death: Death,
    from: QueueId,
    by: DeadLetteringId,
    /// Whether it had headers, its own deaths among them, before this death.
    has_history: bool,
    /// DL-24: what the queue keeps until all targets took it.
    kept: Option<Box<WaitingDeadLetter>>,
}

impl Sim {
    /// Reads a queue's settings; `None` where there is no dead-letter exchange. What a policy left as it was stays.
    pub(crate) fn dead_lettering(
        &mut self,
        vhost: VhostId,
        queue: &Name,
        kind: QueueKind,
        settings: &QueueSettings,
        before: Option<DeadLetteringId>,
    ) -> Option<DeadLetteringId> {
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
            covered: 0,
        }))
    }

    /// Lets a message die in a queue: it is dead-lettered, or dropped where there is no exchange for that.
    pub(crate) fn die(&mut self, id: QueueId, entry: QueuedMessage, cause: DeathCause) {
        self.bury(id, entry, cause, Vec::new());
    }

    /// Tries a dead letter again that some targets may have (DL-30).
    pub(crate) fn die_again(&mut self, id: QueueId, letter: WaitingDeadLetter) {
        self.bury(id, letter.entry, DeathCause::Again(letter.death), letter.taken_by);
    }

    fn bury(&mut self, id: QueueId, mut entry: QueuedMessage, cause: DeathCause, taken_by: Vec<QueueId>) {
        let origin = entry.stored.origin;
        let Some(by) = self.queues.get(id).map(|queue| queue.dead_lettering) else {
            return self.tell_no_way_back(origin);
        };
        let explains = self.cover_death(id, &mut entry, &cause);
        let reason = explains.then(|| Box::new(self.reason_of_death(id, &entry, &cause)));
        let Some(by) = by else {
            if let Some(Reason { rule, why }) = reason.map(|reason| *reason) {
                let why = format!("{why}; the queue has no dead-letter exchange");
                self.tell(Some(origin), Some(id), rule, || What::Dropped {
                    why,
                    stood: !matches!(cause, DeathCause::FullOnArrival),
                });
            }
            return;
        };
        let death = cause.death();
        if self.dead_letterings.get(by).is_some_and(|by| by.at_least_once) {
            let kept = Some(Box::new(WaitingDeadLetter { entry: entry.clone(), death, taken_by, sent_at: None }));
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
        self.cover_dead_letter(by, death);
        let second = self.second_of(died_at);
        let Some(dead_lettering) = self.dead_letterings.get_mut(by) else { return };
        dead_lettering.rewrite(&mut entry, death, second, self.rules);
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
    fn spread(&mut self, mut letter: Sending, exchange: ExchangeId, stored: Box<Stored>) {
        self.route(exchange, &stored);
        self.cover_route(exchange, &keys(&stored));
        if self.insights {
            self.ways = self.ways_of(exchange, &keys(&stored));
        }
        let targets = std::mem::take(&mut self.targets);
        // DL-30: a cycle counts as no target, so one that has others is not held back by it.
        let (mut any, mut all_took) = (false, true);
        let mut count = |taken: Option<bool>| {
            any |= taken.is_some();
            all_took &= taken.unwrap_or(true);
        };
        match targets.split_last() {
            None if self.delayed_publishes.took && letter.kept.is_none() => {}
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

    /// Brings a dead letter to one of its targets, and returns whether that has it; `None` where it would close a cycle.
    fn bring(&mut self, letter: &mut Sending, target: QueueId, stored: Box<Stored>) -> Option<bool> {
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
        if letter.kept.is_none() && self.rules.streams.loses_dead_letters && self.is_stream(target) {
            self.tell_lost(letter, target, "ST-8", || {
                "this version loses what is dead-lettered at most once into a stream".into()
            });
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
    fn tell_lost(&mut self, letter: &Sending, queue: QueueId, rule: &'static str, why: impl FnOnce() -> String) {
        let origin = Some(letter.origin);
        if letter.kept.is_none() {
            return self.tell(origin, Some(queue), rule, || What::Dropped { why: why(), stood: false });
        }
        let until = Some(Millis(RETRY_MS));
        self.tell(origin, Some(letter.from), "DL-30", || What::Blocked { behind: None, until, why: why().into() });
    }

    /// Tells through which queues a dead letter went round (DL-25, DL-26).
    fn tell_cycle(&mut self, letter: &Sending, stored: &Stored, target: QueueId) {
        if !self.samples(target, Site::Cycle) {
            return;
        }
        let Some(queue) = self.queues.get(target) else { return };
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

    fn closes_cycle(&self, letter: &Sending, stored: &Stored, target: QueueId) -> bool {
        let Some(queue) = self.queues.get(target).filter(|_| letter.death != Death::Rejected) else { return false };
        if !letter.has_history {
            // Its first death, and no history of the client's: the only way back is into the same queue.
            return self.dead_letterings.get(letter.by).is_some_and(|by| queue.name.name == by.queue);
        }
        stored.headers().is_some_and(|headers| is_cycle(headers, &queue.name.name))
    }
}
