//! basic.publish: RabbitMQ's checks in its order, then routing, then the confirm (RT-12 to RT-14, RT-19, CF-*).

use crate::broker::{ChannelId, Confirmation, Event, PublishId, Refusal, What, code};
use crate::model::{Message, Name};
use crate::rules::{Access, ClientXDeath, cleaned_history, parse_expiration, shown_exchange};
use crate::sim::broker::Sim;
use crate::sim::state::arena::{ChannelIndex, ExchangeId};
use crate::sim::state::cc_bcc::CcBcc;
use crate::sim::state::exchange::{Router, keys};
use crate::sim::state::names::REPLY_TO_KEY;
use crate::sim::state::queued_message::Stored;
use crate::sim::state::reason::Reason;
use crate::sim::state::refusal::{channel_error, not_found, precondition_failed};
use std::sync::Arc;

impl Sim {
    pub(crate) fn publish(
        &mut self,
        id: ChannelId,
        publish: PublishId,
        exchange: Name,
        routing_key: Name,
        mandatory: bool,
        message: Arc<Message>,
    ) {
        let Some(channel) = self.channel_ids.get(id) else { return };
        let Some(state) = self.channels.get_mut(channel) else { return };
        state.permissions.wake(self.now);
        let is_held = state.transaction().is_some();
        match self.accept(channel, publish, exchange, routing_key, message) {
            Err(cause) => {
                self.tell_refused(Some(publish), &cause);
                self.close_for(channel, cause);
            }
            Ok(accepted) if is_held => self.hold_publish(channel, publish, accepted, mandatory),
            Ok(Accepted::Reply(key, message)) => {
                let routed = self.deliver_reply(&key, &message, publish);
                if mandatory && !routed {
                    self.return_unroutable(publish);
                }
                self.events.push_back(Event::Confirmed { publish, confirmation: Confirmation::Ack });
            }
            Ok(Accepted::Route(exchange, stored)) if self.stumbles_over_filter(exchange, &stored) => {
                let cause = self.stumble("ST-9", "its x-stream-filter-value is no text");
                self.tell_refused(Some(publish), &cause);
                self.close_for(channel, cause);
            }
            Ok(Accepted::Route(exchange, stored)) => {
                let confirmation = self.send(channel, exchange, stored, mandatory);
                self.events.push_back(Event::Confirmed { publish, confirmation });
            }
        }
    }

    /// Puts a message into all queues that it is routed to; nacked when one of them refuses it (CF-2, LEN-10).
    fn send(
        &mut self,
        channel: ChannelIndex,
        exchange: ExchangeId,
        stored: Box<Stored>,
        mandatory: bool,
    ) -> Confirmation {
        self.route(exchange, &stored);
        self.tap_in(channel, &stored);
        let is_new = self.cover_route(exchange, &keys(&stored));
        if self.targets.is_empty() {
            if (self.insights || is_new) && !self.delayed_publishes.took {
                let Reason { rule, why } = self.reason_of_no_route(exchange, &stored);
                self.tell(Some(stored.origin), None, rule, || What::Dropped { why, stood: false });
            }
            if mandatory {
                self.return_unroutable(stored.origin);
            }
            return Confirmation::Ack;
        }
        if self.insights {
            self.tell_alternate(exchange, &stored);
            self.ways =
                if self.is_by_name(exchange, &stored) { Vec::new() } else { self.ways_of(exchange, &keys(&stored)) };
        }
        let targets = std::mem::take(&mut self.targets);
        let origin = stored.origin;
        let mut taken = true;
        if let Some((&last, others)) = targets.split_last() {
            for &queue in others {
                taken &= self.enqueue(queue, stored.clone(), Some(channel));
            }
            taken &= self.enqueue(last, stored, Some(channel));
        }
        if !taken && targets.len() > 1 {
            let why = "one of its queues refused it: the publisher gets a nack, though the others may have it";
            self.tell(Some(origin), None, "LEN-10", || What::Refused { why: why.into() });
        }
        self.targets = targets;
        if taken { Confirmation::Ack } else { Confirmation::Nack }
    }

