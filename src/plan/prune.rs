//! What `--prune` deletes: what a broker holds in the file's own vhosts and the file does not name.
//! Takes desired and observed topology; gives deletions in their order. Never deletes.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{Handling, Name, Object, Topology};
use crate::plan::deletion::{deletion, in_order};
use crate::plan::diff::loss::judge_policies;
use crate::plan::extra::Extra;
use crate::plan::ignore_list::IgnoreList;
use crate::plan::referrers::Staying;
use crate::plan::{Change, Observed, Risk, cluster_extras, extras, named};
use crate::source::{Code, Help, Problem, nearest_name};
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
                other => {
                    let near = nearest_name(other, Self::WORDS).map(|near| format!("; {}", Help::did_you_mean(near)));
                    return Err(format!("`{other}` is none of {}{}", Self::WORDS.join(", "), near.unwrap_or_default()));
                }
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
    let gone =
        beside(desired, observed, vhosts, &ignored, scope).filter(|it| ignored.held_by(&it.object, observed).is_none());
    let mut changes: Vec<Change> = gone.map(|extra| deletion(extra, "the file does not name it", observed)).collect();
    let staying = Staying::new(desired, &observed.topology, changes.iter().map(|it| it.object.clone()).collect());
    for change in &mut changes {
        let Some(sent) = staying.senders_to(&change.object) else { continue };
        let risk = Risk::of_rights(format!("{} goes, and {sent}", change.object), "routed", "lost");
        change.risk = Some(risk.join(change.risk.take()));
    }
    judge_policies(&mut changes, desired, observed);
    in_order(&mut changes);
    changes
}

/// Notes what stays although the file does not name it, since what the file ignores would go with it.
pub fn spared(
    desired: &Topology,
    handling: &Handling,
    observed: &Observed,
    vhosts: &[Name],
    scope: DeletionScope,
) -> Vec<Problem> {
    if handling.ignored.is_empty() {
        return Vec::new();
    }
    let ignored = IgnoreList::of(&handling.ignored);
    let beside = beside(desired, observed, vhosts, &ignored, scope);
    beside.filter_map(|it| Some(stays(&it.object, &ignored.held_by(&it.object, observed)?))).collect()
}

/// Notes that an object stays, and what would go with it.
pub(crate) fn stays(object: &Object, held: &Object) -> Problem {
    let text = format!("{} stays: {} would go with it, which the file ignores", named(object), named(held));
    Problem::note(Code::PlanSpared, text)
}

/// Lists what a broker holds beside the file and the scope reaches, but for what the file ignores.
fn beside(
    desired: &Topology,
    observed: &Observed,
    vhosts: &[Name],
    ignored: &IgnoreList,
    scope: DeletionScope,
) -> impl Iterator<Item = Extra> {
    let all = extras(desired, observed, vhosts).into_iter().chain(cluster_extras(desired, observed));
    all.filter(move |extra| scope.has(&extra.object) && !ignored.covers(&extra.object))
}
