//! What a broker holds and a file does not name: the objects that a plan leaves alone unless it is told to prune.
//! Takes desired and observed topology; gives data, nothing of which belongs to RabbitMQ itself, to a plugin or to
//! rmqplay's own runs. Never deletes.

use crate::model::{Binding, BindingKey, DestinationKind, Name, Object, Topology};
use crate::plan::diff::wiring::{exchange_words, is_implicit, queue_words};
use crate::plan::diff::{access, policies};
use crate::plan::extra::Extra;
use crate::plan::foreign::{Makers, is_predeclared};
use crate::plan::{Observed, Stakes};
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

/// Lists what `vhosts` hold on the broker that the file does not name, in the order of [`Object`].
///
/// Left out are default objects (`amq.*`, the default exchange), server-named and exclusive queues, the rights of the
/// account in use and of throw-away users, what federation, shovels, MQTT, STOMP, streams or an unfinished move made, and
/// bindings that go with an end of theirs which is in the list or was left out.
pub fn extras(desired: &Topology, observed: &Observed, vhosts: &[Name]) -> Vec<Extra> {
    let old = &observed.topology;
    let named = DesiredNames::of(desired);
    let makers = Makers::of(old);
    let looked_at = |vhost: &Name| vhosts.contains(vhost);
    let mut found: Vec<(Object, Vec<String>)> = Vec::new();
    let queues = old.queues.iter().filter(|it| looked_at(&it.vhost) && !named.queues.contains(&(&it.vhost, &it.name)));
    for queue in queues.filter(|it| !it.exclusive && makers.of_queue(&it.vhost, &it.name).is_none()) {
        found.push((queue.object(), queue_words(queue, queue.kind().as_str())));
    }
    let exchanges =
        old.exchanges.iter().filter(|it| looked_at(&it.vhost) && !named.exchanges.contains(&(&it.vhost, &it.name)));
    for exchange in exchanges.filter(|it| makers.of_exchange(it).is_none()) {
        found.push((exchange.object(), exchange_words(exchange)));
    }
    for binding in old.bindings.iter().filter(|it| looked_at(&it.vhost) && !is_implicit(it) && named.keeps_ends(it)) {
        if !named.bindings.contains(&BindingKey(binding)) {
            found.push((binding.object(), Vec::new()));
        }
    }
    found.extend(of_vhosts(desired, observed, &looked_at));
    in_order(found, observed)
}

/// Lists the users, vhosts and global parameters that the file does not name; never the account in use, `/` or what
/// rmqplay's runs made.
pub fn cluster_extras(desired: &Topology, observed: &Observed) -> Vec<Extra> {
    let old = &observed.topology;
    let mut found: Vec<(Object, Vec<String>)> = Vec::new();
    let is_named = |name: &Name| desired.users.iter().any(|user| user.name == *name);
    for user in old.users.iter().filter(|it| !is_named(&it.name) && it.name != observed.account) {
        if !is_throw_away(&user.name) {
            found.push((user.object(), user.tags.clone()));
        }
    }
    let named = desired.vhost_names();
    for vhost in old.vhosts.iter().filter(|it| !named.contains(&it.name) && *it.name != *"/") {
        if !is_throw_away(&vhost.name) {
            found.push((vhost.object(), vhost.description.iter().filter(|text| !text.is_empty()).cloned().collect()));
        }
    }
    for name in old.global_parameters.keys().filter(|name| !desired.global_parameters.contains_key(*name)) {
        if !policies::is_of_cluster(name) {
            found.push((Object::GlobalParameter { name: name.as_str().into() }, Vec::new()));
        }
    }
    in_order(found, observed)
}

fn in_order(mut found: Vec<(Object, Vec<String>)>, observed: &Observed) -> Vec<Extra> {
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    let extra = |(object, words): (Object, Vec<String>)| {
        let stakes = Stakes::of(&object, observed);
        Extra { object, words, stakes }
    };
    found.into_iter().map(extra).collect()
}

