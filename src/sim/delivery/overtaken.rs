//! Deliveries of quorum queues that a cancel or the end of a channel overtakes: handed out, but not told to the client yet
//! (CO-3). The channel gives them back once it has heard what its client sent before.

use crate::broker::{ChannelId, Command, Event};
use crate::model::Name;
use crate::sim::broker::Sim;
use crate::sim::state::arena::{ChannelIndex, ConsumerId};
use crate::sim::state::channel::{Channel, Overtaken, Unacked};
use crate::sim::state::reason::Return;
use std::collections::VecDeque;

impl Sim {
    /// Takes what a cancelled consumer was handed and its client was not told; the delivery tags are free again.
    pub(crate) fn recall(&mut self, channel: ChannelIndex, consumer: ConsumerId, tag: &Name) {
        let Some(state) = self.channels.get_mut(channel) else { return };
        let taken = untold(&mut self.events, state, tag);
        if taken.is_empty() {
            return;
        }
        let channel = state.id;
        let by = self.holder(Some(consumer));
        self.overtaken.push(Overtaken { channel, by, taken });
    }

    /// Returns back what was recalled, unless the client goes on settling on that channel: what it sends before the channel
    /// hears of the deliveries comes first.
    pub(crate) fn give_back_before(&mut self, command: &Command) {
        let settles = |one: &Overtaken| matches!(command, Command::Settle { channel, .. } if *channel == one.channel);
        if self.overtaken.iter().all(settles) {
            return;
        }
        let ends = |one: &Overtaken| match command {
            Command::CloseChannel { channel, .. } => *channel == one.channel,
            Command::Disconnect { connection, .. } | Command::Cut { connection, .. } => {
                let channel = self.channel_ids.get(one.channel).and_then(|id| self.channels.get(id));
                channel.is_some_and(|channel| channel.connection == *connection)
            }
            _ => false,
        };
        let causes: Vec<Return> =
            self.overtaken.iter().map(|one| if ends(one) { Return::Closed } else { Return::Undelivered }).collect();
        for (one, cause) in std::mem::take(&mut self.overtaken).into_iter().zip(causes) {
            self.give_back(one, cause);
        }
        self.work_off();
    }

    /// Returns back all that was recalled, and returns whether there was anything.
    pub(crate) fn give_back_all(&mut self) -> bool {
        let any = !self.overtaken.is_empty();
        for one in std::mem::take(&mut self.overtaken) {
            self.give_back(one, Return::Undelivered);
        }
        if any {
            self.work_off();
        }
        any
    }

    fn give_back(&mut self, one: Overtaken, cause: Return) {
        let Overtaken { by, taken, .. } = one;
        let Some(queue) = taken.first().map(|unacked| unacked.queue) else { return };
        // It counted as held by the channel no more when it was recalled.
        for unacked in &taken {
            self.release(unacked);
        }
        let entries = taken.into_iter().filter_map(Unacked::into_entry).collect();
        self.put_back(queue, entries, cause, by);
        self.elect_after_return(queue);
        self.touch(queue);
        self.to_serve.push_back(queue);
    }

    /// Forgets what was on its way to the channels that their own client ends: whether a classic queue's still comes before
    /// the answer is chance.
    pub(crate) fn forget_undelivered(&mut self, ends: impl Fn(&Channel) -> bool) {
        let (ids, channels) = (&self.channel_ids, &self.channels);
        let ends = |id: &ChannelId| ids.get(*id).and_then(|id| channels.get(id)).is_some_and(&ends);
        self.events.retain(|event| !matches!(event, Event::Delivered { channel, .. } if ends(channel)));
    }
}

/// Takes the deliveries to a consumer that its client was not told yet, and numbers the later ones of the channel anew.
fn untold(events: &mut VecDeque<Event>, channel: &mut Channel, tag: &Name) -> Vec<Unacked> {
    let mut taken = Vec::new();
    events.retain_mut(|event| {
        let Event::Delivered { channel: to, consumer, delivery } = event else { return true };
        if *to != channel.id {
            return true;
        }
        let place = channel.unacked.binary_search_by_key(&delivery.tag.0, |unacked| unacked.tag);
        if let (true, Ok(at)) = (consumer == tag, place) {
            taken.extend(channel.unacked.remove(at));
            return false;
        }
        delivery.tag.0 -= taken.len() as u64;
        if let Ok(at) = place {
            channel.unacked[at].tag = delivery.tag.0;
        }
        true
    });
    channel.last_tag -= taken.len() as u64;
    taken
}
