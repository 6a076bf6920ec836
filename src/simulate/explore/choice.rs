//! The kinds of choice that a schedule makes, each with the rule that leaves it open and how it is known; and one choice
//! with what may happen. Plain data.

use crate::player::Perturbation;

/// What is left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChoiceKind {
    /// Which of the consumers that compete for a queue has room first, and so gets the next message.
    Turn,
    /// Which of the commands of several channels or connections reaches a queue first.
    Arrival,
    /// When the broker notices that a consumer, a channel or a connection ends.
    Leave,
    /// Whether a consumer still does what it has to do when it is ended.
    LastWork,
    /// When dead letters reach the queues behind their exchange.
    DeadLetter,
    /// The same of those that are delivered at least once, which a worker brings.
    Worker,
    /// Which of the timers of one millisecond fires first.
    Timer,
    /// Whether a timer or a client acts first within a millisecond.
    TimerOrClient,
    /// When a publisher hears that a quorum queue is full.
    FullSignal,
    /// In which order many returned messages come back.
    ReturnOrder,
    /// Which of the policies of equal priority holds.
    PolicyTie,
    /// Whether a look comes a little earlier or later than a timer close by.
    Look,
    /// Whether a queue learns first of a requeue, or of the room under a shared limit that it makes.
    SharedLimit,
    /// Whether a channel keeps up with what a queue sends it.
    Unsent,
    /// When a changed policy is in force.
    PolicyEffect,
    /// How many deliveries reach a consumer before it acts.
    LateAct,
}

impl ChoiceKind {
    /// All kinds.
    pub const ALL: [Self; 16] = [
        Self::Turn,
        Self::Arrival,
        Self::Leave,
        Self::LastWork,
        Self::DeadLetter,
        Self::Worker,
        Self::Timer,
        Self::TimerOrClient,
        Self::FullSignal,
        Self::ReturnOrder,
        Self::PolicyTie,
        Self::Look,
        Self::SharedLimit,
        Self::Unsent,
        Self::PolicyEffect,
        Self::LateAct,
    ];

