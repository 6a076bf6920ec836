//! Decodes consumers: whom they serve, their rules, matchers and actions.
//! Takes rendered nodes; gives actors. What the design has but the model has not is a problem that says so.

use super::fields::{Desk, Fields, each};
use super::publish::{Folder, forward, publish};
use super::read::{self, Read, Wrong};
use super::tree::{Entry, Kind, Node};
use crate::model::{Action, Consumer, DeathMatcher, Matcher, Name, QueueName, Rule, Template};
use crate::source::Problem;

/// The reasons for which a message dies (DL-1).
pub const DEATH_REASONS: [&str; 4] = ["rejected", "expired", "maxlen", "delivery_limit"];

/// Decodes one entry of `consumers`.
pub fn consumer(entry: &Entry, vhost: &Name, folder: &Folder<'_>, desk: &mut Desk) -> Option<Consumer> {
    let mut fields = Fields::of("a consumer", &entry.value, desk)?;
    let queue = fields.need("queue", desk, read::name);
    let vhost = fields.opt("vhost", desk, read::name).unwrap_or_else(|| vhost.clone());
    let prefetch = fields.opt("prefetch", desk, read::between(0u16, u16::MAX)).unwrap_or(0);
    let auto_ack = fields.opt("auto_ack", desk, read::boolean).unwrap_or(false);
    let exclusive = fields.opt("exclusive", desk, read::boolean).unwrap_or(false);
    let priority = fields.opt("priority", desk, read::integer);
    let arguments = fields.opt("arguments", desk, read::table).unwrap_or_default();
    let actor = fields.opt("as", desk, read::name);
    let start = fields.opt("start", desk, read::word(&["manual", "auto"]));
    let instances = fields.opt("instances", desk, read::between(1u16, 1_000)).unwrap_or(1);
    let concurrency = fields.opt("concurrency", desk, read::between(1u16, u16::MAX)).unwrap_or(1);
    let rules = fields.node("on_message").map(|node| {
        let list = match &node.kind {
            Kind::Map(_) => vec![rule(node, auto_ack, folder, desk)],
            _ => return each("`on_message`", node, desk, |node, desk| rule(node, auto_ack, folder, desk)),
        };
        list.into_iter().flatten().collect()
    });
    fields.not_yet(
        desk,
        &[
            ("batch", "work on one message after another, or raise `concurrency`"),
            ("timeout", "use `delay` before the settling action"),
            ("reconnect", "start the consumer again by a step: `- start: NAME`"),
            ("channel", "give both consumers a step `crash` each"),
            ("declare", "declare the queue in the topology, or by a step `declare`"),
        ],
    );
    fields.finish(desk);
    if concurrency > prefetch && prefetch > 0 {
        let problem = Problem::new("scenario::concurrency", "`concurrency` is more than `prefetch` lets through");
        desk.add(problem.at(entry.key_span, "this consumer").help("raise `prefetch` to the same number"));
    }
    let queue = QueueName { vhost, name: queue? };
    Some(Consumer {
        name: entry.key.as_str().into(),
        span: entry.key_span,
        queue,
        prefetch,
        auto_ack,
        exclusive,
        priority,
        arguments,
        actor,
        start_manually: start == Some("manual"),
        instances,
        concurrency,
        rules: rules.unwrap_or_default(),
    })
}

fn rule(node: &Node, auto_ack: bool, folder: &Folder<'_>, desk: &mut Desk) -> Option<Rule> {
    let mut fields = Fields::of("a rule of `on_message`", node, desk)?;
    let matcher = fields.node("match").map_or(Some(Matcher::default()), |node| matcher(node, desk));
    if !fields.has("do") {
        fields.missing("do", desk);
    }
    let done = fields.node("do");
    let actions = done.map_or_else(Vec::new, |node| match &node.kind {
        Kind::List(_) => each("`do`", node, desk, |node, desk| action(node, folder, desk)),
        _ => action(node, folder, desk).into_iter().collect(),
    });
    fields.finish(desk);
    let settles = |action: &Action| !matches!(action, Action::Delay(_) | Action::Publish(_) | Action::Forward(_));
    if !auto_ack && !actions.is_empty() && !actions.iter().any(settles) && !node.is_faulty() {
        let note = Problem::note("scenario::never_settled", "this rule settles nothing: its messages stay unacked");
        let span = done.map_or(node.span, |done| done.span);
        desk.add(note.at(span, "no ack, nack or reject").help("add `ack`, or `hold` to say that it is meant"));
    }
    Some(Rule { span: node.span, matcher: matcher?, actions })
}

