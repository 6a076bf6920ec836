//! The player: one cell as a client of a broker, the face of the room.
//! Hands every event to whom it concerns, and polls the driver and then the consumers, in file order; amid a bulk of
//! publishes the consumers first.

use crate::broker::{
    ChannelId, Client, Command, ConnectionId, Delivery, Event, Ids, PublishId, Refusal, RefusalKind, Reply, RequestId,
};
use crate::model::{Cell, Moment, Name, Object, Profile, PublishOutcome, Scenario};
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::context::Context;
use crate::player::context::owner::{Asker, Owner};
use crate::player::driver::decision_points::Perturbation;
use crate::player::driver::state::{ConsumerRequest, Driver};
use crate::player::hands::Hands;
use crate::player::record::contests::contests_after;
use crate::player::record::delivery_counts::{DELIVERIES_OF_ONE_MESSAGE_MAX, DeliveryCounts};
use crate::player::record::failure::FailureSubject;
use crate::player::run_result::{BrokerTraits, RunResult};
use crate::rules::Plugin;
use crate::source::Code;
use std::sync::Arc;

/// Plays one cell.
#[derive(Clone)]
pub struct Player {
    pub(super) scenario: Arc<Scenario>,
    pub(super) context: Context,
    pub(super) driver: Driver,
    pub(super) consumers: ConsumerInstances,
    pub(super) deliveries: DeliveryCounts,
    /// A consumer did something in the last turn.
    pub(super) acted: bool,
    /// Whether it asks who is first when the driver ends consumers that have work.
    pub(super) hesitates: bool,
    /// What the driver asked for and waits for that answer.
    pub(super) held_request: Option<ConsumerRequest>,
    /// Consumers wait with what they have to do, and whether more was delivered meanwhile.
    pub(super) waiting_consumers: Option<bool>,
    /// Steps that are done by hand, beside those of the scenario.
    pub(super) hands: Hands,
}

impl Player {
    /// Makes a player for a cell; ids go on where the set-up ended.
    pub fn new(cell: &Cell, broker: BrokerTraits, ids: Ids) -> Self {
        let scenario = Arc::new(cell.scenario.clone());
        let mut context = Context::new(&scenario, broker, ids);
        if scenario.asks_for_metrics() {
            context.timeline.count_for_expectations();
        }
        Self {
            driver: Driver::new(&scenario, broker.scale),
            consumers: ConsumerInstances::new(&scenario, &mut context),
            deliveries: DeliveryCounts::default(),
            acted: false,
            hesitates: false,
            held_request: None,
            waiting_consumers: None,
            hands: Hands::default(),
            scenario,
            context,
        }
    }

    /// Adds up what happens as numbers ([`RunCounts`](crate::player::RunCounts)).
    pub fn counting(mut self) -> Self {
        if self.context.timeline.counts().is_none() {
            self.context.timeline.count_all();
        }
        self
    }

    /// Plays with one point shifted.
    pub fn shifted(mut self, shift: Perturbation) -> Self {
        self.driver.shift = Some(shift);
        self
    }

    /// Plays with each step no earlier than at these moments of its own time, and the end likewise.
    pub fn paced(mut self, begun: &[Moment]) -> Self {
        self.driver.pace = begun.to_vec();
        self
    }

    /// Ends the run and gives what there is; also when it was cut short.
    pub fn finish(self) -> RunResult {
        let Self { scenario, mut context, driver, deliveries, .. } = self;
        for failure in &mut context.failures {
            let around = &mut failure.circumstances;
            around.contests = contests_after(around.steps_done, &scenario, context.broker.version);
        }
        RunResult {
            timeline: context.timeline,
            outcome: driver.outcome,
            failures: context.failures,
            notes: context.notes,
            points: driver.points,
            took: context.took - Moment(0),
            deliveries: deliveries.all,
            begun: context.begun,
        }
    }

    /// Fails the run from outside: it found no end, or the broker went away.
    pub fn fail(&mut self, code: Code, message: String, help: Option<String>) {
        let span = self.driver.span(&self.scenario);
        self.context.failed(code, message, span, Vec::new()).help = help;
    }

