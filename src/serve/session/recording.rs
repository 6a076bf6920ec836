//! A session as it is recorded, to be written as a scenario that plays the same.

use crate::broker::{ChannelId, Method, Settlement};
use crate::convert::{DraftConsumer, DraftQueue, DraftRule, DraftStep, DraftedStep, SessionDraft};
use crate::model::{
    HeldSettlement, Message, Millis, Moment, Name, Object, Properties, Queue, QueueName, Topology, TransactionAct,
};
use crate::player::ConsumerEnd;
use crate::serve::session::event::{ConsumerKey, SessionEvent, Subscription};
use crate::serve::session::known_messages::MessageName;
use crate::serve::session::transactions::{LateSettlement, TransactionUsers};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Work of a client that took less is written as done at once, in milliseconds.
const WORK_MIN: u64 = 100;

/// What a client did and was given, with its moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recording {
    events: Vec<(Moment, SessionEvent)>,
}

/// A delivery of a consumer, until the end of the session.
struct Worked {
    message: Name,
    attempt: u64,
    at: Moment,
    settled: Option<(Moment, HeldSettlement)>,
    /// The client ended the subscription while it had this in hand.
    cancelled: Option<Moment>,
}

/// A consumer while the events are read.
struct RecordedConsumer {
    draft: DraftConsumer,
    worked: Vec<Worked>,
    in_hand: u64,
}

/// What is put together while the events are read.
#[derive(Default)]
struct Drafting {
    draft: SessionDraft,
    now: Moment,
    consumers: Vec<RecordedConsumer>,
    places: BTreeMap<ConsumerKey, usize>,
    /// What `get` holds, by message: its name, and whether a transaction took it.
    held: BTreeMap<Name, (Name, bool)>,
    transactions: TransactionUsers,
    /// Names of the server's making, and those in their place.
    renamed: BTreeMap<Name, Name>,
    known: BTreeSet<Object>,
    published: bool,
    left_out: BTreeSet<&'static str>,
}

impl Recording {
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(crate) fn note(&mut self, moment: Moment, event: SessionEvent) {
        self.events.push((moment, event));
    }

    /// Makes a scenario of it; `begun_with` was there before, `at_end` was in the queues afterwards.
    pub(crate) fn draft(&self, begun_with: &Topology, at_end: Vec<DraftQueue>, end: Moment) -> SessionDraft {
        let mut drafting = Drafting::default();
        let mut topology = begun_with.clone();
        (topology.users, topology.permissions, topology.topic_permissions) = Default::default();
        topology.queues.iter().for_each(|queue| drafting.know(queue.object()));
        topology.exchanges.iter().for_each(|exchange| drafting.know(exchange.object()));
        topology.bindings.iter().for_each(|binding| drafting.know(binding.object()));
        drafting.draft.topology = topology;
        for (moment, event) in &self.events {
            drafting.take(*moment, event);
        }
        drafting.finish(at_end, end)
    }
}

impl Drafting {
    fn know(&mut self, object: Object) {
        self.known.insert(object);
    }

    fn step(&mut self, moment: Moment, vhost: &Name, step: DraftStep) {
        self.step_as(moment, vhost, None, step);
    }

    fn step_as(&mut self, moment: Moment, vhost: &Name, user: Option<Name>, step: DraftStep) {
        self.pass_to(moment);
        self.draft.steps.push(DraftedStep { vhost: vhost.clone(), user, step });
    }

    fn pass_to(&mut self, moment: Moment) {
        if moment > self.now {
            let step = DraftStep::Advance(moment - self.now);
            self.draft.steps.push(DraftedStep { vhost: Name::default(), user: None, step });
            self.now = moment;
        }
    }

    /// Returns the name that stands for one of the server's making, which nobody else may declare.
    fn named(&mut self, name: &Name) -> Name {
        if !name.starts_with("amq.gen-") {
            return name.clone();
        }
        let count = self.renamed.len() + 1;
        self.renamed.entry(name.clone()).or_insert_with(|| format!("generated.{count}").into()).clone()
    }

