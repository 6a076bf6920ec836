//! A scenario after loading: one cell is one scenario with one choice of its matrix, all load-time templates rendered.
//! Plain data; `play` runs it. Names that it uses are declared, or are problems already.

use super::{
    Binding, Consumer, Exchange, Expectation, Millis, Name, Object, Origins, Permission, Policy, Publish, Queue,
    QueueName, Subject, Topology, Version, When,
};
use crate::source::Span;
use std::collections::BTreeMap;

/// Is one scenario with one choice of its matrix: what is played.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Axis → chosen value, as text; empty without a matrix.
    pub axes: BTreeMap<String, String>,
    pub scenario: Scenario,
}

/// Is a whole scenario file, its topologies merged in.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The file as the user named it.
    pub file: String,
    /// The line `scenario:`, what it shows in a sentence.
    pub title: String,
    pub description: Option<String>,
    pub tags: Vec<String>,
    pub topology: Topology,
    pub origins: Origins,
    pub seed: u64,
    /// Of the scenario's own time.
    pub timeout: Millis,
    pub requires: Vec<Requirement>,
    pub consumers: Vec<Consumer>,
    pub steps: Vec<Step>,
    pub at_end: Vec<Step>,
    pub finally: Vec<Step>,
    pub snapshot: SnapshotSettings,
}

/// Is one bound on the broker's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    pub at_least: Option<Version>,
    pub below: Option<Version>,
    pub span: Span,
}

/// Is one line of the driver.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub span: Span,
    pub act: Act,
    /// The user who acts; absent is the runner, with all rights.
    pub actor: Option<Name>,
    pub vhost: Name,
    pub refused: Option<Refused>,
}

/// Says that a step must be refused, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub span: Span,
    pub code: Option<u16>,
    /// Contained in the reply text.
    pub text: Option<String>,
}

/// Is what a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Publish(Box<Publish>),
    Expect(Box<Expectation>),
    /// Lets that much time pass.
    Advance(Millis),
    Start(Name),
    /// Cancels and closes politely.
    Stop(Name),
    /// Drops the socket.
    Crash(Name),
    Get {
        queue: QueueName,
        ack: bool,
    },
    /// Subscribes and at once cancels: shows whether the user may consume.
    Consume {
        queue: QueueName,
    },
    DeclareQueue(Box<Queue>),
    DeclareExchange(Box<Exchange>),
    Delete(Object),
    Bind(Box<Binding>),
    Unbind(Box<Binding>),
    Purge(QueueName),
    SetPolicy(Box<Policy>),
    ClearPolicy {
        vhost: Name,
        name: Name,
    },
    SetPermission(Box<Permission>),
}

/// Says whether and how the outcome is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotSettings {
    pub off: bool,
    /// Dotted paths below a message (`json.timestamp`, `headers.trace`).
    pub redact: Vec<String>,
    /// The split over competing consumers is certain and kept.
    pub split: bool,
}

impl Scenario {
    /// Counts the messages that the driver's steps publish.
    pub fn publishes_at_most(&self) -> u64 {
        let counts = self.steps.iter().chain(&self.finally).map(|step| match &step.act {
            Act::Publish(publish) => u64::from(publish.count),
            _ => 0,
        });
        counts.sum()
    }

    /// Lists all queues that the topology, a step, or a consumer under a name of its own declares, each once.
    pub fn declared_queues(&self) -> Vec<&Queue> {
        let by_steps = self.steps.iter().filter_map(|step| match &step.act {
            Act::DeclareQueue(queue) => Some(&**queue),
            _ => None,
        });
        let mut queues: Vec<&Queue> = self.topology.queues.iter().collect();
        let own = self.consumers.iter().filter_map(|consumer| consumer.own_queue.as_ref()).map(|own| &own.queue);
        for queue in by_steps.chain(own.filter(|queue| !queue.name.is_empty())) {
            if !queues.iter().any(|known| known.id() == queue.id()) {
                queues.push(queue);
            }
        }
        queues
    }

    /// Says whether an expectation counts what only the sim's own reasons tell: drops, and what no queue took.
    pub fn asks_for_reasons(&self) -> bool {
        let mut steps = self.steps.iter().chain(&self.at_end).chain(&self.finally);
        steps.any(|step| match &step.act {
            Act::Expect(expectation) => matches!(expectation.subject, Subject::Dropped(_) | Subject::Unroutable(_)),
            _ => false,
        })
    }

    /// Gives how long the steps may take by their own words: waits, series, moments.
    pub fn own_length(&self) -> Millis {
        let steps = self.steps.iter().chain(&self.at_end).chain(&self.finally);
        let length = steps.fold(0u64, |sum, step| match &step.act {
            Act::Advance(length) => sum.saturating_add(length.0),
            Act::Publish(publish) => sum.saturating_add(publish.every.0.saturating_mul(publish.count.into())),
            Act::Expect(expectation) => match expectation.when {
                When::Within(length) | When::For(length) => sum.saturating_add(length.0),
                When::At(moment) => sum.max(moment.0),
                When::Quiet => sum,
            },
            _ => sum,
        });
        Millis(length)
    }

    /// Lists the vhosts that the scenario touches, in order of first mention.
    pub fn vhosts(&self) -> Vec<Name> {
        let mut names = self.topology.vhost_names();
        let consumed = self.consumers.iter().map(|consumer| &consumer.queue.vhost);
        let stepped = self.steps.iter().chain(&self.finally).map(|step| &step.vhost);
        for name in consumed.chain(stepped) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}
