//! What a move needs to know of a broker: the queue, its holding queue, who is bound to them, and fresh counts.
//! Filled from one look at the broker. Never judges.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{Binding, DestinationKind, Name, Queue, Topology};
use crate::plan::Observed;
use crate::plan::diff::wiring::queue_differs;
use crate::plan::move_queue::act::MoveStop;
use crate::plan::move_queue::holding::Holding;

/// A queue of a broker against the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueStanding {
    Absent,
    /// It has values that the file does not.
    Old,
    /// It has the values of the file.
    New,
}

/// Fresh counts of one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FreshCounts {
    pub ready: u64,
    pub consumers: u64,
    /// Ready and unacked together, as the management API tells it.
    pub total: u64,
    /// The total is known to be from after the last change of the queue.
    pub is_total_fresh: bool,
}

/// One look at the broker.
#[derive(Debug, Clone, PartialEq)]
pub struct MoveFacts {
    pub standing: QueueStanding,
    /// As the broker has it.
    pub queue: Option<Queue>,
    /// To the queue, but for the move's own.
    pub bindings: Vec<Binding>,
    pub holding: Option<Queue>,
    /// The holding queue to declare, while the queue has its old values; or why there cannot be one.
    pub to_hold: Option<Result<Queue, MoveStop>>,
    /// To the holding queue, but for the move's own.
    pub held_bindings: Vec<Binding>,
    /// The move's own exchange leads to the holding queue.
    pub leads_out: bool,
    /// The move's own exchange leads to the queue.
    pub leads_back: bool,
    pub counts: FreshCounts,
    pub holding_counts: FreshCounts,
}

impl MoveFacts {
    /// Takes from a broker what concerns one queue of the file; the counts are left to whoever asks for them.
    pub fn of(desired: &Topology, queue: &Queue, observed: &Observed) -> Self {
        let holding = Holding::of(&queue.id());
        let there = observed.topology.queue(&queue.vhost, &queue.name).cloned();
        let standing = match &there {
            None => QueueStanding::Absent,
            Some(old) if queue_differs(desired, observed, old, queue) => QueueStanding::Old,
            Some(_) => QueueStanding::New,
        };
        let to_hold = there.as_ref().filter(|_| standing == QueueStanding::Old).map(|old| {
            let declared = holding.declared(old, observed);
            holding.harmed_by(&declared, observed).map_or(Ok(declared), Err)
        });
        let to = |name: &Name, own: &Name| -> (Vec<Binding>, bool) {
            let all = observed.topology.bindings.iter().filter(|binding| {
                binding.vhost == queue.vhost
                    && binding.destination == *name
                    && binding.destination_kind == DestinationKind::Queue
            });
            let (own, rest): (Vec<&Binding>, Vec<&Binding>) = all.partition(|binding| binding.source == *own);
            (rest.into_iter().cloned().collect(), !own.is_empty())
        };
        let (bindings, leads_back) = to(&queue.name, &holding.back);
        let (held_bindings, leads_out) = to(&holding.queue, &holding.out);
        Self {
            standing,
            queue: there,
            bindings,
            holding: observed.topology.queue(&queue.vhost, &holding.queue).cloned(),
            to_hold,
            held_bindings,
            leads_out,
            leads_back,
            counts: FreshCounts::default(),
            holding_counts: FreshCounts::default(),
        }
    }
}
