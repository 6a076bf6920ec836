//! Compares lists of messages with what a file lists: whole or at least these, in order or not.

use crate::model::{
    DeathPattern, Entries, MessagePattern, Name, Order, Properties, Property, PropertyPattern, Scope, Table, Text,
    Value,
};
use crate::player::assert::evidence::list_in_words;
use crate::player::consumer::matching::{name_matches, same_value};
use crate::player::record::failure::{Difference, Finding};
use crate::player::record::outcome::MessageRecord;

/// Compares messages, whole patterns.
pub(crate) fn message_list<M: std::borrow::Borrow<MessageRecord>>(
    field: &str,
    wanted: &Entries<MessagePattern>,
    found: &[M],
    scope: &Scope,
    findings: &mut Vec<Finding>,
) {
    let names: Vec<&Name> = found.iter().map(|record| &record.borrow().name).collect();
    let differences = |pattern: &MessagePattern, i: usize| -> Vec<Finding> {
        let mut differences = Vec::new();
        compare_message(pattern, found[i].borrow(), scope, &mut differences);
        differences
    };
    compare(field, wanted, &names, scope, differences, findings);
}

/// Compares names alone.
pub(crate) fn name_list(
    field: &str,
    wanted: &Entries<MessagePattern>,
    found: &[Name],
    scope: &Scope,
    findings: &mut Vec<Finding>,
) {
    let names: Vec<&Name> = found.iter().collect();
    let differences = |pattern: &MessagePattern, i: usize| -> Vec<Finding> {
        let mut differences = Vec::new();
        text("id", &pattern.id, &found[i], scope, name_matches, &mut differences);
        differences
    };
    compare(field, wanted, &names, scope, differences, findings);
}

/// Compares lists: the lengths, then each entry with its counterpart or with any that is left.
fn compare(
    field: &str,
    wanted: &Entries<MessagePattern>,
    names: &[&Name],
    scope: &Scope,
    differences: impl Fn(&MessagePattern, usize) -> Vec<Finding>,
    findings: &mut Vec<Finding>,
) {
    let wanted_names: Vec<String> = wanted.entries.iter().map(|pattern| pattern_name(pattern, scope)).collect();
    let whole = || {
        let listed = list_in_words(&wanted_names);
        let listed = if wanted.includes { format!("at least {listed}") } else { listed };
        Finding::new(field, listed, list_in_words(names)).by(by_names(wanted, names, scope))
    };
    if wanted.includes || wanted.order == Order::Any {
        let fits = if wanted.order == Order::AsListed {
            in_order(wanted, names.len(), &differences)
        } else {
            in_any_order(wanted, names.len(), &differences)
        };
        if !fits || (!wanted.includes && names.len() != wanted.entries.len()) {
            findings.push(whole());
        }
        return;
    }
    if names.len() != wanted.entries.len() {
        findings.push(whole());
        return;
    }
    for (i, pattern) in wanted.entries.iter().enumerate() {
        for difference in differences(pattern, i) {
            if difference.field == "id" {
                findings.push(whole());
                return;
            }
            let found = Difference::Messages { missing: vec![], surplus: vec![names[i].clone()] };
            let field = format!("{field}[{i}].{}", difference.field);
            findings.push(Finding { field, difference: found, ..difference });
        }
    }
}

/// Tells which messages of a list are missing, and which it does not have a place for.
fn by_names(wanted: &Entries<MessagePattern>, names: &[&Name], scope: &Scope) -> Difference {
    let ids = wanted.entries.iter().map(|pattern| pattern.id.as_ref().map(|id| id.render(scope)));
    let ids: Option<Vec<Name>> = ids.map(|id| id?.ok()).collect();
    let Some(ids) = ids else {
        let fewer = names.len() < wanted.entries.len();
        return if fewer { Difference::Fewer } else { Difference::Value };
    };
    let mut surplus: Vec<Name> = names.iter().map(|name| (*name).clone()).collect();
    let mut missing = Vec::new();
    for id in ids {
        match surplus.iter().position(|name| name_matches(&id, name)) {
            Some(at) => drop(surplus.remove(at)),
            None => missing.push(id),
        }
    }
    if wanted.includes {
        surplus.clear();
    }
    Difference::Messages { missing, surplus }
}

