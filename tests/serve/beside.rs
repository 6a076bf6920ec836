//! A scenario beside an outside client: it sees what the client does, waits for it, and is judged when the client is gone.

use crate::clocks::{ask, consume, pass, publish};
use crate::talk::{Link, Served, Talk};
use rmqplay::clock::{ClockMode, ServedClock};
use rmqplay::language::{ReadError, Settings, World, load_scenario};
use rmqplay::model::{Cell, Millis, Profile, Properties};
use rmqplay::player::RunResult;
use rmqplay::serve::ServedBroker;
use rmqplay::source::Sources;
use rmqplay::wire::AmqpMethod as M;
use serde_json::{Value as Json, json};

pub struct NoWorld;

impl World for NoWorld {
    fn read(&self, _path: &str) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::NoFiles)
    }

    fn variable(&self, _name: &str) -> Option<String> {
        None
    }
}

fn cell(text: &str) -> Cell {
    let (mut sources, settings) = (Sources::default(), Settings::default());
    let (loaded, problems) = load_scenario(&mut sources, "s.yaml", text.as_bytes(), &NoWorld, &settings);
    loaded.unwrap_or_else(|| panic!("{problems:?}")).cells.remove(0)
}

fn served(text: &str, mode: ClockMode) -> Served {
    let cell = cell(text);
    let scenario = &cell.scenario;
    let host = ServedBroker::new(Profile::NEWEST.into(), &scenario.topology, &scenario.origins, 1_700_000_000);
    let host = host.with_clock(ServedClock::new(mode, Millis(20), Millis(5_000))).with_timeline().with_scenario(&cell);
    Served::of(host)
}

pub fn failures(played: Option<RunResult>) -> Vec<String> {
    played.expect("a scenario").failures.into_iter().map(|failure| failure.message).collect()
}

const SHOP: &str = r#"
scenario: an order is paid within an hour, or told to sales
topology:
  queues:
    - {name: orders, message_ttl: 1h, dead_letter: {exchange: "", routing_key: late}}
    - {name: paid}
    - {name: late}
consumers:
  bookkeeping: {queue: paid, on_message: [{do: [ack]}]}
steps:
  - publish: {routing_key: orders, id: first}
  - expect: {consumer: bookkeeping, received: [first], within: 30m}
  - publish: {routing_key: orders, id: second}
  - expect: {queue: late, ready: 1, within: 2h}
at_end:
  - expect: {queue: late, messages: [{id: second, x_death: [{queue: orders, reason: expired}]}]}
"#;

#[test]
fn a_service_works_among_scripted_neighbours() {
    let mut served = served(SHOP, ClockMode::Manual);
    let mut talk = Talk::new(&mut served);
    talk.open();
    talk.method(1, &M::BasicGet { ticket: rmqplay::wire::Ticket, queue: "orders".into(), no_ack: true });
    assert!(talk.transcript.contains("BasicGetOk"), "{}", talk.transcript);
    let id = Some("first".into());
    talk.publish(1, &publish("paid"), Properties { message_id: id, ..Properties::default() }, b"");
    pass(&mut served, 30);
    let (status, _) = ask(&mut served, "POST", "/clock/advance", json!({"until": {"queue": "late"}}));
    assert_eq!(status, 202);
    pass(&mut served, 200);
    let (_, clock) = ask(&mut served, "GET", "/clock", Json::Null);
    assert_eq!((&clock["job"]["state"], &clock["moment_ms"]), (&json!("done"), &json!(3_600_000)));
    assert_eq!(failures(served.host.finish_scenario(served.now_ms)), Vec::<String>::new());
}

#[test]
fn what_the_client_left_undone_fails_when_it_is_gone() {
    let mut served = served(SHOP, ClockMode::Real);
    let mut talk = Talk::new(&mut served);
    talk.open();
    pass(&mut served, 50);
    let failures = failures(served.host.finish_scenario(served.now_ms));
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(failures[0].contains("bookkeeping"), "{failures:?}");
}

#[test]
fn quiet_waits_for_who_has_a_delivery_and_gives_up_on_who_keeps_it() {
    let text = r#"
scenario: looked at once nothing happens
topology: {queues: [{name: jobs}, {name: done}]}
steps:
  - publish: {routing_key: jobs, id: job}
  - expect: {queue: jobs, consumers: 1, within: 1m}
  - expect: {queue: done, ready: 1}
"#;
    for settles in [true, false] {
        let mut served = served(text, ClockMode::Real);
        let mut talk = Talk::new(&mut served);
        talk.open();
        talk.method(1, &consume("jobs", false));
        pass(&mut served, 300);
        if settles {
            let mut talk = Talk::new(&mut served);
            talk.publish(1, &publish("done"), Properties::default(), b"");
            talk.method(1, &M::BasicAck { delivery_tag: 1, multiple: false });
            pass(&mut served, 100);
        } else {
            pass(&mut served, 6_000);
        }
        let failures = failures(served.host.finish_scenario(served.now_ms));
        match settles {
            true => assert_eq!(failures, Vec::<String>::new()),
            false => assert!(failures[0].starts_with("never quiet: delivery 1 of queue 'jobs'"), "{failures:?}"),
        }
    }
}

#[test]
fn what_goes_round_at_one_moment_ends_the_scenario_and_not_the_broker() {
    let text = r#"
scenario: a loop in no time
topology: {queues: [{name: q}]}
consumers: {looper: {queue: q, on_message: [{do: [{forward: {routing_key: q}}, ack]}]}}
steps:
  - publish: {routing_key: q}
"#;
    let mut served = served(text, ClockMode::Manual);
    let mut talk = Talk::new(&mut served);
    talk.open();
    let failures = failures(served.host.finish_scenario(served.now_ms));
    assert!(failures[0].contains("q"), "{failures:?}");
}

#[test]
fn the_scenarios_time_is_the_brokers() {
    let text = r#"
scenario: a day later
topology: {queues: [{name: q}]}
steps:
  - advance: 1d
  - publish: {routing_key: q, id: late}
"#;
    let mut served = served(text, ClockMode::Manual);
    let ready = |served: &mut Served| ask(served, "GET", "/queues", Json::Null).1[0]["ready"].clone();
    pass(&mut served, 50);
    assert_eq!(ready(&mut served), json!(0));
    ask(&mut served, "POST", "/clock/advance", json!({"by": "1d"}));
    pass(&mut served, 100);
    assert_eq!(ready(&mut served), json!(1));
    served.exchange(&[]);
    assert_eq!(failures(served.host.finish_scenario(served.now_ms)), Vec::<String>::new());
}
