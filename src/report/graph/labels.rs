//! What stands on nodes and edges: names, types, bounds, keys, reasons.
//! Takes the parts of a graph; returns lines. Escaping is each format's own.

use crate::foresee::{
    BindingTerms, DeadLetterCause, DeadLetterEnd, EdgeKind, FateCause, GraphEdge, GraphMark, GraphNode, GraphNodeKind,
    LadderFlow, LadderRung, LinkKind, QueueBound, SettingSource, VhostGraph,
};
use crate::model::{Millis, counted};
use crate::report::graph::visible::visible;

/// How many bindings between the same two are written out.
const BINDINGS_MAX: usize = 6;

/// A line of reasons goes on below when it is longer.
const LINE_MAX: usize = 40;

/// Returns the name of a node.
pub fn node_name(node: &GraphNode) -> String {
    if node.name.is_empty() { "(default exchange)".to_owned() } else { visible(&node.name) }
}

/// Returns what stands below the name of a node.
pub fn node_lines(node: &GraphNode) -> Vec<String> {
    let mut lines = match &node.kind {
        GraphNodeKind::Exchange { kind } => vec![format!("{} exchange", visible(kind))],
        GraphNodeKind::Queue { kind, bounds } => {
            let bounds: Vec<String> = bounds.iter().map(|it| bound(*it)).collect();
            let mut lines = vec![format!("{} queue", kind.as_str())];
            lines.extend(broken(&bounds));
            lines
        }
        GraphNodeKind::Ladder { of, rungs } => {
            let delays =
                |chosen: fn(&&LadderRung) -> bool| rungs.iter().filter(chosen).map(|rung| rung.delay).collect();
            let (all, unused): (Vec<Millis>, Vec<Millis>) = (delays(|_| true), delays(|rung| rung.is_unused));
            let mut lines = vec![format!("retries of {}", visible(of)), format!("wait {}", alternatives(&all))];
            lines.extend((!unused.is_empty()).then(|| format!("not used: {}", listed(&unused, "and"))));
            lines
        }
        GraphNodeKind::MissingExchange => vec!["exchange, not declared".to_owned()],
        GraphNodeKind::MissingQueue => vec!["queue, not declared".to_owned()],
        GraphNodeKind::Remote { place } => vec![visible(place)],
    };
    if let (Some(word), Some(first)) = (node.mark.and_then(mark_word), lines.first_mut()) {
        *first = format!("{first} ({word})");
    }
    lines
}

/// Returns what stands on an edge.
pub fn edge_lines(edge: &GraphEdge, graph: &VhostGraph) -> Vec<String> {
    let mut lines = match &edge.kind {
        EdgeKind::Bindings(all) => {
            let is_fanout =
                matches!(&graph.nodes[edge.from].kind, GraphNodeKind::Exchange { kind } if *kind == "fanout");
            binding_lines(all, is_fanout)
        }
        EdgeKind::DeadLetters { by, key, causes, end } => {
            let mut words: Vec<String> = causes.iter().map(|cause| cause_words(cause, by)).collect();
            if let Some(first) = words.first_mut() {
                *first = format!("dead letters: {first}");
            }
            let mut lines = broken(&words);
            let names_target = graph.nodes[edge.to].kind.is_queue();
            lines.extend(key.as_ref().filter(|_| !names_target).map(|key| format!("with key {}", key_words(key))));
            lines.extend(policy_line(by));
            if *end == DeadLetterEnd::Lost {
                let why = if graph.nodes[edge.to].kind.is_missing() { "not there" } else { "no queue takes them" };
                lines.push(format!("lost: {why}"));
            }
            lines
        }
        EdgeKind::Alternate { by } => {
            let mut lines = vec!["unrouted: alternate exchange".to_owned()];
            lines.extend(policy_line(by));
            lines
        }
        EdgeKind::Ladder(LadderFlow::Up) => vec!["retried by a consumer".to_owned()],
        EdgeKind::Ladder(LadderFlow::Back) => vec![match &graph.nodes[edge.from].kind {
            GraphNodeKind::Ladder { rungs, .. } => {
                let delays: Vec<Millis> = rungs.iter().map(|rung| rung.delay).collect();
                format!("after {}", alternatives(&delays))
            }
            _ => "after waiting".to_owned(),
        }],
        EdgeKind::Link { kind, name, key, policy } => {
            let noun = match kind {
                LinkKind::Shovel => "shovel",
                LinkKind::Federation => "federation",
            };
            let mut lines = vec![format!("{noun} '{}'", visible(name))];
            lines.extend(key.as_ref().map(|key| format!("key {}", key_words(key))));
            lines.extend(policy.as_ref().map(|policy| format!("policy '{}'", visible(policy))));
            lines
        }
    };
    lines.extend(edge.mark.and_then(mark_word).map(|word| format!("({word})")));
    lines
}

