//! Transactions: how a channel selects them, and what commit and rollback do with what it holds (TX-1 to TX-7).

use crate::broker::{Confirmation, Event, PublishId, Refusal, Reply, Settlement, TransactionStep, What};
use crate::sim::broker::Sim;
use crate::sim::state::arena::ChannelIndex;
use crate::sim::state::channel::{
    Channel, ChannelMode, TransactedMessage, TransactedPublish, TransactedSettlement, Transaction, Unacked,
};
use crate::sim::state::refusal::precondition_failed;

impl Sim {
    /// confirm.select.
    pub(crate) fn select_confirms(&mut self, channel: ChannelIndex) -> Result<Reply, Refusal> {
        let Some(state) = self.channels.get_mut(channel) else { return Ok(Reply::Done) };
        if state.transaction().is_some() {
            return Err(precondition_failed("cannot switch from tx to confirm mode"));
        }
        state.mode = ChannelMode::Confirms;
        Ok(Reply::Done)
    }

    /// tx.select.
    pub(crate) fn select_transaction(&mut self, channel: ChannelIndex) -> Result<Reply, Refusal> {
        let Some(state) = self.channels.get_mut(channel) else { return Ok(Reply::Done) };
        match state.mode {
            ChannelMode::Confirms => return Err(precondition_failed("cannot switch from confirm to tx mode")),
            ChannelMode::Plain => state.mode = ChannelMode::Transaction(Box::default()),
            // What is held stays held.
            ChannelMode::Transaction(_) => {}
        }
        Ok(Reply::Done)
    }

    /// tx.commit: first the publishes, then the settlements.
    pub(crate) fn commit(&mut self, channel: ChannelIndex) -> Result<Reply, Refusal> {
        let Transaction { publishes, settlements } = self.take_transaction(channel)?;
        let Some(vhost) = self.channels.get(channel).map(|state| state.vhost) else { return Ok(Reply::Done) };
        let committed: Vec<PublishId> = publishes.iter().map(|held| held.publish).collect();
        let mut succeeds = true;
        for held in publishes {
            succeeds &= self.send_committed(channel, vhost, held)?;
        }
        for held in settlements {
            self.commit_settlement(channel, held);
        }
        if !succeeds {
            return Err(precondition_failed("partial tx completion"));
        }
        self.end_held(committed, Confirmation::Ack);
        Ok(Reply::Done)
    }

    /// tx.rollback: nothing happened, and deliveries wait to be settled again.
    pub(crate) fn roll_back(&mut self, channel: ChannelIndex) -> Result<Reply, Refusal> {
        let Transaction { publishes, settlements } = self.take_transaction(channel)?;
        let published: Vec<PublishId> = publishes.iter().map(|held| held.publish).collect();
        for publish in &published {
            let step = TransactionStep::PublishRolledBack;
            self.tell(Some(*publish), None, "TX-5", || What::InTransaction { step });
        }
        for TransactedSettlement { settlement, tags } in settlements {
            for tag in tags {
                let Some(unacked) = self.channels.get_mut(channel).and_then(|state| held_in(state, tag)) else {
                    continue;
                };
                unacked.held = false;
                let (origin, queue) = (unacked.origin(), unacked.queue);
                let step = TransactionStep::SettlementRolledBack { settlement: verb(settlement) };
                self.tell(origin, Some(queue), "TX-5", || What::InTransaction { step });
            }
        }
        self.end_held(published, Confirmation::RolledBack);
        Ok(Reply::Done)
    }

    /// Takes what a channel holds; it may hold more from then on.
    fn take_transaction(&mut self, channel: ChannelIndex) -> Result<Transaction, Refusal> {
        let open = self.channels.get_mut(channel).and_then(Channel::transaction);
        open.map(std::mem::take).ok_or_else(|| precondition_failed("channel is not transactional"))
    }

    fn end_held(&mut self, publishes: Vec<PublishId>, confirmation: Confirmation) {
        let ended = publishes.into_iter().map(|publish| Event::Confirmed { publish, confirmation });
        self.events.extend(ended);
    }

    /// Keeps a settlement until its channel commits; `false` for a tag that is not outstanding, or was settled before in this
    /// transaction.
    pub(crate) fn hold_settlement(
        &mut self,
        channel: ChannelIndex,
        tag: u64,
        multiple: bool,
        settlement: Settlement,
    ) -> bool {
        let tells_rejects = self.rules.only_failures_count;
        let Some(state) = self.channels.get_mut(channel) else { return false };
        let all = multiple && tag == 0;
        if !all
            && state.unacked.binary_search_by_key(&tag, |unacked| unacked.tag).is_ok_and(|at| state.unacked[at].held)
        {
            return false;
        }
        let is_meant =
            |unacked: &Unacked| !unacked.held && (unacked.tag == tag || multiple && (all || unacked.tag < tag));
        let mut tags = Vec::new();
        let mut origins = Vec::new();
        for unacked in state.unacked.iter_mut().filter(|unacked| is_meant(unacked)) {
            unacked.held = true;
            tags.push(unacked.tag);
            origins.push((unacked.origin(), unacked.queue));
        }
        if !all && tags.last() != Some(&tag) {
            // Not one of them: nothing is settled, and the channel is about to end.
            return false;
        }
        if let Some(transaction) = state.transaction().filter(|_| !tags.is_empty()) {
            transaction.settle(settlement, tags, tells_rejects);
        }
        for (origin, queue) in origins {
            let step = TransactionStep::SettlementHeld { settlement: verb(settlement) };
            self.tell(origin, Some(queue), "TX-4", || What::InTransaction { step });
        }
        true
    }

    /// Carries out settlements: all together, as one of several tags.
    fn commit_settlement(&mut self, channel: ChannelIndex, held: TransactedSettlement) {
        let TransactedSettlement { settlement, mut tags } = held;
        tags.sort_unstable();
        let Some(state) = self.channels.get_mut(channel) else { return };
        let mut taken = Vec::with_capacity(tags.len());
        for tag in tags {
            if let Ok(at) = state.unacked.binary_search_by_key(&tag, |unacked| unacked.tag) {
                taken.extend(state.unacked.remove(at));
            }
        }
        for unacked in &taken {
            let (origin, queue) = (unacked.origin(), unacked.queue);
            let step = TransactionStep::SettlementCommitted { settlement: verb(settlement) };
            self.tell(origin, Some(queue), "TX-4", || What::InTransaction { step });
        }
        self.settle_all(channel, taken, settlement);
    }

    /// Tells what became of the publishes of a channel that ended before its commit.
    pub(crate) fn tell_abandoned(&mut self, transaction: &Transaction) {
        for TransactedPublish { publish, what, .. } in &transaction.publishes {
            if !matches!(what, TransactedMessage::Replied { .. }) {
                let step = TransactionStep::PublishAbandoned;
                self.tell(Some(*publish), None, "TX-5", || What::InTransaction { step });
            }
        }
    }
}

fn held_in(channel: &mut Channel, tag: u64) -> Option<&mut Unacked> {
    let at = channel.unacked.binary_search_by_key(&tag, |unacked| unacked.tag).ok()?;
    channel.unacked.get_mut(at)
}

fn verb(settlement: Settlement) -> &'static str {
    match settlement {
        Settlement::Ack => "ack",
        Settlement::Nack { .. } => "nack",
        Settlement::Reject { .. } => "reject",
    }
}
