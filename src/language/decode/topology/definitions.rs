//! What RabbitMQ's own import makes of a definitions file, where it differs from what the file seems to say.
//! Takes the tree of an export or of a `.json` file; returns the tree to decode, with a note for each difference that a
//! reader would want to know. Never touches a topology file in YAML.

use crate::language::decode::map_decoder::Diagnostics;
use crate::language::decode::suggestions;
use crate::language::syntax::tree::{Node, NodeKind, Said};
use crate::language::words::WordGroup;
use crate::model::Name;
use crate::source::{Code, Level, Problem, Span};
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeSet;

/// The flags that an old export may call "undefined": 3.10 and 4.0 store an import that left them out so.
const FLAGS: [&str; 4] = ["auto_delete", "durable", "internal", "exclusive"];

/// The lists whose entries belong to a vhost.
const OF_A_VHOST: [&str; 6] = ["parameters", "policies", "operator_policies", "queues", "exchanges", "bindings"];

/// Rewrites a definitions file to what an import would do.
pub fn as_imported(root: &mut Node, is_export: bool, desk: &mut Diagnostics) {
    let one_vhost = is_export && is_of_one_vhost(root);
    let skipped = server_named_queues(root, desk);
    let NodeKind::Map(lists) = &mut root.kind else { return };
    for list in lists {
        // What is no list is told by the decoder: there is nothing to rewrite in it.
        let NodeKind::List(entries) = &mut list.value.kind else { continue };
        if one_vhost && OF_A_VHOST.contains(&list.key.as_str()) {
            entries.iter_mut().for_each(without_vhost);
        }
        match list.key.as_str() {
            "vhosts" => entries.iter().for_each(|vhost| default_type_outside_metadata(vhost, desk)),
            "queues" => {
                entries.retain(|queue| !is_server_named(queue));
                entries.iter_mut().for_each(|queue| queue_as_imported(queue, is_export, desk));
            }
            "exchanges" => {
                entries.retain(|exchange| text(exchange, "name") != Some(""));
                entries.iter_mut().for_each(|exchange| object_as_imported(exchange, desk));
                let read = "rmqplay makes a direct one";
                entries.iter().for_each(|exchange| note_missing("an exchange", exchange, "type", read, desk));
            }
            "bindings" => {
                entries.retain(|binding| !is_implicit(binding) && !leads_to(binding, &skipped));
                entries.iter_mut().for_each(|binding| binding_as_imported(binding, desk));
                let read = "rmqplay takes the destination for a queue";
                let to = |binding: &&Node| binding.get("destination").is_some();
                let bindings = entries.iter().filter(to);
                bindings.for_each(|binding| note_missing("a binding", binding, "destination_type", read, desk));
            }
            _ => {}
        }
    }
    lists_without_repeats(root, desk);
}

/// Returns the vhost that objects of a single vhost's export name, where the export itself does not (3.10).
pub fn vhost_of_objects(root: &Node) -> Option<Name> {
    let lists = ["policies", "parameters"].iter().filter_map(|list| root.get(list));
    let entries = lists.flat_map(|list| match &list.kind {
        NodeKind::List(entries) => entries.as_slice(),
        _ => &[],
    });
    entries.filter(|_| is_of_one_vhost(root)).find_map(|entry| text(entry, "vhost")).map(Name::from)
}

/// Returns whether a file that a broker wrote is the export of one vhost: it names neither vhosts nor users.
fn is_of_one_vhost(root: &Node) -> bool {
    root.get("vhosts").is_none() && root.get("users").is_none()
}

/// A file whose name says JSON and whose text is none: RabbitMQ refuses it whole.
pub fn note_if_not_json(text: &str, root: &Node, desk: &mut Diagnostics) {
    let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) else { return };
    let line_at = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let at = (line_at + error.column().saturating_sub(1)).min(text.len());
    let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let span = Span::new(root.span.file, at, (at + 1).min(text.len()));
    let note = Problem::note(Code::FileNotJson, "RabbitMQ's own import refuses this file: it is not JSON");
    desk.add(note.at(span, "no JSON from here on").help("rmqplay reads it as YAML; name it .yaml, or mend it"));
}

fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key).and_then(Node::as_text)
}

fn without_vhost(entry: &mut Node) {
    if let NodeKind::Map(fields) = &mut entry.kind {
        fields.retain(|field| field.key != "vhost");
    }
}

/// Import leaves out queues that a server named: they belong to a connection that is gone.
fn server_named_queues(root: &Node, desk: &mut Diagnostics) -> BTreeSet<String> {
    let Some(NodeKind::List(queues)) = root.get("queues").map(|list| &list.kind) else { return BTreeSet::new() };
    let named: Vec<&Node> = queues.iter().filter(|queue| is_server_named(queue)).collect();
    if let Some(first) = named.first() {
        let message = match named.len() {
            1 => "a queue with a name of RabbitMQ's own is left out, with its bindings".to_owned(),
            count => format!("{count} queues with names of RabbitMQ's own are left out, with their bindings"),
        };
        let span = first.get("name").map_or(first.span, |name| name.span);
        let note = Problem::note(Code::TopologyServerNamed, message).at(span, "begins with `amq.`");
        desk.add(note.help("RabbitMQ's own import leaves them out, too: nobody can declare such a name"));
    }
    named.iter().filter_map(|queue| text(queue, "name")).map(str::to_owned).collect()
}

fn is_server_named(queue: &Node) -> bool {
    text(queue, "name").is_some_and(|name| name.starts_with("amq."))
}

fn leads_to(binding: &Node, queues: &BTreeSet<String>) -> bool {
    text(binding, "destination").is_some_and(|name| queues.contains(name))
        && text(binding, "destination_type") != Some("exchange")
}

