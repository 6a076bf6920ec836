//! Runtime parameters: those of the broker itself, and global ones. Components that come with plugins are not there.

use crate::broker::Management;
use crate::model::Name;
use crate::serve::management::answer::{Answered, ApiAnswer};
use crate::serve::management::call::ManagementCall;
use crate::serve::management::listing::{listed, shown};
use serde_json::{Value as Json, json};

/// Lists those of all components, of one, or of one in a vhost.
pub(crate) fn list(call: &mut ManagementCall<'_>) -> Answered {
    let component = call.ids.iter().find(|(word, _)| *word == "component").map(|(_, name)| name.clone());
    let mut all = Vec::new();
    for vhost in call.vhosts()? {
        all.extend(of_vhost(call, &vhost));
    }
    all.retain(|it| component.as_ref().is_none_or(|component| it["component"] == component.as_str()));
    listed(call.request, all, &["vhost", "component", "name"])
}

/// Lists the parameters of a vhost: its limits and its operator policies are kept as such.
pub(crate) fn of_vhost(call: &ManagementCall<'_>, vhost: &Name) -> Vec<Json> {
    let limits = call.sim().held_vhost(vhost).filter(|held| !held.limits.is_empty());
    let limits = limits
        .map(|held| json!({"value": held.limits, "vhost": **vhost, "component": "vhost-limits", "name": "limits"}));
    let policies = call.sim().held_policies(vhost, true).into_iter().map(|it| {
        let value = json!({
            "pattern": it.pattern, "definition": it.definition, "priority": it.priority,
            "apply-to": it.apply_to.as_str(),
        });
        json!({"value": value, "vhost": **vhost, "component": "operator_policy", "name": *it.name})
    });
    limits.into_iter().chain(policies).collect()
}

/// Shows one.
pub(crate) fn get(call: &mut ManagementCall<'_>) -> Answered {
    let vhost = call.vhost()?;
    let fits = |it: &Json| it["component"] == call.id("component") && it["name"] == call.id("name");
    let found = of_vhost(call, &vhost).into_iter().find(fits).ok_or_else(ApiAnswer::no_object)?;
    Ok(shown(call.request, found))
}

/// Sets one; no component takes any.
pub(crate) fn put(call: &mut ManagementCall<'_>) -> Answered {
    call.vhost_to_write()?;
    call.body(&["value"])?;
    Err(ApiAnswer::bad_request(format!("Validation failed\n\ncomponent {} not found\n", call.id("component"))))
}

/// Takes one away.
pub(crate) fn delete(call: &mut ManagementCall<'_>) -> Answered {
    get(call)?;
    let (vhost, name) = (call.vhost()?, call.name("name"));
    let act = match call.id("component") {
        "operator_policy" => Management::ClearPolicy { vhost, name, operator: true },
        component => Management::ClearParameter { vhost, component: component.into(), name },
    };
    call.act(act).map_err(|refusal| ApiAnswer::of_act(&refusal))?;
    Ok(ApiAnswer::done())
}

/// Lists global ones.
pub(crate) fn list_global(call: &mut ManagementCall<'_>) -> Answered {
    let all = call.broker.memory().global_parameters.iter();
    listed(call.request, all.map(|(name, value)| json!({"name": name, "value": value})).collect(), &["name"])
}

/// Shows a global one.
pub(crate) fn get_global(call: &mut ManagementCall<'_>) -> Answered {
    let name = call.id("name");
    let value = call.broker.memory().global_parameters.get(name).ok_or_else(ApiAnswer::no_object)?;
    Ok(shown(call.request, json!({"name": name, "value": value})))
}

/// Sets a global one.
pub(crate) fn put_global(call: &mut ManagementCall<'_>) -> Answered {
    let body = call.body(&["value"])?;
    let value = body.get("value").cloned().unwrap_or_default();
    let name = call.id("name").to_owned();
    let was_there = call.broker.memory().global_parameters.contains_key(&name);
    set_global(call, name, value);
    Ok(ApiAnswer::put(was_there))
}

/// Sets a global one; the cluster's name is one of them.
pub(crate) fn set_global(call: &mut ManagementCall<'_>, name: String, value: Json) {
    let memory = call.broker.memory_mut();
    if let (true, Some(cluster)) = (name == "cluster_name", value.as_str()) {
        memory.cluster_name = cluster.to_owned();
    }
    memory.global_parameters.insert(name, value);
}

/// Takes a global one away.
pub(crate) fn delete_global(call: &mut ManagementCall<'_>) -> Answered {
    let name = call.id("name").to_owned();
    let gone = call.broker.memory_mut().global_parameters.shift_remove(&name);
    gone.map(|_| ApiAnswer::done()).ok_or_else(ApiAnswer::no_object)
}
