//! Bindings that take something else than they say, and exchanges and queues that nothing passes.
//! Takes a topology's view; gives findings. Ends of bindings that nobody declares are told by `language`.

use crate::foresee::lint::dead_letter_ways::{DeadLetterWay, DeadLetterWays};
use crate::foresee::lint::findings::LintFindings;
use crate::foresee::topology_view::TopologyView;
use crate::model::{Binding, DestinationKind, Name, Value};
use crate::rules::{Pattern, hash_weight};
use crate::source::{Code, Problem};
use std::collections::{BTreeMap, BTreeSet};

/// Looks at each binding and each exchange.
pub fn check(view: &TopologyView<'_>, ways: &DeadLetterWays, found: &mut LintFindings) {
    for binding in &view.topology.bindings {
        match view.exchange_kind(&binding.vhost, &binding.source) {
            Some(kind @ ("direct" | "topic")) => literal_wildcard(binding, kind, view, found),
            Some("headers") => headers(binding, view, found),
            _ => {}
        }
    }
    weights(view, found);
    leading_nowhere(view, ways, found);
    unreachable(view, ways, found);
}

/// Tells of `*` and `#` that are taken by the letter.
fn literal_wildcard(binding: &Binding, kind: &str, view: &TopologyView<'_>, found: &mut LintFindings) {
    let key = &*binding.routing_key;
    let words = || key.split('.');
    let is_wildcard = |word: &str| matches!(word, "*" | "#");
    let (message, rule, help) = if kind == "direct" && words().any(is_wildcard) {
        let message = format!("exchange '{}' is direct: `{key}` is taken by the letter there", binding.source);
        (
            message,
            "RT-4",
            "wildcards work in bindings of topic exchanges; bind each key, or make the exchange one of topic",
        )
    } else if kind == "topic" && words().any(|word| !is_wildcard(word) && word.contains(['*', '#'])) {
        let message = format!("a wildcard stands for a whole word: `{key}` is taken by the letter in part");
        (message, "RT-5", "write `*` for one word and `#` for any number, parted from the others by points")
    } else {
        return;
    };
    let warning = Problem::warning(Code::LintLiteralWildcard, message).by(rule);
    found.add(warning.help(help), view.field(&binding.object(), &["routing_key"]), "no wildcard");
}

/// Tells of headers bindings that take every message, or none.
fn headers(binding: &Binding, view: &TopologyView<'_>, found: &mut LintFindings) {
    let mode = binding.arguments.get("x-match").and_then(Value::as_text).unwrap_or("all");
    let is_relevant = |key: &str| key != "x-match" && (mode.ends_with("-with-x") || !key.starts_with("x-"));
    if binding.arguments.keys().any(|key| is_relevant(key)) {
        return;
    }
    let other = binding.arguments.keys().find(|key| &***key != "x-match");
    // A binding without any argument is how a headers exchange is made to send everything on.
    let (is_meant, any) = (other.is_none() && binding.routing_key.is_empty(), mode.starts_with("any"));
    if is_meant && !any {
        return;
    }
    let takes = if any { "takes no message" } else { "takes every message" };
    let why = match other {
        Some(key) => format!("keys that begin with `x-`, like `{key}`, are not compared"),
        None if any => "it names no header".to_owned(),
        None => "it names no header, and the routing key is not looked at".to_owned(),
    };
    let message = format!("this binding of headers exchange '{}' {takes}: {why}", binding.source);
    let warning = Problem::warning(Code::LintHeadersBinding, message).by("RT-6");
    let help = match other {
        Some(_) => "say `x-match: all-with-x` to compare them, or name the header without `x-`",
        None => "write the headers to compare into `arguments`",
    };
    found.add(warning.help(help), view.field(&binding.object(), &["arguments", "routing_key"]), takes);
}

/// Tells of a second weight for a destination: the first binding counts, and unbinding either takes both off the ring.
fn weights(view: &TopologyView<'_>, found: &mut LintFindings) {
    let mut seen: BTreeSet<(&str, &str, DestinationKind, &str)> = BTreeSet::new();
    for binding in &view.topology.bindings {
        if view.exchange_kind(&binding.vhost, &binding.source) != Some("x-consistent-hash") {
            continue;
        }
        if hash_weight(&binding.routing_key, view.newest().rules).is_err() {
            continue;
        }
        let end = (&*binding.vhost, &*binding.source, binding.destination_kind, &*binding.destination);
        if !seen.insert(end) {
            let message = format!(
                "'{}' is bound to consistent-hash exchange '{}' already: a second weight is ignored",
                binding.destination, binding.source
            );
            let warning = Problem::warning(Code::LintSecondWeight, message).by("PX-1");
            let help = "the routing key is the weight, and one binding gives it; keep the one that is meant: unbinding either \
                        of two takes the destination off the ring, and the other weighs nothing then, too";
            found.add(warning.help(help), view.field(&binding.object(), &["routing_key"]), "ignored");
        }
    }
}

/// Tells of exchanges that drop all they get.
fn leading_nowhere(view: &TopologyView<'_>, ways: &DeadLetterWays, found: &mut LintFindings) {
    // What another broker links to it is not seen here.
    if view.topology.queues.is_empty() {
        return;
    }
    let linked: Vec<String> = view.topology.parameters.iter().map(|it| it.value.to_string()).collect();
    let vhost_of = |way: &DeadLetterWay| &*view.queues[way.from].queue.vhost;
    let of_dead: BTreeSet<(&str, &str)> = ways.all.iter().map(|way| (vhost_of(way), &*way.exchange)).collect();
    for exchange in &view.topology.exchanges {
        let (vhost, name) = (&*exchange.vhost, &*exchange.name);
        let leads = !view.bindings_from(vhost, name).is_empty() || view.has_alternate(vhost, name);
        if leads || of_dead.contains(&(vhost, name)) || found.is_full(Code::LintLeadsNowhere) {
            continue;
        }
        if linked.iter().any(|value| value.contains(name)) {
            continue;
        }
        let message =
            format!("exchange '{name}' leads nowhere: nothing is bound to it, and what is published there is dropped");
        let note = Problem::note(Code::LintLeadsNowhere, message).by("RT-14");
        let help = "an application may bind a queue at run time; else bind one here, or give it an alternate exchange";
        found.add(note.help(help), view.field(&exchange.object(), &["name"]), "no bindings");
    }
}

/// Tells of queues without a way in, where nobody of the file may publish through the default exchange.
fn unreachable(view: &TopologyView<'_>, ways: &DeadLetterWays, found: &mut LintFindings) {
    let writes = |pattern: &str| Pattern::permission(pattern, false).is_ok_and(|it| it.matches("amq.default"));
    let mut by_default: BTreeMap<&Name, bool> = BTreeMap::new();
    for permission in &view.topology.permissions {
        let may = by_default.entry(&permission.vhost).or_default();
        *may = *may || writes(&permission.write);
    }
    for queue in &view.queues {
        let vhost = &queue.queue.vhost;
        if by_default.get(vhost).is_none_or(|may| *may) {
            continue;
        }
        let has_way = !view.bindings_to(queue.queue).is_empty() || ways.to(vhost, queue.name()).next().is_some();
        if !has_way {
            let message = format!("nobody can send to queue '{}': it has no bindings", queue.name());
            let note = Problem::note(Code::LintUnreachable, message).by("RT-3");
            let help = "no user of this file may write to `amq.default`, the default exchange that leads to every queue; \
                        bind the queue, or leave it out";
            found.add(note.help(help), view.field(&queue.queue.object(), &["name"]), "no way in");
        }
    }
}
