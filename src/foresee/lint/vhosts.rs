//! Objects in vhosts that the file does not declare, though it declares others.
//! Takes a topology's view; gives a note for each such vhost, since the broker may hold it already.

use crate::foresee::lint::findings::LintFindings;
use crate::foresee::topology_view::TopologyView;
use crate::language::nearest;
use crate::model::{Name, Object};
use crate::source::{Code, Help, Problem};
use std::collections::{BTreeMap, BTreeSet};

/// The vhost that every new broker has.
const OWN: &str = "/";

/// Looks at the vhost of each object.
pub fn check(view: &TopologyView<'_>, found: &mut LintFindings) {
    let topology = view.topology;
    let declared: BTreeSet<&str> = topology.vhosts.iter().map(|vhost| vhost.name.as_str()).collect();
    if declared.is_empty() {
        return;
    }
    let objects = (topology.exchanges.iter().map(|it| (&it.vhost, it.object())))
        .chain(topology.queues.iter().map(|it| (&it.vhost, it.object())))
        .chain(topology.bindings.iter().map(|it| (&it.vhost, it.object())))
        .chain(topology.policies.iter().map(|it| (&it.vhost, it.object(false))))
        .chain(topology.operator_policies.iter().map(|it| (&it.vhost, it.object(true))))
        .chain(topology.parameters.iter().map(|it| (&it.vhost, it.object())))
        .chain(topology.permissions.iter().map(|it| (&it.vhost, it.object())))
        .chain(topology.topic_permissions.iter().map(|it| (&it.vhost, it.object())));
    let mut first: BTreeMap<&Name, (Object, usize)> = BTreeMap::new();
    for (vhost, object) in objects.filter(|(vhost, _)| **vhost != *OWN && !declared.contains(vhost.as_str())) {
        first.entry(vhost).or_insert((object, 0)).1 += 1;
    }
    for (vhost, (object, count)) in first {
        let message = match count {
            1 => format!("this file names vhost '{vhost}' for {object}, and does not declare it"),
            _ => {
                format!("this file names vhost '{vhost}' for {object} and {} more, and does not declare it", count - 1)
            }
        };
        let note = Problem::note(Code::LintUnknownVhost, message).by("MG-1");
        let help = match nearest(vhost, declared.iter().copied()) {
            Some(near) => Help::did_you_mean(near),
            None => "RabbitMQ refuses what is in a vhost that it does not have, an import of this file ends there; one that \
                     the broker holds already is not seen here: else add it to `vhosts`"
                .into(),
        };
        found.add(note.help(help), view.field(&object, &["vhost"]), "not declared");
    }
}
