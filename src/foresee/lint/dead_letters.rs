//! Dead letters that end nowhere, go round, or come back to others too.
//! Takes the ways of dead letters; gives findings. Exchanges and queues that nobody declares are told by `language`.

use crate::foresee::lint::dead_letter_ways::{DeadLetterWay, DeadLetterWays};
use crate::foresee::lint::findings::{LintFindings, and_more};
use crate::foresee::lint::retries;
use crate::foresee::lint::topic_keys::has_wildcard;
use crate::foresee::topology_view::TopologyView;
use crate::language::nearest;
use crate::model::Name;
use crate::source::{Code, Problem};
use std::collections::{BTreeMap, BTreeSet};

/// How many ways from queue to queue are looked at: a fanout between many makes their square.
const STEPS_MAX: usize = 1_000_000;

/// Follows the dead letters of each queue.
pub fn check(view: &TopologyView<'_>, ways: &mut DeadLetterWays, found: &mut LintFindings) {
    let round = timed_and_round(view, ways);
    for way in &ways.all {
        lost(way, view, found);
        lost_in_part(way, view, found);
        wildcard_key(way, view, found);
        cycle(way, round.contains(&way.from), view, ways, found);
    }
    retries::shared(view, ways, found);
}

/// Tells of dead letters that no binding takes (DL-4).
fn lost(way: &DeadLetterWay, view: &TopologyView<'_>, found: &mut LintFindings) {
    let queue = &view.queues[way.from];
    let (name, exchange, vhost) = (queue.name(), &way.exchange, &*queue.queue.vhost);
    let place = || {
        let key =
            if queue.sets("dead-letter-routing-key") { "dead-letter-routing-key" } else { "dead-letter-exchange" };
        view.place_of(queue, key)
    };
    if exchange.is_empty() {
        // A key of its own that names no queue is told where the file is read.
        if !queue.sets("dead-letter-routing-key") && way.keys.is_some() && way.targets().is_empty() {
            let message = format!("the dead letters of queue '{name}' go nowhere: no queue is named as their keys");
            let warning = Problem::warning(Code::LintDeadLettersLost, message).by("DL-5");
            let help = "through the default exchange a dead letter goes to the queue that its routing key names; write a \
                        `routing_key` beside the exchange";
            found.add(warning.help(help), place(), "no routing key of its own");
        }
        return;
    }
    let bindings = view.bindings_from(vhost, exchange);
    let kind = view.exchange_kind(vhost, exchange).unwrap_or("direct");
    if bindings.is_empty() && !view.has_alternate(vhost, exchange) {
        let message = format!("the dead letters of queue '{name}' go nowhere: exchange '{exchange}' has no bindings");
        let warning = Problem::warning(Code::LintDeadLettersLost, message).by("DL-4");
        let help = format!(
            "RabbitMQ drops them without a word until a queue is bound to '{exchange}'; what an application binds at run \
             time is not seen here"
        );
        return found.add(warning.help(help), place(), "leads to no queue");
    }
    let Some(first) = way.lost().first() else { return };
    let keys: Vec<&str> = way.lost().iter().map(Name::as_str).collect();
    let which = if queue.sets("dead-letter-routing-key") { "the key" } else { "the message's own key" };
    let message = format!(
        "dead letters of queue '{name}' go nowhere: no binding of exchange '{exchange}' ({kind}) fits {which} {}",
        and_more(&keys)
    );
    let near = nearest(first, bindings.iter().map(|binding| binding.routing_key.as_str()));
    let help = match near {
        Some(near) => format!("RabbitMQ drops them without a word; did you mean `{near}`?"),
        None => format!("RabbitMQ drops them without a word; bind a queue to '{exchange}' with '{first}'"),
    };
    found.add(Problem::warning(Code::LintDeadLettersLost, message).by("DL-4").help(help), place(), "leads to no queue");
}

/// Tells of queues that take messages by wildcards, and whose dead letters an exchange takes by other keys (DL-11).
fn lost_in_part(way: &DeadLetterWay, view: &TopologyView<'_>, found: &mut LintFindings) {
    let (queue, exchange) = (&view.queues[way.from], &way.exchange);
    let vhost = &*queue.queue.vhost;
    let bindings = view.bindings_from(vhost, exchange);
    let kind = view.exchange_kind(vhost, exchange).unwrap_or("direct");
    let Some(key) = way.unmet().or(way.uncovered()) else { return };
    if bindings.is_empty() || view.has_alternate(vhost, exchange) || found.is_full(Code::LintDeadLettersLost) {
        return;
    }
    let mut taken: Vec<&str> = bindings.iter().map(|binding| binding.routing_key.as_str()).collect();
    taken.sort_unstable();
    taken.dedup();
    let place = view.place_of(queue, "dead-letter-exchange");
    let takes = format!("exchange '{exchange}' ({kind}) takes {}", and_more(&taken));
    let help = "dead letters keep the key that they came by; give them a `routing_key` of their own, or bind the dead-letter \
                exchange by `#` of a topic exchange";
    let problem = match way.unmet() {
        Some(_) => {
            let message =
                format!("dead letters of queue '{}' go nowhere: they come by `{key}`, and {takes}", queue.name());
            Problem::warning(Code::LintDeadLettersLost, message)
        }
        None => {
            let message =
                format!("some dead letters of queue '{}' go nowhere: they come by `{key}`, and {takes}", queue.name());
            Problem::note(Code::LintDeadLettersLost, message)
        }
    };
    found.add(problem.by("DL-11").help(help), place, "keeps the message's own key");
}

