//! Direct reply-to: the consumer without a queue, and messages that go straight to it (RT-22).

use crate::broker::{Delivery, Event, Refusal, Reply, code};
use crate::model::{Message, Name};
use crate::sim::broker::Sim;
use crate::sim::session::channel::Channel;
use crate::sim::state::arena::Id;
use crate::sim::state::refusal::{connection_error, precondition_failed};
use std::sync::Arc;

/// The name that stands for a channel's own replies.
pub(crate) const REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// What the keys of such channels begin with.
pub(crate) const REPLY_TO_KEY: &str = "amq.rabbitmq.reply-to.";

impl Sim {
    pub(crate) fn consume_replies(&mut self, id: Id<Channel>, tag: Name, no_ack: bool) -> Result<Reply, Refusal> {
        if !no_ack {
            return Err(precondition_failed("reply consumer cannot acknowledge"));
        }
        let key = self.server_name(REPLY_TO_KEY);
        let tag = if tag.is_empty() { self.server_name("amq.ctag-") } else { tag };
        let Some(channel) = self.channels.get_mut(id) else { return Ok(Reply::Done) };
        if channel.reply_consumer.is_some() {
            return Err(precondition_failed("reply consumer already set"));
        }
        if channel.consumers.contains_key(&tag) {
            let text = format!("attempt to reuse consumer tag '{tag}'");
            return Err(connection_error(code::NOT_ALLOWED, text));
        }
        channel.reply_consumer = Some((key, tag));
        Ok(Reply::Done)
    }

    /// Writes the channel's own key in place of the general name.
    pub(crate) fn with_reply_to(&self, id: Id<Channel>, message: Arc<Message>) -> Result<Arc<Message>, Refusal> {
        if message.properties.reply_to.as_deref() != Some(REPLY_TO) {
            return Ok(message);
        }
        match self.channels.get(id).and_then(|channel| channel.reply_consumer.as_ref()) {
            None => Err(precondition_failed("fast reply consumer does not exist")),
            Some((key, _)) => {
                let mut message = Message::clone(&message);
                message.properties.reply_to = Some(key.clone());
                Ok(Arc::new(message))
            }
        }
    }

    /// Delivers a reply, and says whether somebody waits for it.
    pub(crate) fn deliver_reply(&mut self, key: &Name, message: &Arc<Message>) -> bool {
        let found = self.channels.iter().find_map(|(id, channel)| match &channel.reply_consumer {
            Some((own, tag)) if own == key => Some((id, tag.clone())),
            _ => None,
        });
        let Some((id, consumer)) = found else { return false };
        let Some(channel) = self.channels.get_mut(id) else { return false };
        let delivery = Delivery {
            tag: channel.next_tag(),
            redelivered: false,
            exchange: "".into(),
            routing_key: key.clone(),
            message: message.clone().into(),
        };
        let event = Event::Delivered { channel: channel.id, consumer, delivery };
        self.events.push_back(event);
        true
    }
}
