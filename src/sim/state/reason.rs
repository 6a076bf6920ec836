//! Why a message died, came back or waits: causes as data, and a reason with the number of its rule.

use crate::broker::Death;
use crate::model::{Millis, Name};

/// How a message came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Return {
    Nacked,
    Rejected,
    Recovered,
    /// Its channel or connection ended.
    Closed,
    /// CO-25.
    TimedOut,
    /// CO-3: handed out, but its consumer was cancelled before it got there.
    Undelivered,
}

impl Return {
    /// Returns whether the delivery counts as failed (DL-34).
    pub(crate) fn is_failure(self) -> bool {
        matches!(self, Return::Rejected | Return::Closed)
    }

    pub(crate) fn reason(self, by: Option<&Name>, place: &str) -> Reason {
        let by = by.map_or_else(String::new, |by| format!(" by {by}"));
        match self {
            Return::Nacked => Reason::new("CO-10", format!("nacked with requeue{by}, {place}")),
            Return::Rejected => Reason::new("CO-10", format!("rejected with requeue{by}, {place}")),
            Return::Recovered => Reason::new("CO-16", format!("recovered{by}, {place}")),
            Return::Closed => Reason::new("CO-14", format!("its channel or connection ended, {place}")),
            Return::Undelivered => {
                Reason::new("CO-3", format!("was on its way{by}, which was cancelled before it arrived, {place}"))
            }
            Return::TimedOut => {
                let twice = "counted once more in the total until that consumer settles it (CO-26)";
                Reason::new("CO-25", format!("not acknowledged in time{by}, {twice}, {place}"))
            }
        }
    }
}

/// A reason in plain words.
#[derive(Debug, Clone, Hash)]
pub(crate) struct Reason {
    pub rule: &'static str,
    pub why: String,
}

impl Reason {
    pub(crate) fn new(rule: &'static str, why: impl Into<String>) -> Self {
        Self { rule, why: why.into() }
    }
}

/// What killed a message.
#[derive(Debug, Clone)]
pub(crate) enum DeathCause {
    /// By nack without requeue; the consumer, where reasons are wanted.
    Nacked(Option<Name>),
    Rejected(Option<Name>),
    Expired,
    /// Dropped from the head: ready messages and bytes before that.
    Full {
        ready: u64,
        bytes: u64,
        occasion: Occasion,
    },
    /// LEN-7.
    FullOnArrival,
    DeliveryLimit,
    /// DL-30: it died before and found no place.
    Again(Death),
}

/// What made a queue look at its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    Arrival,
    Return,
    Policy,
}

impl DeathCause {
    pub(crate) fn death(&self) -> Death {
        match self {
            DeathCause::Nacked(_) | DeathCause::Rejected(_) => Death::Rejected,
            DeathCause::Expired => Death::Expired,
            DeathCause::Full { .. } | DeathCause::FullOnArrival => Death::MaxLen,
            DeathCause::DeliveryLimit => Death::DeliveryLimit,
            DeathCause::Again(death) => *death,
        }
    }
}

/// A TTL and who set it.
#[derive(Debug, Clone)]
pub(crate) struct Ttl {
    pub ms: u64,
    /// The argument or the policy of the queue; `None`: it is the message's own.
    pub of_queue: Option<String>,
}

impl Ttl {
    pub(crate) fn in_words(&self) -> String {
        let ttl = Millis(self.ms);
        match &self.of_queue {
            None => format!("its own TTL {ttl}"),
            Some(setter) => format!("queue TTL {ttl} ({setter})"),
        }
    }
}
