//! Plays a sequence on whatever broker stands behind the seam, one operation after another, each settled before the
//! next begins; notes what was seen at each. Knows nothing of sim or live but how long it may linger for rest.

use super::chance::Chance;
use super::following::Shadow;
use super::held::{Held, Unsettled};
use super::rehearsal::Unfit;
use super::seen::{Seen, delivery_text, id_of};
use super::sequence::Op;
use crate::script::Step;
use rmqplay::broker::{
    ChannelId, Client, Command, Confirmation, Event, Ids, PublishId, Refusal, Reply, RequestId, Scope, code,
};
use rmqplay::model::{Message, Millis, Moment};
use rmqplay::rules::Differences;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Which operations of a rehearsal begin late, and how late at most.
#[derive(Debug, Clone)]
pub enum Delays {
    Random(Chance, Millis),
    Publishes(Millis),
    AllButPublishes(Millis),
}

impl Delays {
    /// Lists the worst: all at random; publishes prompt and all else late; the other way round.
    pub fn all(most: Millis) -> [Self; 3] {
        [Self::Random(Chance::new(1), most), Self::AllButPublishes(most), Self::Publishes(most)]
    }

    fn draw(&mut self, publishes: bool) -> Millis {
        match self {
            Self::Random(chance, most) => Millis(chance.below(most.0 as usize) as u64),
            Self::Publishes(most) if publishes => *most,
            Self::AllButPublishes(most) if !publishes => *most,
            _ => Millis(0),
        }
    }
}

/// Why a sequence was not played to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// What this operation should show is not certain, for a reason of time.
    Unclear(usize, Unfit),
    /// The operation's outcome is another than the expected one.
    Different(usize),
}

/// Plays operations.
#[derive(Default)]
pub struct Player {
    pub(super) ops: VecDeque<Op>,
    /// The sim that says what should be seen; none in the sim.
    pub(super) shadow: Option<Box<Shadow>>,
    /// Draws delays that the live side may have, to find sequences that they would change.
    pub(super) jitter: Option<Delays>,
    pub(super) idle_until: Option<Moment>,
    pub(super) phase: Phase,
    pub(super) ids: Ids,
    pub(super) outbox: VecDeque<Command>,
    pub(super) awaited: Option<RequestId>,
    pub(super) gap: Millis,
    pub(super) text: String,
    pub(super) step: Option<Step>,
    pub(super) scheduled: Moment,
    pub(super) now: Moment,
    pub(super) to_count: VecDeque<String>,
    pub(super) requests: BTreeMap<RequestId, Asked>,
    pub(super) publishes: BTreeMap<PublishId, (ChannelId, String)>,
    pub(super) seen: Seen,
    pub held: Held,
    /// What was delivered, by id: of several deliveries any.
    pub messages: BTreeMap<String, Arc<Message>>,
    pub transcript: Vec<Seen>,
    pub stopped: Option<Stop>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    #[default]
    Next,
    Pausing(Moment),
    Settling,
    Quieting,
    Counting,
    Lingering(Moment),
    Over,
}

#[derive(Clone)]
pub(super) enum Asked {
    Step(Box<Step>, String),
    Count(String),
    Drain(String),
    Setup,
    Connect(String),
    Quiet,
}

impl Player {
    /// Makes a player without operations, for the sim.
    pub fn rehearsing(jitter: Option<Delays>) -> Self {
        Self { jitter, ..Self::default() }
    }

    /// Makes a player that compares with the sim by some rules as it goes; what differs for so long is a difference.
    pub fn comparing(ops: &[Op], rules: &'static Differences, linger: Millis) -> Self {
        let shadow = Some(Box::new(Shadow::new(rules, linger)));
        Self { ops: ops.iter().cloned().collect(), shadow, ..Self::default() }
    }

    /// Adds operations.
    pub fn give(&mut self, ops: &[Op]) {
        self.ops.extend(ops.iter().cloned());
        if self.phase == Phase::Over && self.stopped.is_none() {
            self.phase = Phase::Next;
        }
    }

    /// Lets time pass.
    pub fn idle(&mut self, until: Moment) {
        self.idle_until = Some(until);
    }

    /// When the last operation should have begun.
    pub fn scheduled(&self) -> Moment {
        self.scheduled
    }

    /// Returns what was seen last, and what should have been.
    pub fn last_seen(&self) -> (Seen, Seen) {
        let wanted = self.shadow.as_ref().map(|shadow| shadow.wanted().clone());
        (self.transcript.last().unwrap_or(&self.seen).clone(), wanted.unwrap_or_default())
    }

    fn begin(&mut self, now: Moment) {
        let Some(op) = self.ops.pop_front() else {
            self.phase = Phase::Over;
            return;
        };
        self.step = op.step();
        self.text = op.text;
        // Nothing ran while the operations before had no moments: the first that has one begins when it can.
        let mut due = if op.gap.0 == 0 { now } else { self.scheduled + op.gap };
        if self.gap.0 == 0 {
            due = due.max(now);
        }
        self.gap = op.gap;
        self.scheduled = due;
        if let Some(delays) = &mut self.jitter {
            due = due + delays.draw(self.text.contains("publish "));
        }
        self.phase = Phase::Pausing(due);
    }

