//! The way to ask the thread that owns a served broker, from any other.

use crate::io::serve::event_loop::{Ask, Wall, own};
use crate::io::serve::listen::AmqpListener;
use crate::serve::ServedBroker;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// Reaches the thread that owns a served broker; the thread ends when all handles are gone, or when it is told to.
#[derive(Debug, Clone)]
pub struct ServeHandle {
    asks: mpsc::UnboundedSender<Ask>,
}

impl ServeHandle {
    /// Does something with the broker between two of its steps, and returns what came of it; `None` when it is gone.
    pub async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut ServedBroker, u64) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let ask: Ask = Box::new(move |host, now| {
            // Whoever asked may be gone.
            let _ = answer.send(ask(host, now));
        });
        self.asks.send(ask).ok()?;
        answered.await.ok()
    }
}

/// Starts the thread that serves a broker at the sockets that listen.
///
/// # Errors
/// The system gives no thread, or none of its runtime.
pub fn start_serving(
    host: ServedBroker,
    listeners: impl IntoIterator<Item = impl Into<AmqpListener>>,
) -> std::io::Result<(ServeHandle, JoinHandle<()>)> {
    let listeners = listeners.into_iter().map(Into::into).collect();
    let (asks, asked) = mpsc::unbounded_channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = std::thread::Builder::new().name("rmqplay-serve".to_owned()).spawn(move || {
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, own(host, listeners, asked, Wall::now()));
    })?;
    Ok((ServeHandle { asks }, thread))
}
