//! The player: one cell as a client of a broker.
//! Routes every event to whom it concerns, keeps timeline and ledger, polls the driver and then the actors in file
//! order; amid a bulk of publishes the actors first.

use crate::broker::{
    ChannelId, Client, Command, Confirmation, ConnectionId, Event, Ids, PublishId, Refusal, Reply, RequestId, What,
};
use crate::model::{Cell, Moment, Name, Object, Profile, PublishOutcome, QueueName, Scenario};
use crate::player::asker::Asker;
use crate::player::asker::Role;
use crate::player::assert::tally::Share;
use crate::player::consumer::actor::Actor;
use crate::player::consumer::memory::Memory;
use crate::player::driver::contents::Contents;
use crate::player::driver::decision_points::{DecisionPoint, Perturbation};
use crate::player::driver::state::Driver;
use crate::player::message::anonymous_messages::{Alike, Fate};
use crate::player::message::names::Names;
use crate::player::record::circumstances::Circumstances;
use crate::player::record::failure::{Failure, FailureSubject, Finding};
use crate::player::record::ledger::Ledger;
use crate::player::record::outcome::{Outcome, PublishRecord, RefusalRecord};
use crate::player::record::timeline::{Attempt, Timeline, TimelineEvent};
use crate::player::run_result::{BrokerTraits, RunResult};
use crate::source::{Code, Span};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// How often one message may be delivered before the run is called a loop.
const DELIVERIES_OF_ONE_MESSAGE_MAX: u64 = 10_000;

/// One publish that has not ended.
#[derive(Debug, Clone)]
pub(crate) struct InFlight {
    pub name: Name,
    /// Its place among the ledger's publishes.
    place: u64,
    pub by: Name,
    channel: ChannelId,
    returned: bool,
    /// The scenario wants to hear of a return; else only the count does.
    mandatory: bool,
    /// What it adds to tallies once it is confirmed.
    shares: Vec<Share>,
    /// The actor that waits for it, or the driver.
    actor: Option<usize>,
}

/// Plays one cell.
pub struct Player {
    pub(crate) scenario: Arc<Scenario>,
    pub(crate) ground: BrokerTraits,
    pub(crate) ids: Ids,
    /// The broker's moment at which the run began: set-up is done, consumers are subscribed.
    pub(crate) epoch: Option<Moment>,
    /// The run's own moment.
    pub(crate) now: Moment,
    pub(crate) outbox: VecDeque<Command>,
    pub(crate) waiting: BTreeMap<RequestId, Asker>,
    pub(crate) in_flight: BTreeMap<PublishId, InFlight>,
    pub(crate) channels: BTreeMap<ChannelId, (ConnectionId, Role)>,
    pub(crate) driver: Driver,
    pub(crate) actors: Vec<Actor>,
    /// By consumer, over all its instances.
    pub(crate) memories: Vec<Memory>,
    pub(crate) ledger: Ledger,
    pub(crate) contents: Contents,
    pub(crate) timeline: Timeline,
    pub(crate) failures: Vec<Failure>,
    pub(crate) notes: Vec<(Span, String)>,
    pub(crate) points: Vec<DecisionPoint>,
    pub(crate) shift: Option<Perturbation>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) took: Moment,
    /// Something was said since the driver last looked.
    pub(crate) news: bool,
    /// A consumer did something in the last turn.
    acted: bool,
    /// Every publish asks to be returned when no queue takes it.
    counts_unroutable: bool,
    names: Names,
    deliveries: u64,
    deliveries_of: BTreeMap<Name, u64>,
}

