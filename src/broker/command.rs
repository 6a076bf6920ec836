//! Everything that may be asked of a broker.
//! Names are the declared ones; a live adapter maps them to its throw-away vhosts and users.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::{ChannelId, ConnectionId, DeliveryTag, PublishId, RequestId};
use crate::model::{
    Binding, Exchange, Message, Millis, Name, Parameter, Permission, Policy, Queue, QueueName, Table, TopicPermission,
    User, Vhost,
};
use std::sync::Arc;

/// The heartbeat that a connection asks for unless it names one, in seconds.
pub const HEARTBEAT_S: u16 = 30;

/// One thing asked of a broker. All but `Publish`, `Settle` and `Watch` are answered by one reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Opens a connection as a user, or as the runner (all rights). Replies [`Reply::Done`](crate::broker::Reply::Done).
    /// `heartbeat`: the client's own; absent is the usual one ([`HEARTBEAT_S`] on the simulator).
    Connect { request: RequestId, connection: ConnectionId, user: Option<Name>, vhost: Name, heartbeat: Option<Millis> },
    /// Closes politely; its channels close silently. Replies `Done`.
    Disconnect { request: RequestId, connection: ConnectionId },
    /// Drops the socket, as a crash does. Replies `Done` once the broker has noticed, on a live one after a second at most;
    /// no other event follows from it.
    Cut { request: RequestId, connection: ConnectionId },
    /// Lets the network lose the connection: neither side hears of the other. Replies `Done` once all that was sent before has
    /// arrived; the broker ends it when it has missed heartbeats, and `ConnectionClosed` (code 0) follows (CO-28).
    Isolate { request: RequestId, connection: ConnectionId },
    /// Opens a channel, in confirm mode or plain. Replies `Done`. A plain one is for transactions: a publish outside of one is
    /// told confirmed when the simulator has carried it out, on a live broker when it is sent.
    OpenChannel { request: RequestId, channel: ChannelId, connection: ConnectionId, confirms: bool },
    /// Closes politely. Replies `Done`.
    CloseChannel { request: RequestId, channel: ChannelId },
    /// Asks for a method with a reply. At most one at a time on a channel; others wait their turn in order.
    Call { request: RequestId, channel: ChannelId, method: Method },
    /// Publishes; ends in exactly one `Confirmed`, or its channel closes first. A `Returned` comes before its `Confirmed`. In a
    /// transaction both come with its commit or rollback, before the reply.
    Publish {
        channel: ChannelId,
        publish: PublishId,
        exchange: Name,
        routing_key: Name,
        mandatory: bool,
        message: Arc<Message>,
    },
    /// Settles deliveries; the broker does not answer, a bad tag closes the channel.
    Settle { channel: ChannelId, tag: DeliveryTag, multiple: bool, settlement: Settlement },
    /// Asks the management side. Acts as the runner.
    Manage { request: RequestId, act: Management },
    /// From now on [`Event::Counted`](crate::broker::Event::Counted) tells each change of these counts, first the present ones.
    /// `undisturbed`: not by passive declare (the queue expires, or is exclusive).
    Watch { queue: QueueName, undisturbed: bool },
    /// Ends a watch.
    Unwatch { queue: QueueName },
    /// Replies `Done`, or [`Quiet`](crate::broker::Reply::Quiet) with what comes next, once nothing more happens now: no command
    /// unanswered, no event left, counts at rest.
    AwaitQuiet { request: RequestId },
}

impl Command {
    /// Returns whether it ends a subscription, a channel or a connection.
    pub fn is_leave(&self) -> bool {
        match self {
            Command::Disconnect { .. } | Command::Cut { .. } | Command::CloseChannel { .. } => true,
            Command::Call { method, .. } => matches!(method, Method::Cancel { .. }),
            _ => false,
        }
    }
}

/// How a delivery is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Settlement {
    Ack,
    Nack {
        requeue: bool,
    },
    /// Never `multiple`. 4.3 counts it differently from nack.
    Reject {
        requeue: bool,
    },
}

