//! Loads a topology file: a definitions file, or one with vars, macros and inline permissions and bindings.
//! Takes bytes and the world; gives the topology with its places, and all problems at once.

use crate::language::check::consequences;
use crate::language::check::dead_letter_targets;
use crate::language::check::{legal, right_shapes, topology_references};
use crate::language::decode::collect::Collected;
use crate::language::decode::judged_for::JudgedFor;
use crate::language::decode::map_decoder::{Diagnostics, MapDecoder, each};
use crate::language::decode::merge::merge;
use crate::language::decode::read;
use crate::language::decode::topology::objects;
use crate::language::decode::topology::objects::Surroundings;
use crate::language::decode::topology::{access, definitions, ignore, policies};
use crate::language::expand::render::{self, Renderer};
use crate::language::expand::scope::VariableScope;
use crate::language::syntax::encoding;
use crate::language::syntax::foreign;
use crate::language::syntax::parse::parse;
use crate::language::syntax::tree::{Node, NodeKind};
use crate::language::syntax::wrong_kind;
use crate::language::syntax::wrong_kind::FileKind;
use crate::language::{Settings, World};
use crate::model::{Allowance, Handling, Name, Origins, Topology};
use crate::source::{Code, FileId, Level, Problem, Sources};
use std::collections::BTreeSet;

/// A topology that was read from one file, or from several that were joined.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedTopology {
    /// Rendered, its includes merged in.
    pub topology: Topology,
    /// Where each object is declared.
    pub origins: Origins,
    /// A broker wrote the file.
    pub is_export: bool,
    /// The vhost that the file itself names for its objects.
    pub file_vhost: Option<Name>,
    /// Vhosts that the files declare under `vhosts:` or name by their own `vhost:`, in order of first mention.
    pub own_vhosts: Vec<Name>,
    /// Findings that are meant to be so.
    pub allowed: Vec<Allowance>,
    /// How the files want to be applied.
    pub handling: Handling,
}

/// A topology file that was read, by its name.
#[derive(Debug, Clone, Copy)]
pub struct TopologyFile<'a> {
    /// As the user named it.
    pub name: &'a str,
    /// As the disk has it.
    pub text: &'a [u8],
}

/// Loads a topology. The value is absent when a problem stops it; notes stop nothing.
pub fn load_topology(
    sources: &mut Sources,
    name: &str,
    text: &[u8],
    world: &dyn World,
    settings: &Settings,
) -> (Option<LoadedTopology>, Vec<Problem>) {
    load_topologies(sources, &[TopologyFile { name, text }], world, settings)
}

