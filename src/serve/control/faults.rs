//! Faults over the control port: reads what is asked for, and lists what waits to happen.

use crate::broker::code;
use crate::model::{Millis, Name};
use crate::serve::control::{ControlAnswer, did_you_mean, read_any_object};
use crate::serve::faults::clients::Whom;
use crate::serve::faults::waiting::{LateDeliveries, RefusedMethod};
use crate::serve::served_broker::ServedBroker;
use crate::wire::AmqpMethod;
use serde_json::{Map, Value as Json, json};

/// The kinds, and the keys that each takes.
const KINDS: [(&str, &[&str]); 7] = [
    ("close", &["fault", "connection"]),
    ("drop", &["fault", "connection"]),
    ("alarm", &["fault", "of", "on"]),
    ("nack", &["fault", "publishes"]),
    ("refuse", &["fault", "method", "code", "text", "times"]),
    ("delay", &["fault", "by", "queue", "deliveries"]),
    ("restart", &["fault", "disk", "down_for"]),
];

/// What can be refused: what a client asks on an open connection, and the opening itself.
fn refusable() -> impl Iterator<Item = (u16, u16, &'static str)> {
    let is_asked = |name: &str| {
        !name.ends_with("_ok")
            && !["connection.start", "connection.secure", "connection.tune", "connection.blocked"].contains(&name)
            && !["connection.unblocked", "connection.close", "channel.close", "channel.flow"].contains(&name)
            && !["basic.return", "basic.deliver", "basic.get_empty", "connection.update_secret"].contains(&name)
            && !["access.request", "confirm.select", "tx.select", "tx.commit", "tx.rollback"].contains(&name)
    };
    AmqpMethod::ALL.iter().copied().filter(move |(_, _, name)| is_asked(name))
}

/// Makes a fault.
pub(super) fn make(broker: &mut ServedBroker, now_ms: u64, body: &[u8]) -> ControlAnswer {
    match read_and_make(broker, now_ms, body) {
        Ok(answer) => answer,
        Err(why) => ControlAnswer::error(400, why),
    }
}

fn read_and_make(broker: &mut ServedBroker, now_ms: u64, body: &[u8]) -> Result<ControlAnswer, String> {
    let body = read_any_object(body)?;
    let kinds = KINDS.map(|(kind, _)| kind);
    let Some(kind) = body.get("fault").and_then(Json::as_str) else {
        return Err(format!("`fault` says which: {}", kinds.join(", ")));
    };
    let Some((_, keys)) = KINDS.iter().find(|(known, _)| *known == kind) else {
        return Err(format!("there is no fault `{kind}`, but {}{}", kinds.join(", "), did_you_mean(kind, kinds)));
    };
    if let Some(other) = body.keys().find(|key| !keys.contains(&key.as_str())) {
        let near = did_you_mean(other, keys.iter().copied());
        return Err(format!("the fault `{kind}` takes no `{other}`, but {}{near}", keys[1..].join(", ")));
    }
    match kind {
        "close" | "drop" => {
            let whom = whom(&body)?;
            let met =
                if kind == "close" { broker.close_connections(&whom, now_ms) } else { broker.drop_connections(&whom) };
            match met {
                0 => Ok(ControlAnswer::error(404, broker.nobody_is(&whom))),
                met => Ok(ControlAnswer::new(200, json!({"connections": met}))),
            }
        }
        "alarm" => {
            let on = body.get("on").map_or(Some(true), Json::as_bool).ok_or("`on` is true or false")?;
            let of = match body.get("of").map_or(Some("memory"), Json::as_str) {
                Some("memory") => "memory",
                Some("disk") => "disk",
                _ => return Err("an alarm is `of` memory or disk".to_owned()),
            };
            broker.set_alarm(of, on);
            Ok(listed(broker))
        }
        "nack" => {
            broker.faults.nacks += count(&body, "publishes")?.ok_or("`publishes` says how many are nacked, from 1")?;
            Ok(listed(broker))
        }
        "refuse" => {
            let refused = refused_method(&body)?;
            broker.faults.refused.push(refused);
            Ok(listed(broker))
        }
        "delay" => {
            let by = duration(&body, "by")?.filter(|by| by.0 > 0).ok_or("`by` says how late they come: \"5s\"")?;
            let queue = text(&body, "queue")?.map(Name::from);
            broker.faults.late = Some(LateDeliveries { by, queue, left: count(&body, "deliveries")? });
            Ok(listed(broker))
        }
        _ => {
            let disk = body.get("disk").map_or(Some(true), Json::as_bool).ok_or("`disk` is true or false")?;
            let down_for = duration(&body, "down_for")?.unwrap_or_default();
            match broker.restart(disk, down_for, now_ms) {
                Ok(()) => Ok(ControlAnswer::new(200, json!({"disk": disk, "down_for_ms": down_for.0}))),
                Err(why) => Ok(ControlAnswer::error(409, why)),
            }
        }
    }
}

