//! The context: all that the driver and the consumers share in a run. What they do with it stands in the files beside.

use crate::broker::{Command, ConnectionId, Ids, PublishId, RequestId};
use crate::model::{Act, Moment, Name, Queue, QueueKind, Scenario, Step};
use crate::player::context::channels::Channels;
use crate::player::context::clock::Clock;
use crate::player::context::given_back::GivenBack;
use crate::player::context::in_flight::InFlight;
use crate::player::context::outbox::Outbox;
use crate::player::context::owner::{Asker, Owner};
use crate::player::context::queue_kind::kind_of;
use crate::player::message::names::Names;
use crate::player::record::failure::Failure;
use crate::player::record::ledger::Ledger;
use crate::player::record::memory::Memory;
use crate::player::record::timeline::{Timeline, TimelineEvent};
use crate::player::run_result::BrokerTraits;
use crate::source::Span;
use std::collections::BTreeMap;

/// What the driver and the consumers share in a run.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub broker: BrokerTraits,
    pub clock: Clock,
    pub ids: Ids,
    pub outbox: Outbox,
    pub channels: Channels,
    pub in_flight: BTreeMap<PublishId, InFlight>,
    /// What the broker still holds of connections that the network lost.
    pub adrift: BTreeMap<ConnectionId, Vec<GivenBack>>,
    /// The connection that the network is losing right now.
    pub drifting: Option<ConnectionId>,
    pub names: Names,
    /// By consumer, over all its instances.
    pub memories: Vec<Memory>,
    pub ledger: Ledger,
    pub timeline: Timeline,
    pub failures: Vec<Failure>,
    /// When each of the scenario's steps began, and then when they were over.
    pub begun: Vec<Moment>,
    /// How many of the scenario's steps are done.
    pub steps_done: usize,
    /// What could not be checked, or is seldom meant, with its place.
    pub notes: Vec<(Span, String)>,
    /// The moment at which the steps were over, or something failed last.
    pub took: Moment,
    /// Every publish asks to be returned when no queue takes it.
    pub counts_unroutable: bool,
    /// A step waits until nothing moves any more.
    pub waits_until_quiet: bool,
    /// Which steps that are done by hand have their turn; none: the scenario's.
    pub hand: Option<usize>,
}

/// Who does what is done by hand.
const BY_HAND: &str = "you";

impl Context {
    /// Makes the context of a run that has not begun; ids go on where the set-up ended.
    pub fn new(scenario: &Scenario, broker: BrokerTraits, ids: Ids) -> Self {
        let is_stream = |queue: &&Queue| kind_of(queue, broker.version, scenario) == QueueKind::Stream;
        let streams = scenario.declared_queues().into_iter().filter(is_stream).map(Queue::id).collect();
        let ledger = Ledger::of(scenario, &streams);
        Self {
            broker,
            clock: Clock::default(),
            ids,
            outbox: Outbox::default(),
            channels: Channels::default(),
            in_flight: BTreeMap::new(),
            adrift: BTreeMap::new(),
            drifting: None,
            names: Names::new(streams),
            memories: Memory::all(scenario),
            ledger,
            timeline: Timeline::default(),
            failures: Vec::new(),
            begun: Vec::new(),
            steps_done: 0,
            notes: Vec::new(),
            took: Moment(0),
            counts_unroutable: scenario.counts_unroutable(),
            waits_until_quiet: scenario.all_steps().any(|step| matches!(step.act, Act::WaitUntilQuiet(_))),
            hand: None,
        }
    }

    /// Returns whose channels and publishes are that the steps at hand open and send.
    pub fn owner(&self) -> Owner {
        self.hand.map_or(Owner::Driver, Owner::Hand)
    }

    /// Returns who waits for what the steps at hand ask.
    pub fn asker(&self) -> Asker {
        self.hand.map_or(Asker::Driver, Asker::Hand)
    }

    /// Returns who waits for the quiet that the steps at hand ask for.
    pub fn quiet_asker(&self) -> Asker {
        self.hand.map_or(Asker::Quiet, Asker::HandQuiet)
    }

    /// Names who does a step.
    pub fn who(&self, step: &Step) -> Name {
        match (&step.actor, self.hand) {
            (None, Some(_)) => BY_HAND.into(),
            _ => step.who(),
        }
    }

    /// Returns the run's own moment.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Asks the broker for something that has an answer.
    pub fn ask(&mut self, asker: Asker, make: impl FnOnce(RequestId) -> Command) -> RequestId {
        let request = self.ids.request();
        self.outbox.ask(asker, request, make(request));
        request
    }

    /// Adds to the timeline what happens now.
    pub fn record(&mut self, what: TimelineEvent) {
        self.timeline.record(self.clock.now(), what);
    }
}
