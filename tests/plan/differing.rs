//! What is found missing or different, as the lines that users read; and that a second look finds nothing.

use crate::samples::{binding, exchange, permission, policy, queue, shop, table, user, vhost};
use rmqplay::model::{Credential, Object, Origin, Origins, Policy, Profile, Secret, Topology, Value, Version};
use rmqplay::plan::{ChangeKind, Observed, Plan, QueueFacts, Write, explain, is_hash_of, plan};
use rmqplay::source::{Code, FileId, Span};

/// RabbitMQ's documented example: the hash of `test12` with the salt 908D C60A.
const TEST12: &str = "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR";
const SHA256: &str = "rabbit_password_hashing_sha256";

fn seen(topology: Topology, version: (u16, u16)) -> Observed {
    let version = Version { major: version.0, minor: version.1 };
    Observed { topology, version, ..Observed::empty(Profile::NEWEST) }
}

fn planned(desired: &Topology, observed: &Observed) -> Plan {
    plan(desired, &Origins::new(), observed)
}

fn lines(plan: &Plan) -> String {
    plan.changes.iter().map(explain).collect::<Vec<_>>().join("\n")
}

/// Plans two topologies of one object each against one another.
fn between(mut old: Topology, new: Topology) -> String {
    old.vhosts = vec![vhost("/")];
    lines(&planned(&new, &seen(old, (4, 3))))
}

/// Turns what a file declares into what a broker of that version exports after `apply`.
fn exported(desired: &Topology, version: (u16, u16)) -> Topology {
    let mut topology = desired.clone();
    for vhost in &mut topology.vhosts {
        vhost.description = Some("Default virtual host".into());
        vhost.tags = Some(Vec::new());
        vhost.default_queue_type = (version.0 >= 4).then(|| "classic".into());
    }
    for user in &mut topology.users {
        user.credential = Some(Credential::Hash { hash: Secret::new(TEST12), algorithm: SHA256.into() });
        user.tags.reverse();
    }
    for queue in &mut topology.queues {
        if version.0 >= 4 {
            let kind = queue.arguments.shift_remove("x-queue-type").unwrap_or_else(|| Value::from("classic"));
            queue.arguments.insert("x-queue-type".into(), kind);
        }
        queue.arguments.sort_keys();
        for value in queue.arguments.values_mut() {
            if let Value::I64(n) = value {
                *value = Value::F64(*n as f64);
            }
        }
    }
    for policy in &mut topology.policies {
        policy.definition.values_mut().for_each(|value| {
            if let Some(n) = value.as_i64() {
                *value = serde_json::json!(n as f64);
            }
        });
    }
    topology.exchanges.push(exchange("not.in.the.file", "fanout"));
    topology.queues.push(queue("neither.this", &[]));
    topology.users.push(user("guest", "guest", &["administrator"]));
    topology
}

