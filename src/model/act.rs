//! What a step does: publishes, calls, waits, declares, ends what is open.
//! Plain data, and the phrase that names it.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{
    Binding, Exchange, Expectation, MessagePattern, Millis, Name, Object, Permission, Policy, Publish, Queue,
    QueueName, TopicPermission, exchange_in_words,
};
use std::collections::BTreeMap;
use std::fmt;

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Publish(Box<Publish>),
    Expect(Box<Expectation>),
    /// Lets that much time pass.
    Advance(Millis),
    /// Waits until nothing moves any more by itself.
    WaitUntilQuiet(QuietWait),
    Start(Name),
    /// Cancels and closes politely.
    Stop(Name),
    /// Drops the socket.
    Crash(Name),
    Call(Box<Call>),
    /// Ends the connections of a consumer or of a user; `driver` is the runner's own.
    CloseConnection {
        of: Name,
        by: Side,
    },
    /// Stops and starts the broker.
    RestartBroker,
    /// Stops the node of a cluster that leads a queue.
    StopNode {
        leader_of: QueueName,
    },
    /// Starts all nodes of the cluster that are down.
    StartNodes,
    /// Takes one message; held under a name it stays in hand until a step settles it.
    Get {
        queue: QueueName,
        ack: bool,
        held_as: Option<Name>,
    },
    /// Settles what is held under a name; `multiple`: and all that was taken before it over the same channel.
    Settle {
        held: Name,
        how: HeldSettlement,
        multiple: bool,
    },
    /// Subscribes and at once cancels: shows whether the user may consume.
    Consume {
        queue: QueueName,
        /// Set before, for the whole channel; 0 sets nothing.
        global_prefetch: u16,
    },
    /// Has the broker requeue all that is in hand over the channel of a consumer, or of who holds what `get` took.
    Recover {
        of: Name,
        /// RabbitMQ refuses `false`.
        requeue: bool,
    },
    /// What steps of a user publish and settle is held until a commit, or the transaction ends.
    Transaction(TransactionAct),
    /// Sets the prefetch of a consumer's channel: for each consumer that comes after, or of all together.
    Qos {
        of: Name,
        prefetch: u16,
        global: bool,
    },
    DeclareQueue(Box<Queue>),
    DeclareExchange(Box<Exchange>),
    /// Asks whether a queue or an exchange is there; makes nothing.
    DeclarePassive(Object),
    Delete {
        object: Object,
        if_unused: bool,
        if_empty: bool,
    },
    Bind(Box<Binding>),
    Unbind(Box<Binding>),
    Purge(QueueName),
    SetPolicy {
        policy: Box<Policy>,
        operator: bool,
    },
    ClearPolicy {
        vhost: Name,
        name: Name,
        operator: bool,
    },
    SetPermission(Box<Permission>),
    ClearPermission {
        user: Name,
        vhost: Name,
    },
    SetTopicPermission(Box<TopicPermission>),
    ClearTopicPermission {
        user: Name,
        vhost: Name,
        exchange: Name,
    },
    SetLimits {
        of: LimitedParty,
        limits: BTreeMap<Name, i64>,
    },
    ClearLimits {
        of: LimitedParty,
        limits: Vec<Name>,
    },
}

/// How long a step waits for quiet, and how quiet it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietWait {
    /// Until when it must have become quiet, from the step's beginning.
    pub within: Millis,
    /// How long nothing may move; absent: nothing is left that will.
    pub lasting: Option<Millis>,
}

/// What a step does with the transaction of its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionAct {
    Select,
    Commit,
    Rollback,
}

/// How a step settles what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldSettlement {
    Ack,
    Nack { requeue: bool },
    Reject { requeue: bool },
}

/// A publish whose reply is awaited, by direct reply-to.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub publish: Publish,
    pub within: Millis,
    /// Compared with the reply.
    pub reply: Option<MessagePattern>,
}

/// What has limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LimitedParty {
    /// `max-queues`, `max-connections`.
    Vhost(Name),
    /// `max-connections`, `max-channels`.
    User(Name),
}

/// Who ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// By force, with a reason (320).
    Broker,
    /// Politely.
    Client,
    /// Nobody: neither side hears of the other any more, and the broker notices once it has missed heartbeats (CO-28).
    Network,
}

impl TransactionAct {
    /// Returns the language's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            TransactionAct::Select => "select",
            TransactionAct::Commit => "commit",
            TransactionAct::Rollback => "rollback",
        }
    }
}

impl Act {
    /// Returns the policy that it sets, the operator's or not: one that may be in force at some time.
    pub fn policy_set(&self) -> Option<&Policy> {
        match self {
            Act::SetPolicy { policy, .. } => Some(policy),
            _ => None,
        }
    }

