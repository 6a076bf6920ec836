//! The words of what happens in a run: entries of a timeline, what is refused, what a consumer did with a message.
//! Takes data, returns phrases; a message goes by its name, or is `it` in its own story.

use crate::broker::{Explanation, Settlement, What};
use crate::model::{Message, Moment, Value, counted, exchange_in_words};
use crate::player::{Attempt, ConsumerEnd, TimelineEntry, TimelineEvent, WorkUnit};
use crate::rules::rule_of_refusal;

/// How many letters of a reply are told.
const BODY_TOLD_MAX: usize = 80;

/// Writes one entry: its moment and what happened.
pub(crate) fn entry_in_words(entry: &TimelineEntry) -> String {
    format!("{:>8}  {}", entry.moment.to_string(), event_in_words(&entry.what))
}

/// Writes what happened, messages by their names.
pub(crate) fn event_in_words(event: &TimelineEvent) -> String {
    match event {
        TimelineEvent::Did { who, act } => format!("{who}: {act}"),
        TimelineEvent::Restarting => "driver: restarts the broker".to_owned(),
        TimelineEvent::Step { .. } => "step".to_owned(),
        TimelineEvent::PublishEnded { message, outcome, refusal } => {
            let refusal = refusal.as_ref().map_or(String::new(), |refusal| format!(": {refusal}"));
            format!("{message} is {}{refusal}", outcome.as_str())
        }
        TimelineEvent::Replied { to, question, message } => {
            let body: String = String::from_utf8_lossy(&message.body).chars().take(BODY_TOLD_MAX).collect();
            format!("{to} gets the reply to {question}: {body}")
        }
        TimelineEvent::Started { consumer, queue } => format!("{consumer} consumes from {}", queue.name),
        TimelineEvent::BatchTaken { consumer, batch } => format!("{consumer}: works on a batch: {}", unit(batch)),
        TimelineEvent::TimedOut { consumer, on } => format!("{consumer}: has worked too long on {}", unit(on)),
        TimelineEvent::Gone { consumer, how } => format!("{consumer} {}", end_in_words(*how)),
        TimelineEvent::Reconnecting { consumer, attempt } => format!("{consumer}: connects again (attempt {attempt})"),
        TimelineEvent::ReconnectFailed { consumer, refusal } => format!("{consumer}: cannot connect: {refusal}"),
        TimelineEvent::ReconnectGivenUp { consumer, attempts } => {
            format!("{consumer}: gives up after {}", counted(*attempts, "attempt"))
        }
        TimelineEvent::Refused { who, what, refusal } => {
            let rule = rule_of_refusal(refusal.code, &refusal.text);
            format!("{who} is refused {}: {refusal} [{rule}]", attempt_in_words(what))
        }
        TimelineEvent::Counted { queue, counts: Some(counts) } => {
            format!("{} has {} ready, {} consumers", queue.name, counts.ready, counts.consumers)
        }
        TimelineEvent::Counted { queue, counts: None } => format!("{} is not there", queue.name),
        TimelineEvent::Advanced { by } => format!("{by} pass"),
        TimelineEvent::Judged { holds, .. } => format!("expectation {}", if *holds { "holds" } else { "fails" }),
        TimelineEvent::Told { message, .. } => {
            let name = message.as_ref().map_or(String::new(), |message| format!("{message} "));
            format!("{name}{}", of_a_message(event, ""))
        }
        TimelineEvent::Published { message, .. }
        | TimelineEvent::Settled { message, .. }
        | TimelineEvent::Delivered { name: message, .. } => of_a_message(event, message),
        TimelineEvent::Working { on, .. } => of_a_message(event, &unit(on)),
    }
}

