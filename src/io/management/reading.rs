//! What is read from the management API: version, rights, definitions, lists, fresh queue counts.
//! Lenient: an absent or strange field is a default, never an error.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::io::address::encoded;
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::management::{ManagementClient, PrometheusEndpoint};
use crate::model::Version;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// What a broker says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// As it writes it: `4.3.6`.
    pub full_version: String,
    pub version: Version,
    pub node: String,
    /// `direct`, `topic`, `x-delayed-message`, …
    pub exchange_types: Vec<String>,
    /// Where its own counters are read; absent without the plugin.
    pub prometheus: Option<PrometheusEndpoint>,
}

/// Who the runner is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoAmI {
    pub name: String,
    pub tags: Vec<String>,
}

/// Lists what is in a vhost and is not there from the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inventory {
    pub queues: Vec<String>,
    pub exchanges: Vec<String>,
    pub policies: Vec<String>,
    pub operator_policies: Vec<String>,
}

/// One queue's counts (MG-13): fresh for classic queues, up to 5 s old for quorum ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueTotals {
    pub name: String,
    pub kind: String,
    pub ready: u64,
    pub unacked: u64,
    pub total: u64,
}

impl ManagementClient {
    /// Asks for version, node and exchange types.
    pub async fn overview(&self) -> Result<Overview, BrokerFailure> {
        let json = self.get("/overview").await?;
        let full_version = text(&json, "rabbitmq_version");
        let Ok(version) = full_version.parse() else {
            let why = "something answers there but it is not RabbitMQ's management API: it names no version".to_owned();
            return Err(BrokerFailure::new(BrokerFailureKind::NoManagement { why }, self.shown()));
        };
        let types = json.get("exchange_types").and_then(Json::as_array).into_iter().flatten();
        let exchange_types = types.map(|kind| text(kind, "name")).collect();
        let prometheus = PrometheusEndpoint::of(&json);
        Ok(Overview { full_version, version, node: text(&json, "node"), exchange_types, prometheus })
    }

    /// Asks who the runner is.
    pub async fn whoami(&self) -> Result<WhoAmI, BrokerFailure> {
        let json = self.get("/whoami").await?;
        let tags = match json.get("tags") {
            Some(Json::Array(tags)) => tags.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            Some(Json::String(tags)) => tags.split(',').map(|tag| tag.trim().to_owned()).collect(),
            _ => Vec::new(),
        };
        Ok(WhoAmI { name: text(&json, "name"), tags })
    }

    /// Lists the plugins that are enabled on any node.
    pub async fn enabled_plugins(&self) -> Result<Vec<String>, BrokerFailure> {
        let nodes = list(self.get("/nodes?columns=enabled_plugins").await?);
        let plugins = nodes.iter().filter_map(|node| node.get("enabled_plugins")?.as_array()).flatten();
        Ok(plugins.filter_map(Json::as_str).map(str::to_owned).collect())
    }

    /// Lists the deprecated features that the broker does not permit (ER-12); before 4.1 none is told.
    pub async fn denied_features(&self) -> Result<Vec<String>, BrokerFailure> {
        let features = match self.get("/deprecated-features").await {
            Err(BrokerFailure { kind: BrokerFailureKind::Refused { status: 404, .. }, .. }) => return Ok(Vec::new()),
            answered => list(answered?),
        };
        let denied = features.iter().filter(|feature| text(feature, "state") == "denied");
        Ok(denied.map(|feature| text(feature, "name")).collect())
    }

    /// Reads the whole export, or that of one vhost, as text for the language room.
    pub async fn definitions(&self, vhost: Option<&str>) -> Result<String, BrokerFailure> {
        match vhost {
            Some(vhost) => self.get_text(&format!("/definitions/{}", encoded(vhost))).await,
            None => self.get_text("/definitions").await,
        }
    }

