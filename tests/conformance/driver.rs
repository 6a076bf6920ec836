//! Plays the steps of a conformance file on whatever broker stands behind the seam, and writes down what follows.
//! Knows nothing of sim or live: it is a [`Client`]. Each step is settled (quiet) before the next begins; where it may be
//! patient, a step that shows less than it should is given time.

use super::commands::{management, message_of, method};
use super::script::Step;
use super::transcript::{Line, deliver_text, refusal_text, shown_name, types_text};
use rmqplay::broker::{
    ChannelId, Client, Command, Confirmation, ConnectionId, DeliveryTag, Event, Ids, Management, Method, PublishId,
    Reply, RequestId, Scope, Settlement,
};
use rmqplay::model::{Message, Millis, Moment, Name, QueueName};
use rmqplay::rules::Edition;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// How often a busy channel is given something to do: RabbitMQ's come to rest after a second.
const BUSY: Millis = Millis(300);

/// How long what a step should show may still be on its way after quiet: a slow machine delivers late.
const PATIENCE: Millis = Millis(3_000);

/// Whether lines are what a step should show.
pub type Fits = fn(&Step, &[Line], Edition) -> bool;

/// Plays steps one after another.
#[derive(Default)]
pub struct Driver {
    /// What is waited for, on a broker that may be late.
    patience: Option<(Edition, Fits)>,
    /// When the present step first came to rest.
    rested: Option<Moment>,
    steps: Vec<Step>,
    at: usize,
    phase: Phase,
    ids: Ids,
    outbox: VecDeque<Command>,
    awaited: Option<RequestId>,
    wait_until: Option<Moment>,
    started: Moment,
    connections: BTreeMap<String, (ConnectionId, String)>,
    channels: BTreeMap<String, ChannelId>,
    /// Which connection a channel is on.
    owners: BTreeMap<String, String>,
    /// Names of published messages that are not settled.
    publishes: BTreeMap<PublishId, (String, String)>,
    /// The latest delivery of a message on a channel.
    tags: BTreeMap<(String, String), DeliveryTag>,
    /// The latest delivery of a message on any channel.
    messages: BTreeMap<String, Arc<Message>>,
    /// The latest delivery of a message on a channel.
    received: BTreeMap<(String, String), Arc<Message>>,
    requests: BTreeMap<RequestId, String>,
    show_acks: bool,
    /// Keys of direct reply-to that steps name, and that each broker makes up.
    reply_keys: BTreeSet<String>,
    /// A channel that must not come to rest, and when it is next given something to do.
    busy: Option<(String, Moment)>,
    busied: BTreeSet<RequestId>,
    lines: Vec<Line>,
    /// What followed each step.
    pub transcript: Vec<Vec<Line>>,
}

#[derive(Default, PartialEq)]
enum Phase {
    #[default]
    Next,
    Acting,
    Waiting,
    Quieting,
    Over,
}

impl Driver {
    /// Makes a driver for the steps that apply.
    pub fn new(steps: Vec<Step>) -> Self {
        Self { steps, ..Self::default() }
    }

    /// Lets steps wait for what they should show.
    pub fn patient(self, edition: Edition, fits: Fits) -> Self {
        Self { patience: Some((edition, fits)), ..self }
    }

    /// Returns whether what the step should show may still be on its way.
    fn is_early(&mut self, now: Moment) -> bool {
        let (Some((edition, fits)), Some(step)) = (self.patience, self.steps.get(self.at)) else { return false };
        let rested = *self.rested.get_or_insert(now);
        now < rested + PATIENCE && !fits(step, &self.lines, edition)
    }

    fn begin(&mut self, now: Moment) {
        let Some(step) = self.steps.get(self.at).cloned() else {
            self.phase = Phase::Over;
            return;
        };
        self.started = now;
        self.phase = Phase::Acting;
        for words in step.words.split(|word| word == "then") {
            let words = words.iter().map(|word| self.addressed(word)).collect();
            self.act(&Step { words, ..step.clone() }, now);
        }
    }

    /// Writes the reply_to of a message in place of `reply-to-of:ID`.
    fn addressed(&mut self, word: &str) -> String {
        let asked = word.strip_prefix("reply-to-of:").and_then(|id| self.messages.get(id));
        let Some(key) = asked.and_then(|message| message.properties.reply_to.clone()) else { return word.to_owned() };
        self.reply_keys.insert(key.to_string());
        key.to_string()
    }

