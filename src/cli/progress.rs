//! A line at the bottom of the terminal while cells play: how many are done, how many went wrong.
//! Nothing at all without a terminal, in CI, with -q or --json.

use crate::cli::terminal::in_ci;
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::Cell;
use std::io::IsTerminal;
use std::time::Duration;

/// Shows how far a run is.
pub(crate) struct RunProgress {
    bar: ProgressBar,
    bad: Cell<u64>,
}

impl RunProgress {
    /// Begins a run of `cells`; `quiet` shows nothing.
    pub fn begin(cells: u64, quiet: bool) -> Self {
        let shown = !quiet && !in_ci() && std::io::stderr().is_terminal() && std::io::stdout().is_terminal();
        let bar = if shown { ProgressBar::new(cells) } else { ProgressBar::hidden() };
        if shown {
            if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} cells, {elapsed} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self { bar, bad: Cell::new(0) }
    }

    /// Counts a cell.
    pub fn ended(&self, bad: bool) {
        self.bar.inc(1);
        if bad {
            self.bad.set(self.bad.get() + 1);
            self.bar.set_message(format!("· {} failed", self.bad.get()));
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
