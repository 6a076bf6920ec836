//! What is kept of a session for whoever asks: the latest happenings in order, and why.
//!
//! What happens with every message is kept as an entry of one fixed size, in a ring: the number of the message, the moment,
//! and what all messages of a publisher or a consumer share. No body, no text and no list is copied or made for it. What
//! happens seldom (declarations, refusals, deaths, waits) lies beside it as it came. Words, names and [`TimelineEntry`]s are
//! made when somebody asks, and only those that are asked for.

use crate::broker::{Delivery, Explanation, Method, PublishId, Settlement, What};
use crate::model::{Act, Message, Moment, Name, Object, Properties, PublishOutcome, QueueName, Table, TransactionAct};
use crate::player::{Attempt, RunCounts, Timeline, TimelineEntry, TimelineEvent};
use crate::serve::session::event::{PublishRoute, SessionEvent, Subscription};
use crate::serve::session::known_messages::{KnownMessages, MessageName};
use crate::serve::session::ring::Ring;
use crate::serve::session::tally::Tally;
use std::sync::Arc;

/// How many entries are kept; they take [`ENTRY_BYTES`] each beside what is shared and what happens seldom.
const ENTRIES_MAX: usize = 10_000;

/// The size of an entry: one cache line.
const ENTRY_BYTES: usize = 64;

/// How many queues are remembered in which messages stand.
const PLACES_MAX: usize = 16;

/// A queue in which messages stand that the default exchange sent there, or wait for the same reason; and the rule of that.
#[derive(Debug)]
struct StandingPlace {
    queue: QueueName,
    /// Why they wait.
    why: Option<Name>,
    rule: &'static str,
}

/// What happened.
#[derive(Debug, Clone)]
enum Happened {
    Published(Arc<PublishRoute>),
    Ended(PublishOutcome),
    Delivered {
        subscription: Arc<Subscription>,
        redelivered: bool,
        /// The headers of a message that died; none of another.
        deaths: Table,
    },
    Settled {
        subscription: Arc<Subscription>,
        settlement: Settlement,
    },
    Stands(Arc<StandingPlace>),
    Waits {
        place: Arc<StandingPlace>,
        behind: Option<Box<MessageName>>,
    },
    /// What happens seldom.
    Other(Box<TimelineEvent>),
}

/// One entry; its number is told by its place.
#[derive(Debug, Clone)]
struct JournalEntry {
    moment: Moment,
    /// Whom it is about; unused where that stands in the event.
    message: MessageName,
    what: Happened,
}

const _: () = assert!(size_of::<JournalEntry>() <= ENTRY_BYTES, "an entry is one cache line");

/// The timeline of a served broker. The oldest entries are let go.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    entries: Ring<JournalEntry>,
    /// How many there were.
    count: u64,
    /// What all add up to.
    pub(super) tally: Tally,
    places: Ring<Arc<StandingPlace>>,
}

impl Default for Journal {
    fn default() -> Self {
        Self { entries: Ring::new(ENTRIES_MAX), count: 0, tally: Tally::default(), places: Ring::new(PLACES_MAX) }
    }
}

impl Journal {
    fn keep(&mut self, moment: Moment, message: MessageName, what: Happened) {
        self.count += 1;
        self.entries.push(JournalEntry { moment, message, what });
    }

    /// Adds what has no message, or happens seldom.
    pub(crate) fn record(&mut self, moment: Moment, event: TimelineEvent) {
        self.keep(moment, MessageName::default(), Happened::Other(Box::new(event)));
    }

    pub(super) fn published(
        &mut self,
        moment: Moment,
        publish: PublishId,
        name: MessageName,
        place: &Arc<PublishRoute>,
    ) {
        self.tally.published(moment, publish, place.counted_as);
        self.keep(moment, name, Happened::Published(place.clone()));
    }

    pub(super) fn ended(&mut self, moment: Moment, name: &MessageName, outcome: PublishOutcome) {
        self.tally.ended(outcome);
        self.keep(moment, name.clone(), Happened::Ended(outcome));
    }

    pub(super) fn delivered(
        &mut self,
        moment: Moment,
        subscription: &Arc<Subscription>,
        name: &MessageName,
        delivery: &Delivery,
    ) {
        let redelivered = delivery.redelivered;
        self.tally.delivered(moment, delivery.message.origin(), subscription.counted_as, redelivered);
        let died = delivery.message.header("x-death").is_some();
        let headers = delivery.message.properties.headers.as_ref().filter(|_| died);
        let deaths = headers.cloned().unwrap_or_default();
        let subscription = subscription.clone();
        self.keep(moment, name.clone(), Happened::Delivered { subscription, redelivered, deaths });
    }

    pub(super) fn settled(
        &mut self,
        moment: Moment,
        subscription: Arc<Subscription>,
        name: MessageName,
        settlement: Settlement,
    ) {
        self.tally.settled(settlement);
        self.keep(moment, name, Happened::Settled { subscription, settlement });
    }

    /// Adds what happens seldom.
    pub(super) fn note(&mut self, moment: Moment, event: &SessionEvent) {
        if let Some(event) = told(event) {
            self.record(moment, event);
        }
    }

