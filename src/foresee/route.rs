//! Where a message goes, and what becomes of it then: by which bindings, and after expiry, rejection and limits.
//! Takes a topology's view and what is published; gives a tree. The ways are those of the simulator, the settings those of
//! `rules`.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::RouteHop;
use crate::foresee::topology_view::{QueueView, TopologyView};
use crate::model::{Millis, Name, QueueKind, Table};
use crate::rules::{
    Access, Overflow, Pattern, access_refused, expand_topic_pattern, shown_exchange, topic_access_refused,
};
use std::collections::BTreeSet;

/// How many dead-letter hops are followed.
const HOPS_MAX: usize = 12;

/// How many queues a tree holds; behind them nothing is followed.
const QUEUES_MAX: usize = 2_000;

/// What is published, and by whom.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedRoute<'a> {
    pub vhost: &'a str,
    pub exchange: &'a str,
    pub key: &'a str,
    pub headers: Option<&'a Table>,
    pub user: Option<&'a str>,
}

/// A queue that a message comes to, and what may happen to it there.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutedQueue {
    pub queue: Name,
    pub kind: QueueKind,
    /// Empty where the default exchange names the queue.
    pub way: Vec<RouteHop>,
    /// The exchanges of the way whose type is of a plugin, with that type: where they send a message is not known.
    pub plugins: Vec<(Name, String)>,
    pub fates: Vec<RouteFate>,
    /// What becomes of it with that key stands where the queue was named before.
    pub is_told: bool,
}

/// Why a message leaves a queue without being acked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FateCause {
    Expired(Millis),
    Rejected,
    /// The oldest one, when the queue is over its limit.
    OverLimit,
    /// The new one, when the queue is full.
    Refused,
    /// It came back more often than this (CO-13).
    DeliveryLimit(i64),
}

/// What becomes of a message that leaves.
#[derive(Debug, Clone, PartialEq)]
pub enum FateEnd {
    /// The queue dead-letters nowhere.
    Dropped,
    /// The publisher gets a nack.
    Nacked,
    /// There is no such exchange.
    NoExchange(Name),
    /// The exchange leads to no queue by that key.
    NoQueue(Name, Name),
    /// It goes on through an exchange with a key.
    DeadLettered(Name, Name, Vec<RoutedQueue>),
    /// It comes to a queue where it was before.
    Round(Name),
    /// What becomes of it by another cause of the same queue, by its place: a chain of queues would double with each.
    Same(usize),
}

/// One thing that can happen in a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteFate {
    pub cause: FateCause,
    pub end: FateEnd,
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Routed {
    /// RabbitMQ refuses the publish, in these words.
    Refused(String),
    /// RabbitMQ refuses it to everybody, and what comes by another exchange or as a dead letter goes there.
    Internal(String, Vec<RoutedQueue>),
    To(Vec<RoutedQueue>),
}

/// Follows a message; `None` when there is no such exchange.
pub fn route<'v>(view: &'v TopologyView<'v>, asked: &AskedRoute<'v>) -> Option<Routed> {
    view.exchange_kind(asked.vhost, asked.exchange)?;
    if let Some(refusal) = asked.user.and_then(|user| refusal(view, asked, user)) {
        return Some(Routed::Refused(refusal));
    }
    let (vhost, headers) = (asked.vhost, asked.headers);
    let mut walk = Walk { view, vhost, headers, before: Vec::new(), told: BTreeSet::new(), left: QUEUES_MAX };
    let queues = walk.follow(asked.exchange, asked.key);
    Some(match is_internal(view, asked) {
        true => Routed::Internal(internal_refusal(asked), queues),
        false => Routed::To(queues),
    })
}

/// Returns whether nobody may publish to the exchange (PE-3).
fn is_internal(view: &TopologyView<'_>, asked: &AskedRoute<'_>) -> bool {
    let declared = view.exchanges.get(&(asked.vhost, asked.exchange));
    declared.is_some_and(|exchange| exchange.internal)
        || matches!(asked.exchange, "amq.rabbitmq.trace" | "amq.rabbitmq.event")
}

fn internal_refusal(asked: &AskedRoute<'_>) -> String {
    let resource = shown_exchange(asked.vhost, asked.exchange);
    format!("403 ACCESS_REFUSED - cannot publish to internal {resource}")
}

/// Lists why a queue may give a message up that nobody acks.
pub(in crate::foresee) fn causes_of(queue: &QueueView<'_>) -> Vec<FateCause> {
    let settings = &queue.settings;
    let mut causes: Vec<FateCause> = Vec::new();
    causes.extend(settings.message_ttl_ms.map(|ttl| FateCause::Expired(Millis(ttl))));
    causes.push(FateCause::Rejected);
    causes.extend(settings.delivery_limit.map(FateCause::DeliveryLimit));
    if settings.max_length.is_some() || settings.max_length_bytes.is_some() {
        causes.push(match settings.overflow {
            Overflow::DropHead => FateCause::OverLimit,
            Overflow::RejectPublish | Overflow::RejectPublishDlx => FateCause::Refused,
        });
    }
    causes
}

