//! Policies that apply to nothing, lose to another, or pass over a queue because of one key.
//! Takes a topology's view; gives findings. Keys and values that a version refuses are told by `language`.

use crate::foresee::lint::findings::{LintFindings, and_more};
use crate::foresee::topology_view::{TopologyView, VersionView};
use crate::language::nearest;
use crate::model::{ApplyTo, Policy, QueueKind};
use crate::rules::{Pattern, applies_to_exchange, applies_to_queue, check_policy};
use crate::source::{Code, Problem, Span};
use std::collections::BTreeMap;

/// What a policy meets.
#[derive(Debug, Default)]
struct Met<'v> {
    /// The names that its pattern finds among the objects that it may apply to.
    found: usize,
    /// Where it is in force.
    wins: usize,
    /// By the policy that wins instead: the objects.
    loses_to: BTreeMap<(i64, &'v str), Vec<&'v str>>,
    /// By type: the key that makes it pass over, and the queues.
    passes_over: BTreeMap<QueueKind, (String, Vec<&'v str>)>,
}

/// Looks at each policy by the newest version that takes it.
pub fn check(view: &TopologyView<'_>, found: &mut LintFindings) {
    let lists = [(&view.topology.policies, false), (&view.topology.operator_policies, true)];
    for (policy, operator) in lists.into_iter().flat_map(|(list, operator)| list.iter().map(move |it| (it, operator))) {
        let taking = view.versions.iter().rev().find(|version| check_policy(policy, operator, version.rules).is_ok());
        // What no version knows is of a plugin, or told by `language`.
        let Some(version) = taking.or(view.versions.last()) else { continue };
        let Ok(pattern) = Pattern::new(&policy.pattern, version.rules.long_regex_text) else { continue };
        let met = meet(policy, operator, &pattern, version, view);
        let place = |keys: &[&str]| view.field(&policy.object(operator), keys);
        if met.found == 0 {
            matches_nothing(policy, view, place(&["pattern"]), found);
        }
        for (kind, (key, queues)) in &met.passes_over {
            let message = format!(
                "policy '{}' passes over {} queue {}: it sets `{key}`, which {} queues do not know",
                policy.name,
                kind.as_str(),
                and_more(queues),
                kind.as_str()
            );
            let warning = Problem::warning(Code::LintPolicyPassesOver, message).by("PO-3");
            let help = format!(
                "RabbitMQ applies a policy whole or not at all; put `{key}` into a policy of its own{}",
                if version.rules.apply_to_types { " with `apply-to` of the other type" } else { "" }
            );
            found.add(warning.help(help), place(&["definition"]), "not on all that the pattern finds");
        }
        losing(policy, operator, &met, view, found);
    }
}

fn meet<'v>(
    policy: &Policy,
    operator: bool,
    pattern: &Pattern,
    version: &'v VersionView<'v>,
    view: &'v TopologyView<'v>,
) -> Met<'v> {
    let mut met = Met::default();
    for queue in view.queues.iter().filter(|queue| queue.queue.vhost == policy.vhost) {
        let name = queue.name();
        if !policy.apply_to.covers(queue.kind) || !pattern.matches(name) {
            continue;
        }
        met.found += 1;
        if !applies_to_queue(policy.apply_to, &policy.definition, queue.kind, version.rules) {
            if let Some(key) = hindering(policy, queue.kind, version) {
                met.passes_over.entry(queue.kind).or_insert_with(|| (key, Vec::new())).1.push(name);
            }
            continue;
        }
        let in_force = version.policies.on_queue(&policy.vhost, name, queue.kind);
        met.count(policy, if operator { in_force.operator } else { in_force.user }, name);
    }
    let exchanges = view.topology.exchanges.iter().filter(|exchange| exchange.vhost == policy.vhost);
    for exchange in exchanges.filter(|_| !operator && applies_to_exchange(policy.apply_to)) {
        if !pattern.matches(&exchange.name) {
            continue;
        }
        met.found += 1;
        // Of the keys that a policy may set, an exchange heeds these alone.
        let is_heeded =
            policy.definition.keys().any(|key| key == "alternate-exchange" || key.starts_with("federation"));
        if is_heeded || policy.apply_to == ApplyTo::Exchanges {
            met.count(policy, version.policies.on_exchange(&policy.vhost, &exchange.name), &exchange.name);
        }
    }
    met
}

impl<'v> Met<'v> {
    fn count(&mut self, policy: &Policy, winner: Option<&'v Policy>, name: &'v str) {
        match winner {
            Some(winner) if winner.name != policy.name => {
                self.loses_to.entry((winner.priority, &winner.name)).or_default().push(name);
            }
            _ => self.wins += 1,
        }
    }
}

/// Returns the key that makes a policy pass over a type, where it sets something else for that type.
fn hindering(policy: &Policy, kind: QueueKind, version: &VersionView<'_>) -> Option<String> {
    let hinders = |key: &str| {
        let alone = [(key.to_owned(), policy.definition[key].clone())].into_iter().collect();
        !applies_to_queue(ApplyTo::All, &alone, kind, version.rules)
    };
    let (against, others): (Vec<&String>, Vec<&String>) = policy.definition.keys().partition(|key| hinders(key));
    let is_of_exchanges = |key: &&&String| matches!(key.as_str(), "alternate-exchange");
    let meant = others.iter().filter(|key| !is_of_exchanges(key)).count();
    against.first().filter(|_| meant > 0).map(|key| (*key).clone())
}

