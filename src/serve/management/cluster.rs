//! The cluster as a whole: its overview, its only node, its name, and which features it has.

use crate::model::Profile;
use crate::rules::{DeprecatedFeature, Plugin};
use crate::serve::management::answer::{Answered, ApiAnswer};
use crate::serve::management::call::ManagementCall;
use crate::serve::management::listing::{listed, shown};
use crate::serve::management::memory::NODE;
use crate::serve::management::parameters::set_global;
use crate::serve::sasl::mechanisms;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// The types of exchanges that come without a plugin, in all versions.
const EXCHANGE_TYPES: [&str; 4] = ["direct", "fanout", "headers", "topic"];

/// Tells what the broker is and how much it holds, as far as the user sees it.
pub(crate) fn overview(call: &mut ManagementCall<'_>) -> Answered {
    let (profile, release) = (call.profile(), call.broker.edition().release());
    let sees_all = call.has_tag(&["administrator", "monitoring"]);
    let vhosts = call.vhosts()?;
    let is_seen = |vhost: &crate::model::Name| vhosts.contains(vhost);
    let sim = call.sim();
    let queues: Vec<_> = vhosts.iter().flat_map(|vhost| sim.held_queues(vhost)).collect();
    let exchanges: usize = vhosts.iter().map(|vhost| sim.held_exchanges(vhost).len()).sum();
    let mine = |user: Option<&crate::model::Name>| sees_all || user == Some(&call.user);
    let connections = sim.held_connections().filter(|it| mine(it.user)).count();
    let channels = sim.held_channels().filter(|it| mine(it.user)).count();
    let mut totals =
        json!({"channels": channels, "connections": connections, "exchanges": exchanges, "queues": queues.len()});
    if sees_all {
        totals["consumers"] = json!(sim.held_consumers().filter(|it| is_seen(&it.queue.vhost)).count());
    }
    let ready: u64 = queues.iter().map(|queue| queue.ready + queue.delayed).sum();
    let unacked: u64 = queues.iter().map(|queue| queue.unacked).sum();
    let mut overview = json!({
        "management_version": release, "rates_mode": "none",
        "sample_retention_policies": {"global": [600, 3_600, 28_800, 86_400], "basic": [600, 3_600], "detailed": [600]},
        "exchange_types": exchange_types(call), "product_version": release, "product_name": "RabbitMQ",
        "rabbitmq_version": release, "cluster_name": call.broker.memory().cluster_name, "erlang_version": "simulated",
        "erlang_full_version": "simulated by rmqplay", "disable_stats": false, "enable_queue_totals": false,
        "message_stats": {}, "churn_rates": {}, "object_totals": totals,
        "queue_totals": {
            "messages": ready + unacked, "messages_ready": ready, "messages_unacknowledged": unacked,
        },
        "statistics_db_event_queue": 0,
    });
    if profile >= Profile::V4_0 {
        overview["cluster_tags"] = json!({});
        overview["node_tags"] = json!({});
        overview["default_queue_type"] = json!("classic");
        overview["is_op_policy_updating_enabled"] = json!(true);
    }
    if sees_all {
        overview["node"] = json!(NODE);
        overview["listeners"] = json!(listeners(call));
        overview["contexts"] = json!([]);
    }
    Ok(shown(call.request, overview))
}

fn exchange_types(call: &ManagementCall<'_>) -> Json {
    let broker = &call.broker;
    let built_in = EXCHANGE_TYPES.iter().chain(broker.differences().more_exchange_types).copied();
    let of_plugins = broker.edition().plugins.iter().filter_map(Plugin::exchange_type);
    let all: BTreeSet<&str> = built_in.chain(of_plugins).collect();
    all.into_iter()
        .map(|name| json!({"name": name, "description": format!("{name} exchange"), "enabled": true}))
        .collect()
}

/// Lists where the broker listens, as far as it was told.
pub(crate) fn listeners(call: &ManagementCall<'_>) -> Vec<Json> {
    let listeners = call.broker.listeners().iter();
    let all =
        listeners.map(|it| json!({"node": NODE, "protocol": it.protocol, "ip_address": it.host, "port": it.port}));
    all.collect()
}

/// Lists the one node.
pub(crate) fn nodes(call: &mut ManagementCall<'_>) -> Answered {
    let node = node_object(call);
    listed(call.request, vec![node], &["name"])
}

