//! The reasons that a live broker keeps to itself, as the simulator of its version gives them for the same failure.
//! Takes a failure and the run of the same cell on the simulator; returns stories and text.

use crate::player::{Failure, TimelineEntry, TimelineEvent};
use crate::report::event::hop_in_words;
use crate::report::story::concerned::concerned;
use crate::report::story::lines::{STORIES_MAX, indented};
use crate::report::story::{Story, stories};
use crate::report::{Palette, Simulated};

/// Lists the stories of the same failure on the simulator; `None` when that does not fail there.
pub(crate) fn simulated_stories<'s>(failure: &Failure, simulated: &'s Simulated) -> Option<Vec<Story<'s>>> {
    let played = &simulated.played;
    let same = played.failures.iter().find(|other| other.span == failure.span && other.code == failure.code)?;
    let entries = || played.timeline.entries().filter(|entry| entry.sequence <= same.sequence);
    let mut chosen = concerned(same, stories(entries()), entries());
    chosen.truncate(STORIES_MAX);
    Some(chosen)
}

/// Tells why it failed, by the simulator; or that it does not fail there.
pub(crate) fn reasons(broker: &str, stories: Option<&[Story]>, palette: Palette) -> String {
    let Some(stories) = stories else {
        let head = format!("a live broker does not tell its reasons; on {broker} this does not fail");
        return format!("  {}\n", palette.dim(&head));
    };
    let lines = stories.iter().flat_map(|story| {
        let told = story.hops.iter().filter(|hop| matches!(hop.what, TimelineEvent::Told { .. }));
        told.map(|hop| line(story.name, hop))
    });
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return String::new();
    }
    let head = format!("a live broker does not tell its reasons; {broker}, where this fails too, gives:");
    format!("  {}\n{}", palette.dim(&head), indented(&lines))
}

fn line(message: &str, hop: &TimelineEntry) -> String {
    format!("{:>8}  {message}: {}", hop.moment.to_string(), hop_in_words(&hop.what))
}
