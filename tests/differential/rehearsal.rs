//! Plays operations on the sim while they are being thought of, and finds what a live broker could not show for sure:
//! timers too near to a look, dead letters that race, loops. Never touches a live broker.

use super::known::Known;
use super::player::{Delays, Player};
use super::seen::Seen;
use super::sequence::Op;
use crate::commands::management;
use rmqplay::broker::{
    ChannelId, Client, Command, ConnectionId, Death, Event, Explanation, Method, Settlement, TransactionStep, What,
};
use rmqplay::model::{Millis, Moment, QueueName};
use rmqplay::rules::{Differences, Plugins};
use rmqplay::sim::Sim;
use rmqplay::simulate::{Ended, Limits, simulate};
use std::collections::{BTreeMap, BTreeSet};

/// From one operation to the next when time matters: what a live broker needs to come to rest.
pub const SLOT: Millis = Millis(200);
/// How far a timer must be from an operation's beginning, and from the end of its slot.
pub const MARGIN: Millis = Millis(420);
/// How late a live broker may be without another outcome.
const DELAY: Millis = Millis(410);
/// Timers beyond this are never reached.
const HORIZON: Millis = Millis(20_000);
/// A sequence under way on the sim.
pub struct Rehearsal {
    sim: Sim,
    pub player: Player,
    now: Moment,
    timed: bool,
    /// Some object gives messages a TTL or a delay.
    expiring: bool,
    /// Something was published that may expire.
    begun: bool,
    limits: Limits,
    /// Some queue may be full.
    limited: bool,
    /// Listens while a live broker is followed.
    ear: Ear,
    raced: bool,
}

/// Enables plugins in a broker where operations declare exchanges that choose by hashes; `e9` is what no plugin is enabled for.
fn enable_plugins_for<'o>(mut ops: impl Iterator<Item = &'o str>, sim: &mut Sim) {
    let hashes = |text: &str| text.contains("x-consistent-hash") || text.contains("x-modulus-hash");
    if ops.any(|text| hashes(text) && !text.contains(" e9 ")) {
        sim.enable(Plugins::ALL);
    }
}

/// Why an operation cannot be compared.
pub type Unfit = &'static str;

impl Rehearsal {
    /// Begins with a fresh broker. `timed`: some message or queue will have a TTL.
    pub fn new(rules: &'static Differences, timed: bool) -> Self {
        let limits = Limits { events_at_one_moment_max: 3_000, moment_max: None };
        let sim = Sim::following(rules).with_insights(true);
        let player = Player::rehearsing(None);
        let (now, ear) = (Moment(0), Ear::default());
        Self { sim, player, now, timed, expiring: false, begun: false, limited: false, limits, ear, raced: false }
    }

    /// Returns the next timer, if it is one that can be waited for.
    pub fn next_timer(&self) -> Option<Moment> {
        self.sim.wake_at().filter(|at| *at < self.now + HORIZON)
    }

    pub fn now(&self) -> Moment {
        self.now
    }

    /// Plays one operation at the first good moment, not before `not_before`.
    pub fn play(&mut self, text: String, not_before: Moment, known: &Known) -> Result<Op, Unfit> {
        enable_plugins_for(std::iter::once(&*text), &mut self.sim);
        let mut gap = Millis(0);
        let mut ear = Ear { divided: self.player.held.divided(), full: self.player.held.full(), ..Ear::default() };
        self.limited |= text.contains("max-length");
        self.begun |= text.contains(" ttl=") || self.expiring && text.contains("publish ");
        self.begun |= text.contains("x-expires=") && !text.contains("x-expires=90000");
        self.expiring |= text.contains("message-ttl=") || text.contains("delayed-retry");
        // Before that nothing can expire, and declaring takes its time.
        if self.timed && self.begun {
            let mut at = (self.player.scheduled() + SLOT).max(not_before);
            for _ in 0..30 {
                let Some(timer) = self.next_timer().filter(|timer| *timer <= at + SLOT + MARGIN) else { break };
                self.player.idle(timer);
                self.run(&mut ear)?;
                at = at.max(timer + MARGIN);
            }
            if self.next_timer().is_some_and(|timer| timer <= at + SLOT + MARGIN) {
                return Err("timers without a pause");
            }
            gap = at - self.player.scheduled();
        }
        let op = Op { gap, text };
        if let Some(step) = op.step() {
            if self.player.held.is_numbered_by_chance(&step) && known.accepts("SIM-1/numbers-of-two-queues") {
                return Err("deliveries of two queues are numbered in no order");
            }
            let act = management(&step);
            ear.changing = act.map(|act| self.sim.queues_under_other_policies(&act)).unwrap_or_default();
        }
        self.player.give(std::slice::from_ref(&op));
        self.run(&mut ear)?;
        ear.judge(known)?;
        if self.timed && self.next_timer().is_some_and(|timer| timer > self.now && timer <= self.now + SLOT + MARGIN) {
            return Err("a timer within the slot");
        }
        Ok(op)
    }

