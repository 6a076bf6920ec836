//! Which queues the publishes of a run may have come to, by what the scenario declares: the same on every kind of broker.
//! Takes each publish; follows bindings, alternate exchanges and dead letters. Never asks a broker, never forgets a queue.

use crate::model::{
    Act, Binding, DestinationKind, Exchange, Message, Name, Policy, Queue, QueueName, Scenario, Table, Value,
};
use crate::rules::{Pattern, headers_match, topic_matches};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many different publishes are remembered as followed already.
const FOLLOWED_MAX: usize = 4_096;

/// What routes where, as declared, and the queues that were reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reach {
    exchanges: Arc<BTreeMap<QueueName, DeclaredExchange>>,
    queues: Arc<BTreeMap<QueueName, Vec<DeadLetterTarget>>>,
    /// An exchange looks at headers, further keys aside.
    by_headers: bool,
    reached: Arc<BTreeSet<QueueName>>,
    /// Publishes that were followed, without headers that may lead them elsewhere.
    followed: Arc<BTreeSet<(QueueName, Name)>>,
}

/// An exchange with what is bound to it.
#[derive(Debug, Clone, Default)]
struct DeclaredExchange {
    kind: Name,
    alternates: Vec<Name>,
    bindings: Vec<Binding>,
}

impl DeclaredExchange {
    /// Returns its type: as declared, or of the name that every broker has.
    fn kind<'k>(&'k self, name: &'k str) -> &'k str {
        if self.kind.is_empty() { predeclared_kind(name) } else { &self.kind }
    }
}

/// A dead-letter exchange, with the key that replaces a message's own.
#[derive(Debug, Clone)]
struct DeadLetterTarget {
    exchange: Name,
    routing_key: Option<Name>,
}

impl Reach {
    /// Reads all that the topology and the steps declare.
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let acts = || scenario.all_steps().map(|step| &step.act);
        let topology = &scenario.topology;
        let set = acts().filter_map(Act::policy_set);
        let policies: Vec<&Policy> = topology.policies.iter().chain(&topology.operator_policies).chain(set).collect();
        let mut reach = Self::default();
        let declared = acts().filter_map(|act| match act {
            Act::DeclareExchange(exchange) => Some(&**exchange),
            _ => None,
        });
        for exchange in topology.exchanges.iter().chain(declared) {
            reach.add_exchange(exchange, &policies);
        }
        for queue in scenario.declared_queues() {
            Arc::make_mut(&mut reach.queues).insert(queue.id(), dead_letter_targets(queue, &policies));
        }
        let bound = acts().filter_map(|act| if let Act::Bind(binding) = act { Some(&**binding) } else { None });
        for binding in topology.bindings.iter().chain(bound) {
            let source = QueueName::new(binding.vhost.clone(), binding.source.clone());
            Arc::make_mut(&mut reach.exchanges).entry(source).or_default().bindings.push(binding.clone());
        }
        reach.by_headers = reach.exchanges.iter().any(|(name, router)| router.kind(&name.name) == "headers");
        reach
    }

    fn add_exchange(&mut self, exchange: &Exchange, policies: &[&Policy]) {
        let own = exchange.arguments.get("alternate-exchange").and_then(Value::as_text).map(Name::from);
        let by_policy = texts_of(policies, &exchange.vhost, &exchange.name, "alternate-exchange");
        let kind = match exchange.arguments.get("x-delayed-type").and_then(Value::as_text) {
            Some(kind) => kind.into(),
            None => exchange.kind.clone(),
        };
        let name = QueueName::new(exchange.vhost.clone(), exchange.name.clone());
        let router = Arc::make_mut(&mut self.exchanges).entry(name).or_default();
        router.kind = kind;
        router.alternates.extend(own.into_iter().chain(by_policy));
    }

    /// Follows a publish.
    pub(crate) fn published(&mut self, vhost: &Name, exchange: &Name, routing_key: &Name, message: &Message) {
        if self.reached.len() == self.queues.len() {
            return;
        }
        let headers = message.properties.headers.as_ref().filter(|headers| {
            let has_further_keys = || ["CC", "BCC"].iter().any(|key| headers.contains_key(key));
            !headers.is_empty() && (self.by_headers || has_further_keys())
        });
        let target = (QueueName::new(vhost.clone(), exchange.clone()), routing_key.clone());
        if headers.is_none() {
            if self.followed.contains(&target) {
                return;
            }
            if self.followed.len() < FOLLOWED_MAX {
                Arc::make_mut(&mut self.followed).insert(target);
            }
        }
        let further = ["CC", "BCC"].iter().flat_map(|key| keys_in(headers, key));
        let keys = further.chain([routing_key.clone()]);
        let mut left: Vec<(Name, Name)> = keys.map(|key| (exchange.clone(), key)).collect();
        let mut seen: BTreeSet<(Name, Name)> = left.iter().cloned().collect();
        while let Some((exchange, key)) = left.pop() {
            for next in self.step(vhost, exchange, &key, headers) {
                if seen.insert(next.clone()) {
                    left.push(next);
                }
            }
        }
    }

    /// Notes the queues behind an exchange; returns where messages may go on from there.
    fn step(&mut self, vhost: &Name, exchange: Name, key: &Name, headers: Option<&Table>) -> Vec<(Name, Name)> {
        let mut next = Vec::new();
        let (mut queues, mut exchanges) = (Vec::new(), Vec::new());
        if exchange.is_empty() {
            queues.push(key.clone());
        } else if let Some(router) = self.exchanges.get(&QueueName::new(vhost.clone(), exchange.clone())) {
            let kind = router.kind(&exchange);
            for binding in router.bindings.iter().filter(|binding| may_match(kind, binding, key, headers)) {
                match binding.destination_kind {
                    DestinationKind::Queue => queues.push(binding.destination.clone()),
                    DestinationKind::Exchange => exchanges.push(binding.destination.clone()),
                }
            }
            if queues.is_empty() && exchanges.is_empty() {
                exchanges.extend(router.alternates.iter().cloned());
            }
        }
        next.extend(exchanges.into_iter().map(|exchange| (exchange, key.clone())));
        for queue in queues {
            let queue = QueueName::new(vhost.clone(), queue);
            let Some(targets) = self.queues.get(&queue) else { continue };
            next.extend(
                targets
                    .iter()
                    .map(|target| (target.exchange.clone(), target.routing_key.clone().unwrap_or_else(|| key.clone()))),
            );
            if !self.reached.contains(&queue) {
                Arc::make_mut(&mut self.reached).insert(queue);
            }
        }
        next
    }

    /// Returns the queues that were reached.
    pub(crate) fn reached(&self) -> &BTreeSet<QueueName> {
        &self.reached
    }
}

