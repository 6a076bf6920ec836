//! The simulator and all that play on it, stepped together up to a moment that is handed in.

use crate::broker::{Client, Command, Event, Ids, Management, Refusal, Reply, RequestId};
use crate::clock::{ClockJobState, ClockMode, ClockStep, ClockSurroundings, Debt, ServedClock};
use crate::model::{Cell, Millis, Moment, Name, Object, Origins, Profile, Topology, Vhost};
use crate::plan::{Applier, Observed, plan};
use crate::rules::{Differences, Edition, differences_of};
use crate::serve::accounts::Accounts;
use crate::serve::faults::waiting::{Faults, RESTART_REQUEST};
use crate::serve::management::ManagementMemory;
use crate::serve::scenario::neighbours::ScriptedNeighbours;
use crate::serve::server::Server;
use crate::serve::session::goal::AdvanceGoal;
use crate::serve::session::{Journal, Observer, Recording};
use crate::sim::Sim;
use crate::simulate::{Ended, Limits, fail_unless_done, simulate};
use std::collections::BTreeMap;

/// How many commands are carried out and events handed out before sockets are looked at again: one publish may reach
/// thousands of queues.
const DEEDS_OF_A_TURN_MAX: u64 = 2_000;

/// The request by which the host itself asks.
const OWN_REQUEST: RequestId = RequestId(u64::MAX);

/// Somebody who works on, unseen by the broker.
#[derive(Debug, Clone)]
pub(crate) struct Hold {
    by: String,
    until_ms: u64,
}

/// A served broker: the simulator with its outside clients.
#[derive(Clone)]
pub struct ServedBroker {
    pub(crate) sim: Sim,
    /// The outside clients.
    pub server: Server,
    pub(crate) edition: Edition,
    /// What it held when it began.
    pub(crate) begun_with: (Topology, Origins),
    /// The ids that the set-up left.
    ids: Ids,
    /// The scenario that plays beside them.
    pub(crate) neighbours: Option<ScriptedNeighbours>,
    /// Follows what clients do.
    pub(crate) observer: Observer,
    /// What is kept of that, where anybody may ask.
    pub(crate) journal: Option<Journal>,
    /// All that clients did, to be written as a scenario.
    pub(crate) recording: Option<Recording>,
    /// What the advance under way waits for.
    pub(crate) goal: Option<AdvanceGoal>,
    /// Faults that wait to happen.
    pub(crate) faults: Faults,
    /// Commands carried out and events handed out so far.
    deeds: u64,
    /// The answer to what the host asked itself.
    answered: Option<Result<Reply, Refusal>>,
    /// The clock that it follows.
    pub clock: ServedClock,
    pub(crate) holds: BTreeMap<u64, Hold>,
    held: u64,
    refused: Vec<(Object, Refusal)>,
    memory: ManagementMemory,
    /// Where it listens.
    listeners: Vec<ServedListener>,
}