/// Decodes `match`.
fn matcher(node: &Node, desk: &mut Desk) -> Option<Matcher> {
    let mut fields = Fields::of("`match`", node, desk)?;
    let header = if fields.has("headers") { "headers" } else { "header" };
    let matcher = Matcher {
        id: fields.opt("id", desk, read::late_name),
        routing_key: fields.opt("routing_key", desk, read::late_name),
        exchange: fields.opt("exchange", desk, read::late_name),
        headers: fields.opt(header, desk, read::late_table).unwrap_or_default(),
        json: fields.opt("json", desk, read::late_table).unwrap_or_default(),
        redelivered: fields.opt("redelivered", desk, read::boolean),
        x_death: fields.node("x_death").and_then(|node| death(node, desk)),
        attempt: fields.opt("attempt", desk, read::count),
        when: fields.opt("when", desk, when),
    };
    fields.not_yet(
        desk,
        &[
            ("chance", "match certain messages by `id` or `attempt`"),
            ("seen", "match the second time by `redelivered` or `attempt`"),
        ],
    );
    fields.finish(desk);
    Some(matcher)
}

fn when(node: &Node) -> Read<Template> {
    match &node.kind {
        Kind::Late(template) => Ok((**template).clone()),
        Kind::Bool(yes) => Template::compile(&format!("{{{{ {yes} }}}}"), node.span).map_err(|_| Wrong::Known),
        Kind::Faulty => Err(Wrong::Known),
        _ => Err(Wrong::Kind("a template like \"{{ message.json.n > 3 }}\"")),
    }
}

fn death(node: &Node, desk: &mut Desk) -> Option<DeathMatcher> {
    let mut fields = Fields::of("`x_death`", node, desk)?;
    let matcher = DeathMatcher {
        queue: fields.opt("queue", desk, read::late_name),
        reason: fields.opt("reason", desk, read::word(&DEATH_REASONS)).map(str::to_owned),
        exchange: fields.opt("exchange", desk, read::late_name),
        count: fields.opt("count", desk, read::count),
    };
    fields.finish(desk);
    Some(matcher)
}

/// All words that an action begins with.
const ACTIONS: [&str; 13] = [
    "ack",
    "nack",
    "reject",
    "requeue",
    "hold",
    "delay",
    "publish",
    "forward",
    "crash",
    "close_channel",
    "cancel",
    "reply",
    "retry",
];

/// Decodes one action: a word, or a map of one word and what it takes.
fn action(node: &Node, folder: &Folder<'_>, desk: &mut Desk) -> Option<Action> {
    let (word, span, value) = match &node.kind {
        Kind::Text(word) => (word.as_str(), node.span, None),
        Kind::Map(entries) => match entries.as_slice() {
            [entry] => (entry.key.as_str(), entry.key_span, Some(&entry.value)),
            _ => {
                let problem = Problem::new("scenario::action", "an action is one word with what it takes");
                let span = entries.get(1).map_or(node.span, |entry| entry.key_span);
                desk.add(problem.at(span, "a second word").help("begin each action with a dash of its own"));
                return None;
            }
        },
        Kind::Faulty => return None,
        _ => {
            desk.wrong("an action", node, Wrong::Kind("a word like `ack`"));
            return None;
        }
    };
    let value = value.filter(|value| !matches!(value.kind, Kind::Null));
    match word {
        "ack" => switches(value, "`ack`", &["multiple"], desk).map(|[multiple, _]| Action::Ack { multiple }),
        "nack" => switches(value, "`nack`", &["multiple", "requeue"], desk)
            .map(|[multiple, requeue]| Action::Nack { requeue, multiple }),
        "requeue" => switches(value, "`requeue`", &["multiple"], desk)
            .map(|[multiple, _]| Action::Nack { requeue: true, multiple }),
        "reject" => switches(value, "`reject`", &["requeue"], desk).map(|[requeue, _]| Action::Reject { requeue }),
        "hold" => Some(Action::Hold),
        "crash" => Some(Action::Crash),
        "close_channel" => Some(Action::CloseChannel),
        "cancel" => Some(Action::Cancel),
        "delay" => desk.read("`delay`", value.unwrap_or(node), read::duration).map(Action::Delay),
        "publish" => publish(value.unwrap_or(node), folder, desk).map(|publish| Action::Publish(Box::new(publish))),
        "forward" => forward(value.unwrap_or(node), desk).map(|forward| Action::Forward(Box::new(forward))),
        "reply" => {
            desk.not_yet("reply", span, "publish to \"{{ message.reply_to }}\" through the default exchange");
            None
        }
        "retry" => {
            desk.not_yet("retry", span, "forward to the exchange QUEUE.retry with the delay as routing key, then ack");
            None
        }
        _ => {
            let problem = Problem::new("scenario::action", format!("there is no action `{word}`"));
            desk.add(problem.at(span, "unknown action").help(super::near::suggest(word, ACTIONS, "there are")));
            None
        }
    }
}

/// Reads up to two switches of an action, absent ones are off.
fn switches(node: Option<&Node>, what: &'static str, keys: &[&str], desk: &mut Desk) -> Option<[bool; 2]> {
    let mut found = [false; 2];
    let Some(node) = node else { return Some(found) };
    let mut fields = Fields::of(what, node, desk)?;
    for (at, key) in keys.iter().enumerate() {
        found[at] = fields.opt(key, desk, read::boolean).unwrap_or(false);
    }
    fields.finish(desk);
    Some(found)
}
