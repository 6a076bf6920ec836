//! What is in force on a queue or an exchange, and where it comes from: own arguments, policies, the version, the vhost.
//! Takes a topology and a version; gives settings with their sources, and the policies that are not in force. The values
//! are those of `rules`.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::foresee::topology_view::{QueueView, TopologyView};
use crate::model::{Exchange, Name, Policy, Queue, QueueKind};
use crate::rules::{Differences, Pattern, applies_to_exchange, applies_to_queue, policy_holds_for_stream};
use serde_json::Value as Json;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingSource {
    Argument,
    Policy(Name),
    OperatorPolicy(Name),
    /// The default queue type of the vhost.
    VhostDefault,
    VersionDefault,
}

/// One setting in force.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectiveSetting {
    pub key: String,
    pub value: Json,
    pub from: SettingSource,
    /// The values that did not come into force.
    pub others: Vec<(SettingSource, Json)>,
}

/// Why a policy whose pattern finds the name is not in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotInForce {
    /// Another one of a higher priority wins.
    Loses {
        to: Name,
        priority: i64,
    },
    /// Another one has the same priority: it is the first by name where the version takes that, else it is chance which
    /// of them holds, and the other one is assumed (PO-1).
    Tied {
        with: Name,
        by_chance: bool,
    },
    ApplyTo,
    /// The type of the queue does not know this key.
    Key(String),
}

/// A policy that is not in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedPolicy {
    pub name: Name,
    pub priority: i64,
    pub operator: bool,
    pub why: NotInForce,
}

/// What is in force on one object.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectiveObject {
    pub vhost: Name,
    pub name: Name,
    /// The type of a queue or exchange, and what makes it so.
    pub kind: String,
    pub kind_from: SettingSource,
    pub is_queue: bool,
    pub settings: Vec<EffectiveSetting>,
    pub passed: Vec<PassedPolicy>,
}

/// Lists what is in force on each object of that name, or on all, by the newest version of a view.
pub fn effective(view: &TopologyView<'_>, name: Option<&str>) -> Vec<EffectiveObject> {
    let is_asked = |known: &str| name.is_none_or(|name| name == known);
    let queues = view.queues.iter().filter(|queue| is_asked(queue.name())).map(|queue| of_queue(queue, view));
    let exchanges = view.topology.exchanges.iter().filter(|exchange| is_asked(&exchange.name));
    queues.chain(exchanges.map(|exchange| of_exchange(exchange, view))).collect()
}

/// Lists what is in force on a queue.
pub(in crate::foresee) fn of_queue(queue: &QueueView<'_>, view: &TopologyView<'_>) -> EffectiveObject {
    let user = queue.in_force.user.map(|policy| (SettingSource::Policy(policy.name.clone()), policy));
    let operator = queue.in_force.operator.map(|policy| (SettingSource::OperatorPolicy(policy.name.clone()), policy));
    let mut keys: Vec<String> = Vec::new();
    let own = queue.queue.arguments.keys().filter(|key| &***key != "x-queue-type");
    keys.extend(own.map(|key| key.strip_prefix("x-").unwrap_or(key).to_owned()));
    for (_, policy) in user.iter().chain(&operator) {
        keys.extend(policy.definition.keys().filter(|key| *key != "alternate-exchange").cloned());
    }
    keys.sort();
    keys.dedup();
    let mut settings = Vec::new();
    for key in keys {
        let own = queue.queue.arguments.get(&format!("x-{key}")).or_else(|| queue.queue.arguments.get(&key));
        let own = own.map(|value| (SettingSource::Argument, value.to_json()));
        let of = |held: &Option<(SettingSource, &Policy)>| {
            held.as_ref().and_then(|(from, policy)| Some((from.clone(), policy.definition.get(&key)?.clone())))
        };
        let candidates: Vec<(SettingSource, Json)> = own.into_iter().chain(of(&user)).chain(of(&operator)).collect();
        settings.extend(setting(queue, key, candidates));
    }
    if queue.kind == QueueKind::Quorum && !settings.iter().any(|setting| setting.key == "delivery-limit") {
        let limit = queue.settings.delivery_limit.map(|limit| EffectiveSetting {
            key: "delivery-limit".to_owned(),
            value: limit.into(),
            from: SettingSource::VersionDefault,
            others: Vec::new(),
        });
        settings.extend(limit);
    }
    EffectiveObject {
        vhost: queue.queue.vhost.clone(),
        name: queue.queue.name.clone(),
        kind: queue.kind.as_str().to_owned(),
        kind_from: kind_source(queue.queue, queue.kind),
        is_queue: true,
        settings,
        passed: passed_by_queue(queue, view),
    }
}

