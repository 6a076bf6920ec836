//! Dead-lettering: why a message dies, what is published instead, where it goes (DL-1 to DL-34).

use super::entry::{Entry, Stored};
use super::exchange::Exchange;
use super::node::Sim;
use super::publish::keys;
use super::queue::{Contents, Queue};
use super::quorum_queue::Waiting;
use super::slots::Id;
use super::timer::Timer;
use super::vhost::Vhost;
use crate::broker::{Death, What};
use crate::model::{Message, Millis, Moment, Name, QueueName, Table};
use crate::rules::{Dying, FailureCount, Overflow, is_cycle, record_death};
use std::sync::Arc;

/// How long dead letters that found no place wait before the next try (DL-30).
const RETRY_MS: u64 = 180_000;

/// The wall clock at moment 0, in seconds since 1970.
const FIRST_SECOND: u64 = 1_767_225_600;

/// Is a message that died and is on its way to its dead-letter exchange.
pub(super) struct DeadLetter {
    entry: Entry,
    death: Death,
    died_at: Moment,
    vhost: Id<Vhost>,
    queue: QueueName,
    from: Id<Queue>,
    from_quorum: bool,
    exchange: Name,
    routing_key: Option<Name>,
    /// DL-24: kept by its queue until all targets took it; those that did.
    at_least_once: Option<Vec<Id<Queue>>>,
}

impl Sim {
    /// Lets a message die in a queue: it is dead-lettered, or dropped where there is no exchange for that.
    pub(super) fn die(&mut self, id: Id<Queue>, entry: Entry, death: Death) {
        let Some(queue) = self.queues.get(id) else { return };
        let origin = Some(entry.stored.origin);
        let Some(exchange) = queue.settings.dead_letter_exchange.clone() else {
            self.tell(origin, Some(id), rule_of(death), || What::Dropped {
                why: format!("{}, and the queue has no dead-letter exchange", why(death)),
            });
            return;
        };
        let letter = DeadLetter {
            entry,
            death,
            died_at: self.now,
            vhost: queue.vhost,
            queue: queue.name.clone(),
            from: id,
            from_quorum: matches!(queue.contents, Contents::Quorum(_)),
            exchange,
            routing_key: queue.settings.dead_letter_routing_key.clone(),
            at_least_once: queue.settings.at_least_once.then(Vec::new),
        };
        self.dead_letters.push_back(letter);
    }

    /// Publishes a dead letter to its exchange (DL-10 to DL-12).
    pub(super) fn send_dead_letter(&mut self, letter: DeadLetter) {
        let origin = Some(letter.entry.stored.origin);
        let stored = Arc::new(self.copy_of(&letter));
        if self.insights {
            let further = if letter.routing_key.is_some() { &[][..] } else { &stored.cc };
            let routing_keys = std::iter::once(&stored.routing_key).chain(further).cloned().collect();
            let exchange = letter.exchange.clone();
            self.tell(origin, Some(letter.from), rule_of(letter.death), || What::DeadLettered {
                death: letter.death,
                exchange,
                routing_keys,
                why: why(letter.death).into(),
            });
        }
        let Some(exchange) = self.exchange_id(letter.vhost, &letter.exchange) else {
            self.tell(origin, Some(letter.from), "DL-3", || What::Dropped {
                why: format!("its dead-letter exchange '{}' does not exist", letter.exchange),
            });
            return self.keep_waiting(letter);
        };
        self.spread(letter, exchange, &stored);
    }

