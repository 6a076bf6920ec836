//! Imports of definitions: what is missing is added, in RabbitMQ's order; what is there stays as it is (MG-12). The first
//! thing that is refused ends it, and what was made before that stays.

use crate::broker::{Management, Method, Refusal, code};
use crate::model::{Binding, DestinationKind, Name, Permission, Profile, TopicPermission, Vhost};
use crate::serve::management::answer::{Answered, ApiAnswer};
use crate::serve::management::call::ManagementCall;
use crate::serve::management::exchanges::{self, arguments};
use crate::serve::management::import_shapes::{refuse_entry, refuse_list, refuse_queue_type, refuse_tracing};
use crate::serve::management::parameters::set_global;
use crate::serve::management::policies;
use crate::serve::management::queues;
use crate::serve::management::users;
use crate::serve::management::vhosts::{grant_all, tags};
use serde_json::{Map, Value as Json};

type Entry = Map<String, Json>;

/// Imports into the whole broker.
pub(crate) fn import(call: &mut ManagementCall<'_>) -> Answered {
    let body = parsed(call)?;
    each(call, &body, "users", user)?;
    each(call, &body, "vhosts", vhost)?;
    each(call, &body, "permissions", permission)?;
    each(call, &body, "exchanges", |call, entry| exchange(call, None, entry))?;
    each(call, &body, "topic_permissions", topic_permission)?;
    each(call, &body, "global_parameters", global_parameter)?;
    each(call, &body, "policies", |call, entry| policy(call, None, entry))?;
    each(call, &body, "parameters", |call, entry| parameter(call, None, entry))?;
    each(call, &body, "queues", |call, entry| queue(call, None, entry))?;
    each(call, &body, "bindings", |call, entry| binding(call, None, entry))?;
    Ok(ApiAnswer::done())
}

/// Imports into the vhost of the path, whatever vhost the file is of.
pub(crate) fn import_vhost(call: &mut ManagementCall<'_>) -> Answered {
    let into = &call.vhost_to_write()?;
    let body = parsed(call)?;
    each(call, &body, "exchanges", |call, entry| exchange(call, Some(into), entry))?;
    each(call, &body, "parameters", |call, entry| parameter(call, Some(into), entry))?;
    each(call, &body, "policies", |call, entry| policy(call, Some(into), entry))?;
    each(call, &body, "queues", |call, entry| queue(call, Some(into), entry))?;
    each(call, &body, "bindings", |call, entry| binding(call, Some(into), entry))?;
    Ok(ApiAnswer::done())
}

fn parsed(call: &ManagementCall<'_>) -> Result<Entry, ApiAnswer> {
    call.request.map().map_err(|_| ApiAnswer::bad_request("failed_to_parse_json"))
}

/// Takes the entries of a list one after another.
fn each<'c>(
    call: &mut ManagementCall<'c>,
    body: &Entry,
    list: &str,
    take: impl Fn(&mut ManagementCall<'c>, &Entry) -> Result<(), ApiAnswer>,
) -> Result<(), ApiAnswer> {
    let Some(value) = body.get(list) else { return Ok(()) };
    let profile = call.profile();
    refuse_list(list, value, profile)?;
    let entries = value.as_array().into_iter().flatten();
    entries.filter_map(Json::as_object).try_for_each(|entry| {
        refuse_entry(list, entry, profile)?;
        take(call, entry)
    })
}

