//! Why a message died, came back or waits: plain words, and the number of the rule.
//! Asked only when insights are on; looks at the node and changes nothing.

use crate::broker::PublishId;
use crate::model::{Millis, Name, Value, counted};
use crate::rules::Overflow;
use crate::sim::broker::Sim;
use crate::sim::state::arena::{ConsumerId, QueueId};
use crate::sim::state::consumer::Consumer;
use crate::sim::state::queue::{Queue, QueueContents, is_over};
use crate::sim::state::queued_message::{NEVER, QueuedMessage};
use crate::sim::state::reason::{DeathCause, Occasion, Reason, Ttl};
use std::sync::Arc;

/// How many messages in front of one are looked at for the one that holds it up.
const LOOKED_AT_MAX: usize = 200;

impl Sim {
    /// Returns why a message dies in a queue.
    pub(crate) fn reason_of_death(&self, id: QueueId, entry: &QueuedMessage, cause: &DeathCause) -> Reason {
        let Some(queue) = self.queues.get(id) else { return Reason::new("DL-2", "its queue is gone") };
        let by = |who: &Option<Name>| who.as_ref().map_or_else(|| "after a get".to_owned(), |who| format!("by {who}"));
        match cause {
            DeathCause::Nacked(who) => Reason::new("DL-1", format!("nacked without requeue {}", by(who))),
            DeathCause::Rejected(who) => Reason::new("DL-1", format!("rejected without requeue {}", by(who))),
            DeathCause::Expired => self.reason_of_expiry(queue, entry),
            DeathCause::Full { ready, bytes, occasion } => self.reason_of_drop(queue, *ready, *bytes, *occasion),
            DeathCause::FullOnArrival => {
                let limit = self.limit_in_words(queue);
                Reason::new("LEN-7", format!("the queue is full ({limit}) and dead-letters the newcomer"))
            }
            DeathCause::DeliveryLimit => self.reason_of_limit(queue, entry),
            DeathCause::Again(_) => Reason::new("DL-30", "it is tried once more"),
        }
    }

    /// Returns which TTL was over, and what made it late (TTL-1 to TTL-3, TTL-5, TTL-7, TTL-8, TTL-12).
    fn reason_of_expiry(&self, queue: &Queue, entry: &QueuedMessage) -> Reason {
        let known = entry.stored.ttls.as_deref();
        let all: Vec<String> = known.into_iter().flatten().map(|one| one.in_words()).collect();
        let mut why = match all.split_first() {
            None => "expired".to_owned(),
            Some((first, [])) => format!("expired by {first}"),
            Some((first, rest)) => format!("expired by {first}, not by {}", rest.join(" or ")),
        };
        let own = |ttl: &Ttl| ttl.of_queue.is_none();
        let mut rule = match known {
            None => "TTL-3",
            Some([Ttl { ms: 0, .. }, ..]) => {
                why.push_str(": nobody took it at once");
                "TTL-7"
            }
            Some([one]) if own(one) => "TTL-1",
            Some([_]) => "TTL-2",
            Some(all) if all.iter().any(own) => "TTL-3",
            Some(_) => "PO-6",
        };
        let late = self.now - entry.expires_at;
        if late > Millis(0) {
            let returned = entry.redelivered || entry.returns > 0;
            rule = match &queue.contents {
                _ if returned => "TTL-8",
                QueueContents::Classic(classic) if classic.has_priorities() => "TTL-12",
                _ => "TTL-5",
            };
            let what = if returned { "it was out with a consumer" } else { "it stood behind another" };
            why.push_str(&format!(", {late} late: {what}"));
        }
        Reason::new(rule, why)
    }

