//! Starts programs and measures them from outside: wall time, and the peak of their memory.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Returns a command of the rmqplay that was built beside this example.
pub fn rmqplay(arguments: &[&str]) -> Command {
    let own = std::env::current_exe().expect("this program has a path");
    let program = own.parent().and_then(Path::parent).expect("target/PROFILE").join("rmqplay");
    assert!(program.exists(), "{} is not built: `cargo build --release` first", program.display());
    let mut command = Command::new(program);
    command.args(arguments).env_remove("CI").env_remove("RMQPLAY_BROKER");
    command
}

/// Returns a path in this example's folder.
pub fn checks(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/live_suite").join(path)
}

/// Runs a command to its end; gives the wall time and what it printed.
pub fn timed(command: &mut Command) -> (Duration, String) {
    let began = Instant::now();
    let output = command.stdin(Stdio::null()).output();
    let took = began.elapsed();
    match output {
        Ok(output) => (took, String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(error) => (took, format!("{}: {error}", command.get_program().to_string_lossy())),
    }
}

/// Runs a command to its end; gives the most memory that it held, in KiB, as Linux counts it.
pub fn peak_of(command: &mut Command) -> u64 {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("rmqplay starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().is_ok_and(|ended| ended.is_none()) {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(5));
    }
    peak
}
