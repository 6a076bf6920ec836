//! Shovels and federation upstreams of the Terraform provider, as the parameters that it sets.
//! Takes the values of a resource; gives a parameter. What is empty is left away, as the provider does.

use crate::convert::read::fields::vhost_of;
use crate::convert::read::foreign_map::ForeignMap;
use crate::convert::secrets::unknown;
use crate::model::{Parameter, Topology};
use crate::source::Problem;
use serde_json::{Map, Value as Json};

/// A key of the provider and RabbitMQ's.
type Key = (&'static str, &'static str);

const SHOVEL: &[Key] = &[
    ("source_uri", "src-uri"),
    ("source_protocol", "src-protocol"),
    ("source_queue", "src-queue"),
    ("source_exchange", "src-exchange"),
    ("source_exchange_key", "src-exchange-key"),
    ("source_address", "src-address"),
    ("source_prefetch_count", "src-prefetch-count"),
    ("source_delete_after", "src-delete-after"),
    ("destination_uri", "dest-uri"),
    ("destination_protocol", "dest-protocol"),
    ("destination_queue", "dest-queue"),
    ("destination_queue_arguments", "dest-queue-args"),
    ("destination_exchange", "dest-exchange"),
    ("destination_exchange_key", "dest-exchange-key"),
    ("destination_address", "dest-address"),
    ("destination_properties", "dest-properties"),
    ("destination_application_properties", "dest-application-properties"),
    ("destination_publish_properties", "dest-publish-properties"),
    ("destination_add_forward_headers", "dest-add-forward-headers"),
    ("destination_add_timestamp_header", "dest-add-timestamp-header"),
    ("ack_mode", "ack-mode"),
    ("add_forward_headers", "add-forward-headers"),
    ("delete_after", "delete-after"),
    ("prefetch_count", "prefetch-count"),
    ("reconnect_delay", "reconnect-delay"),
];

const FEDERATION: &[Key] = &[
    ("uri", "uri"),
    ("exchange", "exchange"),
    ("queue", "queue"),
    ("prefetch_count", "prefetch-count"),
    ("reconnect_delay", "reconnect-delay"),
    ("ack_mode", "ack-mode"),
    ("trust_user_id", "trust-user-id"),
    ("max_hops", "max-hops"),
    ("expires", "expires"),
    ("message_ttl", "message-ttl"),
];

/// Reads a shovel.
pub fn shovel(topology: &mut Topology, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
    link(topology, map, ("info", "shovel"), SHOVEL, problems);
}

/// Reads a federation upstream.
pub fn federation(topology: &mut Topology, map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) {
    map.ignore(&["component"]);
    link(topology, map, ("definition", "federation-upstream"), FEDERATION, problems);
}

fn link(
    topology: &mut Topology,
    map: &mut ForeignMap<'_>,
    (block, component): (&str, &str),
    keys: &[Key],
    problems: &mut Vec<Problem>,
) {
    let (name, vhost) = (map.name("name", problems), vhost_of(map, problems));
    let Some(mut block) = map.block(block, problems) else { return };
    let Some(name) = name else { return };
    let mut value = Map::new();
    for (theirs, ours) in keys {
        let found = block.node(theirs).map(|node| node.to_json()).filter(|json| !is_empty(json));
        let is_number = theirs.ends_with("delete_after") && found.as_ref().and_then(Json::as_str).is_some();
        let found = match found {
            Some(Json::String(text)) if is_number => Some(text.parse::<i64>().map_or(Json::from(text), Json::from)),
            None if theirs.ends_with("uri") => Some(Json::from(unknown(&format!("{component}_{name}_{theirs}")))),
            found => found,
        };
        value.extend(found.map(|found| ((*ours).to_owned(), found)));
    }
    block.finish(problems);
    topology.parameters.push(Parameter { vhost, component: component.to_owned(), name, value: value.into() });
}

/// Returns whether the provider sends a value at all.
fn is_empty(json: &Json) -> bool {
    match json {
        Json::Null | Json::Bool(false) => true,
        Json::Number(n) => n.as_i64() == Some(0),
        Json::String(text) => text.is_empty(),
        Json::Array(entries) => entries.is_empty(),
        Json::Object(map) => map.is_empty(),
        Json::Bool(true) => false,
    }
}
