//! A right example of each place of the table, in one line of YAML: what an error shows beside a wrong shape.
//! Takes a group and a key; the words of the table say the shape, the lists here what stands in it.

use crate::language::words::{WordGroup, queue_field};
use crate::rules::{QUEUE_ARGUMENTS, QueueArgument, ValueKind};
use crate::source::Code;

/// A map of each group.
const OF_GROUPS: &[(&str, &str)] = &[
    ("topology", "{queues: [{name: work}]}"),
    ("allowance", "{code: CODE, reason: a price is worthless after a minute}"),
    ("user", "{name: alice, password: \"{{ env.ALICE_PASSWORD }}\"}"),
    ("vhost", "{name: shop}"),
    ("vhost_metadata", "{default_queue_type: quorum}"),
    ("permission", "{user: alice, configure: \"\", write: \"^orders$\", read: \"^work$\"}"),
    ("own_permission", "{configure: \"\", write: \"^orders$\", read: \"^work$\"}"),
    ("topic_permission", "{user: alice, exchange: orders, write: \"^order\", read: \".*\"}"),
    ("own_topic_permission", "{exchange: orders, write: \"^order\", read: \".*\"}"),
    ("exchange", "{name: orders, type: topic}"),
    ("queue", "{name: work, type: quorum}"),
    ("ignore", "{queues: [\"^tmp-\"]}"),
    ("dead_letter", "{exchange: dlx}"),
    ("retry", "{delays: [5s, 30s], then: work.parked}"),
    ("binding_to", "{source: orders, routing_key: order.created}"),
    ("binding", "{source: orders, queue: work, routing_key: order.created}"),
    ("policy", "{name: ttl, pattern: \"^work\", apply-to: queues, definition: {message-ttl: 60000}}"),
    ("parameter", "{component: federation-upstream, name: up, value: {uri: amqp://up}}"),
    ("global_parameter", "{name: cluster_tags, value: {region: eu}}"),
    ("scenario", "{scenario: an order is worked on, steps: [{expect: {queue: work, ready: 1}}]}"),
    ("requires", "{rabbitmq: \">=4.0\"}"),
    ("snapshot", "{redact: [json.timestamp]}"),
    ("consumer", "{queue: work, on_message: {do: ack}}"),
    ("rule", "{match: {routing_key: order.created}, do: ack}"),
    ("match", "{routing_key: order.created}"),
    ("death_matcher", "{queue: work, reason: expired}"),
    ("action", "ack"),
    ("ack", "{multiple: true}"),
    ("nack", "{requeue: true}"),
    ("reject", "{requeue: true}"),
    ("forward", "{exchange: orders, routing_key: order.again}"),
    ("publish", "{exchange: orders, routing_key: order.created, body: hello}"),
    ("step", "{advance: 5s}"),
    ("refused", "{code: 404}"),
    ("get", "{queue: work, as: first}"),
    ("ack_held", "{of: first, multiple: true}"),
    ("nack_held", "{of: first, requeue: true}"),
    ("reject_held", "{of: first, requeue: true}"),
    ("consume", "{queue: work, global_prefetch: 10}"),
    ("wait_until_quiet", "{within: 30s, for: 200ms}"),
    ("recover", "{of: worker}"),
    ("qos", "{of: worker, prefetch: 10, global: true}"),
    ("queue_only", "{queue: work}"),
    ("declare", "{queue: {name: work, type: quorum}}"),
    ("delete", "{queue: work, if_empty: true}"),
    ("cleared_permission", "{user: alice, vhost: shop}"),
    ("cleared_topic_permission", "{user: alice, exchange: orders}"),
    ("vhost_limits", "{max-queues: 100}"),
    ("cleared_vhost_limits", "{limits: max-queues}"),
    ("user_limits", "{user: alice, max-channels: 10}"),
    ("cleared_user_limits", "{user: alice, limits: max-channels}"),
    ("expect", "{queue: work, ready: 3}"),
    ("peak", "{unacked: \"<=10\"}"),
    ("includes", "{includes: [order-1]}"),
    ("message", "{id: order-1}"),
    ("includes_deaths", "{includes: [{queue: work, reason: expired}]}"),
    ("death", "{queue: work, reason: expired}"),
    ("needs", "{plugins: [rabbitmq_sharding]}"),
    ("topology_needs", "{plugins: [rabbitmq_sharding]}"),
    ("live", "{time_scale: 0.1}"),
    ("batch", "{size: 100, after: 5s}"),
    ("timeout", "{after: 30s, do: reject}"),
    ("reconnect", "{after: 5s}"),
    ("seen", "{by: message_id, lasting: 10m}"),
    ("close_connection", "{of: worker, by: client}"),
    ("stop_node", "{leader_of: work}"),
    ("includes_queues", "{includes: [work]}"),
    ("metric", "{name: dead_lettered, queue: work, reason: expired}"),
    ("tally", "{queue: work, by: json.player, sum: json.points}"),
    ("call", "{exchange: \"\", routing_key: questions, body: hello}"),
    ("own_queue", "{exclusive: true}"),
];

