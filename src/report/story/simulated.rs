//! The reasons that a live broker keeps to itself, as the simulator of its version gives them for the same failure.
//! Takes a failure and the run of the same cell on the simulator; returns text.

use crate::player::{Failure, TimelineEntry, TimelineEvent};
use crate::report::event::hop_in_words;
use crate::report::story::before::{concerned_stories, indented};
use crate::report::{Palette, Simulated};

/// Tells why it failed, by the simulator; or that it does not fail there.
pub(crate) fn reasons(failure: &Failure, simulated: &Simulated, palette: Palette) -> String {
    let Simulated { broker, played } = simulated;
    let is_same = |other: &&Failure| other.span == failure.span && other.code == failure.code;
    let Some(same) = played.failures.iter().find(is_same) else {
        let head = format!("a live broker does not tell its reasons; on {broker} this does not fail");
        return format!("  {}\n", palette.dim(&head));
    };
    let stories = concerned_stories(same, &played.timeline);
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
