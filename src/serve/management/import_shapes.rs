//! Values of a wrong type in a definitions file that is imported: RabbitMQ looks at few of them, and fails over the others (MG-12).
//! Takes a list of the body, or an entry of it; gives the answer that ends the import. What a text says is looked at elsewhere.

use crate::model::{Profile, QueueKind};
use crate::serve::management::answer::ApiAnswer;
use serde_json::{Map, Value as Json, json};

/// What a failed clause of RabbitMQ's code is called in the answer.
const CLAUSE: &str = "function_clause";

/// What an argument of the wrong type is called.
const ARGUMENT: &str = "badarg";

/// Checks that a list is one, and that it holds objects where RabbitMQ takes nothing else.
pub(crate) fn refuse_list(list: &str, value: &Json, profile: Profile) -> Result<(), ApiAnswer> {
    let Json::Array(entries) = value else { return Err(ApiAnswer::crash()) };
    let takes_others = list != "queues" && (list != "bindings" || profile < Profile::V4_0);
    match !takes_others && !entries.iter().all(Json::is_object) {
        true => Err(ApiAnswer::crash()),
        false => Ok(()),
    }
}

/// Checks the fields of an entry.
pub(crate) fn refuse_entry(list: &str, entry: &Map<String, Json>, profile: Profile) -> Result<(), ApiAnswer> {
    let field = |key: &str| entry.get(key).unwrap_or(&Json::Null);
    let rights = |may_be_lists: bool, keys: &[&str]| {
        let is_taken = |value: &Json| value.is_string() || may_be_lists && value.is_array();
        match keys.iter().all(|key| is_taken(field(key))) {
            true => Ok(()),
            false => Err(ApiAnswer::bad_request(ARGUMENT)),
        }
    };
    match list {
        "users" => user(entry, profile),
        "vhosts" => vhost(entry, profile),
        "permissions" => known_user(entry, profile).and_then(|()| rights(false, &["configure", "write", "read"])),
        "topic_permissions" => {
            known_user(entry, profile).and_then(|()| rights(true, &["write", "read"])).and_then(|()| {
                match entry.get("exchange") {
                    Some(Json::String(_)) => Ok(()),
                    other if profile >= Profile::V4_3 => {
                        let shown = other.map_or("undefined".to_owned(), term);
                        Err(ApiAnswer::bad_request(format!("{{no_such_exchange,{shown}}}")))
                    }
                    _ => Ok(()),
                }
            })
        }
        "global_parameters" if is_no_name(field("name")) => Err(ApiAnswer::crash()),
        "policies" => policy(entry, profile),
        "parameters" => parameter(entry, profile),
        "queues" if !field("name").is_string() => Err(ApiAnswer::bad_request(ARGUMENT)),
        "queues" if ["durable", "auto_delete"].iter().any(|key| entry.get(*key) == Some(&Json::Null)) => {
            Err(ApiAnswer::bad_request(CLAUSE))
        }
        "exchanges" if !field("type").is_string() => Err(ApiAnswer::bad_request(ARGUMENT)),
        "exchanges" if profile < Profile::V4_3 && !field("durable").is_boolean() => Err(ApiAnswer::bad_request(CLAUSE)),
        "bindings" if entry.get("routing_key").is_some_and(|key| !key.is_string()) => Err(ApiAnswer::crash()),
        "queues" | "exchanges" | "bindings" => arguments(list, entry.get("arguments")),
        _ => Ok(()),
    }
}

fn user(entry: &Map<String, Json>, profile: Profile) -> Result<(), ApiAnswer> {
    let is_newer = profile >= Profile::V4_0;
    if let Some(hash) = entry.get("password_hash").filter(|hash| !hash.is_string() && **hash != json!([])) {
        return Err(match is_newer {
            true => ApiAnswer::bad_request(format!("{{not_base64,{}}}", term(hash))),
            false => ApiAnswer::bad_request(json!(["not_base64", hash])),
        });
    }
    match entry.get("hashing_algorithm") {
        Some(Json::Number(_) | Json::Object(_)) => return Err(ApiAnswer::bad_request(CLAUSE)),
        Some(Json::Array(items)) if !items.is_empty() => return Err(ApiAnswer::bad_request(ARGUMENT)),
        _ => {}
    }
    if !matches!(entry.get("tags"), Some(Json::String(_) | Json::Array(_))) {
        return Err(ApiAnswer::bad_request(CLAUSE));
    }
    tags(entry.get("tags"))?;
    match entry.get("limits") {
        None => Ok(()),
        Some(Json::Object(limits)) if limits.values().all(Json::is_i64) => Ok(()),
        Some(Json::Array(items)) if items.is_empty() => Err(match is_newer {
            true => ApiAnswer::bad_request("{badmap,[]}"),
            false => ApiAnswer::bad_request(json!(["badmap", []])),
        }),
        Some(limits) if is_newer => Err(ApiAnswer::bad_request(wrong_limits(limits))),
        Some(_) => Err(ApiAnswer::crash()),
    }
}