    /// Puts a dead letter into the queues that it is routed to, but into none twice in a cycle (DL-25).
    fn spread(&mut self, mut letter: DeadLetter, exchange: Id<Exchange>, stored: &Arc<Stored>) {
        let origin = Some(stored.origin);
        self.route(exchange, &keys(stored));
        let targets = std::mem::take(&mut self.targets);
        let mut all_took = !targets.is_empty();
        if targets.is_empty() {
            self.tell(origin, Some(letter.from), "DL-4", || What::Dropped {
                why: format!("its dead-letter exchange '{}' has no queue for it", letter.exchange),
            });
        }
        for &target in &targets {
            if letter.at_least_once.as_ref().is_some_and(|done| done.contains(&target)) {
                continue;
            }
            if self.closes_cycle(&letter, stored, target) {
                self.tell(origin, Some(target), "DL-25", || What::Dropped {
                    why: "it came this way before without any rejection: a dead-letter cycle".into(),
                });
                all_took = false;
                continue;
            }
            let taken = match letter.at_least_once {
                Some(_) if self.is_refusing(target) => false,
                _ => self.enqueue(target, stored, None),
            };
            match &mut letter.at_least_once {
                Some(done) if taken => done.push(target),
                _ => {}
            }
            all_took &= taken;
        }
        self.targets = targets;
        if !all_took {
            self.keep_waiting(letter);
        }
    }

    fn closes_cycle(&self, letter: &DeadLetter, stored: &Stored, target: Id<Queue>) -> bool {
        let Some(queue) = self.queues.get(target) else { return false };
        let old = &letter.entry.stored;
        if !old.died && old.message.properties.headers.is_none() {
            // Its first death, and no history of the client's: the only way back is into the same queue.
            return letter.death != Death::Rejected && queue.name.name == letter.queue.name;
        }
        let headers = stored.message.properties.headers.as_ref();
        letter.death != Death::Rejected && headers.is_some_and(|headers| is_cycle(headers, &queue.name.name))
    }

    /// Says whether a quorum queue would not confirm a dead letter now.
    fn is_refusing(&self, id: Id<Queue>) -> bool {
        let Some(queue) = self.queues.get(id) else { return true };
        let Contents::Quorum(quorum) = &queue.contents else { return false };
        let (n, bytes) = quorum.counted();
        queue.settings.overflow == Overflow::RejectPublish
            && (queue.settings.max_length.is_some_and(|max| n > max)
                || queue.settings.max_length_bytes.is_some_and(|max| bytes > max))
    }

    /// Keeps a dead letter of an at-least-once queue for the next try (DL-30).
    fn keep_waiting(&mut self, letter: DeadLetter) {
        let Some(taken_by) = letter.at_least_once else { return };
        let at = self.now + Millis(RETRY_MS);
        let Some(queue) = self.queues.get_mut(letter.from) else { return };
        let Contents::Quorum(quorum) = &mut queue.contents else { return };
        quorum.waiting.push_back(Waiting { entry: letter.entry, death: letter.death, taken_by });
        if queue.retry_timer.is_none() {
            queue.retry_timer = Some(self.timers.set(at, Timer::DeadLetterRetry(letter.from)));
        }
    }

    /// Tries dead letters again that found no place.
    pub(super) fn retry_dead_letters(&mut self, id: Id<Queue>) {
        let Some(queue) = self.queues.get_mut(id) else { return };
        self.timers.cancel(&mut queue.retry_timer);
        let Contents::Quorum(quorum) = &mut queue.contents else { return };
        let waiting = std::mem::take(&mut quorum.waiting);
        let before = self.dead_letters.len();
        for waiting in waiting {
            self.die(id, waiting.entry, waiting.death);
            if let Some(letter) = self.dead_letters.back_mut().filter(|letter| letter.at_least_once.is_some()) {
                letter.at_least_once = Some(waiting.taken_by);
            }
        }
        debug_assert!(self.dead_letters.len() >= before);
    }

