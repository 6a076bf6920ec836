//! Drafts for one queue: what is rejected, what expires, what fails too often, and a queue that nobody uses.

use crate::broker::Death;
use crate::foresee::coverage::{Coverable, QueueLimit};
use crate::foresee::suggest::drafts::{Draft, DraftTitle, Workshop};
use crate::foresee::suggest::suggestion::WhyNoSuggestion;
use crate::foresee::suggest::yaml::{duration, scalar, stem};
use crate::foresee::topology_view::QueueView;
use crate::model::{Millis, QueueName, by_number};
use std::collections::BTreeSet;

/// A draft, or why there is none.
pub(crate) type Drafted = Result<Draft, WhyNoSuggestion>;

/// How long something may take beside the waits that the topology names.
const SLACK: u64 = 10_000;

/// What is missing of one queue.
pub(crate) struct Missing<'m> {
    pub queue: QueueName,
    pub items: &'m BTreeSet<Coverable>,
}

impl Missing<'_> {
    /// Returns which of two things are missing: a death that is dead-lettered, a limit.
    pub(crate) fn of(&self, death: Option<Death>, limits: &[QueueLimit]) -> Vec<Coverable> {
        let death = death.map(|death| Coverable::DeadLetter(self.queue.clone(), death));
        let limits = limits.iter().map(|limit| Coverable::Limit(self.queue.clone(), *limit));
        death.into_iter().chain(limits).filter(|item| self.items.contains(item)).collect()
    }
}

