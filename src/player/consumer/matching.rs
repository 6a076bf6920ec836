//! Whether a consumer's rule matches a message.
//! A rule's conditions are all asked; a template that fails is an error with its place, never a silent "no".

use crate::broker::Delivery;
use crate::model::{DeathMatcher, Matcher, Message, Scope, TemplateError, Text, Value};
use crate::player::message::bad_value::BadValue;
use crate::player::message::compose::{AtHand, scope_of};
use crate::player::record::memory::chance_falls;
use crate::rules::topic_matches;
use std::cell::OnceCell;

/// The body of a message as JSON, read once for all rules; `None` within: it is no JSON.
pub(crate) type ReadJson = OnceCell<Option<serde_json::Value>>;

/// Returns whether all conditions hold for the message at hand.
pub(crate) fn matches(matcher: &Matcher, at_hand: &AtHand, read: &ReadJson) -> Result<bool, BadValue> {
    if *matcher == Matcher::default() {
        return Ok(true);
    }
    // Most rules hold no template, and what a template sees costs more than the comparison.
    let scope = if matcher.is_fixed() { Scope::new() } else { scope_of(at_hand) };
    Ok(fits(matcher, at_hand.name, at_hand.delivery, read, &scope)?
        && matcher.attempt.is_none_or(|count| count.holds(at_hand.attempt))
        && matcher
            .chance
            .is_none_or(|parts| chance_falls(parts, at_hand.seed, at_hand.consumer, at_hand.name, at_hand.attempt))
        && matcher.seen.as_ref().is_none_or(|seen| at_hand.memory.has_seen(seen, at_hand.delivery, at_hand.moment))
        && when_holds(matcher, &scope)?)
}

/// Returns whether the conditions hold that speak of the message alone.
pub(crate) fn message_matches(matcher: &Matcher, name: &str, delivery: &Delivery) -> Result<bool, BadValue> {
    fits(matcher, name, delivery, &ReadJson::new(), &Scope::new())
}

fn fits(matcher: &Matcher, name: &str, delivery: &Delivery, read: &ReadJson, scope: &Scope) -> Result<bool, BadValue> {
    let message = &delivery.message;
    let text_is = |wanted: &Option<Text>, found: &str, test: fn(&str, &str) -> bool| -> Result<bool, TemplateError> {
        wanted.as_ref().map_or(Ok(true), |text| Ok(test(&text.render(scope)?, found)))
    };
    Ok(text_is(&matcher.id, name, name_matches)?
        && text_is(&matcher.routing_key, &delivery.routing_key, topic_matches)?
        && text_is(&matcher.exchange, &delivery.exchange, |wanted, found| wanted == found)?
        && matcher.redelivered.is_none_or(|wanted| wanted == delivery.redelivered)
        && deaths_match(matcher.x_death.as_ref(), message, scope)?
        && headers_match(matcher, message, scope)?
        && json_matches(matcher, message, read, scope)?)
}

/// Compares a message's name; a trailing `*` in the wanted name matches any ending.
pub(crate) fn name_matches(wanted: &str, found: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(beginning) => found.starts_with(beginning),
        None => wanted == found,
    }
}

fn deaths_match(wanted: Option<&DeathMatcher>, message: &Message, scope: &Scope) -> Result<bool, TemplateError> {
    let Some(wanted) = wanted else { return Ok(true) };
    let render = |text: &Option<Text>| text.as_ref().map(|text| text.render(scope)).transpose();
    let (queue, exchange) = (render(&wanted.queue)?, render(&wanted.exchange)?);
    let fits = message.deaths().filter(|entry| {
        let is = |key: &str, value: Option<&str>| {
            value.is_none_or(|value| entry.get(key).and_then(Value::as_text) == Some(value))
        };
        is("queue", queue.as_deref()) && is("exchange", exchange.as_deref()) && is("reason", wanted.reason.as_deref())
    });
    let counts = fits.map(|entry| entry.get("count").and_then(Value::as_integer).unwrap_or(0).max(0) as u64);
    let total: u64 = counts.sum();
    Ok(wanted.count.map_or(total > 0, |count| count.holds(total)))
}

fn headers_match(matcher: &Matcher, message: &Message, scope: &Scope) -> Result<bool, TemplateError> {
    for (name, wanted) in &matcher.headers {
        let wanted = wanted.render(scope)?;
        if !message.header(name).is_some_and(|found| same_value(&wanted, found)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn json_matches(matcher: &Matcher, message: &Message, read: &ReadJson, scope: &Scope) -> Result<bool, TemplateError> {
    if matcher.json.is_empty() {
        return Ok(true);
    }
    let Some(json) = read.get_or_init(|| serde_json::from_slice(&message.body).ok()) else { return Ok(false) };
    for (path, wanted) in &matcher.json {
        let wanted = wanted.render(scope)?;
        if !at_path(json, path).is_some_and(|found| same_value(&wanted, &Value::from_json(found))) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Finds what stands at a path such as `order.lines.0`.
pub(crate) fn at_path<'j>(json: &'j serde_json::Value, path: &str) -> Option<&'j serde_json::Value> {
    // Pointers have signs of their own for these two, which a path may hold as they are.
    if path.contains(['/', '~']) {
        return json.pointer(&format!("/{}", path.replace('.', "/")));
    }
    path.split('.').try_fold(json, |json, key| match json {
        serde_json::Value::Object(fields) => fields.get(key),
        serde_json::Value::Array(entries) => {
            let is_index = !key.starts_with('+') && (!key.starts_with('0') || key.len() == 1);
            key.parse().ok().filter(|_| is_index).and_then(|index: usize| entries.get(index))
        }
        _ => None,
    })
}

/// Compares values as a reader of the file means them: integers of any width are equal by number.
pub(crate) fn same_value(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b)),
        (Value::Table(a), Value::Table(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same_value(a, b)))
        }
        _ if wanted.as_integer().is_some() => wanted.as_integer() == found.as_integer(),
        _ => wanted == found,
    }
}

fn when_holds(matcher: &Matcher, scope: &Scope) -> Result<bool, BadValue> {
    let Some(template) = &matcher.when else { return Ok(true) };
    let value = template.value(scope).map_err(|error| BadValue::from(error).or_at(Some(template.span)))?;
    Ok(match value {
        serde_json::Value::Bool(yes) => yes,
        serde_json::Value::String(text) => text.trim() == "true",
        _ => false,
    })
}

/// Returns whether a name is the consumer's, or that of an instance of it.
pub(crate) fn is_of(name: &str, consumer: &str) -> bool {
    let number = name.strip_prefix(consumer).and_then(|rest| rest.strip_prefix('.'));
    name == consumer || number.is_some_and(|number| number.parse::<u16>().is_ok())
}
