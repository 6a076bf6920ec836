//! Tells a topology from a scenario, by its keys.
//! Takes a text or a tree; gives the kind, or a problem that says which command takes such a file.

use crate::language::syntax::top_level::top_level_keys;
use crate::language::syntax::tree::Node;
use crate::source::{Code, Problem};

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Declares what a broker holds.
    Topology,
    /// Plays against a topology.
    Scenario,
}

/// The last three are words of other tools for scenarios; which ours are is told where they are read.
const OF_SCENARIOS: [&str; 9] =
    ["scenario", "steps", "consumers", "at_end", "finally", "matrix", "given", "when", "then"];
const OF_TOPOLOGIES: [&str; 14] = [
    "queues",
    "exchanges",
    "bindings",
    "policies",
    "operator_policies",
    "users",
    "vhosts",
    "permissions",
    "topic_permissions",
    "parameters",
    "global_parameters",
    "rabbit_version",
    "rabbitmq_version",
    "rabbitmq_definition_format",
];

fn kind_of_key(key: &str) -> Option<FileKind> {
    if OF_SCENARIOS.contains(&key) {
        Some(FileKind::Scenario)
    } else {
        OF_TOPOLOGIES.contains(&key).then_some(FileKind::Topology)
    }
}

/// Tells what a text is, even when it is broken YAML; `None` when no key says so.
pub fn kind_of(text: &[u8]) -> Option<FileKind> {
    let text = String::from_utf8_lossy(text);
    let text = text.trim_start_matches('\u{feff}');
    let mut kinds = top_level_keys(text).filter_map(|at| {
        let word = text[at..].trim_start_matches('"');
        kind_of_key(word.split([':', '"', ' ']).next().unwrap_or(""))
    });
    let first = kinds.next();
    if first.is_some() {
        return if kinds.any(|kind| kind == FileKind::Scenario) { Some(FileKind::Scenario) } else { first };
    }
    let braces = text.trim_start().starts_with('{');
    let earliest = |keys: &[&str]| keys.iter().filter_map(|key| text.find(&format!("\"{key}\""))).min();
    match (braces, earliest(&OF_SCENARIOS[..4]), earliest(&OF_TOPOLOGIES)) {
        (true, Some(scenario), topology) if topology.is_none_or(|topology| scenario < topology) => {
            Some(FileKind::Scenario)
        }
        (true, _, Some(_)) => Some(FileKind::Topology),
        _ => None,
    }
}

/// Refuses a tree that is plainly of the other kind.
pub fn refuse(root: &Node, wanted: FileKind) -> Option<Problem> {
    let kinds = || root.entries().iter().filter_map(|entry| Some((kind_of_key(&entry.key)?, entry)));
    let (_, entry) = kinds().find(|(kind, _)| *kind != wanted)?;
    if wanted == FileKind::Topology && root.get("scenario").is_none() && kinds().any(|(kind, _)| kind == wanted)
        || wanted == FileKind::Scenario && kinds().any(|(kind, _)| kind == wanted)
    {
        return None;
    }
    let (message, help) = match wanted {
        FileKind::Topology => (
            "this is a scenario, and a topology is needed here",
            "play it with `rmqplay run`; apply the file that its `topology:` names",
        ),
        FileKind::Scenario => (
            "this is a topology, and a scenario is needed here",
            "apply it with `rmqplay apply`; a scenario names it: `topology: FILE`",
        ),
    };
    let problem = Problem::new(Code::FileWrongKind, message);
    Some(problem.at(entry.key_span, format!("`{}` is a key of the other kind", entry.key)).help(help))
}
