//! What broker and account lack for a plan, found before anything is written: tags, permissions, plugins, limits.

use crate::samples::{binding, exchange, permission, policy, queue, table, topic_permission, user, vhost};
use rmqplay::model::{ObjectKind, Origins, Parameter, Topology, Value, Version};
use rmqplay::plan::{Abilities, Decision, Observed, Plan, plan};

/// Observes a broker on which the account `deployer` has those tags; no plugin runs but the management.
fn seen(topology: Topology, tags: &[&str]) -> Observed {
    let abilities = Abilities {
        applications: ["rabbit", "rabbitmq_management"].map(str::to_owned).into(),
        denied_features: vec!["transient_nonexcl_queues".to_owned()],
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    };
    Observed {
        account: "deployer".into(),
        abilities: Some(abilities),
        ..Observed::of_file(topology, Some(Version { major: 4, minor: 3 }), true)
    }
}

fn planned(desired: &Topology, observed: &Observed) -> Plan {
    plan(desired, &Origins::new(), observed)
}

fn told(desired: &Topology, observed: &Observed) -> Vec<String> {
    let plan = planned(desired, observed);
    let told: Vec<String> = plan.problems.iter().map(|one| format!("{} {}", one.code, one.message)).collect();
    let decision = Decision::of(&plan, true);
    assert_eq!(decision, if told.is_empty() { Decision::Write } else { Decision::Lacks }, "{told:?}");
    told
}

/// Holds one vhost in which the account may do everything.
fn open() -> Topology {
    let all = permission("deployer", ".*", ".*", ".*");
    Topology { vhosts: vec![vhost("/")], permissions: vec![all], ..Topology::default() }
}

#[test]
fn tags_are_told_by_kind_and_an_administrator_lacks_none() {
    let desired = Topology {
        users: vec![user("alice", "x", &[]), user("bob", "x", &[])],
        policies: vec![policy("cap", "^w", 1, &[("max-length", 5.into())])],
        queues: vec![queue("work", &[])],
        ..Topology::default()
    };
    assert_eq!(
        told(&desired, &seen(open(), &["management"])),
        [
            "plan::rights user 'deployer' lacks the tag `administrator`, which 2 users of the plan take",
            "plan::rights user 'deployer' lacks the tag `policymaker`, which 1 policy of the plan takes",
        ]
    );
    assert_eq!(
        told(&desired, &seen(open(), &["policymaker"])),
        ["plan::rights user 'deployer' lacks the tag `administrator`, which 2 users of the plan take"]
    );
    assert!(told(&desired, &seen(open(), &["administrator"])).is_empty());
}

#[test]
fn permissions_of_the_account_are_judged_by_the_row_that_will_hold() {
    let desired = Topology {
        exchanges: vec![exchange("orders", "topic")],
        queues: vec![queue("work", &[])],
        bindings: vec![binding("orders", "work", "#")],
        ..Topology::default()
    };
    let mut old = open();
    old.permissions = vec![permission("deployer", "^orders$", "", "^orders$")];
    assert_eq!(
        told(&desired, &seen(old.clone(), &["administrator"])),
        [
            "plan::rights user 'deployer' may not configure 'work': queue 'work'",
            "plan::rights user 'deployer' may not write 'work': binding 'orders' -> queue 'work' (#)",
        ]
    );
    old.permissions = vec![permission("somebody", ".*", ".*", ".*")];
    assert_eq!(
        told(&desired, &seen(old.clone(), &["administrator"])),
        ["plan::rights user 'deployer' has no permissions in vhost '/'"]
    );
    let given = Topology { permissions: vec![permission("deployer", ".*", ".*", ".*")], ..desired.clone() };
    assert!(told(&given, &seen(old.clone(), &["administrator"])).is_empty());
    // Who makes a vhost gets all permissions in it.
    assert!(told(&desired, &seen(Topology::default(), &["administrator"])).is_empty());
    let mut hidden = seen(old, &["management"]);
    hidden.unread.insert(ObjectKind::Permission);
    assert!(told(&desired, &hidden).is_empty(), "what cannot be read is no problem");
}

