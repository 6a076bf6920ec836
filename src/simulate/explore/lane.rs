//! Lanes: the ways on which commands keep their order, and what is known of one while a run is explored.

use crate::broker::{ChannelId, Command, ConnectionId};
use crate::sim::Touched;

/// The way on which commands keep their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    Channel(ChannelId),
    Connection(ConnectionId),
    Management,
}

/// A lane whose first command need not come next, and what that touches.
#[derive(Debug, Clone, Copy, Hash)]
pub(super) struct Asleep {
    pub lane: Lane,
    pub touched: Touched,
}

/// A command that is late: its lane waits until something that touches the same came before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct LateLane {
    pub lane: Lane,
    pub touched: Touched,
}

pub(super) fn lane_of(command: &Command) -> Lane {
    match command {
        Command::Connect { connection, .. }
        | Command::Disconnect { connection, .. }
        | Command::Cut { connection, .. }
        | Command::Isolate { connection, .. }
        | Command::OpenChannel { connection, .. } => Lane::Connection(*connection),
        Command::CloseChannel { channel, .. }
        | Command::Call { channel, .. }
        | Command::Publish { channel, .. }
        | Command::Settle { channel, .. } => Lane::Channel(*channel),
        Command::Manage { .. } | Command::Watch { .. } | Command::Unwatch { .. } | Command::AwaitQuiet { .. } => {
            Lane::Management
        }
    }
}
