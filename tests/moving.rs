//! The move of a queue on real brokers: `apply --replace move` killed at random moments, beside a publisher, and beside
//! clients that hold messages. None of the messages is lost, and no more stand twice than what is said. Then any apply,
//! killed. Named `live::VERSION::…`. `RMQPLAY_MOVE_KILLS` (3), `RMQPLAY_MOVE_MESSAGES` (2,000) and
//! `RMQPLAY_APPLY_KILLS` (3) make it longer.
#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

#[path = "moving/beside_consumers.rs"]
mod beside_consumers;
#[path = "support/brokers.rs"]
mod brokers;
#[path = "support/harness.rs"]
#[expect(dead_code, reason = "it has no data files")]
mod harness;
#[path = "moving/killed_apply.rs"]
mod killed_apply;
#[path = "moving/killed_at_a_vhost.rs"]
mod killed_at_a_vhost;
#[path = "support/live_tests.rs"]
mod live_tests;
#[path = "support/program.rs"]
mod program;
#[path = "support/random.rs"]
mod random;

use brokers::Broker;
use futures_util::StreamExt as _;
use harness::{Checked, test};
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use random::Random;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The stages that a move tells of.
const STAGES: u64 = 6;
/// Those in which messages are carried.
const CARRYING: [u64; 2] = [1, 3];
/// How long a test waits at most for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let tests = live_tests::per_broker("moving", |broker| {
        let named = |name: &str, check: fn(&Broker) -> Checked| {
            let broker = broker.clone();
            test(format!("live::{}::{name}", broker.version), move || check(&broker))
        };
        vec![
            named("killed_classic", |broker| killed(broker, "classic")),
            named("killed_quorum", |broker| killed(broker, "quorum")),
            named("beside_a_publisher", beside_a_publisher),
            named("beside_consumers", beside_consumers::beside_consumers),
            named("killed_apply", killed_apply::killed_apply),
            named("killed_at_a_vhost", killed_at_a_vhost::killed_at_a_vhost),
        ]
    });
    harness::run(None, tests)
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().map_or(otherwise, |value| value.parse().expect("a number"))
}

