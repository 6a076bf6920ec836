//! A line at the bottom of the terminal while cells play or objects are written: how many are done, how many went wrong.
//! Nothing at all without a terminal, in CI, with -q or --json.

use crate::cli::terminal::in_ci;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Shows how far a run is.
pub(crate) struct RunProgress {
    bar: ProgressBar,
    bad: AtomicU64,
}

impl RunProgress {
    /// Begins a run of `cells`; `quiet` shows nothing.
    pub fn begin(cells: u64, quiet: bool) -> Self {
        Self::of("cells", cells, quiet)
    }

    /// Begins to count so many of something.
    pub fn of(noun: &str, cells: u64, quiet: bool) -> Self {
        let shown = !quiet && !in_ci() && std::io::stderr().is_terminal() && std::io::stdout().is_terminal();
        let bar = if shown { ProgressBar::new(cells) } else { ProgressBar::hidden() };
        if shown {
            if let Ok(style) =
                ProgressStyle::with_template(&format!("{{spinner}} {{pos}}/{{len}} {noun}, {{elapsed}} {{msg}}"))
            {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self { bar, bad: AtomicU64::new(0) }
    }

    /// Says how many are done.
    pub fn reached(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// Counts a cell.
    pub fn ended(&self, bad: bool) {
        self.bar.inc(1);
        if bad {
            let bad = self.bad.fetch_add(1, Ordering::Relaxed) + 1;
            self.bar.set_message(format!("· {bad} failed"));
        }
    }

    /// Writes other words where the line does not disturb them.
    pub fn suspended(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    /// Takes the line away.
    pub fn close(&self) {
        self.bar.finish_and_clear();
    }
}
