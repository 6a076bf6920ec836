//! Users, their rights and their rights on routing keys (MG-3, MG-4).

use crate::broker::{Management, Refusal};
use crate::model::{Credential, Permission, Secret, TopicPermission, User};
use crate::serve::management::answer::{Answered, ApiAnswer};
use crate::serve::management::call::ManagementCall;
use crate::serve::management::listing::{listed, shown};
use crate::serve::management::vhosts::tags;
use crate::sim::HeldUser;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// The algorithm of hashes that name none.
const ALGORITHM: &str = "rabbit_password_hashing_sha256";

/// Lists all users.
pub(crate) fn list(call: &mut ManagementCall<'_>) -> Answered {
    let all = call.sim().held_users().map(|user| object(call, &user)).collect();
    listed(call.request, all, &["name"])
}

/// Lists the users that have rights in no vhost.
pub(crate) fn without_permissions(call: &mut ManagementCall<'_>) -> Answered {
    let bare = call.sim().held_users().filter(|user| user.permissions.is_empty());
    let bare = bare.map(|user| object(call, &user)).collect();
    listed(call.request, bare, &["name"])
}

/// Shows one.
pub(crate) fn get(call: &mut ManagementCall<'_>) -> Answered {
    let user = call.sim().held_user(call.id("user")).ok_or_else(ApiAnswer::no_object)?;
    Ok(shown(call.request, object(call, &user)))
}

/// Makes one, or changes it; without a password it can log in no more.
pub(crate) fn put(call: &mut ManagementCall<'_>) -> Answered {
    let body = call.body(&[])?;
    let name = call.name("user");
    let was_there = call.sim().held_user(&name).is_some();
    let user = read(&name, &body).map_err(ApiAnswer::bad_request)?;
    put_user(call, user).map_err(|refusal| ApiAnswer::of_act(&refusal))?;
    Ok(ApiAnswer::put(was_there))
}

/// Reads a user; one without a password gets an empty hash, by which nobody logs in.
///
/// # Errors
/// There are no tags.
pub(crate) fn read(name: &str, body: &Map<String, Json>) -> Result<User, String> {
    if !body.contains_key("tags") && !body.contains_key("administrator") {
        return Err("tags_not_present".to_owned());
    }
    let text = |key: &str| body.get(key).and_then(Json::as_str);
    let credential = match (text("password"), text("password_hash")) {
        (Some(password), _) if !password.is_empty() => Credential::Password(Secret::new(password)),
        (_, hash) => {
            let algorithm = text("hashing_algorithm").unwrap_or(ALGORITHM).to_owned();
            Credential::Hash { hash: Secret::new(hash.unwrap_or_default()), algorithm }
        }
    };
    let limits = body.get("limits").and_then(Json::as_object).into_iter().flatten();
    let limits: BTreeMap<String, i64> =
        limits.filter_map(|(name, value)| Some((name.clone(), value.as_i64()?))).collect();
    Ok(User { name: name.into(), credential: Some(credential), tags: tags(body.get("tags")), limits })
}

/// Makes or changes a user, and what it logs in by.
pub(crate) fn put_user(call: &mut ManagementCall<'_>, user: User) -> Result<(), Refusal> {
    let (name, credential) = (user.name.clone(), user.credential.clone());
    call.act(Management::PutUser(Box::new(user)))?;
    call.broker.server.accounts.put(&name, credential);
    Ok(())
}

/// Deletes one; its connections are closed.
pub(crate) fn delete(call: &mut ManagementCall<'_>) -> Answered {
    let user = call.name("user");
    call.act(Management::DeleteUser { user: user.clone() }).map_err(|refusal| ApiAnswer::of_act(&refusal))?;
    call.broker.server.accounts.delete(&user);
    Ok(ApiAnswer::done())
}

/// Deletes those that the body names; who is not there is no error.
pub(crate) fn bulk_delete(call: &mut ManagementCall<'_>) -> Answered {
    let body = call.body(&["users"])?;
    let names = body.get("users").and_then(Json::as_array).into_iter().flatten();
    for name in names.filter_map(Json::as_str) {
        // Who is not there is gone.
        let _ = call.act(Management::DeleteUser { user: name.into() });
        call.broker.server.accounts.delete(name);
    }
    Ok(ApiAnswer::done())
}

