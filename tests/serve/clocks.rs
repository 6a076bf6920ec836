//! A clock in one's hand: how far it goes, whom it waits for, and what the control port says of it.

use crate::scripts::declare_with;
use crate::talk::{Link, Served, Talk};
use rmqplay::clock::{ClockMode, ServedClock};
use rmqplay::model::{Millis, Profile, Properties, Table, Value};
use rmqplay::serve::{ControlRequest, answer_control};
use rmqplay::wire::{AmqpMethod as M, Ticket};
use serde_json::{Value as Json, json};

const DAY_MS: u64 = 86_400_000;

pub fn served(mode: ClockMode) -> Served {
    let mut served = Served::new(Profile::NEWEST.into());
    served.host = served.host.clone().with_timeline().with_clock(ServedClock::new(mode, Millis(20), Millis(5_000)));
    served
}

pub fn ask(served: &mut Served, method: &str, path: &str, body: Json) -> (u16, Json) {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let request = ControlRequest {
        method: method.to_owned(),
        path: format!("/token{path}"),
        query: String::new(),
        body,
        host: "127.0.0.1:4000".to_owned(),
        origin: None,
    };
    let answer = answer_control(&mut served.host, served.now_ms, "token", &request);
    (answer.status, answer.body)
}

/// Lets real time pass, a millisecond at a time.
pub fn pass(served: &mut Served, ms: u64) {
    for _ in 0..ms {
        served.now_ms += 1;
        served.exchange(&[]);
    }
}

pub fn dead_lettering(ttl: i64, to: &str) -> Table {
    [
        ("x-message-ttl", Value::I64(ttl)),
        ("x-dead-letter-exchange", Value::Text("".into())),
        ("x-dead-letter-routing-key", Value::Text(to.into())),
    ]
    .into_iter()
    .collect()
}

pub fn publish(queue: &str) -> M {
    M::BasicPublish {
        ticket: Ticket,
        exchange: "".into(),
        routing_key: queue.into(),
        mandatory: false,
        immediate: false,
    }
}

pub fn consume(queue: &str, no_ack: bool) -> M {
    M::BasicConsume {
        ticket: Ticket,
        queue: queue.into(),
        consumer_tag: "c".into(),
        no_local: false,
        no_ack,
        exclusive: false,
        nowait: false,
        arguments: Table::new(),
    }
}

#[test]
fn a_week_passes_from_one_timer_to_the_next() {
    let mut served = served(ClockMode::Manual);
    let mut talk = Talk::new(&mut served);
    talk.open();
    // One dies each hour.
    talk.method(1, &declare_with("up", dead_lettering(30 * DAY_MS as i64, "down")));
    talk.method(1, &declare_with("down", Table::new()));
    for hour in 1..=170 {
        let expiration = Some((hour * 3_600_000).to_string().into());
        talk.publish(1, &publish("up"), Properties { expiration, ..Properties::default() }, b"late");
    }
    pass(&mut served, 50);
    assert_eq!(ask(&mut served, "GET", "/clock", Json::Null).1["moment_ms"], json!(0), "time stands still");
    let (status, job) = ask(&mut served, "POST", "/clock/advance", json!({"by": "7d"}));
    assert_eq!((status, &job["job"], &job["state"]), (202, &json!(1), &json!("running")));
    let (status, busy) = ask(&mut served, "POST", "/clock/advance", json!({"by": "1s"}));
    assert_eq!((status, busy["error"].as_str()), (409, Some("job 1 advances the clock already")));
    pass(&mut served, 100);
    let (_, job) = ask(&mut served, "GET", "/clock/jobs/1", Json::Null);
    assert_eq!((&job["state"], &job["at_ms"], &job["jumps"]), (&json!("done"), &json!(7 * DAY_MS), &json!(168)));
    let (_, next) = ask(&mut served, "POST", "/clock/advance", json!({"timers": 2}));
    assert_eq!(next["job"], json!(2));
    pass(&mut served, 100);
    let (_, clock) = ask(&mut served, "GET", "/clock", Json::Null);
    assert_eq!(clock["moment_ms"], json!(7 * DAY_MS + 2 * 3_600_000));
}