    /// Fails the run because the broker refused parts of the topology; each points at its declaration.
    pub fn set_up_refused(&mut self, refused: &[(Object, Refusal)]) {
        for (object, refusal) in refused {
            let declared = self.scenario.origins.get(object).map(|origin| origin.whole);
            let span = declared.unwrap_or_else(|| self.driver.span(&self.scenario));
            match &refusal.kind {
                RefusalKind::NotSimulated(what) => {
                    let message = format!("the simulated broker does not play {what}");
                    let help = "play this scenario on a live broker: --broker amqp://…";
                    self.context.failed(Code::TopologyNotSimulated, message, span, Vec::new()).help(help);
                    // What follows from it is no news.
                    return;
                }
                RefusalKind::Broker => {
                    let message = format!("the broker refuses {object}: {refusal}");
                    let failure = self.context.failed(Code::TopologyRefused, message, span, Vec::new());
                    let exchanges = &self.scenario.topology.exchanges;
                    let refused = exchanges.iter().find(|exchange| exchange.object() == *object);
                    let plugin = refused.and_then(|exchange| Plugin::of_type(&exchange.kind));
                    if let Some(plugin) = plugin.filter(|_| refusal.text.contains("exchange type '")) {
                        let needs = format!("`needs: {{plugins: [{plugin}]}}` in the scenario");
                        failure.help(format!("the type comes with a plugin: {needs}, or --plugins {plugin}"));
                    }
                }
            }
        }
    }
}

impl Client for Player {
    fn poll_command(&mut self, now: Moment) -> Option<Command> {
        self.context.clock.set(now);
        self.context.ledger.note_totals();
        loop {
            if let Some(command) = self.context.outbox.next() {
                return Some(command);
            }
            if !self.act(now) && self.context.outbox.is_empty() {
                return None;
            }
        }
    }

    fn handle_event(&mut self, now: Moment, event: Event) {
        self.context.clock.set(now);
        self.driver.note_event(self.context.now(), &event);
        self.hands.note_event(self.context.now(), &event);
        match event {
            Event::Reply { request, reply } => self.replied(request, reply.map_err(Refusal::without_entities)),
            Event::Delivered { channel, consumer, delivery } => self.delivered(channel, &consumer, delivery),
            Event::Returned { publish, .. } => self.context.publish_returned(publish),
            Event::Confirmed { publish, confirmation } => {
                if let Some((owner, outcome)) = self.context.publish_answered(publish, confirmation) {
                    self.publish_ended(owner, publish, outcome, None);
                }
            }
            Event::ChannelClosed { channel, cause } => {
                self.end_publishes(|one| one == channel, &cause);
                if let Some(owner) = self.context.channels.close(channel) {
                    self.channel_closed(channel, owner, &cause);
                }
            }
            Event::ConnectionClosed { connection, cause } => self.connection_closed(connection, &cause),
            Event::Cancelled { channel, consumer } => {
                if let Some(number) = self.consumers.find(&self.context, channel, &consumer) {
                    self.consumers.cancelled(number, &mut self.context);
                }
            }
            Event::Counted { queue, counts } => {
                if !self.driver.is_frozen() {
                    self.context.counted(&queue, counts);
                }
                self.driver.counted(&queue, &mut self.context, &self.scenario, &self.consumers);
                self.by_each_hand(|player| {
                    player.driver.counted(&queue, &mut player.context, &player.scenario, &player.consumers);
                });
            }
            Event::Told(insight) => {
                self.context.count_drop(&insight);
                if !self.driver.is_frozen() {
                    self.context.told(insight);
                }
            }
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        let consumers = if self.driver.rests_consumers() { None } else { self.consumers.wake_at(&self.scenario) };
        let own = consumers.into_iter().chain(self.driver.wake_at()).chain(self.hands.wake_at()).min()?;
        self.context.clock.of_broker(own)
    }

    fn is_leaving(&self) -> bool {
        self.context.outbox.is_leaving()
    }

    fn is_done(&self) -> bool {
        self.driver.is_done() && self.context.outbox.is_empty()
    }
}

/// Which way things go between driver and consumers.
impl Player {
    /// Lets the driver and then the consumers go on; returns whether anything came of it.
    pub(super) fn act(&mut self, now: Moment) -> bool {
        if self.held_request.is_some() {
            return false;
        }
        // A bulk goes on when consumers rest: else they would fall a whole window behind at each turn.
        let yields = std::mem::take(&mut self.acted) && self.context.failures.is_empty() && self.driver.is_amid_bulk();
        let driven = yields || self.step_driver(now);
        let driven = self.step_hands(now) || driven;
        if self.held_request.is_some() {
            return false;
        }
        self.step_consumers();
        if !self.acted && !driven && self.context.outbox.is_empty() {
            self.driver.news = false;
            self.hands.rest();
        }
        self.acted || driven
    }

