//! A user as the broker holds it: tags, limits and rights.

use crate::model::Name;
use crate::sim::state::permission::{Rights, TopicRights};
use std::collections::BTreeMap;

/// A user; whoever names one is taken for it, passwords are not simulated.
#[derive(Clone, Default)]
pub(crate) struct User {
    pub tags: Vec<String>,
    pub limits: BTreeMap<String, i64>,
    /// By vhost.
    pub permissions: BTreeMap<Name, Rights>,
    /// By vhost and exchange.
    pub topics: BTreeMap<(Name, Name), TopicRights>,
}

impl User {
    /// Returns a limit; negative is none.
    pub(crate) fn limit(&self, name: &str) -> Option<i64> {
        self.limits.get(name).copied().filter(|limit| *limit >= 0)
    }
}