    /// Lists the applications that run on the nodes, plugins among them; none where the user may not see nodes.
    pub async fn applications(&self) -> Result<BTreeSet<String>, BrokerFailure> {
        let nodes = match self.get("/nodes?columns=applications").await {
            Err(BrokerFailure { kind: BrokerFailureKind::NoRight { .. }, .. }) => return Ok(BTreeSet::new()),
            answered => list(answered?),
        };
        let applications = nodes.iter().filter_map(|node| node.get("applications")?.as_array()).flatten();
        Ok(applications.map(|one| text(one, "name")).collect())
    }

    /// Lists one kind of object of a vhost, as it is; `None` where the user may not see it.
    pub async fn objects(&self, kind: &str, vhost: Option<&str>) -> Result<Option<Vec<Json>>, BrokerFailure> {
        let path = match vhost {
            Some(vhost) => format!("/{kind}/{}", encoded(vhost)),
            None => format!("/{kind}"),
        };
        self.listed(&path).await
    }

    /// Lists the queues of a vhost without statistics.
    pub async fn queues(&self, vhost: &str) -> Result<Option<Vec<Json>>, BrokerFailure> {
        self.listed(&format!("/queues/{}?disable_stats=true", encoded(vhost))).await
    }

    async fn listed(&self, path: &str) -> Result<Option<Vec<Json>>, BrokerFailure> {
        match self.get(path).await {
            Ok(json) => Ok(Some(list(json))),
            Err(failure) => match &failure.kind {
                BrokerFailureKind::NoRight { .. } => Ok(None),
                // A vhost that the user may not enter, or that is gone.
                BrokerFailureKind::Refused { status: 401 | 403 | 404, .. } => Ok(None),
                _ => Err(failure),
            },
        }
    }

    /// Counts the consumers of each queue of a vhost.
    pub async fn consumers(&self, vhost: &str) -> Result<BTreeMap<String, u64>, BrokerFailure> {
        let path = format!("/consumers/{}", encoded(vhost));
        let mut counts = BTreeMap::new();
        for consumer in self.listed(&path).await?.unwrap_or_default() {
            let queue = consumer.get("queue").map(|queue| text(queue, "name")).unwrap_or_default();
            *counts.entry(queue).or_default() += 1;
        }
        Ok(counts)
    }

    /// Lists the exchanges of a vhost as they are (the export leaves internal ones out, MG-12); none where the vhost was
    /// deleted meanwhile.
    pub async fn exchanges(&self, vhost: &str) -> Result<Vec<Json>, BrokerFailure> {
        match self.get(&format!("/exchanges/{}", encoded(vhost))).await {
            Err(BrokerFailure { kind: BrokerFailureKind::Refused { status: 404, .. }, .. }) => Ok(Vec::new()),
            listed => Ok(list(listed?)),
        }
    }

    /// Lists the queues of a vhost with fresh totals and without statistics.
    pub async fn queue_totals(&self, vhost: &str) -> Result<Vec<QueueTotals>, BrokerFailure> {
        let path = format!("/queues/{}?disable_stats=true&enable_queue_totals=true", encoded(vhost));
        let totals = list(self.get(&path).await?).into_iter().map(|queue| QueueTotals {
            name: text(&queue, "name"),
            kind: text(&queue, "type"),
            ready: number(&queue, "messages_ready"),
            unacked: number(&queue, "messages_unacknowledged"),
            total: number(&queue, "messages"),
        });
        Ok(totals.collect())
    }

    /// Returns the type of a queue, as the broker names it, and how many of its dead letters wait for the confirms of their
    /// targets, which is told up to 10 s late.
    pub async fn described(&self, vhost: &str, name: &str) -> Result<(String, u64), BrokerFailure> {
        let queue = self.get(&format!("/queues/{}/{}", encoded(vhost), encoded(name))).await?;
        Ok((text(&queue, "type"), number(&queue, "messages_dlx")))
    }

    /// Returns the node that leads a queue, or on which it stands.
    pub async fn leader(&self, vhost: &str, name: &str) -> Result<String, BrokerFailure> {
        let queue = self.get(&format!("/queues/{}/{}", encoded(vhost), encoded(name))).await?;
        let leader = text(&queue, "leader");
        Ok(if leader.is_empty() { text(&queue, "node") } else { leader })
    }

