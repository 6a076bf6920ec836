//! Decodes consumers: whom they serve, with how many hands, and how they come back.
//! Takes rendered nodes; gives actors. What they do with a message is `actions`' and `matchers`'.

use crate::language::check::legal;
use crate::language::decode::collect;
use crate::language::decode::collect::ClimbedLadders;
use crate::language::decode::map_decoder::{Diagnostics, MapDecoder};
use crate::language::decode::read;
use crate::language::decode::read::{DecodeError, Read};
use crate::language::decode::scenario::actions::{actions, rules};
use crate::language::decode::scenario::publish::Folder;
use crate::language::decode::topology::objects::{Surroundings, bindings_of_queue, queue_fields};
use crate::language::syntax::tree::{Entry, Node, NodeKind};
use crate::model::{
    Action, ActionList, Batch, Consumer, Millis, Name, OwnQueue, Queue, QueueKind, QueueName, Reconnect, Timeout,
};
use crate::rules::short_string_excess;
use crate::source::{Code, Problem, Span};

/// Decodes one entry of `consumers`.
pub fn consumer(
    entry: &Entry,
    vhost: &Name,
    ladders: &ClimbedLadders,
    folder: &Folder<'_>,
    desk: &mut Diagnostics,
) -> Option<Consumer> {
    let mut fields = MapDecoder::of("consumer", "a consumer", &entry.value, desk)?;
    let own = fields.has("declare");
    let name = if own { fields.opt("queue", desk, read::name) } else { fields.need("queue", desk, read::name) };
    let vhost = fields.opt("vhost", desk, read::name).unwrap_or_else(|| vhost.clone());
    let nameless = own && !fields.has("queue");
    let name = if nameless { Some(format!("{}'s queue", entry.key).into()) } else { name };
    let auto_ack = fields.opt("auto_ack", desk, read::boolean).unwrap_or(false);
    let declare = fields.entry("declare");
    let own_queue = declare.zip(name.as_ref()).map(|(entry, name)| {
        // One that was a problem is still declared: nobody need hear that it is not.
        own_queue(entry, name, nameless, &vhost, desk).unwrap_or_else(|| plain_queue(name, &vhost))
    });
    let start = fields.opt("start", desk, read::word(&["manual", "auto"]));
    let queue = name.map(|name| QueueName { vhost: vhost.clone(), name });
    let ladder = queue.as_ref().and_then(|queue| ladders.get(queue)).cloned();
    let consumer = Consumer {
        name: entry.key.as_str().into(),
        span: entry.key_span,
        queue: queue.clone().unwrap_or_else(|| QueueName::new("", "")),
        own_queue,
        prefetch: fields.opt("prefetch", desk, read::between(0u16, u16::MAX)).unwrap_or(0),
        global_prefetch: fields.opt("global_prefetch", desk, read::between(0u16, u16::MAX)).unwrap_or(0),
        auto_ack,
        exclusive: fields.opt("exclusive", desk, read::boolean).unwrap_or(false),
        priority: fields.opt("priority", desk, read::integer),
        arguments: fields.opt("arguments", desk, read::arguments).unwrap_or_default(),
        actor: fields.opt("as", desk, read::name),
        transactional: fields.opt("tx", desk, read::boolean).unwrap_or(false),
        start_manually: start == Some("manual"),
        instances: fields.opt("instances", desk, read::between(1u16, 1_000)).unwrap_or(1),
        concurrency: fields.opt("concurrency", desk, read::between(1u16, u16::MAX)).unwrap_or(1),
        channel: fields.opt("channel", desk, read::name),
        batch: fields.node("batch").and_then(|node| batch(node, desk)),
        timeout: fields.node("timeout").and_then(|node| timeout(node, folder, desk)),
        reconnect: fields.node("reconnect").and_then(|node| reconnect(node, desk)),
        heartbeat: fields.opt("heartbeat", desk, heartbeat),
        ladder,
        rules: fields.node("on_message").map_or_else(Vec::new, |node| rules(node, auto_ack, folder, desk)),
    };
    let ruled = fields.has("on_message") || fields.is_misspelt("on_message");
    fields.finish(desk);
    queue?;
    if !ruled {
        let note = Problem::note(Code::ScenarioNoRules, format!("consumer `{}` does nothing", consumer.name));
        let help = "add `on_message: [{do: [ack]}]`; without a rule that matches a message is held unsettled";
        desk.add(note.at(entry.key_span, "no `on_message`").help(help));
    }
    judge(&consumer, &entry.value, desk);
    Some(consumer)
}

