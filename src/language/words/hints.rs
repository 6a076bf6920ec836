//! What to write in place of keys that people try and that are no slip of spelling.
//! Takes a group of the table and a key that it lacks; gives advice. Spellings are `decode::suggestions`'.

use crate::language::words::{OF_SCENARIOS, OF_TOPOLOGIES, Word, WordGroup};
use crate::source::Help;

/// A group, the keys that are tried in it, and the advice.
const HINTS: &[(&str, &[&str], &str)] = &[
    (
        "publish",
        &["queue"],
        "a message goes to an exchange; the default one leads to a queue by its name: `exchange: \"\", routing_key: QUEUE`",
    ),
    (
        "reject_held",
        &["multiple"],
        "a reject settles one message; `nack: {of: NAME, multiple: true}` settles all before it, too",
    ),
    ("publish", &["message_id"], "write `id`: it sets message_id and names the message everywhere"),
    ("publish", &["payload"], "write `body` for text, `json` for JSON, `file` for the contents of a file"),
    ("publish", &["persistent"], "write `delivery_mode: 2`, which is the default, or `delivery_mode: 1`"),
    (
        "publish",
        &["properties", "props"],
        "properties stand directly in the publish: `{routing_key: work, content_type: text/plain, priority: 5, headers: {retries: 1}}`",
    ),
    (
        "publish",
        &["delay", "after"],
        "RabbitMQ delays no message by itself: the step `advance: 5s` before it lets time pass, `retry: {delays: [5s]}` is of a queue",
    ),
    ("publish", &["confirm", "confirms"], "every publish awaits its confirm: an `expect: {confirmed: 1}` counts them"),
    (
        "queue",
        &["exchange", "routing_key", "source", "binding_key", "bind"],
        "a queue gets messages by bindings: `bindings: [{source: orders, routing_key: order.created}]`",
    ),
    (
        "exchange",
        &["queues", "queue", "destination", "routing_key"],
        "a binding leads from here to a queue; it stands at the top: `bindings: [{source: orders, queue: work}]`",
    ),
    (
        "binding",
        &["to", "target", "dest", "routed_to"],
        "a binding leads to a queue or to an exchange: `{source: orders, queue: work}`, `{source: orders, exchange: archive}`",
    ),
    (
        "binding_to",
        &["queue", "destination", "to"],
        "it leads to what it stands in: leave this out; a binding with both ends stands in `bindings:` at the top",
    ),
    (
        "consumer",
        &["ack", "nack", "requeue", "reject", "action", "actions"],
        "what it does with a message stands in a rule: `on_message: {do: ack}`",
    ),
    (
        "consumer",
        &["max_retries", "retries", "retry", "max_attempts", "backoff", "attempts"],
        "a rule counts: `match: {attempt: \"<3\"}`; the action `retry` climbs the delays of the queue's `retry: {delays: [5s, 30s]}`",
    ),
    ("consumer", &["name"], "its name is its key: `consumers: {worker: {queue: work}}`"),
    ("consumer", &["exchange", "bindings"], "a consumer serves a queue; bindings stand in the topology, at the queue"),
    (
        "policy",
        &[
            "arguments",
            "message-ttl",
            "message_ttl",
            "ttl",
            "max-length",
            "max_length",
            "dead-letter-exchange",
            "ha-mode",
            "expires",
        ],
        "what a policy sets stands in `definition`: `definition: {message-ttl: 60000}`",
    ),
    (
        "user",
        &["configure", "write", "read"],
        "rights stand in `permissions`: `permissions: {configure: \".*\", write: \".*\", read: \".*\"}`",
    ),
    (
        "expect",
        &["body", "json", "headers", "header", "redelivered"],
        "messages stand in a list: `messages: [{body: hello}]` of a queue, `received: [{body: hello}]` of a consumer",
    ),
    (
        "expect",
        &["status", "state", "outcome"],
        "what became of messages is of a consumer or of publishes: `{consumer: worker, acked: [order-1]}`, `{confirmed: 1}`",
    ),
    (
        "requires",
        &["plugin", "plugins", "restart", "nodes"],
        "what a broker must have stands beside it: `needs: {plugins: [rabbitmq_sharding]}`",
    ),
    ("expect", &["queue_type", "kind", "x-queue-type"], "write `type`: `{queue: work, type: quorum}`"),
    ("expect", &["exchange"], "an exchange holds nothing: expect of a queue, a consumer, a message or of publishes"),
    (
        "scenario",
        &["broker", "rabbitmq_version"],
        "`brokers: [sim, live]` says where it plays, `requires: {rabbitmq: \">=4.0\"}` on which versions",
    ),
];

/// Keys that so many maps have that they say nothing of where they belong.
const COMMON: &[&str] = &["name", "vhost", "allow", "for_each", "arguments", "tags", "description", "id", "limits"];

/// Returns what to write in place of a key that people try in a group.
pub fn written(group: &WordGroup, key: &str) -> Option<Help> {
    let is_of = |(name, keys, _): &&(&str, &[&str], &str)| *name == group.name && keys.contains(&key);
    HINTS.iter().find(is_of).map(|(_, _, help)| (*help).into())
}

/// Returns where a key stands that is none of a group, but of one below or above it.
pub fn place(group: &WordGroup, key: &str) -> Option<Help> {
    belongs_below(group, key).or_else(|| belongs_above(group, key)).map(Into::into)
}

/// Finds a key in the maps that the keys of a group take.
fn belongs_below(group: &WordGroup, key: &str) -> Option<String> {
    let has = |inner: &&WordGroup| !COMMON.contains(&key) && inner.has(key);
    let below: Vec<String> = group
        .words
        .iter()
        .filter(|word| groups_in(word.kind).any(|inner| has(&inner)))
        .map(|word| format!("`{}`", word.key()))
        .collect();
    match below.as_slice() {
        [] => None,
        [first @ .., last] if !first.is_empty() => {
            Some(format!("`{key}` stands one level deeper, below {} or {last}", first.join(", ")))
        }
        [only, ..] => Some(format!("`{key}` stands one level deeper, below {only}")),
    }
}

/// Finds a key in the maps that take a group at one of their keys.
fn belongs_above(group: &WordGroup, key: &str) -> Option<String> {
    if COMMON.contains(&key) {
        return None;
    }
    let leads_here = |word: &&Word| groups_in(word.kind).any(|inner| inner.name == group.name);
    let all = OF_SCENARIOS.iter().chain(OF_TOPOLOGIES);
    let mut around = all.filter_map(|outer| Some((outer, outer.words.iter().find(leads_here)?)));
    let (first, word) = around.next()?;
    let is_sure = first.has(key) && around.all(|(outer, _)| outer.has(key));
    is_sure.then(|| format!("`{key}` stands beside `{}`, not in it: indent it less", word.key()))
}

fn groups_in(kind: &'static str) -> impl Iterator<Item = &'static WordGroup> {
    let names = kind.split('@').skip(1);
    names.filter_map(|rest| WordGroup::named(rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?))
}
