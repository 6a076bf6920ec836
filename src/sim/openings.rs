//! What an explored run of the broker waits with, or does otherwise than usual. Without exploring all of it is at rest.

use crate::sim::state::arena::ChannelIndex;

/// What an explored run waits with, or does otherwise than usual.
#[derive(Debug, Clone, Default)]
pub(crate) struct Openings {
    /// Dead letters stay where they are until they are sent on.
    pub letters_wait: bool,
    /// They do so while others act.
    pub letters_late: bool,
    /// Timers do not fire.
    pub timers_wait: bool,
    /// A channel that does not hear yet that a quorum queue is full, and how many more it gets in (LEN-9).
    pub unheard: Option<(ChannelIndex, u32)>,
    /// By which order many returns come back, when not by the usual one (CO-10).
    pub order: Option<u64>,
}
