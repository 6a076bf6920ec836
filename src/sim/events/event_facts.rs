//! What events tell of queues, exchanges, bindings, connections, channels, consumers, policies, users and vhosts (PX-4).
//! Gives names and values in RabbitMQ's order; never publishes.

use crate::broker::{ChannelId, ConnectionId};
use crate::model::{DestinationKind, Name, Permission, Policy, QueueKind, Table, TopicPermission, Value};
use crate::rules::{EventFacts, erlang_term, type_name};
use crate::sim::broker::Sim;
use crate::sim::state::arena::{BindingDestination, ChannelIndex, ExchangeId, QueueId};
use crate::sim::state::exchange::Exchange;
use crate::sim::state::queue::Queue;

/// What the one node is called.
pub const NODE: &str = "rabbit@rmqplay";

/// Facts of an event.
pub(crate) type Facts = Vec<(&'static str, Value)>;

/// A binding, as events tell of it.
pub(crate) struct ToldBinding<'b> {
    pub source: ExchangeId,
    pub destination: BindingDestination,
    pub key: &'b Name,
    pub arguments: &'b Table,
}

impl Sim {
    /// Returns what a connection is called.
    pub(crate) fn name_of(&self, id: ConnectionId) -> Name {
        let label = self.own_publishes.labels.get(&id);
        label.map_or_else(|| format!("connection {}", id.0).into(), |label| label.name.clone())
    }

    /// Returns the number of a channel.
    pub(crate) fn number_of(&self, id: ChannelId, first_free: u32) -> u16 {
        let number = self.own_publishes.numbers.get(&id).copied();
        number.unwrap_or_else(|| u16::try_from(first_free).unwrap_or(u16::MAX))
    }

    fn by(&self) -> (&'static str, Value) {
        ("user_who_performed_action", Value::Text(self.acting_user()))
    }

    pub(crate) fn queue_created(&self, id: QueueId) -> Facts {
        let Some(queue) = self.queues.get(id) else { return Facts::new() };
        let Queue { declared, name, kind, owner, .. } = queue;
        let mut facts = named(&name.name, &name.vhost);
        let type_comes_first = *kind == QueueKind::Classic;
        let type_is_told = *kind != QueueKind::Classic || self.rules.event_facts >= EventFacts::WithTypes;
        let kind_fact = ("type", text(format!("rabbit_{}_queue", kind.as_str())));
        if type_comes_first && type_is_told {
            facts.push(kind_fact.clone());
        }
        facts.push(("durable", Value::Bool(declared.durable)));
        facts.push(("auto_delete", Value::Bool(declared.auto_delete)));
        if type_comes_first {
            facts.push(("arguments", argument_texts(&declared.arguments)));
            facts.push(("owner_pid", owner.map_or_else(|| text(""), |owner| text(pid_of_connection(owner)))));
            facts.push(("exclusive", Value::Bool(owner.is_some())));
        } else {
            facts.push(("exclusive", Value::Bool(false)));
            facts.push(kind_fact);
            facts.push(("arguments", argument_texts(&declared.arguments)));
        }
        facts.push(self.by());
        if type_comes_first && self.rules.event_facts >= EventFacts::WithLeaders {
            facts.push(("leader", text(NODE)));
            facts.push(("members", Value::Array(vec![text(NODE)])));
        }
        facts
    }

    pub(crate) fn queue_deleted(&self, queue: &Queue) -> Facts {
        let mut facts = named(&queue.name.name, &queue.name.vhost);
        if self.rules.event_facts >= EventFacts::WithTypes {
            facts.push(("type", text(format!("rabbit_{}_queue", queue.kind.as_str()))));
        }
        facts.push(self.by());
        facts
    }

    pub(crate) fn exchange_created(&self, id: ExchangeId) -> Facts {
        let Some(Exchange { declared, .. }) = self.exchanges.get(id) else { return Facts::new() };
        let mut facts = named(&declared.name, &declared.vhost);
        facts.push(("type", Value::Text(declared.kind.clone())));
        facts.push(("durable", Value::Bool(declared.durable)));
        facts.push(("auto_delete", Value::Bool(declared.auto_delete)));
        facts.push(("internal", Value::Bool(declared.internal)));
        facts.push(("arguments", argument_texts(&declared.arguments)));
        facts.push(("policy", text("")));
        facts.push(self.by());
        facts
    }

