//! What a move carried, and what may stand twice after it. Plain data.

/// Counts of one move, or of the part of it that this program did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MoveTally {
    /// An earlier try was gone on with.
    pub resumed: bool,
    /// Messages that stood ready in the queue and its holding queue when it began.
    pub before: u64,
    /// Messages that went to the holding queue.
    pub out: u64,
    /// Messages that went back.
    pub back: u64,
    /// Messages that stood ready in the queue at the end.
    pub after: u64,
    /// Messages that an earlier try had in hand when it ended: each may stand twice.
    pub in_hand_before: u64,
    /// Messages that came while both queues were bound: each may stand twice.
    pub while_both_bound: u64,
    /// An earlier try ended where it could not say how many came while both queues were bound.
    pub both_bound_unknown: bool,
}

impl MoveTally {
    /// Returns how many messages may stand twice, at most, as far as it is known.
    pub fn doubled_at_most(&self) -> u64 {
        self.in_hand_before + self.while_both_bound
    }
}
