//! What an explored run of the broker waits with, or does otherwise than usual. Without exploring all of it is at rest.

use crate::model::Policy;
use crate::sim::state::arena::{ChannelIndex, QueueId, VhostId};

/// The policy and the operator policy that a queue is under.
pub(crate) type PolicyPair = [Option<Policy>; 2];

/// Queues whose dead letters wait, each with the policies that it is under.
pub(crate) type WaitingUnder = Vec<(QueueId, PolicyPair)>;

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
    /// A queue learns of the room under a shared limit before it learns of the requeue that makes it (CO-4).
    pub room_first: bool,
    /// The next change of a policy is kept, and not in force yet (PO-8).
    pub policy_waits: bool,
    /// The vhost whose policies are to come into force, and what waited there before.
    pub changed_policies: Option<(VhostId, WaitingUnder)>,
}

impl Openings {
    /// Returns whether nothing of a choice is under way; what a channel has not heard aside.
    pub fn is_at_rest(&self) -> bool {
        let Self {
            letters_wait: _,
            letters_late,
            timers_wait,
            unheard: _,
            order,
            room_first,
            policy_waits,
            changed_policies,
        } = self;
        let waits = *letters_late || *timers_wait || *room_first || *policy_waits;
        !waits && order.is_none() && changed_policies.is_none()
    }
}
