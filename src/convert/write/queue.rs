//! A queue in the words of the language: typed fields with units, its dead letters, its delays, its bindings.
//! Takes a queue; gives its map. An argument that no typed field takes as it is stays in `arguments`.

use crate::convert::write::values::{put, raw_arguments};
use crate::convert::write::yaml::Yaml;
use crate::convert::write::{Writer, flags, units};
use crate::language::queue_field;
use crate::model::{DestinationKind, Queue, Table, Value};
use crate::rules::{QUEUE_ARGUMENTS, QueueArgument, ValueKind};

impl Writer<'_> {
    /// Writes a queue, unless a `retry:` declares it.
    pub(crate) fn queue(&mut self, queue: &Queue) -> Option<Yaml> {
        if self.ladders.implied.contains(&queue.object()) {
            return None;
        }
        let mut fields = vec![("name".to_owned(), Yaml::text(&queue.name))];
        self.vhost(&queue.vhost, &mut fields);
        let mut arguments = queue.arguments.clone();
        typed_field(&mut fields, &mut arguments, &QUEUE_ARGUMENTS[0]);
        flags(&mut fields, &[("durable", queue.durable, true), ("auto_delete", queue.auto_delete, false)]);
        flags(&mut fields, &[("exclusive", queue.exclusive, false)]);
        if self.ladders.looping.contains(&queue.id()) {
            arguments.shift_remove("x-dead-letter-exchange");
            arguments.shift_remove("x-dead-letter-routing-key");
        }
        let dead_letter = dead_letter(&mut arguments);
        for argument in &QUEUE_ARGUMENTS[1..] {
            typed_field(&mut fields, &mut arguments, argument);
        }
        if let Some(dead_letter) = dead_letter {
            put(&mut fields, "dead_letter", dead_letter);
        }
        if let Some(retry) = self.ladders.by_queue.remove(&queue.id()) {
            put(&mut fields, "retry", retry);
        }
        raw_arguments(&mut fields, &arguments, &format!("queue_{}", queue.name), &mut self.secrets);
        self.bindings_to((queue.vhost.clone(), DestinationKind::Queue, queue.name.clone()), &mut fields);
        Some(Yaml::Map(fields))
    }
}

/// Takes the arguments of dead-lettering together, when there is an exchange among them.
fn dead_letter(arguments: &mut Table) -> Option<Yaml> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_text).map(str::to_owned);
    let exchange = text("x-dead-letter-exchange")?;
    let mut fields = vec![("exchange".to_owned(), Yaml::text(&exchange))];
    let mut taken = vec!["x-dead-letter-exchange"];
    if let Some(key) = text("x-dead-letter-routing-key") {
        put(&mut fields, "routing_key", Yaml::text(&key));
        taken.push("x-dead-letter-routing-key");
    }
    if let Some(word) =
        text("x-dead-letter-strategy").filter(|word| matches!(&**word, "at-most-once" | "at-least-once"))
    {
        put(&mut fields, "strategy", Yaml::text(&word));
        taken.push("x-dead-letter-strategy");
    }
    taken.into_iter().for_each(|name| {
        arguments.shift_remove(name);
    });
    Some(Yaml::Map(fields))
}

/// Moves an argument to its typed field, where that takes exactly this value.
fn typed_field(fields: &mut Vec<(String, Yaml)>, arguments: &mut Table, argument: &QueueArgument) {
    let name = argument.full_name();
    let Some(value) = arguments.get(&name) else { return };
    let written = match (argument.kind, value) {
        (ValueKind::Duration, Value::I64(ms)) => units::duration(*ms).map(|text| Yaml::with_unit(&text)),
        (ValueKind::Size, Value::I64(bytes)) => Some(Yaml::with_unit(&units::size(*bytes))),
        (ValueKind::Integer, Value::I64(n)) => Some(Yaml::integer(*n)),
        (ValueKind::Text, Value::Text(text)) => Some(Yaml::text(text)),
        (ValueKind::Bool, Value::Bool(yes)) => Some(Yaml::bool(*yes)),
        (ValueKind::OneOf(words), Value::Text(text)) => words.contains(&&**text).then(|| Yaml::text(text)),
        _ => None,
    };
    if let Some(written) = written {
        put(fields, &queue_field(argument), written);
        arguments.shift_remove(&name);
    }
}
