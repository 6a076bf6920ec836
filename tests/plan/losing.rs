//! What a change can lose, kind by kind: each is shown with both values and the messages at stake, or is no risk.

use crate::samples::{exchange, permission, policy, queue, topic_permission, user, vhost};
use rmqplay::model::{ApplyTo, Credential, Origins, Policy, Profile, QueueName, Secret, Topology};
use rmqplay::plan::{Observed, QueueFacts, plan};
use serde_json::Value as Json;

/// Plans and writes down each risk: what, the messages at stake, old, new.
fn risks(old: Topology, new: Topology, messages: &[(&str, u64)]) -> String {
    let queues =
        messages.iter().map(|(name, n)| (QueueName::new("/", *name), QueueFacts { messages: *n, consumers: None }));
    let observed = Observed { topology: old, queues: queues.collect(), ..Observed::empty(Profile::NEWEST) };
    let plan = plan(&new, &Origins::new(), &observed);
    assert_eq!(plan.replaced().count(), 0);
    let line = |risk: &rmqplay::plan::Risk| {
        let queues: Vec<String> = risk.queues.iter().map(|(queue, n)| format!("{}:{n}", queue.name)).collect();
        format!("{} [{}] {} -> {}", risk.what, queues.join(" "), risk.old, risk.new)
    };
    plan.risky().filter_map(|change| change.risk.as_ref()).map(line).collect::<Vec<_>>().join("\n")
}

/// Holds the queues `work` and `rest` under these policies.
fn under(policies: Vec<Policy>) -> Topology {
    let queues = vec![queue("work", &[]), queue("rest", &[("x-queue-type", "quorum".into())])];
    Topology { vhosts: vec![vhost("/")], queues, policies, ..Topology::default() }
}

fn only(policies: Vec<Policy>) -> Topology {
    Topology { policies, ..Topology::default() }
}

fn one(key: &str, value: impl Into<Json>) -> Policy {
    policy("p", "^work$", 0, &[(key, value.into())])
}

#[test]
fn values_of_a_policy_that_get_worse_are_risks_even_for_empty_queues() {
    let cases: [(Policy, Policy, &str); 7] = [
        (one("max-length", 10), one("max-length", 5), "max-length 10 -> max-length 5"),
        (one("max-length-bytes", 10), one("max-length-bytes", 5), "max-length-bytes 10 -> max-length-bytes 5"),
        (one("expires", 9000), one("expires", 8000), "expires 9000 -> expires 8000"),
        (one("message-ttl", 9000), one("message-ttl", 8000), "message-ttl 9000 -> message-ttl 8000"),
        (
            one("overflow", "reject-publish"),
            one("overflow", "drop-head"),
            "overflow reject-publish -> overflow drop-head",
        ),
        (
            one("dead-letter-exchange", "a"),
            one("dead-letter-exchange", "b"),
            "dead-letter-exchange a -> dead-letter-exchange b",
        ),
        (one("expires", 9000), one("message-ttl", 5), "message-ttl none -> message-ttl 5"),
    ];
    for (old, new, text) in cases {
        let line = risks(under(vec![old]), only(vec![new]), &[]);
        assert!(line.starts_with("policy 'p' takes effect on 'work': "), "{line}");
        assert!(line.ends_with(&format!("[work:0] {text}")), "{line}");
    }
}

#[test]
fn values_that_get_better_are_none_whatever_the_queue_holds() {
    for messages in [&[][..], &[("work", 7)]] {
        for key in ["max-length", "max-length-bytes", "message-ttl", "expires"] {
            assert_eq!(risks(under(vec![one(key, 5)]), only(vec![one(key, 10)]), messages), "", "longer {key}");
            let without = one("max-priority", 3);
            let both = policy("p", "^work$", 0, &[(key, 5.into()), ("max-priority", 3.into())]);
            assert_eq!(risks(under(vec![both]), only(vec![without]), messages), "", "removed {key}");
        }
        let first = only(vec![one("dead-letter-exchange", "dlx")]);
        assert_eq!(risks(under(vec![one("max-length", 5)]), first, messages), "", "a first dead-letter exchange");
    }
}

#[test]
fn a_new_policy_is_a_risk_only_for_queues_that_hold_messages() {
    let new = || only(vec![policy("p", "", 0, &[("max-length", 10.into())])]);
    assert_eq!(risks(under(vec![]), new(), &[]), "");
    let line = risks(under(vec![]), new(), &[("rest", 3)]);
    let what = "policy 'p' takes effect on 'rest': what goes beyond the new length is dropped at once (LEN-11)";
    assert_eq!(line, format!("{what} [rest:3] max-length none -> max-length 10"));

    let other = policy("p", "", 0, &[("dead-letter-exchange", "dlx".into())]);
    let line = risks(under(vec![]), only(vec![other]), &[("work", 3)]);
    assert!(line.contains("dead-letter-exchange changes for queues that hold messages [work:3]"), "{line}");
}

#[test]
fn only_a_shorter_age_of_a_stream_is_a_risk() {
    let under = |age: &str| Topology {
        queues: vec![queue("log", &[("x-queue-type", "stream".into())])],
        ..under(vec![policy("p", "^log$", 0, &[("max-age", age.into())])])
    };
    let risks = |old, new: &str| risks(under(old), only(under(new).policies), &[("log", 9)]);
    assert_eq!(risks("1D", "48h"), "");
    assert!(risks("1D", "23h").ends_with("[log:9] max-age 1D -> max-age 23h"));
}