/// Finds each pattern after the one before it.
fn in_order(
    wanted: &Entries<MessagePattern>,
    found: usize,
    differences: &impl Fn(&MessagePattern, usize) -> Vec<Finding>,
) -> bool {
    let mut at = 0;
    wanted.entries.iter().all(|pattern| {
        let hit = (at..found).find(|&i| differences(pattern, i).is_empty());
        at = hit.map_or(found, |i| i + 1);
        hit.is_some()
    })
}

/// Finds a message of its own for each pattern (greedy: patterns of one list rarely overlap).
fn in_any_order(
    wanted: &Entries<MessagePattern>,
    found: usize,
    differences: &impl Fn(&MessagePattern, usize) -> Vec<Finding>,
) -> bool {
    let mut taken = vec![false; found];
    wanted.entries.iter().all(|pattern| {
        let hit = (0..found).find(|&i| !taken[i] && differences(pattern, i).is_empty());
        hit.inspect(|&i| taken[i] = true).is_some()
    })
}

fn pattern_name(pattern: &MessagePattern, scope: &Scope) -> String {
    let rendered = |text: &Text| text.render(scope).map_or_else(|_| "?".to_owned(), |text| text.to_string());
    match (&pattern.id, &pattern.routing_key) {
        (Some(id), _) => rendered(id),
        (None, Some(key)) => format!("one with key {}", rendered(key)),
        (None, None) => "a message".to_owned(),
    }
}

fn text(
    field: &str,
    wanted: &Option<Text>,
    found: &str,
    scope: &Scope,
    test: fn(&str, &str) -> bool,
    findings: &mut Vec<Finding>,
) {
    let Some(wanted) = wanted else { return };
    match wanted.render(scope) {
        Ok(wanted) if test(&wanted, found) => {}
        Ok(wanted) => findings.push(Finding::new(field, wanted, found)),
        Err(error) => findings.push(Finding::new(field, error.message, found)),
    }
}

fn equal(wanted: &str, found: &str) -> bool {
    wanted == found
}

/// Lists the fields of one message that differ.
pub(crate) fn compare_message(
    wanted: &MessagePattern,
    found: &MessageRecord,
    scope: &Scope,
    findings: &mut Vec<Finding>,
) {
    let body = String::from_utf8_lossy(&found.message.body);
    text("id", &wanted.id, &found.name, scope, name_matches, findings);
    text("body", &wanted.body, &body, scope, equal, findings);
    text("routing_key", &wanted.routing_key, &found.routing_key, scope, equal, findings);
    if let Some(wanted) = wanted.exchange.as_ref().filter(|wanted| **wanted != found.exchange) {
        findings.push(Finding::new("exchange", wanted, &found.exchange));
    }
    if let Some(wanted) = wanted.redelivered.filter(|wanted| *wanted != found.redelivered) {
        findings.push(Finding::new("redelivered", wanted, found.redelivered));
    }
    compare_properties(wanted, &found.message.properties, scope, findings);
    json(wanted, &body, scope, findings);
    headers(wanted, found, scope, findings);
    if let Some(deaths) = &wanted.x_death {
        let found = found.message.header("x-death").and_then(Value::as_array).unwrap_or_default();
        death_list(deaths, found, findings);
    }
}

/// Lists the properties that differ; an absent priority is 0, as RabbitMQ takes it (PRI-2).
fn compare_properties(wanted: &MessagePattern, found: &Properties, scope: &Scope, findings: &mut Vec<Finding>) {
    let shown = |property: Property| {
        let number = || found.number(property).map(|number| number.to_string());
        found.text(property).map(|text| text.to_string()).or_else(number)
    };
    for (property, pattern) in &wanted.properties {
        let field = property.as_str();
        let none = || shown(*property).unwrap_or_else(|| "none".to_owned());
        match pattern {
            PropertyPattern::Text(wanted) => match wanted.render(scope) {
                Ok(wanted) if found.text(*property).map_or("", |text| text) == &*wanted => {}
                Ok(wanted) => findings.push(Finding::new(field, wanted, none())),
                Err(error) => findings.push(Finding::new(field, error.message, none())),
            },
            PropertyPattern::Number(wanted) => {
                let absent = (*property == Property::Priority).then_some(0);
                let number = found.number(*property).or(absent);
                if !number.is_some_and(|number| wanted.holds(number)) {
                    findings.push(Finding::new(field, wanted, none()));
                }
            }
        }
    }
    for property in &wanted.without_properties {
        if let Some(found) = shown(*property) {
            findings.push(Finding::new(property.as_str(), "not there", found));
        }
    }
}