    /// Names what an event is about: an exchange or a queue that goes, a user.
    pub(crate) fn gone(&self, name: &Name, vhost: Option<&Name>) -> Facts {
        let mut facts = match vhost {
            Some(vhost) => named(name, vhost),
            None => vec![("name", Value::Text(name.clone()))],
        };
        facts.push(self.by());
        facts
    }

    pub(crate) fn binding_facts(&self, binding: &ToldBinding<'_>) -> Facts {
        let Some(source) = self.exchanges.get(binding.source).map(|exchange| &exchange.declared) else {
            return Facts::new();
        };
        let (kind, destination) = match binding.destination {
            BindingDestination::Queue(id) => {
                (DestinationKind::Queue, self.queues.get(id).map(|queue| queue.name.name.clone()))
            }
            BindingDestination::Exchange(id) => {
                (DestinationKind::Exchange, self.exchanges.get(id).map(|other| other.declared.name.clone()))
            }
        };
        self.told_binding((&source.name, &source.vhost), (kind, &destination.unwrap_or_default()), binding)
    }

    /// Tells a binding of which an end may be gone.
    pub(crate) fn told_binding(
        &self,
        (source, vhost): (&Name, &Name),
        (kind, destination): (DestinationKind, &Name),
        binding: &ToldBinding<'_>,
    ) -> Facts {
        let kind = if kind == DestinationKind::Queue { "queue" } else { "exchange" };
        vec![
            ("source_name", Value::Text(source.clone())),
            ("source_kind", text("exchange")),
            ("destination_name", Value::Text(destination.clone())),
            ("destination_kind", text(kind)),
            ("routing_key", Value::Text(binding.key.clone())),
            ("arguments", argument_texts(binding.arguments)),
            ("vhost", Value::Text(vhost.clone())),
            self.by(),
        ]
    }

    pub(crate) fn connection_created(&self, id: ConnectionId) -> Facts {
        let Some(connection) = self.connections.get(&id) else { return Facts::new() };
        let user = connection.user.clone().unwrap_or_else(|| "guest".into());
        let mut facts = vec![
            ("pid", text(pid_of_connection(id))),
            ("name", Value::Text(self.name_of(id))),
            ("user", Value::Text(user.clone())),
            ("vhost", Value::Text(self.vhost_name(connection.vhost))),
            ("connected_at", Value::I64((self.epoch_s * 1_000 + connection.opened.0) as i64)),
            ("node", text(NODE)),
            ("user_who_performed_action", Value::Text(user)),
        ];
        facts.extend(self.label_facts(id, |_| true));
        facts
    }

    pub(crate) fn connection_closed(&self, id: ConnectionId) -> Facts {
        let mut facts =
            vec![("name", Value::Text(self.name_of(id))), ("pid", text(pid_of_connection(id))), ("node", text(NODE))];
        facts.extend(self.label_facts(id, |name| name == "client_properties"));
        facts
    }

    fn label_facts(&self, id: ConnectionId, fits: impl Fn(&str) -> bool) -> Facts {
        let label = self.own_publishes.labels.get(&id);
        label.into_iter().flat_map(|label| &label.facts).filter(|(name, _)| fits(name)).cloned().collect()
    }

    pub(crate) fn channel_created(&self, index: ChannelIndex) -> Facts {
        let Some(channel) = self.channels.get(index) else { return Facts::new() };
        let number = self.number_of(channel.id, channel.number);
        let user = channel.user.clone().unwrap_or_else(|| "guest".into());
        vec![
            ("pid", text(pid_of_channel(channel.id))),
            ("name", text(format!("{} ({number})", self.name_of(channel.connection)))),
            ("connection", text(pid_of_connection(channel.connection))),
            ("number", Value::I64(number.into())),
            ("user", Value::Text(user.clone())),
            ("vhost", Value::Text(self.vhost_name(channel.vhost))),
            ("user_who_performed_action", Value::Text(user)),
        ]
    }

    pub(crate) fn channel_closed(&self, id: ChannelId, user: Option<&Name>) -> Facts {
        let user = user.cloned().unwrap_or_else(|| "guest".into());
        let mut facts = vec![("pid", text(pid_of_channel(id))), ("user_who_performed_action", Value::Text(user))];
        if self.rules.event_facts >= EventFacts::WithTypes {
            facts.push(("consumer_count", Value::I64(0)));
        }
        facts
    }