/// Reports what cannot work, and what hardly works as meant.
fn judge(consumer: &Consumer, node: &Node, desk: &mut Diagnostics) {
    let place = |key: &str| key_span(node, key).unwrap_or(consumer.span);
    if let Some(bytes) = consumer.instance_names().find_map(|tag| short_string_excess(&tag)) {
        let message = format!("the consumer tag would be {bytes} bytes long, and AMQP carries at most 255");
        let problem =
            Problem::new(Code::ScenarioLongTag, message).at(consumer.span, "the tag, with the instance's number");
        desk.add(problem.help("shorten the name of the consumer"));
    }
    let prefetch = consumer.prefetch;
    if prefetch > 0 && consumer.concurrency > prefetch {
        let problem = Problem::new(Code::ScenarioConcurrency, "`concurrency` is more than `prefetch` lets through");
        desk.add(problem.at(place("concurrency"), "this many at once").help("raise `prefetch` to the same number"));
    }
    if let Some(batch) = consumer.batch.filter(|batch| prefetch > 0 && batch.size > prefetch) {
        let message = format!("a batch of {} is never full: `prefetch` lets {prefetch} through", batch.size);
        let note = Problem::note(Code::ScenarioBatch, message);
        let help = "every batch waits for its `after`; raise `prefetch` to the size or more";
        desk.add(note.at(place("batch"), "waits for more than can come").help(help));
    }
    if consumer.ladder.is_none() && consumer.actions().any(|action| *action == Action::Retry) {
        let message = format!("queue '{}' has no delays that `retry` could climb", consumer.queue.name);
        let problem = Problem::new(Code::ScenarioNoLadder, message);
        let span = place(if key_span(node, "queue").is_some() { "queue" } else { "declare" });
        let help = "declare the queue with `retry: {delays: [5s, 30s], then: QUEUE}` in the topology; \
                    with `retry: {every: 5s}` the broker loops alone: `reject` is enough";
        desk.add(problem.at(span, "served here").help(help));
    }
    if consumer.instances > 1 && consumer.channel.is_none() {
        alone(consumer, &place, desk);
    }
}

/// Finds where instances shut each other out.
fn alone(consumer: &Consumer, place: &impl Fn(&str) -> Span, desk: &mut Diagnostics) {
    let owned = consumer.own_queue.as_ref().is_some_and(|own| own.queue.exclusive && !own.queue.name.is_empty());
    if owned {
        let message = "an exclusive queue belongs to one connection, and each instance has its own";
        let problem = Problem::new(Code::ScenarioExclusive, message).at(place("declare"), "declared exclusive");
        let help = "leave `queue` out: then the server names a queue for each; or let them share a `channel`";
        desk.add(problem.at(place("instances"), "more than one").help(help));
    }
    if consumer.exclusive {
        let message = "an exclusive consumer bears no other: a classic queue refuses the second instance (403)";
        let note = Problem::note(Code::ScenarioExclusive, message).at(place("exclusive"), "exclusive");
        desk.add(note.at(place("instances"), "more than one"));
    }
}

fn key_span(node: &Node, key: &str) -> Option<Span> {
    node.entries().iter().find(|entry| entry.key == key).map(|entry| entry.key_span)
}

