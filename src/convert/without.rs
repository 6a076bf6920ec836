//! A topology without some of its objects, and without what cannot be there without them.
//! Takes a topology and objects; gives what was taken out. Never looks at values.

use crate::model::{Binding, DestinationKind, Name, Object, Topology};
use std::collections::BTreeSet;

/// Takes objects out of a topology, together with the rights of users, the bindings of queues and exchanges and all that lies in
/// vhosts that are among them; returns all that was taken out.
pub fn without_objects(topology: &mut Topology, objects: BTreeSet<Object>) -> BTreeSet<Object> {
    if objects.is_empty() {
        return objects;
    }
    let goes = |object: &Object| {
        let with = |one: Object| objects.contains(&one);
        let with_vhost = |vhost: &Name| with(Object::Vhost { name: vhost.clone() });
        let along = match object {
            Object::Permission { user, .. } | Object::TopicPermission { user, .. } => {
                with(Object::User { name: user.clone() })
            }
            Object::Binding { vhost, source, kind, destination, .. } => {
                let (vhost, name) = (vhost.clone(), destination.clone());
                let from = with(Object::Exchange { vhost: vhost.clone(), name: source.clone() });
                from || match kind {
                    DestinationKind::Queue => with(Object::Queue { vhost, name }),
                    DestinationKind::Exchange => with(Object::Exchange { vhost, name }),
                }
            }
            _ => false,
        };
        along || objects.contains(object) || object.vhost().is_some_and(with_vhost)
    };
    let mut taken = BTreeSet::new();
    let mut stays = |object: Object| {
        let goes = goes(&object);
        if goes {
            taken.insert(object);
        }
        !goes
    };
    topology.vhosts.retain(|it| stays(it.object()));
    topology.users.retain(|it| stays(it.object()));
    topology.permissions.retain(|it| stays(it.object()));
    topology.topic_permissions.retain(|it| stays(it.object()));
    topology.exchanges.retain(|it| stays(it.object()));
    topology.queues.retain(|it| stays(it.object()));
    topology.bindings.retain(|it: &Binding| stays(it.object()));
    topology.policies.retain(|it| stays(it.object(false)));
    topology.operator_policies.retain(|it| stays(it.object(true)));
    topology.parameters.retain(|it| stays(it.object()));
    topology.global_parameters.retain(|name, _| stays(Object::GlobalParameter { name: name.as_str().into() }));
    taken
}
