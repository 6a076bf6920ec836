//! A virtual host as the broker holds it: names of queues and exchanges, policies, limits.

use crate::model::{Name, QueueKind};
use crate::rules::EffectivePolicies;
use crate::sim::state::arena::{ExchangeId, QueueId};
use crate::sim::state::names::NameMap;
use std::collections::BTreeMap;

/// A virtual host.
#[derive(Clone)]
pub(crate) struct Vhost {
    pub name: Name,
    pub description: String,
    pub tags: Vec<String>,
    pub protected_from_deletion: bool,
    pub default_queue_type: Option<QueueKind>,
    pub limits: BTreeMap<String, i64>,
    pub queues: NameMap<QueueId>,
    pub exchanges: NameMap<ExchangeId>,
    /// The one of the empty name: always there, and what most dead letters go through.
    pub default_exchange: Option<ExchangeId>,
    pub policies: EffectivePolicies,
}

impl Vhost {
    /// Returns a limit; negative is none.
    pub(crate) fn limit(&self, name: &str) -> Option<i64> {
        self.limits.get(name).copied().filter(|limit| *limit >= 0)
    }
}
