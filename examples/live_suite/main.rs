//! Measures rmqplay on live brokers against its rivals in the same run: a suite of waiting cells against pytest and
//! pika, a bulk scenario against bare lapin loops, memory against the count, and `list` over a thousand files.
//! `cargo build --release && cargo run --release --example live_suite -- [cells] [bulk] [memory] [list]`, with
//! `RMQPLAY_TEST_BROKERS`; pytest is that of `PYTEST` (with pytest-xdist and pika), else `pytest`. Compare the ratios.
#![expect(clippy::disallowed_methods, reason = "an example is a program of its own")]
#![expect(clippy::print_stdout, reason = "it prints what it measures")]

mod loops;
mod program;

use program::{checks, rmqplay, timed};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How many messages the bulk scenario and the loops move.
const BULK: u32 = 100_000;

/// How often a bulk measurement is repeated; the best counts on every side.
const REPEATS: usize = 3;

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let wants = |section: &str| chosen.is_empty() || chosen.iter().any(|word| word == section);
    let urls = std::env::var("RMQPLAY_TEST_BROKERS").unwrap_or_default();
    let brokers: Vec<&str> = urls.split(',').map(str::trim).filter(|url| !url.is_empty()).collect();
    if brokers.is_empty() {
        println!("no live broker: RMQPLAY_TEST_BROKERS is not set; only `list` is measured");
    }
    for url in brokers {
        println!("\n{}", url.rsplit('@').next().unwrap_or(url));
        if wants("cells") {
            cells(url);
        }
        if wants("bulk") {
            bulk(url);
        }
        if wants("memory") {
            memory(url);
        }
    }
    if wants("list") {
        list();
    }
}

/// Plays the thirty checks at once, then the rival's, one after another and thirty at once.
fn cells(url: &str) {
    let (wall, said) = timed(rmqplay(&["run", "--json", "-j", "30", "--broker", url]).arg(checks("checks")));
    let lines = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let cells: Vec<_> = lines.filter(|line| line["type"] == "cell").collect();
    let passed = cells.iter().filter(|cell| cell["verdict"] == "passed").count();
    let longest = cells.iter().filter_map(|cell| cell["took_ms"].as_u64()).max().unwrap_or(0);
    let longest = Duration::from_millis(longest);
    println!("  rmqplay run -j 30            {:>7.2} s   {passed} of {} passed", wall.as_secs_f64(), cells.len());
    println!(
        "    its longest cell           {:>7.2} s   wall / longest {:.2}",
        longest.as_secs_f64(),
        ratio(wall, longest)
    );
    for (name, arguments) in [("pytest -n 30", &["-n", "30"][..]), ("pytest", &[][..])] {
        let pytest = std::env::var("PYTEST").unwrap_or_else(|_| "pytest".to_owned());
        let mut command = Command::new(pytest);
        command.args(["-q", "-p", "no:cacheprovider"]).args(arguments).arg(checks("rival/test_checks.py"));
        let (rival, said) = timed(command.env("RABBITMQ_URL", url).env("PYTHONDONTWRITEBYTECODE", "1"));
        let last = said.lines().last().unwrap_or("it did not run");
        println!("  {name:<28} {:>7.2} s   rival / rmqplay {:.2}   ({last})", rival.as_secs_f64(), ratio(rival, wall));
    }
}