/// A vhost with a queue of messages, and the files that declare the queue as it is and as it will be.
struct Stage {
    broker: Broker,
    vhost: String,
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Stage {
    fn new(broker: &Broker, name: &str, kind: &str) -> Self {
        Self::with(broker, name, kind, "")
    }

    /// Makes a queue with more arguments.
    fn with(broker: &Broker, name: &str, kind: &str, more: &str) -> Self {
        let vhost = format!("moving.{name}");
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (file, argument) in [("old.yaml", ""), ("new.yaml", "max_length: 1000000, ")] {
            let text = format!(
                "vhosts: [{vhost}]\nvhost: {vhost}\nexchanges: [{{name: shop, type: topic}}]\nqueues:\n  - {{name: work, type: \
                 {kind}, {more}{argument}bindings: [{{source: shop, routing_key: \"order.#\"}}]}}\n"
            );
            std::fs::write(folder.path().join(file), text).expect("a file");
        }
        rmqplay::io::install_crypto();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let stage = Self { broker: broker.clone(), vhost, folder, runtime };
        stage.clear();
        let (fine, said) = program::finish(&mut stage.apply("old.yaml", &[]));
        assert!(fine, "{said}");
        stage
    }

    fn apply(&self, file: &str, more: &[&str]) -> Command {
        let mut command = program::rmqplay();
        command.arg("apply").arg(self.folder.path().join(file)).args(["--broker", &self.broker.url]).args(more);
        command
    }

    fn clear(&self) {
        let (head, port) = self.broker.url.trim_end_matches('/').rsplit_once(':').expect("a port");
        let port: u32 = port.parse().expect("a port at the end");
        let url = format!("{}:{}/api/vhosts/{}", head.replacen("amqp", "http", 1), port + 10_000, self.vhost);
        let _ =
            Command::new("curl").args(["-s", "-X", "DELETE", "--max-time", "60", &url]).output().expect("curl runs");
    }

    async fn channel(&self) -> (Connection, Channel) {
        let url = format!("{}/{}", self.broker.url.trim_end_matches('/'), self.vhost);
        let connection = Connection::connect(&url, ConnectionProperties::default()).await.expect("a connection");
        let channel = connection.create_channel().await.expect("a channel");
        channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
        (connection, channel)
    }

    /// Publishes messages by their numbers, each as `order.NUMBER`.
    fn fill(&self, count: u64) {
        self.runtime.block_on(async {
            let (connection, channel) = self.channel().await;
            let mut confirms = Vec::new();
            for number in 0..count {
                confirms.push(publish(&channel, number).await);
                if confirms.len() == 500 || number + 1 == count {
                    for confirm in confirms.drain(..) {
                        assert!(
                            matches!(confirm.await.expect("a confirm"), Confirmation::Ack(None)),
                            "taken and routed"
                        );
                    }
                }
            }
            connection.close(200, "OK".into()).await.expect("closed");
        });
    }

    /// Takes all messages out, in their order.
    fn contents(&self) -> Vec<u64> {
        self.runtime.block_on(async {
            let (connection, channel) = self.channel().await;
            let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let declared = channel.queue_declare("work".into(), passive, FieldTable::default()).await.expect("there");
            let count = declared.message_count() as usize;
            let no_ack = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
            let consumed = channel.basic_consume("work".into(), "reader".into(), no_ack, FieldTable::default()).await;
            let mut consumer = consumed.expect("a consumer");
            let mut numbers = Vec::new();
            while numbers.len() < count {
                let next = tokio::time::timeout(PATIENCE, consumer.next()).await.expect("a message in time");
                let delivery = next.expect("a message").expect("delivered");
                let number: u64 = String::from_utf8_lossy(&delivery.data).parse().expect("a number");
                assert_eq!(delivery.routing_key.as_str(), format!("order.{number}"));
                numbers.push(number);
            }
            let mut queues = ["work.rmqplay-move", "work.rmqplay-move.back"].into_iter();
            channel.queue_delete("work".into(), QueueDeleteOptions::default()).await.expect("deleted");
            let left = queues.find(|queue| {
                let (head, port) = self.broker.url.trim_end_matches('/').rsplit_once(':').expect("a port");
                let port: u32 = port.parse().expect("a port at the end");
                let base = format!("{}:{}/api/queues", head.replacen("amqp", "http", 1), port + 10_000);
                let url = format!("{base}/{}/{queue}", self.vhost);
                Command::new("curl").args(["-sf", &url]).output().expect("curl runs").status.success()
            });
            assert_eq!(left, None, "a queue of the move is left");
            connection.close(200, "OK".into()).await.expect("closed");
            numbers
        })
    }
}

async fn publish(channel: &Channel, number: u64) -> impl Future<Output = lapin::Result<Confirmation>> {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let properties = BasicProperties::default().with_delivery_mode(2);
    let (key, body) = (format!("order.{number}"), number.to_string());
    let published =
        channel.basic_publish("shop".into(), key.as_str().into(), options, body.as_bytes(), properties).await;
    published.expect("published")
}

/// Reads how many messages may stand twice, as the program says.
fn twice_at_most(said: &str) -> u64 {
    let words: Vec<&str> = said.split_whitespace().collect();
    let at = words.windows(2).position(|pair| pair == ["at", "most"]);
    at.map_or(0, |at| words[at + 2].parse().expect("a number"))
}

/// Counts those that stand twice; fails when one is missing.
fn doubled(numbers: &[u64], expected: u64, case: &str) -> Result<u64, String> {
    let mut copies: BTreeMap<u64, u64> = BTreeMap::new();
    numbers.iter().for_each(|number| *copies.entry(*number).or_default() += 1);
    let lost: Vec<u64> = (0..expected).filter(|number| !copies.contains_key(number)).take(10).collect();
    if !lost.is_empty() || copies.len() as u64 != expected {
        return Err(format!("{case}: {} of {expected} are there; lost: {lost:?}", copies.len()));
    }
    Ok(copies.values().map(|count| count - 1).sum())
}

/// Kills a move some time after it told of some stage, and has another one go on.
fn killed(broker: &Broker, kind: &str) -> Checked {
    let (kills, messages) = (number("RMQPLAY_MOVE_KILLS", 3), number("RMQPLAY_MOVE_MESSAGES", 2_000));
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_nanos() as u64;
    let mut random = Random::new(seed);
    let (mut ended, mut doubled_ever, mut said_ever) = (0, 0, 0);
    for round in 0..=kills {
        let stage = Stage::new(broker, &format!("killed-{kind}"), kind);
        stage.fill(messages);
        // Half of them while messages are carried.
        let after_stage = if random.below(2) == 0 { *random.pick(&CARRYING) } else { random.below(STAGES) };
        let after_ms = random.below(messages / 20 + 10);
        let case = format!(
            "{} {kind}, round {round} of seed {seed}: killed {after_ms} ms after stage {after_stage}",
            broker.version
        );
        // The first round is left alone.
        if round > 0 {
            let mut child = (stage.apply("new.yaml", &["--replace", "move"]))
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("rmqplay runs");
            let lines = BufReader::new(child.stdout.take().expect("an output")).lines();
            let stages = lines.map_while(Result::ok).filter(|line| line.starts_with("  ") && line.contains("ing "));
            let _ = stages.take(after_stage as usize + 1).last();
            std::thread::sleep(Duration::from_millis(after_ms));
            child.kill().expect("killed");
            ended += u64::from(!child.wait().expect("it ends").success());
        }
        let (fine, said) = program::finish(&mut stage.apply("new.yaml", &["--replace", "move"]));
        if !fine {
            return Err(format!("{case}:\n{said}"));
        }
        let numbers = stage.contents();
        let twice = doubled(&numbers, messages, &case)?;
        let said_twice = twice_at_most(&said);
        if twice > said_twice {
            return Err(format!("{case}: {twice} stand twice, and it said {said_twice}:\n{said}"));
        }
        if round == 0 && (twice > 0 || !numbers.is_sorted()) {
            return Err(format!("{case}: a move that is left alone keeps the order and doubles nothing:\n{said}"));
        }
        doubled_ever += twice;
        said_ever += said_twice;
        stage.clear();
    }
    if ended * 2 < kills {
        return Err(format!("only {ended} of {kills} kills came before the end"));
    }
    brokers::say(&format!(
        "{} {kind}: {ended} of {kills} moves of {messages} messages killed before their end; none lost, {doubled_ever} stand \
         twice, at most {said_ever} were said to",
        broker.version
    ));
    Ok(())
}

/// What is published by the bindings while the queue is moved is kept.
fn beside_a_publisher(broker: &Broker) -> Checked {
    let stage = Arc::new(Stage::new(broker, "beside", "classic"));
    stage.fill(200);
    let is_over = Arc::new(AtomicBool::new(false));
    let publisher = {
        let (stage, is_over) = (stage.clone(), is_over.clone());
        std::thread::spawn(move || {
            stage.runtime.block_on(async {
                let (connection, channel) = stage.channel().await;
                let (mut next, since) = (200, Instant::now());
                while !is_over.load(Ordering::Relaxed) && since.elapsed() < PATIENCE {
                    let confirmed = publish(&channel, next).await.await.expect("a confirm");
                    assert!(matches!(confirmed, Confirmation::Ack(None)), "message {next} was taken and routed");
                    next += 1;
                }
                connection.close(200, "OK".into()).await.expect("closed");
                next
            })
        })
    };
    std::thread::sleep(Duration::from_millis(200));
    let (fine, said) = program::finish(&mut stage.apply("new.yaml", &["--replace", "move"]));
    is_over.store(true, Ordering::Relaxed);
    let published = publisher.join().map_err(|_| "the publisher failed".to_owned())?;
    if !fine {
        return Err(said);
    }
    let twice = doubled(&stage.contents(), published, &broker.version)?;
    stage.clear();
    let said_twice = twice_at_most(&said);
    if twice > said_twice || published < 250 {
        return Err(format!("{twice} of {published} stand twice, and it said {said_twice}:\n{said}"));
    }
    brokers::say(&format!(
        "{}: {published} published beside a move; none lost, {twice} twice, {said_twice} said",
        broker.version
    ));
    Ok(())
}
