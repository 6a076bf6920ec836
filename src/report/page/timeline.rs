//! What happened in a run, as the page draws it: lanes, and the entries of each message with their words.
//! Takes a timeline; returns data. The words are those of `--trace`, each kept once.

use crate::broker::{Settlement, What};
use crate::model::{Name, PublishOutcome, QueueName};
use crate::player::{Timeline, TimelineEntry, TimelineEvent};
use crate::report::cell::{entry_words, is_telling};
use crate::report::story::{Story, message_of, stories};
use crate::source::Sources;
use indexmap::{IndexMap, IndexSet};
use rustc_hash::FxBuildHasher;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// All entries of a run that are kept.
#[derive(Debug, Serialize)]
pub struct PageTimeline<'a> {
    /// How many entries came before those that are kept.
    missing: u64,
    lanes: Vec<PageLane<'a>>,
    /// What entries say; they name it by its place.
    words: IndexSet<String, FxBuildHasher>,
    messages: Vec<PageMessage<'a>>,
    /// What is about no message.
    besides: Vec<PageEntry>,
}

/// Where something happens: at somebody who publishes, in a queue, or at a consumer.
#[derive(Debug, Serialize)]
pub struct PageLane<'a> {
    is: LaneKind,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    vhost: Option<&'a str>,
    /// The lane of the queue that it consumes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
enum LaneKind {
    Publisher,
    Queue,
    Consumer,
}

/// One message and what became of it.
#[derive(Debug, Serialize)]
pub struct PageMessage<'a> {
    name: &'a str,
    fate: String,
    entries: Vec<PageEntry>,
}

/// What happened at one moment: the moment, its place in the run's order, what it is, its lane, the queue that a delivery
/// comes from, and the words. Written as a list: there are many.
#[derive(Debug, Serialize)]
struct PageEntry(u64, u64, EntryKind, Option<usize>, Option<usize>, usize);

/// What an entry looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum EntryKind {
    Published,
    /// The publish was nacked, returned, refused or lost.
    Unpublished,
    Enqueued,
    Delivered,
    Redelivered,
    Acked,
    /// Settled without requeue, so that it dies or is dropped.
    Rejected,
    Requeued,
    Worked,
    DeadLettered,
    Dropped,
    Blocked,
    Judged,
    Failed,
    Refused,
    /// A consumer came or went.
    Consumer,
    Restarted,
    Noted,
}

/// Reads a timeline.
pub fn page_timeline<'a>(timeline: &'a Timeline, sources: &Sources) -> PageTimeline<'a> {
    let mut writer =
        TimelineWriter { consumers: timeline.entries().filter_map(consumer_of).collect(), ..TimelineWriter::default() };
    let stories = stories(timeline.entries());
    let messages = stories.iter().map(|story| writer.message(story)).collect();
    let besides = timeline.entries().filter(|entry| message_of(entry).is_none() && is_telling(entry));
    let besides = besides.map(|entry| writer.entry(entry, entry_words(entry, sources))).collect();
    let missing = timeline.count() - timeline.entries().count() as u64;
    PageTimeline { missing, lanes: writer.lanes.into_values().collect(), words: writer.words, messages, besides }
}

/// Returns whether a page shows an entry as one of its own: counts and confirms are told beside others.
pub(crate) fn is_on_page(entry: &TimelineEntry) -> bool {
    let is_confirm = matches!(entry.what, TimelineEvent::PublishEnded { outcome: PublishOutcome::Confirmed, .. });
    is_telling(entry) && !is_confirm
}

/// Reads what came to a timeline after an entry: each message that something happened to with all its entries, and the new
/// ones that are about none.
pub(crate) fn page_news(timeline: &Timeline, since: u64, sources: &Sources) -> Json {
    if timeline.count() <= since {
        return Json::Null;
    }
    let is_new = |entry: &&TimelineEntry| entry.sequence > since;
    let consumers = timeline.entries().filter_map(consumer_of).collect();
    let mut writer = TimelineWriter { consumers, ..TimelineWriter::default() };
    let touched: BTreeSet<&Name> = timeline.entries().rev().take_while(is_new).filter_map(message_of).collect();
    let is_touched = |entry: &&TimelineEntry| message_of(entry).is_some_and(|name| touched.contains(name));
    let stories = stories(timeline.entries().filter(is_touched));
    let messages = stories.iter().map(|story| writer.message(story)).collect();
    let besides = timeline.entries().filter(is_new).filter(|entry| message_of(entry).is_none() && is_telling(entry));
    let besides = besides.map(|entry| writer.entry(entry, entry_words(entry, sources))).collect();
    let oldest = timeline.entries().next().map_or(0, |entry| entry.sequence);
    let missing = oldest.saturating_sub(since + 1);
    let news =
        PageTimeline { missing, lanes: writer.lanes.into_values().collect(), words: writer.words, messages, besides };
    serde_json::to_value(news).unwrap_or_default()
}

type LaneName<'a> = (LaneKind, Option<&'a str>, &'a str);