    fn reason_of_drop(&self, queue: &Queue, ready: u64, bytes: u64, occasion: Occasion) -> Reason {
        let over_length = queue.settings.max_length.is_some_and(|max| ready > max);
        let held = if over_length { counted(ready, "message") } else { counted(bytes, "byte") };
        let rule = match (occasion, &queue.contents) {
            (Occasion::Policy, _) => "LEN-11",
            (Occasion::Return, _) => "LEN-2",
            _ if !over_length => "LEN-1",
            (_, QueueContents::Quorum(_)) => "LEN-8",
            (_, QueueContents::Classic(classic)) if classic.has_priorities() => "PRI-3",
            _ => "LEN-5",
        };
        let key = if over_length { "max-length" } else { "max-length-bytes" };
        let limit =
            self.setters(queue, key).into_iter().next().map_or_else(String::new, |(n, by)| format!("{n} ({by})"));
        Reason::new(rule, format!("dropped from the head: the queue held {held} of at most {limit}"))
    }

    /// Reports that a message came back too often (CO-13, DL-34).
    fn reason_of_limit(&self, queue: &Queue, entry: &QueuedMessage) -> Reason {
        let by = self.setters(queue, "delivery-limit").into_iter().next();
        let by = by.map_or_else(|| "this version's default, as nothing sets delivery-limit".to_owned(), |(_, by)| by);
        let limit = queue.settings.delivery_limit.unwrap_or_default();
        let inherited = entry.stored.failures;
        let counted = if self.rules.only_failures_count { entry.failures } else { entry.returns };
        let what = if self.rules.only_failures_count { "failed" } else { "came back" };
        let mut why = format!("{what} {} of at most {limit} allowed by {by}", times(counted));
        if inherited > 0 && self.rules.only_failures_count {
            why.push_str(&format!(", {} of them before this queue", inherited));
            return Reason::new("DL-34", why);
        }
        Reason::new("CO-13", why)
    }

    /// Returns why a publish or a dead letter is not taken by a full queue.
    pub(crate) fn reason_of_refusal_by_length(&self, id: QueueId, published: bool) -> Reason {
        let Some(queue) = self.queues.get(id) else { return Reason::new("LEN-6", "the queue is gone") };
        let limit = self.limit_in_words(queue);
        match (&queue.contents, published) {
            (QueueContents::Classic(_), true) => {
                Reason::new("LEN-6", format!("the queue is full ({limit}) and takes no publish"))
            }
            (QueueContents::Classic(_), false) => {
                Reason::new("DL-10", format!("the queue is full ({limit}) and takes no dead letter"))
            }
            _ => Reason::new(
                "LEN-9",
                format!("the queue went over its limit ({limit}): this publisher has to wait until it is down to 80 %"),
            ),
        }
    }

    /// Says of a queue that refuses publishes that returns put it over its limit all the same (LEN-2).
    pub(crate) fn over_limit_by_returns(&self, queue: &Queue) -> Option<String> {
        let (n, bytes) = match &queue.contents {
            QueueContents::Classic(classic) => (classic.ready(), classic.bytes()),
            QueueContents::Quorum(quorum) => quorum.counted(),
            QueueContents::Stream(_) => return None,
        };
        let keeps = queue.settings.overflow != Overflow::DropHead && is_over(queue, n, bytes);
        keeps.then(|| {
            format!(
                "; over its limit ({}), which refuses publishes and not returns (LEN-2)",
                self.limit_in_words(queue)
            )
        })
    }

    pub(crate) fn limit_in_words(&self, queue: &Queue) -> String {
        let limits = ["max-length", "max-length-bytes"].into_iter();
        let limits = limits.filter_map(|key| Some((key, self.setters(queue, key).into_iter().next()?)));
        let words: Vec<String> = limits.map(|(key, (n, by))| format!("{key} {n} by {by}")).collect();
        words.join(", ")
    }

