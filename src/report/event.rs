//! The words of what happens in a run: entries of a timeline, what is refused, what a consumer did with a message.
//! Takes data, returns phrases; a message goes by its name, or is `it` in its own story.

use crate::broker::{Explanation, RouteHop, RoutedBy, Settlement, TransactionStep, What};
use crate::model::{Message, Moment, Value, counted, exchange_in_words};
use crate::player::{Attempt, ConsumerEnd, RetryStep, TimelineEvent, WorkUnit};
use crate::rules::rule_of_refusal;

/// How many letters of a reply are told.
const BODY_TOLD_MAX: usize = 80;

/// Writes what happened, messages by their names.
pub(crate) fn event_in_words(event: &TimelineEvent) -> String {
    match event {
        TimelineEvent::Did { who, act } => format!("{who}: {act}"),
        TimelineEvent::Restarting => "driver: restarts the broker".to_owned(),
        TimelineEvent::PublishEnded { message, outcome, refusal } => {
            let refusal = refusal.as_ref().map_or(String::new(), |refusal| format!(": {refusal}"));
            format!("{message} is {}{refusal}", outcome.in_words())
        }
        TimelineEvent::Replied { to, question, message } => {
            let body: String = String::from_utf8_lossy(&message.body).chars().take(BODY_TOLD_MAX).collect();
            format!("{to} gets the reply to {question}: {body}")
        }
        TimelineEvent::Started { consumer, queue } => format!("{consumer} consumes from {}", queue.name),
        TimelineEvent::BatchTaken { consumer, batch } => format!("{consumer}: works on a batch: {}", unit(batch)),
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
            format!("{} has {} ready, {}", queue.name, counts.ready, counted(counts.consumers, "consumer"))
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
        | TimelineEvent::Retried { message, .. }
        | TimelineEvent::Delivered { name: message, .. } => of_a_message(event, message),
        TimelineEvent::Working { on, .. } | TimelineEvent::TimedOut { on, .. } => of_a_message(event, &unit(on)),
    }
}

/// Writes what happened in the story of one message, which is `it`.
pub(crate) fn hop_in_words(event: &TimelineEvent) -> String {
    match event {
        TimelineEvent::PublishEnded { outcome, refusal, .. } => match refusal {
            Some(refusal) => {
                format!("{}: {refusal} [{}]", outcome.in_words(), rule_of_refusal(refusal.code, &refusal.text))
            }
            None => outcome.in_words().to_owned(),
        },
        TimelineEvent::Published { .. }
        | TimelineEvent::Delivered { .. }
        | TimelineEvent::Settled { .. }
        | TimelineEvent::Retried { .. }
        | TimelineEvent::Working { .. }
        | TimelineEvent::TimedOut { .. }
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
        TimelineEvent::TimedOut { consumer, after, .. } => {
            format!("{consumer} has worked on {it} for its timeout of {after}: what `timeout` says comes instead")
        }
        TimelineEvent::Retried { consumer, to, .. } => format!("{consumer} {}", retry_in_words(to, it)),
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
        ConsumerEnd::LosesNetwork => "is lost to the network: the broker still holds its connection",
        ConsumerEnd::LosesSharedConnection => "goes down with it",
    }
}

/// Names what is worked on: `m1`, or `3 messages (m1 … m3)`.
pub(crate) fn unit(unit: &WorkUnit) -> String {
    match unit {
        WorkUnit::Message(name) => name.to_string(),
        WorkUnit::Batch { size, first, last } => format!("{} ({first} … {last})", counted(*size, "message")),
    }
}

/// Returns what happened inside the broker, without the message's name and the rule.
fn insight_in_words(insight: &Explanation, behind: Option<&str>, until: Option<Moment>) -> String {
    let queue = insight.queue.as_ref().map_or("the broker", |queue| &*queue.name);
    match &insight.what {
        What::Enqueued { way } => format!("stands in {queue}{}", way_in_words(way)),
        What::OverLimit { limit, why } => format!("{queue} takes it over its limit ({limit}): {why}"),
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
        What::Blocked { why, .. } if insight.queue.is_none() => {
            let until = until.map_or_else(String::new, |until| format!(" until {until}"));
            format!("waits{until}: {why}")
        }
        What::Blocked { why, .. } => {
            let behind = behind.map_or_else(String::new, |behind| format!(" behind {behind}"));
            let until = until.map_or_else(String::new, |until| format!(" until {until}"));
            format!("stuck in {queue}{behind}{until}: {why}")
        }
        What::InTransaction { step } => step_of_transaction(step),
        What::Refused { why } => format!("refused: {why}"),
        What::ConnectionEnded { why } => format!("the broker closes the connection: {why}"),
        What::QueueGone { why } => format!("{queue} is gone: {why}"),
    }
}

