//! Which policies are in force for a queue or an exchange, by the rules of one version (PO-1, PO-2, PO-7, PO-10).
//! Takes policies; gives the user policy and the operator policy that win, and all that match. Never looks at a broker.

use crate::model::{Name, Policy, QueueKind};
use crate::rules::{Definition, Differences, Pattern, applies_to_exchange, applies_to_queue, merge_definitions};
use std::borrow::Borrow;

/// The policies of a broker or of one vhost, with compiled patterns.
///
/// A pattern that cannot be read here counts as found in every name: RabbitMQ may know it.
///
/// ```
/// use rmqplay::model::{ApplyTo, Policy, Profile, QueueKind};
/// use rmqplay::rules::{EffectivePolicies, differences};
/// let policy = |name: &str, pattern: &str, priority| Policy {
///     vhost: "/".into(),
///     name: name.into(),
///     pattern: pattern.into(),
///     apply_to: ApplyTo::All,
///     priority,
///     definition: [("max-length".to_owned(), 2.into())].into_iter().collect(),
/// };
/// let policies = [policy("all", ".*", 0), policy("orders", "^orders$", 1)];
/// let effective = EffectivePolicies::new(differences(Profile::V4_3), &policies, &[]);
/// let in_force = effective.on_queue("/", "orders", QueueKind::Classic);
/// assert_eq!(in_force.user.map(|policy| &*policy.name), Some("orders"));
/// ```
#[derive(Debug, Clone)]
pub struct EffectivePolicies<P = Policy> {
    differences: &'static Differences,
    user: Vec<Compiled<P>>,
    operator: Vec<Compiled<P>>,
}

#[derive(Debug, Clone)]
struct Compiled<P> {
    pattern: Option<Pattern>,
    policy: P,
}

/// The user policy and the operator policy that an object is under.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PoliciesInForce<'p> {
    /// The policy that won.
    pub user: Option<&'p Policy>,
    /// The operator policy that won.
    pub operator: Option<&'p Policy>,
}

impl PoliciesInForce<'_> {
    /// Returns what both set together (PO-6).
    pub fn definition(&self) -> Definition {
        merge_definitions(self.user.map(|policy| &policy.definition), self.operator.map(|policy| &policy.definition))
    }

    /// Returns whether one of them sets a key.
    pub fn sets(&self, key: &str) -> bool {
        [self.user, self.operator].into_iter().flatten().any(|policy| policy.definition.contains_key(key))
    }

    /// Returns the text that a key is set to; the operator's counts where both set it (PO-6).
    pub fn text(&self, key: &str) -> Option<&str> {
        let set = [self.operator, self.user].into_iter().flatten().find_map(|policy| policy.definition.get(key));
        set.and_then(serde_json::Value::as_str)
    }
}

impl<P: Borrow<Policy>> EffectivePolicies<P> {
    /// Compiles the patterns of policies. Of two with one name both stay: each may be in force at another time.
    pub fn new(
        differences: &'static Differences,
        user: impl IntoIterator<Item = P>,
        operator: impl IntoIterator<Item = P>,
    ) -> Self {
        let mut policies = Self { differences, user: Vec::new(), operator: Vec::new() };
        user.into_iter().for_each(|policy| policies.insert(policy, false));
        operator.into_iter().for_each(|policy| policies.insert(policy, true));
        policies
    }

    /// Adds a policy, in place of those of the same vhost and name.
    pub fn put(&mut self, policy: P, operator: bool) {
        let (vhost, name) = (policy.borrow().vhost.clone(), policy.borrow().name.clone());
        self.remove(&vhost, &name, operator);
        self.insert(policy, operator);
    }

    fn insert(&mut self, policy: P, operator: bool) {
        let pattern = Pattern::new(&policy.borrow().pattern, self.differences.long_regex_text).ok();
        let compiled = Compiled { pattern, policy };
        let all = if operator { &mut self.operator } else { &mut self.user };
        let at = all.partition_point(|known| known.key() <= compiled.key());
        all.insert(at, compiled);
    }

    /// Removes a policy and returns it, if it was there.
    pub fn remove(&mut self, vhost: &str, name: &str, operator: bool) -> Option<P> {
        let all = if operator { &mut self.operator } else { &mut self.user };
        let at = all.iter().position(|known| known.key() == (vhost, name))?;
        Some(all.remove(at).policy)
    }

    /// Lists all user policies, or all operator policies, by vhost and name.
    pub fn all(&self, operator: bool) -> impl Iterator<Item = &Policy> {
        let all = if operator { &self.operator } else { &self.user };
        all.iter().map(|compiled| compiled.policy.borrow())
    }

