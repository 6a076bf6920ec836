//! Queues: declaration, deletion, purge, and who may touch them (CO-18, CO-20, CO-21, CO-23, ER-*, PE-2, RT-16).

use crate::broker::{ConnectionId, Refusal, Reply, What, code};
use crate::model;
use crate::model::{DestinationKind, Name, QueueKind, Value};
use crate::rules::{
    Access, check_queue_arguments, check_queue_equivalence, check_queue_properties, crashes_over_max_age, denial,
    queue_settings, shown_queue, type_of_new_queue,
};
use crate::sim::broker::Sim;
use crate::sim::delivery::reading::unsupported_by_streams;
use crate::sim::state::arena::{BindingDestination, ChannelIndex, ConsumerId, QueueId, VhostId};
use crate::sim::state::classic_queue::ClassicQueue;
use crate::sim::state::consumer::Consumers;
use crate::sim::state::names::{REPLY_TO, stripped};
use crate::sim::state::queue::{Queue, QueueContents};
use crate::sim::state::quorum_queue::QuorumQueue;
use crate::sim::state::refusal::{channel_error, connection_error, not_found, precondition_failed};
use crate::sim::state::stream::StreamQueue;
use std::collections::BTreeSet;

impl Sim {
    /// queue.declare, active.
    pub(crate) fn declare_queue(&mut self, channel: ChannelIndex, asked: &model::Queue) -> Result<Reply, Refusal> {
        let Some(state) = self.channels.get(channel) else { return Ok(Reply::Done) };
        let (vhost, connection) = (state.vhost, state.connection);
        let mut asked = asked.clone();
        asked.vhost = self.vhost_name(vhost);
        asked.name = stripped(&asked.name);
        let kind = self.choose_type(&mut asked, vhost);
        if asked.name.is_empty() {
            if kind != QueueKind::Classic {
                let text = format!("Cannot declare a server-named queue for type rabbit_{}_queue", kind.as_str());
                return Err(precondition_failed(text));
            }
            asked.name = self.server_name("amq.gen-");
        } else if asked.name.starts_with(REPLY_TO) {
            return self.declare_reply_queue(channel, asked.name);
        } else if asked.name.starts_with("amq.") {
            let text = format!("queue name '{}' contains reserved prefix 'amq.*'", asked.name);
            return Err(channel_error(code::ACCESS_REFUSED, text));
        }
        self.check_queue_access(channel, Access::Configure, &asked.name)?;
        let id = match self.queue_id(vhost, &asked.name) {
            Some(id) => {
                self.check_redeclare(id, &asked, connection)?;
                self.refresh_lease(id, true);
                id
            }
            None => self.create_queue(channel, asked, kind, vhost, connection)?,
        };
        if let (Some(state), Some(queue)) = (self.channels.get_mut(channel), self.queues.get(id)) {
            state.last_queue = Some(queue.name.name.clone());
        }
        Ok(self.declared(id))
    }

    /// Chooses the type, and stores it as the version does (MG-6, MG-15).
    fn choose_type(&self, asked: &mut model::Queue, vhost: VhostId) -> QueueKind {
        let default = self.vhosts.get(vhost).and_then(|vhost| vhost.default_queue_type);
        let stores = self.rules.stores_queue_type || (self.rules.default_queue_type && default.is_some());
        if asked.arguments.contains_key("x-queue-type") || !stores {
            return asked.kind();
        }
        let kind = type_of_new_queue(asked, default, self.rules);
        asked.arguments.insert("x-queue-type".into(), Value::from(kind.as_str()));
        kind
    }

    fn check_redeclare(&self, id: QueueId, asked: &model::Queue, by: ConnectionId) -> Result<(), Refusal> {
        let Some(queue) = self.queues.get(id) else { return Ok(()) };
        let fits = match queue.owner {
            Some(owner) => owner == by && asked.exclusive,
            None => !asked.exclusive,
        };
        if !fits {
            return Err(locked(queue));
        }
        check_queue_equivalence(&queue.declared, asked, self.rules).map_err(precondition_failed)
    }