    /// Lets the consumers go on.
    pub(super) fn step_consumers(&mut self) {
        // What the run left behind is being read: a consumer that went on would change it.
        let rest = self.waiting_consumers.is_some() || self.driver.rests_consumers();
        self.acted = !rest && self.consumers.step(&mut self.context, &self.scenario);
        if self.acted {
            self.driver.note_consumers(self.context.now());
            self.hands.note_consumers(self.context.now());
        }
    }

    /// Lets the driver go on, and has the consumers do what it then requests.
    pub(super) fn step_driver(&mut self, moment: Moment) -> bool {
        let driven = self.driver.step(moment, &mut self.context, &self.scenario, &self.consumers);
        self.carry_out_requests();
        driven
    }

    /// Has the consumers do what the driver requests, up to a request that is held back.
    pub(super) fn carry_out_requests(&mut self) {
        while let Some(request) = self.driver.request.take() {
            if self.holds_back(&request) {
                self.held_request = Some(request);
                return;
            }
            self.carry_out(request);
        }
    }

    /// Has the consumers do what the driver requests.
    pub(super) fn carry_out(&mut self, request: ConsumerRequest) {
        let Self { scenario, context, driver, consumers, .. } = self;
        match request {
            ConsumerRequest::Start(number) => {
                driver.start_instance(number, consumers.start(number, context, scenario));
            }
            ConsumerRequest::Started(number, refusal) => {
                consumers.started(number, refusal.is_none(), context, scenario);
                driver.instance_started(number, refusal.as_ref(), context, scenario, consumers);
            }
            ConsumerRequest::Stop(name) => consumers.stop_all(&name, context, scenario),
            ConsumerRequest::Crash(name) => consumers.crash_all(&name, context, scenario),
            ConsumerRequest::Recover(channels) => consumers.recover(&channels, context, scenario),
            ConsumerRequest::HangUp(connections) => {
                connections.into_iter().for_each(|one| consumers.hang_up(one, context, scenario));
            }
            ConsumerRequest::Drift(connections) => {
                connections.into_iter().for_each(|one| consumers.drift(one, context, scenario));
            }
        }
    }

    fn replied(&mut self, request: RequestId, reply: Result<Reply, Refusal>) {
        match self.context.outbox.answered(request) {
            Some(Asker::Driver) => self.driver.answered(request, reply),
            Some(Asker::Quiet) => self.driver.quiet(reply, &mut self.context, &self.scenario, &self.consumers),
            Some(Asker::Hand(hand)) => self.by_hand(hand, |player| player.driver.answered(request, reply)),
            Some(Asker::HandQuiet(hand)) => self.by_hand(hand, |player| {
                player.driver.quiet(reply, &mut player.context, &player.scenario, &player.consumers);
            }),
            Some(Asker::Instance(number)) => {
                self.consumers.answered(number, request, reply, &mut self.context, &self.scenario);
            }
            Some(Asker::Leaving | Asker::Nobody) | None => {}
        }
    }

