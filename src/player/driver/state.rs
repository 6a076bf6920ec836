//! The driver's state: where the run stands, what the driver is doing and what follows. Data without a verb.

use crate::broker::{ChannelId, ConnectionId, Delivery, PublishId, Refusal};
use crate::model::{Millis, Moment, Name, QueueName, TransactionAct};
use crate::player::context::command_sequence::CommandSequence;
use crate::player::context::held::HeldMessages;
use crate::player::driver::decision_points::{DecisionPoint, Perturbation};
use crate::player::driver::instant::Instant;
use crate::player::driver::publish_step::PublishStep;
use crate::player::driver::quiet::unrest::Unrest;
use crate::player::driver::reading::contents::{Contents, Reading};
use crate::player::record::outcome::Outcome;
use std::collections::{BTreeMap, VecDeque};

/// Where the run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RunStage {
    /// The runner connects to this vhost.
    Connecting(usize),
    /// This consumer instance subscribes.
    Subscribing(usize),
    Steps(usize),
    /// All steps are done: what the run left behind is read.
    Outcome,
    AtEnd(usize),
    Finally(usize),
    Closing,
    Done,
}

impl RunStage {
    /// Returns a number of its own.
    pub fn number(self) -> u64 {
        let (kind, at) = match self {
            Self::Connecting(at) => (0, at),
            Self::Subscribing(at) => (1, at),
            Self::Steps(at) => (2, at),
            Self::Outcome => (3, 0),
            Self::AtEnd(at) => (4, at),
            Self::Finally(at) => (5, at),
            Self::Closing => (6, 0),
            Self::Done => (7, 0),
        };
        (kind << 32) | at as u64
    }
}

/// What the driver is doing.
#[derive(Debug, Clone)]
pub(crate) enum DriverState {
    Nothing,
    CommandSequence(CommandSequence, Continuation),
    Publishing(Box<PublishStep>),
    PendingCall(Box<PendingCall>),
    ClosingConnections(ClosingConnections),
    /// Waits until the broker has noticed that consumers are gone.
    Leaving,
    /// Waits until nothing more happens now.
    Quieting,
    /// A step waits until nothing moves any more, and for the broker's word until then.
    AwaitingQuiet {
        until: Moment,
    },
    /// Something will move by itself: waits until then, or until something happens.
    Moving {
        until: Moment,
    },
    /// Nothing moves: must stay so until then.
    KeepingQuiet {
        until: Moment,
    },
    /// A `within` holds; what belongs to the same moment comes before the next step.
    EndingInstant(Instant),
    /// Waits for a fresh count before it judges.
    Refreshing(QueueName),
    Reading(Reading),
    /// Judges at each change until then.
    Watching {
        until: Moment,
    },
    /// What was seen decides: it must stay so until then, for what is on its way; `end` is that of the watching.
    Confirming {
        until: Moment,
        end: Moment,
    },
    /// Lets time pass.
    Sleeping {
        until: Moment,
    },
    /// Waits for the turn of a repeated step.
    Pausing {
        until: Moment,
    },
    /// Waits for the time that the step had in another run.
    Holding {
        until: Moment,
    },
    /// Quiet came; the point is shifted, and quiet is awaited once more.
    Lingering {
        until: Moment,
    },
}

/// What follows a sequence of commands.
#[derive(Debug, Clone)]
pub(crate) enum Continuation {
    EndStep,
    /// What a queue gave is kept in hand.
    Hold,
    /// The broker has taken what was settled over this channel.
    Settled(ChannelId),
    /// The broker has done that with the transaction of this channel.
    Transacted(ChannelId, TransactionAct),
    /// The channel listens for the answer.
    Ask(ChannelId),
    ConnectionClosed(ClosingConnections),
    Restarted,
    /// The runner is connected again and goes on reading.
    Read(Box<Reading>),
    /// What a queue is, which an expectation asks for.
    Described(QueueName),
    /// How many dead letters of a queue wait, for what is judged until that moment.
    LettersCounted(QueueName, Moment),
    /// A consumer instance subscribed.
    Started(usize),
    /// The runner is connected to a vhost.
    Connected,
    /// Everything is closed.
    Closed,
}