#[test]
fn topic_permissions_of_the_account_are_judged_by_the_row_that_will_hold() {
    let desired = Topology {
        exchanges: vec![exchange("orders", "topic"), exchange("work", "direct")],
        queues: vec![queue("work", &[])],
        bindings: vec![binding("orders", "work", "new.#"), binding("orders", "work", "old.#")],
        ..Topology::default()
    };
    let mut old = open();
    old.exchanges = vec![exchange("orders", "topic")];
    old.topic_permissions =
        vec![topic_permission("deployer", "orders", "", "^new"), topic_permission("x", "work", "", "")];
    let lacking = [
        "plan::rights user 'deployer' may not read the key 'old.#' of 'orders': binding 'orders' -> queue 'work' (old.#)",
    ];
    assert_eq!(told(&desired, &seen(old.clone(), &["administrator"])), lacking);
    // A wider row of the file is written first, a narrower and a first one last.
    let with = |row| Topology { topic_permissions: vec![row], ..desired.clone() };
    let all = with(topic_permission("deployer", "orders", ".*", ".*"));
    assert!(told(&all, &seen(old.clone(), &["administrator"])).is_empty());
    old.topic_permissions.clear();
    let first = planned(&with(topic_permission("deployer", "orders", "", "")), &seen(old, &["administrator"]));
    assert!(first.problems.is_empty(), "{:?}", first.problems);
    let last = first.changes.last().map(|change| change.object.to_string());
    assert_eq!(last.as_deref(), Some("topic permissions of 'deployer' on 'orders'"));
}

#[test]
fn plugins_versions_limits_and_denied_features_are_found() {
    let shovel =
        Parameter { vhost: "/".into(), component: "shovel".into(), name: "s".into(), value: serde_json::json!({}) };
    let mut transient = queue("brief", &[]);
    transient.durable = false;
    let desired = Topology {
        parameters: vec![shovel],
        policies: vec![
            policy("fed", "^f", 0, &[("federation-upstream-set", "all".into())]),
            policy("ha", "^h", 0, &[("ha-mode", "all".into())]),
            policy("fine", "^x", 0, &[("delayed-retry-type", "all".into()), ("delayed-retry-min", 1000.into())]),
        ],
        queues: vec![transient, queue("one", &[]), queue("two", &[])],
        ..Topology::default()
    };
    let mut old = open();
    old.vhosts[0].limits.insert("max-queues".into(), 3);
    old.queues.push(queue("there", &[]));
    let observed = seen(old, &["administrator"]);
    assert_eq!(
        told(&desired, &observed),
        [
            "plan::policy the broker knows no policy key 'federation-upstream-set': policy 'fed'",
            "plan::policy RabbitMQ 4.3 refuses policy 'ha'",
            "plan::component the broker knows no component 'shovel': shovel parameter 's'",
            "plan::denied_feature the broker permits no transient queues that are not exclusive: queue 'brief'",
            "plan::queue_limit vhost '/' may hold 3 queues (max-queues): it holds 1, and the plan adds 3",
        ]
    );
    let help = planned(&desired, &observed).problems.remove(0).help.expect("a help");
    assert_eq!(help.to_string(), "it comes with a plugin: rabbitmq-plugins enable rabbitmq_federation");
    // Nothing speaks for a version that is newer than all that are known; where nothing is known, the broker will say it.
    let newer = Observed { version: Version { major: 9, minor: 0 }, ..observed.clone() };
    assert!(!told(&desired, &newer).iter().any(|line| line.contains("'ha'")));
    let unasked = Observed { abilities: None, ..observed };
    assert!(told(&desired, &unasked).is_empty());
}

