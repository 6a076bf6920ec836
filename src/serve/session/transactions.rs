//! Transactions of a recorded session: each channel that has some becomes a user of its own in the scenario, whose steps are
//! its transactions.

use crate::broker::ChannelId;
use crate::model::{HeldSettlement, Name, Permission, Topology, TransactionAct, User};
use crate::serve::session::event::ConsumerKey;
use std::collections::BTreeMap;

/// What a transaction settles that no step of its user does: its commit does it.
#[derive(Debug, Clone)]
pub(super) enum LateSettlement {
    /// A delivery of a consumer, by its message.
    Worked(ConsumerKey, Name, HeldSettlement),
    /// What was gotten before the channel had transactions, by its name in the scenario.
    Held(Name, HeldSettlement),
}

/// A channel that has transactions.
#[derive(Debug)]
struct RecordedTransactions {
    user: Name,
    vhost: Name,
    /// Something waits for the next commit.
    is_begun: bool,
    late: Vec<LateSettlement>,
}

/// The channels that have transactions.
#[derive(Debug, Default)]
pub(super) struct TransactionUsers {
    open: BTreeMap<ChannelId, RecordedTransactions>,
    count: usize,
}

impl TransactionUsers {
    /// Makes the user of a channel; `None` where it has one: a second select changes nothing.
    pub(super) fn select(&mut self, channel: ChannelId, vhost: &Name, topology: &mut Topology) -> Option<Name> {
        if self.open.contains_key(&channel) {
            return None;
        }
        self.count += 1;
        let user = Name::from(format!("tx.{}", self.count));
        let all = || ".*".to_owned();
        topology.users.push(User { name: user.clone(), credential: None, tags: Vec::new(), limits: BTreeMap::new() });
        topology.permissions.push(Permission {
            user: user.clone(),
            vhost: vhost.clone(),
            configure: all(),
            write: all(),
            read: all(),
        });
        let begun =
            RecordedTransactions { user: user.clone(), vhost: vhost.clone(), is_begun: false, late: Vec::new() };
        self.open.insert(channel, begun);
        Some(user)
    }

    /// Returns who does what a channel does in its transaction; `None` where it has none.
    pub(super) fn user_of(&mut self, channel: ChannelId) -> Option<Name> {
        let begun = self.open.get_mut(&channel)?;
        begun.is_begun = true;
        Some(begun.user.clone())
    }

    /// Keeps a settlement for the commit; gives it back where the channel has no transactions.
    pub(super) fn settle(&mut self, channel: ChannelId, late: LateSettlement) -> Option<LateSettlement> {
        match self.open.get_mut(&channel) {
            None => Some(late),
            Some(begun) => {
                begun.late.push(late);
                None
            }
        }
    }

    /// Ends a transaction; returns its user, and what is settled only now.
    pub(super) fn end(&mut self, channel: ChannelId, act: TransactionAct) -> Option<(Name, Vec<LateSettlement>)> {
        let begun = self.open.get_mut(&channel)?;
        begun.is_begun = false;
        let late = std::mem::take(&mut begun.late);
        Some((begun.user.clone(), if act == TransactionAct::Commit { late } else { Vec::new() }))
    }

    /// Takes a channel that ended; returns user and vhost where a transaction ended with it.
    pub(super) fn forget(&mut self, channel: ChannelId) -> Option<(Name, Name)> {
        let ended = self.open.remove(&channel).filter(|ended| ended.is_begun)?;
        Some((ended.user, ended.vhost))
    }
}
