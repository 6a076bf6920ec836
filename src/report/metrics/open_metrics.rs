//! OpenMetrics 1.0: each family with its type and sense, its samples together, and an end.

use crate::model::{Name, QueueName};
use crate::player::{LATENCY_BOUNDS_MS, RunCounts};
use crate::report::metrics::BrokerCounters;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The counts of a run, and the labels that tell it from others.
#[derive(Debug, Clone)]
pub struct MeasuredRun<'a> {
    /// Names and values.
    pub labels: Vec<(&'static str, String)>,
    /// What it came to.
    pub counts: &'a RunCounts,
}

/// A sample of a counter: further labels, and its value.
type Sample = (Vec<(&'static str, String)>, u64);

/// A counter: its name without `_total`, what it counts, and its samples of a run.
type Counter = (&'static str, &'static str, fn(&RunCounts) -> Vec<Sample>);

const COUNTERS: [Counter; 7] = [
    ("rmqplay_messages_published", "Messages published, by exchange.", |counts| {
        counts.published.iter().map(|(exchange, n)| (vec![("exchange", exchange.to_string())], *n)).collect()
    }),
    (
        "rmqplay_publishes_ended",
        "Publishes by how they ended: confirmed, nacked, returned, refused, lost, rolled_back.",
        |counts| counts.ended.iter().map(|(outcome, n)| (vec![("outcome", outcome.as_str().to_owned())], *n)).collect(),
    ),
    ("rmqplay_messages_delivered", "Deliveries to consumers and by get, by queue.", |counts| {
        counts.delivered.iter().map(|(queue, n)| (of_queue(queue), *n)).collect()
    }),
    ("rmqplay_messages_redelivered", "Deliveries that were redelivered, by queue.", |counts| {
        counts.redelivered.iter().map(|(queue, n)| (of_queue(queue), *n)).collect()
    }),
    ("rmqplay_messages_settled", "Settlements: acked, nacked, rejected, requeued.", |counts| {
        counts.settled.iter().map(|(word, n)| (vec![("settlement", (*word).to_owned())], *n)).collect()
    }),
    ("rmqplay_messages_dead_lettered", "Dead letters, by the queue where they died and the reason.", |counts| {
        let labels = |(queue, death): &(QueueName, crate::broker::Death)| {
            let mut labels = of_queue(queue);
            labels.push(("reason", death.as_str().to_owned()));
            labels
        };
        counts.dead_lettered.iter().map(|(key, n)| (labels(key), *n)).collect()
    }),
    ("rmqplay_messages_dropped", "Messages that are gone for good, by the queue where they were last.", |counts| {
        counts.dropped.iter().map(|(queue, n)| (of_queue(queue), *n)).collect()
    }),
];

fn of_queue(queue: &QueueName) -> Vec<(&'static str, String)> {
    let text = |name: &Name| name.to_string();
    vec![("vhost", text(&queue.vhost)), ("queue", text(&queue.name))]
}

/// Writes the counts of runs, and behind them what live brokers counted themselves meanwhile.
pub fn open_metrics(runs: &[MeasuredRun<'_>], brokers: &[BrokerCounters]) -> String {
    let mut text = String::new();
    for (name, help, samples) in COUNTERS {
        let _ = writeln!(text, "# TYPE {name} counter\n# HELP {name} {help}");
        for run in runs {
            for (labels, value) in samples(run.counts) {
                let labels = written(run.labels.iter().chain(&labels));
                let _ = writeln!(text, "{name}_total{labels} {value}");
            }
        }
    }
    let name = "rmqplay_delivery_latency_seconds";
    let _ = writeln!(text, "# TYPE {name} histogram\n# UNIT {name} seconds");
    let _ = writeln!(
        text,
        "# HELP {name} Time from a publish to the first delivery of its message, in the scenario's time."
    );
    for run in runs {
        let mut sum = 0;
        let bounds = LATENCY_BOUNDS_MS.iter().map(|bound| seconds(*bound)).chain(["+Inf".to_owned()]);
        for (bound, own) in bounds.zip(run.counts.latency) {
            sum += own;
            let labels = written(run.labels.iter().chain(&[("le", bound)]));
            let _ = writeln!(text, "{name}_bucket{labels} {sum}");
        }
        let labels = written(run.labels.iter());
        let _ = writeln!(text, "{name}_sum{labels} {}", seconds(run.counts.latency_sum.0));
        let _ = writeln!(text, "{name}_count{labels} {sum}");
    }
    own_counters(brokers, &mut text);
    text + "# EOF\n"
}

/// Writes what brokers counted, by their own names; counters that did not move are left out.
fn own_counters(brokers: &[BrokerCounters], text: &mut String) {
    let mut families: BTreeMap<&str, Vec<(&str, &str, u64)>> = BTreeMap::new();
    for counters in brokers {
        for ((name, labels), value) in counters.values.iter().filter(|(_, value)| **value > 0) {
            families.entry(name).or_default().push((&counters.broker, labels, *value));
        }
    }
    for (name, samples) in families {
        let help = "Counted by the broker itself while the run went on, of all its clients together.";
        let _ = writeln!(text, "# TYPE {name} counter\n# HELP {name} {help}");
        for (broker, labels, value) in samples {
            let broker = written([("broker", broker.to_owned())].iter());
            let broker = broker.trim_end_matches('}');
            let comma = if labels.is_empty() { "" } else { "," };
            let _ = writeln!(text, "{name}_total{broker}{comma}{labels}}} {value}");
        }
    }
}

/// Writes milliseconds as seconds, exactly.
fn seconds(millis: u64) -> String {
    let text = format!("{}.{:03}", millis / 1_000, millis % 1_000);
    let short = text.trim_end_matches('0');
    if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
}

/// Writes labels; nothing for none.
fn written<'l>(labels: impl Iterator<Item = &'l (&'static str, String)>) -> String {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let all: Vec<String> = labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    if all.is_empty() { String::new() } else { format!("{{{}}}", all.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_stand_together_and_labels_are_escaped() {
        let mut counts = RunCounts::default();
        counts.published.insert("a \"b\"\\\n".into(), 3);
        counts.latency[1] = 2;
        counts.latency_sum = crate::model::Millis(7_050);
        let run = |name: &str| MeasuredRun { labels: vec![("cell", name.to_owned())], counts: &counts };
        let own = BrokerCounters::read(
            "RabbitMQ 4.3.6",
            "rabbitmq_global_messages_routed_total{protocol=\"amqp091\"} 3\nrabbitmq_global_messages_received_total{} 0\n",
        );
        let text = open_metrics(&[run("one"), run("two")], &[own]);
        let published: Vec<&str> = text.lines().filter(|line| line.contains("messages_published")).collect();
        assert_eq!(
            published,
            [
                "# TYPE rmqplay_messages_published counter",
                "# HELP rmqplay_messages_published Messages published, by exchange.",
                "rmqplay_messages_published_total{cell=\"one\",exchange=\"a \\\"b\\\"\\\\\\n\"} 3",
                "rmqplay_messages_published_total{cell=\"two\",exchange=\"a \\\"b\\\"\\\\\\n\"} 3",
            ]
        );
        assert!(text.contains("latency_seconds_bucket{cell=\"one\",le=\"0.001\"} 0\n"), "{text}");
        assert!(text.contains("latency_seconds_bucket{cell=\"one\",le=\"0.005\"} 2\n"), "{text}");
        assert!(text.contains("latency_seconds_bucket{cell=\"one\",le=\"+Inf\"} 2\n"), "{text}");
        assert!(text.contains("latency_seconds_sum{cell=\"two\"} 7.05\n"), "{text}");
        assert!(
            text.contains("latency_seconds_count{cell=\"two\"} 2\n# TYPE rabbitmq_global_messages_routed counter\n"),
            "{text}"
        );
        let last = "_routed_total{broker=\"RabbitMQ 4.3.6\",protocol=\"amqp091\"} 3\n# EOF\n";
        assert!(text.ends_with(last) && !text.contains("messages_received"), "{text}");
        assert_eq!((seconds(0), seconds(3_600_000), seconds(1_500)), ("0.0".into(), "3600.0".into(), "1.5".into()));
    }
}
