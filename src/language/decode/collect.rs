//! Gathers declared objects with their places, and says when one is declared twice.
//! Takes objects one by one; gives a topology and its origins. Never judges what an object says.

use crate::language::decode::map_decoder::Diagnostics;
use crate::language::syntax::tree::Node;
use crate::model::{
    Binding, Exchange, Handling, Ladder, Name, Object, ObjectKind, Origin, Origins, Parameter, Permission, Policy,
    Queue, QueueName, TopicPermission, Topology, User, Vhost,
};
use crate::source::{Code, Problem, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The ladders that topologies declare by `retry: {delays}`, by queue.
pub type ClimbedLadders = BTreeMap<QueueName, Ladder>;

/// A topology in the making.
#[derive(Debug, Clone, Default)]
pub struct Collected {
    pub topology: Topology,
    pub origins: Origins,
    /// What consumers climb.
    pub climbed: ClimbedLadders,
    pub handling: Handling,
    /// The names of the fields of the last object of each kind: the next one mostly has the same.
    names: BTreeMap<ObjectKind, Arc<[Name]>>,
}

/// Returns the place of an object and of each of its keys.
pub fn origin(node: &Node) -> Origin {
    let fields = node.entries().iter().map(|entry| (entry.key.clone(), entry.key_span.to(entry.value.span)));
    Origin::new(node.span, fields)
}

/// Returns the line that a problem with an object points at: its name, where it has one.
pub fn place(origin: &Origin) -> Span {
    let named = ["name", "source", "destination", "user", "pattern"];
    named.iter().find_map(|key| origin.field(key)).unwrap_or(origin.whole)
}

impl Collected {
    /// Notes where an object stands; false, with a problem, when the same file declares it already.
    fn claim(&mut self, object: Object, mut origin: Origin, desk: &mut Diagnostics) -> bool {
        if let Some(first) = self.origins.get(&object) {
            let mut problem = Problem::new(Code::TopologyDeclaredTwice, format!("{object} is declared twice"));
            problem = match place(first) == place(&origin) {
                true => problem
                    .at(place(&origin), "declared again by the next item")
                    .help("use `{{ item }}` in what names it, so that each item declares another"),
                false => {
                    problem.at(place(&origin), "again here").at(place(first), "first here").help("keep one of them")
                }
            };
            desk.judge(problem);
            return false;
        }
        origin.share_names(self.names.entry(object.kind()).or_default());
        self.origins.insert(object, origin);
        true
    }

    /// Adds a vhost; limits that came before it are kept.
    pub fn vhost(&mut self, vhost: Vhost, origin: Origin, desk: &mut Diagnostics) {
        if self.claim(vhost.object(), origin, desk) {
            self.topology.vhosts.push(vhost);
        }
    }

    /// Adds a limit to a vhost, which need not be declared itself.
    pub fn vhost_limit(&mut self, vhost: &Name, limit: &str, value: i64) {
        let at = self.topology.vhosts.iter().position(|known| known.name == *vhost);
        let at = at.unwrap_or_else(|| {
            self.topology.vhosts.push(Vhost { name: vhost.clone(), ..Vhost::default() });
            self.topology.vhosts.len() - 1
        });
        self.topology.vhosts[at].limits.insert(limit.to_owned(), value);
    }

    /// Adds a user.
    pub fn user(&mut self, user: User, origin: Origin, desk: &mut Diagnostics) {
        if self.claim(user.object(), origin, desk) {
            self.topology.users.push(user);
        }
    }

    /// Adds permissions.
    pub fn permission(&mut self, permission: Permission, origin: Origin, desk: &mut Diagnostics) {
        if self.claim(permission.object(), origin, desk) {
            self.topology.permissions.push(permission);
        }
    }

    /// Adds topic permissions.
    pub fn topic_permission(&mut self, permission: TopicPermission, origin: Origin, desk: &mut Diagnostics) {
        if self.claim(permission.object(), origin, desk) {
            self.topology.topic_permissions.push(permission);
        }
    }

    /// Adds an exchange.
    pub fn exchange(&mut self, exchange: Exchange, origin: Origin, desk: &mut Diagnostics) {
        if self.claim(exchange.object(), origin, desk) {
            self.topology.exchanges.push(exchange);
        }
    }

    /// Adds a queue.
    pub fn queue(&mut self, queue: Queue, origin: Origin, desk: &mut Diagnostics) {
        if self.claim(queue.object(), origin, desk) {
            self.topology.queues.push(queue);
        }
    }

    /// Adds a binding.
    pub fn binding(&mut self, binding: Binding, origin: Origin, desk: &mut Diagnostics) {
        if self.claim(binding.object(), origin, desk) {
            self.topology.bindings.push(binding);
        }
    }

    /// Adds a user's or an operator's policy.
    pub fn policy(&mut self, policy: Policy, operator: bool, origin: Origin, desk: &mut Diagnostics) {
        if self.claim(policy.object(operator), origin, desk) {
            let list = if operator { &mut self.topology.operator_policies } else { &mut self.topology.policies };
            list.push(policy);
        }
    }

    /// Adds a runtime parameter.
    pub fn parameter(&mut self, parameter: Parameter, origin: Origin, desk: &mut Diagnostics) {
        if self.claim(parameter.object(), origin, desk) {
            self.topology.parameters.push(parameter);
        }
    }

    /// Adds a global parameter.
    pub fn global_parameter(&mut self, name: Name, value: serde_json::Value, origin: Origin, desk: &mut Diagnostics) {
        if self.claim(Object::GlobalParameter { name: name.clone() }, origin, desk) {
            self.topology.global_parameters.insert(name.to_string(), value);
        }
    }
}
