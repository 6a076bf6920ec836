//! How a cell ended.

/// The verdict over one cell on one broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything held, and the outcome is the snapshot's.
    Passed,
    /// Passed in the end, after this many attempts that did not.
    Flaky(u32),
    /// An expectation or a step failed, or the run found no end.
    Failed,
    /// Everything held, but the outcome differs from the snapshot.
    Changed,
    /// Everything held; there was no snapshot yet.
    New,
    /// Not played, with the reason.
    Skipped(String),
}

impl Verdict {
    /// Returns the word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Flaky(_) => "flaky",
            Verdict::Failed => "failed",
            Verdict::Changed => "changed",
            Verdict::New => "new",
            Verdict::Skipped(_) => "skipped",
        }
    }
}