/// Every queue is bound to the default exchange by its name: import passes over that.
fn is_implicit(binding: &Node) -> bool {
    text(binding, "source") == Some("") && text(binding, "routing_key") == text(binding, "destination")
}

/// What queues and exchanges have in common: flags that are "undefined", and arguments written as an empty list.
fn object_as_imported(object: &mut Node, desk: &mut Diagnostics) {
    let NodeKind::Map(fields) = &mut object.kind else { return };
    for field in fields {
        let is_undefined = FLAGS.contains(&field.key.as_str()) && field.value.as_text() == Some("undefined");
        if is_undefined {
            let (message, at) = (format!("`{}` is \"undefined\", and is taken for false", field.key), field.value.span);
            let note = Problem::note(Code::TopologyUndefinedFlag, message).at(at, "neither true nor false");
            desk.add(note.help("a broker stores it so when an import leaves the flag out"));
            field.value.kind = NodeKind::Bool(field.key == "durable");
        }
        if field.key == "arguments" && matches!(&field.value.kind, NodeKind::List(entries) if entries.is_empty()) {
            field.value.kind = NodeKind::Map(Vec::new());
        }
    }
}

fn queue_as_imported(queue: &mut Node, is_export: bool, desk: &mut Diagnostics) {
    object_as_imported(queue, desk);
    let by_argument = queue.get("arguments").and_then(|arguments| arguments.get("x-queue-type")).cloned();
    let Some(kind) = queue.get("type").cloned() else { return };
    match by_argument {
        Some(argument) => {
            if argument.as_text() != kind.as_text() {
                let message = "`type` is not what `x-queue-type` says, and import goes by the argument";
                let note = Problem::note(Code::TopologyIgnoredByImport, message).at(kind.span, "ignored");
                desk.add(note.at(argument.span, "holds").help("leave `type` out"));
            }
            if let NodeKind::Map(fields) = &mut queue.kind {
                fields.retain(|field| field.key != "type");
            }
        }
        None if is_export || matches!(kind.as_text(), None | Some("classic")) => {}
        None => {
            let message = "RabbitMQ's own import ignores `type` here and makes a queue of the vhost's default type";
            let note = Problem::note(Code::TopologyIgnoredByImport, message).at(kind.span, "rmqplay makes this type");
            desk.add(note.help("write `x-queue-type` into `arguments`: both read that"));
        }
    }
}

fn default_type_outside_metadata(vhost: &Node, desk: &mut Diagnostics) {
    let inside = vhost.get("metadata").and_then(|metadata| metadata.get("default_queue_type"));
    let Some(kind) = vhost.get("default_queue_type").filter(|_| inside.is_none()) else { return };
    if matches!(kind.as_text(), Some("classic" | "undefined")) {
        return;
    }
    let message = "RabbitMQ's own import ignores `default_queue_type` outside of `metadata`";
    let note = Problem::note(Code::TopologyIgnoredByImport, message).at(kind.span, "rmqplay sets it");
    desk.add(note.help("write it into `metadata: {…}`: both read that"));
}

fn binding_as_imported(binding: &mut Node, desk: &mut Diagnostics) {
    object_as_imported(binding, desk);
    let NodeKind::Map(fields) = &binding.kind else { return };
    // What is misspelt for it is told as an unknown key.
    let is_known = |key: &str| WordGroup::named("binding").is_some_and(|group| group.has(key) && key != "routing_key");
    let is_near = |key: &str| !is_known(key) && suggestions::nearest(key, ["routing_key"]).is_some();
    if fields.iter().any(|field| is_near(&field.key)) {
        return;
    }
    let note =
        Problem::note(Code::TopologyNoRoutingKey, "a binding without `routing_key`: rmqplay binds with an empty one");
    let help = "RabbitMQ's own import stores the key 'undefined' (4.0: one that routes nothing); write `routing_key`";
    desk.add(note.at(binding.span, "no `routing_key`").help(help));
}

/// Notes a key that has a default here, and none in RabbitMQ's import.
fn note_missing(what: &str, object: &Node, key: &str, read: &str, desk: &mut Diagnostics) {
    if matches!(object.kind, NodeKind::Map(_)) && object.get(key).is_none() {
        let note = Problem::note(Code::ValueMissing, format!("RabbitMQ's own import refuses {what} without `{key}`"));
        desk.add(note.at(object.span, format!("no `{key}`")).help(format!("{read}; write `{key}`")));
    }
}

/// Import takes the same object twice in silence; twice with different fields stays a problem of the decoder.
fn lists_without_repeats(root: &mut Node, desk: &mut Diagnostics) {
    let NodeKind::Map(lists) = &mut root.kind else { return };
    for list in lists {
        let NodeKind::List(entries) = &mut list.value.kind else { continue };
        let mut seen = IndexSet::with_capacity_and_hasher(entries.len(), FxBuildHasher);
        let maps = entries.iter().map(|entry| (matches!(entry.kind, NodeKind::Map(_)), Said(entry)));
        let repeated: Vec<bool> = maps.map(|(is_map, said)| is_map && !seen.insert(said)).collect();
        let mut spans = Vec::new();
        let mut repeated = repeated.into_iter();
        entries.retain(|entry| {
            let goes = repeated.next() == Some(true);
            spans.extend(goes.then_some(entry.span));
            !goes
        });
        for span in spans {
            let message = format!("an entry of `{}` stands in the file twice, the same", list.key);
            let note = Problem { level: Level::Note, ..Problem::new(Code::TopologyDeclaredTwice, message) };
            desk.add(note.at(span, "again here").help("one of them can go"));
        }
    }
}