    /// Lists who sets a number of a queue, smallest first.
    fn setters(&self, queue: &Queue, key: &str) -> Vec<(i64, String)> {
        let argument = queue.declared.arguments.get(&format!("x-{key}")).and_then(Value::as_integer);
        let argument = argument.map(|n| (n, format!("x-{key}")));
        let in_force = self.policies_of(queue);
        let policies = [("policy", in_force.user), ("operator policy", in_force.operator)].into_iter();
        let policies = policies.filter_map(|(word, policy)| {
            let policy = policy?;
            let n = policy.definition.get(key)?.as_i64()?;
            Some((n, format!("{word} '{}'", policy.name)))
        });
        let mut all: Vec<(i64, String)> = argument.into_iter().chain(policies).collect();
        all.sort_by_key(|(n, _)| *n);
        all
    }

    /// Lists the TTLs that a message has in a queue, the one that counts first (TTL-3, PO-6).
    pub(crate) fn ttls(&mut self, id: QueueId, own: Option<u64>) -> Option<Arc<[Ttl]>> {
        let of_queue = self.ttls_of_queue(id)?;
        let Some(ms) = own else { return Some(of_queue) };
        let mut all = of_queue.to_vec();
        all.insert(all.partition_point(|ttl| ttl.ms <= ms), Ttl { ms, of_queue: None });
        Some(all.into())
    }

    /// Lists the TTLs that arguments and policies set; all messages of the queue share the list.
    fn ttls_of_queue(&mut self, id: QueueId) -> Option<Arc<[Ttl]>> {
        let queue = self.queues.get(id)?;
        if let Some(known) = &queue.ttls {
            return Some(Arc::clone(known));
        }
        let set = self.setters(queue, "message-ttl").into_iter();
        let set = set.filter_map(|(ms, by)| Some(Ttl { ms: u64::try_from(ms).ok()?, of_queue: Some(by) }));
        let set: Arc<[Ttl]> = set.collect();
        self.queues.get_mut(id)?.ttls = Some(Arc::clone(&set));
        Some(set)
    }

    /// Returns who keeps a message from going when its time is over: the one in front that lives longest.
    pub(crate) fn held_up_by(&self, id: QueueId, entry: &QueuedMessage) -> Option<(PublishId, Option<Millis>, Reason)> {
        let queue = self.queues.get(id).filter(|_| entry.expires_at != NEVER)?;
        let latest = match &queue.contents {
            QueueContents::Classic(classic) => classic.latest_expiry(),
            QueueContents::Quorum(quorum) => quorum.latest_expiry(),
            QueueContents::Stream(_) => return None,
        };
        if latest <= entry.expires_at {
            return None;
        }
        let mut longest: Option<&QueuedMessage> = None;
        let in_front: Box<dyn Iterator<Item = &QueuedMessage>> = match &queue.contents {
            QueueContents::Classic(classic) => Box::new(classic.in_front_of(entry.level)),
            QueueContents::Quorum(quorum) => Box::new(quorum.in_front_of(entry.level)),
            QueueContents::Stream(_) => return None,
        };
        for other in in_front.take(LOOKED_AT_MAX) {
            if other.expires_at > longest.map_or(entry.expires_at, |longest| longest.expires_at) {
                longest = Some(other);
            }
            if other.expires_at == NEVER {
                break;
            }
        }
        let longest = longest?;
        let never = longest.expires_at == NEVER;
        let before_ttl = never && queue.settings.message_ttl_ms.is_some();
        let rule = match &queue.contents {
            _ if before_ttl => "TTL-4",
            QueueContents::Classic(classic) if classic.has_priorities() => "TTL-12",
            QueueContents::Quorum(_) if self.rules.quorum_heads_expire_apart => "TTL-13",
            _ => "TTL-5",
        };
        let why = match (never, before_ttl) {
            (true, true) => "it came before the queue had a TTL and never expires",
            (true, false) => "it never expires",
            (false, _) => "it lives longer",
        };
        let until = (!never).then(|| longest.expires_at - self.now);
        Some((longest.stored.origin, until, Reason::new(rule, why)))
    }

