//! Decodes queues, exchanges and bindings, with what may be written inside them.
//! Takes a rendered node; gives model objects. Macros are written out by `retry`, legality is judged by `legal`.

use crate::language::check::legal;
use crate::language::decode::collect::{Collected, origin};
use crate::language::decode::map_decoder::{Diagnostics, MapDecoder, each};
use crate::language::decode::read;
use crate::language::decode::topology::arguments::{Arguments, as_it_stands};
use crate::language::decode::topology::retry;
use crate::language::syntax::tree::Node;
use crate::model::{Binding, DestinationKind, Exchange, Name, Origin, Queue, Replacement, Table, Value};
use crate::source::{Code, Problem};

/// What every object of a file needs to know.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Where an object goes that names no vhost.
    pub vhost: Name,
}

/// Reads a queue's own fields and arguments.
pub fn queue_fields(
    fields: &mut MapDecoder<'_>,
    around: &Surroundings,
    desk: &mut Diagnostics,
) -> Option<(Queue, Arguments)> {
    let name = fields.need("name", desk, read::name);
    let vhost = fields.opt("vhost", desk, read::name).unwrap_or_else(|| around.vhost.clone());
    let durable = fields.opt("durable", desk, read::boolean).unwrap_or(true);
    let auto_delete = fields.opt("auto_delete", desk, read::boolean).unwrap_or(false);
    let exclusive = fields.opt("exclusive", desk, read::boolean).unwrap_or(false);
    let mut arguments = Arguments::default();
    arguments.typed_queue_fields(fields, desk);
    arguments.dead_letter(fields, desk);
    arguments.raw(fields, desk);
    let table = arguments.table.clone();
    Some((Queue { vhost, name: name?, durable, auto_delete, exclusive, arguments: table }, arguments))
}

/// Decodes one entry of `queues`.
pub fn queue(
    node: &Node,
    around: &Surroundings,
    into: &mut Collected,
    pending: &mut Vec<retry::PendingRetry>,
    desk: &mut Diagnostics,
) {
    let Some(mut fields) = MapDecoder::of("queue", "a queue", node, desk) else { return };
    let read = queue_fields(&mut fields, around, desk);
    let bindings = fields.node("bindings");
    let ladder =
        fields.entry("retry").and_then(|entry| retry::read(entry, node.get("name").and_then(Node::as_text), desk));
    let replace = fields.opt("replace", desk, read::word(&Replacement::WORDS)).and_then(Replacement::named);
    fields.finish(desk);
    let Some((mut queue, mut arguments)) = read else { return };
    into.handling.replace.extend(replace.map(|replace| (queue.id(), replace)));
    if let Some(ladder) = &ladder {
        ladder.dress(&mut queue, &mut arguments, desk);
    }
    let origin = origin(node);
    legal::queue(&queue, &arguments.places, &origin, desk);
    if let Some(bindings) = bindings {
        let to = Destination { vhost: queue.vhost.clone(), name: queue.name.clone(), kind: DestinationKind::Queue };
        inline_bindings(bindings, &to, into, desk);
    }
    if let Some(ladder) = ladder {
        pending.push((queue.clone(), ladder));
    }
    into.queue(queue, origin, desk);
}

/// Reads an exchange's own fields and arguments.
pub fn exchange_fields(fields: &mut MapDecoder<'_>, around: &Surroundings, desk: &mut Diagnostics) -> Option<Exchange> {
    let name = fields.need("name", desk, read::name);
    let vhost = fields.opt("vhost", desk, read::name).unwrap_or_else(|| around.vhost.clone());
    let kind = match fields.node("type") {
        Some(node) if desk.refused => desk.read("`type`", node, read::name),
        Some(node) => desk.read("`type`", node, legal::exchange_type),
        None => Some("direct".into()),
    };
    let durable = fields.opt("durable", desk, read::boolean).unwrap_or(true);
    let auto_delete = fields.opt("auto_delete", desk, read::boolean).unwrap_or(false);
    let internal = fields.opt("internal", desk, read::boolean).unwrap_or(false);
    let mut arguments = Arguments::default();
    if let Some(entry) = fields.entry("alternate_exchange") {
        let refused = desk.refused;
        let name = |node: &Node| as_it_stands(refused, read::name(node).map(|name| Value::from(&*name)), node);
        if let Some(name) = desk.read("`alternate_exchange`", &entry.value, name) {
            arguments.set("alternate-exchange", name, entry.key_span.to(entry.value.span), desk);
        }
    }
    arguments.raw(fields, desk);
    Some(Exchange { vhost, name: name?, kind: kind?, durable, auto_delete, internal, arguments: arguments.table })
}

