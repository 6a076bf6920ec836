//! Exchange types that not every broker has.
//! Takes a topology's view; gives findings, one for each type. Types that only some versions have are told by `language`.

use crate::foresee::lint::findings::LintFindings;
use crate::foresee::topology_view::TopologyView;
use crate::model::{Exchange, Value};
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

/// Looks at the type of each exchange.
pub fn check(view: &TopologyView<'_>, found: &mut LintFindings) {
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for exchange in &view.topology.exchanges {
        let kind = &*exchange.kind;
        // Told apart from the plugin: who allows that has not said how the exchange routes.
        if kind == "x-delayed-message" {
            delayed(exchange, view, found);
        }
        let Some((_, plugin)) = PLUGINS.iter().find(|(known, _)| *known == kind).filter(|_| told.insert(kind)) else {
            continue;
        };
        let message = format!("exchange type `{kind}` is brought by a plugin: exchange '{}'", exchange.name);
        let note = Problem::note(Code::LintPluginType, message).by("RT-17");
        let help = format!(
            "a broker without {plugin} refuses the exchange; which plugins a broker has is not seen here: `rmqplay plan` \
             asks it"
        );
        found.add(note.help(help), view.field(&exchange.object(), &["type"]), "not known to every broker");
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
    let warning = Problem::warning(Code::LintDelayedType, message).by("RT-17");
    let help = "the plugin refuses it (406); add the argument `x-delayed-type: direct`, or topic, fanout, headers";
    found.add(warning.help(help), view.field(&exchange.object(), &["arguments", "name"]), "no inner type");
}
