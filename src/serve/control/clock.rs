//! The clock at the control port: which moment it is, advances and holds.

use crate::clock::{Advance, AdvanceRefused, ClockJob, ClockJobState, JobId};
use crate::model::{Millis, Name, Property, QueueName};
use crate::serve::control::{ControlAnswer, did_you_mean, read_object};
use crate::serve::served_broker::ServedBroker;
use crate::serve::session::goal::WantedMessages;
use serde_json::{Value as Json, json};

/// How long a hold lasts unless it says so, in real milliseconds.
const HOLD: Millis = Millis(30_000);

/// The longest hold.
const HOLD_MAX: Millis = Millis(3_600_000);

/// What an advance takes.
const ADVANCE_SHAPE: &str =
    r#"give {"by": "7d"}, {"timers": 1}, or {"until": {"queue": "late", "messages": 1}}; also {"until": "timer"}"#;

pub(super) fn clock(broker: &mut ServedBroker, now_ms: u64) -> ControlAnswer {
    let moment = broker.clock.moment(now_ms).0;
    let job = broker.clock.job().map(shown);
    let second = broker.second_of(broker.now());
    let mode = broker.clock.mode().to_string();
    let rests = broker.clock.resting().map(|rest| rest.to_string());
    ControlAnswer::new(200, json!({"clock": mode, "moment_ms": moment, "unix_s": second, "rests": rests, "job": job}))
}

/// What an advance goes to.
enum AdvanceWanted {
    Plain(Advance),
    Messages { queue: QueueName, count: u64, wanted: WantedMessages },
}

/// Begins to advance the clock: by a time, to the next thing that happens, or until a queue holds something.
pub(super) fn advance(broker: &mut ServedBroker, token: &str, body: &[u8]) -> ControlAnswer {
    let wanted = match read_advance(broker, body) {
        Ok(wanted) => wanted,
        Err(why) => return ControlAnswer::error(400, why),
    };
    let begun = match wanted {
        AdvanceWanted::Plain(advance) => broker.clock.advance(advance).cloned(),
        AdvanceWanted::Messages { queue, count, wanted } => broker.advance_until(queue, count, wanted),
    };
    match begun {
        Ok(job) => {
            let mut body = shown(&job);
            body["url"] = json!(format!("/{token}/clock/jobs/{}", job.id.0));
            ControlAnswer::new(202, body)
        }
        Err(refused @ AdvanceRefused::OutOfRange) => ControlAnswer::error(400, refused.to_string()),
        Err(refused) => ControlAnswer::error(409, refused.to_string()),
    }
}

fn read_advance(broker: &ServedBroker, body: &[u8]) -> Result<AdvanceWanted, String> {
    let body = read_object(body, &["by", "timers", "until"])?;
    if body.len() != 1 {
        return Err(ADVANCE_SHAPE.to_owned());
    }
    match (body.get("by"), body.get("timers"), body.get("until")) {
        (Some(Json::String(by)), ..) => {
            Ok(AdvanceWanted::Plain(Advance::By(by.parse::<Millis>().map_err(|error| error.to_string())?)))
        }
        (_, Some(Json::Number(count)), _) if count.is_u64() => {
            Ok(AdvanceWanted::Plain(Advance::Timers(count.as_u64().unwrap_or(0))))
        }
        (.., Some(Json::String(word))) if word == "timer" => Ok(AdvanceWanted::Plain(Advance::Timers(1))),
        (.., Some(Json::Object(until))) => read_until(broker, until),
        _ => Err(ADVANCE_SHAPE.to_owned()),
    }
}

fn read_until(broker: &ServedBroker, until: &serde_json::Map<String, Json>) -> Result<AdvanceWanted, String> {
    let keys = ["queue", "vhost", "messages", "message", "where"];
    if let Some(unknown) = until.keys().find(|key| !keys.contains(&key.as_str())) {
        return Err(format!("unknown key `{unknown}` in `until`{}", did_you_mean(unknown, keys)));
    }
    let Some(queue) = until.get("queue").and_then(Json::as_str) else {
        return Err("`until` names a queue: {\"until\": {\"queue\": \"late\", \"messages\": 1}}".to_owned());
    };
    let vhost = until.get("vhost").map_or(Some("/"), Json::as_str).ok_or("`vhost` is a name")?;
    let count = match until.get("messages") {
        None => 1,
        Some(count) => count.as_u64().filter(|count| *count > 0).ok_or("`messages` is a whole number from 1")?,
    };
    let wanted = match (until.get("message"), until.get("where")) {
        (None, None) => WantedMessages::Any,
        (Some(Json::String(id)), None) => WantedMessages::Named(id.into()),
        (None, Some(Json::Object(properties))) if !properties.is_empty() => {
            WantedMessages::With(properties.iter().map(read_property).collect::<Result<_, _>>()?)
        }
        _ => return Err("give one of `message`, an id, and `where`, {\"correlation_id\": \"7\"}".to_owned()),
    };
    let queue = QueueName { vhost: Name::from(vhost), name: Name::from(queue) };
    broker.knows_queue(&queue)?;
    Ok(AdvanceWanted::Messages { queue, count, wanted })
}

fn read_property((name, value): (&String, &Json)) -> Result<(Property, String), String> {
    let property = Property::named(name).ok_or_else(|| {
        let names = Property::ALL.map(Property::as_str);
        format!("`{name}` is no property of a message{}", did_you_mean(name, names))
    })?;
    match value {
        Json::String(text) => Ok((property, text.clone())),
        Json::Number(number) => Ok((property, number.to_string())),
        _ => Err(format!("`{name}` takes a text or a number")),
    }
}

pub(super) fn job(broker: &ServedBroker, id: &str) -> ControlAnswer {
    let known = broker.clock.job().filter(|job| id.parse().is_ok_and(|id| job.id == JobId(id)));
    known.map_or_else(
        || ControlAnswer::error(404, "there is no such job: only the last one is kept"),
        |job| ControlAnswer::new(200, shown(job)),
    )
}

/// Keeps time from jumping: `{"for": "30s"}` of real time at most, `{"by": "worker"}` names who.
pub(super) fn hold(broker: &mut ServedBroker, now_ms: u64, body: &[u8]) -> ControlAnswer {
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
    let (state, owed, why) = match &job.state {
        ClockJobState::Running => ("running", Json::Null, Json::Null),
        ClockJobState::Done => ("done", Json::Null, Json::Null),
        ClockJobState::Missed(missed) => ("missed", Json::Null, json!(missed.to_string())),
        ClockJobState::Stuck(debt) => ("stuck", json!({"connection": debt.connection, "what": debt.what}), Json::Null),
    };
    let JobId(id) = job.id;
    json!({
        "job": id, "state": state, "from_ms": job.from.0, "at_ms": job.at.0, "jumps": job.jumps, "owed": owed,
        "why": why,
    })
}
