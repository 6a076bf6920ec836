//! Drafts for the rights of a user in a vhost: what it may do, and what it is refused.

use crate::foresee::coverage::Coverable;
use crate::foresee::suggest::drafts::Workshop;
use crate::foresee::suggest::publishing::is_open;
use crate::foresee::suggest::sample::{fitting, topic_key, unfitting};
use crate::foresee::suggest::yaml::scalar;
use crate::model::{Name, Permission, QueueKind, TopicPermission, Value};
use crate::rules::{Pattern, expand_topic_pattern};

/// One step that shows a right.
pub(crate) struct RightStep {
    pub item: Coverable,
    pub granted: bool,
    pub text: String,
}

/// The name of the default exchange, as rights see it.
const DEFAULT_EXCHANGE: &str = "amq.default";

impl Workshop<'_> {
    /// Lists steps that show the rights of a row: at most one that is allowed and one that is refused for each.
    pub(crate) fn right_steps(&self, row: &Permission) -> Vec<RightStep> {
        let mut steps = Vec::new();
        for granted in [true, false] {
            steps.extend(self.write_step(row, granted).map(|text| self.right(row, None, "write", granted, text)));
            steps.extend(self.read_step(row, granted).map(|text| self.right(row, None, "read", granted, text)));
            steps.extend(
                self.configure_step(row, granted).map(|text| self.right(row, None, "configure", granted, text)),
            );
        }
        let topics = self.view.topology.topic_permissions.iter();
        for topic in topics.filter(|topic| topic.user == row.user && topic.vhost == row.vhost) {
            let exchange = Some(&topic.exchange);
            for granted in [true, false] {
                let write = self.topic_write(row, topic, granted);
                steps.extend(write.map(|text| self.right(row, exchange, "write", granted, text)));
                let read = self.topic_read(row, topic, granted);
                steps.extend(read.map(|text| self.right(row, exchange, "read", granted, text)));
            }
        }
        steps
    }

    fn right(
        &self,
        row: &Permission,
        exchange: Option<&Name>,
        right: &'static str,
        granted: bool,
        body: String,
    ) -> RightStep {
        let (user, vhost) = (row.user.clone(), row.vhost.clone());
        let text = self.step_as(&row.vhost, &body, Some(&row.user), !granted);
        RightStep { item: Coverable::Right { user, vhost, exchange: exchange.cloned(), right }, granted, text }
    }

    fn write_step(&self, row: &Permission, granted: bool) -> Option<String> {
        let is = |name: &str| allows(&row.write, name) == granted;
        let declared = self.view.topology.exchanges.iter().filter(|it| it.vhost == row.vhost);
        let open = declared.filter(|it| is_open(self.view, &it.vhost, &it.name) && is(&it.name));
        // A right on a topic exchange may be narrowed by keys: those steps show it better.
        let narrowed = |name: &Name| {
            let rows = &self.view.topology.topic_permissions;
            rows.iter().any(|it| it.user == row.user && it.vhost == row.vhost && it.exchange == *name)
        };
        let chosen = open.filter(|it| !narrowed(&it.name)).map(|it| it.name.clone()).next();
        let default = || is(DEFAULT_EXCHANGE).then(Name::default);
        let exchange = chosen.or_else(default)?;
        let key = self.key_of(&row.vhost, &exchange);
        let id = if granted { "allowed" } else { "refused" };
        Some(format!("publish: {{exchange: {}, routing_key: {}, id: {id}, body: x}}", scalar(&exchange), scalar(&key)))
    }

    /// Returns a key by which an exchange finds a queue, if it has one.
    fn key_of(&self, vhost: &str, exchange: &str) -> String {
        let topology = self.view.topology;
        if exchange.is_empty() {
            let queue = topology.queues.iter().find(|queue| *queue.vhost == *vhost);
            return queue.map_or_else(|| "nobody".to_owned(), |queue| queue.name.to_string());
        }
        let kind = self.view.exchange_kind(vhost, exchange);
        let binding = self.view.bindings_from(vhost, exchange).first();
        match (binding, kind) {
            (Some(binding), Some("topic")) => topic_key(&binding.routing_key),
            (Some(binding), _) if !binding.routing_key.is_empty() => binding.routing_key.to_string(),
            _ => "any".to_owned(),
        }
    }

    fn read_step(&self, row: &Permission, granted: bool) -> Option<String> {
        let gets = |queue: &&crate::foresee::topology_view::QueueView<'_>| {
            let alone = queue.queue.arguments.get("x-single-active-consumer") == Some(&Value::Bool(true));
            queue.queue.vhost == row.vhost
                && queue.kind != QueueKind::Stream
                && !(alone && queue.kind == QueueKind::Quorum)
        };
        let queue = self.view.queues.iter().filter(gets).find(|queue| allows(&row.read, queue.name()) == granted)?;
        Some(format!("get: {}", scalar(queue.name())))
    }

    fn configure_step(&self, row: &Permission, granted: bool) -> Option<String> {
        let own = format!("{}.queue", row.user);
        let name = match granted {
            true => fitting(&row.configure)?,
            false => unfitting(&row.configure, [own.as_str(), "somebody.elses", "zz"])?,
        };
        let known = self.view.queue(&row.vhost, &name).is_some();
        (!known && !name.starts_with("amq.")).then(|| format!("declare: {{queue: {}}}", scalar(&name)))
    }

    fn topic_write(&self, row: &Permission, topic: &TopicPermission, granted: bool) -> Option<String> {
        let is_topic = self.view.exchange_kind(&topic.vhost, &topic.exchange) == Some("topic");
        let may = is_open(self.view, &topic.vhost, &topic.exchange) && allows(&row.write, &topic.exchange);
        let key = self.key_by(topic, &topic.write, granted).filter(|_| is_topic && may)?;
        let id = if granted { "reported" } else { "kept-out" };
        Some(format!(
            "publish: {{exchange: {}, routing_key: {}, id: {id}, body: x}}",
            scalar(&topic.exchange),
            scalar(&key)
        ))
    }

    /// A queue is bound: that asks for write on it, for read on the exchange, and for the key.
    fn topic_read(&self, row: &Permission, topic: &TopicPermission, granted: bool) -> Option<String> {
        let is_topic = self.view.exchange_kind(&topic.vhost, &topic.exchange) == Some("topic");
        let may = is_topic && allows(&row.read, &topic.exchange);
        let mine = self.view.queues.iter().filter(|queue| queue.queue.vhost == row.vhost);
        let queue = mine.filter(|queue| allows(&row.write, queue.name())).map(|queue| queue.name()).next()?;
        let key = self.key_by(topic, &topic.read, granted).filter(|_| may)?;
        Some(format!(
            "bind: {{source: {}, queue: {}, routing_key: {}}}",
            scalar(&topic.exchange),
            scalar(queue),
            scalar(&key)
        ))
    }

    /// Finds a routing key that a pattern of topic permissions fits, or one that it does not; better one that leads to a queue.
    fn key_by(&self, topic: &TopicPermission, pattern: &str, granted: bool) -> Option<String> {
        let pattern = expand_topic_pattern(pattern, &topic.user, &topic.vhost);
        let keys = self.view.bindings_from(&topic.vhost, &topic.exchange).iter().map(|it| topic_key(&it.routing_key));
        let mut keys: Vec<String> = keys.filter(|key| !key.is_empty()).collect();
        if granted {
            return keys.into_iter().find(|key| allows(&pattern, key)).or_else(|| fitting(&pattern));
        }
        keys.extend(["somebody.elses".to_owned(), "zz".to_owned()]);
        unfitting(&pattern, keys.iter().map(String::as_str))
    }
}

fn allows(pattern: &str, name: &str) -> bool {
    Pattern::permission(pattern, false).is_ok_and(|pattern| pattern.matches(name))
}
