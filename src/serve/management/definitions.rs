//! Exports: all that the broker holds, or what is in one vhost, in the format of the version (MG-12).

use crate::model::{Exchange, Name, Profile, Queue};
use crate::serve::management::answer::Answered;
use crate::serve::management::call::ManagementCall;
use crate::serve::management::exchanges::table;
use crate::serve::management::listing::shown;
use crate::serve::management::parameters;
use crate::serve::management::policies;
use crate::serve::management::users::{object as user_object, permission, topic_permission};
use crate::serve::management::vhosts::{metadata, object as vhost_object};
use serde_json::{Map, Value as Json, json};

/// Exports everything.
pub(crate) fn export(call: &mut ManagementCall<'_>) -> Answered {
    let profile = call.profile();
    let release = call.broker.edition().release();
    let sim = call.sim();
    let vhosts: Vec<Name> = sim.held_vhosts().map(|vhost| vhost.name.clone()).collect();
    let vhost_entries = sim.held_vhosts().map(|vhost| match profile {
        Profile::V3_10 => json!({"name": **vhost.name}),
        profile if profile >= Profile::V4_3 => {
            json!({"limits": vhost.limits, "metadata": metadata(&vhost, profile), "name": **vhost.name})
        }
        profile => Json::Object(vhost_object(&vhost, profile)),
    });
    let mut all = json!({
        "rabbit_version": release, "rabbitmq_version": release, "product_name": "RabbitMQ", "product_version": release,
    });
    if profile >= Profile::V4_0 {
        let cluster = &call.broker.memory().cluster_name;
        all["rabbitmq_definition_format"] = json!("cluster");
        all["original_cluster_name"] = json!(cluster);
        all["explanation"] = json!(format!("Definitions of cluster '{cluster}'"));
    }
    let globals = call.broker.memory().global_parameters.iter();
    // 4.3 keeps the cluster's id for itself.
    let globals = globals.filter(|(name, _)| profile < Profile::V4_3 || *name != "internal_cluster_id");
    all["users"] = sim.held_users().map(|user| user_object(call, &user)).collect();
    all["vhosts"] = vhost_entries.collect();
    all["permissions"] = sim.held_users().flat_map(|user| user.permissions).map(|row| permission(&row)).collect();
    all["topic_permissions"] = sim.held_users().flat_map(|user| user.topic_permissions).map(topic_permission).collect();
    all["parameters"] = vhosts.iter().flat_map(|vhost| parameters::of_vhost(call, vhost)).collect();
    all["global_parameters"] = globals.map(|(name, value)| json!({"name": name, "value": value})).collect();
    for (list, entries) in objects(call, &vhosts) {
        all[list] = entries;
    }
    Ok(shown(call.request, all))
}

/// Exports what is in the vhost of the path; nothing of it names the vhost, but policies and parameters of 3.10.
pub(crate) fn export_vhost(call: &mut ManagementCall<'_>) -> Answered {
    let vhost = call.vhost()?;
    let (profile, release) = (call.profile(), call.broker.edition().release());
    let mut all = json!({"rabbit_version": release});
    if profile >= Profile::V4_0 {
        for key in ["rabbitmq_version", "product_version"] {
            all[key] = json!(release);
        }
        all["product_name"] = json!("RabbitMQ");
        all["rabbitmq_definition_format"] = json!("single_virtual_host");
        all["original_vhost_name"] = json!(*vhost);
        all["explanation"] = json!(format!("Definitions of virtual host '{vhost}'"));
        if let Some(held) = call.sim().held_vhost(&vhost) {
            all["metadata"] = metadata(&held, profile);
            all["description"] = json!(held.description);
            if profile < Profile::V4_3 {
                all["default_queue_type"] = all["metadata"]["default_queue_type"].clone();
            }
            all["limits"] = json!(held.limits);
        }
    }
    all["parameters"] = parameters::of_vhost(call, &vhost).into_iter().collect();
    for (list, entries) in objects(call, std::slice::from_ref(&vhost)) {
        all[list] = entries;
    }
    for list in ["parameters", "policies", "queues", "exchanges", "bindings"] {
        if profile == Profile::V3_10 && matches!(list, "parameters" | "policies") {
            continue;
        }
        let entries = all[list].as_array_mut().into_iter().flatten();
        entries.filter_map(Json::as_object_mut).for_each(|entry| drop(entry.shift_remove("vhost")));
    }
    Ok(shown(call.request, all))
}

/// Writes the objects of vhosts that a definitions file has.
fn objects(call: &ManagementCall<'_>, vhosts: &[Name]) -> [(&'static str, Json); 4] {
    let sim = call.sim();
    let policies = vhosts.iter().flat_map(|vhost| sim.held_policies(vhost, false)).map(policies::object);
    let queues = vhosts.iter().flat_map(|vhost| sim.held_queues(vhost));
    let queues = queues.filter(|held| held.owner.is_none());
    let queues = queues.map(|held| queue(held.declared, held.kind.as_str(), call.profile()));
    let exchanges = vhosts.iter().flat_map(|vhost| sim.held_exchanges(vhost));
    let exchanges = exchanges.filter(|held| is_exported(held.declared, call.profile()));
    let exchanges = exchanges.map(|held| exchange(held.declared, call.profile()));
    let bindings = vhosts.iter().flat_map(|vhost| sim.held_bindings(vhost));
    let exclusive = |vhost: &str, name: &str| sim.held_queue(vhost, name).is_some_and(|held| held.owner.is_some());
    let bindings = bindings
        .filter(|it| {
            it.destination_kind == crate::model::DestinationKind::Exchange || !exclusive(&it.vhost, &it.destination)
        })
        .map(|it| {
            json!({
                "source": *it.source, "vhost": *it.vhost, "destination": *it.destination,
                "destination_type": it.destination_kind.as_str(), "routing_key": *it.routing_key,
                "arguments": table(&it.arguments),
            })
        });
    [
        ("policies", policies.collect()),
        ("queues", queues.collect()),
        ("exchanges", exchanges.collect()),
        ("bindings", bindings.collect()),
    ]
}

/// Returns whether an exchange is in an export: not those that each vhost has, and on 4.3 no internal one.
fn is_exported(it: &Exchange, profile: Profile) -> bool {
    let is_own = it.name.is_empty() || it.name.starts_with("amq.");
    !(is_own || it.internal && profile >= Profile::V4_3)
}

fn queue(it: &Queue, kind: &str, profile: Profile) -> Json {
    let mut entry = Map::new();
    entry.insert("name".into(), json!(*it.name));
    entry.insert("vhost".into(), json!(*it.vhost));
    entry.insert("durable".into(), json!(it.durable));
    entry.insert("auto_delete".into(), json!(it.auto_delete));
    if profile >= Profile::V4_3 {
        entry.insert("type".into(), json!(kind));
    }
    entry.insert("arguments".into(), table(&it.arguments));
    Json::Object(entry)
}

fn exchange(it: &Exchange, profile: Profile) -> Json {
    let mut entry = json!({
        "name": *it.name, "vhost": *it.vhost, "type": *it.kind, "durable": it.durable, "auto_delete": it.auto_delete,
    });
    if profile < Profile::V4_3 {
        entry["internal"] = json!(it.internal);
    }
    entry["arguments"] = table(&it.arguments);
    entry
}
