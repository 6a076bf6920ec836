//! The management API: the same requests to the served broker and to live ones get the same answers. A script is
//! `serve/management/NAME.txt`; what is answered is kept in `NAME-VERSION.txt`, without what differs in each run.

use super::brokers::{self, Broker};
use super::golden;
use rmqplay::model::{Origins, Profile, Topology};
use rmqplay::serve::{ApiAnswer, ApiRequest, ServedBroker, answer_management};
use serde_json::{Map, Value as Json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// One request of a script.
pub struct Asked {
    login: String,
    method: String,
    target: String,
    body: Option<String>,
}

/// An answer: the status, the headers that matter, the body.
pub struct Told {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

/// Headers that are kept.
const HEADERS: [&str; 2] = ["location", "www-authenticate"];

/// Fields that tell how a broker is built, how busy it is, or what it counts every five seconds.
const PASSING: [&str; 25] = [
    "state",
    "node",
    "leader",
    "members",
    "online",
    "cluster_state",
    "garbage_collection",
    "consumer_details",
    "deliveries",
    "incoming",
    "outgoing",
    "user_who_performed_action",
    "consumers",
    "consumer_capacity",
    "consumer_utilisation",
    "exclusive_consumer_tag",
    "single_active_consumer_tag",
    "messages_dlx",
    "messages_delayed",
    "delivery_limit",
    "product_name",
    "policy",
    "operator_policy",
    "effective_policy_definition",
    "original_cluster_name",
];

/// Counts that are fresh on a live broker only where a request asks for totals.
const COUNTS: [&str; 3] = ["messages", "messages_ready", "messages_unacknowledged"];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/serve/management")
}

/// Lists the scripts: files without a version.
fn scripts() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).expect("a folder");
    let mut scripts: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| !path.file_stem().is_some_and(|stem| stem.to_string_lossy().contains('-')))
        .collect();
    scripts.sort();
    assert!(!scripts.is_empty(), "no scripts");
    scripts
}

fn read(script: &Path) -> Vec<Asked> {
    let text = std::fs::read_to_string(script).expect("a script");
    let mut login = "guest:guest".to_owned();
    let mut asked = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(other) = line.strip_prefix("as ") {
            login = other.to_owned();
            continue;
        }
        asked.push(Asked::read(line, &login));
    }
    asked
}

