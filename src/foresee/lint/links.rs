//! Policies of federation that name no upstream.
//! Takes a topology's view; gives findings. Where a file sets no upstream at all, the broker may hold it already.

use crate::foresee::lint::findings::LintFindings;
use crate::foresee::topology_view::TopologyView;
use crate::language::nearest;
use crate::model::{Name, Policy};
use crate::rules::Pattern;
use crate::source::{Code, Help, Problem};

/// Looks at each policy that federates.
pub fn check(view: &TopologyView<'_>, found: &mut LintFindings) {
    for policy in &view.topology.policies {
        let text = |key: &str| policy.definition.get(key).and_then(serde_json::Value::as_str);
        let place = || view.field(&policy.object(false), &["definition"]);
        let upstreams = named(view, &policy.vhost, "federation-upstream");
        let sets = named(view, &policy.vhost, "federation-upstream-set");
        if let Some(name) = text("federation-upstream").filter(|name| !upstreams.contains(name)) {
            found.add(missing(policy, "upstream", name, &upstreams), place(), "no such upstream");
        }
        match text("federation-upstream-set") {
            Some("all") if upstreams.is_empty() => {
                found.add(none_at_all(policy, "federates with all upstreams"), place(), "no upstream");
            }
            Some(name) if name != "all" && !sets.contains(&name) => {
                found.add(missing(policy, "upstream set", name, &sets), place(), "no such set");
            }
            _ => {}
        }
        let pattern = text("federation-upstream-pattern").and_then(|text| Pattern::new(text, false).ok());
        if let Some(pattern) = pattern.filter(|pattern| !upstreams.iter().any(|name| pattern.matches(name))) {
            let does = format!("federates with the upstreams that `{}` finds", pattern.text());
            found.add(none_at_all(policy, &does), place(), "no upstream");
        }
    }
}

/// Lists the parameters of a component in a vhost.
fn named<'v>(view: &'v TopologyView<'_>, vhost: &Name, component: &str) -> Vec<&'v str> {
    let of = view.topology.parameters.iter().filter(|it| it.vhost == *vhost && it.component == component);
    of.map(|parameter| parameter.name.as_str()).collect()
}

fn none_at_all(policy: &Policy, does: &str) -> Problem {
    let message = format!("policy '{}' {does}, and this file sets none in vhost '{}'", policy.name, policy.vhost);
    let help = "without an upstream nothing is federated, and RabbitMQ says nothing; add one under `parameters`, component \
                `federation-upstream`: one that the broker holds already is not seen here";
    Problem::note(Code::LintNoUpstream, message).by("PO-4").help(help)
}

fn missing(policy: &Policy, what: &str, name: &str, known: &[&str]) -> Problem {
    let message = format!(
        "policy '{}' federates with the {what} '{name}', which this file does not set in vhost '{}'",
        policy.name, policy.vhost
    );
    let problem = match known.is_empty() {
        true => Problem::note(Code::LintNoUpstream, message),
        false => Problem::warning(Code::LintNoUpstream, message),
    };
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => Help::did_you_mean(near),
        None => {
            "without it nothing is federated, and RabbitMQ says nothing; one that the broker holds already is not seen \
                 here"
                .into()
        }
    };
    problem.by("PO-4").help(help)
}
