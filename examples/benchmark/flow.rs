//! The work that is measured, as a client: it declares, then publishes in a window and acknowledges what is delivered.
//! The same value plays on the sim and on a live broker. All publishes share one message of 100 bytes.

use rmqplay::broker::{
    ChannelId, Client, Command, Confirmation, ConnectionId, DeliveryTag, Event, Ids, Method, RequestId, Settlement,
};
use rmqplay::model::{
    Binding, DestinationKind, Exchange, Message, Moment, Name, Properties, Queue, QueueKind, Table, Value,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Publishes under way at most; the consumer's prefetch is as large.
const WINDOW: u64 = 500;

const CONNECTION: ConnectionId = ConnectionId(1);
const PUBLISHING: ChannelId = ChannelId(1);
const CONSUMING: ChannelId = ChannelId(2);

/// What a case declares and how it publishes.
pub struct Shape {
    pub story: &'static str,
    methods: Vec<Method>,
    /// Published once, before the measurement, each to the queue of that name.
    parked: Vec<Name>,
    exchange: Name,
    /// Taken in turn.
    keys: Vec<Name>,
    consumed: Option<Name>,
    /// How many consumers get each message: several of a stream.
    pub readers: u64,
    /// Whether the consumer looks at what it gets.
    reads: bool,
    window: u64,
}

impl Shape {
    /// publish → route → deliver → ack.
    pub fn deliver(kind: QueueKind) -> Self {
        let methods = vec![exchange("bench", "direct"), queue("work", kind, &[]), bind("bench", "work", "key")];
        Self {
            story: "publish → route (direct exchange) → deliver → ack",
            methods,
            parked: Vec::new(),
            exchange: "bench".into(),
            keys: vec!["key".into()],
            consumed: Some("work".into()),
            readers: 1,
            reads: false,
            window: WINDOW,
        }
    }

    /// publish → expire → dead-letter → consume.
    pub fn dead_letter(kind: QueueKind) -> Self {
        let waiting = [
            ("x-message-ttl", Value::I64(1)),
            ("x-dead-letter-exchange", Value::from("")),
            ("x-dead-letter-routing-key", Value::from("dead")),
        ];
        let mut shape = Self::deliver(kind);
        shape.story = "publish → expire (TTL of 1 ms) → dead-letter → consume → ack";
        shape.methods[1] = queue("work", kind, &waiting);
        shape.methods.push(queue("dead", kind, &[]));
        shape.consumed = Some("dead".into());
        shape
    }

    /// `deliver` of a stream that so many consumers read.
    pub fn stream(readers: u64) -> Self {
        Self { readers, ..Self::deliver(QueueKind::Stream) }
    }

    /// `dead_letter`, and the consumer reads why it got the message.
    pub fn read_deaths(kind: QueueKind) -> Self {
        let story = "publish → expire → dead-letter → consume and read x-death → ack";
        Self { story, reads: true, ..Self::dead_letter(kind) }
    }

    /// `deliver` through a topic exchange with so many bindings, three in four of them with a wildcard.
    pub fn topic(bindings: usize) -> Self {
        let mut shape = Self::deliver(QueueKind::Classic);
        shape.methods = vec![exchange("bench", "topic"), queue("work", QueueKind::Classic, &[])];
        shape.keys.clear();
        for i in 0..bindings {
            let (site, tail) = (i % 100, ["placed", "*", "*.paid", "#"][i % 4]);
            shape.methods.push(bind("bench", "work", &format!("site{site}.order{i}.{tail}")));
            let fits = ["placed", "gone", "eu.paid", "eu.north.lost"][i % 4];
            shape.keys.push(format!("site{site}.order{i}.{fits}").into());
        }
        shape
    }

    /// Publishes that nobody consumes, to one of so many queues each: by its key through a direct exchange, or by its hash.
    pub fn spread(exchange_type: &str, queues: usize) -> Self {
        let mut shape = Self::hoard(QueueKind::Classic);
        shape.methods = vec![exchange("bench", exchange_type)];
        shape.keys = (0..queues).map(|i| format!("customer-{i}").into()).collect();
        for (i, key) in shape.keys.iter().enumerate() {
            let name = format!("queue{i}");
            shape.methods.push(queue(&name, QueueKind::Classic, &[]));
            shape.methods.push(bind("bench", &name, if exchange_type == "direct" { key } else { "1" }));
        }
        shape
    }

    /// `dead_letter`, one message at a time, beside so many queues with a message that waits for its own TTL.
    pub fn timers(waiting: usize) -> Self {
        let mut shape = Self::dead_letter(QueueKind::Classic);
        for i in 0..waiting {
            let name = format!("waiting{i}");
            let ttl = [("x-message-ttl", Value::I64(86_400_000 + i as i64))];
            shape.methods.push(queue(&name, QueueKind::Classic, &ttl));
            shape.parked.push(name.into());
        }
        shape.window = 1;
        shape
    }

    /// Publishes that nobody consumes.
    pub fn hoard(kind: QueueKind) -> Self {
        Self { consumed: None, window: u64::MAX, ..Self::deliver(kind) }
    }
}

fn exchange(name: &str, kind: &str) -> Method {
    Method::DeclareExchange(Box::new(Exchange {
        vhost: "/".into(),
        name: name.into(),
        kind: kind.into(),
        durable: true,
        auto_delete: false,
        internal: false,
        arguments: Table::new(),
    }))
}

fn queue(name: &str, kind: QueueKind, arguments: &[(&str, Value)]) -> Method {
    let mut table: Table = arguments.iter().map(|(name, value)| (*name, value.clone())).collect();
    table.insert("x-queue-type".into(), kind.as_str().into());
    Method::DeclareQueue(Box::new(Queue {
        vhost: "/".into(),
        name: name.into(),
        durable: true,
        auto_delete: false,
        exclusive: false,
        arguments: table,
    }))
}

fn bind(source: &str, destination: &str, key: &str) -> Method {
    Method::Bind(Box::new(Binding {
        vhost: "/".into(),
        source: source.into(),
        destination_kind: DestinationKind::Queue,
        destination: destination.into(),
        routing_key: key.into(),
        arguments: Table::new(),
    }))
}

/// Makes the message that all publishes share.
pub fn message() -> Arc<Message> {
    Arc::new(Message {
        properties: Properties { delivery_mode: Some(2), ..Properties::default() },
        body: vec![b'x'; 100].into(),
    })
}

/// Plays a shape with so many messages.
pub struct Flow<'a> {
    shape: &'a Shape,
    ids: Ids,
    set_up: VecDeque<Command>,
    /// The request that set-up waits for.
    asked: Option<RequestId>,
    parked: usize,
    message: Arc<Message>,
    count: u64,
    published: u64,
    confirmed: u64,
    delivered: u64,
    to_ack: VecDeque<DeliveryTag>,
    clock: fn() -> Duration,
    began: Option<Duration>,
    took: Duration,
}

