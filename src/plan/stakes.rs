//! What goes with an object that is deleted, or deleted and made anew: messages, consumers, bindings.
//! Counts what was observed. Never asks a broker.

use crate::model::{DestinationKind, Object, Queue, QueueKind};
use crate::plan::Observed;

/// What would go with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stakes {
    /// Ready and unacked together; `None` when nothing counted them: the object is no queue, or the counts were not read.
    pub messages: Option<u64>,
    /// `None` as for messages.
    pub consumers: Option<u64>,
    /// Bindings from and to the object, whether the file names them or not.
    pub bindings: usize,
    /// It is a stream, whose messages cannot be carried.
    pub is_stream: bool,
}

impl Stakes {
    /// Counts what a broker was seen to hold of one object.
    pub fn of(object: &Object, observed: &Observed) -> Self {
        match object {
            Object::Queue { vhost, name } => {
                let id = crate::model::QueueName { vhost: vhost.clone(), name: name.clone() };
                let facts = observed.queues.get(&id);
                Self {
                    messages: facts.map(|facts| facts.messages),
                    consumers: facts.and_then(|facts| facts.consumers),
                    bindings: bindings(observed, vhost, name, DestinationKind::Queue),
                    is_stream: observed.topology.queue(vhost, name).map(Queue::kind) == Some(QueueKind::Stream),
                }
            }
            Object::Exchange { vhost, name } => {
                let bindings = bindings(observed, vhost, name, DestinationKind::Exchange);
                Self { bindings, ..Self::default() }
            }
            _ => Self::default(),
        }
    }

    /// Returns whether a queue has messages or consumers, or may hold messages that nothing counted.
    pub fn is_in_use(&self) -> bool {
        self.messages != Some(0) || self.consumers.unwrap_or(0) > 0
    }
}

fn bindings(observed: &Observed, vhost: &str, name: &str, kind: DestinationKind) -> usize {
    let bindings = observed.topology.bindings.iter().filter(|binding| *binding.vhost == *vhost);
    let touches = |to: &str, to_kind: DestinationKind, from: &str| {
        (to_kind == kind && to == name) || (kind == DestinationKind::Exchange && from == name)
    };
    bindings.filter(|one| touches(&one.destination, one.destination_kind, &one.source)).count()
}