    fn act(&mut self, step: &Step, now: Moment) {
        match step.words.first().map(String::as_str) {
            Some("wait") => self.wait_until = Some(now + step.word(1).parse::<Millis>().expect("a duration")),
            Some("types") => {
                let text = self.messages.get(&step.word(1)).map_or_else(|| "is not known".into(), |m| types_text(m));
                self.note(now, String::new(), format!("{} {text}", step.word(1)));
            }
            // Begins a part, on a broker that is set so.
            Some("permit" | "plugins") => {}
            Some("busy") => self.busy = Some((step.word(1), now)),
            Some("show") => self.show_acks = step.has("acks"),
            Some("connect") => {
                let vhost = step.named("vhost").unwrap_or("/").to_owned();
                let user = step.named("as").map(str::to_owned);
                self.connect(&step.word(1), user, &vhost);
            }
            Some("disconnect" | "cut" | "kick") => self.disconnect(&step.word(0), &step.word(1)),
            Some("channel") => {
                self.open_as(&step.word(1), step.named("on").unwrap_or("main"), !step.has("plain"));
            }
            Some("close") => {
                if let Some(channel) = self.channels.remove(&step.word(1)) {
                    let request = self.request(step);
                    self.outbox.push_back(Command::CloseChannel { request, channel });
                }
            }
            Some("watch" | "unwatch") => {
                let queue = QueueName::new("/", step.word(1));
                let watch = step.word(0) == "watch";
                let command =
                    if watch { Command::Watch { queue, undisturbed: false } } else { Command::Unwatch { queue } };
                self.outbox.push_back(command);
            }
            Some("publish") => self.publish(step),
            Some("forward") => self.forward(step),
            Some("ack" | "nack" | "reject") => self.settle(step),
            _ => match management(step) {
                Some(act) => {
                    let request = self.request(step);
                    self.outbox.push_back(Command::Manage { request, act });
                }
                None => self.call(step),
            },
        }
    }

    /// Returns the busy channel something to do that changes nothing (CO-15).
    fn keep_busy(&mut self, now: Moment) -> Option<Command> {
        let (name, due) = self.busy.as_mut().filter(|(_, due)| *due <= now)?;
        *due = now + BUSY;
        let channel = *self.channels.get(name)?;
        let request = self.ids.request();
        self.busied.insert(request);
        Some(Command::Call { request, channel, method: Method::Cancel { consumer: "nobody".into() } })
    }

    fn request(&mut self, step: &Step) -> RequestId {
        let request = self.ids.request();
        self.requests.insert(request, step.words.join(" "));
        request
    }

    fn connect(&mut self, name: &str, user: Option<String>, vhost: &str) {
        let (request, connection) = (self.ids.request(), self.ids.connection());
        self.connections.insert(name.to_owned(), (connection, vhost.to_owned()));
        let user = user.map(Name::from);
        self.outbox.push_back(Command::Connect { request, connection, user, vhost: vhost.into(), heartbeat: None });
    }

    fn disconnect(&mut self, how: &str, name: &str) {
        let Some((connection, vhost)) = self.connections.get(name).cloned() else { return };
        let request = self.ids.request();
        self.outbox.push_back(match how {
            "cut" => Command::Cut { request, connection },
            "kick" => Command::Manage { request, act: Management::CloseConnection { connection } },
            _ => Command::Disconnect { request, connection },
        });
        if how != "kick" {
            self.connections.remove(name);
            self.channels.retain(|channel, _| self.owners.get(channel).is_none_or(|owner| owner != name));
        }
        let _ = vhost;
    }

    /// Opens a channel, and the connection `main` with it when it is missing.
    fn open(&mut self, name: &str, connection: &str) {
        self.open_as(name, connection, true);
    }

    fn open_as(&mut self, name: &str, connection: &str, confirms: bool) {
        if !self.connections.contains_key(connection) {
            self.connect(connection, None, "/");
        }
        let (request, channel) = (self.ids.request(), self.ids.channel());
        self.channels.insert(name.to_owned(), channel);
        self.owners.insert(name.to_owned(), connection.to_owned());
        let connection = self.connections[connection].0;
        self.outbox.push_back(Command::OpenChannel { request, channel, connection, confirms });
    }

    fn channel(&mut self, name: &str) -> ChannelId {
        if !self.channels.contains_key(name) {
            let owner = self.owners.get(name).cloned().unwrap_or_else(|| "main".into());
            self.open(name, &owner);
        }
        self.channels[name]
    }

    fn vhost_of(&self, channel: &str) -> Name {
        let owner = self.owners.get(channel).map_or("main", String::as_str);
        self.connections.get(owner).map_or_else(|| "/".into(), |(_, vhost)| vhost.as_str().into())
    }

    fn publish(&mut self, step: &Step) {
        let channel = self.channel(&step.channel);
        let publish = self.ids.publish();
        let message = message_of(step);
        let name = message.properties.message_id.as_deref().unwrap_or("?").to_owned();
        self.publishes.insert(publish, (step.channel.clone(), name));
        self.outbox.push_back(Command::Publish {
            channel,
            publish,
            exchange: step.word(1).into(),
            routing_key: step.word(2).into(),
            mandatory: step.has("mandatory"),
            message: message.into(),
        });
    }