    fn create_queue(
        &mut self,
        channel: ChannelIndex,
        mut asked: model::Queue,
        kind: QueueKind,
        vhost: VhostId,
        connection: ConnectionId,
    ) -> Result<QueueId, Refusal> {
        let denied = self.rules.transient_queues_denied && !asked.durable && !asked.exclusive;
        if denied && check_queue_arguments(&asked, kind, self.rules).is_ok() {
            return Err(connection_error(code::INTERNAL_ERROR, denial("transient_nonexcl_queues")));
        }
        if self.rules.queue_limit_first {
            self.check_queue_limit(vhost, &asked.name)?;
        }
        if let Some(dlx) = asked.arguments.get("x-dead-letter-exchange").and_then(Value::as_text) {
            let dlx = Name::from(dlx);
            self.check_queue_access(channel, Access::Read, &asked.name)?;
            self.check_exchange_access(channel, Access::Write, &dlx)?;
        }
        if let Err(text) = check_queue_arguments(&asked, kind, self.rules) {
            if text.ends_with("invalid_max_age") && crashes_over_max_age(&asked.arguments, kind, self.rules) {
                return Err(self.stumble("ST-5", "its x-max-age is none"));
            }
            return Err(precondition_failed(text));
        }
        self.check_queue_limit(vhost, &asked.name)?;
        check_queue_properties(&asked, kind, self.rules).map_err(precondition_failed)?;
        if self.rules.master_locator_denied && asked.arguments.contains_key("x-queue-master-locator") {
            return Err(connection_error(code::INTERNAL_ERROR, denial("queue_master_locator")));
        }
        asked.durable &= !asked.exclusive;
        let owner = asked.exclusive.then_some(connection);
        let id = self.add_queue(asked, kind, vhost, owner);
        self.emit("queue.created", |sim| sim.queue_created(id));
        Ok(id)
    }

    pub(crate) fn add_queue(
        &mut self,
        declared: model::Queue,
        kind: QueueKind,
        vhost: VhostId,
        owner: Option<ConnectionId>,
    ) -> QueueId {
        let name = declared.id();
        let in_force = self.vhosts.get(vhost).map(|vhost| vhost.policies.on_queue(&vhost.name, &name.name, kind));
        let policy = in_force.unwrap_or_default().definition();
        let settings = queue_settings(&declared.arguments, &policy, kind, self.rules);
        let asked = declared.arguments.get("x-max-priority").and_then(Value::as_integer);
        let least = i64::from(self.rules.least_max_priority);
        let max_priority = asked.map_or(0, |max| max.clamp(least, 255));
        let contents = match kind {
            QueueKind::Quorum => QueueContents::Quorum(QuorumQueue::new(self.rules.quorum_priority)),
            QueueKind::Stream => {
                QueueContents::Stream(Box::new(StreamQueue::new(settings.retention.segment_bytes_max, self.now)))
            }
            QueueKind::Classic => QueueContents::Classic(ClassicQueue::new(max_priority as u8)),
        };
        let single_active = declared.arguments.get("x-single-active-consumer") == Some(&Value::Bool(true));
        let watched = self.watches.has(&name);
        let dead_lettering = self.dead_lettering(vhost, &name.name, kind, &settings, None);
        let id = self.queues.insert(Queue {
            name: name.clone(),
            vhost,
            declared: declared.into(),
            kind,
            owner,
            dead_lettering,
            settings,
            policy,
            contents,
            consumers: Consumers::new(single_active),
            unacked: 0,
            got: 0,
            bound_from: BTreeSet::new(),
            ttl_timer: None,
            delay_timer: None,
            retry_timer: None,
            lease_timer: None,
            declared_at: self.now,
            used_at: self.now,
            watched,
            moved: (self.now, 0),
            ttls: None,
            sampled: Default::default(),
        });
        if let Some(vhost) = self.vhosts.get_mut(vhost) {
            vhost.queues.insert(name.name, id);
        }
        self.start_lease(id);
        self.touch(id);
        id
    }

    /// Returns queue.declare-ok.
    pub(crate) fn declared(&self, id: QueueId) -> Reply {
        match self.queues.get(id) {
            None => Reply::Done,
            Some(queue) => Reply::Declared {
                queue: queue.name.name.clone(),
                ready: queue.ready(),
                // A declaration never counts the readers of a stream (ST-6).
                consumers: if queue.kind == QueueKind::Stream { 0 } else { self.counted_consumers(queue) },
            },
        }
    }

    /// queue.declare, passive.
    pub(crate) fn check_queue(&mut self, channel: ChannelIndex, name: &Name) -> Result<Reply, Refusal> {
        let name = self.expand_queue(channel, name)?;
        if name.starts_with(REPLY_TO) {
            return self.declare_reply_queue(channel, name);
        }
        self.check_passive_access(channel, false, &name)?;
        // EXP-2: the queue is asked for its counts before anybody looks whose it is.
        let vhost = self.channels.get(channel).map(|state| state.vhost);
        if let Some(id) = vhost.and_then(|vhost| self.queue_id(vhost, &name)) {
            self.refresh_lease(id, true);
        }
        let id = self.usable_queue(channel, &name)?;
        if let Some(state) = self.channels.get_mut(channel) {
            state.last_queue = Some(name);
        }
        Ok(self.declared(id))
    }

