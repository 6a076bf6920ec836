//! Loads a scenario file: its topologies merged in, its matrix laid out, one cell for each choice.
//! Takes bytes and the world; gives all cells, and all problems at once; what is wrong in each cell is said once.

use crate::language::check::consequences;
use crate::language::check::{right_shapes, scenario_references, suspicious, topology_references};
use crate::language::decode::judged_for::JudgedFor;
use crate::language::decode::map_decoder::{Diagnostics, MapDecoder};
use crate::language::decode::read;
use crate::language::decode::read::{DecodeError, Read};
use crate::language::decode::scenario::consumers::consumer;
use crate::language::decode::scenario::publish::Folder;
use crate::language::decode::scenario::requirements::{brokers, live, needs};
use crate::language::decode::scenario::steps::{StepSurroundings, check_at_end, check_pace, refused_starts, steps};
use crate::language::expand::matrix;
use crate::language::expand::matrix::{Choice, axis_text};
use crate::language::expand::merge_topologies;
use crate::language::expand::merge_topologies::{MergedTopologies, SharedTopology, TopologySource, TopologySources};
use crate::language::expand::render::{self, Renderer};
use crate::language::expand::scope::VariableScope;
use crate::language::syntax::encoding;
use crate::language::syntax::foreign;
use crate::language::syntax::parse::parse;
use crate::language::syntax::tree::{Entry, Node, NodeKind};
use crate::language::syntax::wrong_kind;
use crate::language::syntax::wrong_kind::FileKind;
use crate::language::{Settings, World};
use crate::model::{Allowance, Cell, Consumer, Profile, Requirement, Scenario, SnapshotSettings, Template, Version};
use crate::source::{Code, Problem, Sources};
use std::collections::BTreeSet;

/// A scenario that was read from one file.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedScenario {
    /// The line `scenario:`.
    pub title: String,
    /// One for each choice of the matrix.
    pub cells: Vec<Cell>,
    /// Findings that are meant to be so, there and in its topologies.
    pub allowed: Vec<Allowance>,
}

/// Loads a scenario. The value is absent when a problem stops it; notes stop nothing.
pub fn load_scenario(
    sources: &mut Sources,
    name: &str,
    text: &[u8],
    world: &dyn World,
    settings: &Settings,
) -> (Option<LoadedScenario>, Vec<Problem>) {
    load(None, sources, name, text, world, settings)
}

/// Reads the topology of a scenario for others that name the same; `None` where it has problems, or where a scenario's own
/// words are in it.
pub fn share_topology(
    sources: &mut Sources,
    name: &str,
    text: &[u8],
    world: &dyn World,
    settings: &Settings,
) -> Option<SharedTopology> {
    let file = encoding::take(sources, name, text).ok()?;
    let mut desk = Diagnostics::default();
    let root = parse(sources, file).root?;
    let path = SharedTopology::path_in(&root, name)?;
    let parts = read_parts(sources, &root, name, world, settings, &mut desk);
    let file = File { sources, name, root: &root, parts: &parts, shared: None, world, settings };
    let joined = file.topology(&Vec::new(), &mut desk);
    let default_types = desk.judged_for.default_types;
    (!topology_references::stops(&desk.problems)).then_some(SharedTopology { path, parts, joined, default_types })
}

/// Loads a scenario as [`load_scenario`] does. A topology that is shared is not read again, and what it says of itself not
/// told again.
pub fn load_scenario_on(
    shared: &SharedTopology,
    sources: &mut Sources,
    name: &str,
    text: &[u8],
    world: &dyn World,
    settings: &Settings,
) -> (Option<LoadedScenario>, Vec<Problem>) {
    load(Some(shared), sources, name, text, world, settings)
}

fn load(
    shared: Option<&SharedTopology>,
    sources: &mut Sources,
    name: &str,
    text: &[u8],
    world: &dyn World,
    settings: &Settings,
) -> (Option<LoadedScenario>, Vec<Problem>) {
    let file = match encoding::take(sources, name, text) {
        Ok(file) => file,
        Err(problem) => return (None, vec![problem]),
    };
    let mut desk = Diagnostics::default();
    let parsed = parse(sources, file);
    parsed.problems.into_iter().for_each(|problem| desk.add(problem));
    let Some(root) = parsed.root else { return (None, desk.problems) };
    if let Some(problem) = foreign::refuse(sources, &root).or_else(|| wrong_kind::refuse(&root, FileKind::Scenario)) {
        return (None, vec![problem]);
    }
    let shared = shared.filter(|shared| shared.is_of(&root, name));
    let own = match shared {
        Some(_) => TopologySources::default(),
        None => read_parts(sources, &root, name, world, settings, &mut desk),
    };
    let parts = shared.map_or(&own, |shared| &shared.parts);
    let file = File { sources, name, root: &root, parts, shared, world, settings };
    let cells = file.cells(&mut desk);
    right_shapes::show(&mut desk.problems, &root, "scenario");
    consequences::leave_out(&mut desk.problems, parsed.whole, Some(&root));
    let stopped = !parsed.whole || topology_references::stops(&desk.problems);
    desk.silence();
    desk.problems.sort_by_key(Problem::span);
    let allowed = std::mem::take(&mut desk.allowed);
    let title = root.get("scenario").and_then(Node::as_text).unwrap_or("").to_owned();
    ((!stopped).then_some(LoadedScenario { title, cells, allowed }), desk.problems)
}

