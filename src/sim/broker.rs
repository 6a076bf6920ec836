//! The node: all state of the simulated broker, and the verbs by which it is stepped.
//! `handle` takes a command, `advance` lets time pass, `poll_event` gives what was said, `wake_at` the next moment.

use crate::broker::{
    Client, Command, ConnectionId, Event, Exercised, Explanation, Motion, NextMotion, PublishId, Refusal, Reply,
    RequestId, RouteHop, What,
};
use crate::model::{Moment, Name, QueueName};
use crate::rules::{Differences, Edition, Plugin, Plugins, differences_of, rule_of_refusal};
use crate::sim::events::own_publishes::{Acting, BY_THE_BROKER, OwnPublishes};
use crate::sim::openings::Openings;
use crate::sim::state::arena::{
    Arena, BindingDestination, ChannelIndex, ConsumerId, DeadLetteringId, ExchangeId, QueueId, SharedArena, VhostId,
};
use crate::sim::state::channel::{Channel, ChannelIds, Overtaken};
use crate::sim::state::connection::Connection;
use crate::sim::state::consumer::Consumer;
use crate::sim::state::covered::Covered;
use crate::sim::state::dead_letter::{DeadLetter, DeadLettering, FIRST_SECOND};
use crate::sim::state::delayed_exchange::DelayedPublishes;
use crate::sim::state::exchange::Exchange;
use crate::sim::state::queue::Queue;
use crate::sim::state::queue_counts::QueueCounts;
use crate::sim::state::reason::Reason;
use crate::sim::state::router::known_destinations::KnownDestinations;
use crate::sim::state::timer::{Timer, Timers};
use crate::sim::state::user::User;
use crate::sim::state::vhost::Vhost;
use std::collections::{BTreeMap, VecDeque};

/// How many queues are served or dead letters moved in one step; the rest follows at the same moment.
const MOVES_OF_ONE_STEP_MAX: usize = 10_000;

/// RabbitMQ in memory.
///
/// ```
/// use rmqplay::broker::{Command, ConnectionId, Event, Reply, RequestId};
/// use rmqplay::model::{Moment, Profile};
/// let mut sim = rmqplay::sim::Sim::new(Profile::NEWEST);
/// let connection = ConnectionId(1);
/// sim.handle(Moment(0), Command::Connect { request: RequestId(1), connection, user: None, vhost: "/".into(), heartbeat: None });
/// assert_eq!(sim.poll_event(), Some(Event::Reply { request: RequestId(1), reply: Ok(Reply::Done) }));
/// ```
#[derive(Clone)]
pub struct Sim {
    pub(crate) rules: &'static Differences,
    /// What it has enabled.
    pub(crate) plugins: Plugins,
    pub(crate) now: Moment,
    /// The second since 1970 of moment 0.
    pub(crate) epoch_s: u64,
    pub(crate) events: VecDeque<Event>,
    pub(crate) insights: bool,
    /// What was exercised, when anybody wants to know.
    pub(crate) covered: Option<Box<Covered>>,
    pub(crate) users: BTreeMap<Name, User>,
    pub(crate) vhosts: SharedArena<VhostId, Vhost>,
    pub(crate) vhost_names: BTreeMap<Name, VhostId>,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    /// How many connections the network has lost.
    pub(crate) isolated: usize,
    pub(crate) channels: Arena<ChannelIndex, Channel>,
    pub(crate) channel_ids: ChannelIds,
    pub(crate) exchanges: SharedArena<ExchangeId, Exchange>,
    pub(crate) queues: Arena<QueueId, Queue>,
    pub(crate) consumers: Arena<ConsumerId, Consumer>,
    pub(crate) timers: Timers,
    /// What exchanges hold back.
    pub(crate) delayed_publishes: DelayedPublishes,
    /// Events and traces.
    pub(crate) own_publishes: OwnPublishes,
    pub(crate) watches: QueueCounts,
    /// No channel needs to be looked at for consumer timeouts before this moment.
    pub(crate) timeouts_from: Moment,
    /// Counts what the broker does in one go: a command, a timer, a lot of dead letters.
    pub(crate) turn: u64,
    /// CO-3: what was handed out and did not reach its client.
    pub(crate) overtaken: Vec<Overtaken>,
    /// Queues to serve at the end of this step.
    pub(crate) to_serve: VecDeque<QueueId>,
    /// Deaths to work off at the end of this step.
    pub(crate) dead_letters: VecDeque<DeadLetter>,
    pub(crate) dead_letterings: Arena<DeadLetteringId, DeadLettering>,
    /// Set while the broker is stopped.
    pub(crate) down_until: Option<(Moment, RequestId)>,
    /// Numbers subscriptions and gets in their order.
    pub(crate) attached: u64,
    /// With insights on: why the command at hand is refused, where the broker's own text does not tell.
    pub(crate) note: Option<Reason>,
    /// What an explored run waits with, or does otherwise.
    pub(crate) openings: Openings,
    /// Numbers server-named things.
    pub(crate) names_made: u64,
    /// What exchanges that choose at random draw from; each publish has its own.
    pub(crate) chance: u64,
    /// It is only asked where messages may go: an exchange that chooses at random sends to all.
    pub(crate) asks: bool,
    /// Where exchanges that hash sent to before.
    pub(crate) known_destinations: KnownDestinations,
    pub(crate) found: Vec<BindingDestination>,
    pub(crate) targets: Vec<QueueId>,
    /// With insights on: how the message at hand comes to its queues.
    pub(crate) ways: Vec<(QueueId, Vec<RouteHop>)>,
}