#[test]
fn what_every_broker_refuses_or_makes_otherwise_is_found() {
    let mut mistyped = exchange("orders", "topic");
    mistyped.arguments = table(&[("alternate-exchange", Value::I64(5))]);
    let mut matched = binding("amq.headers", "work", "");
    matched.arguments = table(&[("x-match", Value::Text("some".into()))]);
    let mut limited = user("alice", "x", &["büro"]);
    limited.limits.insert("max-queues".into(), 1);
    let desired = Topology {
        users: vec![limited, user("..", "x", &[])],
        permissions: vec![permission("bob", "", "", ""), permission("alice", "", "", "")],
        topic_permissions: vec![
            topic_permission("alice", "gone", "", ""),
            topic_permission("alice", "amq.topic", "", ""),
        ],
        exchanges: vec![exchange("a\r", "direct"), mistyped],
        queues: vec![queue("a\nb", &[]), queue("work", &[])],
        bindings: vec![binding("a\r", "work", "x\ny"), matched],
        ..Topology::default()
    };
    let observed = seen(open(), &["administrator"]);
    assert_eq!(
        told(&desired, &observed),
        [
            "plan::name RabbitMQ would keep the tag 'büro' as 'bÃ¼ro': user 'alice'",
            "plan::unknown_limit RabbitMQ 4.3 has no limit `max-queues`: user 'alice'",
            "plan::name the management API cannot be asked for user '..': '..' is a step of a path there",
            "plan::missing neither the file nor the broker has user 'bob': permissions of 'bob'",
            "plan::name RabbitMQ takes the line end out of 'a\\r' and would write 'a': exchange 'a\\r'",
            "plan::argument RabbitMQ 4.3 refuses `alternate-exchange`: exchange 'orders'",
            "plan::missing neither the file nor the broker has exchange 'gone' in vhost '/': topic permissions of 'alice' on 'gone'",
            "plan::name RabbitMQ takes the line end out of 'a\\nb' and would write 'ab': queue 'a\\nb'",
            "plan::name RabbitMQ takes the line end out of 'a\\r' and would write 'a': binding 'a\\r' -> queue 'work' (x\\ny)",
            "plan::argument RabbitMQ 4.3 refuses `x-match`: binding 'amq.headers' -> queue 'work'",
        ]
    );
    // Before 4.3 a topic permission waits for its exchange.
    let older = Observed { version: Version { major: 4, minor: 0 }, ..observed.clone() };
    assert!(!told(&desired, &older).iter().any(|line| line.contains("'gone'")));
    // Users that may not be read are not known to be missing.
    let mut hidden = observed;
    hidden.unread.insert(ObjectKind::User);
    let desired = Topology { users: Vec::new(), ..desired };
    assert!(!told(&desired, &hidden).iter().any(|line| line.contains("'bob'")));
}

#[test]
fn rights_on_a_dead_letter_exchange_and_limits_of_the_account_are_found() {
    let dead = Value::Text("dead".into());
    let desired = Topology { queues: vec![queue("work", &[("x-dead-letter-exchange", dead)])], ..Topology::default() };
    let mut old = open();
    old.permissions = vec![permission("deployer", "^work$", "^work$", "")];
    assert_eq!(
        told(&desired, &seen(old, &["administrator"])),
        [
            "plan::rights user 'deployer' may not read 'work': queue 'work'",
            "plan::rights user 'deployer' may not write to 'dead': queue 'work'",
        ]
    );
    let mut old = open();
    let mut account = user("deployer", "x", &["administrator"]);
    account.limits.insert("max-channels".into(), 0);
    old.users = vec![account];
    assert_eq!(
        told(&desired, &seen(old, &["administrator"])),
        ["plan::rights user 'deployer' may open none (max-channels 0), and queue 'work' needs one"]
    );
}

