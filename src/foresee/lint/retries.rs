//! Retries by waiting: what comes back to others too, what waits for ever, and who may send a message to its next delay.
//! Takes the ways of dead letters; gives findings. Never looks at how long something waits.

use crate::foresee::lint::dead_letter_ways::{DeadLetterWay, DeadLetterWays};
use crate::foresee::lint::findings::{LintFindings, and_more};
use crate::foresee::lint::name_words::{is_named_for_retries, is_named_for_waiting, names_a_delay};
use crate::foresee::lint::topic_keys::covers;
use crate::foresee::topology_view::{QueueView, TopologyView};
use crate::model::{DestinationKind, Exchange, Name, Permission, QueueKind};
use crate::rules::Pattern;
use crate::source::{Code, Problem};
use std::collections::BTreeSet;

/// How many senders of a wait queue are looked at.
const SENDERS_MAX: usize = 200;

/// Tells of wait queues that give a message back to more queues than the one that sent it there (DL-11).
pub fn shared(view: &TopologyView<'_>, ways: &mut DeadLetterWays, found: &mut LintFindings) {
    for at in 0..ways.all.len() {
        let way = ways.all[at].clone();
        let wait = &view.queues[way.from];
        let is_wait = wait.settings.message_ttl_ms.is_some() && !way.exchange.is_empty();
        if is_wait && !found.is_full(Code::LintRetryReachesOthers) {
            let senders = ways.perhaps_to(&wait.queue.vhost, wait.name()).take(SENDERS_MAX).cloned();
            others(&way, &senders.collect::<Vec<_>>(), view, ways, found);
        }
    }
}

fn others(
    way: &DeadLetterWay,
    senders: &[DeadLetterWay],
    view: &TopologyView<'_>,
    ways: &mut DeadLetterWays,
    found: &mut LintFindings,
) {
    let wait = &view.queues[way.from];
    let vhost = &wait.queue.vhost;
    for sender in senders {
        let from = &view.queues[sender.from];
        if from.settings.message_ttl_ms.is_some() || from.name() == wait.name() {
            continue;
        }
        let (sure, reached) = match keys_back(wait, way, sender, view) {
            KeysBack::Known(keys) => {
                let reach = |key: &Name| view.broker.queues_reached(vhost, &way.exchange, key, None);
                (true, keys.iter().flat_map(reach).collect())
            }
            KeysBack::All => (true, way.targets().clone()),
            KeysBack::Like(patterns) => reached_by(&patterns, from.name(), way, view, ways),
            KeysBack::Unknown => continue,
        };
        if !reached.contains(from.name()) {
            continue;
        }
        let further: Vec<&str> = reached.iter().map(Name::as_str).filter(|name| *name != from.name()).collect();
        if !further.is_empty() {
            tell_others(sure, &further, from, wait, way, view, found);
        }
    }
}

/// The keys by which a message comes back from a wait queue.
enum KeysBack {
    Known(Vec<Name>),
    /// The exchange does not look at them.
    All,
    /// What fits these binding keys.
    Like(Vec<Name>),
    Unknown,
}

fn keys_back(wait: &QueueView<'_>, way: &DeadLetterWay, sender: &DeadLetterWay, view: &TopologyView<'_>) -> KeysBack {
    let kind = view.exchange_kind(&wait.queue.vhost, &way.exchange);
    match (&wait.settings.dead_letter_routing_key, &sender.keys) {
        _ if kind == Some("fanout") => KeysBack::All,
        (Some(key), _) => KeysBack::Known(vec![key.clone()]),
        (None, Some(keys)) => KeysBack::Known(keys.clone()),
        (None, None) if matches!(kind, Some("direct" | "topic")) && !sender.patterns.is_empty() => {
            KeysBack::Like(sender.patterns.clone())
        }
        (None, None) => KeysBack::Unknown,
    }
}

/// Lists the queues bound to the exchange itself that get what fits a pattern; surely, where their own keys cover it.
fn reached_by(
    patterns: &[Name],
    from: &str,
    way: &DeadLetterWay,
    view: &TopologyView<'_>,
    ways: &mut DeadLetterWays,
) -> (bool, BTreeSet<Name>) {
    let vhost = &view.queues[way.from].queue.vhost;
    let (mut sure, mut maybe) = (BTreeSet::new(), BTreeSet::new());
    for pattern in patterns {
        let taking = ways.overlapping(vhost, &way.exchange, pattern, view).into_iter();
        for binding in taking.filter(|it| it.destination_kind == DestinationKind::Queue) {
            if covers(&binding.routing_key, pattern) {
                sure.insert(binding.destination.clone());
            }
            maybe.insert(binding.destination.clone());
        }
    }
    let is_sure = sure.iter().any(|name| **name != *from) && sure.contains(from);
    if is_sure { (true, sure) } else { (false, maybe) }
}

fn tell_others(
    sure: bool,
    further: &[&str],
    from: &QueueView<'_>,
    wait: &QueueView<'_>,
    way: &DeadLetterWay,
    view: &TopologyView<'_>,
    found: &mut LintFindings,
) {
    let message = format!(
        "what waits in '{}' for another try of queue '{}' {} {} too, through exchange '{}'",
        wait.name(),
        from.name(),
        if sure { "comes to" } else { "may come to" },
        and_more(further),
        way.exchange
    );
    let problem = match sure {
        true => Problem::warning(Code::LintRetryReachesOthers, message),
        false => Problem::note(Code::LintRetryReachesOthers, message),
    };
    let help = format!(
        "dead-letter it straight back: exchange \"\" with the routing key '{}'; the others have the message already",
        from.name()
    );
    found.add(problem.by("DL-11").help(help), view.place_of(wait, "dead-letter-exchange"), "shared");
}

