//! An open connection: whose it is, and its channels.

use crate::model::{Millis, Moment, Name};
use crate::sim::state::arena::{ChannelIndex, VhostId};
use std::collections::BTreeSet;

/// An open connection; no user means: the runner, with all rights.
#[derive(Clone)]
pub(crate) struct Connection {
    pub user: Option<Name>,
    pub vhost: VhostId,
    pub channels: BTreeSet<ChannelIndex>,
    /// The broker looks at this distance whether anything came; zero: never.
    pub heartbeat: Millis,
    pub opened: Moment,
    /// The network lost it, and the broker does not know yet.
    pub isolated: bool,
}

impl Connection {
    /// Returns when the broker gives up a connection over which nothing comes from now on (CO-28): it looks once a
    /// heartbeat, sees that something came since it looked last, and ends it at the second look that sees nothing.
    pub fn missed_at(&self, now: Moment) -> Option<Moment> {
        let looks = (now - self.opened).0.checked_div(self.heartbeat.0)?;
        Some(Moment(self.opened.0 + (looks + 3) * self.heartbeat.0))
    }
}
