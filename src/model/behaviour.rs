//! Scripted consumers: whom they serve and what they do with each message.
//! Plain data; `play` runs it. Rules are tried in file order, the first match acts.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{
    Binding, Count, LateValue, Millis, Name, Publish, Queue, QueueName, Refused, Table, Template, Text,
};
use crate::source::Span;

/// One actor of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Consumer {
    pub name: Name,
    pub span: Span,
    /// What it serves; a queue of its own without a name is called after the consumer here.
    pub queue: QueueName,
    /// The queue that it declares for itself.
    pub own_queue: Option<Box<OwnQueue>>,
    /// 0 is unlimited.
    pub prefetch: u16,
    /// Of all consumers on its channel together; 0 is unlimited.
    pub global_prefetch: u16,
    pub auto_ack: bool,
    pub exclusive: bool,
    /// `x-priority`.
    pub priority: Option<i64>,
    pub arguments: Table,
    /// The user it connects as; absent is the runner.
    pub actor: Option<Name>,
    /// What a rule settles and publishes is one transaction.
    pub transactional: bool,
    /// Runs from the beginning unless a step starts it.
    pub start_manually: bool,
    /// How many of it; more than one are named `name.1` … `name.N`.
    pub instances: u16,
    /// How many messages it works on at once.
    pub concurrency: u16,
    /// Consumers of one name here share channel and connection.
    pub channel: Option<Name>,
    pub batch: Option<Batch>,
    pub timeout: Option<Timeout>,
    pub reconnect: Option<Reconnect>,
    /// That its connection asks for; absent is the runner's own.
    pub heartbeat: Option<Millis>,
    /// What the action `retry` climbs.
    pub ladder: Option<Ladder>,
    pub rules: Vec<Rule>,
}

/// The queue that a consumer declares and binds before it subscribes; an empty name asks the server for one.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnQueue {
    pub queue: Queue,
    /// Their destination is the queue, whatever its name.
    pub bindings: Vec<Binding>,
}

/// How many messages a consumer works on together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    pub size: u16,
    /// Work begins on fewer once the first has waited that long.
    pub after: Millis,
}

/// How long a rule's actions may take, and what is done instead of those that are left.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeout {
    pub after: Millis,
    pub span: Span,
    pub done: ActionList,
}

/// How a consumer comes back that lost its connection or its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconnect {
    /// Before each attempt.
    pub after: Millis,
    /// In a row without success; absent is without end.
    pub attempts: Option<u32>,
}

/// What a queue's `retry: {delays, then}` declares beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    pub exchange: Name,
    /// The routing key of each delay, in order.
    pub rungs: Vec<Name>,
    /// The key that leads to where messages go that were tried often enough.
    pub parked: Option<Name>,
}

impl Consumer {
    /// Returns whether it may do what concerns all that it was sent, not the message at hand alone.
    pub fn concerns_all_sent(&self) -> bool {
        let concerns = |rule: &Rule| rule.done.actions.iter().any(Action::concerns_all_sent);
        self.batch.is_some() || self.rules.iter().any(concerns)
    }

    /// Names its instances: itself when there is one, else `name.1` … `name.N`.
    pub fn instance_names(&self) -> impl Iterator<Item = Name> {
        let single = self.instances <= 1;
        let name = move |n| if single { self.name.clone() } else { format!("{}.{n}", self.name).into() };
        (1..=self.instances.max(1)).map(name)
    }

    /// Lists all actions that it may do, those of its timeout last.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        let late = self.timeout.iter().flat_map(|timeout| timeout.done.all());
        self.rules.iter().flat_map(|rule| rule.done.all()).chain(late)
    }
}

/// One rule of `on_message`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub span: Span,
    pub matcher: Matcher,
    pub done: ActionList,
}

/// Actions that are done one after another.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ActionList {
    pub actions: Vec<Action>,
    /// What stands beside each action.
    pub lines: Vec<ActionLine>,
}

/// Where an action stands, and what its author says of its end.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionLine {
    pub span: Span,
    /// The broker must refuse it.
    pub refused: Option<Refused>,
    /// What is done instead of the actions that follow when what it publishes comes back.
    pub on_return: Option<ActionList>,
}

impl ActionList {
    /// Lists its actions, each with those that are done when it comes back.
    pub fn all(&self) -> impl Iterator<Item = &Action> {
        let returned = self.lines.iter().filter_map(|line| line.on_return.as_ref());
        self.actions.iter().chain(returned.flat_map(|list| &list.actions))
    }

