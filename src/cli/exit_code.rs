//! The exit codes, each for one thing.

/// How the program ends.
///
/// Several at once: interrupted, then 65, 3, 1, 4, 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Everything is as expected.
    Fine,
    /// A scenario failed, changed, looped, or (with `CI`) has no snapshot; `apply` could not prove equality.
    Failed,
    /// `plan`: an apply with the same flags would write.
    Differs,
    /// Unreachable, refused, no rights, died.
    Environment,
    /// Refused as unsafe.
    Unsafe,
    /// Nothing matched, or every cell was skipped.
    Nothing,
    /// The arguments are wrong.
    Usage,
    /// A file is bad, missing, or of the wrong kind.
    BadFile,
    /// Our own bug.
    Bug,
    /// By SIGINT.
    Interrupted,
    /// By SIGTERM.
    Terminated,
    /// The code of a command that was run, or 128 and the number of the signal that ended it.
    OfCommand(u8),
}

impl ExitCode {
    /// Returns the number that the shell sees.
    pub fn number(self) -> u8 {
        match self {
            ExitCode::Fine => 0,
            ExitCode::Failed => 1,
            ExitCode::Differs => 2,
            ExitCode::Environment => 3,
            ExitCode::Unsafe => 4,
            ExitCode::Nothing => 5,
            ExitCode::Usage => 64,
            ExitCode::BadFile => 65,
            ExitCode::Bug => 70,
            ExitCode::Interrupted => 130,
            ExitCode::Terminated => 143,
            ExitCode::OfCommand(code) => code,
        }
    }

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
            ExitCode::Fine | ExitCode::OfCommand(0) => 0,
            // The command's own word counts before what was expected beside it.
            ExitCode::OfCommand(_) => 5,
        }
    }

    /// Joins two ends of one run.
    pub fn and(self, other: ExitCode) -> ExitCode {
        if other.weight() > self.weight() { other } else { self }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        std::process::ExitCode::from(code.number())
    }
}
