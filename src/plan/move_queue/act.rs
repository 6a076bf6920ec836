//! What a move does next, and why it cannot go on. Plain data.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::{Method, Refusal};
use crate::model::Policy;
use crate::plan::move_queue::transfer::TransferOrder;

/// The stages of a move, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MoveStage {
    /// Makes the holding queue, binds it as the queue is bound, and takes the queue's bindings away.
    Hold,
    /// Carries the messages to the holding queue.
    Drain,
    /// Deletes the queue and declares it with the values of the file.
    Replace,
    /// Carries the messages back.
    DrainBack,
    /// Binds the queue as the holding queue is bound, and takes that one's bindings away.
    BindBack,
    /// Deletes the holding queue and its exchanges.
    Clear,
}

/// One act of a move.
#[derive(Debug, Clone, PartialEq)]
pub enum MoveAct {
    /// Methods in order, over one channel; the first refusal ends them.
    Methods { stage: MoveStage, methods: Vec<Method> },
    /// Carries messages from queue to queue.
    Carry { stage: MoveStage, order: TransferOrder },
    /// Looks again a little later: somebody else still holds messages, or the counts are old.
    Wait,
    /// The queue is there with the values of the file, and nothing of the move is left.
    Done,
}

/// Why a move cannot begin or go on. What it did so far stays and can be gone on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveStop {
    /// Somebody consumes from the queue, which gives its messages to one of its consumers alone.
    SingleActive { count: u64 },
    /// Somebody consumes from the queue.
    Consumers { count: u64 },
    /// Messages of the queue are with somebody who has not acknowledged them.
    Unacked { count: u64 },
    /// A stream is a log: its messages cannot be taken out.
    Stream,
    /// The queue goes with its last consumer, and a move is one: when it ended early the messages would be gone.
    AutoDelete,
    /// The name of the holding queue would be longer than AMQP allows.
    NameTooLong,
    /// A policy would lose messages of the holding queue.
    PolicyOnHolding { policy: Box<Policy>, operator: bool, key: String },
    /// A queue has the name of the holding queue, and values that no holding queue has.
    ForeignHolding,
    /// Neither the queue nor its holding queue is there.
    Nothing,
    /// The broker refused a method.
    Refused { stage: MoveStage, refusal: Refusal },
    /// The broker could not route a message to the queue that it was carried to.
    Unroutable { text: String },
    /// The broker did not take a message: the queue that it was carried to is full.
    NotTaken,
    /// Messages stand ready, and none is delivered.
    Stalled { ready: u64 },
    /// More messages came than a move carries.
    Endless { moved: u64 },
    /// The acts of a move went round.
    TooManyActs,
}
