//! Truncated and mutated files never make the loader or the drawing panic, and huge ones end soon.

use super::Held;
use super::examples::{PARKING, SCENARIO, TOPOLOGY};
use super::random::Random;
use rmqplay::language::{Settings, kind_of, load_scenario, load_topology};
use rmqplay::report::{draw, problems_json};
use rmqplay::source::Sources;

fn load(text: &[u8]) {
    let world = Held::default().with_file("topologies/parking.yaml", PARKING).with_variable("ALICE_PASSWORD", "x");
    let mut sources = Sources::default();
    let scenario = load_scenario(&mut sources, "s.yaml", text, &world, &Settings::default());
    let topology = load_topology(&mut sources, "t.yaml", text, &world, &Settings::default());
    for problems in [scenario.1, topology.1] {
        draw(&problems, &sources, 80, true);
        problems_json(&problems, &sources);
    }
    kind_of(text);
}

#[test]
fn truncations_never_panic() {
    for text in [TOPOLOGY, SCENARIO, PARKING] {
        for end in (0..text.len()).step_by(7) {
            load(&text.as_bytes()[..end]);
        }
    }
}

#[test]
fn single_byte_mutations_never_panic() {
    const BYTES: &[u8] = b"{}[]:,#&*!|>'\"%@`-? \n\t\0\xff9aZ";
    let mut random = Random::new(1);
    for text in [TOPOLOGY, SCENARIO, PARKING] {
        for _ in 0..120 {
            let mut bytes = text.as_bytes().to_vec();
            let at = random.below(bytes.len() as u64) as usize;
            bytes[at] = *random.pick(BYTES);
            load(&bytes);
        }
    }
}

#[test]
fn deep_and_long_files_end_soon() {
    load(&b"[".repeat(100_000));
    load(&b"a: ".repeat(50_000));
    load("queues:\n".repeat(50_000).as_bytes());
    load("- ".repeat(50_000).as_bytes());
    load(&b"\n".repeat(200_000));
    load(&[b"queues:\n  - name: \"".as_slice(), &b"x\n".repeat(100_000)].concat());
    load(&b"x".repeat(10 << 20));
    let line = format!("{{\"queues\": [{}]}}", "{\"name\": \"q\", \"colour\": 1}, ".repeat(5_000));
    load(line.as_bytes());
}
