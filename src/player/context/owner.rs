//! Whose a channel or a publish is, and who waits for an answer.

/// Whose a channel or a publish is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Driver,
    /// A consumer instance, by its number.
    Instance(usize),
}

/// Who waits for the answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Driver,
    /// The driver, for quiet.
    Quiet,
    /// A consumer instance that connects again.
    Instance(usize),
    /// A `stop` or `crash` step.
    Leaving,
    /// Nobody acts on it.
    Nobody,
}
