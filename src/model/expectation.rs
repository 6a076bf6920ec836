//! What must hold: subjects, values and when they are judged.
//! Plain data; `play` judges. Each number and list keeps its place in the file.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{Count, Key, LateValue, Matcher, Millis, Moment, Name, Property, QueueKind, QueueName, Text, Value};
use crate::source::Span;
use std::collections::BTreeMap;

/// One `expect`.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// The whole step in the file.
    pub span: Span,
    pub subject: Subject,
    pub when: When,
}

/// When an expectation is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Once, as soon as nothing more happens now.
    Quiet,
    /// True at some moment from now to then; returns at the first.
    Within(Millis),
    /// True throughout.
    For(Millis),
    /// Once, at that moment of the run.
    At(Moment),
}

impl Expectation {
    /// Returns the queue whose waiting dead letters it counts.
    pub fn letters(&self) -> Option<&QueueName> {
        let Subject::Queue(wanted) = &self.subject else { return None };
        wanted.dead_lettering.map(|_| &wanted.queue)
    }
}

/// Whom an expectation speaks of.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    Queue(QueueExpectation),
    Consumer(ConsumerExpectation),
    Message(MessageExpectation),
    Publishes(PublishExpectation),
    Tally(Box<TallyExpectation>),
    Connections(ConnectionExpectation),
    Metric(MetricExpectation),
    /// Publishes that no queue took, by count.
    Unroutable(Count),
    /// Messages that the broker dropped without dead-lettering; known to the sim only.
    Dropped(Count),
}

/// What must be true of a queue; absent fields are not judged.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueExpectation {
    pub queue: QueueName,
    /// Which one it is, whether it was declared so or is by default.
    pub kind: Option<QueueKind>,
    pub ready: Option<Count>,
    pub unacked: Option<Count>,
    pub total: Option<Count>,
    pub consumers: Option<Count>,
    /// Dead letters that wait for the confirms of their targets, at an at-least-once queue.
    pub dead_lettering: Option<Count>,
    pub peak: Option<Peak>,
    pub messages: Option<Entries<MessagePattern>>,
}

/// Holds the highest numbers that were seen since the run began.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Peak {
    pub ready: Option<Count>,
    pub unacked: Option<Count>,
    pub total: Option<Count>,
}

/// A list to compare with: whole unless it is `includes`.
#[derive(Debug, Clone, PartialEq)]
pub struct Entries<T> {
    pub entries: Vec<T>,
    pub order: Order,
    /// At least these, others may be there too.
    pub includes: bool,
    pub span: Span,
}

/// Whether a list's order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    AsListed,
    Any,
}

/// Names the fields of a message that matter; all given ones must be equal.
#[derive(Debug, Clone, PartialEq)]
pub struct MessagePattern {
    pub span: Span,
    pub id: Option<Text>,
    pub body: Option<Text>,
    pub json: Option<LateValue>,
    /// Each must be there with this value; others may be too.
    pub headers: Vec<(String, LateValue)>,
    /// These headers must not be there.
    pub without_headers: Vec<String>,
    pub exchange: Option<Name>,
    pub routing_key: Option<Text>,
    pub redelivered: Option<bool>,
    /// Each as the file lists them.
    pub properties: Vec<(Property, PropertyPattern)>,
    /// These properties must not be there.
    pub without_properties: Vec<Property>,
    /// The header `x-death`: whole, in order.
    pub x_death: Option<Entries<DeathPattern>>,
}

/// What a property must be.
#[derive(Debug, Clone, PartialEq)]
pub enum PropertyPattern {
    /// An empty text is also an absent property.
    Text(Text),
    /// An absent priority is 0; other absent numbers fit nothing.
    Number(Count),
}

impl MessagePattern {
    /// Returns whether it asks for nothing but a name.
    pub fn is_name_only(&self) -> bool {
        let rest = Self { span: self.span, id: self.id.clone(), ..Self::any(self.span) };
        *self == rest
    }

    /// Makes one that every message fits.
    pub fn any(span: Span) -> Self {
        Self {
            span,
            id: None,
            body: None,
            json: None,
            headers: Vec::new(),
            without_headers: Vec::new(),
            exchange: None,
            routing_key: None,
            redelivered: None,
            properties: Vec::new(),
            without_properties: Vec::new(),
            x_death: None,
        }
    }
}

/// Names the fields of one x-death entry that matter.
#[derive(Debug, Clone, PartialEq)]
pub struct DeathPattern {
    pub span: Span,
    pub queue: Option<Name>,
    pub reason: Option<String>,
    pub exchange: Option<Name>,
    pub count: Option<Count>,
    pub routing_keys: Option<Vec<Name>>,
    /// Milliseconds as text, as RabbitMQ writes it.
    pub original_expiration: Option<Value>,
}