/// Tells of a key of dead letters that is written as a pattern: a message carries it by the letter (RT-5).
fn wildcard_key(way: &DeadLetterWay, view: &TopologyView<'_>, found: &mut LintFindings) {
    let queue = &view.queues[way.from];
    let Some(key) = queue.settings.dead_letter_routing_key.as_ref().filter(|key| has_wildcard(key)) else { return };
    if !way.lost().is_empty() {
        return;
    }
    let message = format!("the dead letters of queue '{}' carry the key `{key}`, by the letter", queue.name());
    let warning = Problem::warning(Code::LintLiteralWildcard, message).by("RT-5");
    let help = "a wildcard stands for words in a binding, never in the key of a message; name one key, or leave it out to \
                keep the message's own";
    found.add(warning.help(help), view.place_of(queue, "dead-letter-routing-key"), "no wildcard");
}

/// Tells of cycles that nothing but time drives: RabbitMQ drops the message when it comes round (DL-25); and of queues
/// whose rejected messages come back at once (DL-28).
fn cycle(
    way: &DeadLetterWay,
    is_round: bool,
    view: &TopologyView<'_>,
    ways: &DeadLetterWays,
    found: &mut LintFindings,
) {
    let queue = &view.queues[way.from];
    let (name, vhost) = (queue.name(), &*queue.queue.vhost);
    if queue.settings.message_ttl_ms.is_none() {
        if way.targets().contains(name) {
            let message = format!("a message that is rejected in queue '{name}' comes back to it at once, without end");
            let warning = Problem::warning(Code::LintDeadLetterCycle, message).by("DL-28");
            let help = "dead-letter to another queue, or through one with a TTL that the message waits in";
            found.add(warning.help(help), view.place_of(queue, "dead-letter-exchange"), "leads back here");
        }
        return;
    }
    if !is_round || found.is_full(Code::LintDeadLetterCycle) {
        return;
    }
    let Some(through) = timed_way_back(name, vhost, way, view, ways) else { return };
    let lap = match through.is_empty() {
        true => "comes back to it".to_owned(),
        false => {
            let names: Vec<&str> = through.iter().map(Name::as_str).collect();
            format!("goes through {} and comes back", and_more(&names))
        }
    };
    let message = format!("a message that nobody takes from queue '{name}' expires, {lap}, and is dropped then");
    let warning = Problem::warning(Code::LintDeadLetterCycle, message).by("DL-25");
    let help = "RabbitMQ drops a message that comes round by expiry alone; end the way in a queue without TTL";
    found.add(warning.help(help), view.place_of(queue, "dead-letter-exchange"), "comes round");
}

/// Finds the queues with a TTL that may be on a way round through such queues alone: again and again those fall away that
/// lead to none of the others.
fn timed_and_round(view: &TopologyView<'_>, ways: &DeadLetterWays) -> BTreeSet<usize> {
    let timed = ways.all.iter().filter(|way| view.queues[way.from].settings.message_ttl_ms.is_some());
    let mut left: BTreeMap<usize, usize> = BTreeMap::new();
    let mut leading_to: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut steps = 0;
    for way in timed {
        let vhost = &view.queues[way.from].queue.vhost;
        let targets = way.targets().iter().take(STEPS_MAX - steps);
        let targets = targets.filter_map(|name| view.position(vhost, name));
        let targets: Vec<usize> = targets.filter(|at| view.queues[*at].settings.message_ttl_ms.is_some()).collect();
        steps = (steps + targets.len()).min(STEPS_MAX);
        left.insert(way.from, targets.len());
        targets.into_iter().for_each(|to| leading_to.entry(to).or_default().push(way.from));
    }
    // A queue that dead-letters nowhere leads to no other.
    let ends = leading_to.keys().filter(|at| !left.contains_key(at)).copied();
    let mut fallen: Vec<usize> = ends.chain(left.iter().filter(|(_, n)| **n == 0).map(|(at, _)| *at)).collect();
    while let Some(at) = fallen.pop() {
        left.remove(&at);
        for from in leading_to.remove(&at).into_iter().flatten() {
            if let Some(n) = left.get_mut(&from) {
                *n -= 1;
                fallen.extend((*n == 0).then_some(from));
            }
        }
    }
    left.into_keys().collect()
}

/// Finds a way back to a queue through queues with a TTL alone; gives those between.
fn timed_way_back(
    name: &str,
    vhost: &str,
    start: &DeadLetterWay,
    view: &TopologyView<'_>,
    ways: &DeadLetterWays,
) -> Option<Vec<Name>> {
    // Each queue is reached once, from the one that stands beside it.
    let mut reached: Vec<(&DeadLetterWay, Option<usize>)> = vec![(start, None)];
    let mut seen: BTreeSet<&Name> = BTreeSet::new();
    let mut next = 0;
    while let Some((way, _)) = reached.get(next).copied() {
        if way.targets().contains(name) {
            let before = |at: &usize| reached[*at].1.filter(|at| *at > 0);
            let through = std::iter::successors(Some(next).filter(|at| *at > 0), before);
            let mut names: Vec<Name> = through.map(|at| view.queues[reached[at].0.from].queue.name.clone()).collect();
            names.reverse();
            return Some(names);
        }
        for target in way.targets() {
            let Some(at) = view.position(vhost, target) else { continue };
            if view.queues[at].settings.message_ttl_ms.is_some() && seen.insert(target) {
                reached.extend(ways.from(at).map(|further| (further, Some(next))));
            }
        }
        next += 1;
    }
    None
}