    fn take_reply(&mut self, asked: Asked, reply: Reply) {
        match (asked, reply) {
            (Asked::Count(queue), Reply::Declared { ready, consumers, .. }) => {
                let shown = self.counts_text(&queue, ready, consumers);
                self.seen.counts.insert(queue, shown);
            }
            (Asked::Drain(queue), Reply::Got(Some(got))) => {
                self.seen.note(format!("contents of {queue}"), delivery_text(&got.delivery));
                self.drain(&queue);
            }
            (Asked::Step(step, channel), reply) => self.take_answer(&step, channel, reply),
            _ => {}
        }
    }

    fn take_answer(&mut self, step: &Step, channel: String, reply: Reply) {
        let stream = format!("answer on {channel}");
        match (step.word(0).as_str(), step.word(1).as_str()) {
            ("declare", "queue") => {
                self.held.queues.insert(step.word(2));
                if step.named("x-queue-type") == Some("stream") {
                    self.held.streams.insert(step.word(2));
                }
            }
            ("delete", "queue") => {
                self.held.queues.remove(&step.word(2));
                self.held.streams.remove(&step.word(2));
            }
            ("consume", queue) => {
                self.held.consumers.insert((channel.clone(), step.word(2)), queue.to_owned());
            }
            ("tx", "select") => self.held.select(&channel),
            ("tx", end) => self.held.end_transaction(&channel, end == "rollback"),
            ("cancel", consumer) => {
                self.held.consumers.remove(&(channel.clone(), consumer.to_owned()));
            }
            _ => {}
        }
        match reply {
            Reply::Done | Reply::Quiet { .. } => self.seen.note(stream, "done"),
            Reply::Declared { queue, ready, consumers } => {
                let shown = self.counts_text(&queue, ready, consumers);
                self.seen.note(stream, format!("{queue} {shown}"));
            }
            Reply::Counted { messages } => self.seen.note(stream, format!("{messages} messages")),
            Reply::Described { kind, .. } => self.seen.note(stream, format!("type {kind:?}")),
            Reply::Got(None) => self.seen.note(stream, "empty"),
            Reply::Got(Some(got)) => {
                let (id, message) = (id_of(&got.delivery), Arc::clone(&got.delivery.message));
                self.messages.insert(id.clone(), Arc::clone(&message));
                if !step.has("no-ack") {
                    let (tag, redelivered) = (got.tag(), got.delivery.redelivered);
                    let came_at = self.transcript.len();
                    self.held.take(&channel, Unsettled { tag, id, message, redelivered, queue: None, came_at });
                }
                self.seen.note(stream, format!("{} remaining={}", delivery_text(&got.delivery), got.remaining));
            }
        }
    }

    /// Writes counts; those of a stream come late on a live broker.
    fn counts_text(&self, queue: &str, ready: u64, consumers: u64) -> String {
        match self.held.streams.contains(queue) {
            true => format!("is a stream, consumers={consumers}"),
            false => format!("ready={ready} consumers={consumers}"),
        }
    }

    fn take_refusal(&mut self, asked: Asked, refusal: &Refusal) {
        match asked {
            // Somebody else's alone (CO-21): it may go at any time.
            Asked::Count(queue) if refusal.code == code::RESOURCE_LOCKED => {
                self.seen.counts.insert(queue, "is locked".to_owned());
                self.close_probe();
            }
            Asked::Count(queue) => {
                self.held.queues.remove(&queue);
                self.held.streams.remove(&queue);
                self.seen.counts.remove(&queue);
                self.close_probe();
            }
            Asked::Drain(queue) => {
                self.seen.note(format!("contents of {queue}"), refusal.to_string());
                self.close_probe();
            }
            Asked::Step(_, channel) => {
                if refusal.scope == Scope::Channel
                    && let Some(id) = self.held.channels.get(&channel).copied()
                {
                    self.held.forget_channel(id);
                }
                self.seen.note(format!("answer on {channel}"), format!("refused {refusal}"));
            }
            // What keeps moving shows in the comparison.
            Asked::Quiet => {}
            Asked::Setup => self.seen.note("set-up", format!("refused {refusal}")),
            Asked::Connect(name) => {
                self.held.forget_connection(&name);
                // What was to be done on it cannot be.
                self.outbox.clear();
                self.seen.note("set-up", format!("refused {refusal}"));
            }
        }
    }

    fn close_probe(&mut self) {
        if let Some(id) = self.held.channels.get("probe").copied() {
            self.held.forget_channel(id);
        }
    }

