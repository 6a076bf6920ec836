//! Makes the message that a step or an action publishes, and the names that templates see.
//! Renders late templates; gives a message ready to send. Never sends.

use crate::broker::Delivery;
use crate::model::{
    Forward, Ladder, LateValue, Message, Moment, Name, Payload, Properties, Publish, Scope, Table, TemplateError, Text,
    Value, name_in_series,
};
use crate::player::consumer::job::Held;
use crate::player::message::bad_value::{BadValue, place_in_forward, place_in_publish};
use crate::player::message::view::view_of;
use crate::player::record::memory::Memory;
use crate::player::record::timeline::RetryStep;
use crate::rules::{OverLimit, PublishPart, over_limit};
use crate::source::Span;
use std::sync::Arc;

/// One publish, ready to send.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Composed {
    pub exchange: Name,
    pub routing_key: Name,
    pub mandatory: bool,
    pub message: Arc<Message>,
    /// The name of the message that it is once more.
    pub sent_on: Option<Name>,
}

/// Renders a publish; `n` counts the messages of a series from 1.
pub(crate) fn compose(publish: &Publish, n: u32, scope: &mut Scope) -> Result<Composed, BadValue> {
    // Also where there is one only: a count may come from a matrix.
    scope.insert("n", n.into());
    let text = |text: &Option<Text>| text.as_ref().map(|text| text.render(scope)).transpose();
    let integer = |part: PublishPart, value: &Option<LateValue>, max: i64| -> Result<Option<i64>, BadValue> {
        let Some(value) = value.as_ref().map(|value| value.render(scope)).transpose()? else { return Ok(None) };
        let number = as_number(&value).filter(|n| (0..=max).contains(n));
        let over = || OverLimit::number(part, &value.to_json().to_string(), 0, max);
        number.map(Some).ok_or_else(over).map_err(|over| place_in(publish, over))
    };
    let (body, json) = render_payload(&publish.payload, scope)?;
    let headers = render_pairs(&publish.headers, scope)?;
    let content_type = text(&publish.content_type)?.or_else(|| json.then(|| "application/json".into()));
    let properties = Properties {
        content_type,
        content_encoding: text(&publish.content_encoding)?,
        headers: (!headers.is_empty()).then_some(headers),
        delivery_mode: Some(publish.delivery_mode),
        priority: integer(PublishPart::Priority, &publish.priority, 255)?.map(|n| n as u8),
        correlation_id: text(&publish.correlation_id)?,
        reply_to: text(&publish.reply_to)?,
        expiration: text(&publish.expiration)?,
        message_id: message_id(publish, n, scope)?,
        timestamp: integer(PublishPart::Timestamp, &publish.timestamp, i64::MAX)?.map(|n| n as u64),
        kind: text(&publish.kind)?,
        user_id: text(&publish.user_id)?,
        app_id: text(&publish.app_id)?,
        cluster_id: None,
    };
    let composed = Composed {
        exchange: publish.exchange.render(scope)?,
        routing_key: publish.routing_key.render(scope)?,
        mandatory: publish.mandatory,
        message: Arc::new(Message { properties, body }),
        sent_on: None,
    };
    within_limits(composed, |over| place_in_publish(publish, over))
}

/// Returns what was composed if AMQP can carry it; the place of a fault is that of the template which made the part.
fn within_limits(composed: Composed, place: impl Fn(&OverLimit) -> Option<Span>) -> Result<Composed, BadValue> {
    match over_limit(&composed.exchange, &composed.routing_key, &composed.message) {
        None => Ok(composed),
        Some(over) => Err(BadValue::from(over.clone()).or_at(place(&over))),
    }
}

/// Puts a number that AMQP cannot carry where its template stands.
fn place_in(publish: &Publish, over: OverLimit) -> BadValue {
    let place = place_in_publish(publish, &over);
    BadValue::from(over).or_at(place)
}

/// Returns the id of the n-th message: `burst.3` of a series, unless its own template tells them apart.
fn message_id(publish: &Publish, n: u32, scope: &Scope) -> Result<Option<Name>, TemplateError> {
    let Some(id) = &publish.id else { return Ok(None) };
    let rendered = id.render(scope)?;
    let series = publish.count > 1 && id.fixed().is_some();
    Ok(Some(if series { name_in_series(&rendered, n) } else { rendered }))
}

/// Renders a body and says whether it is JSON.
fn render_payload(payload: &Payload, scope: &Scope) -> Result<(Arc<[u8]>, bool), TemplateError> {
    Ok(match payload {
        Payload::Text(text) => (text.render(scope)?.as_bytes().into(), false),
        Payload::Json(value) => (value.render(scope)?.to_json().to_string().into_bytes().into(), true),
        Payload::Bytes(bytes) => (bytes.clone(), false),
    })
}

/// Renders headers, in file order.
pub(crate) fn render_pairs(pairs: &[(String, LateValue)], scope: &Scope) -> Result<Table, TemplateError> {
    pairs.iter().map(|(key, value)| Ok((key.clone(), value.render(scope)?))).collect()
}