/// What stands at a key whose kind does not say enough; `GROUP.KEY` goes before `KEY`.
const OF_KEYS: &[(&str, &str)] = &[
    ("app_id", "shop"),
    ("action.ack", "{multiple: true}"),
    ("action.reply", "{body: hello}"),
    ("consumer.heartbeat", "5s"),
    ("action.on_return", "{nack: {requeue: true}}"),
    ("alternate_exchange", "unrouted"),
    ("arguments", "{x-max-priority: 5}"),
    ("as", "alice"),
    ("get.as", "first"),
    ("step.ack", "first"),
    ("step.nack", "first"),
    ("step.reject", "first"),
    ("ack_held.of", "first"),
    ("nack_held.of", "first"),
    ("reject_held.of", "first"),
    ("at_end", "[{expect: {queue: work, ready: 1}}]"),
    ("binding.arguments", "{x-match: all, format: pdf}"),
    ("binding_to.arguments", "{x-match: all, format: pdf}"),
    ("body", "hello"),
    ("brokers", "[sim, live]"),
    ("by", "json.player"),
    ("chance", "20%"),
    ("channel", "shared"),
    ("clear_policy", "ttl"),
    ("clear_operator_policy", "bound"),
    ("clear_permission", "alice"),
    ("clear_vhost_limits", "max-queues"),
    ("clear_user_limits", "alice"),
    ("cleared_vhost_limits.limits", "max-queues"),
    ("cleared_user_limits.limits", "max-channels"),
    ("code", "CODE"),
    ("refused.code", "404"),
    ("component", "federation-upstream"),
    ("configure", "\".*\""),
    ("consume", "work"),
    ("consumer", "worker"),
    ("consumer.start", "manual"),
    ("consumer.arguments", "{x-priority: 5}"),
    ("content_encoding", "gzip"),
    ("content_type", "application/json"),
    ("correlation_id", "order-1"),
    ("close_connection", "worker"),
    ("crash", "worker"),
    ("dead_letter_exchange", "dlx"),
    ("delivery_mode", "2"),
    ("default_queue_type", "quorum"),
    ("definition", "{message-ttl: 60000}"),
    ("description", "what it is for"),
    ("destination", "work"),
    ("drop_headers", "[retries]"),
    ("exchange", "orders"),
    ("exchange.arguments", "{alternate-exchange: unrouted}"),
    ("exchange.name", "orders"),
    ("exchange.type", "topic"),
    ("expiration", "5s"),
    ("file", "order.bin"),
    ("for_each", "[a, b]"),
    ("get", "work"),
    ("global_parameter.name", "cluster_tags"),
    ("header", "{retries: 1}"),
    ("headers", "{retries: 1}"),
    ("id", "order-1"),
    ("instances", "3"),
    ("is", "3"),
    ("json", "{player: alice}"),
    ("limits", "{max-connections: 100}"),
    ("vhost.limits", "{max-queues: 100}"),
    ("matrix", "{type: [classic, quorum]}"),
    ("message", "order-1"),
    ("metric", "acked"),
    ("metric.name", "published"),
    ("metric.quantile", "0.95"),
    ("metric.reason", "expired"),
    ("name", "work"),
    ("of", "order-1"),
    ("connections.of", "worker"),
    ("close_connection.of", "worker"),
    ("close_connection.by", "client"),
    ("ignore.limits", "shop"),
    ("original-expiration", "\"5000\""),
    ("original_expiration", "\"5000\""),
    ("parameter.name", "up"),
    ("password", "\"{{ env.ALICE_PASSWORD }}\""),
    ("password_hash", "\"{{ env.ALICE_HASH }}\""),
    ("pattern", "\"^work\""),
    ("plugins", "[rabbitmq_sharding]"),
    ("policy.name", "ttl"),
    ("prefetch", "10"),
    ("priority", "5"),
    ("purge", "work"),
    ("qos.of", "worker"),
    ("recover.of", "worker"),
    ("step.recover", "worker"),
    ("step.tx", "commit"),
    ("consumer.tx", "true"),
    ("global_prefetch", "10"),
    ("queue", "work"),
    ("rabbitmq", "\">=4.0\""),
    ("read", "\".*\""),
    ("reason", "a price is worthless after a minute"),
    ("redact", "[json.timestamp]"),
    ("refused", "true"),
    ("expect.refused", "1"),
    ("expect.type", "quorum"),
    ("reply_to", "answers"),
    ("routing-keys", "[order.created]"),
    ("routing_key", "order.created"),
    ("routing_keys", "[order.created]"),
    ("scenario", "a rejected order is parked"),
    ("death_matcher.reason", "expired"),
    ("death.reason", "expired"),
    ("shares", "{worker.1: \">=10\"}"),
    ("size", "100"),
    ("snapshot", "off"),
    ("source", "orders"),
    ("start", "worker"),
    ("steps", "[{publish: {routing_key: work, body: hello}}]"),
    ("finally", "[{purge: work}]"),
    ("stop", "worker"),
    ("sum", "json.points"),
    ("tags", "[dlx]"),
    ("user.tags", "[monitoring]"),
    ("vhost.tags", "[shop]"),
    ("vhost_metadata.tags", "[shop]"),
    ("text", "no queue"),
    ("then", "work.parked"),
    ("time_scale", "0.1"),
    ("timestamp", "1700000000"),
    ("tolerance", "10%"),
    ("topology", "topologies/orders.yaml"),
    ("type", "order.created"),
    ("user", "alice"),
    ("user.name", "alice"),
    ("user_id", "alice"),
    ("value", "{uri: amqp://up}"),
    ("vars", "{ttl: 5s}"),
    ("vhost", "shop"),
    ("vhost.name", "shop"),
    ("message_id", "order-1"),
    ("without_headers", "[x-death]"),
    ("without_properties", "[expiration]"),
    ("write", "\".*\""),
    ("when", "\"{{ message.json.n > 3 }}\""),
    ("where", "{routing_key: order.created}"),
];

