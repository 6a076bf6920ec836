//! What `--prune` and `destroy` delete and what they never do, and how deletions are carried out beside others.

use crate::samples::{binding, exchange, permission, policy, queue, user, vhost};
use rmqplay::broker::{ChannelId, Client, Command, Delivery, DeliveryTag, Event, Ids, Method, Refusal, Reply, Scope};
use rmqplay::model::{Handling, Ignored, IgnoredKind, Message, Moment, Name, Queue, QueueName, Topology};
use rmqplay::plan::{
    Change, DELETIONS_MAX, Decision, DeletionScope, Observed, Plan, QueueFacts, Stepwise, Write, destroy, explain,
    prune, spared, spared_from_destroy,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Observes a broker of which every queue was counted, and is empty.
fn seen(topology: Topology) -> Observed {
    let facts = |queue: &Queue| (queue.id(), QueueFacts { messages: 0, consumers: Some(0) });
    let queues = topology.queues.iter().map(facts).collect();
    Observed { account: "guest".into(), queues, ..Observed::of_file(topology, None, true) }
}

fn desired() -> Topology {
    Topology {
        vhosts: vec![vhost("/")],
        users: vec![user("alice", "secret", &[])],
        permissions: vec![permission("alice", "", "", ".*")],
        exchanges: vec![exchange("orders", "topic")],
        queues: vec![queue("work", &[])],
        bindings: vec![binding("orders", "work", "new.#")],
        ..Topology::default()
    }
}

/// A broker that holds more than the file names.
fn more() -> Topology {
    let mut there = desired();
    there.exchanges.push(exchange("left", "fanout"));
    there.queues.extend([
        queue("left.q", &[]),
        queue("kept.q", &[]),
        queue("held.q", &[("x-queue-type", "quorum".into())]),
    ]);
    there.bindings.extend([
        binding("orders", "work", "old.#"),
        binding("left", "left.q", ""),
        binding("orders", "kept.q", ""),
    ]);
    there.users.extend([user("bob", "", &[]), user("guest", "", &["administrator"])]);
    there.permissions.extend([permission("bob", "", "", ""), permission("guest", ".*", ".*", ".*")]);
    there.policies.push(policy("cap", "^held", 1, &[("max-length", 5.into())]));
    there.vhosts.push(vhost("elsewhere"));
    there
}

fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(explain).collect()
}

fn scope(words: &str) -> DeletionScope {
    words.parse().expect("words of the flag")
}

#[test]
fn prune_deletes_in_order_what_the_file_neither_names_nor_ignores() {
    let ignored = vec![Ignored { kind: IgnoredKind::Queues, pattern: "^kept".into() }];
    let handling = Handling { ignored, ..Handling::default() };
    let changes = prune(&desired(), &handling, &seen(more()), &["/".into()], DeletionScope::default());
    assert_eq!(
        lines(&changes),
        [
            "- binding 'orders' -> queue 'work' (old.#) in vhost '/'",
            "- queue 'held.q' in vhost '/' (quorum)",
            "- queue 'left.q' in vhost '/' (classic)",
            "- exchange 'left' in vhost '/' (fanout)",
            "- policy 'cap' in vhost '/' (pattern ^held, queues, priority 1, max-length 5)",
            "- permissions of 'bob' in vhost '/' (configure '', write '', read '')",
        ]
    );
    let risky: Vec<String> = changes.iter().filter(|it| it.risk.is_some()).map(|it| it.object.to_string()).collect();
    assert_eq!(risky, ["permissions of 'bob'"]);
}

#[test]
fn users_and_vhosts_are_pruned_when_told_and_never_the_account_in_use() {
    let of = |words: &str| {
        let changes = prune(&desired(), &Handling::default(), &seen(more()), &["/".into()], scope(words));
        lines(&changes)
            .into_iter()
            .filter(|line| line.contains("user ") || line.starts_with("- vhost"))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(""), Vec::<String>::new());
    assert_eq!(of("users,vhosts"), ["- vhost 'elsewhere'", "- user 'bob'"]);
    assert!("users,everything".parse::<DeletionScope>().is_err());
}