impl Player {
    /// Makes a player for a cell; ids go on where the set-up ended.
    pub fn new(cell: &Cell, ground: BrokerTraits, ids: Ids) -> Self {
        let scenario = Arc::new(cell.scenario.clone());
        let mut ledger = Ledger::of(&scenario);
        let (actors, memories) = (Actor::all(&scenario, &mut ledger), Memory::all(&scenario));
        Self {
            driver: Driver::new(&scenario, ground.scale),
            counts_unroutable: scenario.counts_unroutable(),
            scenario,
            ground,
            ids,
            epoch: None,
            now: Moment(0),
            outbox: VecDeque::new(),
            waiting: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            channels: BTreeMap::new(),
            actors,
            memories,
            ledger,
            contents: Contents::default(),
            timeline: Timeline::default(),
            failures: Vec::new(),
            notes: Vec::new(),
            points: Vec::new(),
            shift: None,
            outcome: None,
            took: Moment(0),
            news: true,
            acted: false,
            names: Names::default(),
            deliveries: 0,
            deliveries_of: BTreeMap::new(),
        }
    }

    /// Ends the run and gives what there is; also when it was cut short.
    pub fn finish(self) -> RunResult {
        RunResult {
            timeline: self.timeline,
            outcome: self.outcome,
            failures: self.failures,
            notes: self.notes,
            points: self.points,
            took: self.took - Moment(0),
            deliveries: self.deliveries,
        }
    }

    /// Fails the run from outside: it found no end, or the broker went away.
    pub fn fail(&mut self, code: Code, message: String, help: Option<String>) {
        let span = self.driver.span(&self.scenario);
        self.failed(code, message, span, Vec::new());
        if let Some(failure) = self.failures.last_mut() {
            failure.help = help;
        }
    }

    /// Fails the run because the broker refused parts of the topology; each points at its declaration.
    pub fn set_up_refused(&mut self, refused: &[(Object, Refusal)]) {
        for (object, refusal) in refused {
            let declared = self.scenario.origins.get(object).map(|origin| origin.whole);
            let span = declared.unwrap_or_else(|| self.driver.span(&self.scenario));
            match refusal.text.split_once("not simulated: ") {
                Some((_, what)) => {
                    let message = format!("the simulated broker does not play {what}");
                    self.failed(Code::TopologyNotSimulated, message, span, Vec::new());
                    if let Some(failure) = self.failures.last_mut() {
                        failure.help = Some("play this scenario on a live broker: --broker amqp://…".to_owned());
                    }
                    // What follows from it is no news.
                    return;
                }
                None => {
                    let message = format!("the broker refuses {object}: {refusal}");
                    self.failed(Code::TopologyRefused, message, span, Vec::new());
                }
            }
        }
    }

    /// Begins the run's own time: everything is set up.
    pub(crate) fn begin(&mut self, moment: Moment) {
        self.epoch = Some(moment);
        self.now = Moment(0);
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.epoch.is_some()
    }

    fn to_own(&self, moment: Moment) -> Moment {
        Moment(moment.0.saturating_sub(self.epoch.unwrap_or(moment).0))
    }

    pub(crate) fn record(&mut self, what: TimelineEvent) {
        self.timeline.record(self.now, what);
    }

    pub(crate) fn failed(&mut self, code: Code, message: String, span: Span, findings: Vec<Finding>) {
        let sequence = self.timeline.count();
        self.took = self.now;
        let (moment, subjects, help) = (self.now, Vec::new(), None);
        let circumstances = Circumstances { contests: self.policy_contests(), under_way: Vec::new() };
        self.failures.push(Failure { code, message, span, moment, sequence, subjects, findings, help, circumstances });
    }

    /// Queues a command that has an answer.
    pub(crate) fn ask(&mut self, waiting: Asker, make: impl FnOnce(RequestId) -> Command) -> RequestId {
        let request = self.ids.request();
        self.waiting.insert(request, waiting);
        self.outbox.push_back(make(request));
        request
    }

    /// Sends a composed message and gives its publish; `by` names the sender.
    pub(crate) fn publish(
        &mut self,
        composed: crate::player::message::compose::Composed,
        channel: ChannelId,
        by: Name,
        actor: Option<usize>,
    ) -> PublishId {
        self.publish_named(composed, channel, by, actor).0
    }

