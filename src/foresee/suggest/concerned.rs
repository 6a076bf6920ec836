//! The part of a topology that a draft can come to, so that a play on each further version declares no more than that.
//! Takes a cell and a version's view, whose broker tells the ways; gives the cell with what it concerns. Never guesses: where a
//! way cannot be told beforehand, all stays.

use crate::foresee::topology_view::TopologyView;
use crate::model::{Act, Action, Cell, DestinationKind, Name, Publish, QueueName, Subject};
use std::collections::BTreeSet;

/// The types of exchanges whose ways the key alone decides.
const BY_KEY: [&str; 3] = ["direct", "fanout", "topic"];

/// Leaves out the queues that no message of a cell can come to on a version, with their bindings.
pub(crate) fn concerned(cell: &Cell, view: &TopologyView<'_>) -> Cell {
    let mut part = cell.clone();
    if let Some(queues) = queues_of(cell, view) {
        let stays =
            |vhost: &Name, name: &Name| queues.contains(&QueueName { vhost: vhost.clone(), name: name.clone() });
        let topology = &mut part.scenario.topology;
        topology.queues.retain(|queue| stays(&queue.vhost, &queue.name));
        topology
            .bindings
            .retain(|it| it.destination_kind == DestinationKind::Exchange || stays(&it.vhost, &it.destination));
    }
    part
}

/// Lists the queues that a cell names or that its messages may come to; `None` where the file does not tell.
fn queues_of(cell: &Cell, view: &TopologyView<'_>) -> Option<BTreeSet<QueueName>> {
    let scenario = &cell.scenario;
    if !scenario.topology.exchanges.iter().all(|exchange| BY_KEY.contains(&&*exchange.kind)) {
        return None;
    }
    let mut reach = DraftReach { view, queues: BTreeSet::new(), known: BTreeSet::new() };
    for step in scenario.all_steps() {
        match &step.act {
            Act::Publish(publish) => reach.publish(&step.vhost, publish)?,
            Act::Expect(expectation) => {
                if let Subject::Queue(of) = &expectation.subject {
                    reach.queues.insert(of.queue.clone());
                }
            }
            Act::Advance(_) | Act::WaitUntilQuiet(_) => {}
            _ => return None,
        }
    }
    for consumer in &scenario.consumers {
        let settles = |action: &Action| {
            matches!(action, Action::Ack { .. } | Action::Nack { .. } | Action::Reject { .. } | Action::Delay(_))
        };
        if !consumer.actions().all(settles) {
            return None;
        }
        reach.queues.insert(consumer.queue.clone());
    }
    Some(reach.queues)
}

struct DraftReach<'v> {
    view: &'v TopologyView<'v>,
    queues: BTreeSet<QueueName>,
    /// Queues with the key by which a message came there.
    known: BTreeSet<(QueueName, Name)>,
}

impl DraftReach<'_> {
    fn publish(&mut self, vhost: &Name, publish: &Publish) -> Option<()> {
        let (exchange, key) = (publish.exchange.fixed()?, publish.routing_key.fixed()?);
        if !publish.headers.is_empty() || (exchange.starts_with("amq.") && exchange != "amq.direct") {
            return None;
        }
        self.follow(vhost, exchange, key);
        Some(())
    }

    /// Follows a message, and what becomes of it when it dies.
    fn follow(&mut self, vhost: &Name, exchange: &str, key: &str) {
        for name in self.view.broker.queues_reached(vhost, exchange, key, None) {
            let queue = QueueName { vhost: vhost.clone(), name };
            if !self.known.insert((queue.clone(), key.into())) {
                continue;
            }
            self.queues.insert(queue.clone());
            let Some(found) = self.view.queue(vhost, &queue.name) else { continue };
            if let Some(dead) = &found.settings.dead_letter_exchange {
                let own = found.settings.dead_letter_routing_key.as_deref();
                self.follow(vhost, dead, own.unwrap_or(key));
            }
        }
    }
}
