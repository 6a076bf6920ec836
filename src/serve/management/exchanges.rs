//! Exchanges (MG-5).

use crate::broker::Method;
use crate::model::{Exchange, Name, Table, Value};
use crate::serve::management::answer::{Answered, ApiAnswer};
use crate::serve::management::call::{ManagementCall, flag};
use crate::serve::management::listing::{listed, shown};
use crate::sim::HeldExchange;
use serde_json::{Map, Value as Json, json};

/// Lists those of the vhosts that the user sees, or of one.
pub(crate) fn list(call: &mut ManagementCall<'_>) -> Answered {
    let mut all = Vec::new();
    for vhost in call.vhosts()? {
        all.extend(call.sim().held_exchanges(&vhost).iter().map(|held| object(call, held)));
    }
    listed(call.request, all, &["vhost", "name"])
}

/// Shows one.
pub(crate) fn get(call: &mut ManagementCall<'_>) -> Answered {
    let mut object = object(call, &found(call)?);
    if !call.is_set("disable_stats") {
        object["incoming"] = json!([]);
        object["outgoing"] = json!([]);
    }
    Ok(shown(call.request, object))
}

/// Finds the exchange of the path.
pub(crate) fn found<'c>(call: &'c ManagementCall<'_>) -> Result<HeldExchange<'c>, ApiAnswer> {
    let vhost = call.vhost()?;
    let name = call.id("exchange");
    let held = call.sim().held_exchanges(&vhost).into_iter().find(|held| held.declared.name == *name);
    held.ok_or_else(ApiAnswer::no_object)
}

fn object(call: &ManagementCall<'_>, held: &HeldExchange<'_>) -> Json {
    let it = held.declared;
    let mut object = json!({
        "arguments": table(&it.arguments), "auto_delete": it.auto_delete, "durable": it.durable,
        "internal": it.internal, "name": *it.name, "type": *it.kind,
        "user_who_performed_action": *call.user, "vhost": *it.vhost,
    });
    if let Some(policy) = held.policy {
        object["policy"] = json!(*policy.name);
    }
    if let Some(delayed) = held.delayed {
        object["messages_delayed"] = json!(delayed);
    }
    object
}

/// Declares one.
pub(crate) fn put(call: &mut ManagementCall<'_>) -> Answered {
    let vhost = call.vhost_to_write()?;
    let was_there = found(call).is_ok();
    let body = call.body(&[])?;
    let name = call.name("exchange");
    let asked = read(&vhost, name, &body, false)?;
    call.call(&vhost, Method::DeclareExchange(Box::new(asked))).map_err(|refusal| ApiAnswer::of_method(&refusal))?;
    Ok(ApiAnswer::put(was_there))
}

/// Reads an exchange; `durable` is what one is that does not say.
pub(crate) fn read(vhost: &Name, name: Name, body: &Map<String, Json>, durable: bool) -> Result<Exchange, ApiAnswer> {
    Ok(Exchange {
        vhost: vhost.clone(),
        name,
        kind: body.get("type").and_then(Json::as_str).unwrap_or("direct").into(),
        durable: if body.contains_key("durable") { flag(body, "durable")? } else { durable },
        auto_delete: flag(body, "auto_delete")?,
        internal: flag(body, "internal")?,
        arguments: arguments(body),
    })
}

/// Deletes one.
pub(crate) fn delete(call: &mut ManagementCall<'_>) -> Answered {
    let vhost = call.vhost()?;
    found(call)?;
    let method = Method::DeleteExchange { exchange: call.name("exchange"), if_unused: call.is_set("if-unused") };
    call.call(&vhost, method).map_err(|refusal| ApiAnswer::of_method(&refusal))?;
    Ok(ApiAnswer::done())
}

/// Writes arguments.
pub(crate) fn table(table: &Table) -> Json {
    Value::Table(table.clone()).to_json()
}

/// Reads arguments; null and an empty list are none.
pub(crate) fn arguments(body: &Map<String, Json>) -> Table {
    let map = body.get("arguments").and_then(Json::as_object);
    map.into_iter().flatten().map(|(key, value)| (key.as_str(), Value::from_json(value))).collect()
}
