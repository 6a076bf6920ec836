//! Definitions to a topology, as a broker sends them and as a saved plan holds them.
//! What belongs to RabbitMQ itself (`amq.*`, the default exchange and its bindings) is left out.

use crate::model::{
    ApplyTo, Binding, Credential, DestinationKind, Exchange, Name, Parameter, Permission, Policy, Queue, Secret, Table,
    TopicPermission, Topology, User, Value, Vhost,
};
use crate::plan::definitions::shape::FieldKind;
use crate::plan::definitions::values::typed_table;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

pub(crate) type Entry = Map<String, Json>;

/// The fields of one object, however they were read. A field of another kind than is asked for counts as absent.
pub(crate) trait Fields {
    fn text(&self, key: &str) -> Option<&str>;
    fn flag(&self, key: &str) -> Option<bool>;
    /// Returns a list or a map.
    fn nested(&self, key: &str) -> Option<&Json>;
    /// Returns what a field holds; `None` where it is not there.
    fn kind(&self, key: &str) -> Option<FieldKind>;
}

/// Returns what a value is.
pub(crate) fn kind_of(json: &Json) -> FieldKind {
    match json {
        Json::Null => FieldKind::Null,
        Json::Bool(_) => FieldKind::Flag,
        Json::Number(_) => FieldKind::Number,
        Json::String(_) => FieldKind::Text,
        Json::Array(entries) if entries.is_empty() => FieldKind::EmptyList,
        Json::Array(_) => FieldKind::List,
        Json::Object(_) => FieldKind::Map,
    }
}

impl Fields for Entry {
    fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.get(key)?.as_bool()
    }

    fn nested(&self, key: &str) -> Option<&Json> {
        self.get(key)
    }

    fn kind(&self, key: &str) -> Option<FieldKind> {
        self.get(key).map(kind_of)
    }
}

/// Reads what a broker sends: an export, or lists of the same names put together.
pub fn read_definitions(json: &Json) -> Topology {
    read(json, &plain_table)
}

/// Reads arguments as RabbitMQ reads JSON.
pub(crate) fn plain_table(json: &Json) -> Table {
    let entries = json.as_object().into_iter().flatten();
    entries.map(|(name, value)| (name.as_str(), Value::from_json(value))).collect()
}

/// Reads what [`write_saved`](crate::plan::definitions::write_saved) wrote, with all types of values.
pub fn read_saved(json: &Json) -> Topology {
    read(json, &typed_table)
}

fn read(json: &Json, table: &impl Fn(&Json) -> Table) -> Topology {
    let mut topology = Topology {
        vhosts: list(json, "vhosts", vhost),
        users: list(json, "users", user),
        permissions: list(json, "permissions", permission),
        topic_permissions: list(json, "topic_permissions", topic_permission),
        exchanges: list(json, "exchanges", |entry| exchange(entry, table)),
        queues: list(json, "queues", |entry| read_queue(entry, table)),
        bindings: list(json, "bindings", |entry| read_binding(entry, table)),
        policies: list(json, "policies", policy),
        operator_policies: list(json, "operator_policies", policy),
        ..Topology::default()
    };
    for parameter in list(json, "parameters", parameter) {
        add_parameter(&mut topology, parameter);
    }
    for (name, value) in
        list(json, "global_parameters", |entry| Some((text(entry, "name")?, entry.get("value")?.clone())))
    {
        topology.global_parameters.insert(name.to_owned(), value);
    }
    topology
}

fn list<'j, T>(json: &'j Json, key: &str, read: impl Fn(&'j Entry) -> Option<T>) -> Vec<T> {
    let entries = json.get(key).and_then(Json::as_array).into_iter().flatten();
    entries.filter_map(Json::as_object).filter_map(read).collect()
}

fn text<'j>(entry: &'j impl Fields, key: &str) -> Option<&'j str> {
    entry.text(key)
}

fn name(entry: &impl Fields, key: &str) -> Option<Name> {
    entry.text(key).map(Name::from)
}

fn owned(entry: &Entry, key: &str) -> String {
    text(entry, key).unwrap_or_default().to_owned()
}

/// Reads a flag; 3.10 and 4.0 call one "undefined" that an import left out.
fn flag(entry: &impl Fields, key: &str, otherwise: bool) -> bool {
    entry.flag(key).unwrap_or(otherwise)
}

fn arguments(entry: &impl Fields, table: impl Fn(&Json) -> Table) -> Table {
    entry.nested("arguments").map(table).unwrap_or_default()
}

/// Reads tags: a list, or one text with commas, as 3.8 writes them.
fn tags(json: &Json) -> Option<Vec<String>> {
    let words: Vec<&str> = match json {
        Json::Array(tags) => tags.iter().filter_map(Json::as_str).collect(),
        Json::String(tags) => vec![tags],
        _ => return None,
    };
    let words = words.into_iter().flat_map(|tag| tag.split(',')).map(str::trim).filter(|tag| !tag.is_empty());
    Some(words.map(str::to_owned).collect())
}

fn limits(json: Option<&Json>) -> BTreeMap<String, i64> {
    let limits = json.and_then(Json::as_object).into_iter().flatten();
    limits.filter_map(|(name, value)| Some((name.clone(), value.as_i64()?))).collect()
}

