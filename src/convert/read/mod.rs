//! Texts of several tools to a topology: definitions files, Kubernetes resources, rascal, Terraform.
//! Takes a text with its name; gives an [`Imported`] topology, with a note at each line that has no counterpart.

mod definitions;
mod fields;
mod foreign_map;
mod kubernetes;
mod kubernetes_links;
mod rascal;
mod rascal_bindings;
mod rascal_layers;
mod repeats;
mod resources;
mod terraform;
mod terraform_links;

use crate::language::{ForeignKind, Node, Settings, TopologyFile, World, foreign_kind, parse_documents, take_text};
use crate::model::{Binding, Exchange, Name, Parameter, Permission, Queue, TopicPermission, Topology, User, Vhost};
use crate::source::{Code, Level, Problem, Sources};
use std::collections::{BTreeMap, BTreeSet};

/// A topology that was read from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// What is declared.
    pub topology: Topology,
    /// The vhosts that are declared; others are only named.
    pub declared: BTreeSet<Name>,
    /// No object names its vhost.
    pub names_no_vhost: bool,
    /// Where it is from, in words: `definitions of RabbitMQ 3.10.8`.
    pub from: String,
}

/// Parameters that describe the cluster they come from, and make no sense elsewhere.
const CLUSTER_OWN: [&str; 1] = ["internal_cluster_id"];

/// Reads texts of any kind, which together are one topology. It is absent when a problem stops it.
pub fn import_texts(
    sources: &mut Sources,
    texts: &[TopologyFile<'_>],
    world: &dyn World,
    settings: &Settings,
) -> (Option<Imported>, Vec<Problem>) {
    let mut whole = Imported::default();
    let mut problems = Vec::new();
    let mut foreign: BTreeMap<ForeignKind, Vec<Node>> = BTreeMap::new();
    let mut names_vhosts = false;
    for text in texts {
        if let Some((kind, roots)) = foreign_documents(sources, text, &mut problems) {
            foreign.entry(kind).or_default().extend(roots);
            continue;
        }
        let (read, found) = definitions::read(sources, text.name, text.text, world, settings);
        problems.extend(found);
        if let Some(read) = read {
            names_vhosts |= !read.names_no_vhost;
            whole.add(read);
        }
    }
    for (kind, roots) in foreign {
        names_vhosts = true;
        match kind {
            ForeignKind::Kubernetes => whole.add(kubernetes::read(&roots, &mut problems)),
            ForeignKind::Rascal => whole.add(rascal::read(&roots, &mut problems)),
            ForeignKind::Terraform => whole.add(terraform::read(&roots, &mut problems)),
            ForeignKind::TerraformState => {
                let message = "this is a state file of Terraform, whose form is Terraform's own affair";
                let problem = Problem::new(Code::FileForeign, message);
                let problem = roots.iter().fold(problem, |problem, root| problem.at(root.span, "a state"));
                problems.push(problem.help("have Terraform print it: `terraform show -json | rmqplay import -`"));
            }
        }
    }
    whole.names_no_vhost = !names_vhosts;
    problems.extend(repeats::remove(&mut whole.topology));
    problems.sort_by_key(Problem::span);
    let stops = problems.iter().any(|problem| problem.level == Level::Problem);
    ((!stops).then_some(whole), problems)
}

/// Parses a file of another tool; `None` for what the language reads itself.
fn foreign_documents(
    sources: &mut Sources,
    file: &TopologyFile<'_>,
    problems: &mut Vec<Problem>,
) -> Option<(ForeignKind, Vec<Node>)> {
    // What is no foreign file is added to the sources by its own reader.
    let mut own = Sources::default();
    let id = take_text(&mut own, file.name, file.text).ok()?;
    let kind = parse_documents(&own, id).0.iter().find_map(foreign_kind)?;
    let id = take_text(sources, file.name, file.text).ok()?;
    let (roots, found) = parse_documents(sources, id);
    problems.extend(found);
    Some((kind, roots))
}

impl Imported {
    /// Adds what another file says.
    fn add(&mut self, other: Imported) {
        let (whole, more) = (&mut self.topology, other.topology);
        whole.vhosts.extend(more.vhosts);
        whole.users.extend(more.users);
        whole.permissions.extend(more.permissions);
        whole.topic_permissions.extend(more.topic_permissions);
        whole.exchanges.extend(more.exchanges);
        whole.queues.extend(more.queues);
        whole.bindings.extend(more.bindings);
        whole.policies.extend(more.policies);
        whole.operator_policies.extend(more.operator_policies);
        whole.parameters.extend(more.parameters);
        whole.global_parameters.extend(more.global_parameters);
        self.declared.extend(other.declared);
        if !self.from.contains(&other.from) {
            let joint = if self.from.is_empty() { "" } else { ", " };
            self.from = format!("{}{joint}{}", self.from, other.from);
        }
    }
}

/// Takes what a broker was seen to hold.
pub fn of_broker(topology: Topology, version: &str, place: &str) -> Imported {
    let declared = topology.vhosts.iter().map(|vhost| vhost.name.clone()).collect();
    let from = format!("RabbitMQ {version} at {place}");
    let mut imported = Imported { topology, declared, names_no_vhost: false, from };
    without_cluster_own(&mut imported.topology);
    sort(&mut imported.topology);
    imported
}

/// Puts objects in the order of their names: a broker lists them by chance.
fn sort(topology: &mut Topology) {
    topology.vhosts.sort_by_cached_key(Vhost::object);
    topology.users.sort_by_cached_key(User::object);
    topology.permissions.sort_by_cached_key(Permission::object);
    topology.topic_permissions.sort_by_cached_key(TopicPermission::object);
    topology.exchanges.sort_by_cached_key(Exchange::object);
    topology.queues.sort_by_cached_key(Queue::object);
    topology.bindings.sort_by_cached_key(Binding::object);
    topology.policies.sort_by_cached_key(|policy| policy.object(false));
    topology.operator_policies.sort_by_cached_key(|policy| policy.object(true));
    topology.parameters.sort_by_cached_key(Parameter::object);
    topology.global_parameters.sort_unstable_keys();
}

/// Leaves out what belongs to the cluster and not to its topology; returns the names.
pub(crate) fn without_cluster_own(topology: &mut Topology) -> Vec<String> {
    let own = topology.global_parameters.keys().filter(|name| CLUSTER_OWN.contains(&name.as_str()));
    let own: Vec<String> = own.cloned().collect();
    own.iter().for_each(|name| {
        topology.global_parameters.shift_remove(name);
    });
    own
}

/// Keeps what is in one vhost, and the users who have rights there; global parameters are of no vhost.
pub fn only_vhost(imported: &mut Imported, vhost: &str) {
    let topology = &mut imported.topology;
    topology.vhosts.retain(|it| it.name == vhost);
    topology.permissions.retain(|it| it.vhost == vhost);
    topology.topic_permissions.retain(|it| it.vhost == vhost);
    topology.exchanges.retain(|it| it.vhost == vhost);
    topology.queues.retain(|it| it.vhost == vhost);
    topology.bindings.retain(|it| it.vhost == vhost);
    topology.policies.retain(|it| it.vhost == vhost);
    topology.operator_policies.retain(|it| it.vhost == vhost);
    topology.parameters.retain(|it| it.vhost == vhost);
    topology.global_parameters.clear();
    let permissions = &topology.permissions;
    topology.users.retain(|user| permissions.iter().any(|row| row.user == user.name));
    imported.declared.retain(|name| name == vhost);
}