    fn receive(&mut self, channel: &str, id: &str, message: &Arc<Message>) {
        self.messages.insert(id.to_owned(), Arc::clone(message));
        self.received.insert((channel.to_owned(), id.to_owned()), Arc::clone(message));
    }

    fn forward(&mut self, step: &Step) {
        let id = step.word(1);
        let Some(message) = self.received.get(&(step.channel.clone(), id.clone())).cloned() else {
            return self.note(self.started, step.channel.clone(), format!("holds no {id}"));
        };
        let channel = self.channel(&step.channel);
        let publish = self.ids.publish();
        self.publishes.insert(publish, (step.channel.clone(), id));
        let (exchange, routing_key): (Name, Name) = (step.word(2).into(), step.word(3).into());
        let mandatory = step.has("mandatory");
        self.outbox.push_back(Command::Publish { channel, publish, exchange, routing_key, mandatory, message });
    }

    fn settle(&mut self, step: &Step) {
        let channel = self.channel(&step.channel);
        let requeue = step.has("requeue");
        let settlement = match step.word(0).as_str() {
            "ack" => Settlement::Ack,
            "nack" => Settlement::Nack { requeue },
            _ => Settlement::Reject { requeue },
        };
        let multiple = step.has("multiple") || step.has("all");
        for word in step.words[1..].iter().filter(|word| !matches!(word.as_str(), "requeue" | "multiple")) {
            let tag = match (word.as_str(), word.strip_prefix('#')) {
                ("all", _) => DeliveryTag(0),
                (_, Some(tag)) => DeliveryTag(tag.parse().expect("a delivery tag")),
                (id, None) => match self.tags.get(&(step.channel.clone(), id.to_owned())) {
                    Some(tag) => *tag,
                    None => {
                        self.note(self.started, step.channel.clone(), format!("holds no {id}"));
                        continue;
                    }
                },
            };
            self.outbox.push_back(Command::Settle { channel, tag, multiple, settlement });
        }
    }

    fn call(&mut self, step: &Step) {
        let channel = self.channel(&step.channel);
        let vhost = self.vhost_of(&step.channel);
        let method = method(step, vhost);
        let request = self.request(step);
        self.outbox.push_back(Command::Call { request, channel, method });
    }

    fn note(&mut self, now: Moment, source: String, text: String) {
        let shown = |text: String, key: &String| text.replace(key, "amq.rabbitmq.reply-to.*");
        let text = self.reply_keys.iter().fold(text, shown);
        self.lines.push(Line { after: now - self.started, source, text });
    }

    fn channel_name(&self, id: ChannelId) -> String {
        self.channels.iter().find(|(_, other)| **other == id).map_or_else(|| "?".into(), |(name, _)| name.clone())
    }

    fn take_reply(&mut self, now: Moment, request: RequestId, reply: Reply) {
        let words = self.requests.get(&request).cloned().unwrap_or_default();
        let source = self.steps.get(self.at).map(|step| step.channel.clone()).unwrap_or_default();
        match reply {
            Reply::Done | Reply::Quiet { .. } => {}
            Reply::Declared { queue, ready, consumers } => {
                if words.starts_with("check") {
                    self.note(now, source, format!("{} ready={ready} consumers={consumers}", shown_name(&queue)));
                } else if words.starts_with("declare queue \"\"") {
                    let prefix = if queue.starts_with("amq.gen-") { "amq.gen-*" } else { &queue };
                    self.note(now, source, format!("named {prefix}"));
                }
            }
            Reply::Counted { messages } => self.note(now, source, format!("messages={messages}")),
            Reply::Described { kind, .. } => self.note(now, source, format!("type {kind:?}")),
            Reply::Got(None) => self.note(now, source, "empty".into()),
            Reply::Got(Some(got)) => {
                let id = got.delivery.message.properties.message_id.as_deref().unwrap_or("?").to_owned();
                self.receive(&source, &id, &got.delivery.message);
                self.tags.insert((source.clone(), id), got.delivery.tag);
                let text = format!("got {} remaining={}", deliver_text(&got.delivery), got.remaining);
                self.note(now, source, text);
            }
        }
    }

    fn lose_publishes(&mut self, now: Moment, channel: &str) {
        let lost: Vec<PublishId> =
            self.publishes.iter().filter(|(_, (on, _))| on == channel).map(|(publish, _)| *publish).collect();
        for publish in lost {
            if let Some((on, name)) = self.publishes.remove(&publish) {
                self.note(now, on, format!("lost {name}"));
            }
        }
    }
}

