//! Joins what several files declare.
//! Takes collected parts; gives one whole, with a problem for each object that two parts declare otherwise.

use crate::language::decode::collect::{Collected, place};
use crate::language::decode::map_decoder::Diagnostics;
use crate::model::{Object, Topology};
use crate::source::{Code, Problem};

/// Adds a part to the whole. What both declare alike is kept once; what they declare otherwise is a problem.
pub fn merge(whole: &mut Collected, part: Collected, desk: &mut Diagnostics) {
    let Collected { topology, origins, climbed, handling, .. } = part;
    whole.climbed.extend(climbed);
    whole.handling.join(handling);
    let mut fresh = |object: Object, same: &dyn Fn(&Topology) -> bool| {
        let Some(first) = whole.origins.get(&object) else { return true };
        if !same(&whole.topology)
            && let Some(second) = origins.get(&object)
        {
            let message = format!("{object} is declared in two ways");
            let problem = Problem::new(Code::TopologyConflict, message).at(place(second), "here");
            let help = "declare it once, or alike in both places";
            desk.add(problem.at(place(first), "and otherwise here").help(help));
        }
        false
    };
    let mut out = Topology::default();
    macro_rules! keep {
        ($list:ident . object ( $($operator:expr)? )) => {
            for item in topology.$list {
                let object = item.object($($operator)?);
                let same = |known: &Topology| known.$list.contains(&item);
                if fresh(object, &same) {
                    out.$list.push(item);
                }
            }
        };
    }
    keep!(vhosts.object());
    keep!(users.object());
    keep!(permissions.object());
    keep!(topic_permissions.object());
    keep!(exchanges.object());
    keep!(queues.object());
    keep!(bindings.object());
    keep!(policies.object(false));
    keep!(operator_policies.object(true));
    keep!(parameters.object());
    for (name, value) in topology.global_parameters {
        let object = Object::GlobalParameter { name: name.as_str().into() };
        if fresh(object, &|known| known.global_parameters.get(&name) == Some(&value)) {
            out.global_parameters.insert(name, value);
        }
    }
    let all = &mut whole.topology;
    all.vhosts.append(&mut out.vhosts);
    all.users.append(&mut out.users);
    all.permissions.append(&mut out.permissions);
    all.topic_permissions.append(&mut out.topic_permissions);
    all.exchanges.append(&mut out.exchanges);
    all.queues.append(&mut out.queues);
    all.bindings.append(&mut out.bindings);
    all.policies.append(&mut out.policies);
    all.operator_policies.append(&mut out.operator_policies);
    all.parameters.append(&mut out.parameters);
    all.global_parameters.extend(out.global_parameters);
    for (object, origin) in origins {
        whole.origins.entry(object).or_insert(origin);
    }
}
