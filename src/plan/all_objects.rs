//! All objects that a topology names, and the ends of its bindings.
//! Takes a topology; gives identities.

use crate::model::{Binding, DestinationKind, Object, Topology};
use std::collections::BTreeSet;

/// Lists all objects of a topology.
pub(crate) fn all_objects(of: &Topology) -> BTreeSet<Object> {
    let mut all: BTreeSet<Object> = BTreeSet::new();
    all.extend(of.users.iter().map(|it| it.object()));
    all.extend(of.vhosts.iter().map(|it| it.object()));
    all.extend(of.permissions.iter().map(|it| it.object()));
    all.extend(of.topic_permissions.iter().map(|it| it.object()));
    all.extend(of.exchanges.iter().map(|it| it.object()));
    all.extend(of.queues.iter().map(|it| it.object()));
    all.extend(of.bindings.iter().map(Binding::object));
    all.extend(of.policies.iter().map(|it| it.object(false)));
    all.extend(of.operator_policies.iter().map(|it| it.object(true)));
    all.extend(of.parameters.iter().map(|it| it.object()));
    all.extend(of.global_parameters.keys().map(|name| Object::GlobalParameter { name: name.as_str().into() }));
    let limits = of.vhosts.iter().flat_map(|vhost| {
        let set = vhost.limits.iter().filter(|(_, value)| **value >= 0);
        set.map(|(name, _)| Object::VhostLimit { vhost: vhost.name.clone(), name: name.as_str().into() })
    });
    all.extend(limits);
    all
}

/// Lists the ends of a binding, with which it goes.
pub(crate) fn ends_of(object: &Object) -> Vec<Object> {
    let Object::Binding { vhost, source, kind, destination, .. } = object else { return Vec::new() };
    let source = Object::Exchange { vhost: vhost.clone(), name: source.clone() };
    let (vhost, name) = (vhost.clone(), destination.clone());
    let destination = match kind {
        DestinationKind::Queue => Object::Queue { vhost, name },
        DestinationKind::Exchange => Object::Exchange { vhost, name },
    };
    vec![source, destination]
}
