//! What consumers returned to queues at one moment.

use crate::model::{Moment, QueueName};
use std::collections::{BTreeMap, BTreeSet};

/// The returns to each queue at one moment, and the queues whose order is open.
#[derive(Debug, Clone, Default, Hash)]
pub(crate) struct Returns {
    pub at: BTreeMap<QueueName, (Moment, u64)>,
    pub unordered: BTreeSet<QueueName>,
}
