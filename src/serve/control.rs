//! The control port of a served broker: what an HTTP request asks for, and the answer, as JSON.
//! Takes a request that is read already; whoever does not know the token finds nothing here.

use crate::clock::{Advance, AdvanceRefused, ClockJob, ClockJobState, JobId};
use crate::model::Millis;
use crate::serve::served_broker::ServedBroker;
use serde_json::{Value as Json, json};

/// How long a hold lasts unless it says so, in real milliseconds.
const HOLD: Millis = Millis(30_000);

/// The longest hold.
const HOLD_MAX: Millis = Millis(3_600_000);

/// A request as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ControlRequest {
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// Without the query.
    pub path: String,
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
}

impl ControlAnswer {
    fn new(status: u16, body: Json) -> Self {
        Self { status, body }
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
        return ControlAnswer::error(404, "the address holds a token: use it as it was printed");
    }
    let parts: Vec<&str> = parts.collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["clock"]) => clock(broker, now_ms),
        ("POST", ["clock", "advance"]) => advance(broker, token, &request.body),
        ("GET", ["clock", "jobs", id]) => job(broker, id),
        ("POST", ["clock", "hold"]) => hold(broker, now_ms, &request.body),
        ("DELETE", ["clock", "hold", id]) => match id.parse().is_ok_and(|id| broker.release(id)) {
            true => ControlAnswer::new(204, Json::Null),
            false => ControlAnswer::error(404, "there is no such hold: it was released, or its time is over"),
        },
        (_, ["clock"] | ["clock", "advance" | "hold"] | ["clock", "jobs" | "hold", _]) => {
            ControlAnswer::error(405, format!("{} is not for this address", request.method))
        }
        _ => ControlAnswer::error(404, "there is nothing at this address"),
    }
}

/// Returns whether a browser of another site is not behind it: pages of the web reach ports of this machine too.
fn is_from_here(request: &ControlRequest) -> bool {
    let name = |authority: &str| authority.rsplit_once(':').map_or(authority, |(name, _)| name).to_owned();
    let is_local = |authority: &str| {
        let name = name(authority);
        let is_loopback = name.starts_with("127.") && name.chars().all(|c| c.is_ascii_digit() || c == '.');
        name == "localhost" || name == "[::1]" || is_loopback
    };
    let origin = request.origin.as_deref().map(|origin| origin.split("://").last().unwrap_or_default());
    is_local(&request.host) && origin.is_none_or(|origin| origin == request.host)
}

fn clock(broker: &mut ServedBroker, now_ms: u64) -> ControlAnswer {
    let moment = broker.clock.moment(now_ms).0;
    let job = broker.clock.job().map(shown);
    let second = broker.second_of(broker.now());
    let mode = broker.clock.mode().to_string();
    ControlAnswer::new(200, json!({"clock": mode, "moment_ms": moment, "unix_s": second, "job": job}))
}

/// Begins to advance the clock: `{"by": "7d"}`, or `{"timers": 1}` to the next thing that happens.
fn advance(broker: &mut ServedBroker, token: &str, body: &[u8]) -> ControlAnswer {
    let body: Json = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) => return ControlAnswer::error(400, format!("the body is no JSON: {error}")),
    };
    let advance = match (&body["by"], &body["timers"]) {
        (Json::String(by), Json::Null) => match by.parse::<Millis>() {
            Ok(length) => Advance::By(length),
            Err(error) => return ControlAnswer::error(400, error.to_string()),
        },
        (Json::Null, Json::Number(count)) if count.is_u64() => Advance::Timers(count.as_u64().unwrap_or(0)),
        _ => return ControlAnswer::error(400, r#"give {"by": "7d"}, or {"timers": 1}"#),
    };
    match broker.clock.advance(advance) {
        Ok(job) => {
            let mut body = shown(job);
            body["url"] = json!(format!("/{token}/clock/jobs/{}", job.id.0));
            ControlAnswer::new(202, body)
        }
        Err(refused @ AdvanceRefused::OutOfRange) => ControlAnswer::error(400, refused.to_string()),
        Err(refused) => ControlAnswer::error(409, refused.to_string()),
    }
}

fn job(broker: &ServedBroker, id: &str) -> ControlAnswer {
    let known = broker.clock.job().filter(|job| id.parse().is_ok_and(|id| job.id == JobId(id)));
    known.map_or_else(
        || ControlAnswer::error(404, "there is no such job: only the last one is kept"),
        |job| ControlAnswer::new(200, shown(job)),
    )
}

/// Keeps time from jumping: `{"for": "30s"}` of real time at most, `{"by": "worker"}` names who.
fn hold(broker: &mut ServedBroker, now_ms: u64, body: &[u8]) -> ControlAnswer {
    let body: Json = if body.is_empty() { json!({}) } else { serde_json::from_slice(body).unwrap_or(Json::Null) };
    let length = match &body["for"] {
        _ if !body.is_object() => return ControlAnswer::error(400, r#"give {"for": "30s"}"#),
        Json::Null => HOLD,
        Json::String(text) => match text.parse::<Millis>() {
            Ok(length) if length.0 > 0 && length <= HOLD_MAX => length,
            Ok(_) => return ControlAnswer::error(400, "a hold lasts from 1ms to 1h"),
            Err(error) => return ControlAnswer::error(400, error.to_string()),
        },
        _ => return ControlAnswer::error(400, r#"give {"for": "30s"}"#),
    };
    let id = broker.hold(body["by"].as_str().unwrap_or("control port"), now_ms + length.0);
    ControlAnswer::new(201, json!({"hold": id}))
}

fn shown(job: &ClockJob) -> Json {
    let (state, owed) = match &job.state {
        ClockJobState::Running => ("running", Json::Null),
        ClockJobState::Done => ("done", Json::Null),
        ClockJobState::Stuck(debt) => ("stuck", json!({"connection": debt.connection, "what": debt.what})),
    };
    let JobId(id) = job.id;
    json!({
        "job": id, "state": state, "from_ms": job.from.0, "at_ms": job.at.0, "jumps": job.jumps, "owed": owed,
    })
}
