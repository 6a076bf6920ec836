//! A topology as a definitions file that RabbitMQ's own import takes, in the form of each version.
//! Takes a topology, the version and the form; gives JSON. Passwords leave as salted hashes; salts are handed in.

use crate::convert::defaults::default_types;
use crate::model::{Credential, Exchange, Policy, Profile, Queue, Table, Topology, User, Value, Vhost};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

/// Of what a definitions file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefinitionsForm {
    /// All vhosts, with users and their rights.
    Cluster,
    /// One vhost, to be imported into one, whatever its name.
    Vhost(String),
}

/// Writes a definitions file. Each password takes a salt.
pub fn definitions(
    topology: &Topology,
    target: Profile,
    form: &DefinitionsForm,
    salt: &mut dyn FnMut() -> [u8; 4],
) -> Json {
    let mut whole = head(target, form);
    if *form == DefinitionsForm::Cluster {
        whole.insert("users".to_owned(), list(&topology.users, |it| user(it, salt)));
        whole.insert("vhosts".to_owned(), list(&topology.vhosts, |it| vhost(it, target)));
        whole.insert(
            "permissions".to_owned(),
            list(&topology.permissions, |it| {
                json!({"user": &*it.user, "vhost": &*it.vhost, "configure": it.configure, "write": it.write, "read": it.read})
            }),
        );
        whole.insert(
            "topic_permissions".to_owned(),
            list(&topology.topic_permissions, |it| {
                json!({"user": &*it.user, "vhost": &*it.vhost, "exchange": &*it.exchange, "write": it.write, "read": it.read})
            }),
        );
        let global = topology.global_parameters.iter().map(|(name, value)| json!({"name": name, "value": value}));
        whole.insert("global_parameters".to_owned(), global.collect());
    }
    let types = default_types(topology);
    let default_type = |queue: &Queue| {
        let is_declared = topology.vhosts.iter().any(|vhost| vhost.name == queue.vhost);
        let named = types.get(&queue.vhost).cloned();
        named.or_else(|| is_declared.then(|| "classic".to_owned())).filter(|_| target >= Profile::V4_0)
    };
    let mut objects = Map::new();
    objects.insert("parameters".to_owned(), parameters(topology));
    objects.insert("policies".to_owned(), list(&topology.policies, policy));
    objects.insert("queues".to_owned(), list(&topology.queues, |it| queue(it, default_type(it), target)));
    objects.insert("exchanges".to_owned(), list(&topology.exchanges, exchange));
    let bindings = list(&topology.bindings, |it| {
        json!({"source": &*it.source, "vhost": &*it.vhost, "destination": &*it.destination,
            "destination_type": it.destination_kind.as_str(), "routing_key": &*it.routing_key,
            "arguments": table(&it.arguments)})
    });
    objects.insert("bindings".to_owned(), bindings);
    if *form != DefinitionsForm::Cluster {
        objects.values_mut().for_each(without_vhosts);
    }
    whole.extend(objects);
    Json::Object(whole)
}

fn head(target: Profile, form: &DefinitionsForm) -> Map<String, Json> {
    let mut head = Map::new();
    let mut put = |key: &str, value: &str| head.insert(key.to_owned(), Json::from(value));
    put("rabbit_version", &target.to_string());
    put("rabbitmq_version", &target.to_string());
    // Before 4.0 there is no form of one vhost's export: it goes by the address that it is sent to.
    if target >= Profile::V4_0 {
        match form {
            DefinitionsForm::Cluster => {
                put("rabbitmq_definition_format", "cluster");
            }
            DefinitionsForm::Vhost(name) => {
                put("rabbitmq_definition_format", "single_virtual_host");
                put("original_vhost_name", name);
            }
        }
    }
    head
}

fn list<T>(items: &[T], write: impl FnMut(&T) -> Json) -> Json {
    items.iter().map(write).collect()
}

fn without_vhosts(list: &mut Json) {
    for entry in list.as_array_mut().into_iter().flatten() {
        if let Some(entry) = entry.as_object_mut() {
            entry.shift_remove("vhost");
        }
    }
}

fn table(table: &Table) -> Json {
    Value::Table(table.clone()).to_json()
}

