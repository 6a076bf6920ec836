//! Who may do what: the three rights, topic permissions, and the channel's memory of what was allowed (PE-1 to PE-8).

use crate::broker::{Refusal, code};
use crate::model::Name;
use crate::rules::{Access, PassiveAccess, access_refused, shown_exchange, shown_queue, topic_access_refused};
use crate::sim::broker::Sim;
use crate::sim::state::arena::ChannelIndex;
use crate::sim::state::exchange::Router;
use crate::sim::state::reason::Reason;
use crate::sim::state::refusal::channel_error;
use std::collections::VecDeque;

/// How many allowed accesses a channel remembers (PE-6).
const REMEMBERED_MAX: usize = 12;

impl Sim {
    /// Notes that a channel has work (PE-6).
    pub(crate) fn wake_channel(&mut self, id: ChannelIndex) {
        if let Some(channel) = self.channels.get_mut(id) {
            channel.permissions.wake(self.now);
        }
    }

    pub(crate) fn check_queue_access(&mut self, id: ChannelIndex, access: Access, name: &Name) -> Result<(), Refusal> {
        self.check_access(id, access, false, name)
    }

    pub(crate) fn check_exchange_access(
        &mut self,
        id: ChannelIndex,
        access: Access,
        name: &Name,
    ) -> Result<(), Refusal> {
        self.check_access(id, access, true, name)
    }

    /// Checks a passive declare, which needs no right, that to configure, or any (PE-2).
    pub(crate) fn check_passive_access(
        &mut self,
        id: ChannelIndex,
        exchange: bool,
        name: &Name,
    ) -> Result<(), Refusal> {
        let others: &[Access] = match self.rules.passive_access {
            PassiveAccess::Free => return Ok(()),
            PassiveAccess::Configure => &[],
            PassiveAccess::AnyRight => &[Access::Write, Access::Read],
        };
        if others.iter().any(|access| self.check_access(id, *access, exchange, name).is_ok()) {
            return Ok(());
        }
        self.check_access(id, Access::Configure, exchange, name)
    }

    fn check_access(&mut self, id: ChannelIndex, access: Access, exchange: bool, name: &Name) -> Result<(), Refusal> {
        let Some(channel) = self.channels.get(id) else { return Ok(()) };
        let Some(user) = &channel.user else { return Ok(()) };
        let known = channel.permissions.accesses.iter();
        if known.into_iter().any(|(a, x, n)| *a == access && *x == exchange && n == name) {
            return Ok(());
        }
        let vhost = self.vhost_name(channel.vhost);
        let shown_name: &str = if exchange && name.is_empty() { "amq.default" } else { name };
        let rights = self.users.get(user).and_then(|user| user.permissions.get(&vhost));
        let allowed = rights.is_some_and(|rights| rights.pattern(access).matches(shown_name));
        if let Some(covered) = &mut self.covered {
            covered.right(user, &vhost, None, access, allowed);
        }
        if !allowed {
            let resource = if exchange { shown_exchange(&vhost, shown_name) } else { shown_queue(&vhost, shown_name) };
            if self.explains() {
                let why = format!("{user} has no {} on {shown_name}", access.as_str());
                self.note = Some(Reason::new("PE-2", why));
            }
            let text = access_refused(self.rules, access, &resource, user);
            return Err(channel_error(code::ACCESS_REFUSED, text));
        }
        if let Some(channel) = self.channels.get_mut(id) {
            remember(&mut channel.permissions.accesses, (access, exchange, name.clone()));
        }
        Ok(())
    }

    /// Checks a key on a topic exchange; other exchanges, and users without a row, pass (PE-7).
    pub(crate) fn check_topic_access(
        &mut self,
        id: ChannelIndex,
        access: Access,
        exchange: &Name,
        key: &Name,
    ) -> Result<(), Refusal> {
        let Some(channel) = self.channels.get(id) else { return Ok(()) };
        let Some(user) = &channel.user else { return Ok(()) };
        let vhost_id = channel.vhost;
        let found = self.exchange_id(vhost_id, exchange).and_then(|id| self.exchanges.get(id));
        // A delayed exchange is none, whatever it routes by.
        if !found.is_some_and(|it| matches!(it.router, Router::Topic(_)) && !it.delays) {
            return Ok(());
        }
        if channel.permissions.topics.iter().any(|(a, x, k)| *a == access && x == exchange && k == key) {
            return Ok(());
        }
        let vhost = self.vhost_name(vhost_id);
        let row = self.users.get(user).and_then(|user| user.topics.get(&(vhost.clone(), exchange.clone())));
        let allowed = row.is_none_or(|row| match access {
            Access::Read => row.read.matches(key),
            _ => row.write.matches(key),
        });
        if let (Some(covered), Some(_)) = (&mut self.covered, row) {
            covered.right(user, &vhost, Some(exchange), access, allowed);
        }
        if !allowed {
            if self.explains() {
                let why = format!("{user} has no {} on the key '{key}' of {exchange}", access.as_str());
                self.note = Some(Reason::new("PE-7", why));
            }
            let text = topic_access_refused(self.rules, access, key, exchange, &vhost, user);
            return Err(channel_error(code::ACCESS_REFUSED, text));
        }
        if let Some(channel) = self.channels.get_mut(id) {
            remember(&mut channel.permissions.topics, (access, exchange.clone(), key.clone()));
        }
        Ok(())
    }
}

fn remember<T>(cache: &mut VecDeque<T>, access: T) {
    cache.truncate(REMEMBERED_MAX - 1);
    cache.push_front(access);
}