/// Plays the bulk scenario and the loops in turn.
fn bulk(url: &str) {
    let (mut scenario, mut alone) = (Duration::MAX, Duration::MAX);
    let (mut same, mut usual) = (Duration::MAX, Duration::MAX);
    for _ in 0..REPEATS {
        alone = alone.min(bulk_scenario(url, 1).unwrap_or(Duration::MAX));
        scenario = scenario.min(bulk_scenario(url, BULK).unwrap_or(Duration::MAX));
        same = same.min(loops::stepped(url, BULK).unwrap_or(Duration::MAX));
        usual = usual.min(loops::awaiting(url, BULK).unwrap_or(Duration::MAX));
    }
    let rate = |took: Duration| f64::from(BULK) / took.as_secs_f64();
    println!("  bulk of {BULK}: publish, confirm, consume, ack; messages per second, best of {REPEATS}");
    // The loops are timed once their stage is set: so is the scenario, whose vhost, users and end cost the same for one.
    let moving = scenario.saturating_sub(alone);
    println!(
        "    the scenario               {:>9.0}   (and {:.2} s for its vhost, of any count)",
        rate(moving),
        alone.as_secs_f64()
    );
    println!("    lapin, same technique      {:>9.0}   scenario / loop {:.2}", rate(same), ratio(same, moving));
    println!("    lapin, awaiting each       {:>9.0}   scenario / loop {:.2}", rate(usual), ratio(usual, moving));
}

fn bulk_scenario(url: &str, count: u32) -> Option<Duration> {
    let count = format!("count={count}");
    let (_, said) = timed(rmqplay(&["run", "--json", "--broker", url, "--var", &count]).arg(checks("bulk/bulk.yaml")));
    let lines = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let cell = lines.into_iter().find(|line| line["type"] == "cell")?;
    if cell["verdict"] != "passed" {
        println!("    the scenario did not pass: {cell}");
        return None;
    }
    cell["took_ms"].as_u64().map(Duration::from_millis)
}

/// Shows that the process does not grow with the count.
fn memory(url: &str) {
    println!("  peak memory of `rmqplay run bulk.yaml`, by the number of messages");
    for count in ["1000", "100000", "1000000"] {
        let mut command = rmqplay(&["run", "-q", "--broker", url, "--var", &format!("count={count}")]);
        let peak = program::peak_of(command.arg(checks("bulk/bulk.yaml")));
        println!("    {count:>9} {:>7.1} MiB", peak as f64 / 1024.0);
    }
}

/// Lists a thousand scenario files: of one cell each, of ten, and the shipped ones over and over.
fn list() {
    let ten = std::fs::read_to_string(checks("checks/retry.yaml")).expect("the check");
    let matrix = ten.lines().find(|line| line.starts_with("matrix:")).expect("a matrix");
    let one = ten.replace(matrix, "vars: {queue_type: quorum, delay: 2s}");
    println!("\nlist, 1,000 files (bar: 0.25 s)");
    for (what, text) in [("of one cell", one), ("of ten cells", ten)] {
        list_in(what, |folder| {
            for n in 0..1_000 {
                std::fs::write(folder.join(format!("retry{n}.yaml")), &text).expect("a file");
            }
        });
    }
    list_in("of the library", |folder| {
        for n in 0..1_000_usize.div_ceil(46) {
            let copy = folder.join(n.to_string());
            std::fs::create_dir(&copy).expect("a folder");
            let status = Command::new("cp").args(["-r", "scenarios", "topologies"]).arg(&copy).status();
            assert!(status.is_ok_and(|status| status.success()), "copied");
        }
    });
}

fn list_in(what: &str, fill: impl FnOnce(&Path)) {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = temporary.path();
    fill(folder);
    let found = Command::new("find").arg(folder).args(["-path", "*/scenarios"]).output().expect("find runs");
    let found = String::from_utf8_lossy(&found.stdout).into_owned();
    let meant: Vec<&str> = found.lines().collect();
    let listing = || {
        let mut command = rmqplay(&["list"]);
        if meant.is_empty() {
            command.arg(folder)
        } else {
            command.args(&meant)
        };
        timed(&mut command)
    };
    let best = (0..5).map(|_| listing().0).min().unwrap_or_default();
    println!("    {what:<16} {:.3} s", best.as_secs_f64());
}

fn ratio(rival: Duration, own: Duration) -> f64 {
    rival.as_secs_f64() / own.as_secs_f64().max(f64::MIN_POSITIVE)
}