impl Sim {
    /// Makes a broker with the vhost `/` and the administrator `guest`.
    pub fn new(edition: impl Into<Edition>) -> Self {
        let edition = edition.into();
        Self::following(differences_of(edition)).with_plugins(edition.plugins)
    }

    /// Makes the same broker by a table of its own: what a version would do if it followed some rules otherwise.
    pub fn following(rules: &'static Differences) -> Self {
        let mut sim = Self {
            rules,
            plugins: Plugins::NONE,
            now: Moment(0),
            epoch_s: FIRST_SECOND,
            events: VecDeque::new(),
            insights: false,
            covered: None,
            users: BTreeMap::new(),
            vhosts: SharedArena::new(),
            vhost_names: BTreeMap::new(),
            connections: BTreeMap::new(),
            isolated: 0,
            channels: Arena::new(),
            channel_ids: ChannelIds::default(),
            exchanges: SharedArena::new(),
            queues: Arena::new(),
            consumers: Arena::new(),
            timers: Timers::default(),
            delayed_publishes: DelayedPublishes::default(),
            own_publishes: OwnPublishes::default(),
            watches: QueueCounts::default(),
            timeouts_from: Moment(u64::MAX),
            turn: 1,
            overtaken: Vec::new(),
            to_serve: VecDeque::new(),
            dead_letters: VecDeque::new(),
            dead_letterings: Arena::new(),
            down_until: None,
            attached: 0,
            note: None,
            openings: Openings::default(),
            names_made: 0,
            chance: 0,
            asks: false,
            known_destinations: KnownDestinations::default(),
            found: Vec::new(),
            targets: Vec::new(),
            ways: Vec::new(),
        };
        sim.add_vhost("/".into());
        sim.add_guest();
        sim
    }

    /// Returns it with plugins enabled.
    pub fn with_plugins(mut self, plugins: Plugins) -> Self {
        self.enable(plugins);
        self
    }

    /// Enables plugins.
    pub fn enable(&mut self, plugins: Plugins) {
        self.plugins = self.plugins.with(plugins);
        if plugins.contains(Plugin::EventExchange) {
            self.declare_event_exchange();
        }
    }

    /// Sets what exchanges that choose at random draw from (PX-2); else all runs draw alike.
    pub fn with_chance(mut self, seed: u64) -> Self {
        self.chance = seed;
        self
    }