    /// Returns why none of a queue's consumers gets a message now; `None` when one may, or when there are none.
    pub(crate) fn why_nobody(&mut self, id: QueueId) -> Option<(&'static str, Name)> {
        let queue = self.queues.get(id)?;
        let consumers = &queue.consumers;
        if let ([only], false) = (consumers.all.as_slice(), consumers.single_active) {
            return self.why_not_alone(*only);
        }
        if consumers.single_active {
            let active = consumers.active?;
            let state = self.consumers.get(active)?;
            if self.is_quiescing(queue, active) {
                let why = format!("{} still holds messages; then one of higher priority takes over", state.tag);
                return Some(("CO-6", why.into()));
            }
            let alone = self.why_not(state)?.why;
            return Some(("CO-6", format!("{alone}, and it is the single active consumer").into()));
        }
        let mut reasons = Vec::new();
        for consumer in consumers.all.iter().filter_map(|id| self.consumers.get(*id)) {
            reasons.push(self.why_not(consumer)?);
        }
        let rule = reasons.first()?.rule;
        let words: Vec<String> = reasons.into_iter().map(|reason| reason.why).collect();
        Some((rule, words.join(", ").into()))
    }

    /// Returns why the only consumer of a queue gets nothing now. Most messages that wait do so for the same reason: its words
    /// are made once.
    fn why_not_alone(&mut self, id: ConsumerId) -> Option<(&'static str, Name)> {
        let consumer = self.consumers.get(id)?;
        let has_room = self.channels.get(consumer.channel).is_some_and(|channel| channel.has_room(consumer.kind));
        let is_full = has_room && consumer.is_full();
        if let Some((holds, why)) = consumer.why_full.as_ref().filter(|_| is_full)
            && *holds == (consumer.unacked, consumer.held_max())
        {
            return Some(("CO-2", why.clone()));
        }
        let Reason { rule, why } = self.why_not(consumer)?;
        let why = Name::from(why);
        if let Some(consumer) = self.consumers.get_mut(id).filter(|_| is_full) {
            consumer.why_full = Some(((consumer.unacked, consumer.held_max()), why.clone()));
        }
        Some((rule, why))
    }

    /// Returns the publish of the oldest message that fills the hands of a queue's consumers.
    pub(crate) fn filled_by(&self, id: QueueId) -> Option<PublishId> {
        let consumers = self.queues.get(id)?.consumers.all.iter();
        let mut held = consumers.filter_map(|id| {
            let channel = self.channels.get(self.consumers.get(*id)?.channel)?;
            let first = channel.unacked.iter().find(|unacked| unacked.consumer == Some(*id))?;
            Some(first.entry()?.stored.origin)
        });
        held.next()
    }

    /// Returns why a consumer gets nothing now (CO-2, CO-4, CO-15, CO-26); `None` when it may.
    fn why_not(&self, consumer: &Consumer) -> Option<Reason> {
        if consumer.has_capacity(&self.channels) {
            return None;
        }
        let tag = &consumer.tag;
        Some(match self.channels.get(consumer.channel) {
            _ if consumer.cancelled => Reason::new("CO-15", format!("{tag} is cancelled")),
            _ if consumer.timed_out > 0 => Reason::new("CO-26", format!("{tag} has not settled what timed out")),
            Some(channel) if !channel.has_room(consumer.kind) => {
                let (held, max) = (channel.volume, channel.global_prefetch);
                Reason::new("CO-4", format!("the channel of {tag} holds {held}, its shared prefetch is {max}"))
            }
            _ => Reason::new(
                "CO-2",
                format!("{tag} holds {}, its prefetch is {}", consumer.unacked, consumer.held_max()),
            ),
        })
    }

    /// Names a consumer, where reasons are wanted.
    pub(crate) fn holder(&self, consumer: Option<ConsumerId>) -> Option<Name> {
        consumer.filter(|_| self.insights).and_then(|id| self.consumers.get(id)).map(|consumer| consumer.tag.clone())
    }
}

fn times(n: u32) -> String {
    match n {
        1 => "once".to_owned(),
        _ => format!("{n} times"),
    }
}
