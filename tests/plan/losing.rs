//! What a change can lose, kind by kind: each is shown with both values and the messages at stake, or is no risk.

use crate::samples::{exchange, permission, policy, queue, topic_permission, user, vhost};
use rmqplay::model::{ApplyTo, Credential, Handling, Origins, Policy, Profile, Secret, Topology};
use rmqplay::plan::{Change, DeletionScope, Observed, PolicyEffect, QueueFacts, judge_policies, plan, prune};
use serde_json::Value as Json;

/// Plans and writes down each risk: what, the messages at stake, old, new.
fn risks(old: Topology, new: Topology, messages: &[(&str, u64)]) -> String {
    let plan = plan(&new, &Origins::new(), &counted(old, messages));
    assert_eq!(plan.replaced().count(), 0);
    told(&plan.changes)
}

/// Observes a broker of which every queue was counted: those that are not named here are empty.
fn counted(old: Topology, messages: &[(&str, u64)]) -> Observed {
    let facts = |queue: &rmqplay::model::Queue| {
        let held = messages.iter().find(|(name, _)| *name == &*queue.name).map_or(0, |(_, n)| *n);
        (queue.id(), QueueFacts { messages: held, consumers: None })
    };
    let queues = old.queues.iter().map(facts).collect();
    Observed { topology: old, queues, ..Observed::empty(Profile::NEWEST) }
}

fn told(changes: &[Change]) -> String {
    let line = |risk: &rmqplay::plan::Risk| {
        let count = |n: &Option<u64>| n.map_or("?".to_owned(), |n| n.to_string());
        let queues: Vec<String> = risk.queues.iter().map(|(queue, n)| format!("{}:{}", queue.name, count(n))).collect();
        format!("{} [{}] {} -> {}", risk.what, queues.join(" "), risk.old, risk.new)
    };
    changes.iter().filter_map(|change| change.risk.as_deref()).map(line).collect::<Vec<_>>().join("\n")
}

