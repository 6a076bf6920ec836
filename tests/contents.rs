//! Odd contents: bodies of any bytes and of the largest size, names and headers of every kind. The scenarios of
//! `tests/contents` play on each profile and each live broker, against one snapshot.
#![allow(clippy::disallowed_methods)]

#[path = "support/brokers.rs"]
mod brokers;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What RabbitMQ takes since 4.0 unless told otherwise (ER-7).
const LARGEST: usize = 16_777_216;

#[test]
fn odd_contents_arrive_as_they_were_sent() {
    let folder = stage();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rmqplay"));
    command.arg("run").arg(&folder).env("CI", "1").env("NO_COLOR", "1");
    for broker in ["sim:3.10", "sim:4.0", "sim:4.3"] {
        command.args(["--broker", broker]);
    }
    for broker in brokers::brokers("odd contents") {
        command.args(["--broker", &broker.url]);
    }
    let output = command.output().expect("rmqplay runs");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    brokers::say(&said);
    assert_eq!(output.status.code(), Some(0), "{said}");
    fs::remove_dir_all(folder).expect("its own folder");
}

/// Copies the scenarios to a folder of their own, with the large bodies beside them.
fn stage() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("rmqplay-contents-{}", std::process::id()));
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contents");
    for part in ["", "snapshots"] {
        fs::create_dir_all(folder.join(part)).expect("a temporary folder");
        for entry in fs::read_dir(from.join(part)).expect("tests/contents").flatten() {
            if entry.path().is_file() {
                fs::copy(entry.path(), folder.join(part).join(entry.file_name())).expect("a copy");
            }
        }
    }
    fs::write(folder.join("largest.bin"), vec![0; LARGEST]).expect("a large body");
    fs::write(folder.join("larger.bin"), vec![0; LARGEST + 1]).expect("a larger body");
    folder
}
