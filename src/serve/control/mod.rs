//! The control port of a served broker: what an HTTP request asks for, and the answer, as JSON.
//! Takes a request that is read already; whoever does not know the token finds nothing here.

mod clock;
mod faults;
mod looking;

pub use looking::timeline_events;

use crate::serve::served_broker::ServedBroker;
use crate::source::nearest_name;
use serde_json::{Value as Json, json};

/// A request as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ControlRequest {
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// What stands behind the question mark.
    pub query: String,
    /// As it came.
    pub body: Vec<u8>,
    /// The header `Host`.
    pub host: String,
    /// The header `Origin`, which browsers send.
    pub origin: Option<String>,
}

/// An answer: a status and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlAnswer {
    /// HTTP's.
    pub status: u16,
    /// Null for none.
    pub body: Json,
    /// OpenMetrics text in place of a body.
    pub metrics: Option<String>,
    /// Server-sent events follow in place of a body: those after this one ([`timeline_events`]).
    pub stream: Option<u64>,
}

impl ControlAnswer {
    fn new(status: u16, body: Json) -> Self {
        Self { status, body, metrics: None, stream: None }
    }

    /// Makes an answer that says what is wrong.
    pub fn error(status: u16, message: impl Into<String>) -> Self {
        Self::new(status, json!({"error": message.into()}))
    }
}

/// Answers a request at a real millisecond; paths begin with the token.
pub fn answer_control(broker: &mut ServedBroker, now_ms: u64, token: &str, request: &ControlRequest) -> ControlAnswer {
    if !is_from_here(request) {
        return ControlAnswer::error(403, "requests of other sites are refused");
    }
    let mut parts = request.path.split('/').filter(|part| !part.is_empty());
    if parts.next() != Some(token) {
        let why = "the address holds a token: use it as it was printed";
        return ControlAnswer::new(404, json!({"error": why, "unknown": "token"}));
    }
    let parts: Vec<&str> = parts.collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["clock"]) => clock::clock(broker, now_ms),
        ("POST", ["clock", "advance"]) => clock::advance(broker, token, &request.body),
        ("GET", ["clock", "jobs", id]) => clock::job(broker, id),
        ("POST", ["clock", "hold"]) => clock::hold(broker, now_ms, &request.body),
        ("DELETE", ["clock", "hold", id]) => match id.parse().is_ok_and(|id| broker.release(id)) {
            true => ControlAnswer::new(204, Json::Null),
            false => ControlAnswer::error(404, "there is no such hold: it was released, or its time is over"),
        },
        ("GET", ["queues"]) => looking::queues(broker),
        ("GET", ["messages", id, "story"]) => looking::story(broker, id),
        ("GET", ["timeline"]) => looking::timeline(broker, &request.query),
        ("GET", ["metrics"]) => looking::metrics(broker),
        ("GET", ["faults"]) => faults::listed(broker),
        ("POST", ["faults"]) => faults::make(broker, now_ms, &request.body),
        ("DELETE", ["faults"]) => faults::clear(broker),
        (
            _,
            ["clock"]
            | ["clock", "advance" | "hold"]
            | ["clock", "jobs" | "hold", _]
            | ["queues" | "timeline" | "faults" | "metrics"]
            | ["messages", _, "story"],
        ) => ControlAnswer::error(405, format!("{} is not for this address", request.method)),
        _ => ControlAnswer::error(404, "there is nothing at this address"),
    }
}

/// Returns whether a browser of another site is not behind it: pages of the web reach ports of this machine too.
pub fn is_from_here(request: &ControlRequest) -> bool {
    let name = |authority: &str| authority.rsplit_once(':').map_or(authority, |(name, _)| name).to_owned();
    let is_local = |authority: &str| {
        let name = name(authority);
        let is_loopback = name.starts_with("127.") && name.chars().all(|c| c.is_ascii_digit() || c == '.');
        name == "localhost" || name == "[::1]" || is_loopback
    };
    let origin = request.origin.as_deref().map(|origin| origin.split("://").last().unwrap_or_default());
    is_local(&request.host) && origin.is_none_or(|origin| origin == request.host)
}

/// Reads a body that must be an object.
fn read_any_object(body: &[u8]) -> Result<serde_json::Map<String, Json>, String> {
    let body: Json = serde_json::from_slice(body).map_err(|error| format!("the body is no JSON: {error}"))?;
    match body {
        Json::Object(object) => Ok(object),
        _ => Err("the body is no JSON object".to_owned()),
    }
}

/// Reads a body that must be an object with some of these keys.
fn read_object(body: &[u8], keys: &[&str]) -> Result<serde_json::Map<String, Json>, String> {
    let object = read_any_object(body)?;
    match object.keys().find(|key| !keys.contains(&key.as_str())) {
        None => Ok(object),
        Some(unknown) => Err(format!("unknown key `{unknown}`{}", did_you_mean(unknown, keys.iter().copied()))),
    }
}

/// Asks whether the nearest of some names is meant, if any is near.
fn did_you_mean<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    nearest_name(name, names.iter().copied()).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}