impl<'a> Flow<'a> {
    pub fn new(shape: &'a Shape, count: u64, clock: fn() -> Duration) -> Self {
        let mut ids = Ids::default();
        let mut set_up = VecDeque::new();
        set_up.push_back(Command::Connect {
            request: ids.request(),
            connection: CONNECTION,
            user: None,
            vhost: "/".into(),
            heartbeat: None,
        });
        for channel in [PUBLISHING, CONSUMING] {
            let request = ids.request();
            set_up.push_back(Command::OpenChannel { request, channel, connection: CONNECTION, confirms: true });
        }
        let mut methods: Vec<Method> = shape.methods.clone();
        methods.push(Method::Qos { prefetch: WINDOW as u16, global: false });
        for queue in shape.consumed.iter() {
            methods.extend((0..shape.readers).map(|reader| Method::Consume {
                queue: queue.clone(),
                consumer: format!("consumer-{reader}").into(),
                no_ack: false,
                exclusive: false,
                arguments: Table::new(),
            }));
        }
        for method in methods {
            set_up.push_back(Command::Call { request: ids.request(), channel: CONSUMING, method });
        }
        Self {
            shape,
            ids,
            set_up,
            asked: None,
            parked: 0,
            message: message(),
            count,
            published: 0,
            confirmed: 0,
            delivered: 0,
            to_ack: VecDeque::new(),
            clock,
            began: None,
            took: Duration::ZERO,
        }
    }

    /// Returns the time from the first publish to the last acknowledgement and confirm.
    pub fn took(&self) -> Duration {
        assert!(self.is_done(), "{} of {} delivered", self.delivered, self.count);
        self.took
    }

    fn set_up_next(&mut self) -> Option<Command> {
        let command = self.set_up.pop_front()?;
        self.asked = match &command {
            Command::Connect { request, .. } | Command::OpenChannel { request, .. } | Command::Call { request, .. } => {
                Some(*request)
            }
            _ => None,
        };
        Some(command)
    }

    fn publish(&mut self, exchange: Name, routing_key: Name) -> Command {
        let (publish, message) = (self.ids.publish(), self.message.clone());
        Command::Publish { channel: PUBLISHING, publish, exchange, routing_key, mandatory: false, message }
    }

    /// How many deliveries come out at the end.
    fn awaited(&self) -> u64 {
        if self.shape.consumed.is_some() { self.count * self.shape.readers } else { 0 }
    }
}

impl Client for Flow<'_> {
    fn poll_command(&mut self, _: Moment) -> Option<Command> {
        if self.asked.is_some() {
            return None;
        }
        if let Some(tag) = self.to_ack.pop_front() {
            let settlement = Settlement::Ack;
            return Some(Command::Settle { channel: CONSUMING, tag, multiple: false, settlement });
        }
        if self.began.is_none() {
            if !self.set_up.is_empty() {
                return self.set_up_next();
            }
            if let Some(queue) = self.shape.parked.get(self.parked) {
                self.parked += 1;
                return Some(self.publish("".into(), queue.clone()));
            }
            self.began = Some((self.clock)());
        }
        if self.published == self.count || self.published - self.delivered / self.shape.readers >= self.shape.window {
            if self.is_done() && self.took.is_zero() {
                self.took = (self.clock)() - self.began.unwrap_or_default();
            }
            return None;
        }
        let key = &self.shape.keys[self.published as usize % self.shape.keys.len()];
        self.published += 1;
        Some(self.publish(self.shape.exchange.clone(), key.clone()))
    }

    fn handle_event(&mut self, _: Moment, event: Event) {
        match event {
            Event::Reply { request, reply } => {
                assert!(reply.is_ok(), "{reply:?}");
                if self.asked == Some(request) {
                    self.asked = None;
                }
            }
            Event::Delivered { delivery, .. } => {
                self.delivered += 1;
                if self.shape.reads {
                    assert!(delivery.message.header("x-death").is_some());
                }
                self.to_ack.push_back(delivery.tag);
            }
            Event::Confirmed { confirmation, .. } => {
                assert_eq!(confirmation, Confirmation::Ack);
                self.confirmed += 1;
            }
            other => panic!("not expected: {other:?}"),
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        None
    }

    fn is_done(&self) -> bool {
        self.began.is_some()
            && self.confirmed == self.count + self.parked as u64
            && self.delivered == self.awaited()
            && self.to_ack.is_empty()
    }
}
