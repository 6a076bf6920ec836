//! What a schedule may decide of a player: which of its commands goes first, whether consumers still act before the driver
//! ends them, and how far a look is shifted. Used by whoever explores schedules; a plain run asks for none of it.

use crate::broker::{ChannelId, Command, Event};
use crate::model::Moment;
use crate::player::client::Player;
use crate::player::context::owner::{Asker, Owner};
use crate::player::driver::decision_points::{DecisionPoint, Perturbation};
use crate::player::driver::state::{ConsumerRequest, DriverState, RunStage};

impl Player {
    /// Makes it ask, before the driver ends consumers that have work, whether they do that first.
    pub fn hesitating(mut self) -> Self {
        self.hesitates = true;
        self
    }

    /// Makes it keep no timeline; it counts the entries.
    pub fn without_timeline(mut self) -> Self {
        self.context.timeline.keep_nothing();
        self
    }

    /// Lists the commands that are ready, oldest first.
    pub fn ready_commands(&self) -> impl Iterator<Item = &Command> {
        self.context.outbox.commands()
    }

    /// Takes one of the commands that are ready.
    pub fn take_command(&mut self, at: usize) -> Option<Command> {
        self.context.outbox.take(at)
    }

    /// Puts the commands that are ready into another order, from one place to another.
    pub fn reorder_commands(&mut self, from: usize, to: usize, order: impl FnOnce(&mut [Command])) {
        self.context.outbox.reorder(from, to, order);
    }

    /// Lets driver and consumers go on, whatever is ready; returns whether any did something.
    pub fn go_on(&mut self, now: Moment) -> bool {
        self.context.clock.set(now);
        self.context.ledger.note_totals();
        self.act(now)
    }

    /// Lets driver and consumers go on until a command is ready; returns whether one is.
    pub fn go_on_until_ready(&mut self, now: Moment) -> bool {
        while self.context.outbox.is_empty() {
            if !self.go_on(now) && self.context.outbox.is_empty() {
                return false;
            }
        }
        true
    }

    /// Returns whether a consumer has something to do, or the driver goes on from what it has heard.
    pub fn has_work(&self) -> bool {
        self.driver_has_work() || self.consumers_have_work()
    }

    /// Returns whether the driver goes on from what it has heard.
    fn driver_has_work(&self) -> bool {
        let waits = matches!(
            self.driver.doing,
            DriverState::Quieting
                | DriverState::AwaitingQuiet { .. }
                | DriverState::EndingInstant(_)
                | DriverState::Refreshing(_)
                | DriverState::Sleeping { .. }
                | DriverState::Watching { .. }
                | DriverState::Lingering { .. }
                | DriverState::Pausing { .. }
        );
        self.driver.news && !waits
    }

    /// Returns whether the driver goes on while a consumer is about to do what concerns all that it was sent: end its
    /// subscription, or settle several.
    pub fn may_act_late(&self) -> bool {
        self.waiting_consumers.is_none()
            && self.driver_has_work()
            && !self.driver.rests_consumers()
            && self.consumers.concern_all_sent(&self.scenario)
    }

    /// Lets consumers wait with what they have to do while others go on.
    pub fn let_consumers_wait(&mut self) {
        self.waiting_consumers = Some(false);
    }

    /// Lets consumers go on that wait; returns whether more was delivered meanwhile, and `None` if none waits.
    pub fn let_consumers_go_on(&mut self) -> Option<bool> {
        self.waiting_consumers.take()
    }

    /// Returns whether a consumer has something to do at this moment.
    pub(crate) fn consumers_have_work(&self) -> bool {
        self.waiting_consumers.is_none() && !self.driver.rests_consumers() && self.consumers.have_work(&self.scenario)
    }

    /// Returns whether all is judged and kept: it only closes what is open.
    pub fn is_closing(&self) -> bool {
        matches!(self.driver.stage, RunStage::Closing | RunStage::Done)
    }

    /// Returns the step that a command of the driver belongs to, which does not end before the command did; `None` for others'.
    pub fn driver_step(&self, command: &Command) -> Option<u64> {
        let is_drivers = match command {
            Command::Publish { publish, .. } => {
                self.context.in_flight.get(publish).is_some_and(|one| one.owner == Owner::Driver)
            }
            Command::Call { request, .. } | Command::Manage { request, .. } => {
                self.context.outbox.asker(*request) == Some(Asker::Driver)
            }
            _ => false,
        };
        is_drivers.then(|| self.driver.stage.number())
    }

    /// Returns the consumer instances that use a channel, a bit each; none where they have no bit.
    pub fn instances_on(&self, channel: ChannelId) -> u64 {
        self.consumers.users_of(channel)
    }

    /// Returns the instances that an event is for; none where it is for the driver, too.
    pub fn heard_by(&self, event: &Event) -> u64 {
        let channel = match event {
            Event::Delivered { channel, .. } | Event::Cancelled { channel, .. } => *channel,
            Event::Returned { publish, .. } | Event::Confirmed { publish, .. } => {
                match self.context.in_flight.get(publish) {
                    Some(one) if matches!(one.owner, Owner::Instance(_)) => one.channel,
                    _ => return 0,
                }
            }
            _ => return 0,
        };
        self.consumers.users_of(channel)
    }

    /// Returns whether none of these instances does anything at this moment before it hears of something.
    pub fn are_at_rest(&mut self, instances: u64, now: Moment) -> bool {
        self.context.clock.set(now);
        self.consumers.are_at_rest(instances, self.context.now(), &self.scenario)
            && !self.context.outbox.commands().any(|command| match command {
                Command::Publish { channel, .. }
                | Command::Settle { channel, .. }
                | Command::Call { channel, .. }
                | Command::CloseChannel { channel, .. } => self.consumers.users_of(*channel) & instances != 0,
                _ => false,
            })
    }

    /// Returns whether it waits to be told whether consumers act before they are ended.
    pub fn hesitates_now(&self) -> bool {
        self.held_request.is_some()
    }

    /// Ends consumers as the driver asked; before that they may do what they have to do.
    pub fn end_consumers(&mut self, now: Moment, consumers_first: bool) {
        self.context.clock.set(now);
        if consumers_first {
            self.consumers.step(&mut self.context, &self.scenario);
        }
        if let Some(request) = self.held_request.take() {
            self.carry_out(request);
            self.carry_out_requests();
        }
        if self.held_request.is_none() {
            self.step_consumers();
        }
    }

    /// Keeps a request that ends consumers which have work, until it is decided who is first.
    pub(crate) fn holds_back(&self, request: &ConsumerRequest) -> bool {
        self.hesitates && ends_consumers(request) && self.consumers_have_work()
    }

    /// Counts the entries of the timeline, be they kept or not.
    pub(crate) fn entries(&self) -> u64 {
        self.context.timeline.count()
    }

    /// Returns the points of the run that it has reached, at which something is judged or done.
    pub fn points(&self) -> &[DecisionPoint] {
        &self.driver.points
    }

    /// Shifts a point that it has not reached.
    pub fn shift(&mut self, shift: Perturbation) {
        self.driver.shift = Some(shift);
    }
}

fn ends_consumers(request: &ConsumerRequest) -> bool {
    matches!(request, ConsumerRequest::Stop(_) | ConsumerRequest::Crash(_) | ConsumerRequest::HangUp(_))
}
