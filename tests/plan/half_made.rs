//! A vhost that an apply left without its maker's rights, since it was ended while RabbitMQ made it: the next one grants them.
//! A vhost that anybody may enter, or that holds anything, is left to who made it.

use crate::samples::{exchange, permission, policy, queue, user, vhost};
use rmqplay::broker::Management;
use rmqplay::model::{Object, Origins, Parameter, Topology};
use rmqplay::plan::{Abilities, Decision, Observed, Plan, Write, plan};
use rmqplay::source::Level;

fn desired() -> Topology {
    Topology { vhosts: vec![vhost("/")], queues: vec![queue("work", &[])], ..Topology::default() }
}

fn seen(there: Topology) -> Observed {
    let abilities = Some(Abilities { tags: vec!["administrator".into()], ..Abilities::default() });
    Observed { account: "guest".into(), abilities, ..Observed::of_file(there, None, true) }
}

fn planned(desired: &Topology, there: Topology) -> Plan {
    plan(desired, &Origins::new(), &seen(there))
}

fn half_made() -> Topology {
    Topology { vhosts: vec![vhost("/")], ..Topology::default() }
}

#[test]
fn the_rights_that_a_vhost_was_left_without_are_granted_before_all_that_needs_them() {
    let planned = planned(&desired(), half_made());
    let own = Object::Permission { user: "guest".into(), vhost: "/".into() };
    let objects: Vec<&Object> = planned.changes.iter().map(|change| &change.object).collect();
    assert_eq!(objects, [&own, &queue("work", &[]).object()]);
    let [Write::Manage(Management::PutPermission(row))] = &planned.changes[0].writes[..] else {
        panic!("{:?}", planned.changes[0].writes)
    };
    assert_eq!((&*row.configure, &*row.write, &*row.read), (".*", ".*", ".*"));
    assert_eq!(Decision::of(&planned, false), Decision::Write);
    let notes: Vec<&str> = planned.problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(
        notes,
        [
            "nobody has permissions in vhost '/', and nothing is in it: user 'guest', who applies this, gets all, as the maker of a \
             vhost does"
        ]
    );
}

#[test]
fn a_vhost_that_was_not_finished_is_made_anew_with_what_file_and_broker_say_of_it() {
    let mut there = half_made();
    there.vhosts[0].description = Some("kept".into());
    there.vhosts[0].limits.insert("max-queues".into(), 7);
    let mut desired = desired();
    desired.vhosts[0].tags = Some(vec!["own".into()]);
    let unfinished = Observed { unfinished: ["/".into()].into(), ..seen(there.clone()) };
    let planned = plan(&desired, &Origins::new(), &unfinished);
    let own = Object::Permission { user: "guest".into(), vhost: "/".into() };
    let objects: Vec<&Object> = planned.changes.iter().map(|change| &change.object).collect();
    assert_eq!(objects, [&vhost("/").object(), &own, &queue("work", &[]).object()]);
    let [Write::Manage(Management::DeleteVhost { .. }), Write::Manage(Management::PutVhost(put))] =
        &planned.changes[0].writes[..]
    else {
        panic!("{:?}", planned.changes[0].writes)
    };
    assert_eq!((put.description.as_deref(), put.tags.clone()), (Some("kept"), Some(vec!["own".to_owned()])));
    assert_eq!(put.limits.get("max-queues"), Some(&7));
    assert_eq!(Decision::of(&planned, false), Decision::Write);
    // One that holds anything is never deleted; where it is down, nothing is written.
    there.queues.push(queue("work", &[]));
    let desired = Topology { queues: vec![queue("other", &[])], ..desired };
    let mut in_use = Observed { unfinished: ["/".into()].into(), down: ["/".into()].into(), ..seen(there.clone()) };
    in_use.topology.permissions.push(permission("guest", ".*", ".*", ".*"));
    let down = plan(&desired, &Origins::new(), &in_use);
    assert_eq!(Decision::of(&down, true), Decision::Lacks);
    assert_eq!(down.problems[0].message, "vhost '/' is down, and takes no connection");
    for object in ["policies", "parameters"] {
        let mut there = half_made();
        match object {
            "policies" => there.policies.push(policy("cap", "^w", 1, &[("max-length", 5.into())])),
            _ => there.parameters.push(Parameter {
                vhost: "/".into(),
                component: "shovel".into(),
                name: "s".into(),
                value: serde_json::json!({}),
            }),
        }
        let unfinished = Observed { unfinished: ["/".into()].into(), ..seen(there) };
        let planned = plan(&desired, &Origins::new(), &unfinished);
        let deletes = |write: &Write| matches!(write, Write::Manage(Management::DeleteVhost { .. }));
        assert!(!planned.changes.iter().flat_map(|change| &change.writes).any(deletes), "{object}");
    }
}

#[test]
fn a_limit_that_an_apply_did_not_come_to_costs_nothing_while_nobody_is_there() {
    let mut desired = desired();
    desired.vhosts[0].limits.insert("max-queues".into(), 9);
    let mut limited = user("alice", "x", &[]);
    limited.limits.insert("max-channels".into(), 3);
    desired.users.push(limited);
    let mut there = half_made();
    there.users.push(user("alice", "x", &[]));
    there.permissions.push(permission("guest", ".*", ".*", ".*"));
    assert_eq!(Decision::of(&planned(&desired, there.clone()), false), Decision::Write);
    // Whoever may be in there can notice.
    let risky = |there: &Topology| planned(&desired, there.clone()).risky().count();
    there.permissions.push(permission("alice", ".*", ".*", ".*"));
    assert_eq!(risky(&there), 2);
    there.permissions.pop();
    there.queues.push(queue("work", &[]));
    assert_eq!(risky(&there), 1);
}

#[test]
fn once_they_are_there_nothing_is_left_to_grant() {
    let mut there = half_made();
    there.queues.push(queue("work", &[]));
    there.permissions.push(permission("guest", ".*", ".*", ".*"));
    let planned = planned(&desired(), there);
    assert!(planned.is_empty() && planned.problems.is_empty(), "{planned:?}");
}

#[test]
fn a_vhost_that_somebody_may_enter_or_that_holds_something_is_left_alone() {
    let mut of_another = half_made();
    of_another.permissions.push(permission("alice", ".*", ".*", ".*"));
    let mut in_use = half_made();
    in_use.exchanges.push(exchange("orders", "topic"));
    for there in [of_another, in_use] {
        let planned = planned(&desired(), there);
        assert_eq!(Decision::of(&planned, true), Decision::Lacks, "{planned:?}");
        let problem =
            planned.problems.iter().find(|problem| problem.level == Level::Problem).expect("a right is missing");
        assert_eq!(problem.message, "user 'guest' has no permissions in vhost '/'");
    }
}

#[test]
fn a_file_that_says_what_the_account_may_do_or_needs_no_connection_gets_nothing_added() {
    let mut told = desired();
    told.permissions.push(permission("guest", "", "", ".*"));
    let granted = |planned: &Plan| {
        planned.changes.iter().filter(|change| matches!(change.object, Object::Permission { .. })).count()
    };
    let planned_told = planned(&told, half_made());
    assert_eq!(granted(&planned_told), 1, "the file's own");
    let nothing = Topology { vhosts: vec![vhost("/")], ..Topology::default() };
    assert!(planned(&nothing, half_made()).is_empty());
}
