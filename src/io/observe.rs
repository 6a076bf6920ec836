//! Reads what a broker holds, for plans: the export and what it leaves out, or the lists that the rights allow.
//! One request for all objects and few per vhost in question, never one per object. Counts only what is at stake.

use crate::io::management::{ManagementClient, Overview};
use crate::io::{BrokerFailure, BrokerFailureKind};
use crate::model::{Name, Object, ObjectKind, QueueName};
use crate::plan::{Abilities, ChangeKind, Export, Observed, Plan, QueueFacts, read_export};
use futures_util::future::{try_join, try_join_all, try_join3};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;

/// Observes a broker and makes a plan; where the plan changes something, what is at stake and what the broker and the
/// account can do is read too, and the plan is made once more with it.
///
/// # Errors
/// The broker went away, or refuses even lists.
pub async fn observe_and_plan(
    management: &ManagementClient,
    overview: &Overview,
    vhosts: &[Name],
    make: impl Fn(&Observed) -> Plan,
) -> Result<(Observed, Plan), BrokerFailure> {
    let mut observed = observe(management, overview, vhosts).await?;
    let plan = make(&observed);
    if plan.changes.is_empty() {
        return Ok((observed, plan));
    }
    let in_use: BTreeSet<Name> = vhosts_at_stake(&plan);
    // Of a large file this is the larger part of what is held: two plans need not be there at once.
    drop(plan);
    observed.abilities = Some(abilities(management).await?);
    for vhost in in_use.iter().filter(|name| observed.topology.vhosts.iter().any(|vhost| vhost.name == **name)) {
        let (totals, consumers) = try_join(management.queue_totals(vhost), management.consumers(vhost)).await?;
        for totals in totals {
            let consumers = Some(consumers.get(&totals.name).copied().unwrap_or(0));
            let facts = QueueFacts { messages: totals.total, consumers };
            observed.queues.insert(QueueName::new(vhost.clone(), totals.name.as_str()), facts);
        }
        // A queue that the count does not list any more went meanwhile.
        for queue in observed.topology.queues.iter().filter(|queue| queue.vhost == *vhost) {
            observed.queues.entry(queue.id()).or_default();
        }
    }
    let plan = make(&observed);
    Ok((observed, plan))
}

/// Lists the vhosts in which queues may lose something: by a policy, or with the queue itself.
fn vhosts_at_stake(plan: &Plan) -> BTreeSet<Name> {
    let touches = plan.changes.iter().filter(|change| {
        let goes = matches!(change.kind, ChangeKind::Replace { .. } | ChangeKind::Delete { .. });
        let is_policy = matches!(change.object, Object::Policy { .. } | Object::OperatorPolicy { .. });
        is_policy || (goes && matches!(change.object, Object::Queue { .. }))
    });
    touches.filter_map(|change| change.object.vhost().cloned()).collect()
}

async fn abilities(management: &ManagementClient) -> Result<Abilities, BrokerFailure> {
    let asked = try_join3(management.applications(), management.denied_features(), management.whoami());
    let (applications, denied_features, who) = asked.await?;
    Ok(Abilities { applications, denied_features, tags: who.tags })
}

/// Reads a broker; only the vhosts named are looked into.
///
/// # Errors
/// The broker went away, or refuses even lists.
pub async fn observe(
    management: &ManagementClient,
    overview: &Overview,
    vhosts: &[Name],
) -> Result<Observed, BrokerFailure> {
    let (mut unread, mut closed) = (BTreeSet::new(), BTreeSet::new());
    let (text, there) = try_join(export(management), management.vhosts_with_metadata()).await?;
    let known = |vhost: &&Name| there.iter().any(|one| one.get("name").and_then(Json::as_str) == Some(vhost.as_str()));
    let asked: Vec<&Name> = vhosts.iter().filter(known).collect();
    let mut export = match text {
        Some(text) => {
            // The broker answers while we read.
            let exchanges = try_join_all(asked.iter().map(|vhost| management.exchanges(vhost)));
            let read = async { read_text(&text, &asked, management) };
            let (exchanges, mut export) = try_join(exchanges, read).await?;
            of_vhosts(&mut export.lists, &asked);
            // 4.3 leaves internal exchanges out of its export (MG-12).
            export.lists.insert("exchanges".to_owned(), Json::Array(exchanges.concat()));
            export
        }
        None => Export { lists: by_lists(management, &asked, &mut unread, &mut closed).await?, ..Export::default() },
    };
    let down: BTreeSet<Name> = asked.iter().filter(|name| is_down(&there, name)).map(|name| (*name).clone()).collect();
    let mut unfinished = without_all_exchanges(&asked, &export.lists, &closed);
    unfinished.extend(down.iter().cloned());
    let there = with_limits(there, &mut export.lists);
    export.lists.insert("vhosts".to_owned(), Json::Array(there));
    Ok(Observed {
        topology: export.into_topology().map_err(|why| no_definitions(&why, management))?,
        version: overview.version,
        account: management.user().into(),
        exchange_types: overview.exchange_types.clone(),
        unread,
        closed,
        down,
        unfinished,
        ..Observed::empty(crate::model::Profile::NEWEST)
    })
}

/// Returns whether a vhost runs on no node.
fn is_down(there: &[Json], name: &Name) -> bool {
    let vhost = there.iter().find(|vhost| is(vhost, "name", name));
    let nodes = vhost.and_then(|vhost| vhost.get("cluster_state")?.as_object()).filter(|nodes| !nodes.is_empty());
    nodes.is_some_and(|nodes| nodes.values().all(|state| state.as_str() == Some("stopped")))
}

