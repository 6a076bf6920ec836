//! An open connection: whose it is, and its channels.

use crate::model::Name;
use crate::sim::state::arena::{ChannelIndex, VhostId};
use std::collections::BTreeSet;

/// An open connection; no user means: the runner, with all rights.
#[derive(Clone)]
pub(crate) struct Connection {
    pub user: Option<Name>,
    pub vhost: VhostId,
    pub channels: BTreeSet<ChannelIndex>,
}
