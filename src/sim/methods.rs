//! Methods with a reply: each to its file, then the answer, then what a refusal closes.

use crate::broker::{ChannelId, Event, Method, Refusal, Reply, RequestId, code};
use crate::sim::broker::Sim;
use crate::sim::state::arena::ChannelIndex;
use crate::sim::state::refusal::channel_error;

impl Sim {
    pub(crate) fn call(&mut self, request: RequestId, id: ChannelId, method: Method) {
        let Some(channel) = self.channel_ids.get(id) else {
            let refusal = channel_error(code::CHANNEL_ERROR, "the channel is closed");
            return self.answer(request, Err(refusal));
        };
        self.wake_channel(channel);
        let (said, recovers) = (self.events.len(), matches!(method, Method::Recover { .. }));
        match self.perform(channel, method) {
            // A queue hands out again only once the channel has answered (CO-16).
            Ok(reply) if recovers => self.events.insert(said, Event::Reply { request, reply: Ok(reply) }),
            Ok(reply) => self.answer(request, Ok(reply)),
            Err(refusal) => {
                self.answer(request, Err(refusal.clone()));
                self.close_for(channel, refusal);
            }
        }
    }

    fn perform(&mut self, channel: ChannelIndex, method: Method) -> Result<Reply, Refusal> {
        match method {
            Method::DeclareExchange(exchange) => self.declare_exchange(channel, &exchange),
            Method::DeclareQueue(queue) => self.declare_queue(channel, &queue),
            Method::CheckQueue { queue } => self.check_queue(channel, &queue),
            Method::CheckExchange { exchange } => self.check_exchange(channel, &exchange),
            Method::DeleteExchange { exchange, if_unused } => self.delete_exchange(channel, &exchange, if_unused),
            Method::DeleteQueue { queue, if_unused, if_empty } => {
                self.delete_queue(channel, &queue, if_unused, if_empty)
            }
            Method::Bind(binding) => self.bind(channel, &binding),
            Method::Unbind(binding) => self.unbind(channel, &binding),
            Method::Purge { queue } => self.purge(channel, &queue),
            Method::Get { queue, no_ack } => self.get(channel, &queue, no_ack),
            Method::Consume { queue, consumer, no_ack, exclusive, arguments } => {
                self.consume(channel, &queue, consumer, (no_ack, exclusive), &arguments)
            }
            Method::Cancel { consumer } => Ok(self.cancel(channel, &consumer)),
            Method::Qos { prefetch, global } => Ok(self.qos(channel, prefetch, global)),
            Method::Recover { requeue } => self.recover(channel, requeue),
            Method::ConfirmSelect => self.select_confirms(channel),
            Method::TxSelect => self.select_transaction(channel),
            Method::TxCommit => self.commit(channel),
            Method::TxRollback => self.roll_back(channel),
        }
    }
}
