//! All that the broker holds, for lists of it: the objects as they were declared, with what became of them.
//! Plain references; nothing that is asked here changes anything.

use crate::broker::{ChannelId, ConnectionId};
use crate::model::{
    Binding, DestinationKind, Exchange, Name, Permission, Policy, Queue, QueueKind, QueueName, TopicPermission,
};
use crate::rules::Definition;
use crate::sim::broker::Sim;
use crate::sim::state::arena::{BindingDestination, QueueId};
use crate::sim::state::queue::{self, QueueContents};
use crate::sim::state::vhost;
use std::collections::BTreeMap;

/// A vhost.
#[derive(Debug)]
pub struct HeldVhost<'s> {
    /// Its name.
    pub name: &'s Name,
    /// Free text.
    pub description: &'s str,
    /// Free words.
    pub tags: &'s [String],
    /// What queues without a type become.
    pub default_queue_type: Option<QueueKind>,
    /// It cannot be deleted.
    pub protected_from_deletion: bool,
    /// `max-connections`, `max-queues`.
    pub limits: &'s BTreeMap<String, i64>,
}

/// A user, without what it proves itself by.
#[derive(Debug)]
pub struct HeldUser<'s> {
    /// Its name.
    pub name: &'s Name,
    /// `administrator`, …
    pub tags: &'s [String],
    /// `max-connections`, `max-channels`.
    pub limits: &'s BTreeMap<String, i64>,
    /// Its rights, by vhost.
    pub permissions: Vec<Permission>,
    /// Its rights on routing keys, by vhost and exchange, as they were written.
    pub topic_permissions: Vec<&'s TopicPermission>,
}

/// An exchange.
#[derive(Debug)]
pub struct HeldExchange<'s> {
    /// As declared.
    pub declared: &'s Exchange,
    /// The policy that holds for it.
    pub policy: Option<&'s Policy>,
    /// How many publishes it holds back; `None` where its type holds none back.
    pub delayed: Option<u64>,
}

/// A queue.
#[derive(Debug)]
pub struct HeldQueue<'s> {
    /// As declared, with the type that RabbitMQ stores.
    pub declared: &'s Queue,
    /// Its type.
    pub kind: QueueKind,
    /// Messages that a consumer could get.
    pub ready: u64,
    /// Messages in hands.
    pub unacked: u64,
    /// As a passive declare counts them.
    pub consumers: u64,
    /// The policy that holds for it.
    pub policy: Option<&'s Policy>,
    /// The operator policy that holds for it.
    pub operator_policy: Option<&'s Policy>,
    /// What both set together.
    pub effective: &'s Definition,
    /// Returns that wait for their time (4.3).
    pub delayed: u64,
    /// Dead letters that wait for the confirms of their targets.
    pub dead_lettering: u64,
    /// How often a message may come back, where the type counts it.
    pub delivery_limit: Option<i64>,
    /// The connection that it is exclusive to.
    pub owner: Option<ConnectionId>,
    /// One consumer at a time.
    pub single_active: bool,
    /// The consumer whose turn it is, where that is one alone.
    pub active: Option<(&'s Name, ChannelId)>,
}

/// A subscription.
#[derive(Debug)]
pub struct HeldConsumer<'s> {
    /// Its tag.
    pub tag: &'s Name,
    /// What it subscribed to.
    pub queue: &'s QueueName,
    /// The channel that it is of.
    pub channel: ChannelId,
    /// Deliveries need no acknowledgement.
    pub no_ack: bool,
    /// How many it may hold; 0 is no limit.
    pub prefetch: u16,
    /// `x-priority`.
    pub priority: i64,
    /// It has the queue for itself.
    pub exclusive: bool,
    /// It gets messages: of a single active one, the one whose turn it is.
    pub active: bool,
}

/// An open connection.
#[derive(Debug)]
pub struct HeldConnection<'s> {
    /// Its id at the seam.
    pub id: ConnectionId,
    /// Whose it is; `None` is a player's, with all rights.
    pub user: Option<&'s Name>,
    /// Where it is.
    pub vhost: &'s Name,
    /// How many channels it has.
    pub channels: usize,
}

