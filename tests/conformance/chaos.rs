//! Commands at random, from a seed: the sim never panics, its books agree after each command, and no message is lost or
//! doubled without a word about it.

use super::harness::{Checked, test};
use super::random::Random;
use libtest_mimic::Trial;
use rmqplay::broker::{ChannelId, Command, ConnectionId, Event, Ids, Management, Method, Reply, Settlement, What};
use rmqplay::model::{
    ApplyTo, Binding, DestinationKind, Exchange, Message, Moment, Policy, Profile, Properties, Queue, QueueName, Table,
    Value,
};
use rmqplay::sim::Sim;
use std::collections::BTreeMap;
use std::sync::Arc;

const QUEUES: [&str; 5] = ["a", "b", "c", "d", "e"];
const TAGS: [&str; 4] = ["t1", "t2", "t3", "t4"];
const COMMANDS: usize = 800;

struct Chaos {
    dice: Random,
    ids: Ids,
    sim: Sim,
    now: Moment,
    channels: Vec<ChannelId>,
    connection: ConnectionId,
    /// Whether queues may come and go: then messages go with them.
    wild: bool,
    /// Deliveries without acknowledgement are over when they are made.
    no_ack: BTreeMap<(ChannelId, String), bool>,
    gets: BTreeMap<u64, (ChannelId, bool)>,
    outstanding: BTreeMap<ChannelId, std::collections::BTreeSet<u64>>,
    entered: u64,
    left: u64,
}

/// Returns a test per profile and promise.
pub fn tests() -> Vec<Trial> {
    let of = |profile: Profile| {
        [
            test(format!("chaos::{profile}::books_agree"), move || books_agree(profile)),
            test(format!("chaos::{profile}::no_message_is_lost_or_doubled"), move || {
                nothing_is_lost_or_doubled(profile)
            }),
        ]
    };
    Profile::ALL.into_iter().flat_map(of).collect()
}

/// Whatever is asked.
fn books_agree(profile: Profile) -> Checked {
    for seed in 0..3 {
        let mut chaos = Chaos::new(profile, seed, true);
        for step in 0..COMMANDS {
            chaos.step();
            match chaos.sim.audit() {
                Err(error) => return Err(format!("seed {seed}, step {step}: {error}")),
                Ok(held) if held > 400 => break,
                Ok(_) => {}
            }
        }
    }
    Ok(())
}

/// Not without a word about it.
fn nothing_is_lost_or_doubled(profile: Profile) -> Checked {
    for seed in 100..103 {
        let mut chaos = Chaos::new(profile, seed, false);
        for step in 0..COMMANDS {
            chaos.step();
            let held = chaos.sim.audit().map_err(|error| format!("{seed}, {step}: {error}"))?;
            let expected = chaos.entered - chaos.left;
            assert_eq!(held, expected, "seed {seed}, step {step}: messages held");
            // 3.10 can multiply messages in cycles that it does not see (DL-27).
            if held > 400 {
                break;
            }
        }
        assert!(chaos.entered > 100, "something happened");
    }
    Ok(())
}

impl Chaos {
    fn new(profile: Profile, seed: u64, wild: bool) -> Self {
        let mut ids = Ids::default();
        let connection = ids.connection();
        let mut chaos = Self {
            dice: Random::new(seed),
            connection,
            ids,
            sim: Sim::new(profile).with_insights(true),
            now: Moment(0),
            channels: Vec::new(),
            wild,
            no_ack: BTreeMap::new(),
            gets: BTreeMap::new(),
            outstanding: BTreeMap::new(),
            entered: 0,
            left: 0,
        };
        chaos.connect();
        for name in QUEUES {
            chaos.declare(name);
        }
        chaos
    }

    fn connect(&mut self) {
        let request = self.ids.request();
        self.connection = self.ids.connection();
        self.send(Command::Connect {
            request,
            connection: self.connection,
            user: None,
            vhost: "/".into(),
            heartbeat: None,
        });
        self.channels = (0..3).map(|_| self.open()).collect();
    }

    fn open(&mut self) -> ChannelId {
        let (request, channel) = (self.ids.request(), self.ids.channel());
        self.send(Command::OpenChannel { request, channel, connection: self.connection, confirms: true });
        channel
    }

    fn call(&mut self, channel: ChannelId, method: Method) {
        let request = self.ids.request();
        if let Method::Get { no_ack, .. } = &method {
            self.gets.insert(request.0, (channel, *no_ack));
        }
        self.send(Command::Call { request, channel, method });
    }

