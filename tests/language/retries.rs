//! `retry:` writes out what the design says, ladder and loop.

use super::{Held, topology};
use rmqplay::model::Value;

#[test]
fn the_ladder_has_a_rung_for_each_delay() {
    let text = "queues: [{name: w, type: quorum, retry: {delays: [5s, 90s, 5000ms], then: p}}]";
    let (loaded, notes) = topology(&Held::default(), text);
    assert_eq!(notes, Vec::new());
    let found = &loaded.topology;
    let rung = found.queue("/", "w.retry.90s").expect("a wait queue");
    assert_eq!(rung.arguments["x-queue-type"], Value::from("quorum"));
    assert_eq!(rung.arguments["x-message-ttl"], Value::I64(90_000));
    assert_eq!(rung.arguments["x-dead-letter-exchange"], Value::from(""));
    assert_eq!(rung.arguments["x-dead-letter-routing-key"], Value::from("w"));
    assert_eq!((&*found.exchanges[0].name, &*found.exchanges[0].kind), ("w.retry", "direct"));
    let bound: Vec<(&str, &str)> = found.bindings.iter().map(|it| (&*it.routing_key, &*it.destination)).collect();
    assert_eq!(bound, [("5s", "w.retry.5s"), ("90s", "w.retry.90s"), ("parked", "p")]);
}

#[test]
fn the_loop_leads_through_one_queue_and_back() {
    let (loaded, _) = topology(&Held::default(), "queues: [{name: w, retry: {every: 5s, then: p}}, {name: p}]");
    let found = &loaded.topology;
    let names: Vec<&str> = found.queues.iter().map(|queue| &*queue.name).collect();
    assert_eq!(names, ["w", "p", "w.retry.5s"]);
    assert_eq!(found.queues[0].arguments["x-dead-letter-exchange"], Value::from(""));
    assert_eq!(found.queues[0].arguments["x-dead-letter-routing-key"], Value::from("w.retry.5s"));
    assert_eq!(found.queues[2].arguments["x-dead-letter-routing-key"], Value::from("w"));
    assert!(found.exchanges.is_empty());
}