/// An open channel.
#[derive(Debug)]
pub struct HeldChannel<'s> {
    /// Its id at the seam.
    pub id: ChannelId,
    /// The connection that it is of.
    pub connection: ConnectionId,
    /// Whose it is.
    pub user: Option<&'s Name>,
    /// Where it is.
    pub vhost: &'s Name,
    /// How many subscriptions it has.
    pub consumers: usize,
    /// Deliveries that wait to be settled.
    pub unacked: usize,
    /// For each consumer.
    pub prefetch: u16,
    /// Over all consumers together.
    pub global_prefetch: u16,
}

impl Sim {
    /// Lists the vhosts by name.
    pub fn held_vhosts(&self) -> impl Iterator<Item = HeldVhost<'_>> {
        self.vhost_names.values().filter_map(|id| self.vhosts.get(*id)).map(held_vhost)
    }

    /// Returns a vhost.
    pub fn held_vhost(&self, name: &str) -> Option<HeldVhost<'_>> {
        self.vhosts.get(*self.vhost_names.get(name)?).map(held_vhost)
    }

    /// Lists the users by name.
    pub fn held_users(&self) -> impl Iterator<Item = HeldUser<'_>> {
        self.users.keys().filter_map(|name| self.held_user(name))
    }

    /// Returns a user.
    pub fn held_user(&self, name: &str) -> Option<HeldUser<'_>> {
        let (name, user) = self.users.get_key_value(name)?;
        let permissions = user.permissions.iter().map(|(vhost, rights)| Permission {
            user: name.clone(),
            vhost: vhost.clone(),
            configure: rights.configure.text().to_owned(),
            write: rights.write.text().to_owned(),
            read: rights.read.text().to_owned(),
        });
        Some(HeldUser {
            name,
            tags: &user.tags,
            limits: &user.limits,
            permissions: permissions.collect(),
            topic_permissions: user.topics.values().map(|row| &*row.declared).collect(),
        })
    }

    /// Lists the exchanges of a vhost by name, the default one first.
    pub fn held_exchanges(&self, vhost: &str) -> Vec<HeldExchange<'_>> {
        let Some(vhost) = self.vhost_names.get(vhost).and_then(|id| self.vhosts.get(*id)) else { return Vec::new() };
        let all = vhost.exchanges.values().filter_map(|id| self.exchanges.get(*id));
        let mut held: Vec<HeldExchange<'_>> = all
            .map(|exchange| HeldExchange {
                declared: &exchange.declared,
                policy: vhost.policies.on_exchange(&vhost.name, &exchange.declared.name),
                delayed: (exchange.delays).then(|| self.delayed_publishes.count(&vhost.name, &exchange.declared.name)),
            })
            .collect();
        held.sort_by(|a, b| a.declared.name.cmp(&b.declared.name));
        held
    }

    /// Lists the queues of a vhost by name.
    pub fn held_queues(&self, vhost: &str) -> Vec<HeldQueue<'_>> {
        let Some(vhost) = self.vhost_names.get(vhost).and_then(|id| self.vhosts.get(*id)) else { return Vec::new() };
        let ids = vhost.queues.values();
        let mut held: Vec<HeldQueue<'_>> = ids.filter_map(|id| Some(self.held(self.queues.get(*id)?))).collect();
        held.sort_by(|a, b| a.declared.name.cmp(&b.declared.name));
        held
    }

    /// Returns a queue.
    pub fn held_queue(&self, vhost: &str, name: &str) -> Option<HeldQueue<'_>> {
        let vhost = self.vhosts.get(*self.vhost_names.get(vhost)?)?;
        Some(self.held(self.queues.get(*vhost.queues.get(name)?)?))
    }

    fn held<'s>(&'s self, queue: &'s queue::Queue) -> HeldQueue<'s> {
        let in_force = self.policies_of(queue);
        let (delayed, dead_lettering) = match &queue.contents {
            QueueContents::Classic(_) | QueueContents::Stream(_) => (0, 0),
            QueueContents::Quorum(quorum) => (quorum.delayed.len() as u64, quorum.backlog.counted().0),
        };
        let alone = queue.consumers.active.or(queue.consumers.exclusive);
        let active = alone.and_then(|id| self.consumers.get(id));
        HeldQueue {
            declared: &queue.declared,
            kind: queue.kind,
            ready: queue.ready(),
            unacked: queue.unacked,
            consumers: self.counted_consumers(queue),
            policy: in_force.user,
            operator_policy: in_force.operator,
            effective: &queue.policy,
            delayed,
            dead_lettering,
            delivery_limit: queue.settings.delivery_limit.filter(|_| queue.kind == QueueKind::Quorum),
            owner: queue.owner,
            single_active: queue.consumers.single_active,
            active: active.and_then(|consumer| Some((&consumer.tag, self.channels.get(consumer.channel)?.id))),
        }
    }

    /// Lists the bindings of a vhost without those of the default exchange, by source, destination and key.
    pub fn held_bindings(&self, vhost: &str) -> Vec<Binding> {
        let mut held = Vec::new();
        for exchange in self.held_exchanges(vhost) {
            let source = exchange.declared;
            let id = self.vhost_names.get(vhost).and_then(|id| self.exchange_id(*id, &source.name));
            let Some(exchange) = id.and_then(|id| self.exchanges.get(id)) else { continue };
            for ((destination, key), tables) in &exchange.bindings {
                let (destination_kind, name) = match destination {
                    BindingDestination::Queue(id) => (DestinationKind::Queue, self.name_of_queue(*id)),
                    BindingDestination::Exchange(id) => {
                        let name = self.exchanges.get(*id).map(|exchange| &exchange.declared.name);
                        (DestinationKind::Exchange, name)
                    }
                };
                let Some(destination) = name else { continue };
                held.extend(tables.iter().map(|arguments| Binding {
                    vhost: source.vhost.clone(),
                    source: source.name.clone(),
                    destination: destination.clone(),
                    destination_kind,
                    routing_key: key.clone(),
                    arguments: arguments.clone(),
                }));
            }
        }
        let key = |it: &Binding| (it.source.clone(), it.destination.clone(), it.routing_key.clone());
        held.sort_by_cached_key(key);
        held
    }

    fn name_of_queue(&self, id: QueueId) -> Option<&Name> {
        Some(&self.queues.get(id)?.name.name)
    }

    /// Lists the policies, or operator policies, of a vhost by name.
    pub fn held_policies(&self, vhost: &str, operator: bool) -> Vec<&Policy> {
        let vhost = self.vhost_names.get(vhost).and_then(|id| self.vhosts.get(*id));
        vhost.map_or_else(Vec::new, |vhost| vhost.policies.all(operator).collect())
    }

    /// Lists all subscriptions.
    pub fn held_consumers(&self) -> impl Iterator<Item = HeldConsumer<'_>> {
        self.consumers.iter().filter(|(_, consumer)| !consumer.cancelled && consumer.ghost.is_none()).filter_map(
            |(id, consumer)| {
                let queue = self.queues.get(consumer.queue)?;
                Some(HeldConsumer {
                    tag: &consumer.tag,
                    queue: &queue.name,
                    channel: self.channels.get(consumer.channel)?.id,
                    no_ack: consumer.no_ack,
                    prefetch: consumer.prefetch,
                    priority: consumer.priority,
                    exclusive: queue.consumers.exclusive == Some(id),
                    active: !queue.consumers.single_active || queue.consumers.active == Some(id),
                })
            },
        )
    }

    /// Lists all open connections.
    pub fn held_connections(&self) -> impl Iterator<Item = HeldConnection<'_>> {
        self.connections.iter().filter_map(|(id, connection)| {
            let vhost = &self.vhosts.get(connection.vhost)?.name;
            Some(HeldConnection { id: *id, user: connection.user.as_ref(), vhost, channels: connection.channels.len() })
        })
    }

    /// Lists all open channels.
    pub fn held_channels(&self) -> impl Iterator<Item = HeldChannel<'_>> {
        self.channels.iter().filter_map(|(_, channel)| {
            Some(HeldChannel {
                id: channel.id,
                connection: channel.connection,
                user: channel.user.as_ref(),
                vhost: &self.vhosts.get(channel.vhost)?.name,
                consumers: channel.consumers.len(),
                unacked: channel.unacked.len(),
                prefetch: channel.prefetch,
                global_prefetch: channel.global_prefetch,
            })
        })
    }
}

fn held_vhost(vhost: &vhost::Vhost) -> HeldVhost<'_> {
    HeldVhost {
        name: &vhost.name,
        description: &vhost.description,
        tags: &vhost.tags,
        default_queue_type: vhost.default_queue_type,
        protected_from_deletion: vhost.protected_from_deletion,
        limits: &vhost.limits,
    }
}