    /// queue.delete; a missing one counts 0 (RT-16).
    pub(crate) fn delete_queue(
        &mut self,
        channel: ChannelIndex,
        name: &Name,
        if_unused: bool,
        if_empty: bool,
    ) -> Result<Reply, Refusal> {
        let name = self.expand_queue(channel, name)?;
        self.check_queue_access(channel, Access::Configure, &name)?;
        let Some(vhost) = self.channels.get(channel).map(|state| state.vhost) else { return Ok(Reply::Done) };
        if self.queue_id(vhost, &name).is_none() {
            return Ok(Reply::Counted { messages: 0 });
        }
        let id = self.usable_queue(channel, &name)?;
        let Some(queue) = self.queues.get(id) else { return Ok(Reply::Done) };
        let shown = queue.shown();
        if queue.kind == QueueKind::Quorum && (if_unused || if_empty) {
            let flag = if if_unused { "if-unused" } else { "if-empty" };
            let text = format!(
                "cannot delete {shown}. queue.delete operations with {flag} flag set are not supported by quorum queues"
            );
            return Err(connection_error(code::NOT_IMPLEMENTED, text));
        }
        if queue.kind == QueueKind::Stream {
            self.remove_queue(id, "DL-2", "it was deleted");
            return Ok(Reply::Counted { messages: 0 });
        }
        if if_empty && queue.ready() > 0 {
            return Err(precondition_failed(format!("{shown} not empty")));
        }
        if if_unused && !queue.consumers.all.is_empty() {
            return Err(precondition_failed(format!("{shown} in use")));
        }
        let messages = queue.ready();
        self.remove_queue(id, "DL-2", "it was deleted");
        Ok(Reply::Counted { messages })
    }

    /// queue.purge: only ready messages; nothing is dead-lettered (DL-2).
    pub(crate) fn purge(&mut self, channel: ChannelIndex, name: &Name) -> Result<Reply, Refusal> {
        let name = self.expand_queue(channel, name)?;
        self.check_queue_access(channel, Access::Read, &name)?;
        let id = self.usable_queue(channel, &name)?;
        let takes_waiting = self.rules.purge_takes_waiting;
        let Some(queue) = self.queues.get_mut(id) else { return Ok(Reply::Done) };
        if queue.kind == QueueKind::Stream {
            return Err(unsupported_by_streams("queue.purge", queue));
        }
        let gone = match &mut queue.contents {
            QueueContents::Classic(classic) => classic.drain(),
            QueueContents::Quorum(quorum) => {
                let mut gone = quorum.drain();
                gone.extend(quorum.delayed.drain());
                if takes_waiting {
                    gone.extend(quorum.backlog.drain());
                }
                gone
            }
            QueueContents::Stream(_) => Vec::new(),
        };
        for entry in &gone {
            self.tell(Some(entry.stored.origin), Some(id), "DL-2", || What::Dropped {
                why: "the queue was purged".into(),
                stood: true,
            });
        }
        self.touch(id);
        self.serve(id);
        self.arm_message_ttl(id);
        Ok(Reply::Counted { messages: gone.len() as u64 })
    }

    /// Deletes a queue that lost its last consumer, if it is to (CO-20).
    pub(crate) fn auto_delete(&mut self, id: QueueId) {
        let Some(queue) = self.queues.get(id) else { return };
        if queue.declared.auto_delete && queue.consumers.had_any && queue.consumers.all.is_empty() {
            self.remove_queue(id, "CO-20", "its last consumer is gone and it is auto-delete");
        }
    }

