//! Arguments of queues and exchanges: typed fields and raw ones become one table under RabbitMQ's names.
//! Takes the fields of an object; gives the table with places. The same argument twice in different words is a problem.

use crate::language::decode::map_decoder::{Diagnostics, MapDecoder};
use crate::language::decode::read;
use crate::language::decode::read::Read;
use crate::language::syntax::tree::{Node, NodeKind};
use crate::language::words::queue_fields;
use crate::model::{Table, Value};
use crate::rules::ValueKind;
use crate::source::{Code, Problem, Span};
use std::collections::BTreeMap;

/// A table in the making.
#[derive(Debug, Clone, Default)]
pub struct Arguments {
    pub table: Table,
    pub places: BTreeMap<String, Span>,
}

impl Arguments {
    /// Sets an argument, or says that it is set already.
    pub fn set(&mut self, name: &str, value: Value, place: Span, desk: &mut Diagnostics) {
        if let Some(first) = self.places.get(name) {
            if self.table.get(name) == Some(&value) && desk.export {
                return;
            }
            let problem = Problem::new(Code::TopologyArgumentTwice, format!("the argument `{name}` is given twice"))
                .at(place, "again here")
                .at(*first, "first here");
            return desk.add(problem.help("a typed field and `arguments` set the same thing: keep one of them"));
        }
        self.places.insert(name.to_owned(), place);
        self.table.insert(name.into(), value);
    }

    /// Takes `arguments:`, as RabbitMQ takes them.
    pub fn raw(&mut self, fields: &mut MapDecoder<'_>, desk: &mut Diagnostics) {
        let Some(node) = fields.node("arguments") else { return };
        if let NodeKind::Map(entries) = &node.kind {
            desk.read("`arguments`", node, read::short_names);
            for entry in entries {
                if holds_null(&entry.value) && !desk.refused {
                    let problem = Problem::new(Code::TopologyArgumentValue, format!("`{}` has no value", entry.key));
                    let problem = problem.at(entry.key_span.to(entry.value.span), "null");
                    desk.add(
                        problem.help("RabbitMQ's import refuses it: 400 null_not_allowed; leave the argument out"),
                    );
                    continue;
                }
                if let Some(value) = desk.read_key(&entry.key, &entry.value, read::amqp) {
                    self.set(&entry.key, value, entry.key_span.to(entry.value.span), desk);
                }
            }
        } else if !(desk.export && matches!(node.kind, NodeKind::Null)) {
            desk.read("`arguments`", node, read::arguments);
        }
    }

    /// Takes all typed fields of a queue.
    pub fn typed_queue_fields(&mut self, fields: &mut MapDecoder<'_>, desk: &mut Diagnostics) {
        for (field, argument) in queue_fields() {
            let Some(entry) = fields.entry(field) else { continue };
            if desk.export && matches!(entry.value.kind, NodeKind::Null) {
                continue;
            }
            if desk.export && argument.name == "queue-type" && entry.value.as_text() == Some("classic") {
                continue;
            }
            let refused = desk.refused;
            let read = |node: &Node| as_it_stands(refused, typed(argument.kind, node), node);
            if let Some(value) = desk.read_key(field, &entry.value, read) {
                self.set(&argument.full_name(), value, entry.key_span.to(entry.value.span), desk);
            }
        }
    }

    /// Takes `dead_letter: {exchange, routing_key, strategy}`.
    pub fn dead_letter(&mut self, fields: &mut MapDecoder<'_>, desk: &mut Diagnostics) {
        let Some(entry) = fields.entry("dead_letter") else { return };
        let Some(mut inner) = MapDecoder::of("dead_letter", "`dead_letter`", &entry.value, desk) else { return };
        let place = entry.key_span.to(entry.value.span);
        let refused = desk.refused;
        let name = |node: &Node| as_it_stands(refused, read::name(node).map(|name| Value::from(&*name)), node);
        let strategy = |node: &Node| {
            as_it_stands(refused, read::word(&["at-most-once", "at-least-once"])(node).map(Value::from), node)
        };
        let exchange = match refused {
            true => inner.opt("exchange", desk, name),
            false => inner.need("exchange", desk, name),
        };
        let key = inner.opt("routing_key", desk, name);
        let strategy = inner.opt("strategy", desk, strategy);
        let values = [("exchange", exchange), ("routing-key", key), ("strategy", strategy)];
        for (name, value) in values.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            self.set(&format!("x-dead-letter-{name}"), value, place, desk);
        }
        inner.finish(desk);
    }
}

/// Returns whether a value or anything in it is null.
fn holds_null(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Null => true,
        NodeKind::List(entries) => entries.iter().any(holds_null),
        NodeKind::Map(entries) => entries.iter().any(|entry| holds_null(&entry.value)),
        _ => false,
    }
}

/// Takes a value that is none of its kind as RabbitMQ's JSON would carry it, where the broker must refuse it.
pub fn as_it_stands(refused: bool, read: Read<Value>, node: &Node) -> Read<Value> {
    match read {
        Err(wrong) if refused => read::amqp(node).map_err(|_| wrong),
        read => read,
    }
}

/// Reads a typed field's value.
fn typed(kind: ValueKind, node: &Node) -> Read<Value> {
    Ok(match kind {
        ValueKind::Duration => Value::I64(i64::try_from(read::duration(node)?.0).unwrap_or(i64::MAX)),
        ValueKind::Size => Value::I64(read::size(node)?),
        ValueKind::Integer => Value::I64(read::integer(node)?),
        ValueKind::Text => Value::Text(read::text(node)?.into()),
        ValueKind::Bool => Value::Bool(read::boolean(node)?),
        ValueKind::OneOf(words) => Value::from(read::word(words)(node)?),
    })
}
