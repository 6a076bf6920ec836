//! The async runtime of commands that speak to a live broker, and what ends them early.

use crate::cli::ExitCode;
use futures_util::FutureExt;
use std::future::Future;
use std::mem::ManuallyDrop;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The runtime of one command, with its ears for Ctrl-C and SIGTERM. Once somebody listens, the system ends the program
/// no more by itself: so there is one listener from beginning to end, and what comes while nobody waits is kept.
pub(crate) struct Runtime {
    /// Never stopped: lapin's thread of a connection that was given up panics when its runtime goes, and the program ends
    /// soon anyhow.
    tokio: ManuallyDrop<tokio::runtime::Runtime>,
    signals: Signals,
}

impl Runtime {
    /// Starts it, and listens.
    ///
    /// # Panics
    /// When the operating system gives no threads; nothing could be done without them.
    pub fn new() -> Self {
        crate::io::install_crypto();
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let tokio = builder.enable_all().build().expect("the operating system gives threads to a runtime");
        let signals = tokio.block_on(async { Signals::new() });
        Self { tokio: ManuallyDrop::new(tokio), signals }
    }

    /// Runs what waits for signals itself.
    pub fn run<T>(&mut self, work: impl AsyncFnOnce(&mut Signals) -> T) -> T {
        self.tokio.block_on(work(&mut self.signals))
    }

    /// Lets something go on beside what is run.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tokio.spawn(work);
    }

    /// Waits for a signal for so long, and returns its exit code.
    pub fn heard_within(&mut self, time: std::time::Duration) -> Option<ExitCode> {
        self.tokio.block_on(async { tokio::time::timeout(time, self.signals.next()).await.ok() })
    }

    /// Returns the exit code of a signal that came while nobody waited.
    pub fn heard(&mut self) -> Option<ExitCode> {
        self.tokio.block_on(async { self.signals.next().now_or_never() })
    }
}

/// Hears Ctrl-C and SIGTERM from its making on.
pub(crate) struct Signals(Option<(Signal, Signal)>);

impl Signals {
    /// Begins to hear; within a runtime.
    pub(crate) fn new() -> Self {
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

/// Runs a future on a runtime of its own until a signal comes; the code of the signal is the error.
pub(crate) fn interruptible<F: Future>(future: F) -> Result<F::Output, ExitCode> {
    Runtime::new().run(async |signals| signals.interrupt(future).await)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn a_signal_that_comes_while_nobody_waits_is_kept() {
        let mut runtime = Runtime::new();
        let id = std::process::id().to_string();
        let sent = std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(sent.success());
        let end = Instant::now() + Duration::from_secs(10);
        let heard = loop {
            match runtime.heard() {
                None if Instant::now() < end => std::thread::sleep(Duration::from_millis(10)),
                heard => break heard,
            }
        };
        assert_eq!(heard, Some(ExitCode::Terminated));
        assert_eq!(runtime.heard(), None, "it is told once");
    }
}
