//! `apply` and `plan` against a live broker, in turn with RabbitMQ's own import of the same objects, with the same declares over
//! bare AMQP, and with a `check` of the file and a bare GET of the export. Makes its own vhost and deletes it. The ratios are
//! of wall clock; beside each time stands how much of it our own processor time was.

use crate::bare_amqp::{Login, declare};

use futures_util::{StreamExt, stream};
use reqwest::{Client, Method, StatusCode};
use rmqplay::foresee::lint_topology;
use rmqplay::io::management::ManagementClient;
use rmqplay::io::observe::observe_and_plan;
use rmqplay::io::rehearse::apply_plan;
use rmqplay::io::{Address, meet};
use rmqplay::language::{LoadedTopology, Settings, World, load_topology};
use rmqplay::plan::{Observed, plan};
use rmqplay::source::Sources;
use serde_json::{Value as Json, json};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The vhost that the objects are put into.
const VHOST: &str = "rmqplay.benchmark";
/// How many queues, and as many bindings.
pub const SIZES: [usize; 2] = [1_000, 10_000];
/// How often each is measured, in turn; the median counts.
const ROUNDS: usize = 7;
/// Channels of bare AMQP; the best of them counts.
const CHANNELS: [u16; 4] = [8, 32, 64, 128];
/// Up to how many queues the best number of channels is looked for with as many as are measured, and a vhost is deleted to empty
/// it: 4.3 needs minutes to delete one of 10,000.
const SMALL_MAX: usize = 1_000;
/// The command that empties a broker whose URL is added to it, where a vhost is too large to delete.
const EMPTY: &str = "RMQPLAY_BENCHMARK_EMPTY";
/// How long a broker is left in peace after that.
const REST: Duration = Duration::from_secs(3);
/// Up to how many queues are put one by one, as Terraform does it.
const ONE_BY_ONE_MAX: usize = 1_000;
/// How long a vhost may take to go, and a broker to come back empty.
const DELETED_SECONDS_MAX: usize = 300;
const EMPTY_SECONDS_MAX: usize = 60;
/// How many requests Terraform has under way at a time.
const TERRAFORM_REQUESTS: usize = 10;

pub struct Nothing;

impl World for Nothing {
    fn read(&self, _: &str) -> Result<Vec<u8>, rmqplay::language::ReadError> {
        Err(rmqplay::language::ReadError::NoFiles)
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }
}

/// Measures on every broker of the environment.
pub fn measure_all(size: usize) {
    let Ok(brokers) = std::env::var("RMQPLAY_TEST_BROKERS") else {
        return println!("  needs RMQPLAY_TEST_BROKERS");
    };
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    for url in brokers.split(',') {
        let address: Address = url.parse().expect("a URL");
        runtime.block_on(measure(&address, size));
    }
}

/// Writes so many queues, each bound to one topic exchange by a key of its own.
pub fn definitions(size: usize) -> Json {
    let queue = |n: usize| json!({ "name": format!("q{n}"), "vhost": VHOST, "durable": true, "auto_delete": false, "arguments": {} });
    let binding = |n: usize| {
        json!({ "source": "orders", "vhost": VHOST, "destination": format!("q{n}"), "destination_type": "queue",
                "routing_key": format!("k{n}.#"), "arguments": {} })
    };
    json!({
        "vhosts": [{ "name": VHOST }],
        "exchanges": [{ "name": "orders", "vhost": VHOST, "type": "topic", "durable": true, "auto_delete": false,
                        "internal": false, "arguments": {} }],
        "queues": (0..size).map(queue).collect::<Vec<_>>(),
        "bindings": (0..size).map(binding).collect::<Vec<_>>(),
    })
}

fn load(text: &str) -> LoadedTopology {
    let (loaded, _) =
        load_topology(&mut Sources::default(), "benchmark.json", text.as_bytes(), &Nothing, &Settings::default());
    loaded.expect("a topology")
}

