//! The ways of dead letters as edges: from each queue to the exchange that they go to, or through the default exchange
//! to the queue that their key names. Takes the ways that the router found; draws none of its own.

use crate::foresee::effective::of_queue;
use crate::foresee::graph::builder::{GraphBuilder, source_of, text_of};
use crate::foresee::graph::parts::{DeadLetterCause, DeadLetterEnd, EdgeKind};
use crate::foresee::lint::{DeadLetterWay, DeadLetterWays};
use crate::foresee::route::{FateCause, causes_of};
use crate::foresee::topology_view::QueueView;
use crate::model::{Name, QueueKind};
use crate::rules::Overflow;

/// Adds the dead-letter ways of all queues.
pub(super) fn add(builder: &mut GraphBuilder<'_>, ways: &DeadLetterWays) {
    let view = builder.view;
    let vhost = builder.vhost().clone();
    let queues = view.queues.iter().enumerate().filter(|(_, it)| it.queue.vhost == vhost);
    for (at, queue) in queues.filter(|(_, it)| it.kind != QueueKind::Stream) {
        let effective = of_queue(queue, view);
        let Some((exchange, by)) = text_of(&effective, "dead-letter-exchange") else { continue };
        let from = builder.queue(&queue.queue.name);
        let source = |cause: FateCause| -> DeadLetterCause {
            let keys: &[&str] = match cause {
                FateCause::Expired(_) => &["message-ttl"],
                FateCause::Rejected => &[],
                FateCause::OverLimit | FateCause::Refused => &["max-length", "max-length-bytes"],
                FateCause::DeliveryLimit(_) => &["delivery-limit"],
            };
            DeadLetterCause { cause, by: keys.iter().find_map(|key| source_of(&effective, key)) }
        };
        let causes: Vec<DeadLetterCause> =
            causes_of(queue).into_iter().filter(|it| goes_on(*it, queue)).map(source).collect();
        let key = queue.settings.dead_letter_routing_key.clone();
        let lead = |builder: &mut GraphBuilder<'_>, to: usize, end: DeadLetterEnd| {
            let kind = EdgeKind::DeadLetters { by: by.clone(), key: key.clone(), causes: causes.clone(), end };
            builder.lead(from, to, kind);
        };
        match ways.from(at) {
            // There is no such exchange.
            None => {
                let to = builder.exchange(&exchange);
                lead(builder, to, DeadLetterEnd::Lost);
            }
            Some(way) if exchange.is_empty() => through_default(builder, way, lead),
            Some(way) => {
                let to = builder.exchange(&exchange);
                let is_lost = way.targets().is_empty() && !way.lost().is_empty();
                lead(builder, to, if is_lost { DeadLetterEnd::Lost } else { DeadLetterEnd::Reached });
            }
        }
    }
}

/// The default exchange is not drawn where the key tells the queue.
fn through_default(
    builder: &mut GraphBuilder<'_>,
    way: &DeadLetterWay,
    lead: impl Fn(&mut GraphBuilder<'_>, usize, DeadLetterEnd),
) {
    let none: Vec<Name> = Vec::new();
    for name in way.keys.as_ref().unwrap_or(&none) {
        let to = builder.queue(name);
        let is_there = way.targets().contains(name);
        lead(builder, to, if is_there { DeadLetterEnd::Reached } else { DeadLetterEnd::Lost });
    }
    // Each message's own key decides, and the file does not tell which they are.
    if way.keys.is_none() {
        let to = builder.exchange(&Name::default());
        lead(builder, to, DeadLetterEnd::Reached);
    }
}

/// Returns whether what is given up for that cause goes to the dead-letter exchange.
fn goes_on(cause: FateCause, queue: &QueueView<'_>) -> bool {
    cause != FateCause::Refused || queue.settings.overflow != Overflow::RejectPublish
}
