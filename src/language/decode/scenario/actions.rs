//! Decodes the rules of a consumer: what matches, and the actions that follow.
//! Takes rendered nodes; gives rules. A rule that settles nothing is worth a note.

use crate::language::decode::map_decoder::{Diagnostics, MapDecoder, each};
use crate::language::decode::read;
use crate::language::decode::read::DecodeError;
use crate::language::decode::scenario::matchers::matcher;
use crate::language::decode::scenario::publish::{Folder, forward, publish};
use crate::language::decode::suggestions;
use crate::language::syntax::tree::{Node, NodeKind};
use crate::language::words::examples::{self, Shape};
use crate::language::words::{Word, WordGroup};
use crate::model::{Action, Matcher, Rule};
use crate::source::{Code, Help, Problem, Span};

/// Decodes `on_message`: a list of rules, or one.
pub fn rules(node: &Node, auto_ack: bool, folder: &Folder<'_>, desk: &mut Diagnostics) -> Vec<Rule> {
    let rules: Vec<Rule> = match &node.kind {
        NodeKind::Map(_) => rule(node, auto_ack, folder, desk).into_iter().collect(),
        _ => each("`on_message`", node, desk, |node, desk| rule(node, auto_ack, folder, desk)),
    };
    never_reached(&rules, desk);
    rules
}

/// Notes what no message comes to: rules behind one that takes all, and attempts before the first.
fn never_reached(rules: &[Rule], desk: &mut Diagnostics) {
    if let Some([all, next]) = rules.windows(2).find(|pair| pair[0].matcher == Matcher::default()) {
        let message = "no message comes to this rule: the one before it takes all";
        let note = Problem::note(Code::ScenarioNeverReached, message).at(next.span, "never reached");
        let help = "the first rule that fits is taken: put the one without `match` last";
        desk.add(note.at(all.span, "fits every message").help(help));
    }
    let none_yet = |rule: &&Rule| rule.matcher.attempt.is_some_and(|count| count.max == Some(0));
    if let Some(rule) = rules.iter().find(none_yet) {
        let note = Problem::note(Code::ScenarioNeverReached, "no message comes to this rule: the first `attempt` is 1");
        desk.add(note.at(rule.span, "never reached").help("write `attempt: 1` for the first time"));
    }
}

fn rule(node: &Node, auto_ack: bool, folder: &Folder<'_>, desk: &mut Diagnostics) -> Option<Rule> {
    let mut fields = MapDecoder::of("rule", "a rule of `on_message`", node, desk)?;
    let matcher = fields.node("match").map_or(Some(Matcher::default()), |node| matcher(node, desk));
    let done = fields.node("do");
    if done.is_none() {
        fields.missing("do", desk);
    }
    let actions = done.map_or_else(Vec::new, |node| actions(node, folder, desk));
    fields.finish(desk);
    let span = done.map_or(node.span, |done| done.span);
    if !actions.is_empty() && !node.is_faulty() {
        judge(&actions, auto_ack, span, desk);
    }
    let places = done.map_or_else(Vec::new, places);
    Some(Rule { span: node.span, matcher: matcher?, actions, places })
}

/// Lists where the actions of a `do` stand: their words.
pub fn places(node: &Node) -> Vec<Span> {
    let place = |node: &Node| node.entries().first().map_or(node.span, |entry| entry.key_span);
    match &node.kind {
        NodeKind::List(nodes) => nodes.iter().map(place).collect(),
        _ => vec![place(node)],
    }
}

/// Decodes what stands at a `do`: a list of actions, or one.
pub fn actions(node: &Node, folder: &Folder<'_>, desk: &mut Diagnostics) -> Vec<Action> {
    match &node.kind {
        NodeKind::List(_) => each("`do`", node, desk, |node, desk| action(node, folder, desk)),
        _ => action(node, folder, desk).into_iter().collect(),
    }
}

