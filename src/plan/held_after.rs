//! What a broker holds once the first changes of a plan are made, or all of them: what a file declares, beside what stays of
//! what was there. Takes desired and observed topology and a plan; gives a topology. Never judges it.

use crate::model::{Binding, Object, Topology};
use crate::plan::all_objects::{all_objects, ends_of};
use crate::plan::{Change, ChangeKind, Observed, Plan};
use std::collections::BTreeSet;

/// Puts what a file declares over what a broker was seen to hold, as far as the first `made` changes of the plan bring it about.
pub fn held_after(desired: &Topology, observed: &Observed, plan: &Plan, made: usize) -> Topology {
    let (made, pending) = plan.changes.split_at(made.min(plan.changes.len()));
    held_once(desired, observed, made, pending)
}

/// Puts what a file declares over what a broker was seen to hold, with some changes made and others not yet.
pub(crate) fn held_once(desired: &Topology, observed: &Observed, made: &[Change], pending: &[Change]) -> Topology {
    let is_deletion = |change: &&Change| matches!(change.kind, ChangeKind::Delete { .. });
    let deleted: BTreeSet<&Object> = made.iter().filter(is_deletion).map(|change| &change.object).collect();
    let pending: BTreeSet<&Object> =
        pending.iter().filter(|change| !is_deletion(change)).map(|change| &change.object).collect();
    let named = all_objects(desired);
    // What lies in a vhost, or belongs to a user, goes with it; a binding goes with either of its ends.
    let goes_along = |object: &Object| {
        let with_vhost = |vhost: &crate::model::Name| deleted.contains(&Object::Vhost { name: vhost.clone() });
        let with_user = match object {
            Object::Permission { user, .. } | Object::TopicPermission { user, .. } => {
                deleted.contains(&Object::User { name: user.clone() })
            }
            _ => false,
        };
        with_user || object.vhost().is_some_and(with_vhost)
    };
    let is_new = |object: &Object| !pending.contains(object);
    let stays = |object: &Object| {
        (!named.contains(object) || pending.contains(object)) && !deleted.contains(object) && !goes_along(object)
    };
    let keeps_ends = |it: &&Binding| ends_of(&it.object()).iter().all(|end| !deleted.contains(end));
    let old = &observed.topology;
    let mut all = desired.clone();
    all.vhosts.retain(|it| is_new(&it.object()));
    all.vhosts.extend(old.vhosts.iter().filter(|it| stays(&it.object())).cloned());
    all.users.retain(|it| is_new(&it.object()));
    all.users.extend(old.users.iter().filter(|it| stays(&it.object())).cloned());
    all.permissions.retain(|it| is_new(&it.object()));
    all.permissions.extend(old.permissions.iter().filter(|it| stays(&it.object())).cloned());
    all.topic_permissions.retain(|it| is_new(&it.object()));
    all.topic_permissions.extend(old.topic_permissions.iter().filter(|it| stays(&it.object())).cloned());
    all.exchanges.retain(|it| is_new(&it.object()));
    all.exchanges.extend(old.exchanges.iter().filter(|it| stays(&it.object())).cloned());
    all.queues.retain(|it| is_new(&it.object()));
    all.queues.extend(old.queues.iter().filter(|it| stays(&it.object())).cloned());
    all.bindings.retain(|it| is_new(&it.object()));
    all.bindings.extend(old.bindings.iter().filter(|it| stays(&it.object())).filter(keeps_ends).cloned());
    all.policies.retain(|it| is_new(&it.object(false)));
    all.policies.extend(old.policies.iter().filter(|it| stays(&it.object(false))).cloned());
    all.operator_policies.retain(|it| is_new(&it.object(true)));
    all.operator_policies.extend(old.operator_policies.iter().filter(|it| stays(&it.object(true))).cloned());
    all.parameters.retain(|it| is_new(&it.object()));
    all.parameters.extend(old.parameters.iter().filter(|it| stays(&it.object())).cloned());
    all
}
