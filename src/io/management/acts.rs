//! Performs the acts of the seam over HTTP. Names are the broker's own: mapping is done before.
//! Fields that a command leaves open are read first and sent again, since PUT replaces everything (MG-2, MG-3).

use crate::broker::Management;
use crate::io::address::encoded;
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::management::ManagementClient;
use crate::io::management::reading::text;
use crate::model::{Credential, Policy, User, Vhost};
use serde_json::{Map, Value as Json, json};
use std::time::Duration;
use tokio::time::sleep;

/// The pauses between two looks for the rights in a vhost that somebody else is just making: three seconds in all.
const GRANT_PAUSES: [Duration; 7] = [
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(130),
    Duration::from_millis(300),
    Duration::from_millis(500),
    Duration::from_millis(1_000),
    Duration::from_millis(1_000),
];

impl ManagementClient {
    /// Performs one act. `CloseConnection`, `DescribeQueue`, and what restarts a broker or its nodes are not among them.
    pub async fn perform(&self, act: &Management) -> Result<(), BrokerFailure> {
        match act {
            Management::PutVhost(vhost) => self.put_vhost(vhost).await.map(|_| ()),
            Management::ReplaceVhost(vhost) => self.replace_vhost(vhost).await,
            Management::DeleteVhost { vhost } => self.delete_vhost(vhost).await,
            Management::PutUser(user) => self.put_user(user).await.map(|_| ()),
            Management::DeleteUser { user } => self.delete_user(user).await,
            Management::PutPermission(grant) => {
                let body = json!({"configure": grant.configure, "write": grant.write, "read": grant.read});
                self.put(&format!("/permissions/{}", pair(&grant.vhost, &grant.user)), body).await.map(|_| ())
            }
            Management::ClearPermission { user, vhost } => {
                self.delete(&format!("/permissions/{}", pair(vhost, user))).await
            }
            Management::PutTopicPermission(grant) => {
                let body = json!({"exchange": &*grant.exchange, "write": grant.write, "read": grant.read});
                self.put(&format!("/topic-permissions/{}", pair(&grant.vhost, &grant.user)), body).await.map(|_| ())
            }
            Management::ClearTopicPermission { user, vhost, exchange } => {
                let path = format!("/topic-permissions/{}/{}", pair(vhost, user), encoded(exchange));
                self.delete(&path).await
            }
            Management::PutPolicy { policy, operator } => self.put_policy(policy, *operator).await,
            Management::ClearPolicy { vhost, name, operator } => {
                self.delete(&format!("/{}/{}", policies(*operator), pair(vhost, name))).await
            }
            Management::PutParameter(parameter) => {
                let component = encoded(&parameter.component);
                let path = format!("/parameters/{component}/{}", pair(&parameter.vhost, &parameter.name));
                let body = json!({"vhost": &*parameter.vhost, "component": parameter.component,
                    "name": &*parameter.name, "value": parameter.value});
                self.put(&path, body).await.map(|_| ())
            }
            Management::PutGlobalParameter { name, value } => {
                let body = json!({"name": &**name, "value": value});
                self.put(&format!("/global-parameters/{}", encoded(name)), body).await.map(|_| ())
            }
            Management::ClearParameter { vhost, component, name } => {
                self.delete(&format!("/parameters/{}/{}", encoded(component), pair(vhost, name))).await
            }
            Management::ClearGlobalParameter { name } => {
                self.delete(&format!("/global-parameters/{}", encoded(name))).await
            }
            Management::ClearVhostLimit { vhost, name } => {
                self.delete(&format!("/vhost-limits/{}", pair(vhost, name))).await
            }
            Management::PutVhostLimit { vhost, name, value } => self.put_limit("vhost", vhost, name, *value).await,
            Management::PutUserLimit { user, name, value } => self.put_limit("user", user, name, *value).await,
            Management::ClearUserLimit { user, name } => {
                self.delete(&format!("/user-limits/{}", pair(user, name))).await
            }
            Management::CloseConnection { .. }
            | Management::DescribeQueue { .. }
            | Management::Restart { .. }
            | Management::StopNode { .. }
            | Management::StartNodes => {
                let reason = "this cannot be done over the management API".to_owned();
                Err(BrokerFailure::new(BrokerFailureKind::Refused { status: 0, reason }, self.shown()))
            }
        }
    }

