//! What plugins and clients of other protocols make for themselves, by the names and marks that RabbitMQ gives it.
//! Takes names and arguments; says who made an object. Never looks at what a file declares.

use crate::model::{DestinationKind, Exchange, Name, Parameter, Topology, Value};
use crate::plan::move_queue::Holding;
use std::collections::{BTreeMap, BTreeSet};

/// Who makes objects that no file declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// RabbitMQ itself: default exchanges, server-named queues.
    Server,
    /// The plugin rabbitmq_federation.
    Federation,
    /// The plugin rabbitmq_shovel.
    Shovel,
    /// The plugin rabbitmq_mqtt.
    Mqtt,
    /// The plugin rabbitmq_stomp.
    Stomp,
    /// A super stream: its exchange and its partitions.
    Streams,
    /// The plugin rabbitmq_sharding.
    Sharding,
    /// An unfinished `move` of rmqplay: its holding queue may hold messages.
    Move,
}

/// The beginnings of the names that plugins give to queues.
const OF_QUEUES: [(&str, Maker); 7] = [
    ("amq.", Maker::Server),
    ("federation: ", Maker::Federation),
    ("mqtt-subscription-", Maker::Mqtt),
    ("mqtt-will-", Maker::Mqtt),
    ("stomp-subscription-", Maker::Stomp),
    ("stomp-temp-", Maker::Stomp),
    ("sharding: ", Maker::Sharding),
];

/// Finds who made an object; reads shovels and super streams once.
#[derive(Debug)]
pub struct Makers<'a> {
    /// Queues and exchanges that a shovel names, with the shovel: it declares them when they are missing.
    shovelled: BTreeMap<&'a str, &'a Parameter>,
    partitions: BTreeSet<(&'a Name, &'a Name)>,
}

impl<'a> Makers<'a> {
    /// Reads what a broker holds.
    pub fn of(observed: &'a Topology) -> Self {
        let keys = ["src-queue", "dest-queue", "src-exchange", "dest-exchange"];
        let shovels = observed.parameters.iter().filter(|parameter| parameter.component == "shovel");
        let named =
            |shovel: &'a Parameter| keys.iter().filter_map(move |key| Some((shovel.value.get(key)?.as_str()?, shovel)));
        let exchanges = observed.exchanges.iter().filter(|exchange| is_super_stream(exchange));
        let super_streams: BTreeSet<(&Name, &Name)> = exchanges.map(|it| (&it.vhost, &it.name)).collect();
        let partitions = observed.bindings.iter().filter(|it| it.destination_kind == DestinationKind::Queue);
        let partitions = partitions.filter(|it| super_streams.contains(&(&it.vhost, &it.source)));
        Self {
            shovelled: shovels.flat_map(named).collect(),
            partitions: partitions.map(|binding| (&binding.vhost, &binding.destination)).collect(),
        }
    }

    /// Returns the shovel that names a queue or an exchange.
    pub(crate) fn shovel_of(&self, name: &Name) -> Option<&'a Parameter> {
        self.shovelled.get(name.as_str()).copied()
    }

    /// Returns who made a queue; `None` when it was declared.
    pub fn of_queue(&self, vhost: &Name, name: &Name) -> Option<Maker> {
        let by_name = OF_QUEUES.iter().find(|(beginning, _)| name.starts_with(beginning)).map(|(_, maker)| *maker);
        let by_move = Holding::moved_by_name(name).map(|_| Maker::Move);
        let by_shovel = self.shovel_of(name).map(|_| Maker::Shovel);
        let by_stream = self.partitions.contains(&(vhost, name)).then_some(Maker::Streams);
        by_name.or(by_move).or(by_shovel).or(by_stream)
    }

    /// Returns who made an exchange; `None` when it was declared.
    pub fn of_exchange(&self, exchange: &Exchange) -> Option<Maker> {
        if is_predeclared(&exchange.name) {
            return Some(Maker::Server);
        }
        if exchange.name.starts_with("federation: ") || &*exchange.kind == "x-federation-upstream" {
            return Some(Maker::Federation);
        }
        if Holding::moved_by_name(&exchange.name).is_some() {
            return Some(Maker::Move);
        }
        let by_shovel = self.shovel_of(&exchange.name).map(|_| Maker::Shovel);
        by_shovel.or_else(|| is_super_stream(exchange).then_some(Maker::Streams))
    }
}

fn is_super_stream(exchange: &Exchange) -> bool {
    matches!(exchange.arguments.get("x-super-stream"), Some(Value::Bool(true)))
}

/// Returns whether a name is one of those that each vhost has from the beginning, or that a server gave.
pub(crate) fn is_predeclared(name: &str) -> bool {
    name.is_empty() || name.starts_with("amq.")
}