    /// Returns whether a step that does it may say `refused`: the broker can refuse it, and to the driver.
    pub fn may_be_refused(&self) -> bool {
        !matches!(
            self,
            Act::Expect(_)
                | Act::Advance(_)
                | Act::WaitUntilQuiet(_)
                | Act::Stop(_)
                | Act::Crash(_)
                | Act::CloseConnection { .. }
                | Act::RestartBroker
                | Act::StopNode { .. }
                | Act::StartNodes
        )
    }
}

impl fmt::Display for Act {
    /// Writes the phrase for it: `publish to game with key 'alice'`, `declare queue work`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Act::Publish(publish) => write_destination(f, "publish", publish),
            Act::Call(call) => write_destination(f, "call", &call.publish),
            Act::CloseConnection { of, .. } => write!(f, "close the connection of {of}"),
            Act::RestartBroker => write!(f, "restart the broker"),
            Act::StopNode { leader_of } => write!(f, "stop the node that leads queue {}", leader_of.name),
            Act::StartNodes => write!(f, "start the nodes that are down"),
            Act::Start(name) => write!(f, "start {name}"),
            Act::Get { queue, held_as: Some(name), .. } => write!(f, "get from {} as {name}", queue.name),
            Act::Get { queue, .. } => write!(f, "get from {}", queue.name),
            Act::Settle { held, how, multiple } => {
                let verb = match how {
                    HeldSettlement::Ack => "ack",
                    HeldSettlement::Nack { .. } => "nack",
                    HeldSettlement::Reject { .. } => "reject",
                };
                write!(f, "{verb} {held}{}", if *multiple { " and all before it" } else { "" })
            }
            Act::Recover { of, requeue } => {
                write!(f, "recover the channel of {of}{}", if *requeue { "" } else { " without requeue" })
            }
            Act::Transaction(act) => write!(f, "tx {}", act.as_str()),
            Act::Qos { of, prefetch, global } => {
                write!(f, "set the {}prefetch of {of} to {prefetch}", if *global { "global " } else { "" })
            }
            Act::Consume { queue, .. } => write!(f, "consume from {}", queue.name),
            Act::DeclareQueue(queue) => write!(f, "declare queue {}", queue.name),
            Act::DeclarePassive(object) => write!(f, "declare {object} passively"),
            Act::DeclareExchange(exchange) => write!(f, "declare exchange {}", exchange.name),
            Act::Delete { object, if_unused, if_empty } => {
                let conditions = match (if_unused, if_empty) {
                    (false, false) => "",
                    (true, false) => " if unused",
                    (false, true) => " if empty",
                    (true, true) => " if unused and empty",
                };
                write!(f, "delete {object}{conditions}")
            }
            Act::Bind(binding) => write!(f, "bind {} to {}", binding.destination, binding.source),
            Act::Unbind(binding) => write!(f, "unbind {} from {}", binding.destination, binding.source),
            Act::Purge(queue) => write!(f, "purge {}", queue.name),
            Act::SetPolicy { policy, operator } => write!(f, "set {} {}", policy_kind(*operator), policy.name),
            Act::ClearPolicy { name, operator, .. } => write!(f, "clear {} {name}", policy_kind(*operator)),
            Act::SetPermission(permission) => write!(f, "set permission of {}", permission.user),
            Act::ClearPermission { user, .. } => write!(f, "clear permission of {user}"),
            Act::SetTopicPermission(it) => write!(f, "set topic permission of {} on {}", it.user, it.exchange),
            Act::ClearTopicPermission { user, exchange, .. } => {
                write!(f, "clear topic permission of {user} on {exchange}")
            }
            Act::SetLimits { of, limits } => {
                let limits: Vec<String> = limits.iter().map(|(name, value)| format!("{name} {value}")).collect();
                write!(f, "set limits of {of}: {}", limits.join(", "))
            }
            Act::ClearLimits { of, limits } => write!(f, "clear limits of {of}: {}", limits.join(", ")),
            Act::Expect(_) => write!(f, "expect"),
            Act::Advance(_) => write!(f, "advance"),
            Act::WaitUntilQuiet(_) => write!(f, "wait until quiet"),
            Act::Stop(name) => write!(f, "stop {name}"),
            Act::Crash(name) => write!(f, "crash {name}"),
        }
    }
}

impl fmt::Display for LimitedParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LimitedParty::Vhost(name) => write!(f, "vhost {name}"),
            LimitedParty::User(name) => write!(f, "user {name}"),
        }
    }
}

fn policy_kind(operator: bool) -> &'static str {
    if operator { "operator policy" } else { "policy" }
}

fn write_destination(f: &mut fmt::Formatter<'_>, verb: &str, publish: &Publish) -> fmt::Result {
    let exchange = publish.exchange.fixed().map_or("an exchange", |name| exchange_in_words(name));
    write!(f, "{verb} to {exchange}")?;
    publish.routing_key.fixed().map_or(Ok(()), |key| write!(f, " with key '{key}'"))
}
