//! Looks before the leap: what a broker or the account in use lacks for a plan, found before the first write.
//! Takes what was read of both; gives problems. What is not known is no problem: the broker itself will say it.

use crate::broker::{Management, Method};
use crate::model::{
    Exchange, Name, Object, ObjectKind, Permission, Policy, Profile, Queue, QueueKind, Table, Value, Version, Vhost,
    by_number,
};
use crate::plan::diff::findings::Findings;
use crate::plan::diff::own_topics::OwnTopics;
use crate::plan::{Abilities, Change, ChangeKind, Write};
use crate::rules::{
    Pattern, RefusedArgument, check_policy, differences, is_known_type, refused_arguments, type_of_new_queue,
};
use crate::source::{Code, Problem};
use std::collections::{BTreeMap, BTreeSet};

/// Beginnings of policy keys that plugins bring, and the applications of which one must run.
const KEYS_OF_PLUGINS: [(&str, &[&str]); 3] =
    [("federation-", FEDERATION), ("shards-per-node", &["rabbitmq_sharding"]), ("routing-key", &["rabbitmq_sharding"])];

/// Components of parameters that plugins bring, and the applications of which one must run.
const COMPONENTS: [(&str, &[&str]); 3] =
    [("shovel", &["rabbitmq_shovel"]), ("federation-upstream", FEDERATION), ("federation-upstream-set", FEDERATION)];

/// 4.1 parts federation into several plugins.
const FEDERATION: &[&str] =
    &["rabbitmq_federation", "rabbitmq_federation_common", "rabbitmq_exchange_federation", "rabbitmq_queue_federation"];

/// The deprecated feature of queues that are neither durable nor exclusive.
const TRANSIENT: &str = "transient_nonexcl_queues";

/// Returns the problem of objects that the account cannot read: a plan without them would be half of one.
pub(crate) fn unread(findings: &Findings<'_>, kind: ObjectKind) -> Option<Problem> {
    let (desired, observed) = (findings.desired, findings.observed);
    let is_unread = observed.unread.contains(&kind);
    let count = match kind {
        _ if !is_unread => 0,
        ObjectKind::User => desired.users.len(),
        ObjectKind::Permission => desired.permissions.len(),
        ObjectKind::TopicPermission => desired.topic_permissions.len(),
        ObjectKind::GlobalParameter => desired.global_parameters.len(),
        ObjectKind::Parameter => desired.parameters.len(),
        ObjectKind::Policy => desired.policies.len(),
        ObjectKind::Exchange => desired.exchanges.len(),
        ObjectKind::Queue => desired.queues.len(),
        ObjectKind::Binding => desired.bindings.len(),
        _ => 0,
    };
    if count == 0 {
        return None;
    }
    let account = &observed.account;
    let text = format!(
        "user '{account}' may not read the {} of this broker: {count} of the file cannot be compared",
        kind.plural()
    );
    let help = format!(
        "`rabbitmqctl set_user_tags {account} {}` gives the right, or name another user in the URL",
        tag_for(kind)
    );
    Some(Problem::new(Code::PlanUnread, text).help(help))
}

/// Returns the tag that writing such an object takes.
fn tag_for(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Policy | ObjectKind::Parameter | ObjectKind::GlobalParameter => "policymaker",
        ObjectKind::Exchange | ObjectKind::Queue | ObjectKind::Binding => "management",
        _ => "administrator",
    }
}

/// Checks all changes of a plan against what broker and account can do.
pub(crate) fn check(findings: &mut Findings<'_>) {
    let observed = findings.observed;
    let Some(abilities) = &observed.abilities else { return };
    let changes = std::mem::take(&mut findings.changes);
    tags(findings, &changes, abilities);
    // A file that stands in the broker's place has no account.
    if !observed.account.is_empty() {
        permissions(findings, &changes);
    }
    for change in &changes {
        for write in &change.writes {
            match write {
                Write::Manage(Management::PutPolicy { policy, operator }) => {
                    one_policy(findings, &change.object, policy, *operator, abilities);
                }
                Write::Manage(Management::PutParameter(parameter)) => {
                    component(findings, &change.object, &parameter.component, abilities);
                }
                Write::Call(Method::DeclareQueue(queue)) => {
                    denied(findings, &change.object, queue, abilities);
                    arguments(findings, &change.object, queue);
                }
                Write::Call(Method::DeclareExchange(exchange)) => built_in(findings, &change.object, exchange),
                _ => {}
            }
        }
    }
    queue_limits(findings, &changes);
    connection_limits(findings, &changes);
    findings.changes = changes;
}

