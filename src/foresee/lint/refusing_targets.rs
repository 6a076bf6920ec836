//! Limits that dead letters do not heed, or are lost at (DL-10).
//! Takes what is in effect on each queue and the ways of dead letters; gives a finding for each place that refuses.

use crate::foresee::lint::dead_letter_ways::DeadLetterWays;
use crate::foresee::lint::findings::{LintFindings, and_more};
use crate::foresee::topology_view::{QueueView, TopologyView};
use crate::model::QueueKind;
use crate::rules::Overflow;
use crate::source::{Code, Problem, Span};
use std::collections::BTreeMap;

/// A queue that refuses publishes when it is full, and one that dead-letters to it.
#[derive(Debug, Clone, Copy)]
struct Refusing<'v> {
    queue: &'v str,
    sender: &'v str,
    /// The one that dead-letters could do so at least once.
    is_sender_able: bool,
}

/// The queues that refuse by the words of one place.
#[derive(Debug, Default)]
struct RefusingPlace<'v> {
    /// Those that lose dead letters.
    losing: Vec<Refusing<'v>>,
    /// Those that take them over their limit.
    exceeding: Vec<Refusing<'v>>,
}

/// Looks at all queues; what one policy does to several is told at once, the loss first.
pub fn check(view: &TopologyView<'_>, ways: &DeadLetterWays, found: &mut LintFindings) {
    let mut places: BTreeMap<Option<Span>, RefusingPlace<'_>> = BTreeMap::new();
    for queue in &view.queues {
        let Some(refusing) = refusing(queue, view, ways) else { continue };
        let at = places.entry(view.place_of(queue, "overflow")).or_default();
        let alike = if queue.kind == QueueKind::Quorum { &mut at.exceeding } else { &mut at.losing };
        alike.push(refusing);
    }
    for (place, refusing) in places {
        let (losing, exceeding) = (&*refusing.losing, &*refusing.exceeding);
        let parts = [loss(losing), excess(exceeding, losing.is_empty())];
        let (messages, helps): (Vec<String>, Vec<String>) = parts.into_iter().flatten().unzip();
        let warning = Problem::warning(Code::LintRefusingTarget, messages.join("; ")).by("DL-10");
        found.add(warning.help(helps.join("; ")), place, "not for dead letters");
    }
}

fn refusing<'v>(queue: &'v QueueView<'_>, view: &'v TopologyView<'_>, ways: &DeadLetterWays) -> Option<Refusing<'v>> {
    let settings = &queue.settings;
    let limited = settings.max_length.is_some() || settings.max_length_bytes.is_some();
    if !limited || settings.overflow == Overflow::DropHead {
        return None;
    }
    let mut senders = ways.to(&queue.queue.vhost, queue.name()).map(|way| &view.queues[way.from]);
    let sender = senders.find(|sender| !sender.settings.at_least_once && sender.name() != queue.name())?;
    let is_sender_able = sender.kind == QueueKind::Quorum;
    Some(Refusing { queue: queue.name(), sender: sender.name(), is_sender_able })
}

/// Tells of queues that lose dead letters, and what to do.
fn loss(queues: &[Refusing<'_>]) -> Option<(String, String)> {
    let first = queues.first()?;
    let message = match queues.len() {
        1 => format!(
            "queue '{}' refuses publishes when it is full, and loses dead letters that come then: '{}' dead-letters to it",
            first.queue, first.sender
        ),
        _ => format!(
            "queues {} refuse publishes when they are full, and lose dead letters that come then: '{}' dead-letters to '{}'",
            named(queues),
            first.sender,
            first.queue
        ),
    };
    let remedies = match first.is_sender_able {
        true => format!("raise the limit, drop the head{}", or_at_least_once(first)),
        false => "raise the limit, or drop the head".to_owned(),
    };
    let help = format!("nobody is told of the loss; {remedies}");
    Some((message, help))
}

/// Tells of queues that dead letters fill over their limit, and what to do.
fn excess(queues: &[Refusing<'_>], is_alone: bool) -> Option<(String, String)> {
    let first = queues.first()?;
    let (which, it) = match queues.len() {
        1 => (format!("quorum queue '{}'", first.queue), "it".to_owned()),
        _ => (format!("quorum queues {}", named(queues)), format!("'{}'", first.queue)),
    };
    let (refuse, take, their) =
        if queues.len() == 1 { ("refuses", "takes", "its") } else { ("refuse", "take", "their") };
    let message = match is_alone {
        true => format!(
            "{which} {refuse} publishes when full, but {take} dead letters over {their} limit all the same: '{}' dead-letters \
             to {it}",
            first.sender
        ),
        false => format!(
            "{which} {take} dead letters over {their} limit all the same: '{}' dead-letters to {it}",
            first.sender
        ),
    };
    let help = match is_alone {
        true => {
            let at_least_once = or_at_least_once(first);
            format!("no dead letter is lost, but the queue grows; where it must not, drop the head{at_least_once}")
        }
        false => format!("{which} {} none, but may grow", if queues.len() == 1 { "loses" } else { "lose" }),
    };
    Some((message, help))
}

fn named(queues: &[Refusing<'_>]) -> String {
    and_more(&queues.iter().map(|one| one.queue).collect::<Vec<_>>())
}

/// Only quorum queues dead-letter at least once (DL-24).
fn or_at_least_once(refusing: &Refusing<'_>) -> String {
    match refusing.is_sender_able {
        true => format!(", or let '{}' dead-letter at least once", refusing.sender),
        false => String::new(),
    }
}