    /// The same, with the message's name.
    pub(crate) fn publish_named(
        &mut self,
        composed: crate::player::message::compose::Composed,
        channel: ChannelId,
        by: Name,
        actor: Option<usize>,
    ) -> (PublishId, Name) {
        let publish = self.ids.publish();
        let consumer = actor.map(|actor| &self.scenario.consumers[self.actors[actor].consumer].name);
        let name = self.names.of_publish(publish, &composed, consumer);
        let shares = self.ledger.tallies.shares(&name, &composed);
        let crate::player::message::compose::Composed { exchange, routing_key, mandatory, message, .. } = composed;
        self.record(TimelineEvent::Published {
            by: by.clone(),
            message: name.clone(),
            exchange: exchange.clone(),
            routing_key: routing_key.clone(),
        });
        let place = self.ledger.published(name.clone(), by.clone());
        let vhost = self.vhost_of_publisher(channel, actor);
        self.ledger.reach.published(&vhost, &exchange, &routing_key, &message);
        let one = InFlight { name: name.clone(), place, by, channel, returned: false, mandatory, shares, actor };
        self.in_flight.insert(publish, one);
        let mandatory = mandatory || self.counts_unroutable;
        self.outbox.push_back(Command::Publish { channel, publish, exchange, routing_key, mandatory, message });
        (publish, name)
    }

    /// Returns the vhost that a channel of the driver or of a consumer is in.
    fn vhost_of_publisher(&self, channel: ChannelId, actor: Option<usize>) -> Name {
        if let Some(actor) = actor {
            return self.scenario.consumers[self.actors[actor].consumer].queue.vhost.clone();
        }
        let connection = self.channels.get(&channel).map(|(connection, _)| *connection);
        let link = self.driver.links.iter().find(|(_, link)| Some(link.connection) == connection);
        link.map_or_else(Name::default, |((_, vhost), _)| vhost.clone())
    }

    /// Notes a refusal for timeline and outcome.
    pub(crate) fn refused(&mut self, who: Name, what: Attempt, refusal: &Refusal) {
        self.record(TimelineEvent::Refused {
            who: who.clone(),
            what: what.clone(),
            refusal: Box::new(refusal.clone()),
        });
        self.ledger.refusals.push(RefusalRecord { who, what, code: refusal.code, text: refusal.text.clone() });
    }

    fn publish_ended(&mut self, publish: PublishId, outcome: PublishOutcome, refusal: Option<&Refusal>) {
        let Some(InFlight { name, place, by, shares, actor, .. }) = self.in_flight.remove(&publish) else { return };
        if outcome == PublishOutcome::Confirmed {
            self.ledger.tallies.confirmed(shares);
        }
        self.record(TimelineEvent::PublishEnded {
            message: name.clone(),
            outcome,
            refusal: refusal.map(|refusal| Box::new(refusal.clone())),
        });
        self.ledger.publish_ended(place, PublishRecord { message: name, by, outcome });
        match actor {
            Some(actor) => self.actor_publish_ended(actor, publish, outcome, refusal),
            None => self.driver_publish_ended(publish, outcome, refusal),
        }
    }

    /// Ends all publishes of channels that are gone; a cause with a code refused them.
    pub(crate) fn end_publishes(&mut self, gone: impl Fn(ChannelId) -> bool, cause: &Refusal) {
        let ended: Vec<PublishId> =
            self.in_flight.iter().filter(|(_, one)| gone(one.channel)).map(|(id, _)| *id).collect();
        let refused = cause.code != 0 && cause.code != crate::broker::code::CONNECTION_FORCED;
        let outcome = if refused { PublishOutcome::Refused } else { PublishOutcome::Lost };
        for publish in ended {
            self.publish_ended(publish, outcome, refused.then_some(cause));
        }
    }