    fn lose_publishes(&mut self, channel: ChannelId) {
        let lost: Vec<PublishId> =
            self.publishes.iter().filter(|(_, (on, _))| *on == channel).map(|(publish, _)| *publish).collect();
        for (on, name) in lost.iter().filter_map(|publish| self.publishes.remove(publish)).collect::<Vec<_>>() {
            self.seen.note(format!("publishes on {}", self.held.name(on)), format!("{name} lost"));
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Delivered { channel, consumer, delivery } => {
                let name = self.held.name(channel);
                let no_ack = consumer.ends_with("-free");
                let (id, message) = (id_of(&delivery), Arc::clone(&delivery.message));
                self.messages.insert(id.clone(), Arc::clone(&message));
                if !no_ack && self.held.channels.get(&name) == Some(&channel) {
                    let (tag, redelivered) = (delivery.tag, delivery.redelivered);
                    let queue = self.held.consumers.get(&(name.clone(), consumer.to_string())).cloned();
                    let came_at = self.transcript.len();
                    self.held.take(&name, Unsettled { tag, id, message, redelivered, queue, came_at });
                }
                self.seen.note(format!("consumer {consumer} on {name}"), delivery_text(&delivery));
            }
            Event::Returned { publish, code, text } => {
                let (on, name) = self.publishes.get(&publish).cloned().unwrap_or((ChannelId(0), String::new()));
                let stream = format!("publishes on {}", self.held.name(on));
                self.seen.note(stream, format!("{name} returned {code} {text}"));
            }
            Event::Confirmed { publish, confirmation } => {
                let (on, name) = self.publishes.remove(&publish).unwrap_or((ChannelId(0), String::new()));
                let word = match confirmation {
                    Confirmation::Ack => "acked",
                    Confirmation::Nack => "nacked",
                    Confirmation::RolledBack => "rolled back",
                };
                self.seen.note(format!("publishes on {}", self.held.name(on)), format!("{name} {word}"));
            }
            Event::ChannelClosed { channel, cause } => {
                let name = self.held.name(channel);
                self.held.forget_channel(channel);
                if name != "probe" {
                    self.seen.note(format!("channel {name}"), format!("closed {cause}"));
                }
                self.lose_publishes(channel);
            }
            Event::ConnectionClosed { connection, cause } => {
                let found = self.held.connections.iter().find(|(_, id)| **id == connection);
                let name = found.map(|(name, _)| name.clone()).unwrap_or_default();
                self.seen.note(format!("connection {name}"), format!("closed {cause}"));
                for channel in self.held.forget_connection(&name) {
                    self.lose_publishes(channel);
                }
            }
            Event::Cancelled { channel, consumer } => {
                let name = self.held.name(channel);
                self.held.consumers.remove(&(name.clone(), consumer.to_string()));
                self.seen.note(format!("consumer {consumer} on {name}"), "cancelled");
            }
            Event::Counted { .. } | Event::Told(_) | Event::Reply { .. } => {}
        }
    }
}

impl Client for Player {
    fn poll_command(&mut self, now: Moment) -> Option<Command> {
        self.now = now;
        loop {
            if self.idle_until.is_some_and(|until| now < until) || self.awaited.is_some() {
                return None;
            }
            self.idle_until = None;
            if let Some(command) = self.outbox.pop_front() {
                self.awaited = request_of(&command);
                return Some(command);
            }
            match self.phase {
                Phase::Next => self.begin(now),
                Phase::Pausing(due) | Phase::Lingering(due) if now < due => return None,
                Phase::Pausing(_) => {
                    if let Some(until) = self.held_up(now) {
                        self.phase = Phase::Pausing(until);
                    } else if self.stopped.is_none() {
                        self.phase = Phase::Settling;
                        self.act();
                    }
                }
                Phase::Settling | Phase::Lingering(_) => {
                    self.phase = Phase::Quieting;
                    let request = self.request(Asked::Quiet);
                    self.awaited = Some(request);
                    return Some(Command::AwaitQuiet { request });
                }
                Phase::Quieting => {
                    self.phase = Phase::Counting;
                    self.to_count = self.held.queues.iter().cloned().collect();
                    self.seen.counts.clear();
                }
                Phase::Counting => match self.to_count.pop_front() {
                    Some(queue) => self.count(queue),
                    None => self.judge(now),
                },
                Phase::Over => return None,
            }
        }
    }

    fn handle_event(&mut self, now: Moment, event: Event) {
        self.now = now;
        let Event::Reply { request, reply } = event else { return self.hear(event) };
        if self.awaited == Some(request) {
            self.awaited = None;
        }
        let Some(asked) = self.requests.remove(&request) else { return };
        match reply {
            Ok(reply) => self.take_reply(asked, reply),
            Err(refusal) => self.take_refusal(asked, &refusal),
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        match self.phase {
            _ if self.idle_until.is_some() => self.idle_until,
            Phase::Pausing(due) | Phase::Lingering(due) => Some(due),
            _ => None,
        }
    }

    fn is_done(&self) -> bool {
        self.phase == Phase::Over && self.idle_until.is_none_or(|until| self.now >= until)
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