/// The shape of what stands somewhere: of two that may, the one that is meant is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Keys with values.
    Map,
    /// One after another.
    List,
    /// A text, a number, a switch, or nothing.
    Scalar,
}

/// Returns a right map of a group.
pub fn of_group(group: &WordGroup) -> String {
    let written = OF_GROUPS.iter().find(|(name, _)| *name == group.name).map_or("{}", |(_, example)| example);
    with_code(written)
}

/// Writes a code of a finding where the tables say `CODE`.
fn with_code(written: &str) -> String {
    written.replace("CODE", Code::LintTtlDrops.text())
}

/// Returns a right line of a key: `queues: [{name: work, type: quorum}]`.
pub fn of_key(group: &WordGroup, key: &str, found: Shape) -> Option<String> {
    Some(format!("{key}: {}", value_of(group, key, found)?))
}

/// Returns the kind of a key in the words of the table.
pub fn kind_of_key(group: &WordGroup, key: &str) -> Option<String> {
    if let Some(word) = group.words.iter().find(|word| word.key() == key) {
        return Some(word.kind.to_owned());
    }
    let argument = QUEUE_ARGUMENTS.iter().find(|argument| group.takes_arguments() && queue_field(argument) == key)?;
    Some(kind_of_argument(argument))
}

/// Returns a queue argument's kind as the table of words writes kinds.
pub fn kind_of_argument(argument: &QueueArgument) -> String {
    match argument.kind {
        ValueKind::Duration => "duration".to_owned(),
        ValueKind::Size => "size".to_owned(),
        ValueKind::Integer => "int".to_owned(),
        ValueKind::Text => "text".to_owned(),
        ValueKind::Bool => "bool".to_owned(),
        ValueKind::OneOf(words) => format!("word:{}", words.join(",")),
    }
}

fn value_of(group: &WordGroup, key: &str, found: Shape) -> Option<String> {
    let kind = kind_of_key(group, key)?;
    let own = format!("{}.{key}", group.name);
    let listed = [own.as_str(), key].into_iter().find_map(|wanted| OF_KEYS.iter().find(|(name, _)| *name == wanted));
    let options = alternatives(&kind);
    let of_shape = options.iter().find(|option| shape(option) == found && found != Shape::Scalar);
    // A group says more than what one key of many has in common with others.
    let is_of_group = |option: &str| option.contains('@');
    match (of_shape, listed) {
        (Some(option), _) if is_of_group(option) => Some(value(option)),
        (_, Some((_, example))) => Some(with_code(example)),
        (Some(option), None) => Some(value(option)),
        (None, None) => options.iter().find(|option| **option != "null").map(|option| value(option)),
    }
}

/// Parts the alternatives of a kind; those inside brackets stay together.
pub fn alternatives(kind: &str) -> Vec<&str> {
    let (mut depth, mut start) = (0, 0);
    let mut found = Vec::new();
    for (at, c) in kind.char_indices() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            '|' if depth == 0 => {
                found.push(kind[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(kind[start..].trim());
    found
}

fn shape(kind: &str) -> Shape {
    match kind.as_bytes().first() {
        Some(b'[') => Shape::List,
        Some(b'{') => Shape::Map,
        Some(b'@') if kind != "@action" => Shape::Map,
        _ => Shape::Scalar,
    }
}

/// Writes a value of a kind.
fn value(kind: &str) -> String {
    let first = |kind: &str| value(alternatives(kind).into_iter().find(|one| *one != "null").unwrap_or(kind));
    if let Some(inner) = kind.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let inner = alternatives(inner).into_iter().find(|one| one.starts_with('@')).unwrap_or(inner);
        return format!("[{}]", first(inner));
    }
    if let Some(inner) = kind.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        return format!("{{worker: {}}}", first(inner));
    }
    if let Some(name) = kind.strip_prefix('@') {
        return WordGroup::named(name).map_or_else(String::new, of_group);
    }
    if let Some(words) = kind.strip_prefix("word:") {
        return words.split(',').next().unwrap_or(words).to_owned();
    }
    match kind.split(':').next().unwrap_or(kind) {
        "bool" => "true",
        "duration" => "5s",
        "size" => "10MB",
        "count" => "3",
        "number" => "0.1",
        "int" => "1",
        "template" => "\"{{ items }}\"",
        "text" => "work",
        _ => "null",
    }
    .to_owned()
}
