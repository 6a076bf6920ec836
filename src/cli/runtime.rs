//! The async runtime of commands that speak to a live broker, and what ends them early.

use super::ExitCode;
use std::future::Future;
use tokio::signal::unix::{SignalKind, signal};

/// Runs a future to its end on a runtime of its own.
///
/// # Panics
/// When the operating system gives no threads; nothing could be done without them.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    crate::io::install_crypto();
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().build().expect("the operating system gives threads to a runtime").block_on(future)
}

/// Waits for Ctrl-C or SIGTERM and gives the exit code that belongs to it.
pub(super) async fn signalled() -> ExitCode {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => ExitCode::Interrupted,
        _ = terminate.recv() => ExitCode::Terminated,
    }
}

/// Runs a future until a signal comes; the code of the signal is the error.
pub(super) async fn interruptible<F: Future>(future: F) -> Result<F::Output, ExitCode> {
    tokio::select! {
        output = future => Ok(output),
        code = signalled() => Err(code),
    }
}
