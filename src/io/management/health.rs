//! What is read of a broker's health: nodes with their alarms and plugins, what is deprecated or not enabled, rights.
//! Lenient, as the rest of what is read.

use crate::io::address::encoded;
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::management::ManagementClient;
use crate::io::management::reading::{list, text};
use crate::report::NodeHealth;
use serde_json::Value as Json;

impl ManagementClient {
    /// Lists the nodes of the cluster.
    pub async fn nodes(&self) -> Result<Vec<NodeHealth>, BrokerFailure> {
        let columns = "name,running,mem_alarm,disk_free_alarm,partitions,enabled_plugins";
        let nodes = list(self.get(&format!("/nodes?columns={columns}")).await?);
        let yes = |node: &Json, key: &str| node.get(key).and_then(Json::as_bool).unwrap_or(false);
        let texts = |node: &Json, key: &str| -> Vec<String> {
            let listed = node.get(key).and_then(Json::as_array).into_iter().flatten();
            listed.filter_map(Json::as_str).map(str::to_owned).collect()
        };
        let nodes = nodes.iter().map(|node| NodeHealth {
            name: text(node, "name"),
            running: yes(node, "running"),
            memory_alarm: yes(node, "mem_alarm"),
            disk_alarm: yes(node, "disk_free_alarm"),
            partitioned: !texts(node, "partitions").is_empty(),
            plugins: texts(node, "enabled_plugins"),
        });
        Ok(nodes.collect())
    }

    /// Lists the deprecated features that are in use; before 3.13 none is told.
    pub async fn deprecated_in_use(&self) -> Result<Vec<String>, BrokerFailure> {
        let used = self.list_or_nothing("/deprecated-features/used").await?;
        Ok(used.iter().map(|feature| text(feature, "name")).collect())
    }

    /// Lists the stable feature flags that are not enabled.
    pub async fn flags_disabled(&self) -> Result<Vec<String>, BrokerFailure> {
        let flags = self.list_or_nothing("/feature-flags").await?;
        let disabled = |flag: &&Json| text(flag, "state") == "disabled" && text(flag, "stability") != "experimental";
        Ok(flags.iter().filter(disabled).map(|flag| text(flag, "name")).collect())
    }

    /// Returns what a user may configure, write and read in a vhost; `None` when nothing.
    pub async fn permission(&self, user: &str, vhost: &str) -> Result<Option<[String; 3]>, BrokerFailure> {
        match self.get(&format!("/permissions/{}/{}", encoded(vhost), encoded(user))).await {
            Ok(granted) => Ok(Some(["configure", "write", "read"].map(|right| text(&granted, right)))),
            Err(BrokerFailure { kind: BrokerFailureKind::Refused { status: 404, .. }, .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Reads a list that older brokers do not have.
    async fn list_or_nothing(&self, path: &str) -> Result<Vec<Json>, BrokerFailure> {
        match self.get(path).await {
            Err(BrokerFailure { kind: BrokerFailureKind::Refused { status: 404, .. }, .. }) => Ok(Vec::new()),
            answered => answered.map(list),
        }
    }
}