impl Asked {
    /// Reads `METHOD PATH [BODY]`.
    pub fn read(line: &str, login: &str) -> Self {
        let mut words = line.splitn(3, ' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().expect("a path"));
        Self {
            login: login.to_owned(),
            method: method.to_owned(),
            target: target.to_owned(),
            body: words.next().map(str::to_owned),
        }
    }

    pub fn shown(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    /// Puts the request to a served broker.
    pub fn answered_by(&self, broker: &mut ServedBroker) -> Told {
        told(answer_management(broker, 0, &request(self)))
    }
}

/// Makes a broker without objects, as `serve` has it.
pub fn served(profile: Profile) -> ServedBroker {
    ServedBroker::new(profile.into(), &Topology::default(), &Origins::new(), 1_700_000_000)
}

/// Writes what is kept of all answers.
fn transcript(asked: &[Asked], mut ask: impl FnMut(&Asked) -> Told) -> String {
    let mut said = String::new();
    let mut login = "guest:guest";
    for request in asked {
        if request.login != login {
            login = &request.login;
            let _ = writeln!(said, "as {login}\n");
        }
        let told = ask(request);
        let _ = write!(said, "{} {}", request.method, request.target);
        if let Some(body) = &request.body {
            let _ = write!(said, " {body}");
        }
        let _ = writeln!(said, "\n{}", told.status);
        for (name, value) in told.headers.iter().filter(|(name, _)| HEADERS.contains(&name.as_str())) {
            let _ = writeln!(said, "{name}: {}", without_hash(value));
        }
        if !told.body.trim().is_empty() {
            let body: Json = serde_json::from_str(&told.body).unwrap_or_else(|_| Json::String(told.body.clone()));
            let is_definitions = request.target.starts_with("/definitions");
            match kept(&body, request.target.contains("enable_queue_totals")) {
                Json::Array(entries) if !entries.is_empty() => {
                    for entry in &entries {
                        let _ = writeln!(said, "- {entry}");
                    }
                }
                Json::Object(fields) if is_definitions => {
                    for (key, value) in fields {
                        let mut lines: Vec<String> = match value {
                            Json::Array(entries) => entries.iter().map(ToString::to_string).collect(),
                            other => vec![other.to_string()],
                        };
                        lines.sort();
                        let _ = writeln!(said, "{key}:");
                        for line in &lines {
                            let _ = writeln!(said, "- {line}");
                        }
                    }
                }
                other => {
                    let _ = writeln!(said, "{other}");
                }
            }
        }
        said.push('\n');
    }
    said
}

/// Takes out what differs in each run, and orders fields.
fn kept(json: &Json, with_counts: bool) -> Json {
    match json {
        Json::Object(fields) => {
            let is_kept = |key: &str| !PASSING.contains(&key) && (with_counts || !COUNTS.contains(&key));
            let mut all: Vec<(&String, &Json)> = fields.iter().filter(|(key, _)| is_kept(key)).collect();
            all.sort_by_key(|(key, _)| key.as_str());
            let shown = all.into_iter().map(|(key, value)| {
                let value = match (key.as_str(), value) {
                    ("password_hash", Json::String(hash)) if !hash.is_empty() => Json::from("HASH"),
                    ("properties_key", Json::String(key)) => Json::from(without_hash(key)),
                    // What a trace calls a connection: an address, or a process.
                    ("connection", Json::String(_)) => Json::from("CONNECTION"),
                    // RabbitMQ's own words for who does what.
                    ("definition" | "arguments" | "value", free) => ordered(free),
                    (_, value) => kept(value, with_counts),
                };
                (key.clone(), value)
            });
            Json::Object(shown.collect::<Map<String, Json>>())
        }
        Json::Array(entries) => entries.iter().map(|entry| kept(entry, with_counts)).collect(),
        plain => plain.clone(),
    }
}

/// Orders fields, and keeps all of them.
fn ordered(json: &Json) -> Json {
    match json {
        Json::Object(fields) => {
            let mut all: Vec<(&String, &Json)> = fields.iter().collect();
            all.sort_by_key(|(key, _)| key.as_str());
            Json::Object(all.into_iter().map(|(key, value)| (key.clone(), ordered(value))).collect())
        }
        Json::Array(entries) => entries.iter().map(ordered).collect(),
        plain => plain.clone(),
    }
}

/// Takes the hash of arguments out of a binding's key: six letters behind a tilde.
fn without_hash(key: &str) -> String {
    match key.rsplit_once('~') {
        Some((key, hash)) if hash.len() == 6 => format!("{key}~HASH"),
        _ => key.to_owned(),
    }
}

fn check(script: &Path, profile: &str, said: &str) -> Result<(), String> {
    let stem = script.file_stem().expect("a name").to_string_lossy();
    golden::check(&script.with_file_name(format!("{stem}-{profile}.txt")), said)
}

fn request(asked: &Asked) -> ApiRequest {
    use base64::Engine as _;
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    let encoded = base64::engine::general_purpose::STANDARD.encode(&asked.login);
    ApiRequest {
        method: asked.method.clone(),
        path: format!("/api{path}"),
        query: query.to_owned(),
        authorization: (asked.login != "nobody").then(|| format!("Basic {encoded}")),
        reason: None,
        body: asked.body.clone().unwrap_or_default().into_bytes(),
    }
}

fn told(answer: ApiAnswer) -> Told {
    let headers = answer.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
    let body = answer.body.map(|body| body.to_string()).unwrap_or_default();
    Told { status: answer.status, headers: headers.collect(), body }
}

#[test]
fn every_version_answers_what_is_kept() {
    for script in scripts() {
        let asked = read(&script);
        for profile in [Profile::V3_10, Profile::V4_0, Profile::V4_3] {
            let mut broker = served(profile);
            let said = transcript(&asked, |asked| asked.answered_by(&mut broker));
            check(&script, &profile.to_string(), &said).unwrap_or_else(|difference| panic!("{profile}: {difference}"));
        }
    }
}

pub mod live {
    use super::*;

    #[test]
    fn real_brokers_answer_what_is_kept() {
        let mut faults = Vec::new();
        for broker in brokers::brokers("the management API") {
            let Some(profile) =
                ["3.10", "4.0", "4.3"].into_iter().find(|profile| broker.version.starts_with(&format!("{profile}.")))
            else {
                continue;
            };
            for script in scripts() {
                faults.extend(check(&script, profile, &played(&broker, &read(&script))).err());
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    fn played(broker: &Broker, asked: &[Asked]) -> String {
        transcript(asked, asking(broker))
    }

    /// Puts requests to a real broker.
    pub fn asking(broker: &Broker) -> impl FnMut(&Asked) -> Told {
        let place = broker.url.rsplit('@').next().expect("a place").trim_end_matches('/');
        let (host, port) = place.rsplit_once(':').expect("a port");
        let port: u16 = port.split('/').next().unwrap_or_default().parse().expect("a port");
        let base = format!("http://{host}:{}/api", port + 10_000);
        rmqplay::io::install_crypto();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        move |asked| {
            runtime.block_on(async {
                let method = reqwest::Method::from_bytes(asked.method.as_bytes()).expect("a method");
                let mut request = client.request(method, format!("{base}{}", asked.target));
                if asked.login != "nobody" {
                    let (user, password) = asked.login.split_once(':').expect("a login");
                    request = request.basic_auth(user, Some(password));
                }
                if let Some(body) = &asked.body {
                    request = request.header("content-type", "application/json").body(body.clone());
                }
                let answer = request.send().await.expect("an answer");
                let headers = answer
                    .headers()
                    .iter()
                    .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()));
                let (status, headers) = (answer.status().as_u16(), headers.collect());
                Told { status, headers, body: answer.text().await.expect("a body") }
            })
        }
    }
}
