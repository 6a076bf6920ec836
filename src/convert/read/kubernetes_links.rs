//! Resources of the operator that become parameters or several objects: federation, shovels, schema replication, super
//! streams. Takes the keys of one; gives the parameters that the operator would set. Addresses stand in secrets.

use crate::convert::read::fields::vhost_of;
use crate::convert::read::foreign_map::{ForeignMap, assumed, left_out};
use crate::convert::read::resources::Resources;
use crate::convert::secrets::unknown;
use crate::model::{Binding, DestinationKind, Exchange, Name, Parameter, Queue, Table, Value};
use crate::source::Problem;
use serde_json::{Map, Value as Json};

/// The most partitions that are written out.
const PARTITIONS_MAX: i64 = 1_000;

/// A key of the operator, RabbitMQ's, and what it holds.
type Key = (&'static str, &'static str, Holds);

#[derive(Clone, Copy)]
enum Holds {
    Text,
    Number,
    Flag,
    Map,
    /// A number, or a word.
    Either,
}

const FEDERATION: &[Key] = &[
    ("prefetch-count", "prefetch-count", Holds::Number),
    ("ackMode", "ack-mode", Holds::Text),
    ("expires", "expires", Holds::Number),
    ("messageTTL", "message-ttl", Holds::Number),
    ("maxHops", "max-hops", Holds::Number),
    ("reconnectDelay", "reconnect-delay", Holds::Number),
    ("trustUserId", "trust-user-id", Holds::Flag),
    ("exchange", "exchange", Holds::Text),
    ("queue", "queue", Holds::Text),
    ("queueType", "queue-type", Holds::Text),
    ("resourceCleanupMode", "resource-cleanup-mode", Holds::Text),
];

const SHOVEL: &[Key] = &[
    ("ackMode", "ack-mode", Holds::Text),
    ("prefetchCount", "prefetch-count", Holds::Number),
    ("reconnectDelay", "reconnect-delay", Holds::Number),
    ("addForwardHeaders", "add-forward-headers", Holds::Flag),
    ("deleteAfter", "delete-after", Holds::Either),
    ("srcDeleteAfter", "src-delete-after", Holds::Either),
    ("srcPrefetchCount", "src-prefetch-count", Holds::Number),
    ("destAddForwardHeaders", "dest-add-forward-headers", Holds::Flag),
    ("destAddTimestampHeader", "dest-add-timestamp-header", Holds::Flag),
    ("srcQueueArgs", "src-queue-args", Holds::Map),
    ("destQueueArgs", "dest-queue-args", Holds::Map),
    ("destProtocol", "dest-protocol", Holds::Text),
    ("destQueue", "dest-queue", Holds::Text),
    ("destExchange", "dest-exchange", Holds::Text),
    ("destExchangeKey", "dest-exchange-key", Holds::Text),
    ("destPublishProperties", "dest-publish-properties", Holds::Map),
    ("destAddress", "dest-address", Holds::Text),
    ("destApplicationProperties", "dest-application-properties", Holds::Map),
    ("destProperties", "dest-properties", Holds::Map),
    ("destMessageAnnotations", "dest-message-annotations", Holds::Map),
    ("srcProtocol", "src-protocol", Holds::Text),
    ("srcQueue", "src-queue", Holds::Text),
    ("srcExchange", "src-exchange", Holds::Text),
    ("srcExchangeKey", "src-exchange-key", Holds::Text),
    ("srcConsumerArgs", "src-consumer-args", Holds::Map),
    ("srcAddress", "src-address", Holds::Text),
];

/// Reads keys into a parameter's value, under RabbitMQ's names.
fn take(map: &mut ForeignMap<'_>, keys: &[Key], into: &mut Map<String, Json>, problems: &mut Vec<Problem>) {
    for (theirs, ours, holds) in keys {
        let value = match holds {
            Holds::Text => map.text(theirs, problems).filter(|text| !text.is_empty()).map(Json::from),
            Holds::Number => map.integer(theirs, problems).map(Json::from),
            Holds::Flag => map.node(theirs).is_some().then(|| Json::from(map.flag(theirs, false, problems))),
            Holds::Map => map.json(theirs, problems).map(Json::from),
            Holds::Either => {
                let text = map.text(theirs, problems);
                text.map(|text| text.parse::<i64>().map_or_else(|_| Json::from(text.clone()), Json::from))
            }
        };
        into.extend(value.map(|value| ((*ours).to_owned(), value)));
    }
}

