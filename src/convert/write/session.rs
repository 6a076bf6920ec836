//! A recorded session as a scenario: its topology, its consumers with what they did, its steps, and what was there at the end.
//! Takes a draft of plain data; returns the YAML that plays the same.

use crate::convert::secrets::SecretVariables;
use crate::convert::write::values::{put, raw_arguments};
use crate::convert::write::yaml::{Yaml, document};
use crate::convert::write::{Wording, flags, topology_sections};
use crate::model::{
    Binding, DestinationKind, Exchange, HeldSettlement, Message, Millis, Name, Object, Properties, Property, Queue,
    QueueName, Table, Topology, TransactionAct, Value,
};
use std::sync::Arc;

/// A session, ready to be written.
#[derive(Debug, Clone, Default)]
pub struct SessionDraft {
    /// What it is called.
    pub title: String,
    /// Lines at the head of the file.
    pub head: Vec<String>,
    /// What is there when the steps begin.
    pub topology: Topology,
    /// Who consumed.
    pub consumers: Vec<DraftConsumer>,
    /// What was done, in order.
    pub steps: Vec<DraftedStep>,
    /// What was in the queues at the end.
    pub at_end: Vec<DraftQueue>,
}

/// A consumer and what it did.
#[derive(Debug, Clone)]
pub struct DraftConsumer {
    /// Its name in the scenario.
    pub name: Name,
    /// Where it consumed.
    pub queue: QueueName,
    /// As basic.qos said; 0 is no limit.
    pub prefetch: u16,
    /// It settled nothing.
    pub auto_ack: bool,
    /// How many deliveries it worked on at once.
    pub concurrency: u64,
    /// As basic.consume had them.
    pub arguments: Table,
    /// What it did with which message; the last is for all others.
    pub rules: Vec<DraftRule>,
}

/// What a consumer did with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftRule {
    /// Which one, and at which attempt; absent: any.
    pub message: Option<(Name, u64)>,
    /// How long it took.
    pub delay: Millis,
    /// How long it had taken when the consumer ended its subscription amid it; absent: it did not.
    pub cancels: Option<Millis>,
    /// How it ended; absent: it was held.
    pub settled: Option<HeldSettlement>,
}