/// Shows it.
pub(crate) fn node(call: &mut ManagementCall<'_>) -> Answered {
    if call.id("node") != NODE {
        return Err(ApiAnswer::no_object());
    }
    let node = node_object(call);
    Ok(shown(call.request, node))
}

fn node_object(call: &ManagementCall<'_>) -> Json {
    let release = call.broker.edition().release();
    let plugins = || call.broker.edition().plugins.iter().map(Plugin::as_str);
    let applications = ["rabbit", "rabbit_common", "rabbitmq_management", "rabbitmq_management_agent"];
    let applications: Vec<Json> = applications
        .into_iter()
        .chain(plugins())
        .map(|name| json!({"name": name, "description": name, "version": release}))
        .collect();
    let offered = mechanisms(call.broker.edition().profile, false);
    let mechanisms: Vec<Json> =
        offered.split(' ').map(|name| json!({"name": name, "description": name, "enabled": true})).collect();
    json!({
        "name": NODE, "type": "disc", "running": true, "being_drained": false, "partitions": [], "os_pid": "0",
        "fd_total": 1_048_576, "fd_used": 0, "sockets_total": 943_626, "sockets_used": call.broker.server.socket_count(),
        "mem_limit": 4_294_967_296_u64, "mem_used": 0, "mem_alarm": false, "disk_free_limit": 50_000_000,
        "disk_free": 10_737_418_240_u64, "disk_free_alarm": false, "proc_total": 1_048_576, "proc_used": 0,
        "rates_mode": "none", "uptime": call.broker.now().0, "run_queue": 0, "processors": 1,
        "exchange_types": exchange_types(call), "auth_mechanisms": mechanisms, "applications": applications,
        "contexts": [], "log_files": [], "db_dir": "", "config_files": [], "net_ticktime": 60,
        "enabled_plugins": std::iter::once("rabbitmq_management").chain(plugins()).collect::<Vec<_>>(), "cluster_links": [],
    })
}

/// Tells the cluster's name.
pub(crate) fn cluster_name(call: &mut ManagementCall<'_>) -> Answered {
    Ok(shown(call.request, json!({"name": call.broker.memory().cluster_name})))
}

/// Replaces it.
pub(crate) fn put_cluster_name(call: &mut ManagementCall<'_>) -> Answered {
    let body = call.body(&["name"])?;
    let name = body.get("name").cloned().unwrap_or_default();
    set_global(call, "cluster_name".to_owned(), name);
    Ok(ApiAnswer::done())
}

/// Lists what the pages of the plugin load.
pub(crate) fn extensions(call: &mut ManagementCall<'_>) -> Answered {
    Ok(shown(call.request, json!([{"javascript": "dispatcher.js"}])))
}

/// Tells the version alone.
pub(crate) fn version(call: &mut ManagementCall<'_>) -> Answered {
    Ok(ApiAnswer::json(json!(call.broker.edition().release())))
}

/// Lists feature flags; a broker that is simulated has none that could be switched.
pub(crate) fn feature_flags(call: &mut ManagementCall<'_>) -> Answered {
    listed(call.request, Vec::new(), &["name"])
}

/// Lists the deprecated features that the simulator knows, and whether they are permitted.
pub(crate) fn deprecated_features(call: &mut ManagementCall<'_>) -> Answered {
    let rules = call.broker.differences();
    let features = [
        (DeprecatedFeature::GlobalQos.as_str(), rules.global_qos_ignored),
        (DeprecatedFeature::TransientNonexclQueues.as_str(), rules.transient_queues_denied),
        ("queue_master_locator", rules.master_locator_denied),
    ];
    let told = call.profile() >= Profile::V4_1;
    let all = features.into_iter().map(|(name, is_denied)| {
        let phase = if is_denied { "denied_by_default" } else { "permitted_by_default" };
        let mut feature =
            json!({"name": name, "desc": "", "deprecation_phase": phase, "doc_url": "", "provided_by": "rabbit"});
        if told {
            feature["state"] = json!(if is_denied { "denied" } else { "permitted" });
        }
        feature
    });
    listed(call.request, all.collect(), &["name"])
}

/// Lists those that are in use.
pub(crate) fn deprecated_in_use(call: &mut ManagementCall<'_>) -> Answered {
    listed(call.request, Vec::new(), &["name"])
}
