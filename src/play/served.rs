//! A served broker on the same page: what its clients do as it grows, its queues, and what may be done to it by hand. It has no steps
//! and no end; its clock is its own, and goes on by hand where it stands still.

use crate::clock::{Advance, ClockMode};
use crate::model::{Act, LateValue, Message, Millis, Moment, Name, Origins, Payload, Properties, Publish, Text, Value};
use crate::play::answer::PlayAnswer;
use crate::play::request::{PlayRequest, read_request};
use crate::play::view::{PageHas, queue_json};
use crate::report::{drawing_json, page_news, play_page};
use crate::serve::{ControlRequest, ServedBroker};
use crate::source::Sources;
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// What cannot be done here, and where else.
const NOT_HERE: &str = "a served broker has no steps: `rmqplay play SCENARIO` plays some";

fn error(status: u16, message: impl Into<String>) -> PlayAnswer {
    PlayAnswer::Json(status, json!({"error": message.into()}))
}

/// Answers a request of the page; `path` is what stands behind the token and `play`. Token and origin are looked at before.
pub fn answer_served(broker: &mut ServedBroker, now_ms: u64, path: &str, request: &ControlRequest) -> PlayAnswer {
    match (request.method.as_str(), path) {
        ("GET", "/") => PlayAnswer::Page(play_page()),
        ("GET", "/scene") => PlayAnswer::Json(200, scene(broker)),
        ("GET", "/state" | "/events") => match PageHas::read(&request.query) {
            Ok(has) if path == "/events" => PlayAnswer::Stream(has),
            Ok(has) => PlayAnswer::Json(200, served_state(broker, now_ms, has).0),
            Err(why) => error(400, why),
        },
        ("POST", "/do") => match read_request(&request.body).map(|request| carry_out(broker, now_ms, request)) {
            Ok(Ok(())) => PlayAnswer::Json(200, json!({"done": true})),
            Ok(Err(why)) => error(409, why),
            Err(why) => error(400, why),
        },
        _ => error(404, "there is nothing at this address: it ends with play/"),
    }
}

/// Returns a number that changes with what is declared.
fn scene_number(broker: &ServedBroker) -> usize {
    let declared = broker.declared();
    1 + declared.exchanges.len() * 1_000_000 + declared.queues.len() * 1_000 + declared.bindings.len()
}

fn scene(broker: &ServedBroker) -> Json {
    let declared = broker.declared();
    let exchanges: Vec<Json> = declared.exchanges.iter().map(|one| json!([&*one.vhost, &*one.name])).collect();
    let vhosts = declared.vhost_names();
    let vhosts: Vec<&str> = if vhosts.is_empty() { vec!["/"] } else { vhosts.iter().map(|name| &**name).collect() };
    json!({
        "run": 1, "scene": scene_number(broker), "name": "the served broker", "title": "what its clients do",
        "file": Json::Null, "live": true, "served": true, "manual": broker.clock.mode() == ClockMode::Manual,
        "broker": broker.edition().sim_name(), "source": Json::Null,
        "graph": drawing_json(&declared, &Origins::new(), broker.edition()),
        "vhosts": vhosts, "exchanges": exchanges, "policies": [], "parts": [],
    })
}