    /// Adds a reason of the simulator.
    pub(crate) fn explain(&mut self, moment: Moment, insight: Box<Explanation>, known: &KnownMessages) {
        let message = insight.origin.and_then(|origin| known.of_publish(origin));
        match (&insight.what, &insight.queue, message) {
            (What::Enqueued { way }, Some(queue), Some(message)) if way.is_empty() => {
                let place = self.place(queue, None, insight.rule);
                self.keep(moment, message.clone(), Happened::Stands(place));
            }
            (What::Blocked { behind, until: None, why }, Some(queue), Some(message)) => {
                let place = self.place(queue, Some(why), insight.rule);
                let behind = behind.and_then(|behind| known.of_publish(behind)).cloned().map(Box::new);
                self.keep(moment, message.clone(), Happened::Waits { place, behind });
            }
            _ => {
                self.tally.told(&insight);
                let name = |publish| known.of_publish(publish).map(MessageName::in_words);
                let (behind, until) = match &insight.what {
                    What::Blocked { behind, until, .. } => (behind.and_then(name), until.map(|until| moment + until)),
                    _ => (None, None),
                };
                let message = message.map(MessageName::in_words);
                self.record(moment, TimelineEvent::Told { message, behind, until, insight });
            }
        }
    }

    /// Finds the queue among those in which messages stood before, and for the same reason.
    fn place(&mut self, queue: &QueueName, why: Option<&Name>, rule: &'static str) -> Arc<StandingPlace> {
        let is_it =
            |place: &&Arc<StandingPlace>| place.why.as_ref() == why && place.rule == rule && place.queue == *queue;
        if let Some(known) = self.places.from(0).find(is_it) {
            return known.clone();
        }
        let place = Arc::new(StandingPlace { queue: queue.clone(), why: why.cloned(), rule });
        self.places.push(place.clone());
        place
    }

    /// Returns how many entries there were.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Returns what all entries add up to.
    pub(crate) fn counts(&self) -> RunCounts {
        self.tally.counts()
    }

    /// Makes the entries after one that are still kept, oldest first.
    pub(crate) fn entries_after(&self, since: u64) -> impl Iterator<Item = TimelineEntry> {
        let first = self.count - self.entries.len() as u64;
        let from = usize::try_from(since.saturating_sub(first)).unwrap_or(usize::MAX);
        let sequences = first + from as u64 + 1..;
        sequences.zip(self.entries.from(from)).map(|(sequence, entry)| entry.told(sequence))
    }

    /// Makes a timeline of all that is kept.
    pub(crate) fn timeline(&self) -> Timeline {
        Timeline::of(self.entries_after(0), self.count)
    }
}

impl StandingPlace {
    fn told(&self, message: Name, behind: Option<Name>, what: What) -> TimelineEvent {
        let insight = Explanation { origin: None, queue: Some(self.queue.clone()), what, rule: self.rule };
        TimelineEvent::Told { message: Some(message), behind, until: None, insight: Box::new(insight) }
    }
}

impl JournalEntry {
    fn told(&self, sequence: u64) -> TimelineEntry {
        let message = || self.message.in_words();
        let what = match &self.what {
            Happened::Published(place) => TimelineEvent::Published {
                by: place.who.clone(),
                message: message(),
                exchange: place.exchange.clone(),
                routing_key: place.routing_key.clone(),
            },
            Happened::Ended(outcome) => {
                TimelineEvent::PublishEnded { message: message(), outcome: *outcome, refusal: None }
            }
            Happened::Delivered { subscription, redelivered, deaths } => TimelineEvent::Delivered {
                consumer: subscription.shown.clone(),
                queue: subscription.queue.clone(),
                name: message(),
                redelivered: *redelivered,
                message: Arc::new(Message {
                    properties: Properties {
                        headers: (!deaths.is_empty()).then(|| deaths.clone()),
                        ..Properties::default()
                    },
                    body: Arc::from([]),
                }),
            },
            Happened::Settled { subscription, settlement } => TimelineEvent::Settled {
                consumer: subscription.shown.clone(),
                message: message(),
                settlement: *settlement,
            },
            Happened::Stands(place) => place.told(message(), None, What::Enqueued { way: Vec::new() }),
            Happened::Waits { place, behind } => {
                let why = place.why.clone().unwrap_or_default();
                let behind = behind.as_ref().map(|behind| behind.in_words());
                place.told(message(), behind, What::Blocked { behind: None, until: None, why })
            }
            Happened::Other(event) => (**event).clone(),
        };
        TimelineEntry { moment: self.moment, sequence, what }
    }
}

