//! What `destroy` deletes: what a file names and a broker holds.
//! Takes desired and observed topology; gives deletions in their order. Never deletes.

use crate::model::{Binding, DestinationKind, Handling, Name, Object, Topology};
use crate::plan::deletion::{deletion, in_order};
use crate::plan::extra::Extra;
use crate::plan::foreign::is_predeclared;
use crate::plan::ignore_list::IgnoreList;
use crate::plan::{Change, DeletionScope, Observed, Stakes};
use std::collections::BTreeSet;

/// Lists the deletions of what a file names, but for what it ignores, the account in use and its rights.
pub fn destroy(desired: &Topology, handling: &Handling, observed: &Observed, scope: DeletionScope) -> Vec<Change> {
    let ignored = IgnoreList::of(&handling.ignored);
    let there = objects(&observed.topology);
    let is_own = |object: &Object| match object {
        Object::User { name } => *name == observed.account,
        Object::Permission { user, .. } | Object::TopicPermission { user, .. } => *user == observed.account,
        Object::Exchange { name, .. } => is_predeclared(name),
        _ => false,
    };
    let named: BTreeSet<Object> = objects(desired)
        .into_iter()
        .filter(|object| there.contains(object) && scope.has(object) && !is_own(object) && !ignored.covers(object))
        .collect();
    let goes = |object: &Object| named.contains(object);
    let goes_along = |object: &Object| {
        let with_vhost = |vhost: &Name| goes(&Object::Vhost { name: vhost.clone() });
        let is_vhost = matches!(object, Object::Vhost { .. });
        !is_vhost && object.vhost().is_some_and(with_vhost) || ends_of(object).iter().any(goes)
    };
    let extra =
        |object: &Object| Extra { object: object.clone(), words: Vec::new(), stakes: Stakes::of(object, observed) };
    let gone = named.iter().filter(|object| !goes_along(object));
    let mut changes: Vec<Change> =
        gone.map(|object| deletion(extra(object), "the file names it, and it is to go", observed)).collect();
    in_order(&mut changes);
    changes
}

/// Lists the ends of a binding, with which it goes.
fn ends_of(object: &Object) -> Vec<Object> {
    let Object::Binding { vhost, source, kind, destination, .. } = object else { return Vec::new() };
    let source = Object::Exchange { vhost: vhost.clone(), name: source.clone() };
    let (vhost, name) = (vhost.clone(), destination.clone());
    let destination = match kind {
        DestinationKind::Queue => Object::Queue { vhost, name },
        DestinationKind::Exchange => Object::Exchange { vhost, name },
    };
    vec![source, destination]
}

/// Lists all objects of a topology.
fn objects(of: &Topology) -> BTreeSet<Object> {
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
