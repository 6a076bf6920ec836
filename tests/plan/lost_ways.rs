//! Deletions that leave dead letters or unroutable messages of what stays without a queue: they need consent, whoever asks for
//! them. What takes no way from anything needs none.

use crate::samples::{binding, exchange, policy, queue, vhost};
use rmqplay::model::{ApplyTo, Binding, DestinationKind, Exchange, Handling, Queue, QueueName, Topology};
use rmqplay::plan::{Change, Decision, DeletionScope, Observed, Plan, QueueFacts, destroy, prune};

/// Observes a broker of which every queue was counted, and is empty: nothing but ways can be lost.
fn seen(topology: Topology) -> Observed {
    let facts = |queue: &Queue| (queue.id(), QueueFacts { messages: 0, consumers: Some(0) });
    let queues = topology.queues.iter().map(facts).collect();
    Observed { account: "guest".into(), queues, ..Observed::of_file(topology, None, true) }
}

/// Tells what is at stake of each deletion.
fn at_stake(changes: &[Change]) -> Vec<&str> {
    changes.iter().filter_map(|change| Some(change.risk.as_ref()?.what.as_str())).collect()
}

/// Deletes what `named` names and `there` holds.
fn destroyed(named: Topology, there: &Topology) -> Vec<Change> {
    destroy(&named, &Handling::default(), &seen(there.clone()), DeletionScope::default())
}

/// Prunes what `kept` does not name.
fn pruned(kept: &Topology, there: &Topology) -> Vec<Change> {
    prune(kept, &Handling::default(), &seen(there.clone()), &["/".into()], DeletionScope::default())
}

fn dying(name: &str, exchange: &str, key: Option<&str>) -> Queue {
    let key = key.map(|key| ("x-dead-letter-routing-key", key.into()));
    let arguments: Vec<_> = [("x-dead-letter-exchange", exchange.into())].into_iter().chain(key).collect();
    queue(name, &arguments)
}

fn to_exchange(source: &str, destination: &str, key: &str) -> Binding {
    Binding { destination_kind: DestinationKind::Exchange, ..binding(source, destination, key) }
}

/// A queue whose dead letters are parked by way of two exchanges.
fn parking() -> Topology {
    Topology {
        vhosts: vec![vhost("/")],
        exchanges: vec![exchange("dlx", "direct"), exchange("park", "fanout")],
        queues: vec![dying("work", "dlx", Some("failed")), queue("parked", &[]), queue("other", &[])],
        bindings: vec![
            to_exchange("dlx", "park", "failed"),
            binding("park", "parked", ""),
            binding("dlx", "other", "x"),
        ],
        ..Topology::default()
    }
}

#[test]
fn destroy_needs_consent_for_each_part_of_a_way_that_stays_needed() {
    let there = parking();
    let of = |named: Topology| {
        let changes = destroyed(named, &there);
        let told: Vec<String> = at_stake(&changes).into_iter().map(str::to_owned).collect();
        let plan = Plan { changes, ..Plan::default() };
        (told, Decision::of(&plan, false), Decision::of(&plan, true))
    };
    let lost = |what: &str| (vec![what.to_owned()], Decision::Loses, Decision::Write);
    assert_eq!(
        of(Topology { exchanges: vec![exchange("dlx", "direct")], ..Topology::default() }),
        lost("exchange 'dlx' goes, and dead letters of queue 'work' go to it")
    );
    let nowhere = "dead letters of queue 'work' with the key 'failed' come to no queue then (exchange 'dlx')";
    assert_eq!(
        of(Topology { queues: vec![queue("parked", &[])], ..Topology::default() }),
        lost(&format!("queue 'parked' goes, and {nowhere}"))
    );
    assert_eq!(
        of(Topology { exchanges: vec![exchange("park", "fanout")], ..Topology::default() }),
        lost(&format!("exchange 'park' goes, and {nowhere}"))
    );
    assert_eq!(
        of(Topology { bindings: vec![to_exchange("dlx", "park", "failed")], ..Topology::default() }),
        lost(&format!("binding 'dlx' -> exchange 'park' (failed) goes, and {nowhere}"))
    );
    let free = (Vec::new(), Decision::Write, Decision::Write);
    assert_eq!(of(Topology { queues: vec![queue("other", &[])], ..Topology::default() }), free, "another key");
    assert_eq!(of(there.clone()), free, "who sends goes, too");
}

