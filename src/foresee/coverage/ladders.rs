//! The rungs of retry ladders, found by the names that `retry:` gives: `QUEUE.retry.5s`, which leads back to QUEUE, and
//! what the exchange `QUEUE.retry` parks. So they are found in what a broker exports, too.

use crate::model::{DestinationKind, Name, Queue, Topology, Value};
use std::collections::BTreeSet;

/// One delay of a queue's retries, or the place where they end.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryRung<'t> {
    /// The queue that retries.
    pub work: &'t Queue,
    /// The queue that messages wait in, or are parked in.
    pub waiting: &'t Queue,
    /// Messages stay there for a person.
    pub parks: bool,
    /// The exchange of the ladder and the routing key; `None` where the broker leads there by itself.
    pub through: Option<(Name, Name)>,
}

/// Lists the rungs of a topology, in the order of its queues.
pub fn retry_rungs(topology: &Topology) -> Vec<RetryRung<'_>> {
    let names: BTreeSet<(&str, &str)> = topology.queues.iter().map(|it| (&*it.vhost, &*it.name)).collect();
    let mut rungs: Vec<RetryRung<'_>> = Vec::new();
    for waiting in &topology.queues {
        let Some(work) = returns_to(waiting).filter(|work| names.contains(&(&waiting.vhost, work))) else { continue };
        let Some(work) = topology.queue(&waiting.vhost, work) else { continue };
        let through = way_to(topology, work, waiting).map(|key| (ladder_of(work), key));
        rungs.push(RetryRung { work, waiting, parks: false, through });
    }
    let mut parked = Vec::new();
    let mut seen = BTreeSet::new();
    for RetryRung { work, .. } in &rungs {
        if !seen.insert((&work.vhost, &work.name)) {
            continue;
        }
        let ladder = ladder_of(work);
        let parking = topology.bindings.iter().find(|it| {
            it.vhost == work.vhost
                && it.source == ladder
                && it.routing_key == "parked"
                && !is_exchange(it.destination_kind)
        });
        let queue = parking.and_then(|it| topology.queue(&work.vhost, &it.destination));
        parked.extend(queue.map(|waiting| RetryRung {
            work,
            waiting,
            parks: true,
            through: Some((ladder.clone(), "parked".into())),
        }));
    }
    rungs.extend(parked);
    rungs
}

fn is_exchange(kind: DestinationKind) -> bool {
    kind == DestinationKind::Exchange
}

fn ladder_of(work: &Queue) -> Name {
    format!("{}.retry", work.name).into()
}

/// Returns the queue that a wait queue of a ladder leads back to.
fn returns_to(waiting: &Queue) -> Option<&str> {
    let text = |key: &str| waiting.arguments.get(key).and_then(Value::as_text);
    let work = text("x-dead-letter-routing-key")?;
    let is_named = waiting.name.strip_prefix(work).is_some_and(|rest| rest.starts_with(".retry."));
    let returns =
        is_named && text("x-dead-letter-exchange") == Some("") && waiting.arguments.contains_key("x-message-ttl");
    returns.then_some(work)
}

/// Returns the key of the ladder's exchange that leads to a wait queue.
fn way_to(topology: &Topology, work: &Queue, waiting: &Queue) -> Option<Name> {
    let ladder = ladder_of(work);
    let leads = topology.bindings.iter().find(|it| {
        it.vhost == work.vhost
            && it.source == ladder
            && it.destination == waiting.name
            && !is_exchange(it.destination_kind)
    });
    leads.map(|it| it.routing_key.clone())
}