    /// Makes or changes a vhost and sets its limits; true when it was not there before.
    pub async fn put_vhost(&self, vhost: &Vhost) -> Result<bool, BrokerFailure> {
        let path = format!("/vhosts/{}", encoded(&vhost.name));
        let open = vhost.description.is_none()
            || vhost.tags.is_none()
            || vhost.default_queue_type.is_none()
            || vhost.protected_from_deletion.is_none();
        let stored = if open { self.get_if_there(&path).await? } else { Json::Null };
        let mut body = Map::new();
        let description = vhost.description.clone().unwrap_or_else(|| text(&stored, "description"));
        body.insert("description".into(), description.into());
        let tags = vhost.tags.clone().map_or_else(|| stored_tags(&stored), |tags| tags.join(","));
        body.insert("tags".into(), tags.into());
        let stored_type = text(&stored, "default_queue_type");
        let stored_type = (!stored_type.is_empty() && stored_type != "undefined").then_some(stored_type);
        if let Some(default_type) = vhost.default_queue_type.clone().or(stored_type) {
            insert_default_type(&mut body, &default_type);
        }
        let made = self.put(&path, Json::Object(body)).await?;
        // A PUT that makes a vhost ignores the flag, one that changes it may reset it (MG-2): it has a path of its own.
        let stored_protection = stored.get("protected_from_deletion").and_then(Json::as_bool);
        match vhost.protected_from_deletion.or(stored_protection) {
            Some(true) => self.post(&format!("{path}/deletion/protection")).await?,
            Some(false) if stored_protection == Some(true) => {
                self.delete(&format!("{path}/deletion/protection")).await?;
            }
            _ => {}
        }
        self.put_vhost_limits(vhost).await?;
        Ok(made)
    }

    /// Puts a vhost with the fields that are given, and sets its limits.
    async fn replace_vhost(&self, vhost: &Vhost) -> Result<(), BrokerFailure> {
        let mut body = Map::new();
        if let Some(description) = &vhost.description {
            body.insert("description".into(), description.clone().into());
        }
        if let Some(tags) = &vhost.tags {
            body.insert("tags".into(), tags.join(",").into());
        }
        if let Some(default_type) = &vhost.default_queue_type {
            insert_default_type(&mut body, default_type);
        }
        if let Some(protected) = vhost.protected_from_deletion {
            body.insert("protected_from_deletion".into(), protected.into());
        }
        self.put(&format!("/vhosts/{}", encoded(&vhost.name)), Json::Object(body)).await?;
        self.put_vhost_limits(vhost).await
    }

    async fn put_vhost_limits(&self, vhost: &Vhost) -> Result<(), BrokerFailure> {
        for (name, value) in &vhost.limits {
            self.put_limit("vhost", &vhost.name, name, *value).await?;
        }
        Ok(())
    }

    /// Deletes a vhost with all that is in it.
    pub async fn delete_vhost(&self, vhost: &str) -> Result<(), BrokerFailure> {
        self.delete(&format!("/vhosts/{}", encoded(vhost))).await
    }

    /// Deletes one thing in a vhost: of `queues`, `exchanges`, `policies` or `operator-policies`.
    pub async fn delete_in(&self, kind: &str, vhost: &str, name: &str) -> Result<(), BrokerFailure> {
        self.delete(&format!("/{kind}/{}", pair(vhost, name))).await
    }