#[test]
fn an_empty_broker_gets_everything_in_order() {
    let plan = planned(&shop(), &Observed::empty(Profile::NEWEST));
    let expected = "\
+ user 'alice' (monitoring, max-connections 5)
+ vhost '/' (max-queues 50)
+ permissions of 'alice' in vhost '/' (configure ^$, write ^game$, read ^cmd\\.alice$)
+ exchange 'game' in vhost '/' (topic)
+ exchange 'audit' in vhost '/' (fanout, internal)
+ topic permissions of 'alice' on 'game' in vhost '/' (write ^status\\., read ^quest\\.)
+ policy 'cap' in vhost '/' (pattern ^work, queues, priority 1, max-length 10)
+ queue 'ttl.q' in vhost '/' (quorum, message-ttl 5s)
+ queue 'work.q' in vhost '/' (classic, x-custom 1)
+ binding 'game' -> queue 'ttl.q' (ttl.#) in vhost '/'
+ binding 'game' -> queue 'work.q' (work.*) in vhost '/'";
    assert_eq!(lines(&plan), expected);
    assert_eq!((plan.unchanged, plan.risky().count(), plan.replaced().count()), (0, 0, 0));
}

#[test]
fn a_second_look_finds_nothing_whatever_the_version_exports() {
    let mut desired = shop();
    desired.users[0].credential = Some(Credential::Password(Secret::new("test12")));
    desired.users[0].tags = vec!["monitoring".into(), "policymaker".into()];
    for version in [(3, 10), (4, 0), (4, 3)] {
        let plan = planned(&desired, &seen(exported(&desired, version), version));
        assert_eq!(lines(&plan), "", "{version:?}");
        assert!(plan.is_empty() && plan.problems.is_empty());
        assert_eq!(plan.unchanged, 11);
    }
}

#[test]
fn passwords_are_compared_by_hashing() {
    let hash = Secret::new(TEST12);
    assert_eq!(is_hash_of(&hash, SHA256, &Secret::new("test12")), Some(true));
    assert_eq!(is_hash_of(&hash, SHA256, &Secret::new("test13")), Some(false));
    assert_eq!(is_hash_of(&hash, "rabbit_password_hashing_sha512", &Secret::new("test12")), Some(false));
    assert_eq!(is_hash_of(&hash, "rabbit_password_hashing_md5", &Secret::new("test12")), None);
    assert_eq!(is_hash_of(&Secret::new(""), SHA256, &Secret::new("")), Some(false));
    assert_eq!(is_hash_of(&Secret::new("no base64!"), SHA256, &Secret::new("x")), Some(false));
}

#[test]
fn a_wrong_password_is_written_and_never_shown() {
    let mut old = user("alice", "", &[]);
    old.credential = Some(Credential::Hash { hash: Secret::new(TEST12), algorithm: SHA256.into() });
    let new = user("alice", "test13", &[]);
    let (old, new) =
        (Topology { users: vec![old], ..Topology::default() }, Topology { users: vec![new], ..Topology::default() });
    let plan = planned(&new, &seen(old, (4, 3)));
    assert_eq!(lines(&plan), "~ user 'alice': password changes");
    let everything = format!("{plan:?}");
    assert!(!everything.contains("test13") && !everything.contains(TEST12));
}

#[test]
fn changed_tags_resend_the_hash_or_are_refused() {
    let hash = Credential::Hash { hash: Secret::new(TEST12), algorithm: SHA256.into() };
    let mut old = user("alice", "", &["monitoring"]);
    old.credential = Some(hash.clone());
    let desired = Topology { users: vec![user("alice", "", &["monitoring", "management"])], ..Topology::default() };
    let with_hash = Topology { users: vec![old.clone()], ..Topology::default() };
    let plan = planned(&desired, &seen(with_hash, (4, 3)));
    assert_eq!(lines(&plan), "~ user 'alice': tags monitoring -> management, monitoring");
    assert!(plan.changes[0].risk.is_none());
    let Write::Manage(rmqplay::broker::Management::PutUser(put)) = &plan.changes[0].writes[0] else { panic!("a PUT") };
    assert_eq!(put.credential, Some(hash));

    old.credential = None;
    let without = Topology { users: vec![old], ..Topology::default() };
    let plan = planned(&desired, &seen(without, (4, 3)));
    assert_eq!(lines(&plan), "~ user 'alice': tags monitoring -> management, monitoring");
    assert_eq!(plan.problems[0].code, Code::PlanPasswordUnknown);
}

#[test]
fn queues_never_change() {
    let of = |queue| Topology { queues: vec![queue], ..Topology::default() };
    let plain = || queue("q", &[]);
    let cases = [
        (
            {
                let mut q = plain();
                q.durable = false;
                q
            },
            plain(),
            "durable false -> true",
        ),
        (
            plain(),
            {
                let mut q = plain();
                q.auto_delete = true;
                q
            },
            "auto_delete false -> true",
        ),
        (
            plain(),
            {
                let mut q = plain();
                q.exclusive = true;
                q
            },
            "exclusive false -> true",
        ),
        (plain(), queue("q", &[("x-queue-type", "quorum".into())]), "type classic -> quorum"),
        (queue("q", &[("x-queue-type", "stream".into())]), plain(), "type stream -> classic"),
        (queue("q", &[("x-max-length", 5.into())]), plain(), "x-max-length 5 -> none"),
        (plain(), queue("q", &[("x-custom", 5.into())]), "x-custom none -> 5"),
    ];
    for (old, new, text) in cases {
        assert_eq!(between(of(old), of(new)), format!("-/+ queue 'q' in vhost '/': {text}"));
    }
}

#[test]
fn an_equal_age_in_another_unit_is_a_difference_before_4_3() {
    let log = |age: &str| {
        let arguments = [("x-queue-type", "stream".into()), ("x-max-age", Value::from(age))];
        Topology { queues: vec![queue("log", &arguments)], ..Topology::default() }
    };
    let told = |version, age: &str| {
        let old = Topology { vhosts: vec![vhost("/")], ..log("7D") };
        lines(&planned(&log(age), &seen(old, version)))
    };
    assert_eq!(told((4, 3), "168h"), "");
    assert_eq!(told((4, 3), "169h"), "-/+ queue 'log' in vhost '/': x-max-age 7D -> 169h");
    assert_eq!(told((4, 2), "168h"), "-/+ queue 'log' in vhost '/': x-max-age 7D -> 168h");
}

#[test]
fn exchanges_never_change() {
    let of = |exchange| Topology { exchanges: vec![exchange], ..Topology::default() };
    let plain = || exchange("x", "topic");
    let cases = [
        (plain(), exchange("x", "fanout"), "type topic -> fanout"),
        (
            plain(),
            {
                let mut x = plain();
                x.durable = false;
                x
            },
            "durable true -> false",
        ),
        (
            plain(),
            {
                let mut x = plain();
                x.auto_delete = true;
                x
            },
            "auto_delete false -> true",
        ),
        (
            plain(),
            {
                let mut x = plain();
                x.internal = true;
                x
            },
            "internal false -> true",
        ),
        (
            plain(),
            {
                let mut x = plain();
                x.arguments = table(&[("alternate-exchange", "ae".into())]);
                x
            },
            "alternate-exchange none -> ae",
        ),
    ];
    for (old, new, text) in cases {
        assert_eq!(between(of(old), of(new)), format!("-/+ exchange 'x' in vhost '/': {text}"));
    }
    assert_eq!(between(Topology::default(), of(exchange("amq.topic", "topic"))), "");
}

#[test]
fn an_immutable_difference_points_at_its_line() {
    let desired = Topology { queues: vec![queue("q", &[("x-max-length", 7.into())])], ..Topology::default() };
    let old = Topology { vhosts: vec![vhost("/")], queues: vec![queue("q", &[])], ..Topology::default() };
    let mut observed = seen(old, (4, 3));
    observed.queues.insert(desired.queues[0].id(), QueueFacts { messages: 12, consumers: None });
    let (whole, field) = (Span::new(FileId::default(), 0, 90), Span::new(FileId::default(), 40, 52));
    let origin = Origin::new(whole, [("max_length".into(), field)]);
    let object = Object::Queue { vhost: "/".into(), name: "q".into() };
    let plan = plan(&desired, &[(object, origin)].into(), &observed);
    assert_eq!(plan.problems[0].span(), Some(field));
    assert_eq!(plan.problems[0].message, "queue 'q' cannot change x-max-length: the broker has none, the file says 7");
    assert!(plan.changes[0].why().ends_with("it holds 12 messages, which a deletion would lose"));
    assert!(plan.changes[0].writes.is_empty());
}

#[test]
fn a_vhosts_default_type_is_what_a_queue_without_a_type_gets() {
    let mut quorum = vhost("/");
    quorum.default_queue_type = Some("quorum".into());
    let stored = queue("q", &[("x-queue-type", "quorum".into())]);
    let old = Topology { vhosts: vec![quorum], queues: vec![stored], ..Topology::default() };
    let new = Topology { queues: vec![queue("q", &[])], ..Topology::default() };
    assert_eq!(lines(&planned(&new, &seen(old.clone(), (4, 3)))), "");
    let text = "-/+ queue 'q' in vhost '/': type quorum -> classic";
    assert_eq!(lines(&planned(&new, &seen(old, (3, 10)))), text);
}

#[test]
fn a_vhost_keeps_what_the_file_does_not_say() {
    let mut old = vhost("/");
    old.description = Some("main".into());
    old.default_queue_type = Some("quorum".into());
    let mut new = vhost("/");
    new.tags = Some(vec!["b".into(), "a".into()]);
    let plan = planned(
        &Topology { vhosts: vec![new], ..Topology::default() },
        &seen(Topology { vhosts: vec![old], ..Topology::default() }, (4, 3)),
    );
    assert_eq!(lines(&plan), "~ vhost '/': tags none -> a, b");
    let Write::Manage(rmqplay::broker::Management::PutVhost(put)) = &plan.changes[0].writes[0] else { panic!("a PUT") };
    assert_eq!((put.description.as_deref(), put.default_queue_type.as_deref()), (Some("main"), Some("quorum")));
}

#[test]
fn bindings_are_told_apart_by_key_and_arguments() {
    let mut first = binding("amq.headers", "q", "");
    first.arguments = table(&[("a", Value::I32(1)), ("x-match", "all".into())]);
    let mut same = binding("amq.headers", "q", "");
    same.arguments = table(&[("x-match", "all".into()), ("a", Value::I64(1))]);
    let mut other = same.clone();
    other.arguments = table(&[("x-match", "any".into()), ("a", Value::I64(1))]);
    let old = Topology { vhosts: vec![vhost("/")], bindings: vec![first], ..Topology::default() };
    let new = Topology { bindings: vec![same, other, binding("", "q", "q")], ..Topology::default() };
    let plan = planned(&new, &seen(old, (4, 3)));
    assert_eq!(lines(&plan), "+ binding 'amq.headers' -> queue 'q' in vhost '/' (x-match any, a 1)");
    assert_eq!(plan.changes[0].why(), "it is added beside the one with other arguments, which stays");
    assert_eq!(plan.unchanged, 2);
}

#[test]
fn a_policy_names_each_field_that_changes() {
    let old = policy("p", "^a", 0, &[("message-ttl", 5000.into()), ("expires", 9.into())]);
    let new = Policy { pattern: "^b".into(), priority: 2, ..policy("p", "", 0, &[("message-ttl", 3000.into())]) };
    let of = |policy| Topology { vhosts: vec![vhost("/")], policies: vec![policy], ..Topology::default() };
    let text =
        "~ policy 'p' in vhost '/': expires 9 -> none, message-ttl 5000 -> 3000, pattern ^a -> ^b, priority 0 -> 2";
    assert_eq!(between(of(old), of(new)), text);
}

#[test]
fn parameters_hide_their_credentials_and_a_cluster_keeps_its_id() {
    let parameter = |uri: &str| rmqplay::model::Parameter {
        vhost: "/".into(),
        component: "shovel".into(),
        name: "s".into(),
        value: serde_json::json!({"src-uri": uri, "ack-mode": "on-confirm"}),
    };
    let mut new = Topology { parameters: vec![parameter("amqp://a:secret@b")], ..Topology::default() };
    new.global_parameters.insert("internal_cluster_id".into(), "rabbitmq-cluster-id-1".into());
    let old =
        Topology { vhosts: vec![vhost("/")], parameters: vec![parameter("amqp://a:old@b")], ..Topology::default() };
    let plan = planned(&new, &seen(old, (4, 3)));
    assert_eq!(lines(&plan), "~ shovel parameter 's' in vhost '/': src-uri changes");
    assert_eq!(plan.problems[0].code, Code::PlanClusterOwn);
}

#[test]
fn a_first_permission_says_why() {
    let new = Topology { permissions: vec![permission("alice", "", ".*", "")], ..Topology::default() };
    let plan = planned(&new, &seen(Topology { vhosts: vec![vhost("/")], ..Topology::default() }, (4, 3)));
    assert!(matches!(plan.changes[0].kind, ChangeKind::Create { .. }));
    assert_eq!(plan.changes[0].why(), "'alice' cannot connect to this vhost without it");
}