/// Words what is wrong with limits, as 4.0 and later do.
fn wrong_limits(limits: &Json) -> String {
    let number = |(name, value): (&String, &Json)| {
        let what = "~ts should be a number, actually was ~tp";
        format!("{{errors,[{{\"{what}\",\n          [<<\"{name}\">>,{}]}}]}}", term(value))
    };
    match limits {
        Json::Object(limits) => limits.iter().find(|(_, value)| !value.is_i64()).map(number).unwrap_or_default(),
        Json::Array(_) => {
            format!("{{errors,[{{\"Unrecognised terms ~tp in ~ts\",[{},<<\"user-limits\">>]}}]}}", term(limits))
        }
        _ => format!("{{errors,[{{\"~ts not a list ~tp\",[<<\"user-limits\">>,{}]}}]}}", term(limits)),
    }
}

/// Checks what is said of a vhost that is made.
fn vhost(entry: &Map<String, Json>, profile: Profile) -> Result<(), ApiAnswer> {
    match entry.get("tags") {
        Some(Json::Bool(_) | Json::Number(_) | Json::Object(_)) => return Err(ApiAnswer::bad_request(CLAUSE)),
        Some(Json::Array(items)) => {
            let is_tag = |tag: &&Json| !matches!(tag, Json::Array(_) | Json::Object(_)) && !is_no_count(tag);
            if let Some(wrong) = items.iter().find(|tag| !is_tag(tag)) {
                return Err(no_case(wrong, profile));
            }
        }
        _ => {}
    }
    match entry.get("metadata") {
        None | Some(Json::Object(_)) => Ok(()),
        Some(_) if profile >= Profile::V4_3 => Ok(()),
        Some(Json::Array(_)) if profile >= Profile::V4_0 => Err(ApiAnswer::bad_request("{badmap,[]}")),
        Some(Json::Array(_)) => Err(ApiAnswer::bad_request(json!(["badmap", []]))),
        Some(_) => Err(ApiAnswer::bad_request(CLAUSE)),
    }
}

/// Returns whether a value is a number that counts nothing.
fn is_no_count(value: &Json) -> bool {
    value.is_number() && value.as_u64().is_none()
}

/// Checks the default queue type that the metadata of a vhost have; one that is there is looked at on 4.3 alone.
pub(crate) fn refuse_queue_type(
    vhost: &str,
    was_there: bool,
    metadata: Option<&Map<String, Json>>,
    profile: Profile,
) -> Result<(), ApiAnswer> {
    let Some(kind) = metadata.and_then(|metadata| metadata.get("default_queue_type")) else { return Ok(()) };
    let is_known = kind.as_str().is_some_and(|word| QueueKind::named(word).is_some());
    let is_none = profile >= Profile::V4_3 && (kind.is_null() || kind == "");
    if is_known || is_none || (was_there && profile < Profile::V4_3) {
        return Ok(());
    }
    let invalid = |word: &str| Err(ApiAnswer::bad_request(format!("{word} is not a valid queue type")));
    match kind {
        _ if profile < Profile::V4_0 => Err(ApiAnswer::bad_request(json!(["no_such_vhost", vhost]))),
        _ if profile < Profile::V4_3 => {
            let text = format!("{{case_clause,{{error,invalid_queue_type,{}}}}}", term(kind));
            Err(ApiAnswer::bad_request(text))
        }
        Json::String(word) => invalid(word),
        Json::Bool(word) => invalid(&word.to_string()),
        Json::Array(_) => invalid(""),
        _ => Err(ApiAnswer::bad_request(ARGUMENT)),
    }
}

/// Checks whether a vhost is traced.
pub(crate) fn refuse_tracing(tracing: Option<&Json>, profile: Profile) -> Result<(), ApiAnswer> {
    match tracing {
        None | Some(Json::Bool(_)) => Ok(()),
        Some(other) => Err(no_case(other, profile)),
    }
}

/// Says that RabbitMQ's code knows no case for a value.
fn no_case(value: &Json, profile: Profile) -> ApiAnswer {
    match profile >= Profile::V4_0 {
        true => ApiAnswer::bad_request(format!("{{case_clause,{}}}", term(value))),
        false => ApiAnswer::bad_request(json!(["case_clause", value])),
    }
}

/// Returns whether RabbitMQ fails over a name: null and true are names to it.
fn is_no_name(name: &Json) -> bool {
    match name {
        Json::Number(_) | Json::Object(_) => true,
        Json::Array(items) => !items.is_empty(),
        _ => false,
    }
}

/// Checks the name of a policy; what it says is looked at elsewhere.
fn policy(entry: &Map<String, Json>, profile: Profile) -> Result<(), ApiAnswer> {
    match entry.get("name") {
        None => {
            let vhost = entry.get("vhost").and_then(Json::as_str).unwrap_or_default();
            let text = format!("policy in virtual host '{vhost}' has undefined name");
            Err(ApiAnswer::bad_request(if profile >= Profile::V4_0 { format!("\"{text}\"") } else { text }))
        }
        Some(name) => named_policy(name, profile),
    }
}

