//! What RabbitMQ leaves open of the moment at hand: which timers are due together, which dead letters are on their way, which
//! commands touch the same queues, and what a full or a crowded queue may do. Asked by whoever explores schedules; without
//! it nothing here is in use, and everything happens in the usual order.

use crate::broker::{ChannelId, Command, ConnectionId, Event, Management, Method, Settlement};
use crate::model::{Moment, Policy, QueueKind, QueueName};
use crate::sim::broker::Sim;
use crate::sim::state::arena::{BindingDestination, ChannelIndex, ExchangeId, Index, QueueId};
use crate::sim::state::cc_bcc::CcBcc;
use crate::sim::state::channel::{Channel, KEEPS_UP, Unacked};
use crate::sim::state::exchange::Keys;
use crate::sim::state::queue::{QueueContents, is_refusing};
use crate::sim::state::queued_message::QueuedMessage;
use crate::sim::state::quorum_queue::Publisher;
use crate::sim::state::timer::Timer;
use std::collections::BTreeSet;

/// So many deliveries that are not written yet does a channel have before classic queues pass it over (CO-24).
const UNSENT_MAX: u32 = 200;

/// The queues that something touches, and those that its dead letters may reach; two that meet in none can change places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Touched(u128);

impl Touched {
    /// Nothing that matters to others.
    pub const NOTHING: Self = Self(0);
    /// Perhaps everything.
    pub const ALL: Self = Self(u128::MAX);

    fn queue(id: QueueId) -> Self {
        Self(1 << (id.place() % 128))
    }

    /// Returns whether both touch the same queue.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl Sim {
    /// Lets dead letters wait from now on until they are sent on.
    pub fn with_openings(mut self) -> Self {
        self.openings.letters_wait = true;
        self
    }

    /// Returns what waiting dead letters would touch, and whether one of them is sent at least once; `None` without any.
    pub fn waiting_letters(&self) -> Option<(Touched, bool)> {
        let first = self.dead_letters.front()?;
        let mut touched = Touched::NOTHING;
        let mut seen = BTreeSet::new();
        for letter in &self.dead_letters {
            if seen.insert(letter.from) {
                touched.add(self.reached_from(letter.from));
            }
        }
        Some((touched, first.kept.is_some()))
    }

    /// Returns whether dead letters wait.
    pub fn has_waiting_letters(&self) -> bool {
        !self.dead_letters.is_empty()
    }

    /// Sends waiting dead letters on.
    pub fn send_waiting_letters(&mut self) {
        (self.openings.letters_wait, self.openings.letters_late) = (false, false);
        self.work_off();
        self.openings.letters_wait = true;
    }

    /// Lets others act before waiting dead letters are sent on.
    pub fn delay_letters(&mut self) {
        self.openings.letters_late = true;
    }

    /// Lets timers wait, or fire again.
    pub fn hold_timers(&mut self, wait: bool) {
        self.openings.timers_wait = wait;
    }

    /// Returns when the next timer fires, if it is due.
    pub fn timer_due(&self, now: Moment) -> Option<Moment> {
        self.timers.next().filter(|at| *at <= now && !self.openings.timers_wait && self.down_until.is_none())
    }

    /// Lists what those timers touch that are due at the same moment before all others, in the usual order.
    pub fn due_together(&self, now: Moment) -> Vec<Touched> {
        let Some(first) = self.timer_due(now) else { return Vec::new() };
        if self.timeouts_from < first {
            return Vec::new();
        }
        self.timers.at(first).map(|(_, timer)| self.touched_by(timer)).collect()
    }

    /// Makes one of the timers that are due together the next to fire.
    pub fn prefer_timer(&mut self, which: usize) {
        self.timers.prefer(which);
    }

    /// Fires the next timer that is due; returns whether there was one.
    pub fn fire_next(&mut self, now: Moment) -> bool {
        let Some((at, timer)) = self.next_due(now) else { return false };
        self.happens(at, timer);
        true
    }