/// An open connection of a user to a vhost, with its publishing channel.
#[derive(Debug, Clone, Copy, Hash)]
pub(crate) struct UserConnection {
    pub connection: ConnectionId,
    pub publishing: Option<ChannelId>,
}

pub(crate) type UserOfVhost = (Option<Name>, Name);

/// What the driver has consumers do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConsumerRequest {
    /// Start an instance; the driver runs what that takes.
    Start(usize),
    /// Hear how the start of an instance ended, which the driver waits for.
    Started(usize, Option<Refusal>),
    /// Stop all instances that a name means.
    Stop(Name),
    Crash(Name),
    /// Lose connections that are closed from this side.
    HangUp(VecDeque<ConnectionId>),
    /// Forget what is in hand over these channels: the broker requeues it.
    Recover(Vec<ChannelId>),
    /// Lose connections that the broker holds until it has missed their heartbeats.
    Drift(VecDeque<ConnectionId>),
}

/// The driver's state.
#[derive(Debug, Clone)]
pub(crate) struct Driver {
    pub stage: RunStage,
    pub doing: DriverState,
    /// What consumers are to do before the driver goes on.
    pub request: Option<ConsumerRequest>,
    pub connections: BTreeMap<UserOfVhost, UserConnection>,
    /// Over which channels users have transactions.
    pub transactions: BTreeMap<UserOfVhost, (ConnectionId, ChannelId)>,
    /// What `get` steps hold.
    pub held: HeldMessages,
    /// The step whose queue was asked for its type.
    pub described: Option<RunStage>,
    /// Waiting dead letters were just counted for the judgement at hand.
    pub letters_counted: bool,
    /// When to look again at what no event tells.
    pub look_at: Option<Moment>,
    /// What queues held that were read.
    pub contents: Contents,
    pub outcome: Option<Outcome>,
    /// Where the run might race on a live broker.
    pub points: Vec<DecisionPoint>,
    pub shift: Option<Perturbation>,
    /// The moments before which steps do not begin.
    pub pace: Vec<Moment>,
    /// Something happened since the driver last looked.
    pub news: bool,
    pub vhosts: Vec<Name>,
    /// The moment at which the expectation at hand began.
    pub began: Moment,
    /// How much longer than said the expectation at hand must hold, when its end is shifted.
    pub stretch: Millis,
    /// What was seen decides, and stayed so for a while.
    pub confirmed: bool,
    /// The quiet that is awaited was reached before.
    pub lingered: bool,
    /// What is awaited is rest.
    pub unrest: Option<Unrest>,
    /// The moment at which the first of a repeated step began.
    pub repetition_began: Moment,
    /// The broker is stopped and started at our wish.
    pub restarting: bool,
    /// Counts are those of the outcome: later ones come from reading it.
    pub frozen: bool,
    /// The moment at which the run is given up.
    pub limit: Moment,
    pub timed_out: bool,
    pub failures_before: usize,
    /// The last step of `finally` that was begun.
    pub tidied: Option<usize>,
    /// Others play on the same broker: the end is not reached before they are done.
    pub is_kept_open: bool,
}

/// The closing of some connections by the broker.
#[derive(Debug, Clone)]
pub(crate) struct ClosingConnections {
    /// Asked to be closed; its end is not heard of yet.
    pub at: ConnectionId,
    pub left: VecDeque<ConnectionId>,
}

/// A question that waits for its answer.
#[derive(Debug, Clone)]
pub(crate) struct PendingCall {
    pub channel: ChannelId,
    pub publish: PublishId,
    /// What the question is called.
    pub question: Name,
    pub confirmed: bool,
    pub reply: Option<Box<Delivery>>,
    pub until: Moment,
}

impl PendingCall {
    /// Returns the moment at which nobody waits any more.
    pub fn wake_at(&self) -> Moment {
        self.until
    }
}