    /// Reports that the bindings of an exchange fit a publish nowhere, and its alternate exchange takes it (RT-10).
    pub(crate) fn tell_alternate(&mut self, id: ExchangeId, stored: &Stored) {
        let Some(state) = self.exchanges.get(id) else { return };
        let Some(alternate) = state.alternate.clone() else { return };
        let mut found = Vec::new();
        self.own_destinations(id, &keys(stored), &mut found);
        if !found.is_empty() || self.exchanges.get(id).is_some_and(|it| self.delay_ms(it, stored.headers()).is_some()) {
            return;
        }
        let (exchange, routing_key) = (state.declared.name.clone(), stored.routing_key().clone());
        let what = What::TakenByAlternate { exchange, alternate, routing_key };
        self.tell(Some(stored.origin), None, "RT-10", || what);
    }

    /// Returns whether the default exchange finds the only queue of a publish by its key: there is no more to say of its way.
    fn is_by_name(&self, id: ExchangeId, stored: &Stored) -> bool {
        let [only] = self.targets[..] else { return false };
        let is_default = |id| self.exchanges.get(id).is_some_and(|exchange| matches!(exchange.router, Router::Default));
        let is_named = |id| self.queues.get(id).is_some_and(|queue| queue.name.name == *stored.routing_key());
        stored.further.is_empty() && is_named(only) && is_default(id)
    }

    /// Returns why a publish finds no queue (RT-3, RT-10, RT-14).
    pub(crate) fn reason_of_no_route(&self, id: ExchangeId, stored: &Stored) -> Reason {
        let key = stored.routing_key();
        let Some(exchange) = self.exchanges.get(id) else { return Reason::new("RT-14", "its exchange is gone") };
        if exchange.declared.name.is_empty() {
            return Reason::new("RT-3", format!("there is no queue of the name '{key}'"));
        }
        let name = &exchange.declared.name;
        let none = match exchange.bindings.is_empty() {
            true => format!("{name} has no bindings"),
            false if matches!(exchange.router, Router::ConsistentHash(_)) => {
                let why = "is empty: what is still bound to it had a second binding, which weighs nothing";
                return Reason::new("PX-1", format!("the ring of {name} {why}"));
            }
            false => format!("no binding of {name} ({}) fits the key '{key}'", exchange.declared.kind),
        };
        match &exchange.alternate {
            None => Reason::new("RT-14", none),
            Some(other) if self.exchange_id(exchange.vhost, other).is_none() => {
                Reason::new("RT-10", format!("{none}, and its alternate exchange '{other}' does not exist"))
            }
            Some(other) => {
                Reason::new("RT-10", format!("{none}, and its alternate exchange '{other}' has no queue for it"))
            }
        }
    }

    pub(crate) fn return_unroutable(&mut self, publish: PublishId) {
        self.events.push_back(Event::Returned { publish, code: code::NO_ROUTE, text: "NO_ROUTE".into() });
    }