    /// Lets the time pass up to a moment.
    pub fn pass(&mut self, until: Moment) -> Result<(), Unfit> {
        let mut ear = std::mem::take(&mut self.ear);
        self.player.idle(until);
        self.run(&mut ear)?;
        self.raced |= ear.race;
        self.ear = ear;
        Ok(())
    }

    /// Plays an operation at that moment; gives what is seen from the last one on.
    pub fn follow(&mut self, text: &str, at: Moment) -> Result<Seen, Unfit> {
        enable_plugins_for(std::iter::once(text), &mut self.sim);
        self.limited |= text.contains("max-length");
        self.player.give(&[Op { gap: Millis(0), text: text.to_owned() }]);
        self.pass(at.max(self.now))?;
        self.ear = Ear::default();
        Ok(self.player.transcript.pop().unwrap_or_default())
    }

    /// Returns whether dead letters came in no promised order while a live broker was followed.
    pub fn has_raced(&self) -> bool {
        self.raced
    }

    fn run(&mut self, ear: &mut Ear) -> Result<(), Unfit> {
        ear.limited = self.limited;
        ear.player = Some(std::mem::take(&mut self.player));
        let (now, ended) = simulate(ear, &mut self.sim, self.now, &self.limits);
        self.now = now;
        self.player = ear.player.take().unwrap_or_default();
        match ended {
            Ended::Done => Ok(()),
            Ended::Runaway { .. } => Err("messages go round without end"),
            Ended::Stuck | Ended::OutOfTime => Err("never done"),
        }
    }
}

/// Plays a finished sequence anew; gives what is seen at each step.
pub fn expected(rules: &'static Differences, ops: &[Op], jitter: Option<Delays>) -> Result<Vec<Seen>, Unfit> {
    let mut player = Player::rehearsing(jitter);
    player.give(ops);
    // With reasons, so that messages which go round within one step count as events.
    let mut sim = Sim::following(rules).with_insights(true);
    enable_plugins_for(ops.iter().map(|op| &*op.text), &mut sim);
    let limits = Limits { events_at_one_moment_max: 3_000, moment_max: None };
    match simulate(&mut player, &mut sim, Moment(0), &limits).1 {
        Ended::Done => Ok(player.transcript),
        _ => Err("messages go round without end"),
    }
}

/// Returns whether the delays of a live broker change nothing and nothing races.
pub fn steady(rules: &'static Differences, ops: &[Op], known: &Known) -> Result<(), Unfit> {
    if limits_beside_delays(ops) && known.accepts("QQ-43-5/hang") {
        return Err("a fault of RabbitMQ 4.3.6 may follow");
    }
    // The key is the broker's own, and of its own length (LEN-1).
    let any = |words: &str| ops.iter().any(|op| op.text.contains(words));
    if any("reply_to=amq.") && any("max-length-bytes") {
        return Err("keys of direct reply-to count as bytes");
    }
    let plain = expected(rules, ops, None)?;
    if known.accepts("DL-19/order") && plain.iter().any(Seen::has_two_deaths) {
        return Err("the entries of x-death have no order");
    }
    for delays in Delays::all(DELAY) {
        if expected(rules, ops, Some(delays))? != plain {
            return Err("delays of the live side would change it");
        }
    }
    // Timers and races again, since a shortened sequence was not made by the generator.
    let timed = ops.iter().any(|op| op.gap.0 > 0);
    let mut rehearsal = Rehearsal::new(rules, timed);
    for op in ops {
        let at = rehearsal.player.scheduled() + op.gap;
        if rehearsal.play(op.text.clone(), at, known)?.gap != op.gap {
            return Err("a timer within the slot");
        }
    }
    Ok(())
}

