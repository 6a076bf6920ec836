//! Brings the topologies of a scenario together: files that it names, and objects inline.
//! Takes the key `topology:`; gives one topology. What two sources declare alike is fine, what they declare otherwise is not.

use crate::language::Settings;
use crate::language::decode::collect::Collected;
use crate::language::decode::map_decoder::Diagnostics;
use crate::language::decode::merge::merge;
use crate::language::expand::matrix::Choice;
use crate::language::expand::scope::VariableScope;
use crate::language::syntax::encoding;
use crate::language::syntax::foreign;
use crate::language::syntax::tree::{Node, NodeKind};
use crate::language::syntax::wrong_kind;
use crate::language::syntax::wrong_kind::FileKind;
use crate::language::topology::{ReadTopology, decode, read_topology};
use crate::language::world::{World, beside, unread_help};
use crate::model::{Name, QueueKind, Template};
use crate::source::{Code, Problem, Sources};
use std::collections::BTreeMap;

/// One source of objects, parsed but not rendered.
#[derive(Debug)]
pub struct TopologySource {
    pub read: ReadTopology,
}

/// Holds the topologies of a scenario, each file once, and which of them each choice of its matrix plays with.
#[derive(Debug, Default)]
pub struct TopologySources {
    all: Vec<TopologySource>,
    /// The full paths of those that are files.
    files: BTreeMap<String, usize>,
    by_choice: Vec<(Choice, Vec<usize>)>,
}

impl TopologySources {
    /// Returns what a choice plays with, in file order.
    pub fn of(&self, choice: &Choice) -> Vec<&TopologySource> {
        let chosen = self.by_choice.iter().find(|(known, _)| known == choice);
        chosen.map_or_else(Vec::new, |(_, parts)| parts.iter().map(|at| &self.all[*at]).collect())
    }

    /// Lists all of them.
    pub fn all(&self) -> &[TopologySource] {
        &self.all
    }

    /// Reads all that `topology:` names for one choice; its paths are rendered by then.
    pub fn read(
        &mut self,
        choice: &Choice,
        entries: &[Node],
        sources: &mut Sources,
        file: &str,
        world: &dyn World,
        desk: &mut Diagnostics,
    ) {
        let mut chosen = Vec::new();
        for entry in entries {
            match &entry.kind {
                NodeKind::Map(_) => {
                    let read = ReadTopology { root: entry.clone(), is_export: false, is_json: false, whole: true };
                    chosen.push(self.add(TopologySource { read }));
                }
                NodeKind::Text(path) => {
                    let full = beside(file, path);
                    let known = self.files.get(&full).copied();
                    let at = known.or_else(|| Some(self.add(read_file(sources, entry, (file, &full), world, desk)?)));
                    self.files.extend(at.map(|at| (full, at)));
                    chosen.extend(at.filter(|at| !chosen.contains(at)));
                }
                NodeKind::Faulty => {}
                _ => {
                    let message =
                        format!("`topology` takes a path, objects, or a list of both, found {}", entry.describe());
                    desk.add(Problem::new(Code::ValueKind, message).at(entry.span, "neither a path nor objects"));
                }
            }
        }
        self.by_choice.push((choice.clone(), chosen));
    }

    /// Inline objects stand at one place for every choice: they are kept once.
    fn add(&mut self, part: TopologySource) -> usize {
        let known = self.all.iter().position(|known| known.read.root == part.read.root);
        known.unwrap_or_else(|| {
            self.all.push(part);
            self.all.len() - 1
        })
    }
}

/// The one topology that several scenarios name alike, read and joined once. Without templates, so that it means the same in
/// each.
#[derive(Debug)]
pub struct SharedTopology {
    /// The full path of its file.
    pub(in crate::language) path: String,
    pub(in crate::language) parts: TopologySources,
    pub(in crate::language) joined: MergedTopologies,
    /// What decoding found of the types of queues.
    pub(in crate::language) default_types: BTreeMap<Name, QueueKind>,
}

