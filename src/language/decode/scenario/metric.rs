//! Decodes `metric`: which number of a run, and what it must be.
//! Takes the fields of an expectation; gives a metric with a range, that of a latency in milliseconds.

use crate::language::decode::map_decoder::{Diagnostics, MapDecoder};
use crate::language::decode::read;
use crate::language::decode::read::{DecodeError, Read};
use crate::language::decode::scenario::matchers::DEATH_REASONS;
use crate::language::syntax::tree::{Node, NodeKind};
use crate::model::{Count, Metric, MetricExpectation, Millis, Name, QueueName};
use crate::source::{Code, Problem};

/// The names of metrics.
const NAMES: [&str; 10] = [
    "published",
    "delivered",
    "redelivered",
    "acked",
    "nacked",
    "rejected",
    "requeued",
    "dead_lettered",
    "dropped",
    "latency",
];

/// What may stand beside a name, and which names take it.
const NARROWED_BY: [(&str, &[&str]); 4] = [
    ("exchange", &["published"]),
    ("queue", &["delivered", "redelivered", "dead_lettered", "dropped"]),
    ("reason", &["dead_lettered"]),
    ("quantile", &["latency"]),
];

/// Decodes `metric` with `is` beside it.
pub fn metric(fields: &mut MapDecoder<'_>, vhost: &Name, desk: &mut Diagnostics) -> Option<MetricExpectation> {
    let node = fields.node("metric")?;
    let is = fields.entry("is");
    let (name, metric) = match node.kind {
        NodeKind::Map(_) => narrowed(node, vhost, desk)?,
        _ => {
            let name = desk.read("`metric`", node, read::word(&NAMES))?;
            (name, made(name, &mut None, vhost, desk, node)?)
        }
    };
    let Some(is) = is else {
        let problem = Problem::new(Code::ScenarioMetric, "a metric says what it must be");
        let example = if name == "latency" { "\"<=200ms\"" } else { "\"<=5\"" };
        desk.add(problem.at(node.span, "no `is` beside it").help(format!("write `is: {example}` beside `metric`")));
        return None;
    };
    let is = match name {
        "latency" => desk.read("`is`", &is.value, times)?,
        _ => desk.read("`is`", &is.value, read::count)?,
    };
    Some(MetricExpectation { metric, is })
}

/// Decodes a metric with what narrows it.
fn narrowed(node: &Node, vhost: &Name, desk: &mut Diagnostics) -> Option<(&'static str, Metric)> {
    let mut inner = MapDecoder::of("metric", "`metric`", node, desk)?;
    if !inner.has("name") {
        inner.missing("name", desk);
    }
    let Some(name) = inner.opt("name", desk, read::word(&NAMES)) else {
        inner.ignore(&NARROWED_BY.map(|(key, _)| key));
        inner.finish(desk);
        return None;
    };
    let before = desk.problems.len();
    for (key, names) in NARROWED_BY.iter().filter(|(_, names)| !names.contains(&name)) {
        if let Some(entry) = inner.entry(key) {
            let message = format!("`{key}` does not narrow {name}");
            let problem = Problem::new(Code::ScenarioMetric, message).at(entry.key_span, "not beside this name");
            let listed = crate::language::decode::suggestions::listed(names.iter().copied());
            desk.add(problem.help(format!("leave it out; it stands beside {listed}")));
        }
    }
    let metric = made(name, &mut Some(&mut inner), vhost, desk, node);
    inner.finish(desk);
    metric.filter(|_| desk.problems.len() == before).map(|metric| (name, metric))
}

fn made(
    name: &'static str,
    inner: &mut Option<&mut MapDecoder<'_>>,
    vhost: &Name,
    desk: &mut Diagnostics,
    node: &Node,
) -> Option<Metric> {
    let queue = |inner: &mut Option<&mut MapDecoder<'_>>, desk: &mut Diagnostics| {
        let name = inner.as_mut()?.opt("queue", desk, read::name)?;
        Some(QueueName { vhost: vhost.clone(), name })
    };
    Some(match name {
        "published" => {
            Metric::Published { exchange: inner.as_mut().and_then(|it| it.opt("exchange", desk, read::name)) }
        }
        "delivered" => Metric::Delivered { queue: queue(inner, desk) },
        "redelivered" => Metric::Redelivered { queue: queue(inner, desk) },
        "dead_lettered" => {
            let reason = inner.as_mut().and_then(|it| it.opt("reason", desk, read::word(&DEATH_REASONS)));
            Metric::DeadLettered { queue: queue(inner, desk), reason }
        }
        "dropped" => Metric::Dropped { queue: queue(inner, desk) },
        "latency" => {
            let given = inner.as_ref().is_some_and(|it| it.has("quantile"));
            if !given {
                let problem = Problem::new(Code::ScenarioMetric, "a latency is that of a part of the messages");
                let help = "write `metric: {name: latency, quantile: 0.95}`; 1 is the longest";
                desk.add(problem.at(node.span, "no `quantile`").help(help));
            }
            Metric::Latency { quantile: inner.as_mut()?.opt("quantile", desk, quantile)? }
        }
        word => Metric::Settled(word),
    })
}

/// Reads a part of one: 0.95.
fn quantile(node: &Node) -> Read<u32> {
    let part = match &node.kind {
        NodeKind::Integer(n) => n.to_string(),
        NodeKind::Float(n) => n.to_string(),
        NodeKind::Faulty => return Err(DecodeError::Known),
        _ => return Err(DecodeError::Kind("a number like 0.95")),
    };
    match part.parse::<f64>() {
        Ok(part) if (0.0..=1.0).contains(&part) => Ok((part * 100_000.0).round() as u32),
        _ => Err(DecodeError::Value {
            message: "takes a number from 0 to 1".to_owned(),
            help: Some(
                "0 is the shortest, 0.5 the median, 0.95 leaves the slowest twentieth out, 1 is the longest".into(),
            ),
        }),
    }
}

/// Reads a range of times: `200ms`, `"<=200ms"`, `"1s..5s"`.
fn times(node: &Node) -> Read<Count> {
    let NodeKind::Text(text) = &node.kind else {
        return read::duration(node).map(|time| Count::exactly(time.0));
    };
    let time = |part: &str| {
        part.trim().parse::<Millis>().map_err(|_| DecodeError::Sentence {
            message: format!("`{text}` is no comparison with a time"),
            help: Some("a latency is compared as 200ms, \"<=200ms\", \">1s\" or \"1s..5s\"".into()),
        })
    };
    let below = |time: Millis| Count { min: 0, max: Some(time.0) };
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("<=") {
        return time(rest).map(below);
    }
    if let Some(rest) = text.strip_prefix('<') {
        return time(rest).map(|time| below(Millis(time.0.saturating_sub(1))));
    }
    if let Some(rest) = text.strip_prefix(">=") {
        return time(rest).map(|time| Count { min: time.0, max: None });
    }
    if let Some(rest) = text.strip_prefix('>') {
        return time(rest).map(|time| Count { min: time.0.saturating_add(1), max: None });
    }
    match text.split_once("..") {
        Some((low, high)) => {
            let (min, max) = (time(low)?, time(high)?);
            if max < min {
                return Err(DecodeError::Sentence {
                    message: format!("`{text}` ends before it begins"),
                    help: Some(format!("write \"{}..{}\"", high.trim(), low.trim()).into()),
                });
            }
            Ok(Count { min: min.0, max: Some(max.0) })
        }
        None => time(text).map(|time| Count::exactly(time.0)),
    }
}
