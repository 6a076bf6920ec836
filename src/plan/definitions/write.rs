//! A topology to definitions: hashes as they are, passwords never.
//! Takes a topology of which the passwords were made hashes; gives JSON in a fixed order, so that it can be digested.

use crate::model::{Credential, Policy, Table, Topology, Value};
use crate::plan::definitions::values::typed_table_json;
use serde_json::{Value as Json, json};

/// Writes what a broker of any version reads.
pub fn write_definitions(topology: &Topology) -> Json {
    let plain = |table: &Table| {
        Json::Object(table.iter().map(|(name, value): (_, &Value)| (name.to_string(), value.to_json())).collect())
    };
    write(topology, &plain)
}

/// Writes all types of values too, for [`read_saved`](crate::plan::definitions::read_saved).
pub fn write_saved(topology: &Topology) -> Json {
    write(topology, &typed_table_json)
}

fn write(topology: &Topology, table: &impl Fn(&Table) -> Json) -> Json {
    let vhosts = topology.vhosts.iter().map(|it| {
        json!({
            "name": *it.name, "description": it.description, "tags": it.tags,
            "default_queue_type": it.default_queue_type,
            "protected_from_deletion": it.protected_from_deletion, "limits": it.limits,
        })
    });
    let users = topology.users.iter().map(|it| {
        let (hash, algorithm) = match &it.credential {
            Some(Credential::Hash { hash, algorithm }) => (Some(hash.expose()), Some(algorithm)),
            // A password is never written: who writes makes hashes of them first.
            Some(Credential::Password(_)) | None => (None, None),
        };
        json!({
            "name": *it.name, "password_hash": hash, "hashing_algorithm": algorithm, "tags": it.tags,
            "limits": it.limits,
        })
    });
    let permissions = topology.permissions.iter().map(|it| {
        json!({
            "user": *it.user, "vhost": *it.vhost,
            "configure": it.configure, "write": it.write, "read": it.read,
        })
    });
    let topic_permissions = topology.topic_permissions.iter().map(|it| {
        json!({
            "user": *it.user, "vhost": *it.vhost, "exchange": *it.exchange, "write": it.write, "read": it.read,
        })
    });
    let exchanges = topology.exchanges.iter().map(|it| {
        json!({
            "name": *it.name, "vhost": *it.vhost, "type": *it.kind, "durable": it.durable,
            "auto_delete": it.auto_delete, "internal": it.internal, "arguments": table(&it.arguments),
        })
    });
    let queues = topology.queues.iter().map(|it| {
        json!({
            "name": *it.name, "vhost": *it.vhost, "durable": it.durable,
            "auto_delete": it.auto_delete, "exclusive": it.exclusive, "arguments": table(&it.arguments),
        })
    });
    let bindings = topology.bindings.iter().map(|it| {
        json!({
            "source": *it.source, "vhost": *it.vhost, "destination": *it.destination,
            "destination_type": it.destination_kind.as_str(), "routing_key": *it.routing_key,
            "arguments": table(&it.arguments),
        })
    });
    let parameters = topology
        .parameters
        .iter()
        .map(|it| json!({ "vhost": *it.vhost, "component": it.component, "name": *it.name, "value": it.value }));
    let globals = topology.global_parameters.iter().map(|(name, value)| json!({ "name": name, "value": value }));
    json!({
        "vhosts": vhosts.collect::<Vec<_>>(),
        "users": users.collect::<Vec<_>>(),
        "permissions": permissions.collect::<Vec<_>>(),
        "topic_permissions": topic_permissions.collect::<Vec<_>>(),
        "exchanges": exchanges.collect::<Vec<_>>(),
        "queues": queues.collect::<Vec<_>>(),
        "bindings": bindings.collect::<Vec<_>>(),
        "policies": topology.policies.iter().map(policy).collect::<Vec<_>>(),
        "operator_policies": topology.operator_policies.iter().map(policy).collect::<Vec<_>>(),
        "parameters": parameters.collect::<Vec<_>>(),
        "global_parameters": globals.collect::<Vec<_>>(),
    })
}

fn policy(it: &Policy) -> Json {
    json!({
        "vhost": *it.vhost, "name": *it.name, "pattern": it.pattern, "apply-to": it.apply_to.as_str(),
        "priority": it.priority, "definition": it.definition,
    })
}
