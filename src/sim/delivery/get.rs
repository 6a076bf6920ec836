//! basic.get: one message, if there is one (CO-7, CO-12, CO-23).

use crate::broker::{Got, Refusal, Reply, code};
use crate::model::{Name, QueueKind};
use crate::rules::Access;
use crate::sim::broker::Sim;
use crate::sim::delivery::checkout::shown;
use crate::sim::delivery::reading::unsupported_by_streams;
use crate::sim::events::firehose::keys_of;
use crate::sim::state::arena::ChannelIndex;
use crate::sim::state::channel::{Delivered, Unacked};
use crate::sim::state::queue::QueueContents;
use crate::sim::state::reason::Occasion;
use crate::sim::state::refusal::channel_error;

impl Sim {
    pub(crate) fn get(&mut self, channel: ChannelIndex, name: &Name, no_ack: bool) -> Result<Reply, Refusal> {
        let name = self.expand_queue(channel, name)?;
        self.check_queue_access(channel, Access::Read, &name)?;
        let id = self.usable_queue(channel, &name)?;
        self.refresh_lease(id, false);
        let Some(queue) = self.queues.get(id) else { return Ok(Reply::Got(None)) };
        if queue.kind == QueueKind::Stream {
            return Err(unsupported_by_streams("basic.get", queue));
        }
        if queue.kind == QueueKind::Quorum {
            if queue.consumers.single_active {
                let text = format!(
                    "cannot obtain access to locked {}. basic.get operations are not supported by {} queues with \
                     single active consumer",
                    queue.shown(),
                    self.rules.quorum_shown_in_text
                );
                return Err(channel_error(code::RESOURCE_LOCKED, text));
            }
            self.expire(id);
        }
        let Some(entry) = self.queues.get_mut(id).and_then(|queue| queue.pop()) else { return Ok(Reply::Got(None)) };
        if no_ack || self.queues.get(id).is_some_and(|queue| queue.kind == QueueKind::Classic) {
            self.sweep(id);
        }
        let Some(queue) = self.queues.get_mut(id) else { return Ok(Reply::Got(None)) };
        let Some(state) = self.channels.get_mut(channel) else { return Ok(Reply::Got(None)) };
        let tag = state.next_tag();
        let delivery = shown(self.rules, queue, &entry, tag, true);
        let remaining = queue.ready();
        let traced = self.own_publishes.traces().then(|| keys_of(&entry.stored));
        let quorum = matches!(queue.contents, QueueContents::Quorum(_));
        if !no_ack {
            queue.unacked += 1;
            queue.got += 1;
            self.attached += 1;
            let (since, attached) = (self.now, self.attached);
            let unacked = Unacked {
                tag: tag.0,
                queue: id,
                consumer: None,
                since,
                attached,
                what: Delivered::Message(entry),
                held: false,
            };
            state.unacked.push_back(unacked);
            self.expect_get_timeout(id);
        }
        self.touch(id);
        if quorum {
            // The answer was counted before what the get exposed expires.
            self.sweep(id);
            self.drop_over_limit(id, Occasion::Arrival);
        }
        if let Some(keys) = traced {
            self.tap_out(channel, id, (&delivery.exchange, keys), (&delivery.message, delivery.redelivered));
        }
        Ok(Reply::Got(Some(Box::new(Got { delivery, remaining }))))
    }
}
