//! What the control port tells of a broker, and the faults that it makes.

use crate::clocks::{ask, consume, dead_lettering, pass, publish, served};
use crate::scripts::declare_with;
use crate::talk::{Served, Talk};
use rmqplay::clock::ClockMode;
use rmqplay::model::{Properties, Table, Value};
use rmqplay::serve::timeline_events;
use rmqplay::wire::AmqpMethod as M;
use serde_json::{Value as Json, json};

fn named(id: &str) -> Properties {
    Properties { message_id: Some(id.into()), ..Properties::default() }
}

fn said(served: &mut Served, body: &dyn Fn(&mut Talk<'_>)) -> String {
    let mut talk = Talk::new(served);
    body(&mut talk);
    talk.transcript
}

/// Lets real time pass, and returns what is said meanwhile.
fn heard(served: &mut Served, ms: u64) -> String {
    let mut transcript = String::new();
    for _ in 0..ms {
        served.now_ms += 1;
        transcript.push_str(&said(served, &|talk| talk.bytes("nothing", b"")));
    }
    transcript
}

#[test]
fn a_message_has_a_story_with_rules() {
    let mut served = served(ClockMode::Manual);
    said(&mut served, &|talk| {
        talk.open();
        talk.method(1, &declare_with("wait", dead_lettering(60_000, "work")));
        talk.method(1, &declare_with("work", Table::new()));
        talk.publish(1, &publish("wait"), named("order-7"), b"one");
        talk.publish(1, &publish("wait"), Properties::default(), b"two");
    });
    ask(&mut served, "POST", "/clock/advance", json!({"until": {"queue": "work", "message": "order-7"}}));
    pass(&mut served, 100);
    assert_eq!(ask(&mut served, "GET", "/clock/jobs/1", Json::Null).1["state"], json!("done"));
    let (status, story) = ask(&mut served, "GET", "/messages/order-7/story", Json::Null);
    assert_eq!((status, &story["fate"]), (200, &json!("in work")));
    let hops = story["hops"].as_array().expect("hops");
    assert!(hops[0]["text"].as_str().is_some_and(|text| text.contains("publishes it to")), "{story}");
    let expired = hops.iter().find(|hop| hop["at_ms"] == json!(60_000)).expect("it died");
    assert!(expired["text"].as_str().is_some_and(|text| text.contains("expired") && text.contains('[')), "{story}");
    assert_eq!(ask(&mut served, "GET", "/messages/m1/story", Json::Null).1["fate"], json!("in work"));
    let (status, none) = ask(&mut served, "GET", "/messages/order-8/story", Json::Null);
    assert_eq!(status, 404);
    assert!(none["error"].as_str().is_some_and(|text| text.contains("did you mean `order-7`?")), "{none}");
    let (_, queues) = ask(&mut served, "GET", "/queues", Json::Null);
    assert_eq!((&queues[0]["name"], &queues[0]["ready"], &queues[1]["ready"]), (&json!("wait"), &json!(0), &json!(2)));
}

#[test]
fn an_advance_until_says_what_it_cannot_wait_for() {
    let mut served = served(ClockMode::Manual);
    said(&mut served, &|talk| {
        talk.open();
        talk.method(1, &declare_with("orders", Table::new()));
    });
    for (until, part) in [
        (json!({"queue": "order"}), "did you mean `orders`?"),
        (json!({"queue": "orders", "messages": 0}), "`messages` is a whole number from 1"),
        (json!({"queue": "orders", "messages": -1}), "`messages` is a whole number from 1"),
        (json!({"queue": "orders", "where": {"correlation": "7"}}), "did you mean `correlation_id`?"),
        (json!({"queu": "orders"}), "did you mean `queue`?"),
        (json!({}), "`until` names a queue"),
        (json!(7), "give {\"by\": \"7d\"}"),
    ] {
        let (status, answer) = ask(&mut served, "POST", "/clock/advance", json!({"until": until}));
        assert_eq!(status, 400, "{until}");
        assert!(answer["error"].as_str().is_some_and(|text| text.contains(part)), "{until}: {answer}");
    }
    pass(&mut served, 30);
    ask(&mut served, "POST", "/clock/advance", json!({"until": {"queue": "orders"}}));
    pass(&mut served, 30);
    let (_, job) = ask(&mut served, "GET", "/clock/jobs/1", Json::Null);
    assert_eq!((&job["state"], &job["at_ms"]), (&json!("missed"), &json!(0)), "{job}");
    said(&mut served, &|talk| {
        let properties = Properties { correlation_id: Some("7".into()), ..Properties::default() };
        talk.publish(1, &publish("orders"), properties, b"");
    });
    let until = json!({"until": {"queue": "orders", "where": {"correlation_id": "7"}}});
    ask(&mut served, "POST", "/clock/advance", until);
    pass(&mut served, 30);
    assert_eq!(ask(&mut served, "GET", "/clock/jobs/2", Json::Null).1["state"], json!("done"));
    said(&mut served, &|talk| {
        talk.method(1, &declare_with("wait", dead_lettering(60_000, "orders")));
        // One that comes is taken at once: nobody sees it in the queue.
        talk.method(1, &consume("orders", true));
        for id in ["8", "9"] {
            let properties = Properties { correlation_id: Some(id.into()), ..Properties::default() };
            talk.publish(1, &publish("wait"), properties, b"");
        }
    });
    let until = json!({"until": {"queue": "orders", "where": {"correlation_id": "9"}}});
    ask(&mut served, "POST", "/clock/advance", until);
    pass(&mut served, 100);
    let (_, job) = ask(&mut served, "GET", "/clock/jobs/3", Json::Null);
    assert_eq!((&job["state"], &job["at_ms"]), (&json!("done"), &json!(60_000)), "{job}");
    assert_eq!(ask(&mut served, "POST", "/clock/advance", json!({"until": "timer"})).0, 202);
}

#[test]
fn an_automatic_clock_rests_where_nothing_ends() {
    let mut served = served(ClockMode::Auto);
    said(&mut served, &|talk| {
        talk.open();
        // What cannot be dead-lettered is tried again for ever.
        let mut arguments = dead_lettering(1_000, "nowhere");
        for (key, value) in
            [("x-queue-type", "quorum"), ("x-dead-letter-strategy", "at-least-once"), ("x-overflow", "reject-publish")]
        {
            arguments.insert(key.into(), Value::Text(value.into()));
        }
        talk.method(1, &declare_with("tried", arguments));
        talk.publish(1, &publish("tried"), Properties::default(), b"round");
    });
    for _ in 0..200 {
        pass(&mut served, 20);
    }
    let (_, clock) = ask(&mut served, "GET", "/clock", Json::Null);
    assert!(clock["rests"].as_str().is_some_and(|text| text.contains("the clock rests at")), "{clock}");
    let at = clock["moment_ms"].clone();
    pass(&mut served, 100);
    assert_eq!(ask(&mut served, "GET", "/clock", Json::Null).1["moment_ms"], at, "it rests");
    said(&mut served, &|talk| talk.publish(1, &publish("nowhere"), Properties::default(), b""));
    pass(&mut served, 100);
    assert_ne!(ask(&mut served, "GET", "/clock", Json::Null).1["moment_ms"], at, "a client was there");
}

#[test]
fn a_slow_reader_of_the_timeline_hears_how_much_it_missed() {
    let mut served = served(ClockMode::Manual);
    said(&mut served, &|talk| {
        talk.open();
        talk.method(1, &declare_with("q", Table::new()));
        for _ in 0..6_000 {
            talk.publish(1, &publish("q"), Properties::default(), b"");
        }
    });
    let (first, last) = timeline_events(&served.host, 0);
    assert!(first.starts_with("event: gap\ndata: {\"missed\":"), "{}", &first[..60]);
    assert!(first.contains("\"text\":\"client publishes m"), "{}", &first[first.len() - 200..]);
    assert_eq!(first.matches("\nid: ").count() + usize::from(first.starts_with("id: ")), 500);
    let (_, further) = timeline_events(&served.host, last);
    assert!(further > last);
    let (status, kept) = ask(&mut served, "GET", "/timeline", Json::Null);
    assert_eq!((status, kept), (200, Json::Null));
}

#[test]
fn the_timeline_keeps_no_large_bodies() {
    let mut served = served(ClockMode::Manual);
    let body: std::sync::Arc<[u8]> = vec![7; 50_000].into();
    said(&mut served, &|talk| {
        talk.open();
        talk.method(1, &declare_with("q", Table::new()));
        talk.method(1, &consume("q", true));
        talk.publish(1, &publish("q"), Properties::default(), &body);
    });
    let timeline = served.host.timeline().expect("a timeline");
    let bodies = timeline.entries().filter_map(|entry| match &entry.what {
        rmqplay::player::TimelineEvent::Delivered { message, .. } => Some(message.body.len()),
        _ => None,
    });
    assert_eq!(bodies.collect::<Vec<_>>(), [0]);
}

fn fault(served: &mut Served, body: Json) -> (u16, Json) {
    ask(served, "POST", "/faults", body)
}

fn begun() -> Served {
    let mut served = served(ClockMode::Manual);
    said(&mut served, &|talk| {
        talk.open();
        talk.method(1, &declare_with("q", Table::new()));
        talk.method(1, &M::ConfirmSelect { nowait: false });
    });
    served
}

#[test]
fn publishes_are_nacked_and_reach_no_queue() {
    let mut served = begun();
    assert_eq!(fault(&mut served, json!({"fault": "nack", "publishes": 2})).1["nack"], json!(2));
    let said = said(&mut served, &|talk| {
        for _ in 0..3 {
            talk.publish(1, &publish("q"), Properties::default(), b"");
        }
    });
    assert_eq!((said.matches("BasicNack").count(), said.matches("BasicAck").count()), (2, 1), "{said}");
    assert_eq!(ask(&mut served, "GET", "/queues", Json::Null).1[0]["ready"], json!(1));
}

#[test]
fn a_method_is_refused_as_the_broker_would() {
    let mut served = begun();
    let body = json!({"fault": "refuse", "method": "queue.declare", "code": 406, "text": "not today", "times": 1});
    assert_eq!(fault(&mut served, body).0, 200);
    let said_of_channel = said(&mut served, &|talk| talk.method(1, &declare_with("other", Table::new())));
    assert!(said_of_channel.contains("ChannelClose") && said_of_channel.contains("PRECONDITION_FAILED - not today"));
    said(&mut served, &|talk| {
        talk.method(1, &M::ChannelCloseOk {});
        talk.method(1, &M::ChannelOpen { out_of_band: "".into() });
    });
    fault(&mut served, json!({"fault": "refuse", "method": "basic.publish", "code": 541}));
    let said = said(&mut served, &|talk| talk.publish(1, &publish("q"), Properties::default(), b""));
    assert!(said.contains("ConnectionClose") && said.contains("INTERNAL_ERROR"), "{said}");
}

#[test]
fn deliveries_come_late_and_in_order() {
    let mut served = begun();
    assert_eq!(fault(&mut served, json!({"fault": "delay", "by": "5s", "queue": "q", "deliveries": 1})).0, 200);
    let at_once = said(&mut served, &|talk| {
        talk.method(1, &consume("q", true));
        talk.publish(1, &publish("q"), named("one"), b"one");
        talk.publish(1, &publish("q"), named("two"), b"two");
    });
    assert!(!at_once.contains("BasicDeliver"), "{at_once}");
    pass(&mut served, 30);
    ask(&mut served, "POST", "/clock/advance", json!({"by": "5s"}));
    let late = heard(&mut served, 60);
    assert_eq!(late.matches("BasicDeliver").count(), 2, "{late}");
    assert!(late.find("one") < late.find("two"), "{late}");
}

#[test]
fn an_alarm_blocks_who_publishes_and_who_can_know_is_told() {
    let mut served = begun();
    assert_eq!(fault(&mut served, json!({"fault": "alarm"})).1["alarms"], json!(["memory"]));
    assert_eq!(fault(&mut served, json!({"fault": "alarm", "of": "disk"})).1["alarms"], json!(["disk", "memory"]));
    let blocked = said(&mut served, &|talk| talk.publish(1, &publish("q"), Properties::default(), b"body"));
    assert!(blocked.contains("ConnectionBlocked { reason: \"low on memory & disk\" }"), "{blocked}");
    assert!(!blocked.contains("BasicAck"), "its body is not read: {blocked}");
    // Heartbeats are not missed meanwhile.
    pass(&mut served, 200_000 / 100);
    fault(&mut served, json!({"fault": "alarm", "on": false}));
    let unblocked = heard(&mut served, 1);
    assert!(!unblocked.contains("ConnectionUnblocked"), "the disk is low still: {unblocked}");
    fault(&mut served, json!({"fault": "alarm", "of": "disk", "on": false}));
    let unblocked = heard(&mut served, 1);
    assert!(unblocked.contains("ConnectionUnblocked") && unblocked.contains("BasicAck"), "{unblocked}");
}

#[test]
fn connections_are_closed_and_dropped_by_name() {
    let mut served = begun();
    let (status, none) = fault(&mut served, json!({"fault": "close", "connection": "nobody"}));
    assert_eq!(
        (status, none["error"].as_str()),
        (404, Some("no connection, and no user of one, is called `nobody`; there are: client"))
    );
    assert_eq!(fault(&mut served, json!({"fault": "close", "connection": "guest"})).1, json!({"connections": 1}));
    let closed = heard(&mut served, 1);
    assert!(closed.contains("ConnectionClose") && closed.contains("320"), "{closed}");
    let mut served = begun();
    assert_eq!(fault(&mut served, json!({"fault": "drop", "connection": "all"})).1, json!({"connections": 1}));
    let dropped = heard(&mut served, 1);
    assert!(!dropped.contains("ConnectionClose"), "{dropped}");
    assert_eq!(served.host.server.fate(served.socket()), rmqplay::serve::SocketFate::CloseWhenSent);
}

#[test]
fn a_restart_keeps_what_the_disk_keeps() {
    for (disk, left) in [(true, 1), (false, 0)] {
        let mut served = begun();
        said(&mut served, &|talk| {
            let kept = Properties { delivery_mode: Some(2), ..Properties::default() };
            talk.publish(1, &publish("q"), kept, b"kept");
            talk.publish(1, &publish("q"), Properties::default(), b"lost");
        });
        assert_eq!(fault(&mut served, json!({"fault": "restart", "disk": disk, "down_for": "1m"})).0, 200);
        assert_eq!(fault(&mut served, json!({"fault": "restart"})).0, 409);
        let closed = heard(&mut served, 1);
        assert!(closed.contains("ConnectionClose") && closed.contains("shutdown"), "{closed}");
        pass(&mut served, 30);
        ask(&mut served, "POST", "/clock/advance", json!({"by": "2m"}));
        pass(&mut served, 100);
        let (_, queues) = ask(&mut served, "GET", "/queues", Json::Null);
        let ready: u64 = queues.as_array().into_iter().flatten().filter_map(|queue| queue["ready"].as_u64()).sum();
        assert_eq!(ready, left, "disk: {disk}, {queues}");
    }
}

#[test]
fn a_fault_that_is_none_is_explained() {
    let mut served = served(ClockMode::Real);
    for (body, part) in [
        (json!({}), "`fault` says which: close, drop, alarm, nack, refuse, delay, restart"),
        (json!({"fault": "dealy"}), "did you mean `delay`?"),
        (json!({"fault": "delay"}), "`by` says how late they come"),
        (json!({"fault": "nack", "by": "5s"}), "the fault `nack` takes no `by`, but publishes"),
        (json!({"fault": "nack", "publishes": -1}), "`publishes` is a whole number from 1"),
        (json!({"fault": "refuse", "method": "queue.declair"}), "did you mean `queue.declare`?"),
        (json!({"fault": "refuse", "method": "queue.declare", "code": 200}), "`code` is one of AMQP's"),
        (json!({"fault": "drop"}), "`connection` says whose"),
        (json!({"fault": "alarm", "of": "cpu"}), "an alarm is `of` memory or disk"),
        (json!({"fault": "restart", "down_for": "soon"}), "soon"),
    ] {
        let (status, answer) = fault(&mut served, body.clone());
        assert_eq!(status, 400, "{body}: {answer}");
        assert!(answer["error"].as_str().is_some_and(|text| text.contains(part)), "{body}: {answer}");
    }
}