/// Reports what is allowed but hardly meant.
fn judge(actions: &[Action], auto_ack: bool, span: Span, desk: &mut Diagnostics) {
    let settles = |action: &Action| {
        matches!(action, Action::Ack { .. } | Action::Nack { .. } | Action::Reject { .. } | Action::Retry)
    };
    let leaves = |action: &Action| matches!(action, Action::Crash | Action::CloseChannel);
    let meant = |action: &Action| leaves(action) || matches!(action, Action::Hold | Action::Cancel);
    if !auto_ack && !actions.iter().any(|action| settles(action) || meant(action)) {
        let note = Problem::note(Code::ScenarioNeverSettled, "this rule settles nothing: its messages stay unacked");
        desk.add(note.at(span, "no ack, nack or reject").help("add `ack`, or `hold` to say that it is meant"));
    }
    if auto_ack && actions.iter().any(settles) {
        let message = "with `auto_ack` there is nothing to settle: the broker closes the channel (406)";
        let note = Problem::note(Code::ScenarioSettledTwice, message);
        desk.add(note.at(span, "settles").help("leave the settling action out, or `auto_ack`"));
    }
    if !auto_ack && actions.iter().filter(|action| settles(action)).count() > 1 {
        let message = "a message is settled once: at the second time the broker closes the channel (406)";
        let note = Problem::note(Code::ScenarioSettledTwice, message);
        desk.add(note.at(span, "settles twice").help("`ack`, `nack`, `reject` or `retry`: keep one of them"));
    }
    if actions.iter().position(leaves).is_some_and(|at| at + 1 < actions.len()) {
        let note = Problem::note(Code::ScenarioNeverDone, "what follows a crash or a closed channel is never done");
        desk.add(note.at(span, "goes on after its end").help("put `crash` or `close_channel` last"));
    }
}

/// Decodes one action: a word, or a map of one word and what it takes.
fn action(node: &Node, folder: &Folder<'_>, desk: &mut Diagnostics) -> Option<Action> {
    let (word, span, value) = match &node.kind {
        NodeKind::Text(word) => (word.as_str(), node.span, None),
        NodeKind::Map(entries) => match entries.as_slice() {
            [entry] => (entry.key.as_str(), entry.key_span, Some(&entry.value)),
            _ => {
                let problem = Problem::new(Code::ScenarioAction, "an action is one word with what it takes");
                let span = entries.get(1).map_or(node.span, |entry| entry.key_span);
                desk.add(problem.at(span, "a second word").help("begin each action with a dash of its own"));
                return None;
            }
        },
        NodeKind::Faulty => return None,
        _ => {
            desk.wrong("an action", node, DecodeError::Kind("a word like `ack`"));
            return None;
        }
    };
    let value = value.filter(|value| !matches!(value.kind, NodeKind::Null));
    let lacks = |expected: &str, example: &str, desk: &mut Diagnostics| {
        let problem = Problem::new(Code::ValueKind, format!("`{word}` takes {expected}, found nothing"));
        desk.add(problem.at(span, format!("expected {expected}")).help(format!("write `{word}: {example}`")));
        None
    };
    match word {
        "ack" => switches(value, ("ack", "`ack`"), &["multiple"], desk).map(|[multiple, _]| Action::Ack { multiple }),
        "nack" => switches(value, ("nack", "`nack`"), &["multiple", "requeue"], desk)
            .map(|[multiple, requeue]| Action::Nack { requeue, multiple }),
        "requeue" => switches(value, ("ack", "`requeue`"), &["multiple"], desk)
            .map(|[multiple, _]| Action::Nack { requeue: true, multiple }),
        "reject" => reject(value, desk),
        "hold" => Some(Action::Hold),
        "crash" => Some(Action::Crash),
        "close_channel" => Some(Action::CloseChannel),
        "cancel" => Some(Action::Cancel),
        "retry" => plain(value, "retry", Action::Retry, desk),
        "delay" => match value {
            Some(value) => desk.read("`delay`", value, read::duration).map(Action::Delay),
            None => lacks("a duration", "5s", desk),
        },
        "publish" => match value {
            Some(value) => publish(value, folder, desk).map(|publish| Action::Publish(Box::new(publish))),
            None => lacks("a message", "{exchange: orders, routing_key: order.created, body: hello}", desk),
        },
        "forward" => match value {
            Some(value) => forward(value, desk).map(|forward| Action::Forward(Box::new(forward))),
            None => lacks("where to", "{exchange: orders, routing_key: order.again}", desk),
        },
        "reply" => reply(value, span, folder, desk),
        _ => {
            let actions = WordGroup::named("action").map_or(&[][..], |group| group.words).iter().map(Word::key);
            let problem = Problem::new(Code::ScenarioAction, format!("there is no action `{word}`"));
            let help = joined(word).unwrap_or_else(|| suggestions::suggest(word, actions, "there are"));
            desk.add(problem.at(span, "unknown action").help(help));
            None
        }
    }
}

