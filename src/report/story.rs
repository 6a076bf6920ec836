//! What became of each message, hop by hop: a block per message with times, queues, reasons and rules, then the rest.
//! Reads the timeline; on a live broker, which gives no reasons, the hops that were seen.

use crate::broker::{Settlement, What};
use crate::model::{Name, PublishOutcome};
use crate::player::{
    Failure, Timeline, TimelineEntry, TimelineEvent, deaths_in_words, exchange_in_words, insight_in_words,
    outcome_in_words, settlement_in_words,
};
use crate::report::Palette;
use crate::report::cell::{entry_line, is_telling};
use crate::rules::rule_of_refusal;
use crate::source::Sources;
use std::collections::BTreeMap;

/// How many lines of a story stand before a failure.
const LINES_MAX: usize = 12;

/// How many messages' stories stand before a failure.
const STORIES_MAX: usize = 3;

/// Holds the entries of one message, in order.
struct Story<'a> {
    name: &'a Name,
    hops: Vec<&'a TimelineEntry>,
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

/// Tells what led to a failure: the stories of the messages that it speaks of, else the last entries.
pub(crate) fn before(failure: &Failure, timeline: &Timeline, sources: &Sources, palette: Palette) -> String {
    let led_here = || timeline.entries().filter(|entry| entry.sequence <= failure.sequence);
    let concerned = concerned(failure, &stories(led_here()));
    let indented = |lines: &[String]| -> String {
        let left_out = lines.len().saturating_sub(LINES_MAX);
        let first = (left_out > 0).then(|| format!("           … {left_out} lines before\n"));
        first.into_iter().chain(lines[left_out..].iter().map(|line| format!("  {line}\n"))).collect()
    };
    let mut text = String::new();
    for story in &concerned {
        let head = format!("what happened to {}, up to {}:", story.name, failure.moment);
        text.push_str(&format!("  {}\n{}", palette.dim(&head), indented(&story.lines())));
    }
    if concerned.is_empty() {
        let lines: Vec<String> =
            led_here().filter(|entry| is_telling(entry)).map(|entry| entry_line(entry, sources)).collect();
        if lines.is_empty() {
            return text;
        }
        let head = format!("what happened before, up to {}:", failure.moment);
        text.push_str(&format!("  {}\n{}", palette.dim(&head), indented(&lines)));
    }
    text
}

/// Chooses the stories that a failure speaks of: messages that it names, else those that met the queue it names.
fn concerned<'a>(failure: &Failure, stories: &[Story<'a>]) -> Vec<Story<'a>> {
    let findings = failure.findings.iter().map(|one| format!("{} {} {}", one.field, one.expected, one.found));
    let words: String = findings.fold(failure.message.clone(), |text, one| text + " " + &one);
    let take = |fits: &dyn Fn(&Story) -> bool| -> Vec<Story<'a>> {
        let chosen = stories.iter().filter(|story| fits(story));
        chosen.map(|story| Story { name: story.name, hops: story.hops.clone() }).collect()
    };
    // What stands on one side only comes first: the rest of a list is as it should be.
    let unlike =
        |name: &str| failure.findings.iter().any(|one| speaks_of(&one.expected, name) != speaks_of(&one.found, name));
    let unlike = take(&|story| unlike(story.name));
    let named = take(&|story| speaks_of(&words, story.name));
    if let Some(chosen) = [unlike, named].into_iter().find(|stories| !stories.is_empty()) {
        return chosen.into_iter().take(STORIES_MAX).collect();
    }
    let met =
        take(&|story| story.hops.iter().any(|hop| queue_of(hop).is_some_and(|name| speaks_of(&failure.message, name))));
    // What was sent on led here as well: `poison` became `poison#2`.
    let family = take(&|story| met.iter().any(|one| first_name(one.name) == first_name(story.name)));
    [family, met].into_iter().find(|stories| stories.len() <= STORIES_MAX).unwrap_or_default()
}

/// Returns the name that a message shares with those of the same id before it.
fn first_name(name: &str) -> &str {
    name.split_once('#').map_or(name, |(first, _)| first)
}

/// Returns whether a text has a name in it as a whole word.
fn speaks_of(text: &str, name: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '#');
    text.match_indices(name).any(|(at, _)| {
        let rest = &text[at + name.len()..];
        let mut behind = rest.chars();
        let goes_on = match behind.next() {
            Some('.') => behind.next().is_some_and(inside),
            next => next.is_some_and(inside),
        };
        !goes_on && !text[..at].ends_with(|c: char| inside(c) || c == '.')
    })
}

