//! The names that files declare or use, and which of them a key takes.
//! Takes outlines; returns names in the order of the files.

use crate::language::complete::outline::{OutlineEntry, PathStep};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameKind {
    Queue,
    Exchange,
    Consumer,
    User,
    Vhost,
    /// The id of a message.
    Message,
    /// What a `get` keeps in hand.
    Held,
    RoutingKey,
}

use NameKind::{Consumer, Exchange, Held, Message, Queue, RoutingKey, User, Vhost};

/// Where names are given: the last keys of the way, `-` for an element, `*` for any key.
const GIVEN: &[(&[&str], NameKind)] = &[
    (&["queues", "-", "name"], Queue),
    (&["retry", "then"], Queue),
    (&["declare", "queue", "name"], Queue),
    (&["exchanges", "-", "name"], Exchange),
    (&["declare", "exchange", "name"], Exchange),
    (&["users", "-", "name"], User),
    (&["vhosts", "-", "name"], Vhost),
    (&["vhosts", "-"], Vhost),
    (&["publish", "id"], Message),
    (&["get", "as"], Held),
    (&["publish", "routing_key"], RoutingKey),
    (&["bindings", "-", "routing_key"], RoutingKey),
];

/// Which names a key takes, in a group or, with `*`, in any.
const TAKEN: &[(&str, &str, &[NameKind])] = &[
    ("step", "get", &[Queue]),
    ("step", "consume", &[Queue]),
    ("step", "purge", &[Queue]),
    ("step", "start", &[Consumer]),
    ("step", "stop", &[Consumer]),
    ("step", "crash", &[Consumer]),
    ("step", "recover", &[Consumer]),
    ("step", "close_connection", &[Consumer, User]),
    ("step", "ack", &[Held]),
    ("step", "nack", &[Held]),
    ("step", "reject", &[Held]),
    ("step", "clear_permission", &[User]),
    ("step", "clear_user_limits", &[User]),
    ("step", "clear_vhost_limits", &[Vhost]),
    ("get", "as", &[]),
    ("ack_held", "of", &[Held]),
    ("nack_held", "of", &[Held]),
    ("reject_held", "of", &[Held]),
    ("recover", "of", &[Consumer, User]),
    ("qos", "of", &[Consumer]),
    ("expect", "of", &[Message]),
    ("expect", "message", &[Message]),
    ("expect", "messages", &[Message]),
    ("expect", "includes", &[Message]),
    ("expect", "received", &[Message]),
    ("expect", "routed_to", &[Queue]),
    ("match", "id", &[Message]),
    ("message", "id", &[Message]),
    ("binding", "destination", &[Queue, Exchange]),
    ("retry", "then", &[Queue]),
    ("*", "queue", &[Queue]),
    ("*", "exchange", &[Exchange]),
    ("*", "source", &[Exchange]),
    ("*", "alternate_exchange", &[Exchange]),
    ("*", "consumer", &[Consumer]),
    ("*", "user", &[User]),
    ("*", "as", &[User]),
    ("*", "vhost", &[Vhost]),
    ("*", "routing_key", &[RoutingKey]),
];

/// Lists the names that a key of a group takes.
pub(crate) fn taken(group: &str, key: &str) -> &'static [NameKind] {
    let fits = |(of, name, _): &&(&str, &str, &[NameKind])| (*of == group || *of == "*") && *name == key;
    TAKEN.iter().find(fits).map_or(&[], |(.., kinds)| kinds)
}

/// Lists the names of a kind, each once; those that templates make are not known here.
pub(crate) fn names<'w>(written: impl IntoIterator<Item = &'w OutlineEntry>, kind: NameKind) -> Vec<&'w str> {
    let mut names: Vec<&str> = Vec::new();
    for one in written {
        if let Some(name) = name_in(one, kind).filter(|name| !name.contains("{{") && !names.contains(name)) {
            names.push(name);
        }
    }
    names
}

fn name_in(written: &OutlineEntry, kind: NameKind) -> Option<&str> {
    // A consumer's name is its key.
    if kind == Consumer {
        return match (&*written.path, &written.scalar) {
            ([PathStep::Key(consumers), PathStep::Key(name)], None) if consumers == "consumers" => Some(name),
            _ => None,
        };
    }
    let scalar = written.scalar.as_deref()?;
    let is_given = GIVEN.iter().any(|(way, given)| *given == kind && ends_with(&written.path, way));
    is_given.then_some(scalar)
}

fn ends_with(path: &[PathStep], way: &[&str]) -> bool {
    let is = |(step, wanted): (&PathStep, &&str)| match step {
        PathStep::Key(key) => key == wanted,
        PathStep::Item(_) => *wanted == "-",
    };
    path.len() >= way.len() && path[path.len() - way.len()..].iter().zip(way).all(is)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::words::{OF_SCENARIOS, OF_STEPS, OF_TOPOLOGIES};

    #[test]
    fn every_key_that_takes_names_is_one_of_the_table() {
        let groups = || OF_SCENARIOS.iter().chain(OF_STEPS).chain(OF_TOPOLOGIES);
        for (of, key, _) in TAKEN {
            let has = groups().any(|group| (*of == "*" || *of == group.name) && group.has(key));
            assert!(has, "{of}.{key}");
        }
    }
}
