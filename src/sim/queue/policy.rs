//! Policies: which apply to a queue or an exchange now, and what a change does at once (PO-1 to PO-10, LEN-11, TTL-4).

use crate::broker::{Refusal, Reply};
use crate::model::{Exchange, Moment, Name, Policy, QueueKind, Value};
use crate::rules::{EffectivePolicies, Overflow, PoliciesInForce, QueueSettings, check_policy, queue_settings};
use crate::sim::broker::Sim;
use crate::sim::openings::{PolicyPair, WaitingUnder};
use crate::sim::state::arena::{QueueId, VhostId};
use crate::sim::state::queue::{Queue, QueueContents};
use crate::sim::state::reason::Occasion;
use crate::sim::state::refusal::http_error;

impl Sim {
    pub(crate) fn put_policy(&mut self, policy: Policy, operator: bool) -> Result<Reply, Refusal> {
        let id = self.managed_vhost(&policy.vhost)?;
        check_policy(&policy, operator, self.rules).map_err(|text| http_error(400, text))?;
        let waiting = self.waiting_under(id);
        if let Some(vhost) = self.vhosts.get_mut(id) {
            vhost.policies.put(policy.clone(), operator);
        }
        self.change_policies(id, waiting);
        self.emit("policy.set", |sim| sim.policy_set(&policy));
        Ok(Reply::Done)
    }

    pub(crate) fn clear_policy(&mut self, vhost: &Name, name: &Name, operator: bool) -> Result<Reply, Refusal> {
        let id = self.managed_vhost(vhost)?;
        let waiting = self.waiting_under(id);
        let removed = self.vhosts.get_mut(id).and_then(|state| state.policies.remove(vhost, name, operator));
        if removed.is_none() {
            return Err(http_error(404, "Not Found"));
        }
        self.change_policies(id, waiting);
        let key = if operator { "operator.policy.cleared" } else { "policy.cleared" };
        self.emit(key, |sim| sim.gone(name, Some(vhost)));
        Ok(Reply::Done)
    }

    /// Returns the policies that a queue is under.
    pub(crate) fn policies_of(&self, queue: &Queue) -> PoliciesInForce<'_> {
        match self.vhosts.get(queue.vhost) {
            Some(vhost) => vhost.policies.on_queue(&vhost.name, &queue.name.name, queue.kind),
            None => PoliciesInForce::default(),
        }
    }

    /// Returns an exchange's alternate: by argument, else by policy (RT-10).
    pub(crate) fn alternate_exchange(&self, vhost: VhostId, declared: &Exchange) -> Option<Name> {
        if let Some(name) = declared.arguments.get("alternate-exchange").and_then(Value::as_text) {
            return Some(name.into());
        }
        let vhost = self.vhosts.get(vhost)?;
        let policy = vhost.policies.on_exchange(&vhost.name, &declared.name)?;
        policy.definition.get("alternate-exchange").and_then(serde_json::Value::as_str).map(Name::from)
    }

    /// Brings changed policies into force, or keeps that until an explored run does.
    fn change_policies(&mut self, id: VhostId, waiting: WaitingUnder) {
        for queue in self.vhosts.get(id).into_iter().flat_map(|vhost| vhost.queues.values()) {
            if let Some(queue) = self.queues.get_mut(*queue) {
                queue.ttls = None;
            }
        }
        if std::mem::take(&mut self.openings.policy_waits) {
            self.openings.changed_policies = Some((id, waiting));
        } else {
            self.reapply_policies(id, waiting);
        }
    }

    /// Brings policies into force that were changed and kept.
    pub(crate) fn enforce_changed_policies(&mut self) {
        self.openings.policy_waits = false;
        if let Some((id, waiting)) = self.openings.changed_policies.take() {
            self.reapply_policies(id, waiting);
        }
    }

    /// Lists the queues that a change of the policies of a vhost would put under other words.
    pub(crate) fn queues_changed_by(
        &self,
        vhost: &Name,
        change: impl FnOnce(&mut EffectivePolicies, &Name),
    ) -> Vec<QueueId> {
        let Some(&id) = self.vhost_names.get(vhost) else { return Vec::new() };
        let Some(state) = self.vhosts.get(id) else { return Vec::new() };
        let mut policies = state.policies.clone();
        change(&mut policies, vhost);
        let changes = |queue: &QueueId| {
            self.queues.get(*queue).is_some_and(|queue| {
                policies.on_queue(&state.name, &queue.name.name, queue.kind).definition() != queue.policy
            })
        };
        state.queues.values().copied().filter(changes).collect()
    }

    /// Lists the queues whose dead letters wait, each with the policies that it is under.
    fn waiting_under(&self, vhost: VhostId) -> WaitingUnder {
        let waits =
            |queue: &&Queue| matches!(&queue.contents, QueueContents::Quorum(quorum) if !quorum.backlog.is_empty());
        let all = self.queues.iter().filter(|(_, queue)| queue.vhost == vhost && waits(queue));
        all.map(|(id, queue)| (id, self.applied(queue))).collect()
    }

    fn applied(&self, queue: &Queue) -> PolicyPair {
        let in_force = self.policies_of(queue);
        [in_force.user.cloned(), in_force.operator.cloned()]
    }

    /// Brings the policies of a vhost into effect (SIM-5: at once). A queue that is under another one now, be it of the
    /// same words, tries its waiting dead letters again (DL-30).
    fn reapply_policies(&mut self, id: VhostId, waiting: WaitingUnder) {
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
            self.reapply_policy(queue);
        }
        for (queue, before) in waiting {
            if self.queues.get(queue).is_some_and(|queue| self.applied(queue) != before) {
                self.retry_dead_letters(queue);
            }
        }
        // A shorter consumer timeout holds for what is outstanding already.
        self.timeouts_from = self.next_consumer_timeout().unwrap_or(Moment(u64::MAX));
    }

    fn reapply_policy(&mut self, id: QueueId) {
        let Some(queue) = self.queues.get(id) else { return };
        let policy = self.policies_of(queue).definition();
        if policy == queue.policy {
            return;
        }
        let settings = queue_settings(&queue.declared.arguments, &policy, queue.kind, self.rules);
        let (vhost, name, kind, before) = (queue.vhost, queue.name.name.clone(), queue.kind, queue.dead_lettering);
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
        if kind == QueueKind::Stream {
            return self.truncate(id);
        }
        let Some(queue) = self.queues.get_mut(id) else { return };
        let classic = matches!(queue.contents, QueueContents::Classic(_));
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
