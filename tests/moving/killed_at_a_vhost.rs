//! An `apply` killed between the PUT of a vhost and the rights of its maker: RabbitMQ ends the making of a vhost with the
//! connection that asked for it, and leaves one that nobody may enter, is down or lacks exchanges. The next apply goes on.

use crate::brokers::{self, Broker};
use crate::harness::Checked;
use crate::{PATIENCE, program};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

const VHOST: &str = "moving.killed-at-a-vhost";
/// How often it is tried to come between, at most, and how often it shall be done.
const ROUNDS: usize = 40;
const BETWEEN: usize = 2;

/// Kills applies as soon as the broker lists the vhost that they make, and in every second round some milliseconds after they
/// asked for it: a broker that lists it late may have made it whole by then.
pub fn killed_at_a_vhost(broker: &Broker) -> Checked {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("vhost.yaml");
    std::fs::write(&file, topology()).expect("a file");
    let rmqplay = |command: &str| {
        let mut program = program::rmqplay();
        program.arg(command).arg(&file).args(["--broker", &broker.url]);
        program
    };
    let (proxy, reached) = before(&management(broker));
    let (mut between, mut tried) = (0, 0);
    for round in 1..=ROUNDS {
        if between == BETWEEN {
            break;
        }
        tried = round;
        let case = format!("{}, round {round}", broker.version);
        curl(broker, "DELETE", "");
        let mut first = rmqplay("apply");
        first.args(["--management", &proxy]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = first.spawn().expect("rmqplay runs");
        let put = reached.recv_timeout(PATIENCE);
        child.kill().expect("killed");
        child.wait().expect("it ends");
        put.map_err(|_| format!("{case}: no vhost was put"))?;
        // What was begun is over by then, or was ended.
        std::thread::sleep(Duration::from_millis(500));
        between += usize::from(curl(broker, "GET", "/permissions") == "[]");
        let (fine, said) = program::finish(&mut rmqplay("apply"));
        if !fine {
            return Err(format!("{case}: the second apply\n{said}"));
        }
        let (fine, said) = program::finish(&mut rmqplay("plan"));
        if !fine || !said.contains("nothing to do") {
            return Err(format!("{case}: a plan afterwards\n{said}"));
        }
    }
    curl(broker, "DELETE", "");
    if between == 0 {
        return Err(format!("{}: none of {ROUNDS} applies was killed before the rights were granted", broker.version));
    }
    brokers::say(&format!(
        "{}: {between} of {tried} applies killed between a vhost and its maker's rights; each second one went on, and then \
         nothing was left to do",
        broker.version
    ));
    Ok(())
}

/// Writes a vhost with something of each kind, bound to an exchange that every vhost has, too.
fn topology() -> String {
    format!(
        "vhost: {VHOST}\nvhosts: [{{name: {VHOST}, description: made twice, limits: {{max-queues: 9}}}}]\nexchanges: [{{name: \
         orders, type: topic}}]\npolicies: [{{name: short, pattern: \"^w\", definition: {{max-length: 10}}}}]\nqueues:\n  - \
         {{name: work, bindings: [{{source: orders, routing_key: \"#\"}}, {{source: amq.topic, routing_key: \"#\"}}]}}\n"
    )
}

/// Returns host and port of the management API.
fn management(broker: &Broker) -> String {
    let address = broker.url.trim_end_matches('/').rsplit_once('@').map_or("", |(_, address)| address);
    let (host, port) = address.rsplit_once(':').expect("a port");
    let port: u32 = port.parse().expect("a port at the end");
    format!("{host}:{}", port + 10_000)
}

/// Asks for the vhost, or something of it; returns the answer.
fn curl(broker: &Broker, method: &str, path: &str) -> String {
    let (login, _) = broker.url.split_once("://").and_then(|(_, rest)| rest.split_once('@')).expect("a login");
    let url = format!("http://{login}@{}/api/vhosts/{VHOST}{path}", management(broker));
    let output = Command::new("curl").args(["-s", "-X", method, "--max-time", "60", &url]).output().expect("curl runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Passes all requests on to a management API. One that puts the vhost is not answered, is ended as soon as the broker lists the
/// vhost, or a little after it was asked for, and told.
fn before(behind: &str) -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (told, reached) = channel();
    let behind = behind.to_owned();
    let puts = Arc::new(AtomicU64::new(0));
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (behind, told, puts) = (behind.clone(), told.clone(), puts.clone());
            std::thread::spawn(move || pass(client, &behind, &told, &puts));
        }
    });
    (url, reached)
}

fn pass(mut client: TcpStream, behind: &str, told: &Sender<()>, puts: &AtomicU64) -> io::Result<()> {
    let mut broker = TcpStream::connect(behind)?;
    let (mut answers, mut back) = (broker.try_clone()?, client.try_clone()?);
    let is_held = Arc::new(AtomicBool::new(false));
    let held = is_held.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 16_384];
        while let Ok(read) = answers.read(&mut buffer) {
            // Nothing is answered from the PUT on.
            if held.load(Ordering::SeqCst) {
                return;
            }
            if read == 0 || back.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = back.shutdown(Shutdown::Both);
    });
    while let Some(request) = next_request(&mut client)? {
        if !request.starts_with(format!("PUT /api/vhosts/{VHOST} ").as_bytes()) {
            broker.write_all(&request)?;
            continue;
        }
        is_held.store(true, Ordering::SeqCst);
        let watcher = TcpStream::connect(behind)?;
        broker.write_all(&request)?;
        match puts.fetch_add(1, Ordering::SeqCst) {
            put if put % 2 == 1 => std::thread::sleep(Duration::from_millis(put)),
            _ => await_listed(watcher, &String::from_utf8_lossy(&request))?,
        }
        let _ = broker.shutdown(Shutdown::Both);
        return told.send(()).map_err(io::Error::other);
    }
    broker.shutdown(Shutdown::Both)
}

/// Reads a request with its body; `None` at the end of the connection.
fn next_request(client: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let (mut request, mut buffer) = (Vec::new(), [0; 16_384]);
    loop {
        let read = client.read(&mut buffer)?;
        if read == 0 {
            return Ok(None);
        }
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        if request.len() >= head.len() + 4 + length.unwrap_or(0) {
            return Ok(Some(request));
        }
    }
}

/// Asks for the vhost until it is there, with the login of a request.
fn await_listed(mut broker: TcpStream, request: &str) -> io::Result<()> {
    let is_login = |line: &&str| line.to_ascii_lowercase().starts_with("authorization:");
    let login = request.lines().find(is_login).unwrap_or_default();
    let mut answers = BufReader::new(broker.try_clone()?);
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        write!(broker, "GET /api/vhosts/{VHOST}?columns=name HTTP/1.1\r\nHost: broker\r\n{login}\r\n\r\n")?;
        let (mut status, mut length) = (String::new(), 0);
        answers.read_line(&mut status)?;
        loop {
            let mut line = String::new();
            answers.read_line(&mut line)?;
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        answers.read_exact(&mut vec![0; length])?;
        if status.split(' ').nth(1) == Some("200") {
            return Ok(());
        }
    }
    Err(io::Error::other("the broker never lists it"))
}
