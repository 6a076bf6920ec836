//! The driver's state: where the run stands, what the driver is doing and what follows. Data without a verb.

use crate::broker::{ChannelId, ConnectionId, Delivery, PublishId};
use crate::model::{Millis, Moment, Name, QueueName};
use crate::player::driver::command_sequence::CommandSequence;
use crate::player::driver::contents::Reading;
use crate::player::driver::instant::Instant;
use crate::player::driver::publish_series::PublishSeries;
use crate::player::driver::unrest::Unrest;
use std::collections::{BTreeMap, VecDeque};

/// Where the run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunStage {
    /// The runner connects to this vhost.
    Linking(usize),
    /// This actor subscribes.
    Opening(usize),
    Steps(usize),
    /// All steps are done: what the run left behind is read.
    Outcome,
    AtEnd(usize),
    Finally(usize),
    Closing,
    Done,
}

/// What the driver is doing.
#[derive(Debug)]
pub(crate) enum DriverState {
    Nothing,
    CommandSequence(CommandSequence, Continuation),
    Publishing(Box<PublishSeries>),
    PendingCall(Box<PendingCall>),
    ClosingConnections(ClosingConnections),
    /// Waits until the broker has noticed that consumers are gone.
    Leaving,
    /// Waits until nothing more happens now.
    Quieting,
    /// A `within` holds; what belongs to the same moment comes before the next step.
    EndingInstant(Instant),
    /// Waits for a fresh count before it judges.
    Refreshing(QueueName),
    Reading(Reading),
    /// Judges at each change until then.
    Watching {
        until: Moment,
    },
    /// Lets time pass.
    Sleeping {
        until: Moment,
    },
    /// Waits for the turn of a repeated step.
    Pausing {
        until: Moment,
    },
    /// Quiet came; the point is shifted, and quiet is awaited once more.
    Lingering {
        until: Moment,
    },
}

/// What follows a program.
#[derive(Debug, Clone)]
pub(crate) enum Continuation {
    EndStep,
    Publish,
    /// The channel listens for the answer.
    Ask(ChannelId),
    Severed(ClosingConnections),
    Restarted,
    /// The runner is connected again and goes on reading.
    Read(Box<Reading>),
    Started(usize),
    Linked,
    Closed,
}

/// An open connection of a user to a vhost, with its publishing channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UserConnection {
    pub connection: ConnectionId,
    pub publishing: Option<ChannelId>,
}

pub(crate) type UserOfVhost = (Option<Name>, Name);

/// The driver's state.
#[derive(Debug)]
pub(crate) struct Driver {
    pub stage: RunStage,
    pub doing: DriverState,
    pub links: BTreeMap<UserOfVhost, UserConnection>,
    pub vhosts: Vec<Name>,
    /// The moment at which the expectation at hand began.
    pub began: Moment,
    /// How much longer than said the expectation at hand must hold, when its end is shifted.
    pub stretch: Millis,
    /// What was seen decides, and is looked at once more.
    pub second_look: bool,
    /// The quiet that is awaited was reached before.
    pub lingered: bool,
    /// What is awaited is rest.
    pub unrest: Option<Unrest>,
    /// The moment at which the first of a repeated step began.
    pub series_began: Moment,
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
}

/// The closing of some connections by the broker.
#[derive(Debug, Clone)]
pub(crate) struct ClosingConnections {
    /// Asked to be closed; its end is not heard of yet.
    pub at: ConnectionId,
    pub left: VecDeque<ConnectionId>,
}

/// A question that waits for its answer.
#[derive(Debug)]
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
