//! Exchanges and queues that are named for dead letters, and that get none.
//! Takes the ways of dead letters; gives notes, since a name is a guess and an application may do what the file does not.

use crate::foresee::lint::dead_letter_ways::{DeadLetterWay, DeadLetterWays};
use crate::foresee::lint::findings::{LintFindings, and_more};
use crate::foresee::lint::name_words::is_named_for_the_dead;
use crate::foresee::topology_view::{QueueView, TopologyView};
use crate::model::{DestinationKind, Name, QueueKind, Value};
use crate::source::{Code, Problem};
use std::collections::BTreeSet;

const HELP: &str = "name it as the dead-letter exchange of the queues that are meant; a queue that an application declares \
                    at run time, or a message that it publishes there itself, is not seen here";

/// Looks at vhosts that hold queues of another kind, too.
pub fn check(view: &TopologyView<'_>, ways: &DeadLetterWays, found: &mut LintFindings) {
    let mut busy: BTreeSet<&Name> = BTreeSet::new();
    for queue in view.queues.iter().filter(|queue| queue.kind != QueueKind::Stream) {
        let vhost = &queue.queue.vhost;
        if !busy.contains(vhost) && !is_named_for_the_dead(queue.name()) {
            busy.insert(vhost);
        }
    }
    let used = used_exchanges(view);
    let is_looked_at = |vhost: &Name, name: &str| busy.contains(vhost) && is_named_for_the_dead(name);
    for exchange in view.topology.exchanges.iter().filter(|it| is_looked_at(&it.vhost, &it.name)) {
        let (vhost, name) = (&exchange.vhost, &exchange.name);
        let gets = used.contains(&(vhost, name.as_str())) || view.is_bound_to(DestinationKind::Exchange, vhost, name);
        if !gets {
            let message =
                format!("no queue dead-letters to exchange '{name}', whose name says that it takes dead letters");
            let note = Problem::note(Code::LintUnusedDeadLetter, message).by("DL-1");
            found.add(note.help(HELP), view.field(&exchange.object(), &["name"]), "gets no dead letters");
        }
    }
    for queue in view.queues.iter().filter(|it| is_looked_at(&it.queue.vhost, it.name())) {
        let (vhost, name) = (&queue.queue.vhost, queue.name());
        let gets = !view.bindings_to(queue.queue).is_empty() || ways.perhaps_to(vhost, name).next().is_some();
        // To the last place of a `retry` consumers send what they have tried often enough.
        let of_retry = view.origins.get(&queue.queue.object()).is_some_and(|it| it.field("retry").is_some());
        let is_last = queue.settings.dead_letter_exchange.is_none() && !of_retry;
        if !gets && is_last {
            let message =
                format!("no queue dead-letters to queue '{name}', whose name says that it takes dead letters");
            let note = Problem::note(Code::LintUnusedDeadLetter, message).by("DL-1");
            found.add(note.help(HELP), view.field(&queue.queue.object(), &["name"]), "gets no dead letters");
        } else if is_last && ways.perhaps_to(vhost, name).next().is_none() {
            by_no_key(queue, view, ways, found);
        }
    }
}

/// Tells of a queue that dead-letter exchanges lead to by keys that no dead letter carries.
fn by_no_key(queue: &QueueView<'_>, view: &TopologyView<'_>, ways: &DeadLetterWays, found: &mut LintFindings) {
    let vhost = &queue.queue.vhost;
    let bindings = view.bindings_to(queue.queue);
    let carried = |exchange: &Name| {
        let to = ways.all.iter().filter(|way| way.exchange == *exchange && view.queues[way.from].queue.vhost == *vhost);
        let keys: Option<Vec<&Name>> = to
            .map(|way| way.keys.as_ref().map(|keys| keys.iter()))
            .collect::<Option<Vec<_>>>()
            .map(|all| all.into_iter().flatten().collect());
        keys.filter(|keys| !keys.is_empty())
    };
    let is_by_key = |kind: Option<&str>| matches!(kind, Some("direct" | "topic"));
    let all = bindings
        .iter()
        .map(|binding| carried(&binding.source).filter(|_| is_by_key(view.exchange_kind(vhost, &binding.source))));
    let Some(carried) = all.collect::<Option<Vec<_>>>() else { return };
    // Dead letters that get lost there are told of already: one wrong key is one finding.
    let is_told = |way: &DeadLetterWay| {
        let is_here =
            view.queues[way.from].queue.vhost == *vhost && bindings.iter().any(|it| it.source == way.exchange);
        is_here && !way.lost().is_empty()
    };
    if ways.all.iter().any(is_told) {
        return;
    }
    let (Some(binding), Some(keys)) = (bindings.first(), carried.first()) else { return };
    let mut keys: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    let message = format!(
        "no dead letter comes to queue '{}': exchange '{}' gives it what has the key '{}', and dead letters come there by {}",
        queue.name(),
        binding.source,
        binding.routing_key,
        and_more(&keys)
    );
    let note = Problem::note(Code::LintUnusedDeadLetter, message).by("DL-4");
    let help = match sender_of(queue.name(), vhost, view) {
        Some(sender) if sender.settings.dead_letter_exchange.is_none() => format!(
            "'{}' dead-letters nowhere: give it the dead-letter exchange '{}' with the routing key '{}'",
            sender.name(),
            binding.source,
            binding.routing_key
        ),
        _ => HELP.to_owned(),
    };
    found.add(note.help(help), view.field(&binding.object(), &["routing_key"]), "no dead letter carries it");
}

/// Returns the queue that a queue of dead letters is named after: `orders` of `orders.dlq`.
fn sender_of<'v>(name: &str, vhost: &Name, view: &'v TopologyView<'_>) -> Option<&'v QueueView<'v>> {
    let is_before =
        |own: &str| name.strip_prefix(own).is_some_and(|rest| rest.starts_with(|c: char| !c.is_alphanumeric()));
    let named = view.queues.iter().filter(|queue| queue.queue.vhost == *vhost && is_before(queue.name()));
    named.max_by_key(|queue| queue.name().len())
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
