//! What concerns all instances that share a channel or a connection, or that a name means: they settle, crash, stop and
//! lose it together.

use crate::broker::{ChannelId, Command, ConnectionId, DeliveryTag, Settlement};
use crate::model::{Name, Scenario};
use crate::player::consumer::instance::ConsumerInstance;
use crate::player::consumer::instances::ConsumerInstances;
use crate::player::consumer::others::Others;
use crate::player::consumer::working::SharedAct;
use crate::player::context::Context;
use crate::player::context::owner::Asker;
use crate::player::record::timeline::ConsumerEnd;

impl ConsumerInstances {
    /// Stops all that a name means.
    pub fn stop_all(&mut self, name: &Name, context: &mut Context, scenario: &Scenario) {
        let meant: Vec<usize> = self.named(name, scenario).collect();
        meant.into_iter().for_each(|number| self.stop(number, Asker::Leaving, context, scenario));
    }

    /// Crashes all that a name means.
    pub fn crash_all(&mut self, name: &Name, context: &mut Context, scenario: &Scenario) {
        let meant: Vec<usize> = self.named(name, scenario).collect();
        meant.into_iter().for_each(|number| self.crash(number, Asker::Leaving, context, scenario));
    }

    /// Takes a connection away that the driver closes from this side.
    pub fn hang_up(&mut self, connection: ConnectionId, context: &mut Context, scenario: &Scenario) {
        let user = self.instances.iter().position(|instance| instance.connection == Some(connection));
        if let Some(number) = user {
            self.lose_connection(connection, number, ConsumerEnd::ClosesConnection, context, scenario);
        }
    }

    /// Forgets what is in hand over channels that are recovered: it comes anew.
    pub fn recover(&mut self, channels: &[ChannelId], context: &mut Context, scenario: &Scenario) {
        for instance in &mut self.instances {
            if instance.channel.is_some_and(|channel| channels.contains(&channel)) {
                instance.recovered(context, scenario);
            }
        }
    }

    /// The network loses a connection: what its instances had in hand is held by the broker until it notices.
    pub fn drift(&mut self, connection: ConnectionId, context: &mut Context, scenario: &Scenario) {
        let user = self.instances.iter().position(|instance| instance.connection == Some(connection));
        if let Some(number) = user {
            context.adrift.insert(connection, Vec::new());
            context.drifting = Some(connection);
            self.lose_connection(connection, number, ConsumerEnd::LosesNetwork, context, scenario);
            context.drifting = None;
        }
    }

    /// Does what an instance asks of all that share its channel or connection.
    pub fn act_together(&mut self, number: usize, act: SharedAct, context: &mut Context, scenario: &Scenario) {
        match act {
            SharedAct::SettleUpTo(tag, settlement) => self.settle_up_to(number, tag, settlement, context, scenario),
            SharedAct::Crash => self.crash(number, Asker::Nobody, context, scenario),
            SharedAct::CloseChannel => self.close_channel(number, context, scenario),
        }
    }

    /// Lists an instance and those that share its channel.
    fn sharers(&self, number: usize) -> Vec<usize> {
        let channel = self.instances[number].channel;
        let shares = |one: &&ConsumerInstance| one.number == number || channel.is_some() && one.channel == channel;
        self.instances.iter().filter(shares).map(|instance| instance.number).collect()
    }

    fn settle_up_to(
        &mut self,
        number: usize,
        tag: DeliveryTag,
        settlement: Settlement,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        let Some(channel) = self.instances[number].channel else { return };
        context.outbox.send(Command::Settle { channel, tag, multiple: true, settlement });
        for sharer in self.sharers(number) {
            self.instances[sharer].settled((DeliveryTag(0), tag), settlement, true, context, scenario);
        }
    }

    /// Drops an instance's socket.
    fn crash(&mut self, number: usize, asker: Asker, context: &mut Context, scenario: &Scenario) {
        let Some(connection) = self.instances[number].connection else { return };
        context.ask(asker, |request| Command::Cut { request, connection });
        self.lose_connection(connection, number, ConsumerEnd::Crashes, context, scenario);
    }

    /// Closes the consuming channel politely.
    fn close_channel(&mut self, number: usize, context: &mut Context, scenario: &Scenario) {
        let Some(channel) = self.instances[number].channel else { return };
        context.ask(Asker::Nobody, |request| Command::CloseChannel { request, channel });
        for sharer in self.sharers(number) {
            let how = if sharer == number { ConsumerEnd::ClosesChannel } else { ConsumerEnd::LosesChannel };
            self.lose(sharer, how, context, scenario);
        }
    }

    /// Cancels and closes politely; a connection that others use stays open.
    fn stop(&mut self, number: usize, asker: Asker, context: &mut Context, scenario: &Scenario) {
        self.instances[number].cancel(context, asker);
        let sharers = self.sharers(number);
        if sharers.iter().any(|sharer| self.instances[*sharer].running) {
            return;
        }
        if let Some(connection) = self.instances[number].connection {
            context.ask(asker, |request| Command::Disconnect { request, connection });
        }
        for sharer in sharers {
            let (instance, others) = Others::split(&mut self.instances, sharer);
            instance.leave(ConsumerEnd::Stops, context, scenario, others);
            instance.connection = None;
        }
    }

    /// A connection is gone by an instance's doing: all that used it go with it.
    fn lose_connection(
        &mut self,
        connection: ConnectionId,
        by: usize,
        how: ConsumerEnd,
        context: &mut Context,
        scenario: &Scenario,
    ) {
        for number in 0..self.instances.len() {
            if self.instances[number].connection == Some(connection) {
                self.instances[number].connection = None;
                self.lose(
                    number,
                    if number == by { how } else { ConsumerEnd::LosesSharedConnection },
                    context,
                    scenario,
                );
            }
        }
    }

    /// An instance is gone, and comes back if it may.
    fn lose(&mut self, number: usize, how: ConsumerEnd, context: &mut Context, scenario: &Scenario) {
        let (instance, others) = Others::split(&mut self.instances, number);
        instance.leave(how, context, scenario, others);
        instance.plan_reconnect(context, scenario);
    }
}