    /// Returns the word for it in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Turn => "turn",
            Self::Arrival => "arrival",
            Self::Leave => "leave",
            Self::LastWork => "last_work",
            Self::DeadLetter => "dead_letter",
            Self::Worker => "worker",
            Self::Timer => "timer",
            Self::TimerOrClient => "timer_or_client",
            Self::FullSignal => "full_signal",
            Self::ReturnOrder => "return_order",
            Self::PolicyTie => "policy_tie",
            Self::Look => "look",
            Self::SharedLimit => "shared_limit",
            Self::Unsent => "unsent",
            Self::PolicyEffect => "policy_effect",
            Self::LateAct => "late_act",
        }
    }

    /// Returns what is open.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Turn => "which of the competing consumers has room first",
            Self::Arrival => "which channel or connection reaches a queue first",
            Self::Leave => "when a cancel, a close or a crash is noticed",
            Self::LastWork => "whether a consumer still acts before it is ended",
            Self::DeadLetter => "when a dead letter reaches its queues",
            Self::Worker => "when the worker of a queue brings a dead letter that is delivered at least once",
            Self::Timer => "which of the timers of one millisecond fires first",
            Self::TimerOrClient => "whether a timer or a client acts first within a millisecond",
            Self::FullSignal => "when a publisher hears that a quorum queue is full",
            Self::ReturnOrder => "in which order many returned messages come back",
            Self::PolicyTie => "which of the policies of equal priority holds",
            Self::Look => "whether a look comes before or after a timer close by",
            Self::SharedLimit => "whether a queue learns first of a requeue or of the room that it makes",
            Self::Unsent => "whether a channel keeps up with more than 200 deliveries",
            Self::PolicyEffect => "when a changed policy is in force",
            Self::LateAct => "how many deliveries reach a consumer before it acts",
        }
    }

    /// Returns the rule that leaves it open.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Turn => "CO-1",
            Self::Arrival => "SIM-1",
            Self::Leave | Self::LastWork => "CO-14",
            Self::DeadLetter => "DL-10",
            Self::Worker => "DL-30",
            Self::Timer => "SIM-1",
            Self::TimerOrClient => "TTL-11",
            Self::FullSignal => "LEN-9",
            Self::ReturnOrder => "CO-10",
            Self::PolicyTie => "PO-1",
            Self::Look => "SIM-3",
            Self::SharedLimit => "CO-4",
            Self::Unsent => "CO-24",
            Self::PolicyEffect => "PO-8",
            Self::LateAct => "CO-2",
        }
    }

    /// Returns how it is known: on which versions both ways were seen, or that it was read in RabbitMQ's source.
    pub fn seen(self) -> &'static str {
        match self {
            Self::Turn => {
                "3.10.8, 4.0.5, 4.3.6: the third job of two workers went to the second one in 3, 3 and 4 of 12 runs"
            }
            Self::Arrival => {
                "3.10.8, 4.0.5, 4.3.6: of two workers the second one published first in 4, 5 and 4 of 10 runs"
            }
            Self::Leave => {
                "3.10.8, 4.0.5, 4.3.6: a publish came before its queue's owner was missed in 5, 10 and 9 of 10 runs"
            }
            Self::LastWork => "3.10.8, 4.0.5, 4.3.6: a worker acknowledged before it crashed in 6, 9 and 6 of 10 runs",
            Self::DeadLetter => "3.10.8, 4.0.5, 4.3.6: a publish came before a dead letter in 6, 7 and 7 of 10 runs",
            Self::Worker => {
                "3.10.8, 4.0.5, 4.3.6: a publish came before the dead letter in 9 of 10 runs, the letter first in 1"
            }
            Self::Timer => "3.10.8, 4.0.5, 4.3.6: of two queues the second one was first in 4, 3 and 5 of 10 runs",
            Self::TimerOrClient => "3.10.8, 4.3.6: within 3 ms the client was first in 4 and 2 of 12 runs",
            Self::FullSignal => {
                "3.10.8, 4.0.5, 4.3.6: of five publishes into a queue of two none was nacked in 29 of 30 runs"
            }
            Self::ReturnOrder => "3.10.8: forty came back in no order",
            Self::PolicyTie => "3.10.8, 4.0.5: the other of two policies held in 3 and 8 of 10 runs",
            Self::Look => {
                "3.10.8, 4.0.5, 4.3.6: a look at the moment of a timer came too early in 3, 6 and 3 of 10 runs"
            }
            Self::SharedLimit => {
                "3.10.8, 4.0.5: in random sequences; 4.0.5: the next job came before the one that was nacked in 1 of 10 runs"
            }
            Self::Unsent => {
                "3.10.8, 4.0.5, 4.3.6: of 5,000 jobs the second of two workers got some in 5, 4 and 4 of 10 runs"
            }
            Self::PolicyEffect => "read: the answer does not wait until each queue has taken the change",
            Self::LateAct => {
                "4.3.6: a worker that crashed on its first message had been sent the second one in 1 of 10 runs"
            }
        }
    }
}

/// One thing that may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alternative {
    /// A ready command reaches the broker.
    Arrive(usize),
    /// The first ready command is late: others that touch the same queues come before it.
    Delay,
    /// Dead letters go on.
    SendLetters,
    /// They are late.
    DelayLetters,
    /// One of the timers that are due together fires.
    Fire(usize),
    /// Timers come first, or clients do.
    TimersFirst,
    ClientsFirst,
    /// A look is where it is, or shifted.
    Look,
    Shift(Perturbation),
    /// A first refusal is heard, or so many publishes later.
    Hear,
    HearAfter(u32),
    /// Many returns keep their order, or come back in one of these.
    KeepOrder,
    Order(u64),
    /// The driver ends consumers at once, or they act first.
    EndNow,
    ActFirst,
    /// A queue learns of a requeue first, or of the room that it makes.
    RequeueFirst,
    RoomFirst,
    /// A channel keeps up with its deliveries, or falls behind.
    KeepsUp,
    FallsBehind,
    /// A policy is in force at once, or a little later.
    AtOnce,
    PolicyWaits,
    /// Consumers act on what they have, or wait for more.
    ActNow,
    ActLate,
}

/// A point at which a schedule chooses: the first action is what a plain run does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub kind: ChoiceKind,
    pub actions: Vec<Alternative>,
}

/// One choice that is not what a plain run does: which one of the run, counted from 0, and what was taken.
pub(super) type Deviation = (u32, u16);
