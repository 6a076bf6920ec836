//! A user's patterns in a vhost, and what a channel remembers of accesses that were allowed (PE-6, PE-7).

use crate::model::{Millis, Moment, Name, TopicPermission};
use crate::rules::{Access, Pattern};
use std::collections::VecDeque;
use std::sync::Arc;

/// A channel without work for this long hibernates, and forgets what it was allowed (PE-6).
pub(crate) const IDLE_MAX: Millis = Millis(1000);

/// A user's patterns in one vhost.
#[derive(Clone)]
pub(crate) struct Rights {
    pub configure: Pattern,
    pub write: Pattern,
    pub read: Pattern,
}

/// A user's patterns on the routing keys of one topic exchange.
#[derive(Clone)]
pub(crate) struct TopicRights {
    /// As they were written, with `{username}` and `{vhost}`.
    pub declared: Arc<TopicPermission>,
    pub write: Pattern,
    pub read: Pattern,
}

/// Remembers accesses that were allowed, newest first; a revoked right stays until it is forgotten.
#[derive(Debug, Clone, Default, Hash)]
pub(crate) struct PermissionCache {
    /// When the channel had work last.
    pub busy_at: Moment,
    /// Access, whether to an exchange, name.
    pub accesses: VecDeque<(Access, bool, Name)>,
    /// Access, exchange, key.
    pub topics: VecDeque<(Access, Name, Name)>,
}

impl Rights {
    pub(crate) fn pattern(&self, access: Access) -> &Pattern {
        match access {
            Access::Configure => &self.configure,
            Access::Write => &self.write,
            Access::Read => &self.read,
        }
    }
}

impl PermissionCache {
    /// Notes that the channel has work; forgets everything when it had none for long.
    #[inline]
    pub(crate) fn wake(&mut self, now: Moment) {
        if now - self.busy_at >= IDLE_MAX {
            self.accesses.clear();
            self.topics.clear();
        }
        self.busy_at = now;
    }
}