#[test]
fn a_jump_waits_for_who_has_a_delivery_and_says_who_keeps_it_too_long() {
    let mut served = served(ClockMode::Manual);
    let mut talk = Talk::new(&mut served);
    talk.open();
    talk.method(1, &declare_with("wait", dead_lettering(60_000, "work")));
    talk.method(1, &declare_with("work", Table::new()));
    talk.method(1, &consume("work", false));
    talk.publish(1, &publish("wait"), Properties::default(), b"one");
    pass(&mut served, 30);
    ask(&mut served, "POST", "/clock/advance", json!({"by": "1h"}));
    pass(&mut served, 1_000);
    let (_, job) = ask(&mut served, "GET", "/clock/jobs/1", Json::Null);
    assert_eq!((&job["state"], &job["at_ms"]), (&json!("running"), &json!(60_000)), "the delivery is in hand");
    let mut talk = Talk::new(&mut served);
    talk.method(1, &M::BasicAck { delivery_tag: 1, multiple: false });
    pass(&mut served, 100);
    let (_, job) = ask(&mut served, "GET", "/clock/jobs/1", Json::Null);
    assert_eq!((&job["state"], &job["at_ms"]), (&json!("done"), &json!(3_600_000)));

    let mut talk = Talk::new(&mut served);
    talk.publish(1, &publish("work"), Properties::default(), b"two");
    ask(&mut served, "POST", "/clock/advance", json!({"by": "1h"}));
    pass(&mut served, 5_100);
    let (_, job) = ask(&mut served, "GET", "/clock/jobs/2", Json::Null);
    let owed = "delivery 2 of queue 'work' in vhost '/' on channel 1 is not settled";
    assert_eq!((&job["state"], &job["owed"]["what"]), (&json!("stuck"), &json!(owed)));
}

#[test]
fn a_hold_keeps_time_for_who_works_unseen() {
    let mut served = served(ClockMode::Manual);
    let (status, hold) = ask(&mut served, "POST", "/clock/hold", json!({"for": "2s", "by": "worker"}));
    assert_eq!((status, &hold["hold"]), (201, &json!(1)));
    ask(&mut served, "POST", "/clock/advance", json!({"by": "1h"}));
    pass(&mut served, 1_000);
    assert_eq!(ask(&mut served, "GET", "/clock", Json::Null).1["moment_ms"], json!(0));
    assert_eq!(ask(&mut served, "DELETE", "/clock/hold/1", Json::Null).0, 204);
    assert_eq!(ask(&mut served, "DELETE", "/clock/hold/1", Json::Null).0, 404);
    pass(&mut served, 30);
    assert_eq!(ask(&mut served, "GET", "/clock", Json::Null).1["moment_ms"], json!(3_600_000));
}

#[test]
fn what_the_control_port_refuses_it_explains() {
    let mut manual = served(ClockMode::Manual);
    for body in [json!({"by": "0s"}), json!({"by": "400d"}), json!({"timers": 0}), json!({"by": "-1d"}), json!({})] {
        assert_eq!(ask(&mut manual, "POST", "/clock/advance", body.clone()).0, 400, "{body}");
    }
    assert_eq!(ask(&mut manual, "GET", "/clock/advance", Json::Null).0, 405);
    assert_eq!(ask(&mut manual, "GET", "/clock/jobs/9", Json::Null).0, 404);
    let mut real = served(ClockMode::Real);
    assert_eq!(ask(&mut real, "POST", "/clock/advance", json!({"by": "1d"})).0, 409);
    let mut request =
        ControlRequest { method: "GET".to_owned(), path: "/other/clock".to_owned(), ..ControlRequest::default() };
    for (host, origin, status) in [
        ("127.0.0.1:4000", None, 404),
        ("localhost:4000", Some("http://localhost:4000"), 404),
        ("evil.example:4000", None, 403),
        ("127.0.0.1:4000", Some("https://evil.example"), 403),
    ] {
        request.host = host.to_owned();
        request.origin = origin.map(str::to_owned);
        assert_eq!(answer_control(&mut real.host, 0, "token", &request).status, status, "{host} {origin:?}");
    }
}

#[test]
fn an_automatic_clock_jumps_when_nobody_is_busy() {
    let mut served = served(ClockMode::Auto);
    let mut talk = Talk::new(&mut served);
    talk.open();
    talk.method(1, &declare_with("wait", dead_lettering(60_000, "work")));
    talk.method(1, &declare_with("work", Table::new()));
    talk.publish(1, &publish("wait"), Properties::default(), b"one");
    pass(&mut served, 60);
    assert_eq!(ask(&mut served, "GET", "/clock", Json::Null).1["moment_ms"], json!(60_000));
    let mut talk = Talk::new(&mut served);
    talk.method(1, &M::BasicGet { ticket: Ticket, queue: "work".into(), no_ack: true });
    assert!(talk.transcript.contains("BasicGetOk"), "{}", talk.transcript);
}

#[test]
fn a_scaled_clock_runs_that_many_times_as_fast() {
    let mut served = served(ClockMode::Scaled(1_000.0));
    pass(&mut served, 60);
    assert_eq!(ask(&mut served, "GET", "/clock", Json::Null).1["moment_ms"], json!(60_000));
}
