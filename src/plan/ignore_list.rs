//! What a file leaves alone by name: patterns by kind, compiled once.
//! Takes the file's patterns and an object; says whether one of them finds it, or what would go with it. Never asks a broker.

use crate::model::{Binding, DestinationKind, Ignored, IgnoredKind, Object};
use crate::plan::Observed;
use crate::plan::all_objects::all_objects;
use crate::rules::Pattern;

/// The compiled patterns of `ignore`.
#[derive(Debug, Default)]
pub struct IgnoreList {
    patterns: Vec<(IgnoredKind, Pattern)>,
}

impl IgnoreList {
    /// Compiles the patterns; the language has seen to it that each is one.
    pub fn of(ignored: &[Ignored]) -> Self {
        let compiled = ignored.iter().filter_map(|one| Some((one.kind, Pattern::new(&one.pattern, true).ok()?)));
        Self { patterns: compiled.collect() }
    }

    /// Returns whether an object is left alone; a binding is when one of its ends is.
    pub fn covers(&self, object: &Object) -> bool {
        match object {
            Object::Queue { name, .. } => self.finds(IgnoredKind::Queues, name),
            Object::Exchange { name, .. } => self.finds(IgnoredKind::Exchanges, name),
            Object::Policy { name, .. } => self.finds(IgnoredKind::Policies, name),
            Object::OperatorPolicy { name, .. } => self.finds(IgnoredKind::OperatorPolicies, name),
            Object::Parameter { component, name, .. } => {
                self.finds(IgnoredKind::Parameters, &format!("{component}/{name}"))
            }
            Object::Permission { user, .. } => self.finds(IgnoredKind::Permissions, user),
            Object::TopicPermission { user, .. } => self.finds(IgnoredKind::TopicPermissions, user),
            Object::VhostLimit { name, .. } => self.finds(IgnoredKind::Limits, name),
            Object::User { name } => self.finds(IgnoredKind::Users, name),
            Object::Vhost { name } => self.finds(IgnoredKind::Vhosts, name),
            Object::GlobalParameter { name } => self.finds(IgnoredKind::GlobalParameters, name),
            Object::Binding { source, kind, destination, .. } => {
                let of_end = match kind {
                    DestinationKind::Queue => IgnoredKind::Queues,
                    DestinationKind::Exchange => IgnoredKind::Exchanges,
                };
                self.finds(IgnoredKind::Bindings, &in_words(object))
                    || self.finds(IgnoredKind::Exchanges, source)
                    || self.finds(of_end, destination)
            }
        }
    }

    /// Returns an ignored object that a broker would delete together with this one: rights of a user, what a vhost holds, a
    /// binding of an exchange. A queue takes its bindings along as well; there only one that is ignored by itself counts, and
    /// not each that comes from an ignored exchange.
    pub fn held_by(&self, object: &Object, observed: &Observed) -> Option<Object> {
        let there = &observed.topology;
        let ignored = |object: Object| self.covers(&object).then_some(object);
        match object {
            Object::User { name } => {
                let rows = there.permissions.iter().filter(|row| row.user == *name).map(|row| row.object());
                let topic = there.topic_permissions.iter().filter(|row| row.user == *name).map(|row| row.object());
                rows.chain(topic).find_map(ignored)
            }
            Object::Vhost { name } => {
                let inside = all_objects(there).into_iter().filter(|one| one.vhost() == Some(name));
                inside.filter(|one| one != object).find_map(ignored)
            }
            Object::Exchange { vhost, name } => {
                let touches = |binding: &&Binding| {
                    let to = binding.destination_kind == DestinationKind::Exchange && binding.destination == *name;
                    binding.vhost == *vhost && (binding.source == *name || to)
                };
                there.bindings.iter().filter(touches).map(Binding::object).find_map(ignored)
            }
            Object::Queue { vhost, name } => {
                let is_to_it = |binding: &&Binding| {
                    let is_to_queue = binding.destination_kind == DestinationKind::Queue;
                    is_to_queue && binding.vhost == *vhost && binding.destination == *name && !binding.source.is_empty()
                };
                let mut bindings = there.bindings.iter().filter(is_to_it).map(Binding::object);
                bindings.find(|one| self.finds(IgnoredKind::Bindings, &in_words(one)))
            }
            _ => None,
        }
    }

    fn finds(&self, kind: IgnoredKind, name: &str) -> bool {
        self.patterns.iter().any(|(of, pattern)| *of == kind && pattern.matches(name))
    }
}

/// Writes a binding as patterns find it: `SOURCE -> DESTINATION (KEY)`.
fn in_words(binding: &Object) -> String {
    match binding {
        Object::Binding { source, destination, routing_key, .. } if routing_key.is_empty() => {
            format!("{source} -> {destination}")
        }
        Object::Binding { source, destination, routing_key, .. } => {
            format!("{source} -> {destination} ({routing_key})")
        }
        _ => String::new(),
    }
}
