//! How a consumer ends: cancels, stops, crashes, or loses channel or connection; those that share its channel with it.
//! What it had in hand is the broker's again, what it was publishing is lost; who may come back plans to.

use crate::broker::{ChannelId, Command, ConnectionId, Method, Refusal, Scope};
use crate::player::asker::Asker;
use crate::player::context::Player;
use crate::player::driver::state::DriverState;
use crate::player::message::anonymous_messages::Fate;
use crate::player::record::timeline::{Attempt, ConsumerEnd, TimelineEvent};

impl Player {
    /// Drops the actor's socket.
    pub(crate) fn crash(&mut self, index: usize, waiting: Asker) {
        let Some(connection) = self.actors[index].connection else { return };
        self.ask(waiting, |request| Command::Cut { request, connection });
        self.lost_connection(connection, index, ConsumerEnd::Crashes);
    }

    /// Closes the consuming channel politely.
    pub(crate) fn close_channel(&mut self, index: usize) {
        if let Some(channel) = self.actors[index].channel {
            self.ask(Asker::Nobody, |request| Command::CloseChannel { request, channel });
            self.leave_together(index, ConsumerEnd::ClosesChannel);
        }
    }

    /// Cancels the subscription; what is in hand stays in hand.
    pub(crate) fn cancel(&mut self, index: usize, waiting: Asker) {
        let consumer = self.actors[index].name.clone();
        self.actors[index].comeback = None;
        if let Some(channel) = self.actors[index].channel.filter(|_| self.actors[index].running) {
            let method = Method::Cancel { consumer: consumer.clone() };
            self.ask(waiting, |request| Command::Call { request, channel, method });
        }
        self.actors[index].running = false;
        self.record(TimelineEvent::Gone { consumer, how: ConsumerEnd::Cancels });
    }

    /// Cancels and closes politely; a line that others use stays open.
    pub(crate) fn stop(&mut self, index: usize, waiting: Asker) {
        self.cancel(index, waiting);
        if self.sharers(index).any(|other| self.actors[other].running) {
            return;
        }
        let sharers: Vec<usize> = self.sharers(index).collect();
        if let Some(connection) = self.actors[index].connection {
            self.ask(waiting, |request| Command::Disconnect { request, connection });
        }
        for actor in sharers {
            self.leave(actor, ConsumerEnd::Stops);
            self.actors[actor].connection = None;
        }
    }

    /// Ends the step once the broker has answered all who leave by it; one that was gone already is gone as was asked.
    pub(crate) fn go_on_leaving(&mut self) -> bool {
        if self.waiting.values().any(|waiting| *waiting == Asker::Leaving) {
            self.driver.doing = DriverState::Leaving;
            return false;
        }
        self.end_step(None);
        true
    }

    /// The broker closed a channel: the consuming one of some actors, or the one that an actor publishes over.
    pub(crate) fn actor_channel_closed(&mut self, channel: ChannelId, cause: &Refusal) {
        let whole = cause.scope == Scope::Connection;
        for index in 0..self.actors.len() {
            if self.actors[index].publishing == Some(channel) {
                self.actors[index].publishing = None;
            }
            if self.actors[index].channel != Some(channel) {
                continue;
            }
            if whole {
                self.actors[index].connection = None;
            }
            // One that never came to consume has been refused in words already.
            if self.actors[index].running {
                let (what, how) = match whole {
                    true => (Attempt::Connection, ConsumerEnd::LosesConnection),
                    false => (Attempt::Channel, ConsumerEnd::LosesChannel),
                };
                // All lose theirs when the broker is restarted: the step says it.
                if cause.code != 0 && !self.driver.restarting {
                    self.refused(self.actors[index].name.clone(), what, cause);
                }
                self.leave(index, how);
                self.plan_comeback(index);
            }
        }
    }

    pub(crate) fn actor_cancelled(&mut self, index: usize) {
        self.actors[index].running = false;
        let consumer = self.actors[index].name.clone();
        self.record(TimelineEvent::Gone { consumer, how: ConsumerEnd::CancelledByBroker });
    }

    /// A connection is gone by this actor's doing: all that used it go with it.
    pub(crate) fn lost_connection(&mut self, connection: ConnectionId, index: usize, how: ConsumerEnd) {
        for actor in 0..self.actors.len() {
            if self.actors[actor].connection == Some(connection) {
                self.actors[actor].connection = None;
                self.leave(actor, if actor == index { how } else { ConsumerEnd::LosesSharedConnection });
                self.plan_comeback(actor);
            }
        }
    }

    fn leave_together(&mut self, index: usize, how: ConsumerEnd) {
        for actor in self.sharers(index).collect::<Vec<_>>() {
            self.leave(actor, if actor == index { how } else { ConsumerEnd::LosesChannel });
            self.plan_comeback(actor);
        }
    }

    fn leave(&mut self, index: usize, how: ConsumerEnd) {
        self.forget_channels(index);
        let consumer = self.actors[index].name.clone();
        self.record(TimelineEvent::Gone { consumer, how });
    }

    /// Lets go of an earlier subscription and gives its connection, if nobody else uses it.
    pub(crate) fn abandon(&mut self, index: usize) -> Option<ConnectionId> {
        self.forget_channels(index);
        let connection = self.actors[index].connection.take()?;
        let used = self.actors.iter().any(|other| other.connection == Some(connection));
        (!used).then_some(connection)
    }

    /// Closes what was opened for a subscription that did not come about.
    pub(crate) fn withdraw(&mut self, index: usize) {
        if let Some(connection) = self.abandon(index) {
            self.ask(Asker::Nobody, |request| Command::Disconnect { request, connection });
        }
    }

    fn forget_channels(&mut self, index: usize) {
        let channels: Vec<ChannelId> = self.actors[index].channels().collect();
        (self.actors[index].channel, self.actors[index].publishing) = (None, None);
        for channel in channels {
            if self.actors.iter().all(|other| other.channel != Some(channel)) {
                self.channels.remove(&channel);
                let cause = Refusal { scope: Scope::Channel, code: 0, text: String::new() };
                self.end_publishes(|one| one == channel, &cause);
            }
        }
        let in_hand = self.actors[index].drop_work();
        self.ledger.released(index, in_hand.len() as u64);
        in_hand.values().for_each(|one| self.may_come_again(index, one.alike, Fate::Returned));
    }
}