/// Loads topology files that together declare one topology. What two of them declare alike counts once, what they declare
/// otherwise is a problem. Names may be declared in one file and used in another.
pub fn load_topologies(
    sources: &mut Sources,
    files: &[TopologyFile<'_>],
    world: &dyn World,
    settings: &Settings,
) -> (Option<LoadedTopology>, Vec<Problem>) {
    let mut desk = Diagnostics::default();
    desk.judged_for = JudgedFor::of_settings(settings);
    let (mut whole, mut is_whole, mut is_export) = (Collected::default(), true, true);
    let (mut file_vhost, mut own_vhosts) = (None, Vec::new());
    let mut wrong = Vec::new();
    for file in files {
        let id = match encoding::take(sources, file.name, file.text) {
            Ok(id) => id,
            Err(problem) => {
                wrong.push(problem);
                continue;
            }
        };
        let Some(mut read) = read_topology(sources, id, &mut desk) else {
            is_whole = false;
            continue;
        };
        let foreign = foreign::refuse(sources, &read.root);
        if let Some(problem) = foreign.or_else(|| wrong_kind::refuse(&read.root, FileKind::Topology)) {
            wrong.push(problem);
            continue;
        }
        let vars = take_vars(&mut read.root);
        let mut scope = VariableScope::new(world, render::data);
        scope.write(vars.as_ref(), &mut desk);
        scope.settle(settings);
        scope.check_all(&mut desk);
        is_whole &= read.whole;
        is_export &= read.is_export;
        let (loaded, collected) = decode(sources, read, &scope, settings, false, &mut desk);
        own_vhosts.extend(loaded.own_vhosts);
        file_vhost = file_vhost.or(loaded.file_vhost);
        match files {
            [_] => whole = collected,
            _ => merge(&mut whole, collected, &mut desk),
        }
    }
    if !wrong.is_empty() {
        return (None, wrong);
    }
    desk.export = is_export;
    topology_references::check_topology(&whole.topology, &whole.origins, &mut desk);
    let declared = topology_references::Declared::of(&whole.topology);
    dead_letter_targets::check(&whole.topology, &whole.origins, &declared, &mut desk);
    legal::no_exclusive_queues(&whole.topology, &whole.origins, &mut desk);
    // Who only looks is told the rest, too.
    let is_passed = |code: Code| matches!(code, Code::TopologyPasswordHash | Code::TopologyPolicyKey);
    let hinders =
        |problem: &Problem| problem.level == Level::Problem && !(settings.without_secrets && is_passed(problem.code));
    let stopped = !is_whole || desk.problems.iter().any(hinders);
    // A name that a secret makes up is not known where that is not set.
    let hides_a_name = desk.problems.iter().any(consequences::is_unset_secret) && declared.has_template();
    consequences::leave_out(&mut desk.problems, is_whole && !hides_a_name, None);
    desk.silence();
    desk.problems.sort_by_key(Problem::span);
    let mut known = BTreeSet::new();
    own_vhosts.retain(|name: &Name| known.insert(name.clone()));
    let Collected { topology, origins, handling, .. } = whole;
    let allowed = desk.allowed;
    let loaded = LoadedTopology { topology, origins, is_export, file_vhost, own_vhosts, allowed, handling };
    ((!stopped).then_some(loaded), desk.problems)
}

/// A parsed topology whose templates are not rendered yet.
#[derive(Debug, Clone)]
pub struct ReadTopology {
    pub root: Node,
    pub is_export: bool,
    /// The file's name says that it is JSON: a definitions file, read as RabbitMQ's import reads it.
    pub is_json: bool,
    pub whole: bool,
}

/// Parses a topology file; problems of form go to the desk.
pub fn read_topology(sources: &Sources, file: FileId, desk: &mut Diagnostics) -> Option<ReadTopology> {
    let parsed = parse(sources, file);
    parsed.problems.into_iter().for_each(|problem| desk.add(problem));
    let root = parsed.root?;
    let marks = ["rabbit_version", "rabbitmq_version", "rabbitmq_definition_format"];
    let is_export = marks.iter().any(|mark| root.get(mark).is_some());
    let source = sources.get(file);
    let is_json = source.name.to_ascii_lowercase().ends_with(".json");
    if is_json && parsed.whole {
        definitions::note_if_not_json(&source.text, &root, desk);
    }
    Some(ReadTopology { root, is_export, is_json, whole: parsed.whole })
}

/// What a topology file says of itself as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodedTopology {
    /// The vhost that the file itself names for its objects.
    pub file_vhost: Option<Name>,
    /// As in [`LoadedTopology`].
    pub own_vhosts: Vec<Name>,
}

/// Renders and decodes a parsed topology in the names of a scope.
pub fn decode(
    sources: &Sources,
    read: ReadTopology,
    scope: &VariableScope<'_>,
    settings: &Settings,
    without_credentials: bool,
    desk: &mut Diagnostics,
) -> (DecodedTopology, Collected) {
    let ReadTopology { mut root, is_export, is_json, .. } = read;
    let outer = std::mem::replace(&mut desk.export, is_export);
    if !is_export {
        take_vars(&mut root);
        let renderer = Renderer::new(scope).with_sources(sources).without_credentials(without_credentials);
        let renderer = renderer.without_secrets(settings.without_secrets);
        root = renderer.tree(root, desk);
    }
    let mut of_objects = None;
    if is_export || is_json {
        of_objects = definitions::vhost_of_objects(&root).filter(|_| is_export);
        definitions::as_imported(&mut root, is_export, desk);
    }
    let mut collected = Collected::default();
    let file_vhost = objects_of(&root, of_objects, settings, &mut collected, desk);
    right_shapes::show(&mut desk.problems, &root, "topology");
    desk.export = outer;
    // The limits of an export make a vhost known, and declare none.
    let declared = collected.topology.vhosts.iter().filter(|vhost| collected.origins.contains_key(&vhost.object()));
    let own_vhosts = declared.map(|vhost| vhost.name.clone()).chain(file_vhost.clone()).collect();
    (DecodedTopology { file_vhost, own_vhosts }, collected)
}

