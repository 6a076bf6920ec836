//! Policies and operator policies (MG-8, PO-9).

use crate::broker::Management;
use crate::model::{ApplyTo, Name, Policy};
use crate::rules::Differences;
use crate::serve::management::answer::{Answered, ApiAnswer};
use crate::serve::management::call::ManagementCall;
use crate::serve::management::listing::{listed, shown};
use serde_json::{Map, Value as Json, json};

/// Lists policies.
pub(crate) fn list(call: &mut ManagementCall<'_>) -> Answered {
    all(call, false)
}

/// Lists operator policies.
pub(crate) fn list_operator(call: &mut ManagementCall<'_>) -> Answered {
    all(call, true)
}

fn all(call: &mut ManagementCall<'_>, operator: bool) -> Answered {
    let mut all = Vec::new();
    for vhost in call.vhosts()? {
        all.extend(call.sim().held_policies(&vhost, operator).into_iter().map(object));
    }
    listed(call.request, all, &["vhost", "name"])
}

pub(crate) fn object(it: &Policy) -> Json {
    json!({
        "vhost": *it.vhost, "name": *it.name, "pattern": it.pattern, "apply-to": it.apply_to.as_str(),
        "definition": it.definition, "priority": it.priority,
    })
}

/// Shows a policy.
pub(crate) fn get(call: &mut ManagementCall<'_>) -> Answered {
    Ok(shown(call.request, object(found(call, false)?)))
}

/// Shows an operator policy.
pub(crate) fn get_operator(call: &mut ManagementCall<'_>) -> Answered {
    Ok(shown(call.request, object(found(call, true)?)))
}

fn found<'c>(call: &'c ManagementCall<'_>, operator: bool) -> Result<&'c Policy, ApiAnswer> {
    let all = call.sim().held_policies(call.id("vhost"), operator);
    all.into_iter().find(|policy| policy.name == *call.id("name")).ok_or_else(ApiAnswer::no_object)
}

/// Sets a policy.
pub(crate) fn put(call: &mut ManagementCall<'_>) -> Answered {
    set(call, false)
}

/// Sets an operator policy.
pub(crate) fn put_operator(call: &mut ManagementCall<'_>) -> Answered {
    set(call, true)
}

fn set(call: &mut ManagementCall<'_>, operator: bool) -> Answered {
    let vhost = call.vhost_to_write()?;
    let was_there = found(call, operator).is_ok();
    let body = call.body(&["pattern", "definition"])?;
    let rules = call.broker.differences();
    let policy = read(&vhost, call.name("name"), &body, rules).map_err(ApiAnswer::bad_request)?;
    call.act(Management::PutPolicy { policy: Box::new(policy), operator })
        .map_err(|refusal| ApiAnswer::bad_request(with_end(&refusal.text)))?;
    Ok(ApiAnswer::put(was_there))
}

/// Reads a policy.
///
/// # Errors
/// A field is not of its type, in RabbitMQ's words.
pub(crate) fn read(vhost: &Name, name: Name, body: &Map<String, Json>, rules: &Differences) -> Result<Policy, String> {
    let shown = |json: &Json| match json {
        Json::String(text) => format!("<<\"{text}\">>"),
        other => other.to_string(),
    };
    let failed = |text: String| format!("Validation failed\n\n{text}\n");
    let pattern = match body.get("pattern") {
        Some(Json::String(pattern)) => pattern.clone(),
        other => {
            return Err(failed(format!(
                "pattern should be binary, actually was {}",
                shown(other.unwrap_or(&Json::Null))
            )));
        }
    };
    let apply_to = match body.get("apply-to").or_else(|| body.get("apply_to")) {
        None => ApplyTo::All,
        Some(Json::Null) => return Err(failed(unknown_apply_to("null", rules))),
        Some(Json::String(word)) => ApplyTo::named(word).ok_or_else(|| failed(unknown_apply_to(word, rules)))?,
        Some(other) => return Err(failed(format!("apply-to '{}' unrecognised", shown(other)))),
    };
    let priority = match body.get("priority") {
        None => 0,
        // A policy with a fraction is ordered among the others as one of the whole number below.
        Some(number) => number
            .as_i64()
            .or_else(|| number.as_f64().map(|number| number.floor() as i64))
            .ok_or_else(|| failed(format!("priority should be a number, actually was {}", shown(number))))?,
    };
    let definition = match body.get("definition") {
        Some(Json::Object(definition)) => definition.clone().into_iter().collect(),
        other => {
            return Err(failed(format!(
                "definition should be a map, actually was {}",
                shown(other.unwrap_or(&Json::Null))
            )));
        }
    };
    Ok(Policy { vhost: vhost.clone(), name, pattern, apply_to, priority, definition })
}

/// Words a target that is none.
fn unknown_apply_to(word: &str, rules: &Differences) -> String {
    let known = match rules.apply_to_types {
        true => "one of: 'queues', 'classic_queues',  'quorum_queues', 'streams', 'exchanges', or 'all'",
        false => "'queues', 'exchanges' or 'all'",
    };
    format!("apply-to '{word}' unrecognised; should be {known}")
}

/// Ends a text as the API does, with a line's end.
pub(crate) fn with_end(text: &str) -> String {
    format!("{}\n", text.trim_end_matches('\n'))
}

/// Takes a policy away.
pub(crate) fn delete(call: &mut ManagementCall<'_>) -> Answered {
    clear(call, false)
}

/// Takes an operator policy away.
pub(crate) fn delete_operator(call: &mut ManagementCall<'_>) -> Answered {
    clear(call, true)
}

fn clear(call: &mut ManagementCall<'_>, operator: bool) -> Answered {
    let act = Management::ClearPolicy { vhost: call.vhost()?, name: call.name("name"), operator };
    call.act(act).map_err(|refusal| ApiAnswer::of_act(&refusal))?;
    Ok(ApiAnswer::done())
}
