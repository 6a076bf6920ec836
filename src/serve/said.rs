//! What the simulator says to a connection, as methods on the wire; what comes for a channel that is closed is dropped.

use crate::broker::{Delivery, Refusal, Reply, RequestId};
use crate::model::Name;
use crate::serve::connection::{AwaitedReply, ConnectionPhase, PublishUnderWay, ServedConnection};
use crate::serve::served_channel::ChannelState;
use crate::wire::AmqpMethod;

impl ServedConnection {
    /// Takes the answer to what was asked.
    pub(crate) fn replied(&mut self, request: RequestId, reply: Result<Reply, Refusal>, now_ms: u64) {
        let Some((_, awaited)) = self.awaited.take_if(|(awaited, _)| *awaited == request) else { return };
        match (awaited, reply) {
            (AwaitedReply::Open, Ok(_)) => {
                self.is_open = true;
                self.phase = ConnectionPhase::Running;
                self.deadline_ms = None;
                self.outbox.method(0, AmqpMethod::ConnectionOpenOk { known_hosts: Name::default() });
            }
            (AwaitedReply::Open, Err(refusal)) if refusal.code == 0 => self.drop_now(),
            (AwaitedReply::Open, Err(refusal)) => self.say_close(refusal.code, &refusal.text, (10, 40), now_ms),
            (AwaitedReply::ChannelOpen { number }, Ok(_)) => {
                if let Some(channel) = self.channels.get_mut(&number) {
                    channel.state = ChannelState::Open;
                }
                self.outbox.method(number, AmqpMethod::ChannelOpenOk { channel_id: Vec::new() });
            }
            (AwaitedReply::ChannelClosed { number }, _) => {
                self.channels.remove(&number);
                self.outbox.method(number, AmqpMethod::ChannelCloseOk {});
            }
            (AwaitedReply::Call { number, answer: Some(answer) }, Ok(reply)) => {
                if let Some(written) = answer.write(reply) {
                    match written.message {
                        Some(message) => self.outbox.content(number, written.method, message),
                        None => self.outbox.method(number, written.method),
                    }
                }
            }
            (AwaitedReply::Closed, _) => {
                self.is_open = false;
                self.outbox.method(0, AmqpMethod::ConnectionCloseOk {});
                self.channels.clear();
                self.await_end(now_ms);
            }
            // What a refusal closes is said by an event of its own.
            (AwaitedReply::ChannelOpen { .. } | AwaitedReply::Call { .. } | AwaitedReply::Nothing, _) => {}
        }
    }

    pub(crate) fn delivered(&mut self, number: u16, consumer_tag: Name, delivery: Delivery) {
        if !self.hears(number) {
            return;
        }
        let method = AmqpMethod::BasicDeliver {
            consumer_tag,
            delivery_tag: delivery.tag.0,
            redelivered: delivery.redelivered,
            exchange: delivery.exchange,
            routing_key: delivery.routing_key,
        };
        self.outbox.content(number, method, delivery.message);
    }

    pub(crate) fn returned(&mut self, publish: &mut PublishUnderWay, reply_code: u16, text: &str) {
        let Some((exchange, routing_key, message)) = publish.mandatory.take() else { return };
        if self.hears(publish.number) {
            let method = AmqpMethod::BasicReturn { reply_code, reply_text: text.into(), exchange, routing_key };
            self.outbox.content(publish.number, method, message.into());
        }
    }

    pub(crate) fn confirmed(&mut self, publish: &PublishUnderWay, is_ack: bool) {
        let Some(delivery_tag) = publish.confirm.filter(|_| self.hears(publish.number)) else { return };
        let channel = self.channels.get_mut(&publish.number);
        let all_before = channel.is_some_and(|channel| channel.confirmed.answered(delivery_tag));
        match is_ack {
            true => self.outbox.ack(publish.number, delivery_tag, all_before),
            false => {
                let method = AmqpMethod::BasicNack { delivery_tag, multiple: false, requeue: false };
                self.outbox.method(publish.number, method);
            }
        }
    }

    pub(crate) fn cancelled(&mut self, number: u16, consumer_tag: Name) {
        if self.hears(number) && self.agreement.can("consumer_cancel_notify") {
            self.outbox.method(number, AmqpMethod::BasicCancel { consumer_tag, nowait: true });
        }
    }

    /// The simulator closed the channel; `ids` is the method that it was about.
    pub(crate) fn channel_closed(&mut self, number: u16, cause: &Refusal, ids: (u16, u16)) {
        let Some(channel) = self.channels.get_mut(&number) else { return };
        channel.state = ChannelState::Closing;
        self.say_channel_close(number, cause.code, &cause.text, ids);
    }

    /// The simulator closed the connection, or let it break (code 0).
    pub(crate) fn connection_closed(&mut self, cause: &Refusal, ids: (u16, u16), now_ms: u64) {
        self.is_open = false;
        self.awaited = None;
        if cause.code == 0 {
            self.drop_now();
        } else {
            self.say_close(cause.code, &cause.text, ids, now_ms);
        }
    }

    fn hears(&self, number: u16) -> bool {
        self.phase == ConnectionPhase::Running
            && self.channels.get(&number).is_some_and(|channel| channel.state == ChannelState::Open)
    }
}
