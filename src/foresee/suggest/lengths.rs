//! Drafts for the length limits of a queue: the oldest is dropped, or the newest is refused.

use crate::foresee::coverage::{Coverable, QueueLimit};
use crate::foresee::suggest::drafts::{Draft, DraftTitle, Workshop};
use crate::foresee::suggest::queues::Drafted;
use crate::foresee::suggest::suggestion::WhyNoSuggestion;
use crate::foresee::suggest::yaml::{scalar, stem};
use crate::foresee::topology_view::QueueView;
use crate::model::{QueueKind, counted};
use crate::rules::Overflow;

/// More messages than these are too many for a scenario that is played often.
const MESSAGES_MAX: u64 = 5_000;

/// The sizes of bodies with which a limit of bytes is filled.
const BODIES: [u64; 4] = [10, 1_000, 10_000, 100_000];

impl Workshop<'_> {
    /// Fills a queue to its limit, and publishes one message more.
    pub(crate) fn full(&self, view: &QueueView<'_>, limit: QueueLimit, covers: Vec<Coverable>) -> Drafted {
        let queue = view.queue.id();
        let (fits, body, shown) = self.filling(view, limit)?;
        let bytes = limit == QueueLimit::Bytes;
        let quorum = view.kind == QueueKind::Quorum;
        let refuses = match view.settings.overflow {
            Overflow::DropHead => false,
            Overflow::RejectPublish => true,
            Overflow::RejectPublishDlx => !quorum,
        };
        let lacking = WhyNoSuggestion::NotReadable;
        // One by one: how many of a burst a full quorum queue refuses is chance on a live broker (LEN-9).
        let apart = if quorum && refuses { ", every: 50ms" } else { "" };
        let publish = |message: &str| self.publish(&queue, &format!("{message}, body: {body}"));
        let (mut steps, mut at_end) = (Vec::new(), Vec::new());
        if refuses {
            // A quorum queue takes one message over its limit, and refuses the next.
            let fits = fits + u64::from(quorum || bytes);
            if fits > 0 {
                steps.push(
                    publish(&match fits {
                        1 => "id: fits".to_owned(),
                        _ => format!("id: fits, count: {fits}{apart}"),
                    })
                    .ok_or(lacking.clone())?,
                );
            }
            steps.push(publish("id: refused").ok_or(lacking)?);
            steps.push(self.step(&queue.vhost, "expect: {nacked: 1, of: refused}"));
        } else {
            let all = fits + 1;
            let message = if all == 1 { "id: m".to_owned() } else { format!("id: m, count: {all}") };
            steps.push(publish(&message).ok_or(lacking)?);
        }
        if !bytes {
            let ready = fits + u64::from(refuses && quorum);
            at_end
                .push(self.step(&queue.vhost, &format!("expect: {{queue: {}, ready: {ready}}}", scalar(&queue.name))));
        }
        let name = &queue.name;
        let most = format!("{name} holds at most {shown}");
        let title = match refuses {
            true => {
                DraftTitle::To(format!("{most}, and refuses the next one"), format!("{most}, and the next one goes to"))
            }
            false => DraftTitle::To(
                format!("{most}, and drops the oldest for the next one"),
                format!("{most}, and the oldest goes to"),
            ),
        };
        Ok(Draft {
            name: stem(&[name, limit.as_str()]),
            why: match refuses {
                true => {
                    format!("Whoever publishes to {name} when it is full gets a nack, and must do something about it.")
                }
                false => {
                    format!("When {name} is full the oldest messages go: nothing that must not be lost may wait here.")
                }
            },
            title,
            consumers: Vec::new(),
            steps,
            of: Some(queue),
            published: Vec::new(),
            at_end,
            covers,
        })
    }

    /// Returns how many messages fit, of which body, and the limit in words.
    fn filling(&self, view: &QueueView<'_>, limit: QueueLimit) -> Result<(u64, String, String), WhyNoSuggestion> {
        let settings = &view.settings;
        if limit == QueueLimit::Length {
            let max = settings.max_length.ok_or(WhyNoSuggestion::NotInForce)?;
            let shown = counted(usize::try_from(max).unwrap_or(usize::MAX), "message");
            return if max > MESSAGES_MAX { Err(WhyNoSuggestion::TooMany(max)) } else { Ok((max, "x".into(), shown)) };
        }
        let max = settings.max_length_bytes.ok_or(WhyNoSuggestion::NotInForce)?;
        let roomy = |size: &&u64| max / **size <= 200;
        let size = BODIES.iter().find(roomy).ok_or(WhyNoSuggestion::TooMany(max / BODIES[3]))?;
        let body = if *size == 10 { "ten bytes.".to_owned() } else { format!("\"{{{{ 'x' * {size} }}}}\"") };
        Ok((max / size, scalar_body(&body), format!("{max} bytes")))
    }
}

fn scalar_body(body: &str) -> String {
    if body.starts_with('"') { body.to_owned() } else { scalar(body) }
}