/// One step, and where it is done.
#[derive(Debug, Clone)]
pub struct DraftedStep {
    /// Empty: that of the file.
    pub vhost: Name,
    /// Who does it; absent: who does most.
    pub user: Option<Name>,
    /// What is done.
    pub step: DraftStep,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum DraftStep {
    /// Time passes.
    Advance(Millis),
    /// A publish.
    Publish {
        /// Where to.
        exchange: Name,
        /// With which key.
        routing_key: Name,
        /// Sent back when nobody takes it.
        mandatory: bool,
        /// What it is called.
        id: Name,
        /// Properties and body.
        content: Arc<Message>,
    },
    /// basic.get, held under a name, or acknowledged at once.
    Get(QueueName, Option<Name>),
    /// Settles what is held.
    Settle(Name, HeldSettlement),
    /// A consumer begins.
    Start(Name),
    /// A consumer ends politely.
    Stop(Name),
    /// A consumer is lost.
    Crash(Name),
    /// queue.declare.
    DeclareQueue(Queue),
    /// exchange.declare.
    DeclareExchange(Exchange),
    /// queue.bind or exchange.bind.
    Bind(Binding),
    /// queue.unbind or exchange.unbind.
    Unbind(Binding),
    /// queue.delete or exchange.delete.
    Delete(Object),
    /// queue.purge.
    Purge(QueueName),
    /// tx.select, tx.commit or tx.rollback.
    Transaction(TransactionAct),
}

/// What a queue held at the end.
#[derive(Debug, Clone)]
pub struct DraftQueue {
    /// Its name.
    pub queue: QueueName,
    /// How many messages.
    pub ready: u64,
    /// Each with its deaths; absent: they are not told apart.
    pub messages: Option<Vec<(Name, Vec<DraftDeath>)>>,
}

/// An entry of x-death.
#[derive(Debug, Clone)]
pub struct DraftDeath {
    /// Where it died.
    pub queue: Name,
    /// RabbitMQ's word.
    pub reason: Name,
    /// How often.
    pub count: i64,
}

type YamlFields = Vec<(String, Yaml)>;

/// Writes a session as a scenario file.
pub fn write_session(draft: &SessionDraft) -> String {
    let (sections, vhost) = topology_sections(&draft.topology, &Wording::default());
    let topology: YamlFields = sections.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let mut sections = vec![("scenario", Yaml::text(&draft.title))];
    if !topology.is_empty() {
        sections.push(("topology", Yaml::Map(topology)));
    }
    let consumers: YamlFields =
        draft.consumers.iter().map(|one| (one.name.to_string(), consumer(one, &vhost))).collect();
    if !consumers.is_empty() {
        sections.push(("consumers", Yaml::Map(consumers)));
    }
    let steps: Vec<Yaml> = draft.steps.iter().map(|drafted| step(drafted, &vhost)).collect();
    if !steps.is_empty() {
        sections.push(("steps", Yaml::List(steps)));
    }
    let at_end: Vec<Yaml> = draft.at_end.iter().map(|held| expectation(held, &vhost)).collect();
    if !at_end.is_empty() {
        sections.push(("at_end", Yaml::List(at_end)));
    }
    document(&draft.head, &sections)
}

fn one(key: &str, value: Yaml) -> Yaml {
    Yaml::Map(vec![(key.to_owned(), value)])
}

fn consumer(one: &DraftConsumer, vhost: &Name) -> Yaml {
    let mut fields: YamlFields = vec![("queue".to_owned(), Yaml::text(&one.queue.name))];
    in_vhost(&one.queue.vhost, vhost, &mut fields);
    put(&mut fields, "start", Yaml::text("manual"));
    flags(&mut fields, &[("auto_ack", one.auto_ack, false)]);
    for (key, number, usual) in [("prefetch", u64::from(one.prefetch), 0), ("concurrency", one.concurrency, 1)] {
        if number > usual {
            put(&mut fields, key, Yaml::integer(number as i64));
        }
    }
    let mut arguments = one.arguments.clone();
    if let Some(priority) = arguments.get("x-priority").and_then(Value::as_integer) {
        put(&mut fields, "priority", Yaml::integer(priority));
        arguments.shift_remove("x-priority");
    }
    raw_arguments(&mut fields, &arguments, "consumer", &mut SecretVariables::default());
    put(&mut fields, "on_message", Yaml::List(one.rules.iter().map(|rule| written_rule(rule, one.auto_ack)).collect()));
    Yaml::Map(fields)
}

fn written_rule(rule: &DraftRule, auto_ack: bool) -> Yaml {
    let mut fields = YamlFields::new();
    if let Some((id, attempt)) = &rule.message {
        let named = vec![("id".to_owned(), Yaml::text(id)), ("attempt".to_owned(), Yaml::integer(*attempt as i64))];
        put(&mut fields, "match", Yaml::Map(named));
    }
    let mut actions = Vec::new();
    let delay = |delay: Millis| (delay.0 > 0).then(|| one("delay", Yaml::with_unit(&delay.to_string())));
    if let Some(cancels) = rule.cancels {
        actions.extend(delay(cancels));
        actions.push(Yaml::text("cancel"));
    }
    actions.extend(delay(Millis(rule.delay.0.saturating_sub(rule.cancels.unwrap_or_default().0))));
    match rule.settled {
        _ if auto_ack => {}
        None => actions.push(Yaml::text("hold")),
        Some(HeldSettlement::Ack) => actions.push(Yaml::text("ack")),
        Some(HeldSettlement::Nack { requeue }) => actions.push(one("nack", requeued(requeue))),
        Some(HeldSettlement::Reject { requeue }) => actions.push(one("reject", requeued(requeue))),
    }
    put(&mut fields, "do", Yaml::List(actions));
    Yaml::Map(fields)
}

fn requeued(requeue: bool) -> Yaml {
    one("requeue", Yaml::bool(requeue))
}

fn in_vhost(vhost: &Name, usual: &Name, fields: &mut YamlFields) {
    if vhost != usual && !vhost.is_empty() {
        put(fields, "vhost", Yaml::text(vhost));
    }
}

fn step(drafted: &DraftedStep, vhost: &Name) -> Yaml {
    let (key, value) = match &drafted.step {
        DraftStep::Advance(length) => return one("advance", Yaml::with_unit(&length.to_string())),
        DraftStep::Start(name) => return one("start", Yaml::text(name)),
        DraftStep::Stop(name) => return one("stop", Yaml::text(name)),
        DraftStep::Crash(name) => return one("crash", Yaml::text(name)),
        DraftStep::Publish { exchange, routing_key, mandatory, id, content } => {
            ("publish", publish(exchange, routing_key, *mandatory, id, content))
        }
        DraftStep::Get(queue, held) => {
            let mut fields: YamlFields = vec![("queue".to_owned(), Yaml::text(&queue.name))];
            match held {
                Some(name) => put(&mut fields, "as", Yaml::text(name)),
                None => put(&mut fields, "ack", Yaml::bool(true)),
            }
            ("get", Yaml::Map(fields))
        }
        DraftStep::Settle(held, how) => {
            let (key, requeue) = match how {
                HeldSettlement::Ack => ("ack", None),
                HeldSettlement::Nack { requeue } => ("nack", Some(*requeue)),
                HeldSettlement::Reject { requeue } => ("reject", Some(*requeue)),
            };
            let mut fields: YamlFields = vec![("of".to_owned(), Yaml::text(held))];
            if let Some(requeue) = requeue {
                put(&mut fields, "requeue", Yaml::bool(requeue));
            }
            (key, Yaml::Map(fields))
        }
        DraftStep::DeclareQueue(queue) => ("declare", one("queue", declared_queue(queue))),
        DraftStep::DeclareExchange(exchange) => ("declare", one("exchange", declared_exchange(exchange))),
        DraftStep::Bind(binding) => ("bind", written_binding(binding)),
        DraftStep::Unbind(binding) => ("unbind", written_binding(binding)),
        DraftStep::Delete(Object::Exchange { name, .. }) => ("delete", one("exchange", Yaml::text(name))),
        DraftStep::Delete(Object::Queue { name, .. }) => ("delete", one("queue", Yaml::text(name))),
        DraftStep::Delete(other) => ("delete", Yaml::text(&other.to_string())),
        DraftStep::Purge(queue) => ("purge", Yaml::text(&queue.name)),
        DraftStep::Transaction(act) => ("tx", Yaml::text(act.as_str())),
    };
    let mut fields: YamlFields = vec![(key.to_owned(), value)];
    if let Some(user) = &drafted.user {
        put(&mut fields, "as", Yaml::text(user));
    }
    in_vhost(&drafted.vhost, vhost, &mut fields);
    Yaml::Map(fields)
}

fn declared_queue(queue: &Queue) -> Yaml {
    let mut fields: YamlFields = vec![("name".to_owned(), Yaml::text(&queue.name))];
    flags(&mut fields, &[("durable", queue.durable, true), ("auto_delete", queue.auto_delete, false)]);
    raw_arguments(&mut fields, &queue.arguments, "queue", &mut SecretVariables::default());
    Yaml::Map(fields)
}

fn declared_exchange(exchange: &Exchange) -> Yaml {
    let mut fields: YamlFields = vec![("name".to_owned(), Yaml::text(&exchange.name))];
    put(&mut fields, "type", Yaml::text(&exchange.kind));
    flags(&mut fields, &[("durable", exchange.durable, true), ("auto_delete", exchange.auto_delete, false)]);
    flags(&mut fields, &[("internal", exchange.internal, false)]);
    raw_arguments(&mut fields, &exchange.arguments, "exchange", &mut SecretVariables::default());
    Yaml::Map(fields)
}

fn written_binding(binding: &Binding) -> Yaml {
    let mut fields: YamlFields = vec![("source".to_owned(), Yaml::text(&binding.source))];
    let key = if binding.destination_kind == DestinationKind::Queue { "queue" } else { "exchange" };
    put(&mut fields, key, Yaml::text(&binding.destination));
    if !binding.routing_key.is_empty() {
        put(&mut fields, "routing_key", Yaml::text(&binding.routing_key));
    }
    raw_arguments(&mut fields, &binding.arguments, "binding", &mut SecretVariables::default());
    Yaml::Map(fields)
}

fn publish(exchange: &Name, routing_key: &Name, mandatory: bool, id: &Name, content: &Message) -> Yaml {
    let mut fields = YamlFields::new();
    if !exchange.is_empty() {
        put(&mut fields, "exchange", Yaml::text(exchange));
    }
    put(&mut fields, "routing_key", Yaml::text(routing_key));
    put(&mut fields, "id", Yaml::text(id));
    flags(&mut fields, &[("mandatory", mandatory, false)]);
    properties(&content.properties, &mut fields);
    if let Some(headers) = content.properties.headers.as_ref().filter(|headers| !headers.is_empty()) {
        put(&mut fields, "headers", table(headers));
    }
    if !content.body.is_empty() {
        put(&mut fields, "body", Yaml::text(&String::from_utf8_lossy(&content.body)));
    }
    Yaml::Map(fields)
}

/// Writes all properties but the id, which the step names, and the user, who is the runner.
fn properties(of: &Properties, fields: &mut YamlFields) {
    let left_out = [Property::MessageId, Property::UserId, Property::DeliveryMode];
    for property in Property::ALL.into_iter().filter(|property| !left_out.contains(property)) {
        if let Some(text) = of.text(property) {
            put(fields, property.as_str(), Yaml::text(text));
        } else if let Some(number) = of.number(property) {
            put(fields, property.as_str(), Yaml::Scalar(number.to_string()));
        }
    }
    if of.delivery_mode != Some(2) {
        put(fields, "delivery_mode", Yaml::integer(1));
    }
}

fn table(headers: &Table) -> Yaml {
    Yaml::Map(headers.iter().map(|(key, value)| (key.to_string(), header(value))).collect())
}

/// Writes a value of a header; what JSON has no type for is written with its type.
fn header(value: &Value) -> Yaml {
    let typed = |word: &str, value: String| one(word, Yaml::Scalar(value));
    match value {
        Value::Void => Yaml::Scalar("null".to_owned()),
        Value::Bool(yes) => Yaml::bool(*yes),
        Value::I64(n) => Yaml::integer(*n),
        Value::F64(n) => Yaml::Scalar(format!("{n:?}")),
        Value::Text(text) => Yaml::text(text),
        Value::Array(entries) => Yaml::List(entries.iter().map(header).collect()),
        Value::Table(entries) => table(entries),
        Value::I8(n) => typed("$int8", n.to_string()),
        Value::U8(n) => typed("$uint8", n.to_string()),
        Value::I16(n) => typed("$int16", n.to_string()),
        Value::U16(n) => typed("$uint16", n.to_string()),
        Value::I32(n) => typed("$int32", n.to_string()),
        Value::U32(n) => typed("$uint32", n.to_string()),
        Value::F32(n) => typed("$float", format!("{n:?}")),
        Value::Decimal(scale, n) => typed("$decimal", format!("[{scale}, {n}]")),
        Value::Timestamp(seconds) => typed("$timestamp", seconds.to_string()),
        Value::Bytes(bytes) => one("$bytes", Yaml::text(&String::from_utf8_lossy(bytes))),
    }
}

fn expectation(held: &DraftQueue, vhost: &Name) -> Yaml {
    let mut fields: YamlFields = vec![("queue".to_owned(), Yaml::text(&held.queue.name))];
    match &held.messages {
        None => put(&mut fields, "ready", Yaml::integer(held.ready as i64)),
        Some(messages) => put(&mut fields, "messages", Yaml::List(messages.iter().map(held_message).collect())),
    }
    let mut step: YamlFields = vec![("expect".to_owned(), Yaml::Map(fields))];
    in_vhost(&held.queue.vhost, vhost, &mut step);
    Yaml::Map(step)
}

fn held_message((id, deaths): &(Name, Vec<DraftDeath>)) -> Yaml {
    let mut fields: YamlFields = vec![("id".to_owned(), Yaml::text(id))];
    if !deaths.is_empty() {
        let death = |death: &DraftDeath| {
            Yaml::Map(vec![
                ("queue".to_owned(), Yaml::text(&death.queue)),
                ("reason".to_owned(), Yaml::text(&death.reason)),
                ("count".to_owned(), Yaml::integer(death.count)),
            ])
        };
        put(&mut fields, "x_death", Yaml::List(deaths.iter().map(death).collect()));
    }
    Yaml::Map(fields)
}
