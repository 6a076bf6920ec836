//! Decodes what a topology says beside its objects: `ignore`, patterns of what `--prune` leaves alone, and `needs`, plugins.
//! Takes a rendered node; gives kinds with their patterns, each of which is a regular expression, and names with their places.

use crate::language::decode::map_decoder::{Diagnostics, MapDecoder};
use crate::language::decode::read;
use crate::language::syntax::tree::{Node, NodeKind};
use crate::model::{Ignored, IgnoredKind};
use crate::rules::Pattern;
use crate::source::{Code, Problem, Span};

/// Decodes the map of kinds.
pub fn ignore(node: &Node, into: &mut Vec<Ignored>, desk: &mut Diagnostics) {
    let Some(mut fields) = MapDecoder::of("ignore", "`ignore`", node, desk) else { return };
    for (key, kind) in IgnoredKind::ALL {
        let Some(node) = fields.node(key) else { continue };
        let Some(patterns) = desk.read(&format!("`{key}`"), node, read::texts) else { continue };
        let nodes = match &node.kind {
            NodeKind::List(entries) => entries.as_slice(),
            _ => std::slice::from_ref(node),
        };
        for (pattern, node) in patterns.into_iter().zip(nodes) {
            match Pattern::fault(&pattern) {
                None => into.push(Ignored { kind, pattern }),
                Some(fault) => desk.add(no_pattern(key, &pattern, &fault, node)),
            }
        }
    }
    fields.finish(desk);
}

/// Decodes `needs: {plugins: […]}`.
pub fn needed_plugins(node: &Node, into: &mut Vec<(String, Span)>, desk: &mut Diagnostics) {
    let Some(mut fields) = MapDecoder::of("topology_needs", "`needs`", node, desk) else { return };
    if let Some(node) = fields.node("plugins")
        && let Some(plugins) = desk.read("`plugins`", node, read::texts)
    {
        let places = match &node.kind {
            NodeKind::List(entries) => entries.iter().map(|entry| entry.span).collect(),
            _ => vec![node.span],
        };
        into.extend(plugins.into_iter().zip(places));
    }
    fields.finish(desk);
}

fn no_pattern(key: &str, pattern: &str, fault: &str, node: &Node) -> Problem {
    let message = format!("`{key}` takes regular expressions, and `{pattern}` is none: {fault}");
    let problem = Problem::new(Code::TopologyPattern, message).at(node.span, "no regular expression");
    let is_glob = pattern.starts_with('*') && !pattern.contains(['\\', '(', '[', '^', '$', '+']);
    let as_regex = format!("^{}$", pattern.replace('.', "\\.").replace('*', ".*").replace('?', "."));
    match is_glob {
        true => problem.help(format!("as a regular expression it is `{as_regex}`")),
        false => problem.help("a sign that stands for itself takes a `\\` before it"),
    }
}