fn kind_source(queue: &Queue, kind: QueueKind) -> SettingSource {
    match queue.arguments.contains_key("x-queue-type") {
        true => SettingSource::Argument,
        false if kind == QueueKind::Classic => SettingSource::VersionDefault,
        false => SettingSource::VhostDefault,
    }
}

/// Finds out which of the candidates is in force: the one that the rules came to.
fn setting(queue: &QueueView<'_>, key: String, candidates: Vec<(SettingSource, Json)>) -> Option<EffectiveSetting> {
    let of_policy = || policy_value(&candidates).filter(|_| policy_holds_for_stream(&key));
    let by_rules = match queue.kind {
        QueueKind::Stream => of_policy().map(Some),
        _ => value_in_force(queue, &key),
    };
    let value = by_rules.unwrap_or_else(|| candidates.first().map(|(_, value)| value.clone()));
    // What the rules come to without any of the candidates is their own reading: an overflow that is not known, no limit.
    let value = value.unwrap_or(Json::Null);
    let at = candidates.iter().position(|(_, candidate)| *candidate == value);
    let mut others = candidates;
    let from = match at {
        Some(at) => others.remove(at).0,
        None => SettingSource::VersionDefault,
    };
    Some(EffectiveSetting { key, value, from, others })
}

/// Returns what policy and operator policy give together: the smaller of two numbers, else the operator's.
fn policy_value(candidates: &[(SettingSource, Json)]) -> Option<Json> {
    let given = candidates.iter().filter(|(from, _)| *from != SettingSource::Argument).map(|(_, value)| value);
    let given: Vec<&Json> = given.collect();
    let smallest = given.iter().filter_map(|value| value.as_u64()).min().filter(|_| given.iter().all(|it| it.is_u64()));
    smallest.map(Json::from).or_else(|| given.last().map(|value| (*value).clone()))
}

/// Returns what the rules make of a key; the outer `None` for keys whose own argument comes first without a rule.
fn value_in_force(queue: &QueueView<'_>, key: &str) -> Option<Option<Json>> {
    let settings = &queue.settings;
    let number = |value: Option<u64>| Some(value.map(Json::from));
    let name = |value: &Option<Name>| Some(value.as_ref().map(|name| Json::from(name.as_str())));
    match key {
        "message-ttl" => number(settings.message_ttl_ms),
        "expires" => number(settings.expires_ms),
        "max-length" => number(settings.max_length),
        "max-length-bytes" => number(settings.max_length_bytes),
        "consumer-timeout" => number(settings.consumer_timeout_ms),
        "delivery-limit" => Some(settings.delivery_limit.map(Json::from)),
        "dead-letter-exchange" => name(&settings.dead_letter_exchange),
        "dead-letter-routing-key" => name(&settings.dead_letter_routing_key),
        "overflow" => Some(Some(Json::from(match settings.overflow {
            crate::rules::Overflow::DropHead => "drop-head",
            crate::rules::Overflow::RejectPublish => "reject-publish",
            crate::rules::Overflow::RejectPublishDlx => "reject-publish-dlx",
        }))),
        _ => None,
    }
}

