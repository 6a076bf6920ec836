//! Answers: what a request got, or why it was refused.
//! Codes are AMQP's; texts are the broker's own, cut by it at 255 bytes.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::{Delivery, DeliveryTag};
use crate::model::{Millis, Name, QueueKind, QueueName};
use std::fmt;

/// A successful answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Done,
    /// Nothing more happens now; with what the broker will do next by itself, where it knows and there is anything.
    Quiet {
        next: Option<Box<NextMotion>>,
    },
    /// queue.declare-ok: the queue's name (the server's choice where none was given), ready messages, consumers.
    Declared {
        queue: Name,
        ready: u64,
        consumers: u64,
    },
    /// purge-ok, delete-ok.
    Counted {
        messages: u64,
    },
    /// What the management API says of a queue: its type, `None` where that is none of RabbitMQ's own; and how many of its dead
    /// letters wait for the confirms of their targets, which a live broker tells late.
    Described {
        kind: Option<QueueKind>,
        dead_lettering: u64,
    },
    /// basic.get-ok with the ready messages that remain, or get-empty.
    Got(Option<Box<Got>>),
}

/// What a broker will do by itself, later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextMotion {
    /// From now.
    pub after: Millis,
    /// Where; of a delayed publish the exchange.
    pub queue: QueueName,
    pub what: Motion,
}

/// What moves by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// A message's time to live ends.
    Expiry,
    /// A return that was delayed is ready again (QQ-43-4).
    DelayedRetry,
    /// An exchange lets go what it held back (RT-18).
    DelayedPublish,
}

/// What basic.get took.
#[derive(Debug, Clone, PartialEq)]
pub struct Got {
    pub delivery: Delivery,
    pub remaining: u64,
}

impl Got {
    /// Returns the tag to settle it by.
    pub fn tag(&self) -> DeliveryTag {
        self.delivery.tag
    }
}

/// What a refusal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The channel is closed.
    Channel,
    /// The connection is closed, or was never opened.
    Connection,
    /// An HTTP answer; nothing is closed.
    Management,
}

/// Whose "no" it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RefusalKind {
    /// RabbitMQ's own.
    #[default]
    Broker,
    /// The simulator's, which leaves out what is named here.
    NotSimulated(String),
}

/// A "no": code, text and what it closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub scope: Scope,
    /// AMQP's reply code (403, 404, 406, 530 …), or the HTTP status.
    pub code: u16,
    /// As the broker says it, with the code's name in front (`ACCESS_REFUSED - …`); HTTP: the reason.
    pub text: String,
    pub kind: RefusalKind,
}

impl Refusal {
    /// Makes a broker's own refusal.
    pub fn new(scope: Scope, code: u16, text: impl Into<String>) -> Self {
        Self { scope, code, text: text.into(), kind: RefusalKind::Broker }
    }

    /// Says that it comes from the simulator, which leaves something out.
    pub fn not_simulated(self, what: impl Into<String>) -> Self {
        Self { kind: RefusalKind::NotSimulated(what.into()), ..self }
    }

    /// Returns it with the characters that the management API writes as HTML entities (PO-9: up to 4.1, in texts about
    /// policies).
    pub fn without_entities(self) -> Self {
        match self.scope {
            Scope::Management => Self { text: without_entities(&self.text), ..self },
            Scope::Channel | Scope::Connection => self,
        }
    }
}

impl Refusal {
    /// Returns the text behind the name of its code; an HTTP reason has none.
    pub fn without_code_name(&self) -> &str {
        let behind = self.text.strip_prefix(code::name(self.code)).and_then(|rest| rest.strip_prefix(" - "));
        behind.unwrap_or(&self.text)
    }
}

/// Replaces the entities that Erlang's web servers write.
pub fn without_entities(text: &str) -> String {
    // The ampersand last: what it makes is no entity again.
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// AMQP's reply codes.
pub mod code {
    pub const CONTENT_TOO_LARGE: u16 = 311;
    pub const NO_ROUTE: u16 = 312;
    pub const CONNECTION_FORCED: u16 = 320;
    pub const ACCESS_REFUSED: u16 = 403;
    pub const NOT_FOUND: u16 = 404;
    pub const RESOURCE_LOCKED: u16 = 405;
    pub const PRECONDITION_FAILED: u16 = 406;
    pub const FRAME_ERROR: u16 = 501;
    pub const SYNTAX_ERROR: u16 = 502;
    pub const COMMAND_INVALID: u16 = 503;
    pub const CHANNEL_ERROR: u16 = 504;
    pub const UNEXPECTED_FRAME: u16 = 505;
    pub const RESOURCE_ERROR: u16 = 506;
    pub const NOT_ALLOWED: u16 = 530;
    pub const NOT_IMPLEMENTED: u16 = 540;
    pub const INTERNAL_ERROR: u16 = 541;

    /// Returns the name that stands in front of the text.
    pub fn name(code: u16) -> &'static str {
        match code {
            CONTENT_TOO_LARGE => "CONTENT_TOO_LARGE",
            NO_ROUTE => "NO_ROUTE",
            CONNECTION_FORCED => "CONNECTION_FORCED",
            ACCESS_REFUSED => "ACCESS_REFUSED",
            NOT_FOUND => "NOT_FOUND",
            RESOURCE_LOCKED => "RESOURCE_LOCKED",
            PRECONDITION_FAILED => "PRECONDITION_FAILED",
            FRAME_ERROR => "FRAME_ERROR",
            SYNTAX_ERROR => "SYNTAX_ERROR",
            COMMAND_INVALID => "COMMAND_INVALID",
            CHANNEL_ERROR => "CHANNEL_ERROR",
            UNEXPECTED_FRAME => "UNEXPECTED_FRAME",
            RESOURCE_ERROR => "RESOURCE_ERROR",
            NOT_ALLOWED => "NOT_ALLOWED",
            NOT_IMPLEMENTED => "NOT_IMPLEMENTED",
            _ => "INTERNAL_ERROR",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_of_the_management_api_are_characters_again() {
        let refusal = |scope| Refusal::new(scope, 400, "[{&lt;&lt;\"ha-mode\"&gt;&gt;,1}] &amp;lt; &#39;");
        assert_eq!(refusal(Scope::Management).without_entities().text, "[{<<\"ha-mode\">>,1}] &lt; '");
        assert_eq!(refusal(Scope::Channel).without_entities(), refusal(Scope::Channel));
    }
}
