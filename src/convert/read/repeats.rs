//! Objects that several sources declare, or one declares twice.
//! Takes a topology; keeps the first of those that are alike, and returns a problem for those that are not.

use crate::model::{Object, Policy, Topology};
use crate::source::{Code, Problem};
use std::collections::BTreeMap;

/// Removes what is there twice.
pub fn remove(topology: &mut Topology) -> Vec<Problem> {
    let mut problems = Vec::new();
    macro_rules! once {
        ($list:ident, $object:expr) => {
            keep_first(&mut topology.$list, $object, &mut problems);
        };
    }
    once!(vhosts, crate::model::Vhost::object);
    once!(users, crate::model::User::object);
    once!(permissions, crate::model::Permission::object);
    once!(topic_permissions, crate::model::TopicPermission::object);
    once!(exchanges, crate::model::Exchange::object);
    once!(queues, crate::model::Queue::object);
    once!(bindings, crate::model::Binding::object);
    once!(policies, |policy: &Policy| policy.object(false));
    once!(operator_policies, |policy: &Policy| policy.object(true));
    once!(parameters, crate::model::Parameter::object);
    problems
}

fn keep_first<T: PartialEq>(list: &mut Vec<T>, object: impl Fn(&T) -> Object, problems: &mut Vec<Problem>) {
    let mut first: BTreeMap<Object, usize> = BTreeMap::new();
    let mut kept: Vec<T> = Vec::with_capacity(list.len());
    for item in list.drain(..) {
        let identity = object(&item);
        match first.get(&identity) {
            Some(at) if kept[*at] == item => {}
            Some(_) => {
                let message = format!("{identity} is declared in two ways");
                let problem = Problem::new(Code::TopologyConflict, message);
                problems.push(problem.help("declare it once, or alike in all places, and import again"));
            }
            None => {
                first.insert(identity, kept.len());
                kept.push(item);
            }
        }
    }
    *list = kept;
}
