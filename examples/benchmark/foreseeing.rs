//! What `check`, `effective` and `route` cost beside reading the file, on a large topology.

use crate::tally::thread_time;
use rmqplay::foresee::{AskedRoute, TopologyView, lint_topology, route, versions};
use rmqplay::io::Disk;
use rmqplay::language::{LoadedTopology, Settings, load_topology};
use rmqplay::model::Profile;
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
            assert!(!lint_topology(&loaded.topology, &loaded.origins, &[]).is_empty(), "something to find");
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