    /// Switches the telling of inner reasons ([`Event::Told`]) on or off; off costs nothing.
    pub fn with_insights(mut self, on: bool) -> Self {
        self.insights = on;
        self
    }

    /// Sets the second since 1970 of moment 0, for the times that x-death tells; else all runs begin in the same one.
    pub fn with_epoch(mut self, epoch_s: u64) -> Self {
        self.epoch_s = epoch_s;
        self
    }

    /// Returns the second since 1970 at which a moment is.
    pub fn second_of(&self, moment: Moment) -> u64 {
        self.epoch_s + moment.0 / 1_000
    }

    /// Switches the record of what is exercised on or off; it costs a few percent of a run.
    pub fn with_coverage(mut self, on: bool) -> Self {
        self.covered = on.then(Box::default);
        self
    }

    /// Takes the record of what was exercised; empty unless it was switched on.
    pub fn take_exercised(&mut self) -> Exercised {
        self.covered.as_mut().map(|covered| std::mem::take(&mut covered.found)).unwrap_or_default()
    }

    /// Takes one command at `now`; timers that are due come first.
    #[inline]
    pub fn handle(&mut self, now: Moment, command: Command) {
        self.advance(now);
        self.carry_out(command);
    }

    /// Takes one command at the moment up to which time has passed.
    pub fn carry_out(&mut self, command: Command) {
        if self.down_until.is_some() {
            self.answer_while_down(command);
            return;
        }
        if !self.overtaken.is_empty() {
            self.give_back_before(&command);
        }
        self.note = None;
        self.turn += 1;
        self.note_who_acts(&command);
        match command {
            Command::Connect { request, connection, user, vhost, heartbeat } => {
                let reply = self.connect(connection, user, &vhost, heartbeat);
                self.answer(request, reply.map(|()| Reply::Done));
            }
            Command::Disconnect { request, connection } | Command::Cut { request, connection } => {
                self.forget_undelivered(|channel| channel.connection == connection);
                self.answer(request, Ok(Reply::Done));
                self.end_connection(connection);
            }
            Command::Isolate { request, connection } => {
                self.answer(request, Ok(Reply::Done));
                self.isolate(connection);
            }
            Command::OpenChannel { request, channel, connection, confirms } => {
                self.open_channel(request, channel, connection, confirms);
            }
            Command::CloseChannel { request, channel } => {
                self.forget_undelivered(|state| state.id == channel);
                self.answer(request, Ok(Reply::Done));
                if let Some(id) = self.channel_ids.get(channel) {
                    self.end_channel(id);
                }
            }
            Command::Call { request, channel, method } => {
                self.forget_routes();
                self.call(request, channel, method);
            }
            Command::Publish { channel, publish, exchange, routing_key, mandatory, message } => {
                self.publish(channel, publish, exchange, routing_key, mandatory, message);
            }
            Command::Settle { channel, tag, multiple, settlement } => self.settle(channel, tag, multiple, settlement),
            Command::Manage { request, act } => {
                self.forget_routes();
                self.manage(request, act);
            }
            Command::Watch { queue, .. } => self.watch(queue),
            Command::Unwatch { queue } => self.unwatch(&queue),
            Command::AwaitQuiet { request } => self.answer(request, Ok(Reply::Done)),
        }
        if self.has_more_to_do() || self.watches.has_news() {
            self.work_off();
        }
    }

    /// Lets time pass to `now`; all that is due by then happens, each at its own moment.
    #[inline]
    pub fn advance(&mut self, now: Moment) {
        if !self.overtaken.is_empty() && now > self.now {
            self.give_back_all();
        }
        let due = self.timers.next().is_some_and(|at| at <= now) || self.timeouts_from <= now;
        if due || self.has_more_to_do() {
            self.catch_up(now);
        }
        self.now = self.now.max(now);
    }

    fn catch_up(&mut self, now: Moment) {
        if self.has_more_to_do() {
            self.work_off();
        }
        while let Some((at, timer)) = self.next_due(now) {
            self.happens(at, timer);
        }
    }

