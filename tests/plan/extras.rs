//! What a broker holds beside a file: what is listed, and what never is because somebody else made it.

use crate::samples::{binding, exchange, permission, policy, queue, table, topic_permission, user, vhost};
use rmqplay::model::{Binding, DestinationKind, Name, Parameter, QueueName, Topology, Value};
use rmqplay::plan::{Change, Observed, QueueFacts, cluster_extras, explain, explain_extra, extras};

fn seen(topology: Topology) -> Observed {
    Observed { account: "guest".into(), ..Observed::of_file(topology, None, true) }
}

fn lines(desired: &Topology, observed: &Observed) -> Vec<String> {
    extras(desired, observed, &["/".into()]).iter().map(explain_extra).collect()
}

fn parameter(component: &str, name: &str, value: serde_json::Value) -> Parameter {
    Parameter { vhost: "/".into(), component: component.into(), name: name.into(), value }
}

#[test]
fn what_the_file_does_not_name_is_listed_by_kind() {
    let desired = Topology {
        exchanges: vec![exchange("orders", "topic")],
        queues: vec![queue("work", &[])],
        bindings: vec![binding("orders", "work", "new.#")],
        permissions: vec![permission("alice", "", "", ".*")],
        ..Topology::default()
    };
    let mut old = desired.clone();
    let mut limited = vhost("/");
    limited.limits.insert("max-queues".into(), 9);
    limited.limits.insert("max-connections".into(), -1);
    old.vhosts = vec![limited];
    old.exchanges.push(exchange("left", "fanout"));
    old.queues.push(queue("left.q", &[("x-queue-type", "quorum".into())]));
    old.bindings.push(binding("orders", "work", "old.#"));
    old.permissions.push(permission("bob", ".*", ".*", ".*"));
    old.topic_permissions.push(topic_permission("bob", "orders", "a", "b"));
    old.policies.push(policy("cap", "^w", 1, &[("max-length", 5.into())]));
    old.operator_policies.push(policy("bound", ".*", 0, &[("expires", 5.into())]));
    old.parameters.push(parameter("shovel", "s", serde_json::json!({})));
    assert_eq!(
        lines(&desired, &seen(old)),
        [
            "permissions of 'bob' in vhost '/' (configure .*, write .*, read .*)",
            "exchange 'left' in vhost '/' (fanout)",
            "topic permissions of 'bob' on 'orders' in vhost '/' (write a, read b)",
            "policy 'cap' in vhost '/' (pattern ^w, queues, priority 1, max-length 5)",
            "operator policy 'bound' in vhost '/' (pattern .*, queues, expires 5)",
            "shovel parameter 's' in vhost '/'",
            "limit max-queues in vhost '/' (9)",
            "queue 'left.q' in vhost '/' (quorum)",
            "binding 'orders' -> queue 'work' (old.#) in vhost '/'",
        ]
    );
}

#[test]
fn what_others_made_is_never_listed() {
    let mut internal = exchange("federation: orders -> rabbit@a B", "topic");
    internal.internal = true;
    let mut super_stream = exchange("invoices", "direct");
    super_stream.arguments = table(&[("x-super-stream", Value::Bool(true))]);
    let mut exclusive = queue("mine.alone", &[]);
    exclusive.exclusive = true;
    let names = [
        "amq.gen-Xy",
        "federation: orders -> rabbit@a",
        "mqtt-subscription-sensor-1qos1",
        "mqtt-will-sensor-1",
        "stomp-subscription-4f",
        "sharding: images - rabbit@a - 3",
        "work.rmqplay-move",
        "shovelled",
        "invoices-0",
    ];
    let old = Topology {
        exchanges: vec![exchange("amq.topic", "topic"), exchange("", "direct"), internal, super_stream],
        queues: names.iter().map(|name| queue(name, &[])).chain([exclusive]).collect(),
        bindings: vec![
            binding("amq.topic", "mqtt-subscription-sensor-1qos1", "a.b"),
            binding("invoices", "invoices-0", "0"),
            binding("", "shovelled", "shovelled"),
        ],
        permissions: vec![permission("guest", ".*", ".*", ".*"), permission("rmqplay-0abcdeFG", ".*", ".*", ".*")],
        parameters: vec![parameter("shovel", "named", serde_json::json!({"dest-queue": "shovelled"}))],
        ..Topology::default()
    };
    let desired = Topology {
        parameters: old.parameters.clone(),
        exchanges: vec![exchange("kept", "direct")],
        ..Topology::default()
    };
    assert_eq!(lines(&desired, &seen(old)), Vec::<String>::new());
}

#[test]
fn bindings_go_with_an_end_that_is_listed_and_other_vhosts_are_not_looked_at() {
    let mut elsewhere = queue("elsewhere", &[]);
    elsewhere.vhost = "other".into();
    let between = Binding { destination_kind: DestinationKind::Exchange, ..binding("orders", "audit", "#") };
    let old = Topology {
        exchanges: vec![exchange("orders", "topic"), exchange("audit", "fanout")],
        queues: vec![queue("left", &[]), elsewhere],
        bindings: vec![binding("orders", "left", "a"), binding("audit", "left", "b"), between],
        ..Topology::default()
    };
    let desired = Topology { exchanges: vec![exchange("orders", "topic")], ..Topology::default() };
    let mut observed = seen(old);
    let facts = QueueFacts { messages: 12, consumers: Some(1) };
    observed.queues.insert(QueueName::new("/", "left"), facts);
    let found = extras(&desired, &observed, &["/".into()]);
    let told: Vec<(String, usize)> = found.iter().map(|one| (explain_extra(one), one.stakes.bindings)).collect();
    assert_eq!(
        told,
        [
            ("exchange 'audit' in vhost '/' (fanout)".to_owned(), 2),
            ("queue 'left' in vhost '/' (classic)".to_owned(), 2)
        ]
    );
    let queue = found[1].clone();
    assert_eq!((queue.stakes.messages, queue.stakes.consumers, queue.stakes.is_in_use()), (Some(12), Some(1), true));
    assert_eq!(explain(&Change::delete(queue, "", Vec::new())), "- queue 'left' in vhost '/' (classic)");
}

#[test]
fn users_vhosts_and_global_parameters_are_listed_apart() {
    let mut old = Topology {
        users: vec![user("guest", "g", &["administrator"]), user("bob", "b", &[]), user("rmqplay-0abcdeFG", "x", &[])],
        vhosts: vec![vhost("/"), vhost("orders"), vhost("left"), vhost("rmqplay-0abcdeFH")],
        ..Topology::default()
    };
    old.global_parameters.insert("cluster_name".into(), "a".into());
    old.global_parameters.insert("internal_cluster_id".into(), "b".into());
    let desired = Topology { vhosts: vec![vhost("orders")], ..Topology::default() };
    let found: Vec<String> = cluster_extras(&desired, &seen(old.clone())).iter().map(explain_extra).collect();
    assert_eq!(found, ["user 'bob'", "vhost 'left'", "global parameter 'cluster_name'"]);
    let none: Vec<Name> = Vec::new();
    assert!(extras(&desired, &seen(old), &none).is_empty());
}