    /// Takes a queue away with all it holds; what is unacknowledged can still be settled, without effect.
    pub(crate) fn remove_queue(&mut self, id: QueueId, rule: &'static str, why: &str) {
        self.tell(None, Some(id), rule, || What::QueueGone { why: why.to_owned() });
        self.forget_routes();
        let Some(mut queue) = self.queues.remove(id) else { return };
        for key in [&mut queue.ttl_timer, &mut queue.delay_timer, &mut queue.retry_timer, &mut queue.lease_timer] {
            self.timers.cancel(key);
        }
        if let Some(vhost) = self.vhosts.get_mut(queue.vhost) {
            vhost.queues.swap_remove(&queue.name.name);
        }
        for &consumer in &queue.consumers.all {
            self.forget_consumer(consumer);
        }
        let name = (DestinationKind::Queue, queue.name.name.clone());
        self.unbind_destination(BindingDestination::Queue(id), name, &queue.bound_from);
        match rule {
            "DL-2" => self.emit("queue.deleted", |sim| sim.queue_deleted(&queue)),
            _ => self.emit_internal("queue.deleted", |sim| sim.queue_deleted(&queue)),
        }
        self.tell_unread(&mut queue, rule, why);
        if self.insights {
            let entries = match &mut queue.contents {
                QueueContents::Classic(classic) => classic.drain(),
                QueueContents::Quorum(quorum) => {
                    let mut all = quorum.drain();
                    all.extend(quorum.delayed.drain());
                    all.extend(quorum.backlog.drain());
                    all
                }
                QueueContents::Stream(_) => Vec::new(),
            };
            for entry in entries {
                let why = format!("{} is gone: {why}", queue.name);
                self.tell(Some(entry.stored.origin), None, rule, || What::Dropped { why, stood: false });
            }
        }
        if queue.watched {
            self.watches.touch_name(&queue.name);
        }
    }

    /// Tells a consumer's client that its queue is gone.
    fn forget_consumer(&mut self, id: ConsumerId) {
        let Some(consumer) = self.consumers.get_mut(id) else { return };
        let (channel, tag, cancelled) = (consumer.channel, consumer.tag.clone(), consumer.cancelled);
        consumer.cancelled = true;
        consumer.rotating = false;
        if consumer.unacked == 0 || consumer.ghost.is_some() {
            self.consumers.remove(id);
        }
        if !cancelled {
            if let Some(state) = self.channels.get_mut(channel) {
                state.consumers.remove(&tag);
            }
            self.tell_cancelled(channel, tag);
        }
    }

    pub(crate) fn queue_id(&self, vhost: VhostId, name: &str) -> Option<QueueId> {
        self.vhosts.get(vhost)?.queues.get(name).copied()
    }

    /// Finds a queue for a channel: 404 when it is not there, 405 when it is exclusive to another (CO-21, ER-5).
    pub(crate) fn usable_queue(&self, channel: ChannelIndex, name: &Name) -> Result<QueueId, Refusal> {
        let id = self.known_queue(channel, name)?;
        self.check_lock(channel, id)?;
        Ok(id)
    }

    /// Finds a queue for a channel, whosever it is: 404 when it is not there.
    pub(crate) fn known_queue(&self, channel: ChannelIndex, name: &Name) -> Result<QueueId, Refusal> {
        let state = self.channels.get(channel);
        let found = state.and_then(|state| self.queue_id(state.vhost, name));
        found.ok_or_else(|| {
            let vhost = state.map_or_else(|| Name::from(""), |state| self.vhost_name(state.vhost));
            not_found(&shown_queue(&vhost, name))
        })
    }

    /// Checks that a queue is not exclusive to another connection: 405.
    pub(crate) fn check_lock(&self, channel: ChannelIndex, queue: QueueId) -> Result<(), Refusal> {
        match (self.queues.get(queue), self.channels.get(channel)) {
            (Some(queue), Some(state)) if queue.owner.is_some_and(|owner| owner != state.connection) => {
                Err(locked(queue))
            }
            _ => Ok(()),
        }
    }

    /// Lets the empty name mean the channel's last queue (ER-1).
    pub(crate) fn expand_queue(&self, channel: ChannelIndex, name: &Name) -> Result<Name, Refusal> {
        if !name.is_empty() {
            return Ok(stripped(name));
        }
        let last = self.channels.get(channel).and_then(|state| state.last_queue.clone());
        last.ok_or_else(|| channel_error(code::NOT_FOUND, "no previously declared queue"))
    }

    pub(crate) fn check_queue_limit(&self, vhost: VhostId, name: &Name) -> Result<(), Refusal> {
        let Some(state) = self.vhosts.get(vhost) else { return Ok(()) };
        match state.limit("max-queues") {
            Some(max) if state.queues.len() as i64 >= max => Err(precondition_failed(format!(
                "cannot declare queue '{name}': queue limit in vhost '{}' ({max}) is reached",
                state.name
            ))),
            _ => Ok(()),
        }
    }

    /// Makes a name that nobody else has.
    pub(crate) fn server_name(&mut self, prefix: &str) -> Name {
        self.names_made += 1;
        format!("{prefix}{:022}", self.names_made).into()
    }
}

fn locked(queue: &Queue) -> Refusal {
    let text = format!(
        "cannot obtain exclusive access to locked {}. It could be originally declared on another connection or the \
         exclusive property value does not match that of the original declaration.",
        queue.shown()
    );
    channel_error(code::RESOURCE_LOCKED, text)
}