impl Client for Driver {
    fn poll_command(&mut self, now: Moment) -> Option<Command> {
        if self.phase != Phase::Over
            && let Some(command) = self.keep_busy(now)
        {
            return Some(command);
        }
        loop {
            if self.awaited.is_some() || self.phase == Phase::Over {
                return None;
            }
            if self.phase == Phase::Next {
                self.begin(now);
                continue;
            }
            if let Some(command) = self.outbox.pop_front() {
                self.awaited = request_of(&command);
                return Some(command);
            }
            match self.phase {
                Phase::Acting if self.wait_until.is_some() => self.phase = Phase::Waiting,
                Phase::Waiting if self.wait_until.is_some_and(|until| now < until) => return None,
                Phase::Acting | Phase::Waiting => {
                    self.wait_until = None;
                    self.phase = Phase::Quieting;
                    let request = self.ids.request();
                    self.awaited = Some(request);
                    return Some(Command::AwaitQuiet { request });
                }
                _ => return None,
            }
        }
    }

    fn handle_event(&mut self, now: Moment, event: Event) {
        match event {
            Event::Reply { request, .. } if self.busied.remove(&request) => {}
            Event::Reply { request, reply } => {
                if self.awaited == Some(request) {
                    self.awaited = None;
                }
                if self.phase == Phase::Quieting && self.is_early(now) {
                    self.phase = Phase::Acting;
                    return;
                }
                if self.phase == Phase::Quieting {
                    self.rested = None;
                    self.transcript.push(std::mem::take(&mut self.lines));
                    self.at += 1;
                    self.phase = Phase::Next;
                    return;
                }
                match reply {
                    Ok(reply) => self.take_reply(now, request, reply),
                    Err(refusal) if refusal.scope == Scope::Channel => {}
                    Err(refusal) => self.note(now, String::new(), format!("refused {}", refusal_text(&refusal))),
                }
            }
            Event::Delivered { channel, consumer, delivery } => {
                let name = self.channel_name(channel);
                let id = delivery.message.properties.message_id.as_deref().unwrap_or("?").to_owned();
                self.receive(&name, &id, &delivery.message);
                self.tags.insert((name.clone(), id), delivery.tag);
                self.note(now, name, format!("{consumer} gets {}", deliver_text(&delivery)));
            }
            Event::Returned { publish, code, text } => {
                let (on, name) = self.publishes.get(&publish).cloned().unwrap_or_default();
                self.note(now, on, format!("returned {name} {code} {text}"));
            }
            Event::Confirmed { publish, confirmation } => {
                let (on, name) = self.publishes.remove(&publish).unwrap_or_default();
                match confirmation {
                    Confirmation::Nack => self.note(now, on, format!("nacked {name}")),
                    Confirmation::Ack if self.show_acks => self.note(now, on, format!("acked {name}")),
                    Confirmation::RolledBack if self.show_acks => self.note(now, on, format!("rolled back {name}")),
                    Confirmation::Ack | Confirmation::RolledBack => {}
                }
            }
            Event::ChannelClosed { channel, cause } => {
                let name = self.channel_name(channel);
                self.channels.remove(&name);
                self.note(now, name.clone(), format!("closed {}", refusal_text(&cause)));
                self.lose_publishes(now, &name);
            }
            Event::ConnectionClosed { connection, cause } => {
                let found = self.connections.iter().find(|(_, (id, _))| *id == connection);
                let name = found.map(|(name, _)| name.clone()).unwrap_or_default();
                self.connections.remove(&name);
                self.channels.retain(|channel, _| self.owners.get(channel).is_none_or(|owner| *owner != name));
                self.note(now, String::new(), format!("connection {name} closed {}", refusal_text(&cause)));
            }
            Event::Cancelled { channel, consumer } => {
                let name = self.channel_name(channel);
                self.note(now, name, format!("{consumer} is cancelled"));
            }
            Event::Counted { queue, counts } => {
                let shown = match counts {
                    None => "is not there".to_owned(),
                    Some(counts) => format!("ready={} consumers={}", counts.ready, counts.consumers),
                };
                self.note(now, String::new(), format!("watched {} {shown}", queue.name));
            }
            Event::Told(_) => {}
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        let busy = self.busy.as_ref().map(|(_, due)| *due);
        self.wait_until.into_iter().chain(busy).min()
    }

    fn is_leaving(&self) -> bool {
        let not_settled = self.outbox.iter().find(|command| !matches!(command, Command::Settle { .. }));
        not_settled.is_some_and(Command::is_leave)
    }

    fn is_done(&self) -> bool {
        self.phase == Phase::Over
    }
}

fn request_of(command: &Command) -> Option<RequestId> {
    match command {
        Command::Connect { request, .. }
        | Command::Disconnect { request, .. }
        | Command::Cut { request, .. }
        | Command::OpenChannel { request, .. }
        | Command::CloseChannel { request, .. }
        | Command::Call { request, .. }
        | Command::Manage { request, .. }
        | Command::AwaitQuiet { request } => Some(*request),
        _ => None,
    }
}