impl SharedTopology {
    /// Returns the path of the topology that a scenario names, if it is one that may be shared: a scenario's own words could
    /// make another of it.
    pub(in crate::language) fn path_in(root: &Node, file: &str) -> Option<String> {
        let is_plain = ["vars", "matrix", "allow"].iter().all(|key| root.get(key).is_none());
        let path = root.get("topology").and_then(Node::as_text).filter(|_| is_plain)?;
        (!Template::looks_like_one(path)).then(|| beside(file, path))
    }

    /// Returns whether a scenario names this topology and no other.
    pub(in crate::language) fn is_of(&self, root: &Node, file: &str) -> bool {
        Self::path_in(root, file).is_some_and(|path| path == self.path)
    }
}

/// Lists what `topology:` names: one thing, or several.
pub fn entries_of(node: &Node) -> &[Node] {
    match &node.kind {
        NodeKind::List(entries) => entries,
        _ => std::slice::from_ref(node),
    }
}

fn read_file(
    sources: &mut Sources,
    node: &Node,
    (file, full): (&str, &str),
    world: &dyn World,
    desk: &mut Diagnostics,
) -> Option<TopologySource> {
    let bytes = match world.read(full) {
        Ok(bytes) => bytes,
        Err(reason) => {
            let problem = Problem::new(Code::FileMissing, format!("the topology {full} cannot be read: {reason}"));
            let path = node.as_text().unwrap_or(full);
            let help = "the path is taken from the folder of this scenario";
            desk.add(problem.at(node.span, "named here").help(unread_help(world, &reason, file, path, help)));
            return None;
        }
    };
    let id = match encoding::take(sources, full, &bytes) {
        Ok(id) => id,
        Err(problem) => {
            desk.add(problem.at(node.span, "named here"));
            return None;
        }
    };
    let read = read_topology(sources, id, desk)?;
    if let Some(problem) =
        foreign::refuse(sources, &read.root).or_else(|| wrong_kind::refuse(&read.root, FileKind::Topology))
    {
        desk.add(problem.at(node.span, "named as a topology here"));
        return None;
    }
    Some(TopologySource { read })
}

/// What all parts say together.
#[derive(Debug, Clone)]
pub struct MergedTopologies {
    pub collected: Collected,
    /// Where steps and consumers act that name no vhost.
    pub vhost: Name,
}

/// Renders, decodes and joins all parts. Passwords are left unread.
pub fn join<'a>(
    sources: &Sources,
    parts: &[&'a TopologySource],
    scope_of: impl Fn(Option<&'a Node>, &mut Diagnostics) -> VariableScope<'a>,
    settings: &Settings,
    desk: &mut Diagnostics,
) -> MergedTopologies {
    let named = parts.iter().filter_map(|part| part.read.root.get("vhost")).find_map(Node::as_text);
    let fallback = named.map(str::to_owned).or_else(|| settings.default_vhost.clone());
    let mut whole = Collected::default();
    let mut vhost: Option<Name> = None;
    for declared in parts.iter().filter_map(|part| part.read.root.get("vhosts")).flat_map(entries_of) {
        // A vhost may stand behind the queues that it gives their type to.
        let text = |key: &str| declared.get(key).and_then(Node::as_text);
        let kind = text("default_queue_type").and_then(QueueKind::named);
        desk.judged_for.default_types.extend(text("name").map(Name::from).zip(kind));
    }
    for part in parts {
        let scope = scope_of(part.read.root.get("vars"), desk);
        let settings = Settings { default_vhost: fallback.clone(), ..Settings::default() };
        let (loaded, collected) = decode(sources, part.read.clone(), &scope, &settings, true, desk);
        vhost = vhost.or(loaded.file_vhost);
        merge(&mut whole, collected, desk);
    }
    let mut names = whole.topology.vhost_names();
    let only = (names.len() == 1).then(|| names.remove(0));
    let vhost = vhost.or(only).or(fallback.map(Name::from)).unwrap_or_else(|| "/".into());
    MergedTopologies { collected: whole, vhost }
}