/// Takes out what the scope reads; nothing is left at its place.
fn take_vars(root: &mut Node) -> Option<Node> {
    let NodeKind::Map(entries) = &mut root.kind else { return None };
    let vars = entries.iter_mut().find(|entry| entry.key == "vars")?;
    let nothing = Node::new(vars.value.span, NodeKind::Null);
    Some(std::mem::replace(&mut vars.value, nothing))
}

/// Decodes all lists of a file, in the order in which RabbitMQ imports them; returns the file's vhost.
fn objects_of(
    root: &Node,
    of_objects: Option<Name>,
    settings: &Settings,
    into: &mut Collected,
    desk: &mut Diagnostics,
) -> Option<Name> {
    let mut fields = MapDecoder::of("topology", "a topology", root, desk)?;
    let own = fields.opt("vhost", desk, read::name);
    let original = fields.opt("original_vhost_name", desk, read::name).or(of_objects);
    let default = settings.default_vhost.as_deref().map(Name::from);
    let vhost = own.clone().or(default).or_else(|| original.clone()).unwrap_or_else(|| "/".into());
    let around = &Surroundings { vhost };
    fields.ignore(&["rabbit_version", "rabbitmq_version", "rabbitmq_definition_format", "product_name"]);
    fields.ignore(&["product_version", "explanation", "description", "metadata", "original_cluster_name"]);
    fields.node("vars");
    if let Some(node) = fields.node("ignore") {
        ignore::ignore(node, &mut into.handling.ignored, desk);
    }
    if let Some(node) = fields.node("needs") {
        ignore::needed_plugins(node, &mut into.handling.plugins, desk);
    }
    if desk.export {
        fields.ignore(&["default_queue_type"]);
        if let Some(node) = fields.take("limits").map(|entry| &entry.value) {
            access::limits_of_export(node, &around.vhost, into, desk);
        }
    }
    let mut pending = Vec::new();
    let mut list = |key: &'static str, desk: &mut Diagnostics, decode: &mut dyn FnMut(&Node, &mut Diagnostics)| {
        if let Some(node) = fields.node(key) {
            each(&format!("`{key}`"), node, desk, |node, desk| {
                decode(node, desk);
                None::<()>
            });
        }
    };
    list("users", desk, &mut |node, desk| access::user(node, around, into, desk));
    list("vhosts", desk, &mut |node, desk| access::vhost(node, into, desk));
    list("permissions", desk, &mut |node, desk| access::permission(node, around, into, desk));
    list("exchanges", desk, &mut |node, desk| objects::exchange(node, around, into, desk));
    list("topic_permissions", desk, &mut |node, desk| access::topic_permission(node, around, into, desk));
    list("global_parameters", desk, &mut |node, desk| policies::global_parameter(node, into, desk));
    list("policies", desk, &mut |node, desk| policies::policy(node, false, around, into, desk));
    list("operator_policies", desk, &mut |node, desk| policies::policy(node, true, around, into, desk));
    list("parameters", desk, &mut |node, desk| policies::parameter(node, around, into, desk));
    list("queues", desk, &mut |node, desk| objects::queue(node, around, into, &mut pending, desk));
    list("bindings", desk, &mut |node, desk| objects::binding(node, around, into, desk));
    fields.finish(desk);
    for (queue, ladder) in pending {
        ladder.declare(&queue, into, desk);
    }
    own.or(original)
}
