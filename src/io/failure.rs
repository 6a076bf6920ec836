//! What can go wrong with the environment: a broker that is not there, refuses the login, or dies.
//! Failures are data with a sentence and a hint at the edge; what a broker refuses in play is a `Refusal` instead.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::{Refusal, Scope, without_entities};
use crate::io::management::{RefusalReason, reason_of_refusal};
use std::fmt;
use std::time::Duration;

/// Why work with a broker cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerFailure {
    pub kind: BrokerFailureKind,
    /// Where: an address without its password.
    pub address: String,
    /// What to try.
    pub hint: String,
}

/// What kind of failure it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokerFailureKind {
    /// Nobody listens there, or no one answers.
    Unreachable { why: String },
    /// The port of the management API is closed, or something else answers there.
    NoManagement { why: String },
    /// User or password is wrong.
    BadLogin { user: String },
    /// The user may log in but lacks a tag or a right.
    NoRight { needed: String, to: String },
    /// What was asked for is not there.
    NotFound { what: String },
    /// An HTTP refusal with its status and reason.
    Refused { status: u16, reason: String },
    /// The management API met an error of its own (a status from 500 on): what it was asked, and what it said.
    ServerError { status: u16, request: String, body: String },
    /// The connection broke, or what came over it makes no sense.
    Broken { doing: String, why: String },
    /// TLS did not come about: a certificate, a file of one, or a port that speaks none.
    NoTls { why: String },
    /// An answer did not come in time.
    NoAnswer { doing: String, after: Duration },
    /// A limit of this program was reached.
    TooMuch { what: String },
}

impl BrokerFailure {
    /// Joins a kind with the place; the hint is the kind's usual one.
    pub fn new(kind: BrokerFailureKind, address: impl fmt::Display) -> Self {
        let hint = usual_hint(&kind).to_owned();
        Self { kind, address: address.to_string(), hint }
    }

    /// Replaces the hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Adds that a broker which cannot be reached is not needed to play.
    pub fn or_simulated(self) -> Self {
        let hint = format!("{}; `--broker sim` plays without one", self.hint);
        if matches!(self.kind, BrokerFailureKind::Unreachable { .. }) { Self { hint, ..self } } else { self }
    }

    /// Makes the failure of a user without a tag, who was refused `to`.
    pub fn no_tag(tag: &str, user: &str, to: String, address: impl fmt::Display) -> Self {
        let needed = format!("the tag `{tag}` for user '{user}'");
        let hint = format!("`rabbitmqctl set_user_tags {user} {tag}` gives it, or name another user in the URL");
        Self::new(BrokerFailureKind::NoRight { needed, to }, address).hint(hint)
    }

    /// Returns the reason without the place.
    pub fn why(&self) -> String {
        match &self.kind {
            BrokerFailureKind::Unreachable { why }
            | BrokerFailureKind::NoManagement { why }
            | BrokerFailureKind::NoTls { why } => why.clone(),
            _ => self.to_string(),
        }
    }

    /// Returns the refusal inside, if the broker answered and said no to this one thing.
    pub fn refusal(&self) -> Option<Refusal> {
        let (code, text) = match &self.kind {
            BrokerFailureKind::Refused { status, reason } => (*status, reason.clone()),
            BrokerFailureKind::ServerError { status, request, body } => (*status, answer_to(request, body)),
            BrokerFailureKind::NotFound { what } => (404, what.clone()),
            _ => return None,
        };
        Some(Refusal::new(Scope::Management, code, text))
    }
}

/// Writes what a server said with what it was asked: the reason alone tells nothing of a fault that is not of the request.
fn answer_to(request: &str, body: &str) -> String {
    let said = if body.is_empty() { "an empty body" } else { body };
    format!("{said} (the answer to {request})")
}

impl BrokerFailure {
    /// Returns whether what was to be deleted was not there any more: a vhost that vanishes meanwhile is a 500.
    pub fn is_gone(&self) -> bool {
        self.refusal().is_some_and(|refusal| reason_of_refusal(refusal.code, &refusal.text) == RefusalReason::Gone)
    }
}

fn usual_hint(kind: &BrokerFailureKind) -> &'static str {
    match kind {
        BrokerFailureKind::Unreachable { .. } => {
            "is the broker running, and are host and port right? `rmqplay wait` waits for a broker that is starting"
        }
        BrokerFailureKind::NoManagement { .. } => {
            "enable it with `rabbitmq-plugins enable rabbitmq_management`, or give its URL with --management"
        }
        BrokerFailureKind::BadLogin { .. } => {
            "check user and password of the AMQP URL (`guest` may log in from the broker's own machine only)"
        }
        BrokerFailureKind::NoRight { .. } => "use a user with the tag `administrator`",
        BrokerFailureKind::NotFound { .. } => "check the name",
        BrokerFailureKind::Refused { .. } => "the broker's reason says what it takes",
        BrokerFailureKind::ServerError { .. } => {
            "the broker's log says why; a proxy in front of it may have answered instead"
        }
        BrokerFailureKind::Broken { .. } => "the broker's log says why",
        BrokerFailureKind::NoTls { .. } => "check the certificates that the URL names",
        BrokerFailureKind::NoAnswer { .. } => "is the broker overloaded, or out of memory or disk? its log says",
        BrokerFailureKind::TooMuch { .. } => "play with fewer messages",
    }
}

impl fmt::Display for BrokerFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = &self.address;
        match &self.kind {
            BrokerFailureKind::Unreachable { why } => write!(f, "cannot reach {at}: {why}"),
            BrokerFailureKind::NoManagement { why } => write!(f, "no management API at {at}: {why}"),
            BrokerFailureKind::NoTls { why } => write!(f, "no TLS with {at}: {why}"),
            BrokerFailureKind::BadLogin { user } => write!(f, "{at} refuses the login of '{user}'"),
            BrokerFailureKind::NoRight { needed, to } => write!(f, "{at} refuses to {to}: it takes {needed}"),
            BrokerFailureKind::NotFound { what } => write!(f, "{at}: {what}"),
            BrokerFailureKind::Refused { status, reason } => {
                write!(f, "{at} refuses: {status} {}", without_entities(reason))
            }
            BrokerFailureKind::ServerError { status, request, body } if body.is_empty() => {
                write!(f, "{at} answered {request} with {status} and an empty body")
            }
            BrokerFailureKind::ServerError { status, request, body } => {
                write!(f, "{at} answered {request} with {status}: {}", without_entities(body))
            }
            BrokerFailureKind::Broken { doing, why } => write!(f, "{at} broke off while {doing}: {why}"),
            BrokerFailureKind::NoAnswer { doing, after } => {
                write!(f, "{at} did not answer for {:.0} s while {doing}", after.as_secs_f64())
            }
            BrokerFailureKind::TooMuch { what } => write!(f, "{at}: {what}"),
        }
    }
}

impl std::error::Error for BrokerFailure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_vanished_meanwhile_is_gone() {
        let refused = |status, reason: &str| {
            BrokerFailure::new(
                BrokerFailureKind::Refused { status, reason: reason.to_owned() },
                "http://localhost:15672",
            )
        };
        assert!(refused(404, "Object Not Found").is_gone());
        assert!(refused(500, "{error,{no_such_vhost,<<\"rmqplay-0001abc0\">>}}").is_gone());
        assert!(!refused(500, "{error,timeout}").is_gone() && !refused(403, "no").is_gone());
    }
}