    fn touched_by(&self, timer: Timer) -> Touched {
        match timer {
            Timer::MessageTtl(queue)
            | Timer::QueueExpires(queue)
            | Timer::DelayedRetry(queue)
            | Timer::DeadLetterRetry(queue) => self.touched_from(queue),
            Timer::HeartbeatsMissed(_) | Timer::Restarted | Timer::DelayedExchange => Touched::ALL,
        }
    }

    /// Returns what a command touches.
    pub fn touched(&self, command: &Command) -> Touched {
        match command {
            Command::Publish { channel, exchange, routing_key, message, .. } => {
                let Some((_, state)) = self.channel(*channel) else { return Touched::NOTHING };
                let Some(exchange) = self.exchange_id(state.vhost, exchange) else { return Touched::NOTHING };
                let Ok(further) = CcBcc::read(message.properties.headers.as_ref()) else { return Touched::NOTHING };
                let headers = message.properties.headers.as_ref();
                let mut touched = Touched::NOTHING;
                self.follow(
                    exchange,
                    &Keys { first: routing_key, further: &further, headers, properties: None, every: true },
                    &mut |queue| {
                        touched.add(self.touched_from(queue));
                    },
                );
                touched
            }
            Command::Settle { channel, tag, multiple, .. } => {
                let Some((_, state)) = self.channel(*channel) else { return Touched::NOTHING };
                let is_meant = |one: &&Unacked| one.tag == tag.0 || *multiple && (tag.0 == 0 || one.tag <= tag.0);
                let mut meant = state.unacked.iter().filter(is_meant).peekable();
                if meant.peek().is_none() { self.touched_by_end(state) } else { self.touched_by_all(meant) }
            }
            Command::Call { channel, method, .. } => match self.channel(*channel) {
                Some((_, state)) => self.touched_by_method(state, method),
                None => Touched::NOTHING,
            },
            Command::CloseChannel { channel, .. } => {
                self.channel(*channel).map_or(Touched::NOTHING, |(_, state)| self.touched_by_end(state))
            }
            Command::Disconnect { connection, .. }
            | Command::Cut { connection, .. }
            | Command::Isolate { connection, .. } => {
                if self.queues.iter().any(|(_, queue)| queue.owner == Some(*connection)) {
                    return Touched::ALL;
                }
                let mut touched = Touched::NOTHING;
                for (_, state) in self.channels.iter().filter(|(_, state)| state.connection == *connection) {
                    touched.add(self.touched_by_end(state));
                }
                touched
            }
            Command::Manage { .. } => Touched::ALL,
            Command::Connect { .. }
            | Command::OpenChannel { .. }
            | Command::Watch { .. }
            | Command::Unwatch { .. }
            | Command::AwaitQuiet { .. } => Touched::NOTHING,
        }
    }

    fn touched_by_method(&self, state: &Channel, method: &Method) -> Touched {
        let named = |name: &str| {
            let queue = self.vhosts.get(state.vhost).and_then(|vhost| vhost.queues.get(name).copied());
            queue.map_or(Touched::NOTHING, |queue| self.touched_from(queue))
        };
        match method {
            Method::CheckQueue { queue }
            | Method::Purge { queue }
            | Method::Get { queue, .. }
            | Method::Consume { queue, .. } => named(queue),
            Method::Cancel { consumer } => {
                let consumer = state.consumers.get(consumer).and_then(|id| self.consumers.get(*id));
                consumer.map_or(Touched::NOTHING, |consumer| self.touched_from(consumer.queue))
            }
            Method::Recover { .. } => self.touched_by_all(state.unacked.iter()),
            Method::Qos { global: false, .. } => Touched::NOTHING,
            _ => Touched::ALL,
        }
    }

