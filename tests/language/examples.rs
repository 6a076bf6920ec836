//! The topology and the scenario that the design shows load with exactly what they say.

use super::{Held, scenario, topology};
use rmqplay::language::Settings;
use rmqplay::model::{
    Act, Action, ApplyTo, Count, Credential, DestinationKind, LateValue, Millis, Object, Received, Scale, Subject,
    Text, Tolerance, Value, When,
};

pub const TOPOLOGY: &str = r#"# topologies/orders.yaml
vhost: /                                   # default for every object below that names none
vars: {ttl: 5s, exchange: "{{ env.RTE_EXCHANGE | default('rte.topic') }}"}
users:
  - {name: alice, password: "{{ env.ALICE_PASSWORD }}", tags: [],        # or password_hash
     permissions: {configure: "^$", write: "^game$", read: "^cmd\\.alice$"},
     topic_permissions: [{exchange: game, write: "^status\\.{username}$", read: "^quest\\."}]}
exchanges:
  - {name: "{{ exchange }}", type: topic}
  - {name: rte.dlx, type: direct, alternate_exchange: audit}
  - {name: audit, type: fanout}
  - {name: game, type: topic}
  - {name: game.cmd}
queues:
  - name: ttl.demo.q
    type: quorum                           # classic (default), quorum, stream
    message_ttl: "{{ ttl }}"               # every known x-argument has a typed field: durations, sizes, enums
    max_length_bytes: 64KiB
    dead_letter: {exchange: rte.dlx, routing_key: ttl.dlq}
    bindings: [{source: "{{ exchange }}", routing_key: "rte.retrieve.#"}]
    arguments: {x-custom: 1, x-when: {$timestamp: 1700000000}}
  - name: work.q
    retry: {delays: [5s, 30s, 2m], then: work.parked}
  - {for_each: [alice, bob], name: "cmd.{{ item }}", bindings: [{source: game.cmd, routing_key: "{{ item }}"}]}
policies:
  - {name: ttl-demo, pattern: "^ttl\\.demo\\.q$", apply-to: queues, priority: 1, definition: {message-ttl: 5000}}
"#;

pub const SCENARIO: &str = r##"# scenarios/retry-parking-lot.yaml
scenario: three attempts, five seconds apart, then the parking lot
tags: [retry, dlx]
topology:
  - ../topologies/parking.yaml
  - queues: [{name: spy.q, bindings: [{source: orders, routing_key: "#"}]}]
matrix: {queue_type: [classic, quorum]}    # one cell each; `queue_type` is a var
requires: {rabbitmq: ">=3.10 <5.0"}
consumers:                                 # actors, running from the start unless `start: manual`
  worker:
    queue: orders.work
    prefetch: 1
    on_message:                            # first rule that matches
      - {match: {x_death: {queue: orders.work, count: ">=2"}}, do: [{forward: {exchange: parking}}, ack]}
      - {match: {id: poison}, do: [{delay: 50ms}, {reject: {requeue: false}}]}
      - {match: {json: {n: "{{ limit }}"}, when: "{{ message.json.n > limit }}"}, do: [requeue]}
      - {do: [ack]}
steps:                                     # the driver, one after another
  - publish: {exchange: orders, routing_key: order.created, id: poison, json: {n: 1}}
  - publish: {exchange: orders, routing_key: order.created, count: 3, id: "fine.{{ n }}", expiration: 5s}
  - expect: {queue: orders.parked, ready: 0, for: 4s}                       # stays true for 4s
  - expect: {consumer: worker, received: [poison, fine, poison, poison], within: 30s}
  - expect: {message: poison, gaps: [5s, 5s], tolerance: 10%}
  - {publish: {exchange: orders, routing_key: x}, as: alice, refused: {code: 403, text: access}}
at_end:
  - expect:
      queue: orders.parked
      messages: [{id: poison, x_death: [{queue: orders.wait, reason: expired, count: 2}, {queue: orders.work, reason: rejected, count: 2}]}]
"##;

pub const PARKING: &str = r#"
vars: {limit: 7}
users: [{name: alice, password: "{{ env.ALICE_PASSWORD }}", permissions: {configure: "", write: "", read: ""}}]
exchanges: [{name: orders, type: topic}, {name: parking, type: fanout}, {name: dlx, type: fanout}]
queues:
  - {name: orders.work, type: "{{ queue_type | default('classic') }}", dead_letter: {exchange: dlx},
     bindings: [{source: orders, routing_key: "order.*"}]}
  - {name: orders.wait, message_ttl: 5s, dead_letter: {exchange: "", routing_key: orders.work}, bindings: [{source: dlx}]}
  - {name: orders.parked, bindings: [{source: parking}]}
"#;

