//! The connections of the driver and of the users who act: one for each user and vhost, with a channel to publish over.

use crate::broker::{ChannelId, ConnectionId, Refusal};
use crate::model::{Name, Step};
use crate::player::context::Context;
use crate::player::context::command_sequence::Ask;
use crate::player::driver::state::{Driver, DriverState, UserConnection, UserOfVhost};

impl Driver {
    /// Returns the channel over which a user publishes in a vhost, and what it takes to open it: a connection, a channel.
    pub fn connect(&mut self, user: UserOfVhost, context: &mut Context) -> (Vec<Ask>, ChannelId) {
        let mut asks = Vec::new();
        let known = match self.connections.get(&user).copied() {
            Some(known) => known,
            None => {
                let connection = context.ids.connection();
                asks.push(Ask::Connect { connection, user: user.0.clone(), vhost: user.1.clone(), heartbeat: None });
                UserConnection { connection, publishing: None }
            }
        };
        let publishing = known.publishing.unwrap_or_else(|| {
            let channel = context.ids.channel();
            asks.push(Ask::Open { channel, connection: known.connection });
            context.channels.open(channel, known.connection, context.owner());
            channel
        });
        self.connections.insert(user, UserConnection { publishing: Some(publishing), ..known });
        (asks, publishing)
    }

    /// The same for whoever does a step.
    pub fn connect_for(&mut self, step: &Step, context: &mut Context) -> (Vec<Ask>, ChannelId) {
        self.connect(user_of(step), context)
    }

    /// Opens a channel for a step alone, on its user's connection; gives what that takes, and the channel.
    pub fn channel_asks(&mut self, step: &Step, context: &mut Context) -> (Vec<Ask>, Option<ChannelId>) {
        let user = user_of(step);
        let (mut asks, _) = self.connect(user.clone(), context);
        let Some(connection) = self.connections.get(&user).map(|known| known.connection) else { return (asks, None) };
        let channel = context.ids.channel();
        context.channels.open(channel, connection, context.owner());
        asks.push(Ask::Open { channel, connection });
        (asks, Some(channel))
    }

    /// The broker closed a channel of the driver.
    pub fn channel_closed(&mut self, channel: ChannelId, cause: &Refusal, context: &mut Context) {
        self.lose_held(channel, cause, context);
        self.transactions.retain(|_, (_, of)| *of != channel);
        for known in self.connections.values_mut().filter(|known| known.publishing == Some(channel)) {
            known.publishing = None;
        }
        if let DriverState::Publishing(step) = &mut self.doing {
            step.channel_closed(channel);
        }
    }

    /// Forgets a connection of the driver; what the runner took over it to read is the broker's again.
    pub fn forget_connection(&mut self, connection: ConnectionId, context: &mut Context) {
        let is_runner = |name: &Option<Name>| name.is_none();
        let vhosts: Vec<Name> = (self.connections.iter())
            .filter(|((user, _), known)| is_runner(user) && known.connection == connection)
            .map(|((_, vhost), _)| vhost.clone())
            .collect();
        self.connections.retain(|_, known| known.connection != connection);
        context.channels.close_of_driver(connection);
        self.lose_held_of(connection, context);
        self.transactions.retain(|_, (of, _)| *of != connection);
        if !self.is_frozen() {
            vhosts.iter().for_each(|vhost| context.ledger.let_go(vhost));
        }
    }
}

/// Returns who does a step, and where.
pub(crate) fn user_of(step: &Step) -> UserOfVhost {
    (step.actor.clone(), step.vhost.clone())
}
