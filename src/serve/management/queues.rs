//! Queues with their counts, and what is done with one as a whole (MG-5, MG-6, MG-13, MG-16).

use crate::broker::Method;
use crate::model::{Name, Profile, Queue, QueueKind};
use crate::serve::management::answer::{Answered, ApiAnswer};
use crate::serve::management::call::{ManagementCall, flag};
use crate::serve::management::connections::{consumer_object, owner_details};
use crate::serve::management::exchanges::{arguments, table};
use crate::serve::management::listing::{listed, shown};
use crate::serve::management::memory::NODE;
use crate::sim::HeldQueue;
use serde_json::{Map, Value as Json, json};

/// Lists those of the vhosts that the user sees, or of one.
pub(crate) fn list(call: &mut ManagementCall<'_>) -> Answered {
    let mut all = Vec::new();
    for vhost in call.vhosts()? {
        all.extend(call.sim().held_queues(&vhost).iter().map(|held| object(call, held)));
    }
    listed(call.request, all, &["vhost", "name"])
}

/// Shows one.
pub(crate) fn get(call: &mut ManagementCall<'_>) -> Answered {
    let held = found(call)?;
    let mut object = object(call, &held);
    if !call.is_set("disable_stats") {
        let own = call.sim().held_consumers().filter(|it| *it.queue == held.declared.id());
        let consumers: Vec<Json> = own.map(|consumer| consumer_object(call, &consumer)).collect();
        object["consumer_details"] = json!(consumers);
        object["deliveries"] = json!([]);
        object["incoming"] = json!([]);
    }
    Ok(shown(call.request, object))
}

/// Finds the queue of the path.
pub(crate) fn found<'c>(call: &'c ManagementCall<'_>) -> Result<HeldQueue<'c>, ApiAnswer> {
    call.sim().held_queue(call.id("vhost"), call.id("queue")).ok_or_else(ApiAnswer::no_object)
}

/// Writes a queue; without statistics it has no counts, unless its totals are asked for.
fn object(call: &ManagementCall<'_>, held: &HeldQueue<'_>) -> Json {
    let it = held.declared;
    let (without, totals) = (call.is_set("disable_stats"), call.is_set("enable_queue_totals"));
    let mut object = Map::new();
    let mut put = |key: &str, value: Json| drop(object.insert(key.to_owned(), value));
    put("arguments", table(&it.arguments));
    put("auto_delete", json!(it.auto_delete));
    if !without || totals {
        let ready = held.ready + held.delayed;
        put("messages", json!(ready + held.unacked + held.dead_lettering));
        put("messages_ready", json!(ready));
        put("messages_unacknowledged", json!(held.unacked));
    }
    if !without || call.profile() >= Profile::V4_3 {
        put("policy", json!(held.policy.map(|policy| &*policy.name)));
        put("operator_policy", json!(held.operator_policy.map(|policy| &*policy.name)));
        put("effective_policy_definition", json!(held.effective));
    }
    put("durable", json!(it.durable));
    put("exclusive", json!(it.exclusive));
    if call.profile() >= Profile::V4_3 {
        put("internal", json!(false));
        put("internal_owner", json!(false));
    }
    put("name", json!(*it.name));
    put("node", json!(NODE));
    put("state", json!("running"));
    put("type", json!(held.kind.as_str()));
    put("vhost", json!(*it.vhost));
    if held.kind == QueueKind::Quorum {
        put("leader", json!(NODE));
        put("members", json!([NODE]));
        put("online", json!([NODE]));
        if let Some(limit) = held.delivery_limit {
            put("delivery_limit", json!(limit));
        }
    }
    if !without {
        put("consumers", json!(held.consumers));
        put("consumer_capacity", json!(f64::from(u8::from(held.consumers > 0))));
        put("consumer_utilisation", json!(f64::from(u8::from(held.consumers > 0))));
        let active = held.active.map(|(tag, _)| &**tag);
        put("exclusive_consumer_tag", json!(active.filter(|_| !held.single_active)));
        put("single_active_consumer_tag", json!(active.filter(|_| held.single_active)));
        if held.kind == QueueKind::Quorum {
            put("messages_dlx", json!(held.dead_lettering));
            if call.profile() >= Profile::V4_3 {
                put("messages_delayed", json!(held.delayed));
            }
        }
    }
    if let Some(owner) = held.owner {
        put("owner_pid_details", owner_details(call, owner));
    }
    Json::Object(object)
}

/// Declares one.
pub(crate) fn put(call: &mut ManagementCall<'_>) -> Answered {
    let vhost = call.vhost_to_write()?;
    let was_there = found(call).is_ok();
    let body = call.body(&[])?;
    let asked = read(&vhost, call.name("queue"), &body, false)?;
    call.call(&vhost, Method::DeclareQueue(Box::new(asked))).map_err(|refusal| ApiAnswer::of_method(&refusal))?;
    Ok(ApiAnswer::put(was_there))
}

/// Reads a queue; `durable` is what one is that does not say.
pub(crate) fn read(vhost: &Name, name: Name, body: &Map<String, Json>, durable: bool) -> Result<Queue, ApiAnswer> {
    Ok(Queue {
        vhost: vhost.clone(),
        name,
        durable: if body.contains_key("durable") { flag(body, "durable")? } else { durable },
        auto_delete: flag(body, "auto_delete")?,
        exclusive: false,
        arguments: arguments(body),
    })
}

/// Deletes one.
pub(crate) fn delete(call: &mut ManagementCall<'_>) -> Answered {
    let vhost = call.vhost()?;
    found(call)?;
    let method = Method::DeleteQueue {
        queue: call.name("queue"),
        if_unused: call.is_set("if-unused"),
        if_empty: call.is_set("if-empty"),
    };
    call.call(&vhost, method).map_err(|refusal| ApiAnswer::of_method(&refusal))?;
    Ok(ApiAnswer::done())
}

/// Takes all that is ready out of one.
pub(crate) fn purge(call: &mut ManagementCall<'_>) -> Answered {
    let vhost = call.vhost()?;
    found(call)?;
    let method = Method::Purge { queue: call.name("queue") };
    call.call(&vhost, method).map_err(|refusal| ApiAnswer::of_method(&refusal))?;
    Ok(ApiAnswer::done())
}
