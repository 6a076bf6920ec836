//! All that happened in a run, in order: the one stream that every reader folds.
//! Keeps the last ten thousand entries; entries hold shared names, and text only once it is asked for.

use crate::broker::{Counts, Explanation, Refusal, Settlement, What};
use crate::model::{Message, Millis, Moment, Name, PublishOutcome, QueueName};
use crate::player::record::deaths::deaths_in_words;
use crate::rules::rule_of_refusal;
use crate::source::Span;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// How many entries are kept.
const ENTRIES_MAX: usize = 10_000;

/// How many letters of a reply are told.
const BODY_TOLD_MAX: usize = 80;

/// One entry: when, in which order, and what.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineEntry {
    pub moment: Moment,
    /// Counts all entries of the run from 1.
    pub sequence: u64,
    pub what: TimelineEvent,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum TimelineEvent {
    /// The driver, or a user, did what has no story of its own: declared, deleted, set a policy.
    Did {
        who: Name,
        what: Name,
    },
    /// A step of the driver began.
    Step {
        span: Span,
    },
    Published {
        by: Name,
        message: Name,
        exchange: Name,
        routing_key: Name,
    },
    PublishEnded {
        message: Name,
        outcome: PublishOutcome,
        refusal: Option<Box<Refusal>>,
    },
    /// The answer to a call came.
    Replied {
        to: Name,
        question: Name,
        message: Arc<Message>,
    },
    Started {
        consumer: Name,
        queue: QueueName,
    },
    Delivered {
        consumer: Name,
        queue: QueueName,
        name: Name,
        redelivered: bool,
        message: Arc<Message>,
    },
    Settled {
        consumer: Name,
        message: Name,
        settlement: Settlement,
    },
    Working {
        consumer: Name,
        message: Name,
        for_how_long: Millis,
    },
    /// The consumer is gone: in its own words (`crashed`, `stopped`, `cancelled by the broker`).
    Gone {
        consumer: Name,
        how: &'static str,
    },
    Refused {
        who: Name,
        what: Name,
        refusal: Box<Refusal>,
    },
    Counted {
        queue: QueueName,
        counts: Option<Counts>,
    },
    Advanced {
        by: Millis,
    },
    Judged {
        span: Span,
        holds: bool,
    },
    /// Why something happened inside the sim, and to which message.
    Told {
        message: Option<Name>,
        /// What it waits behind, and the run's moment until which.
        behind: Option<Name>,
        until: Option<Moment>,
        insight: Box<Explanation>,
    },
}

/// What happened, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timeline {
    entries: VecDeque<TimelineEntry>,
    sequence: u64,
}

impl Timeline {
    /// Adds what happened at a moment.
    pub fn record(&mut self, moment: Moment, what: TimelineEvent) {
        self.sequence += 1;
        if self.entries.len() == ENTRIES_MAX {
            self.entries.pop_front();
        }
        self.entries.push_back(TimelineEntry { moment, sequence: self.sequence, what });
    }

    /// Returns what is kept, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &TimelineEntry> {
        self.entries.iter()
    }

    /// Returns how many there were.
    pub fn count(&self) -> u64 {
        self.sequence
    }
}

impl fmt::Display for TimelineEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8}  {}", self.moment.to_string(), self.what)
    }
}