/// Reads a key of a secret that a resource names; several addresses are parted by commas. What is not in the file
/// becomes a variable.
fn of_secret(resources: &Resources<'_>, secret: &str, key: &str, base: &str) -> Json {
    let held = resources.secrets.get(secret).and_then(|keys| keys.get(key));
    match held {
        Some(text) if text.contains(',') => Json::from(text.split(',').collect::<Vec<_>>()),
        Some(text) => Json::from(text.as_str()),
        None => Json::from(unknown(base)),
    }
}

fn secret_name(map: &mut ForeignMap<'_>, key: &str) -> String {
    let node = map.node(key).and_then(|node| node.get("name"));
    node.and_then(|name| name.as_text()).unwrap_or_default().to_owned()
}

/// Reads a federation upstream.
pub fn federation(resources: &mut Resources<'_>, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
    let (name, vhost) = (map.name("name", problems), vhost_of(map, problems));
    let secret = secret_name(map, "uriSecret");
    let Some(name) = name else { return };
    let mut value = Map::new();
    let base = format!("federation_upstream_{name}_uri");
    value.insert("uri".to_owned(), of_secret(resources, &secret, "uri", &base));
    take(map, FEDERATION, &mut value, problems);
    let component = "federation-upstream".to_owned();
    resources.imported.topology.parameters.push(Parameter { vhost, component, name, value: value.into() });
}

/// Reads a shovel.
pub fn shovel(resources: &mut Resources<'_>, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
    let (name, vhost) = (map.name("name", problems), vhost_of(map, problems));
    let secret = secret_name(map, "uriSecret");
    let Some(name) = name else { return };
    let mut value = Map::new();
    for (theirs, ours, part) in [("srcUri", "src-uri", "src_uri"), ("destUri", "dest-uri", "dest_uri")] {
        value.insert(ours.to_owned(), of_secret(resources, &secret, theirs, &format!("shovel_{name}_{part}")));
    }
    take(map, SHOVEL, &mut value, problems);
    let component = "shovel".to_owned();
    resources.imported.topology.parameters.push(Parameter { vhost, component, name, value: value.into() });
}

/// Reads the upstream of a schema replication, which is a global parameter.
pub fn schema_replication(resources: &mut Resources<'_>, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
    let secret = secret_name(map, "upstreamSecret");
    if map.node("secretBackend").is_some() {
        problems.push(assumed(format!("{}: its login is in a vault, and becomes variables", map.what), map.span()));
    }
    let get = |key: &str| of_secret(resources, &secret, key, &format!("schema_replication_{key}_secret"));
    let (username, password, endpoints) = (get("username"), get("password"), get("endpoints"));
    let endpoints = match map.text("endpoints", problems) {
        Some(text) => Json::from(text.split(',').map(str::trim).collect::<Vec<_>>()),
        None => endpoints,
    };
    let value = serde_json::json!({"endpoints": endpoints, "username": username, "password": password});
    resources.imported.topology.global_parameters.insert("schema_definition_sync_upstream".to_owned(), value);
}

/// Reads a super stream: an exchange, and a stream for each partition. The operator names them after the resource.
pub fn super_stream(resources: &mut Resources<'_>, name: &str, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
    let vhost = vhost_of(map, problems);
    map.ignore(&["name"]);
    let mut keys = map.texts("routingKeys", problems);
    let partitions = map.integer("partitions", problems).unwrap_or(3);
    if !(1..=PARTITIONS_MAX).contains(&partitions) {
        let message = format!("{}: {partitions} partitions; 1 to {PARTITIONS_MAX} are written out", map.what);
        return problems.push(left_out(message, map.span()));
    }
    if keys.is_empty() {
        keys = (0..partitions).map(|n| n.to_string()).collect();
    }
    let source: Name = name.into();
    let topology = &mut resources.imported.topology;
    topology.exchanges.push(Exchange {
        vhost: vhost.clone(),
        name: source.clone(),
        kind: "direct".into(),
        durable: true,
        auto_delete: false,
        internal: false,
        arguments: Table::new(),
    });
    for (at, key) in keys.iter().enumerate() {
        let partition: Name = format!("{name}-{key}").into();
        let arguments = [("x-queue-type", Value::from("stream"))].into_iter().collect();
        let (vhost, durable) = (vhost.clone(), true);
        let queue = Queue {
            vhost: vhost.clone(),
            name: partition.clone(),
            durable,
            auto_delete: false,
            exclusive: false,
            arguments,
        };
        topology.queues.push(queue);
        let arguments = [("x-stream-partition-order", Value::I64(at as i64))].into_iter().collect();
        let (source, destination_kind) = (source.clone(), DestinationKind::Queue);
        let routing_key = key.as_str().into();
        topology.bindings.push(Binding {
            vhost,
            source,
            destination: partition,
            destination_kind,
            routing_key,
            arguments,
        });
    }
}
