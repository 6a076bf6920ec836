//! One connection of the client: its state, its lapin handle, our handle of its socket.
//! Plain data; the steps that move it are in `endings` and `step`.

use crate::broker::{ChannelId, RequestId};
use crate::io::live::amqp::channel::LiveChannel;
use crate::io::live::amqp::dial::Dialed;
use crate::model::Name;
use std::time::Instant;

/// A connection.
pub(crate) struct LiveConnection {
    pub(crate) state: LiveConnectionState,
    pub(crate) dialed: Option<Dialed>,
    /// Declared names.
    pub(crate) vhost: Name,
    pub(crate) user: Option<Name>,
    pub(crate) label: String,
    /// Channels asked for before it was open.
    pub(crate) early: Vec<(RequestId, ChannelId)>,
    /// How many channels it has had: ids are not used twice.
    pub(crate) opened: u32,
    /// Its channels while it crashes.
    pub(crate) crashing: Vec<LiveChannel>,
    /// The broker's reason for taking no more publishes.
    pub(crate) blocked: Option<String>,
}

/// How a connection is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndKind {
    Polite,
    /// As a crash does.
    Cut,
    /// Here only: it stands on the broker.
    Isolate,
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LiveConnectionState {
    Opening {
        request: RequestId,
    },
    Open,
    /// Waits for its channels to be written out, then ends.
    Ending {
        request: RequestId,
        how: EndKind,
        since: Instant,
    },
    /// The network lost it; the broker has not noticed yet.
    Isolated,
    /// Says nothing more; waits until the broker has noticed, which ends a moment after it closed the socket.
    Crashing {
        request: RequestId,
        until: Instant,
    },
    /// Says goodbye.
    Closing,
    /// Broke; we look whether the broker is there at all.
    Checking,
    Gone,
}
