//! What the room's own tests are made of: small scenarios, consumers, deliveries, and a context to play them in.

use crate::broker::{Command, Delivery, DeliveryTag, Ids, RequestId};
use crate::model::{
    Act, Action, ActionLine, ActionList, Consumer, LiveSettings, Matcher, Message, Millis, Needs, Origins, Payload,
    Profile, Properties, Publish, QueueName, Rule, Scale, Scenario, SnapshotSettings, Step, Topology,
};
use crate::player::context::Context;
use crate::player::run_result::BrokerTraits;
use crate::source::{FileId, Span};
use std::sync::Arc;

pub fn place() -> Span {
    Span::new(FileId::default(), 0, 0)
}

/// Makes a scenario of steps of the driver in the vhost `/`.
pub fn scenario(consumers: Vec<Consumer>, acts: Vec<Act>) -> Scenario {
    let step = |act| Step { span: place(), act, actor: None, vhost: "/".into(), refused: None, pace: None };
    Scenario {
        file: String::new(),
        title: String::new(),
        description: None,
        tags: Vec::new(),
        topology: Topology::default(),
        origins: Origins::new(),
        seed: 0,
        timeout: None,
        requires: Vec::new(),
        needs: Needs::default(),
        brokers: Vec::new(),
        live: LiveSettings::default(),
        consumers,
        steps: acts.into_iter().map(step).collect(),
        at_end: Vec::new(),
        finally: Vec::new(),
        snapshot: SnapshotSettings { off: false, redact: Vec::new(), split: false },
    }
}

/// Makes a consumer of the queue `work` that does the same with every message.
pub fn consumer(name: &str, actions: Vec<Action>) -> Consumer {
    Consumer {
        name: name.into(),
        span: place(),
        queue: QueueName { vhost: "/".into(), name: "work".into() },
        own_queue: None,
        prefetch: 0,
        auto_ack: false,
        exclusive: false,
        priority: None,
        arguments: Default::default(),
        actor: None,
        global_prefetch: 0,
        transactional: false,
        start_manually: false,
        instances: 1,
        concurrency: 1,
        channel: None,
        batch: None,
        timeout: None,
        reconnect: None,
        heartbeat: None,
        ladder: None,
        rules: vec![Rule { span: place(), matcher: Matcher::default(), done: list(actions) }],
    }
}

/// Makes a list of actions with nothing beside them.
pub fn list(actions: Vec<Action>) -> ActionList {
    let line = ActionLine { span: place(), refused: None, on_return: None };
    ActionList { lines: vec![line; actions.len()], actions }
}

/// Makes a publish of `count` messages to the queue `work`.
pub fn publish(id: &str, count: u32, every: Millis) -> Box<Publish> {
    Box::new(Publish {
        exchange: "".into(),
        routing_key: "work".into(),
        mandatory: false,
        count,
        every,
        id: Some(id.into()),
        payload: Payload::Text("".into()),
        headers: Vec::new(),
        content_type: None,
        content_encoding: None,
        delivery_mode: 2,
        priority: None,
        correlation_id: None,
        reply_to: None,
        expiration: None,
        timestamp: None,
        kind: None,
        user_id: None,
        app_id: None,
        channel: None,
    })
}

/// Makes a delivery from the queue `work`.
pub fn delivery(tag: u64, id: &str) -> Delivery {
    let properties = Properties { message_id: Some(id.into()), ..Properties::default() };
    let message = Arc::new(Message { properties, ..Message::default() });
    let (exchange, routing_key) = ("".into(), "work".into());
    Delivery { tag: DeliveryTag(tag), redelivered: false, exchange, routing_key, message: message.into() }
}

/// Makes the context of a run on a simulated broker.
pub fn context(scenario: &Scenario) -> Context {
    let broker = BrokerTraits { live: false, version: Profile::V4_3.version(), scale: Scale::ONE };
    Context::new(scenario, broker, Ids::default())
}

/// Takes all commands that are ready to go.
pub fn sent(context: &mut Context) -> Vec<Command> {
    std::iter::from_fn(|| context.outbox.next()).collect()
}

/// Returns the request that a command wants answered, where one of opening and calling.
pub fn request_of(command: &Command) -> Option<RequestId> {
    match command {
        Command::Connect { request, .. }
        | Command::OpenChannel { request, .. }
        | Command::Call { request, .. }
        | Command::AwaitQuiet { request } => Some(*request),
        _ => None,
    }
}
