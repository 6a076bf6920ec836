//! Who waits for an answer, and whose a channel is.

/// Who waits for the answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Driver,
    Quiet,
    /// A consumer instance that comes back.
    Actor(usize),
    /// A `stop` or `crash` step.
    Leaving,
    /// Nobody acts on it.
    Nobody,
}

/// Whose a channel is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Role {
    Driver,
    Actor(usize),
}
