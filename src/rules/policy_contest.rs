//! Which policies and arguments lose on a queue, and to what (PO-1 to PO-3, PO-6, PO-7, DL-6, LEN-4, EXP-4, CO-13).
//! Takes a queue and all policies of its broker; returns what does not hold though it is meant for the queue. Writes no word.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{ApplyTo, Name, Policy, Queue, QueueKind, QueueName};
use crate::rules::policy::unsupported_keys;
use crate::rules::{Differences, Pattern};
use serde_json::Value as Json;

/// What competes for one queue.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyContest {
    pub queue: QueueName,
    /// All whose pattern finds the queue: user policies, then operator policies.
    pub policies: Vec<PolicyStanding>,
    /// Settings that several set, to different values.
    pub settings: Vec<SettingContest>,
}

/// A policy whose pattern finds a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyStanding {
    pub name: Name,
    pub operator: bool,
    pub priority: i64,
    pub definition: Vec<(String, Json)>,
    pub fate: PolicyFate,
}

/// Whether a policy holds, and if not, why.
#[derive(Debug, Clone, PartialEq)]
pub enum PolicyFate {
    InForce,
    /// One of a higher priority holds (PO-1).
    Outranked {
        by: Name,
    },
    /// One of the same priority holds: the version takes the first by name, or any, and the last is assumed (PO-1).
    Tied {
        by: Name,
        first: bool,
    },
    /// It has keys that the queue's type does not support (PO-2).
    Unsupported {
        keys: Vec<String>,
        kind: QueueKind,
    },
    /// Its `apply-to` means others (PO-7).
    NotMeant {
        apply_to: ApplyTo,
    },
}

/// One setting that an argument, the policy and the operator policy set to different values.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingContest {
    /// As policies name it.
    pub key: String,
    pub winner: (SetBy, Json),
    pub losers: Vec<(SetBy, Json, Precedence)>,
}

/// What sets a value on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetBy {
    Argument,
    Policy(Name),
    OperatorPolicy(Name),
}

/// Why one of two values holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precedence {
    Smaller,
    Larger,
    ArgumentFirst,
    PolicyFirst,
    OperatorFirst,
}

impl PolicyContest {
    /// Compares all policies of a broker, and the arguments of a queue.
    pub fn on_queue<'p>(
        queue: &Queue,
        user: impl IntoIterator<Item = &'p Policy>,
        operator: impl IntoIterator<Item = &'p Policy>,
        differences: &Differences,
    ) -> Self {
        let kind = queue.kind();
        let standings = |policies: Vec<&'p Policy>, operator| standings(queue, kind, policies, operator, differences);
        let (user, by_user) = standings(user.into_iter().collect(), false);
        let (operator, by_operator) = standings(operator.into_iter().collect(), true);
        let settings = settings(queue, kind, user, operator, differences);
        Self { queue: queue.id(), policies: by_user.into_iter().chain(by_operator).collect(), settings }
    }

    /// Returns whether something loses.
    pub fn has_losers(&self) -> bool {
        !self.settings.is_empty() || self.policies.iter().any(|one| one.fate != PolicyFate::InForce)
    }
}

impl SettingContest {
    /// Returns the rule that decides (PO-6 where the setting has none of its own).
    pub fn rule(&self) -> &'static str {
        let by_policies = |(by, ..): &(SetBy, Json, Precedence)| *by != SetBy::Argument;
        if self.winner.0 != SetBy::Argument && self.losers.iter().all(by_policies) {
            return "PO-6";
        }
        match &*self.key {
            "overflow" => "LEN-4",
            "dead-letter-exchange" | "dead-letter-routing-key" => "DL-6",
            "expires" => "EXP-4",
            "delivery-limit" => "CO-13",
            "delayed-retry-type" | "delayed-retry-min" | "delayed-retry-max" => "QQ-43-6",
            _ => "PO-6",
        }
    }
}