/// Returns whether a queue with delayed retries may get a length limit, its own or by a policy.
fn limits_beside_delays(ops: &[Op]) -> bool {
    let limited = |op: &&Op| op.text.contains("max-length");
    let by_policy = ops.iter().filter(limited).any(|op| op.text.starts_with("policy "));
    let mut delayed = ops.iter().filter(|op| op.text.contains("x-delayed-retry"));
    delayed.any(|op| by_policy || limited(&op))
}

/// Listens to the sim's reasons for what a live broker promises no order of.
#[derive(Default)]
struct Ear {
    player: Option<Player>,
    /// The queue whose dead letter is under way; `None` for a publish.
    source: Option<QueueName>,
    moment: Moment,
    /// From where each queue got messages in this step.
    sources: BTreeMap<QueueName, BTreeSet<Option<QueueName>>>,
    /// Which queues lost messages by their TTL meanwhile: where length counts, that races with what comes from another.
    expired: BTreeSet<QueueName>,
    limited: bool,
    /// Each queue's dead letters by moment: only those of one moment race.
    race: bool,
    /// The next delivery comes out of a queue.
    stored: bool,
    /// How many settlements went out, in which queues messages died meanwhile, and whether any came back to one of them,
    /// straight or by way of another queue.
    settlements: u32,
    died_in: BTreeSet<QueueName>,
    returned: bool,
    /// Connections that hold messages on one channel and consume on another, and whether one of them ended.
    divided: BTreeSet<ConnectionId>,
    ended: bool,
    /// Channels at their shared limit, and whether one of them requeued.
    full: BTreeSet<ChannelId>,
    requeued: bool,
    /// The sim warned of a fault of RabbitMQ.
    crashed: bool,
    /// The queues that are under other policies from this operation on, and whether a dead letter of another came to one.
    changing: Vec<QueueName>,
    overtook: bool,
    /// Which queues got a publish of the commit under way, and whether it settled a message of one of them.
    committed_to: BTreeSet<QueueName>,
    commits: bool,
    settled_beside: bool,
}

impl Ear {
    fn note(&mut self, now: Moment, insight: &Explanation) {
        if now >= self.moment + MARGIN {
            self.sources.clear();
            self.expired.clear();
            self.committed_to.clear();
            self.commits = false;
        }
        self.moment = now;
        let is_met = |queue: &QueueName| self.source.as_ref().is_some_and(|source| source != queue);
        self.overtook |= insight.queue.as_ref().is_some_and(|queue| is_met(queue) && self.changing.contains(queue));
        match (&insight.what, &insight.queue) {
            (What::DeadLettered { death, .. }, Some(queue)) => {
                if *death == Death::Expired {
                    self.expired.insert(queue.clone());
                }
                self.died_in.insert(queue.clone());
                self.source = Some(queue.clone());
            }
            (What::Dropped { .. }, Some(queue)) if insight.rule.starts_with("TTL") => {
                self.expired.insert(queue.clone());
            }
            (What::Enqueued { .. }, Some(queue)) => {
                let sources = self.sources.entry(queue.clone()).or_default();
                sources.insert(self.source.clone());
                self.race |= sources.len() > 1;
                if self.commits && self.source.is_none() {
                    self.committed_to.insert(queue.clone());
                }
                self.returned |= self.source.is_some() && self.died_in.contains(queue);
                self.stored = true;
            }
            (What::InTransaction { step: TransactionStep::PublishCommitted }, _) => self.commits = true,
            (What::InTransaction { step: TransactionStep::SettlementCommitted { .. } }, Some(queue)) => {
                self.settled_beside |= self.committed_to.contains(queue);
            }
            (What::Requeued { .. }, _) => self.stored = true,
            (What::Blocked { why, .. }, _) => self.crashed |= insight.rule == "CO-6" && why.contains("fault"),
            _ => {}
        }
        self.race |= self.limited && insight.queue.as_ref().is_some_and(|queue| self.loses_beside_arrivals(queue));
    }