    fn delivered(&mut self, channel: ChannelId, consumer: &Name, delivery: crate::broker::Delivery) {
        if self.take_reply(channel, &delivery) {
            return;
        }
        let Some(actor) = self.actor_of(channel, consumer) else { return };
        self.deliveries += 1;
        let (name, alike) = self.names.of_delivery(&self.ledger.consumers[actor].queue, &delivery);
        self.driver.note_delivery(&name);
        if delivery.message.properties.message_id.is_some() && self.failures.is_empty() {
            self.count_delivery(&name);
        }
        self.deliver_to(actor, (name, alike), delivery);
    }

    /// Fails the run when one message comes back without end.
    fn count_delivery(&mut self, name: &Name) {
        if self.deliveries_of.len() >= crate::player::message::anonymous_messages::NAMES_KEPT
            && !self.deliveries_of.contains_key(name)
        {
            return;
        }
        let count = self.deliveries_of.entry(name.clone()).or_default();
        *count += 1;
        if *count == DELIVERIES_OF_ONE_MESSAGE_MAX {
            let message =
                format!("{name} was delivered {DELIVERIES_OF_ONE_MESSAGE_MAX} times: it goes round without end");
            let mut help = "give the loop an end: a rule on `attempt` or `x_death`, or a delivery limit".to_owned();
            if self.ground.version >= Profile::V4_3.version() {
                help.push_str(" (from 4.3 on a nack with requeue does not count towards it)");
            }
            self.fail(Code::RunLoop, message, Some(help));
            self.failed_about(FailureSubject::Message(name.clone()));
        }
    }

    /// Names what the runner itself got.
    pub(crate) fn name_of(&mut self, queue: &QueueName, delivery: &crate::broker::Delivery) -> Name {
        self.names.of_delivery(queue, delivery).0
    }

    /// Notes what became of a delivery of this actor's that may come again.
    pub(crate) fn may_come_again(&mut self, actor: usize, alike: Option<Alike>, fate: Fate) {
        if let Some(alike) = alike {
            self.names.ended(&self.ledger.consumers[actor].queue, alike, fate);
        }
    }

    fn counted(&mut self, queue: QueueName, counts: Option<crate::broker::Counts>) {
        if !self.driver.is_frozen() {
            self.record(TimelineEvent::Counted { queue: queue.clone(), counts });
            self.ledger.counted(queue.clone(), counts);
        }
        self.driver_counted(&queue);
    }

    fn channel_closed(&mut self, channel: ChannelId, cause: &Refusal) {
        self.end_publishes(|one| one == channel, cause);
        if let Some((_, role)) = self.channels.remove(&channel) {
            match role {
                Role::Actor(_) => self.actor_channel_closed(channel, cause),
                Role::Driver => self.driver_channel_closed(channel),
            }
        }
    }

    fn connection_closed(&mut self, connection: ConnectionId, cause: &Refusal) {
        let mut gone = Vec::new();
        self.channels.retain(|channel, (of, role)| {
            if *of == connection {
                gone.push((*channel, role.clone()));
            }
            *of != connection
        });
        self.end_publishes(|one| gone.iter().any(|(channel, _)| *channel == one), cause);
        for (channel, role) in gone {
            match role {
                Role::Actor(_) => self.actor_channel_closed(channel, cause),
                Role::Driver => self.driver_channel_closed(channel),
            }
        }
        for actor in self.actors.iter_mut().filter(|actor| actor.connection == Some(connection)) {
            actor.connection = None;
        }
        self.driver_connection_closed(connection);
    }
}

