//! What each test needs: the brokers, throw-away vhosts and users on one, short words for commands.
//! Sweeps at the end also when the test fails.

use crate::brokers;
pub use crate::brokers::say;
use crate::script::{Enough, React, Script};
use rmqplay::broker::{
    ChannelId, Command, ConnectionId, DeliveryTag, Event, Ids, Management, Method, PublishId, Refusal, Reply,
    RequestId, Settlement,
};
use rmqplay::io::live::{Live, LiveEnded, LiveLimits, TestVhosts, run_live};
use rmqplay::io::{Address, BrokerFailure};
use rmqplay::model::{Message, Millis, Moment, Name, Properties, Queue, QueueName, Table};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Returns the addresses of the brokers to test.
pub fn brokers(what: &str) -> Vec<Address> {
    let parse = |url: &str| url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
    brokers::brokers(what).iter().map(|broker| parse(&broker.url)).collect()
}

/// Runs a test on each broker, with vhost `/` and the users alice and bob.
pub fn on_each<T>(what: &str, test: T)
where
    T: for<'a> Fn(&'a mut Stage) -> std::pin::Pin<Box<dyn Future<Output = ()> + 'a>>,
{
    for address in brokers(what) {
        run(async {
            let mut stage = Stage::set_up(&address).await;
            let version = stage.live.overview().full_version.clone();
            let result = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(test(&mut stage))).await;
            stage.guard.sweep().await.unwrap_or_else(|failure| panic!("{failure}"));
            if let Err(panic) = result {
                say(&format!("{what}: FAILED on RabbitMQ {version}"));
                std::panic::resume_unwind(panic);
            }
        });
    }
}

/// Runs an async test.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(test);
}

pub struct Stage {
    pub live: Live,
    pub guard: TestVhosts,
    pub ids: Ids,
    pub limits: LiveLimits,
    /// Deliveries that came with the reply to consume: the next play hears them first.
    kept: Heard,
    /// The last counts that any play heard of.
    pub counts: BTreeMap<String, Option<(u64, u64)>>,
}

pub type Heard = Vec<(Moment, Event)>;

impl Stage {
    pub async fn set_up(address: &Address) -> Self {
        let guard = TestVhosts::set_up(address, &["/".into()], &["alice".into(), "bob".into()]).await;
        let guard = guard.unwrap_or_else(|failure| panic!("{failure}: {}", failure.hint));
        let limits = LiveLimits::default();
        let live = Live::open(address, guard.names(), &limits).await.unwrap_or_else(|failure| panic!("{failure}"));
        Self { live, guard, ids: Ids::default(), limits, kept: Vec::new(), counts: BTreeMap::new() }
    }

    /// Sends commands and listens until `enough`; panics when that does not come within ten seconds.
    pub async fn play(&mut self, commands: Vec<Command>, enough: Enough) -> Heard {
        self.play_on(Script::new(self.live.now(), commands, Millis(10_000), enough)).await
    }

    pub async fn play_reacting(&mut self, commands: Vec<Command>, react: React, enough: Enough) -> Heard {
        self.play_on(Script::new(self.live.now(), commands, Millis(10_000), enough).reacting(react)).await
    }

    async fn play_on(&mut self, mut script: Script) -> Heard {
        script.heard = std::mem::take(&mut self.kept);
        let ended = self.try_play(&mut script).await.unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(ended, LiveEnded::Done);
        assert!(script.was_satisfied(), "not heard within 10 s; heard: {:#?}", script.heard);
        self.note_counts(&script.heard);
        script.heard
    }

    pub async fn try_play(&mut self, script: &mut Script) -> Result<LiveEnded, BrokerFailure> {
        run_live(script, &mut self.live, &self.limits).await.map(|(_, ended)| ended)
    }

    fn note_counts(&mut self, heard: &Heard) {
        for (_, event) in heard {
            if let Event::Counted { queue, counts } = event {
                self.counts.insert(queue.name.to_string(), counts.map(|counts| (counts.ready, counts.consumers)));
            }
        }
    }

    /// Listens until the last that was told of a watched queue is this.
    pub async fn await_counts(&mut self, queue: &str, wanted: Option<(u64, u64)>) {
        let end = self.live.now() + Millis(10_000);
        while self.counts.get(queue) != Some(&wanted) {
            assert!(self.live.now() < end, "{queue}: {:?}, not {wanted:?}", self.counts.get(queue));
            self.listen(Millis(10)).await;
        }
    }

    /// Listens for some time.
    pub async fn listen(&mut self, length: Millis) -> Heard {
        let mut script = Script::new(self.live.now(), Vec::new(), length, Box::new(|_| false));
        script.heard = std::mem::take(&mut self.kept);
        self.try_play(&mut script).await.unwrap_or_else(|failure| panic!("{failure}"));
        self.note_counts(&script.heard);
        script.heard
    }

    /// Sends one command with an answer and gives the answer.
    pub async fn ask(&mut self, command: impl FnOnce(RequestId) -> Command) -> Result<Reply, Refusal> {
        self.ask_hearing(command).await.0
    }

    pub async fn ask_hearing(&mut self, command: impl FnOnce(RequestId) -> Command) -> (Result<Reply, Refusal>, Heard) {
        let request = self.ids.request();
        let heard = self.play(vec![command(request)], Box::new(move |heard| answer(heard, request).is_some())).await;
        (answer(&heard, request).expect("an answer"), heard)
    }

