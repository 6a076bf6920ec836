//! Restarts a broker by the command that its owner gave, and waits until it answers again.
//! Only where a command was given: nothing here knows how brokers are started.

use crate::io::address::Address;
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::wait::wait_until_ready;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// How long a broker may take to answer after its command has ended.
const READY: Duration = Duration::from_secs(120);

/// Runs the command and waits for the broker.
///
/// # Errors
/// The command failed, with its last words; or the broker did not come back.
pub(crate) async fn restart(address: &Address, command: String) -> Result<(), BrokerFailure> {
    let shown = command.clone();
    let ended = tokio::task::spawn_blocking(move || shell(&command)).await;
    let failed = |why: String| {
        let kind = BrokerFailureKind::Broken { doing: format!("restarting by `{shown}`"), why };
        Err(BrokerFailure::new(kind, address)
            .hint("try the command by hand: it must stop the broker and start it again"))
    };
    match ended {
        Ok(Ok(output)) if output.status.success() => {}
        Ok(Ok(output)) => return failed(last_words(&output)),
        Ok(Err(error)) => return failed(error.to_string()),
        Err(error) => return failed(error.to_string()),
    }
    wait_until_ready(address, READY).await.map(|_| ())
}

fn shell(command: &str) -> std::io::Result<Output> {
    let mut shell = if cfg!(windows) { Command::new("cmd") } else { Command::new("sh") };
    shell.args([if cfg!(windows) { "/C" } else { "-c" }, command]).stdin(Stdio::null()).output()
}

fn last_words(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    format!("{}: {said}", output.status)
}
