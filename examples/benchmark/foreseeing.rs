//! What `check`, `effective` and `route` cost beside reading the file, on a large topology; what `graph`, `suggest` and
//! `run --coverage` cost.

use crate::scenarios::shipped;
use crate::tally::thread_time;
use rmqplay::broker::Exercised;
use rmqplay::foresee::{
    AskedRoute, CoverageRecord, TopologyView, lint_topology, route, suggest, topology_graph, versions,
};
use rmqplay::io::Disk;
use rmqplay::language::{LoadedTopology, ReadError, Settings, World, load_scenario, load_topology};
use rmqplay::model::Profile;
use rmqplay::report::{graph_dot, graph_mermaid, graph_svg};
use rmqplay::simulate::rehearse_covering;
use rmqplay::source::Sources;
use std::fmt::Write;
use std::time::Duration;

/// How often each is measured; the shortest counts.
const ROUNDS: usize = 5;

/// Measures topologies of so many queues, each with a binding.
pub fn measure_all() {
    println!("  {:>7}  {:>9}  {:>14}  {:>14}", "queues", "read", "check / read", "route / check");
    for count in [1_000, 10_000] {
        let text = large(count);
        let read = shortest(|| drop(loaded(&text)));
        let check = shortest(|| {
            let loaded = loaded(&text);
            assert!(!lint_topology(&loaded.topology, &loaded.origins, &[], &[]).is_empty(), "something to find");
        });
        let routed = shortest(|| follow(&text));
        let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
        println!(
            "  {count:>7}  {:>6} ms  {:>14.2}  {:>14.2}",
            read.as_millis(),
            ratio(check, read),
            ratio(routed, check)
        );
    }
}

/// Measures pictures, suggestions and coverage.
pub fn measure_pictures() {
    println!("  {:<44}  {:>9}  {:>9}  {:>9}", "processor time of reading and drawing", "mermaid", "dot", "svg");
    let shapes = [
        ("a topic exchange, dead letters", topic as fn(usize) -> String),
        ("a chain of dead letters", chain),
        ("the same, bound", bound_chain),
    ];
    for (name, shape) in shapes {
        for count in [40, 100] {
            let text = shape(count);
            let time =
                |write: fn(&rmqplay::foresee::TopologyGraph) -> String| shortest(|| assert!(drawn(&text, write) > 0));
            let [mermaid, dot, svg] = [time(graph_mermaid), time(graph_dot), time(graph_svg)].map(millis);
            println!("  {:<44}  {mermaid:>6.1} ms  {dot:>6.1} ms  {svg:>6.1} ms", format!("{count} queues: {name}"));
        }
    }
    for count in [25, 50, 100] {
        let text = topic(count);
        let began = thread_time();
        let found = suggested(&text);
        let took = millis(thread_time() - began);
        println!("  suggest: {count} queues, {found} scenarios on {}  {took:>6.0} ms", Profile::NEWEST);
    }
    let (plain, covering) = (shortest(|| play_shipped(false)), shortest(|| play_shipped(true)));
    let ratio = covering.as_secs_f64() / plain.as_secs_f64();
    println!("  run --coverage / run, the shipped scenarios on sim {}: {ratio:.2}", Profile::NEWEST);
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn drawn(text: &str, write: fn(&rmqplay::foresee::TopologyGraph) -> String) -> usize {
    let loaded = loaded(text);
    let compiled = versions(&loaded.topology, &[Profile::NEWEST]);
    let view = TopologyView::new(&loaded.topology, &loaded.origins, &compiled).expect("a version");
    write(&topology_graph(&view, None)).len()
}

/// The one topology that suggested scenarios name.
struct OneFile<'t>(&'t str);

impl World for OneFile<'_> {
    fn read(&self, _: &str) -> Result<Vec<u8>, ReadError> {
        Ok(self.0.as_bytes().to_vec())
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }
}

fn suggested(text: &str) -> usize {
    let loaded = loaded(text);
    let load = |name: &str, scenario: &str| {
        let mut sources = Sources::default();
        let read = load_scenario(&mut sources, name, scenario.as_bytes(), &OneFile(text), &Settings::default());
        read.0?.cells.pop()
    };
    suggest(&loaded.topology, &loaded.origins, Profile::NEWEST, &load).scenarios.len()
}