/// Returns the word for what a plan does; what scenarios used is seen.
pub fn mark_word(mark: GraphMark) -> Option<&'static str> {
    match mark {
        GraphMark::Created => Some("+ created"),
        GraphMark::Changed => Some("~ changed"),
        GraphMark::Replaced => Some("-/+ replaced"),
        GraphMark::Deleted => Some("- deleted"),
        GraphMark::Used | GraphMark::Unused => None,
    }
}

fn binding_lines(all: &[BindingTerms], is_fanout: bool) -> Vec<String> {
    let words = |terms: &BindingTerms| {
        let arguments: Vec<String> =
            terms.arguments.iter().map(|(name, value)| visible(&format!("{name}: {}", value.to_json()))).collect();
        match (terms.key.is_empty(), arguments.is_empty()) {
            (_, true) if is_fanout => None,
            (_, true) => Some(key_words(&terms.key)),
            (true, false) => Some(format!("{{{}}}", arguments.join(", "))),
            (false, false) => Some(format!("{} {{{}}}", key_words(&terms.key), arguments.join(", "))),
        }
    };
    let mut lines: Vec<String> = all.iter().filter_map(words).collect();
    let left = lines.len().saturating_sub(BINDINGS_MAX);
    if left > 1 {
        lines.truncate(BINDINGS_MAX);
        lines.push(format!("and {}", counted(left, "more binding")));
    }
    lines
}

/// Shows a routing key; an empty one has marks to be seen by.
fn key_words(key: &str) -> String {
    if key.is_empty() { "\"\"".to_owned() } else { visible(key) }
}

fn cause_words(cause: &DeadLetterCause, of_exchange: &SettingSource) -> String {
    let words = match cause.cause {
        FateCause::Expired(after) => format!("after {after}"),
        FateCause::Rejected => "rejected".to_owned(),
        FateCause::OverLimit => "oldest over the limit".to_owned(),
        FateCause::Refused => "refused when full".to_owned(),
        FateCause::DeliveryLimit(limit) => format!("over its delivery limit of {limit}"),
    };
    // What stands on the edge once is not told again.
    match cause.by.as_ref().filter(|by| *by != of_exchange).and_then(policy_line) {
        Some(policy) => format!("{words} ({policy})"),
        None => words,
    }
}

fn policy_line(by: &SettingSource) -> Option<String> {
    match by {
        SettingSource::Policy(name) => Some(format!("policy '{}'", visible(name))),
        SettingSource::OperatorPolicy(name) => Some(format!("operator policy '{}'", visible(name))),
        SettingSource::Argument | SettingSource::VhostDefault | SettingSource::VersionDefault => None,
    }
}

fn bound(bound: QueueBound) -> String {
    match bound {
        QueueBound::Ttl(ttl) => format!("TTL {ttl}"),
        QueueBound::Length(messages) => format!("max {}", counted(messages, "message")),
        QueueBound::Bytes(bytes) => format!("max {}", counted(bytes, "byte")),
        QueueBound::Deliveries(limit) => format!("delivery limit {limit}"),
        QueueBound::Expires(after) => format!("deleted {after} after its last use"),
        QueueBound::SingleActiveConsumer => "single active consumer".to_owned(),
    }
}

/// Lists delays: `5s, 30s or 2m`.
fn alternatives(delays: &[Millis]) -> String {
    listed(delays, "or")
}

fn listed(delays: &[Millis], last_by: &str) -> String {
    let words: Vec<String> = delays.iter().map(Millis::to_string).collect();
    match words.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} {last_by} {last}", rest.join(", ")),
        _ => words.join(""),
    }
}

/// Puts words into lines of bearable length.
fn broken(words: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() + 2 <= LINE_MAX => {
                line.push_str(", ");
                line.push_str(word);
            }
            Some(line) => {
                line.push(',');
                lines.push(word.clone());
            }
            None => lines.push(word.clone()),
        }
    }
    lines
}