/// Lists rights, policies, parameters and limits; few of them, so each is looked for.
fn of_vhosts(
    desired: &Topology,
    observed: &Observed,
    looked_at: &impl Fn(&Name) -> bool,
) -> Vec<(Object, Vec<String>)> {
    let old = &observed.topology;
    let mut found = Vec::new();
    let spared = |user: &Name| *user == observed.account || is_throw_away(user);
    for row in old.permissions.iter().filter(|it| looked_at(&it.vhost) && !spared(&it.user)) {
        if !desired.permissions.iter().any(|it| it.user == row.user && it.vhost == row.vhost) {
            let words = [("configure", &row.configure), ("write", &row.write), ("read", &row.read)];
            found.push((row.object(), access::words(&words)));
        }
    }
    for row in old.topic_permissions.iter().filter(|it| looked_at(&it.vhost) && !spared(&it.user)) {
        if !desired.topic_permissions.iter().any(|it| it.object() == row.object()) {
            found.push((row.object(), access::words(&[("write", &row.write), ("read", &row.read)])));
        }
    }
    let kinds = [(&old.policies, &desired.policies, false), (&old.operator_policies, &desired.operator_policies, true)];
    for (there, wanted, operator) in kinds {
        for policy in there.iter().filter(|it| looked_at(&it.vhost)) {
            if !wanted.iter().any(|it| it.vhost == policy.vhost && it.name == policy.name) {
                found.push((policy.object(operator), policies::policy_words(policy)));
            }
        }
    }
    for parameter in old.parameters.iter().filter(|it| looked_at(&it.vhost)) {
        if !desired.parameters.iter().any(|it| it.object() == parameter.object()) {
            found.push((parameter.object(), Vec::new()));
        }
    }
    for vhost in old.vhosts.iter().filter(|it| looked_at(&it.name)) {
        let wanted = desired.vhosts.iter().find(|it| it.name == vhost.name);
        for (limit, value) in vhost.limits.iter().filter(|(_, value)| **value >= 0) {
            if wanted.is_none_or(|wanted| !wanted.limits.contains_key(limit)) {
                let object = Object::VhostLimit { vhost: vhost.name.clone(), name: limit.as_str().into() };
                found.push((object, vec![value.to_string()]));
            }
        }
    }
    found
}

/// What a file names, for quick look-ups.
struct DesiredNames<'a> {
    queues: IndexSet<(&'a Name, &'a Name), FxBuildHasher>,
    exchanges: IndexSet<(&'a Name, &'a Name), FxBuildHasher>,
    bindings: IndexSet<BindingKey<'a>, FxBuildHasher>,
}

impl<'a> DesiredNames<'a> {
    fn of(desired: &'a Topology) -> Self {
        Self {
            queues: desired.queues.iter().map(|it| (&it.vhost, &it.name)).collect(),
            exchanges: desired.exchanges.iter().map(|it| (&it.vhost, &it.name)).collect(),
            bindings: desired.bindings.iter().map(BindingKey).collect(),
        }
    }

    /// Returns whether both ends of a binding are the file's, or there from the beginning.
    fn keeps_ends(&self, binding: &Binding) -> bool {
        let has_exchange = |name: &Name| is_predeclared(name) || self.exchanges.contains(&(&binding.vhost, name));
        let has_destination = match binding.destination_kind {
            DestinationKind::Queue => self.queues.contains(&(&binding.vhost, &binding.destination)),
            DestinationKind::Exchange => has_exchange(&binding.destination),
        };
        has_destination && has_exchange(&binding.source)
    }
}

/// Returns whether a vhost or a user is one that a run of rmqplay made: `rmqplay-` and eight digits to base 62.
pub fn is_throw_away(name: &str) -> bool {
    let digits = name.strip_prefix("rmqplay-");
    digits.is_some_and(|digits| digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