impl Workshop<'_> {
    /// A consumer rejects a message.
    pub(crate) fn rejected(&self, queue: &QueueName, covers: Vec<Coverable>) -> Drafted {
        let publish = self.publish(queue, "id: rejected, body: no good").ok_or(WhyNoSuggestion::NotReadable)?;
        Ok(Draft {
            name: stem(&[&queue.name, "rejected"]),
            why: format!(
                "A message that a consumer of {} cannot use must not be lost: it waits where a person finds it.",
                queue.name
            ),
            title: DraftTitle::To(
                format!("what a consumer of {} rejects is kept", queue.name),
                format!("what a consumer of {} rejects goes to", queue.name),
            ),
            consumers: vec![self.consumer("rejecter", queue, "on_message: {do: [{reject: {requeue: false}}]}")],
            steps: vec![publish],
            of: Some(queue.clone()),
            published: Vec::new(),
            at_end: Vec::new(),
            covers,
        })
    }

    /// Nobody fetches a message in time.
    pub(crate) fn expired(&self, view: &QueueView<'_>, covers: Vec<Coverable>) -> Drafted {
        let queue = view.queue.id();
        let ttl = view.settings.message_ttl_ms.ok_or(WhyNoSuggestion::NotInForce)?;
        let publish = self.publish(&queue, "id: late, body: x").ok_or(WhyNoSuggestion::NotReadable)?;
        let within = duration(later(ttl));
        let gone =
            self.step(&queue.vhost, &format!("expect: {{queue: {}, ready: 0, within: {within}}}", scalar(&queue.name)));
        let dies = covers.iter().any(|item| matches!(item, Coverable::DeadLetter(..)));
        let shown = duration(Millis(ttl));
        Ok(Draft {
            name: stem(&[&queue.name, "expired"]),
            why: match dies {
                true => {
                    format!("What nobody fetches from {} in {shown} goes on, and its x-death says why.", queue.name)
                }
                false => format!(
                    "What nobody fetches from {} in {shown} is gone: nothing of it may be needed later.",
                    queue.name
                ),
            },
            title: match dies {
                true => DraftTitle::To(
                    format!("what waits in {} for {shown} expires", queue.name),
                    format!("what waits in {} for {shown} expires and goes to", queue.name),
                ),
                false => DraftTitle::Known(format!("what waits in {} for {shown} expires and is gone", queue.name)),
            },
            consumers: Vec::new(),
            steps: vec![publish, gone],
            of: Some(queue),
            published: Vec::new(),
            at_end: Vec::new(),
            covers,
        })
    }

    /// A consumer fails again and again.
    pub(crate) fn too_often(&self, view: &QueueView<'_>, covers: Vec<Coverable>) -> Drafted {
        let queue = view.queue.id();
        let limit = view.settings.delivery_limit.and_then(|limit| u64::try_from(limit).ok());
        let limit = limit.ok_or(WhyNoSuggestion::NotInForce)?;
        if limit > DELIVERIES_MAX {
            return Err(WhyNoSuggestion::TooMany(limit));
        }
        let wait = view.settings.delayed_retry.map_or(0, |retry| retry.max_ms.saturating_mul(limit + 1));
        let publish = self.publish(&queue, "id: poison, body: x").ok_or(WhyNoSuggestion::NotReadable)?;
        let within = duration(Millis(wait + SLACK));
        let tried = format!("expect: {{consumer: failing, rejected: {}, within: {within}}}", limit + 1);
        let rest = "prefetch: 1, on_message: {do: [{reject: {requeue: true}}]}";
        Ok(Draft {
            name: stem(&[&queue.name, "delivery-limit"]),
            why: format!("A message that crashes its consumer each time must not go round for ever in {}.", queue.name),
            title: DraftTitle::To(
                format!(
                    "a message of {} is given up after {} {}",
                    queue.name,
                    limit + 1,
                    by_number(limit + 1, "delivery", "deliveries")
                ),
                format!(
                    "a message of {} is given up after {} {} and goes to",
                    queue.name,
                    limit + 1,
                    by_number(limit + 1, "delivery", "deliveries")
                ),
            ),
            consumers: vec![self.consumer("failing", &queue, rest)],
            steps: vec![publish, self.step(&queue.vhost, &tried)],
            of: Some(queue),
            published: Vec::new(),
            at_end: Vec::new(),
            covers,
        })
    }

    /// Nobody uses a queue.
    pub(crate) fn unused(&self, view: &QueueView<'_>, covers: Vec<Coverable>) -> Drafted {
        let queue = view.queue.id();
        let expires = view.settings.expires_ms.ok_or(WhyNoSuggestion::NotInForce)?;
        let place = format!("exchange: \"\", routing_key: {}", scalar(&queue.name));
        let steps = [
            format!("advance: {}", duration(later(expires.saturating_add(SLACK)))),
            format!("publish: {{{place}, id: late, mandatory: true, body: x}}"),
            "expect: {returned: 1, of: late}".to_owned(),
        ];
        let shown = duration(Millis(expires));
        Ok(Draft {
            name: stem(&[&queue.name, "expires"]),
            why: format!("{} goes when nobody uses it for {shown}; whoever publishes to it then is told.", queue.name),
            title: DraftTitle::Known(format!("{} is deleted when nobody uses it for {shown}", queue.name)),
            consumers: Vec::new(),
            steps: steps.iter().map(|step| self.step(&queue.vhost, step)).collect(),
            of: None,
            published: Vec::new(),
            at_end: Vec::new(),
            covers,
        })
    }

    /// Shows in the end that nothing is left in a queue.
    pub(crate) fn is_empty(&self, queue: &QueueName) -> String {
        self.step(&queue.vhost, &format!("expect: {{queue: {}, total: 0}}", scalar(&queue.name)))
    }
}

/// More deliveries than these are too many for a scenario that people read.
const DELIVERIES_MAX: u64 = 200;

/// Returns by when something that takes so long must have happened.
pub(crate) fn later(millis: u64) -> Millis {
    let slack = (millis / 10).clamp(1_000, 3_600_000);
    // A round number is easier to read.
    let unit = match millis {
        86_400_000.. => 3_600_000,
        60_000.. => 60_000,
        _ => 1_000,
    };
    Millis(millis.saturating_add(slack).div_ceil(unit).saturating_mul(unit))
}