fn refused_method(body: &Map<String, Json>) -> Result<RefusedMethod, String> {
    let wanted = text(body, "method")?.ok_or("`method` says what is refused: \"queue.declare\"")?;
    let Some((class, id, name)) = refusable().find(|(_, _, name)| *name == wanted.replace('-', "_")) else {
        let near = did_you_mean(wanted, refusable().map(|(_, _, name)| name));
        return Err(format!("`{wanted}` is no method that can be refused{near}"));
    };
    let number = body.get("code").map_or(Some(u64::from(code::ACCESS_REFUSED)), Json::as_u64);
    let known = number.and_then(|number| u16::try_from(number).ok());
    let known = known.filter(|number| *number == code::INTERNAL_ERROR || code::name(*number) != "INTERNAL_ERROR");
    let number = known.ok_or("`code` is one of AMQP's: 403, 404, 405, 406, 501 to 506, 530, 540, 541")?;
    let text = text(body, "text")?.unwrap_or("refused by a fault of the control port").to_owned();
    Ok(RefusedMethod { ids: (class, id), name, code: number, text, left: count(body, "times")?.unwrap_or(1) })
}

fn whom(body: &Map<String, Json>) -> Result<Whom, String> {
    match text(body, "connection")? {
        Some("all") => Ok(Whom::All),
        Some(name) => Ok(Whom::Named(name.to_owned())),
        None => Err("`connection` says whose: an address, a connection name, a user, or all".to_owned()),
    }
}

fn text<'b>(body: &'b Map<String, Json>, key: &str) -> Result<Option<&'b str>, String> {
    match body.get(key) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{key}` is a text")),
    }
}

fn count(body: &Map<String, Json>, key: &str) -> Result<Option<u64>, String> {
    match body.get(key) {
        None => Ok(None),
        Some(value) => match value.as_u64() {
            Some(count) if count > 0 => Ok(Some(count)),
            _ => Err(format!("`{key}` is a whole number from 1")),
        },
    }
}

fn duration(body: &Map<String, Json>, key: &str) -> Result<Option<Millis>, String> {
    text(body, key)?.map(|text| text.parse::<Millis>().map_err(|error| error.to_string())).transpose()
}

/// Lists the faults that wait to happen.
pub(super) fn listed(broker: &ServedBroker) -> ControlAnswer {
    let faults = &broker.faults;
    let refused = faults
        .refused
        .iter()
        .map(|one| json!({"method": one.name, "code": one.code, "text": one.text, "times": one.left}));
    let late = faults
        .late
        .as_ref()
        .map(|late| json!({"by_ms": late.by.0, "queue": late.queue.as_deref(), "deliveries": late.left}));
    let alarms = broker.server.alarms();
    ControlAnswer::new(
        200,
        json!({"nack": faults.nacks, "refuse": Json::Array(refused.collect()), "delay": late, "alarms": alarms}),
    )
}

/// Takes back all that has not happened.
pub(super) fn clear(broker: &mut ServedBroker) -> ControlAnswer {
    broker.faults.clear();
    broker.set_alarm("memory", false);
    broker.set_alarm("disk", false);
    ControlAnswer::new(204, Json::Null)
}
