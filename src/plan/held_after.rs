//! What a broker holds after a plan: what a file declares, beside what stays of what was there.
//! Takes desired and observed topology and a plan; gives a topology. Never judges it.

use crate::model::{Binding, Object, Topology};
use crate::plan::all_objects::{all_objects, ends_of};
use crate::plan::{ChangeKind, Observed, Plan};
use std::collections::BTreeSet;

/// Puts what a file declares over what a broker was seen to hold, without what the plan deletes.
pub fn held_after(desired: &Topology, observed: &Observed, plan: &Plan) -> Topology {
    let is_deleted = |kind: &ChangeKind| matches!(kind, ChangeKind::Delete { .. });
    let deleted = plan.changes.iter().filter(|change| is_deleted(&change.kind));
    let deleted: BTreeSet<Object> = deleted.map(|change| change.object.clone()).collect();
    let named = all_objects(desired);
    let stays = |object: &Object| !named.contains(object) && !deleted.contains(object);
    let old = &observed.topology;
    let mut all = desired.clone();
    all.vhosts.extend(old.vhosts.iter().filter(|it| stays(&it.object())).cloned());
    all.users.extend(old.users.iter().filter(|it| stays(&it.object())).cloned());
    all.permissions.extend(old.permissions.iter().filter(|it| stays(&it.object())).cloned());
    all.topic_permissions.extend(old.topic_permissions.iter().filter(|it| stays(&it.object())).cloned());
    all.exchanges.extend(old.exchanges.iter().filter(|it| stays(&it.object())).cloned());
    all.queues.extend(old.queues.iter().filter(|it| stays(&it.object())).cloned());
    // A binding goes with either of its ends.
    let keeps_ends = |it: &&Binding| ends_of(&it.object()).iter().all(|end| !deleted.contains(end));
    all.bindings.extend(old.bindings.iter().filter(|it| stays(&it.object())).filter(keeps_ends).cloned());
    all.policies.extend(old.policies.iter().filter(|it| stays(&it.object(false))).cloned());
    all.operator_policies.extend(old.operator_policies.iter().filter(|it| stays(&it.object(true))).cloned());
    all.parameters.extend(old.parameters.iter().filter(|it| stays(&it.object())).cloned());
    all
}
