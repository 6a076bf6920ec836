//! What `--prune` deletes: what a broker holds in the file's own vhosts and the file does not name.
//! Takes desired and observed topology; gives deletions in their order. Never deletes.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{Binding, DestinationKind, Handling, Name, Object, Topology};
use crate::plan::deletion::{deletion, in_order};
use crate::plan::ignore_list::IgnoreList;
use crate::plan::referrers::Staying;
use crate::plan::{Change, Observed, Risk, cluster_extras, extras};
use std::fmt;
use std::str::FromStr;

/// What may be deleted that belongs to no vhost, or is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeletionScope {
    pub users: bool,
    pub vhosts: bool,
    pub global_parameters: bool,
}

impl DeletionScope {
    /// The words of flags.
    pub const WORDS: [&'static str; 3] = ["users", "vhosts", "global-parameters"];

    pub(crate) fn has(self, object: &Object) -> bool {
        match object {
            Object::User { .. } => self.users,
            Object::Vhost { .. } => self.vhosts,
            Object::GlobalParameter { .. } => self.global_parameters,
            _ => true,
        }
    }
}

impl FromStr for DeletionScope {
    type Err = String;

    /// Reads words parted by commas; none is fine.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut scope = Self::default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "users" => scope.users = true,
                "vhosts" => scope.vhosts = true,
                "global-parameters" => scope.global_parameters = true,
                other => return Err(format!("`{other}` is none of {}", Self::WORDS.join(", "))),
            }
        }
        Ok(scope)
    }
}

impl fmt::Display for DeletionScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = [self.users, self.vhosts, self.global_parameters];
        let words: Vec<&str> = flags.iter().zip(Self::WORDS).filter(|(set, _)| **set).map(|(_, word)| word).collect();
        f.write_str(&words.join(","))
    }
}

/// Lists the deletions of what `vhosts` hold beside the file, but for what the file ignores.
pub fn prune(
    desired: &Topology,
    handling: &Handling,
    observed: &Observed,
    vhosts: &[Name],
    scope: DeletionScope,
) -> Vec<Change> {
    let ignored = IgnoreList::of(&handling.ignored);
    let beside = extras(desired, observed, vhosts).into_iter().chain(cluster_extras(desired, observed));
    // An exchange takes its bindings with it: one that has an ignored binding stays.
    let holds_ignored = |object: &Object| {
        let Object::Exchange { vhost, name } = object else { return false };
        let touches = |binding: &&Binding| {
            let to = binding.destination_kind == DestinationKind::Exchange && binding.destination == *name;
            binding.vhost == *vhost && (binding.source == *name || to)
        };
        observed.topology.bindings.iter().filter(touches).any(|binding| ignored.covers(&binding.object()))
    };
    let gone = beside
        .filter(|extra| scope.has(&extra.object) && !ignored.covers(&extra.object) && !holds_ignored(&extra.object));
    let mut changes: Vec<Change> = gone.map(|extra| deletion(extra, "the file does not name it", observed)).collect();
    let staying = Staying::new(desired, &observed.topology, changes.iter().map(|it| it.object.clone()).collect());
    for change in &mut changes {
        let Some(sent) = staying.senders_to(&change.object) else { continue };
        let risk = Risk::of_rights(format!("{} goes, and {sent}", change.object), "routed", "lost");
        change.risk = Some(risk.join(change.risk.take()));
    }
    in_order(&mut changes);
    changes
}
