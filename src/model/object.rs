//! Which object, and where a file declares it.
//! Gives identities for diffing and places for problems that are found after loading.

use super::{DestinationKind, Name};
use crate::source::Span;
use std::collections::BTreeMap;
use std::fmt;

/// Is the identity of one declared object; ordered as RabbitMQ imports them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    User {
        name: Name,
    },
    Vhost {
        name: Name,
    },
    Permission {
        user: Name,
        vhost: Name,
    },
    Exchange {
        vhost: Name,
        name: Name,
    },
    TopicPermission {
        user: Name,
        vhost: Name,
        exchange: Name,
    },
    GlobalParameter {
        name: Name,
    },
    Policy {
        vhost: Name,
        name: Name,
    },
    OperatorPolicy {
        vhost: Name,
        name: Name,
    },
    Parameter {
        vhost: Name,
        component: Name,
        name: Name,
    },
    Queue {
        vhost: Name,
        name: Name,
    },
    /// `arguments` is their canonical text, to tell bindings apart that differ in nothing else.
    Binding {
        vhost: Name,
        source: Name,
        kind: DestinationKind,
        destination: Name,
        routing_key: Name,
        arguments: Name,
    },
}

/// Is where a file declares an object: the whole of it, and its fields by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub whole: Span,
    pub fields: BTreeMap<String, Span>,
}

/// Maps objects to their places in the files.
pub type Origins = BTreeMap<Object, Origin>;

impl Object {
    /// Gives the vhost it lives in, if it lives in one.
    pub fn vhost(&self) -> Option<&Name> {
        match self {
            Object::User { .. } | Object::GlobalParameter { .. } => None,
            Object::Vhost { name } => Some(name),
            Object::Permission { vhost, .. }
            | Object::Exchange { vhost, .. }
            | Object::TopicPermission { vhost, .. }
            | Object::Policy { vhost, .. }
            | Object::OperatorPolicy { vhost, .. }
            | Object::Parameter { vhost, .. }
            | Object::Queue { vhost, .. }
            | Object::Binding { vhost, .. } => Some(vhost),
        }
    }
}

impl fmt::Display for Object {
    /// Writes the object as people say it, without its vhost: `queue 'work.q'`, `binding game -> cmd.alice (alice)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Object::User { name } => write!(f, "user '{name}'"),
            Object::Vhost { name } => write!(f, "vhost '{name}'"),
            Object::Permission { user, .. } => write!(f, "permissions of '{user}'"),
            Object::Exchange { name, .. } => write!(f, "exchange '{name}'"),
            Object::TopicPermission { user, exchange, .. } => {
                write!(f, "topic permissions of '{user}' on '{exchange}'")
            }
            Object::GlobalParameter { name } => write!(f, "global parameter '{name}'"),
            Object::Policy { name, .. } => write!(f, "policy '{name}'"),
            Object::OperatorPolicy { name, .. } => write!(f, "operator policy '{name}'"),
            Object::Parameter { component, name, .. } => write!(f, "{component} parameter '{name}'"),
            Object::Queue { name, .. } => write!(f, "queue '{name}'"),
            Object::Binding { source, destination, routing_key, kind, .. } => {
                write!(f, "binding '{source}' -> {} '{destination}'", kind.as_str())?;
                if !routing_key.is_empty() {
                    write!(f, " ({routing_key})")?;
                }
                Ok(())
            }
        }
    }
}
