//! What the management API does on behalf of a user: methods with that user's rights, without a connection that counts.
//! A session opens, acts and closes within one step; nothing of it is seen from outside.

use crate::broker::{
    ChannelId, Confirmation, ConnectionId, DeliveryTag, Event, Method, PublishId, Refusal, Reply, RequestId, Settlement,
};
use crate::model::{Message, Millis, Moment, Name};
use crate::sim::broker::Sim;
use crate::sim::events::own_publishes::Acting;
use crate::sim::state::connection::Connection;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Ids of clients begin at 1.
pub(crate) const CONNECTION: ConnectionId = ConnectionId(0);
pub(crate) const CHANNEL: ChannelId = ChannelId(0);
const REQUEST: RequestId = RequestId(0);
const PUBLISH: PublishId = PublishId(0);

/// What became of a message that was published directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectPublish {
    /// It is in a queue.
    Routed,
    /// It found no queue.
    Unroutable,
    /// A queue refused it.
    Nacked,
    /// RabbitMQ refused it.
    Refused(Refusal),
}

impl Sim {
    /// Opens the session for a user, or with all rights, in a vhost that is there.
    pub fn open_direct(&mut self, now: Moment, user: Option<Name>, vhost: &str) {
        self.advance(now);
        self.turn += 1;
        let Some(&vhost) = self.vhost_names.get(vhost) else { return };
        let connection = Connection {
            user,
            vhost,
            channels: BTreeSet::new(),
            heartbeat: Millis(0),
            opened: self.now,
            isolated: false,
        };
        self.connections.insert(CONNECTION, connection);
        self.open_channel(REQUEST, CHANNEL, CONNECTION, true);
        self.take_direct();
    }

    /// Calls a method in the session.
    ///
    /// # Errors
    /// As RabbitMQ refuses it; the session is over then.
    pub fn call_directly(&mut self, method: Method) -> Result<Reply, Refusal> {
        self.turn += 1;
        self.own_publishes.acting = Acting::Channel(CHANNEL);
        self.forget_routes();
        self.call(REQUEST, CHANNEL, method);
        self.work_off();
        let reply = self.take_direct().into_iter().find_map(|event| match event {
            Event::Reply { reply, .. } => Some(reply),
            _ => None,
        });
        reply.unwrap_or(Ok(Reply::Done))
    }

    /// Publishes in the session, mandatory.
    pub fn publish_directly(&mut self, exchange: Name, routing_key: Name, message: Arc<Message>) -> DirectPublish {
        self.turn += 1;
        self.publish(CHANNEL, PUBLISH, exchange, routing_key, true, message);
        self.work_off();
        let mut outcome = DirectPublish::Routed;
        for event in self.take_direct() {
            match event {
                Event::Returned { .. } => outcome = DirectPublish::Unroutable,
                Event::Confirmed { confirmation: Confirmation::Nack, .. } => return DirectPublish::Nacked,
                Event::ChannelClosed { cause, .. } | Event::ConnectionClosed { cause, .. } => {
                    return DirectPublish::Refused(cause);
                }
                _ => {}
            }
        }
        outcome
    }

    /// Settles a delivery of the session.
    pub fn settle_directly(&mut self, tag: DeliveryTag, settlement: Settlement) {
        self.turn += 1;
        self.settle(CHANNEL, tag, false, settlement);
        self.work_off();
        self.take_direct();
    }

    /// Ends the session.
    pub fn close_direct(&mut self) {
        self.end_connection(CONNECTION);
        self.work_off();
        self.take_direct();
    }

    /// Takes what was said to the session out of all that was said.
    fn take_direct(&mut self) -> Vec<Event> {
        let is_own = |event: &Event| match event {
            Event::Reply { request, .. } => *request == REQUEST,
            Event::Delivered { channel, .. }
            | Event::ChannelClosed { channel, .. }
            | Event::Cancelled { channel, .. } => *channel == CHANNEL,
            Event::Returned { publish, .. } | Event::Confirmed { publish, .. } => *publish == PUBLISH,
            Event::ConnectionClosed { connection, .. } => *connection == CONNECTION,
            Event::Counted { .. } | Event::Told(_) => false,
        };
        let (own, others) = std::mem::take(&mut self.events).into_iter().partition(is_own);
        self.events = others;
        own.into()
    }
}