/// Writes a user; of a password its hash.
pub(crate) fn object(call: &ManagementCall<'_>, user: &HeldUser<'_>) -> Json {
    let (hash, algorithm) = call.broker.server.accounts.hash_of(user.name).unwrap_or_default();
    let algorithm = if algorithm.is_empty() { ALGORITHM.to_owned() } else { algorithm };
    json!({
        "name": **user.name, "password_hash": hash, "hashing_algorithm": algorithm, "tags": user.tags,
        "limits": user.limits,
    })
}

/// Tells who asks.
pub(crate) fn whoami(call: &mut ManagementCall<'_>) -> Answered {
    let mut who = json!({"name": *call.user, "tags": call.tags});
    if call.profile() >= crate::model::Profile::V4_0 {
        who["is_internal_user"] = json!(true);
    }
    Ok(shown(call.request, who))
}

/// Lists rights: all, those in a vhost, or those of a user.
pub(crate) fn permissions(call: &mut ManagementCall<'_>) -> Answered {
    let (vhost, user) = scope(call)?;
    let rows = call.sim().held_users().flat_map(|user| user.permissions);
    let rows = rows.filter(|row| vhost.as_ref().is_none_or(|vhost| row.vhost == *vhost));
    let rows = rows.filter(|row| user.as_ref().is_none_or(|user| row.user == *user));
    listed(call.request, rows.map(|row| permission(&row)).collect(), &["vhost", "user"])
}

/// Returns the vhost and the user that the path names.
fn scope(call: &ManagementCall<'_>) -> Result<(Option<String>, Option<String>), ApiAnswer> {
    let named = |word: &str| call.ids.iter().find(|(known, _)| *known == word).map(|(_, name)| name.clone());
    let (vhost, user) = (named("vhost"), named("user"));
    if vhost.as_ref().is_some_and(|vhost| call.sim().held_vhost(vhost).is_none())
        || user.as_ref().is_some_and(|user| call.sim().held_user(user).is_none())
    {
        return Err(ApiAnswer::no_object());
    }
    Ok((vhost, user))
}

pub(crate) fn permission(row: &Permission) -> Json {
    json!({
        "user": *row.user, "vhost": *row.vhost, "configure": row.configure, "write": row.write, "read": row.read,
    })
}

/// Shows the rights of a user in a vhost.
pub(crate) fn get_permission(call: &mut ManagementCall<'_>) -> Answered {
    let user = call.sim().held_user(call.id("user")).ok_or_else(ApiAnswer::no_object)?;
    let row = user.permissions.iter().find(|row| row.vhost == *call.id("vhost"));
    row.map(|row| shown(call.request, permission(row))).ok_or_else(ApiAnswer::no_object)
}

/// Sets them.
pub(crate) fn put_permission(call: &mut ManagementCall<'_>) -> Answered {
    let (user, vhost) = (call.name("user"), call.name("vhost"));
    if call.sim().held_user(&user).is_none() || call.sim().held_vhost(&vhost).is_none() {
        return Err(ApiAnswer::bad_request("vhost_or_user_not_found"));
    }
    let body = call.body(&["configure", "write", "read"])?;
    let was_there = get_permission(call).is_ok();
    let text = |key: &str| body.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let row = Permission { user, vhost, configure: text("configure"), write: text("write"), read: text("read") };
    let patterns = [row.configure.clone(), row.write.clone(), row.read.clone()];
    call.act(Management::PutPermission(Box::new(row))).map_err(|refusal| refused_pattern(&refusal, &patterns))?;
    Ok(ApiAnswer::put(was_there))
}

/// Words a pattern that is none as RabbitMQ does: lists of character codes (MG-4).
fn refused_pattern(refusal: &Refusal, patterns: &[String]) -> ApiAnswer {
    let codes = |text: &str| text.chars().map(u32::from).collect::<Vec<u32>>();
    let of = |pattern: &String| {
        let rest = refusal.text.strip_prefix("invalid_regexp ")?.strip_prefix(pattern.as_str())?.strip_prefix(' ')?;
        let (words, at) = rest.rsplit_once(' ')?;
        Some(json!(["invalid_regexp", codes(pattern), [codes(words), at.parse::<u64>().ok()?]]))
    };
    match patterns.iter().find_map(of) {
        Some(reason) => ApiAnswer::bad_request(reason),
        None => ApiAnswer::of_act(refusal),
    }
}

