//! Who may do what: the rights of each user on each object, with the pattern that gives them.
//! Takes a topology; gives a table. Patterns are matched by `rules`.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::model::{Name, Topology};
use crate::rules::{Access, Pattern, expand_topic_pattern};
use std::collections::BTreeMap;

/// A right on an object, and the pattern that gives it.
pub type Granted = BTreeMap<Access, String>;

/// The rights of a user in a vhost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAccess {
    pub user: Name,
    pub vhost: Name,
    pub tags: Vec<String>,
    pub objects: Vec<ObjectAccess>,
    /// How many objects of the vhost the user has no right on.
    pub without: usize,
    /// The patterns that give a right on something, whether or not that is there.
    pub patterns: Granted,
    /// By exchange: what routing keys the user may write and read.
    pub topics: Vec<(Name, Granted)>,
}

/// The rights of a user on one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectAccess {
    /// `queue` or `exchange`.
    pub kind: &'static str,
    pub name: Name,
    pub granted: Granted,
}

/// The name by which the default exchange is asked for.
const DEFAULT_EXCHANGE: &str = "amq.default";

/// Lists the rights of all users, or of one; and the users without a right anywhere.
pub fn access(topology: &Topology, user: Option<&str>) -> (Vec<UserAccess>, Vec<Name>) {
    let is_asked = |name: &str| user.is_none_or(|user| user == name);
    let permissions = topology.permissions.iter().filter(|permission| is_asked(&permission.user));
    let all = permissions.map(|permission| {
        let patterns = [
            (Access::Configure, &permission.configure),
            (Access::Write, &permission.write),
            (Access::Read, &permission.read),
        ];
        let patterns: Vec<(Access, &String, Option<Pattern>)> =
            patterns.map(|(access, text)| (access, text, Pattern::permission(text, false).ok())).into();
        let in_vhost = |vhost: &Name| *vhost == permission.vhost;
        let queues = topology.queues.iter().filter(|it| in_vhost(&it.vhost)).map(|it| ("queue", &it.name));
        let exchanges = topology.exchanges.iter().filter(|it| in_vhost(&it.vhost)).map(|it| ("exchange", &it.name));
        let default = Name::from(DEFAULT_EXCHANGE);
        let mut objects = Vec::new();
        let mut without = 0;
        for (kind, name) in std::iter::once(("exchange", &default)).chain(exchanges).chain(queues) {
            let fitting = patterns.iter().filter(|(access, _, pattern)| {
                let is_possible = name != DEFAULT_EXCHANGE || *access == Access::Write;
                is_possible && pattern.as_ref().is_some_and(|pattern| pattern.matches(name))
            });
            let granted: Granted = fitting.map(|(access, text, _)| (*access, (*text).clone())).collect();
            match granted.is_empty() {
                true => without += usize::from(name != DEFAULT_EXCHANGE),
                false => objects.push(ObjectAccess { kind, name: name.clone(), granted }),
            }
        }
        let of_topics = topology.topic_permissions.iter();
        let of_topics = of_topics.filter(|topic| topic.user == permission.user && in_vhost(&topic.vhost));
        let expand = |pattern: &str| expand_topic_pattern(pattern, &permission.user, &permission.vhost);
        let topics = of_topics.map(|topic| {
            let granted = [(Access::Write, expand(&topic.write)), (Access::Read, expand(&topic.read))];
            let gives = |pattern: &str| !matches!(pattern, "" | "^$");
            (topic.exchange.clone(), granted.into_iter().filter(|(_, pattern)| gives(pattern)).collect())
        });
        let giving = patterns.iter().filter(|(_, text, _)| !matches!(text.as_str(), "" | "^$"));
        let giving: Granted = giving.map(|(access, text, _)| (*access, (*text).clone())).collect();
        let known = topology.users.iter().find(|user| user.name == permission.user);
        UserAccess {
            user: permission.user.clone(),
            vhost: permission.vhost.clone(),
            tags: known.map(|user| user.tags.clone()).unwrap_or_default(),
            objects,
            without,
            patterns: giving,
            topics: topics.collect(),
        }
    });
    let has_rights = |name: &Name| topology.permissions.iter().any(|permission| permission.user == *name);
    let users = topology.users.iter().map(|user| &user.name).filter(|name| is_asked(name));
    let without = users.filter(|name| !has_rights(name)).cloned().collect();
    (all.collect(), without)
}
