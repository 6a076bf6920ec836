//! One connection of the client: its state, its lapin handle, our handle of its socket.
//! Plain data; the steps that move it are in `endings` and `step`.

use super::dial::Dialed;
use super::line::Line;
use crate::broker::{ChannelId, RequestId};
use crate::model::Name;
use std::time::Instant;

/// Is a connection.
pub(super) struct Link {
    pub(super) state: LinkState,
    pub(super) dialed: Option<Dialed>,
    /// Declared names.
    pub(super) vhost: Name,
    pub(super) user: Option<Name>,
    pub(super) label: String,
    /// Channels asked for before it was open.
    pub(super) early: Vec<(RequestId, ChannelId)>,
    /// How many channels it has had: ids are not used twice.
    pub(super) opened: u32,
    /// Its channels while it crashes.
    pub(super) crashing: Vec<Line>,
    /// The broker's reason for taking no more publishes.
    pub(super) blocked: Option<String>,
}

/// Is where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkState {
    Opening {
        request: RequestId,
    },
    Open,
    /// Waits for its channels to be written out, then ends.
    Ending {
        request: RequestId,
        cut: bool,
        since: Instant,
    },
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