fn vhost(entry: &Entry) -> Option<Vhost> {
    let metadata = entry.get("metadata").and_then(Json::as_object);
    let field = |key: &str| entry.get(key).or_else(|| metadata?.get(key));
    let plain = |key: &str| field(key).and_then(Json::as_str).map(str::to_owned);
    Some(Vhost {
        name: name(entry, "name")?,
        description: plain("description"),
        tags: field("tags").and_then(tags),
        default_queue_type: plain("default_queue_type").filter(|kind| kind != "undefined"),
        protected_from_deletion: field("protected_from_deletion").and_then(Json::as_bool),
        limits: limits(entry.get("limits")),
    })
}

fn user(entry: &Entry) -> Option<User> {
    let hash = text(entry, "password_hash").filter(|hash| !hash.is_empty());
    let algorithm = text(entry, "hashing_algorithm").unwrap_or("rabbit_password_hashing_sha256");
    let credential = hash.map(|hash| Credential::Hash { hash: Secret::new(hash), algorithm: algorithm.to_owned() });
    Some(User {
        name: name(entry, "name")?,
        credential,
        tags: entry.get("tags").and_then(tags).unwrap_or_default(),
        limits: limits(entry.get("limits")),
    })
}

fn permission(entry: &Entry) -> Option<Permission> {
    let pattern = |key: &str| owned(entry, key);
    let (user, vhost) = (name(entry, "user")?, name(entry, "vhost")?);
    Some(Permission { user, vhost, configure: pattern("configure"), write: pattern("write"), read: pattern("read") })
}

fn topic_permission(entry: &Entry) -> Option<TopicPermission> {
    Some(TopicPermission {
        user: name(entry, "user")?,
        vhost: name(entry, "vhost")?,
        exchange: name(entry, "exchange")?,
        write: owned(entry, "write"),
        read: owned(entry, "read"),
    })
}

fn exchange(entry: &Entry, table: impl Fn(&Json) -> Table) -> Option<Exchange> {
    let name = name(entry, "name").filter(|name| !name.is_empty() && !name.starts_with("amq."))?;
    Some(Exchange {
        vhost: self::name(entry, "vhost")?,
        name,
        kind: self::name(entry, "type")?,
        durable: flag(entry, "durable", true),
        auto_delete: flag(entry, "auto_delete", false),
        internal: flag(entry, "internal", false),
        arguments: arguments(entry, table),
    })
}

pub(crate) fn read_queue(entry: &impl Fields, table: impl Fn(&Json) -> Table) -> Option<Queue> {
    let name = name(entry, "name").filter(|name| !name.starts_with("amq."))?;
    let mut arguments = arguments(entry, table);
    let kind = text(entry, "type").filter(|kind| *kind != "classic" && arguments.get("x-queue-type").is_none());
    if let Some(kind) = kind {
        arguments.insert("x-queue-type".into(), kind.into());
    }
    Some(Queue {
        vhost: self::name(entry, "vhost")?,
        name,
        durable: flag(entry, "durable", true),
        auto_delete: flag(entry, "auto_delete", false),
        exclusive: flag(entry, "exclusive", false),
        arguments,
    })
}

/// Reads a binding. 4.0 keeps one that was imported without a key, routes nothing by it and shows no key: it is no binding
/// with an empty one.
pub(crate) fn read_binding(entry: &impl Fields, table: impl Fn(&Json) -> Table) -> Option<Binding> {
    let source = name(entry, "source").filter(|source| !source.is_empty())?;
    let destination_kind = match text(entry, "destination_type") {
        Some("exchange") => DestinationKind::Exchange,
        _ => DestinationKind::Queue,
    };
    Some(Binding {
        vhost: name(entry, "vhost")?,
        source,
        destination: name(entry, "destination")?,
        destination_kind,
        routing_key: name(entry, "routing_key")?,
        arguments: arguments(entry, table),
    })
}

fn policy(entry: &Entry) -> Option<Policy> {
    policy_of(entry, name(entry, "vhost")?, name(entry, "name")?)
}

fn policy_of(entry: &Entry, vhost: Name, name: Name) -> Option<Policy> {
    const ALL: [ApplyTo; 5] =
        [ApplyTo::Queues, ApplyTo::ClassicQueues, ApplyTo::QuorumQueues, ApplyTo::Streams, ApplyTo::Exchanges];
    let word = text(entry, "apply-to").or_else(|| text(entry, "apply_to")).unwrap_or("all");
    let definition = entry.get("definition")?.as_object()?;
    Some(Policy {
        vhost,
        name,
        pattern: owned(entry, "pattern"),
        apply_to: ALL.into_iter().find(|known| known.as_str() == word).unwrap_or(ApplyTo::All),
        priority: entry.get("priority").and_then(Json::as_i64).unwrap_or(0),
        definition: definition.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
    })
}

fn parameter(entry: &Entry) -> Option<Parameter> {
    Some(Parameter {
        vhost: name(entry, "vhost")?,
        component: owned(entry, "component"),
        name: name(entry, "name")?,
        value: entry.get("value")?.clone(),
    })
}

/// Operator policies and limits of vhosts are parameters to RabbitMQ, and objects of their own here.
fn add_parameter(topology: &mut Topology, parameter: Parameter) {
    match parameter.component.as_str() {
        "operator_policy" => {
            let policy = parameter.value.as_object();
            let policy = policy.and_then(|policy| policy_of(policy, parameter.vhost, parameter.name));
            topology.operator_policies.extend(policy);
        }
        "vhost-limits" => {
            let vhost = topology.vhosts.iter_mut().find(|vhost| vhost.name == parameter.vhost);
            if let Some(vhost) = vhost {
                vhost.limits.extend(limits(Some(&parameter.value)));
            }
        }
        _ => topology.parameters.push(parameter),
    }
}