#[test]
fn what_cannot_be_read_is_not_half_compared() {
    let desired =
        Topology { users: vec![user("alice", "x", &[])], queues: vec![queue("work", &[])], ..Topology::default() };
    let mut observed = seen(open(), &["management"]);
    observed.unread.insert(ObjectKind::User);
    assert_eq!(
        told(&desired, &observed),
        ["plan::unread user 'deployer' may not read the users of this broker: 1 of the file cannot be compared"]
    );
    assert_eq!(planned(&desired, &observed).changes.len(), 1, "the queue");
    let without = Topology { users: Vec::new(), ..desired };
    assert!(told(&without, &observed).is_empty());
}

#[test]
fn the_account_in_use_loses_its_rights_last() {
    let desired = Topology {
        users: vec![user("deployer", "x", &[])],
        permissions: vec![permission("deployer", "", "", "")],
        queues: vec![queue("work", &[])],
        ..Topology::default()
    };
    let mut old = open();
    old.users.push(user("deployer", "x", &["administrator"]));
    let plan = planned(&desired, &seen(old, &["administrator"]));
    let order: Vec<String> = plan.changes.iter().map(|change| change.object.to_string()).collect();
    assert_eq!(order, ["queue 'work'", "user 'deployer'", "permissions of 'deployer'"]);
    let (rest, own) = plan.without_user("deployer");
    assert_eq!((rest.changes.len(), own.map(|own| own.changes.len())), (1, Some(2)));
}

#[test]
fn a_file_that_names_its_version_refuses_what_that_version_would() {
    let mut led = queue("led", &[("x-queue-leader-locator", "nowhere".into())]);
    led.arguments.insert("x-custom".into(), 1.into());
    let desired = Topology {
        policies: vec![policy("ha", "^h", 0, &[("ha-mode", "all".into())])],
        exchanges: vec![exchange("near", "x-local-random"), exchange("late", "x-delayed-message")],
        queues: vec![led],
        ..Topology::default()
    };
    let old = Topology { vhosts: vec![vhost("/")], ..Topology::default() };
    let of = |version: Option<(u16, u16)>| {
        let version = version.map(|(major, minor)| Version { major, minor });
        let plan = planned(&desired, &Observed::of_file(old.clone(), version, true));
        plan.problems.iter().map(|one| format!("{} {}", one.code, one.message)).collect::<Vec<_>>()
    };
    assert_eq!(
        of(Some((4, 3))),
        [
            "plan::policy RabbitMQ 4.3 refuses policy 'ha'",
            "plan::argument RabbitMQ 4.3 refuses `x-queue-leader-locator`: queue 'led'",
        ]
    );
    assert_eq!(
        of(Some((3, 10))),
        [
            "plan::exchange_type RabbitMQ 3.10 knows no exchange type 'x-local-random': exchange 'near'",
            "plan::argument RabbitMQ 3.10 refuses `x-queue-leader-locator`: queue 'led'",
        ]
    );
    assert!(of(None).is_empty(), "nothing speaks for a file without a version");
}

#[test]
fn a_vhost_that_takes_no_connection_is_found_before_what_it_needs_one_for() {
    let limited = |limit: i64| {
        let mut own = vhost("/");
        own.limits.insert("max-connections".into(), limit);
        own
    };
    let desired = |vhost| Topology {
        vhosts: vec![vhost],
        queues: vec![queue("one", &[]), queue("two", &[])],
        policies: vec![policy("cap", "^w", 1, &[("max-length", 5.into())])],
        ..Topology::default()
    };
    let refused = ["plan::rights vhost '/' takes no connection (max-connections 0), and queue 'one' needs one"];
    assert_eq!(told(&desired(limited(0)), &seen(open(), &["administrator"])), refused);
    let there = Topology { vhosts: vec![limited(0)], ..open() };
    assert_eq!(told(&desired(vhost("/")), &seen(there.clone(), &["administrator"])), refused);
    assert!(told(&desired(limited(1)), &seen(there.clone(), &["administrator"])).is_empty());
    let without_queues = Topology { queues: Vec::new(), ..desired(vhost("/")) };
    assert!(told(&without_queues, &seen(there, &["administrator"])).is_empty(), "policies need none");
}
