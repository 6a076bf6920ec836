//! What connection.start and connection.tune tell a client, and the limits that are agreed.

use crate::model::{Profile, Table, Value};
use crate::wire::FRAME_MAX;

/// The most channels of a connection, as RabbitMQ's usual configuration has it.
pub(crate) const CHANNEL_MAX: u16 = 2_047;

/// The heartbeat that is suggested, in seconds.
pub(crate) const HEARTBEAT_S: u16 = 60;

/// The largest frame before anything is agreed, in bytes: client properties may be long.
pub(crate) const INITIAL_FRAME_MAX: u32 = 8_192;

/// The largest frame that is suggested, in bytes.
pub(crate) const SUGGESTED_FRAME_MAX: u32 = FRAME_MAX;

/// The name of the cluster, and of the host of its only node.
pub(crate) const CLUSTER_NAME: &str = crate::sim::NODE;

/// Returns the server's properties, in RabbitMQ's order.
pub(crate) fn server_properties(profile: Profile) -> Table {
    let capabilities = [
        "publisher_confirms",
        "exchange_exchange_bindings",
        "basic.nack",
        "consumer_cancel_notify",
        "connection.blocked",
        "consumer_priorities",
        "authentication_failure_close",
        "per_consumer_qos",
        "direct_reply_to",
    ];
    let capabilities: Table = capabilities.into_iter().map(|name| (name, Value::Bool(true))).collect();
    let text = |text: &str| Value::Text(text.into());
    [
        ("capabilities", Value::Table(capabilities)),
        ("cluster_name", text(CLUSTER_NAME)),
        ("copyright", text("The rmqplay contributors")),
        ("information", text("Simulated by rmqplay: the rules of RabbitMQ, in memory.")),
        ("platform", text("rmqplay")),
        ("product", text("RabbitMQ")),
        ("version", text(&profile.release().to_string())),
    ]
    .into_iter()
    .collect()
}