/// A socket at which it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedListener {
    /// `amqp`, `http`.
    pub protocol: &'static str,
    /// An IP address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl ServedBroker {
    /// Makes a broker of an edition that holds a topology; its users log in with their passwords, `guest` where there are
    /// none. `epoch_s` is the second since 1970 of moment 0, for the times that x-death tells.
    pub fn new(edition: Edition, topology: &Topology, origins: &Origins, epoch_s: u64) -> Self {
        let mut sim = Sim::new(edition).with_epoch(epoch_s);
        let planned = plan(topology, origins, &Observed::empty(edition.profile));
        let mut applier = Applier::new(planned, Ids::default());
        simulate(&mut applier, &mut sim, Moment(0), &Limits::default());
        let (applied, ids) = applier.finish();
        if !topology.users.is_empty() && !topology.users.iter().any(|user| user.name == "guest") {
            // Whoever names users gets no other.
            let gone = Management::DeleteUser { user: "guest".into() };
            sim.handle(Moment(0), Command::Manage { request: OWN_REQUEST, act: gone });
        }
        let server = Server::new(edition, Accounts::of(&topology.users));
        let clock = ServedClock::new(ClockMode::Real, Millis(0), Millis(0));
        Self {
            sim,
            server,
            edition,
            begun_with: (topology.clone(), origins.clone()),
            ids,
            neighbours: None,
            observer: Observer::default(),
            journal: None,
            recording: None,
            goal: None,
            faults: Faults::default(),
            deeds: 0,
            answered: None,
            clock,
            holds: BTreeMap::new(),
            held: 0,
            refused: applied.refused,
            memory: ManagementMemory::new(edition.profile >= Profile::V4_0, &topology.global_parameters),
            listeners: Vec::new(),
        }
    }

    /// Lets a scenario play beside the outside clients, on the topology that the broker holds: its own. Its end waits for
    /// [`ServedBroker::finish_scenario`].
    pub fn with_scenario(mut self, cell: &Cell) -> Self {
        self.sim = self.sim.with_insights(true);
        self.neighbours = Some(ScriptedNeighbours::new(cell, self.edition, self.ids.clone()));
        self
    }

    /// Traces vhosts from the start: `amq.rabbitmq.trace` of each gets what clients publish and are delivered (PX-4).
    ///
    /// # Errors
    /// The first name that no vhost has.
    pub fn with_firehose<'v>(mut self, vhosts: impl IntoIterator<Item = &'v str>) -> Result<Self, &'v str> {
        match vhosts.into_iter().find(|vhost| !self.sim.trace_vhost(vhost, true)) {
            None => Ok(self),
            Some(unknown) => Err(unknown),
        }
    }

    /// Switches tracing of a vhost on or off; returns whether there is such a vhost.
    pub fn trace_vhost(&mut self, vhost: &str, on: bool) -> bool {
        self.sim.trace_vhost(vhost, on)
    }

    /// Tells it where it listens, which it shows to those who ask.
    pub fn with_listeners(mut self, listeners: Vec<ServedListener>) -> Self {
        self.listeners = listeners;
        self
    }

    /// Returns where it listens.
    pub(crate) fn listeners(&self) -> &[ServedListener] {
        &self.listeners
    }

    /// Returns which version's rules hold.
    pub fn edition(&self) -> Edition {
        self.edition
    }

    pub(crate) fn differences(&self) -> &'static Differences {
        differences_of(self.edition)
    }

    pub(crate) fn sim(&self) -> &Sim {
        &self.sim
    }

    pub(crate) fn memory(&self) -> &ManagementMemory {
        &self.memory
    }

    pub(crate) fn memory_mut(&mut self) -> &mut ManagementMemory {
        &mut self.memory
    }

    /// Does something with a user's rights that no connection is needed for.
    pub(crate) fn directly<T>(&mut self, now_ms: u64, user: &Name, vhost: &str, act: impl FnOnce(&mut Sim) -> T) -> T {
        self.in_session(now_ms, Some(user.clone()), vhost, act)
    }

    /// The same with all rights.
    pub(crate) fn directly_for_all<T>(&mut self, now_ms: u64, vhost: &str, act: impl FnOnce(&mut Sim) -> T) -> T {
        self.in_session(now_ms, None, vhost, act)
    }

    fn in_session<T>(&mut self, now_ms: u64, user: Option<Name>, vhost: &str, act: impl FnOnce(&mut Sim) -> T) -> T {
        let now = self.clock.moment(now_ms);
        self.sim.open_direct(now, user, vhost);
        let outcome = act(&mut self.sim);
        self.sim.close_direct();
        self.hand_out(now);
        outcome
    }

    /// Makes or changes a vhost as the API's own PUT does: what is left open is reset.
    pub(crate) fn replace_vhost(&mut self, vhost: &Vhost) -> Result<Reply, Refusal> {
        self.sim.replace_vhost(vhost)
    }

    /// Returns what the broker refused of its topology.
    pub fn refused(&self) -> &[(Object, Refusal)] {
        &self.refused
    }

    /// Makes it follow a clock; without, a millisecond is a millisecond.
    pub fn with_clock(mut self, clock: ServedClock) -> Self {
        self.clock = clock;
        self
    }

    /// Does all that is to be done at a real millisecond, and lets the clock jump as far as nobody owes anything; returns
    /// whether more is left to do at once.
    pub fn turn(&mut self, now_ms: u64) -> bool {
        let until = self.deeds + DEEDS_OF_A_TURN_MAX;
        while self.deeds < until {
            self.deeds += 1;
            let now = self.clock.moment(now_ms);
            if self.work_at(now, now_ms) {
                continue;
            }
            match self.clock_step(now_ms) {
                ClockStep::Go(moment) if moment > now => {}
                _ => return false,
            }
        }
        true
    }

    /// Returns whether the clock is being advanced.
    pub fn is_advancing(&self) -> bool {
        self.clock.job().is_some_and(|job| job.state == ClockJobState::Running)
    }

    /// Returns whether the clock goes from one thing that happens to the next, as far as nobody owes anything.
    pub fn jumps(&self) -> bool {
        self.clock.mode() == ClockMode::Auto || self.is_advancing()
    }

    /// Does one thing that is to be done at a moment; returns whether there was any.
    pub(crate) fn work_at(&mut self, now: Moment, now_ms: u64) -> bool {
        self.sim.advance(now);
        self.pass_on_due(now);
        // What a settlement brings is still on its way when its client leaves in the same breath.
        if !self.server.is_leaving() && !self.neighbours.as_ref().is_some_and(ScriptedNeighbours::is_leaving) {
            self.hand_out(now);
        }
        if let Some((command, is_outside)) = self.next_command(now, now_ms) {
            self.observe_command(now, &command);
            if !is_outside || !self.meet_fault(now, &command) {
                self.label(&command);
                self.sim.handle(now, command);
            }
            return true;
        }
        self.sim.rest() || self.sim.is_due(now) || self.answer_quiet(now, now_ms)
    }

    /// Tells the simulator what events and traces call the client of a command by.
    fn label(&mut self, command: &Command) {
        match command {
            Command::Connect { connection, .. } => {
                let label = self.server.label_of(*connection);
                label.into_iter().for_each(|label| self.sim.label_connection(*connection, label));
            }
            Command::OpenChannel { channel, .. } => {
                let number = self.server.channels.get(channel).map(|(_, number)| *number);
                number.into_iter().for_each(|number| self.sim.number_channel(*channel, number));
            }
            _ => {}
        }
    }

    /// Returns what is asked next, and whether an outside client asks: scenario and outside clients take turns.
    fn next_command(&mut self, now: Moment, now_ms: u64) -> Option<(Command, bool)> {
        let outside = |server: &mut Server| server.poll_command(now).map(|command| (command, true));
        let Some(neighbours) = self.neighbours.as_mut().filter(|_| !self.server.is_leaving()) else {
            return outside(&mut self.server);
        };
        if neighbours.is_runaway() {
            neighbours.count_anew();
            fail_unless_done(&mut neighbours.player, &Ended::runaway(now, &self.sim));
            neighbours.player.release(now);
        }
        let scripted = neighbours.poll(now, now_ms, self.server.has_work()).map(|command| (command, false));
        scripted.or_else(|| outside(&mut self.server)).or_else(|| {
            // The outside clients had their turn, and had nothing to ask.
            Some((self.neighbours.as_mut()?.poll(now, now_ms, false)?, false))
        })
    }

    /// Returns when it is to be looked at again without anything from outside, in real milliseconds.
    pub fn next_ms(&mut self, now_ms: u64) -> Option<u64> {
        let clock = match self.clock_step(now_ms) {
            ClockStep::Go(_) => Some(now_ms),
            ClockStep::WaitUntil(at) => Some(at),
            ClockStep::Rest => None,
        };
        let quiet = self.quiet_at_ms(now_ms);
        let holds = self.holds.values().map(|hold| hold.until_ms);
        clock.into_iter().chain(self.server.next_tick_ms()).chain(quiet).chain(holds).min()
    }

    fn clock_step(&mut self, now_ms: u64) -> ClockStep {
        // Nobody would see what happens before the first client is there.
        if self.clock.mode() == ClockMode::Auto && !self.server.has_met_a_client() {
            return ClockStep::Rest;
        }
        // Each is looked at where the clock asks for it: outstanding deliveries may be many.
        let jumps = self.jumps();
        let scripted = self.neighbours.as_ref().and_then(|neighbours| neighbours.player.wake_at());
        let wake_at = if jumps { self.sim.wake_at() } else { self.sim.wakes_from() };
        let wake_at = wake_at.into_iter().chain(scripted).chain(self.faults.wake_at()).min();
        let is_met = self.goal.as_mut().is_some_and(|goal| goal.is_met(&self.sim));
        let debt = if jumps { self.debt(now_ms).or_else(|| self.debt_of_scenario()) } else { None };
        self.clock.step(now_ms, &ClockSurroundings { wake_at, debt, is_met, stirred_ms: self.server.stirred_ms() })
    }

    /// Returns what somebody still has to do before time may pass.
    pub(crate) fn debt(&mut self, now_ms: u64) -> Option<Debt> {
        self.holds.retain(|_, hold| hold.until_ms > now_ms);
        let held = self.holds.iter().next().map(|(id, hold)| {
            let what = format!("hold {id} is not released");
            Debt { connection: hold.by.clone(), what }
        });
        let bytes = || self.server.debt_of_bytes();
        // What is kept back its client does not have.
        let has = |channel| Ids::is_outside_channel(channel) && !self.faults.holds_of(channel);
        let delivery = || self.server.debt_of(&self.sim.oldest_unsettled(has)?);
        held.or_else(bytes).or_else(delivery)
    }

    /// Keeps time from jumping until the hold is released, or a real time is over; returns its number.
    pub fn hold(&mut self, by: impl Into<String>, until_ms: u64) -> u64 {
        self.held += 1;
        self.holds.insert(self.held, Hold { by: by.into(), until_ms });
        self.held
    }

    /// Releases a hold; returns whether there was one of that number.
    pub fn release(&mut self, hold: u64) -> bool {
        self.holds.remove(&hold).is_some()
    }

    /// Hands each event to whom it concerns.
    pub(crate) fn hand_out(&mut self, now: Moment) {
        while let Some(event) = self.sim.poll_event() {
            self.deeds += 1;
            match event {
                Event::Reply { request: OWN_REQUEST, reply } => self.answered = Some(reply),
                Event::Reply { request: RESTART_REQUEST, .. } => self.server.set_down(false),
                Event::Told(insight) => self.hear_reason(now, insight),
                event if Server::owns(&event) => self.pass_on(now, event),
                event => {
                    self.observe_event(now, &event);
                    if let Some(neighbours) = &mut self.neighbours {
                        neighbours.player.handle_event(now, event);
                    }
                }
            }
        }
    }

    /// Has the management side do something, and returns its answer.
    ///
    /// # Errors
    /// As the management API refuses it: code and reason.
    pub fn manage(&mut self, now_ms: u64, act: Management) -> Result<Reply, Refusal> {
        let now = self.clock.moment(now_ms);
        self.answered = None;
        self.sim.handle(now, Command::Manage { request: OWN_REQUEST, act });
        self.hand_out(now);
        self.answered.take().unwrap_or(Ok(Reply::Done))
    }

    /// Returns the second since 1970 at which a moment is.
    pub fn second_of(&self, moment: Moment) -> u64 {
        self.sim.second_of(moment)
    }

    /// Returns the moment at which the broker is.
    pub fn now(&self) -> Moment {
        self.sim.now()
    }
}
