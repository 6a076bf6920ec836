//! Names that are not what they look like: blanks at their ends, and two that differ in a sign.
//! Takes a topology's view; gives findings. Names that RabbitMQ refuses are told by `language`.

use crate::foresee::lint::findings::LintFindings;
use crate::foresee::topology_view::TopologyView;
use crate::model::{Exchange, Object};
use crate::source::{Code, Problem};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeMap;

/// Looks at the names of all objects, and at pairs of queues.
pub fn check(view: &TopologyView<'_>, found: &mut LintFindings) {
    let topology = view.topology;
    let named = (topology.vhosts.iter().map(|it| (&it.name, it.object())))
        .chain(topology.users.iter().map(|it| (&it.name, it.object())))
        .chain(topology.exchanges.iter().map(|it| (&it.name, it.object())))
        .chain(topology.queues.iter().map(|it| (&it.name, it.object())))
        .chain(topology.policies.iter().map(|it| (&it.name, it.object(false))));
    for (name, object) in named {
        blank(name, &object, &["name"], "name", view, found);
    }
    for binding in &topology.bindings {
        blank(&binding.routing_key, &binding.object(), &["routing_key"], "routing key", view, found);
    }
    for queue in &view.queues {
        for (key, setting) in [
            ("dead-letter-exchange", &queue.settings.dead_letter_exchange),
            ("dead-letter-routing-key", &queue.settings.dead_letter_routing_key),
        ] {
            let Some(name) = setting.as_ref().filter(|name| has_blank(name)) else { continue };
            let message = format!("`{key}` of queue '{}' begins or ends with a blank: '{name}'", queue.name());
            let warning = Problem::warning(Code::LintBlankInName, message);
            found.add(warning.help("leave the blank out"), view.place_of(queue, key), "a blank");
        }
    }
    alike(view, found);
    alike_exchanges(view, found);
}

fn has_blank(name: &str) -> bool {
    name.trim() != name
}

fn blank(name: &str, object: &Object, keys: &[&str], what: &str, view: &TopologyView<'_>, found: &mut LintFindings) {
    if has_blank(name) {
        let message = format!("a {what} that begins or ends with a blank: '{name}'");
        let warning = Problem::warning(Code::LintBlankInName, message);
        let help = "RabbitMQ takes it for a part of the name, and who writes the name without it means another object";
        found.add(warning.help(help), view.field(object, keys), "a blank");
    }
}

/// Takes what a slip of the hand changes out of a name: case and signs.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Tells of two exchanges whose names differ in case or in signs alone, where one of them leads nowhere.
fn alike_exchanges(view: &TopologyView<'_>, found: &mut LintFindings) {
    let mut first: BTreeMap<(&str, String), &Exchange> = BTreeMap::new();
    for exchange in &view.topology.exchanges {
        let Some(other) = first.insert((&exchange.vhost, plain(&exchange.name)), exchange) else { continue };
        let leads = |it: &Exchange| !view.bindings_from(&it.vhost, &it.name).is_empty();
        let (bound, lonely) = match (leads(other), leads(exchange)) {
            (true, false) => (other, exchange),
            (false, true) => (exchange, other),
            _ => continue,
        };
        let message = format!("exchange '{}' is nearly '{}', and only that one has bindings", lonely.name, bound.name);
        let note = Problem::note(Code::LintNearName, message);
        let help = format!("RabbitMQ tells them apart; leave one out if '{}' is what is meant", bound.name);
        found.add(note.help(help), view.field(&lonely.object(), &["name"]), "nearly another");
    }
}

/// Tells of two queues whose names differ in case or in signs alone, where one of them is bound and the other is not.
fn alike(view: &TopologyView<'_>, found: &mut LintFindings) {
    let mut first: IndexMap<(&str, String), usize, FxBuildHasher> = IndexMap::default();
    for (at, queue) in view.queues.iter().enumerate() {
        let Some(other) = first.insert((&queue.queue.vhost, plain(queue.name())), at) else { continue };
        let other = &view.queues[other];
        let is_bound = |queue| !view.bindings_to(queue).is_empty();
        let (bound, lonely) = match (is_bound(other.queue), is_bound(queue.queue)) {
            (true, false) => (other, queue),
            (false, true) => (queue, other),
            _ => continue,
        };
        let message = format!("queue '{}' is nearly '{}', and only that one is bound", lonely.name(), bound.name());
        let note = Problem::note(Code::LintNearName, message);
        let help = format!("RabbitMQ tells them apart; leave one out if '{}' is what is meant", bound.name());
        found.add(note.help(help), view.field(&lonely.queue.object(), &["name"]), "nearly another");
    }
}
