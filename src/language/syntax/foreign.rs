//! Recognises files of other tools, which `import` converts: Kubernetes resources, rascal, Terraform.
//! Takes a tree; gives the kind with the key that tells it, or a problem that names the command. Never converts.

use crate::language::syntax::tree::{Entry, Node, NodeKind};
use crate::source::{Code, Problem, Sources};

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ForeignKind {
    /// Resources of a Kubernetes cluster, as the messaging topology operator takes them.
    Kubernetes,
    /// The configuration of rascal, a library for Node.js.
    Rascal,
    /// What `terraform show -json` prints.
    Terraform,
    /// The state file of Terraform itself, which only Terraform reads.
    TerraformState,
}

impl ForeignKind {
    /// Returns what such a file is called.
    pub fn as_str(self) -> &'static str {
        match self {
            ForeignKind::Kubernetes => "a Kubernetes resource",
            ForeignKind::Rascal => "a configuration of rascal",
            ForeignKind::Terraform => "an output of `terraform show -json`",
            ForeignKind::TerraformState => "a state file of Terraform",
        }
    }
}

/// Tells whose file a tree is of; `None` for files of rmqplay and of RabbitMQ.
pub fn foreign_kind(root: &Node) -> Option<ForeignKind> {
    telling_key(root).map(|(kind, _)| kind)
}

fn telling_key(root: &Node) -> Option<(ForeignKind, &Entry)> {
    let is_map = |node: &Node| matches!(node.kind, NodeKind::Map(_));
    let entry = |key: &str| root.entries().iter().find(|entry| entry.key == key);
    if root.get("kind").is_some_and(|kind| kind.as_text().is_some()) {
        return entry("apiVersion").map(|entry| (ForeignKind::Kubernetes, entry));
    }
    if let Some(version) = entry("format_version") {
        let parts = ["values", "planned_values", "terraform_version", "prior_state"];
        return parts.iter().any(|key| root.get(key).is_some()).then_some((ForeignKind::Terraform, version));
    }
    if let Some(lineage) = entry("lineage").filter(|_| root.get("resources").is_some()) {
        return Some((ForeignKind::TerraformState, lineage));
    }
    if let Some(vhosts) = entry("vhosts").filter(|vhosts| is_map(&vhosts.value)) {
        return Some((ForeignKind::Rascal, vhosts));
    }
    let rascal = entry("rascal")?;
    rascal.value.get("vhosts").is_some_and(is_map).then_some((ForeignKind::Rascal, rascal))
}

/// Refuses a file of another tool, and names the command that takes it.
pub fn refuse(sources: &Sources, root: &Node) -> Option<Problem> {
    let (kind, entry) = telling_key(root)?;
    let message = format!("this is {}, and no file of rmqplay", kind.as_str());
    let name = &sources.get(root.span.file).name;
    let help = match kind {
        ForeignKind::TerraformState => {
            "have Terraform print it and convert that: `terraform show -json | rmqplay import -`".to_owned()
        }
        _ => format!("convert it first: `rmqplay import {name} -o topology.yaml`"),
    };
    let problem = Problem::new(Code::FileForeign, message);
    Some(problem.at(entry.key_span, format!("`{}` tells it", entry.key)).help(help))
}