/// Plans and prunes, and writes down each risk and each setting that a queue loses.
fn pruned(old: Topology, new: Topology, messages: &[(&str, u64)]) -> (String, Vec<String>) {
    let observed = counted(old, messages);
    let mut changes = plan(&new, &Origins::new(), &observed).changes;
    changes.extend(prune(&new, &Handling::default(), &observed, &["/".into()], DeletionScope::default()));
    judge_policies(&mut changes, &new, &observed);
    let effect = |(change, effect): (&Change, &PolicyEffect)| {
        let queues: Vec<&str> = effect.queues.iter().map(|queue| &*queue.name).collect();
        let fields = effect.fields.iter().map(|field| format!("{} {} -> {}", field.name, field.old, field.new));
        format!("{}: {} {}", change.object, queues.join(" "), fields.collect::<Vec<_>>().join(", "))
    };
    let effects = changes.iter().flat_map(|change| change.effects.iter().map(move |effect| (change, effect)));
    (told(&changes), effects.map(effect).collect())
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
    let cases: [(Policy, Policy, &str); 6] = [
        (one("max-length", 10), one("max-length", 5), "max-length 10 -> max-length 5"),
        (one("max-length-bytes", 10), one("max-length-bytes", 5), "max-length-bytes 10 -> max-length-bytes 5"),
        (one("expires", 9000), one("expires", 8000), "expires 9000 -> expires 8000"),
        (one("message-ttl", 9000), one("message-ttl", 8000), "message-ttl 9000 -> message-ttl 8000"),
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
        let permissions = vec![permission("a", ".*", ".*", ".*")];
        Topology { users: vec![user], vhosts: vec![vhost], permissions, ..Topology::default() }
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

#[test]
fn a_policy_that_goes_or_catches_less_is_a_risk_where_messages_to_come_are_lost() {
    let queues = || under(vec![]).queues;
    let dying = policy("dying", "", 1, &[("dead-letter-exchange", "dlx".into()), ("max-length", 10.into())]);
    let kept = |policies| Topology { queues: queues(), ..only(policies) };
    let (risk, effects) = pruned(under(vec![dying.clone()]), kept(vec![]), &[]);
    let what = "policy 'dying' no longer holds for 'work', 'rest': messages that die no longer reach their old dead-letter exchange";
    assert_eq!(risk, format!("{what} [work:0 rest:0] dead-letter-exchange dlx -> dead-letter-exchange none"));
    assert_eq!(effects, ["policy 'dying': work rest dead-letter-exchange dlx -> none, max-length 10 -> none"]);

    let narrowed = Policy { pattern: "^rest$".into(), ..dying.clone() };
    let (risk, effects) = pruned(under(vec![dying.clone()]), kept(vec![narrowed]), &[]);
    assert!(risk.starts_with("policy 'dying' no longer holds for 'work': messages that die no longer"), "{risk}");
    assert_eq!(effects, ["policy 'dying': work dead-letter-exchange dlx -> none, max-length 10 -> none"]);

    // One that takes over without the dead-letter exchange, too.
    let over = policy("over", "^work$", 9, &[("message-ttl", 5.into())]);
    let (risk, _) = pruned(under(vec![dying.clone()]), kept(vec![dying.clone(), over]), &[]);
    assert!(risk.starts_with("policy 'over' takes effect on 'work': messages that die no longer"), "{risk}");

    // A wider limit, or a longer time to live, loses nothing, and is shown.
    let (risk, effects) = pruned(under(vec![one("message-ttl", 10)]), kept(vec![]), &[("work", 3)]);
    assert_eq!((&*risk, effects), ("", vec!["policy 'p': work message-ttl 10 -> none".to_owned()]));

    // A queue that goes itself loses no setting.
    let rest = Topology { queues: vec![queue("rest", &[("x-queue-type", "quorum".into())])], ..Topology::default() };
    assert_eq!(pruned(under(vec![one("dead-letter-exchange", "dlx")]), rest, &[]), (String::new(), Vec::new()));
}

#[test]
fn policies_that_go_together_are_judged_together() {
    let both = ["first", "second"].map(|name| {
        let priority = if name == "first" { 2 } else { 1 };
        policy(name, "^work$", priority, &[("dead-letter-exchange", "dlx".into())])
    });
    let kept = Topology { queues: under(vec![]).queues, ..Topology::default() };
    let (risk, _) = pruned(under(both.to_vec()), kept.clone(), &[]);
    assert!(risk.starts_with("policy 'first' no longer holds for 'work'"), "{risk}");
    let one_stays = Topology { policies: vec![both[1].clone()], ..kept };
    assert_eq!(pruned(under(both.to_vec()), one_stays, &[]).0, "");
}

#[test]
fn queues_that_nothing_counted_may_hold_messages() {
    let new = only(vec![policy("p", "^work$", 0, &[("max-length", 10.into())])]);
    let observed = Observed { topology: under(vec![]), ..Observed::empty(Profile::NEWEST) };
    let line = told(&plan(&new, &Origins::new(), &observed).changes);
    assert!(line.ends_with("[work:?] max-length none -> max-length 10"), "{line}");
}

#[test]
fn an_alternate_exchange_that_a_deleted_policy_set_is_a_risk() {
    let ae =
        Policy { apply_to: ApplyTo::Exchanges, ..policy("ae", "^game", 0, &[("alternate-exchange", "audit".into())]) };
    let of = |policies| Topology { exchanges: vec![exchange("game", "topic")], ..under(policies) };
    let (risk, _) = pruned(of(vec![ae]), of(vec![]), &[]);
    assert!(risk.ends_with("[] alternate-exchange audit -> alternate-exchange none"), "{risk}");
}

/// Holds the quorum queue `rest` under one policy.
fn on_rest(keys: &[(&str, Json)]) -> Vec<Policy> {
    vec![policy("p", "^rest$", 0, keys)]
}

#[test]
fn overflow_counts_only_beside_a_limit_before_and_after() {
    let limit = ("max-length", Json::from(10));
    let refusing = ("overflow", Json::from("reject-publish"));
    let dropping = ("overflow", Json::from("drop-head"));
    let risk =
        |old: &[(&str, Json)], new: &[(&str, Json)]| risks(under(on_rest(old)), only(on_rest(new)), &[("rest", 3)]);
    let both = risk(&[limit.clone(), refusing.clone()], &[limit.clone(), dropping.clone()]);
    assert!(both.contains("what happens to messages beyond the limit changes"), "{both}");
    let gone = risk(&[limit.clone(), refusing.clone()], std::slice::from_ref(&limit));
    assert!(gone.ends_with("[rest:3] overflow reject-publish -> overflow none"), "{gone}");
    let usual = risk(&[limit.clone(), dropping], std::slice::from_ref(&limit));
    assert_eq!(usual, "", "drop-head is what it is without the key");
    let priority = ("max-priority", Json::from(3));
    assert_eq!(risk(&[limit.clone(), refusing.clone(), priority.clone()], &[priority]), "", "the limit goes, too");
    assert_eq!(
        pruned(under(on_rest(&[limit, refusing.clone()])), under(vec![]), &[("rest", 3)]).0,
        "",
        "the policy goes"
    );
    let at_least_once = [("dead-letter-exchange", Json::from("d")), ("dead-letter-strategy", "at-least-once".into())];
    let with = [&at_least_once[..], &[refusing]].concat();
    let weaker = risk(&with, &at_least_once);
    assert!(weaker.contains("dead letters are handed over with another guarantee"), "{weaker}");
}

#[test]
fn a_delivery_limit_that_goes_leaves_the_usual_one() {
    let (text, effects) = pruned(under(on_rest(&[("delivery-limit", 100.into())])), under(vec![]), &[]);
    assert!(text.contains("messages that come back too often leave the queue"), "{text}");
    assert_eq!(effects, ["policy 'p': rest delivery-limit 100 -> 20"]);
    let (text, effects) = pruned(under(on_rest(&[("delivery-limit", 5.into())])), under(vec![]), &[("rest", 3)]);
    assert_eq!((text.as_str(), &effects[..]), ("", &["policy 'p': rest delivery-limit 5 -> 20".to_owned()][..]));
}