/// An AMQP method that has a reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Method {
    /// Replies `Done`.
    DeclareExchange(Box<Exchange>),
    /// Replies `Declared`; an empty name asks the server for one.
    DeclareQueue(Box<Queue>),
    /// queue.declare passive: replies `Declared` with ready messages and consumers.
    CheckQueue {
        queue: Name,
    },
    /// exchange.declare passive. Replies `Done`.
    CheckExchange {
        exchange: Name,
    },
    /// Replies `Done`.
    DeleteExchange {
        exchange: Name,
        if_unused: bool,
    },
    /// Replies `Counted` with the ready messages that it held.
    DeleteQueue {
        queue: Name,
        if_unused: bool,
        if_empty: bool,
    },
    /// queue.bind or exchange.bind, by the binding's destination. Replies `Done`.
    Bind(Box<Binding>),
    Unbind(Box<Binding>),
    /// Replies `Counted`.
    Purge {
        queue: Name,
    },
    /// Replies `Got`; the tag counts with the channel's deliveries.
    Get {
        queue: Name,
        no_ack: bool,
    },
    /// Replies `Done`; deliveries carry `consumer`. Clients announce consumer_cancel_notify.
    Consume {
        queue: Name,
        consumer: Name,
        no_ack: bool,
        exclusive: bool,
        arguments: Table,
    },
    /// Replies `Done`; deliveries that are under way come before it.
    Cancel {
        consumer: Name,
    },
    /// basic.qos with prefetch_size 0. Replies `Done`.
    Qos {
        prefetch: u16,
        global: bool,
    },
    /// basic.recover. Replies `Done`.
    Recover {
        requeue: bool,
    },
    /// confirm.select. Replies `Done`.
    ConfirmSelect,
    /// tx.select: from now on publishes and settlements of the channel are held until it commits. Replies `Done`.
    TxSelect,
    /// tx.commit: carries out what is held. Replies `Done`.
    TxCommit,
    /// tx.rollback: forgets what is held; deliveries are unsettled again. Replies `Done`.
    TxRollback,
}

/// One act of the management API.
#[derive(Debug, Clone, PartialEq)]
pub enum Management {
    /// Makes or changes a vhost; what it leaves open stays as it is stored.
    PutVhost(Box<Vhost>),
    /// `PUT /vhosts/V` of these fields alone, which resets what they leave open where the version does that (MG-2).
    ReplaceVhost(Box<Vhost>),
    DeleteVhost {
        vhost: Name,
    },
    PutUser(Box<User>),
    DeleteUser {
        user: Name,
    },
    PutPermission(Box<Permission>),
    ClearPermission {
        user: Name,
        vhost: Name,
    },
    PutTopicPermission(Box<TopicPermission>),
    ClearTopicPermission {
        user: Name,
        vhost: Name,
        exchange: Name,
    },
    PutPolicy {
        policy: Box<Policy>,
        operator: bool,
    },
    ClearPolicy {
        vhost: Name,
        name: Name,
        operator: bool,
    },
    PutParameter(Box<Parameter>),
    ClearParameter {
        vhost: Name,
        component: Name,
        name: Name,
    },
    PutGlobalParameter {
        name: Name,
        value: serde_json::Value,
    },
    ClearGlobalParameter {
        name: Name,
    },
    PutVhostLimit {
        vhost: Name,
        name: Name,
        value: i64,
    },
    ClearVhostLimit {
        vhost: Name,
        name: Name,
    },
    PutUserLimit {
        user: Name,
        name: Name,
        value: i64,
    },
    ClearUserLimit {
        user: Name,
        name: Name,
    },
    /// The broker closes the connection (320).
    CloseConnection {
        connection: ConnectionId,
    },
    /// Replies [`Reply::Described`](crate::broker::Reply::Described).
    DescribeQueue {
        queue: QueueName,
    },
    /// Stops and starts the broker; durable things survive.
    Restart {
        down_for: Millis,
    },
    /// Stops the node that leads a queue, and waits until the others miss it.
    StopNode {
        leader_of: QueueName,
    },
    /// Starts all nodes that are down, and waits until they run.
    StartNodes,
}
