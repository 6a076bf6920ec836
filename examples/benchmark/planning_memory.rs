//! The peak of memory of an apply as its objects grow: load, plan, answers for every write, read-back, plan again.
//! Each size is a process of its own; the broker's part is played by the file itself, which is its own export.

use crate::applying::{Nothing, definitions};
use rmqplay::broker::{Client, Command, Event, Ids, Reply};
use rmqplay::language::{Settings, load_topology};
use rmqplay::model::{Moment, Profile};
use rmqplay::plan::{Applier, Observed, plan, read_export};
use rmqplay::source::Sources;
use std::process::Command as Process;

/// The variable that makes a process one size of the measurement.
const FILE: &str = "RMQPLAY_BENCHMARK_MEMORY_OF";
/// How many objects: half of them queues, half bindings.
const SIZES: [usize; 2] = [20_000, 80_000];

/// Plays the part of the child process, if it is one.
pub fn is_child() -> bool {
    let Ok(file) = std::env::var(FILE) else { return false };
    let text = std::fs::read_to_string(file).expect("a file");
    let (loaded, _) =
        load_topology(&mut Sources::default(), "benchmark.json", text.as_bytes(), &Nothing, &Settings::default());
    let loaded = loaded.expect("a topology");
    let make = |observed: &Observed| plan(&loaded.topology, &loaded.origins, observed);
    let before = make(&Observed::empty(Profile::NEWEST));
    let mut applier = Applier::new(before, Ids::default());
    play(&mut applier);
    assert!(applier.outcome().refused.is_empty());
    let export = read_export(&text, &|_| true).expect("definitions");
    let observed =
        Observed { topology: export.into_topology().expect("definitions"), ..Observed::empty(Profile::NEWEST) };
    let after = make(&observed);
    assert!(after.is_empty(), "{:?}", after.changes.first());
    println!("{}", peak());
    true
}

/// Measures, and prints the slope.
pub fn measure() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut points = Vec::new();
    for size in SIZES {
        let file = folder.path().join(format!("{size}.json"));
        let mut export = definitions(size / 2);
        // Only an export may be so large.
        export["rabbit_version"] = "4.3.6".into();
        let text = export.to_string();
        std::fs::write(&file, &text).expect("written");
        let program = std::env::current_exe().expect("this program");
        let output = Process::new(program).env(FILE, &file).output().expect("a process");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let peak: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number");
        println!(
            "  {size:>6} objects: peak {:.1} MiB, file {:.1} MiB",
            peak / 1_048_576.0,
            text.len() as f64 / 1_048_576.0
        );
        points.push((size as f64, peak, text.len() as f64));
    }
    let [(n, peak, bytes), (more, higher, longer)] = points[..] else { return };
    let slope = (higher - peak) / (more - n);
    let of_file = (longer - bytes) / (more - n);
    println!("  {slope:.0} bytes an object, {of_file:.0} of them the file's own: {:.0} beside it", slope - of_file);
}

/// Says yes to all that is asked.
fn play(client: &mut dyn Client) {
    while !client.is_done() {
        let mut said = Vec::new();
        while let Some(command) = client.poll_command(Moment(0)) {
            let request = match command {
                Command::Connect { request, .. }
                | Command::Disconnect { request, .. }
                | Command::OpenChannel { request, .. }
                | Command::Call { request, .. }
                | Command::Manage { request, .. } => request,
                other => panic!("not asked of an applier: {other:?}"),
            };
            said.push(Event::Reply { request, reply: Ok(Reply::Done) });
        }
        assert!(!said.is_empty() || client.is_done(), "waits for nothing");
        said.into_iter().for_each(|event| client.handle_event(Moment(0), event));
    }
}

/// Returns the peak of this process's memory in bytes, as the system tells it.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a system that tells it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}