#[test]
fn a_changed_pattern_or_priority_counts_by_what_it_catches() {
    let rest = policy("p", "^rest$", 0, &[("message-ttl", 5.into())]);
    let both = Policy { pattern: "rest|work".into(), ..rest.clone() };
    let line = risks(under(vec![rest.clone()]), only(vec![both]), &[("work", 2), ("rest", 9)]);
    assert!(line.contains("[work:2] message-ttl none -> message-ttl 5"), "{line}");

    let (low, high) =
        (policy("low", "work", 1, &[("max-length", 1.into())]), policy("high", "work", 2, &[("max-length", 9.into())]));
    let raised = Policy { priority: 3, ..low.clone() };
    let line = risks(under(vec![low, high]), only(vec![raised]), &[("work", 7)]);
    assert!(line.contains("[work:7] max-length 9 -> max-length 1"), "{line}");
}

#[test]
fn a_policy_that_takes_no_effect_is_no_risk() {
    let skipped = policy("p", "work", 0, &[("max-length", 1.into()), ("delivery-limit", 5.into())]);
    assert_eq!(risks(under(vec![]), only(vec![skipped]), &[("work", 7)]), "");
    let elsewhere = Policy { apply_to: ApplyTo::QuorumQueues, ..policy("p", "work", 0, &[("max-length", 1.into())]) };
    assert_eq!(risks(under(vec![]), only(vec![elsewhere]), &[("work", 7)]), "");
    let mut old = under(vec![]);
    old.queues[0].arguments.insert("x-max-length".into(), 1.into());
    assert_eq!(risks(old, only(vec![one("max-length", 5)]), &[("work", 1)]), "");
}

#[test]
fn a_lost_dead_letter_target_is_a_risk() {
    let line = risks(under(vec![one("dead-letter-exchange", "dlx")]), only(vec![one("max-priority", 3)]), &[]);
    assert!(line.contains("messages that die no longer reach their old dead-letter exchange"), "{line}");
    assert!(line.ends_with("[work:0] dead-letter-exchange dlx -> dead-letter-exchange none"), "{line}");
}

#[test]
fn operator_policies_count_too() {
    let new = Topology { operator_policies: vec![one("max-length", 2)], ..Topology::default() };
    let line = risks(under(vec![one("max-length", 5)]), new, &[("work", 4)]);
    assert!(line.ends_with("[work:4] max-length 5 -> max-length 2"), "{line}");
}

#[test]
fn narrowed_permissions_are_risks() {
    let of = |row| Topology { vhosts: vec![vhost("/")], permissions: vec![row], ..Topology::default() };
    let line = risks(of(permission("a", "^$", ".*", "^q$")), of(permission("a", "^x$", "^q$", "^q$|^r$")), &[]);
    assert_eq!(line, "permissions of 'a' narrow what may be written to [] .* -> ^q$");
    assert_eq!(risks(of(permission("a", "", "^a", "^b")), of(permission("a", ".*", ".*", "^b")), &[]), "");
}

#[test]
fn topic_permissions_narrow_from_the_first_row_on() {
    let old = || Topology {
        vhosts: vec![vhost("/")],
        exchanges: vec![exchange("game", "topic")],
        permissions: vec![permission("a", "", ".*", ".*")],
        ..Topology::default()
    };
    let new =
        |write| Topology { topic_permissions: vec![topic_permission("a", "game", write, ".*")], ..Topology::default() };
    let line = risks(old(), new("^a"), &[]);
    assert!(line.starts_with("'a' may use any routing key on 'game' today"), "{line}");
    assert_eq!(risks(old(), new(".*"), &[]), "");
    let mut with_row = old();
    with_row.topic_permissions = new("^a|^b").topic_permissions;
    let line = risks(with_row, new("^a"), &[]);
    assert_eq!(line, "topic permissions of 'a' on 'game' narrow what may be written to [] ^a|^b -> ^a");
}

#[test]
fn removed_tags_and_lower_limits_are_risks() {
    let hash = || Some(Credential::Hash { hash: Secret::new("AAAA"), algorithm: "x".into() });
    let of = |tags: &[&str], connections: i64, queues: i64| {
        let mut user = user("a", "", tags);
        user.credential = hash();
        user.limits.insert("max-connections".into(), connections);
        let mut vhost = vhost("/");
        vhost.limits.insert("max-queues".into(), queues);
        Topology { users: vec![user], vhosts: vec![vhost], ..Topology::default() }
    };
    let line = risks(of(&["monitoring", "policymaker"], 5, 5), of(&["monitoring"], 5, 5), &[]);
    assert_eq!(line, "user 'a' loses the rights of the tag policymaker [] monitoring, policymaker -> monitoring");
    let line = risks(of(&[], -1, 5), of(&[], 3, 4), &[]);
    let user = "user 'a' gets a lower max-connections: what goes beyond it is refused [] unlimited -> 3";
    assert_eq!(line, format!("{user}\nvhost '/' gets a lower max-queues: what goes beyond it is refused [] 5 -> 4"));
    assert_eq!(risks(of(&[], 3, 4), of(&["x"], 4, -1), &[]), "");
}

#[test]
fn an_alternate_exchange_that_goes_is_a_risk() {
    let ae = |value: &str| Policy {
        apply_to: ApplyTo::Exchanges,
        ..policy("ae", "^game", 0, &[("alternate-exchange", value.into())])
    };
    let old = Topology { exchanges: vec![exchange("game", "topic")], ..under(vec![ae("audit")]) };
    let line = risks(old, only(vec![ae("other")]), &[]);
    assert!(line.ends_with("[] alternate-exchange audit -> alternate-exchange other"), "{line}");
}
