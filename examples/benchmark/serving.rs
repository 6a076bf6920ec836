//! `rmqplay serve` as a process, by a raw client over sockets, beside live brokers in the same run: rates, processor time,
//! memory, idle connections, how soon it is there, and how soon a week passes.
//! The program is the one that is built beside the benchmark.

use crate::raw_client::{RawClient, waiting};
use rmqplay::model::{Table, Value};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The variable that makes a process the bare server that the start is compared with.
const ECHO: &str = "RMQPLAY_BENCHMARK_ECHO_AT";

/// How often each flow is measured.
const ROUNDS: usize = 5;

/// How many connections do nothing.
const IDLE: usize = 1_000;

/// After how long a served broker has given back the room of what it heard and said.
const GIVEN_BACK: Duration = Duration::from_secs(6);

/// Plays the part of the bare server, if this process is one.
pub fn is_child() -> bool {
    let Ok(place) = std::env::var(ECHO) else { return false };
    let listener = TcpListener::bind(place).expect("a port");
    let (mut socket, _) = listener.accept().expect("a client");
    let mut bytes = [0; 8];
    socket.read_exact(&mut bytes).expect("a header");
    socket.write_all(&bytes).expect("written");
    true
}

/// A broker of which a process is known.
struct Measured {
    name: String,
    place: String,
    vhost: String,
    pid: u32,
    served: Option<Served>,
}

/// A served broker; ends with the value.
struct Served {
    child: Child,
    place: String,
    control: Option<String>,
    _folder: tempfile::TempDir,
}

