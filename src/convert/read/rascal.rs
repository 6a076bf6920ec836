//! The configuration of rascal, a library for Node.js, as JSON or YAML: its vhosts with exchanges, queues and bindings.
//! Takes the tree; gives what rascal would declare, by its defaults. What its clients do (publications, subscriptions) is
//! noted and left out.

use crate::convert::read::Imported;
use crate::convert::read::foreign_map::{assumed, left_out, wrong_kind};
use crate::convert::read::rascal_bindings;
use crate::convert::read::rascal_layers::{Layers, RascalVhost};
use crate::language::{Node, NodeKind};
use crate::model::{Exchange, Queue, Table, Value, Vhost};
use crate::source::{Problem, Span};
use std::collections::BTreeMap;

/// The options of a queue that are arguments on the broker.
const OPTIONS: [(&str, &str); 7] = [
    ("messageTtl", "x-message-ttl"),
    ("expires", "x-expires"),
    ("deadLetterExchange", "x-dead-letter-exchange"),
    ("deadLetterRoutingKey", "x-dead-letter-routing-key"),
    ("maxLength", "x-max-length"),
    ("maxPriority", "x-max-priority"),
    ("overflow", "x-overflow"),
];

/// Keys that say nothing about the broker's objects.
const OF_CLIENTS: [&str; 7] =
    ["publications", "subscriptions", "redeliveries", "recovery", "encryption", "shovels", "counters"];

/// Reads a configuration.
pub fn read(roots: &[Node], problems: &mut Vec<Problem>) -> Imported {
    let mut imported = Imported { from: "a configuration of rascal".to_owned(), ..Imported::default() };
    for root in roots {
        let root = root.get("rascal").unwrap_or(root);
        note_clients(root, problems);
        let defaults = root.get("defaults").and_then(|defaults| defaults.get("vhosts"));
        for entry in root.get("vhosts").map_or(&[][..], Node::entries) {
            vhost(&entry.key, &entry.value, defaults, &mut imported, problems);
        }
    }
    imported
}

/// Notes what says how clients work.
fn note_clients(node: &Node, problems: &mut Vec<Problem>) {
    for entry in node.entries().iter().filter(|entry| OF_CLIENTS.contains(&entry.key.as_str())) {
        problems.push(left_out(format!("`{}` says what clients do, and is left out", entry.key), entry.key_span));
    }
}

fn vhost(name: &str, node: &Node, defaults: Option<&Node>, imported: &mut Imported, problems: &mut Vec<Problem>) {
    if !matches!(node.kind, NodeKind::Map(_)) {
        return problems.push(wrong_kind(&format!("vhost '{name}'"), "a map", node));
    }
    note_clients(node, problems);
    let namespace = match node.get("namespace").map(|node| (&node.kind, node.span)) {
        Some((NodeKind::Text(text), _)) => Some(text.to_string()),
        Some((NodeKind::Bool(true), span)) => {
            problems
                .push(assumed(format!("vhost '{name}': rascal makes a namespace by chance; names stay plain"), span));
            None
        }
        _ => None,
    };
    if matches!(node.get("assert").map(|node| &node.kind), Some(NodeKind::Bool(true))) {
        imported.declared.insert(name.into());
        imported.topology.vhosts.push(Vhost { name: name.into(), ..Vhost::default() });
    }
    let defaults = node.get("defaults").into_iter().chain(defaults).collect();
    let (exchanges, queues) = (BTreeMap::new(), BTreeMap::new());
    let mut vhost = RascalVhost { name: name.into(), exchanges, queues, namespace, defaults };
    for (name, layers, span) in keyed(node.get("exchanges"), "an exchange", &vhost.layers("exchanges"), problems) {
        vhost.exchange(&name, &layers, span, imported, problems);
    }
    for (name, layers, span) in keyed(node.get("queues"), "a queue", &vhost.layers("queues"), problems) {
        vhost.queue(&name, &layers, span, imported, problems);
    }
    let bindings = keyed(node.get("bindings"), "a binding", &vhost.layers("bindings"), problems);
    for (name, layers, span) in bindings {
        rascal_bindings::binding(&vhost, &name, &layers, span, imported, problems);
    }
}

