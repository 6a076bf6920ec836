//! The names that templates may use although they are known only when a scenario plays.
//! Takes a place of the file, returns names. Renders nothing.

/// Which names are known only when a scenario plays, at some place of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    Nothing,
    /// `n`, in a publish.
    Publish,
    /// `message`, `batch`, `attempt`, `consumer`, `instance`, `moment` and `n`, in `match` and `do`.
    Consumer,
}

/// All names that are known late.
pub const LATE_NAMES: [&str; 7] = ["message", "batch", "attempt", "consumer", "instance", "moment", "n"];

impl Late {
    /// Lists the names that are known here when it plays.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Late::Nothing => &[],
            Late::Publish => &["n"],
            Late::Consumer => &LATE_NAMES,
        }
    }
}
