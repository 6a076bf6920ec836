//! How an instance ends: it cancels, or lets go of its channel. What it had in hand is the broker's again, what it was
//! publishing is lost.

use crate::broker::{ChannelId, Command, ConnectionId, Method, Refusal, Scope};
use crate::model::Scenario;
use crate::player::consumer::instance::ConsumerInstance;
use crate::player::consumer::others::Others;
use crate::player::context::Context;
use crate::player::context::given_back::GivenBack;
use crate::player::context::owner::Asker;
use crate::player::context::publishing::outcome_of_loss;
use crate::player::record::timeline::{ConsumerEnd, TimelineEvent};

impl ConsumerInstance {
    /// Cancels the subscription; what is in hand stays in hand.
    pub fn cancel(&mut self, context: &mut Context, asker: Asker) {
        let consumer = self.name.clone();
        self.absence = None;
        if let Some(channel) = self.channel.filter(|_| self.running) {
            let method = Method::Cancel { consumer: consumer.clone() };
            context.ask(asker, |request| Command::Call { request, channel, method });
        }
        self.running = false;
        context.record(TimelineEvent::Gone { consumer, how: ConsumerEnd::Cancels });
    }

    /// The broker cancelled it.
    pub fn cancelled(&mut self, context: &mut Context) {
        self.running = false;
        context.record(TimelineEvent::Gone { consumer: self.name.clone(), how: ConsumerEnd::CancelledByBroker });
    }

    /// Lets go of its channel, and tells how it goes.
    pub fn leave(&mut self, how: ConsumerEnd, context: &mut Context, scenario: &Scenario, others: Others) {
        self.forget_channels(context, scenario, others);
        context.record(TimelineEvent::Gone { consumer: self.name.clone(), how });
    }

    /// Lets go of an earlier subscription and gives its connection, if nobody else uses it.
    pub fn abandon(&mut self, context: &mut Context, scenario: &Scenario, others: Others) -> Option<ConnectionId> {
        self.forget_channels(context, scenario, others);
        let connection = self.connection.take()?;
        (!others.use_connection(connection)).then_some(connection)
    }

    fn forget_channels(&mut self, context: &mut Context, scenario: &Scenario, others: Others) {
        let of_jobs: Vec<ChannelId> = self.jobs.iter().filter_map(|job| job.trial.channel).collect();
        for channel in [self.channel.take(), self.publishing.take()].into_iter().flatten().chain(of_jobs) {
            if others.on_channel(Some(channel)).next().is_none() {
                context.channels.close(channel);
                self.lose_publishes(channel, context, scenario);
            }
        }
        self.running = false;
        self.give_back(context);
    }

    /// Its channel is recovered: what it had in hand is requeued, and it goes on consuming.
    pub fn recovered(&mut self, context: &mut Context, scenario: &Scenario) {
        if self.in_hand.is_empty() {
            return;
        }
        self.note_returns(self.in_hand.len() as u64, context, scenario);
        self.give_back(context);
    }

    fn give_back(&mut self, context: &mut Context) {
        let in_hand = self.drop_work();
        let (count, alike) = (in_hand.len() as u64, in_hand.values().filter_map(|one| one.alike).collect());
        context.given_back(GivenBack { consumer: self.number, count, alike });
    }

    fn lose_publishes(&mut self, channel: ChannelId, context: &mut Context, scenario: &Scenario) {
        let cause = Refusal::new(Scope::Channel, 0, "");
        let (outcome, refusal) = outcome_of_loss(&cause);
        for publish in context.publishes_on(|one| one == channel) {
            if context.publish_ended(publish, outcome, refusal).is_some() {
                self.publish_ended(publish, outcome, refusal, context, scenario);
            }
        }
    }
}