/// Writes a user; without a credential it cannot log in.
fn user(user: &User, salt: &mut dyn FnMut() -> [u8; 4]) -> Json {
    let (hash, algorithm) = match &user.credential {
        None => (String::new(), "rabbit_password_hashing_sha256"),
        Some(Credential::Hash { hash, algorithm }) => (hash.expose().to_owned(), algorithm.as_str()),
        Some(Credential::Password(password)) => {
            let salt = salt();
            let digest = Sha256::digest([&salt, password.expose().as_bytes()].concat());
            (STANDARD.encode([&salt[..], &digest].concat()), "rabbit_password_hashing_sha256")
        }
    };
    json!({"name": &*user.name, "password_hash": hash, "hashing_algorithm": algorithm, "tags": user.tags, "limits": user.limits})
}

/// Writes a vhost. What a version's export leaves out its import still takes.
fn vhost(vhost: &Vhost, target: Profile) -> Json {
    let mut metadata = Map::new();
    if let Some(description) = &vhost.description {
        metadata.insert("description".to_owned(), Json::from(description.as_str()));
    }
    if let Some(tags) = &vhost.tags {
        metadata.insert("tags".to_owned(), json!(tags));
    }
    if let Some(kind) = &vhost.default_queue_type {
        metadata.insert("default_queue_type".to_owned(), Json::from(kind.as_str()));
    }
    if let Some(protected) = vhost.protected_from_deletion {
        metadata.insert("protected_from_deletion".to_owned(), Json::from(protected));
    }
    let mut entry = Map::new();
    entry.insert("name".to_owned(), Json::from(&*vhost.name));
    if target < Profile::V4_3 {
        // Older exports have these beside the name, newer ones inside.
        let beside = |key: &str| match key {
            "default_queue_type" => target < Profile::V4_1,
            key => key != "protected_from_deletion",
        };
        let beside = metadata.iter().filter(|(key, _)| beside(key));
        entry.extend(beside.map(|(key, value)| (key.clone(), value.clone())));
    }
    if !metadata.is_empty() {
        entry.insert("metadata".to_owned(), Json::Object(metadata));
    }
    if target >= Profile::V4_3 {
        entry.insert("limits".to_owned(), json!(vhost.limits));
    }
    Json::Object(entry)
}

/// Writes runtime parameters, operator policies and the limits of vhosts, which are parameters to RabbitMQ.
fn parameters(topology: &Topology) -> Json {
    let mut entries: Vec<Json> = Vec::new();
    for it in &topology.parameters {
        entries.push(json!({"value": it.value, "vhost": &*it.vhost, "component": it.component, "name": &*it.name}));
    }
    for it in &topology.operator_policies {
        let mut value = policy(it);
        let (name, vhost) = (it.name.clone(), it.vhost.clone());
        if let Some(value) = value.as_object_mut() {
            value.shift_remove("vhost");
            value.shift_remove("name");
        }
        entries.push(json!({"value": value, "vhost": &*vhost, "component": "operator_policy", "name": &*name}));
    }
    for it in topology.vhosts.iter().filter(|vhost| !vhost.limits.is_empty()) {
        entries.push(json!({"value": it.limits, "vhost": &*it.name, "component": "vhost-limits", "name": "limits"}));
    }
    Json::Array(entries)
}

fn policy(policy: &Policy) -> Json {
    json!({"vhost": &*policy.vhost, "name": &*policy.name, "pattern": policy.pattern,
        "apply-to": policy.apply_to.as_str(), "definition": policy.definition, "priority": policy.priority})
}

/// Writes a queue; from 4.0 on an export names the type of every queue among its arguments.
fn queue(queue: &Queue, default_type: Option<String>, target: Profile) -> Json {
    let mut arguments = queue.arguments.clone();
    if let Some(kind) = default_type.filter(|_| !arguments.contains_key("x-queue-type")) {
        arguments.insert("x-queue-type".into(), Value::from(kind.as_str()));
    }
    let mut entry = json!({"name": &*queue.name, "vhost": &*queue.vhost, "durable": queue.durable,
        "auto_delete": queue.auto_delete});
    if let Some(map) = entry.as_object_mut() {
        let kind = arguments.get("x-queue-type").and_then(Value::as_text).map(Json::from);
        map.extend(kind.filter(|_| target >= Profile::V4_3).map(|kind| ("type".to_owned(), kind)));
        map.insert("arguments".to_owned(), table(&arguments));
    }
    entry
}

fn exchange(exchange: &Exchange) -> Json {
    json!({"name": &*exchange.name, "vhost": &*exchange.vhost, "type": &*exchange.kind, "durable": exchange.durable,
        "auto_delete": exchange.auto_delete, "internal": exchange.internal, "arguments": table(&exchange.arguments)})
}
