//! A suite of many small scenario files: `run` as a process, in turn with another build of it where RMQPLAY_BENCHMARK_BEFORE names one.
//! Tells wall clock and the peak of memory, a file and beside a run of a few.

use crate::serving::program;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How many files, and how many of the small suite that memory is compared with.
const FILES: [usize; 2] = [100, 10_000];

/// How often each build plays.
const ROUNDS: usize = 5;

/// One of two kinds, by its number: a consumer, and a dead letter.
fn scenario(number: usize) -> String {
    match number % 2 {
        0 => format!(
            "scenario: order {number} is taken and acked\ntopology:\n  exchanges: [{{name: orders, type: topic}}]\n  queues: \
             [{{name: work, bindings: [{{source: orders, routing_key: \"order.#\"}}]}}]\nconsumers:\n  worker: {{queue: work, \
             prefetch: 1, on_message: [{{do: ack}}]}}\nsteps:\n  - publish: {{exchange: orders, routing_key: order.created, body: \
             \"order {number}\"}}\n  - expect: {{consumer: worker, acked: 1}}\n  - expect: {{queue: work, total: 0}}\nsnapshot: off\n"
        ),
        _ => format!(
            "scenario: offer {number} expires and dies\ntopology:\n  exchanges: [{{name: dlx, type: fanout}}]\n  queues:\n    - \
             {{name: offers, message_ttl: 5s, dead_letter: {{exchange: dlx}}}}\n    - {{name: dead, bindings: [{{source: dlx}}]}}\n\
             steps:\n  - publish: {{exchange: \"\", routing_key: offers, body: \"offer {number}\"}}\n  - expect: {{queue: offers, \
             ready: 0, within: 10s}}\n  - expect: {{queue: dead, ready: 1}}\nsnapshot: off\n"
        ),
    }
}

/// Measures, and prints the ratio to the other build.
pub fn measure() {
    let folder = tempfile::tempdir().expect("a folder");
    let suites = FILES.map(|files| (files, write(&folder.path().join(files.to_string()), files)));
    let before = std::env::var_os("RMQPLAY_BENCHMARK_BEFORE").map(PathBuf::from);
    let builds: Vec<(&str, PathBuf)> = [("this build", Some(program())), ("the other build", before)]
        .into_iter()
        .filter_map(|(name, path)| Some((name, path?)))
        .collect();
    let mut medians = Vec::new();
    for (files, suite) in &suites {
        let mut runs: Vec<Vec<(Duration, u64)>> = vec![Vec::new(); builds.len()];
        for _ in 0..ROUNDS {
            for ((_, program), runs) in builds.iter().zip(&mut runs) {
                runs.push(play(program, suite));
            }
        }
        for ((name, _), runs) in builds.iter().zip(&mut runs) {
            runs.sort();
            let (time, peak) = (runs[runs.len() / 2].0, runs.iter().map(|(_, peak)| *peak).max().unwrap_or(0));
            println!(
                "  {files:>6} files, {name:<16} {:>7.0} ms, peak {:>6.1} MiB",
                time.as_secs_f64() * 1e3,
                peak as f64 / 1024.0
            );
            medians.push((*files, time, peak));
        }
    }
    let of = |files: usize| medians.iter().filter(move |(of, ..)| *of == files);
    for ((name, _), (few, many)) in builds.iter().zip(of(FILES[0]).zip(of(FILES[1]))) {
        let bytes = (many.2.saturating_sub(few.2) * 1024) as f64 / (FILES[1] - FILES[0]) as f64;
        println!("  {name}: {:.1} KiB a file beyond the first {}", bytes / 1024.0, FILES[0]);
    }
    if let [own, other] = of(FILES[1]).collect::<Vec<_>>()[..] {
        println!("  {} files: x{:.2} of the other build", FILES[1], own.1.as_secs_f64() / other.1.as_secs_f64());
    }
}

fn write(folder: &Path, files: usize) -> PathBuf {
    for number in 0..files {
        let place = folder.join(format!("{:03}", number / 500));
        std::fs::create_dir_all(&place).expect("a folder");
        std::fs::write(place.join(format!("s{number:05}.yaml")), scenario(number)).expect("a file");
    }
    folder.to_owned()
}

/// Plays a suite; returns the wall clock, and the peak of memory in KiB where the system tells it.
fn play(program: &Path, suite: &Path) -> (Duration, u64) {
    let began = Instant::now();
    let mut command = Command::new(program);
    command.args(["run", "-q"]).arg(suite).current_dir(suite.parent().expect("a folder"));
    let mut child = command.stdout(Stdio::null()).spawn().expect("the program");
    let mut peak = 0;
    loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = peak.max(line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0));
        if let Some(status) = child.try_wait().expect("a child") {
            assert!(status.success(), "{}: {status}", program.display());
            return (began.elapsed(), peak);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