#[test]
fn the_topology_of_the_design_says_what_it_says() {
    let world = Held::default().with_variable("ALICE_PASSWORD", "hunter2");
    let (loaded, notes) = topology(&world, TOPOLOGY);
    assert_eq!(notes, Vec::new());
    assert_eq!(loaded.file_vhost.as_deref(), Some("/"));
    let found = &loaded.topology;
    let queue = found.queue("/", "ttl.demo.q").expect("the queue");
    assert_eq!(queue.arguments["x-queue-type"], Value::from("quorum"));
    assert_eq!(queue.arguments["x-message-ttl"], Value::I64(5_000));
    assert_eq!(queue.arguments["x-max-length-bytes"], Value::I64(65_536));
    assert_eq!(queue.arguments["x-dead-letter-exchange"], Value::from("rte.dlx"));
    assert_eq!(queue.arguments["x-dead-letter-routing-key"], Value::from("ttl.dlq"));
    assert_eq!(queue.arguments["x-custom"], Value::I64(1));
    assert_eq!(queue.arguments["x-when"], Value::Timestamp(1_700_000_000));
    let names: Vec<&str> = found.queues.iter().map(|queue| &*queue.name).collect();
    let ladder = ["work.q.retry.5s", "work.q.retry.30s", "work.q.retry.2m", "work.parked"];
    assert_eq!(names, [&["ttl.demo.q", "work.q", "cmd.alice", "cmd.bob"][..], &ladder[..]].concat());
    assert_eq!(found.exchanges[0].name, "rte.topic");
    assert_eq!(found.exchanges[1].arguments["alternate-exchange"], Value::from("audit"));
    assert_eq!(found.users[0].credential.as_ref().map(|it| matches!(it, Credential::Password(_))), Some(true));
    assert_eq!(found.permissions[0].read, "^cmd\\.alice$");
    assert_eq!(found.topic_permissions[0].write, "^status\\.{username}$");
    assert_eq!((found.policies[0].apply_to, found.policies[0].priority), (ApplyTo::Queues, 1));
    assert_eq!(found.policies[0].definition["message-ttl"], 5000);
    let to_bob = found.bindings.iter().find(|binding| &*binding.destination == "cmd.bob").expect("a binding");
    assert_eq!((&*to_bob.source, &*to_bob.routing_key), ("game.cmd", "bob"));
    assert_eq!(to_bob.destination_kind, DestinationKind::Queue);
    let origin = &loaded.origins[&Object::Queue { vhost: "/".into(), name: "ttl.demo.q".into() }];
    let place = origin.field("message_ttl").expect("a field");
    assert!(TOPOLOGY[place.start as usize..].starts_with("message_ttl: \"{{ ttl }}\""));
}

#[test]
fn the_scenario_of_the_design_says_what_it_says() {
    let world = Held::default().with_file("topologies/parking.yaml", PARKING);
    let loaded = scenario(&world, SCENARIO, &Settings::default());
    assert_eq!(loaded.title, "three attempts, five seconds apart, then the parking lot");
    assert_eq!(loaded.cells.len(), 2);
    assert_eq!(loaded.cells[1].axes["queue_type"], "quorum");
    let quorum = &loaded.cells[1].scenario;
    let work = quorum.topology.queue("/", "orders.work").expect("the queue");
    assert_eq!(work.arguments["x-queue-type"], Value::from("quorum"));
    assert!(quorum.topology.queue("/", "spy.q").is_some());
    assert!(quorum.topology.users[0].credential.is_none(), "a run reads no password");
    let worker = &quorum.consumers[0];
    assert_eq!((worker.prefetch, worker.instances, worker.rules.len()), (1, 1, 4));
    let death = worker.rules[0].matcher.x_death.as_ref().expect("x_death");
    assert_eq!(death.count, Some(Count { min: 2, max: None }));
    assert_eq!(worker.rules[1].done.actions, [Action::Delay(Millis(50)), Action::Reject { requeue: false }]);
    assert_eq!(worker.rules[2].matcher.json, [("n".to_owned(), LateValue::Fixed(Value::I64(7)))]);
    assert_eq!(worker.rules[2].done.actions, [Action::Nack { requeue: true, multiple: false }]);
    let Act::Publish(series) = &quorum.steps[1].act else { panic!("a publish") };
    assert!(matches!(&series.id, Some(Text::Template(template)) if template.source() == "fine.{{ n }}"));
    assert_eq!(series.expiration, Some("5000".into()));
    let Act::Expect(stays) = &quorum.steps[2].act else { panic!("an expectation") };
    assert_eq!(stays.when, When::For(Millis(4_000)));
    let Act::Expect(received) = &quorum.steps[3].act else { panic!("an expectation") };
    let Subject::Consumer(received) = &received.subject else { panic!("a consumer") };
    assert!(matches!(&received.received, Some(Received::Messages(list)) if list.entries.len() == 4));
    let Act::Expect(gaps) = &quorum.steps[4].act else { panic!("an expectation") };
    let Subject::Message(gaps) = &gaps.subject else { panic!("a message") };
    assert_eq!((gaps.tolerance, gaps.gaps.as_deref()), (Tolerance::Percent(10.0), Some(&[Millis(5_000); 2][..])));
    let refused = &quorum.steps[5];
    assert_eq!((refused.actor.as_deref(), refused.refused.as_ref().and_then(|it| it.code)), (Some("alice"), Some(403)));
    assert_eq!(quorum.at_end.len(), 1);
    // Ten minutes, and what the steps wait for by their own words: 4 s and 30 s.
    assert_eq!(quorum.time_limit(Scale::ONE), Millis(634_000));
}

#[test]
fn a_var_on_an_axis_picks_that_cell() {
    let world = Held::default().with_file("topologies/parking.yaml", PARKING);
    let settings = Settings { vars: vec![("queue_type".into(), "quorum".into())], ..Settings::default() };
    let loaded = scenario(&world, SCENARIO, &settings);
    assert_eq!(loaded.cells.len(), 1);
    assert_eq!(loaded.cells[0].axes["queue_type"], "quorum");
}

#[test]
fn a_template_that_waits_knows_the_vars_of_its_file() {
    let world = Held::default().with_file("topologies/parking.yaml", PARKING);
    let loaded = scenario(&world, SCENARIO, &Settings::default());
    let when = loaded.cells[0].scenario.consumers[0].rules[2].matcher.when.as_ref().expect("when");
    let message = |n: i64| {
        let json = minijinja::Value::from_pairs([("n", n)]);
        [("message", minijinja::Value::from_pairs([("json", json)]))].into_iter().collect()
    };
    assert_eq!(when.value(&message(8)), Ok(true.into()));
    assert_eq!(when.value(&message(7)), Ok(false.into()));
}