/// Lists where dead letters of a queue may go: by its arguments, and by each policy that may catch it.
fn dead_letter_targets(queue: &Queue, policies: &[&Policy]) -> Vec<DeadLetterTarget> {
    let argument = |key: &str| queue.arguments.get(key).and_then(Value::as_text).map(Name::from);
    let one = |key: &str, argument_key: &str| -> Vec<Name> {
        argument(argument_key).into_iter().chain(texts_of(policies, &queue.vhost, &queue.name, key)).collect()
    };
    let exchanges = one("dead-letter-exchange", "x-dead-letter-exchange");
    let mut keys: Vec<Option<Name>> =
        one("dead-letter-routing-key", "x-dead-letter-routing-key").into_iter().map(Some).collect();
    if keys.is_empty() {
        keys.push(None);
    }
    let pairs = exchanges.iter().flat_map(|exchange| keys.iter().map(move |key| (exchange, key)));
    pairs.map(|(exchange, key)| DeadLetterTarget { exchange: exchange.clone(), routing_key: key.clone() }).collect()
}

/// Lists the texts that policies may set for an object.
fn texts_of(policies: &[&Policy], vhost: &Name, name: &Name, key: &str) -> Vec<Name> {
    let fits = |policy: &&&Policy| {
        policy.vhost == *vhost && Pattern::new(&policy.pattern, false).is_ok_and(|pattern| pattern.matches(name))
    };
    policies.iter().filter(fits).filter_map(|policy| policy.definition.get(key)?.as_str().map(Name::from)).collect()
}

/// Lists the further keys that a header holds.
fn keys_in(headers: Option<&Table>, key: &str) -> Vec<Name> {
    match headers.and_then(|headers| headers.get(key)) {
        Some(Value::Array(keys)) => keys.iter().filter_map(|key| Some(key.as_text()?.into())).collect(),
        _ => Vec::new(),
    }
}

fn predeclared_kind(exchange: &str) -> &str {
    match exchange.strip_prefix("amq.") {
        Some("match") => "headers",
        Some(kind) => kind,
        None => "",
    }
}

/// Returns whether a binding may take a message; types that choose by more than key and headers may take any.
fn may_match(kind: &str, binding: &Binding, key: &Name, headers: Option<&Table>) -> bool {
    match kind {
        "direct" => binding.routing_key == *key,
        "topic" => topic_matches(&binding.routing_key, key),
        "headers" => headers_match(&binding.arguments, headers, false),
        _ => true,
    }
}
