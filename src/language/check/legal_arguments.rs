//! Judges the arguments of a queue: which version refuses which argument for which type (ER-6), and which value (ER-7).
//! Takes a decoded queue with its places; returns problems in RabbitMQ's words, notes where only some versions refuse.

use crate::language::decode::collect::place;
use crate::language::decode::judged_for::RefusedBy;
use crate::language::decode::map_decoder::Diagnostics;
use crate::language::decode::suggestions;
use crate::model::{Origin, Queue, QueueKind, Value};
use crate::rules::{
    QUEUE_ARGUMENTS, QueueArgument, RefusedArgument, ValueKind, queue_argument, refused_arguments, rule_of_refusal,
    type_of_new_queue,
};
use crate::source::{Code, Help, Problem, Span};
use std::collections::BTreeMap;

/// Judges each argument for all versions that the file may meet.
pub fn check(queue: &Queue, places: &BTreeMap<String, Span>, origin: &Origin, desk: &mut Diagnostics) {
    fallen_back(queue, origin, desk);
    let default = desk.judged_for.default_type(&queue.vhost);
    for (name, value) in &queue.arguments {
        let span = places.get(&**name).copied().unwrap_or_else(|| place(origin));
        let Some(argument) = queue_argument(name).filter(|_| name.starts_with("x-")) else {
            unknown(queue, name, span, desk);
            continue;
        };
        let refused = desk.judged_for.refused_by(|version| {
            let kind = type_of_new_queue(queue, default, version);
            let mut refused = refused_arguments(queue, kind, version).into_iter();
            refused.find(|refused| refused.name == *name).map(|refused| (kind, refused))
        });
        match refused {
            Some(refused) if refused.reason.1.is_foreign => foreign(queue, argument, &refused, span, desk),
            Some(refused) => bad_value(queue, argument, value, &refused, span, desk),
            None if argument.name == "queue-master-locator" => locator(queue, argument, value, span, desk),
            None => unchecked_value(queue, argument, value, span, desk),
        }
    }
}

/// Notes a queue that does not get its vhost's default type: only durable ones that are neither exclusive nor
/// auto-deleted do (MG-15).
fn fallen_back(queue: &Queue, origin: &Origin, desk: &mut Diagnostics) {
    let default = desk.judged_for.default_type(&queue.vhost).filter(|kind| *kind != QueueKind::Classic);
    let Some(default) = default.filter(|_| !queue.arguments.contains_key("x-queue-type")) else { return };
    let is_plain = queue.durable && !queue.auto_delete && !queue.exclusive;
    if is_plain || !desk.judged_for.any(|version| version.default_queue_type) {
        return;
    }
    let flags = [("auto_delete", queue.auto_delete), ("exclusive", queue.exclusive), ("durable", !queue.durable)];
    let flag = flags.iter().find(|(_, is_set)| *is_set).map_or("durable", |(key, _)| *key);
    let span = origin.field(flag).unwrap_or_else(|| place(origin));
    let default = default.as_str();
    let message =
        format!("queue '{}' becomes a classic queue, though the default type of its vhost is {default}", queue.name);
    let note = Problem::note(Code::TopologyDefaultType, message).at(span, format!("no {default} queue can be that"));
    let help = "RabbitMQ gives the default type only to durable queues that are neither exclusive nor \
                auto-deleted; `type: classic` says that it is meant";
    desk.add(note.by("MG-15").help(help));
}

/// Words of arguments that people invent, since other brokers have such a limit.
const OF_RETRIES: [&str; 5] = ["retry", "retries", "attempts", "redelivery", "redeliveries"];

/// Notes an argument that is nearly one of RabbitMQ's, or that is meant to limit retries: it takes any, and does nothing with
/// those that it does not know.
fn unknown(queue: &Queue, name: &str, span: Span, desk: &mut Diagnostics) {
    let known: Vec<String> = QUEUE_ARGUMENTS.iter().map(QueueArgument::full_name).collect();
    let near = queue_argument(name).map(QueueArgument::full_name);
    let near = near.or_else(|| suggestions::nearest(name, &known).map(str::to_owned));
    let is_of_retries = name.split('-').any(|word| OF_RETRIES.contains(&word));
    let help = match near {
        Some(near) => Help::did_you_mean(near),
        None if is_of_retries => {
            "RabbitMQ ignores it and sets no end to retries by it: `x-delivery-limit` of a quorum queue does, or a consumer that \
             counts by x-death"
                .into()
        }
        None => return,
    };
    let message = format!("RabbitMQ knows no argument `{name}`: queue '{}'", queue.name);
    let note = Problem::note(Code::TopologyUnknownArgument, message).at(span, "without any effect");
    desk.add(note.by("ER-3").help(help));
}

/// Reports an argument that the queue's type does not take.
fn foreign(
    queue: &Queue,
    argument: &QueueArgument,
    refused: &RefusedBy<(QueueKind, RefusedArgument)>,
    span: Span,
    desk: &mut Diagnostics,
) {
    let (name, kind) = (argument.full_name(), refused.reason.0.as_str());
    let types: Vec<&str> = argument.types.iter().map(|kind| kind.as_str()).collect();
    let says = format!("RabbitMQ would say: 406 PRECONDITION_FAILED - {}", refused.reason.1.text);
    let types = types.join(" and ");
    let (message, help) = match refused.is_by_all() {
        true => {
            let message = format!("a {kind} queue refuses `{name}`: queue '{}'", queue.name);
            (message, format!("only {types} queues take it; {says}"))
        }
        false => {
            let message =
                format!("{} `{name}` of a {kind} queue: queue '{}'", refused.who("refuses", "refuse"), queue.name);
            (message, format!("{}; {says}", refused.who_takes()))
        }
    };
    let label = format!("not for {kind} queues");
    let problem = Problem::new(Code::TopologyRefusedArgument, message).by(rule_of_refusal(406, &refused.reason.1.text));
    desk.judge_for(refused, problem.at(span, label).help(help));
}

