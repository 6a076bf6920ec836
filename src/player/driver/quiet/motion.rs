//! What will still move by itself when nothing happens now: consumers at work, times to live, delayed returns, lost
//! connections. A simulated broker says what it will do next; of a live one the run knows what it was told of these.

use crate::broker::{Motion, Reply};
use crate::model::{Act, Millis, Moment, Policy, Profile, Queue, QueueName, Scenario, Value};
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::record::ledger::QueueTally;
use crate::rules::{Definition, EffectivePolicies, differences};

/// One thing that will move by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StillMoving {
    /// When it does next, where that is known.
    pub when: Option<Moment>,
    /// In words.
    pub what: String,
    /// Whose messages they are, where that is a queue.
    pub queue: Option<QueueName>,
}

impl StillMoving {
    /// Makes one that moves at a moment that nobody knows.
    pub fn at_some_time(what: impl Into<String>) -> Self {
        Self { when: None, what: what.into(), queue: None }
    }
}

/// Lists what will still move, by what a broker said when it was quiet.
pub(crate) fn movers(
    reply: &Reply,
    context: &Context,
    scenario: &Scenario,
    consumers: &ConsumerInstances,
) -> Vec<StillMoving> {
    let at_work = consumers.wakes(scenario).map(|(name, when)| {
        let what = format!("{name} goes on at {when}");
        StillMoving { when: Some(when), what, queue: None }
    });
    let mut all: Vec<StillMoving> = at_work.collect();
    if context.adrift.values().any(|held| !held.is_empty()) {
        all.push(StillMoving::at_some_time(
            "the broker has not missed a lost connection yet, whose messages come back",
        ));
    }
    match reply {
        Reply::Quiet { next } => all.extend(next.as_ref().map(|next| {
            let when = context.now() + next.after;
            let name = &next.queue.name;
            let what = match next.what {
                Motion::Expiry => format!("messages expire in queue '{name}', the next at {when}"),
                Motion::DelayedRetry => format!("returned messages become ready in queue '{name}', the next at {when}"),
                Motion::DelayedPublish => format!("exchange '{name}' holds messages back, the next until {when}"),
            };
            let queue = (next.what != Motion::DelayedPublish).then(|| next.queue.clone());
            StillMoving { when: Some(when), what, queue }
        })),
        _ => all.extend(told(context, scenario)),
    }
    all
}

/// Lists what moves on a broker that does not say it.
fn told(context: &Context, scenario: &Scenario) -> Vec<StillMoving> {
    let policies = policies_now(context, scenario);
    let queues = scenario.declared_queues();
    let mut all: Vec<StillMoving> = Vec::new();
    let mut any_ready = false;
    for (name, tally) in &context.ledger.queues {
        any_ready |= tally.ready() > 0;
        let Some(queue) = queues.iter().find(|queue| queue.id() == *name) else { continue };
        let in_force = policies.on_queue(&queue.vhost, &queue.name, queue.kind()).definition();
        all.extend(of_queue(queue, tally, &in_force).map(|what| StillMoving {
            when: None,
            what,
            queue: Some(name.clone()),
        }));
    }
    let later = context.ledger.expirations.iter().filter(|(_, when)| any_ready && **when > context.now());
    all.extend(later.map(|(name, when)| {
        let what = format!("{name} expires at {when}");
        StillMoving { when: Some(*when), what, queue: None }
    }));
    all
}

/// Says what messages of a queue will do by its arguments and the policies in force.
fn of_queue(queue: &Queue, tally: &QueueTally, in_force: &Definition) -> Option<String> {
    let milliseconds = |key: &str| {
        let own = queue.arguments.get(&format!("x-{key}")).and_then(Value::as_integer);
        let by_policy = in_force.get(key).and_then(serde_json::Value::as_i64);
        own.into_iter().chain(by_policy).min().map(|ms| Millis(ms.max(0) as u64))
    };
    let name = &queue.name;
    if let Some(ttl) = milliseconds("message-ttl").filter(|_| tally.ready() > 0) {
        return Some(format!("messages expire in queue '{name}' (time to live {ttl})"));
    }
    let delays = milliseconds("delayed-retry-min").filter(|_| tally.returned > 0);
    delays.map(|_| format!("returned messages become ready in queue '{name}'"))
}

/// Returns the policies of the topology as the steps so far have changed them.
fn policies_now<'s>(context: &Context, scenario: &'s Scenario) -> EffectivePolicies<&'s Policy> {
    let differences = differences(Profile::nearest(context.broker.version));
    let topology = &scenario.topology;
    let mut policies = EffectivePolicies::new(differences, &topology.policies, &topology.operator_policies);
    for step in scenario.steps.iter().take(context.steps_done) {
        match &step.act {
            Act::SetPolicy { policy, operator } => policies.put(&**policy, *operator),
            Act::ClearPolicy { vhost, name, operator } => _ = policies.remove(vhost, name, *operator),
            _ => {}
        }
    }
    policies
}
