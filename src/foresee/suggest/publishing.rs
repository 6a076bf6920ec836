//! How a message gets to a queue: by the binding that leads to the fewest others, else by the queue's name.

use crate::foresee::suggest::sample::topic_key;
use crate::foresee::suggest::yaml::{headers, scalar};
use crate::foresee::topology_view::TopologyView;
use crate::model::{Binding, Name, QueueName, Table};

/// How many bindings are tried for a queue.
const BINDINGS_MAX: usize = 200;

/// Where a message is published to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PublishPlace {
    pub vhost: Name,
    pub exchange: Name,
    pub key: String,
    pub headers: Option<Table>,
}

impl PublishPlace {
    /// Names a queue by the default exchange.
    pub(crate) fn by_name(queue: &QueueName) -> Self {
        Self { vhost: queue.vhost.clone(), exchange: Name::default(), key: queue.name.to_string(), headers: None }
    }

    /// Makes a message that a binding takes.
    pub(crate) fn of_binding(binding: &Binding, kind: &str) -> Self {
        let key = match kind {
            "topic" => topic_key(&binding.routing_key),
            _ => binding.routing_key.to_string(),
        };
        let wanted = binding.arguments.iter().filter(|(key, _)| !key.starts_with("x-"));
        let wanted: Table = wanted.map(|(key, value)| (key.clone(), value.clone())).collect();
        let headers = (kind == "headers").then_some(wanted);
        Self { vhost: binding.vhost.clone(), exchange: binding.source.clone(), key, headers }
    }

    /// Writes the fields of a publish, without what it says of the message.
    pub(crate) fn fields(&self) -> Option<String> {
        let mut out = match self.exchange.is_empty() {
            true => format!("exchange: \"\", routing_key: {}", scalar(&self.key)),
            false if self.key.is_empty() => format!("exchange: {}", scalar(&self.exchange)),
            false => format!("exchange: {}, routing_key: {}", scalar(&self.exchange), scalar(&self.key)),
        };
        if let Some(table) = self.headers.as_ref().filter(|table| !table.is_empty()) {
            out.push_str(&format!(", headers: {}", headers(table)?));
        }
        Some(out)
    }

    /// Lists the queues that it comes to.
    pub(crate) fn reaches(&self, view: &TopologyView<'_>) -> Vec<Name> {
        view.broker.queues_reached(&self.vhost, &self.exchange, &self.key, self.headers.as_ref())
    }
}

/// Returns whether clients may publish to an exchange, and the simulator knows its type.
pub(crate) fn is_open(view: &TopologyView<'_>, vhost: &str, exchange: &str) -> bool {
    let known = |kind| matches!(kind, "direct" | "fanout" | "topic" | "headers");
    let internal = view.exchanges.get(&(vhost, exchange)).is_some_and(|declared| declared.internal);
    view.exchange_kind(vhost, exchange).is_some_and(known) && !internal
}

/// Finds the best place to publish for a queue.
pub(crate) fn place_for(view: &TopologyView<'_>, queue: &QueueName) -> PublishPlace {
    let mut best: Option<(usize, PublishPlace)> = None;
    let all = view.topology.bindings.iter().filter(|binding| binding.vhost == queue.vhost);
    for binding in all.filter(|binding| is_open(view, &binding.vhost, &binding.source)).take(BINDINGS_MAX) {
        let kind = view.exchange_kind(&binding.vhost, &binding.source).unwrap_or("direct");
        let place = PublishPlace::of_binding(binding, kind);
        let reached = place.reaches(view);
        let writable = place.fields().is_some();
        if writable && reached.contains(&queue.name) && best.as_ref().is_none_or(|(others, _)| reached.len() < *others)
        {
            best = Some((reached.len(), place));
        }
    }
    best.map_or_else(|| PublishPlace::by_name(queue), |(_, place)| place)
}