/// Writes the state with what a page does not have yet; returns it with what the page has then.
pub fn served_state(broker: &mut ServedBroker, now_ms: u64, has: PageHas) -> (Json, PageHas) {
    let moment = broker.clock.moment(now_ms);
    let queues = broker.queue_views();
    let next = queues.iter().filter_map(|queue| queue.next).min().filter(|next| *next > moment);
    let actors = broker.client_views().into_iter().map(|client| {
        let queues: Vec<&str> = client.queues.iter().map(|queue| &*queue.name).collect();
        json!({"name": client.peer, "queue": queues.join(", "), "running": true, "back_ms": Json::Null, "in_hand": [],
               "holds": client.unacked, "received": Json::Null, "acked": 0, "refused": 0})
    });
    let actors: Vec<Json> = actors.collect();
    let scene = scene_number(broker);
    let count = broker.timeline_count().unwrap_or(0);
    // Nothing is made of it while nothing is new.
    let timeline = broker.timeline().filter(|_| count > has.entry);
    let news = timeline.map_or(Json::Null, |timeline| page_news(&timeline, has.entry, &Sources::default()));
    let state = json!({
        "run": 1, "scene": scene, "moment_ms": moment.0, "next_ms": next.map(|next| next.0), "held": false, "speed": 1,
        "place": "served", "line": Json::Null, "queues": queues.iter().map(queue_json).collect::<Vec<_>>(),
        "actors": actors, "judged": [], "failures": [], "tallies": [], "said": [], "changed": false, "watchers": 1,
        "by_hand": 0, "from": has.entry, "entry": count, "news": news,
    });
    (state, PageHas { run: 1, entry: count, sentence: 0 })
}

fn carry_out(broker: &mut ServedBroker, now_ms: u64, request: PlayRequest) -> Result<(), String> {
    match request {
        PlayRequest::Next => advance(broker, Advance::Timers(1)),
        PlayRequest::Until(until) => {
            let now = broker.clock.moment(now_ms);
            let left = (Moment(0) + until).0.saturating_sub(now.0);
            advance(broker, Advance::By(Millis(left)))
        }
        PlayRequest::Act { act, vhost } => act_on(broker, now_ms, *act, &vhost),
        _ => Err(NOT_HERE.to_owned()),
    }
}

fn advance(broker: &mut ServedBroker, how: Advance) -> Result<(), String> {
    broker.clock.advance(how).map(|_| ()).map_err(|refused| refused.to_string())
}

fn act_on(broker: &mut ServedBroker, now_ms: u64, act: Act, vhost: &Name) -> Result<(), String> {
    match act {
        Act::Publish(publish) => {
            let (exchange, key, message) = composed(&publish).ok_or("a publish by hand has no templates")?;
            for _ in 0..publish.count {
                let (exchange, key) = (exchange.clone(), key.clone());
                let act = Act::Publish(publish.clone());
                broker.publish_by_hand(now_ms, act, (vhost, exchange, key), message.clone())?;
            }
            Ok(())
        }
        Act::Purge(queue) => broker.purge_by_hand(now_ms, &queue),
        act @ (Act::SetPolicy { .. } | Act::ClearPolicy { .. }) => broker.policy_by_hand(now_ms, act),
        Act::RestartBroker => broker.restart_by_hand(now_ms),
        Act::Stop(peer) => broker.end_client_by_hand(now_ms, &peer, false),
        Act::Crash(peer) => broker.end_client_by_hand(now_ms, &peer, true),
        _ => Err("clients of a served broker start by themselves".to_owned()),
    }
}

/// Makes the message of a publish without templates: exchange, key and what is sent.
fn composed(publish: &Publish) -> Option<(Name, Name, Arc<Message>)> {
    let fixed = |text: &Text| text.fixed().cloned();
    let Payload::Text(body) = &publish.payload else { return None };
    let value = |value: &LateValue| match value {
        LateValue::Fixed(value) => Some(value.clone()),
        _ => None,
    };
    let headers: Option<Vec<(String, Value)>> =
        publish.headers.iter().map(|(name, one)| Some((name.clone(), value(one)?))).collect();
    let headers = headers?;
    let properties = Properties {
        content_type: publish.content_type.as_ref().and_then(fixed),
        delivery_mode: Some(publish.delivery_mode),
        message_id: publish.id.as_ref().and_then(fixed),
        headers: (!headers.is_empty()).then(|| headers.into_iter().collect()),
        ..Properties::default()
    };
    let body = fixed(body)?;
    let message = Message { properties, body: body.as_bytes().into() };
    Some((fixed(&publish.exchange)?, fixed(&publish.routing_key)?, Arc::new(message)))
}
