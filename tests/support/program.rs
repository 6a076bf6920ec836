//! The program under test, run as a user runs it: without the variables of whoever runs the tests.

use std::process::{Command, Stdio};

/// Returns a command that starts it.
pub fn rmqplay() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rmqplay"));
    command.stdin(Stdio::null()).env("NO_COLOR", "1");
    for variable in ["CI", "RMQPLAY_BROKER", "RMQPLAY_RESTART", "RMQPLAY_NODE", "RTE_EXCHANGE"] {
        command.env_remove(variable);
    }
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("RABBITMQ") {
            command.env_remove(variable);
        }
    }
    command
}

/// Runs it to its end; returns whether it succeeded, and both outputs.
pub fn finish(command: &mut Command) -> (bool, String) {
    let output = command.output().expect("rmqplay runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}