/// Lists what is in force on an exchange.
pub(in crate::foresee) fn of_exchange(exchange: &Exchange, view: &TopologyView<'_>) -> EffectiveObject {
    let in_force = view.newest().policies.on_exchange(&exchange.vhost, &exchange.name);
    let mut settings: Vec<EffectiveSetting> = exchange
        .arguments
        .iter()
        .map(|(key, value)| EffectiveSetting {
            key: key.to_string(),
            value: value.to_json(),
            from: SettingSource::Argument,
            others: Vec::new(),
        })
        .collect();
    for (key, value) in in_force.into_iter().flat_map(|policy| &policy.definition) {
        let is_heeded = key == "alternate-exchange" || key.starts_with("federation");
        let from = SettingSource::Policy(in_force.map(|policy| policy.name.clone()).unwrap_or_default());
        match settings.iter_mut().find(|setting| setting.key == *key) {
            Some(own) => own.others.push((from, value.clone())),
            None if is_heeded => {
                settings.push(EffectiveSetting { key: key.clone(), value: value.clone(), from, others: Vec::new() });
            }
            None => {}
        }
    }
    let winner = in_force.map(|policy| (policy.name.clone(), policy.priority));
    let finding = |policy: &&Policy| policy.vhost == exchange.vhost && finds(policy, &exchange.name);
    let lost = view.topology.policies.iter().filter(finding).filter(|policy| {
        applies_to_exchange(policy.apply_to) && winner.as_ref().is_some_and(|(name, _)| *name != policy.name)
    });
    let passed = lost.map(|policy| passed(policy, false, loses(policy, &winner, view.newest().rules))).collect();
    EffectiveObject {
        vhost: exchange.vhost.clone(),
        name: exchange.name.clone(),
        kind: exchange.kind.to_string(),
        kind_from: SettingSource::Argument,
        is_queue: false,
        settings,
        passed,
    }
}

fn finds(policy: &Policy, name: &str) -> bool {
    Pattern::new(&policy.pattern, false).is_ok_and(|pattern| pattern.matches(name))
}

/// Says why a policy is not in force where another one is.
fn loses(policy: &Policy, winner: &Option<(Name, i64)>, rules: &Differences) -> NotInForce {
    let (to, priority) = winner.clone().unwrap_or_default();
    match priority == policy.priority {
        true => NotInForce::Tied { with: to, by_chance: !rules.tie_takes_first },
        false => NotInForce::Loses { to, priority },
    }
}

fn passed(policy: &Policy, operator: bool, why: NotInForce) -> PassedPolicy {
    PassedPolicy { name: policy.name.clone(), priority: policy.priority, operator, why }
}

/// Lists the policies whose pattern finds a queue and that are not in force there.
fn passed_by_queue(queue: &QueueView<'_>, view: &TopologyView<'_>) -> Vec<PassedPolicy> {
    let rules = view.newest().rules;
    let lists = [
        (&view.topology.policies, false, queue.in_force.user),
        (&view.topology.operator_policies, true, queue.in_force.operator),
    ];
    let mut all = Vec::new();
    for (list, operator, winner) in lists {
        let winner = winner.map(|policy| (policy.name.clone(), policy.priority));
        for policy in list.iter().filter(|policy| policy.vhost == queue.queue.vhost && finds(policy, queue.name())) {
            let hinders = |key: &&String| {
                let alone = [((*key).clone(), policy.definition[*key].clone())].into_iter().collect();
                !applies_to_queue(crate::model::ApplyTo::All, &alone, queue.kind, rules)
            };
            let why = match policy.definition.keys().find(hinders) {
                _ if winner.as_ref().is_some_and(|(name, _)| *name == policy.name) => continue,
                _ if !policy.apply_to.covers(queue.kind) => NotInForce::ApplyTo,
                Some(key) => NotInForce::Key(key.clone()),
                None => loses(policy, &winner, rules),
            };
            all.push(passed(policy, operator, why));
        }
    }
    all
}
