//! How long quiet takes on live brokers, by what was done before it and what may still move.

use crate::on_live::brokers;
use crate::tally::wall_time;
use rmqplay::broker::{ChannelId, Client, Command, ConnectionId, Event, Ids, Method, Reply, RequestId, Settlement};
use rmqplay::io::BrokerFailure;
use rmqplay::io::live::{Live, LiveEnded, LiveLimits, TestVhosts, run_live};
use rmqplay::model::{Message, Moment, Queue, QueueName, Value};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How often quiet is measured of each kind.
const ROUNDS: usize = 30;

const CHANNEL: ChannelId = ChannelId(1);

type Arguments = &'static [(&'static str, &'static str)];

/// One kind of wait.
struct Kind {
    story: &'static str,
    /// The queues, with the arguments of each. Messages are published to the first, which is consumed.
    queues: &'static [(&'static str, Arguments)],
    /// What is done with a message; `None`: none is published.
    settlement: Option<Settlement>,
}

const ACK: Option<Settlement> = Some(Settlement::Ack);
const REJECT: Option<Settlement> = Some(Settlement::Reject { requeue: false });
const QUORUM: (&str, &str) = ("x-queue-type", "quorum");
const TO: (&str, &str) = ("x-dead-letter-exchange", "");
const DEAD: (&str, &str) = ("x-dead-letter-routing-key", "dead");
const SURELY: (&str, &str) = ("x-dead-letter-strategy", "at-least-once");
const REFUSES: (&str, &str) = ("x-overflow", "reject-publish");

const KINDS: [Kind; 8] = [
    Kind { story: "nothing was done, classic", queues: &[("work", &[])], settlement: None },
    Kind { story: "nothing was done, quorum", queues: &[("work", &[QUORUM])], settlement: None },
    Kind { story: "published, delivered, acked, classic", queues: &[("work", &[])], settlement: ACK },
    Kind {
        story: "rejected to another queue, classic",
        queues: &[("work", &[TO, DEAD]), ("dead", &[])],
        settlement: REJECT,
    },
    Kind { story: "published, delivered, acked, quorum", queues: &[("work", &[QUORUM])], settlement: ACK },
    Kind {
        story: "rejected to another queue, quorum",
        queues: &[("work", &[QUORUM, TO, DEAD]), ("dead", &[QUORUM])],
        settlement: REJECT,
    },
    Kind {
        story: "the same, at least once",
        queues: &[("work", &[QUORUM, TO, DEAD, SURELY, REFUSES]), ("dead", &[QUORUM])],
        settlement: REJECT,
    },
    Kind {
        story: "acked in quorum, beside classic with expires",
        queues: &[("work", &[QUORUM]), ("lease", &[("x-expires", "60000")])],
        settlement: ACK,
    },
];

/// Measures all kinds on each broker.
pub fn measure_all() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    for broker in brokers() {
        for kind in &KINDS {
            match runtime.block_on(measure(kind, &broker.address)) {
                Ok((version, took)) => println!("  {version:<8} {:<46} {}", kind.story, shown(took)),
                Err(failure) => println!("  {}: {failure}", kind.story),
            }
        }
    }
}

fn shown(mut took: Vec<Duration>) -> String {
    took.sort_unstable();
    let ms = |at: usize| took.get(at).map_or(0.0, |took| took.as_secs_f64() * 1_000.0);
    format!("{:>6.1} ms, at most {:>6.1}", ms(took.len() / 2), ms(took.len().saturating_sub(1)))
}

async fn measure(kind: &Kind, address: &rmqplay::io::Address) -> Result<(String, Vec<Duration>), BrokerFailure> {
    let limits = LiveLimits::default();
    let guard = TestVhosts::set_up(address, &["/".into()], &[]).await?;
    let measured = async {
        let mut live = Live::open(address, guard.names(), &limits).await?;
        let version = live.overview().full_version.clone();
        let mut waits = Waits::new(kind);
        let (_, ended) = run_live(&mut waits, &mut live, &limits).await?;
        assert_eq!(ended, LiveEnded::Done, "{}", kind.story);
        live.close().await;
        Ok((version, waits.took))
    };
    let measured = measured.await;
    guard.sweep().await?;
    measured
}

