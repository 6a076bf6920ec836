//! A plan that is kept for later: what it was made from, and a digest of what the broker held then.
//! Holds hashes, never passwords. Reads and writes JSON values, never files.

use crate::model::{Credential, Name, Topology};
use crate::plan::Observed;
use crate::plan::definitions::{read_saved, write_saved};
use crate::plan::extras::is_throw_away;
use crate::plan::password::{hash_of, is_hash_of};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

/// The key that marks a saved plan, and the version of its form.
const MARK: &str = "rmqplay_plan";
const FORM: u64 = 1;

/// A plan as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedPlan {
    /// The broker's place.
    pub broker: String,
    /// As the broker writes it.
    pub version: String,
    /// Of what the broker held: [`digest_of`].
    pub digest: String,
    /// The files that it was made from.
    pub files: Vec<String>,
    /// What the broker should hold, hashes in the place of passwords.
    pub topology: Topology,
}

/// Why a file is no saved plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoSavedPlan {
    /// It does not say that it is one.
    AnotherFile,
    /// Another version of rmqplay wrote it in another form.
    AnotherForm,
    /// A field is missing or of the wrong kind.
    Broken(&'static str),
}

impl SavedPlan {
    /// Writes the plan; `shown` is the plan for those who review it.
    pub fn to_json(&self, shown: &Json) -> Json {
        json!({
            MARK: FORM,
            "broker": self.broker,
            "rabbitmq": self.version,
            "read": self.digest,
            "files": self.files,
            "plan": shown,
            "topology": write_saved(&self.topology),
        })
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// It is none, or not in this form.
    pub fn read(json: &Json) -> Result<Self, NoSavedPlan> {
        match json.get(MARK) {
            None => return Err(NoSavedPlan::AnotherFile),
            Some(form) if form.as_u64() == Some(FORM) => {}
            Some(_) => return Err(NoSavedPlan::AnotherForm),
        }
        let text =
            |key: &'static str| json.get(key).and_then(Json::as_str).map(str::to_owned).ok_or(NoSavedPlan::Broken(key));
        let files = json.get("files").and_then(Json::as_array).ok_or(NoSavedPlan::Broken("files"))?;
        let topology = json.get("topology").filter(|one| one.is_object()).ok_or(NoSavedPlan::Broken("topology"))?;
        Ok(Self {
            broker: text("broker")?,
            version: text("rabbitmq")?,
            digest: text("read")?,
            files: files.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            topology: read_saved(topology),
        })
    }
}

/// Returns the topology with hashes in the place of passwords: the broker's own hash where it is of that password, so that
/// the plan stays what it was.
pub fn without_passwords(desired: &Topology, observed: &Observed, mut salt: impl FnMut() -> [u8; 4]) -> Topology {
    let mut topology = desired.clone();
    for user in &mut topology.users {
        let Some(Credential::Password(password)) = &user.credential else { continue };
        let there = observed.topology.users.iter().find(|known| known.name == user.name);
        let kept = there.and_then(|known| match &known.credential {
            Some(Credential::Hash { hash, algorithm }) if is_hash_of(hash, algorithm, password) == Some(true) => {
                known.credential.clone()
            }
            _ => None,
        });
        user.credential = Some(kept.unwrap_or_else(|| hash_of(password, salt())));
    }
    topology
}

/// Returns a digest of all that a plan depends on: the vhosts of the file with what they hold, and the users, rights and
/// global parameters that it names. Counts of messages, other vhosts and other users do not count, nor does any order.
pub fn digest_of(desired: &Topology, observed: &Observed) -> String {
    let old = &observed.topology;
    let vhosts = desired.vhost_names();
    let is_named = |vhost: &Name| vhosts.contains(vhost);
    let is_user = |name: &Name| desired.users.iter().any(|user| user.name == *name);
    let mut read = old.clone();
    read.vhosts.retain(|vhost| is_named(&vhost.name));
    read.users.retain(|user| is_user(&user.name));
    read.permissions.retain(|row| is_named(&row.vhost) && !is_throw_away(&row.user));
    read.topic_permissions.retain(|row| is_named(&row.vhost) && !is_throw_away(&row.user));
    read.global_parameters.retain(|name, _| desired.global_parameters.contains_key(name));
    let mut lines: Vec<String> = Vec::new();
    if let Json::Object(lists) = write_saved(&read) {
        for (list, entries) in lists {
            let entries = entries.as_array().cloned().unwrap_or_default();
            lines.extend(entries.into_iter().map(|entry| format!("{list} {}", in_order(entry))));
        }
    }
    lines.sort_unstable();
    let digest = lines.iter().fold(Sha256::new(), |digest, line| digest.chain_update(line).chain_update("\n"));
    let hex: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Puts the keys of maps into an order of their own: a broker need not keep any.
fn in_order(json: Json) -> Json {
    match json {
        Json::Object(map) => {
            let mut entries: Vec<(String, Json)> = map.into_iter().map(|(key, value)| (key, in_order(value))).collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            Json::Object(entries.into_iter().collect())
        }
        Json::Array(entries) => Json::Array(entries.into_iter().map(in_order).collect()),
        plain => plain,
    }
}