/// The lanes and words of a page, each in the order in which it is met.
#[derive(Default)]
struct TimelineWriter<'a> {
    lanes: IndexMap<LaneName<'a>, PageLane<'a>, FxBuildHasher>,
    words: IndexSet<String, FxBuildHasher>,
    /// Those that consume: what they publish leaves from their own lane.
    consumers: IndexSet<&'a Name, FxBuildHasher>,
}

fn consumer_of(entry: &TimelineEntry) -> Option<&Name> {
    match &entry.what {
        TimelineEvent::Started { consumer, .. } | TimelineEvent::Delivered { consumer, .. } => Some(consumer),
        _ => None,
    }
}

impl<'a> TimelineWriter<'a> {
    fn message(&mut self, story: &Story<'a>) -> PageMessage<'a> {
        let entries = story.told().into_iter().map(|(entry, words)| self.entry(entry, words)).collect();
        PageMessage { name: story.name, fate: story.fate(), entries }
    }

    fn entry(&mut self, entry: &'a TimelineEntry, words: String) -> PageEntry {
        let (kind, lane, from) = self.look(&entry.what);
        PageEntry(entry.moment.0, entry.sequence, kind, lane, from, self.words.insert_full(words).0)
    }

    /// Returns what an entry is, and where.
    fn look(&mut self, event: &'a TimelineEvent) -> (EntryKind, Option<usize>, Option<usize>) {
        match event {
            TimelineEvent::Published { by, .. } => (EntryKind::Published, Some(self.publisher(by)), None),
            TimelineEvent::PublishEnded { .. } => (EntryKind::Unpublished, None, None),
            TimelineEvent::Delivered { consumer, queue, redelivered, .. } => {
                let kind = if *redelivered { EntryKind::Redelivered } else { EntryKind::Delivered };
                let from = self.queue(queue);
                (kind, Some(self.consumer(consumer, Some(from))), Some(from))
            }
            TimelineEvent::Settled { consumer, settlement, .. } => {
                let kind = match settlement {
                    Settlement::Ack => EntryKind::Acked,
                    Settlement::Nack { requeue: true } | Settlement::Reject { requeue: true } => EntryKind::Requeued,
                    Settlement::Nack { .. } | Settlement::Reject { .. } => EntryKind::Rejected,
                };
                (kind, Some(self.consumer(consumer, None)), None)
            }
            TimelineEvent::Working { consumer, .. }
            | TimelineEvent::TimedOut { consumer, .. }
            | TimelineEvent::BatchTaken { consumer, .. }
            | TimelineEvent::Retried { consumer, .. } => (EntryKind::Worked, Some(self.consumer(consumer, None)), None),
            TimelineEvent::Started { consumer, queue } => {
                let from = self.queue(queue);
                (EntryKind::Consumer, Some(self.consumer(consumer, Some(from))), None)
            }
            TimelineEvent::Gone { consumer, .. }
            | TimelineEvent::Reconnecting { consumer, .. }
            | TimelineEvent::ReconnectFailed { consumer, .. }
            | TimelineEvent::ReconnectGivenUp { consumer, .. } => {
                (EntryKind::Consumer, Some(self.consumer(consumer, None)), None)
            }
            TimelineEvent::Told { insight, .. } => {
                let kind = match &insight.what {
                    What::Enqueued { .. } => EntryKind::Enqueued,
                    What::DeadLettered { .. } => EntryKind::DeadLettered,
                    What::Dropped { .. } => EntryKind::Dropped,
                    What::Requeued { .. } => EntryKind::Requeued,
                    What::Blocked { .. } => EntryKind::Blocked,
                    What::Refused { .. } | What::ConnectionEnded { .. } | What::QueueGone { .. } => EntryKind::Refused,
                    _ => EntryKind::Noted,
                };
                (kind, insight.queue.as_ref().map(|queue| self.queue(queue)), None)
            }
            TimelineEvent::Judged { holds: true, .. } => (EntryKind::Judged, None, None),
            TimelineEvent::Judged { .. } => (EntryKind::Failed, None, None),
            TimelineEvent::Refused { .. } => (EntryKind::Refused, None, None),
            TimelineEvent::Restarting => (EntryKind::Restarted, None, None),
            _ => (EntryKind::Noted, None, None),
        }
    }

    fn publisher(&mut self, name: &'a Name) -> usize {
        match self.consumers.contains(name) {
            true => self.consumer(name, None),
            false => self.lane(LaneKind::Publisher, None, name),
        }
    }

    fn queue(&mut self, queue: &'a QueueName) -> usize {
        self.lane(LaneKind::Queue, Some(&queue.vhost), &queue.name)
    }

    fn consumer(&mut self, name: &'a Name, of: Option<usize>) -> usize {
        let place = self.lane(LaneKind::Consumer, None, name);
        self.lanes[place].of = self.lanes[place].of.or(of);
        place
    }

    fn lane(&mut self, is: LaneKind, vhost: Option<&'a str>, name: &'a str) -> usize {
        let entry = self.lanes.entry((is, vhost, name));
        let place = entry.index();
        entry.or_insert(PageLane { is, name, vhost, of: None });
        place
    }
}