    fn delivered(&mut self, channel: ChannelId, consumer: &Name, delivery: Delivery) {
        let is_read = self.driver.take_reply(channel, &delivery)
            || self.driver.take_read(channel, &delivery, &mut self.context)
            || self.hands.take_reply(channel, &delivery)
            || self.hands.take_read(channel, &delivery, &mut self.context);
        if is_read {
            return;
        }
        let Some(number) = self.consumers.find(&self.context, channel, consumer) else { return };
        if let Some(more) = &mut self.waiting_consumers {
            *more = true;
        }
        self.deliveries.all += 1;
        let queue = &self.context.ledger.consumers[number].queue;
        let (name, alike) = self.context.names.of_delivery(queue, &delivery);
        self.driver.note_delivery(&name);
        self.hands.note_delivery(&name);
        let counts = delivery.message.properties.message_id.is_some() && self.context.failures.is_empty();
        if counts && self.deliveries.is_last_of(&name) {
            self.fail_by_loop(&name);
        }
        self.consumers.deliver(number, (name, alike), delivery, &mut self.context, &self.scenario);
    }

    /// Fails the run when one message comes back without end.
    fn fail_by_loop(&mut self, name: &Name) {
        let message = format!("{name} was delivered {DELIVERIES_OF_ONE_MESSAGE_MAX} times: it goes round without end");
        let mut help = "give the loop an end: a rule on `attempt` or `x_death`, or a delivery limit".to_owned();
        if self.context.broker.version >= Profile::V4_3.version() {
            help.push_str(" (from 4.3 on a nack with requeue does not count towards it)");
        }
        let span = self.driver.span(&self.scenario);
        let about = FailureSubject::Message(name.clone());
        self.context.failed(Code::RunLoop, message, span, Vec::new()).about(about).help(help);
    }

    /// Tells whoever waits for the end of a publish.
    fn publish_ended(&mut self, owner: Owner, publish: PublishId, outcome: PublishOutcome, refusal: Option<&Refusal>) {
        let Self { scenario, context, driver, consumers, .. } = self;
        match owner {
            Owner::Instance(number) => {
                consumers.publish_ended(number, publish, outcome, refusal, context, scenario);
            }
            Owner::Driver => driver.publish_ended(publish, outcome, refusal, context, scenario),
            Owner::Hand(hand) => {
                self.by_hand(hand, |player| player.publish_ended(Owner::Driver, publish, outcome, refusal));
            }
        }
    }

    /// Ends all publishes of channels that are gone.
    fn end_publishes(&mut self, is_gone: impl Fn(ChannelId) -> bool, cause: &Refusal) {
        for publish in self.context.publishes_on(is_gone) {
            let (outcome, refusal) = self.context.outcome_of_loss(publish, cause);
            if let Some(owner) = self.context.publish_ended(publish, outcome, refusal) {
                self.publish_ended(owner, publish, outcome, refusal);
            }
        }
    }

    fn channel_closed(&mut self, channel: ChannelId, owner: Owner, cause: &Refusal) {
        match owner {
            Owner::Instance(_) => {
                // All lose theirs when the broker is restarted: the step says it.
                let told = self.driver.restarting || self.hands.are_restarting();
                self.consumers.channel_closed(channel, cause, told, &mut self.context, &self.scenario);
                // A step may publish over it, too.
                self.driver.channel_closed(channel, cause, &mut self.context);
            }
            Owner::Driver => self.driver.channel_closed(channel, cause, &mut self.context),
            Owner::Hand(hand) => self.by_hand(hand, |player| player.channel_closed(channel, Owner::Driver, cause)),
        }
    }

    fn connection_closed(&mut self, connection: ConnectionId, cause: &Refusal) {
        self.context.taken_back(connection);
        let gone = self.context.channels.close_connection(connection);
        self.end_publishes(|one| gone.iter().any(|(channel, _)| *channel == one), cause);
        for (channel, owner) in gone {
            self.channel_closed(channel, owner, cause);
        }
        self.consumers.connection_closed(connection);
        self.driver.forget_connection(connection, &mut self.context);
        self.by_each_hand(|player| player.driver.forget_connection(connection, &mut player.context));
    }
}