    fn declare(&mut self, name: &str) {
        let mut arguments = Table::new();
        let number = |n: u64| Value::I64(n as i64);
        if self.dice.below(2) == 0 {
            arguments.insert("x-queue-type".into(), "quorum".into());
        } else if self.dice.below(3) == 0 {
            arguments.insert("x-max-priority".into(), number(4));
        }
        if self.dice.below(2) == 0 {
            arguments.insert("x-dead-letter-exchange".into(), self.dice.pick(&["", "x", "missing"]).to_owned().into());
            if self.dice.below(2) == 0 {
                let key = *self.dice.pick(&QUEUES);
                arguments.insert("x-dead-letter-routing-key".into(), key.into());
            }
        }
        for (key, sides) in [("x-message-ttl", 900), ("x-max-length", 9), ("x-max-length-bytes", 90)] {
            if self.dice.below(4) == 0 {
                arguments.insert(key.into(), number(self.dice.below(sides)));
            }
        }
        if self.dice.below(5) == 0 {
            arguments.insert("x-single-active-consumer".into(), true.into());
        }
        if self.wild && self.dice.below(4) == 0 {
            let overflow = *self.dice.pick(&["reject-publish", "reject-publish-dlx", "drop-head"]);
            arguments.insert("x-overflow".into(), overflow.into());
        }
        if self.wild && self.dice.below(6) == 0 {
            arguments.insert("x-expires".into(), number(500));
        }
        let (auto_delete, exclusive) = (self.wild && self.dice.below(9) == 0, self.wild && self.dice.below(9) == 0);
        let queue = Queue { vhost: "/".into(), name: name.into(), durable: true, auto_delete, exclusive, arguments };
        let channel = self.channels[0];
        self.call(channel, Method::DeclareQueue(Box::new(queue)));
    }

    fn step(&mut self) {
        let channel = *self.dice.pick(&self.channels.clone());
        let queue = *self.dice.pick(&QUEUES);
        let tag = *self.dice.pick(&TAGS);
        match self.dice.below(if self.wild { 24 } else { 20 }) {
            0..=5 => self.publish(channel),
            6..=9 => self.settle(channel),
            10 => {
                let no_ack = self.dice.below(4) == 0;
                self.call(channel, Method::Get { queue: queue.into(), no_ack });
            }
            11 | 12 => self.consume(channel, queue, tag),
            13 => self.call(channel, Method::Cancel { consumer: tag.into() }),
            14 => {
                let (prefetch, global) = (self.dice.below(4) as u16, self.dice.below(5) == 0);
                self.call(channel, Method::Qos { prefetch, global });
            }
            15 => {
                self.outstanding.remove(&channel);
                self.call(channel, Method::Recover { requeue: true });
            }
            16 => self.now = Moment(self.now.0 + self.dice.below(400)),
            17 => self.policy(queue),
            18 => self.bind(channel, queue),
            19 => self.send(Command::Watch { queue: QueueName::new("/", queue), undisturbed: false }),
            20 => self.call(channel, Method::Purge { queue: queue.into() }),
            21 => self.call(channel, Method::DeleteQueue { queue: queue.into(), if_unused: false, if_empty: false }),
            22 => self.declare(queue),
            _ => {
                let request = self.ids.request();
                match self.dice.below(6) {
                    0 => self.send(Command::Cut { request, connection: self.connection }),
                    1 => {
                        let down_for = rmqplay::model::Millis(50);
                        self.send(Command::Manage { request, act: Management::Restart { down_for } });
                        self.now = Moment(self.now.0 + 50);
                    }
                    _ => self.send(Command::CloseChannel { request, channel }),
                }
            }
        }
        self.mend();
    }

    /// Opens anew what was closed.
    fn mend(&mut self) {
        self.sim.advance(self.now);
        self.listen();
        let probe = self.ids.request();
        let connection = self.connection;
        self.sim.handle(
            self.now,
            Command::OpenChannel { request: probe, channel: self.ids.channel(), connection, confirms: true },
        );
        let mut open = false;
        while let Some(event) = self.sim.poll_event() {
            match event {
                Event::Reply { request, reply } if request == probe => open = reply.is_ok(),
                other => self.hear(other),
            }
        }
        if !open {
            self.connect();
        }
        for i in 0..self.channels.len() {
            let (request, channel) = (self.ids.request(), self.channels[i]);
            self.sim.handle(
                self.now,
                Command::Call { request, channel, method: Method::Qos { prefetch: 2, global: false } },
            );
            let mut gone = false;
            while let Some(event) = self.sim.poll_event() {
                match event {
                    Event::Reply { request: of, reply } if of == request => gone = reply.is_err(),
                    other => self.hear(other),
                }
            }
            if gone {
                self.channels[i] = self.open();
            }
        }
    }

    fn publish(&mut self, channel: ChannelId) {
        let key = *self.dice.pick(&QUEUES);
        let exchange = *self.dice.pick(&["", "", "amq.fanout", "amq.topic"]);
        let number = |dice: &mut Random, sides| (dice.below(3) == 0).then(|| dice.below(sides));
        let properties = Properties {
            expiration: number(&mut self.dice, 600).map(|ms| ms.to_string().into()),
            priority: number(&mut self.dice, 12).map(|n| n as u8),
            delivery_mode: Some(1 + self.dice.below(2) as u8),
            ..Properties::default()
        };
        let body = vec![0; self.dice.below(40) as usize].into();
        let (publish, mandatory) = (self.ids.publish(), self.dice.below(2) == 0);
        self.send(Command::Publish {
            channel,
            publish,
            exchange: exchange.into(),
            routing_key: key.into(),
            mandatory,
            message: Arc::new(Message { properties, body }),
        });
    }