#[test]
fn what_holds_messages_and_what_is_much_needs_consent() {
    let mut observed = seen(more());
    let id = QueueName::new("/", "held.q");
    observed.queues.insert(id.clone(), QueueFacts { messages: 3, consumers: Some(1) });
    let changes = prune(&desired(), &Handling::default(), &observed, &["/".into()], DeletionScope::default());
    let held = changes.iter().find(|change| change.object.to_string() == "queue 'held.q'").expect("it goes");
    let risk = held.risk.as_ref().expect("messages are at stake");
    assert_eq!(risk.queues, [(id.clone(), Some(3))]);
    // Nobody counted: it may hold messages.
    observed.queues.remove(&id);
    let changes = prune(&desired(), &Handling::default(), &observed, &["/".into()], DeletionScope::default());
    let held = changes.iter().find(|change| change.object.to_string() == "queue 'held.q'").expect("it goes");
    let risk = held.risk.as_ref().expect("messages may be at stake");
    assert_eq!(
        (&*risk.what, &risk.queues),
        ("queue 'held.q' goes with the messages that it may hold", &vec![(id, None)])
    );
    let many = |count: usize| {
        let there: Vec<_> = (0..count).map(|number| queue(&format!("q{number}"), &[])).collect();
        let observed = seen(Topology { queues: there, ..desired() });
        let changes = prune(&desired(), &Handling::default(), &observed, &["/".into()], DeletionScope::default());
        Decision::of(&Plan { changes, ..Plan::default() }, false)
    };
    assert_eq!(many(DELETIONS_MAX), Decision::Write);
    assert_eq!(many(DELETIONS_MAX + 1), Decision::DeletesMuch);
}

#[test]
fn destroy_deletes_what_is_named_and_there() {
    let observed = seen(more());
    let all = destroy(&desired(), &Handling::default(), &observed, DeletionScope::default());
    assert_eq!(
        lines(&all),
        ["- queue 'work' in vhost '/'", "- exchange 'orders' in vhost '/'", "- permissions of 'alice' in vhost '/'"]
    );
    let mut own = desired();
    own.users.push(user("guest", "", &[]));
    own.permissions.push(permission("guest", "", "", ""));
    let with_vhosts = destroy(&own, &Handling::default(), &observed, scope("users,vhosts"));
    assert_eq!(lines(&with_vhosts), ["- vhost '/'", "- user 'alice'"]);
}

#[test]
fn what_holds_something_ignored_stays_and_the_plan_says_so() {
    let ignore = |kind, pattern: &str| Handling {
        ignored: vec![Ignored { kind, pattern: pattern.into() }],
        ..Handling::default()
    };
    let told = |handling: &Handling, scope: DeletionScope| {
        let observed = seen(more());
        let gone = lines(&prune(&desired(), handling, &observed, &["/".into()], scope));
        let notes = spared(&desired(), handling, &observed, &["/".into()], scope);
        (gone, notes.into_iter().map(|note| note.message).collect::<Vec<_>>())
    };
    let (gone, notes) = told(&ignore(IgnoredKind::Permissions, "^bob$"), scope("users"));
    assert!(!gone.iter().any(|line| line.contains("bob")), "{gone:?}");
    assert_eq!(notes, ["user 'bob' stays: permissions of 'bob' in vhost '/' would go with it, which the file ignores"]);
    // A queue goes with its bindings, too; that they come from an ignored exchange alone keeps none.
    let (gone, notes) = told(&ignore(IgnoredKind::Bindings, "-> left.q$"), scope(""));
    assert!(!gone.iter().any(|line| line.contains("'left.q'") || line.contains("exchange 'left'")), "{gone:?}");
    assert_eq!(notes.len(), 2, "{notes:?}");
    let (gone, _) = told(&ignore(IgnoredKind::Exchanges, "^orders$"), scope(""));
    assert!(gone.contains(&"- queue 'kept.q' in vhost '/' (classic)".to_owned()), "{gone:?}");
    // A vhost that the file names and destroy would delete.
    let handling = ignore(IgnoredKind::Queues, "^held");
    let observed = seen(more());
    assert!(!lines(&destroy(&desired(), &handling, &observed, scope("vhosts"))).contains(&"- vhost '/'".to_owned()));
    let notes = spared_from_destroy(&desired(), &handling, &observed, scope("vhosts"));
    assert_eq!(
        notes[0].message,
        "vhost '/' stays: queue 'held.q' in vhost '/' would go with it, which the file ignores"
    );
}