impl RascalVhost<'_> {
    fn exchange(
        &mut self,
        name: &str,
        layers: &Layers<'_>,
        span: Span,
        imported: &mut Imported,
        problems: &mut Vec<Problem>,
    ) {
        let full = self.qualified(name);
        self.exchanges.insert(name.to_owned(), full.clone());
        if name.is_empty() || name.starts_with("amq.") {
            return;
        }
        note_unasserted("exchange", name, layers, span, problems);
        let mut arguments = Table::new();
        if let Some(alternate) = layers.text(&["options", "alternateExchange"]) {
            arguments.insert("alternate-exchange".into(), Value::from(alternate));
        }
        arguments.extend(layers.arguments(&["options", "arguments"]));
        imported.topology.exchanges.push(Exchange {
            vhost: self.name.clone(),
            name: full,
            kind: layers.text(&["type"]).unwrap_or("topic").into(),
            durable: layers.flag(&["options", "durable"], true),
            auto_delete: layers.flag(&["options", "autoDelete"], false),
            internal: layers.flag(&["options", "internal"], false),
            arguments,
        });
    }

    fn queue(
        &mut self,
        name: &str,
        layers: &Layers<'_>,
        span: Span,
        imported: &mut Imported,
        problems: &mut Vec<Problem>,
    ) {
        let mut full = self.qualified(name);
        if let Some(reply) = layers.get(&["replyTo"]).filter(|node| !matches!(node.kind, NodeKind::Bool(false))) {
            let Some(suffix) = reply.as_text() else {
                return problems.push(left_out(format!("queue '{name}' gets a name by chance (`replyTo`)"), span));
            };
            full = format!("{full}:{suffix}").into();
        }
        if layers.flag(&["options", "exclusive"], false) {
            return problems.push(left_out(format!("queue '{name}' is exclusive to the connection of a client"), span));
        }
        note_unasserted("queue", name, layers, span, problems);
        self.queues.insert(name.to_owned(), full.clone());
        let mut arguments = Table::new();
        for (option, argument) in OPTIONS {
            if let Some(value) = layers.get(&["options", option]) {
                arguments.insert(argument.into(), Value::from_json(&value.to_json()));
            }
        }
        for (key, value) in layers.arguments(&["options", "arguments"]) {
            // rascal puts its namespace before this one argument, and before no other.
            let value = match (&*key, value.as_text()) {
                ("x-dead-letter-exchange", Some(exchange)) => Value::from(&self.qualified(exchange)),
                _ => value,
            };
            arguments.insert(key, value);
        }
        imported.topology.queues.push(Queue {
            vhost: self.name.clone(),
            name: full,
            durable: layers.flag(&["options", "durable"], true),
            auto_delete: layers.flag(&["options", "autoDelete"], false),
            exclusive: false,
            arguments,
        });
    }
}

/// Notes an object that rascal itself does not declare.
fn note_unasserted(kind: &str, name: &str, layers: &Layers<'_>, span: Span, problems: &mut Vec<Problem>) {
    if !layers.flag(&["assert"], true) {
        let message = format!("{kind} '{name}' is declared by others (`assert: false`): what it is like is assumed");
        problems.push(assumed(message, span));
    }
}

/// Lists the entries of a collection with their names: a list of names and maps, or a map by name.
fn keyed<'n>(
    node: Option<&'n Node>,
    what: &str,
    defaults: &[&'n Node],
    problems: &mut Vec<Problem>,
) -> Vec<(String, Layers<'n>, Span)> {
    let layers = |own: &'n Node| Layers(std::iter::once(own).chain(defaults.iter().copied()).collect());
    let Some(node) = node else { return Vec::new() };
    match &node.kind {
        NodeKind::Map(entries) => {
            entries.iter().map(|entry| (entry.key.to_string(), layers(&entry.value), entry.key_span)).collect()
        }
        NodeKind::List(entries) => {
            let mut found = Vec::new();
            for entry in entries {
                match (&entry.kind, entry.get("name").and_then(Node::as_text)) {
                    (NodeKind::Text(name), _) => found.push((name.to_string(), layers(entry), entry.span)),
                    (NodeKind::Map(_), name) => found.push((name.unwrap_or("").to_owned(), layers(entry), entry.span)),
                    _ => problems.push(wrong_kind(what, "a name or a map", entry)),
                }
            }
            found
        }
        NodeKind::Null => Vec::new(),
        _ => {
            problems.push(wrong_kind(what, "a list or a map", node));
            Vec::new()
        }
    }
}
