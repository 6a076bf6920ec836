//! Exchange types that not every broker has.
//! Takes a topology's view; gives findings, one for each type. Types that only some versions have are told by `language`.

use crate::foresee::lint::findings::LintFindings;
use crate::foresee::topology_view::TopologyView;
use crate::model::{DestinationKind, Exchange, Value};
use crate::rules::{HashInput, check_local_random_binding, hash_weight, recent_history_length};
use crate::source::{Code, Problem};
use std::collections::BTreeSet;

/// The plugins that bring a type, by the names that `rabbitmq-plugins` knows.
const PLUGINS: [(&str, &str); 5] = [
    ("x-consistent-hash", "rabbitmq_consistent_hash_exchange"),
    ("x-delayed-message", "rabbitmq_delayed_message_exchange"),
    ("x-jms-topic", "rabbitmq_jms_topic_exchange"),
    ("x-random", "rabbitmq_random_exchange"),
    ("x-recent-history", "rabbitmq_recent_history_exchange"),
];

/// The types that every broker has.
const OWN: [&str; 4] = ["direct", "fanout", "headers", "topic"];

/// Looks at the type of each exchange, and at what types refuse; a plugin that is said to be needed is known to be.
pub fn check(view: &TopologyView<'_>, needed: &[&str], found: &mut LintFindings) {
    bindings(view, found);
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for exchange in &view.topology.exchanges {
        let kind = &*exchange.kind;
        // Told apart from the plugin: who allows that has not said how the exchange routes.
        if kind == "x-delayed-message" {
            delayed(exchange, view, found);
        }
        arguments(exchange, view, found);
        let brought = PLUGINS.iter().find(|(known, _)| *known == kind);
        let brought = brought.filter(|(_, plugin)| !needed.contains(plugin) && told.insert(kind));
        let Some((_, plugin)) = brought else { continue };
        let message = format!("exchange type `{kind}` is brought by a plugin: exchange '{}'", exchange.name);
        let note = Problem::note(Code::LintPluginType, message).by("RT-17");
        let help = format!(
            "a broker without {plugin} refuses the exchange; which plugins a broker has is not seen here: `rmqplay plan` \
             asks it"
        );
        found.add(note.help(help), view.field(&exchange.object(), &["type"]), "not known to every broker");
    }
}

/// Tells of arguments that a type refuses, and of a hash that a header decides.
fn arguments(exchange: &Exchange, view: &TopologyView<'_>, found: &mut LintFindings) {
    let place = || view.field(&exchange.object(), &["arguments", "name"]);
    let refused = match &*exchange.kind {
        "x-consistent-hash" => HashInput::read(&exchange.arguments).err(),
        "x-recent-history" => recent_history_length(&exchange.arguments).err(),
        _ => None,
    };
    if let Some(text) = refused {
        let message = format!("RabbitMQ refuses exchange '{}': {text}", exchange.name);
        let rule = if exchange.kind == "x-recent-history" { "PX-3" } else { "PX-1" };
        let warning = Problem::warning(Code::LintRefusedByType, message).by(rule);
        let help = format!("it would say: 406 PRECONDITION_FAILED - {text}");
        found.add(warning.help(help), place(), "refused");
        return;
    }
    if let ("x-consistent-hash", Ok(HashInput::Header(header))) =
        (&*exchange.kind, HashInput::read(&exchange.arguments))
    {
        let message = format!("messages without the header '{header}' all go from '{}' to one queue", exchange.name);
        let note = Problem::note(Code::LintHashHeader, message).by("PX-1");
        let help = "see that each publisher sends it, always as a value of the same type: 5 and \"5\" go apart, and before \
                    RabbitMQ 3.13 also integers of different widths";
        found.add(note.help(help), place(), "what is hashed");
    }
}

/// Tells of bindings that the type of their source refuses: weights that are none, what `x-local-random` does not take.
fn bindings(view: &TopologyView<'_>, found: &mut LintFindings) {
    for binding in &view.topology.bindings {
        let key = &binding.routing_key;
        let (refused, rule) = match view.exchange_kind(&binding.vhost, &binding.source) {
            Some("x-consistent-hash") => (hash_weight(key, view.newest().rules).err(), "PX-1"),
            Some("x-local-random") => {
                let queue = view.queue(&binding.vhost, &binding.destination).map(|queue| queue.kind);
                let is_queue = binding.destination_kind == DestinationKind::Queue;
                // What is declared elsewhere is not known.
                if is_queue && queue.is_none() && key.is_empty() {
                    continue;
                }
                (check_local_random_binding(key, queue.filter(|_| is_queue)).err(), "PX-2")
            }
            _ => continue,
        };
        let Some(text) = refused else { continue };
        let (from, to) = (&binding.source, &binding.destination);
        let message = format!("RabbitMQ refuses the binding of '{to}' to '{from}': {text}");
        let warning = Problem::warning(Code::LintRefusedByType, message).by(rule);
        let help = match rule {
            "PX-1" => "the routing key of the binding is a weight there: write \"1\", or more for a larger share",
            _ => "bind classic queues, without a routing key",
        };
        found.add(warning.help(help), view.field(&binding.object(), &["routing_key"]), "refused");
    }
}

/// Tells of delayed exchanges that do not say how they route: the plugin refuses them.
fn delayed(exchange: &Exchange, view: &TopologyView<'_>, found: &mut LintFindings) {
    let inner = exchange.arguments.get("x-delayed-type").and_then(Value::as_text);
    let is_known = |kind: &str| OWN.contains(&kind) || kind.starts_with("x-");
    if inner.is_some_and(is_known) {
        return;
    }
    let message = match inner {
        Some(kind) => format!("`x-delayed-type` of exchange '{}' is no type of exchange: `{kind}`", exchange.name),
        None => format!("delayed exchange '{}' does not say how it routes", exchange.name),
    };
    let warning = Problem::warning(Code::LintDelayedType, message).by("RT-18");
    let help = "RabbitMQ refuses it; add the argument `x-delayed-type: direct`, or topic, fanout, headers";
    found.add(warning.help(help), view.field(&exchange.object(), &["arguments", "name"]), "no inner type");
}