    fn take(&mut self, moment: Moment, event: &SessionEvent) {
        match event {
            SessionEvent::Called { refusal: Some(_), .. } => {
                self.left_out.insert("methods that were refused");
            }
            SessionEvent::Called { channel, vhost, method, .. } => {
                self.called(moment, vhost, method);
                self.transact(moment, *channel, vhost, method);
            }
            SessionEvent::TransactionsEnded { channel } => {
                if let Some((user, vhost)) = self.transactions.forget(*channel) {
                    self.step_as(moment, &vhost, Some(user), DraftStep::Transaction(TransactionAct::Rollback));
                }
            }
            SessionEvent::Published { channel, place, message, mandatory, content } => {
                let (exchange, routing_key) = (&place.exchange, &place.routing_key);
                if routing_key.starts_with("amq.rabbitmq.reply-to.") {
                    self.left_out.insert("direct replies");
                    return;
                }
                self.published = true;
                let publish = DraftStep::Publish {
                    exchange: exchange.clone(),
                    routing_key: if exchange.is_empty() { self.named(routing_key) } else { routing_key.clone() },
                    mandatory: *mandatory,
                    id: message.id(),
                    content: self.playable(content),
                };
                let user = self.transactions.user_of(*channel);
                self.step_as(moment, &place.vhost, user, publish);
            }
            SessionEvent::Started { subscription, prefetch, arguments } => {
                let (queue, Some(consumer)) = (&subscription.queue, &subscription.consumer) else { return };
                if queue.is_direct_reply_to() {
                    self.left_out.insert("direct replies");
                    return;
                }
                let name = self.free_name(&subscription.shown);
                let queue = QueueName { name: self.named(&queue.name), vhost: queue.vhost.clone() };
                let vhost = queue.vhost.clone();
                let draft = DraftConsumer {
                    name: name.clone(),
                    queue,
                    prefetch: *prefetch,
                    auto_ack: subscription.no_ack,
                    concurrency: 1,
                    arguments: (**arguments).clone(),
                    rules: Vec::new(),
                };
                self.places.insert(consumer.clone(), self.consumers.len());
                self.consumers.push(RecordedConsumer { draft, worked: Vec::new(), in_hand: 0 });
                self.step(moment, &vhost, DraftStep::Start(name));
            }
            SessionEvent::Delivered { .. } | SessionEvent::Settled { .. } => self.handle(moment, event),
            SessionEvent::Gone { subscription, how } => {
                let Some(consumer) = &subscription.consumer else { return };
                if *how == ConsumerEnd::Cancels && self.cancels_amid(moment, consumer) {
                    return;
                }
                let Some(seen) = self.places.remove(consumer).and_then(|place| self.consumers.get(place)) else {
                    return;
                };
                let (name, vhost) = (seen.draft.name.clone(), seen.draft.queue.vhost.clone());
                let step = match how {
                    ConsumerEnd::Crashes | ConsumerEnd::LosesConnection => DraftStep::Crash(name),
                    // The broker took it: its queue is gone.
                    ConsumerEnd::CancelledByBroker => return,
                    _ => DraftStep::Stop(name),
                };
                self.step(moment, &vhost, step);
            }
        }
    }

    /// Notes that a consumer ends its subscription amid work, which it may settle later: it does so as a part of the work. Returns
    /// whether it has any in hand.
    fn cancels_amid(&mut self, moment: Moment, key: &ConsumerKey) -> bool {
        let seen = self.places.get(key).and_then(|place| self.consumers.get_mut(*place));
        let Some(seen) = seen.filter(|seen| !seen.draft.auto_ack) else { return false };
        let open = seen.worked.iter_mut().find(|one| one.settled.is_none());
        open.map(|open| open.cancelled = Some(moment)).is_some()
    }

    /// Takes a delivery, or what became of one.
    fn handle(&mut self, moment: Moment, event: &SessionEvent) {
        match event {
            SessionEvent::Delivered { channel, subscription, message } => {
                let Some(key) = &subscription.consumer else {
                    return self.got(moment, *channel, subscription, message);
                };
                let Some(seen) = self.places.get(key).and_then(|place| self.consumers.get_mut(*place)) else { return };
                let message = message.id();
                let attempt = seen.worked.iter().filter(|one| one.message == message).count() as u64 + 1;
                seen.worked.push(Worked { message, attempt, at: moment, settled: None, cancelled: None });
                if !subscription.no_ack {
                    seen.in_hand += 1;
                    seen.draft.concurrency = seen.draft.concurrency.max(seen.in_hand);
                }
            }
            SessionEvent::Settled { channel, subscription, message, settlement } => {
                let how = held_settlement(*settlement);
                if let Some(key) = &subscription.consumer {
                    return self.settle(moment, *channel, LateSettlement::Worked(key.clone(), message.id(), how));
                }
                let Some((held, by_transaction)) = self.held.get(&message.in_words()).cloned() else { return };
                match by_transaction {
                    true => self.step(moment, &Name::default(), DraftStep::Settle(held, how)),
                    false => self.settle(moment, *channel, LateSettlement::Held(held, how)),
                }
            }
            _ => {}
        }
    }