#[test]
fn a_protected_vhost_is_refused_before_anything_is_deleted() {
    let mut there = more();
    there.vhosts.iter_mut().for_each(|vhost| vhost.protected_from_deletion = Some(&*vhost.name == "elsewhere"));
    let changes = prune(&desired(), &Handling::default(), &seen(there), &["/".into()], scope("vhosts"));
    let plan = Plan { changes, ..Plan::default() };
    assert_eq!(plan.protected().map(|change| change.object.to_string()).collect::<Vec<_>>(), ["vhost 'elsewhere'"]);
    assert_eq!(Decision::of(&plan, true), Decision::Protected);
}

/// Plays deletions against a broker that answers by the name of the queue; gives what was done and what refused.
fn delete(changes: &[Change], answers: &BTreeMap<&str, Result<Reply, Refusal>>) -> (Vec<String>, Vec<String>) {
    let mut stepwise = Stepwise::new(changes, Ids::default());
    for _ in 0..1_000 {
        let Some(command) = stepwise.poll_command(Moment(0)) else { break };
        let (request, reply, closed) = match command {
            Command::Connect { request, .. }
            | Command::OpenChannel { request, .. }
            | Command::Disconnect { request, .. }
            | Command::Manage { request, .. } => (request, Ok(Reply::Done), None),
            Command::Call { request, channel, method } => {
                let (Method::CheckQueue { queue } | Method::DeleteQueue { queue, .. }) = method else {
                    panic!("not asked for: {method:?}")
                };
                let usual = Reply::Declared { queue: Name::default(), ready: 0, consumers: 0 };
                let reply = answers.get(&*queue).cloned().unwrap_or(Ok(usual));
                (request, reply, Some(channel))
            }
            other => panic!("not asked for: {other:?}"),
        };
        let refused = reply.clone().err();
        stepwise.handle_event(Moment(0), Event::Reply { request, reply });
        if let (Some(cause), Some(channel)) = (refused, closed) {
            stepwise.handle_event(Moment(0), Event::ChannelClosed { channel, cause });
        }
    }
    assert!(stepwise.is_done());
    let applied = stepwise.outcome();
    let done = applied.done.iter().map(ToString::to_string).collect();
    (done, applied.refused.iter().map(|(object, refusal)| format!("{object}: {}", refusal.text)).collect())
}

#[test]
fn what_somebody_else_deleted_is_deleted_and_what_is_in_use_by_now_stays() {
    let there = ["gone", "plain", "used", "locked"].map(|name| queue(name, &[]));
    let observed = seen(Topology { queues: there.into(), ..desired() });
    let changes = prune(&desired(), &Handling::default(), &observed, &["/".into()], DeletionScope::default());
    let refuse = |code, text: &str| Refusal::new(Scope::Channel, code, text);
    let answers = BTreeMap::from([
        ("gone", Err(refuse(404, "NOT_FOUND - no queue 'gone' in vhost '/'"))),
        ("used", Ok(Reply::Declared { queue: "used".into(), ready: 2, consumers: 0 })),
        ("locked", Err(refuse(405, "RESOURCE_LOCKED - it is another's"))),
    ]);
    let (done, refused) = delete(&changes, &answers);
    assert_eq!(done, ["queue 'gone'", "queue 'plain'"]);
    assert_eq!(
        refused,
        [
            "queue 'locked': RESOURCE_LOCKED - it is another's",
            "queue 'used': it was empty and unused when the plan was made, and has 2 messages and 0 consumers now",
        ]
    );
    // A classic queue goes only if it is empty and unused when the broker deletes it.
    let flags = changes.iter().flat_map(|change| &change.writes).filter_map(|write| match write {
        Write::Call(Method::DeleteQueue { if_empty, if_unused, .. }) => Some((*if_empty, *if_unused)),
        _ => None,
    });
    assert!(flags.into_iter().all(|both| both == (true, true)));
}

