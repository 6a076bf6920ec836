//! A scenario after loading: one cell is one scenario with one choice of its matrix, all load-time templates rendered.
//! Plain data; `play` runs it. Names that it uses are declared, or are problems already.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{
    Act, Consumer, Expectation, Millis, Name, Origins, Queue, Refused, Scale, Subject, Topology, Version, When,
};
use crate::source::Span;
use std::collections::BTreeMap;

/// One scenario with one choice of its matrix: what is played.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Axis → chosen value, as text; empty without a matrix.
    pub axes: BTreeMap<String, String>,
    pub scenario: Scenario,
}

/// A whole scenario file, its topologies merged in.
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
    /// Of the scenario's own time, as somebody wrote it.
    pub timeout: Option<Millis>,
    pub requires: Vec<Requirement>,
    pub needs: Needs,
    /// The brokers that it is for: `sim`, `sim:4.3`, `live`, or names of `rmqplay.yaml`; empty is all.
    pub brokers: Vec<String>,
    pub live: LiveSettings,
    pub consumers: Vec<Consumer>,
    pub steps: Vec<Step>,
    pub at_end: Vec<Step>,
    pub finally: Vec<Step>,
    pub snapshot: SnapshotSettings,
}

/// One bound on the broker's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    pub at_least: Option<Version>,
    pub below: Option<Version>,
    pub span: Span,
}

impl Requirement {
    /// Returns whether a version keeps to the bound.
    pub fn admits(&self, version: Version) -> bool {
        self.at_least.is_none_or(|least| version >= least) && self.below.is_none_or(|below| version < below)
    }
}

/// What a scenario needs of its broker beyond a version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// Enabled ones, as `rabbitmq-plugins list` names them.
    pub plugins: Vec<String>,
    /// It restarts the broker: on a live one it plays alone, and only where that is allowed.
    pub restart: bool,
    /// It stops and starts nodes of a cluster of so many: it plays alone, on live brokers, where that is allowed.
    pub nodes: Option<u16>,
}

impl Needs {
    /// Returns whether nothing else may play beside it: it takes the broker, or a part of it, away.
    pub fn plays_alone(&self) -> bool {
        self.restart || self.nodes.is_some()
    }
}

/// What is said of live brokers only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LiveSettings {
    /// Every duration is multiplied by it.
    pub time_scale: Option<Scale>,
}

/// One line of the driver.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub span: Span,
    pub act: Act,
    /// The user who acts; absent is the runner, with all rights.
    pub actor: Option<Name>,
    pub vhost: Name,
    pub refused: Option<Refused>,
    /// Set for the steps that a `for_each` with `every` wrote out.
    pub pace: Option<Pace>,
}

impl Step {
    /// Names who does it: the user who acts, or the driver.
    pub fn who(&self) -> Name {
        self.actor.clone().unwrap_or_else(|| "driver".into())
    }
}

/// The place of a step in a repeated one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// From the start of one to the start of the next.
    pub every: Millis,
    /// Counts from 0.
    pub index: u32,
}

/// Whether and how the outcome is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotSettings {
    pub off: bool,
    /// Dotted paths below a message (`json.timestamp`, `headers.trace`).
    pub redact: Vec<String>,
    /// The split over competing consumers is certain and kept.
    pub split: bool,
}

/// How much longer a scenario may take than its steps say, unless it says how long it may.
const PATIENCE: Millis = Millis(600_000);

impl Scenario {
    /// Counts the messages that the driver's steps publish.
    pub fn publishes_at_most(&self) -> u64 {
        let counts = self.steps.iter().chain(&self.finally).map(|step| match &step.act {
            Act::Publish(publish) => u64::from(publish.count),
            Act::Call(_) => 1,
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

    /// Returns whether an expectation counts what only the sim's own reasons tell: drops, dead letters.
    pub fn asks_for_reasons(&self) -> bool {
        self.expectations().any(|expectation| match &expectation.subject {
            Subject::Dropped(_) => true,
            Subject::Metric(wanted) => wanted.metric.is_of_reasons(),
            _ => false,
        })
    }

    /// Returns whether an expectation compares what the run comes to as numbers.
    pub fn asks_for_metrics(&self) -> bool {
        self.expectations().any(|expectation| matches!(expectation.subject, Subject::Metric(_)))
    }

    /// Returns how long the steps may take by their own words: waits, series, moments.
    pub fn own_length(&self) -> Millis {
        let steps = self.steps.iter().chain(&self.at_end).chain(&self.finally);
        let paced = |step: &Step| step.pace.filter(|pace| pace.index > 0).map_or(0, |pace| pace.every.0);
        let length = steps.fold(0u64, |sum, step| match (sum.saturating_add(paced(step)), &step.act) {
            (sum, Act::Advance(length)) => sum.saturating_add(length.0),
            (sum, Act::Call(call)) => sum.saturating_add(call.within.0),
            (sum, Act::WaitUntilQuiet(wait)) => {
                sum.saturating_add(wait.within.0).saturating_add(wait.lasting.unwrap_or_default().0)
            }
            (sum, Act::Publish(publish)) => sum.saturating_add(publish.every.0.saturating_mul(publish.count.into())),
            (sum, Act::Expect(expectation)) => match expectation.when {
                When::Within(length) | When::For(length) => sum.saturating_add(length.0),
                When::At(moment) => sum.max(moment.0),
                When::Quiet => sum,
            },
            (sum, _) => sum,
        });
        Millis(length)
    }

    /// Returns the moment of the scenario's own time at which a run is given up. What somebody wrote is scaled like every
    /// duration; unwritten it is what the steps wait for by their own words, and ten minutes of whichever time runs
    /// faster: a broker's answers take their time at any scale.
    pub fn time_limit(&self, scale: Scale) -> Millis {
        let patience = scale.own(PATIENCE).max(PATIENCE);
        self.timeout.unwrap_or(Millis(patience.0.saturating_add(self.own_length().0)))
    }

    /// Returns how long the steps take whatever happens: what `within` may cut short is not counted.
    pub fn least_length(&self) -> Millis {
        let length = self.steps.iter().chain(&self.finally).fold(0u64, |sum, step| {
            let paced = step.pace.filter(|pace| pace.index > 0).map_or(0, |pace| pace.every.0);
            let sum = sum.saturating_add(paced);
            match &step.act {
                Act::Advance(length) => sum.saturating_add(length.0),
                Act::WaitUntilQuiet(wait) => sum.saturating_add(wait.lasting.unwrap_or_default().0),
                Act::Publish(publish) => {
                    sum.saturating_add(publish.every.0.saturating_mul(publish.count.saturating_sub(1).into()))
                }
                Act::Expect(expectation) => match expectation.when {
                    When::For(length) => sum.saturating_add(length.0),
                    When::At(moment) => sum.max(moment.0),
                    When::Within(_) | When::Quiet => sum,
                },
                _ => sum,
            }
        });
        Millis(length)
    }

    /// Lists all steps: the driver's, those at the end and the last ones.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().chain(&self.at_end).chain(&self.finally)
    }

    /// Lists all expectations, in file order.
    pub fn expectations(&self) -> impl Iterator<Item = &Expectation> {
        self.all_steps().filter_map(|step| match &step.act {
            Act::Expect(expectation) => Some(&**expectation),
            _ => None,
        })
    }

    /// Returns whether an expectation speaks of publishes that no queue took.
    pub fn counts_unroutable(&self) -> bool {
        self.expectations().any(|expectation| matches!(expectation.subject, Subject::Unroutable(_)))
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