impl fmt::Display for TimelineEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TimelineEvent::Did { who, what } => write!(f, "{who}: {what}"),
            TimelineEvent::Step { .. } => write!(f, "step"),
            TimelineEvent::Published { by, message, exchange, routing_key } => {
                write!(f, "{by} publishes {message} to {} with key '{routing_key}'", exchange_in_words(exchange))
            }
            TimelineEvent::PublishEnded { message, outcome, refusal } => {
                write!(f, "{message} is {}", outcome_in_words(*outcome))?;
                refusal.iter().try_for_each(|refusal| write!(f, ": {refusal}"))
            }
            TimelineEvent::Replied { to, question, message } => {
                let body: String = String::from_utf8_lossy(&message.body).chars().take(BODY_TOLD_MAX).collect();
                write!(f, "{to} gets the reply to {question}: {body}")
            }
            TimelineEvent::Started { consumer, queue } => write!(f, "{consumer} consumes from {}", queue.name),
            TimelineEvent::Delivered { consumer, queue, name, redelivered, message } => {
                let again = if *redelivered { ", redelivered" } else { "" };
                write!(f, "{consumer} gets {name} from {}{again}{}", queue.name, deaths_in_words(message))
            }
            TimelineEvent::Settled { consumer, message, settlement } => {
                write!(f, "{consumer} {}", settlement_in_words(*settlement, message))
            }
            TimelineEvent::Working { consumer, message, for_how_long } => {
                write!(f, "{consumer} works on {message} for {for_how_long}")
            }
            TimelineEvent::Gone { consumer, how } => write!(f, "{consumer} {how}"),
            TimelineEvent::Refused { who, what, refusal } => {
                let rule = rule_of_refusal(refusal.code, &refusal.text);
                write!(f, "{who} is refused {what}: {refusal} [{rule}]")
            }
            TimelineEvent::Counted { queue, counts: Some(counts) } => {
                write!(f, "{} has {} ready, {} consumers", queue.name, counts.ready, counts.consumers)
            }
            TimelineEvent::Counted { queue, counts: None } => write!(f, "{} is not there", queue.name),
            TimelineEvent::Advanced { by } => write!(f, "{by} pass"),
            TimelineEvent::Judged { holds, .. } => write!(f, "expectation {}", if *holds { "holds" } else { "fails" }),
            TimelineEvent::Told { message, behind, until, insight } => {
                message.iter().try_for_each(|message| write!(f, "{message} "))?;
                write!(f, "{} [{}]", insight_in_words(insight, behind.as_deref(), *until), insight.rule)
            }
        }
    }
}

/// Returns what happened inside the broker, without the message's name and the rule.
pub fn insight_in_words(insight: &Explanation, behind: Option<&str>, until: Option<Moment>) -> String {
    let queue = insight.queue.as_ref().map_or("the broker", |queue| &*queue.name);
    match &insight.what {
        What::Enqueued => format!("stands in {queue}"),
        What::TakenByAlternate { exchange, alternate, routing_key } => format!(
            "no binding of {exchange} fits the key '{routing_key}': it goes to the alternate exchange {alternate}"
        ),
        What::DeadLettered { death, exchange, routing_keys, why } => {
            let keys = routing_keys.iter().map(|key| format!("'{key}'")).collect::<Vec<_>>().join(", ");
            let exchange = exchange_in_words(exchange);
            format!("dies in {queue} ({}), goes to {exchange} with key {keys}: {why}", death.as_str())
        }
        What::Dropped { why, .. } if insight.queue.is_none() => format!("dropped: {why}"),
        What::Dropped { why, .. } => format!("dropped in {queue}: {why}"),
        What::Requeued { why } => format!("back to {queue}: {why}"),
        What::Blocked { why, .. } => {
            let behind = behind.map_or_else(String::new, |behind| format!(" behind {behind}"));
            let until = until.map_or_else(String::new, |until| format!(" until {until}"));
            format!("stuck in {queue}{behind}{until}: {why}")
        }
        What::Refused { why } => format!("refused: {why}"),
        What::QueueGone { why } => format!("{queue} is gone: {why}"),
    }
}

/// Says the default exchange in words.
pub fn exchange_in_words(exchange: &str) -> &str {
    if exchange.is_empty() { "the default exchange" } else { exchange }
}

/// Returns how a publish ended.
pub fn outcome_in_words(outcome: PublishOutcome) -> &'static str {
    match outcome {
        PublishOutcome::Confirmed => "confirmed",
        PublishOutcome::Nacked => "nacked",
        PublishOutcome::Returned => "returned",
        PublishOutcome::Refused => "refused",
        PublishOutcome::Lost => "lost",
    }
}

/// Returns how a delivery was settled.
pub fn settlement_in_words(settlement: Settlement, message: &str) -> String {
    match settlement {
        Settlement::Ack => format!("acks {message}"),
        Settlement::Nack { requeue: true } => format!("nacks {message} with requeue"),
        Settlement::Nack { requeue: false } => format!("nacks {message}"),
        Settlement::Reject { requeue: true } => format!("rejects {message} with requeue"),
        Settlement::Reject { requeue: false } => format!("rejects {message}"),
    }
}
