//! Policies: which apply to a queue or an exchange now, and what a change does at once (PO-1 to PO-10, LEN-11, TTL-4).

use crate::broker::{Refusal, Reply};
use crate::model;
use crate::model::{Exchange, Moment, Name, QueueKind, Value};
use crate::rules::{
    Definition, Overflow, Pattern, QueueSettings, applies_to_exchange, applies_to_queue, check_policy,
    merge_definitions, queue_settings,
};
use crate::sim::access::vhost::Vhost;
use crate::sim::broker::Sim;
use crate::sim::queue::lifecycle::{Contents, Queue};
use crate::sim::reason::Occasion;
use crate::sim::state::arena::Id;
use crate::sim::state::refusal::http_error;
use std::collections::BTreeMap;

/// Is a policy with its compiled pattern.
pub(crate) struct Policy {
    pub pattern: Pattern,
    pub policy: model::Policy,
}

/// Holds the policies of a vhost by name.
pub(crate) type Policies = BTreeMap<Name, Policy>;

/// Is a policy and an operator policy, those that there are.
type Applied = [Option<model::Policy>; 2];

impl Sim {
    pub(crate) fn put_policy(&mut self, policy: model::Policy, operator: bool) -> Result<Reply, Refusal> {
        let id = self.managed_vhost(&policy.vhost)?;
        let pattern = check_policy(&policy, operator, self.rules).map_err(|text| http_error(400, text))?;
        let waiting = self.waiting_under(id);
        if let Some(vhost) = self.vhosts.get_mut(id) {
            let policies = if operator { &mut vhost.operator_policies } else { &mut vhost.policies };
            policies.insert(policy.name.clone(), Policy { pattern, policy });
        }
        self.reapply_policies(id, waiting);
        Ok(Reply::Done)
    }

    pub(crate) fn clear_policy(&mut self, vhost: &Name, name: &Name, operator: bool) -> Result<Reply, Refusal> {
        let id = self.managed_vhost(vhost)?;
        let waiting = self.waiting_under(id);
        let removed = self.vhosts.get_mut(id).and_then(|vhost| match operator {
            true => vhost.operator_policies.remove(name),
            false => vhost.policies.remove(name),
        });
        if removed.is_none() {
            return Err(http_error(404, "Not Found"));
        }
        self.reapply_policies(id, waiting);
        Ok(Reply::Done)
    }

    /// Gives the merged definition of the policies that apply to a queue.
    pub(crate) fn effective_policy(&self, vhost: Id<Vhost>, name: &str, kind: QueueKind) -> Definition {
        let Some(vhost) = self.vhosts.get(vhost) else { return Definition::new() };
        let rules = self.rules;
        let fits = |policy: &model::Policy| applies_to_queue(policy.apply_to, &policy.definition, kind, rules);
        let user = self.best(&vhost.policies, name, &fits);
        let operator = self.best(&vhost.operator_policies, name, &fits);
        merge_definitions(user.map(|policy| &policy.definition), operator.map(|policy| &policy.definition))
    }