    /// Gives the headers after a death (DL-16 to DL-23).
    fn death_headers(&mut self, old: &Stored, dying: &Dying) -> Table {
        let before = old.message.properties.headers.as_ref();
        if before.is_some() || old.died || !old.cc.is_empty() || !old.bcc.is_empty() || dying.expiration.is_some() {
            return record_death(before, dying, self.rules);
        }
        if let Some(alike) = self.first_death.as_ref().filter(|first| first.is_of(old, dying)) {
            return alike.headers.clone();
        }
        let headers = record_death(None, dying, self.rules);
        self.first_death = Some(FirstDeath {
            queue: dying.queue.clone(),
            reason: dying.reason,
            exchange: old.exchange.clone(),
            routing_key: old.routing_key.clone(),
            time: dying.time,
            new_routing_key: dying.new_routing_key,
            headers: headers.clone(),
        });
        headers
    }

    /// Gives the keys that x-death shows (DL-17).
    fn death_keys<'a>(&self, old: &'a Stored) -> Vec<&'a Name> {
        let mut keys: Vec<&Name> = std::iter::once(&old.routing_key).chain(&old.cc).collect();
        if self.rules.bcc_hides_likenesses {
            // RabbitMQ subtracts the BCC list from all keys, its own among them.
            keys.extend(&old.bcc);
            for hidden in &old.bcc {
                if let Some(at) = keys.iter().position(|key| *key == hidden) {
                    keys.remove(at);
                }
            }
        }
        keys
    }

    /// Makes what is published in place of the dead message (DL-11 to DL-17).
    fn copy_of(&mut self, letter: &DeadLetter) -> Stored {
        let old = &letter.entry.stored;
        let properties = &old.message.properties;
        let routing_keys = self.death_keys(old);
        let dying = Dying {
            queue: &letter.queue.name,
            reason: letter.death.as_str(),
            exchange: &old.exchange,
            routing_keys: &routing_keys,
            time: FIRST_SECOND + letter.died_at.0 / 1_000,
            expiration: properties.expiration.as_ref(),
            died_before: old.died,
            new_routing_key: letter.routing_key.is_some(),
        };
        let headers = self.death_headers(old, &dying);
        let mut message = Message::clone(&old.message);
        message.properties.headers = Some(headers);
        message.properties.expiration = None;
        let (routing_key, cc, bcc) = match &letter.routing_key {
            Some(key) => (key.clone(), Box::default(), Box::default()),
            None => (old.routing_key.clone(), old.cc.clone(), old.bcc.clone()),
        };
        let counted = self.rules.failure_count == FailureCount::Counted;
        let rejected_here = letter.from_quorum && letter.death == Death::Rejected;
        Stored {
            message: Arc::new(message),
            exchange: letter.exchange.clone(),
            routing_key,
            cc,
            bcc,
            expiration_ms: None,
            origin: old.origin,
            died: true,
            failures: if counted { letter.entry.failures } else { 0 },
            quorum_rejections: old.quorum_rejections + letter.entry.losses + u32::from(rejected_here),
        }
    }
}

/// Remembers the headers of a message's first death: those that die alike in the same second get a copy.
pub(super) struct FirstDeath {
    queue: Name,
    reason: &'static str,
    exchange: Name,
    routing_key: Name,
    time: u64,
    new_routing_key: bool,
    headers: Table,
}

impl FirstDeath {
    fn is_of(&self, old: &Stored, dying: &Dying) -> bool {
        self.time == dying.time
            && self.reason == dying.reason
            && self.new_routing_key == dying.new_routing_key
            && self.queue == *dying.queue
            && self.exchange == old.exchange
            && self.routing_key == old.routing_key
    }
}

fn rule_of(death: Death) -> &'static str {
    match death {
        Death::Rejected => "DL-1",
        Death::Expired => "TTL-5",
        Death::MaxLen => "LEN-5",
        Death::DeliveryLimit => "CO-13",
    }
}

fn why(death: Death) -> &'static str {
    match death {
        Death::Rejected => "it was rejected without requeue",
        Death::Expired => "its time to live was over",
        Death::MaxLen => "the queue was over its length limit",
        Death::DeliveryLimit => "it was returned more often than the delivery limit allows",
    }
}
