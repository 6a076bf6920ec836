//! Whose a channel or a publish is, and who waits for an answer.

/// Whose a channel or a publish is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    Driver,
    /// Steps that are done by hand, by their number.
    Hand(usize),
    /// A consumer instance, by its number.
    Instance(usize),
}

/// Who waits for the answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Asker {
    Driver,
    /// The driver, for quiet.
    Quiet,
    /// Steps that are done by hand.
    Hand(usize),
    /// The same, for quiet.
    HandQuiet(usize),
    /// A consumer instance that connects again.
    Instance(usize),
    /// A `stop` or `crash` step.
    Leaving,
    /// Nobody acts on it.
    Nobody,
}