/// Takes them away.
pub(crate) fn delete_permission(call: &mut ManagementCall<'_>) -> Answered {
    get_permission(call)?;
    let act = Management::ClearPermission { user: call.name("user"), vhost: call.name("vhost") };
    call.act(act).map_err(|refusal| ApiAnswer::of_act(&refusal))?;
    Ok(ApiAnswer::done())
}

/// Lists rights on routing keys: all, those in a vhost, or those of a user.
pub(crate) fn topic_permissions(call: &mut ManagementCall<'_>) -> Answered {
    let (vhost, user) = scope(call)?;
    let rows = call.sim().held_users().flat_map(|user| user.topic_permissions);
    let rows = rows.filter(|row| vhost.as_ref().is_none_or(|vhost| row.vhost == *vhost));
    let rows = rows.filter(|row| user.as_ref().is_none_or(|user| row.user == *user));
    listed(call.request, rows.map(topic_permission).collect(), &["vhost", "user"])
}

pub(crate) fn topic_permission(row: &TopicPermission) -> Json {
    json!({
        "user": *row.user, "vhost": *row.vhost, "exchange": *row.exchange, "write": row.write, "read": row.read,
    })
}

/// Lists the rights of a user on routing keys in a vhost.
pub(crate) fn get_topic_permission(call: &mut ManagementCall<'_>) -> Answered {
    let user = call.sim().held_user(call.id("user")).ok_or_else(ApiAnswer::no_object)?;
    let exchange = call.ids.iter().find(|(word, _)| *word == "exchange").map(|(_, name)| name.as_str());
    let rows = user.topic_permissions.iter().filter(|row| row.vhost == *call.id("vhost"));
    let rows = rows.filter(|row| exchange.is_none_or(|exchange| row.exchange == *exchange));
    let rows: Vec<Json> = rows.map(|row| topic_permission(row)).collect();
    if rows.is_empty() { Err(ApiAnswer::no_object()) } else { listed(call.request, rows, &["exchange"]) }
}

/// Sets them for one exchange.
pub(crate) fn put_topic_permission(call: &mut ManagementCall<'_>) -> Answered {
    let (user, vhost) = (call.name("user"), call.name("vhost"));
    if call.sim().held_user(&user).is_none() || call.sim().held_vhost(&vhost).is_none() {
        return Err(ApiAnswer::bad_request("vhost_or_user_not_found"));
    }
    let body = call.body(&["exchange", "write", "read"])?;
    let was_there = get_topic_permission(call).is_ok();
    let text = |key: &str| body.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let row =
        TopicPermission { user, vhost, exchange: text("exchange").into(), write: text("write"), read: text("read") };
    let patterns = [row.write.clone(), row.read.clone()];
    call.act(Management::PutTopicPermission(Box::new(row))).map_err(|refusal| refused_pattern(&refusal, &patterns))?;
    Ok(ApiAnswer::put(was_there))
}

/// Takes them away, for one exchange or for all.
pub(crate) fn delete_topic_permission(call: &mut ManagementCall<'_>) -> Answered {
    let (user, vhost) = (call.name("user"), call.name("vhost"));
    let held = call.sim().held_user(&user).ok_or_else(ApiAnswer::no_object)?;
    let rows = held.topic_permissions.iter().filter(|row| row.vhost == *vhost);
    let all: Vec<_> = rows.map(|row| row.exchange.clone()).collect();
    if all.is_empty() {
        return Err(ApiAnswer::no_object());
    }
    let named = call.ids.iter().find(|(word, _)| *word == "exchange").map(|(_, name)| name.as_str().into());
    for exchange in named.map_or(all, |name| vec![name]) {
        let act = Management::ClearTopicPermission { user: user.clone(), vhost: vhost.clone(), exchange };
        call.act(act).map_err(|refusal| ApiAnswer::of_act(&refusal))?;
    }
    Ok(ApiAnswer::done())
}
