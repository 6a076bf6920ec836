//! Scripted consumers: whom they serve and what they do with each message.
//! Plain data; `play` runs it. Rules are tried in file order, the first match acts.

use super::{Count, LateValue, Millis, Name, Publish, QueueName, Table, Template, Text};
use crate::source::Span;

/// Is one actor of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Consumer {
    pub name: Name,
    pub span: Span,
    pub queue: QueueName,
    /// 0 is unlimited.
    pub prefetch: u16,
    pub auto_ack: bool,
    pub exclusive: bool,
    /// `x-priority`.
    pub priority: Option<i64>,
    pub arguments: Table,
    /// The user it connects as; absent is the runner.
    pub actor: Option<Name>,
    /// Runs from the beginning unless a step starts it.
    pub start_manually: bool,
    /// How many of it; more than one are named `name.1` … `name.N`.
    pub instances: u16,
    /// How many messages it works on at once.
    pub concurrency: u16,
    pub rules: Vec<Rule>,
}

/// Is one rule of `on_message`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub span: Span,
    pub matcher: Matcher,
    pub actions: Vec<Action>,
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
    /// True or false when rendered.
    pub when: Option<Template>,
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

/// Is one thing that a consumer does with a message.
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
    /// Drops the socket.
    Crash,
    CloseChannel,
    Cancel,
}

/// Publishes the message at hand again, with properties and headers.
#[derive(Debug, Clone, PartialEq)]
pub struct Forward {
    pub exchange: Text,
    /// Absent keeps the delivered routing key.
    pub routing_key: Option<Text>,
    /// Added to the message's own headers.
    pub headers: Vec<(String, LateValue)>,
    pub drop_headers: Vec<String>,
    /// Replaces the name of the message; absent keeps it.
    pub id: Option<Text>,
    pub expiration: Option<Text>,
}