#[test]
fn what_still_comes_to_a_queue_another_way_needs_no_consent() {
    let mut there = parking();
    there.queues.push(queue("second", &[]));
    there.bindings.push(binding("dlx", "second", "failed"));
    let parked = Topology { queues: vec![queue("parked", &[])], ..Topology::default() };
    assert_eq!(at_stake(&destroyed(parked, &there)), Vec::<&str>::new());
}

#[test]
fn a_dead_letter_keeps_its_key_and_each_key_may_need_its_binding() {
    let there = |kind: &str, bindings: Vec<Binding>| Topology {
        vhosts: vec![vhost("/")],
        exchanges: vec![exchange("dlx", kind)],
        queues: vec![dying("work", "dlx", None), queue("a", &[]), queue("b", &[])],
        bindings,
        ..Topology::default()
    };
    let without_b = |kind: &str, keys: [&str; 2]| {
        let whole = there(kind, vec![binding("dlx", "a", keys[0]), binding("dlx", "b", keys[1])]);
        let mut kept = whole.clone();
        kept.queues.pop();
        kept.bindings.pop();
        at_stake(&pruned(&kept, &whole)).into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    let lost =
        "queue 'b' goes, and dead letters of queue 'work' with the key 'y' come to no queue then (exchange 'dlx')";
    assert_eq!(without_b("direct", ["x", "y"]), [lost]);
    assert_eq!(without_b("topic", ["x.#", "y"]), [lost]);
    assert_eq!(without_b("topic", ["#", "y.*"]), Vec::<String>::new());
    assert_eq!(without_b("topic", ["*", "y"]), Vec::<String>::new());
    assert_eq!(without_b("direct", ["y", "y"]), Vec::<String>::new());
    assert_eq!(without_b("fanout", ["", ""]), Vec::<String>::new());
}

#[test]
fn policies_and_alternate_exchanges_send_too() {
    let alternate = |name: &str| {
        let mut exchange: Exchange = exchange(name, "topic");
        exchange.arguments.insert("alternate-exchange".into(), "rest".into());
        exchange
    };
    let mut by_policy = policy("dying", "^work$", 0, &[("dead-letter-exchange", "".into())]);
    by_policy.definition.insert("dead-letter-routing-key".into(), "late".into());
    let mut on_exchanges = policy("catch", "^orders$", 0, &[("alternate-exchange", "rest".into())]);
    on_exchanges.apply_to = ApplyTo::Exchanges;
    let there = Topology {
        vhosts: vec![vhost("/")],
        exchanges: vec![alternate("shop"), exchange("orders", "topic"), exchange("rest", "fanout")],
        queues: vec![queue("work", &[]), queue("late", &[]), queue("unrouted", &[])],
        bindings: vec![binding("rest", "unrouted", "")],
        policies: vec![by_policy, on_exchanges],
        ..Topology::default()
    };
    let named = Topology { queues: vec![queue("late", &[]), queue("unrouted", &[])], ..Topology::default() };
    assert_eq!(
        at_stake(&destroyed(named, &there)),
        [
            "queue 'late' goes, and dead letters of queue 'work' go to it",
            "queue 'unrouted' goes, and what exchange 'orders' and 1 more cannot route comes to no queue then (exchange 'rest')",
        ]
    );
}

#[test]
fn messages_of_a_queue_that_goes_are_told_beside_the_way() {
    let there = parking();
    let mut observed = seen(there);
    let id = QueueName::new("/", "parked");
    observed.queues.insert(id.clone(), QueueFacts { messages: 2, consumers: Some(0) });
    let named = Topology { queues: vec![queue("parked", &[])], ..Topology::default() };
    let changes = destroy(&named, &Handling::default(), &observed, DeletionScope::default());
    let risk = changes[0].risk.as_ref().expect("both are at stake");
    assert!(risk.what.ends_with("(exchange 'dlx'); queue 'parked' goes with its messages"), "{}", risk.what);
    assert_eq!(risk.queues, [(id, Some(2))]);
}