/// One problem a kind: the tag that its writes take.
fn tags(findings: &mut Findings<'_>, changes: &[Change], abilities: &Abilities) {
    let has = |tag: &str| abilities.tags.iter().any(|own| own == tag);
    if has("administrator") {
        return;
    }
    let mut lacking: BTreeMap<ObjectKind, (usize, &Object)> = BTreeMap::new();
    for change in changes.iter().filter(|change| !change.writes.is_empty()) {
        let kind = change.object.kind();
        let tag = tag_for(kind);
        if tag != "management" && !has(tag) {
            lacking.entry(kind).or_insert((0, &change.object)).0 += 1;
        }
    }
    let account = &findings.observed.account;
    for (kind, (count, first)) in lacking {
        let tag = tag_for(kind);
        let take = by_number(count, "takes", "take");
        let text = format!("user '{account}' lacks the tag `{tag}`, which {} of the plan {take}", kind.counted(count));
        let help = format!("`rabbitmqctl set_user_tags {account} {tag}` gives it, or name another user in the URL");
        findings.problem(first, "name", Problem::new(Code::PlanRights, text).help(help));
    }
}

/// What is declared over AMQP takes permissions in the vhost: the row that will hold when it is declared.
fn permissions(findings: &mut Findings<'_>, changes: &[Change]) {
    let (desired, observed) = (findings.desired, findings.observed);
    if observed.unread.contains(&ObjectKind::Permission) {
        return;
    }
    let account = observed.account.clone();
    let row_of = |vhost: &Name| {
        let of = |rows: &[Permission]| rows.iter().find(|row| row.user == account && row.vhost == *vhost).cloned();
        // A change that takes rights from the account in use goes last.
        of(&observed.topology.permissions).or_else(|| of(&desired.permissions))
    };
    let topics = OwnTopics::of(findings, changes);
    let own = |vhost: &Name| Object::Permission { user: account.clone(), vhost: vhost.clone() };
    let is_granted = |vhost: &Name| changes.iter().any(|change| change.object == own(vhost));
    let mut rows: BTreeMap<Name, Option<[Pattern; 3]>> = BTreeMap::new();
    let mut shut: BTreeSet<Name> = BTreeSet::new();
    for change in changes {
        let calls = change.writes.iter().filter_map(|write| match write {
            Write::Call(method) => Some(method),
            Write::Manage(_) => None,
        });
        for method in calls {
            let Some(vhost) = change.object.vhost() else { continue };
            let is_there = observed.topology.vhosts.iter().any(|known| known.name == *vhost);
            let row = rows.entry(vhost.clone()).or_insert_with(|| {
                let row = row_of(vhost)?;
                let [configure, write, read] =
                    [&row.configure, &row.write, &row.read].map(|text| Pattern::permission(text, true).ok());
                Some([configure?, write?, read?])
            });
            match row {
                Some(row) => {
                    refused(findings, &change.object, method, row);
                    if let Method::Bind(binding) = method {
                        topics.refused(findings, &change.object, binding);
                    }
                }
                // Who makes a vhost gets all permissions in it.
                None if is_there && !is_granted(vhost) && row_of(vhost).is_none() && shut.insert(vhost.clone()) => {
                    let text = format!("user '{account}' has no permissions in vhost '{vhost}'");
                    let help = format!(
                        "`rabbitmqctl set_permissions -p {vhost} {account} '.*' '.*' '.*'` gives them, or declare them in the file"
                    );
                    findings.problem(&change.object, "vhost", Problem::new(Code::PlanRights, text).help(help));
                }
                None => {}
            }
        }
    }
}

/// Finds the rights that one declare or binding lacks (PE-2, PE-4).
fn refused(findings: &mut Findings<'_>, object: &Object, method: &Method, [configure, write, read]: &[Pattern; 3]) {
    let mut needs: Vec<(&str, &Pattern, Name)> = Vec::new();
    let made: Option<(&Name, Option<&str>)> = match method {
        Method::DeclareExchange(exchange) => Some((&exchange.name, text(&exchange.arguments, "alternate-exchange"))),
        Method::DeclareQueue(queue) => Some((&queue.name, text(&queue.arguments, "x-dead-letter-exchange"))),
        Method::Bind(binding) => {
            needs.push(("write", write, binding.destination.clone()));
            needs.push(("read", read, binding.source.clone()));
            None
        }
        _ => None,
    };
    if let Some((name, further)) = made {
        needs.push(("configure", configure, name.clone()));
        if let Some(further) = further {
            let further = if further.is_empty() { "amq.default" } else { further };
            needs.push(("read", read, name.clone()));
            needs.push(("write to", write, further.into()));
        }
    }
    let account = findings.observed.account.clone();
    for (right, pattern, name) in needs {
        if !pattern.matches(&name) {
            let text = format!("user '{account}' may not {right} '{name}': {object}");
            let right = right.trim_end_matches(" to");
            let help =
                format!("its {right} permission is {}", if pattern.text().is_empty() { "''" } else { pattern.text() });
            findings.problem(object, "name", Problem::new(Code::PlanRights, text).help(help));
        }
    }
}

