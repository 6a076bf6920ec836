//! What `--prune` deletes: what a broker holds in the file's own vhosts and the file does not name.
//! Takes desired and observed topology; gives deletions in their order. Never deletes.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{Handling, Name, Object, Parameter, Topology};
use crate::plan::deletion::{deletion, in_order};
use crate::plan::diff::loss::judge_policies;
use crate::plan::extra::Extra;
use crate::plan::foreign::{Maker, Makers};
use crate::plan::ignore_list::IgnoreList;
use crate::plan::lost_ways::judge_ways;
use crate::plan::{Change, Observed, cluster_extras, extras, named};
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
    judge_ways(&mut changes, desired, observed);
    judge_policies(&mut changes, desired, observed);
    in_order(&mut changes);
    changes
}

/// Notes what stays although the file does not name it: what the file ignores would go with it, or a shovel names it.
pub fn spared(
    desired: &Topology,
    handling: &Handling,
    observed: &Observed,
    vhosts: &[Name],
    scope: DeletionScope,
) -> Vec<Problem> {
    let ignored = IgnoreList::of(&handling.ignored);
    let mut notes = of_shovels(desired, observed, vhosts, &ignored);
    if !handling.ignored.is_empty() {
        let beside = beside(desired, observed, vhosts, &ignored, scope);
        notes.extend(beside.filter_map(|it| Some(stays(&it.object, &ignored.held_by(&it.object, observed)?))));
    }
    notes
}

/// Notes the queues and exchanges that stay since a shovel names them: it may have declared them itself, and would again.
fn of_shovels(desired: &Topology, observed: &Observed, vhosts: &[Name], ignored: &IgnoreList) -> Vec<Problem> {
    let old = &observed.topology;
    let makers = Makers::of(old);
    let queues = old.queues.iter().filter(|it| makers.of_queue(&it.vhost, &it.name) == Some(Maker::Shovel));
    let queues = queues.filter(|it| desired.queue(&it.vhost, &it.name).is_none());
    let exchanges = old.exchanges.iter().filter(|it| makers.of_exchange(it) == Some(Maker::Shovel));
    let is_named =
        |vhost: &Name, name: &Name| desired.exchanges.iter().any(|it| it.vhost == *vhost && it.name == *name);
    let exchanges = exchanges.filter(|it| !is_named(&it.vhost, &it.name));
    let ends = queues.map(|it| (&it.vhost, &it.name, it.object()));
    let ends = ends.chain(exchanges.map(|it| (&it.vhost, &it.name, it.object())));
    let ends = ends.filter(|(vhost, _, object)| vhosts.contains(vhost) && !ignored.covers(object));
    let goes = |shovel: &Parameter| {
        let object = shovel.object();
        vhosts.contains(&shovel.vhost)
            && !ignored.covers(&object)
            && !desired.parameters.iter().any(|it| it.object() == object)
    };
    ends.filter_map(|(_, name, object)| {
        let shovel = makers.shovel_of(name)?;
        let text =
            format!("{} stays: shovel '{}' names it, and declares it where it is missing", named(&object), shovel.name);
        let help = match goes(shovel) {
            true => "the shovel goes; once it is gone, the next --prune deletes what it leaves behind",
            false => "name it in the file, which tells what it should be, or under `ignore`",
        };
        Some(Problem::note(Code::PlanSpared, text).help(help))
    })
    .collect()
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
