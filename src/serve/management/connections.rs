//! Connections of outside clients, their channels and consumers, and how a connection is closed (CO-27).

use crate::broker::ConnectionId;
use crate::serve::client_view::{ServedClient, host_and_port};
use crate::serve::management::answer::{Answered, ApiAnswer};
use crate::serve::management::call::ManagementCall;
use crate::serve::management::exchanges::table;
use crate::serve::management::listing::{listed, shown};
use crate::serve::management::memory::NODE;
use crate::sim::HeldConsumer;
use serde_json::{Value as Json, json};

/// What the broker says to a client that is closed without a reason.
const NO_REASON: &str = "Closed via management plugin";

/// Lists those that the user sees: its own, or all.
pub(crate) fn list(call: &mut ManagementCall<'_>) -> Answered {
    let all = visible(call).iter().map(|client| object(call, client)).collect();
    listed(call.request, all, &["name"])
}

/// Lists those of a vhost.
pub(crate) fn of_vhost(call: &mut ManagementCall<'_>) -> Answered {
    let vhost = call.vhost()?;
    let own = visible(call).into_iter().filter(|client| client.vhost == vhost);
    let own = own.map(|client| object(call, &client)).collect();
    listed(call.request, own, &["name"])
}

/// Lists those of a user.
pub(crate) fn of_user(call: &mut ManagementCall<'_>) -> Answered {
    let user = call.name("username");
    let own = visible(call).into_iter().filter(|client| client.user == user);
    let own = own.map(|client| json!({"name": client.name(), "user": *user, "vhost": *client.vhost, "node": NODE}));
    listed(call.request, own.collect(), &["name"])
}

/// Lists the clients whose handshake is done and that the user may see.
fn visible(call: &ManagementCall<'_>) -> Vec<ServedClient> {
    let sees_all = call.has_tag(&["administrator", "monitoring"]);
    call.broker.server.clients().into_iter().filter(|client| sees_all || client.user == call.user).collect()
}

/// Finds the one of the path.
fn found(call: &ManagementCall<'_>) -> Result<ServedClient, ApiAnswer> {
    let all = call.broker.server.clients();
    let client = all.into_iter().find(|client| client.name() == call.id("connection"));
    let client = client.ok_or_else(ApiAnswer::no_object)?;
    let tags: &[&str] =
        if call.request.method == "DELETE" { &["administrator"] } else { &["administrator", "monitoring"] };
    match call.has_tag(tags) || client.user == call.user {
        true => Ok(client),
        false => Err(ApiAnswer::not_authorised("User not authorised to access object")),
    }
}

/// Shows one.
pub(crate) fn get(call: &mut ManagementCall<'_>) -> Answered {
    let client = found(call)?;
    Ok(shown(call.request, object(call, &client)))
}

/// Closes one: its client is told 320 with the reason.
pub(crate) fn delete(call: &mut ManagementCall<'_>) -> Answered {
    let client = found(call)?;
    close(call, &client);
    Ok(ApiAnswer::done())
}

/// Closes all of a user.
pub(crate) fn delete_of_user(call: &mut ManagementCall<'_>) -> Answered {
    let user = call.name("username");
    for client in visible(call).into_iter().filter(|client| client.user == user) {
        close(call, &client);
    }
    Ok(ApiAnswer::done())
}

fn close(call: &mut ManagementCall<'_>, client: &ServedClient) {
    let reason = call.request.reason.clone().unwrap_or_else(|| NO_REASON.to_owned());
    call.broker.server.close_by_force(client.id, &reason, call.now_ms);
}

fn object(call: &ManagementCall<'_>, client: &ServedClient) -> Json {
    let (peer, local) = (host_and_port(&client.peer), host_and_port(&client.local));
    let label = client.properties.get("connection_name").map(crate::model::Value::to_json);
    let mut object = json!({
        "name": client.name(), "user": *client.user, "user_who_performed_action": *client.user, "vhost": *client.vhost,
        "node": NODE, "type": "network", "protocol": "AMQP 0-9-1", "state": "running", "ssl": false,
        "auth_mechanism": *client.mechanism, "channel_max": client.channel_max, "channels": client.channels.len(),
        "frame_max": client.frame_max, "timeout": client.heartbeat_s, "peer_host": peer.0, "peer_port": peer.1,
        "host": local.0, "port": local.1, "client_properties": table(&client.properties),
        "connected_at": call.broker.second_of(call.broker.now()) * 1_000,
    });
    if let Some(label) = label {
        object["user_provided_name"] = label;
    }
    object
}