/// Writes what happened in the story of one message, which is `it`.
pub(crate) fn hop_in_words(event: &TimelineEvent) -> String {
    match event {
        TimelineEvent::PublishEnded { outcome, refusal, .. } => match refusal {
            Some(refusal) => {
                format!("{}: {refusal} [{}]", outcome.as_str(), rule_of_refusal(refusal.code, &refusal.text))
            }
            None => outcome.as_str().to_owned(),
        },
        TimelineEvent::Published { .. }
        | TimelineEvent::Delivered { .. }
        | TimelineEvent::Settled { .. }
        | TimelineEvent::Working { .. }
        | TimelineEvent::Told { .. } => of_a_message(event, "it"),
        other => event_in_words(other),
    }
}

/// Writes what happened to a message, however it is called.
fn of_a_message(event: &TimelineEvent, it: &str) -> String {
    match event {
        TimelineEvent::Published { by, exchange, routing_key, .. } => {
            format!("{by} publishes {it} to {} with key '{routing_key}'", exchange_in_words(exchange))
        }
        TimelineEvent::Delivered { consumer, queue, redelivered, message, .. } => {
            let again = if *redelivered { ", redelivered" } else { "" };
            format!("{consumer} gets {it} from {}{again}{}", queue.name, deaths_in_words(message))
        }
        TimelineEvent::Settled { consumer, settlement, .. } => {
            format!("{consumer} {}", settlement_in_words(*settlement, it))
        }
        TimelineEvent::Working { consumer, for_how_long, .. } => format!("{consumer} works on {it} for {for_how_long}"),
        TimelineEvent::Told { behind, until, insight, .. } => {
            format!("{} [{}]", insight_in_words(insight, behind.as_deref(), *until), insight.rule)
        }
        _ => String::new(),
    }
}

/// Returns what was refused or taken away.
pub(crate) fn attempt_in_words(attempt: &Attempt) -> String {
    match attempt {
        Attempt::Step(act) => act.to_string(),
        Attempt::Consume(queue) => format!("consume {queue}"),
        Attempt::Publish => "publish".to_owned(),
        Attempt::Channel => "its channel".to_owned(),
        Attempt::Connection => "its connection".to_owned(),
    }
}

fn end_in_words(end: ConsumerEnd) -> &'static str {
    match end {
        ConsumerEnd::Cancels => "cancels",
        ConsumerEnd::CancelledByBroker => "is cancelled by the broker",
        ConsumerEnd::Stops => "stops",
        ConsumerEnd::Crashes => "crashes",
        ConsumerEnd::ClosesChannel => "closes its channel",
        ConsumerEnd::LosesChannel => "loses its channel",
        ConsumerEnd::ClosesConnection => "closes its connection",
        ConsumerEnd::LosesConnection => "loses its connection",
        ConsumerEnd::LosesSharedConnection => "goes down with it",
    }
}

/// Names what is worked on: `m1`, or `3 messages (m1 … m3)`.
fn unit(unit: &WorkUnit) -> String {
    match unit {
        WorkUnit::Message(name) => name.to_string(),
        WorkUnit::Batch { size, first, last } => format!("{} ({first} … {last})", counted(*size, "message")),
    }
}

/// Returns what happened inside the broker, without the message's name and the rule.
fn insight_in_words(insight: &Explanation, behind: Option<&str>, until: Option<Moment>) -> String {
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

fn settlement_in_words(settlement: Settlement, message: &str) -> String {
    match settlement {
        Settlement::Ack => format!("acks {message}"),
        Settlement::Nack { requeue: true } => format!("nacks {message} with requeue"),
        Settlement::Nack { requeue: false } => format!("nacks {message}"),
        Settlement::Reject { requeue: true } => format!("rejects {message} with requeue"),
        Settlement::Reject { requeue: false } => format!("rejects {message}"),
    }
}

/// Lists a message's deaths, ` (expired in wait x2)`, or nothing.
fn deaths_in_words(message: &Message) -> String {
    let words = message.deaths().map(|death| {
        let text = |key| death.get(key).and_then(Value::as_text).unwrap_or("?").to_owned();
        let count = death.get("count").and_then(Value::as_integer).unwrap_or(0);
        format!("{} in {} x{count}", text("reason"), text("queue"))
    });
    let words = words.collect::<Vec<_>>();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}
