//! What `destroy` deletes: what a file names and a broker holds.
//! Takes desired and observed topology; gives deletions in their order. Never deletes.

use crate::model::{Handling, Name, Object, Topology};
use crate::plan::all_objects::{all_objects, ends_of};
use crate::plan::deletion::{deletion, in_order};
use crate::plan::diff::loss::judge_policies;
use crate::plan::extra::Extra;
use crate::plan::foreign::is_predeclared;
use crate::plan::ignore_list::IgnoreList;
use crate::plan::lost_ways::judge_ways;
use crate::plan::prune::stays;
use crate::plan::{Change, DeletionScope, Observed, Stakes};
use crate::source::Problem;
use std::collections::BTreeSet;

/// Lists the deletions of what a file names, but for what it ignores, the account in use and its rights.
pub fn destroy(desired: &Topology, handling: &Handling, observed: &Observed, scope: DeletionScope) -> Vec<Change> {
    let ignored = IgnoreList::of(&handling.ignored);
    let named: BTreeSet<Object> = named_and_there(desired, observed, scope, &ignored)
        .filter(|object| ignored.held_by(object, observed).is_none())
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
    judge_ways(&mut changes, &Topology::default(), observed);
    judge_policies(&mut changes, &Topology::default(), observed);
    in_order(&mut changes);
    changes
}

/// Notes what stays although a file names it, since what the file ignores would go with it.
pub fn spared_from_destroy(
    desired: &Topology,
    handling: &Handling,
    observed: &Observed,
    scope: DeletionScope,
) -> Vec<Problem> {
    let ignored = IgnoreList::of(&handling.ignored);
    let named = named_and_there(desired, observed, scope, &ignored);
    named.filter_map(|object| Some(stays(&object, &ignored.held_by(&object, observed)?))).collect()
}

/// Lists what a file names, a broker holds and the scope reaches, but for what the file ignores.
fn named_and_there(
    desired: &Topology,
    observed: &Observed,
    scope: DeletionScope,
    ignored: &IgnoreList,
) -> impl Iterator<Item = Object> {
    let there = all_objects(&observed.topology);
    let is_own = |object: &Object| match object {
        Object::User { name } => *name == observed.account,
        Object::Permission { user, .. } | Object::TopicPermission { user, .. } => *user == observed.account,
        Object::Exchange { name, .. } => is_predeclared(name),
        _ => false,
    };
    all_objects(desired)
        .into_iter()
        .filter(move |object| there.contains(object) && scope.has(object) && !is_own(object) && !ignored.covers(object))
}