    /// Takes what `get` took.
    fn got(&mut self, moment: Moment, channel: ChannelId, taking: &Subscription, message: &MessageName) {
        let queue = QueueName { name: self.named(&taking.queue.name), vhost: taking.queue.vhost.clone() };
        let vhost = queue.vhost.clone();
        let held = (!taking.no_ack).then(|| Name::from(format!("got.{}", self.held.len() + 1)));
        // What is taken for good is no part of a transaction.
        let user = held.as_ref().and_then(|_| self.transactions.user_of(channel));
        if let Some(held) = &held {
            self.held.insert(message.in_words(), (held.clone(), user.is_some()));
        }
        self.step_as(moment, &vhost, user, DraftStep::Get(queue, held));
    }

    /// Settles now, or with the commit where the channel has transactions.
    fn settle(&mut self, moment: Moment, channel: ChannelId, settlement: LateSettlement) {
        if let Some(settlement) = self.transactions.settle(channel, settlement) {
            self.settle_now(moment, settlement);
        }
    }

    fn settle_now(&mut self, moment: Moment, settlement: LateSettlement) {
        match settlement {
            LateSettlement::Held(held, how) => self.step(moment, &Name::default(), DraftStep::Settle(held, how)),
            LateSettlement::Worked(key, message, how) => self.worked(moment, &key, &message, how),
        }
    }

    fn worked(&mut self, moment: Moment, key: &ConsumerKey, message: &Name, how: HeldSettlement) {
        let Some(seen) = self.places.get(key).and_then(|place| self.consumers.get_mut(*place)) else { return };
        seen.in_hand = seen.in_hand.saturating_sub(1);
        let open = |one: &&mut Worked| one.message == *message && one.settled.is_none();
        if let Some(worked) = seen.worked.iter_mut().find(open) {
            worked.settled = Some((moment, how));
        }
    }

    /// Begins and ends transactions.
    fn transact(&mut self, moment: Moment, channel: ChannelId, vhost: &Name, method: &Method) {
        let (user, act, late) = match method {
            Method::TxSelect => {
                let Some(user) = self.transactions.select(channel, vhost, &mut self.draft.topology) else { return };
                (user, TransactionAct::Select, Vec::new())
            }
            Method::TxCommit | Method::TxRollback => {
                let act = if *method == Method::TxCommit { TransactionAct::Commit } else { TransactionAct::Rollback };
                let Some((user, late)) = self.transactions.end(channel, act) else { return };
                (user, act, late)
            }
            _ => return,
        };
        self.step_as(moment, vhost, Some(user), DraftStep::Transaction(act));
        late.into_iter().for_each(|settlement| self.settle_now(moment, settlement));
    }

    fn called(&mut self, moment: Moment, vhost: &Name, method: &Method) {
        match method {
            Method::DeclareQueue(queue) => {
                let name = self.named(&queue.name);
                // It would be another connection's in the scenario, and refuse all others.
                let queue = Queue { vhost: vhost.clone(), name, exclusive: false, ..(**queue).clone() };
                if self.known.insert(queue.object()) {
                    match self.published {
                        false => self.draft.topology.queues.push(queue),
                        true => self.step(moment, vhost, DraftStep::DeclareQueue(queue)),
                    }
                }
            }
            Method::DeclareExchange(exchange) => {
                let mut exchange = (**exchange).clone();
                exchange.vhost = vhost.clone();
                if !exchange.name.starts_with("amq.") && self.known.insert(exchange.object()) {
                    match self.published {
                        false => self.draft.topology.exchanges.push(exchange),
                        true => self.step(moment, vhost, DraftStep::DeclareExchange(exchange)),
                    }
                }
            }
            Method::Bind(binding) => {
                let mut binding = (**binding).clone();
                binding.vhost = vhost.clone();
                binding.destination = self.named(&binding.destination);
                if self.known.insert(binding.object()) {
                    match self.published {
                        false => self.draft.topology.bindings.push(binding),
                        true => self.step(moment, vhost, DraftStep::Bind(binding)),
                    }
                }
            }
            Method::Unbind(binding) => {
                let mut binding = (**binding).clone();
                binding.vhost = vhost.clone();
                binding.destination = self.named(&binding.destination);
                self.known.remove(&binding.object());
                self.step(moment, vhost, DraftStep::Unbind(binding));
            }
            Method::DeleteQueue { queue, .. } => {
                let object = Object::Queue { vhost: vhost.clone(), name: self.named(queue) };
                if self.known.remove(&object) {
                    self.step(moment, vhost, DraftStep::Delete(object));
                }
            }
            Method::DeleteExchange { exchange, .. } => {
                let object = Object::Exchange { vhost: vhost.clone(), name: exchange.clone() };
                if self.known.remove(&object) {
                    self.step(moment, vhost, DraftStep::Delete(object));
                }
            }
            Method::Purge { queue } => {
                let queue = QueueName { vhost: vhost.clone(), name: self.named(queue) };
                self.step(moment, vhost, DraftStep::Purge(queue));
            }
            _ => {}
        }
    }

