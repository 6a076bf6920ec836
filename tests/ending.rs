//! How a run on a live broker ends before its time: Ctrl-C, SIGTERM, kill -9, and a broker that dies under it.
//! Afterwards vhosts and users are as before, or `clean` makes them so.
#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

#[path = "support/brokers.rs"]
mod brokers;
#[path = "support/program.rs"]
mod program;

use brokers::Broker;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SCENARIO: &str = "\
scenario: a run that takes its time
topology:
  users: [{name: alice, tags: [], permissions: {configure: \"\", write: \"\", read: \".*\"}}]
  queues: [{name: slow}]
consumers:
  waiter: {queue: slow, as: alice, on_message: [{do: [hold]}]}
steps:
  - publish: {exchange: \"\", routing_key: slow, id: order, body: x}
  - advance: 25s
";

/// Held by each test: sweeping one's leftovers would take the other's vhosts away.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Writes a scenario to a file that goes with what is returned.
fn scenario_file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("scenario.yaml");
    std::fs::write(&path, text).expect("a temporary file");
    (folder, path.to_string_lossy().into_owned())
}

fn rmqplay(arguments: &[&str]) -> Command {
    let mut command = program::rmqplay();
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Removes what a run left.
fn clean(broker: &str) {
    let (swept, said) = program::finish(&mut rmqplay(&["clean", "--broker", broker, "--older-than", "0s"]));
    assert!(swept, "{said}");
}

/// Reads names of throw-away vhosts or users, sorted.
fn throw_away(broker: &str, what: &str) -> Vec<String> {
    let (head, port) = broker.rsplit_once(':').expect("a port");
    let port: u32 = port.parse().expect("a port at the end");
    let url = format!("{}:{}/api/{what}?columns=name", head.replacen("amqp", "http", 1), port + 10_000);
    let listed = Command::new("curl").args(["-sf", "--max-time", "10", &url]).output().expect("curl runs");
    assert!(listed.status.success(), "the management API of {broker} answers");
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let names = listed.as_array().expect("a list").iter().filter_map(|one| one["name"].as_str());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("rmqplay-")).map(str::to_owned).collect();
    names.sort();
    names
}

/// Waits, within bounds, until the run has made its vhost and user.
fn wait_until_under_way(broker: &str, before: &[String], child: &mut Child) {
    let end = Instant::now() + Duration::from_secs(20);
    while throw_away(broker, "users").iter().filter(|name| !before.contains(name)).count() == 0 {
        assert!(child.try_wait().expect("a child").is_none(), "the run ended before it was under way");
        assert!(Instant::now() < end, "the run is not under way after 20 s");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Waits for the end within bounds; a run that hangs fails the test.
fn end_within(mut child: Child, limit: Duration) -> Output {
    let end = Instant::now() + limit;
    while child.try_wait().expect("a child").is_none() {
        if Instant::now() > end {
            let _ = child.kill();
            panic!("the run did not end within {limit:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    child.wait_with_output().expect("its output")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_run_that_is_stopped_leaves_nothing_behind() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (_folder, file) = scenario_file(SCENARIO);
    for Broker { url: broker, .. } in brokers::brokers("ending") {
        let place = broker.rsplit('@').next().expect("a place").to_owned();
        for (signal, code) in [("INT", Some(130)), ("TERM", Some(143)), ("KILL", None)] {
            let (vhosts, users) = (throw_away(&broker, "vhosts"), throw_away(&broker, "users"));
            let mut child = rmqplay(&["run", &file, "--broker", &broker]).spawn().expect("rmqplay");
            wait_until_under_way(&broker, &users, &mut child);
            let id = child.id().to_string();
            assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().expect("kill").success());
            let output = end_within(child, Duration::from_secs(20));
            assert_eq!(output.status.code(), code, "{signal} on {place}: {}", text(&output));
            if signal == "KILL" {
                assert_ne!(throw_away(&broker, "vhosts"), vhosts, "a kill -9 leaves a vhost");
                let young = end_within(
                    rmqplay(&["clean", "--broker", &broker]).spawn().expect("rmqplay"),
                    Duration::from_secs(20),
                );
                assert!(text(&young).contains("nothing older than 10m"), "{}", text(&young));
                clean(&broker);
                assert!(throw_away(&broker, "vhosts").is_empty() && throw_away(&broker, "users").is_empty());
            } else {
                assert_eq!(throw_away(&broker, "vhosts"), vhosts, "{signal} on {place}");
                assert_eq!(throw_away(&broker, "users"), users, "{signal} on {place}");
            }
            brokers::say(&format!("{place}: {signal} ended the run with {:?} and left nothing", output.status.code()));
        }
    }
}

#[test]
fn a_broker_that_dies_under_a_run_ends_it_with_the_address() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (_folder, file) = scenario_file(SCENARIO);
    for Broker { url: broker, .. } in brokers::brokers("ending") {
        let (head, port) = broker.rsplit_once(':').expect("a port");
        let port: u16 = port.parse().expect("a port at the end");
        let amqp = Relay::to(port);
        let http = Relay::to(port + 10_000);
        let url = format!("{}:{}", head, amqp.port);
        let management = format!("http://127.0.0.1:{}", http.port);
        let before = throw_away(&broker, "users");
        let arguments = ["run", &file, "--broker", &url, "--management", &management];
        let mut child = rmqplay(&arguments).spawn().expect("rmqplay");
        wait_until_under_way(&broker, &before, &mut child);
        std::thread::sleep(Duration::from_millis(700));
        let died = Instant::now();
        amqp.die();
        http.die();
        let output = end_within(child, Duration::from_secs(40));
        let said = text(&output);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(&format!("127.0.0.1:{}", amqp.port)), "it names the address: {said}");
        assert!(said.contains("help:"), "it says what to try: {said}");
        brokers::say(&format!(
            "127.0.0.1:{port}: the run ended {:.1} s after its broker died",
            died.elapsed().as_secs_f64()
        ));
        clean(&broker);
    }
}

/// At which moments after its start a run is stopped: while it reads, connects, sets up, plays; a new choice each time.
fn moments() -> Vec<Duration> {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").subsec_nanos();
    brokers::say(&format!("moments from seed {seed}"));
    (0..4u64).map(|n| Duration::from_millis(n * 350 + (u64::from(seed) / 1_000 + n * 7_919) % 350)).collect()
}

#[test]
fn a_run_that_is_stopped_at_any_moment_leaves_nothing_that_clean_does_not_sweep() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (_folder, file) = scenario_file(SCENARIO);
    for Broker { url: broker, .. } in brokers::brokers("ending") {
        let (vhosts, users) = (throw_away(&broker, "vhosts"), throw_away(&broker, "users"));
        for (moment, signal) in moments().into_iter().flat_map(|moment| [(moment, "INT"), (moment, "KILL")]) {
            let child = rmqplay(&["run", &file, "--broker", &broker]).spawn().expect("rmqplay");
            std::thread::sleep(moment);
            let id = child.id().to_string();
            assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().expect("kill").success());
            let output = end_within(child, Duration::from_secs(20));
            if signal == "KILL" {
                clean(&broker);
            } else {
                // Before the handler stands, the system's own end by the signal is the end: nothing was made yet.
                let code = output.status.code();
                assert!(matches!(code, Some(130) | None), "{code:?} at {moment:?}: {}", text(&output));
            }
            assert_eq!(throw_away(&broker, "vhosts"), vhosts, "{signal} at {moment:?}");
            assert_eq!(throw_away(&broker, "users"), users, "{signal} at {moment:?}");
        }
    }
}

const LONG_SERIES: &str = "\
scenario: a series that is cut short
topology: {queues: [{name: line}]}
steps:
  - publish: {exchange: \"\", routing_key: line, id: order, count: 20000, body: \"{{ 'x' * 1000 }}\"}
snapshot: off
";

#[test]
fn a_connection_that_is_cut_while_it_publishes_ends_the_run_and_leaves_nothing_behind() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (_folder, file) = scenario_file(LONG_SERIES);
    for Broker { url: broker, .. } in brokers::brokers("ending") {
        let (head, port) = broker.rsplit_once(':').expect("a port");
        let port: u16 = port.parse().expect("a port at the end");
        let amqp = Relay::until(port, 3_000_000);
        let url = format!("{head}:{}", amqp.port);
        let management = format!("http://127.0.0.1:{}", port + 10_000);
        let before = (throw_away(&broker, "vhosts"), throw_away(&broker, "users"));
        let arguments = ["run", &file, "--broker", &url, "--management", &management];
        let output = end_within(rmqplay(&arguments).spawn().expect("rmqplay"), Duration::from_secs(40));
        let said = text(&output);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(&format!("127.0.0.1:{}", amqp.port)), "it names the address: {said}");
        assert_eq!((throw_away(&broker, "vhosts"), throw_away(&broker, "users")), before, "{said}");
    }
}

/// Passes connections on to a port of this machine, until it dies.
struct Relay {
    port: u16,
    dead: Arc<AtomicBool>,
    sockets: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    fn to(target: u16) -> Self {
        Self::until(target, i64::MAX)
    }

    /// Dies by itself when so many bytes went to the broker.
    fn until(target: u16, bytes: i64) -> Self {
        let budget = Arc::new(AtomicI64::new(bytes));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let relay = Self { port, dead: Arc::default(), sockets: Arc::default() };
        let (dead, sockets) = (relay.dead.clone(), relay.sockets.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if dead.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { continue };
                let all = [&client, &server].map(|socket| socket.try_clone().expect("a second handle"));
                sockets.lock().expect("not poisoned").extend(all);
                let unlimited = Arc::new(AtomicI64::new(i64::MAX));
                for (from, to, budget) in [(&client, &server, &budget), (&server, &client, &unlimited)] {
                    let (from, to) = (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"));
                    let budget = budget.clone();
                    std::thread::spawn(move || pass_on(from, to, &budget));
                }
            }
        });
        relay
    }

    /// Refuses new connections and breaks those that there are.
    fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
        // Wakes the listener, so that it ends and its port closes.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        for socket in self.sockets.lock().expect("not poisoned").iter() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, budget: &AtomicI64) {
    let mut buffer = [0; 16_384];
    while let Ok(count) = from.read(&mut buffer) {
        let left = budget.fetch_sub(count as i64, Ordering::SeqCst);
        if count == 0 || left < count as i64 || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
