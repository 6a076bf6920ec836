//! The watched queues, and the counts that were told of them last.

use crate::broker::Counts;
use crate::model::QueueName;
use std::collections::BTreeMap;

/// Who is watched and what was told last.
#[derive(Debug, Clone, Default, Hash)]
pub(crate) struct QueueCounts {
    pub told: BTreeMap<QueueName, Option<Counts>>,
    /// Names to look at when the step ends.
    pub touched: Vec<QueueName>,
}

impl QueueCounts {
    pub(crate) fn has(&self, name: &QueueName) -> bool {
        !self.told.is_empty() && self.told.contains_key(name)
    }

    /// Returns whether there are names to look at.
    pub(crate) fn has_news(&self) -> bool {
        !self.touched.is_empty()
    }

    pub(crate) fn touch_name(&mut self, name: &QueueName) {
        if !self.touched.contains(name) {
            self.touched.push(name.clone());
        }
    }
}