    /// Lists the names of all vhosts that the runner may see.
    pub async fn vhosts(&self) -> Result<Vec<String>, BrokerFailure> {
        Ok(list(self.get("/vhosts?columns=name").await?).iter().map(|vhost| text(vhost, "name")).collect())
    }

    /// Counts the connections that are open in a vhost.
    pub async fn open_connections(&self, vhost: &str) -> Result<usize, BrokerFailure> {
        Ok(list(self.get(&format!("/vhosts/{}/connections?columns=name", encoded(vhost))).await?).len())
    }

    /// Lists all vhosts with what an export may leave out: description, tags, default queue type, protection; and
    /// on which nodes they run.
    pub async fn vhosts_with_metadata(&self) -> Result<Vec<Json>, BrokerFailure> {
        let kept = ["name", "description", "tags", "default_queue_type", "protected_from_deletion", "cluster_state"];
        let vhosts = list(self.get("/vhosts").await?).into_iter().map(|vhost| {
            let fields = kept.iter().filter_map(|key| Some(((*key).to_owned(), vhost.get(*key)?.clone())));
            Json::Object(fields.collect())
        });
        Ok(vhosts.collect())
    }

    /// Lists the names of all users.
    pub async fn users(&self) -> Result<Vec<String>, BrokerFailure> {
        Ok(list(self.get("/users?columns=name").await?).iter().map(|user| text(user, "name")).collect())
    }

    /// Lists what is in a vhost; policies only if the runner may see them, for else it cannot have made any.
    pub async fn inventory(&self, vhost: &str) -> Result<Inventory, BrokerFailure> {
        let names = async |kind: &str, needs_policymaker: bool| -> Result<Vec<String>, BrokerFailure> {
            let listed = self.get(&format!("/{kind}/{}?columns=name", encoded(vhost))).await;
            let listed = match listed {
                Err(failure) if needs_policymaker && matches!(failure.kind, BrokerFailureKind::NoRight { .. }) => {
                    return Ok(Vec::new());
                }
                other => list(other?),
            };
            Ok(listed.iter().map(|one| text(one, "name")).collect())
        };
        let own = |name: &String| !name.is_empty() && !name.starts_with("amq.");
        Ok(Inventory {
            queues: names("queues", false).await?,
            exchanges: names("exchanges", false).await?.into_iter().filter(own).collect(),
            policies: names("policies", true).await?,
            operator_policies: names("operator-policies", true).await?,
        })
    }

    /// Finds the broker's name of the connection that calls itself `label`; statistics may know it seconds late.
    pub async fn connection_labelled(&self, label: &str) -> Result<Option<String>, BrokerFailure> {
        let connections = list(self.get("/connections?columns=name,user_provided_name,client_properties").await?);
        let labelled = connections.iter().find(|connection| {
            let inside = connection.get("client_properties").map(|properties| text(properties, "connection_name"));
            text(connection, "user_provided_name") == label || inside.as_deref() == Some(label)
        });
        Ok(labelled.map(|connection| text(connection, "name")))
    }

    /// Has the broker close a connection (320 with the reason).
    pub async fn close_connection(&self, name: &str, reason: &str) -> Result<(), BrokerFailure> {
        self.delete_with_reason(&format!("/connections/{}", encoded(name)), reason).await
    }
}

pub(crate) fn text(json: &Json, key: &str) -> String {
    json.get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn number(json: &Json, key: &str) -> u64 {
    json.get(key).and_then(Json::as_u64).unwrap_or(0)
}

/// Returns the entries of a list, also of a page of one.
pub(crate) fn list(json: Json) -> Vec<Json> {
    match json {
        Json::Array(entries) => entries,
        Json::Object(mut page) => page.remove("items").map(list).unwrap_or_default(),
        _ => Vec::new(),
    }
}
