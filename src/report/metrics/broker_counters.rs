//! What a live broker counted itself, as its Prometheus endpoint tells it: the counters of all its messages.
//! Takes texts of that endpoint; gives numbers, and how far they went between two of them.

use std::collections::BTreeMap;

/// What the names of these counters begin with.
const BEGINNING: &str = "rabbitmq_global_messages_";

/// What they end with.
const ENDING: &str = "_total";

/// The counters of a broker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrokerCounters {
    /// The broker as reports name it: `RabbitMQ 4.3.6`.
    pub broker: String,
    /// By name without `_total`, and labels as the endpoint writes them, without brackets.
    pub(crate) values: BTreeMap<(String, String), u64>,
}

impl BrokerCounters {
    /// Reads the counters of messages from the endpoint's text; other lines are left out.
    pub fn read(broker: &str, text: &str) -> Self {
        Self { broker: broker.to_owned(), values: text.lines().filter_map(counter).collect() }
    }

    /// Returns whether the text held none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns how far the counters went since an earlier text. One that is lower began anew with its broker.
    pub fn since(&self, before: &Self) -> Self {
        let went = self.values.iter().map(|(key, now)| {
            let before = before.values.get(key).copied().unwrap_or(0);
            (key.clone(), now.checked_sub(before).unwrap_or(*now))
        });
        Self { broker: self.broker.clone(), values: went.collect() }
    }
}

fn counter(line: &str) -> Option<((String, String), u64)> {
    let rest = line.strip_prefix(BEGINNING)?;
    let (series, value) = rest.rsplit_once(' ')?;
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let name = name.strip_suffix(ENDING)?;
    let value: f64 = value.trim().parse().ok()?;
    let labels = labels.strip_suffix('}')?;
    (value >= 0.0).then(|| ((format!("{BEGINNING}{name}"), labels.to_owned()), value as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As 3.10.8 and 4.3.6 write it.
    const BEFORE: &str = "# TYPE rabbitmq_global_messages_confirmed_total counter\n# HELP rabbitmq_global_messages_confirmed_total x\n\
        rabbitmq_global_messages_confirmed_total{protocol=\"amqp091\"} 7\n\
        rabbitmq_global_messages_delivered_total{protocol=\"amqp091\",queue_type=\"rabbit_classic_queue\"} 3.0\n\
        rabbitmq_build_info{rabbitmq_version=\"4.3.6\"} 1\nrabbitmq_global_publishers{protocol=\"amqp091\"} 2\n";

    #[test]
    fn only_what_the_counters_went_on_is_told() {
        let after = BEFORE.replace("} 7", "} 9").replace("} 3.0", "} 1.0");
        let [before, after] = [BEFORE, &after].map(|text| BrokerCounters::read("RabbitMQ 4.3.6", text));
        let values: Vec<_> = after.since(&before).values.into_iter().collect();
        let of = |name: &str, labels: &str| (name.to_owned(), labels.to_owned());
        let (confirmed, delivered) = ("rabbitmq_global_messages_confirmed", "rabbitmq_global_messages_delivered");
        let classic = "protocol=\"amqp091\",queue_type=\"rabbit_classic_queue\"";
        assert_eq!(values, [(of(confirmed, "protocol=\"amqp091\""), 2), (of(delivered, classic), 1)]);
        assert!(BrokerCounters::read("RabbitMQ 4.3.6", "<html>404</html>").is_empty());
    }
}
