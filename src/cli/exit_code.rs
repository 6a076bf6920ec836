//! The exit codes, each for one thing.

/// How the program ends.
///
/// Several at once: interrupted, then 65, 3, 1, 4, 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything is as expected.
    Fine = 0,
    /// A scenario failed, changed, looped, or (with `CI`) has no snapshot; `apply` could not prove equality.
    Failed = 1,
    /// `plan`: an apply with the same flags would write.
    Differs = 2,
    /// Unreachable, refused, no rights, died.
    Environment = 3,
    /// Refused as unsafe.
    Unsafe = 4,
    /// Nothing matched, or every cell was skipped.
    Nothing = 5,
    /// The arguments are wrong.
    Usage = 64,
    /// A file is bad, missing, or of the wrong kind.
    BadFile = 65,
    /// Our own bug.
    Bug = 70,
    /// By SIGINT.
    Interrupted = 130,
    /// By SIGTERM.
    Terminated = 143,
}

impl ExitCode {
    /// Orders codes by what a user must hear first.
    fn weight(self) -> u8 {
        match self {
            ExitCode::Interrupted | ExitCode::Terminated => 7,
            ExitCode::Bug | ExitCode::Usage => 6,
            ExitCode::BadFile => 5,
            ExitCode::Environment => 4,
            ExitCode::Failed => 3,
            ExitCode::Unsafe => 2,
            ExitCode::Nothing | ExitCode::Differs => 1,
            ExitCode::Fine => 0,
        }
    }

    /// Joins two ends of one run.
    pub fn and(self, other: ExitCode) -> ExitCode {
        if other.weight() > self.weight() { other } else { self }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        std::process::ExitCode::from(code as u8)
    }
}