    /// Returns the policies that hold for a queue.
    pub fn on_queue(&self, vhost: &str, name: &str, kind: QueueKind) -> PoliciesInForce<'_> {
        let best = |operator| self.best(operator, |policy| self.matches(policy, vhost, name, kind));
        PoliciesInForce { user: best(false), operator: best(true) }
    }

    /// Lists the user policies, then the operator policies, that match a queue, whether they win or not.
    pub fn matching<'p>(&'p self, vhost: &'p str, name: &'p str, kind: QueueKind) -> impl Iterator<Item = &'p Policy> {
        let all = self.user.iter().chain(&self.operator);
        all.filter(move |compiled| self.matches(compiled, vhost, name, kind)).map(|compiled| compiled.policy.borrow())
    }

    /// Returns the user policy that holds for an exchange (PO-10).
    pub fn on_exchange(&self, vhost: &str, name: &Name) -> Option<&Policy> {
        self.best(false, |compiled| {
            let policy = compiled.policy.borrow();
            applies_to_exchange(policy.apply_to) && policy.vhost == *vhost && compiled.finds(name)
        })
    }

    fn matches(&self, compiled: &Compiled<P>, vhost: &str, name: &str, kind: QueueKind) -> bool {
        let policy = compiled.policy.borrow();
        &*policy.vhost == vhost
            && applies_to_queue(policy.apply_to, &policy.definition, kind, self.differences)
            && compiled.finds(name)
    }

    /// Returns the one of the highest priority; of equal ones the first by name, or the last where it is chance (PO-1).
    fn best(&self, operator: bool, matches: impl Fn(&Compiled<P>) -> bool) -> Option<&Policy> {
        let mut best: Option<&Policy> = None;
        for compiled in if operator { &self.operator } else { &self.user } {
            let policy = compiled.policy.borrow();
            let wins = best.is_none_or(|other| {
                policy.priority > other.priority
                    || (policy.priority == other.priority && !self.differences.tie_takes_first)
            });
            if wins && matches(compiled) {
                best = Some(policy);
            }
        }
        best
    }
}

impl<P: Borrow<Policy>> Compiled<P> {
    fn key(&self) -> (&str, &str) {
        let policy = self.policy.borrow();
        (&policy.vhost, &policy.name)
    }

    fn finds(&self, name: &str) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.matches(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ApplyTo, Profile};
    use crate::rules::differences;

    fn policy(name: &str, priority: i64, key: &str) -> Policy {
        Policy {
            vhost: "/".into(),
            name: name.into(),
            pattern: "^work".into(),
            apply_to: ApplyTo::All,
            priority,
            definition: [(key.to_owned(), serde_json::Value::from(5))].into_iter().collect(),
        }
    }

    fn winner(profile: Profile, policies: &[Policy], kind: QueueKind) -> Option<String> {
        let effective = EffectivePolicies::new(differences(profile), policies, &[]);
        effective.on_queue("/", "work.q", kind).user.map(|policy| policy.name.to_string())
    }

    #[test]
    fn one_key_that_the_type_does_not_know_takes_the_whole_policy_away() {
        let policies = [policy("low", 0, "max-length"), policy("high", 5, "delivery-limit")];
        assert_eq!(winner(Profile::V4_3, &policies, QueueKind::Quorum).as_deref(), Some("high"));
        assert_eq!(winner(Profile::V4_3, &policies, QueueKind::Classic).as_deref(), Some("low"));
    }

    #[test]
    fn the_version_decides_between_equal_priorities() {
        let policies = [policy("b", 1, "max-length"), policy("a", 1, "max-length")];
        assert_eq!(winner(Profile::V4_3, &policies, QueueKind::Classic).as_deref(), Some("a"));
        assert_eq!(winner(Profile::V3_10, &policies, QueueKind::Classic).as_deref(), Some("b"));
    }

    #[test]
    fn a_policy_is_replaced_by_name_and_removed_by_name() {
        let mut effective = EffectivePolicies::new(differences(Profile::V4_3), [policy("a", 1, "max-length")], []);
        effective.put(policy("a", 1, "message-ttl"), false);
        let keys = effective.on_queue("/", "work", QueueKind::Classic).definition();
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["message-ttl"]);
        assert!(effective.remove("/", "a", true).is_none());
        assert!(effective.remove("/", "a", false).is_some());
        assert_eq!(effective.matching("/", "work", QueueKind::Classic).count(), 0);
    }
}