    /// Runs the checks of RT-19 and makes the message as it is stored.
    fn accept(
        &mut self,
        channel: ChannelIndex,
        publish: PublishId,
        exchange: Name,
        routing_key: Name,
        message: Arc<Message>,
    ) -> Result<Accepted, Refusal> {
        let max = self.rules.message_size_max;
        if message.body.len() > max {
            let text = format!("message size {} is larger than configured max size {max}", message.body.len());
            return Err(precondition_failed(text));
        }
        let Some(state) = self.channels.get(channel) else {
            return Err(channel_error(code::CHANNEL_ERROR, "channel is closed"));
        };
        // The runner has all rights.
        let (vhost, has_limits) = (state.vhost, state.user.is_some());
        if has_limits {
            self.check_exchange_access(channel, Access::Write, &exchange)?;
        }
        let Some(id) = self.exchange_of_publish(channel, &exchange) else {
            return Err(not_found(&shown_exchange(&self.vhost_name(vhost), &exchange)));
        };
        if self.exchanges.get(id).is_some_and(|exchange| exchange.declared.internal) {
            let shown = shown_exchange(&self.vhost_name(vhost), &exchange);
            return Err(channel_error(code::ACCESS_REFUSED, format!("cannot publish to internal {shown}")));
        }
        let early = self.rules.early_topic_check;
        if early && has_limits {
            self.check_topic_access(channel, Access::Write, &exchange, &routing_key)?;
        }
        let message = self.with_reply_to(channel, message)?;
        if early {
            self.check_user_id(channel, &message)?;
        }
        let expiration_ms = match &message.properties.expiration {
            None => None,
            Some(text) => Some(parse_expiration(text).map_err(precondition_failed)?),
        };
        self.check_delivery_mode(&message)?;
        let further = CcBcc::read(message.properties.headers.as_ref())?;
        if !early {
            if has_limits {
                self.check_all_topics(channel, &exchange, &routing_key, &further)?;
            }
            self.check_user_id(channel, &message)?;
        }
        if exchange.is_empty() && routing_key.starts_with(REPLY_TO_KEY) {
            return Ok(Accepted::Reply(routing_key, self.cleaned(message)));
        }
        let message = self.cleaned(message);
        let stored = Box::new(Stored {
            message,
            published_to: (exchange, routing_key),
            afterlife: None,
            further,
            expiration_ms,
            property_bytes: None,
            ttls: None,
            origin: publish,
            failures: 0,
            quorum_rejections: 0,
            negates_delay_at_death: false,
        });
        if self.stumbles_over_delay(id, &stored) {
            return Err(self.stumble("RT-18", "its x-delay is no number"));
        }
        Ok(Accepted::Route(id, stored))
    }

    fn check_delivery_mode(&self, message: &Message) -> Result<(), Refusal> {
        match message.properties.delivery_mode {
            Some(mode) if self.rules.delivery_mode_checked && mode != 1 && mode != 2 => {
                Err(precondition_failed(format!("invalid message: {{delivery_mode_unknown,{mode}}}")))
            }
            _ => Ok(()),
        }
    }

    fn check_all_topics(
        &mut self,
        channel: ChannelIndex,
        exchange: &Name,
        routing_key: &Name,
        further: &CcBcc,
    ) -> Result<(), Refusal> {
        self.check_topic_access(channel, Access::Write, exchange, routing_key)?;
        if self.rules.topic_check_covers_cc {
            for key in further.iter() {
                self.check_topic_access(channel, Access::Write, exchange, key)?;
            }
        }
        Ok(())
    }

    /// Checks the user_id property (PE-9).
    fn check_user_id(&self, channel: ChannelIndex, message: &Message) -> Result<(), Refusal> {
        let Some(claimed) = &message.properties.user_id else { return Ok(()) };
        let user = self.channels.get(channel).and_then(|state| state.user.clone()).unwrap_or_else(|| "guest".into());
        let impersonator = self.users.get(&user).is_some_and(|user| user.tags.iter().any(|tag| tag == "impersonator"));
        if *claimed == user || impersonator {
            return Ok(());
        }
        let text = format!("user_id property set to '{claimed}' but authenticated user was '{user}'");
        Err(precondition_failed(text))
    }

    /// Removes BCC, sorts headers and cleans a client's x-death where the version does (RT-13, DL-22, DL-23).
    fn cleaned(&self, message: Arc<Message>) -> Arc<Message> {
        let Some(headers) = &message.properties.headers else { return message };
        let sorted = !self.rules.sorts_headers || headers.keys().is_sorted();
        let cleans = self.rules.client_x_death == ClientXDeath::Cleaned;
        let history = headers.get("x-death").filter(|_| cleans).and_then(cleaned_history);
        if sorted && history.is_none() && !headers.contains_key("BCC") {
            return message;
        }
        let mut message = Message::clone(&message);
        if let Some(headers) = &mut message.properties.headers {
            headers.shift_remove("BCC");
            if let (Some(present), Some(history)) = (headers.get_mut("x-death"), history) {
                *present = history;
            }
            if self.rules.sorts_headers {
                headers.sort_keys();
            }
        }
        Arc::new(message)
    }
}

/// What becomes of a publish that passed all checks.
pub(crate) enum Accepted {
    Route(ExchangeId, Box<Stored>),
    /// It is a direct reply, to this key.
    Reply(Name, Arc<Message>),
}