/// Reads the topologies of every choice. A path with a template is rendered by what the scenario itself knows: its
/// vars, its matrix, the environment.
fn read_parts(
    sources: &mut Sources,
    root: &Node,
    name: &str,
    world: &dyn World,
    settings: &Settings,
    desk: &mut Diagnostics,
) -> TopologySources {
    let mut parts = TopologySources::default();
    let Some(topology) = root.get("topology") else { return parts };
    let is_template = |entry: &Node| entry.as_text().is_some_and(Template::looks_like_one);
    if !merge_topologies::entries_of(topology).iter().any(is_template) {
        parts.read(&Vec::new(), merge_topologies::entries_of(topology), sources, name, world, desk);
        return parts;
    }
    let none = TopologySources::default();
    let file = File { sources, name, root, parts: &none, shared: None, world, settings };
    let choices = file.choices(desk);
    let rendered = choices.into_iter().map(|choice| {
        let scope = file.scope(&choice, std::iter::empty(), desk);
        let render = |entry: &Node, desk: &mut Diagnostics| match is_template(entry) {
            true => Renderer::new(&scope).with_sources(file.sources).data(entry, desk),
            false => entry.clone(),
        };
        let entries: Vec<Node> =
            merge_topologies::entries_of(topology).iter().map(|entry| render(entry, desk)).collect();
        (choice, entries)
    });
    for (choice, entries) in rendered.collect::<Vec<_>>() {
        parts.read(&choice, &entries, sources, name, world, desk);
    }
    parts
}

/// Returns the versions that a scenario is judged for.
pub fn judged_profiles(scenario: &Scenario, settings: &Settings) -> Vec<Profile> {
    JudgedFor::of_scenario(&scenario.requires, &scenario.brokers).within(settings).profiles().to_vec()
}

/// A scenario with all its files parsed.
struct File<'a> {
    sources: &'a Sources,
    name: &'a str,
    root: &'a Node,
    parts: &'a TopologySources,
    /// Where the parts are those of others, too: what they say together.
    shared: Option<&'a SharedTopology>,
    world: &'a dyn World,
    settings: &'a Settings,
}

impl<'a> File<'a> {
    fn cells(&self, desk: &mut Diagnostics) -> Vec<Cell> {
        let choices = self.choices(desk);
        if choices.len() > 1 {
            let mut used = BTreeSet::new();
            suspicious::names_used(self.root, &mut used);
            self.parts.all().iter().for_each(|part| suspicious::names_used(&part.read.root, &mut used));
            suspicious::check_axes(self.root.get("matrix"), &used, desk);
        }
        choices.iter().filter_map(|choice| self.cell(choice, desk)).collect()
    }

    /// Lays out the matrix over the vars of the topologies that every cell has.
    fn choices(&self, desk: &mut Diagnostics) -> Vec<Choice> {
        let common = self.parts.of(&Vec::new());
        let scope = self.scope(&Vec::new(), common.iter().map(|part| part.read.root.get("vars")), desk);
        matrix::choices(self.root.get("matrix"), &scope, self.settings, desk)
    }