    fn touched_by_all<'a>(&self, all: impl Iterator<Item = &'a Unacked>) -> Touched {
        let mut touched = Touched::NOTHING;
        let mut seen = None;
        for unacked in all {
            if seen.replace(unacked.queue) != Some(unacked.queue) {
                touched.add(self.touched_from(unacked.queue));
            }
        }
        touched
    }

    fn touched_by_end(&self, state: &Channel) -> Touched {
        let mut touched = self.touched_by_all(state.unacked.iter());
        for consumer in state.consumers.values().filter_map(|id| self.consumers.get(*id)) {
            touched.add(self.touched_from(consumer.queue));
        }
        touched
    }

    /// Returns a queue with all that its dead letters may reach.
    fn touched_from(&self, queue: QueueId) -> Touched {
        let mut touched = self.reached_from(queue);
        touched.add(Touched::queue(queue));
        touched
    }

    /// Returns the queues that the dead letters of a queue may reach, whatever their keys are.
    fn reached_from(&self, queue: QueueId) -> Touched {
        let (mut touched, mut queues, mut at) = (Touched::NOTHING, vec![queue], 0);
        while let Some(&queue) = queues.get(at) {
            at += 1;
            let Some(by) = self.queues.get(queue).and_then(|queue| self.dead_letterings.get(queue.dead_lettering?))
            else {
                continue;
            };
            if by.exchange.is_empty() && by.routing_key.is_none() {
                return Touched::ALL;
            }
            let Some(exchange) = self.exchange_id(by.vhost, &by.exchange) else { continue };
            self.lead_from(exchange, by.routing_key.as_deref(), &mut |next| {
                touched.add(Touched::queue(next));
                if !queues.contains(&next) {
                    queues.push(next);
                }
            });
        }
        touched
    }

    /// Walks to all queues that are bound to an exchange, over others and alternates; from the default one by the key.
    fn lead_from(&self, start: ExchangeId, key: Option<&str>, to: &mut dyn FnMut(QueueId)) {
        let (mut exchanges, mut at) = (vec![start], 0);
        while let Some(&id) = exchanges.get(at) {
            at += 1;
            let Some(exchange) = self.exchanges.get(id) else { continue };
            if exchange.declared.name.is_empty() {
                let vhost = self.vhosts.get(exchange.vhost);
                vhost.zip(key).and_then(|(vhost, key)| vhost.queues.get(key)).into_iter().for_each(|queue| to(*queue));
            }
            let alternate = exchange.alternate.as_deref().and_then(|name| self.exchange_id(exchange.vhost, name));
            let bound = exchange.bindings.keys().map(|(destination, _)| *destination);
            for destination in bound.chain(alternate.map(BindingDestination::Exchange)) {
                match destination {
                    BindingDestination::Queue(queue) => to(queue),
                    BindingDestination::Exchange(next) if exchanges.contains(&next) => {}
                    BindingDestination::Exchange(next) => exchanges.push(next),
                }
            }
        }
    }

    /// Walks to the queues that a publish is routed to; behind the first exchange, to all that are bound.
    fn follow(&self, start: ExchangeId, keys: &Keys, to: &mut dyn FnMut(QueueId)) {
        let mut found = Vec::new();
        self.own_destinations(start, keys, &mut found);
        let Some(exchange) = self.exchanges.get(start) else { return };
        if exchange.delays {
            return self.lead_from(start, Some(keys.first), to);
        }
        if found.is_empty()
            && let Some(alternate) =
                exchange.alternate.as_deref().and_then(|name| self.exchange_id(exchange.vhost, name))
        {
            found.push(BindingDestination::Exchange(alternate));
        }
        for destination in found {
            match destination {
                BindingDestination::Queue(queue) => to(queue),
                BindingDestination::Exchange(next) => self.lead_from(next, Some(keys.first), to),
            }
        }
    }

    pub(crate) fn channel(&self, id: ChannelId) -> Option<(ChannelIndex, &Channel)> {
        let index = self.channel_ids.get(id)?;
        Some((index, self.channels.get(index)?))
    }

    /// Returns whether a settlement requeues to a classic queue while a shared limit holds back consumers that could take
    /// another message: its queue may learn of the room first (CO-4).
    pub fn room_may_come_first(&self, command: &Command) -> bool {
        let Command::Settle { channel, tag, multiple, settlement } = command else { return false };
        let returns = matches!(settlement, Settlement::Nack { requeue: true } | Settlement::Reject { requeue: true });
        let Some((_, state)) = self.channel(*channel).filter(|(_, state)| returns && state.global_prefetch > 0) else {
            return false;
        };
        let is_meant = |one: &&Unacked| one.tag == tag.0 || *multiple && (tag.0 == 0 || one.tag <= tag.0);
        let classic = |id: QueueId| self.queues.get(id).is_some_and(|queue| queue.kind == QueueKind::Classic);
        let waits = |id: QueueId| {
            self.queues.get(id).is_some_and(|queue| queue.ready() > 0 && !queue.consumers.blocked.is_empty())
        };
        !state.has_room(QueueKind::Classic)
            && state.unacked.iter().filter(is_meant).any(|one| classic(one.queue))
            && state.consumers.values().filter_map(|id| self.consumers.get(*id)).any(|consumer| waits(consumer.queue))
    }

    /// Lets the room under a shared limit come before the requeue that makes it, or not.
    pub fn let_room_come_first(&mut self, first: bool) {
        self.openings.room_first = first;
    }

    /// Returns whether a subscription would be sent more than its channel writes at once, so that a classic queue passes it
    /// over (CO-24).
    pub fn may_fall_behind(&self, command: &Command) -> bool {
        let Command::Call { channel, method: Method::Consume { queue, no_ack, .. }, .. } = command else {
            return false;
        };
        let Some((_, state)) = self.channel(*channel) else { return false };
        let has_no_limit = state.global_prefetch == 0 && (*no_ack || state.prefetch == 0);
        let queue = self.vhosts.get(state.vhost).and_then(|vhost| vhost.queues.get(queue));
        let queue = queue.and_then(|id| self.queues.get(*id));
        has_no_limit
            && queue.is_some_and(|queue| {
                queue.kind == QueueKind::Classic
                    && queue.ready() > u64::from(UNSENT_MAX)
                    && !queue.consumers.single_active
            })
    }

    /// Lets a channel not keep up until [`Self::catch_up_with_late`].
    pub fn let_fall_behind(&mut self, channel: ChannelId) {
        if let Some(index) = self.channel_ids.get(channel)
            && let Some(state) = self.channels.get_mut(index)
        {
            state.unsent_left = UNSENT_MAX;
        }
    }

    /// Returns what a command touches that changes policies: the queues that are under others then (PO-8).
    pub fn touched_by_policy(&self, command: &Command) -> Touched {
        let Command::Manage { act, .. } = command else { return Touched::NOTHING };
        let mut touched = Touched::NOTHING;
        self.changed_by_policy(act).into_iter().for_each(|queue| touched.add(self.touched_from(queue)));
        touched
    }

    /// Lists the queues that are under other policies after an act.
    pub fn queues_under_other_policies(&self, act: &Management) -> Vec<QueueName> {
        let changed = self.changed_by_policy(act).into_iter();
        changed.filter_map(|id| Some(self.queues.get(id)?.name.clone())).collect()
    }

    fn changed_by_policy(&self, act: &Management) -> Vec<QueueId> {
        match act {
            Management::PutPolicy { policy, operator } => {
                let put = Policy::clone(policy);
                self.queues_changed_by(&policy.vhost, |all, _| all.put(put, *operator))
            }
            Management::ClearPolicy { vhost, name, operator } => self.queues_changed_by(vhost, |all, vhost| {
                all.remove(vhost, name, *operator);
            }),
            _ => Vec::new(),
        }
    }

    /// Lets the next change of policies be kept and not be in force until [`Self::catch_up_with_late`].
    pub fn let_policy_wait(&mut self) {
        self.openings.policy_waits = true;
    }

    /// Brings kept policies into force, and lets all channels keep up.
    pub fn catch_up_with_late(&mut self) {
        self.enforce_changed_policies();
        let behind = self.channels.iter().filter(|(_, state)| state.unsent_left != KEEPS_UP).map(|(id, _)| id);
        for channel in behind.collect::<Vec<_>>() {
            if let Some(state) = self.channels.get_mut(channel) {
                state.unsent_left = KEEPS_UP;
            }
            self.resume_globally(channel);
        }
        self.work_off();
    }

    /// Returns the connection of an open channel.
    pub fn connection_of(&self, channel: ChannelId) -> Option<ConnectionId> {
        self.channel(channel).map(|(_, state)| state.connection)
    }

    /// Returns whether a client is about to hear of something.
    pub fn has_events(&self) -> bool {
        self.events.iter().any(|event| !matches!(event, Event::Told(_) | Event::Counted { .. }))
    }

    /// Returns whether a publish would meet a quorum queue that has told its channel to stop (LEN-9).
    pub fn meets_full_queue(&self, command: &Command) -> bool {
        let Command::Publish { channel, exchange, routing_key, message, .. } = command else { return false };
        let Some((channel, state)) = self.channel(*channel) else { return false };
        let Some(exchange) = self.exchange_id(state.vhost, exchange) else { return false };
        let Ok(further) = CcBcc::read(message.properties.headers.as_ref()) else { return false };
        let properties = &message.properties;
        let keys = Keys {
            first: routing_key,
            further: &further,
            headers: properties.headers.as_ref(),
            properties: Some(properties),
            every: true,
        };
        let mut full = false;
        self.follow(exchange, &keys, &mut |queue| {
            let Some(queue) = self.queues.get(queue) else { return };
            if let QueueContents::Quorum(quorum) = &queue.contents {
                full |= quorum.would_refuse(Publisher::Channel(channel), is_refusing(queue), self.turn + 1);
            }
        });
        full
    }

    /// Lets a channel not hear yet that a queue is full: so many more of its publishes get in.
    pub fn let_in_unheard(&mut self, channel: ChannelId, more: u32) {
        self.openings.unheard = self.channel(channel).map(|(index, _)| (index, more));
    }

    /// Returns whether a refusal has not reached its channel yet, and counts that publish.
    pub(crate) fn is_unheard(&mut self, publisher: ChannelIndex) -> bool {
        match &mut self.openings.unheard {
            Some((channel, more)) if *channel == publisher && *more > 0 => {
                *more -= 1;
                true
            }
            _ => false,
        }
    }

    /// Returns whether a settlement brings back so many that their order is chance (CO-10).
    pub fn returns_in_no_order(&self, command: &Command) -> bool {
        let Command::Settle { channel, tag, multiple: true, settlement } = command else { return false };
        let Some(max) = self.rules.returns_in_order_max else { return false };
        let returns = matches!(settlement, Settlement::Nack { requeue: true } | Settlement::Reject { requeue: true });
        let Some((_, state)) = self.channel(*channel).filter(|_| returns) else { return false };
        let meant = state.unacked.iter().filter(|one| tag.0 == 0 || one.tag <= tag.0);
        meant.filter(|one| self.keeps_no_order(one.queue)).count() > max
    }

    /// Returns whether a settlement on its own brings a delivery back to a queue that keeps no order of many (CO-10).
    pub fn returns_one_of_many(&self, command: &Command) -> bool {
        let Command::Settle { channel, tag, multiple: false, settlement } = command else { return false };
        let returns = matches!(settlement, Settlement::Nack { requeue: true } | Settlement::Reject { requeue: true });
        if !returns || self.rules.returns_in_order_max.is_none() {
            return false;
        }
        let Some((_, state)) = self.channel(*channel) else { return false };
        state.unacked.iter().any(|one| one.tag == tag.0 && self.keeps_no_order(one.queue))
    }

    fn keeps_no_order(&self, id: QueueId) -> bool {
        let limited = |queue: &&crate::sim::state::queue::Queue| {
            queue.kind == QueueKind::Quorum && queue.settings.delivery_limit.is_some()
        };
        self.queues.get(id).filter(limited).is_some()
    }

    /// Lets many returns of the next settlement come back in another order.
    pub fn shuffle_returns(&mut self, order: Option<u64>) {
        self.openings.order = order;
    }

    /// Puts returned entries into the order that was chosen for them.
    pub(crate) fn in_open_order(&self, mut entries: Vec<QueuedMessage>) -> Vec<QueuedMessage> {
        if let Some(seed) = self.openings.order {
            shuffle(&mut entries, seed);
        }
        entries
    }
}

/// Puts things into an order that a number decides.
pub(crate) fn shuffle<T>(all: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..all.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        all.swap(last, (mixed % (last as u64 + 1)) as usize);
    }
}
