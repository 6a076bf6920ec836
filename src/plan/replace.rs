//! How queues are replaced whose values RabbitMQ never changes: by the word of the file, else by that of the flag.
//! Takes a plan; settles its replacements, or says why one cannot be. Never writes.

#![expect(missing_docs, reason = "plain data: names that say all need no sentence")]

use crate::broker::Method;
use crate::model::{
    Binding, DestinationKind, Handling, Object, Origins, Queue, QueueKind, QueueName, Replacement, Topology, Version,
};
use crate::plan::deletion::{delete_queue, its_messages};
use crate::plan::diff::effective_policy::{LOWER_HOLDS, Policies, number};
use crate::plan::diff::loss::loss_of;
use crate::plan::move_queue::{FreshCounts, Holding, MoveFacts, Mover, QueueStanding};
use crate::plan::{Change, ChangeKind, FieldChange, Observed, Plan, ReplaceWay, Risk, Stakes, Write};
use crate::rules::queue_argument;
use crate::source::Code;
use std::collections::BTreeSet;

/// What settles replacements.
#[derive(Debug, Clone, Copy)]
pub struct ReplaceWishes<'a> {
    pub handling: &'a Handling,
    /// Of queues of which the files say nothing.
    pub default: Replacement,
    pub while_publishing: bool,
}

/// Settles how the queues of a plan are replaced.
pub fn settle_replacements(
    plan: &mut Plan,
    desired: &Topology,
    origins: &Origins,
    observed: &Observed,
    wishes: ReplaceWishes<'_>,
) {
    let held: BTreeSet<QueueName> = (observed.topology.queues.iter())
        .filter_map(|queue| Some(QueueName::new(queue.vhost.clone(), Holding::moved_by_name(&queue.name)?)))
        .collect();
    let unfinished: Vec<&Queue> = desired.queues.iter().filter(|queue| held.contains(&queue.id())).collect();
    for queue in unfinished {
        take_up(plan, queue, observed);
    }
    let mut settled = Vec::new();
    for change in &mut plan.changes {
        let ChangeKind::Replace { stakes, way, .. } = &mut change.kind else { continue };
        let Some(queue) = named(desired, &change.object) else { continue };
        let wish = wishes.handling.replace.get(&queue.id()).copied().unwrap_or(wishes.default);
        *way = way_of(queue, wish, held.contains(&queue.id()), stakes, desired, observed, wishes.while_publishing);
        if way.is_refused() {
            continue;
        }
        let way = way.clone();
        let stakes = *stakes;
        settled.push(change.object.clone());
        change.writes = writes(queue, &way, stakes, observed);
        change.risk = risk(queue, &way, stakes, observed);
    }
    forgive(plan, origins, &settled);
}

fn named<'a>(desired: &'a Topology, object: &Object) -> Option<&'a Queue> {
    let Object::Queue { vhost, name } = object else { return None };
    desired.queue(vhost, name)
}

/// An unfinished move is a replacement, wherever it stands: the queue may be gone, or be there with its new values.
fn take_up(plan: &mut Plan, queue: &Queue, observed: &Observed) {
    let object = queue.object();
    let is_replaced = |change: &Change| change.object == object && matches!(change.kind, ChangeKind::Replace { .. });
    if plan.changes.iter().any(is_replaced) {
        return;
    }
    let is_there = !plan.changes.iter().any(|change| change.object == object);
    plan.unchanged -= usize::from(is_there && plan.unchanged > 0);
    plan.changes.retain(|change| change.object != object);
    let stakes = Stakes::of(&object, observed);
    let kind = ChangeKind::Replace { fields: Vec::new(), stakes, way: ReplaceWay::Refused };
    let reason = Some("a move of it was begun and is unfinished".into());
    plan.changes.push(Change { object, kind, reason, risk: None, effects: Vec::new(), writes: Vec::new() });
}

fn way_of(
    queue: &Queue,
    wish: Replacement,
    is_unfinished: bool,
    stakes: &Stakes,
    desired: &Topology,
    observed: &Observed,
    while_publishing: bool,
) -> ReplaceWay {
    match wish {
        Replacement::Move => {}
        _ if is_unfinished => return ReplaceWay::Unfinished,
        Replacement::Refuse => return ReplaceWay::Refused,
        Replacement::IfEmpty if stakes.messages == Some(0) => return ReplaceWay::IfEmpty,
        Replacement::IfEmpty => return ReplaceWay::NotEmpty,
        Replacement::Drop => return ReplaceWay::Drop,
    }
    let mut facts = MoveFacts::of(desired, queue, observed);
    let messages = stakes.messages.unwrap_or(0);
    let consumers = stakes.consumers.unwrap_or(0);
    facts.counts = FreshCounts { ready: messages, consumers, total: messages, is_total_fresh: true };
    // What hinders the first act is known before anything is written.
    match Mover::new(queue.clone(), while_publishing).next(&facts) {
        Err(stop) => ReplaceWay::CannotMove(stop),
        Ok(_) => ReplaceWay::Move {
            resumes: facts.holding.is_some() || facts.standing != QueueStanding::Old,
            counts_deaths_anew: observed.version >= Version { major: 3, minor: 13 },
            by_priority: facts.queue.is_some_and(|old| hands_out_by_priority(&old, observed.version)),
        },
    }
}