fn text<'a>(arguments: &'a Table, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Value::as_text)
}

/// Judges a policy as this version would, keys of plugins by the plugins that run.
fn one_policy(findings: &mut Findings<'_>, object: &Object, policy: &Policy, operator: bool, abilities: &Abilities) {
    let mut own = policy.clone();
    let of_plugin = |key: &str| KEYS_OF_PLUGINS.iter().find(|(beginning, _)| key.starts_with(beginning));
    own.definition.retain(|key, _| of_plugin(key).is_none());
    for key in policy.definition.keys() {
        let Some((_, plugins)) = of_plugin(key) else { continue };
        if lacks(abilities, plugins) {
            let text = format!("the broker knows no policy key '{key}': {object}");
            let help = format!("it comes with a plugin: rabbitmq-plugins enable {}", plugins[0]);
            findings.problem(object, "definition", Problem::new(Code::PlanPolicy, text).help(help));
        }
    }
    let only_plugins = own.definition.is_empty() && !policy.definition.is_empty();
    if only_plugins {
        return;
    }
    let reasons: Vec<Option<String>> = judges(findings.observed.version)
        .map(|profile| check_policy(&own, operator, differences(profile)).err())
        .collect();
    if let Some(Some(reason)) = reasons.first().filter(|_| reasons.iter().all(Option::is_some)) {
        let text = format!("RabbitMQ {} refuses {object}", findings.observed.version);
        let help = format!("it would say: 400 {}", reason.split_whitespace().collect::<Vec<_>>().join(" "));
        findings.problem(object, "definition", Problem::new(Code::PlanPolicy, text).help(help));
    }
}

/// Judges the arguments of a queue to be declared as this version would.
fn arguments(findings: &mut Findings<'_>, object: &Object, queue: &Queue) {
    let (desired, observed) = (findings.desired, findings.observed);
    let vhost = |vhosts: &[Vhost]| vhosts.iter().find(|one| one.name == queue.vhost)?.default_queue_type.clone();
    let default = vhost(&desired.vhosts).or_else(|| vhost(&observed.topology.vhosts));
    let default = default.and_then(|kind| QueueKind::named(&kind));
    let refused: Vec<Vec<RefusedArgument>> = judges(observed.version)
        .map(|profile| {
            let rules = differences(profile);
            refused_arguments(queue, type_of_new_queue(queue, default, rules), rules)
        })
        .collect();
    let Some((of_one, others)) = refused.split_first() else { return };
    for argument in of_one {
        if others.iter().all(|other| other.iter().any(|one| one.name == argument.name)) {
            let text = format!("RabbitMQ {} refuses `{}`: {object}", observed.version, argument.name);
            let help = format!("it would say: 406 PRECONDITION_FAILED - {}", argument.text);
            findings.problem(object, &argument.name, Problem::new(Code::PlanArgument, text).help(help));
        }
    }
}

/// Finds a type that RabbitMQ has without a plugin in other versions only; a broker tells its types itself.
fn built_in(findings: &mut Findings<'_>, object: &Object, exchange: &Exchange) {
    let is_told = !findings.observed.exchange_types.is_empty();
    let is_known = |profile: Profile| is_known_type(&exchange.kind, differences(profile));
    let mut judges = judges(findings.observed.version).peekable();
    if is_told || judges.peek().is_none() || !Profile::ALL.into_iter().any(is_known) || judges.any(is_known) {
        return;
    }
    let text = format!("RabbitMQ {} knows no exchange type '{}': {object}", findings.observed.version, exchange.kind);
    findings.problem(object, "type", Problem::new(Code::PlanExchangeType, text));
}

/// Returns the profiles that speak for a version: its own, or both neighbours; none speaks for a version newer than all.
pub(crate) fn judges(version: Version) -> impl Iterator<Item = Profile> {
    let older = Profile::ALL.into_iter().filter(|one| one.version() <= version).max_by_key(|one| one.version());
    let newer = Profile::ALL.into_iter().filter(|one| one.version() >= version).min_by_key(|one| one.version());
    let older = older.filter(|_| newer.is_some());
    older.into_iter().chain(newer)
}

fn component(findings: &mut Findings<'_>, object: &Object, component: &str, abilities: &Abilities) {
    let Some((_, plugins)) = COMPONENTS.iter().find(|(known, _)| *known == component) else { return };
    if lacks(abilities, plugins) {
        let text = format!("the broker knows no component '{component}': {object}");
        let help = format!("it comes with a plugin: rabbitmq-plugins enable {}", plugins[0]);
        findings.problem(object, "component", Problem::new(Code::PlanComponent, text).help(help));
    }
}

