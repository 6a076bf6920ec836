//! What somebody does to a served broker by hand, beside its clients, and what they see of it. The timeline tells of it.

use crate::broker::{Management, Method, Refusal};
use crate::model::{Act, Message, Millis, Name, Policy, QueueName, Topology};
use crate::player::{Attempt, TimelineEvent};
use crate::serve::client_view::ServedClient;
use crate::serve::faults::clients::Whom;
use crate::serve::served_broker::ServedBroker;
use crate::sim::{DirectPublish, QueueStatus};
use std::sync::Arc;

/// Who does what is done by hand.
const BY_HAND: &str = "you";

/// An outside client as an onlooker sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientView {
    /// Its address, which names it for certain.
    pub peer: String,
    /// The queues that it consumes from, each once.
    pub queues: Vec<QueueName>,
    /// Deliveries that it has not settled.
    pub unacked: u64,
}

impl ServedBroker {
    /// Lists all queues with their counts.
    pub fn queue_views(&self) -> Vec<QueueStatus> {
        self.sim().queue_views()
    }

    /// Returns what is declared now, but what every broker has.
    pub fn declared(&self) -> Topology {
        let mut declared = Topology::default();
        let vhosts: Vec<Name> = self.sim().held_vhosts().map(|vhost| vhost.name.clone()).collect();
        for vhost in &vhosts {
            let exchanges = self.sim().held_exchanges(vhost).into_iter().map(|held| held.declared);
            let is_own = |name: &str| !name.is_empty() && !name.starts_with("amq.");
            declared.exchanges.extend(exchanges.filter(|exchange| is_own(&exchange.name)).cloned());
            declared.queues.extend(self.sim().held_queues(vhost).into_iter().map(|held| held.declared.clone()));
            let bindings = self.sim().held_bindings(vhost).into_iter();
            declared.bindings.extend(bindings.filter(|binding| !binding.source.is_empty()));
        }
        declared
    }

    /// Lists the clients whose connections are open.
    pub fn client_views(&self) -> Vec<ClientView> {
        let view = |client: ServedClient| {
            let has = |channel| client.channels.iter().any(|(_, id, _)| *id == channel);
            let mut queues: Vec<QueueName> =
                self.sim().held_consumers().filter(|one| has(one.channel)).map(|one| one.queue.clone()).collect();
            queues.sort();
            queues.dedup();
            let unacked = self.sim().held_channels().filter(|one| has(one.id)).map(|one| one.unacked as u64).sum();
            ClientView { peer: client.peer, queues, unacked }
        };
        self.server.clients().into_iter().map(view).collect()
    }

    /// Publishes a message; returns whether a queue took it.
    ///
    /// # Errors
    /// The broker refuses it.
    pub fn publish_by_hand(
        &mut self,
        now_ms: u64,
        act: Act,
        (vhost, exchange, key): (&Name, Name, Name),
        message: Arc<Message>,
    ) -> Result<bool, String> {
        match self.directly_for_all(now_ms, vhost, |sim| sim.publish_directly(exchange, key, message)) {
            DirectPublish::Refused(refusal) => Err(self.refused_by_hand(act, refusal)),
            DirectPublish::Nacked => Err("the broker nacked it: a queue is full".to_owned()),
            routed => {
                self.done_by_hand(act);
                Ok(matches!(routed, DirectPublish::Routed))
            }
        }
    }

    /// Empties a queue.
    ///
    /// # Errors
    /// The broker refuses it.
    pub fn purge_by_hand(&mut self, now_ms: u64, queue: &QueueName) -> Result<(), String> {
        let method = Method::Purge { queue: queue.name.clone() };
        let purged = self.directly_for_all(now_ms, &queue.vhost, |sim| sim.call_directly(method));
        let act = Act::Purge(queue.clone());
        match purged {
            Ok(_) => {
                self.done_by_hand(act);
                Ok(())
            }
            Err(refusal) => Err(self.refused_by_hand(act, refusal)),
        }
    }

    /// Sets a policy, or clears the one of that name.
    ///
    /// # Errors
    /// The broker refuses it.
    pub fn policy_by_hand(&mut self, now_ms: u64, act: Act) -> Result<(), String> {
        let management = match &act {
            Act::SetPolicy { policy, operator } => {
                Management::PutPolicy { policy: Box::new(Policy::clone(policy)), operator: *operator }
            }
            Act::ClearPolicy { vhost, name, operator } => {
                Management::ClearPolicy { vhost: vhost.clone(), name: name.clone(), operator: *operator }
            }
            _ => return Ok(()),
        };
        match self.manage(now_ms, management) {
            Ok(_) => {
                self.done_by_hand(act);
                Ok(())
            }
            Err(refusal) => Err(self.refused_by_hand(act, refusal)),
        }
    }

    /// Stops the broker and starts it again, with its disk.
    ///
    /// # Errors
    /// It is down already.
    pub fn restart_by_hand(&mut self, now_ms: u64) -> Result<(), String> {
        self.restart(true, Millis(0), now_ms)?;
        self.done_by_hand(Act::RestartBroker);
        Ok(())
    }

    /// Ends a client's connection: closed with a reason that it hears (320), or cut without a word.
    ///
    /// # Errors
    /// There is no such client.
    pub fn end_client_by_hand(&mut self, now_ms: u64, peer: &str, is_cut: bool) -> Result<(), String> {
        let whom = Whom::Named(peer.to_owned());
        let met = if is_cut { self.drop_connections(&whom) } else { self.close_connections(&whom, now_ms) };
        if met == 0 {
            return Err(self.nobody_is(&whom));
        }
        let name: Name = peer.into();
        self.done_by_hand(if is_cut { Act::Crash(name) } else { Act::Stop(name) });
        Ok(())
    }

    fn done_by_hand(&mut self, act: Act) {
        let now = self.now();
        if let Some(journal) = &mut self.journal {
            journal.record(now, TimelineEvent::Did { who: BY_HAND.into(), act: Box::new(act) });
        }
    }

    fn refused_by_hand(&mut self, act: Act, refusal: Refusal) -> String {
        let (now, text) = (self.now(), format!("{act} is refused: {refusal}"));
        if let Some(journal) = &mut self.journal {
            let what = Attempt::Step(Box::new(act));
            let refusal = Box::new(refusal);
            journal.record(now, TimelineEvent::Refused { who: BY_HAND.into(), what, refusal });
        }
        text
    }
}