/// What must be true of a consumer; lists name messages by id.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsumerExpectation {
    pub consumer: Name,
    pub received: Option<Received>,
    pub acked: Option<Received>,
    pub nacked: Option<Received>,
    pub rejected: Option<Received>,
    pub unacked: Option<Count>,
    pub batches: Option<Batches>,
    /// How many messages each instance received, with its place in the file.
    pub shares: Vec<(Name, Count, Span)>,
}

/// A number of batches, or the sizes of all in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Batches {
    Count(Count),
    Sizes(Vec<Count>),
}

/// A number of messages, or their names.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    Count(Count),
    Messages(Entries<MessagePattern>),
}

/// What must be true of one message over the run.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageExpectation {
    pub id: Text,
    /// Times between its deliveries, in order.
    pub gaps: Option<Vec<Millis>>,
    pub tolerance: Tolerance,
    /// How many times it was delivered to consumers.
    pub attempts: Option<Count>,
    /// The queues that it was seen in: delivered from, held by, or died in.
    pub routed_to: Option<Entries<Name>>,
}

/// Adds up messages by a value of theirs.
#[derive(Debug, Clone, PartialEq)]
pub struct TallyExpectation {
    pub source: TallySource,
    /// One group for each value; absent is one group in all.
    pub by: Option<Key>,
    /// Added up; absent counts the messages.
    pub sum: Option<Key>,
    /// Only messages that fit.
    pub only: Matcher,
    pub groups: TallyGroups,
}

/// Which messages a tally looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TallySource {
    /// What the run published, confirmed.
    Published,
    /// What a consumer was delivered, each delivery.
    Consumer(Name),
    /// What a queue holds.
    Queue(QueueName),
}

/// What a tally must come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TallyGroups {
    /// Without `by`.
    Total(Count),
    /// All groups; with `includes` there may be others.
    Each { groups: BTreeMap<String, Count>, includes: bool },
}

/// Counts open connections of consumers and of users that act; the runner's own do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionExpectation {
    pub count: Count,
    /// Only those of this consumer or user.
    pub of: Option<Name>,
}

/// Compares a number that the run comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricExpectation {
    pub metric: Metric,
    /// A latency is counted in milliseconds.
    pub is: Count,
}

/// A number that a run comes to, as `run --metrics` writes it; an absent queue or exchange means all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metric {
    Published {
        exchange: Option<Name>,
    },
    Delivered {
        queue: Option<QueueName>,
    },
    Redelivered {
        queue: Option<QueueName>,
    },
    /// By its word: `acked`, `nacked`, `rejected`, `requeued`.
    Settled(&'static str),
    /// The reason is the broker's word for it.
    DeadLettered {
        queue: Option<QueueName>,
        reason: Option<&'static str>,
    },
    Dropped {
        queue: Option<QueueName>,
    },
    /// The time that so many of 100,000 first deliveries did not exceed.
    Latency {
        quantile: u32,
    },
}

impl Metric {
    /// Returns whether only the simulated broker tells it.
    pub fn is_of_reasons(&self) -> bool {
        matches!(self, Self::DeadLettered { .. } | Self::Dropped { .. })
    }

    /// Returns the queue that it is of alone.
    pub fn queue(&self) -> Option<&QueueName> {
        match self {
            Self::Delivered { queue } | Self::Redelivered { queue } | Self::Dropped { queue } => queue.as_ref(),
            Self::DeadLettered { queue, .. } => queue.as_ref(),
            Self::Published { .. } | Self::Settled(_) | Self::Latency { .. } => None,
        }
    }
}

/// How far a measured time may be off; live brokers add a floor of 100 ms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    Percent(f64),
    Within(Millis),
}

/// Counts how publishes ended.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishExpectation {
    pub outcome: PublishOutcome,
    pub count: Count,
    /// Only those whose id is this, or this and a number behind a point.
    pub of: Option<Text>,
}

/// How one publish ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PublishOutcome {
    Confirmed,
    Nacked,
    Returned,
    Refused,
    /// Its channel died before anyone could know.
    Lost,
    /// With the transaction that it was part of.
    RolledBack,
}

impl PublishOutcome {
    /// Returns the language's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            PublishOutcome::Confirmed => "confirmed",
            PublishOutcome::Nacked => "nacked",
            PublishOutcome::Returned => "returned",
            PublishOutcome::Refused => "refused",
            PublishOutcome::Lost => "lost",
            PublishOutcome::RolledBack => "rolled_back",
        }
    }

    /// Returns it in words.
    pub fn in_words(self) -> &'static str {
        if self == PublishOutcome::RolledBack { "rolled back" } else { self.as_str() }
    }
}