fn text(entry: &Entry, key: &str) -> String {
    entry.get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// Returns where an entry belongs: into the vhost of the path, or the one that it names.
fn home(call: &ManagementCall<'_>, into: Option<&Name>, entry: &Entry) -> Result<Name, ApiAnswer> {
    let named = || entry.get("vhost").and_then(Json::as_str).map(Name::from);
    match into.cloned().or_else(named) {
        None => {
            let text = "Virtual host does not exist and is not specified in definitions file.";
            Err(ApiAnswer::bad_request(text))
        }
        Some(vhost) if call.sim().held_vhost(&vhost).is_none() => Err(ApiAnswer::bad_request(format!(
            "Please create virtual host \"{vhost}\" prior to importing definitions."
        ))),
        Some(vhost) => Ok(vhost),
    }
}

fn act(call: &mut ManagementCall<'_>, act: Management) -> Result<(), ApiAnswer> {
    call.act(act).map(|_| ()).map_err(|refusal| ApiAnswer::bad_request(refusal.text))
}

/// Has something done with all rights.
fn perform(call: &mut ManagementCall<'_>, vhost: &Name, method: Method) -> Result<(), Refusal> {
    call.broker.directly_for_all(call.now_ms, vhost, |sim| sim.call_directly(method)).map(|_| ())
}

/// Words a refusal as an import does: the code's name in small letters, and the text.
fn refused(refusal: &Refusal) -> ApiAnswer {
    let name = code::name(refusal.code).to_lowercase();
    ApiAnswer::bad_request(format!("{name}: {}", refusal.without_code_name()))
}

fn user(call: &mut ManagementCall<'_>, entry: &Entry) -> Result<(), ApiAnswer> {
    let user = users::read(&text(entry, "name"), entry).map_err(ApiAnswer::bad_request)?;
    users::put_user(call, user).map_err(|refusal| ApiAnswer::bad_request(refusal.text))
}

fn vhost(call: &mut ManagementCall<'_>, entry: &Entry) -> Result<(), ApiAnswer> {
    let metadata = entry.get("metadata").and_then(Json::as_object);
    let field = |key: &str| entry.get(key).or_else(|| metadata?.get(key));
    let plain = |key: &str| field(key).and_then(Json::as_str).map(str::to_owned);
    let limits = entry.get("limits").and_then(Json::as_object).into_iter().flatten();
    let vhost = Vhost {
        name: text(entry, "name").into(),
        description: Some(plain("description").unwrap_or_default()),
        tags: Some(tags(field("tags"))),
        // The type beside the metadata is for those who read an export.
        default_queue_type: metadata
            .and_then(|metadata| metadata.get("default_queue_type")?.as_str())
            .filter(|kind| !kind.is_empty())
            .map(str::to_owned),
        protected_from_deletion: field("protected_from_deletion").and_then(Json::as_bool),
        limits: limits.filter_map(|(name, value)| Some((name.clone(), value.as_i64()?))).collect(),
    };
    let name = vhost.name.clone();
    let (was_there, profile) = (call.sim().held_vhost(&name).is_some(), call.profile());
    refuse_queue_type(&name, was_there, metadata, profile)?;
    act(call, Management::PutVhost(Box::new(vhost)))?;
    if !was_there {
        grant_all(call, name);
    }
    refuse_tracing(entry.get("tracing"), profile)
}

fn permission(call: &mut ManagementCall<'_>, entry: &Entry) -> Result<(), ApiAnswer> {
    let text = |key: &str| text(entry, key);
    let (user, vhost) = (text("user").into(), text("vhost").into());
    let row = Permission { user, vhost, configure: text("configure"), write: text("write"), read: text("read") };
    act(call, Management::PutPermission(Box::new(row)))
}

fn topic_permission(call: &mut ManagementCall<'_>, entry: &Entry) -> Result<(), ApiAnswer> {
    let text = |key: &str| text(entry, key);
    let row = TopicPermission {
        user: text("user").into(),
        vhost: text("vhost").into(),
        exchange: text("exchange").into(),
        write: text("write"),
        read: text("read"),
    };
    act(call, Management::PutTopicPermission(Box::new(row)))
}

fn global_parameter(call: &mut ManagementCall<'_>, entry: &Entry) -> Result<(), ApiAnswer> {
    set_global(call, text(entry, "name"), entry.get("value").cloned().unwrap_or_default());
    Ok(())
}

fn policy(call: &mut ManagementCall<'_>, into: Option<&Name>, entry: &Entry) -> Result<(), ApiAnswer> {
    let vhost = home(call, into, entry)?;
    let name: Name = text(entry, "name").into();
    set_policy(call, &vhost, name, entry, false)
}

fn set_policy(
    call: &mut ManagementCall<'_>,
    vhost: &Name,
    name: Name,
    entry: &Entry,
    operator: bool,
) -> Result<(), ApiAnswer> {
    let place = format!(" (vhost: \"{vhost}\" key: \"{name}\")");
    let policy = policies::read(vhost, name, entry, call.broker.differences());
    let policy = policy.map_err(|text| ApiAnswer::bad_request(format!("{text}{place}")))?;
    let put = call.act(Management::PutPolicy { policy: Box::new(policy), operator });
    put.map(|_| ()).map_err(|refusal| ApiAnswer::bad_request(format!("{}{place}", policies::with_end(&refusal.text))))
}

/// Sets a parameter: limits of a vhost and operator policies are kept as such, and no other component is there.
fn parameter(call: &mut ManagementCall<'_>, into: Option<&Name>, entry: &Entry) -> Result<(), ApiAnswer> {
    let vhost = home(call, into, entry)?;
    let name: Name = text(entry, "name").into();
    let value = entry.get("value").and_then(Json::as_object).cloned().unwrap_or_default();
    match text(entry, "component").as_str() {
        "operator_policy" => {
            if !value.contains_key("priority") {
                let place = format!(" (vhost: \"{vhost}\" / component: \"operator_policy\" / key: \"{name}\")");
                let text = format!("Validation failed\n\nKey \"priority\" not found in {name}\n{place}");
                return Err(ApiAnswer::bad_request(text));
            }
            set_policy(call, &vhost, name, &value, true)
        }
        "policy" => set_policy(call, &vhost, name, &value, false),
        "vhost-limits" => {
            let limits = value.iter().filter_map(|(name, value)| Some((name.as_str().into(), value.as_i64()?)));
            let limits: Vec<(Name, i64)> = limits.collect();
            limits.into_iter().try_for_each(|(name, value)| {
                act(call, Management::PutVhostLimit { vhost: vhost.clone(), name, value })
            })
        }
        component => {
            let place = format!(" (vhost: \"{vhost}\" / component: \"{component}\" / key: \"{name}\")");
            let text = format!("Validation failed\n\ncomponent {component} not found\n{place}");
            Err(ApiAnswer::bad_request(text))
        }
    }
}

fn exchange(call: &mut ManagementCall<'_>, into: Option<&Name>, entry: &Entry) -> Result<(), ApiAnswer> {
    let vhost = home(call, into, entry)?;
    let name: Name = text(entry, "name").into();
    let is_there = call.sim().held_exchanges(&vhost).iter().any(|held| held.declared.name == name);
    if is_there || name.starts_with("amq.") {
        return Ok(());
    }
    let asked = exchanges::read(&vhost, name, &as_taken(entry), true)?;
    perform(call, &vhost, Method::DeclareExchange(Box::new(asked))).map_err(|refusal| refused(&refusal))
}

/// Puts in the place of what is no flag, and of what is no alternate exchange, what RabbitMQ makes of it.
fn as_taken(entry: &Entry) -> Entry {
    let mut taken = entry.clone();
    for (flag, otherwise) in [("durable", true), ("auto_delete", false), ("internal", false)] {
        if taken.get(flag).is_some_and(|value| !value.is_boolean()) {
            taken.insert(flag.to_owned(), Json::from(otherwise));
        }
    }
    if let Some(Json::Object(arguments)) = taken.get_mut("arguments") {
        let is_kept = |(key, value): (&String, &Json)| key != "alternate-exchange" || value.is_string();
        *arguments =
            arguments.iter().filter(|entry| is_kept(*entry)).map(|(key, value)| (key.clone(), value.clone())).collect();
    }
    taken
}

fn queue(call: &mut ManagementCall<'_>, into: Option<&Name>, entry: &Entry) -> Result<(), ApiAnswer> {
    let vhost = home(call, into, entry)?;
    let name: Name = text(entry, "name").into();
    let lacks = |key: &str| !entry.contains_key(key);
    if call.profile() == Profile::V3_10 && (lacks("durable") || lacks("auto_delete")) {
        return Err(ApiAnswer::bad_request("function_clause"));
    }
    // Names of the server's own are no refusal here; the simulator makes none of them by hand.
    if call.sim().held_queue(&vhost, &name).is_some() || name.starts_with("amq.") {
        return Ok(());
    }
    let asked = queues::read(&vhost, name, entry, true)?;
    perform(call, &vhost, Method::DeclareQueue(Box::new(asked))).map_err(|refusal| refused(&refusal))
}

fn binding(call: &mut ManagementCall<'_>, into: Option<&Name>, entry: &Entry) -> Result<(), ApiAnswer> {
    let text = |key: &str| text(entry, key);
    let destination_kind = match text("destination_type").as_str() {
        "exchange" => DestinationKind::Exchange,
        "queue" => DestinationKind::Queue,
        _ => return Err(ApiAnswer::bad_request("function_clause")),
    };
    let profile = call.profile();
    let vhost = match home(call, into, entry) {
        // It does not look whether a binding leads anywhere.
        Err(_) if profile == Profile::V3_10 => return Ok(()),
        home => home?,
    };
    let source: Name = match entry.get("source").map(Json::as_str) {
        // All that the default exchange binds is bound already.
        Some(Some("")) => return Ok(()),
        None if profile == Profile::V3_10 => return Ok(()),
        source => source.flatten().unwrap_or_default().into(),
    };
    let held = call.sim().held_exchanges(&vhost);
    let is_topic = held.iter().any(|held| held.declared.name == source && held.declared.kind == "topic");
    if is_topic && !entry.contains_key("routing_key") {
        return Err(match profile {
            Profile::V3_10 | Profile::V3_12 => ApiAnswer::crash(),
            profile if profile >= Profile::V4_3 => ApiAnswer::bad_request("badarg"),
            _ => ApiAnswer::bad_request("function_clause"),
        });
    }
    // RabbitMQ keeps and shows its own word for nothing where a key is missing.
    let routing_key = entry.get("routing_key").map_or("undefined", |key| key.as_str().unwrap_or_default());
    let binding = Binding {
        vhost: vhost.clone(),
        source,
        destination: text("destination").into(),
        destination_kind,
        routing_key: routing_key.into(),
        arguments: arguments(entry),
    };
    let missing = missing_ends(call, &binding);
    match perform(call, &vhost, Method::Bind(Box::new(binding))) {
        Err(refusal) if refusal.code == code::NOT_FOUND => match call.profile() {
            Profile::V3_10 | Profile::V3_12 => Ok(()),
            _ => Err(ApiAnswer::bad_request(format!("{{resources_missing,[{missing}]}}"))),
        },
        done => done.map_err(|refusal| refused(&refusal)),
    }
}

/// Writes which ends of a binding are not there, as Erlang does.
fn missing_ends(call: &ManagementCall<'_>, it: &Binding) -> String {
    let has_exchange =
        |name: &Name| call.sim().held_exchanges(&it.vhost).iter().any(|held| held.declared.name == *name);
    let shown =
        |kind: &str, name: &Name| format!("{{not_found,{{resource,<<\"{}\">>,{kind},<<\"{name}\">>}}}}", it.vhost);
    let mut missing = Vec::new();
    if !has_exchange(&it.source) {
        missing.push(shown("exchange", &it.source));
    }
    match it.destination_kind {
        DestinationKind::Queue if call.sim().held_queue(&it.vhost, &it.destination).is_none() => {
            missing.push(shown("queue", &it.destination));
        }
        DestinationKind::Exchange if !has_exchange(&it.destination) => {
            missing.push(shown("exchange", &it.destination));
        }
        _ => {}
    }
    missing.join(",\n                    ")
}
