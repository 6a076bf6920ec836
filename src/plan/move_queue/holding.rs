//! The holding queue of a move, its two exchanges, and the policies that would lose its messages.
//! Fanout exchanges carry the messages, since they leave the routing key and the header CC without effect.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::Method;
use crate::model::{
    Binding, DestinationKind, Exchange, Name, Policy, Profile, Queue, QueueKind, QueueName, Table, Value,
};
use crate::plan::Observed;
use crate::plan::diff::effective_policy::Policies;
use crate::plan::move_queue::act::MoveStop;
use crate::rules::differences;
use serde_json::Value as Json;

/// What ends the names of what a move makes.
const SUFFIX: &str = ".rmqplay-move";
const BACK: &str = ".back";

/// The most bytes of a name (AMQP's short string).
const NAME_BYTES_MAX: usize = 255;

/// What a policy may set on a holding queue only at the price of its messages.
const HARMFUL: [&str; 8] = [
    "message-ttl",
    "expires",
    "max-length",
    "max-length-bytes",
    "delivery-limit",
    "max-age",
    "federation-upstream",
    "federation-upstream-set",
];

/// The names of what holds a queue's messages during a move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    pub vhost: Name,
    /// The queue that is moved.
    pub of: Name,
    pub queue: Name,
    /// Leads to the holding queue.
    pub out: Name,
    /// Leads to the queue that is moved; a queue of that name tries the new values, and is deleted at once.
    pub back: Name,
}

impl Holding {
    /// Names what holds the messages of a queue.
    pub fn of(queue: &QueueName) -> Self {
        let name = format!("{}{SUFFIX}", queue.name);
        let back = format!("{name}{BACK}").into();
        let (vhost, of) = (queue.vhost.clone(), queue.name.clone());
        Self { vhost, of, queue: name.as_str().into(), out: name.into(), back }
    }

    /// Returns the queue that a holding queue or an exchange of that name belongs to.
    pub fn moved_by_name(name: &str) -> Option<&str> {
        let name = name.strip_suffix(BACK).unwrap_or(name);
        name.strip_suffix(SUFFIX).filter(|moved| !moved.is_empty())
    }

    pub(crate) fn is_too_long(&self) -> bool {
        self.back.len() > NAME_BYTES_MAX
    }

    /// Returns the holding queue for a queue: durable, of the same type, without limits; what expires there goes where it
    /// would have gone.
    pub(crate) fn declared(&self, old: &Queue, observed: &Observed) -> Queue {
        let topology = &observed.topology;
        let effective = Policies::new(observed.version, &topology.policies, &topology.operator_policies).on(old);
        let mut arguments = Table::default();
        arguments.insert("x-queue-type".into(), old.kind().as_str().into());
        for key in ["dead-letter-exchange", "dead-letter-routing-key"] {
            // A routing key without an exchange is refused (DL-7).
            let is_whole = effective.values.contains_key("dead-letter-exchange");
            if let Some(text) = effective.values.get(key).and_then(Json::as_str).filter(|_| is_whole) {
                arguments.insert(format!("x-{key}").into(), text.into());
            }
        }
        if old.kind() == QueueKind::Quorum && differences(Profile::nearest(observed.version)).negative_limit_is_none {
            arguments.insert("x-delivery-limit".into(), Value::I64(-1));
        }
        let (vhost, name) = (self.vhost.clone(), self.queue.clone());
        Queue { vhost, name, durable: true, auto_delete: false, exclusive: false, arguments }
    }

    /// Finds a policy that catches the holding queue with a value that would lose messages.
    pub(crate) fn harmed_by(&self, declared: &Queue, observed: &Observed) -> Option<MoveStop> {
        let topology = &observed.topology;
        let policies = Policies::new(observed.version, &topology.policies, &topology.operator_policies);
        let bare = Queue { arguments: Table::default(), ..declared.clone() };
        let kind = declared.arguments.get("x-queue-type").cloned();
        let arguments = kind.into_iter().map(|kind| (Name::from("x-queue-type"), kind)).collect();
        let caught = policies.on(&Queue { arguments, ..bare });
        let key = HARMFUL.iter().find(|key| caught.values.contains_key(**key))?;
        let sets_it = |policies: &[Policy], name: Option<&Name>| {
            let is_it = |policy: &&Policy| policy.vhost == declared.vhost && Some(&policy.name) == name;
            policies.iter().find(is_it).filter(|policy| policy.definition.contains_key(*key)).cloned()
        };
        let of_user = sets_it(&topology.policies, caught.policy.as_ref()).map(|policy| (policy, false));
        let of_operator = || sets_it(&topology.operator_policies, caught.operator_policy.as_ref());
        let (policy, operator) = of_user.or_else(|| Some((of_operator()?, true)))?;
        Some(MoveStop::PolicyOnHolding { policy: Box::new(policy), operator, key: (*key).to_owned() })
    }

    /// Returns whether a queue of that name was made by a move: nothing can be lost in one.
    pub(crate) fn is_ours(queue: &Queue) -> bool {
        const OWN: [&str; 4] =
            ["x-queue-type", "x-dead-letter-exchange", "x-dead-letter-routing-key", "x-delivery-limit"];
        queue.durable && !queue.auto_delete && queue.arguments.keys().all(|key| OWN.contains(&&**key))
    }

    /// Declares the exchange that leads to the holding queue, and binds the queue to it.
    pub(crate) fn ways_out(&self) -> [Method; 2] {
        self.way(&self.out, &self.queue)
    }

    /// Declares the exchange that leads back to the queue, and binds the queue to it.
    pub(crate) fn ways_back(&self) -> [Method; 2] {
        self.way(&self.back, &self.of)
    }

    fn way(&self, exchange: &Name, queue: &Name) -> [Method; 2] {
        let (vhost, name, kind) = (self.vhost.clone(), exchange.clone(), "fanout".into());
        let arguments = Table::default();
        let declared = Exchange { vhost, name, kind, durable: true, auto_delete: false, internal: false, arguments };
        [Method::DeclareExchange(Box::new(declared)), Method::Bind(Box::new(self.binding(exchange, queue)))]
    }

    /// Returns the binding by which an exchange of the move leads to a queue.
    pub(crate) fn binding(&self, exchange: &Name, queue: &Name) -> Binding {
        Binding {
            vhost: self.vhost.clone(),
            source: exchange.clone(),
            destination: queue.clone(),
            destination_kind: DestinationKind::Queue,
            routing_key: Name::default(),
            arguments: Table::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_the_queue_and_back() {
        let holding = Holding::of(&QueueName::new("/", "work"));
        assert_eq!((&*holding.queue, &*holding.back), ("work.rmqplay-move", "work.rmqplay-move.back"));
        assert_eq!(Holding::moved_by_name(&holding.queue), Some("work"));
        assert_eq!(Holding::moved_by_name(&holding.back), Some("work"));
        assert_eq!(Holding::moved_by_name("work"), None);
        assert!(Holding::of(&QueueName::new("/", "w".repeat(240))).is_too_long());
    }
}