    /// Makes or changes a user and sets its limits; true when it was not there before.
    pub async fn put_user(&self, user: &User) -> Result<bool, BrokerFailure> {
        let path = format!("/users/{}", encoded(&user.name));
        let mut body = Map::new();
        body.insert("tags".into(), user.tags.join(",").into());
        match &user.credential {
            Some(Credential::Password(password)) => {
                body.insert("password".into(), password.expose().into());
            }
            Some(Credential::Hash { hash, algorithm }) => {
                body.insert("password_hash".into(), hash.expose().into());
                body.insert("hashing_algorithm".into(), algorithm.clone().into());
            }
            None => {
                // A PUT without any would clear the stored one; an empty hash can never log in.
                let stored = self.get_if_there(&path).await?;
                body.insert("password_hash".into(), text(&stored, "password_hash").into());
                let algorithm = text(&stored, "hashing_algorithm");
                if !algorithm.is_empty() {
                    body.insert("hashing_algorithm".into(), algorithm.into());
                }
            }
        }
        let made = self.put(&path, Json::Object(body)).await?;
        for (name, value) in &user.limits {
            self.put_limit("user", &user.name, name, *value).await?;
        }
        Ok(made)
    }

    /// Deletes a user.
    pub async fn delete_user(&self, user: &str) -> Result<(), BrokerFailure> {
        self.delete(&format!("/users/{}", encoded(user))).await
    }

    /// Returns a user all rights in a vhost.
    pub async fn grant_all(&self, user: &str, vhost: &str) -> Result<(), BrokerFailure> {
        let body = json!({"configure": ".*", "write": ".*", "read": ".*"});
        self.put(&format!("/permissions/{}", pair(vhost, user)), body).await.map(|_| ())
    }

    /// Waits, a bounded time, for the runner's rights in a vhost that was just put: RabbitMQ grants them after it has made the
    /// vhost, and a PUT beside another one that makes the same vhost is answered before that (MG-2).
    pub async fn await_own_rights(&self, vhost: &str) -> Result<(), BrokerFailure> {
        let path = format!("/permissions/{}", pair(vhost, self.user()));
        for pause in GRANT_PAUSES {
            if self.get_if_there(&path).await? != Json::Null {
                return Ok(());
            }
            sleep(pause).await;
        }
        // Not every login has rights of this kind: what it lacks is told by what needs it.
        Ok(())
    }

    async fn put_policy(&self, policy: &Policy, operator: bool) -> Result<(), BrokerFailure> {
        let body = json!({"pattern": policy.pattern, "definition": policy.definition, "priority": policy.priority,
            "apply-to": policy.apply_to.as_str()});
        let path = format!("/{}/{}", policies(operator), pair(&policy.vhost, &policy.name));
        self.put(&path, body).await.map(|_| ())
    }

    async fn put_limit(&self, of: &str, name: &str, limit: &str, value: i64) -> Result<(), BrokerFailure> {
        let path = format!("/{of}-limits/{}", pair(name, limit));
        self.put(&path, json!({"value": value})).await.map(|_| ())
    }

    async fn get_if_there(&self, path: &str) -> Result<Json, BrokerFailure> {
        match self.get(path).await {
            Err(BrokerFailure { kind: BrokerFailureKind::Refused { status: 404, .. }, .. }) => Ok(Json::Null),
            other => other,
        }
    }
}

fn policies(operator: bool) -> &'static str {
    if operator { "operator-policies" } else { "policies" }
}

fn pair(first: &str, second: &str) -> String {
    format!("{}/{}", encoded(first), encoded(second))
}

/// 3.10 and 3.11.0-11 spell it without underscores and ignore the other (MG-2).
fn insert_default_type(body: &mut Map<String, Json>, kind: &str) {
    body.insert("default_queue_type".into(), kind.into());
    body.insert("defaultqueuetype".into(), kind.into());
}

fn stored_tags(stored: &Json) -> String {
    match stored.get("tags") {
        Some(Json::Array(tags)) => tags.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(","),
        Some(Json::String(tags)) => tags.clone(),
        _ => String::new(),
    }
}