impl Client for Player {
    fn poll_command(&mut self, now: Moment) -> Option<Command> {
        self.now = self.to_own(now);
        self.ledger.note_totals();
        loop {
            if let Some(command) = self.outbox.pop_front() {
                return Some(command);
            }
            // A bulk goes on when consumers rest: else they would fall a whole window behind at each turn.
            let yields = std::mem::take(&mut self.acted) && self.failures.is_empty() && self.driver.is_amid_bulk();
            let driven = yields || self.step_driver(now);
            let mut acted = false;
            for actor in 0..self.actors.len() {
                acted |= self.step_actor(actor);
            }
            self.acted = acted;
            // What an actor did is news too: a settlement has no answer.
            self.news |= acted;
            if let Some(unrest) = self.driver.unrest.as_mut().filter(|_| acted) {
                unrest.acted(self.now);
            }
            if !driven && !acted && self.outbox.is_empty() {
                self.news = false;
                return None;
            }
        }
    }

    fn handle_event(&mut self, now: Moment, event: Event) {
        self.now = self.to_own(now);
        self.news = true;
        if let Some(unrest) = &mut self.driver.unrest {
            unrest.note(self.now, &event);
        }
        match event {
            Event::Reply { request, reply } => self.replied(request, reply.map_err(Refusal::without_entities)),
            Event::Delivered { channel, consumer, delivery } => self.delivered(channel, &consumer, delivery),
            Event::Returned { publish, .. } => {
                if let Some(one) = self.in_flight.get_mut(&publish) {
                    one.returned = true;
                    self.ledger.unroutable += 1;
                }
            }
            Event::Confirmed { publish, confirmation } => {
                let returned = self.in_flight.get(&publish).is_some_and(|one| one.returned && one.mandatory);
                let outcome = match confirmation {
                    Confirmation::Nack => PublishOutcome::Nacked,
                    Confirmation::Ack if returned => PublishOutcome::Returned,
                    Confirmation::Ack => PublishOutcome::Confirmed,
                };
                self.publish_ended(publish, outcome, None);
            }
            Event::ChannelClosed { channel, cause } => self.channel_closed(channel, &cause),
            Event::ConnectionClosed { connection, cause } => self.connection_closed(connection, &cause),
            Event::Cancelled { channel, consumer } => {
                if let Some(actor) = self.actor_of(channel, &consumer) {
                    self.actor_cancelled(actor);
                }
            }
            Event::Counted { queue, counts } => self.counted(queue, counts),
            Event::Told(insight) => {
                // What its own publish will be told of, is returned or nacked.
                let told = insight.origin.is_some_and(|origin| self.in_flight.contains_key(&origin));
                if matches!(insight.what, What::Dropped { stood, .. } if stood || !told) {
                    self.ledger.dropped += 1;
                }
                if !self.driver.is_frozen() {
                    let message = insight.origin.map(|origin| self.names.of_origin(origin));
                    let (behind, until) = match &insight.what {
                        What::Blocked { behind, until, .. } => (*behind, *until),
                        _ => (None, None),
                    };
                    let behind = behind.map(|behind| self.names.of_origin(behind));
                    let until = until.map(|until| self.now + until);
                    self.record(TimelineEvent::Told { message, behind, until, insight });
                }
            }
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        let epoch = self.epoch?;
        let actors = self.actors.iter().filter(|_| !self.driver.rests_actors());
        let actors = actors.filter_map(|actor| actor.wake_at(&self.scenario.consumers[actor.consumer]));
        let own = actors.chain(self.driver.wake_at()).min()?;
        Some(Moment(epoch.0 + own.0))
    }

    fn is_leaving(&self) -> bool {
        self.outbox.iter().find(|command| !matches!(command, Command::Settle { .. })).is_some_and(Command::is_leave)
    }

    fn is_done(&self) -> bool {
        self.driver.is_done() && self.outbox.is_empty()
    }
}

impl Player {
    fn replied(&mut self, request: RequestId, reply: Result<Reply, Refusal>) {
        match self.waiting.remove(&request) {
            Some(Asker::Driver) => self.driver_answered(request, reply),
            Some(Asker::Quiet) => self.driver_quiet(reply),
            Some(Asker::Actor(actor)) => self.actor_answered(actor, request, reply),
            Some(Asker::Leaving | Asker::Nobody) | None => {}
        }
    }
}