/// Decodes one entry of `exchanges`.
pub fn exchange(node: &Node, around: &Surroundings, into: &mut Collected, desk: &mut Diagnostics) {
    let Some(mut fields) = MapDecoder::of("exchange", "an exchange", node, desk) else { return };
    let read = exchange_fields(&mut fields, around, desk);
    let bindings = fields.node("bindings");
    fields.finish(desk);
    let Some(exchange) = read else { return };
    let origin = origin(node);
    legal::exchange(&exchange, &origin, desk);
    if let Some(bindings) = bindings {
        let (vhost, name) = (exchange.vhost.clone(), exchange.name.clone());
        inline_bindings(bindings, &Destination { vhost, name, kind: DestinationKind::Exchange }, into, desk);
    }
    into.exchange(exchange, origin, desk);
}

/// What an inline binding leads to.
struct Destination {
    vhost: Name,
    name: Name,
    kind: DestinationKind,
}

fn inline_bindings(node: &Node, to: &Destination, into: &mut Collected, desk: &mut Diagnostics) {
    for (binding, origin) in bindings_to(node, to, desk) {
        into.binding(binding, origin, desk);
    }
}

/// Decodes the `bindings` that stand in a queue, with their places.
pub fn bindings_of_queue(node: &Node, vhost: &Name, queue: &Name, desk: &mut Diagnostics) -> Vec<(Binding, Origin)> {
    let to = Destination { vhost: vhost.clone(), name: queue.clone(), kind: DestinationKind::Queue };
    bindings_to(node, &to, desk)
}

fn bindings_to(node: &Node, to: &Destination, desk: &mut Diagnostics) -> Vec<(Binding, Origin)> {
    each("`bindings`", node, desk, |node, desk| {
        let mut fields = MapDecoder::of("binding_to", "a binding", node, desk)?;
        let source = fields.need("source", desk, read::name);
        let read = key_and_arguments(&mut fields, desk);
        let is_whole = finished(fields, desk);
        let (routing_key, arguments) = read.filter(|_| is_whole)?;
        let (vhost, destination, destination_kind) = (to.vhost.clone(), to.name.clone(), to.kind);
        Some((Binding { vhost, source: source?, destination, destination_kind, routing_key, arguments }, origin(node)))
    })
}

/// Reads a binding's key and arguments; a faulty key makes no binding, not one with an empty key.
fn key_and_arguments(fields: &mut MapDecoder<'_>, desk: &mut Diagnostics) -> Option<(Name, Table)> {
    let routing_key = match fields.has("routing_key") {
        true => fields.opt("routing_key", desk, read::name),
        false => {
            // Known, though it is not there: what is misspelt for it leads to it.
            fields.entry("routing_key");
            Some(Name::default())
        }
    };
    let mut arguments = Arguments::default();
    arguments.raw(fields, desk);
    Some((routing_key?, arguments.table))
}

/// Reads a binding that names both ends: by `destination` and its type, or by `queue` or `exchange`.
pub fn binding_fields(fields: &mut MapDecoder<'_>, vhost: Name, desk: &mut Diagnostics) -> Option<Binding> {
    let source = fields.need("source", desk, read::name);
    let (destination, destination_kind) = if let Some(queue) = fields.opt("queue", desk, read::name) {
        (Some(queue), DestinationKind::Queue)
    } else if let Some(exchange) = fields.opt("exchange", desk, read::name) {
        (Some(exchange), DestinationKind::Exchange)
    } else {
        let kind = fields.opt("destination_type", desk, read::word(&["queue", "exchange"]));
        let kind = if kind == Some("exchange") { DestinationKind::Exchange } else { DestinationKind::Queue };
        let is_misspelt = ["queue", "exchange", "destination"].iter().any(|key| fields.is_misspelt(key));
        if !fields.has("destination") && !fields.has("to") && !is_misspelt {
            let problem = Problem::new(Code::ValueMissing, "a binding says what it leads to");
            let help = "write `queue: work` or `exchange: archive`; RabbitMQ's own `destination` and `destination_type` do, too";
            desk.add(problem.at(fields.span(), "neither `queue` nor `exchange`").help(help));
        }
        (fields.opt("destination", desk, read::name), kind)
    };
    let (routing_key, arguments) = key_and_arguments(fields, desk)?;
    Some(Binding { vhost, source: source?, destination: destination?, destination_kind, routing_key, arguments })
}

/// Tells of unknown keys; returns whether there were none, for a binding by a misspelt key would be another one.
fn finished(fields: MapDecoder<'_>, desk: &mut Diagnostics) -> bool {
    let before = desk.problems.len();
    fields.finish(desk);
    desk.export || desk.problems.len() == before
}

/// Decodes one entry of `bindings`.
pub fn binding(node: &Node, around: &Surroundings, into: &mut Collected, desk: &mut Diagnostics) {
    let Some(mut fields) = MapDecoder::of("binding", "a binding", node, desk) else { return };
    let vhost = fields.opt("vhost", desk, read::name).unwrap_or_else(|| around.vhost.clone());
    if desk.export {
        fields.ignore(&["properties_key"]);
    }
    let read = binding_fields(&mut fields, vhost, desk);
    let is_whole = finished(fields, desk);
    if let Some(binding) = read.filter(|_| is_whole) {
        let origin: Origin = origin(node);
        into.binding(binding, origin, desk);
    }
}
