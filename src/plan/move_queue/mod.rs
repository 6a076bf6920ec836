//! Moves a queue to other values under its own name: its messages wait in a holding queue meanwhile.
//! Takes what a broker was seen to hold; returns the next act, until there is none. Whatever ended a move before, the
//! state on the broker says where it stands. Never asks a broker itself.
//!
//! ```text
//!   facts ──► Mover ──► act ──► MethodSequence, Transfer (clients) ──► commands
//! ```
//!
//! The acts in order: hold (make the holding queue, which takes over the bindings), drain the queue, replace it (delete,
//! declare anew), drain back, bind it back, drain what came meanwhile, clear.

mod act;
mod facts;
mod holding;
mod method_sequence;
mod mover;
mod tally;
mod transfer;

pub use act::{MoveAct, MoveStage, MoveStop};
pub use facts::{FreshCounts, MoveFacts, QueueStanding};
pub use holding::Holding;
pub use method_sequence::MethodSequence;
pub use mover::Mover;
pub use tally::MoveTally;
pub use transfer::{Transfer, TransferEnd, TransferOrder, TransferOutcome};
