//! What a file leaves alone by name: patterns by kind, compiled once.
//! Takes the file's patterns and an object; says whether one of them finds it. Never looks at a broker.

use crate::model::{DestinationKind, Ignored, IgnoredKind, Object};
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
            Object::Binding { source, kind, destination, routing_key, .. } => {
                let key = if routing_key.is_empty() { String::new() } else { format!(" ({routing_key})") };
                let of_end = match kind {
                    DestinationKind::Queue => IgnoredKind::Queues,
                    DestinationKind::Exchange => IgnoredKind::Exchanges,
                };
                self.finds(IgnoredKind::Bindings, &format!("{source} -> {destination}{key}"))
                    || self.finds(IgnoredKind::Exchanges, source)
                    || self.finds(of_end, destination)
            }
        }
    }

    fn finds(&self, kind: IgnoredKind, name: &str) -> bool {
        self.patterns.iter().any(|(of, pattern)| *of == kind && pattern.matches(name))
    }
}
