//! Exchanges of the type `x-delayed-message`: what they hold back, and what becomes of it when its time has come (RT-18).
//! As the plugin's source says, and as it was played once; no broker of the tests has it.

use crate::broker::What;
use crate::model::{Millis, Name, QueueKind, Table};
use crate::rules::{DelayHeader, MessageDelay, Plugin, message_delay, with_negated_delay};
use crate::sim::broker::Sim;
use crate::sim::state::arena::{BindingDestination, ExchangeId, QueueId};
use crate::sim::state::delayed_exchange::HeldBack;
use crate::sim::state::exchange::{Exchange, keys};
use crate::sim::state::queued_message::{DeadLetterRewrite, Stored};
use crate::sim::state::reason::Reason;
use crate::sim::state::timer::Timer;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Sim {
    /// Returns for how many milliseconds an exchange holds a message back; `None`: it routes it at once, or is only asked how it
    /// would route.
    pub(crate) fn delay_ms(&self, exchange: &Exchange, headers: Option<&Table>) -> Option<u64> {
        if !exchange.delays || self.asks {
            return None;
        }
        match message_delay(headers, self.rules) {
            MessageDelay::ForMs(delay) => Some(delay),
            MessageDelay::None | MessageDelay::Unreadable => None,
        }
    }

    /// Returns whether a publish comes to a delayed exchange with an `x-delay` over which RabbitMQ ends the connection.
    pub(crate) fn stumbles_over_delay(&self, start: ExchangeId, stored: &Stored) -> bool {
        let has_plugin = self.plugins.contains(Plugin::DelayedMessageExchange);
        if !has_plugin || message_delay(stored.headers(), self.rules) != MessageDelay::Unreadable {
            return false;
        }
        let keys = &keys(stored);
        let (mut seen, mut waiting, mut found) = (BTreeSet::from([start]), vec![start], Vec::new());
        while let Some(id) = waiting.pop() {
            if self.exchanges.get(id).is_some_and(|exchange| exchange.delays) {
                return true;
            }
            self.destinations(id, keys, &mut found);
            for destination in found.drain(..) {
                if let BindingDestination::Exchange(other) = destination
                    && seen.insert(other)
                {
                    waiting.push(other);
                }
            }
        }
        false
    }

    /// Keeps a message at its exchange until it is due.
    pub(crate) fn hold_back(&mut self, id: ExchangeId, stored: &Stored, delay_ms: u64) {
        let Some(exchange) = self.exchanges.get(id) else { return };
        let name = exchange.declared.name.clone();
        let key = (self.now + Millis(delay_ms), exchange.declared.vhost.clone(), name.clone());
        let alternate = exchange.alternate.clone();
        let publish = HeldBack { stored: Box::new(stored.clone()), alternate: alternate.clone() };
        self.delayed_publishes.insert(key, publish);
        self.set_delay_timer();
        let until = Some(Millis(delay_ms));
        self.tell(Some(stored.origin), None, "RT-18", || {
            let mut why = format!("exchange '{name}' holds it back by its x-delay");
            if let Some(alternate) = alternate {
                why.push_str(&format!(", and sends it at once to its alternate exchange '{alternate}', too"));
            }
            What::Blocked { behind: None, until, why: why.into() }
        });
    }

    fn set_delay_timer(&mut self) {
        let due = self.delayed_publishes.due_at();
        if self.delayed_publishes.timer.is_some_and(|(at, _)| Some(at) == due) {
            return;
        }
        self.timers.cancel(&mut self.delayed_publishes.timer);
        self.delayed_publishes.timer = due.map(|at| self.timers.set(at, Timer::DelayedExchange));
    }

    /// Routes what is due: the plugin's table is on disk, so what was due while the broker was down is routed when it is back.
    pub(crate) fn delayed_exchange_fired(&mut self) {
        self.delayed_publishes.timer = None;
        if let Some((back, _)) = self.down_until {
            self.delayed_publishes.timer = Some(self.timers.set(back, Timer::DelayedExchange));
            return;
        }
        if let Some(((_, vhost, exchange), due)) = self.delayed_publishes.take_next() {
            for publish in due {
                self.let_go(&vhost, &exchange, publish);
            }
        }
        self.set_delay_timer();
    }

    /// Routes a message that was held back: by the bindings that an exchange of that name has now, and by the alternate
    /// exchange of then.
    fn let_go(&mut self, vhost: &Name, exchange: &Name, publish: HeldBack) {
        let HeldBack { stored: original, alternate } = publish;
        let negated = self.negated(&original);
        let origin = original.origin;
        let vhost = self.vhost_names.get(vhost).copied();
        let found = vhost.and_then(|vhost| self.exchange_id(vhost, exchange));
        let of_then = alternate.as_ref().and_then(|name| self.exchange_id(vhost?, name));
        let Some(id) = found.or(of_then) else {
            let why = format!("its exchange '{exchange}' is gone");
            return self.tell(Some(origin), None, "RT-18", || What::Dropped { why, stood: false });
        };
        let of_now = found.map(|id| self.replace_alternate(id, alternate));
        self.route(id, &negated);
        self.cover_route(id, &keys(&negated));
        if self.insights {
            self.tell_released(id, &negated);
        }
        if let (Some(id), Some(of_now)) = (found, of_now) {
            self.replace_alternate(id, of_now);
        }
        let targets = std::mem::take(&mut self.targets);
        for queue in &targets {
            let stored = self.as_stored_in(*queue, &original, &negated);
            self.enqueue(*queue, stored, None);
        }
        self.targets = targets;
    }

    /// Sets the alternate exchange of an exchange; returns the one before.
    fn replace_alternate(&mut self, id: ExchangeId, alternate: Option<Name>) -> Option<Name> {
        if self.exchanges.get(id).is_none_or(|exchange| exchange.alternate == alternate) {
            return alternate;
        }
        let exchange = self.exchanges.get_mut(id)?;
        std::mem::replace(&mut exchange.alternate, alternate)
    }

    /// Tells where a message goes that was held back, or why nowhere.
    fn tell_released(&mut self, id: ExchangeId, stored: &Stored) {
        if !self.targets.is_empty() {
            self.tell_alternate(id, stored);
            self.ways = self.ways_of(id, &keys(stored));
        } else if !self.delayed_publishes.took {
            let Reason { rule, why } = self.reason_of_no_route(id, stored);
            self.tell(Some(stored.origin), None, rule, || What::Dropped { why, stood: false });
        }
    }

    /// Returns a message with its `x-delay` negated.
    fn negated(&self, stored: &Stored) -> Box<Stored> {
        let mut stored = Box::new(stored.clone());
        let Some(headers) = stored.headers() else { return stored };
        let mut headers = with_negated_delay(headers, self.rules);
        if self.rules.sorts_headers {
            headers.sort_keys();
        }
        stored.property_bytes = None;
        match &stored.afterlife {
            Some(life) => {
                stored.afterlife = Some(Arc::new(DeadLetterRewrite { headers, ..DeadLetterRewrite::clone(life) }));
            }
            None => Arc::make_mut(&mut stored.message).properties.headers = Some(headers),
        }
        stored
    }

    /// Returns what a queue stores. Where the delay is a field, it is negated in what is decoded of the properties, while the
    /// bytes that the client sent stay as they are: a classic queue sends these, and encodes anew only at a death.
    fn as_stored_in(&self, queue: QueueId, original: &Stored, negated: &Stored) -> Box<Stored> {
        let is_classic = self.queues.get(queue).is_some_and(|queue| queue.kind == QueueKind::Classic);
        if self.rules.delay_header == DelayHeader::Annotation || !is_classic || original.died() {
            return Box::new(negated.clone());
        }
        Box::new(Stored { negates_delay_at_death: true, ..original.clone() })
    }
}
