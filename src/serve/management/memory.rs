//! What only the management API knows of: the cluster's name and global parameters. Nothing of it moves a message.

use crate::serve::server_properties::CLUSTER_NAME;
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

/// The node's name; its cluster has the same until it is given another.
pub(crate) const NODE: &str = CLUSTER_NAME;

/// What the API keeps beside the simulator.
#[derive(Debug, Clone)]
pub(crate) struct ManagementMemory {
    /// In the order in which they were put.
    pub global_parameters: IndexMap<String, Json>,
    /// What the nodes are together.
    pub cluster_name: String,
}

impl ManagementMemory {
    /// Begins with what a broker of the version has; a topology's own come on top.
    pub(crate) fn new(has_cluster_tags: bool, declared: &IndexMap<String, Json>) -> Self {
        let mut global_parameters = IndexMap::new();
        if has_cluster_tags {
            global_parameters.insert("cluster_tags".to_owned(), json!([]));
        }
        global_parameters.insert("internal_cluster_id".to_owned(), json!("rabbitmq-cluster-id-simulated"));
        global_parameters.extend(declared.iter().map(|(name, value)| (name.clone(), value.clone())));
        let named = global_parameters.get("cluster_name").and_then(Json::as_str);
        let cluster_name = named.unwrap_or(NODE).to_owned();
        Self { global_parameters, cluster_name }
    }
}