/// Plays the deletion of a stream that was counted as empty; `gives` says what the broker does once the consumer is asked for:
/// deliveries before its answer and after it. Gives what was called, how long it took, and what refused.
fn delete_stream(before: bool, after: bool) -> (Vec<String>, u64, Vec<String>) {
    let there = Topology {
        vhosts: vec![vhost("/")],
        queues: vec![queue("log", &[("x-queue-type", "stream".into())])],
        ..Topology::default()
    };
    let observed = seen(there);
    let changes = prune(&desired(), &Handling::default(), &observed, &["/".into()], DeletionScope::default());
    let mut stepwise = Stepwise::new(&changes, Ids::default());
    let (mut now, mut called) = (Moment(0), Vec::new());
    for _ in 0..100 {
        let Some(command) = stepwise.poll_command(now) else {
            let Some(wake) = stepwise.wake_at() else { break };
            now = wake;
            continue;
        };
        let (request, channel, method) = match command {
            Command::Call { request, channel, method } => (request, Some(channel), Some(method)),
            Command::Connect { request, .. }
            | Command::OpenChannel { request, .. }
            | Command::Disconnect { request, .. } => (request, None, None),
            other => panic!("not asked for: {other:?}"),
        };
        let is_consume = matches!(method, Some(Method::Consume { .. }));
        let delivered = channel.filter(|_| is_consume).map(delivered);
        called
            .extend(method.map(|method| format!("{method:?}").split([' ', '{']).next().unwrap_or_default().to_owned()));
        if let Some(event) = delivered.clone().filter(|_| before) {
            stepwise.handle_event(now, event);
        }
        let reply = Ok(Reply::Declared { queue: "log".into(), ready: 0, consumers: 0 });
        stepwise.handle_event(now, Event::Reply { request, reply });
        if let Some(event) = delivered.filter(|_| after) {
            stepwise.handle_event(now, event);
        }
    }
    assert!(stepwise.is_done());
    let refused = stepwise.outcome().refused;
    (called, now.0, refused.iter().map(|(object, refusal)| format!("{object}: {}", refusal.text)).collect())
}

fn delivered(channel: ChannelId) -> Event {
    let delivery = Delivery {
        tag: DeliveryTag(1),
        exchange: Name::default(),
        routing_key: "log".into(),
        redelivered: false,
        message: Arc::new(Message::default()).into(),
    };
    Event::Delivered { channel, consumer: "rmqplay-look".into(), delivery }
}

#[test]
fn a_stream_counted_as_empty_goes_only_after_its_first_message_was_asked_for_in_vain() {
    let calls = ["CheckQueue", "Qos", "Consume", "DeleteQueue"];
    let (called, took, refused) = delete_stream(false, false);
    assert_eq!((called, took, refused), (calls.map(str::to_owned).to_vec(), 1_000, Vec::new()));
    for (before, after) in [(true, false), (false, true), (true, true)] {
        let (called, took, refused) = delete_stream(before, after);
        assert_eq!((called, took), (calls[..3].iter().map(ToString::to_string).collect(), 0));
        assert_eq!(
            refused,
            ["queue 'log': it was empty when the plan was made, as far as its count tells, and has messages now"]
        );
    }
}