/// Lists the vhosts that lack one of the exchanges that a vhost has from the beginning (RT-1): RabbitMQ ends the making of a
/// vhost with the request that asked for it.
fn without_all_exchanges(asked: &[&Name], lists: &Map<String, Json>, closed: &BTreeSet<Name>) -> BTreeSet<Name> {
    const PREDECLARED: [&str; 7] =
        ["", "amq.direct", "amq.fanout", "amq.headers", "amq.match", "amq.topic", "amq.rabbitmq.trace"];
    let exchanges = lists.get("exchanges").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let lacks_one = |name: &&&Name| {
        let has = |exchange: &str| exchanges.iter().any(|one| is(one, "vhost", name) && is(one, "name", exchange));
        !closed.contains(**name) && !PREDECLARED.into_iter().all(has)
    };
    asked.iter().filter(lacks_one).map(|name| (*name).clone()).collect()
}

fn is(json: &Json, key: &str, text: &str) -> bool {
    json.get(key).and_then(Json::as_str) == Some(text)
}

/// Asks for the export; `None` for a user without the tag `administrator`.
async fn export(management: &ManagementClient) -> Result<Option<String>, BrokerFailure> {
    match management.definitions(None).await {
        Ok(text) => Ok(Some(text)),
        Err(BrokerFailure { kind: BrokerFailureKind::NoRight { .. }, .. }) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Reads an export's text.
fn read_text(text: &str, asked: &[&Name], management: &ManagementClient) -> Result<Export, BrokerFailure> {
    let is_asked = |vhost: &str| asked.iter().any(|name| name.as_str() == vhost);
    read_export(text, &is_asked).map_err(|error| no_definitions(&error.to_string(), management))
}

/// Makes the failure of an answer that is no RabbitMQ's.
fn no_definitions(why: &str, management: &ManagementClient) -> BrokerFailure {
    let hint = "look at what it sends for /api/definitions: a proxy may change it, or something else answers there";
    management.not_rabbitmq(&format!("its definitions cannot be read: {why}")).hint(hint)
}

/// Leaves out what lives in other vhosts; users, permissions and global parameters stay.
fn of_vhosts(lists: &mut Map<String, Json>, asked: &[&Name]) {
    let is_asked = |entry: &Json| {
        let vhost = entry.get("vhost").and_then(Json::as_str);
        asked.iter().any(|name| Some(name.as_str()) == vhost)
    };
    for list in ["policies", "parameters", "topic_permissions"] {
        if let Some(entries) = lists.get_mut(list).and_then(Json::as_array_mut) {
            entries.retain(is_asked);
        }
    }
}

/// Puts limits that came as a list of their own to the vhosts.
fn with_limits(mut vhosts: Vec<Json>, lists: &mut Map<String, Json>) -> Vec<Json> {
    let Some(Json::Array(limits)) = lists.remove("vhost_limits") else { return vhosts };
    for entry in limits {
        let of = |vhost: &&mut Json| vhost.get("name") == entry.get("vhost");
        if let (Some(Json::Object(vhost)), Some(value)) = (vhosts.iter_mut().find(of), entry.get("value")) {
            vhost.insert("limits".to_owned(), value.clone());
        }
    }
    vhosts
}

/// What is listed for a user without the export: the path, the list of definitions, the kind of object.
const OF_A_VHOST: [(&str, &str, ObjectKind); 6] = [
    ("exchanges", "exchanges", ObjectKind::Exchange),
    ("bindings", "bindings", ObjectKind::Binding),
    ("policies", "policies", ObjectKind::Policy),
    ("operator-policies", "operator_policies", ObjectKind::OperatorPolicy),
    ("vhost-limits", "vhost_limits", ObjectKind::VhostLimit),
    ("queues", "queues", ObjectKind::Queue),
];

/// What takes a tag to read at all.
const OF_THE_CLUSTER: [(&str, &str, ObjectKind); 5] = [
    ("users", "users", ObjectKind::User),
    ("permissions", "permissions", ObjectKind::Permission),
    ("topic-permissions", "topic_permissions", ObjectKind::TopicPermission),
    ("global-parameters", "global_parameters", ObjectKind::GlobalParameter),
    ("parameters", "parameters", ObjectKind::Parameter),
];

/// Reads what the rights allow, list by list.
async fn by_lists(
    management: &ManagementClient,
    asked: &[&Name],
    unread: &mut BTreeSet<ObjectKind>,
    closed: &mut BTreeSet<Name>,
) -> Result<Map<String, Json>, BrokerFailure> {
    let mut lists = Map::new();
    for (path, list, kind) in OF_THE_CLUSTER {
        match management.objects(path, None).await? {
            Some(entries) => drop(lists.insert(list.to_owned(), Json::Array(entries))),
            None => drop(unread.insert(kind)),
        }
    }
    for vhost in asked {
        for (path, list, kind) in OF_A_VHOST {
            let listed = match path {
                "queues" => management.queues(vhost).await?,
                _ => management.objects(path, Some(vhost.as_str())).await?,
            };
            let into = lists.entry(list.to_owned()).or_insert_with(|| json!([]));
            match (listed, into.as_array_mut()) {
                (Some(mut entries), Some(into)) => into.append(&mut entries),
                _ => {
                    unread.insert(kind);
                    closed.insert((*vhost).clone());
                }
            }
        }
    }
    of_vhosts(&mut lists, asked);
    Ok(lists)
}
