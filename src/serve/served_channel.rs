//! A channel of an outside client: its number, its id in the simulator, and what the wire alone knows of it.

use crate::broker::ChannelId;
use crate::serve::content::Assembler;
use std::collections::BTreeSet;

/// A channel between its first frame and its end.
#[derive(Debug, Clone)]
pub(crate) struct ServedChannel {
    pub id: ChannelId,
    pub state: ChannelState,
    pub assembler: Assembler,
    pub mode: PublishMode,
    pub confirmed: ConfirmedTags,
}

/// Which publishes of a channel are answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConfirmedTags {
    /// All up to this one are.
    up_to: u64,
    /// Answered before one that came earlier.
    ahead: BTreeSet<u64>,
}

impl ConfirmedTags {
    /// Takes note of an answer, and returns whether all before it are answered too.
    pub(crate) fn answered(&mut self, tag: u64) -> bool {
        if tag != self.up_to + 1 {
            self.ahead.insert(tag);
            return false;
        }
        self.up_to = tag;
        while self.ahead.remove(&(self.up_to + 1)) {
            self.up_to += 1;
        }
        true
    }
}

/// How far a channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChannelState {
    /// A frame came; channel.open did not.
    Starting,
    Open,
    /// The server closed it and waits for close-ok.
    Closing,
}

/// What publishes of a channel are answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PublishMode {
    Plain,
    /// Confirms, with the number of the last publish.
    Confirm {
        last: u64,
    },
}

impl ServedChannel {
    pub(crate) fn new(id: ChannelId) -> Self {
        Self {
            id,
            state: ChannelState::Starting,
            assembler: Assembler::default(),
            mode: PublishMode::Plain,
            confirmed: ConfirmedTags::default(),
        }
    }

    /// Counts a publish, and returns the tag that its confirm carries.
    pub(crate) fn count_publish(&mut self) -> Option<u64> {
        match &mut self.mode {
            PublishMode::Plain => None,
            PublishMode::Confirm { last } => {
                *last += 1;
                Some(*last)
            }
        }
    }
}