fn json(wanted: &MessagePattern, body: &str, scope: &Scope, findings: &mut Vec<Finding>) {
    let Some(wanted) = &wanted.json else { return };
    let found = serde_json::from_str::<serde_json::Value>(body).map(|json| Value::from_json(&json));
    match (wanted.render(scope), found) {
        (Ok(wanted), Ok(found)) if includes_value(&wanted, &found) => {}
        (Ok(wanted), _) => findings.push(Finding::new("json", wanted.to_json(), body)),
        (Err(error), _) => findings.push(Finding::new("json", error.message, body)),
    }
}

/// Returns whether every field that the wanted value names is there; maps may hold more.
fn includes_value(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Table(wanted), Value::Table(found)) => {
            wanted.iter().all(|(key, wanted)| found.get(key).is_some_and(|found| includes_value(wanted, found)))
        }
        _ => same_value(wanted, found),
    }
}

fn headers(wanted: &MessagePattern, found: &MessageRecord, scope: &Scope, findings: &mut Vec<Finding>) {
    for (name, value) in &wanted.headers {
        let there = found.message.header(name);
        match value.render(scope) {
            Ok(value) if there.is_some_and(|there| same_value(&value, there)) => {}
            Ok(value) => {
                let shown = there.map_or("not there".to_owned(), |there| there.to_json().to_string());
                findings.push(Finding::new(format!("headers.{name}"), value.to_json(), shown));
            }
            Err(error) => findings.push(Finding::new(format!("headers.{name}"), error.message, "")),
        }
    }
    for name in &wanted.without_headers {
        if let Some(there) = found.message.header(name) {
            findings.push(Finding::new(format!("headers.{name}"), "not there", there.to_json()));
        }
    }
}

fn death_list(wanted: &Entries<DeathPattern>, found: &[Value], findings: &mut Vec<Finding>) {
    let found: Vec<&Table> = found.iter().filter_map(Value::as_table).collect();
    let whole = || {
        let words: Vec<String> = wanted.entries.iter().map(death_pattern_in_words).collect();
        let there: Vec<String> = found.iter().map(|death| death_in_words(death)).collect();
        Finding::new("x_death", list_in_words(&words), list_in_words(&there))
    };
    let fits = if wanted.includes || wanted.order == Order::Any {
        let all = wanted.entries.iter().all(|pattern| found.iter().any(|death| death_fits(pattern, death)));
        all && (wanted.includes || wanted.entries.len() == found.len())
    } else {
        wanted.entries.len() == found.len() && wanted.entries.iter().zip(&found).all(|(p, death)| death_fits(p, death))
    };
    if !fits {
        findings.push(whole());
    }
}

fn death_fits(wanted: &DeathPattern, found: &Table) -> bool {
    let text = |key: &str| found.get(key).and_then(Value::as_text);
    let count = found.get("count").and_then(Value::as_integer).unwrap_or(0).max(0) as u64;
    let keys = || -> Vec<&str> {
        let keys = found.get("routing-keys").and_then(Value::as_array).unwrap_or_default();
        keys.iter().filter_map(Value::as_text).collect()
    };
    wanted.queue.as_deref().is_none_or(|queue| text("queue") == Some(queue))
        && wanted.reason.as_deref().is_none_or(|reason| text("reason") == Some(reason))
        && wanted.exchange.as_deref().is_none_or(|exchange| text("exchange") == Some(exchange))
        && wanted.count.is_none_or(|range| range.holds(count))
        && wanted.routing_keys.as_ref().is_none_or(|wanted| wanted.iter().map(|key| &**key).eq(keys()))
        && wanted.original_expiration.as_ref().is_none_or(|value| match (value, text("original-expiration")) {
            (Value::Text(wanted), Some(found)) => **wanted == *found,
            (wanted, Some(found)) => wanted.as_integer().is_some_and(|n| n.to_string() == found),
            (Value::Void, None) => true,
            _ => false,
        })
}

fn death_pattern_in_words(death: &DeathPattern) -> String {
    let count = death.count.map_or(String::new(), |count| format!(" x{count}"));
    let reason = death.reason.as_deref().unwrap_or("died");
    format!("{reason} in {}{count}", death.queue.as_deref().unwrap_or("any queue"))
}

fn death_in_words(death: &Table) -> String {
    let text = |key: &str| death.get(key).and_then(Value::as_text).unwrap_or("?");
    let count = death.get("count").and_then(Value::as_integer).unwrap_or(0);
    format!("{} in {} x{count}", text("reason"), text("queue"))
}