    pub async fn connect(&mut self, user: Option<&str>) -> ConnectionId {
        let connection = self.ids.connection();
        let user = user.map(Name::from);
        let reply = self
            .ask(|request| Command::Connect { request, connection, user, vhost: "/".into(), heartbeat: None })
            .await;
        assert_eq!(reply, Ok(Reply::Done));
        connection
    }

    pub async fn channel(&mut self, connection: ConnectionId) -> ChannelId {
        let channel = self.ids.channel();
        let reply = self.ask(|request| Command::OpenChannel { request, channel, connection, confirms: true }).await;
        assert_eq!(reply, Ok(Reply::Done));
        channel
    }

    /// Opens a connection of the runner with one channel.
    pub async fn open(&mut self) -> (ConnectionId, ChannelId) {
        let connection = self.connect(None).await;
        (connection, self.channel(connection).await)
    }

    pub async fn call(&mut self, channel: ChannelId, method: Method) -> Result<Reply, Refusal> {
        self.ask(|request| Command::Call { request, channel, method }).await
    }

    pub async fn manage(&mut self, act: Management) -> Result<Reply, Refusal> {
        self.ask(|request| Command::Manage { request, act }).await
    }

    /// Declares a durable queue of that type; empty is none.
    pub async fn queue(&mut self, channel: ChannelId, name: &str, kind: &str) {
        let mut queue = queue(name);
        if !kind.is_empty() {
            queue.arguments.insert("x-queue-type".into(), kind.into());
        }
        let reply = self.call(channel, Method::DeclareQueue(Box::new(queue))).await;
        assert!(matches!(&reply, Ok(Reply::Declared { ready: 0, .. })), "{reply:?}");
    }

    pub async fn consume(&mut self, channel: ChannelId, queue: &str, prefetch: u16) {
        assert_eq!(self.call(channel, Method::Qos { prefetch, global: false }).await, Ok(Reply::Done));
        let method = consume(queue);
        let (reply, heard) = self.ask_hearing(|request| Command::Call { request, channel, method }).await;
        assert_eq!(reply, Ok(Reply::Done));
        self.kept = heard.into_iter().filter(|(_, event)| matches!(event, Event::Delivered { .. })).collect();
    }

    pub fn publish(&mut self, channel: ChannelId, exchange: &str, key: &str, id: &str) -> (PublishId, Command) {
        let publish = self.ids.publish();
        let message = message(id, format!("body of {id}").as_bytes());
        let (exchange, routing_key) = (exchange.into(), key.into());
        (publish, Command::Publish { channel, publish, exchange, routing_key, mandatory: false, message })
    }

    /// Publishes to a queue and waits for the confirms.
    pub async fn fill(&mut self, channel: ChannelId, queue: &str, count: usize) {
        let commands: Vec<Command> =
            (1..=count).map(|n| self.publish(channel, "", queue, &format!("m{n}")).1).collect();
        let confirmed = |(_, event): &&(Moment, Event)| matches!(event, Event::Confirmed { .. });
        self.play(commands, Box::new(move |heard| heard.iter().filter(confirmed).count() == count)).await;
    }

    /// Returns the ready messages of a queue, exactly.
    pub async fn ready(&mut self, channel: ChannelId, queue: &str) -> u64 {
        match self.call(channel, Method::CheckQueue { queue: queue.into() }).await {
            Ok(Reply::Declared { ready, .. }) => ready,
            other => panic!("{other:?}"),
        }
    }

    /// Asks for a queue's ready messages until they are as many.
    pub async fn await_ready(&mut self, channel: ChannelId, queue: &str, count: u64) {
        let mut seen = 0;
        for _ in 0..200 {
            seen = self.ready(channel, queue).await;
            if seen == count {
                return;
            }
            self.listen(Millis(25)).await;
        }
        panic!("{seen} ready in {queue}, not {count}");
    }
}

pub fn answer(heard: &[(Moment, Event)], wanted: RequestId) -> Option<Result<Reply, Refusal>> {
    heard.iter().find_map(|(_, event)| match event {
        Event::Reply { request, reply } if *request == wanted => Some(reply.clone()),
        _ => None,
    })
}

pub fn queue(name: &str) -> Queue {
    let arguments = Table::new();
    Queue { vhost: "/".into(), name: name.into(), durable: true, auto_delete: false, exclusive: false, arguments }
}

pub fn queue_name(name: &str) -> QueueName {
    QueueName::new("/", name)
}

pub fn consume(queue: &str) -> Method {
    let (queue, consumer): (Name, Name) = (queue.into(), "c".into());
    Method::Consume { queue, consumer, no_ack: false, exclusive: false, arguments: Table::new() }
}

pub fn message(id: &str, body: &[u8]) -> Arc<Message> {
    let properties = Properties { message_id: Some(id.into()), delivery_mode: Some(2), ..Properties::default() };
    Arc::new(Message { properties, body: body.into() })
}

pub fn settle(channel: ChannelId, tag: u64, multiple: bool, settlement: Settlement) -> Command {
    Command::Settle { channel, tag: DeliveryTag(tag), multiple, settlement }
}

/// Lists delivered messages: tag, id, redelivered.
pub fn delivered(heard: &[(Moment, Event)]) -> Vec<(u64, String, bool)> {
    let deliveries = heard.iter().filter_map(|(_, event)| match event {
        Event::Delivered { delivery, .. } => Some(delivery),
        _ => None,
    });
    deliveries
        .map(|delivery| {
            let id = delivery.message.properties.message_id.as_deref().unwrap_or_default().to_owned();
            (delivery.tag.0, id, delivery.redelivered)
        })
        .collect()
}
