//! Reads what a broker holds, for plans: the export, the exchanges that it leaves out, fresh counts of queues.
//! One request for all objects and two per vhost in question, never one per object.

use crate::io::management::ManagementClient;
use crate::io::{BrokerFailure, BrokerFailureKind};
use crate::language::{ReadError, Settings, World, load_topology};
use crate::model::{Name, QueueName};
use crate::plan::{Observed, QueueFacts};
use crate::source::{Level, Sources};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// A world in which nothing can be read: an export names no files and no environment.
struct Nowhere;

impl World for Nowhere {
    fn read(&self, _: &str) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::NoFiles)
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }
}

/// Reads a broker; only the vhosts named are looked into for exchanges and counts.
///
/// # Errors
/// A user without the tag `administrator` cannot read the export: the failure says so.
pub async fn observe(management: &ManagementClient, vhosts: &[Name]) -> Result<Observed, BrokerFailure> {
    let overview = management.overview().await?;
    let text = management.definitions(None).await?;
    let broken = |why: String| {
        let doing = "reading the broker's definitions".to_owned();
        BrokerFailure::new(BrokerFailureKind::Broken { doing, why }, management.shown())
    };
    let mut export: Json = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    let there: Vec<Name> = names_of(&export, "vhosts");
    let mut exchanges = Vec::new();
    let mut queues = BTreeMap::new();
    let asked: Vec<&Name> = vhosts.iter().filter(|vhost| there.contains(vhost)).collect();
    for vhost in &asked {
        let vhost = *vhost;
        exchanges.extend(management.exchanges(vhost).await?.into_iter().filter(is_declared));
        for totals in management.queue_totals(vhost).await? {
            let facts = QueueFacts { messages: totals.total, consumers: None };
            queues.insert(QueueName::new(vhost.clone(), totals.name.as_str()), facts);
        }
    }
    complete(&mut export, exchanges, management.vhosts_with_metadata().await?, &asked);
    let mut sources = Sources::default();
    let settings = Settings::default();
    let (loaded, problems) =
        load_topology(&mut sources, "the broker's definitions", export.to_string().as_bytes(), &Nowhere, &settings);
    match (loaded, problems.into_iter().find(|problem| problem.level == Level::Problem)) {
        (_, Some(problem)) => Err(broken(problem.message)),
        (None, None) => Err(broken("they cannot be understood".to_owned())),
        (Some(loaded), None) => Ok(Observed {
            topology: loaded.topology,
            queues,
            version: overview.version,
            account: management.user().into(),
            exchange_types: overview.exchange_types,
        }),
    }
}

/// Puts in what an export leaves out (internal exchanges on 4.3, descriptions of vhosts on 3.10), and leaves out what
/// the plan does not ask about: other vhosts, and bindings whose ends are not in the export (exclusive queues).
fn complete(export: &mut Json, exchanges: Vec<Json>, vhosts: Vec<Json>, asked: &[&Name]) {
    let Some(export) = export.as_object_mut() else { return };
    export.insert("exchanges".to_owned(), Json::Array(exchanges));
    export.insert("vhosts".to_owned(), Json::Array(vhosts));
    let text = |entry: &Json, key: &str| entry.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    for list in ["queues", "bindings", "policies", "parameters"] {
        if let Some(entries) = export.get_mut(list).and_then(Json::as_array_mut) {
            entries.retain(|entry| asked.iter().any(|vhost| text(entry, "vhost") == ***vhost));
        }
    }
    let ends = |list: &str| -> BTreeSet<(String, String)> {
        let entries = export.get(list).and_then(Json::as_array).into_iter().flatten();
        entries.map(|entry| (text(entry, "vhost"), text(entry, "name"))).collect()
    };
    let (queues, exchanges) = (ends("queues"), ends("exchanges"));
    if let Some(bindings) = export.get_mut("bindings").and_then(Json::as_array_mut) {
        bindings.retain(|binding| {
            let vhost = text(binding, "vhost");
            let (source, destination) = (text(binding, "source"), text(binding, "destination"));
            let to_queue = text(binding, "destination_type") == "queue";
            let known = if to_queue { &queues } else { &exchanges };
            let has_key = binding.get("routing_key").is_some_and(Json::is_string);
            let predeclared = |name: &str| name.starts_with("amq.");
            // 4.0 keeps a binding that was imported without a key, routes nothing by it and shows no key: it is no
            // binding with an empty one.
            has_key
                && (predeclared(&source) || exchanges.contains(&(vhost.clone(), source)))
                && (predeclared(&destination) || known.contains(&(vhost, destination)))
        });
    }
}

fn names_of(export: &Json, list: &str) -> Vec<Name> {
    let entries = export.get(list).and_then(Json::as_array).into_iter().flatten();
    entries.filter_map(|entry| entry.get("name")?.as_str()).map(Name::from).collect()
}

/// Returns whether somebody declared an exchange: the predeclared ones are part of each vhost.
fn is_declared(exchange: &Json) -> bool {
    let name = exchange.get("name").and_then(Json::as_str).unwrap_or_default();
    !name.is_empty() && !name.starts_with("amq.")
}