    /// Tells of a consumer that goes, or that comes where it says how it takes messages.
    pub(crate) fn consumer_facts(
        &self,
        (tag, channel): (&Name, ChannelId),
        queue: (&Name, &Name),
        comes: Option<ComingConsumer<'_>>,
    ) -> Facts {
        let mut facts = vec![("consumer_tag", Value::Text(tag.clone()))];
        let coming = comes.as_ref();
        facts.extend(coming.map(|it| ("exclusive", Value::Bool(it.exclusive))));
        facts.extend(coming.map(|it| ("ack_required", Value::Bool(!it.no_ack))));
        facts.push(("channel", text(pid_of_channel(channel))));
        facts.push(("queue", Value::Text(queue.0.clone())));
        facts.push(("vhost", Value::Text(queue.1.clone())));
        facts.extend(coming.map(|it| ("prefetch_count", Value::I64(it.prefetch.into()))));
        facts.extend(coming.map(|it| ("arguments", argument_texts(it.arguments))));
        facts.push(self.by());
        facts
    }

    pub(crate) fn policy_set(&self, policy: &Policy) -> Facts {
        let definition = policy.definition.iter().map(|(key, value)| (key.as_str(), Value::from_json(value)));
        let mut facts = vec![
            ("pattern", text(&policy.pattern)),
            ("definition", Value::Table(definition.collect())),
            ("priority", Value::I64(policy.priority)),
            ("apply-to", text(policy.apply_to.as_str())),
        ];
        facts.extend(named(&policy.name, &policy.vhost));
        facts.push(self.by());
        facts
    }

    pub(crate) fn tags_set(&self, user: &Name, tags: &[String]) -> Facts {
        let tags = tags.iter().map(text).collect();
        vec![("name", Value::Text(user.clone())), ("tags", Value::Array(tags)), self.by()]
    }

    pub(crate) fn permission_created(&self, permission: &Permission) -> Facts {
        let Permission { user, vhost, configure, write, read } = permission;
        let mut facts = self.permission_deleted(user, vhost);
        facts.extend([("configure", text(configure)), ("write", text(write)), ("read", text(read))]);
        facts
    }

    pub(crate) fn topic_permission_created(&self, permission: &TopicPermission) -> Facts {
        let TopicPermission { user, vhost, exchange, write, read, .. } = permission;
        let mut facts = self.permission_deleted(user, vhost);
        let exchange = Value::Text(exchange.clone());
        facts.extend([("exchange", exchange), ("write", text(write)), ("read", text(read))]);
        facts
    }

    pub(crate) fn permission_deleted(&self, user: &Name, vhost: &Name) -> Facts {
        vec![("user", Value::Text(user.clone())), ("vhost", Value::Text(vhost.clone())), self.by()]
    }

    pub(crate) fn vhost_created(&self, name: &Name) -> Facts {
        let vhost = self.vhost_names.get(name).and_then(|id| self.vhosts.get(*id));
        let Some(vhost) = vhost else { return Facts::new() };
        let unset = if self.rules.stores_queue_type { "classic" } else { "undefined" };
        let default = vhost.default_queue_type.map_or(unset, QueueKind::as_str);
        let running: Table = [(NODE, text("running"))].into_iter().collect();
        vec![
            ("name", Value::Text(name.clone())),
            ("description", text(&vhost.description)),
            ("tags", Value::Array(vhost.tags.iter().map(text).collect())),
            ("default_queue_type", text(default)),
            ("tracing", Value::Bool(self.is_traced(name))),
            ("cluster_state", Value::Table(running)),
            self.by(),
        ]
    }
}

/// How a consumer that comes takes messages.
pub(crate) struct ComingConsumer<'c> {
    pub exclusive: bool,
    pub no_ack: bool,
    pub prefetch: u16,
    pub arguments: &'c Table,
}

fn text(text: impl AsRef<str>) -> Value {
    Value::Text(text.as_ref().into())
}

fn named(name: &Name, vhost: &Name) -> Facts {
    vec![("vhost", Value::Text(vhost.clone())), ("name", Value::Text(name.clone()))]
}

/// Makes up what Erlang would call a connection's process.
fn pid_of_connection(id: ConnectionId) -> String {
    format!("<{NODE}.1.{}.0>", id.0)
}

fn pid_of_channel(id: ChannelId) -> String {
    format!("<{NODE}.2.{}.0>", id.0)
}

/// Writes arguments as events do: each as the text of an Erlang tuple.
fn argument_texts(arguments: &Table) -> Value {
    Value::Array(arguments.iter().map(|(name, value)| text(argument_text(name, value))).collect())
}

/// Writes an argument, or a client's property, as the text of an Erlang tuple.
pub fn argument_text(name: &str, value: &Value) -> String {
    format!("{{<<\"{name}\">>,{},{}}}", type_name(value), erlang_term(value))
}
