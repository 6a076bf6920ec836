//! Measures the sim on one thread, and the same work on live brokers in the same run.
//! `cargo run --release --example benchmark`; live brokers are those of `RMQPLAY_TEST_BROKERS`. Words after `--` choose
//! sections by their beginning (`deliver`, `dead`, `read`, `stream`, `topic`, `hash`, `timers`, `memory`, `scenarios`, `apply-1000`, `foresee`,
//! `graph`, `explore`, `quiet`, `suite` (with RMQPLAY_BENCHMARK_BEFORE: beside another build), `serve`, or a part of it: `serve-flow`, of RMQPLAY_BENCHMARK_MESSAGES messages, `serve-idle`,
//! `serve-start`, `serve-week`). RMQPLAY_BENCHMARK_EMPTY is a command that empties a broker whose URL is added to it: `apply-10000` takes it where to
//! delete a vhost takes minutes. With RMQPLAY_BENCHMARK_COUNT each case plays so many messages once, for a profiler. The numbers are of this machine and moment: compare the ratios.
#![expect(clippy::disallowed_methods, reason = "an example is a program of its own")]
#![expect(clippy::print_stdout, reason = "it prints what it measures")]

mod applying;
mod bare_amqp;
mod bytes;
mod exploring;
mod flow;
mod foreseeing;
mod on_live;
mod on_sim;
mod planning_memory;
mod quiet;
mod raw_client;
mod scenarios;
mod serving;
mod suite;
mod tally;

use flow::Shape;
use rmqplay::model::{Profile, QueueKind};
use std::time::Duration;
use tally::{Play, in_rounds, thread_time, wall_time};

#[global_allocator]
static ALLOCATOR: bytes::Counting = bytes::Counting;

const KINDS: [QueueKind; 2] = [QueueKind::Classic, QueueKind::Quorum];

type MakeShape = fn(QueueKind) -> Shape;

fn main() {
    if planning_memory::is_child() || serving::is_child() {
        return;
    }
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let wants = |section: &str| chosen.is_empty() || chosen.iter().any(|word| section.starts_with(word.as_str()));
    println!(
        "deliveries per second of processor time, one thread (live: of wall clock); best of up to {}, median",
        tally::REPEATS
    );
    let shapes: [(&str, MakeShape); 3] =
        [("deliver", Shape::deliver), ("dead-letter", Shape::dead_letter), ("read-deaths", Shape::read_deaths)];
    for (section, shape) in shapes.into_iter().filter(|(section, _)| wants(section)) {
        println!("\n{section}: {}", shape(QueueKind::Classic).story);
        for kind in KINDS {
            compare(&shape(kind), kind);
        }
    }
    if wants("stream") {
        println!(
            "\nstream: deliveries per second of a classic queue, and of a stream with readers; all get all, and ack each"
        );
        streams();
    }
    if wants("topic") {
        println!("\ntopic: deliver, through a topic exchange with bindings; each publish fits one");
        growth("bindings", &[10, 1_000, 10_000], Shape::topic);
    }
    if wants("hash") {
        println!("\nhash: publishes to 1,000 queues, by their keys through a direct exchange, and by their hashes");
        let shape = |kind: &str| (kind.to_owned(), Shape::spread(kind, 1_000));
        dearer(["direct", "x-consistent-hash", "x-modulus-hash"].map(shape).into());
    }
    if wants("timers") {
        println!("\ntimers: dead-letter one by one, while other queues hold a message with a TTL of a day");
        growth("timers", &[0, 1_000, 100_000], Shape::timers);
    }
    if wants("memory") {
        println!("\nmemory: bytes per waiting message, of 100,000");
        for kind in KINDS {
            on_sim::memory(kind);
        }
    }
    for size in applying::SIZES {
        if wants(&format!("apply-{size}")) {
            println!("\napply-{size}: so many queues and as many bindings of one topic exchange, with the proof");
            applying::measure_all(size);
        }
    }
    if wants("apply-memory") {
        println!("\napply-memory: the peak of a process that loads, plans, writes, reads back and proves");
        planning_memory::measure();
    }
    if wants("foresee") {
        println!("\nforesee: processor time of a topology with a binding for each queue; all findings, and a route");
        foreseeing::measure_all();
    }
    if wants("graph") {
        println!("\ngraph: pictures, suggestions and coverage");
        foreseeing::measure_pictures();
    }
    if wants("explore") {
        println!("\nexplore: schedules of a cell, and plain plays of it, on sim 4.3");
        exploring::measure_all();
    }
    if wants("quiet") {
        println!(
            "\nquiet: milliseconds from the end of what was done to quiet, as an expectation without a word of time waits"
        );
        quiet::measure_all();
    }
    for (part, measure) in serving::PARTS {
        if wants(part) {
            println!("\n{part}: the program beside this one, and live brokers; build it first");
            measure();
        }
    }
    if wants("suite") {
        println!("\nsuite: `run` of many small files, a process each time, median of the rounds");
        suite::measure();
    }
    if wants("scenarios") {
        println!("\nscenarios: the shipped ones, one cell after another, on sim 4.3");
        scenarios::play_all();
    }
}