    /// Lists those that the broker need not refuse.
    pub fn not_refused(&self) -> impl Iterator<Item = &Action> {
        let own = self.actions.iter().zip(&self.lines).filter(|(_, line)| line.refused.is_none());
        let returned = self.lines.iter().filter_map(|line| line.on_return.as_ref());
        let returned = returned.flat_map(|list| list.actions.iter().zip(&list.lines));
        own.chain(returned.filter(|(_, line)| line.refused.is_none())).map(|(action, _)| action)
    }
}

/// Holds conditions that must all be true; an empty one matches everything.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matcher {
    /// The message's name (`poison`, `burst.3`); a trailing `*` matches any ending.
    pub id: Option<Text>,
    /// A topic pattern over the delivered routing key.
    pub routing_key: Option<Text>,
    pub exchange: Option<Text>,
    pub headers: Vec<(String, LateValue)>,
    /// Dotted paths into a JSON body, and their values.
    pub json: Vec<(String, LateValue)>,
    pub redelivered: Option<bool>,
    pub x_death: Option<DeathMatcher>,
    /// The n-th time that this consumer has had this message, from 1.
    pub attempt: Option<Count>,
    /// Per million: a pure function of seed, consumer, message and attempt.
    pub chance: Option<u32>,
    pub seen: Option<Seen>,
    /// True or false when rendered.
    pub when: Option<Template>,
}

impl Matcher {
    /// Returns whether it holds no template.
    pub fn is_fixed(&self) -> bool {
        let fixed = |text: &Option<Text>| text.as_ref().is_none_or(|text| text.fixed().is_some());
        let pairs = self.headers.iter().chain(&self.json);
        let deaths = self.x_death.as_ref().is_none_or(|death| fixed(&death.queue) && fixed(&death.exchange));
        self.when.is_none()
            && deaths
            && [&self.id, &self.routing_key, &self.exchange].into_iter().all(fixed)
            && pairs.into_iter().all(|(_, value)| matches!(value, LateValue::Fixed(_)))
    }
}

/// True of a message whose key the consumer has acked before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub by: Key,
    /// Absent: to the end of the run.
    pub lasting: Option<Millis>,
}

/// Says by what a message is told from others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    MessageId,
    CorrelationId,
    RoutingKey,
    Body,
    /// A dotted path into a JSON body.
    Json(String),
    Header(String),
}

/// Finds an entry of the header `x-death`; `count` absent asks for one at least.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeathMatcher {
    pub queue: Option<Text>,
    pub reason: Option<String>,
    pub exchange: Option<Text>,
    /// Compared with the entry's count; 0 when there is no entry.
    pub count: Option<Count>,
}

/// One thing that a consumer does with a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Ack {
        multiple: bool,
    },
    Nack {
        requeue: bool,
        multiple: bool,
    },
    Reject {
        requeue: bool,
    },
    /// Keeps the message unsettled on purpose.
    Hold,
    Delay(Millis),
    Publish(Box<Publish>),
    Forward(Box<Forward>),
    /// Answers to the message's `reply_to`, under its correlation id.
    Reply(Box<Publish>),
    /// Sends the message to the next rung of the queue's ladder, then acks it.
    Retry,
    /// Drops the socket.
    Crash,
    CloseChannel,
    Cancel,
}

impl Action {
    /// Returns the language's word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Ack { .. } => "ack",
            Action::Nack { .. } => "nack",
            Action::Reject { .. } => "reject",
            Action::Hold => "hold",
            Action::Delay(_) => "delay",
            Action::Publish(_) => "publish",
            Action::Forward(_) => "forward",
            Action::Reply(_) => "reply",
            Action::Retry => "retry",
            Action::Crash => "crash",
            Action::CloseChannel => "close_channel",
            Action::Cancel => "cancel",
        }
    }

    /// Returns whether it concerns all that its consumer was sent, not the message at hand alone.
    pub fn concerns_all_sent(&self) -> bool {
        match self {
            Action::Ack { multiple } | Action::Nack { multiple, .. } => *multiple,
            Action::Crash | Action::CloseChannel | Action::Cancel => true,
            _ => false,
        }
    }

    /// Returns whether it publishes.
    pub fn publishes(&self) -> bool {
        matches!(self, Action::Publish(_) | Action::Forward(_) | Action::Reply(_) | Action::Retry)
    }
}

/// Publishes the message at hand again, with properties and headers.
#[derive(Debug, Clone, PartialEq)]
pub struct Forward {
    pub exchange: Text,
    pub mandatory: bool,
    /// Absent keeps the delivered routing key.
    pub routing_key: Option<Text>,
    /// Added to the message's own headers.
    pub headers: Vec<(String, LateValue)>,
    pub drop_headers: Vec<String>,
    /// Replaces the name of the message; absent keeps it.
    pub id: Option<Text>,
    pub expiration: Option<Text>,
}
