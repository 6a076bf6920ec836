//! What a played draft came to, as expectations: where the dead letters of a queue are, and what their x-death says.

use crate::foresee::suggest::drafts::Workshop;
use crate::foresee::suggest::yaml::scalar;
use crate::model::{Name, QueueName, Value};
use crate::player::{MessageRecord, Outcome, QueueOutcome};

/// How many messages of a queue are written out.
const WRITTEN_MAX: u64 = 3;

/// What came of the dead letters of a queue, or of some messages.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct FoundDeaths {
    /// The queues that they are in.
    pub targets: Vec<Name>,
    /// Steps that expect it, in full.
    pub exact: Vec<String>,
    /// The same, where versions differ in details.
    pub loose: Vec<String>,
}

/// Looks for the dead letters of a queue.
pub(crate) fn found(workshop: &Workshop<'_>, queue: &QueueName, outcome: &Outcome) -> FoundDeaths {
    let mut found = FoundDeaths::default();
    for (name, held) in &outcome.queues {
        let Some(messages) = held.messages.as_ref().filter(|_| name.vhost == queue.vhost) else { continue };
        let dead: Vec<&MessageRecord> = messages.iter().filter(|one| died_in(one, &queue.name)).collect();
        if dead.is_empty() {
            continue;
        }
        found.targets.push(name.name.clone());
        let shown = scalar(&name.name);
        let exact = match written(held, &dead) {
            Some(all) => format!("expect: {{queue: {shown}, messages: [{all}]}}"),
            None => format!("expect: {{queue: {shown}, ready: {}}}", held.ready),
        };
        found.exact.push(workshop.step(&queue.vhost, &exact));
        found.loose.push(workshop.step(&queue.vhost, &format!("expect: {{queue: {shown}, ready: \">=1\"}}")));
    }
    found
}

/// Looks for the queues that hold some messages.
pub(crate) fn routed(workshop: &Workshop<'_>, published: &[String], outcome: &Outcome) -> FoundDeaths {
    let mut found = FoundDeaths::default();
    let is_published = |one: &&MessageRecord| published.iter().any(|name| *name == *one.name);
    for (name, held) in outcome.queues.iter().filter(|_| !published.is_empty()) {
        let Some(messages) = &held.messages else { continue };
        let own: Vec<&MessageRecord> = messages.iter().filter(is_published).collect();
        // What expires soon is gone before a live broker is asked.
        let ttl = workshop.view.queue(&name.vhost, &name.name).and_then(|view| view.settings.message_ttl_ms);
        let is_brief = ttl.is_some_and(|ttl| ttl < LIVE_MS);
        if own.is_empty() || is_brief || found.exact.len() == QUEUES_MAX {
            continue;
        }
        let shown = scalar(&name.name);
        let is_whole = own.len() as u64 == held.ready && own.len() <= NAMED_MAX;
        let exact = match is_whole {
            true => {
                let names: Vec<String> = own.iter().map(|one| scalar(&one.name)).collect();
                format!("expect: {{queue: {shown}, messages: [{}]}}", names.join(", "))
            }
            false => format!("expect: {{queue: {shown}, ready: {}}}", held.ready),
        };
        found.exact.push(workshop.step(&name.vhost, &exact));
        found.loose.push(workshop.step(&name.vhost, &format!("expect: {{queue: {shown}, ready: \">=1\"}}")));
    }
    found
}

/// How many queues are looked at in the end.
const QUEUES_MAX: usize = 30;

/// How many messages of a queue are named.
const NAMED_MAX: usize = 12;

/// How long a message must live to be looked for.
const LIVE_MS: u64 = 10_000;

/// Writes the messages of a queue out, when they are few and all of them dead letters.
fn written(held: &QueueOutcome, dead: &[&MessageRecord]) -> Option<String> {
    if held.ready > WRITTEN_MAX || dead.len() as u64 != held.ready {
        return None;
    }
    let all: Option<Vec<String>> =
        dead.iter().map(|one| Some(format!("{{id: {}, x_death: [{}]}}", scalar(&one.name), deaths(one)?))).collect();
    Some(all?.join(", "))
}

fn deaths(one: &MessageRecord) -> Option<String> {
    let all = entries(one).iter().map(|entry| {
        let table = entry.as_table()?;
        let queue = table.get("queue").and_then(Value::as_text)?;
        let reason = table.get("reason").and_then(Value::as_text)?;
        let count = table.get("count").and_then(Value::as_integer)?;
        Some(format!("{{queue: {}, reason: {reason}, count: {count}}}", scalar(queue)))
    });
    all.collect::<Option<Vec<String>>>().map(|all| all.join(", "))
}

fn entries(one: &MessageRecord) -> &[Value] {
    let headers = one.message.properties.headers.as_ref();
    headers.and_then(|headers| headers.get("x-death")).and_then(Value::as_array).unwrap_or_default()
}

fn died_in(one: &MessageRecord, queue: &str) -> bool {
    entries(one).iter().any(|entry| {
        let table = entry.as_table();
        table.and_then(|table| table.get("queue")).and_then(Value::as_text) == Some(queue)
    })
}
