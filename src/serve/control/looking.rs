//! What can be looked at over the control port: queues, the story of a message, the timeline. Changes nothing.

use crate::player::TimelineEntry;
use crate::report::{MeasuredRun, open_metrics, session_entry, session_names, story_of};
use crate::serve::control::{ControlAnswer, did_you_mean};
use crate::serve::served_broker::ServedBroker;
use serde_json::{Value as Json, json};
use std::fmt::Write as _;

/// How many entries go out at once.
const ENTRIES_OF_A_PART_MAX: usize = 500;

/// Lists all queues with their counts, and when something next happens in each.
pub(super) fn queues(broker: &ServedBroker) -> ControlAnswer {
    let views = broker.sim.queue_views();
    let queues = views.iter().map(|queue| {
        json!({
            "vhost": &*queue.name.vhost, "name": &*queue.name.name, "type": queue.kind.as_str(), "ready": queue.ready,
            "unacked": queue.unacked, "consumers": queue.consumers, "next_ms": queue.next.map(|next| next.0),
        })
    });
    ControlAnswer::new(200, Json::Array(queues.collect()))
}

/// Writes what happened since the start as OpenMetrics text.
pub(super) fn metrics(broker: &ServedBroker) -> ControlAnswer {
    let Some(counts) = broker.counts() else { return without_journal() };
    let text = open_metrics(&[MeasuredRun { labels: Vec::new(), counts: &counts }], &[]);
    ControlAnswer { metrics: Some(text), ..ControlAnswer::new(200, Json::Null) }
}

/// Tells what became of a message, hop by hop.
pub(super) fn story(broker: &ServedBroker, id: &str) -> ControlAnswer {
    let Some(timeline) = broker.timeline() else { return without_journal() };
    let id = percent_decoded(id);
    if let Some(story) = story_of(&timeline, &id) {
        let hops: Vec<Json> = story.hops.iter().map(|(at, text)| json!({"at_ms": at.0, "text": text})).collect();
        return ControlAnswer::new(200, json!({"message": &*story.message, "fate": story.fate, "hops": hops}));
    }
    let names = session_names(&timeline);
    let near = did_you_mean(&id, names.iter().map(|name| name.as_str()));
    ControlAnswer::error(404, format!("no message is called `{id}`, of the latest{near}"))
}

/// Answers with what is kept of the timeline, or begins to stream it.
pub(super) fn timeline(broker: &ServedBroker, query: &str) -> ControlAnswer {
    let Some(count) = broker.timeline_count() else { return without_journal() };
    let value = |key: &str| query.split('&').filter_map(|part| part.split_once('=')).find(|(name, _)| *name == key);
    let since = match value("since").map(|(_, since)| since.parse::<u64>()) {
        None => 0,
        Some(Ok(since)) => since,
        Some(Err(_)) => return ControlAnswer::error(400, "`since` is the number of an entry, from 0"),
    };
    match value("follow").map_or("yes", |(_, follow)| follow) {
        "yes" => ControlAnswer { stream: Some(since), ..ControlAnswer::new(200, Json::Null) },
        "no" => {
            let entries: Vec<Json> = broker.timeline_after(since).map(|entry| entry_json(&entry)).collect();
            ControlAnswer::new(200, json!({"entries": entries, "last": count}))
        }
        _ => ControlAnswer::error(400, "`follow` is yes or no"),
    }
}

/// Writes the entries after one as server-sent events; returns them with the number of the last, from which to go on. A reader
/// that was too slow is told how many it missed.
pub fn timeline_events(broker: &ServedBroker, since: u64) -> (String, u64) {
    let (mut text, mut last) = (String::new(), since);
    for entry in broker.timeline_after(since).take(ENTRIES_OF_A_PART_MAX) {
        if entry.sequence > last + 1 {
            let _ = write!(text, "event: gap\ndata: {}\n\n", json!({"missed": entry.sequence - last - 1}));
        }
        last = entry.sequence;
        let _ = write!(text, "id: {last}\ndata: {}\n\n", entry_json(&entry));
    }
    (text, last)
}

fn entry_json(entry: &TimelineEntry) -> Json {
    json!({"entry": entry.sequence, "at_ms": entry.moment.0, "text": session_entry(entry)})
}

fn without_journal() -> ControlAnswer {
    ControlAnswer::error(404, "this broker keeps no timeline")
}

/// Reads the signs that an address writes as `%2F`.
fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
