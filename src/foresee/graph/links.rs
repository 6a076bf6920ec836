//! Shovels and federation links as edges, from their runtime parameters and policies.
//! An end that is not of the vhost is a node with its place; of a URI, host and vhost are shown, and never the account.

use crate::foresee::effective::of_exchange;
use crate::foresee::graph::builder::GraphBuilder;
use crate::foresee::graph::parts::{EdgeKind, LinkKind};
use crate::foresee::topology_view::TopologyView;
use crate::foresee::uri_place::{UriPlace, first_text};
use crate::model::{Name, Parameter, Policy};
use crate::rules::Pattern;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Adds the shovels that are declared in the vhost, and the links of its federated exchanges and queues.
pub(super) fn add(builder: &mut GraphBuilder<'_>) {
    let view = builder.view;
    let vhost = builder.vhost().clone();
    for shovel in of_component(view, &vhost, "shovel") {
        let (from, to) = (shovel_end(builder, &shovel.value, "src"), shovel_end(builder, &shovel.value, "dest"));
        let key = ["src-exchange-key", "dest-exchange-key"].iter().find_map(|key| shovel.value.get(*key)?.as_str());
        let key = key.filter(|key| !key.is_empty()).map(Name::from);
        let kind = EdgeKind::Link { kind: LinkKind::Shovel, name: shovel.name.clone(), key, policy: None };
        builder.lead(from, to, kind);
    }
    for exchange in builder.exchanges() {
        let policy = view.newest().policies.on_exchange(&vhost, &exchange.name);
        // What the exchange's own arguments say of federation is of the plugin's own making.
        let is_federated = of_exchange(exchange, view).settings.iter().any(|it| it.key.starts_with("federation"));
        if let Some(policy) = policy.filter(|_| is_federated) {
            let to = builder.exchange(&exchange.name);
            federate(builder, policy, ("exchange", &exchange.name), to);
        }
    }
    for queue in view.queues.iter().filter(|it| it.queue.vhost == vhost) {
        if let Some(policy) = queue.in_force.user.filter(|policy| !upstreams(policy, view).is_empty()) {
            let to = builder.queue(&queue.queue.name);
            federate(builder, policy, ("queue", &queue.queue.name), to);
        }
    }
}

fn of_component<'t>(view: &TopologyView<'t>, vhost: &Name, component: &str) -> Vec<&'t Parameter> {
    let of_vhost = view.topology.parameters.iter().filter(|it| it.vhost == *vhost);
    of_vhost.filter(|it| it.component == component).collect()
}

/// Returns the node of one end of a shovel.
fn shovel_end(builder: &mut GraphBuilder<'_>, value: &Json, side: &str) -> usize {
    let text = |key: &str| value.get(format!("{side}-{key}")).and_then(Json::as_str);
    let queue = text("queue").or_else(|| text("address"));
    let (name, is_queue) = match (text("exchange"), queue) {
        (Some(exchange), _) => (Name::from(exchange), false),
        (None, Some(queue)) => (Name::from(queue), true),
        // Each message goes to the exchange that it came from.
        (None, None) => (Name::from("as published"), true),
    };
    let uri = value.get(format!("{side}-uri")).and_then(first_text);
    let place = uri.map_or_else(|| UriPlace { host: None, vhost: "/".into() }, UriPlace::of);
    let is_here = place.host.is_none() && place.vhost == *builder.vhost() && (queue.is_some() || !is_queue);
    match (is_here, is_queue) {
        (true, true) => builder.queue(&name),
        (true, false) => builder.exchange(&name),
        (false, _) => builder.remote(&name, &place.words()),
    }
}

/// Lists the upstreams that a policy names.
fn upstreams<'t>(policy: &Policy, view: &TopologyView<'t>) -> Vec<&'t Parameter> {
    let all = of_component(view, &policy.vhost, "federation-upstream");
    let text = |key: &str| policy.definition.get(key).and_then(Json::as_str);
    if let Some(name) = text("federation-upstream") {
        return all.into_iter().filter(|it| it.name == *name).collect();
    }
    if let Some(pattern) = text("federation-upstream-pattern").and_then(|text| Pattern::new(text, false).ok()) {
        return all.into_iter().filter(|it| pattern.matches(&it.name)).collect();
    }
    match text("federation-upstream-set") {
        Some("all") => all,
        Some(set) => {
            let sets = of_component(view, &policy.vhost, "federation-upstream-set");
            let members = sets.into_iter().filter(|it| it.name == *set).filter_map(|it| it.value.as_array()).flatten();
            let names: BTreeSet<&str> = members.filter_map(|member| member.get("upstream")?.as_str()).collect();
            all.into_iter().filter(|it| names.contains(it.name.as_str())).collect()
        }
        None => Vec::new(),
    }
}

fn federate(builder: &mut GraphBuilder<'_>, policy: &Policy, (what, name): (&str, &Name), to: usize) {
    for upstream in upstreams(policy, builder.view) {
        let there = upstream.value.get(what).and_then(Json::as_str).map_or_else(|| name.clone(), Name::from);
        let uri = upstream.value.get("uri").and_then(first_text);
        let place = uri.map_or_else(|| "at the upstream".to_owned(), |uri| UriPlace::of(uri).words());
        let from = builder.remote(&there, &place);
        let policy = Some(policy.name.clone());
        let kind = EdgeKind::Link { kind: LinkKind::Federation, name: upstream.name.clone(), key: None, policy };
        builder.lead(from, to, kind);
    }
}
