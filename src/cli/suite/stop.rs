//! Whether a signal ends a run, for those parts of it that wait for none themselves.

use crate::cli::runtime::{Runtime, Signals};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set once a signal came.
#[derive(Debug, Clone, Default)]
pub(crate) struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Hears signals beside whatever the runtime is used for.
    pub fn listen(&self, runtime: &Runtime) {
        let stop = self.clone();
        runtime.spawn(async move {
            Signals::new().next().await;
            stop.0.store(true, Ordering::Relaxed);
        });
    }

    /// Returns whether a signal came.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