/// Tells of wait queues that nothing makes messages leave (DL-12).
pub fn endless_waits(view: &TopologyView<'_>, ways: &DeadLetterWays, found: &mut LintFindings) {
    for way in &ways.all {
        let wait = &view.queues[way.from];
        let settings = &wait.settings;
        let is_timed = settings.message_ttl_ms.is_some() || settings.max_length.is_some();
        if is_timed || wait.kind == QueueKind::Stream || !is_named_for_retries(wait.name()) {
            continue;
        }
        let vhost = &*wait.queue.vhost;
        let comes_back = |sender: &&DeadLetterWay| {
            let from = &view.queues[sender.from];
            from.name() != wait.name() && from.settings.message_ttl_ms.is_none() && way.targets().contains(from.name())
        };
        let place = || view.place_of(wait, "dead-letter-exchange");
        let name = wait.name();
        let is_of_time = is_named_for_waiting(name) || names_a_delay(name) || gives_back(way, name);
        // A dead letter has lost its expiration, so from a queue that it can only leave by time it does not come on.
        let stays = |sender: &&DeadLetterWay| view.queues[sender.from].name() != name;
        let senders = || ways.to(vhost, name).take(SENDERS_MAX);
        if let Some(sender) = senders().find(comes_back) {
            let from = view.queues[sender.from].name();
            let message = format!(
                "what '{from}' dead-letters to queue '{name}' waits there without end: the queue has no TTL to send it back"
            );
            let warning = Problem::warning(Code::LintEndlessWait, message).by("DL-12");
            let help = "a dead letter has lost its own expiration; set `message_ttl` on the wait queue";
            found.add(warning.help(help), place(), "never expires");
        } else if let Some(sender) = senders().find(stays).filter(|_| is_of_time) {
            let from = view.queues[sender.from].name();
            let message = format!(
                "what '{from}' dead-letters to queue '{name}' stays until a consumer takes it: the queue has no TTL to send it on"
            );
            let note = Problem::note(Code::LintEndlessWait, message).by("DL-12");
            let help = "a dead letter has lost its own expiration; set `message_ttl` on the wait queue, unless an application \
                        consumes from it";
            found.add(note.help(help), place(), "no TTL");
        } else if is_of_time && ways.to(vhost, name).next().is_none() {
            let message = format!("queue '{name}' dead-letters what waits in it, and has no TTL to make it expire");
            let note = Problem::note(Code::LintEndlessWait, message).by("TTL-5");
            let help = "set `message_ttl`; what its publishers set as `expiration` is not seen here, and a message whose \
                        expiration is long holds up those behind it";
            found.add(note.help(help), place(), "no TTL");
        }
    }
}

/// Returns whether a queue gives its dead letters to one that it is named after: `orders.retry` to `orders`.
pub(super) fn gives_back(way: &DeadLetterWay, name: &str) -> bool {
    let is_before = |target: &Name| {
        name.strip_prefix(target.as_str()).is_some_and(|rest| rest.starts_with(|c: char| !c.is_alphanumeric()))
    };
    way.targets().iter().any(is_before)
}

/// Tells of ladders that nobody who may read their queue can climb: the action `retry` publishes to the ladder (PE-3).
pub fn unclimbable(view: &TopologyView<'_>, ways: &DeadLetterWays, found: &mut LintFindings) {
    for exchange in &view.topology.exchanges {
        let Some(queue) = climbs_for(exchange, view, ways) else { continue };
        let rights = view.topology.permissions.iter().filter(|it| it.vhost == exchange.vhost);
        let finds = |pattern: &str, name: &str| Pattern::permission(pattern, false).is_ok_and(|it| it.matches(name));
        let readers: Vec<&Permission> = rights.filter(|it| finds(&it.read, queue)).collect();
        let Some(first) = readers.first() else { continue };
        if readers.iter().any(|reader| finds(&reader.write, &exchange.name)) {
            continue;
        }
        let message = format!(
            "'{}' may read queue '{queue}' but not write to '{}', so its consumer cannot send a message to the next delay",
            first.user, exchange.name
        );
        let warning = Problem::warning(Code::LintRetryRight, message).by("PE-3");
        let help = format!(
            "to retry is to publish to the ladder's exchange; give the right to write to `^{}$`, or `retry: {{every: …}}`, \
             which the broker does alone",
            exchange.name.replace('.', "\\.")
        );
        found.add(warning.help(help), view.field(&first.object(), &["write", "permissions"]), "not enough");
    }
}

/// Returns the queue whose ladder an exchange is: all that is bound there waits and comes back to it, or is its last place.
fn climbs_for<'v>(exchange: &'v Exchange, view: &'v TopologyView<'v>, ways: &'v DeadLetterWays) -> Option<&'v str> {
    let queue = exchange.name.strip_suffix(".retry").filter(|_| &*exchange.kind == "direct")?;
    let queue = view.queue(&exchange.vhost, queue)?.name();
    let comes_back = |name: &str| {
        let at = view.position(&exchange.vhost, name).filter(|at| view.queues[*at].settings.message_ttl_ms.is_some());
        at.and_then(|at| ways.from(at)).is_some_and(|way| way.targets().contains(queue))
    };
    let bindings = view.bindings_from(&exchange.vhost, &exchange.name);
    bindings.iter().any(|binding| comes_back(&binding.destination)).then_some(queue)
}