    /// Returns the topologies of a cell.
    fn parts(&self, choice: &Choice) -> Vec<&'a TopologySource> {
        let common = self.parts.of(&Vec::new());
        if common.is_empty() { self.parts.of(choice) } else { common }
    }

    /// Makes the names of a cell over the vars of some topologies.
    fn scope(
        &self,
        choice: &Choice,
        vars: impl Iterator<Item = Option<&'a Node>>,
        desk: &mut Diagnostics,
    ) -> VariableScope<'a> {
        let mut scope = VariableScope::new(self.world, render::data);
        for vars in vars {
            scope.write(vars, desk);
        }
        scope.write(self.root.get("vars"), desk);
        for (axis, value) in choice {
            scope.give(axis, value.clone());
        }
        scope.settle_without(self.settings, choice);
        scope
    }

    fn cell(&self, choice: &Choice, desk: &mut Diagnostics) -> Option<Cell> {
        let parts = self.parts(choice);
        desk.judged_for = self.judged_for(choice);
        let cast = match self.shared {
            Some(shared) => {
                desk.judged_for.default_types.extend(shared.default_types.clone());
                shared.joined.clone()
            }
            None => self.topology(choice, desk),
        };
        let scope = self.scope(choice, parts.iter().map(|part| part.read.root.get("vars")), desk);
        scope.check(self.root.get("vars"), desk);
        let rendered = Renderer::new(&scope).with_sources(self.sources).tree(self.own_keys(), desk);
        let folder = Folder { world: self.world, file: self.name };
        let stage = StepSurroundings { folder, vhost: cast.vhost.clone(), ladders: cast.collected.climbed.clone() };
        for list in ["steps", "at_end", "finally"] {
            check_pace(self.root.get(list), desk);
        }
        let mut scenario = self.decode(&rendered, &stage, desk)?;
        scenario.topology = cast.collected.topology;
        let of_topology = cast.collected.handling.plugins.into_iter().map(|(plugin, _)| plugin);
        let needed = &mut scenario.needs.plugins;
        needed.extend(of_topology.filter(|plugin| !needed.contains(plugin)).collect::<Vec<_>>());
        scenario.origins = cast.collected.origins;
        scenario_references::check(&scenario, &stage.vhost, &rendered, desk);
        let axes = choice.iter().map(|(axis, value)| (axis.clone(), axis_text(value))).collect();
        Some(Cell { axes, scenario })
    }

    /// Joins the topologies of a cell, and says what is wrong with them.
    fn topology(&self, choice: &Choice, desk: &mut Diagnostics) -> MergedTopologies {
        let scope = |vars: Option<&'a Node>, desk: &mut Diagnostics| self.scope(choice, std::iter::once(vars), desk);
        let parts = self.parts(choice);
        let cast = merge_topologies::join(self.sources, &parts, scope, self.settings, desk);
        desk.export = parts.iter().any(|part| part.read.is_export);
        topology_references::check_topology(&cast.collected.topology, &cast.collected.origins, desk);
        desk.export = false;
        cast
    }

    /// Reads for which versions the cell is judged; what is wrong with the bounds is told where they are decoded.
    fn judged_for(&self, choice: &Choice) -> JudgedFor {
        let mut aside = Diagnostics::default();
        let vars = self.parts(choice).into_iter().map(|part| part.read.root.get("vars"));
        let scope = self.scope(choice, vars, &mut aside);
        let rendered =
            |key: &str| self.root.get(key).map(|node| Renderer::new(&scope).data(node, &mut Diagnostics::default()));
        let requires = rendered("requires").map_or_else(Vec::new, |node| requirements(&node, &mut aside));
        let brokers = rendered("brokers").and_then(|node| read::texts(&node).ok()).unwrap_or_default();
        JudgedFor::of_scenario(&requires, &brokers).within(self.settings)
    }

    /// Returns the tree without what is read apart.
    fn own_keys(&self) -> Node {
        let NodeKind::Map(entries) = &self.root.kind else { return self.root.clone() };
        let without = |entry: &Entry| match &*entry.key {
            "vars" | "matrix" | "topology" => {
                Entry { value: Node { kind: NodeKind::Null, ..entry.value }, key: entry.key.clone(), ..*entry }
            }
            _ => entry.clone(),
        };
        Node { kind: NodeKind::Map(entries.iter().map(without).collect()), ..*self.root }
    }

    fn decode(&self, root: &Node, stage: &StepSurroundings<'_>, desk: &mut Diagnostics) -> Option<Scenario> {
        let mut fields = MapDecoder::of("scenario", "a scenario", root, desk)?;
        let title = fields.need("scenario", desk, read::text).unwrap_or_default();
        let description = fields.opt("description", desk, read::text);
        let tags = fields.opt("tags", desk, read::texts).unwrap_or_default();
        let seed = fields.opt("seed", desk, read::integer).unwrap_or(0).unsigned_abs();
        let place = fields.node("timeout").map(|node| node.span);
        let timeout = fields.opt("timeout", desk, read::duration);
        let (needs, brokers) = (needs(&mut fields, desk), brokers(&mut fields, desk));
        let live = live(&mut fields, desk);
        let requires = fields.node("requires").map_or_else(Vec::new, |node| requirements(node, desk));
        for key in ["topology", "vars", "matrix", "allow"] {
            fields.node(key);
        }
        let lists = ["steps", "finally"].into_iter().filter_map(|key| root.get(key));
        let refused = refused_starts(lists);
        let consumers = fields.node("consumers").map_or_else(Vec::new, |node| consumers(node, &refused, stage, desk));
        let mut list = |key: &'static str, desk: &mut Diagnostics| {
            fields.node(key).map_or_else(Vec::new, |node| steps(&format!("`{key}`"), node, stage, desk))
        };
        let (steps, at_end, finally) = (list("steps", desk), list("at_end", desk), list("finally", desk));
        let snapshot = fields.node("snapshot").map_or_else(kept, |node| snapshot(node, desk));
        fields.finish(desk);
        check_at_end(&at_end, desk);
        let scenario = Scenario {
            file: self.name.to_owned(),
            title,
            description,
            tags,
            topology: Default::default(),
            origins: Default::default(),
            seed,
            timeout,
            requires,
            needs,
            brokers,
            live,
            consumers,
            steps,
            at_end,
            finally,
            snapshot,
        };
        suspicious::check_timeout(&scenario, timeout.zip(place), desk);
        Some(scenario)
    }
}

