//! Which object, and where a file declares it.
//! Gives identities for diffing and places for problems that are found after loading.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{
    Binding, DestinationKind, Exchange, Name, Parameter, Permission, Policy, Queue, Table, TopicPermission, Topology,
    User, Value, Vhost,
};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The identity of one declared object; ordered as RabbitMQ imports them.
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
    /// `max-queues` or `max-connections`, where it is looked at alone.
    VhostLimit {
        vhost: Name,
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

/// What kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    User,
    Vhost,
    Permission,
    Exchange,
    TopicPermission,
    GlobalParameter,
    Policy,
    OperatorPolicy,
    Parameter,
    VhostLimit,
    Queue,
    Binding,
}

impl ObjectKind {
    /// Returns the words for one of them and for many.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            ObjectKind::User => ("user", "users"),
            ObjectKind::Vhost => ("vhost", "vhosts"),
            ObjectKind::Permission => ("row of permissions", "permissions"),
            ObjectKind::Exchange => ("exchange", "exchanges"),
            ObjectKind::TopicPermission => ("row of topic permissions", "topic permissions"),
            ObjectKind::GlobalParameter => ("global parameter", "global parameters"),
            ObjectKind::Policy => ("policy", "policies"),
            ObjectKind::OperatorPolicy => ("operator policy", "operator policies"),
            ObjectKind::Parameter => ("parameter", "parameters"),
            ObjectKind::VhostLimit => ("limit", "limits"),
            ObjectKind::Queue => ("queue", "queues"),
            ObjectKind::Binding => ("binding", "bindings"),
        }
    }

    /// Returns the word for many of them.
    pub fn plural(self) -> &'static str {
        self.words().1
    }

    /// Counts them: `1 policy`, `2 policies`.
    pub fn counted(self, count: usize) -> String {
        let (one, many) = self.words();
        format!("{count} {}", if count == 1 { one } else { many })
    }
}

/// Where a file declares an object: the whole of it, and its fields by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub whole: Span,
    /// The names of the fields; objects with the same ones share them.
    names: Arc<[Name]>,
    /// Their places, in the same order.
    places: Box<[Span]>,
}

/// Maps objects to their places in the files.
pub type Origins = BTreeMap<Object, Origin>;

impl Origin {
    /// Notes the places of an object and of its fields.
    pub fn new(whole: Span, fields: impl IntoIterator<Item = (Name, Span)>) -> Self {
        let (names, places): (Vec<Name>, Vec<Span>) = fields.into_iter().unzip();
        Self { whole, names: names.into(), places: places.into() }
    }

    /// Returns the place of a field.
    pub fn field(&self, name: &str) -> Option<Span> {
        self.names.iter().position(|known| *known == *name).map(|at| self.places[at])
    }

    /// Shares the names of its fields with those that another one left, or leaves its own for the next.
    pub fn share_names(&mut self, last: &mut Arc<[Name]>) {
        if self.names == *last {
            self.names = last.clone();
        } else {
            *last = self.names.clone();
        }
    }
}

impl Object {
    /// Returns what kind of object it is.
    pub fn kind(&self) -> ObjectKind {
        match self {
            Object::User { .. } => ObjectKind::User,
            Object::Vhost { .. } => ObjectKind::Vhost,
            Object::Permission { .. } => ObjectKind::Permission,
            Object::Exchange { .. } => ObjectKind::Exchange,
            Object::TopicPermission { .. } => ObjectKind::TopicPermission,
            Object::GlobalParameter { .. } => ObjectKind::GlobalParameter,
            Object::Policy { .. } => ObjectKind::Policy,
            Object::OperatorPolicy { .. } => ObjectKind::OperatorPolicy,
            Object::Parameter { .. } => ObjectKind::Parameter,
            Object::VhostLimit { .. } => ObjectKind::VhostLimit,
            Object::Queue { .. } => ObjectKind::Queue,
            Object::Binding { .. } => ObjectKind::Binding,
        }
    }

    /// Returns the vhost it lives in, if it lives in one.
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
            | Object::VhostLimit { vhost, .. }
            | Object::Queue { vhost, .. }
            | Object::Binding { vhost, .. } => Some(vhost),
        }
    }
}