async fn measure(address: &Address, size: usize) {
    let text = definitions(size).to_string();
    let http = Http::new(address);
    let overview = meet(address).await.expect("a broker");
    let version = &overview.full_version;
    let channels = best_channels(address, &http, size.min(SMALL_MAX), version).await;
    let began = Instant::now();
    let (rounds_min, enough) = enough_of(size);
    let (mut import, mut apply, mut bare) = (Measured::default(), Measured::default(), Measured::default());
    let (mut planned, mut checked) = (Measured::default(), Measured::default());
    for round in 0..ROUNDS {
        if round >= rounds_min && began.elapsed() > enough {
            break;
        }
        // Each round begins with another one: what else the machine does counts against none of them alone.
        for turn in 0..3 {
            http.empty_vhost(size).await;
            match (round + turn) % 3 {
                0 => import.take(http.send(Method::POST, "/definitions", Some(text.clone()))).await,
                1 => bare.take(declare_and_read(address, &http, channels, size)).await,
                _ => apply.take(apply_and_prove(address, &overview, &text)).await,
            }
        }
        if size > SMALL_MAX {
            let last = [&import, &bare, &apply].map(Measured::last);
            println!(
                "  {version:<8} round {}: import {:.3} s, bare {:.3} s, apply {:.3} s",
                round + 1,
                last[0],
                last[1],
                last[2]
            );
        }
        // The broker is at rest again.
        tokio::time::sleep(Duration::from_secs(1)).await;
        for _ in 0..3 {
            planned.take(plan_again(address, &overview, &text)).await;
            checked.take(check_and_get(&http, &text)).await;
        }
    }
    let rounds = import.rounds();
    println!(
        "  {version:<8} {rounds} rounds; import {import}   apply {apply}   apply / import {:.2}",
        apply.over(&import)
    );
    println!("           bare AMQP of {channels} channels and GET {bare}   bare / apply {:.2}", bare.over(&apply));
    println!("           plan {planned}   check + GET {checked}   plan / (check + GET) {:.2}", planned.over(&checked));
    if size <= ONE_BY_ONE_MAX {
        let mut one_by_one = Measured::default();
        http.empty_vhost(size).await;
        one_by_one.take(http.put_one_by_one(size)).await;
        println!(
            "           HTTP, ten at a time, each read back {one_by_one}   over apply {:.2}",
            one_by_one.over(&apply)
        );
    }
    http.delete_vhost(size).await;
}

/// Returns how many rounds there are at least, and from when on no more is begun: to empty a broker takes longer than to fill it.
fn enough_of(size: usize) -> (usize, Duration) {
    if size > SMALL_MAX { (1, Duration::from_secs(240)) } else { (3, Duration::from_secs(45)) }
}

/// Finds the number of channels with which bare AMQP is the fastest.
async fn best_channels(address: &Address, http: &Http, size: usize, version: &str) -> u16 {
    let mut times = Vec::new();
    for channels in CHANNELS {
        let mut measured = Measured::default();
        for _ in 0..2 {
            http.empty_vhost(size).await;
            measured.take(declare_and_read(address, http, channels, size)).await;
        }
        times.push((measured.shortest(), channels));
    }
    let shown: Vec<String> =
        times.iter().map(|(time, channels)| format!("{channels}: {:.3} s", time.as_secs_f64())).collect();
    println!("  {version:<8} bare AMQP of {size} and GET by channels, best of 2: {}", shown.join(", "));
    times.into_iter().min().map_or(1, |(_, channels)| channels)
}

/// How long some work took each time it was done, and how much of it our own processor time was.
#[derive(Default)]
struct Measured {
    took: Vec<Duration>,
    own: Vec<Duration>,
}

impl Measured {
    async fn take(&mut self, work: impl Future) {
        let (began, before) = (Instant::now(), own_time());
        work.await;
        self.took.push(began.elapsed());
        self.own.push(own_time().saturating_sub(before));
    }

    fn rounds(&self) -> usize {
        self.took.len()
    }

    /// Returns how many seconds it took the last time.
    fn last(&self) -> f64 {
        self.took.last().map_or(0.0, Duration::as_secs_f64)
    }

    fn shortest(&self) -> Duration {
        self.took.iter().min().copied().unwrap_or_default()
    }

    /// Returns how many times longer it took than other work, by the medians.
    fn over(&self, other: &Measured) -> f64 {
        median(&self.took) / median(&other.took)
    }
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} s (own {:.3})", median(&self.took), median(&self.own))
    }
}

fn median(times: &[Duration]) -> f64 {
    let mut times = times.to_vec();
    times.sort();
    // Of an even number the two in the middle count alike.
    let middle = times.get(times.len().saturating_sub(1) / 2..=times.len() / 2).unwrap_or_default();
    middle.iter().sum::<Duration>().as_secs_f64() / middle.len().max(1) as f64
}