/// Decodes `declare`: a queue as in a topology, but for its name, which stands at `queue` or is the server's choice.
fn own_queue(
    entry: &Entry,
    name: &Name,
    nameless: bool,
    vhost: &Name,
    desk: &mut Diagnostics,
) -> Option<Box<OwnQueue>> {
    let node = &entry.value;
    if let Some(name) = node.entries().iter().find(|entry| entry.key == "name") {
        let problem =
            Problem::new(Code::ScenarioOwnQueue, "the name of a consumer's own queue stands beside `declare`");
        let help = "write `queue: NAME`; without it the server chooses a name";
        desk.add(problem.at(name.key_span, "not here").help(help));
        return None;
    }
    let NodeKind::Map(entries) = &node.kind else {
        MapDecoder::of("own_queue", "`declare`", node, desk)?;
        return None;
    };
    let mut entries = entries.clone();
    let named = Node::new(entry.key_span, NodeKind::Text(name.clone()));
    entries.push(Entry { key: "name".into(), key_span: entry.key_span, value: named });
    let whole = Node { kind: NodeKind::Map(entries), ..*node };
    let mut fields = MapDecoder::of("queue", "`declare`", &whole, desk)?;
    let around = Surroundings { vhost: vhost.clone() };
    let read = queue_fields(&mut fields, &around, desk);
    let bindings = fields.node("bindings").map(|node| bindings_of_queue(node, vhost, name, desk)).unwrap_or_default();
    fields.not_yet(desk, &[("retry", "declare a queue with `retry` in the topology")]);
    fields.finish(desk);
    let (mut queue, arguments) = read?;
    let mut origin = collect::origin(node);
    origin.whole = entry.key_span;
    if !desk.refused {
        legal::queue(&queue, &arguments.places, &origin, desk);
    }
    if nameless && queue.kind() != QueueKind::Classic && !desk.refused {
        let message = format!("the server names no {} queue", queue.kind().as_str());
        let problem = Problem::new(Code::ScenarioOwnQueue, message).at(entry.key_span, "no `queue` beside it");
        let help = format!(
            "name it by `queue`; RabbitMQ would say: 406 PRECONDITION_FAILED - Cannot declare a server-named queue for type rabbit_{}_queue",
            queue.kind().as_str()
        );
        desk.add(problem.help(help));
    }
    let mut bindings: Vec<_> = bindings.into_iter().map(|(binding, _)| binding).collect();
    if nameless {
        queue.name = Name::default();
        bindings.iter_mut().for_each(|binding| binding.destination = Name::default());
    }
    Some(Box::new(OwnQueue { queue, bindings }))
}

fn plain_queue(name: &Name, vhost: &Name) -> Box<OwnQueue> {
    let (vhost, name, arguments) = (vhost.clone(), name.clone(), Default::default());
    let queue = Queue { vhost, name, durable: true, auto_delete: false, exclusive: false, arguments };
    Box::new(OwnQueue { queue, bindings: Vec::new() })
}

fn batch(node: &Node, desk: &mut Diagnostics) -> Option<Batch> {
    let mut fields = MapDecoder::of("batch", "`batch`", node, desk)?;
    let size = fields.need("size", desk, read::between(1u16, u16::MAX));
    let after = fields.need("after", desk, read::duration);
    fields.finish(desk);
    Some(Batch { size: size?, after: after? })
}

/// Reads a heartbeat, which AMQP counts in whole seconds; RabbitMQ proposes 60, and a client that wants more gets these.
fn heartbeat(node: &Node) -> Read<Millis> {
    let length = read::duration(node)?;
    match length.0 {
        1_000..=60_000 if length.0.is_multiple_of(1_000) => Ok(length),
        _ => {
            let help = Some("AMQP counts it in seconds, and RabbitMQ proposes 60: write `heartbeat: 5s`".into());
            Err(DecodeError::Value { message: "takes whole seconds from 1s to 60s".into(), help })
        }
    }
}

fn timeout(node: &Node, folder: &Folder<'_>, desk: &mut Diagnostics) -> Option<Timeout> {
    let mut fields = MapDecoder::of("timeout", "`timeout`", node, desk)?;
    let after = fields.need("after", desk, read::duration);
    let done = fields.node("do");
    if done.is_none() {
        fields.missing("do", desk);
    }
    let done = done.map_or_else(ActionList::default, |node| actions("`do`", node, folder, desk));
    fields.finish(desk);
    Some(Timeout { after: after?, span: node.span, done })
}

fn reconnect(node: &Node, desk: &mut Diagnostics) -> Option<Reconnect> {
    let mut fields = MapDecoder::of("reconnect", "`reconnect`", node, desk)?;
    let after = fields.need("after", desk, read::duration);
    let attempts = fields.opt("attempts", desk, read::between(1u32, 1_000_000));
    fields.finish(desk);
    Some(Reconnect { after: after?, attempts })
}