fn named_policy(name: &Json, profile: Profile) -> Result<(), ApiAnswer> {
    let fails = profile >= Profile::V4_0 && (is_no_name(name) || name.is_array());
    if fails { Err(ApiAnswer::crash()) } else { Ok(()) }
}

/// Checks a parameter: limits of a vhost, and the name of an operator policy.
fn parameter(entry: &Map<String, Json>, profile: Profile) -> Result<(), ApiAnswer> {
    let text = |key: &str| entry.get(key).and_then(Json::as_str);
    match text("component") {
        Some("operator_policy") => entry.get("name").map_or(Ok(()), |name| named_policy(name, profile)),
        Some("vhost-limits") if text("name") != Some("limits") => Err(ApiAnswer::crash()),
        Some("vhost-limits") => {
            let wrong = match entry.get("value") {
                Some(Json::Object(limits)) => limits
                    .iter()
                    .find(|(_, value)| !value.is_i64())
                    .map(|(name, value)| format!("{name} should be a number, actually was {}", term(value))),
                Some(Json::Array(items)) if items.is_empty() => None,
                Some(items @ Json::Array(_)) => Some(format!("Unrecognised terms {} in limits", term(items))),
                other => Some(format!("limits not a list {}", other.map_or("undefined".to_owned(), term))),
            };
            let vhost = text("vhost").unwrap_or_default();
            wrong.map_or(Ok(()), |wrong| Err(invalid(&wrong, [vhost, "vhost-limits", "limits"], profile)))
        }
        _ => Ok(()),
    }
}

/// Says that a parameter's value is not valid, and which parameter: vhost, component and name.
fn invalid(wrong: &str, [vhost, component, name]: [&str; 3], profile: Profile) -> ApiAnswer {
    // Up to 4.0 the text is made for a page.
    let escaped = || wrong.replace('<', "&lt;").replace('>', "&gt;");
    let short = || format!("Validation failed\n\n{}\n ({vhost}/{component}/{name})", escaped());
    ApiAnswer::bad_request(match profile {
        _ if profile < Profile::V4_0 => short(),
        _ if profile < Profile::V4_3 => format!("<<{}>>", json!(short())),
        _ => {
            let place = format!("(vhost: \"{vhost}\" / component: \"{component}\" / key: \"{name}\")");
            format!("Validation failed\n\n{wrong}\n {place}")
        }
    })
}

/// Writes a value as Erlang prints what it decodes to.
fn term(value: &Json) -> String {
    match value {
        Json::String(text) if text.is_empty() => "<<>>".to_owned(),
        Json::String(text) => format!("<<\"{text}\">>"),
        Json::Object(fields) if fields.is_empty() => "#{}".to_owned(),
        other => other.to_string(),
    }
}

/// Checks the tags of a user; a list of numbers is a text to RabbitMQ.
fn tags(tags: Option<&Json>) -> Result<(), ApiAnswer> {
    match tags {
        Some(Json::Bool(_) | Json::Number(_) | Json::Object(_)) => Err(ApiAnswer::bad_request(CLAUSE)),
        Some(Json::Array(items)) => {
            let wrong = items.iter().find(|tag| match tag {
                Json::Number(_) => tag.is_f64(),
                Json::Array(inner) => !inner.iter().all(Json::is_u64),
                _ => false,
            });
            match wrong {
                None => Ok(()),
                Some(Json::Array(_)) => Err(ApiAnswer::bad_request(ARGUMENT)),
                Some(_) => Err(ApiAnswer::bad_request(CLAUSE)),
            }
        }
        _ => Ok(()),
    }
}

fn known_user(entry: &Map<String, Json>, profile: Profile) -> Result<(), ApiAnswer> {
    match entry.get("user") {
        Some(Json::String(_)) => Ok(()),
        _ if profile >= Profile::V4_0 => Err(ApiAnswer::bad_request(CLAUSE)),
        None => Err(ApiAnswer::bad_request(json!(["no_such_user", "undefined"]))),
        Some(_) => Ok(()),
    }
}

fn arguments(list: &str, arguments: Option<&Json>) -> Result<(), ApiAnswer> {
    match arguments {
        None => Ok(()),
        Some(Json::Array(items)) if items.is_empty() || list != "queues" => Ok(()),
        Some(Json::Array(_)) => Err(ApiAnswer::bad_request(ARGUMENT)),
        Some(Json::Object(fields)) if fields.values().any(holds_null) => {
            Err(ApiAnswer::bad_request("null_not_allowed"))
        }
        Some(Json::Object(_)) => Ok(()),
        Some(_) => Err(ApiAnswer::bad_request(CLAUSE)),
    }
}

fn holds_null(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.iter().any(holds_null),
        Json::Object(fields) => fields.values().any(holds_null),
        _ => false,
    }
}
