//! Sharded exchanges whose shards are quorum queues: consumers that come together crowd on one of them (RT-17).
//! Takes a topology's view; gives a note for each policy that shards in a vhost whose queues are quorum unless they say otherwise.

use crate::foresee::lint::findings::LintFindings;
use crate::foresee::topology_view::{TopologyView, default_type};
use crate::model::{Exchange, QueueKind};
use crate::source::{Code, Problem};

/// Looks at each policy that shards.
pub fn check(view: &TopologyView<'_>, found: &mut LintFindings) {
    let sharding = view.topology.policies.iter().filter(|policy| policy.definition.contains_key("shards-per-node"));
    for policy in sharding.filter(|policy| default_type(view.topology, &policy.vhost) == Some(QueueKind::Quorum)) {
        let is_under = |exchange: &&Exchange| {
            let in_force = view.newest().policies.on_exchange(&exchange.vhost, &exchange.name);
            exchange.vhost == policy.vhost && in_force.is_some_and(|it| it.name == policy.name)
        };
        let Some(exchange) = view.topology.exchanges.iter().find(is_under) else { continue };
        let message = format!(
            "policy '{}' makes quorum queues the shards of exchange '{}': consumers that come together all go to one of them",
            policy.name, exchange.name
        );
        let help = "the plugin counts the consumers of quorum queues seconds late, and spreads nobody again, so the other \
                    shards wait; make the shards classic by the vhost's default queue type, or consume from each shard by its own \
                    name";
        let place = view.field(&policy.object(false), &["definition"]);
        found.add(Problem::note(Code::LintQuorumShards, message).by("RT-17").help(help), place, "shards");
    }
}
