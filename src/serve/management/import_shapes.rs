//! Values of a wrong type in a definitions file that is imported: RabbitMQ looks at few of them, and fails over the others (MG-12).
//! Takes a list of the body, or an entry of it; gives the answer that ends the import. What a text says is looked at elsewhere.

use crate::model::Profile;
use crate::serve::management::answer::ApiAnswer;
use serde_json::{Map, Value as Json, json};

/// What a failed clause of RabbitMQ's code is called in the answer.
const CLAUSE: &str = "function_clause";

/// What an argument of the wrong type is called.
const ARGUMENT: &str = "badarg";

/// Checks that a list is one, and that it holds objects where RabbitMQ takes nothing else.
pub(crate) fn refuse_list(list: &str, value: &Json) -> Result<(), ApiAnswer> {
    let Json::Array(entries) = value else { return Err(ApiAnswer::crash()) };
    match list == "queues" && !entries.iter().all(Json::is_object) {
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
        "vhosts" => tags(entry.get("tags"), &|tag: &Json| !tag.is_i64() || tag.as_i64() < Some(0)),
        "permissions" => known_user(entry, profile).and_then(|()| rights(false, &["configure", "write", "read"])),
        "topic_permissions" => known_user(entry, profile).and_then(|()| rights(true, &["write", "read"])),
        "global_parameters" if matches!(field("name"), Json::Number(_) | Json::Object(_)) => Err(ApiAnswer::crash()),
        "parameters" if field("component") == "vhost-limits" && field("name") != "limits" => Err(ApiAnswer::crash()),
        "queues" if !field("name").is_string() => Err(ApiAnswer::bad_request(ARGUMENT)),
        "queues" if ["durable", "auto_delete"].iter().any(|key| entry.get(*key) == Some(&Json::Null)) => {
            Err(ApiAnswer::bad_request(CLAUSE))
        }
        "exchanges" if !field("type").is_string() => Err(ApiAnswer::bad_request(ARGUMENT)),
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
    tags(entry.get("tags"), &|tag: &Json| tag.is_f64())?;
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

/// Writes a value as Erlang prints what it decodes to.
fn term(value: &Json) -> String {
    match value {
        Json::String(text) if text.is_empty() => "<<>>".to_owned(),
        Json::String(text) => format!("<<\"{text}\">>"),
        Json::Object(fields) if fields.is_empty() => "#{}".to_owned(),
        other => other.to_string(),
    }
}

/// Checks tags: `is_none` says which numbers are none.
fn tags(tags: Option<&Json>, is_none: &dyn Fn(&Json) -> bool) -> Result<(), ApiAnswer> {
    match tags {
        Some(Json::Bool(_) | Json::Number(_) | Json::Object(_)) => Err(ApiAnswer::bad_request(CLAUSE)),
        Some(Json::Array(items)) => {
            let wrong = items.iter().find(|tag| match tag {
                Json::Number(_) => is_none(tag),
                Json::Array(inner) => !inner.is_empty(),
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