/// Writes whose a queue is that is exclusive.
pub(crate) fn owner_details(call: &ManagementCall<'_>, owner: ConnectionId) -> Json {
    let client = call.broker.server.clients().into_iter().find(|client| client.id == owner);
    client.map_or(Json::Null, |client| {
        let (host, port) = host_and_port(&client.peer);
        json!({"name": client.name(), "peer_host": host, "peer_port": port})
    })
}

/// Lists the channels that the user sees.
pub(crate) fn channels(call: &mut ManagementCall<'_>) -> Answered {
    let clients = visible(call);
    let all = clients.iter().flat_map(|client| channel_objects(call, client)).collect();
    listed(call.request, all, &["name"])
}

/// Lists those of a vhost.
pub(crate) fn channels_of_vhost(call: &mut ManagementCall<'_>) -> Answered {
    let vhost = call.vhost()?;
    let own: Vec<ServedClient> = visible(call).into_iter().filter(|client| client.vhost == vhost).collect();
    let own = own.iter().flat_map(|client| channel_objects(call, client)).collect();
    listed(call.request, own, &["name"])
}

/// Lists those of a connection.
pub(crate) fn channels_of_connection(call: &mut ManagementCall<'_>) -> Answered {
    let client = found(call)?;
    let own = channel_objects(call, &client);
    listed(call.request, own, &["name"])
}

/// Shows one.
pub(crate) fn channel(call: &mut ManagementCall<'_>) -> Answered {
    let clients = visible(call);
    let mut all = clients.iter().flat_map(|client| channel_objects(call, client));
    let one = all.find(|channel| channel["name"] == call.id("channel")).ok_or_else(ApiAnswer::no_object)?;
    Ok(shown(call.request, one))
}

fn channel_objects(call: &ManagementCall<'_>, client: &ServedClient) -> Vec<Json> {
    let (host, port) = host_and_port(&client.peer);
    let held = call.sim().held_channels().filter(|channel| channel.connection == client.id);
    let objects = held.filter_map(|channel| {
        let (number, _, confirms) = client.channels.iter().find(|(_, id, _)| *id == channel.id)?;
        Some(json!({
            "name": format!("{} ({number})", client.name()), "number": number, "user": *client.user,
            "user_who_performed_action": *client.user, "vhost": *client.vhost, "node": NODE, "state": "running",
            "confirm": confirms, "transactional": false, "consumer_count": channel.consumers,
            "messages_unacknowledged": channel.unacked, "messages_unconfirmed": 0, "messages_uncommitted": 0,
            "acks_uncommitted": 0, "prefetch_count": channel.prefetch, "global_prefetch_count": channel.global_prefetch,
            "connection_details": {"name": client.name(), "peer_host": host, "peer_port": port},
        }))
    });
    objects.collect()
}

/// Lists the consumers of the vhosts that the user sees, or of one.
pub(crate) fn consumers(call: &mut ManagementCall<'_>) -> Answered {
    let vhosts = call.vhosts()?;
    let seen = call.sim().held_consumers().filter(|consumer| vhosts.contains(&consumer.queue.vhost));
    let seen = seen.map(|consumer| consumer_object(call, &consumer)).collect();
    listed(call.request, seen, &["channel_details", "queue.name", "consumer_tag"])
}

/// Writes a consumer.
pub(crate) fn consumer_object(call: &ManagementCall<'_>, it: &HeldConsumer<'_>) -> Json {
    let clients = call.broker.server.clients();
    let of = clients.iter().find_map(|client| {
        let (number, ..) = client.channels.iter().find(|(_, id, _)| *id == it.channel)?;
        let (host, port) = host_and_port(&client.peer);
        Some(json!({
            "name": format!("{} ({number})", client.name()), "number": number, "user": *client.user, "node": NODE,
            "connection_name": client.name(), "peer_host": host, "peer_port": port,
        }))
    });
    let arguments = if it.priority == 0 { json!({}) } else { json!({"x-priority": it.priority}) };
    json!({
        "consumer_tag": **it.tag, "queue": {"name": *it.queue.name, "vhost": *it.queue.vhost},
        "channel_details": of, "ack_required": !it.no_ack, "prefetch_count": it.prefetch, "exclusive": it.exclusive,
        "active": it.active, "activity_status": if it.active { "up" } else { "waiting" }, "arguments": arguments,
        "consumer_timeout": null,
    })
}