fn play_shipped(covering: bool) {
    let mut record = CoverageRecord::default();
    for cell in shipped() {
        let mut exercised = Exercised::default();
        rehearse_covering(&cell, Profile::NEWEST, false, covering.then_some(&mut exercised));
        if covering {
            record.add(&cell.scenario, Profile::NEWEST, &exercised, |_| "topology.yaml");
        }
    }
}

/// Writes queues at one topic exchange, of which a fourth dead-letters by age and a fourth by rejection.
fn topic(count: usize) -> String {
    let mut text = String::from("exchanges: [{name: events, type: topic}, {name: dlx, type: topic}]\nqueues:\n");
    text.push_str("  - {name: dead, bindings: [{source: dlx, routing_key: '#'}]}\n");
    for n in 0..count {
        let kind = if n % 3 == 0 { ", type: quorum" } else { "" };
        let setting = [
            "",
            ", message_ttl: 1m, dead_letter: {exchange: dlx}",
            ", dead_letter: {exchange: dlx}",
            ", max_length: 9",
        ];
        let setting = setting[n % 4];
        let _ = writeln!(
            text,
            "  - {{name: queue.{n}{kind}{setting}, bindings: [{{source: events, routing_key: 'key.{n}.*'}}]}}"
        );
    }
    text
}

/// Writes queues of which each dead-letters to the next.
fn chain(count: usize) -> String {
    linked(count, "")
}

/// Writes the same, each queue bound to an exchange.
fn bound_chain(count: usize) -> String {
    linked(count, ", bindings: [{source: events, routing_key: key}]")
}

fn linked(count: usize, bindings: &str) -> String {
    let mut text = String::from("exchanges: [{name: events, type: topic}]\nqueues:\n");
    for n in 1..count {
        let _ = writeln!(
            text,
            "  - {{name: queue.{n}, message_ttl: {n}s, dead_letter: {{exchange: '', routing_key: queue.{}}}{bindings}}}",
            n + 1
        );
    }
    let _ = writeln!(text, "  - {{name: queue.{count}{bindings}}}");
    text
}

fn follow(text: &str) {
    let loaded = loaded(text);
    let compiled = versions(&loaded.topology, &[Profile::NEWEST]);
    let view = TopologyView::new(&loaded.topology, &loaded.origins, &compiled).expect("a version");
    let asked = AskedRoute { vhost: "/", exchange: "topics.1", key: "key.1", headers: None, user: None };
    assert!(route(&view, &asked).is_some(), "an exchange of that name");
}

fn loaded(text: &str) -> LoadedTopology {
    let mut sources = Sources::default();
    let (loaded, problems) =
        load_topology(&mut sources, "large.yaml", text.as_bytes(), &Disk::here(), &Settings::default());
    loaded.unwrap_or_else(|| panic!("a topology without problems, not {problems:?}"))
}

fn shortest(work: impl Fn()) -> Duration {
    let time = || {
        let before = thread_time();
        work();
        thread_time() - before
    };
    (0..ROUNDS).map(|_| time()).min().unwrap_or_default()
}

/// Writes a topology: a hundred queues to an exchange, some with a TTL, a limit or dead letters, some of quorum.
fn large(count: usize) -> String {
    let mut text = String::from("exchanges:\n  - {name: dlx, type: topic}\n");
    for n in 0..count.div_ceil(100) {
        let _ = writeln!(text, "  - {{name: topics.{n}, type: topic}}");
    }
    text.push_str("policies:\n");
    for n in 0..10 {
        let _ = writeln!(
            text,
            "  - {{name: p{n}, pattern: '^queue\\.{n}', priority: {n}, apply-to: queues, definition: {{max-length: 1000}}}}"
        );
    }
    text.push_str("queues:\n  - {name: dead, bindings: [{source: dlx, routing_key: '#'}]}\n");
    for n in 0..count {
        let kind = if n % 3 == 0 { ", type: quorum" } else { "" };
        let setting = ["", ", message_ttl: 1m", ", dead_letter: {exchange: dlx}", ", max_length: 100"][n % 4];
        let source = n / 100;
        let _ = writeln!(
            text,
            "  - {{name: queue.{n}{kind}{setting}, bindings: [{{source: topics.{source}, routing_key: key.{n}}}]}}"
        );
    }
    text
}