/// Writes what happens seldom as an entry; `None` where that is no news.
fn told(event: &SessionEvent) -> Option<TimelineEvent> {
    Some(match event {
        SessionEvent::Called { who, method, refusal: Some(refusal), .. } => {
            let what = act_of(method).map_or(Attempt::Channel, |act| Attempt::Step(Box::new(act)));
            TimelineEvent::Refused { who: who.clone(), what, refusal: Box::new(refusal.clone()) }
        }
        SessionEvent::Called { who, method, refusal: None, .. } => {
            TimelineEvent::Did { who: who.clone(), act: Box::new(act_of(method)?) }
        }
        SessionEvent::Started { subscription, .. } => {
            TimelineEvent::Started { consumer: subscription.shown.clone(), queue: subscription.queue.clone() }
        }
        SessionEvent::Gone { subscription, how } => {
            TimelineEvent::Gone { consumer: subscription.shown.clone(), how: *how }
        }
        SessionEvent::Published { .. }
        | SessionEvent::Delivered { .. }
        | SessionEvent::Settled { .. }
        | SessionEvent::TransactionsEnded { .. } => return None,
    })
}

/// Returns the step that a method would be; `None` for one that has none.
fn act_of(method: &Method) -> Option<Act> {
    let vhost = Name::default;
    Some(match method.clone() {
        Method::DeclareExchange(exchange) => Act::DeclareExchange(exchange),
        Method::DeclareQueue(queue) => Act::DeclareQueue(queue),
        Method::DeleteExchange { exchange: name, if_unused } => {
            Act::Delete { object: Object::Exchange { vhost: vhost(), name }, if_unused, if_empty: false }
        }
        Method::DeleteQueue { queue: name, if_unused, if_empty } => {
            Act::Delete { object: Object::Queue { vhost: vhost(), name }, if_unused, if_empty }
        }
        Method::Bind(binding) => Act::Bind(binding),
        Method::Unbind(binding) => Act::Unbind(binding),
        Method::Purge { queue: name } => Act::Purge(QueueName { vhost: vhost(), name }),
        Method::TxSelect => Act::Transaction(TransactionAct::Select),
        Method::TxCommit => Act::Transaction(TransactionAct::Commit),
        Method::TxRollback => Act::Transaction(TransactionAct::Rollback),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{DeliveredMessage, DeliveryTag, Ids};

    #[test]
    fn however_much_happens_what_is_kept_stays_bounded_and_in_order() {
        let (mut journal, mut known, mut ids) = (Journal::default(), KnownMessages::default(), Ids::of_outside());
        let queue = QueueName { vhost: "/".into(), name: "q".into() };
        let counted_as = journal.tally.queue(&queue);
        let (shown, no_ack) = ("worker".into(), false);
        let subscription = Arc::new(Subscription { consumer: None, shown, queue: queue.clone(), no_ack, counted_as });
        let name = |text: &str| Name::from(text);
        let (who, vhost, exchange, routing_key) = (name("client"), name("/"), name(""), name("q"));
        let counted_as = journal.tally.exchange(&exchange);
        let place = Arc::new(PublishRoute { who, vhost, exchange, routing_key, counted_as });
        for n in 0..150_000 {
            let (moment, publish) = (Moment(n), ids.publish());
            let mut message = Message { body: Arc::from([7; 2_000]), ..Message::default() };
            message.properties.message_id = (n % 2 == 0).then(|| format!("a-long-id-of-an-order-{}", n / 4).into());
            let message = Arc::new(message);
            let called = known.published(publish, &message);
            journal.published(moment, publish, called, &place);
            let what = What::Enqueued { way: Vec::new() };
            let insight = Explanation { origin: Some(publish), queue: Some(queue.clone()), what, rule: "RT-1" };
            journal.explain(moment, Box::new(insight), &known);
            let delivery = Delivery {
                tag: DeliveryTag(n + 1),
                redelivered: false,
                exchange: "".into(),
                routing_key: "q".into(),
                message: DeliveredMessage::from(message.clone()).stemming_from(publish),
            };
            let called = known.of_delivery(&delivery.message);
            journal.delivered(moment, &subscription, &called, &delivery);
            journal.settled(moment, subscription.clone(), called, Settlement::Ack);
            drop(delivery);
            assert_eq!(Arc::strong_count(&message), 1, "nobody keeps a message");
        }
        assert_eq!((journal.count(), journal.entries.len()), (600_000, ENTRIES_MAX));
        assert!(Arc::strong_count(&place) <= ENTRIES_MAX / 4 + 1);
        let sequences = journal.entries_after(0).map(|entry| entry.sequence);
        assert!(sequences.eq(590_001..=600_000));
        let last: Vec<TimelineEntry> = journal.entries_after(599_998).collect();
        let [TimelineEvent::Delivered { name: one, .. }, TimelineEvent::Settled { message: other, .. }] =
            [&last[0].what, &last[1].what]
        else {
            panic!("{last:?}")
        };
        assert_eq!((&**one, one), ("m75000", other));
        let before = journal.entries_after(599_994).next().map(|entry| entry.what);
        let is_second = |name: &Name| name == "a-long-id-of-an-order-37499#2";
        assert!(matches!(&before, Some(TimelineEvent::Delivered { name, .. }) if is_second(name)), "{before:?}");
        let counts = journal.counts();
        assert_eq!((counts.delivered[&queue], counts.settled["acked"]), (150_000, 150_000));
        assert_eq!((counts.latency[0], counts.published[""]), (150_000, 150_000));
    }
}