    /// Returns whether a queue lost messages by their TTL while dead letters of another came.
    fn loses_beside_arrivals(&self, queue: &QueueName) -> bool {
        let sources = self.sources.get(queue).into_iter().flatten().flatten();
        self.expired.contains(queue) && sources.into_iter().any(|source| source != queue)
    }

    /// A message that was handed straight to a consumer.
    fn note_delivery(&mut self, consumer: &str) {
        if !std::mem::take(&mut self.stored) {
            let sources = self.sources.entry(QueueName::new("consumer", consumer)).or_default();
            sources.insert(self.source.clone());
            self.race |= sources.len() > 1;
        }
    }

    fn judge(&self, known: &Known) -> Result<(), Unfit> {
        if self.ended && known.accepts("CO-14/channels-of-one-connection") {
            return Err("channels of one connection end in no order");
        }
        if self.overtook && known.accepts("PO-8/several-queues") {
            return Err("a policy reaches several queues in no order");
        }
        if self.crashed && known.accepts("CO-6/crash") {
            return Err("a fault of RabbitMQ 3.10.8 may follow");
        }
        if self.requeued && known.accepts("CO-4/resume-before-requeue") {
            return Err("a requeue races with the room that it makes");
        }
        if self.settled_beside && known.accepts("TX-3/settles-beside-publishes") {
            return Err("a commit publishes to a queue and settles in it");
        }
        if self.settlements > 1 && self.returned && known.accepts("SIM-1/settlements-in-a-row") {
            return Err("dead letters return between settlements");
        }
        if self.race && known.accepts("SIM-1/two-sources") { Err("dead letters of two queues race") } else { Ok(()) }
    }
}

impl Client for Ear {
    fn poll_command(&mut self, now: Moment) -> Option<Command> {
        let command = self.player.as_mut()?.poll_command(now);
        match &command {
            Some(Command::Publish { .. }) => self.source = None,
            Some(Command::Settle { channel, settlement, .. }) => {
                self.settlements += 1;
                let returns =
                    matches!(settlement, Settlement::Nack { requeue: true } | Settlement::Reject { requeue: true });
                self.requeued |= returns && self.full.contains(channel);
            }
            // Several settlements may be carried out at once.
            Some(Command::Call { channel, method: Method::TxCommit, .. }) => {
                self.source = None;
                self.settlements += 2;
                self.requeued |= self.full.contains(channel);
            }
            Some(Command::Call { channel, method: Method::Recover { .. }, .. }) => {
                self.requeued |= self.full.contains(channel);
            }
            Some(Command::Cut { connection, .. } | Command::Disconnect { connection, .. }) => {
                self.ended |= self.divided.contains(connection);
            }
            _ => {}
        }
        command
    }

    fn handle_event(&mut self, now: Moment, event: Event) {
        if let Event::Told(insight) = &event {
            self.note(now, insight);
        }
        match &event {
            Event::Delivered { consumer, .. } => self.note_delivery(consumer),
            Event::ConnectionClosed { connection, .. } => self.ended |= self.divided.contains(connection),
            _ => {}
        }
        if let Some(player) = &mut self.player {
            player.handle_event(now, event);
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        self.player.as_ref()?.wake_at()
    }

    fn is_done(&self) -> bool {
        self.player.as_ref().is_none_or(Player::is_done)
    }
}
