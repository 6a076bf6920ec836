//! Whether a number that the run comes to is as expected. Takes the counts of the run; names the metric in its findings.

use crate::model::{Count, Metric, MetricExpectation, Millis};
use crate::player::record::failure::{Difference, Finding};
use crate::player::record::run_counts::RunCounts;

/// Compares a metric with what it must be.
pub(crate) fn judge_metric(wanted: &MetricExpectation, counts: Option<&RunCounts>, findings: &mut Vec<Finding>) {
    let (name, is) = (name_of(&wanted.metric), wanted.is);
    let nothing = RunCounts::default();
    let counts = counts.unwrap_or(&nothing);
    let (found, expected, found_in_words) = match &wanted.metric {
        Metric::Latency { quantile } => {
            let Some(time) = counts.latency_of(*quantile) else {
                findings.push(Finding::new(name, times_in_words(is), "no message that was delivered"));
                return;
            };
            (time.0, times_in_words(is), time.to_string())
        }
        metric => {
            let found = counts.number_of(metric);
            (found, is.to_string(), found.to_string())
        }
    };
    if !is.holds(found) {
        let difference = if found < is.min { Difference::Fewer } else { Difference::More };
        findings.push(Finding::new(name, expected, found_in_words).by(difference));
    }
}

/// Names a metric with what narrows it: `dead_lettered of work, expired`.
pub(crate) fn name_of(metric: &Metric) -> String {
    let of = |name: &str, what: Option<&str>| what.map_or_else(|| name.to_owned(), |what| format!("{name} of {what}"));
    let queue = metric.queue().map(|queue| &*queue.name);
    match metric {
        Metric::Published { exchange } => match exchange.as_deref() {
            Some("") => "published to the default exchange".to_owned(),
            Some(exchange) => format!("published to {exchange}"),
            None => "published".to_owned(),
        },
        Metric::Delivered { .. } => of("delivered", queue),
        Metric::Redelivered { .. } => of("redelivered", queue),
        Metric::Settled(word) => (*word).to_owned(),
        Metric::DeadLettered { reason, .. } => {
            let reason = reason.map_or(String::new(), |reason| format!(", {reason}"));
            of("dead_lettered", queue) + &reason
        }
        Metric::Dropped { .. } => of("dropped", queue),
        Metric::Latency { quantile } => format!("latency, quantile {}", f64::from(*quantile) / 100_000.0),
    }
}

/// Writes a range of milliseconds as times.
fn times_in_words(is: Count) -> String {
    let time = |millis: u64| Millis(millis).to_string();
    match (is.min, is.max) {
        (min, Some(max)) if min == max => time(min),
        (0, Some(max)) => format!("<={}", time(max)),
        (min, Some(max)) => format!("{}..{}", time(min), time(max)),
        (min, None) => format!(">={}", time(min)),
    }
}