/// Finds the policy that holds among those of one kind, and says of each other why it does not.
fn standings<'p>(
    queue: &Queue,
    kind: QueueKind,
    policies: Vec<&'p Policy>,
    operator: bool,
    differences: &Differences,
) -> (Option<&'p Policy>, Vec<PolicyStanding>) {
    let finds = |policy: &&Policy| {
        let pattern = || Pattern::new(&policy.pattern, differences.long_regex_text);
        policy.vhost == queue.vhost && pattern().is_ok_and(|pattern| pattern.matches(&queue.name))
    };
    let mut found: Vec<&Policy> = policies.into_iter().filter(finds).collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    let unsupported = |policy: &Policy| unsupported_keys(&policy.definition, kind, differences);
    let able = found.iter().filter(|policy| policy.apply_to.covers(kind) && unsupported(policy).is_empty());
    let first = differences.tie_takes_first;
    let holds = able.copied().reduce(|best, other| {
        let wins = other.priority > best.priority || (other.priority == best.priority && !first);
        if wins { other } else { best }
    });
    let fate = |policy: &Policy| match holds {
        _ if !policy.apply_to.covers(kind) => PolicyFate::NotMeant { apply_to: policy.apply_to },
        _ if !unsupported(policy).is_empty() => PolicyFate::Unsupported { keys: unsupported(policy), kind },
        Some(holds) if holds.name != policy.name && holds.priority == policy.priority => {
            PolicyFate::Tied { by: holds.name.clone(), first }
        }
        Some(holds) if holds.name != policy.name => PolicyFate::Outranked { by: holds.name.clone() },
        _ => PolicyFate::InForce,
    };
    let standing = |policy: &&Policy| PolicyStanding {
        name: policy.name.clone(),
        operator,
        priority: policy.priority,
        definition: policy.definition.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        fate: fate(policy),
    };
    // A policy for others is news only where none holds.
    let is_told = |one: &PolicyStanding| holds.is_none() || !matches!(one.fate, PolicyFate::NotMeant { .. });
    let mut all: Vec<PolicyStanding> = found.iter().map(standing).filter(is_told).collect();
    all.sort_by_key(|one| (one.fate != PolicyFate::InForce, -one.priority));
    (holds, all)
}

/// Lists the settings that are given more than one value.
fn settings(
    queue: &Queue,
    kind: QueueKind,
    user: Option<&Policy>,
    operator: Option<&Policy>,
    differences: &Differences,
) -> Vec<SettingContest> {
    let (by_user, by_operator) = (user.map(|policy| &policy.definition), operator.map(|policy| &policy.definition));
    let mut keys: Vec<&String> = by_user.into_iter().chain(by_operator).flat_map(|all| all.keys()).collect();
    keys.sort();
    keys.dedup();
    let contest = |key: &String| {
        let argument = queue.arguments.get(&format!("x-{key}")).map(|value| (SetBy::Argument, value.to_json()));
        let of = |policy: Option<&Policy>, by: fn(Name) -> SetBy| {
            policy.and_then(|policy| Some((by(policy.name.clone()), policy.definition.get(key)?.clone())))
        };
        let set = [argument, of(user, SetBy::Policy), of(operator, SetBy::OperatorPolicy)];
        let set: Vec<(SetBy, Json)> = set.into_iter().flatten().collect();
        // The policies first agree among themselves.
        let winner = set
            .iter()
            .rev()
            .reduce(|best, other| if precedence(key, kind, differences, other, best).0 { other } else { best })?;
        let losers = set.iter().filter(|one| one.1 != winner.1);
        let losers: Vec<(SetBy, Json, Precedence)> = losers
            .map(|one| (one.0.clone(), one.1.clone(), precedence(key, kind, differences, winner, one).1))
            .collect();
        (!losers.is_empty()).then(|| SettingContest { key: key.clone(), winner: winner.clone(), losers })
    };
    keys.into_iter().filter_map(contest).collect()
}

