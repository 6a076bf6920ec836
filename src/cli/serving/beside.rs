//! A command that is run beside something that it needs, and its exit code as this program's.

use crate::cli::ExitCode;
use crate::cli::runtime::Signals;
use crate::cli::terminal::Terminal;
use std::io::IsTerminal;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long the command has to end after a signal.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs a program until it ends. After a signal it has five seconds; then it is killed.
pub(crate) async fn run(
    program: &str,
    words: &[String],
    environment: &[(&str, String)],
    signals: &mut Signals,
    terminal: &Terminal,
) -> ExitCode {
    let child = Command::new(program).args(words).envs(environment.iter().map(|(name, value)| (*name, value))).spawn();
    let child = match child {
        Ok(child) => child,
        Err(error) => return terminal.usage(&format!("cannot run `{program}`: {error}")),
    };
    let id = child.id();
    let mut ended = wait_for(child);
    tokio::select! {
        status = &mut ended => code_of(status.ok()),
        signal = signals.next() => {
            // A Ctrl-C at the terminal has reached it already; what was sent to this program alone goes on to it.
            match signal {
                ExitCode::Interrupted if std::io::stdin().is_terminal() => {}
                ExitCode::Interrupted => send("-INT", id),
                _ => send("-TERM", id),
            }
            if tokio::time::timeout(PATIENCE, ended).await.is_err() {
                send("-KILL", id);
            }
            signal
        }
    }
}

/// Waits for the end of a child on a thread of its own.
fn wait_for(mut child: Child) -> oneshot::Receiver<ExitStatus> {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        if let Ok(status) = child.wait() {
            // Nobody waits any more after a signal.
            let _ = tell.send(status);
        }
    });
    told
}

fn send(signal: &str, id: u32) {
    // It may have ended meanwhile.
    let _ = Command::new("kill").args([signal, &id.to_string()]).status();
}

/// Returns the code of a command: its own, or 128 and the signal's number.
fn code_of(status: Option<ExitStatus>) -> ExitCode {
    let Some(status) = status else { return ExitCode::Environment };
    let number = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::OfCommand(u8::try_from(number).unwrap_or(u8::MAX))
}
