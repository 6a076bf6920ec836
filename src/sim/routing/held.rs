//! Publishes of a transaction: checked and routed at once, sent to their queues at the commit (TX-1, TX-3, TX-7).

use crate::broker::{PublishId, Refusal, TransactionStep, What, code};
use crate::model::{Name, QueueKind};
use crate::rules::GoneTarget;
use crate::sim::broker::Sim;
use crate::sim::routing::publish::Accepted;
use crate::sim::state::arena::{ChannelIndex, ExchangeId, QueueId, VhostId};
use crate::sim::state::channel::{TransactedMessage, TransactedPublish, TransactedTarget};
use crate::sim::state::exchange::keys;
use crate::sim::state::queued_message::Stored;
use crate::sim::state::reason::Reason;
use crate::sim::state::refusal::{connection_error, internal_error};

impl Sim {
    /// Keeps a publish that passed all checks until its channel commits.
    pub(crate) fn hold_publish(
        &mut self,
        channel: ChannelIndex,
        publish: PublishId,
        accepted: Accepted,
        mandatory: bool,
    ) {
        let what = match accepted {
            Accepted::Route(exchange, stored) => self.hold_routed(channel, exchange, stored),
            Accepted::Reply(key, message) if self.rules.volatile_reply_queues => {
                TransactedMessage::Reply { key, message }
            }
            Accepted::Reply(key, message) => {
                TransactedMessage::Replied { routed: self.deliver_reply(&key, &message, publish) }
            }
        };
        if let Some(transaction) = self.channels.get_mut(channel).and_then(|state| state.transaction()) {
            transaction.publishes.push(TransactedPublish { publish, mandatory, what });
        }
    }

    fn hold_routed(&mut self, channel: ChannelIndex, exchange: ExchangeId, stored: Box<Stored>) -> TransactedMessage {
        self.route(exchange, &stored);
        self.tap_in(channel, &stored);
        let is_new = self.cover_route(exchange, &keys(&stored));
        let found = self.targets.iter().filter_map(|id| {
            let queue = self.queues.get(*id)?;
            Some(TransactedTarget { queue: *id, name: queue.name.name.clone(), kind: queue.kind })
        });
        let targets: Vec<TransactedTarget> = found.collect();
        let mut ways = Vec::new();
        let mut no_route = None;
        if targets.is_empty() && (self.insights || is_new) && !self.delayed_publishes.took {
            no_route = Some(self.reason_of_no_route(exchange, &stored));
        }
        if self.insights && !targets.is_empty() {
            self.tell_alternate(exchange, &stored);
            ways = self.ways_of(exchange, &keys(&stored));
        }
        let queues = targets.iter().map(|target| target.name.clone());
        let step = || TransactionStep::PublishHeld { queues: queues.collect() };
        self.tell(Some(stored.origin), None, "TX-1", || What::InTransaction { step: step() });
        TransactedMessage::Routed { stored, targets, ways, no_route }
    }

    /// Sends a publish where it was routed to; returns whether the transaction can still succeed: a classic queue that refuses
    /// it lets the commit fail, a quorum queue drops it and nobody is told (TX-6).
    ///
    /// # Errors
    /// When a queue is gone, in versions that end the connection then.
    pub(crate) fn send_committed(
        &mut self,
        channel: ChannelIndex,
        vhost: VhostId,
        held: TransactedPublish,
    ) -> Result<bool, Refusal> {
        let TransactedPublish { publish, mandatory, what } = held;
        match what {
            TransactedMessage::Reply { key, message } => {
                if !self.deliver_reply(&key, &message, publish) && mandatory {
                    self.return_unroutable(publish);
                }
                Ok(true)
            }
            TransactedMessage::Replied { routed } => {
                if mandatory && !routed {
                    self.return_unroutable(publish);
                }
                Ok(true)
            }
            TransactedMessage::Routed { stored, targets, ways, no_route } => {
                let was_routed = !targets.is_empty();
                let FoundTargets { queues, mut succeeds } = self.find_targets(vhost, targets)?;
                let step = TransactionStep::PublishCommitted;
                self.tell(Some(publish), None, "TX-3", || What::InTransaction { step });
                if queues.is_empty() {
                    let looks_again = self.rules.gone_target == GoneTarget::LookedUpAgain;
                    self.tell_not_sent(publish, was_routed, no_route);
                    if mandatory && (looks_again || !was_routed) {
                        self.return_unroutable(publish);
                    }
                    return Ok(succeeds);
                }
                self.ways = ways;
                for id in queues {
                    let is_classic = self.queues.get(id).is_some_and(|queue| queue.kind == QueueKind::Classic);
                    if !self.enqueue(id, stored.clone(), Some(channel)) {
                        succeeds &= !is_classic;
                        let step = TransactionStep::PublishRefused { fails: is_classic };
                        self.tell(Some(publish), Some(id), "TX-6", || What::InTransaction { step });
                    }
                }
                Ok(succeeds)
            }
        }
    }

    /// Tells why a publish goes to no queue.
    fn tell_not_sent(&mut self, publish: PublishId, was_routed: bool, no_route: Option<Reason>) {
        let gone = Reason::new("TX-7", "the queues that it was routed to are gone");
        let reason = if was_routed { Some(gone) } else { no_route };
        if let Some(Reason { rule, why }) = reason {
            self.tell(Some(publish), None, rule, || What::Dropped { why, stood: false });
        }
    }

    /// Finds what became of the queues of a publish since it was routed (TX-7).
    fn find_targets(&self, vhost: VhostId, targets: Vec<TransactedTarget>) -> Result<FoundTargets, Refusal> {
        let mut found = FoundTargets { queues: Vec::with_capacity(targets.len()), succeeds: true };
        let now = |name: &Name| {
            let id = *self.vhosts.get(vhost)?.queues.get(name)?;
            Some((id, self.queues.get(id)?.kind))
        };
        // No queue gets what one of them makes fail.
        if self.rules.gone_target == GoneTarget::EndsConnection {
            for target in targets.iter().filter(|target| self.queues.get(target.queue).is_none()) {
                match now(&target.name) {
                    None => {
                        let vhost = self.vhost_name(vhost);
                        let queue = format!("{{resource,<<\"{vhost}\">>,queue,<<\"{}\">>}}", target.name);
                        let text = format!("failed to deliver message: {{not_found,{queue}}}");
                        return Err(connection_error(code::RESOURCE_ERROR, text));
                    }
                    Some((_, kind)) if kind != target.kind => {
                        return Err(internal_error());
                    }
                    Some(_) => {}
                }
            }
        }
        for target in targets {
            if self.queues.get(target.queue).is_some() {
                found.queues.push(target.queue);
                continue;
            }
            match (self.rules.gone_target, now(&target.name)) {
                (GoneTarget::LookedUpAgain, there) => found.queues.extend(there.map(|(id, _)| id)),
                // A quorum queue is known by its name, a classic one is the process that it was.
                (_, Some((id, QueueKind::Quorum))) if target.kind == QueueKind::Quorum => found.queues.push(id),
                _ => found.succeeds &= target.kind != QueueKind::Classic,
            }
        }
        Ok(found)
    }
}

/// What is left of the queues that a publish was routed to.
struct FoundTargets {
    queues: Vec<QueueId>,
    /// No classic one is missed.
    succeeds: bool,
}
