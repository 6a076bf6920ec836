//! Exchanges and queues that are named for dead letters, and that get none.
//! Takes the ways of dead letters; gives notes, since a name is a guess and an application may do what the file does not.

use crate::foresee::lint::dead_letter_ways::DeadLetterWays;
use crate::foresee::lint::findings::LintFindings;
use crate::foresee::lint::name_words::is_named_for_the_dead;
use crate::foresee::topology_view::TopologyView;
use crate::model::{DestinationKind, Name, QueueKind, Value};
use crate::source::{Code, Problem};
use std::collections::BTreeSet;

const HELP: &str = "name it as the dead-letter exchange of the queues that are meant; a queue that an application declares \
                    at run time, or a message that it publishes there itself, is not seen here";

/// Looks at vhosts that hold queues of another kind, too.
pub fn check(view: &TopologyView<'_>, ways: &DeadLetterWays, found: &mut LintFindings) {
    let alive = view.queues.iter().filter(|queue| queue.kind != QueueKind::Stream);
    let alive = alive.filter(|queue| !is_named_for_the_dead(queue.name()));
    let busy: BTreeSet<&Name> = alive.map(|queue| &queue.queue.vhost).collect();
    let used = used_exchanges(view);
    for exchange in view.topology.exchanges.iter().filter(|it| busy.contains(&it.vhost)) {
        let (vhost, name) = (&exchange.vhost, &exchange.name);
        let gets = used.contains(&(vhost, name.as_str())) || view.is_bound_to(DestinationKind::Exchange, vhost, name);
        if !gets && is_named_for_the_dead(name) {
            let message =
                format!("no queue dead-letters to exchange '{name}', whose name says that it takes dead letters");
            let note = Problem::note(Code::LintUnusedDeadLetter, message).by("DL-1");
            found.add(note.help(HELP), view.field(&exchange.object(), &["name"]), "gets no dead letters");
        }
    }
    for queue in view.queues.iter().filter(|it| busy.contains(&it.queue.vhost)) {
        let (vhost, name) = (&queue.queue.vhost, queue.name());
        let gets = !view.bindings_to(queue.queue).is_empty() || ways.perhaps_to(vhost, name).next().is_some();
        // To the last place of a `retry` consumers send what they have tried often enough.
        let of_retry = view.origins.get(&queue.queue.object()).is_some_and(|it| it.field("retry").is_some());
        let is_last = queue.settings.dead_letter_exchange.is_none() && !of_retry;
        if !gets && is_named_for_the_dead(name) && is_last {
            let message =
                format!("no queue dead-letters to queue '{name}', whose name says that it takes dead letters");
            let note = Problem::note(Code::LintUnusedDeadLetter, message).by("DL-1");
            found.add(note.help(HELP), view.field(&queue.queue.object(), &["name"]), "gets no dead letters");
        }
    }
}

/// Lists the exchanges that something names: a queue, a policy, another exchange as its alternate, or a link.
fn used_exchanges<'v>(view: &'v TopologyView<'_>) -> BTreeSet<(&'v Name, &'v str)> {
    let topology = view.topology;
    let mut used: BTreeSet<(&Name, &str)> = BTreeSet::new();
    for queue in &view.queues {
        let argument = queue.queue.arguments.get("x-dead-letter-exchange").and_then(Value::as_text);
        let in_force = queue.settings.dead_letter_exchange.as_deref();
        used.extend(argument.into_iter().chain(in_force).map(|name| (&queue.queue.vhost, name)));
    }
    for policy in topology.policies.iter().chain(&topology.operator_policies) {
        let named = ["dead-letter-exchange", "alternate-exchange"].into_iter();
        let named = named.filter_map(|key| policy.definition.get(key)?.as_str());
        used.extend(named.map(|name| (&policy.vhost, name)));
    }
    for exchange in &topology.exchanges {
        let alternate = exchange.arguments.get("alternate-exchange").and_then(Value::as_text);
        used.extend(alternate.map(|name| (&exchange.vhost, name)));
    }
    for parameter in &topology.parameters {
        let texts = parameter.value.as_object().into_iter().flat_map(|map| map.values()).filter_map(|it| it.as_str());
        used.extend(texts.map(|text| (&parameter.vhost, text)));
    }
    used
}
