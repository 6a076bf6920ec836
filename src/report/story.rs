//! What became of each message, hop by hop: a block per message with times, queues, reasons and rules, then the rest.
//! Reads the timeline; on a live broker, which gives no reasons, the hops that were seen.

mod before;
mod circumstances;
mod concerned;
mod lines;
mod simulated;
mod versions;
mod whereabouts;

pub(crate) use before::before;
pub(crate) use versions::{Parting, of_orders, partings};
pub use versions::{VersionPair, versions_text};

use crate::broker::{Settlement, What};
use crate::model::{Name, PublishOutcome};
use crate::player::{Timeline, TimelineEntry, TimelineEvent, WorkUnit};
use crate::report::Palette;
use crate::report::cell::{entry_line, is_telling};
use crate::report::event::hop_in_words;
use crate::source::Sources;
use std::collections::BTreeMap;

/// Holds the entries of one message, in order.
pub(crate) struct Story<'a> {
    pub name: &'a Name,
    pub hops: Vec<&'a TimelineEntry>,
}

/// Tells the story of each message in order of appearance, then what happened besides.
pub fn trace(timeline: &Timeline, sources: &Sources, palette: Palette) -> String {
    let mut text = String::new();
    for story in stories(timeline.entries()) {
        text.push_str(&format!("{} {}\n", palette.strong(story.name), palette.dim(&story.fate())));
        story.lines().iter().for_each(|line| text.push_str(&format!("{line}\n")));
        text.push('\n');
    }
    let besides: Vec<&TimelineEntry> =
        timeline.entries().filter(|entry| message_of(entry).is_none() && is_telling(entry)).collect();
    if !besides.is_empty() {
        text.push_str(&format!("{}\n", palette.strong("besides")));
        besides.iter().for_each(|entry| text.push_str(&format!("{}\n", entry_line(entry, sources))));
    }
    text.trim_end().to_owned()
}

pub(crate) fn stories<'a>(entries: impl Iterator<Item = &'a TimelineEntry>) -> Vec<Story<'a>> {
    let mut stories: Vec<Story> = Vec::new();
    let mut places: BTreeMap<&Name, usize> = BTreeMap::new();
    for entry in entries {
        let Some(name) = message_of(entry) else { continue };
        let place = *places.entry(name).or_insert_with(|| {
            stories.push(Story { name, hops: Vec::new() });
            stories.len() - 1
        });
        stories[place].hops.push(entry);
    }
    stories.iter_mut().for_each(Story::drop_waits_of_no_time);
    stories
}

pub(crate) fn message_of(entry: &TimelineEntry) -> Option<&Name> {
    match &entry.what {
        TimelineEvent::Published { message, .. }
        | TimelineEvent::PublishEnded { message, .. }
        | TimelineEvent::Settled { message, .. }
        | TimelineEvent::Retried { message, .. }
        | TimelineEvent::TimedOut { on: WorkUnit::Message(message), .. }
        | TimelineEvent::Working { on: WorkUnit::Message(message), .. } => Some(message),
        TimelineEvent::Delivered { name, .. } => Some(name),
        TimelineEvent::Told { message, .. } => message.as_ref(),
        _ => None,
    }
}

impl<'a> Story<'a> {
    /// Drops that a message waits where a consumer gets it at the same moment.
    fn drop_waits_of_no_time(&mut self) {
        let waits = |hop: &TimelineEntry| {
            matches!(&hop.what, TimelineEvent::Told { insight, .. }
                if matches!(insight.what, What::Blocked { until: None, .. }))
        };
        let hops = std::mem::take(&mut self.hops);
        for (at, hop) in hops.iter().enumerate() {
            let mut now = hops[at + 1..].iter().take_while(|later| later.moment == hop.moment);
            let is_got = now.any(|later| matches!(later.what, TimelineEvent::Delivered { .. }));
            if !(is_got && waits(hop)) {
                self.hops.push(hop);
            }
        }
    }

    /// Writes a line per hop; a confirm that came at once stands on the line of its publish.
    pub fn lines(&self) -> Vec<String> {
        self.told().into_iter().map(|(hop, words)| format!("{:>8}  {words}", hop.moment.to_string())).collect()
    }

    /// Tells each hop.
    pub fn told(&self) -> Vec<(&'a TimelineEntry, String)> {
        let is_confirm = |entry: &TimelineEntry| {
            matches!(entry.what, TimelineEvent::PublishEnded { outcome: PublishOutcome::Confirmed, .. })
        };
        let confirmed = self.hops.iter().filter(|hop| is_confirm(hop)).map(|hop| hop.moment);
        let mut confirmed: Vec<_> = confirmed.collect();
        let mut lines = Vec::new();
        for hop in self.hops.iter().filter(|hop| !is_confirm(hop)) {
            let mut words = hop_in_words(&hop.what);
            if matches!(hop.what, TimelineEvent::Published { .. }) && !confirmed.is_empty() {
                let at = confirmed.remove(0);
                let when = if at == hop.moment { String::new() } else { format!(" at {at}") };
                words.push_str(&format!(", confirmed{when}"));
            }
            lines.push((*hop, words));
        }
        lines
    }

    /// Returns where it ended, as far as one place can be named.
    pub fn fate(&self) -> String {
        let last = self.hops.iter().rev().find_map(|hop| match &hop.what {
            TimelineEvent::Settled { consumer, settlement: Settlement::Ack, .. } => {
                Some(format!("acked by {consumer}"))
            }
            TimelineEvent::Delivered { consumer, .. } => Some(format!("with {consumer}")),
            TimelineEvent::PublishEnded { outcome, .. } if *outcome != PublishOutcome::Confirmed => {
                Some(outcome.in_words().to_owned())
            }
            TimelineEvent::Told { insight, .. } => match (&insight.what, &insight.queue) {
                (What::Enqueued { .. } | What::Requeued { .. } | What::Blocked { .. }, Some(queue)) => {
                    Some(format!("in {}", queue.name))
                }
                (What::Blocked { .. }, None) => Some("held back".to_owned()),
                (What::Dropped { .. }, _) => Some("dropped".to_owned()),
                _ => None,
            },
            _ => None,
        });
        last.unwrap_or_else(|| "published".to_owned())
    }
}
