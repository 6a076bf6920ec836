//! Of which type the queues of a scenario are, on the version that it plays on.

use crate::model::{Profile, Queue, QueueKind, QueueName, Scenario, Version};
use crate::rules::{differences, type_of_new_queue};

/// Returns the type of a declared queue: its own, or the one that its vhost has by default.
pub(crate) fn kind_of(queue: &Queue, version: Version, scenario: &Scenario) -> QueueKind {
    let vhost = scenario.topology.vhosts.iter().find(|vhost| vhost.name == queue.vhost);
    let default = vhost.and_then(|vhost| QueueKind::named(vhost.default_queue_type.as_deref()?));
    type_of_new_queue(queue, default, differences(Profile::nearest(version)))
}

/// Returns the type of a queue by its name; one that the scenario does not declare counts as classic.
pub(crate) fn kind_of_name(name: &QueueName, version: Version, scenario: &Scenario) -> QueueKind {
    let declared = scenario.declared_queues();
    let queue = declared.into_iter().find(|queue| queue.id() == *name);
    queue.map_or(QueueKind::Classic, |queue| kind_of(queue, version, scenario))
}