    fn settle(&mut self, channel: ChannelId) {
        let known: Vec<u64> = self.outstanding.get(&channel).into_iter().flatten().copied().collect();
        if known.is_empty() {
            return;
        }
        let tag = if self.wild && self.dice.below(30) == 0 { 999_999 } else { *self.dice.pick(&known) };
        let requeue = self.dice.below(2) == 0;
        let (settlement, multiple) = match self.dice.below(4) {
            0 => (Settlement::Reject { requeue }, false),
            1 => (Settlement::Nack { requeue }, self.dice.below(3) == 0),
            _ => (Settlement::Ack, self.dice.below(3) == 0),
        };
        let settled: Vec<u64> = known.into_iter().filter(|n| *n == tag || (multiple && *n < tag)).collect();
        for tag in &settled {
            self.outstanding.entry(channel).or_default().remove(tag);
        }
        if settlement == Settlement::Ack {
            self.left += settled.len() as u64;
        }
        self.send(Command::Settle { channel, tag: rmqplay::broker::DeliveryTag(tag), multiple, settlement });
    }

    fn consume(&mut self, channel: ChannelId, queue: &str, tag: &str) {
        let no_ack = self.dice.below(5) == 0;
        let tag = format!("{tag}-{}", self.ids.request().0);
        self.no_ack.insert((channel, tag.clone()), no_ack);
        let mut arguments = Table::new();
        if self.dice.below(3) == 0 {
            arguments.insert("x-priority".into(), Value::I64(self.dice.below(3) as i64));
        }
        let (queue, consumer, exclusive) = (queue.into(), tag.into(), self.dice.below(7) == 0);
        self.call(channel, Method::Consume { queue, consumer, no_ack, exclusive, arguments });
    }

    fn policy(&mut self, queue: &str) {
        let definition = match self.dice.below(3) {
            0 => [("max-length".to_owned(), self.dice.below(6).into())].into_iter().collect(),
            1 => [("message-ttl".to_owned(), self.dice.below(500).into())].into_iter().collect(),
            _ => [("dead-letter-exchange".to_owned(), "".into())].into_iter().collect(),
        };
        let (pattern, apply_to) = (format!("^{queue}$"), ApplyTo::Queues);
        let (vhost, name) = ("/".into(), "p".into());
        let policy = Box::new(Policy { vhost, name, pattern, apply_to, priority: 0, definition });
        let request = self.ids.request();
        self.send(Command::Manage { request, act: Management::PutPolicy { policy, operator: false } });
    }

    fn bind(&mut self, channel: ChannelId, queue: &str) {
        let exchange = Exchange {
            vhost: "/".into(),
            name: "x".into(),
            kind: "fanout".into(),
            durable: true,
            auto_delete: false,
            internal: false,
            arguments: Table::new(),
        };
        self.call(channel, Method::DeclareExchange(Box::new(exchange)));
        let binding = Binding {
            vhost: "/".into(),
            source: (*self.dice.pick(&["x", "amq.fanout", "amq.topic"])).into(),
            destination: queue.into(),
            destination_kind: DestinationKind::Queue,
            routing_key: (*self.dice.pick(&["#", "a", "*"])).into(),
            arguments: Table::new(),
        };
        let method = if self.dice.below(3) == 0 { Method::Unbind } else { Method::Bind };
        self.call(channel, method(Box::new(binding)));
    }

    fn send(&mut self, command: Command) {
        self.sim.handle(self.now, command);
        self.listen();
    }

    fn listen(&mut self) {
        while let Some(event) = self.sim.poll_event() {
            self.hear(event);
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Delivered { channel, consumer, delivery } => {
                if self.no_ack.get(&(channel, consumer.to_string())) == Some(&true) {
                    self.left += 1;
                } else {
                    self.outstanding.entry(channel).or_default().insert(delivery.tag.0);
                }
            }
            Event::Reply { request, reply: Ok(Reply::Got(Some(got))) } => match self.gets.remove(&request.0) {
                Some((channel, false)) => {
                    self.outstanding.entry(channel).or_default().insert(got.tag().0);
                }
                _ => self.left += 1,
            },
            Event::ChannelClosed { channel, .. } => {
                self.outstanding.remove(&channel);
            }
            Event::Told(insight) => match insight.what {
                What::Enqueued { .. } => self.entered += 1,
                What::DeadLettered { .. } => self.left += 1,
                What::Dropped { stood: true, .. } => self.left += 1,
                _ => {}
            },
            _ => {}
        }
    }
}
