//! The firehose: while a vhost is traced, each publish of a channel and each delivery is published once more, to
//! `amq.rabbitmq.trace` (PX-4).

use crate::broker::DeliveredMessage;
use crate::model::{Message, Name, Properties, Table, Value};
use crate::sim::broker::Sim;
use crate::sim::events::event_facts::NODE;
use crate::sim::events::own_publishes::OwnPublish;
use crate::sim::state::arena::{ChannelIndex, QueueId, VhostId};
use crate::sim::state::queued_message::Stored;

/// Where traces go.
const TRACE: &str = "amq.rabbitmq.trace";

/// A message that passes a channel, as a trace tells it.
struct Passing<'m> {
    exchange: &'m Name,
    keys: Vec<Name>,
    message: &'m Message,
}

impl Sim {
    /// Switches tracing of a vhost on or off; returns whether there is such a vhost.
    pub fn trace_vhost(&mut self, vhost: &str, on: bool) -> bool {
        let Some(&id) = self.vhost_names.get(vhost) else { return false };
        match on {
            true => self.own_publishes.traced.insert(id),
            false => self.own_publishes.traced.remove(&id),
        };
        true
    }

    /// Returns whether a vhost is traced.
    pub fn is_traced(&self, vhost: &str) -> bool {
        self.vhost_names.get(vhost).is_some_and(|id| self.own_publishes.traced.contains(id))
    }

    /// Returns the vhost of a channel, if what passes it is traced.
    fn traced(&self, channel: ChannelIndex, exchange: &Name) -> Option<VhostId> {
        if self.own_publishes.traced.is_empty() {
            return None;
        }
        let vhost = self.channels.get(channel)?.vhost;
        let is_traced = self.own_publishes.traced.contains(&vhost) && **exchange != *TRACE;
        (is_traced && self.is_listened_to(vhost, TRACE)).then_some(vhost)
    }

    /// Traces a publish that was routed to `self.targets`.
    pub(crate) fn tap_in(&mut self, channel: ChannelIndex, stored: &Stored) {
        let exchange = stored.exchange();
        let Some(vhost) = self.traced(channel, exchange) else { return };
        let keys = keys_of(stored);
        // The default exchange names a queue for each key, be there one or not.
        let mut queues: Vec<Name> = match exchange.is_empty() {
            true => keys.clone(),
            false => {
                let names = self.targets.iter().filter_map(|id| Some(self.queues.get(*id)?.name.name.clone()));
                names.collect()
            }
        };
        queues.sort();
        queues.dedup();
        let key = format!("publish.{exchange}");
        let mut headers = self.passing(&Passing { exchange, keys, message: &stored.message });
        self.tell_who(&mut headers, channel);
        headers.insert("routed_queues".into(), Value::Array(queues.into_iter().map(Value::Text).collect()));
        self.send_trace(vhost, &key, headers, &stored.message);
    }

    /// Traces a delivery.
    pub(crate) fn tap_out(
        &mut self,
        channel: ChannelIndex,
        queue: QueueId,
        (exchange, keys): (&Name, Vec<Name>),
        (message, redelivered): (&DeliveredMessage, bool),
    ) {
        let Some(vhost) = self.traced(channel, exchange) else { return };
        let Some(queue) = self.queues.get(queue).map(|queue| queue.name.name.clone()) else { return };
        let mut headers = self.passing(&Passing { exchange, keys, message });
        headers.insert("redelivered".into(), Value::I32(redelivered.into()));
        self.tell_who(&mut headers, channel);
        self.send_trace(vhost, &format!("deliver.{queue}"), headers, message);
    }

    fn send_trace(&mut self, vhost: VhostId, key: &str, headers: Table, traced: &Message) {
        let message = Message { properties: self.told_by_headers(headers), body: traced.body.clone() };
        self.own_publishes.waiting.push_back(OwnPublish { vhost, exchange: TRACE.into(), key: key.into(), message });
    }

    fn passing(&self, passing: &Passing<'_>) -> Table {
        let keys = passing.keys.iter().cloned().map(Value::Text).collect();
        let entries: [(&str, Value); 4] = [
            ("exchange_name", Value::Text(passing.exchange.clone())),
            ("routing_keys", Value::Array(keys)),
            ("properties", Value::Table(shown_properties(&passing.message.properties))),
            ("node", Value::Text(NODE.into())),
        ];
        entries.into_iter().collect()
    }

    /// Adds whose channel it was.
    fn tell_who(&self, headers: &mut Table, channel: ChannelIndex) {
        let Some(state) = self.channels.get(channel) else { return };
        let number = self.number_of(state.id, state.number);
        let entries = [
            ("vhost", Value::Text(self.vhost_name(state.vhost))),
            ("connection", Value::Text(self.name_of(state.connection))),
            ("channel", Value::I32(number.into())),
            ("user", Value::Text(state.user.clone().unwrap_or_else(|| "guest".into()))),
        ];
        headers.extend(entries);
    }
}

/// Lists all keys of a message, those of BCC too.
pub(crate) fn keys_of(stored: &Stored) -> Vec<Name> {
    std::iter::once(stored.routing_key()).chain(stored.further.iter()).cloned().collect()
}

/// Writes properties as a table, the last one first: numbers in 32 bits, all else as texts.
fn shown_properties(properties: &Properties) -> Table {
    let text = |value: &Option<Name>| value.clone().map(Value::Text);
    let number = |value: Option<u8>| value.map(|value| Value::I32(value.into()));
    let entries = [
        ("cluster_id", text(&properties.cluster_id)),
        ("app_id", text(&properties.app_id)),
        ("user_id", text(&properties.user_id)),
        ("type", text(&properties.kind)),
        ("timestamp", properties.timestamp.map(|seconds| Value::I32(seconds as i32))),
        ("message_id", text(&properties.message_id)),
        ("expiration", text(&properties.expiration)),
        ("reply_to", text(&properties.reply_to)),
        ("correlation_id", text(&properties.correlation_id)),
        ("priority", number(properties.priority)),
        ("delivery_mode", number(properties.delivery_mode)),
        ("headers", properties.headers.clone().map(Value::Table)),
        ("content_encoding", text(&properties.content_encoding)),
        ("content_type", text(&properties.content_type)),
    ];
    entries.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
