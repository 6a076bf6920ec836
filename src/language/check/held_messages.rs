//! Checks the names under which `get` steps hold messages: each is taken before it is settled, and only once at a time.
//! Takes a decoded scenario and its tree, for places; gives problems with the nearest name.

use crate::language::decode::map_decoder::Diagnostics;
use crate::language::decode::suggestions;
use crate::language::syntax::tree::{Node, find};
use crate::model::{Act, HeldSettlement, Name, QueueName, Scenario, Step, TransactionAct};
use crate::source::{Code, Problem};
use std::collections::BTreeMap;

/// Checks the steps in their order.
pub fn check(scenario: &Scenario, tree: &Node, desk: &mut Diagnostics) {
    let steps = || scenario.steps.iter().chain(&scenario.finally);
    let all = held_queues(scenario);
    let mut known: BTreeMap<&Name, HeldName> = BTreeMap::new();
    for step in steps() {
        match &step.act {
            Act::Get { held_as: Some(name), .. } => {
                meant_user(name, step, scenario, tree, desk);
                taken_twice(name, known.get(name), step, tree, desk);
                known.insert(name, HeldName { taken: step, settled: None });
            }
            Act::Settle { held, .. } if !known.contains_key(held) => unknown(held, &all, step, tree, desk),
            Act::Settle { held, multiple, .. } => {
                settled_twice(held, known.get(held), step, tree, desk);
                let others = known.iter_mut().filter(|(name, _)| *multiple || *name == &held);
                // What `multiple` took along nobody knows here: it may be settled once more.
                others.for_each(|(_, one)| one.settled = Some(step));
            }
            // After a rollback what was settled is in hand again: whose, and what, is known when it plays.
            Act::Transaction(TransactionAct::Rollback) => known.values_mut().for_each(|one| one.settled = None),
            Act::Recover { .. } | Act::CloseConnection { .. } | Act::RestartBroker => {
                known.values_mut().for_each(|one| one.settled = Some(step))
            }
            _ => {}
        }
    }
}

/// Returns the queue from which each name takes its message.
pub fn held_queues(scenario: &Scenario) -> BTreeMap<&Name, &QueueName> {
    let taken = scenario.all_steps().filter_map(|step| match &step.act {
        Act::Get { queue, held_as: Some(name), .. } => Some((name, queue)),
        _ => None,
    });
    taken.collect()
}

/// Returns the queue to which a step gives a message back that was in hand.
pub fn given_back<'s>(act: &Act, held: &BTreeMap<&Name, &'s QueueName>) -> Option<&'s QueueName> {
    match act {
        Act::Settle {
            held: name, how: HeldSettlement::Nack { requeue } | HeldSettlement::Reject { requeue }, ..
        } => held.get(name).copied().filter(|_| *requeue),
        _ => None,
    }
}

/// A name, and what became of it so far.
struct HeldName<'s> {
    taken: &'s Step,
    settled: Option<&'s Step>,
}

/// `as` beside a step is a user, and inside `get` a name.
fn meant_user(name: &Name, step: &Step, scenario: &Scenario, tree: &Node, desk: &mut Diagnostics) {
    if scenario.topology.users.iter().any(|user| user.name == *name) {
        let message = format!("inside `get`, `as` is a name for the message, and '{name}' is a user");
        let problem = Problem::new(Code::ScenarioHeld, message);
        let help = format!("for the user who gets it, write `as: {name}` beside `get`; else take another name");
        desk.add(problem.at(find(tree, step.span, name).unwrap_or(step.span), "the name of a user").help(help));
    }
}

fn taken_twice(name: &Name, known: Option<&HeldName<'_>>, step: &Step, tree: &Node, desk: &mut Diagnostics) {
    let Some(earlier) = known.filter(|known| known.settled.is_none()) else { return };
    let place = |step: &Step| find(tree, step.span, name).unwrap_or(step.span);
    let problem = Problem::new(Code::ScenarioHeld, format!("a message is in hand as `{name}` already"));
    let problem = problem.at(place(step), "taken once more");
    let problem =
        if place(earlier.taken) == place(step) { problem } else { problem.at(place(earlier.taken), "taken here") };
    desk.add(problem.help("settle it in between (`ack`, `nack`, `reject`), or take the next one under another name"));
}

fn settled_twice(name: &Name, known: Option<&HeldName<'_>>, step: &Step, tree: &Node, desk: &mut Diagnostics) {
    let earlier = known.and_then(|known| known.settled).filter(|_| step.refused.is_none());
    let Some(Step { act: Act::Settle { held, .. }, .. }) = earlier.filter(|earlier| earlier.refused.is_none()) else {
        return;
    };
    if held == name {
        let message = format!("`{name}` is settled twice: at the second time the broker closes the channel (406)");
        let note = Problem::note(Code::ScenarioSettledTwice, message);
        let help = "leave one of them out, or say that the second is `refused: {code: 406}`";
        desk.add(note.at(find(tree, step.span, name).unwrap_or(step.span), "settled before").help(help));
    }
}

fn unknown(name: &Name, all: &BTreeMap<&Name, &QueueName>, step: &Step, tree: &Node, desk: &mut Diagnostics) {
    let place = find(tree, step.span, name).unwrap_or(step.span);
    let consumer = "a consumer settles by its own actions; a step settles what a step took";
    let (message, help) = match all.contains_key(name) {
        true => {
            (format!("nothing is in hand as `{name}` yet: it is taken by a later step"), "move the `get` up".into())
        }
        false if all.is_empty() => {
            let help = format!("take it first: `get: {{queue: …, as: {name}}}`; {consumer}");
            (format!("no step takes a message as `{name}`"), help.into())
        }
        false => {
            let names = all.keys().map(|name| &***name);
            (format!("no step takes a message as `{name}`"), suggestions::suggest_name(name, names, "there are"))
        }
    };
    desk.add(Problem::new(Code::ScenarioHeld, message).at(place, "not in hand").help(help));
}
