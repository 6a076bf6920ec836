//! Saved plans: hashes and never passwords, all that a plan needs, and a digest of what it depends on.

use crate::samples::{exchange, policy, queue, shop, user, vhost};
use rmqplay::model::{Credential, Origins, Secret, Topology, Value};
use rmqplay::plan::{NoSavedPlan, Observed, SavedPlan, digest_of, hash_of, plan, without_passwords, write_definitions};
use serde_json::json;

fn saved(topology: Topology, digest: String) -> SavedPlan {
    let files = vec!["shop.yaml".to_owned()];
    SavedPlan { broker: "localhost:5672".into(), version: "4.3.6".into(), digest, files, topology }
}

/// A topology with a value of every type that JSON does not have.
fn typed() -> Topology {
    let mut topology = shop();
    let table = [("deep", Value::Array(vec![Value::I8(1), Value::Timestamp(5)]))].into_iter().collect();
    topology.queues.push(queue(
        "typed",
        &[("x-short", Value::I16(3)), ("x-bytes", Value::Bytes(vec![0, 255])), ("x-table", Value::Table(table))],
    ));
    topology
}

#[test]
fn a_saved_plan_holds_hashes_and_comes_back_whole() {
    let observed = Observed::of_file(Topology::default(), None, true);
    let hashed = without_passwords(&typed(), &observed, || [1, 2, 3, 4]);
    let plan_file = saved(hashed.clone(), digest_of(&hashed, &observed));
    let json = plan_file.to_json(&json!({"changes": []}));
    assert!(!json.to_string().contains("wonderland"), "the password of alice");
    assert_eq!(SavedPlan::read(&json), Ok(plan_file));
    let Some(Credential::Hash { hash, .. }) = &hashed.users[0].credential else { panic!("a hash") };
    assert_eq!(rmqplay::plan::is_hash_of(hash, "", &Secret::new("wonderland")), Some(true));
    // The same changes follow from it, but for the password, of which the broker knows no hash yet.
    let lines = |topology: &Topology| {
        plan(topology, &Origins::new(), &observed).changes.iter().map(rmqplay::plan::explain).collect::<Vec<_>>()
    };
    assert_eq!(lines(&hashed), lines(&typed()));
}

#[test]
fn a_password_that_holds_already_keeps_the_brokers_hash() {
    let mut there = user("alice", "", &[]);
    there.credential = Some(hash_of(&Secret::new("wonderland"), [9, 9, 9, 9]));
    let observed = Observed::of_file(Topology { users: vec![there.clone()], ..Topology::default() }, None, true);
    let desired = Topology { users: vec![user("alice", "wonderland", &[])], ..Topology::default() };
    assert_eq!(without_passwords(&desired, &observed, || [1; 4]).users, [there]);
    let wrong = Topology { users: vec![user("alice", "other", &[])], ..Topology::default() };
    let made = without_passwords(&wrong, &observed, || [1; 4]);
    assert_eq!(made.users[0].credential, Some(hash_of(&Secret::new("other"), [1; 4])));
}

#[test]
fn a_topology_with_a_password_is_written_without_it() {
    let text = write_definitions(&shop()).to_string();
    assert!(!text.contains("wonderland") && text.contains("\"alice\""));
}

#[test]
fn other_files_are_told_from_broken_plans() {
    assert_eq!(SavedPlan::read(&json!({"queues": []})), Err(NoSavedPlan::AnotherFile));
    assert_eq!(SavedPlan::read(&json!({"rmqplay_plan": 2})), Err(NoSavedPlan::AnotherForm));
    assert_eq!(SavedPlan::read(&json!({"rmqplay_plan": 1, "files": []})), Err(NoSavedPlan::Broken("topology")));
}

#[test]
fn the_digest_moves_with_what_the_plan_depends_on_and_with_nothing_else() {
    let desired =
        Topology { queues: vec![queue("work", &[])], users: vec![user("alice", "a", &[])], ..Topology::default() };
    let base = Topology {
        vhosts: vec![vhost("/"), vhost("other")],
        exchanges: vec![exchange("a", "topic"), exchange("b", "topic")],
        policies: vec![policy("p", "^x", 0, &[("max-length", 1.into()), ("expires", 5000.into())])],
        users: vec![user("alice", "a", &[]), user("bob", "b", &[])],
        ..Topology::default()
    };
    let digest = |change: &dyn Fn(&mut Topology)| {
        let mut topology = base.clone();
        change(&mut topology);
        digest_of(&desired, &Observed::of_file(topology, None, true))
    };
    let same = digest(&|_| {});
    assert!(same.starts_with("sha256:") && same.len() == 71);
    let mut elsewhere = queue("q", &[]);
    elsewhere.vhost = "other".into();
    assert_eq!(digest(&|old| old.exchanges.reverse()), same, "an order");
    assert_eq!(digest(&|old| old.policies[0].definition.reverse()), same, "an order of keys");
    assert_eq!(digest(&|old| old.users[1].tags.push("monitoring".into())), same, "another user");
    assert_ne!(digest(&|old| old.users[0].tags.push("monitoring".into())), same, "a user of the file");
    assert_ne!(digest(&|old| old.queues.push(queue("extra", &[]))), same, "an extra");
    assert_ne!(digest(&|old| old.policies[0].priority = 1), same, "a policy");
}
