//! What led to a failure: the stories of the messages that it is about, with what became of those who held them.
//! Takes a failure and the timeline, returns text. Where a broker does not tell its reasons, says so.

use crate::broker::What;
use crate::model::counted;
use crate::player::{Failure, Timeline, TimelineEntry, TimelineEvent};
use crate::report::cell::{entry_line, is_telling};
use crate::report::story::circumstances::{contests, under_way};
use crate::report::story::concerned::concerned;
use crate::report::story::lines::{STORIES_MAX, indented};
use crate::report::story::simulated::{reasons, simulated_stories};
use crate::report::story::{Story, stories};
use crate::report::{Palette, Simulated};
use crate::source::Sources;

/// Tells what led to a failure: the stories of the messages that it is about, else the last entries.
pub(crate) fn before(
    failure: &Failure,
    timeline: &Timeline,
    simulated: Option<&Simulated>,
    sources: &Sources,
    palette: Palette,
) -> String {
    let led_here: Vec<&TimelineEntry> = timeline.entries().filter(|entry| entry.sequence <= failure.sequence).collect();
    let entries = || led_here.iter().copied();
    let mut chosen = concerned(failure, stories(entries()), entries());
    let untold = chosen.len().saturating_sub(STORIES_MAX);
    chosen.truncate(STORIES_MAX);
    let mut text = under_way(failure, sources, palette);
    for story in &mut chosen {
        add_what_befell_holders(story, &led_here);
        let head = format!("what happened to {}, up to {}:", story.name, failure.moment);
        text.push_str(&format!("  {}\n{}", palette.dim(&head), indented(&story.lines())));
    }
    if untold > 0 {
        let more = format!("and {} more; --trace tells of all", counted(untold, "message"));
        text.push_str(&format!("  {}\n", palette.dim(&more)));
    }
    if chosen.is_empty() {
        let lines = entries().filter(|entry| is_telling(entry)).map(|entry| entry_line(entry, sources));
        let lines: Vec<String> = lines.collect();
        if !lines.is_empty() {
            let head = format!("what happened before, up to {}:", failure.moment);
            text.push_str(&format!("  {}\n{}", palette.dim(&head), indented(&lines)));
        }
    }
    if let Some(simulated) = simulated {
        let stories = simulated_stories(failure, simulated);
        text.push_str(&reasons(&simulated.broker, stories.as_deref(), palette));
        chosen.extend(stories.into_iter().flatten());
    }
    text.push_str(&contests(failure, &chosen, palette));
    text
}

/// Adds how consumers ended, or what they were refused, while they held the message.
fn add_what_befell_holders<'a>(story: &mut Story<'a>, entries: &[&'a TimelineEntry]) {
    let befell = entries.iter().filter(|entry| match &entry.what {
        TimelineEvent::Gone { consumer: who, .. } | TimelineEvent::Refused { who, .. } => was_held(story, who, entry),
        _ => false,
    });
    let befell: Vec<&TimelineEntry> = befell.copied().collect();
    for entry in befell {
        // The broker tells first what it took back, then why.
        let at = story
            .hops
            .iter()
            .position(|hop| hop.sequence > entry.sequence || hop.moment == entry.moment && is_return(hop));
        story.hops.insert(at.unwrap_or(story.hops.len()), entry);
    }
}

fn is_return(hop: &TimelineEntry) -> bool {
    matches!(&hop.what, TimelineEvent::Told { insight, .. }
        if matches!(insight.what, What::Requeued { .. } | What::DeadLettered { .. } | What::Dropped { .. }))
}

/// Returns whether a consumer held the message when something befell it.
fn was_held(story: &Story<'_>, who: &str, entry: &TimelineEntry) -> bool {
    let earlier = story.hops.iter().filter(|hop| hop.sequence < entry.sequence);
    let last = earlier.rev().find(|hop| match &hop.what {
        TimelineEvent::Delivered { consumer, .. } | TimelineEvent::Settled { consumer, .. } => &**consumer == who,
        // What came back before is no longer held; at this very moment it is what is told here.
        _ => is_return(hop) && hop.moment < entry.moment,
    });
    last.is_some_and(|hop| matches!(hop.what, TimelineEvent::Delivered { .. }))
}