    /// Does what a timer is for, or times consumers out.
    pub(crate) fn happens(&mut self, at: Moment, timer: Option<Timer>) {
        // What was due while the broker was down happens when it is back.
        let back = self.down_until.map_or(at, |(back, _)| back);
        self.now = self.now.max(at).max(back);
        self.turn += 1;
        self.own_publishes.acting = Acting::Broker;
        match timer {
            Some(timer) => self.fire(timer),
            None => self.time_out_consumers(),
        }
        self.work_off();
    }

    /// Takes note that the client sends nothing more for now, and returns whether something comes of that (CO-3).
    pub fn rest(&mut self) -> bool {
        !self.overtaken.is_empty() && self.give_back_all()
    }

    /// Returns the next thing that was said.
    pub fn poll_event(&mut self) -> Option<Event> {
        while self.isolated > 0 && self.events.front().is_some_and(|event| self.is_lost(event)) {
            self.events.pop_front();
        }
        self.events.pop_front()
    }

    /// Hands a client all that was said at once, and returns how much that is.
    #[inline]
    pub fn hand_events_to<C: Client + ?Sized>(&mut self, client: &mut C, now: Moment) -> u64 {
        if self.isolated > 0 {
            self.drop_lost_events();
        }
        let said = self.events.len() as u64;
        if said > 0 {
            client.handle_events(now, &mut self.events);
        }
        said
    }

    /// Returns the next moment at which something happens by itself.
    pub fn wake_at(&self) -> Option<Moment> {
        if self.has_more_to_do() {
            return Some(self.now);
        }
        if let Some((at, _)) = self.down_until {
            return Some(at);
        }
        match self.timers.next() {
            // No delivery is timed out before `timeouts_from`, so that none needs to be looked at.
            Some(at) if at <= self.timeouts_from => Some(at),
            timer => timer.into_iter().chain(self.next_consumer_timeout()).min(),
        }
    }

    /// Returns a moment before which nothing happens by itself: that of `wake_at`, or an earlier one from which on a delivery
    /// may be timed out. Costs the same however many deliveries are outstanding.
    pub fn wakes_from(&self) -> Option<Moment> {
        if self.has_more_to_do() {
            return Some(self.now);
        }
        if let Some((at, _)) = self.down_until {
            return Some(at);
        }
        let timeout = (self.timeouts_from < Moment(u64::MAX)).then_some(self.timeouts_from);
        self.timers.next().into_iter().chain(timeout).min()
    }

    /// Returns the next that happens to messages by itself. That a queue goes, a connection is missed or a delivery times out
    /// happens to those who do nothing, and a dead letter without a target is only tried again.
    pub fn next_motion(&self) -> Option<NextMotion> {
        self.timers.all().find_map(|(at, timer)| {
            if timer == Timer::DelayedExchange {
                let (_, vhost, exchange) = self.delayed_publishes.next()?.clone();
                let queue = QueueName::new(vhost, exchange);
                return Some(NextMotion { after: at - self.now, queue, what: Motion::DelayedPublish });
            }
            let (queue, what) = match timer {
                Timer::MessageTtl(queue) => (queue, Motion::Expiry),
                Timer::DelayedRetry(queue) => (queue, Motion::DelayedRetry),
                _ => return None,
            };
            let queue = self.queues.get(queue)?;
            let moves = what == Motion::DelayedRetry || self.head_expires_at(queue).is_some();
            moves.then(|| NextMotion { after: at - self.now, queue: queue.name.clone(), what })
        })
    }

    /// Returns whether something is left to happen at `now` or before.
    pub fn is_due(&self, now: Moment) -> bool {
        if self.has_more_to_do() {
            return self.now <= now;
        }
        match self.down_until {
            Some((at, _)) => at <= now,
            None if self.timers.next().is_some_and(|at| at <= now) => true,
            None => self.timeouts_from <= now && self.next_consumer_timeout().is_some_and(|at| at <= now),
        }
    }