/// Returns the processor time of this process, where the system tells it.
fn own_time() -> Duration {
    let told = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = told.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

/// Declares over bare AMQP, and reads the export.
async fn declare_and_read(address: &Address, http: &Http, channels: u16, size: usize) {
    let login = Login {
        host: address.host.clone(),
        port: address.port,
        user: address.user.clone(),
        password: address.password.expose().to_owned(),
        vhost: VHOST.to_owned(),
    };
    tokio::task::spawn_blocking(move || declare(&login, channels, size)).await.expect("declared");
    http.send(Method::GET, "/definitions", None).await;
}

/// Does what `check` does, then asks for the export.
async fn check_and_get(http: &Http, text: &str) {
    let loaded = load(text);
    drop(lint_topology(&loaded.topology, &loaded.origins, &[], &[]));
    drop(loaded);
    http.send(Method::GET, "/definitions", None).await;
}

/// Does what `apply` does: load, look, write, read back.
async fn apply_and_prove(address: &Address, overview: &rmqplay::io::management::Overview, text: &str) {
    let loaded = load(text);
    let make = |observed: &Observed| plan(&loaded.topology, &loaded.origins, observed);
    let management = ManagementClient::new(address).expect("a client");
    let vhosts = loaded.topology.vhost_names();
    let (_, before) = observe_and_plan(&management, overview, &vhosts, make).await.expect("read");
    let applied = apply_plan(before, address, overview, &|_| {}).await.expect("applied");
    assert!(applied.refused.is_empty(), "{:?}", applied.refused.first());
    let (_, after) = observe_and_plan(&management, overview, &vhosts, make).await.expect("read back");
    assert!(after.is_empty(), "{:?}", after.changes.first());
}

/// Does what `plan` does where nothing has changed.
async fn plan_again(address: &Address, overview: &rmqplay::io::management::Overview, text: &str) {
    let loaded = load(text);
    let make = |observed: &Observed| plan(&loaded.topology, &loaded.origins, observed);
    let management = ManagementClient::new(address).expect("a client");
    let vhosts = loaded.topology.vhost_names();
    let (_, plan) = observe_and_plan(&management, overview, &vhosts, make).await.expect("read");
    assert!(plan.is_empty());
}

/// A bare client of the management API.
struct Http {
    client: Client,
    /// The broker's address, as a shell may be given it.
    broker: String,
    base: String,
    user: String,
    password: String,
}

impl Http {
    fn new(address: &Address) -> Self {
        rmqplay::io::management::install_crypto();
        let base = address.management_url().expect("a URL");
        let client = Client::builder().no_proxy().pool_idle_timeout(Duration::from_secs(3)).build().expect("a client");
        let broker = format!("amqp://{}:{}", address.host, address.port);
        Self { client, broker, base, user: address.user.clone(), password: address.password.expose().to_owned() }
    }

    async fn send(&self, method: Method, path: &str, body: Option<String>) {
        self.ask(method, path, body).await.expect("an answer");
    }

    /// Sends a request; returns the status of its answer.
    async fn ask(&self, method: Method, path: &str, body: Option<String>) -> Result<StatusCode, reqwest::Error> {
        let request = self.client.request(method, format!("{}/api{path}", self.base));
        let request = request.basic_auth(&self.user, Some(&self.password)).header("content-type", "application/json");
        let request = request.timeout(Duration::from_secs(300)).body(body.unwrap_or_default());
        let answer = request.send().await?;
        let status = answer.status();
        drop(answer.text().await);
        Ok(status)
    }

    /// Puts and reads each object by itself, some at a time, as Terraform's provider does: queues, then bindings.
    async fn put_one_by_one(&self, size: usize) {
        let exchange = json!({ "type": "topic", "durable": true }).to_string();
        self.send(Method::PUT, &format!("/exchanges/{VHOST}/orders"), Some(exchange)).await;
        let queue = |n: usize| async move {
            let path = format!("/queues/{VHOST}/q{n}");
            self.send(Method::PUT, &path, Some(json!({ "durable": true }).to_string())).await;
            self.send(Method::GET, &path, None).await;
        };
        let binding = |n: usize| async move {
            let path = format!("/bindings/{VHOST}/e/orders/q/q{n}");
            self.send(Method::POST, &path, Some(json!({ "routing_key": format!("k{n}.#") }).to_string())).await;
            self.send(Method::GET, &path, None).await;
        };
        stream::iter(0..size).for_each_concurrent(TERRAFORM_REQUESTS, queue).await;
        stream::iter(0..size).for_each_concurrent(TERRAFORM_REQUESTS, binding).await;
    }

    /// Makes the vhost anew; it held so many queues.
    async fn empty_vhost(&self, size: usize) {
        self.delete_vhost(size).await;
        self.send(Method::PUT, &format!("/vhosts/{VHOST}"), Some("{}".to_owned())).await;
    }

    /// Deletes the vhost: a large one with all else that the broker holds, where there is a command for that.
    async fn delete_vhost(&self, size: usize) {
        match std::env::var(EMPTY).ok().filter(|_| size > SMALL_MAX) {
            Some(command) => self.empty_broker(&command).await,
            None => self.delete_vhost_itself().await,
        }
    }

    /// Empties the broker, and waits until it answers and is at rest.
    async fn empty_broker(&self, command: &str) {
        let line = format!("{command} {}", self.broker);
        let ended = Command::new("sh").args(["-c", &line]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(ended.is_ok_and(|status| status.success()), "{line}");
        for _ in 0..EMPTY_SECONDS_MAX {
            if self.ask(Method::GET, "/overview", None).await.is_ok_and(|status| status.is_success()) {
                return tokio::time::sleep(REST).await;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        panic!("{} does not answer", self.base);
    }

    /// Deletes the vhost. A broker that needs over a minute for that ends the connection of the request, and goes on.
    async fn delete_vhost_itself(&self) {
        let path = format!("/vhosts/{VHOST}");
        let answer = self.ask(Method::DELETE, &path, None).await;
        for _ in 0..DELETED_SECONDS_MAX {
            if answer.is_ok() || self.ask(Method::GET, &path, None).await.is_ok_and(|status| status == 404) {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        panic!("{VHOST} is not deleted");
    }
}