/// A client that does something, waits for quiet, and does it again.
struct Waits<'k> {
    kind: &'k Kind,
    ids: Ids,
    out: VecDeque<Command>,
    /// Requests of the set-up without an answer.
    set_up: BTreeSet<RequestId>,
    quiet: Option<(RequestId, Duration)>,
    /// The first wait begins after what the set-up did.
    begun: bool,
    took: Vec<Duration>,
}

impl<'k> Waits<'k> {
    fn new(kind: &'k Kind) -> Self {
        let set_up = BTreeSet::new();
        let mut waits = Self {
            kind,
            ids: Ids::default(),
            out: VecDeque::new(),
            set_up,
            quiet: None,
            begun: false,
            took: Vec::new(),
        };
        let connection = ConnectionId(1);
        let (user, vhost, heartbeat) = (None, "/".into(), None);
        waits.ask(|request| Command::Connect { request, connection, user, vhost, heartbeat });
        waits.ask(|request| Command::OpenChannel { request, channel: CHANNEL, connection, confirms: true });
        for (name, arguments) in kind.queues {
            let value = |text: &str| text.parse().map_or_else(|_| Value::from(text), Value::I64);
            let arguments = arguments.iter().map(|(key, text)| ((*key).to_owned(), value(text))).collect();
            let (vhost, name) = ("/".into(), (*name).into());
            let queue = Queue { vhost, name, durable: true, auto_delete: false, exclusive: false, arguments };
            let undisturbed = queue.arguments.contains_key("x-expires");
            let id: QueueName = queue.id();
            let method = Method::DeclareQueue(Box::new(queue));
            waits.ask(|request| Command::Call { request, channel: CHANNEL, method });
            waits.out.push_back(Command::Watch { queue: id, undisturbed });
        }
        let (queue, consumer) = (kind.queues[0].0.into(), "c".into());
        let (no_ack, exclusive, arguments) = (false, false, Default::default());
        let method = Method::Consume { queue, consumer, no_ack, exclusive, arguments };
        waits.ask(|request| Command::Call { request, channel: CHANNEL, method });
        waits
    }

    fn ask(&mut self, make: impl FnOnce(RequestId) -> Command) {
        let request = self.ids.request();
        self.set_up.insert(request);
        self.out.push_back(make(request));
    }

    fn await_quiet(&mut self) {
        let request = self.ids.request();
        self.quiet = Some((request, wall_time()));
        self.out.push_back(Command::AwaitQuiet { request });
    }

    fn do_it(&mut self) {
        if self.kind.settlement.is_none() || !self.begun {
            return self.await_quiet();
        }
        self.out.push_back(Command::Publish {
            channel: CHANNEL,
            publish: self.ids.publish(),
            exchange: "".into(),
            routing_key: self.kind.queues[0].0.into(),
            mandatory: false,
            message: Arc::new(Message::default()),
        });
    }
}

impl Client for Waits<'_> {
    fn poll_command(&mut self, _now: Moment) -> Option<Command> {
        self.out.pop_front()
    }

    fn handle_event(&mut self, _now: Moment, event: Event) {
        match event {
            Event::Reply { request, reply } if self.set_up.remove(&request) => {
                assert!(reply.is_ok(), "{reply:?}");
                if self.set_up.is_empty() {
                    self.do_it();
                }
            }
            Event::Reply { request, reply: Ok(Reply::Done) } => {
                let Some((_, since)) = self.quiet.take_if(|(asked, _)| *asked == request) else { return };
                if std::mem::replace(&mut self.begun, true) {
                    self.took.push(wall_time().saturating_sub(since));
                }
                if self.took.len() < ROUNDS {
                    self.do_it();
                }
            }
            Event::Confirmed { .. } => self.await_quiet(),
            Event::Delivered { delivery, .. } => {
                let settlement = self.kind.settlement.unwrap_or(Settlement::Ack);
                self.out.push_back(Command::Settle {
                    channel: CHANNEL,
                    tag: delivery.tag,
                    multiple: false,
                    settlement,
                });
            }
            _ => {}
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        None
    }

    fn is_done(&self) -> bool {
        self.took.len() >= ROUNDS
    }
}