fn stories<'a>(entries: impl Iterator<Item = &'a TimelineEntry>) -> Vec<Story<'a>> {
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
    stories
}

fn message_of(entry: &TimelineEntry) -> Option<&Name> {
    match &entry.what {
        TimelineEvent::Published { message, .. }
        | TimelineEvent::PublishEnded { message, .. }
        | TimelineEvent::Settled { message, .. }
        | TimelineEvent::Working { message, .. } => Some(message),
        TimelineEvent::Delivered { name, .. } => Some(name),
        TimelineEvent::Told { message, .. } => message.as_ref(),
        _ => None,
    }
}

fn queue_of(entry: &TimelineEntry) -> Option<&Name> {
    match &entry.what {
        TimelineEvent::Delivered { queue, .. } => Some(&queue.name),
        TimelineEvent::Told { insight, .. } => insight.queue.as_ref().map(|queue| &queue.name),
        _ => None,
    }
}

impl Story<'_> {
    /// Writes a line per hop; a confirm that came at once stands on the line of its publish.
    fn lines(&self) -> Vec<String> {
        let is_confirm = |entry: &TimelineEntry| {
            matches!(entry.what, TimelineEvent::PublishEnded { outcome: PublishOutcome::Confirmed, .. })
        };
        let confirmed = self.hops.iter().filter(|hop| is_confirm(hop)).map(|hop| hop.moment);
        let mut confirmed: Vec<_> = confirmed.collect();
        let mut lines = Vec::new();
        for hop in self.hops.iter().filter(|hop| !is_confirm(hop)) {
            let mut words = hop_in_words(hop);
            if matches!(hop.what, TimelineEvent::Published { .. }) && !confirmed.is_empty() {
                let at = confirmed.remove(0);
                let when = if at == hop.moment { String::new() } else { format!(" at {at}") };
                words.push_str(&format!(", confirmed{when}"));
            }
            lines.push(format!("{:>8}  {words}", hop.moment.to_string()));
        }
        lines
    }

    /// Says where it ended, as far as one place can be named.
    fn fate(&self) -> String {
        let last = self.hops.iter().rev().find_map(|hop| match &hop.what {
            TimelineEvent::Settled { consumer, settlement: Settlement::Ack, .. } => {
                Some(format!("acked by {consumer}"))
            }
            TimelineEvent::Delivered { consumer, .. } => Some(format!("with {consumer}")),
            TimelineEvent::PublishEnded { outcome, .. } if *outcome != PublishOutcome::Confirmed => {
                Some(outcome_in_words(*outcome).to_owned())
            }
            TimelineEvent::Told { insight, .. } => match (&insight.what, &insight.queue) {
                (What::Enqueued | What::Requeued { .. } | What::Blocked { .. }, Some(queue)) => {
                    Some(format!("in {}", queue.name))
                }
                (What::Dropped { .. }, _) => Some("dropped".to_owned()),
                _ => None,
            },
            _ => None,
        });
        last.unwrap_or_else(|| "published".to_owned())
    }
}

/// Writes one hop, the message being `it`.
fn hop_in_words(entry: &TimelineEntry) -> String {
    match &entry.what {
        TimelineEvent::Published { by, exchange, routing_key, .. } => {
            format!("{by} publishes it to {} with key '{routing_key}'", exchange_in_words(exchange))
        }
        TimelineEvent::PublishEnded { outcome, refusal, .. } => {
            let outcome = outcome_in_words(*outcome);
            match refusal {
                Some(refusal) => format!("{outcome}: {refusal} [{}]", rule_of_refusal(refusal.code, &refusal.text)),
                None => outcome.to_owned(),
            }
        }
        TimelineEvent::Delivered { consumer, queue, redelivered, message, .. } => {
            let again = if *redelivered { ", redelivered" } else { "" };
            format!("{consumer} gets it from {}{again}{}", queue.name, deaths_in_words(message))
        }
        TimelineEvent::Settled { consumer, settlement, .. } => {
            format!("{consumer} {}", settlement_in_words(*settlement, "it"))
        }
        TimelineEvent::Working { consumer, for_how_long, .. } => format!("{consumer} works on it for {for_how_long}"),
        TimelineEvent::Told { behind, until, insight, .. } => {
            format!("{} [{}]", insight_in_words(insight, behind.as_deref(), *until), insight.rule)
        }
        other => other.to_string(),
    }
}