fn matches_nothing(policy: &Policy, view: &TopologyView<'_>, place: Option<Span>, found: &mut LintFindings) {
    let queues = view.topology.queues.iter().filter(|it| it.vhost == policy.vhost).map(|it| &*it.name);
    let exchanges = view.topology.exchanges.iter().filter(|it| it.vhost == policy.vhost).map(|it| &*it.name);
    let (names, noun): (Vec<&str>, &str) = match policy.apply_to {
        ApplyTo::All => (queues.chain(exchanges).collect(), "queue or exchange"),
        ApplyTo::Exchanges => (exchanges.collect(), "exchange"),
        _ => (queues.collect(), "queue"),
    };
    if names.is_empty() {
        return;
    }
    let message =
        format!("policy '{}' applies to no {noun} of this file: `{}` finds none", policy.name, policy.pattern);
    let note = Problem::note(Code::LintPolicyMatchesNothing, message).by("PO-1");
    let help = match near_name(&policy.pattern, &names) {
        Some(near) => format!("did you mean `^{near}$`?"),
        None => "an application may declare one at run time; else mend the pattern or leave the policy out".to_owned(),
    };
    found.add(note.help(help), place, "finds nothing here");
}

/// Returns the name that a pattern may have been meant to find.
pub(super) fn near_name<'n>(pattern: &str, names: &[&'n str]) -> Option<&'n str> {
    let letters = pattern.trim_start_matches('^').trim_end_matches('$').replace('\\', "");
    let letters = letters.trim_end_matches(".*").trim_end_matches(".+").trim_end_matches(['.', '*']);
    let same = names.iter().find(|name| name.eq_ignore_ascii_case(letters)).copied();
    same.or_else(|| nearest(letters, names.iter().copied()))
}

/// Tells of policies that another one keeps from being in force.
fn losing(policy: &Policy, operator: bool, met: &Met<'_>, view: &TopologyView<'_>, found: &mut LintFindings) {
    let place = view.field(&policy.object(operator), &["priority", "pattern"]);
    for ((priority, winner), names) in &met.loses_to {
        if *priority == policy.priority {
            tied(policy, operator, winner, names, view, found);
            continue;
        }
        let keys = view.topology.policies.iter().chain(&view.topology.operator_policies);
        let winning = keys.into_iter().find(|it| &*it.name == *winner && it.vhost == policy.vhost);
        let lost: Vec<&str> = policy.definition.keys().map(String::as_str).collect();
        let lost: Vec<&str> = match winning {
            Some(winning) => lost.into_iter().filter(|key| !winning.definition.contains_key(*key)).collect(),
            None => lost,
        };
        if met.wins == 0 && met.loses_to.len() == 1 {
            let message = format!(
                "policy '{}' is never in force: '{winner}' wins on {} with priority {priority}",
                policy.name,
                and_more(names)
            );
            let warning = Problem::warning(Code::LintPolicyShadowed, message).by("PO-1");
            let help = "one policy of each kind applies to a queue, and they do not add up: put all keys into one";
            found.add(warning.help(help), place, "never in force");
        } else if let Some(key) = lost.first() {
            let message = format!(
                "`{key}` of policy '{}' does not hold on {}: there '{winner}' wins, which does not set it",
                policy.name,
                and_more(names)
            );
            let note = Problem::note(Code::LintPolicyLoses, message).by("PO-1");
            let help = format!("policies do not add up: write `{key}` into '{winner}' too where it is meant to hold");
            found.add(note.help(help), place, "loses there");
        }
    }
}

/// Tells of a policy with the priority of another one: before 4.3 it is chance which of them holds (PO-1).
fn tied(
    policy: &Policy,
    operator: bool,
    other: &str,
    names: &[&str],
    view: &TopologyView<'_>,
    found: &mut LintFindings,
) {
    let (first, second) = if *policy.name < *other { (&*policy.name, other) } else { (other, &*policy.name) };
    let message = format!(
        "policies '{first}' and '{second}' both apply to {} with priority {}, and only one of them is in force",
        and_more(names),
        policy.priority
    );
    let by_name = view.versions.iter().filter(|version| version.rules.tie_takes_first).count();
    let which = match by_name {
        0 => "which one is chance before RabbitMQ 4.3".to_owned(),
        all if all == view.versions.len() => format!("RabbitMQ 4.3 takes the first by name, '{first}'"),
        _ => format!("which one is chance before RabbitMQ 4.3, which takes the first by name, '{first}'"),
    };
    let warning = Problem::warning(Code::LintPolicyTie, message).by("PO-1");
    let warning = warning.help(format!("{which}; give one a higher priority"));
    let list = if operator { &view.topology.operator_policies } else { &view.topology.policies };
    let other = list.iter().find(|it| *it.name == *other && it.vhost == policy.vhost);
    let place = |policy: &Policy| view.field(&policy.object(operator), &["priority", "pattern"]);
    match (place(policy), other.and_then(place)) {
        (Some(own), Some(others)) => found.add(warning.at(others, "with this one"), Some(own), "a tie"),
        // One of them is of the broker alone.
        (own, others) => found.add(warning, own.or(others), "a tie"),
    }
}