    /// Leaves out of a message what only its client may say.
    fn playable(&mut self, content: &Arc<Message>) -> Arc<Message> {
        let properties = &content.properties;
        if std::str::from_utf8(&content.body).is_err() {
            self.left_out.insert("bodies that are no text, which are written as far as they are");
        }
        let reply_to = properties.reply_to.as_ref().map(|name| self.named(name));
        let reply_to = reply_to.filter(|name| !name.starts_with("amq.rabbitmq.reply-to"));
        let properties = Properties { reply_to, ..properties.clone() };
        Arc::new(Message { properties, body: content.body.clone() })
    }

    fn free_name(&self, shown: &Name) -> Name {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let plain: String = shown.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
        let plain = match plain.chars().next() {
            Some(first) if first.is_ascii_alphabetic() => plain,
            _ => format!("client-{plain}"),
        };
        let is_free = |name: &str| self.consumers.iter().all(|one| one.draft.name != name);
        let numbered = (2_u64..).map(|number| format!("{plain}-{number}"));
        let name = std::iter::once(plain.clone()).chain(numbered).find(|name| is_free(name));
        name.unwrap_or(plain).into()
    }

    fn finish(mut self, at_end: Vec<DraftQueue>, end: Moment) -> SessionDraft {
        self.pass_to(end);
        for seen in self.consumers {
            self.draft.consumers.push(DraftConsumer { rules: rules_of(&seen.worked), ..seen.draft });
        }
        let renamed = &self.renamed;
        self.draft.at_end = at_end;
        for held in &mut self.draft.at_end {
            if let Some(name) = renamed.get(&held.queue.name) {
                held.queue.name = name.clone();
            }
        }
        let declared = |queue: &QueueName| Object::Queue { vhost: queue.vhost.clone(), name: queue.name.clone() };
        let known = &self.known;
        self.draft.at_end.retain(|held| known.contains(&declared(&held.queue)));
        self.draft.title = "what the clients of a served broker did".to_owned();
        self.draft.head = vec!["Written by `rmqplay serve --write-scenario`.".to_owned()];
        if !self.left_out.is_empty() {
            let left_out: Vec<&str> = self.left_out.iter().copied().collect();
            self.draft.head.push(format!("Left out: {}.", left_out.join("; ")));
        }
        self.draft
    }
}

fn held_settlement(settlement: Settlement) -> HeldSettlement {
    match settlement {
        Settlement::Ack => HeldSettlement::Ack,
        Settlement::Nack { requeue } => HeldSettlement::Nack { requeue },
        Settlement::Reject { requeue } => HeldSettlement::Reject { requeue },
    }
}

/// Writes what a consumer did most as the rule for all, and the rest message by message before it.
fn rules_of(worked: &[Worked]) -> Vec<DraftRule> {
    let plain = |one: &Worked| {
        let delay = one.settled.map_or(0, |(at, _)| (at - one.at).0);
        let delay = if delay < WORK_MIN { Millis(0) } else { Millis(delay) };
        let cancels = one.cancelled.map(|at| at - one.at);
        let cancels = cancels.map(|after| if after.0 < WORK_MIN { Millis(0) } else { after });
        DraftRule { message: None, delay, cancels, settled: one.settled.map(|(_, how)| how) }
    };
    let mut counts: Vec<(DraftRule, usize)> = Vec::new();
    for rule in worked.iter().map(plain) {
        match counts.iter_mut().find(|(known, _)| *known == rule) {
            Some((_, count)) => *count += 1,
            None => counts.push((rule, 1)),
        }
    }
    let usual = counts.into_iter().max_by_key(|(_, count)| *count).map(|(rule, _)| rule);
    let acked = Some(HeldSettlement::Ack);
    let usual = usual.unwrap_or(DraftRule { message: None, delay: Millis(0), cancels: None, settled: acked });
    let others = worked.iter().filter(|one| plain(one) != usual);
    let others = others.map(|one| DraftRule { message: Some((one.message.clone(), one.attempt)), ..plain(one) });
    let mut rules: Vec<DraftRule> = others.collect();
    rules.push(usual);
    rules
}