/// Decodes all consumers; those whose start must be refused may hold what the broker refuses.
fn consumers(
    node: &Node,
    refused: &BTreeSet<&str>,
    stage: &StepSurroundings<'_>,
    desk: &mut Diagnostics,
) -> Vec<Consumer> {
    if !matches!(node.kind, NodeKind::Map(_) | NodeKind::Faulty) {
        let message = format!("`consumers` is a map of names and consumers, found {}", node.describe());
        let problem = Problem::new(Code::ValueKind, message).at(node.span, "expected a map");
        desk.add(problem);
    }
    node.entries()
        .iter()
        .filter_map(|entry| {
            let manual = entry.value.get("start").and_then(Node::as_text) == Some("manual");
            let refused = manual && refused.contains(entry.key.as_str());
            desk.must_be_refused(refused, |desk| consumer(entry, &stage.vhost, &stage.ladders, &stage.folder, desk))
        })
        .collect()
}

fn kept() -> SnapshotSettings {
    SnapshotSettings { off: false, redact: Vec::new(), split: false }
}

fn snapshot(node: &Node, desk: &mut Diagnostics) -> SnapshotSettings {
    match &node.kind {
        NodeKind::Text(text) if text == "off" => return SnapshotSettings { off: true, ..kept() },
        NodeKind::Bool(on) => return SnapshotSettings { off: !on, ..kept() },
        NodeKind::Map(_) => {}
        _ => {
            desk.wrong("`snapshot`", node, DecodeError::Kind("`off`, or a map with `redact` or `split`"));
            return kept();
        }
    }
    let Some(mut fields) = MapDecoder::of("snapshot", "`snapshot`", node, desk) else { return kept() };
    let redact = fields.opt("redact", desk, read::texts).unwrap_or_default();
    let split = fields.opt("split", desk, read::boolean).unwrap_or(false);
    fields.finish(desk);
    SnapshotSettings { off: false, redact, split }
}

/// Reads `requires: {rabbitmq: ">=3.12 <4.3"}`.
fn requirements(node: &Node, desk: &mut Diagnostics) -> Vec<Requirement> {
    let Some(mut fields) = MapDecoder::of("requires", "`requires`", node, desk) else { return Vec::new() };
    let found = fields.node("rabbitmq").and_then(|node| {
        let bounds = desk.read("`rabbitmq`", node, bounds)?;
        Some(bounds.into_iter().map(|(at_least, below)| Requirement { at_least, below, span: node.span }).collect())
    });
    fields.finish(desk);
    found.unwrap_or_default()
}

type Bounds = (Option<Version>, Option<Version>);

fn bounds(node: &Node) -> Read<Vec<Bounds>> {
    let text = match &node.kind {
        NodeKind::Float(n) => n.to_string(),
        // `4` says no minor version.
        NodeKind::Integer(n) => n.to_string(),
        _ => read::text(node)?,
    };
    let spaced = text.replace(',', " ").replace("= ", "=").replace("< ", "<").replace("> ", ">");
    spaced.split_whitespace().map(bound).collect::<Option<_>>().filter(|all: &Vec<_>| !all.is_empty()).ok_or_else(
        || {
            let help = "write \">=4.0\", \"<4.3\" or \">=3.12 <4.0\"";
            DecodeError::Sentence { message: format!("`{text}` is not a bound on a version"), help: Some(help.into()) }
        },
    )
}

fn bound(word: &str) -> Option<Bounds> {
    let next = |version: Version| Version { minor: version.minor.saturating_add(1), ..version };
    let version = |text: &str| text.parse::<Version>().ok();
    if let Some(rest) = word.strip_prefix(">=") {
        return Some((Some(version(rest)?), None));
    }
    if let Some(rest) = word.strip_prefix("<=") {
        return Some((None, Some(next(version(rest)?))));
    }
    if let Some(rest) = word.strip_prefix('>') {
        return Some((Some(next(version(rest)?)), None));
    }
    if let Some(rest) = word.strip_prefix('<') {
        return Some((None, Some(version(rest)?)));
    }
    let exact = version(word.trim_start_matches('='))?;
    Some((Some(exact), Some(next(exact))))
}
