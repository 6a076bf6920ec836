//! What is in effect on a queue of a topology: its arguments merged with the policies that apply to it.
//! Takes a topology and a version's rules; returns settings, and where each key comes from. Judges nothing.

use crate::language::check::topology_references::field;
use crate::model::{Origins, Policy, Queue, QueueKind, Topology};
use crate::rules::{
    Definition, Differences, Pattern, QueueSettings, applies_to_queue, merge_definitions, queue_settings,
    type_of_new_queue,
};
use crate::source::Span;

/// The settings of one queue, with their sources.
pub struct InEffect<'t> {
    pub kind: QueueKind,
    pub settings: QueueSettings,
    queue: &'t Queue,
    /// The user's policy that applies.
    policy: Option<&'t Policy>,
}

impl<'t> InEffect<'t> {
    /// Merges what a topology says of a queue, which it need not declare itself.
    pub fn of(
        topology: &'t Topology,
        queue: &'t Queue,
        default: Option<QueueKind>,
        differences: &Differences,
    ) -> InEffect<'t> {
        let kind = type_of_new_queue(queue, default, differences);
        let policy = strongest(&topology.policies, queue, kind, differences);
        let operator = strongest(&topology.operator_policies, queue, kind, differences);
        let of = |policy: Option<&'t Policy>| policy.map(|policy| &policy.definition);
        let merged: Definition = merge_definitions(of(policy), of(operator));
        let settings = queue_settings(&queue.arguments, &merged, kind, differences);
        InEffect { kind, settings, queue, policy }
    }

    /// Returns where a key is set, without its `x-`: among the queue's own keys, or in the policy.
    pub fn place_of(&self, key: &str, origins: &Origins) -> Option<Span> {
        if self.queue.arguments.contains_key(&format!("x-{key}")) {
            let typed = key.replace('-', "_");
            let macro_key = if key.starts_with("dead-letter") { "dead_letter" } else { typed.as_str() };
            return field(origins, &self.queue.object(), &[macro_key, &typed, "arguments", "retry"]);
        }
        let policy = self.policy.filter(|policy| policy.definition.contains_key(key))?;
        field(origins, &policy.object(false), &["definition"])
    }
}

/// Returns the policy of the highest priority that applies to a queue; of equal ones the first by name.
fn strongest<'t>(
    policies: &'t [Policy],
    queue: &Queue,
    kind: QueueKind,
    differences: &Differences,
) -> Option<&'t Policy> {
    let applies = |policy: &&'t Policy| {
        policy.vhost == queue.vhost
            && applies_to_queue(policy.apply_to, &policy.definition, kind, differences)
            && Pattern::new(&policy.pattern, false).is_ok_and(|pattern| pattern.matches(&queue.name))
    };
    policies.iter().filter(applies).min_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(&b.name)))
}