/// Says what a transaction does with a publish or a settlement.
fn step_of_transaction(step: &TransactionStep) -> String {
    match step {
        TransactionStep::PublishHeld { queues } if queues.is_empty() => {
            "held by the transaction until its commit: routed to no queue".to_owned()
        }
        TransactionStep::PublishHeld { queues } => {
            let queues = queues.iter().map(|queue| &**queue).collect::<Vec<_>>().join(", ");
            format!("held by the transaction until its commit: routed to {queues}")
        }
        TransactionStep::PublishCommitted => "the transaction commits: it is sent".to_owned(),
        TransactionStep::PublishRefused { fails: true } => "the queue refuses it: the commit fails".to_owned(),
        TransactionStep::PublishRefused { fails: false } => {
            "the queue drops it: the commit succeeds all the same, and nobody is told".to_owned()
        }
        TransactionStep::PublishRolledBack => "the transaction is rolled back: it is dropped".to_owned(),
        TransactionStep::PublishAbandoned => "the channel ended before the commit: it is dropped".to_owned(),
        TransactionStep::SettlementHeld { settlement } => {
            format!("the {settlement} is held by the transaction until its commit")
        }
        TransactionStep::SettlementCommitted { settlement } => {
            format!("the transaction commits: the {settlement} is carried out")
        }
        TransactionStep::SettlementRolledBack { settlement } => {
            format!("the transaction is rolled back: the {settlement} did not happen, the delivery is in hand again")
        }
    }
}

/// Says by which bindings a message came to its queue.
fn way_in_words(way: &[RouteHop]) -> String {
    match way {
        [] => String::new(),
        [RouteHop { by: RoutedBy::Name, .. }] => ", named by its CC or BCC".to_owned(),
        [one] => format!(", bound to {} ({})", exchange_in_words(&one.exchange), routed_by(&one.by)),
        [first, ..] => {
            let hops = way.iter().map(|hop| format!(" → {} ({})", exchange_in_words(&hop.to), routed_by(&hop.by)));
            format!(", by way of {}{}", exchange_in_words(&first.exchange), hops.collect::<String>())
        }
    }
}

fn routed_by(by: &RoutedBy) -> String {
    match by {
        RoutedBy::Name => "named by its CC or BCC".to_owned(),
        RoutedBy::Key(key) | RoutedBy::Topic(key) => format!("key '{key}'"),
        RoutedBy::FurtherKey(key) => format!("key '{key}', for its CC or BCC"),
        RoutedBy::Fanout => "fanout".to_owned(),
        RoutedBy::Headers(arguments) => {
            let arguments = arguments.iter().map(|(name, value)| format!("{name}: {}", value.to_json()));
            arguments.collect::<Vec<_>>().join(", ")
        }
        RoutedBy::Hash(input) => format!("hash of {input}"),
        RoutedBy::Modulus => "hash of its keys".to_owned(),
        RoutedBy::History => "kept before the binding".to_owned(),
        RoutedBy::Random => "chance".to_owned(),
        RoutedBy::Alternate => "its alternate exchange".to_owned(),
    }
}

/// Says where a retry goes.
fn retry_in_words(to: &RetryStep, message: &str) -> String {
    let used = |of: &usize| match of {
        1 => "its one delay is used".to_owned(),
        of => format!("all {of} delays are used"),
    };
    match to {
        RetryStep::Delay { number, of, delay } => format!("retries {message}: rung {number} of {of}, delay {delay}"),
        RetryStep::Parked { of } => format!("retries {message} no more: {}, it is parked", used(of)),
        RetryStep::NoneLeft { of } => {
            format!("retries {message} no more: {}, and `then` names no queue: it is rejected", used(of))
        }
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
