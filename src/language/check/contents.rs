//! Checks that contents are read only where reading disturbs nothing: at the end, or of a stream or a resting queue.
//! Takes a scenario; gives a problem for each early read, so that files stay portable between sim and live brokers.

use crate::language::check::held_messages::{given_back, held_queues};
use crate::language::decode::map_decoder::Diagnostics;
use crate::language::syntax::tree::Node;
use crate::language::syntax::tree::find;
use crate::model::{
    Act, Object, Policy, Profile, Queue, QueueKind, QueueName, Scenario, Step, Subject, TallySource, When,
};
use crate::rules::{EffectivePolicies, differences};
use crate::source::{Code, Problem};

/// What moves or removes messages of a queue without a consumer.
const RESTLESS: [&str; 5] = ["message-ttl", "expires", "max-length", "max-length-bytes", "delivery-limit"];

/// Checks the expectations of `steps` and `finally`.
pub fn check(scenario: &Scenario, tree: &Node, desk: &mut Diagnostics) {
    let held = held_queues(scenario);
    let steps: Vec<&Step> = scenario.steps.iter().chain(&scenario.finally).collect();
    for (at, step) in steps.iter().enumerate() {
        let Act::Expect(expectation) = &step.act else { continue };
        let (queue, place) = match &expectation.subject {
            Subject::Queue(queue) => match &queue.messages {
                Some(messages) => (&queue.queue, messages.span),
                None => continue,
            },
            Subject::Tally(tally) => match &tally.source {
                TallySource::Queue(queue) => {
                    if let When::Within(_) | When::For(_) = expectation.when {
                        let message = "the messages of a queue are tallied once: `within` and `for` cannot wait for it";
                        let problem = Problem::new(Code::ScenarioTally, message).at(expectation.span, "waits");
                        desk.add(
                            problem
                                .help("wait for the queue's count first: `expect: {queue: …, ready: 3, within: 5s}`"),
                        );
                    }
                    (queue, expectation.span)
                }
                _ => continue,
            },
            Subject::Message(message) => {
                if let Some(list) = &message.routed_to {
                    let message = "where a message went is known when all queues have been read";
                    let problem = Problem::new(Code::ScenarioContentsTooEarly, message).at(list.span, "read too early");
                    desk.add(problem.help("move the expectation to `at_end:`"));
                }
                continue;
            }
            _ => continue,
        };
        if is_stream(scenario, queue) {
            continue;
        }
        let gives_back = |act: &Act| given_back(act, &held) == Some(queue);
        let later = steps[at..].iter().find_map(|step| match gives_back(&step.act) {
            true => Some("a step gives back to the queue what was in hand"),
            false => misses(&step.act, queue),
        });
        let later = later.map(|what| format!("the runner keeps what it reads until the end, and later {what}"));
        if let Some(reason) = unrest(scenario, queue).or(later) {
            let message = format!("the messages of '{}' cannot be read before the end: {reason}", queue.name);
            let problem = Problem::new(Code::ScenarioContentsTooEarly, message).at(place, "read too early");
            let problem = match find(tree, expectation.span, &queue.name) {
                Some(span) => problem.at(span, "not a resting queue"),
                None => problem,
            };
            desk.add(problem.help("move the messages to `at_end:`; counts (`ready: 2`) can be read at any time"));
        }
    }
}

/// Returns what a step does that needs the messages of a queue back which the runner took to read.
fn misses(act: &Act, read: &QueueName) -> Option<&'static str> {
    match act {
        Act::RestartBroker => Some("loses its connection"),
        Act::CloseConnection { of, .. } if &**of == "driver" => Some("loses its connection"),
        Act::Purge(queue) if queue == read => Some("the queue is purged"),
        Act::Get { queue, .. } if queue == read => Some("a step gets from the queue"),
        Act::Consume { queue, .. } if queue == read => Some("a step consumes from the queue"),
        Act::Delete { object: Object::Queue { vhost, name }, .. } if (vhost, name) == (&read.vhost, &read.name) => {
            Some("the queue is deleted")
        }
        _ => None,
    }
}

/// Returns why a queue does not rest.
fn unrest(scenario: &Scenario, name: &QueueName) -> Option<String> {
    if let Some(consumer) = scenario.consumers.iter().find(|consumer| consumer.queue == *name) {
        return Some(format!("consumer `{}` serves it", consumer.name));
    }
    let queue = declared(scenario, name)?;
    if let Some(key) = RESTLESS.iter().find(|key| queue.arguments.contains_key(&format!("x-{key}"))) {
        return Some(format!("it has x-{key}"));
    }
    let set = scenario.steps.iter().filter_map(|step| step.act.policy_set());
    let policies = scenario.topology.policies.iter().chain(&scenario.topology.operator_policies).chain(set);
    let policies: Vec<&Policy> = policies.collect();
    // Whichever version it is played on, and whatever wins there at some time: steps set and clear policies.
    Profile::ALL.into_iter().find_map(|profile| {
        let policies = EffectivePolicies::new(differences(profile), policies.iter().copied(), []);
        let mut matching = policies.matching(&queue.vhost, &queue.name, queue.kind());
        matching.find_map(|policy| {
            let key = RESTLESS.iter().find(|key| policy.definition.contains_key(**key))?;
            Some(format!("policy '{}' sets {key}", policy.name))
        })
    })
}

/// Returns whether a queue is a stream, which is read without taking anything from it.
fn is_stream(scenario: &Scenario, name: &QueueName) -> bool {
    declared(scenario, name).is_some_and(|queue| queue.kind() == QueueKind::Stream)
}

fn declared<'s>(scenario: &'s Scenario, name: &QueueName) -> Option<&'s Queue> {
    scenario.topology.queue(&name.vhost, &name.name).or_else(|| declared_by_step(scenario, name))
}

fn declared_by_step<'s>(scenario: &'s Scenario, name: &QueueName) -> Option<&'s Queue> {
    scenario.steps.iter().find_map(|step| match &step.act {
        Act::DeclareQueue(queue) if queue.id() == *name => Some(&**queue),
        _ => None,
    })
}
