//! The async runtime of commands that speak to a live broker, and what ends them early.

use super::ExitCode;
use std::future::Future;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs a future to its end on a runtime of its own.
///
/// # Panics
/// When the operating system gives no threads; nothing could be done without them.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    crate::io::install_crypto();
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().build().expect("the operating system gives threads to a runtime").block_on(future)
}

/// Hears Ctrl-C and SIGTERM from its making on. What comes while nobody waits is kept: once somebody listened, the system
/// ends the program no more by itself.
pub(super) struct Signals(Option<(Signal, Signal)>);

impl Signals {
    /// Begins to listen; needs a runtime around it.
    pub fn new() -> Self {
        Self(signal(SignalKind::interrupt()).ok().zip(signal(SignalKind::terminate()).ok()))
    }

    /// Waits for a signal and gives the exit code that belongs to it.
    pub async fn next(&mut self) -> ExitCode {
        let Some((interrupt, terminate)) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => ExitCode::Interrupted,
            _ = terminate.recv() => ExitCode::Terminated,
        }
    }

    /// Runs a future until a signal comes; the code of the signal is the error.
    pub async fn interrupt<F: Future>(&mut self, future: F) -> Result<F::Output, ExitCode> {
        tokio::select! {
            output = future => Ok(output),
            code = self.next() => Err(code),
        }
    }
}

/// Runs a future until a signal comes; the code of the signal is the error.
pub(super) async fn interruptible<F: Future>(future: F) -> Result<F::Output, ExitCode> {
    Signals::new().interrupt(future).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_signal_that_comes_while_nobody_waits_is_kept() {
        let heard = block_on(async {
            let mut signals = Signals::new();
            let id = std::process::id().to_string();
            let sent = std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
            assert!(sent.success());
            tokio::time::sleep(Duration::from_millis(50)).await;
            tokio::time::timeout(Duration::from_secs(10), signals.next()).await
        });
        assert_eq!(heard, Ok(ExitCode::Terminated));
    }
}
