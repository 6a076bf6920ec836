//! The timeline of a served broker in words: the story of one message, and each entry as it comes.

use crate::model::{Moment, Name};
use crate::player::{Timeline, TimelineEntry};
use crate::report::event::event_in_words;
use crate::report::story::{message_of, stories};
use std::collections::BTreeSet;

/// The story of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldStory {
    /// What it is called.
    pub message: Name,
    /// Where it ended, or is.
    pub fate: String,
    /// What happened to it, in order.
    pub hops: Vec<(Moment, String)>,
}

/// Tells the story of a message, and of all that were published with the same id; `None` where the timeline knows none.
pub fn story_of(timeline: &Timeline, message: &str) -> Option<ToldStory> {
    let is_its = |name: &Name| name == message || name.strip_prefix(message).is_some_and(|rest| rest.starts_with('#'));
    let its = timeline.entries().filter(|entry| message_of(entry).is_some_and(is_its));
    let told = stories(its);
    let last = told.last()?;
    let mut hops: Vec<(Moment, String)> = Vec::new();
    for story in &told {
        let again = if told.len() > 1 { format!("{}: ", story.name) } else { String::new() };
        hops.extend(story.told().into_iter().map(|(hop, words)| (hop.moment, format!("{again}{words}"))));
    }
    hops.sort_by_key(|(moment, _)| *moment);
    Some(ToldStory { message: message.into(), fate: last.fate(), hops })
}

/// Lists what the messages of a timeline are called.
pub fn session_names(timeline: &Timeline) -> BTreeSet<&Name> {
    timeline.entries().filter_map(message_of).collect()
}

/// Writes what an entry tells.
pub fn session_entry(entry: &TimelineEntry) -> String {
    event_in_words(&entry.what)
}
