//! Exchanges, queues and bindings: what is missing, and what is there with values that never change.
//! Compares as the broker does on redeclare, and beyond it what the broker silently ignores.

use crate::broker::Method;
use crate::model::{
    Binding, BindingKey, DestinationKind, Exchange, Name, Object, Profile, Queue, Topology, Value, Version, counted,
};
use crate::plan::diff::equality::{argument_words, push_flag, push_text, shown, table_changes};
use crate::plan::diff::findings::Findings;
use crate::plan::{Change, FieldChange, Observed, Write};
use crate::rules::{differences, queue_argument, stream_interval_ms};
use crate::source::{Code, Problem};
use indexmap::{IndexMap, IndexSet};
use rustc_hash::FxBuildHasher;
use std::borrow::Cow;

/// What each vhost has from the beginning, with its type.
const PREDECLARED: [(&str, &str); 8] = [
    ("", "direct"),
    ("amq.direct", "direct"),
    ("amq.fanout", "fanout"),
    ("amq.topic", "topic"),
    ("amq.headers", "headers"),
    ("amq.match", "headers"),
    ("amq.rabbitmq.trace", "topic"),
    ("amq.rabbitmq.log", "topic"),
];

/// Returns the type of an exchange that each vhost has from the beginning.
pub(crate) fn predeclared_type(name: &str) -> Option<&'static str> {
    PREDECLARED.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// The plugins that bring an exchange type.
const PLUGIN_OF_TYPE: [(&str, &str); 6] = [
    ("x-consistent-hash", "rabbitmq_consistent_hash_exchange"),
    ("x-random", "rabbitmq_random_exchange"),
    ("x-modulus-hash", "rabbitmq_sharding"),
    ("x-recent-history", "rabbitmq_recent_history_exchange"),
    ("x-delayed-message", "rabbitmq_delayed_message_exchange"),
    ("x-jms-topic", "rabbitmq_jms_topic_exchange"),
];

/// Compares exchanges.
pub(crate) fn exchanges(findings: &mut Findings<'_>) {
    let (desired, observed) = (findings.desired, findings.observed);
    let known: IndexMap<(&Name, &Name), &Exchange, FxBuildHasher> =
        observed.topology.exchanges.iter().map(|exchange| ((&exchange.vhost, &exchange.name), exchange)).collect();
    for exchange in &desired.exchanges {
        let object = exchange.object();
        let predeclared = predeclared_type(&exchange.name);
        let fields = match (known.get(&(&exchange.vhost, &exchange.name)), predeclared) {
            (Some(old), _) => exchange_changes(old, exchange),
            (None, Some(kind)) => {
                let old = Exchange { kind: kind.into(), durable: true, auto_delete: false, ..exchange.clone() };
                exchange_changes(&old, exchange)
            }
            (None, None) => {
                check_type(findings, exchange, &object);
                let writes = vec![Write::Call(Method::DeclareExchange(Box::new(exchange.clone())))];
                findings.add(Change::absent(object, exchange_words(exchange), writes));
                continue;
            }
        };
        findings.settle_fixed(object, fields, |_| {
            "RabbitMQ never changes an exchange: delete it (its bindings go with it) and apply again, or use a new name"
                .into()
        });
    }
}

/// A type that the broker does not know comes with a plugin: the declare would be refused after all else was written.
fn check_type(findings: &mut Findings<'_>, exchange: &Exchange, object: &Object) {
    let known = &findings.observed.exchange_types;
    if known.is_empty() || known.iter().any(|kind| *kind == *exchange.kind) {
        return;
    }
    let help = match PLUGIN_OF_TYPE.iter().find(|(kind, _)| *kind == &*exchange.kind) {
        Some((_, plugin)) => format!("enable the plugin on the broker: rabbitmq-plugins enable {plugin}"),
        None => format!("it knows {}", known.join(", ")),
    };
    let text = format!("the broker knows no exchange type '{}': {object}", exchange.kind);
    findings.problem(object, "type", Problem::new(Code::PlanExchangeType, text).help(help));
}

fn exchange_changes(old: &Exchange, new: &Exchange) -> Vec<FieldChange> {
    let mut fields = Vec::new();
    push_text(&mut fields, "type", &old.kind, &new.kind);
    push_flag(&mut fields, "durable", old.durable, new.durable);
    push_flag(&mut fields, "auto_delete", old.auto_delete, new.auto_delete);
    push_flag(&mut fields, "internal", old.internal, new.internal);
    fields.extend(table_changes(&old.arguments, &new.arguments, &[]));
    fields
}

