//! The record of what a run exercised, and what keeps it cheap: routes that were looked at before are not looked at again,
//! and reasons are asked for the first times only. Never looks at the broker.

use crate::broker::{AskedRight, Exercised};
use crate::model::Name;
use crate::rules::Access;
use crate::sim::state::arena::ExchangeId;
use crate::sim::state::names::NameMap;
use std::collections::BTreeMap;

/// How many routes of a run are looked at; more than these are told as cut.
const ROUTES_MAX: u32 = 20_000;

/// How often a queue is asked for its reasons at one place.
pub(crate) const SAMPLES: u8 = 16;

/// A place at which a queue is asked for its reasons; the ways of dying are the first ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Site {
    Arrival = 4,
    Return,
    OverLimit,
    Full,
    Cycle,
}

/// How many places there are.
pub(crate) const SITES: usize = 9;

/// What was exercised, and which routes need no second look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Covered {
    pub found: Exercised,
    /// By exchange and routing key: whether headers could lead elsewhere.
    routes: BTreeMap<ExchangeId, NameMap<bool>>,
    looked_at: u32,
    last_rule: &'static str,
}

impl Covered {
    pub(crate) fn rule(&mut self, rule: &'static str) {
        if !std::ptr::eq(self.last_rule, rule) {
            self.last_rule = rule;
            self.found.rules.insert(rule);
        }
    }

    pub(crate) fn right(&mut self, user: &Name, vhost: &Name, exchange: Option<&Name>, access: Access, granted: bool) {
        let (user, vhost, exchange) = (user.clone(), vhost.clone(), exchange.cloned());
        self.found.rights.insert(AskedRight { user, vhost, exchange, right: access.as_str(), granted });
    }

    /// Returns whether the route of a message is to be looked at; it is counted then.
    pub(crate) fn is_new(&mut self, exchange: ExchangeId, key: &str, has_headers: bool, has_further: bool) -> bool {
        let known = self.routes.get(&exchange).and_then(|keys| keys.get(key));
        if !has_further && known.is_some_and(|by_headers| !by_headers || !has_headers) {
            return false;
        }
        if self.looked_at >= ROUTES_MAX {
            self.found.cut = true;
            return false;
        }
        self.looked_at += 1;
        true
    }

    /// Remembers a route that was looked at.
    pub(crate) fn remember(&mut self, exchange: ExchangeId, key: &str, by_headers: bool) {
        self.routes.entry(exchange).or_default().insert(key.into(), by_headers);
    }

    /// Looks at all routes anew: something was declared, bound or deleted.
    pub(crate) fn forget_routes(&mut self) {
        if !self.routes.is_empty() {
            self.routes.clear();
        }
    }
}
