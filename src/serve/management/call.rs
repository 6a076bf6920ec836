//! One request under way: who asks, what the path names, and the broker that it is about.

use crate::broker::{Management, Method, Refusal, Reply};
use crate::model::{Name, Profile};
use crate::serve::management::answer::ApiAnswer;
use crate::serve::management::request::ApiRequest;
use crate::serve::served_broker::ServedBroker;
use crate::sim::Sim;
use serde_json::{Map, Value as Json};

/// A request of a user who may make it.
pub(crate) struct ManagementCall<'a> {
    pub broker: &'a mut ServedBroker,
    pub now_ms: u64,
    pub request: &'a ApiRequest,
    /// What the path names, by the words of the route.
    pub ids: Vec<(&'static str, String)>,
    pub user: Name,
    pub tags: Vec<String>,
}

impl ManagementCall<'_> {
    /// Returns what the path names by a word of its route; the default exchange is called `amq.default`.
    pub(crate) fn id(&self, word: &str) -> &str {
        let found = self.ids.iter().find(|(known, _)| *known == word).map_or("", |(_, value)| value);
        let is_exchange = matches!(word, "exchange" | "source");
        if is_exchange && found == "amq.default" { "" } else { found }
    }

    pub(crate) fn name(&self, word: &str) -> Name {
        self.id(word).into()
    }

    pub(crate) fn sim(&self) -> &Sim {
        self.broker.sim()
    }

    pub(crate) fn profile(&self) -> Profile {
        self.broker.edition().profile
    }

    pub(crate) fn is_set(&self, parameter: &str) -> bool {
        self.request.parameter(parameter).as_deref() == Some("true")
    }

    pub(crate) fn has_tag(&self, tags: &[&str]) -> bool {
        self.tags.iter().any(|tag| tags.contains(&tag.as_str()))
    }

    /// Returns whether the user has rights in a vhost.
    pub(crate) fn is_member(&self, vhost: &str) -> bool {
        let user = self.sim().held_user(&self.user);
        user.is_some_and(|user| user.permissions.iter().any(|row| row.vhost == *vhost))
    }

    /// Lists the vhosts that the user sees, or the one of the path.
    ///
    /// # Errors
    /// The one of the path is not there.
    pub(crate) fn vhosts(&self) -> Result<Vec<Name>, ApiAnswer> {
        if self.ids.iter().any(|(word, _)| *word == "vhost") {
            return Ok(vec![self.vhost()?]);
        }
        let sees_all = self.has_tag(&["administrator", "monitoring"]);
        let all = self.sim().held_vhosts().map(|vhost| vhost.name.clone());
        Ok(all.filter(|name| sees_all || self.is_member(name)).collect())
    }

    /// Returns the vhost of the path.
    ///
    /// # Errors
    /// It is not there.
    pub(crate) fn vhost(&self) -> Result<Name, ApiAnswer> {
        let known = self.sim().held_vhost(self.id("vhost"));
        known.map(|vhost| vhost.name.clone()).ok_or_else(ApiAnswer::no_object)
    }

    /// Returns the vhost of the path, in which something is to be made.
    ///
    /// # Errors
    /// It is not there.
    pub(crate) fn vhost_to_write(&self) -> Result<Name, ApiAnswer> {
        self.vhost().map_err(|_| ApiAnswer::no_vhost())
    }

    /// Reads the body; these keys must be there.
    ///
    /// # Errors
    /// It is no map, or keys are missing (MG-1).
    pub(crate) fn body(&self, needed: &[&str]) -> Result<Map<String, Json>, ApiAnswer> {
        let body = self.request.map()?;
        let missing: Vec<String> =
            needed.iter().filter(|key| !body.contains_key(**key)).map(|key| format!("{{key_missing,{key}}}")).collect();
        if missing.is_empty() { Ok(body) } else { Err(ApiAnswer::bad_request(format!("[{}]", missing.join(",")))) }
    }

    /// Has the management side do something.
    pub(crate) fn act(&mut self, act: Management) -> Result<Reply, Refusal> {
        self.broker.manage(self.now_ms, act)
    }

    /// Calls a method with the user's rights.
    pub(crate) fn call(&mut self, vhost: &str, method: Method) -> Result<Reply, Refusal> {
        let user = self.user.clone();
        self.broker.directly(self.now_ms, &user, vhost, |sim| sim.call_directly(method))
    }
}

/// Reads a flag as RabbitMQ does: a boolean, or its word.
pub(crate) fn flag(body: &Map<String, Json>, key: &str) -> Result<bool, ApiAnswer> {
    match body.get(key) {
        None | Some(Json::Null) => Ok(false),
        Some(Json::Bool(yes)) => Ok(*yes),
        Some(Json::String(word)) if word == "true" => Ok(true),
        Some(Json::String(word)) if word == "false" => Ok(false),
        Some(other) => {
            let shown = other.as_str().map_or_else(|| other.to_string(), |text| format!("<<\"{text}\">>"));
            Err(ApiAnswer::bad_request(format!("{{not_boolean,{shown}}}")))
        }
    }
}
