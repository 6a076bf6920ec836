//! `apply` and `plan` against a live broker, in turn with RabbitMQ's own import of the same objects, with the same declares over
//! bare AMQP, and with a load of the file and a bare GET of the export. Makes its own vhost and deletes it.

use crate::bare_amqp::{Login, declare};

use reqwest::{Client, Method};
use rmqplay::io::management::ManagementClient;
use rmqplay::io::observe::observe_and_plan;
use rmqplay::io::rehearse::apply_plan;
use rmqplay::io::{Address, meet};
use rmqplay::language::{LoadedTopology, Settings, World, load_topology};
use rmqplay::plan::{Observed, plan};
use rmqplay::source::Sources;
use serde_json::{Value as Json, json};
use std::time::{Duration, Instant};

/// The vhost that the objects are put into.
const VHOST: &str = "rmqplay.benchmark";
/// How many queues, and as many bindings.
pub const SIZES: [usize; 2] = [1_000, 10_000];
/// How often each is measured, in turn; the median counts.
const ROUNDS: usize = 5;
/// Channels of bare AMQP; the best of them counts.
const CHANNELS: [u16; 4] = [8, 32, 64, 128];

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
    let (mut import, mut apply, mut planned, mut bare) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut declared: Vec<Vec<Duration>> = vec![Vec::new(); CHANNELS.len()];
    let mut spent = Vec::new();
    let overview = meet(address).await.expect("a broker");
    for _ in 0..ROUNDS {
        http.empty_vhost().await;
        import.push(timed(http.send(Method::POST, "/definitions", Some(text.clone()))).await);
        for (channels, times) in CHANNELS.into_iter().zip(&mut declared) {
            http.empty_vhost().await;
            times.push(timed(declare_and_read(address, &http, channels, size)).await);
        }
        http.empty_vhost().await;
        let before = own_time();
        apply.push(timed(apply_and_prove(address, &overview, &text)).await);
        spent.push(own_time().saturating_sub(before));
        // The broker is at rest again.
        tokio::time::sleep(Duration::from_secs(1)).await;
        for _ in 0..3 {
            planned.push(timed(plan_again(address, &overview, &text)).await);
            bare.push(timed(check_and_get(&http, &text)).await);
        }
    }
    http.send(Method::DELETE, &format!("/vhosts/{VHOST}"), None).await;
    let (import, apply, planned, bare) = (median(import), median(apply), median(planned), median(bare));
    let declared: Vec<f64> = declared.into_iter().map(median).collect();
    let best = declared.iter().copied().fold(f64::INFINITY, f64::min);
    let version = &overview.full_version;
    println!(
        "  {version:<8} import {import:.3} s   apply {apply:.3} s, of it our own {:.3} s   ratio {:.2}",
        median(spent),
        apply / import
    );
    let shown: Vec<String> =
        CHANNELS.iter().zip(&declared).map(|(channels, time)| format!("{channels}: {time:.3} s")).collect();
    println!("           bare AMQP and GET by channels: {}   best/apply {:.2}", shown.join(", "), best / apply);
    println!("           plan {planned:.3} s   load + GET {bare:.3} s   ratio {:.2}", planned / bare);
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default().as_secs_f64()
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
    drop(load(text));
    http.send(Method::GET, "/definitions", None).await;
}

async fn timed(work: impl Future) -> Duration {
    let began = Instant::now();
    work.await;
    began.elapsed()
}

/// Does what `apply` does: load, look, write, read back.
async fn apply_and_prove(address: &Address, overview: &rmqplay::io::management::Overview, text: &str) {
    let loaded = load(text);
    let make = |observed: &Observed| plan(&loaded.topology, &loaded.origins, observed);
    let management = ManagementClient::new(address).expect("a client");
    let vhosts = loaded.topology.vhost_names();
    let (_, before) = observe_and_plan(&management, overview, &vhosts, make).await.expect("read");
    let applied = apply_plan(&before, address, &|_| {}).await.expect("applied");
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
    base: String,
    user: String,
    password: String,
}

impl Http {
    fn new(address: &Address) -> Self {
        rmqplay::io::management::install_crypto();
        let base = address.management_url().expect("a URL");
        let client = Client::builder().no_proxy().pool_idle_timeout(Duration::from_secs(3)).build().expect("a client");
        Self { client, base, user: address.user.clone(), password: address.password.expose().to_owned() }
    }

    async fn send(&self, method: Method, path: &str, body: Option<String>) {
        let request = self.client.request(method, format!("{}/api{path}", self.base));
        let request = request.basic_auth(&self.user, Some(&self.password)).header("content-type", "application/json");
        let request = request.timeout(Duration::from_secs(300)).body(body.unwrap_or_default());
        let answer = request.send().await.expect("an answer");
        drop(answer.text().await);
    }

    async fn empty_vhost(&self) {
        self.send(Method::DELETE, &format!("/vhosts/{VHOST}"), None).await;
        self.send(Method::PUT, &format!("/vhosts/{VHOST}"), Some("{}".to_owned())).await;
    }
}
