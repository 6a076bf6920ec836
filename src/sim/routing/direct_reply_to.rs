//! Direct reply-to: the consumer without a queue, and messages that go straight to it (RT-22).

use crate::broker::{DeliveredMessage, Delivery, Event, PublishId, Refusal, Reply, code};
use crate::model::{Message, Name};
use crate::rules::shown_queue;
use crate::sim::broker::Sim;
use crate::sim::state::arena::ChannelIndex;
use crate::sim::state::names::{REPLY_TO, REPLY_TO_KEY};
use crate::sim::state::refusal::{connection_error, internal_error, not_found, precondition_failed};
use std::sync::Arc;

impl Sim {
    pub(crate) fn consume_replies(&mut self, id: ChannelIndex, tag: Name, no_ack: bool) -> Result<Reply, Refusal> {
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

    /// Answers a declare of a name of direct reply-to: each is passive, whatever it asks for, and no rights are looked at.
    pub(crate) fn declare_reply_queue(&mut self, id: ChannelIndex, name: Name) -> Result<Reply, Refusal> {
        let Some(vhost) = self.channels.get(id).map(|channel| channel.vhost) else { return Ok(Reply::Done) };
        let is_general = &*name == REPLY_TO;
        let is_strange = !is_general && !self.is_own_key(&name);
        if self.rules.volatile_reply_queues && (is_strange || self.check_queue_limit(vhost, &name).is_err()) {
            return Err(internal_error());
        }
        if !is_general && self.reply_consumer(&name).is_none() {
            return Err(not_found(&shown_queue(&self.vhost_name(vhost), &name)));
        }
        if let Some(channel) = self.channels.get_mut(id) {
            channel.last_queue = Some(name.clone());
        }
        Ok(Reply::Declared { queue: name, ready: 0, consumers: 1 })
    }

    /// Writes the channel's own key in place of the general name.
    pub(crate) fn with_reply_to(&self, id: ChannelIndex, message: Arc<Message>) -> Result<Arc<Message>, Refusal> {
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

    /// Finds the consumer of replies that a key leads to.
    pub(crate) fn reply_consumer(&self, key: &Name) -> Option<(ChannelIndex, Name)> {
        self.channels.iter().find_map(|(id, channel)| match &channel.reply_consumer {
            Some((own, tag)) if own == key => Some((id, tag.clone())),
            _ => None,
        })
    }

    /// Delivers a reply to who waits for it, and returns whether it counts as routed.
    pub(crate) fn deliver_reply(&mut self, key: &Name, message: &Arc<Message>, origin: PublishId) -> bool {
        let counts = self.rules.volatile_reply_queues && self.is_own_key(key);
        let Some((id, consumer)) = self.reply_consumer(key) else { return counts };
        let Some(channel) = self.channels.get_mut(id) else { return counts };
        let tag = channel.next_tag();
        if !self.rules.volatile_reply_queues {
            // The next delivery has the same tag.
            channel.last_tag -= 1;
        }
        let delivery = Delivery {
            tag,
            redelivered: false,
            exchange: "".into(),
            routing_key: key.clone(),
            message: DeliveredMessage::from(message.clone()).stemming_from(origin),
        };
        let event = Event::Delivered { channel: channel.id, consumer, delivery };
        self.events.push_back(event);
        counts
    }

    /// Returns whether this broker gave a key to a consumer of replies, be it gone or not.
    fn is_own_key(&self, key: &Name) -> bool {
        let number = key.strip_prefix(REPLY_TO_KEY).and_then(|digits| digits.parse::<u64>().ok());
        number.is_some_and(|number| number > 0 && number <= self.names_made)
    }
}