impl Served {
    fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ready = folder.path().join("ready.json");
        let mut command = Command::new(program());
        command.args(["serve", "--quiet", "--listen", "127.0.0.1:0", "--ready-file"]).arg(&ready).args(flags);
        let child = command.stdout(Stdio::null()).spawn().expect("rmqplay runs");
        let end = Instant::now() + Duration::from_secs(10);
        let told: serde_json::Value = loop {
            match std::fs::read_to_string(&ready) {
                Ok(told) => break serde_json::from_str(&told).expect("JSON"),
                Err(_) => assert!(Instant::now() < end, "rmqplay serve does not come up"),
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let place = told["amqp"][0].as_str().and_then(|url| url.strip_prefix("amqp://")).expect("an address");
        let control = told["control"].as_str().map(str::to_owned);
        Self { child, place: place.to_owned(), control, _folder: folder }
    }

    /// Advances the clock; returns how long that took.
    fn advance(&self, by: &str) -> Duration {
        let control = self.control.as_deref().and_then(|url| url.strip_prefix("http://")).expect("a control port");
        let (place, token) = control.split_once('/').expect("a token");
        let ask = |method: &str, path: &str, body: &str| -> serde_json::Value {
            let mut socket = TcpStream::connect(place).expect("the control port");
            let length = body.len();
            let head = format!("{method} /{token}{path} HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n");
            socket.write_all(format!("{head}Content-Length: {length}\r\n\r\n{body}").as_bytes()).expect("written");
            let mut answer = String::new();
            socket.read_to_string(&mut answer).expect("an answer");
            serde_json::from_str(answer.split_once("\r\n\r\n").expect("a body").1).expect("JSON")
        };
        let began = Instant::now();
        let mut job = ask("POST", "/clock/advance", &format!("{{\"by\": \"{by}\"}}"));
        while job["state"] == "running" {
            std::thread::sleep(Duration::from_micros(500));
            job = ask("GET", &format!("/clock/jobs/{}", job["job"]), "");
        }
        assert_eq!(job["state"], "done", "{job}");
        began.elapsed()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the program that is built beside the benchmark.
pub fn program() -> PathBuf {
    let here = std::env::current_exe().expect("a path");
    let program = here.ancestors().nth(2).expect("a folder").join("rmqplay");
    assert!(program.exists(), "build the program of the same profile first: {}", program.display());
    program
}

/// The parts by their names.
pub const PARTS: [(&str, fn()); 4] =
    [("serve-flow", all_flows), ("serve-idle", idle), ("serve-start", starts), ("serve-week", weeks)];

/// Measures flows of small and large messages.
fn all_flows() {
    let small = std::env::var("RMQPLAY_BENCHMARK_MESSAGES").ok().and_then(|count| count.parse().ok());
    let small = small.unwrap_or(50_000);
    println!("  rate in messages per second of wall clock, median; processor time of the broker's process per message");
    for (bytes, count) in [(100, small), (10_000, small / 10)] {
        for kind in ["classic", "quorum"] {
            flows(kind, bytes, count);
        }
    }
}

/// Publishes, confirms, consumes and acknowledges on each broker in turn.
fn flows(kind: &str, bytes: usize, count: u64) {
    let mut brokers = vec![served("served 4.3", &[]), served("without control", &["--control", "off"])];
    brokers.extend(live());
    let body = vec![b'x'; bytes];
    let arguments = || [("x-queue-type", Value::Text(kind.into()))].into_iter().collect::<Table>();
    let mut told: Vec<(Vec<f64>, Vec<f64>)> = brokers.iter().map(|_| Default::default()).collect();
    for round in 0..ROUNDS {
        for (broker, (rates, costs)) in brokers.iter().zip(&mut told) {
            let queue = format!("rmqplay-benchmark-{round}");
            let mut client = RawClient::open(&broker.place, &broker.vhost);
            client.declare(&queue, arguments());
            let before = processor_time(broker.pid);
            let took = client.flow(&queue, count, &body);
            // What a broker does after its last confirm belongs to it too.
            std::thread::sleep(Duration::from_millis(200));
            rates.push(count as f64 / took.as_secs_f64());
            costs.push((processor_time(broker.pid) - before) * 1e6 / count as f64);
        }
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let medians: Vec<(f64, f64)> = told.iter_mut().map(|(rates, costs)| (median(rates), median(costs))).collect();
    let peaks: Vec<u64> = brokers.iter().map(|broker| memory(broker.pid, "VmHWM") / 1_024).collect();
    for ((broker, (rate, cost)), peak) in brokers.iter().zip(&medians).zip(&peaks) {
        let against = format!(
            "served/live: rate {:.1}, cpu 1/{:.1}, peak 1/{:.1}",
            medians[0].0 / rate,
            cost / medians[0].1,
            *peak as f64 / peaks[0] as f64
        );
        let against = if broker.served.is_some() { String::new() } else { against };
        println!(
            "  {:<18} {kind:<8} {bytes:>6} B  {rate:>9.0}/s  {cost:>6.1} µs  peak {peak:>4} MiB  {against}",
            broker.name
        );
    }
}

/// Opens a thousand connections with a consumer each.
fn idle() {
    let broker = served("served 4.3", &[]);
    let mut first = RawClient::open(&broker.place, &broker.vhost);
    first.declare("q", Table::new());
    std::thread::sleep(GIVEN_BACK);
    let before = memory(broker.pid, "VmRSS");
    let clients: Vec<RawClient> = (0..IDLE)
        .map(|_| {
            let mut client = RawClient::open(&broker.place, &broker.vhost);
            client.consume("q");
            client
        })
        .collect();
    std::thread::sleep(GIVEN_BACK);
    let each = memory(broker.pid, "VmRSS").saturating_sub(before) as f64 / clients.len() as f64;
    println!("  idle: {each:.1} KiB for each of {} connections with a consumer", clients.len());
}

/// Times a process from its start to the first byte that it says.
fn starts() {
    let free = || {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").to_string()
    };
    let first_byte = |command: &mut Command, place: &str| {
        let began = Instant::now();
        let mut child = command.stdout(Stdio::null()).spawn().expect("a process");
        let mut socket = loop {
            match TcpStream::connect(place) {
                Ok(socket) => break socket,
                Err(_) => std::hint::spin_loop(),
            }
        };
        socket.write_all(b"AMQP\0\0\x09\x01").expect("written");
        socket.read_exact(&mut [0]).expect("a byte");
        let took = began.elapsed();
        let _ = child.kill();
        let _ = child.wait();
        took
    };
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..30 {
        let place = free();
        let mut command = Command::new(program());
        command.args(["serve", "--quiet", "--control", "off", "--listen", &place]);
        ours.push(first_byte(&mut command, &place));
        let place = free();
        let mut command = Command::new(std::env::current_exe().expect("a path"));
        bare.push(first_byte(command.env(ECHO, &place), &place));
    }
    ours.sort();
    bare.sort();
    let (ours, bare) = (ours[15], bare[15]);
    let times = ours.as_secs_f64() / bare.as_secs_f64();
    println!("  start to the first byte: {ours:.1?}, a bare server {bare:.1?}: {times:.1} times");
}

/// Lets a week pass.
fn weeks() {
    let flags = ["--clock", "manual", "--settle", "1ms"];
    let (mut expiring, mut ladder) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let served = Served::start(&flags);
        let mut client = RawClient::open(&served.place, "/");
        client.declare("late", Table::new());
        client.declare("wait", waiting(86_400_000, "late"));
        client.publish_all("wait", 5_000, &[7; 100]);
        let mut worker = RawClient::open(&served.place, "/");
        worker.consume("late");
        worker.work(None);
        expiring.push(served.advance("7d"));

        let served = Served::start(&flags);
        let mut client = RawClient::open(&served.place, "/");
        client.declare("work", Table::new());
        client.declare("wait", waiting(3_600_000, "work"));
        let mut worker = RawClient::open(&served.place, "/");
        worker.consume("work");
        worker.work(Some("wait"));
        client.publish_all("work", 1, b"job");
        ladder.push(served.advance("7d"));
    }
    expiring.sort();
    ladder.sort();
    println!("  advance 7d over 5,000 expiring messages with a live consumer: {:.0?}", expiring[ROUNDS / 2]);
    println!("  advance 7d, a ladder of 168 steps: {:.0?}", ladder[ROUNDS / 2]);
}

fn served(name: &str, flags: &[&str]) -> Measured {
    let served = Served::start(flags);
    let (place, pid) = (served.place.clone(), served.child.id());
    Measured { name: name.to_owned(), place, vhost: "/".to_owned(), pid, served: Some(served) }
}

/// Returns the live brokers whose process is on this machine, each with a vhost of its own.
fn live() -> Vec<Measured> {
    let urls = std::env::var("RMQPLAY_TEST_BROKERS").unwrap_or_default();
    let places = urls.split(',').filter_map(|url| url.rsplit_once('@')).map(|(_, place)| place.trim_end_matches('/'));
    places
        .filter_map(|place| {
            let port = place.rsplit_once(':')?.1.parse().ok()?;
            let Some(pid) = process_at(port) else {
                println!("  {place}: its process is not known here, so it is left out");
                return None;
            };
            let vhost = "rmqplay-benchmark".to_owned();
            manage(place, "DELETE", &format!("/api/vhosts/{vhost}"), "");
            manage(place, "PUT", &format!("/api/vhosts/{vhost}"), "");
            let all = r#"{"configure":".*","write":".*","read":".*"}"#;
            manage(place, "PUT", &format!("/api/permissions/{vhost}/guest"), all);
            Some(Measured {
                name: format!("live at {place}").replace("127.0.0.1", ""),
                place: place.to_owned(),
                vhost,
                pid,
                served: None,
            })
        })
        .collect()
}

impl Drop for Measured {
    fn drop(&mut self) {
        if self.served.is_none() {
            manage(&self.place, "DELETE", &format!("/api/vhosts/{}", self.vhost), "");
        }
    }
}

fn manage(place: &str, method: &str, path: &str, body: &str) {
    let (host, port) = place.rsplit_once(':').expect("a port");
    let port = port.parse::<u16>().expect("a port") + 10_000;
    let mut socket = TcpStream::connect((host, port)).expect("a management API");
    let length = body.len();
    let head = "Host: localhost\r\nAuthorization: Basic Z3Vlc3Q6Z3Vlc3Q=\r\nContent-Type: application/json";
    let request =
        format!("{method} {path} HTTP/1.1\r\n{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    socket.write_all(request.as_bytes()).expect("written");
    let _ = socket.read_to_string(&mut String::new());
}

/// Finds the process that listens at a port.
fn process_at(port: u16) -> Option<u32> {
    let listening = |table: &str| {
        let text = std::fs::read_to_string(table).ok()?;
        let line = text.lines().find(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.get(3) == Some(&"0A") && words[1].ends_with(&format!(":{port:04X}"))
        })?;
        line.split_whitespace().nth(9).map(str::to_owned)
    };
    let inode = listening("/proc/net/tcp").or_else(|| listening("/proc/net/tcp6"))?;
    let wanted = format!("socket:[{inode}]");
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let mut files = std::fs::read_dir(entry.path().join("fd")).ok()?.flatten();
        files.any(|file| std::fs::read_link(file.path()).is_ok_and(|to| to.to_string_lossy() == wanted)).then_some(pid)
    })
}

/// Returns a process's processor time in seconds.
fn processor_time(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    let words: Vec<&str> = text.rsplit_once(") ").expect("a name").1.split(' ').collect();
    let ticks = |at: usize| words[at].parse::<u64>().expect("a number");
    // In hundredths of a second, on any Linux.
    (ticks(11) + ticks(12)) as f64 / 100.0
}

/// Returns a line of a process's status, in KiB.
fn memory(pid: u32, line: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let found = text.lines().find_map(|text| text.strip_prefix(line)?.split_whitespace().nth(1)?.parse().ok());
    found.expect("a line of the status")
}