/// Returns whether the first of two values holds, and why the one that does (PO-6).
fn precedence(
    key: &str,
    kind: QueueKind,
    differences: &Differences,
    one: &(SetBy, Json),
    other: &(SetBy, Json),
) -> (bool, Precedence) {
    let numbers = one.1.as_i64().zip(other.1.as_i64());
    let between_policies = one.0 != SetBy::Argument && other.0 != SetBy::Argument;
    let quorum = kind == QueueKind::Quorum;
    let goes_first = |first: bool, by: Precedence| (first, by);
    let by_argument = || goes_first(one.0 == SetBy::Argument, Precedence::ArgumentFirst);
    let by_policy = || goes_first(one.0 != SetBy::Argument, Precedence::PolicyFirst);
    let by_operator = || goes_first(matches!(one.0, SetBy::OperatorPolicy(_)), Precedence::OperatorFirst);
    match (key, numbers) {
        ("overflow" | "queue-version" | "delayed-retry-type", _) if between_policies => by_operator(),
        ("delayed-retry-min", Some((a, b))) if between_policies => (a >= b, Precedence::Larger),
        ("delivery-limit", Some((a, b)))
            if a.min(b) < 0 && (between_policies || differences.negative_limit_is_none) =>
        {
            (a >= b, Precedence::Larger)
        }
        (_, None) if between_policies => by_operator(),
        ("overflow", _) if quorum => by_policy(),
        ("delayed-retry-type", _) => by_policy(),
        ("expires", _) if quorum && differences.quorum_expires_policy_wins && !between_policies => by_policy(),
        (_, Some((a, b))) => (a <= b, Precedence::Smaller),
        _ => by_argument(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Profile, Value};
    use crate::rules::{Overflow, differences, merge_definitions, queue_settings};
    use serde_json::json;

    fn policy(name: &str, priority: i64, definition: Json) -> Policy {
        let definition = definition.as_object().expect("a map").clone().into_iter().collect();
        let (pattern, apply_to) = ("^q".to_owned(), ApplyTo::All);
        Policy { vhost: "/".into(), name: name.into(), pattern, apply_to, priority, definition }
    }

    fn queue(arguments: &[(&str, Value)]) -> Queue {
        let arguments = arguments.iter().map(|(key, value)| (Name::from(*key), value.clone())).collect();
        Queue { vhost: "/".into(), name: "q".into(), durable: true, auto_delete: false, exclusive: false, arguments }
    }

    #[test]
    fn each_loser_knows_why() {
        let policies = [
            policy("a", 1, json!({"max-length": 2})),
            policy("b", 1, json!({"max-length": 3})),
            policy("c", 0, json!({"max-length": 4})),
            policy("d", 9, json!({"max-age": "1h"})),
        ];
        let fates = |profile| {
            let all = PolicyContest::on_queue(&queue(&[]), &policies, [], differences(profile)).policies;
            all.into_iter().map(|one| (one.name.to_string(), one.fate)).collect::<Vec<_>>()
        };
        let unsupported = PolicyFate::Unsupported { keys: vec!["max-age".into()], kind: QueueKind::Classic };
        let expected = |first: bool| {
            let (holds, other) = if first { ("a", "b") } else { ("b", "a") };
            vec![
                (holds.to_owned(), PolicyFate::InForce),
                ("d".to_owned(), unsupported.clone()),
                (other.to_owned(), PolicyFate::Tied { by: holds.into(), first }),
                ("c".to_owned(), PolicyFate::Outranked { by: holds.into() }),
            ]
        };
        assert_eq!(fates(Profile::V4_3), expected(true));
        assert_eq!(fates(Profile::V3_10), expected(false));
    }

    #[test]
    fn the_winner_of_each_setting_is_the_one_in_effect() {
        let arguments = [
            ("x-max-length", Value::I64(5)),
            ("x-message-ttl", Value::I64(9)),
            ("x-expires", Value::I64(8)),
            ("x-overflow", Value::Text("drop-head".into())),
            ("x-dead-letter-exchange", Value::Text("mine".into())),
        ];
        let user = policy(
            "user",
            0,
            json!({"max-length": 4, "message-ttl": 7, "expires": 9, "overflow": "reject-publish",
            "dead-letter-exchange": "theirs"}),
        );
        let operator = policy("operator", 0, json!({"max-length": 6, "message-ttl": 3}));
        for profile in [Profile::V3_10, Profile::V4_0, Profile::V4_3] {
            for kind in [QueueKind::Classic, QueueKind::Quorum] {
                let mut queue = queue(&arguments);
                if kind == QueueKind::Quorum {
                    queue.arguments.insert("x-queue-type".into(), Value::Text("quorum".into()));
                }
                let contest = PolicyContest::on_queue(&queue, [&user], [&operator], differences(profile));
                let winner = |key: &str| {
                    let one = contest.settings.iter().find(|one| one.key == key).expect("a contest");
                    one.winner.1.clone()
                };
                let merged = merge_definitions(Some(&user.definition), Some(&operator.definition));
                let settings = queue_settings(&queue.arguments, &merged, kind, differences(profile));
                assert_eq!(winner("max-length").as_u64(), settings.max_length);
                assert_eq!(winner("message-ttl").as_u64(), settings.message_ttl_ms);
                assert_eq!(winner("expires").as_u64(), settings.expires_ms, "{profile} {kind:?}");
                let overflow = settings.overflow == Overflow::RejectPublish;
                assert_eq!(winner("overflow") == json!("reject-publish"), overflow, "{profile} {kind:?}");
                assert_eq!(winner("dead-letter-exchange").as_str(), settings.dead_letter_exchange.as_deref());
            }
        }
    }
}
