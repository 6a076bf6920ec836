//! How a consumer begins: connection and channels, its own queue, prefetch, consume. Those of one `channel:` share theirs.
//! Returns commands; whoever runs them (the driver, or the instance that connects again) says how they ended.

use crate::broker::{Command, Method};
use crate::model::{Action, Consumer, Name, Scenario, Value};
use crate::player::consumer::instance::ConsumerInstance;
use crate::player::consumer::others::Others;
use crate::player::context::Context;
use crate::player::context::command_sequence::Ask;
use crate::player::context::owner::{Asker, Owner};
use crate::player::record::timeline::TimelineEvent;

impl ConsumerInstance {
    /// Returns what it takes to subscribe. What is left of an earlier subscription is closed first.
    pub fn subscribe(&mut self, context: &mut Context, scenario: &Scenario, others: Others) -> Vec<Ask> {
        let consumer = self.declared(scenario);
        let owner = Owner::Instance(self.number);
        let mut asks = Vec::new();
        if let Some(old) = self.abandon(context, scenario, others) {
            asks.push(Ask::Disconnect(old));
        }
        let (connection, channel) = match others.shared_channel(self, scenario) {
            Some(shared) => shared,
            None => {
                let (connection, channel) = (context.ids.connection(), context.ids.channel());
                let (user, vhost) = (consumer.actor.clone(), consumer.queue.vhost.clone());
                let heartbeat = consumer.heartbeat;
                let open = match consumer.transactional {
                    true => Ask::OpenPlain { channel, connection },
                    false => Ask::Open { channel, connection },
                };
                asks.extend([Ask::Connect { connection, user, vhost, heartbeat }, open]);
                context.channels.open(channel, connection, owner);
                (connection, channel)
            }
        };
        (self.connection, self.channel) = (Some(connection), Some(channel));
        if consumer.queue.is_direct_reply_to() || consumer.transactional {
            // A request must go over the channel that its reply comes to (RT-22), and a transaction is of one channel.
            self.publishing = Some(channel);
        } else if consumer.actions().any(Action::publishes) {
            let publishing = context.ids.channel();
            self.publishing = Some(publishing);
            context.channels.open(publishing, connection, owner);
            asks.push(Ask::Open { channel: publishing, connection });
        }
        asks.extend(
            methods(consumer, &self.name, whole_channel(consumer, scenario))
                .into_iter()
                .map(|method| Ask::Call { channel, method }),
        );
        asks
    }

    /// Notes that the subscription stands.
    pub fn subscribed(&mut self, context: &mut Context, scenario: &Scenario) {
        self.running = true;
        let queue = context.ledger.consumers[self.number].queue.clone();
        context.record(TimelineEvent::Started { consumer: self.name.clone(), queue });
        let own = self.declared(scenario).own_queue.as_ref();
        // An exclusive one cannot be looked at without going through the management API.
        if let Some(own) = own.filter(|own| !own.queue.exclusive && !own.queue.name.is_empty()) {
            context.watch(scenario, own.queue.id());
        }
    }

    /// Closes what was opened for a subscription that did not come about.
    pub fn withdraw(&mut self, context: &mut Context, scenario: &Scenario, others: Others) {
        if let Some(connection) = self.abandon(context, scenario, others) {
            context.ask(Asker::Nobody, |request| Command::Disconnect { request, connection });
        }
    }
}

/// Returns the limit of a consumer's channel, whoever of those that share it names one: whoever comes sets it anew.
fn whole_channel(consumer: &Consumer, scenario: &Scenario) -> u16 {
    let shares =
        |one: &&Consumer| one.name == consumer.name || one.channel.is_some() && one.channel == consumer.channel;
    scenario.consumers.iter().filter(shares).map(|one| one.global_prefetch).max().unwrap_or(0)
}

/// Lists what is called on the consuming channel.
fn methods(consumer: &Consumer, tag: &Name, of_channel: u16) -> Vec<Method> {
    let mut methods = Vec::new();
    if consumer.transactional {
        methods.push(Method::TxSelect);
    }
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
    // After it: the prefetch of each lifts that of all, and 4.3 takes both for one (CO-4).
    if of_channel > 0 {
        methods.push(Method::Qos { prefetch: of_channel, global: true });
    }
    let mut arguments = consumer.arguments.clone();
    if let Some(priority) = consumer.priority {
        arguments.insert("x-priority".into(), Value::I64(priority));
    }
    let (no_ack, exclusive) = (consumer.auto_ack, consumer.exclusive);
    methods.push(Method::Consume { queue, consumer: tag.clone(), no_ack, exclusive, arguments });
    methods
}