/// Returns whether a queue hands out by priority (PRI-1, PRI-4).
fn hands_out_by_priority(queue: &Queue, version: Version) -> bool {
    queue.arguments.contains_key("x-max-priority") || queue.kind() == QueueKind::Quorum && version.major >= 4
}

/// What replaces a queue at one go: its bindings go with it, and are made again. A move finds its own way.
fn writes(queue: &Queue, way: &ReplaceWay, stakes: Stakes, observed: &Observed) -> Vec<Write> {
    let declare = Write::Call(Method::DeclareQueue(Box::new(queue.clone())));
    if matches!(way, ReplaceWay::Move { .. }) {
        return vec![declare];
    }
    let in_use = *way == ReplaceWay::Drop && stakes.is_in_use();
    let mut writes = delete_queue(&queue.vhost, &queue.name, in_use, observed);
    writes.push(declare);
    let is_to_it = |binding: &&Binding| {
        binding.vhost == queue.vhost
            && binding.destination == queue.name
            && binding.destination_kind == DestinationKind::Queue
    };
    let bindings = observed.topology.bindings.iter().filter(is_to_it);
    writes.extend(bindings.map(|binding| Write::Call(Method::Bind(Box::new(binding.clone())))));
    writes
}

fn risk(queue: &Queue, way: &ReplaceWay, stakes: Stakes, observed: &Observed) -> Option<Box<Risk>> {
    let (object, messages) = (queue.object(), stakes.messages);
    let queues = vec![(queue.id(), messages)];
    match way {
        ReplaceWay::Drop if stakes.is_in_use() => {
            let what = match stakes.consumers.unwrap_or(0) {
                0 => format!("{object} is deleted with {}", its_messages(messages)),
                _ => format!("{object} is deleted with {}, and consumers of it are cancelled", its_messages(messages)),
            };
            Some(Box::new(Risk { what, queues, old: String::new(), new: String::new() }))
        }
        ReplaceWay::IfEmpty if stakes.consumers.unwrap_or(0) > 0 => {
            let what = format!("consumers of {object} are cancelled");
            Some(Box::new(Risk { what, queues, old: String::new(), new: String::new() }))
        }
        ReplaceWay::Move { .. } if messages != Some(0) => {
            let losses = tighter(queue, messages, observed);
            let what = format!("{object} takes its messages back with narrower values: {}", losses.join("; "));
            (!losses.is_empty()).then(|| Box::new(Risk { what, queues, old: String::new(), new: String::new() }))
        }
        _ => None,
    }
}

/// Lists what the new values do to messages that are carried back.
fn tighter(queue: &Queue, messages: Option<u64>, observed: &Observed) -> Vec<String> {
    let there = &observed.topology;
    let policies = Policies::new(observed.version, &there.policies, &there.operator_policies);
    let Some(old) = there.queue(&queue.vhost, &queue.name) else { return Vec::new() };
    let (before, after) = (policies.on(old).values, policies.on(queue).values);
    let keys: BTreeSet<&String> =
        before.keys().chain(after.keys()).filter(|key| before.get(*key) != after.get(*key)).collect();
    // A limit that all of them keep to loses none.
    let has_room = |key: &str| {
        key == "max-length" && after.get(key).zip(messages).is_some_and(|(limit, n)| number(limit) >= n as f64)
    };
    keys.into_iter()
        .filter(|key| !has_room(key))
        .filter_map(|key| loss_of(key, before.get(key), after.get(key)))
        .collect()
}

/// Takes away the problems of what is settled.
fn forgive(plan: &mut Plan, origins: &Origins, settled: &[Object]) {
    let places: Vec<_> = settled.iter().filter_map(|object| origins.get(object)).map(|origin| origin.whole).collect();
    plan.problems.retain(|problem| {
        let is_inside = |place: &crate::source::Span| {
            problem.span().is_some_and(|at| at.file == place.file && place.start <= at.start && at.end <= place.end)
        };
        problem.code != Code::PlanImmutable || !places.iter().any(is_inside)
    });
}

/// Lists the fields that a policy could set without a new queue, when it could set all that differs.
pub fn policy_instead(fields: &[FieldChange]) -> Option<Vec<String>> {
    let by_policy = |field: &FieldChange| {
        let argument = field.name.starts_with("x-").then(|| queue_argument(&field.name)).flatten()?;
        let number = |text: &str| text.parse::<f64>().ok();
        // An argument of the queue holds against a policy, unless the policy's limit is lower.
        let is_lower =
            LOWER_HOLDS.contains(&argument.name) && number(&field.new)? < number(&field.old).unwrap_or(f64::INFINITY);
        let can = argument.policy && field.new != "none" && (field.old == "none" || is_lower);
        can.then(|| format!("{} {}", argument.name, field.new))
    };
    let all: Option<Vec<String>> = fields.iter().map(by_policy).collect();
    all.filter(|all| !all.is_empty())
}