/// Returns how actions are written that stand in one text: `ack, publish`, `nack(requeue=true)`.
fn joined(text: &str) -> Option<Help> {
    let group = WordGroup::named("action")?;
    let first = text.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|first| group.has(first))?;
    if text.contains(',') && !text.contains('(') {
        let words: Vec<&str> = text.split(',').map(str::trim).collect();
        return words
            .iter()
            .all(|word| group.has(word))
            .then(|| format!("write a list: `do: [{}]`", words.join(", ")).into());
    }
    let line = examples::of_key(group, first, Shape::Map).unwrap_or_else(|| first.to_owned());
    Some(format!("what an action takes stands behind it: `do: [{{{line}}}]`").into())
}

/// Takes an action that has no settings.
fn plain(value: Option<&Node>, word: &str, action: Action, desk: &mut Diagnostics) -> Option<Action> {
    let Some(value) = value else { return Some(action) };
    let problem = Problem::new(Code::ScenarioAction, format!("`{word}` takes nothing, found {}", value.describe()));
    let help = "the delays and the end stand in the topology, at the queue: `retry: {delays: [5s, 30s], then: QUEUE}`";
    desk.add(problem.at(value.span, "too much").help(help));
    None
}

fn reject(value: Option<&Node>, desk: &mut Diagnostics) -> Option<Action> {
    if let Some(entry) = value.and_then(|node| node.entries().iter().find(|entry| entry.key == "multiple")) {
        let problem = Problem::new(Code::ScenarioAction, "AMQP rejects one message at a time");
        let help = "`nack: {multiple: true}` settles all up to this one";
        desk.add(problem.at(entry.key_span, "basic.reject knows no `multiple`").help(help));
        return None;
    }
    switches(value, ("reject", "`reject`"), &["requeue"], desk).map(|[requeue, _]| Action::Reject { requeue })
}

/// Decodes a reply: a publish that says nothing of where it goes.
fn reply(value: Option<&Node>, span: Span, folder: &Folder<'_>, desk: &mut Diagnostics) -> Option<Action> {
    let empty = Node::new(span, NodeKind::Map(Vec::new()));
    let node = value.unwrap_or(&empty);
    let aims = ["exchange", "routing_key", "mandatory", "count", "every"];
    if let Some(entry) = node.entries().iter().find(|entry| aims.contains(&entry.key.as_str())) {
        let problem = Problem::new(Code::ScenarioAction, format!("a reply takes no `{}`", entry.key));
        let help = "it goes to the queue that `message.reply_to` names; `publish` sends a message elsewhere";
        desk.add(problem.at(entry.key_span, "not of a reply").help(help));
        return None;
    }
    publish(node, folder, desk).map(|publish| Action::Reply(Box::new(publish)))
}

/// Reads up to two switches of an action, absent ones are off.
fn switches(
    node: Option<&Node>,
    (group, what): (&str, &'static str),
    keys: &[&str],
    desk: &mut Diagnostics,
) -> Option<[bool; 2]> {
    let mut found = [false; 2];
    let Some(node) = node else { return Some(found) };
    let mut fields = MapDecoder::of(group, what, node, desk)?;
    for (at, key) in keys.iter().enumerate() {
        found[at] = fields.opt(key, desk, read::boolean).unwrap_or(false);
    }
    fields.finish(desk);
    Some(found)
}
