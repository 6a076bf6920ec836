//! Messages by HTTP: one is published, some are taken or looked at (MG-10, MG-11).

use crate::broker::{Delivery, Method, Reply, Settlement};
use crate::model::{Message, Profile};
use crate::serve::management::answer::{Answered, ApiAnswer};
use crate::serve::management::call::ManagementCall;
use crate::serve::management::exchanges;
use crate::serve::management::listing::shown;
use crate::serve::management::properties::{read, written};
use crate::serve::management::queues;
use crate::sim::DirectPublish;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// The most messages of one request; RabbitMQ takes as many as there are.
const COUNT_MAX: u64 = 1_000_000;

/// Publishes to the exchange of the path.
pub(crate) fn publish(call: &mut ManagementCall<'_>) -> Answered {
    let vhost = call.vhost()?;
    let names = [call.name("exchange"), "".into()];
    if exchanges::found(call).is_err() {
        return Err(match call.profile() {
            Profile::V3_10 | Profile::V3_12 => {
                let text = format!("404 NOT_FOUND - no exchange '{}' in vhost '{vhost}'", names[0]);
                ApiAnswer::bad_request(text)
            }
            _ => ApiAnswer::error(404, "not_found", "exchange_not_found"),
        });
    }
    let body = call.body(&["routing_key", "properties", "payload", "payload_encoding"])?;
    let text = |key: &str| body.get(key).and_then(Json::as_str);
    let Some(payload) = text("payload") else { return Err(ApiAnswer::bad_request("payload_not_string")) };
    let payload = match text("payload_encoding") {
        Some("string") => payload.as_bytes().to_vec(),
        Some("base64") => {
            STANDARD.decode(payload).map_err(|_| ApiAnswer::bad_request(format!("{{not_base64,{payload}}}")))?
        }
        other => {
            let shown = other.unwrap_or_default();
            return Err(ApiAnswer::bad_request(format!("{{unsupported_encoding,<<\"{shown}\">>}}")));
        }
    };
    let properties = read(body.get("properties").unwrap_or(&Json::Null));
    let message = Arc::new(Message { properties, body: payload.into() });
    let key = text("routing_key").unwrap_or_default().into();
    let [exchange, _] = names;
    let user = call.user.clone();
    let outcome = call.broker.directly(call.now_ms, &user, &vhost, |sim| sim.publish_directly(exchange, key, message));
    match outcome {
        DirectPublish::Routed => Ok(ApiAnswer::json(json!({"routed": true}))),
        DirectPublish::Unroutable => Ok(ApiAnswer::json(json!({"routed": false}))),
        DirectPublish::Nacked => Err(ApiAnswer::bad_request("rejected Unable to publish message. Check queue limits.")),
        // With its code, be it of rights or of the message.
        DirectPublish::Refused(refusal) => Err(ApiAnswer::bad_request(format!("{} {}", refusal.code, refusal.text))),
    }
}

/// Gets messages of the queue of the path, and puts them back where that is asked.
pub(crate) fn get(call: &mut ManagementCall<'_>) -> Answered {
    let vhost = call.vhost()?;
    if queues::found(call).is_err() {
        return Err(match call.profile() {
            Profile::V3_10 | Profile::V3_12 => {
                let text = format!("NOT_FOUND - no queue '{}' in vhost '{vhost}'", call.id("queue"));
                ApiAnswer::error(404, "not_found", text)
            }
            _ => ApiAnswer::error(404, "not_found", "queue_not_found"),
        });
    }
    let body = call.body(&["ackmode", "count", "encoding"])?;
    let number = |key: &str| match body.get(key)? {
        Json::String(text) => text.parse::<u64>().ok(),
        number => number.as_u64(),
    };
    let ackmode = body.get("ackmode").and_then(Json::as_str).unwrap_or_default();
    let settlement = match ackmode {
        "ack_requeue_false" => None,
        "ack_requeue_true" => Some(Settlement::Nack { requeue: true }),
        "reject_requeue_true" => Some(Settlement::Reject { requeue: true }),
        "reject_requeue_false" => Some(Settlement::Reject { requeue: false }),
        _ => return Err(bad_ackmode(call.profile(), ackmode)),
    };
    let is_auto = match body.get("encoding").and_then(Json::as_str) {
        Some("auto") => true,
        Some("base64") => false,
        _ => return Err(ApiAnswer::bad_request("Unsupported encoding. Please use auto or base64.")),
    };
    let Some(count) = number("count") else {
        return Err(ApiAnswer::bad_request(format!("{{not_integer,{}}}", body["count"])));
    };
    let (queue, user, truncate) = (call.name("queue"), call.user.clone(), number("truncate"));
    let taken = call.broker.directly(call.now_ms, &user, &vhost, |sim| {
        let mut taken = Vec::new();
        for _ in 0..count.min(COUNT_MAX) {
            let method = Method::Get { queue: queue.clone(), no_ack: settlement.is_none() };
            match sim.call_directly(method)? {
                Reply::Got(Some(got)) => taken.push(got),
                _ => break,
            }
        }
        if let Some(settlement) = settlement {
            taken.iter().for_each(|got| sim.settle_directly(got.tag(), settlement));
        }
        Ok(taken)
    });
    let taken = taken.map_err(|refusal| ApiAnswer::of_channel(&refusal))?;
    let all = taken.iter().map(|got| object(&got.delivery, got.remaining, is_auto, truncate)).collect();
    Ok(shown(call.request, all))
}

fn bad_ackmode(profile: Profile, ackmode: &str) -> ApiAnswer {
    if profile < Profile::V4_2 {
        return ApiAnswer::error(500, "Internal Server Error", "Internal Server Error");
    }
    ApiAnswer::bad_request(format!(
        "Invalid ackmode value: {ackmode}. Valid values are: ack_requeue_true, ack_requeue_false, reject_requeue_true, \
         reject_requeue_false"
    ))
}

fn object(delivery: &Delivery, remaining: u64, is_auto: bool, truncate: Option<u64>) -> Json {
    let body = &delivery.message.body;
    let shown = truncate.map_or(body.len(), |max| body.len().min(max as usize));
    let (payload, encoding) = match std::str::from_utf8(&body[..shown]) {
        Ok(text) if is_auto => (text.to_owned(), "string"),
        _ => (STANDARD.encode(&body[..shown]), "base64"),
    };
    json!({
        "payload_bytes": body.len(), "redelivered": delivery.redelivered, "exchange": *delivery.exchange,
        "routing_key": *delivery.routing_key, "message_count": remaining,
        "properties": written(&delivery.message.properties), "payload": payload, "payload_encoding": encoding,
    })
}