/// Says what is worth knowing of an exchange.
pub(crate) fn exchange_words(exchange: &Exchange) -> Vec<String> {
    let flags =
        [(!exchange.durable, "transient"), (exchange.auto_delete, "auto-delete"), (exchange.internal, "internal")];
    let mut words = vec![exchange.kind.to_string()];
    words.extend(flags.iter().filter(|(set, _)| *set).map(|(_, word)| (*word).to_owned()));
    words.extend(exchange.arguments.iter().map(|(name, value)| argument_words(name, &value.to_json())));
    words
}

/// Compares queues.
pub(crate) fn queues(findings: &mut Findings<'_>) {
    let (desired, observed) = (findings.desired, findings.observed);
    make_room(findings);
    let known: IndexMap<(&Name, &Name), &Queue, FxBuildHasher> =
        observed.topology.queues.iter().map(|queue| ((&queue.vhost, &queue.name), queue)).collect();
    for queue in &desired.queues {
        let object = queue.object();
        if queue.exclusive {
            let text = format!("{object} is exclusive: it lives only as long as the connection that declares it");
            findings.problem(&object, "exclusive", Problem::note(Code::PlanExclusiveQueue, text));
        }
        let kind = type_of(queue, desired, &observed.topology, observed.version);
        let Some(old) = known.get(&(&queue.vhost, &queue.name)) else {
            let writes = vec![Write::Call(Method::DeclareQueue(Box::new(queue.clone())))];
            findings.add(Change::absent(object, queue_words(queue, &kind), writes));
            continue;
        };
        let fields = queue_changes(old, queue, &kind, observed.version);
        findings.settle_fixed(object, fields, |fields| queue_reason(fields, observed.messages(&queue.id())));
    }
}

/// Makes room at once for the changes that are sure to come, those of bindings too: a list that grows takes its bytes twice
/// for a moment, and these may be a hundred thousand.
fn make_room(findings: &mut Findings<'_>) {
    let (desired, there) = (findings.desired, &findings.observed.topology);
    let new_queues = desired.queues.len().saturating_sub(there.queues.len());
    let new_bindings = desired.bindings.len().saturating_sub(there.bindings.len());
    findings.changes.reserve_exact(new_queues + new_bindings);
}

/// Returns whether a queue of the broker has values that the file's does not.
pub(crate) fn queue_differs(desired: &Topology, observed: &Observed, old: &Queue, new: &Queue) -> bool {
    let kind = type_of(new, desired, &observed.topology, observed.version);
    !queue_changes(old, new, &kind, observed.version).is_empty()
}

fn queue_changes(old: &Queue, new: &Queue, kind: &str, version: Version) -> Vec<FieldChange> {
    let mut fields = Vec::new();
    let old_kind = old.arguments.get("x-queue-type").and_then(Value::as_text).unwrap_or("classic");
    push_text(&mut fields, "type", old_kind, kind);
    push_flag(&mut fields, "durable", old.durable, new.durable);
    push_flag(&mut fields, "auto_delete", old.auto_delete, new.auto_delete);
    push_flag(&mut fields, "exclusive", old.exclusive, new.exclusive);
    let skipped = ["x-queue-type", MAX_AGE];
    let skipped = &skipped[..if is_same_age(old, new, version) { 2 } else { 1 }];
    fields.extend(table_changes(&old.arguments, &new.arguments, skipped));
    fields
}

const MAX_AGE: &str = "x-max-age";

/// Returns whether a version takes two ages for one: an equal age in another unit (ST-5).
fn is_same_age(old: &Queue, new: &Queue, version: Version) -> bool {
    let age = |queue: &Queue| queue.arguments.get(MAX_AGE).and_then(Value::as_text).and_then(stream_interval_ms);
    differences(Profile::nearest(version)).streams.compares_ages && age(old).is_some() && age(old) == age(new)
}

fn queue_reason(fields: &[FieldChange], messages: Option<u64>) -> String {
    let ignored = |field: &FieldChange| field.name.starts_with("x-") && queue_argument(&field.name).is_none();
    let mut text = if fields.iter().all(ignored) {
        "RabbitMQ stores an argument that it does not know when the queue is made and never looks at it again: \
         delete the queue and apply again, or take over the stored value"
            .to_owned()
    } else {
        "RabbitMQ never changes a queue: delete it and apply again, use a new name, or set what can be set by a policy"
            .to_owned()
    };
    if let Some(messages) = messages.filter(|messages| *messages > 0) {
        text.push_str(&format!("; it holds {}, which a deletion would lose", counted(messages, "message")));
    }
    text
}

