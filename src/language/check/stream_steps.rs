//! Judges steps by the type of their queue: a stream refuses basic.get and queue.purge (ST-2). Takes a decoded scenario, gives
//! problems in RabbitMQ's words with what to write instead.

use crate::language::check::stream_consumers::declared_queue;
use crate::language::decode::map_decoder::Diagnostics;
use crate::model::{Act, QueueKind, Scenario, Step};
use crate::rules::{type_of_new_queue, unsupported_by_streams};
use crate::source::{Code, Problem};

/// Checks all steps but those that must be refused.
pub fn check(scenario: &Scenario, desk: &mut Diagnostics) {
    for step in scenario.all_steps().filter(|step| step.refused.is_none()) {
        one(step, scenario, desk);
    }
}

fn one(step: &Step, scenario: &Scenario, desk: &mut Diagnostics) {
    let (name, word, method, help) = match &step.act {
        Act::Get { queue, .. } => (queue, "get", "basic.get", NO_GET),
        Act::Purge(queue) => (queue, "purge", "queue.purge", NO_PURGE),
        _ => return,
    };
    let Some(queue) = declared_queue(name, scenario) else { return };
    let refused = desk.judged_for.refused_by(|rules| {
        let kind = type_of_new_queue(queue, desk.judged_for.default_type(&name.vhost), rules);
        (kind == QueueKind::Stream).then(|| unsupported_by_streams(method, &name.vhost, &name.name))
    });
    let Some(refused) = refused else { return };
    let says = format!("RabbitMQ would say: 540 NOT_IMPLEMENTED - {}", refused.reason);
    let message = format!("a stream refuses `{word}`: `{}`", name.name);
    let problem = Problem::new(Code::ScenarioStreamStep, message).at(step.span, "of a stream").by("ST-2");
    desk.judge_for(&refused, problem.help(format!("{help}; {says}")));
}

const NO_GET: &str = "consume it, or expect its `messages`; where this is what you test, write `refused: {code: 540}`";

const NO_PURGE: &str = "a stream forgets by `max_age` and `max_length_bytes` alone; where this is what you test, write `refused: {code: 540}`";
