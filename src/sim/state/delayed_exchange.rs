//! Publishes that `x-delayed-message` exchanges hold back, in the order in which RabbitMQ lets them go (RT-18).
//! The plugin keeps them beside the exchanges, which may be deleted and declared again meanwhile: they are known by name.

use crate::model::{Moment, Name};
use crate::sim::state::queued_message::Stored;
use crate::sim::state::timer::TimerKey;
use std::collections::BTreeMap;

/// A publish that an exchange holds back.
#[derive(Clone)]
pub(crate) struct HeldBack {
    pub stored: Box<Stored>,
    /// The alternate exchange that the exchange had at the publish.
    pub alternate: Option<Name>,
}

/// When a publish is due, and at which exchange: vhost and name.
pub(crate) type DelayKey = (Moment, Name, Name);

/// All publishes that are held back, those of one moment and exchange together.
#[derive(Clone, Default)]
pub(crate) struct DelayedPublishes {
    by_due: BTreeMap<DelayKey, Vec<HeldBack>>,
    /// What the plugin's one timer is set for: it looks anew when that is over, or for an earlier moment.
    next: Option<DelayKey>,
    pub timer: Option<TimerKey>,
    /// The route at hand ended here, for one exchange at least.
    pub took: bool,
}

impl DelayedPublishes {
    /// Returns whether nothing is held back, and none was when last looked at.
    pub(crate) fn is_at_rest(&self) -> bool {
        let Self { by_due, next, timer, took } = self;
        by_due.is_empty() && next.is_none() && timer.is_none() && !took
    }

    pub(crate) fn insert(&mut self, key: DelayKey, publish: HeldBack) {
        self.took = true;
        if self.next.as_ref().is_none_or(|next| key.0 < next.0) {
            self.next = Some(key.clone());
        }
        self.by_due.entry(key).or_default().push(publish);
    }

    /// Returns when the next ones are due.
    pub(crate) fn due_at(&self) -> Option<Moment> {
        self.next.as_ref().map(|(at, _, _)| *at)
    }

    /// Returns the exchange whose publishes are next.
    pub(crate) fn next(&self) -> Option<&DelayKey> {
        self.next.as_ref()
    }

    /// Takes the next ones, all of one moment and exchange, in the order of their publishes.
    pub(crate) fn take_next(&mut self) -> Option<(DelayKey, Vec<HeldBack>)> {
        let taken = self.by_due.remove_entry(&self.next.take()?);
        self.next = self.by_due.keys().next().cloned();
        taken
    }

    /// Lists all.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &HeldBack> {
        self.by_due.values().flatten()
    }

    /// Counts those of an exchange.
    pub(crate) fn count(&self, vhost: &str, exchange: &str) -> u64 {
        let of_it = self.by_due.iter().filter(|((_, at, name), _)| &**at == vhost && &**name == exchange);
        of_it.map(|(_, all)| all.len() as u64).sum()
    }
}