    /// Returns the present moment of the broker.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// Names the queues that messages entered or came back to at this moment, busiest first, with how often.
    pub fn busiest_queues(&self) -> Vec<(QueueName, u64)> {
        let moved = |queue: &Queue| if queue.moved.0 == self.now { queue.moved.1 } else { 0 };
        let mut busy: Vec<(QueueName, u64)> =
            self.queues.iter().map(|(_, queue)| (queue.name.clone(), moved(queue))).filter(|(_, n)| *n > 0).collect();
        busy.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        busy
    }

    /// Takes the next timer, or `None` as timer for the consumer timeouts of channels.
    pub(crate) fn next_due(&mut self, now: Moment) -> Option<(Moment, Option<Timer>)> {
        if self.openings.timers_wait || self.down_until.is_some_and(|(at, _)| at > now) {
            return None;
        }
        if self.timeouts_from <= now && self.timers.next().is_none_or(|at| at > self.timeouts_from) {
            return Some((self.timeouts_from, None));
        }
        self.timers.pop_due(now).map(|(at, timer)| (at, Some(timer)))
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::MessageTtl(queue) => self.message_ttl_fired(queue),
            Timer::QueueExpires(queue) => self.queue_expires_fired(queue),
            Timer::DelayedRetry(queue) => self.delayed_retry_fired(queue),
            Timer::DelayedExchange => self.delayed_exchange_fired(),
            Timer::DeadLetterRetry(queue) => self.retry_dead_letters(queue),
            Timer::HeartbeatsMissed(connection) => self.heartbeats_missed(connection),
            Timer::Restarted => self.come_up(),
        }
    }

    #[inline]
    fn has_more_to_do(&self) -> bool {
        !self.to_serve.is_empty() || !self.dead_letters.is_empty() || !self.own_publishes.waiting.is_empty()
    }

    /// Does what the step caused elsewhere, up to a bound, and tells changed counts.
    pub(crate) fn work_off(&mut self) {
        for _ in 0..MOVES_OF_ONE_STEP_MAX {
            if let Some(queue) = self.to_serve.pop_front() {
                self.serve(queue);
            } else if self.openings.letters_wait && !self.dead_letters.is_empty() {
                // What they change is told with them, unless they are late.
                if !self.openings.letters_late {
                    return;
                }
                break;
            } else if let Some(letter) = self.dead_letters.pop_front() {
                self.send_dead_letter(letter);
            } else if !self.own_publishes.waiting.is_empty() {
                self.publish_own();
            } else {
                break;
            }
        }
        self.tell_counts();
    }

    pub(crate) fn answer(&mut self, request: RequestId, reply: Result<Reply, Refusal>) {
        if let Err(refusal) = &reply {
            self.tell_refused(None, refusal);
        }
        self.events.push_back(Event::Reply { request, reply });
    }

    /// Tells an inner reason, when anybody wants to know.
    pub(crate) fn tell(
        &mut self,
        origin: Option<PublishId>,
        queue: Option<QueueId>,
        rule: &'static str,
        what: impl FnOnce() -> What,
    ) {
        if let Some(covered) = &mut self.covered {
            covered.rule(rule);
        }
        if self.insights && origin != Some(BY_THE_BROKER) {
            let queue = queue.and_then(|queue| self.queues.get(queue)).map(|queue| queue.name.clone());
            self.events.push_back(Event::Told(Box::new(Explanation { origin, queue, what: what(), rule })));
        }
    }

    /// Reports why somebody was told no.
    pub(crate) fn tell_refused(&mut self, origin: Option<PublishId>, refusal: &Refusal) {
        if self.explains() {
            let noted = self.note.take();
            let Reason { rule, why } = noted.unwrap_or_else(|| {
                Reason::new(rule_of_refusal(refusal.code, &refusal.text), refusal.without_code_name())
            });
            self.tell(origin, None, rule, || What::Refused { why });
        }
    }
}