/// Returns the 403 that a user gets (PE-3, PE-7).
fn refusal(view: &TopologyView<'_>, asked: &AskedRoute<'_>, user: &str) -> Option<String> {
    let rules = view.newest().rules;
    let shown = if asked.exchange.is_empty() { "amq.default" } else { asked.exchange };
    let resource = shown_exchange(asked.vhost, shown);
    let topology = view.topology;
    let permission = topology.permissions.iter().find(|it| &*it.user == user && &*it.vhost == asked.vhost);
    let may =
        |pattern: &str, name: &str| Pattern::permission(pattern, false).is_ok_and(|pattern| pattern.matches(name));
    if !permission.is_some_and(|permission| may(&permission.write, shown)) {
        return Some(format!("403 ACCESS_REFUSED - {}", access_refused(rules, Access::Write, &resource, user)));
    }
    if is_internal(view, asked) {
        return None;
    }
    let of_exchange = |it: &&crate::model::TopicPermission| {
        &*it.user == user && &*it.vhost == asked.vhost && &*it.exchange == asked.exchange
    };
    let topic = topology.topic_permissions.iter().find(of_exchange)?;
    let is_topic = view.exchange_kind(asked.vhost, asked.exchange) == Some("topic");
    let pattern = expand_topic_pattern(&topic.write, user, asked.vhost);
    (is_topic && !may(&pattern, asked.key)).then(|| {
        let why = topic_access_refused(rules, Access::Write, asked.key, asked.exchange, asked.vhost, user);
        format!("403 ACCESS_REFUSED - {why}")
    })
}

/// A walk along bindings and dead letters.
struct Walk<'v> {
    view: &'v TopologyView<'v>,
    vhost: &'v str,
    headers: Option<&'v Table>,
    /// The queues that the message was in.
    before: Vec<Name>,
    /// Queues with the key of the message, once they are followed: what is bound to each other has endless ways.
    told: BTreeSet<(Name, Name)>,
    /// How many queues may still be looked at.
    left: usize,
}

impl Walk<'_> {
    fn follow(&mut self, exchange: &str, key: &str) -> Vec<RoutedQueue> {
        let mut ways = self.view.broker.ways(self.vhost, exchange, key, self.headers).unwrap_or_default();
        ways.sort_by(|a, b| a.0.cmp(&b.0));
        let mut queues: Vec<RoutedQueue> = Vec::new();
        for (queue, way) in ways {
            let Some(found) = self.view.queue(self.vhost, &queue) else { continue };
            let kind = found.kind;
            let comes_back = self.before.contains(&queue);
            let is_told = !comes_back && self.told.contains(&(queue.clone(), key.into()));
            let goes_on = !comes_back && !is_told && self.before.len() < HOPS_MAX && self.left > 0;
            let mut fates = Vec::new();
            if goes_on {
                self.left -= 1;
                self.told.insert((queue.clone(), key.into()));
                self.before.push(queue.clone());
                fates = self.fates(&queue, key);
                self.before.pop();
            }
            let plugins = self.plugins(&way);
            queues.push(RoutedQueue { queue, kind, way, plugins, fates, is_told });
        }
        queues
    }

    /// Lists the exchanges of a way whose type RabbitMQ's core does not have.
    fn plugins(&self, way: &[RouteHop]) -> Vec<(Name, String)> {
        let of_core = ["direct", "fanout", "topic", "headers"];
        let kinds = way.iter().filter_map(|hop| Some((hop, self.view.exchange_kind(self.vhost, &hop.exchange)?)));
        kinds
            .filter(|(_, kind)| !of_core.contains(kind))
            .map(|(hop, kind)| (hop.exchange.clone(), kind.to_owned()))
            .collect()
    }

    fn fates(&mut self, queue: &Name, key: &str) -> Vec<RouteFate> {
        let Some(found) = self.view.queue(self.vhost, queue) else { return Vec::new() };
        if found.kind == QueueKind::Stream {
            return Vec::new();
        }
        let settings = &found.settings;
        let causes = causes_of(found);
        let nacked = settings.overflow == Overflow::RejectPublish;
        let end = match settings.dead_letter_exchange.clone() {
            None => FateEnd::Dropped,
            Some(exchange) => {
                let own = settings.dead_letter_routing_key.clone();
                self.dead_lettered(&exchange, own.as_deref().unwrap_or(key))
            }
        };
        let (mut end, mut first) = (Some(end), 0);
        let of_cause = |(at, cause): (usize, FateCause)| {
            let end = match end.take() {
                Some(untold) if cause == FateCause::Refused && nacked => {
                    end = Some(untold);
                    FateEnd::Nacked
                }
                None if cause == FateCause::Refused && nacked => FateEnd::Nacked,
                Some(untold) => {
                    first = at;
                    untold
                }
                None => FateEnd::Same(first),
            };
            RouteFate { cause, end }
        };
        causes.into_iter().enumerate().map(of_cause).collect()
    }

    fn dead_lettered(&mut self, exchange: &Name, key: &str) -> FateEnd {
        if self.view.exchange_kind(self.vhost, exchange).is_none() {
            return FateEnd::NoExchange(exchange.clone());
        }
        let queues = self.follow(exchange, key);
        match queues.as_slice() {
            [] => FateEnd::NoQueue(exchange.clone(), key.into()),
            [one] if self.before.contains(&one.queue) => FateEnd::Round(one.queue.clone()),
            _ => FateEnd::DeadLettered(exchange.clone(), key.into(), queues),
        }
    }
}
