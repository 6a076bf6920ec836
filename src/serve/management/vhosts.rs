//! Virtual hosts and their protection (MG-2).

use crate::broker::Management;
use crate::model::{Name, Permission, Profile, QueueKind, Vhost};
use crate::serve::management::answer::{Answered, ApiAnswer};
use crate::serve::management::call::ManagementCall;
use crate::serve::management::listing::{listed, listed_whole, shown};
use crate::serve::management::memory::NODE;
use crate::sim::HeldVhost;
use serde_json::{Map, Value as Json, json};

/// Lists the vhosts that the user sees.
pub(crate) fn list(call: &mut ManagementCall<'_>) -> Answered {
    let names = call.vhosts()?;
    let profile = call.profile();
    let all = call.sim().held_vhosts().filter(|vhost| names.contains(vhost.name));
    let all = all.map(|vhost| with_totals(call, &vhost, profile)).collect();
    // From 4.0 on these are maps to RabbitMQ, which it does not narrow.
    let answer = if profile >= Profile::V4_0 { listed_whole } else { listed };
    answer(call.request, all, &["name"])
}

/// Shows one.
pub(crate) fn get(call: &mut ManagementCall<'_>) -> Answered {
    let name = call.vhost()?;
    let vhost = call.sim().held_vhost(&name).ok_or_else(ApiAnswer::no_object)?;
    Ok(shown(call.request, with_totals(call, &vhost, call.profile())))
}

/// Makes one, or changes it: what is not said is as for a new one.
pub(crate) fn put(call: &mut ManagementCall<'_>) -> Answered {
    let body = call.body(&[])?;
    let name = call.name("vhost");
    let was_there = call.sim().held_vhost(&name).is_some();
    let text = |key: &str| body.get(key).and_then(Json::as_str).map(str::to_owned);
    // 3.10 knows the other spelling alone.
    let spelling = if call.profile() == Profile::V3_10 { "defaultqueuetype" } else { "default_queue_type" };
    let vhost = Vhost {
        name: name.clone(),
        description: Some(text("description").unwrap_or_default()),
        tags: Some(tags(body.get("tags"))),
        default_queue_type: text(spelling).or_else(|| text("defaultqueuetype")),
        protected_from_deletion: body.get("protected_from_deletion").and_then(Json::as_bool).filter(|_| !was_there),
        ..Vhost::default()
    };
    call.broker.replace_vhost(&vhost).map_err(|refusal| ApiAnswer::of_act(&refusal))?;
    if let Some(on) = body.get("tracing").and_then(Json::as_bool) {
        call.broker.trace_vhost(&name, on);
    }
    if !was_there {
        grant_all(call, name);
    }
    Ok(ApiAnswer::put(was_there))
}

/// Grants the maker of a vhost all rights in it.
pub(crate) fn grant_all(call: &mut ManagementCall<'_>, vhost: Name) {
    let all = || ".*".to_owned();
    let own = Permission { user: call.user.clone(), vhost, configure: all(), write: all(), read: all() };
    // Both are there.
    let _ = call.act(Management::PutPermission(Box::new(own)));
}

/// Deletes one with all that is in it.
pub(crate) fn delete(call: &mut ManagementCall<'_>) -> Answered {
    let vhost = call.vhost()?;
    call.act(Management::DeleteVhost { vhost }).map_err(|refusal| ApiAnswer::of_act(&refusal))?;
    Ok(ApiAnswer::done())
}

/// Protects one from being deleted, or lifts that.
pub(crate) fn protect(call: &mut ManagementCall<'_>) -> Answered {
    let name = call.vhost()?;
    let protected_from_deletion = Some(call.request.method == "POST");
    let vhost = Vhost { name, protected_from_deletion, ..Vhost::default() };
    call.act(Management::PutVhost(Box::new(vhost))).map_err(|refusal| ApiAnswer::of_act(&refusal))?;
    Ok(ApiAnswer::done())
}

fn with_totals(call: &ManagementCall<'_>, vhost: &HeldVhost<'_>, profile: Profile) -> Json {
    let mut object = object(vhost, profile);
    let queues = call.sim().held_queues(vhost.name);
    let sum = |count: fn(&crate::sim::HeldQueue<'_>) -> u64| queues.iter().map(count).sum::<u64>();
    let (ready, unacked) = (sum(|queue| queue.ready + queue.delayed), sum(|queue| queue.unacked));
    if !queues.is_empty() && call.request.parameter("disable_stats").as_deref() != Some("true") {
        object.insert("messages".into(), json!(ready + unacked));
        object.insert("messages_ready".into(), json!(ready));
        object.insert("messages_unacknowledged".into(), json!(unacked));
    }
    object.insert("tracing".into(), json!(call.sim().is_traced(vhost.name)));
    object.insert("cluster_state".into(), json!({NODE: "running"}));
    Json::Object(object)
}

/// Writes a vhost's own fields.
pub(crate) fn object(vhost: &HeldVhost<'_>, profile: Profile) -> Map<String, Json> {
    let mut object = Map::new();
    object.insert("name".into(), json!(**vhost.name));
    object.insert("description".into(), json!(vhost.description));
    object.insert("tags".into(), json!(vhost.tags));
    object.insert("default_queue_type".into(), json!(default_type(vhost, profile).unwrap_or("undefined")));
    if profile >= Profile::V4_1 {
        object.insert("protected_from_deletion".into(), json!(vhost.protected_from_deletion));
    }
    object.insert("metadata".into(), metadata(vhost, profile));
    object
}

/// Writes what is kept of a vhost beside its name.
pub(crate) fn metadata(vhost: &HeldVhost<'_>, profile: Profile) -> Json {
    let mut metadata = json!({"description": vhost.description, "tags": vhost.tags});
    if let Some(kind) = default_type(vhost, profile) {
        metadata["default_queue_type"] = json!(kind);
    }
    if vhost.protected_from_deletion {
        metadata["protected_from_deletion"] = json!(true);
    }
    metadata
}

fn default_type(vhost: &HeldVhost<'_>, profile: Profile) -> Option<&'static str> {
    // From 4.0 on each has one.
    let usual = (profile >= Profile::V4_0).then_some("classic");
    vhost.default_queue_type.map(QueueKind::as_str).or(usual)
}

/// Reads tags: a list, or a text with commas.
pub(crate) fn tags(json: Option<&Json>) -> Vec<String> {
    match json {
        Some(Json::Array(tags)) => tags.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        Some(Json::String(tags)) => {
            tags.split(',').map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect()
        }
        _ => Vec::new(),
    }
}
