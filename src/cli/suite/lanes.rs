//! What several brokers have to say at once, written one broker after another: the first writes at once, the others when it has ended.

use crate::cli::progress::RunProgress;
use crate::cli::terminal::Terminal;
use std::sync::{Mutex, PoisonError};

/// A text, and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OutputText {
    /// A result.
    Print(String),
    /// A result that -q leaves out.
    Status(String),
    /// To standard error.
    Error(String),
}

/// The brokers of a run, in the order in which they are told.
pub(crate) struct OutputLanes(Mutex<State>);

struct State {
    /// The lane that writes at once.
    shown: usize,
    waiting: Vec<Vec<OutputText>>,
    ended: Vec<bool>,
}

/// Where one broker says its words.
#[derive(Clone, Copy)]
pub(crate) struct OutputLane<'l> {
    lanes: Option<(&'l OutputLanes, usize)>,
}

impl OutputLanes {
    /// Makes room for so many brokers.
    pub fn new(count: usize) -> Self {
        Self(Mutex::new(State { shown: 0, waiting: vec![Vec::new(); count], ended: vec![false; count] }))
    }

    /// Returns the lane of a broker.
    pub fn lane(&self, at: usize) -> OutputLane<'_> {
        OutputLane { lanes: Some((self, at)) }
    }
}

impl OutputLane<'_> {
    /// Makes the lane of who is alone.
    pub const ALONE: OutputLane<'static> = OutputLane { lanes: None };

    /// Says some words, now or when it is this lane's turn.
    pub fn say(&self, words: Vec<OutputText>, terminal: &Terminal, progress: &RunProgress) {
        let Some((lanes, at)) = self.lanes else { return write(words, terminal, progress) };
        let mut state = lanes.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.shown == at {
            // Under the lock: nobody comes between.
            true => write(words, terminal, progress),
            false => state.waiting[at].extend(words),
        }
    }

    /// Says that no more words come; those of the next lanes follow.
    pub fn end(&self, terminal: &Terminal, progress: &RunProgress) {
        let Some((lanes, at)) = self.lanes else { return };
        let mut state = lanes.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.ended[at] = true;
        while state.ended.get(state.shown) == Some(&true) {
            state.shown += 1;
            let shown = state.shown;
            let waiting = state.waiting.get_mut(shown).map(std::mem::take).unwrap_or_default();
            write(waiting, terminal, progress);
        }
    }
}

fn write(words: Vec<OutputText>, terminal: &Terminal, progress: &RunProgress) {
    if words.is_empty() {
        return;
    }
    progress.suspended(|| {
        words.into_iter().for_each(|said| match said {
            OutputText::Print(text) => terminal.print(&text),
            OutputText::Status(text) => terminal.status(&text),
            OutputText::Error(text) => terminal.error(&text),
        });
    });
}