/// Measures a shape on the sim by every profile, then on the live brokers; their ratio is by wall clock on
/// both sides.
fn compare(shape: &Shape, kind: QueueKind) {
    let on_sim = |profile, clock: fn() -> Duration| -> Play {
        Box::new(move |count| on_sim::play(shape, profile, count, clock))
    };
    let profiles = Profile::ALL.into_iter().rev();
    let mut plays: Vec<Play> = profiles.clone().map(|profile| on_sim(profile, thread_time)).collect();
    plays.push(on_sim(Profile::NEWEST, wall_time));
    let tallies = in_rounds(&mut plays);
    let mut names: Vec<String> = profiles.map(|profile| format!("sim {profile}, {}", kind.as_str())).collect();
    names.push(format!("sim {}, {}, wall clock", Profile::NEWEST, kind.as_str()));
    for (name, tally) in names.iter().zip(&tallies) {
        println!("  {name:<28} {}", tally.shown());
    }
    let by_wall_clock = tallies.last().map_or(0.0, tally::Tally::median);
    for (version, tally) in on_live::play_all(shape) {
        let times = by_wall_clock / tally.median();
        let name = format!("RabbitMQ {version}, {}", kind.as_str());
        println!("  {name:<28} {}   sim/live {times:.0}", tally.shown());
    }
}

/// Measures a classic queue and a stream with one reader and with more, and prints how many times as many deliveries a second
/// the stream makes: on the sim by processor time, on live brokers by wall clock.
fn streams() {
    let shapes = [Shape::deliver(QueueKind::Classic), Shape::stream(1), Shape::stream(10), Shape::stream(50)];
    let names = ["classic, one consumer", "stream, one reader", "stream, 10 readers", "stream, 50 readers"];
    let on_sim = |shape| -> Play { Box::new(move |count| on_sim::play(shape, Profile::NEWEST, count, thread_time)) };
    let mut plays: Vec<Play> = shapes.iter().map(on_sim).collect();
    let tallies = in_rounds(&mut plays);
    let rate = |tally: &tally::Tally, shape: &Shape| tally.median() * shape.readers as f64;
    let show = |whose: &str, name: &str, rate: f64, first: f64| {
        println!("  {:<42} {:>12}   x{:.2}", format!("{whose}, {name}"), tally::grouped(rate), rate / first);
    };
    let first = rate(&tallies[0], &shapes[0]);
    for ((shape, name), tally) in shapes.iter().zip(names).zip(&tallies) {
        show(&format!("sim {}", Profile::NEWEST), name, rate(tally, shape), first);
    }
    let mut firsts: Vec<f64> = Vec::new();
    for (shape, name) in shapes.iter().zip(names) {
        let live = on_live::play_all(shape);
        let rates: Vec<f64> = live.iter().map(|(_, tally)| rate(tally, shape)).collect();
        if firsts.is_empty() {
            firsts.clone_from(&rates);
        }
        for (((version, _), now), first) in live.iter().zip(&rates).zip(&firsts) {
            show(&format!("RabbitMQ {version}"), name, *now, *first);
        }
    }
}

/// Measures a shape that grows, and prints how much dearer an event is at each size than at the first.
fn growth(noun: &str, sizes: &[usize], shape: fn(usize) -> Shape) {
    dearer(sizes.iter().map(|&size| (format!("{size} {noun}"), shape(size))).collect());
}

/// Measures shapes on the newest profile, and prints how much dearer an event of each is than of the first.
fn dearer(named: Vec<(String, Shape)>) {
    let on_sim = |shape| -> Play { Box::new(move |count| on_sim::play(shape, Profile::NEWEST, count, thread_time)) };
    let mut plays: Vec<Play> = named.iter().map(|(_, shape)| on_sim(shape)).collect();
    let tallies = in_rounds(&mut plays);
    for ((name, _), tally) in named.iter().zip(&tallies) {
        let dearer = tallies[0].median() / tally.median();
        println!("  {name:<28} {}   x{dearer:.2}", tally.shown());
    }
}
