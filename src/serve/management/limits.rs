//! Limits of vhosts and of users (MG-9).

use crate::broker::Management;
use crate::serve::management::answer::{Answered, ApiAnswer};
use crate::serve::management::call::ManagementCall;
use crate::serve::management::listing::listed;
use serde_json::{Value as Json, json};

/// Lists those of the vhosts that the user sees, or of one.
pub(crate) fn of_vhosts(call: &mut ManagementCall<'_>) -> Answered {
    let mut all = Vec::new();
    for name in call.vhosts()? {
        let held = call.sim().held_vhost(&name).filter(|vhost| !vhost.limits.is_empty());
        all.extend(held.map(|vhost| json!({"value": vhost.limits, "vhost": *name})));
    }
    listed(call.request, all, &["vhost"])
}

/// Sets one of a vhost.
pub(crate) fn put_of_vhost(call: &mut ManagementCall<'_>) -> Answered {
    let vhost = call.vhost_to_write()?;
    let value = value(call)?;
    let act = Management::PutVhostLimit { vhost, name: call.name("name"), value };
    call.act(act).map_err(|refusal| ApiAnswer::of_act(&refusal))?;
    Ok(ApiAnswer::done())
}

/// Takes one of a vhost away.
pub(crate) fn delete_of_vhost(call: &mut ManagementCall<'_>) -> Answered {
    let act = Management::ClearVhostLimit { vhost: call.vhost_to_write()?, name: call.name("name") };
    call.act(act).map_err(|refusal| ApiAnswer::of_act(&refusal))?;
    Ok(ApiAnswer::done())
}

/// Lists those of all users, or of one.
pub(crate) fn of_users(call: &mut ManagementCall<'_>) -> Answered {
    let named = call.ids.first().map(|(_, name)| name.clone());
    if named.as_ref().is_some_and(|name| call.sim().held_user(name).is_none()) {
        return Err(ApiAnswer::no_object());
    }
    let held = call.sim().held_users().filter(|user| named.as_ref().is_none_or(|name| user.name == name));
    let held = held.filter(|user| !user.limits.is_empty());
    let all = held.map(|user| json!({"user": **user.name, "value": user.limits})).collect();
    listed(call.request, all, &["user"])
}

/// Sets one of a user.
pub(crate) fn put_of_user(call: &mut ManagementCall<'_>) -> Answered {
    let user = known_user(call)?;
    let value = value(call)?;
    let act = Management::PutUserLimit { user, name: call.name("name"), value };
    call.act(act).map_err(|refusal| ApiAnswer::of_act(&refusal))?;
    Ok(ApiAnswer::done())
}

/// Takes one of a user away.
pub(crate) fn delete_of_user(call: &mut ManagementCall<'_>) -> Answered {
    let act = Management::ClearUserLimit { user: known_user(call)?, name: call.name("name") };
    call.act(act).map_err(|refusal| ApiAnswer::of_act(&refusal))?;
    Ok(ApiAnswer::done())
}

fn known_user(call: &ManagementCall<'_>) -> Result<crate::model::Name, ApiAnswer> {
    let user = call.name("user");
    let is_there = call.sim().held_user(&user).is_some();
    let unknown = ApiAnswer::bad_request(json!(["no_such_user", *user]));
    if is_there { Ok(user) } else { Err(unknown) }
}

fn value(call: &ManagementCall<'_>) -> Result<i64, ApiAnswer> {
    let body = call.body(&["value"])?;
    let value = body.get("value").unwrap_or(&Json::Null);
    let text = value.as_str().and_then(|text| text.parse().ok());
    value.as_i64().or(text).ok_or_else(|| {
        let shown = value.as_str().map_or_else(|| value.to_string(), |text| format!("<<\"{text}\">>"));
        let reason = format!("Validation failed\n\n{} should be a number, actually was {shown}\n", call.id("name"));
        ApiAnswer::bad_request(reason)
    })
}