/// Returns whether none of these applications runs; not known is not lacking.
fn lacks(abilities: &Abilities, plugins: &[&str]) -> bool {
    !abilities.applications.is_empty() && !plugins.iter().any(|plugin| abilities.applications.contains(*plugin))
}

fn denied(findings: &mut Findings<'_>, object: &Object, queue: &Queue, abilities: &Abilities) {
    let is_denied = abilities.denied_features.iter().any(|feature| feature == TRANSIENT);
    if is_denied && !queue.durable && !queue.exclusive {
        let text = format!("the broker permits no transient queues that are not exclusive: {object}");
        let help = format!(
            "leave `durable: false` out, or configure the broker: deprecated_features.permit.{TRANSIENT} = true"
        );
        findings.problem(object, "durable", Problem::new(Code::PlanDeniedFeature, text).help(help));
    }
}

/// Counts what `max-queues` will hold: the limit of the file, else that of the broker.
fn queue_limits(findings: &mut Findings<'_>, changes: &[Change]) {
    let mut new: BTreeMap<&Name, (u64, &Object)> = BTreeMap::new();
    for change in changes.iter().filter(|change| matches!(change.kind, ChangeKind::Create { .. })) {
        if let Object::Queue { vhost, .. } = &change.object {
            new.entry(vhost).or_insert((0, &change.object)).0 += 1;
        }
    }
    let (desired, observed) = (findings.desired, findings.observed);
    for (vhost, (more, first)) in new {
        let of = |vhosts: &[Vhost]| {
            vhosts.iter().find(|one| one.name == *vhost).and_then(|one| one.limits.get("max-queues").copied())
        };
        let Some(limit) = of(&desired.vhosts).or_else(|| of(&observed.topology.vhosts)) else { continue };
        let there = observed.topology.queues.iter().filter(|queue| queue.vhost == *vhost).count() as u64;
        if u64::try_from(limit).is_ok_and(|limit| there + more > limit) {
            let text = format!(
                "vhost '{vhost}' may hold {limit} queues (max-queues): it holds {there}, and the plan adds {more}"
            );
            let help = "raise the limit in the file: vhosts: [{name: …, limits: {max-queues: …}}]";
            findings.problem(first, "name", Problem::new(Code::PlanQueueLimit, text).help(help));
        }
    }
}

/// Finds vhosts, and an account, that take no connection at all: what is declared over AMQP would be refused after all else was
/// written.
fn connection_limits(findings: &mut Findings<'_>, changes: &[Change]) {
    let (desired, observed) = (findings.desired, findings.observed);
    own_limits(findings, changes);
    let of = |vhosts: &[Vhost], name: &Name| {
        vhosts.iter().find(|one| one.name == *name).and_then(|one| one.limits.get("max-connections").copied())
    };
    let needs_one = |change: &&Change| change.writes.iter().any(|write| matches!(write, Write::Call(_)));
    let mut told = BTreeSet::new();
    for change in changes.iter().filter(needs_one) {
        let Some(vhost) = change.object.vhost() else { continue };
        let limit = of(&desired.vhosts, vhost).or_else(|| of(&observed.topology.vhosts, vhost));
        if limit != Some(0) || !told.insert(vhost) {
            continue;
        }
        let text = format!("vhost '{vhost}' takes no connection (max-connections 0), and {} needs one", change.object);
        let help = "apply it with a higher limit, or none (-1), and set the limit to 0 in a second apply";
        findings.problem(&change.object, "name", Problem::new(Code::PlanRights, text).help(help));
    }
}

/// What the file says of the account in use goes last: its limits hold until then.
fn own_limits(findings: &mut Findings<'_>, changes: &[Change]) {
    let account = &findings.observed.account;
    let own = findings.observed.topology.users.iter().find(|user| user.name == *account);
    let is_over_amqp = |change: &&Change| change.writes.iter().any(|write| matches!(write, Write::Call(_)));
    let (Some(own), Some(first)) = (own, changes.iter().find(is_over_amqp)) else { return };
    if let Some(limit) = ["max-connections", "max-channels"].iter().find(|limit| own.limits.get(**limit) == Some(&0)) {
        let text = format!("user '{account}' may open none ({limit} 0), and {} needs one", first.object);
        let help = format!("`rabbitmqctl clear_user_limits {account} {limit}`, or name another user in the URL");
        findings.problem(&first.object, "name", Problem::new(Code::PlanRights, text).help(help));
    }
}