    /// Names the policy and the operator policy that apply to a queue.
    pub(crate) fn policies_of(&self, queue: &Queue) -> [Option<(&'static str, &model::Policy)>; 2] {
        let Some(vhost) = self.vhosts.get(queue.vhost) else { return [None, None] };
        let rules = self.rules;
        let fits = |policy: &model::Policy| applies_to_queue(policy.apply_to, &policy.definition, queue.kind, rules);
        let user = self.best(&vhost.policies, &queue.name.name, &fits);
        let operator = self.best(&vhost.operator_policies, &queue.name.name, &fits);
        [user.map(|policy| ("policy", policy)), operator.map(|policy| ("operator policy", policy))]
    }

    /// Gives an exchange's alternate: by argument, else by policy (RT-10).
    pub(crate) fn alternate_exchange(&self, vhost: Id<Vhost>, declared: &Exchange) -> Option<Name> {
        if let Some(name) = declared.arguments.get("alternate-exchange").and_then(Value::as_text) {
            return Some(name.into());
        }
        let vhost = self.vhosts.get(vhost)?;
        let policy = self.best(&vhost.policies, &declared.name, &|policy| applies_to_exchange(policy.apply_to))?;
        policy.definition.get("alternate-exchange").and_then(serde_json::Value::as_str).map(Name::from)
    }

    /// Gives the one policy that wins (PO-1).
    fn best<'a>(
        &self,
        policies: &'a Policies,
        name: &str,
        fits: &dyn Fn(&model::Policy) -> bool,
    ) -> Option<&'a model::Policy> {
        let mut best: Option<&model::Policy> = None;
        for Policy { pattern, policy } in policies.values() {
            let wins = best.is_none_or(|other| {
                policy.priority > other.priority || (policy.priority == other.priority && !self.rules.tie_takes_first)
            });
            if wins && fits(policy) && pattern.matches(name) {
                best = Some(policy);
            }
        }
        best
    }

    /// Lists the queues whose dead letters wait, each with the policies that it is under.
    fn waiting_under(&self, vhost: Id<Vhost>) -> Vec<(Id<Queue>, Applied)> {
        let waits = |queue: &&Queue| matches!(&queue.contents, Contents::Quorum(quorum) if !quorum.backlog.is_empty());
        let all = self.queues.iter().filter(|(_, queue)| queue.vhost == vhost && waits(queue));
        all.map(|(id, queue)| (id, self.applied(queue))).collect()
    }

    fn applied(&self, queue: &Queue) -> Applied {
        self.policies_of(queue).map(|policy| policy.map(|(_, policy)| policy.clone()))
    }

    /// Brings the policies of a vhost into effect (SIM-5: at once). A queue that is under another one now, be it of the
    /// same words, tries its waiting dead letters again (DL-30).
    fn reapply_policies(&mut self, id: Id<Vhost>, waiting: Vec<(Id<Queue>, Applied)>) {
        let Some(vhost) = self.vhosts.get(id) else { return };
        let mut queues: Vec<_> = vhost.queues.values().copied().collect();
        let exchanges: Vec<_> = vhost.exchanges.values().copied().collect();
        queues.sort_unstable();
        for exchange in exchanges {
            let alternate = match self.exchanges.get(exchange) {
                Some(exchange) => self.alternate_exchange(id, &exchange.declared),
                None => continue,
            };
            if let Some(exchange) = self.exchanges.get_mut(exchange) {
                exchange.alternate = alternate;
            }
        }
        for queue in queues {
            self.reapply_policy(id, queue);
        }
        for (queue, before) in waiting {
            if self.queues.get(queue).is_some_and(|queue| self.applied(queue) != before) {
                self.retry_dead_letters(queue);
            }
        }
        // A shorter consumer timeout holds for what is outstanding already.
        self.timeouts_from = self.next_consumer_timeout().unwrap_or(Moment(u64::MAX));
    }

    fn reapply_policy(&mut self, vhost: Id<Vhost>, id: Id<Queue>) {
        let Some(queue) = self.queues.get(id) else { return };
        let policy = self.effective_policy(vhost, &queue.name.name, queue.kind);
        if policy == queue.policy {
            return;
        }
        let settings = queue_settings(&queue.declared.arguments, &policy, queue.kind, self.rules);
        let (name, kind, before) = (queue.name.name.clone(), queue.kind, queue.dead_lettering);
        let dead_lettering = self.dead_lettering(vhost, &name, kind, &settings, before);
        let Some(queue) = self.queues.get_mut(id) else { return };
        let before = std::mem::replace(&mut queue.settings, settings.clone());
        queue.dead_lettering = dead_lettering;
        queue.policy = policy;
        if before.expires_ms != settings.expires_ms {
            if queue.kind == QueueKind::Classic {
                queue.used_at = self.now;
            }
            self.arm_lease(id);
        }
        let waits = |settings: &QueueSettings| settings.at_least_once && settings.dead_letter_exchange.is_some();
        if waits(&before) && !waits(&settings) {
            self.forget_waiting(id);
        }
        let Some(queue) = self.queues.get_mut(id) else { return };
        let classic = matches!(queue.contents, Contents::Classic(_));
        // LEN-11: a classic queue takes the new length before the new overflow.
        if classic && before.overflow == Overflow::DropHead && settings.overflow != Overflow::DropHead {
            queue.settings.overflow = Overflow::DropHead;
            self.drop_over_limit(id, Occasion::Policy);
            if let Some(queue) = self.queues.get_mut(id) {
                queue.settings.overflow = settings.overflow;
            }
        }
        self.drop_over_limit(id, Occasion::Policy);
        self.sweep(id);
        self.to_serve.push_back(id);
    }
}