/// Returns the type that a declare would get: the argument's, else the vhost's default (MG-15), else classic.
fn type_of(queue: &Queue, desired: &Topology, observed: &Topology, version: Version) -> String {
    if let Some(kind) = queue.arguments.get("x-queue-type") {
        return shown(Some(kind));
    }
    let falls_back = !queue.durable || queue.exclusive || queue.auto_delete;
    let of = |topology: &Topology| {
        let vhost = topology.vhosts.iter().find(|vhost| vhost.name == queue.vhost)?;
        vhost.default_queue_type.clone()
    };
    let default = of(desired).or_else(|| of(observed)).filter(|_| version.major >= 4 && !falls_back);
    default.filter(|kind| matches!(kind.as_str(), "quorum" | "stream")).unwrap_or_else(|| "classic".into())
}

/// Says what is worth knowing of a queue.
pub(crate) fn queue_words(queue: &Queue, kind: &str) -> Vec<String> {
    let flags = [(!queue.durable, "transient"), (queue.auto_delete, "auto-delete"), (queue.exclusive, "exclusive")];
    let mut words = vec![kind.to_owned()];
    words.extend(flags.iter().filter(|(set, _)| *set).map(|(_, word)| (*word).to_owned()));
    let arguments = queue.arguments.iter().filter(|(name, _)| &***name != "x-queue-type");
    words.extend(arguments.map(|(name, value)| argument_words(name, &value.to_json())));
    words
}

const SECOND_WEIGHT: &str =
    "it is a second weight beside the one that is there, which RabbitMQ goes by: unbind that one first";

/// Compares bindings by source, destination, key and arguments; there is nothing to change in one.
pub(crate) fn bindings(findings: &mut Findings<'_>) {
    let (desired, observed) = (findings.desired, findings.observed);
    let known: IndexSet<BindingKey<'_>, FxBuildHasher> = observed.topology.bindings.iter().map(BindingKey).collect();
    let is_there = |binding: &&Binding| known.contains(&BindingKey(binding)) || is_implicit(binding);
    let (there, missing): (Vec<&Binding>, Vec<&Binding>) = desired.bindings.iter().partition(is_there);
    findings.unchanged += there.len();
    let beside = if missing.is_empty() { IndexMap::default() } else { first_by_ends(&observed.topology.bindings) };
    for binding in missing {
        let object = binding.object();
        let words = binding.arguments.iter().map(|(name, value)| argument_words(name, &value.to_json())).collect();
        let reason = match beside.get(&ends(binding)).copied() {
            Some(_) if is_weighted(findings, binding) => Some(SECOND_WEIGHT.into()),
            beside => beside.map(|old| binding_reason(binding, old)),
        };
        let writes = vec![Write::Call(Method::Bind(Box::new(binding.clone())))];
        findings.add(Change { reason, ..Change::absent(object, words, writes) });
    }
}

/// What a binding joins: vhost, source, destination.
type Ends<'b> = (&'b Name, &'b Name, &'b Name, DestinationKind);

/// Finds for all ends the binding between them that speaks for the others.
fn first_by_ends(bindings: &[Binding]) -> IndexMap<Ends<'_>, &Binding, FxBuildHasher> {
    let mut beside: IndexMap<_, &Binding, FxBuildHasher> = IndexMap::default();
    for old in bindings {
        // A broker lists them in no order of its own: the first key by name speaks for all.
        let first = beside.entry(ends(old)).or_insert(old);
        if old.routing_key < first.routing_key {
            *first = old;
        }
    }
    beside
}

/// Returns whether a binding's key is a weight: RabbitMQ goes by the first one of each queue (PX-1).
fn is_weighted(findings: &Findings<'_>, binding: &Binding) -> bool {
    let exchanges = findings.desired.exchanges.iter().chain(&findings.observed.topology.exchanges);
    let mut source = exchanges.filter(|exchange| exchange.vhost == binding.vhost && exchange.name == binding.source);
    source.any(|exchange| &*exchange.kind == "x-consistent-hash")
}

/// Every queue is bound to the default exchange by its own name.
pub(crate) fn is_implicit(binding: &Binding) -> bool {
    binding.source.is_empty() && binding.routing_key == binding.destination
}

/// Returns what a binding joins: vhost, source, destination.
fn ends(binding: &Binding) -> Ends<'_> {
    (&binding.vhost, &binding.source, &binding.destination, binding.destination_kind)
}

/// Warns of a binding that was meant to replace another one: the old one stays, since nothing is deleted.
fn binding_reason(binding: &Binding, beside: &Binding) -> Cow<'static, str> {
    if beside.routing_key != binding.routing_key {
        format!("it is added beside the one with the key '{}', which stays", beside.routing_key).into()
    } else {
        "it is added beside the one with other arguments, which stays".into()
    }
}