/// Reports a value that RabbitMQ refuses.
fn bad_value(
    queue: &Queue,
    argument: &QueueArgument,
    value: &Value,
    refused: &RefusedBy<(QueueKind, RefusedArgument)>,
    span: Span,
    desk: &mut Diagnostics,
) {
    let name = argument.full_name();
    if argument.name == "dead-letter-routing-key" && matches!(value, Value::Text(_)) {
        let message = format!("queue '{}' has a dead-letter routing key but no dead-letter exchange", queue.name);
        let help =
            "RabbitMQ refuses this, even where a policy would name the exchange (DL-7); \"\" is the default exchange";
        let problem = Problem::new(Code::TopologyArgumentValue, message).at(span, "no exchange beside it");
        return desk.judge(problem.help(help));
    }
    let expected = expected(argument);
    let says = format!("RabbitMQ would say: 406 PRECONDITION_FAILED - {}", refused.reason.1.text);
    let (message, help) = match refused.is_by_all() {
        true => (format!("`{name}` of queue '{}' takes {expected}", queue.name), says),
        false => {
            let message =
                format!("{} this value of `{name}`: queue '{}'", refused.who("refuses", "refuse"), queue.name);
            (message, format!("{}; {says}", refused.who_takes()))
        }
    };
    let problem = Problem::new(Code::TopologyArgumentValue, message).by(rule_of_refusal(406, &refused.reason.1.text));
    desk.judge_for(refused, problem.at(span, expected).help(help));
}

/// A word that is no locator is looked at only when the queue is placed, and then declaring it fails on old versions.
fn locator(queue: &Queue, argument: &QueueArgument, value: &Value, span: Span, desk: &mut Diagnostics) {
    if !is_expected(argument, value) {
        let expected = expected(argument);
        let message = format!("`{}` of queue '{}' takes {expected}", argument.full_name(), queue.name);
        desk.judge(Problem::new(Code::TopologyArgumentValue, message).at(span, expected));
    }
    let Some(denied) = desk.judged_for.refused_by(|version| version.master_locator_denied.then_some(())) else {
        return;
    };
    let message = format!("{} `{}`: queue '{}'", denied.who("refuses", "refuse"), argument.full_name(), queue.name);
    let taken = if denied.is_by_all() { String::new() } else { format!("{}; ", denied.who_takes()) };
    let help = format!(
        "{taken}`x-queue-leader-locator` takes its place; RabbitMQ would say: 541 INTERNAL_ERROR - Feature \
         `queue_master_locator` is deprecated"
    );
    let problem = Problem::new(Code::TopologyRefusedArgument, message).by("ER-12");
    desk.judge_for(&denied, problem.at(span, "a denied feature").help(help));
}

/// Notes a value that RabbitMQ takes without a look, and that is of no use to it.
fn unchecked_value(queue: &Queue, argument: &QueueArgument, value: &Value, span: Span, desk: &mut Diagnostics) {
    // Two older words are taken, too.
    if argument.name == "queue-leader-locator" {
        return;
    }
    let has_effect = argument.types.contains(&queue.kind()) || desk.judged_for.default_type(&queue.vhost).is_some();
    if !has_effect || is_expected(argument, value) {
        return;
    }
    let (name, expected) = (argument.full_name(), expected(argument));
    let message = format!("`{name}` of queue '{}' takes {expected}, and RabbitMQ does not check it", queue.name);
    let note = Problem::note(Code::TopologyArgumentValue, message).at(span, expected);
    desk.add(note.help("the queue is declared, but what this value does there is not what it says"));
}

/// Returns what an argument takes, in words.
fn expected(argument: &QueueArgument) -> String {
    match (argument.name, argument.kind) {
        ("expires", _) => "milliseconds from 1 on".to_owned(),
        ("max-priority", _) => "a whole number up to 255".to_owned(),
        ("queue-version", _) => "1 or 2".to_owned(),
        ("max-age", _) => "a number and Y, M, D, h, m or s, like 7D".to_owned(),
        ("delivery-limit", _) => "a whole number".to_owned(),
        (_, ValueKind::Duration) => "milliseconds as a whole number".to_owned(),
        (_, ValueKind::Size) => "a number of bytes".to_owned(),
        (_, ValueKind::Integer) => "a whole number from 0".to_owned(),
        (_, ValueKind::Text) => "a text".to_owned(),
        (_, ValueKind::Bool) => "true or false".to_owned(),
        (_, ValueKind::OneOf(words)) => format!("one of {}", suggestions::listed(words)),
    }
}

/// Returns whether a value is of the kind that an argument takes.
fn is_expected(argument: &QueueArgument, value: &Value) -> bool {
    let number = value.as_integer();
    match argument.kind {
        ValueKind::Integer if argument.name == "delivery-limit" => number.is_some(),
        ValueKind::Duration | ValueKind::Size | ValueKind::Integer => number.is_some_and(|n| n >= 0),
        ValueKind::Text => value.as_text().is_some(),
        ValueKind::Bool => matches!(value, Value::Bool(_)),
        ValueKind::OneOf(words) => value.as_text().is_some_and(|text| words.contains(&text)),
    }
}