/// Says the default exchange in words.
pub fn exchange_in_words(exchange: &str) -> &str {
    if exchange.is_empty() { "the default exchange" } else { exchange }
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
            Object::VhostLimit { name, .. } => write!(f, "limit {name}"),
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

impl Vhost {
    /// Returns the vhost's identity.
    pub fn object(&self) -> Object {
        Object::Vhost { name: self.name.clone() }
    }
}

impl Topology {
    /// Takes objects out, each by its identity.
    pub fn remove(&mut self, gone: &BTreeSet<Object>) {
        self.vhosts.retain(|it| !gone.contains(&it.object()));
        self.users.retain(|it| !gone.contains(&it.object()));
        self.permissions.retain(|it| !gone.contains(&it.object()));
        self.topic_permissions.retain(|it| !gone.contains(&it.object()));
        self.exchanges.retain(|it| !gone.contains(&it.object()));
        self.queues.retain(|it| !gone.contains(&it.object()));
        self.bindings.retain(|it| !gone.contains(&it.object()));
        self.policies.retain(|it| !gone.contains(&it.object(false)));
        self.operator_policies.retain(|it| !gone.contains(&it.object(true)));
        self.parameters.retain(|it| !gone.contains(&it.object()));
    }
}

impl User {
    /// Returns the user's identity.
    pub fn object(&self) -> Object {
        Object::User { name: self.name.clone() }
    }
}

impl Permission {
    /// Returns the row's identity.
    pub fn object(&self) -> Object {
        Object::Permission { user: self.user.clone(), vhost: self.vhost.clone() }
    }
}

impl TopicPermission {
    /// Returns the row's identity.
    pub fn object(&self) -> Object {
        Object::TopicPermission { user: self.user.clone(), vhost: self.vhost.clone(), exchange: self.exchange.clone() }
    }
}

impl Exchange {
    /// Returns the exchange's identity.
    pub fn object(&self) -> Object {
        Object::Exchange { vhost: self.vhost.clone(), name: self.name.clone() }
    }
}

impl Queue {
    /// Returns the queue's identity.
    pub fn object(&self) -> Object {
        Object::Queue { vhost: self.vhost.clone(), name: self.name.clone() }
    }
}

impl Policy {
    /// Returns the policy's identity, as a user's or as an operator's policy.
    pub fn object(&self, operator: bool) -> Object {
        let (vhost, name) = (self.vhost.clone(), self.name.clone());
        if operator { Object::OperatorPolicy { vhost, name } } else { Object::Policy { vhost, name } }
    }
}

impl Parameter {
    /// Returns the parameter's identity.
    pub fn object(&self) -> Object {
        Object::Parameter {
            vhost: self.vhost.clone(),
            component: self.component.as_str().into(),
            name: self.name.clone(),
        }
    }
}

impl Binding {
    /// Returns the binding's identity; arguments count, their order and the width of numbers do not.
    pub fn object(&self) -> Object {
        Object::Binding {
            vhost: self.vhost.clone(),
            source: self.source.clone(),
            kind: self.destination_kind,
            destination: self.destination.clone(),
            routing_key: self.routing_key.clone(),
            arguments: arguments_text(&self.arguments).into(),
        }
    }
}

/// A binding as a key of sets and maps: equal to another one when both have the same identity.
#[derive(Debug, Clone, Copy)]
pub struct BindingKey<'b>(pub &'b Binding);

impl BindingKey<'_> {
    fn ends(&self) -> (&Name, &Name, DestinationKind, &Name, &Name) {
        let binding = self.0;
        let (kind, key) = (binding.destination_kind, &binding.routing_key);
        (&binding.vhost, &binding.source, kind, &binding.destination, key)
    }
}

impl PartialEq for BindingKey<'_> {
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.0.arguments, &other.0.arguments);
        self.ends() == other.ends() && (ours.is_same(theirs) || arguments_text(ours) == arguments_text(theirs))
    }
}

impl Eq for BindingKey<'_> {}

impl Hash for BindingKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ends().hash(state);
        arguments_text(&self.0.arguments).hash(state);
    }
}

/// Returns the canonical text of arguments, nothing where there are none.
fn arguments_text(arguments: &Table) -> String {
    let mut text = String::new();
    if !arguments.is_empty() {
        write_table(arguments, &mut text);
    }
    text
}

/// Writes a table as JSON with its keys in order.
fn write_table(table: &Table, text: &mut String) {
    let mut keys: Vec<&str> = table.keys().map(|key| &**key).collect();
    keys.sort();
    text.push('{');
    for (i, key) in keys.into_iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        text.push_str(&serde_json::Value::from(key).to_string());
        text.push(':');
        write_value(&table[key], text);
    }
    text.push('}');
}

fn write_value(value: &Value, text: &mut String) {
    match value {
        Value::Table(table) => write_table(table, text),
        Value::Array(entries) => {
            text.push('[');
            for (i, entry) in entries.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                write_value(entry, text);
            }
            text.push(']');
        }
        Value::F32(n) if n.fract() == 0.0 && n.abs() < 1e15 => text.push_str(&(*n as i64).to_string()),
        Value::F64(n) if n.fract() == 0.0 && n.abs() < 1e15 => text.push_str(&(*n as i64).to_string()),
        plain => text.push_str(&plain.to_json().to_string()),
    }
}