/// Renders the forwarding of a message at hand: properties and headers go with it.
pub(crate) fn compose_forward(forward: &Forward, delivery: &Delivery, scope: &Scope) -> Result<Composed, BadValue> {
    let mut message = Message::clone(&delivery.message);
    let added = render_pairs(&forward.headers, scope)?;
    let mut headers = message.properties.headers.take().unwrap_or_default();
    forward.drop_headers.iter().for_each(|name| drop(headers.shift_remove(name)));
    headers.extend(added);
    message.properties.headers = (!headers.is_empty()).then_some(headers);
    if let Some(id) = &forward.id {
        message.properties.message_id = Some(id.render(scope)?);
    }
    if let Some(expiration) = &forward.expiration {
        message.properties.expiration = Some(expiration.render(scope)?);
    }
    let routing_key = match &forward.routing_key {
        Some(key) => key.render(scope)?,
        None => delivery.routing_key.clone(),
    };
    let exchange = forward.exchange.render(scope)?;
    let mandatory = forward.mandatory;
    let composed = Composed { exchange, routing_key, mandatory, message: Arc::new(message), sent_on: None };
    within_limits(composed, |over| place_in_forward(forward, over))
}

/// Who holds a message, as templates see it.
pub(crate) struct AtHand<'a> {
    pub delivery: &'a Delivery,
    pub name: &'a Name,
    pub attempt: u64,
    /// By the name of the consumer, whichever its instance.
    pub consumer: &'a str,
    pub instance: u16,
    pub moment: Moment,
    /// All that is worked on together; one message where there is no batch.
    pub batch: &'a [Held],
    pub seed: u64,
    pub memory: &'a Memory,
}

/// Returns the names that a rule's templates may use.
pub(crate) fn scope_of(at_hand: &AtHand) -> Scope {
    let message = view_of(at_hand.delivery, at_hand.name);
    let batch: Vec<minijinja::Value> = match at_hand.batch {
        [] | [_] => vec![message.clone()],
        batch => batch.iter().map(|held| view_of(&held.delivery, &held.name)).collect(),
    };
    Scope::from([
        ("message", message),
        ("batch", batch.into()),
        ("attempt", at_hand.attempt.into()),
        ("consumer", at_hand.consumer.into()),
        ("instance", at_hand.instance.into()),
        ("moment", at_hand.moment.0.into()),
    ])
}

/// Composes the answer to a message: to its `reply_to`, under its correlation id unless another is given.
pub(crate) fn compose_reply(
    reply: &Publish,
    delivery: &Delivery,
    to: &Name,
    scope: &mut Scope,
) -> Result<Composed, BadValue> {
    let mut composed = compose(reply, 1, scope)?;
    composed.routing_key = to.clone();
    let asked = &delivery.message.properties;
    if reply.correlation_id.is_none() && asked.correlation_id.is_some() {
        let mut message = Message::clone(&composed.message);
        message.properties.correlation_id = asked.correlation_id.clone();
        composed.message = message.into();
    }
    Ok(composed)
}

/// The header that counts how often a message was sent to a rung.
const RETRIES: &str = "x-retry";

/// What a broker writes into a message: none of it is sent along, so that each trip is told anew on every version
/// (3.10 goes on with a client's x-death, 4.0 begins a new one, DL-22).
pub(crate) const OF_THE_BROKER: [&str; 9] = [
    "x-death",
    "x-first-death-exchange",
    "x-first-death-queue",
    "x-first-death-reason",
    "x-last-death-exchange",
    "x-last-death-queue",
    "x-last-death-reason",
    "x-delivery-count",
    "x-acquired-count",
];

/// Sends a message to its next rung, or to where they are parked, and returns which; no message when it was on the last
/// and nothing follows.
pub(crate) fn compose_retry(ladder: &Ladder, delivery: &Delivery) -> Result<(RetryStep, Option<Composed>), BadValue> {
    let mut message = Message::clone(&delivery.message);
    let mut headers = message.properties.headers.take().unwrap_or_default();
    let tried = headers.get(RETRIES).and_then(as_number).unwrap_or(0).max(0);
    let rung = usize::try_from(tried).ok().and_then(|tried| ladder.rungs.get(tried));
    OF_THE_BROKER.iter().for_each(|name| drop(headers.shift_remove(name)));
    let of = ladder.rungs.len();
    let (place, routing_key) = match (rung, &ladder.parked) {
        (Some(rung), _) => {
            headers.insert(RETRIES.into(), Value::I64(tried + 1));
            (RetryStep::Delay { number: tried + 1, of, delay: rung.clone() }, rung.clone())
        }
        (None, Some(parked)) => (RetryStep::Parked { of }, parked.clone()),
        (None, None) => return Ok((RetryStep::NoneLeft { of }, None)),
    };
    message.properties.headers = (!headers.is_empty()).then_some(headers);
    let exchange = ladder.exchange.clone();
    // Returned rather than lost, should somebody have removed the rung.
    let composed = Composed { exchange, routing_key, mandatory: true, message: message.into(), sent_on: None };
    within_limits(composed, |_| None).map(|composed| (place, Some(composed)))
}

/// Reads an integer out of a number or a text, as templates give either.
fn as_number(value: &Value) -> Option<i64> {
    value.as_integer().or_else(|| value.as_text()?.trim().parse().ok())
}
