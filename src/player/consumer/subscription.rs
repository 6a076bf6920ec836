//! How a consumer begins: connection and channels, its own queue, prefetch, consume. Those of one `channel:` share theirs.
//! Gives commands; whoever runs them (the driver, or a comeback) says how they ended.

use crate::broker::{ChannelId, ConnectionId, Method};
use crate::model::{Action, Consumer, Value};
use crate::player::asker::Role;
use crate::player::consumer::actor::Actor;
use crate::player::context::Player;
use crate::player::driver::command_sequence::Ask;
use crate::player::record::timeline::TimelineEvent;

impl Player {
    /// Lists an actor and those that share its channel.
    pub(crate) fn sharers(&self, index: usize) -> impl Iterator<Item = usize> {
        let (channel, actors) = (self.actors[index].channel, &self.actors);
        let shares = move |other: &usize| *other == index || channel.is_some() && actors[*other].channel == channel;
        (0..actors.len()).filter(shares)
    }

    /// Lists the other actors of the same `channel:`, whether they are there or not.
    pub(crate) fn partners(&self, index: usize) -> impl Iterator<Item = &Actor> {
        let name_of = |actor: usize| self.scenario.consumers[self.actors[actor].consumer].channel.as_ref();
        let name = name_of(index);
        let are = move |other: &usize| *other != index && name.is_some() && name_of(*other) == name;
        (0..self.actors.len()).filter(are).map(|other| &self.actors[other])
    }

    /// Returns the open line of another consumer of the same `channel:`.
    fn line_of_partner(&self, index: usize) -> Option<(ConnectionId, ChannelId)> {
        self.partners(index).find_map(|other| other.connection.zip(other.channel))
    }

    /// Returns what it takes to subscribe. What is left of an earlier subscription is closed first.
    pub(crate) fn subscribe(&mut self, index: usize) -> Vec<Ask> {
        let scenario = self.scenario.clone();
        let consumer = &scenario.consumers[self.actors[index].consumer];
        let mut asks = Vec::new();
        if let Some(old) = self.abandon(index) {
            asks.push(Ask::Disconnect(old));
        }
        let (connection, channel) = match self.line_of_partner(index) {
            Some(line) => line,
            None => {
                let (connection, channel) = (self.ids.connection(), self.ids.channel());
                let (user, vhost) = (consumer.actor.clone(), consumer.queue.vhost.clone());
                asks.extend([Ask::Connect { connection, user, vhost }, Ask::Open { channel, connection }]);
                self.channels.insert(channel, (connection, Role::Actor(index)));
                (connection, channel)
            }
        };
        let actor = &mut self.actors[index];
        (actor.connection, actor.channel) = (Some(connection), Some(channel));
        if consumer.actions().any(publishes) {
            let publishing = self.ids.channel();
            actor.publishing = Some(publishing);
            self.channels.insert(publishing, (connection, Role::Actor(index)));
            asks.push(Ask::Open { channel: publishing, connection });
        }
        asks.extend(
            methods(consumer, &self.actors[index].name).into_iter().map(|method| Ask::Call { channel, method }),
        );
        asks
    }

    /// Notes that the subscription stands.
    pub(crate) fn subscribed(&mut self, index: usize) {
        self.actors[index].running = true;
        let (consumer, queue) = (self.actors[index].name.clone(), self.ledger.consumers[index].queue.clone());
        self.record(TimelineEvent::Started { consumer, queue });
        let own = self.scenario.consumers[self.actors[index].consumer].own_queue.as_ref();
        // An exclusive one cannot be looked at without going through the management API.
        if let Some(own) = own.filter(|own| !own.queue.exclusive && !own.queue.name.is_empty()) {
            self.watch(own.queue.id());
        }
    }
}

fn publishes(action: &Action) -> bool {
    matches!(action, Action::Publish(_) | Action::Forward(_) | Action::Reply(_) | Action::Retry)
}

/// Lists what is called on the consuming channel.
fn methods(consumer: &Consumer, tag: &crate::model::Name) -> Vec<Method> {
    let mut methods = Vec::new();
    let mut queue = consumer.queue.name.clone();
    if let Some(own) = &consumer.own_queue {
        queue = own.queue.name.clone();
        methods.push(Method::DeclareQueue(Box::new(own.queue.clone())));
        methods.extend(own.bindings.iter().map(|binding| Method::Bind(Box::new(binding.clone()))));
    }
    // On a shared channel the prefetch of whoever came before would hold for this one too (CO-2).
    if consumer.prefetch > 0 || consumer.channel.is_some() {
        methods.push(Method::Qos { prefetch: consumer.prefetch, global: false });
    }
    let mut arguments = consumer.arguments.clone();
    if let Some(priority) = consumer.priority {
        arguments.insert("x-priority".into(), Value::I64(priority));
    }
    let (no_ack, exclusive) = (consumer.auto_ack, consumer.exclusive);
    methods.push(Method::Consume { queue, consumer: tag.clone(), no_ack, exclusive, arguments });
    methods
}
