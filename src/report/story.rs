//! What led to a failure: the story of the messages that it names, or else what happened last.
//! Lines that go round are told once.

use super::Palette;
use super::cell::{entry_line, is_telling};
use crate::play::{Entry, Failure, Happening, Played};
use crate::source::Sources;
use std::collections::BTreeSet;

/// How many lines stand before a failure that names no message.
const BEFORE_MAX: usize = 12;

/// How many lines a story has at most: so many at its beginning, so many at its end.
const STORY_HEAD: usize = 12;
const STORY_TAIL: usize = 16;

/// How many messages have a common story; of more, nothing is left out.
const HEROES_MAX: usize = 3;

/// The longest round that is seen, in lines.
const ROUND_MAX: usize = 12;

/// Tells what led to a failure.
pub(super) fn story(failure: &Failure, played: &Played, sources: &Sources, palette: Palette) -> String {
    let led_here = played.timeline.entries().filter(|one| one.sequence <= failure.sequence && is_telling(one));
    let led_here: Vec<&Entry> = led_here.collect();
    let heroes = heroes(failure, &led_here, sources);
    let told: Vec<&Entry> = led_here.into_iter().filter(|entry| belongs(entry, &heroes)).collect();
    let told: Vec<String> = told.iter().map(|entry| entry_line(entry, sources)).collect();
    if told.is_empty() {
        return String::new();
    }
    let mut lines = rounds_once(&told);
    let moment = failure.moment;
    let title = if heroes.is_empty() {
        lines.drain(..lines.len().saturating_sub(BEFORE_MAX));
        format!("what happened before, up to {moment}:")
    } else {
        if let Some(left_out) = lines.len().checked_sub(STORY_HEAD + STORY_TAIL).filter(|n| *n > 1) {
            let words = format!("{:>8}  {left_out} more lines (--trace)", "…");
            lines.splice(STORY_HEAD..STORY_HEAD + left_out, [words]);
        }
        let names: Vec<&str> = heroes.iter().map(String::as_str).collect();
        format!("the story of {}, up to {moment}:", listed(&names))
    };
    let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    format!("  {}\n{lines}", palette.dim(&title))
}

/// Writes `a, b and c`.
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// Finds the messages that a failure or its line names; empty when there are none or too many.
fn heroes(failure: &Failure, led_here: &[&Entry], sources: &Sources) -> BTreeSet<String> {
    let source = sources.get(failure.span.file);
    let line = source.text.get(failure.span.start as usize..failure.span.end as usize).unwrap_or_default();
    let findings = failure.findings.iter().flat_map(|one| [one.expected.as_str(), one.found.as_str()]);
    let texts: Vec<&str> = findings.chain([failure.message.as_str(), line]).collect();
    let words: BTreeSet<&str> =
        texts.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && !"_-.#".contains(c))).collect();
    let named = led_here.iter().filter_map(|entry| message_of(&entry.what)).map(family);
    let named: BTreeSet<String> = named.filter(|name| words.contains(name)).map(str::to_owned).collect();
    if named.len() > HEROES_MAX { BTreeSet::new() } else { named }
}

/// Says whether an entry is of the story: about its messages, or about none.
fn belongs(entry: &Entry, heroes: &BTreeSet<String>) -> bool {
    heroes.is_empty() || message_of(&entry.what).is_none_or(|message| heroes.contains(family(message)))
}

/// Gives the name that the copies of a message share: `poison` of `poison#2`.
fn family(message: &str) -> &str {
    message.split_once('#').map_or(message, |(name, _)| name)
}

fn message_of(what: &Happening) -> Option<&str> {
    match what {
        Happening::Published { message, .. }
        | Happening::PublishEnded { message, .. }
        | Happening::Settled { message, .. }
        | Happening::Working { message, .. }
        | Happening::Delivered { name: message, .. } => Some(message),
        Happening::Told { message, .. } => message.as_deref(),
        _ => None,
    }
}

/// Writes lines that go round once, with how often they come again.
fn rounds_once(lines: &[String]) -> Vec<String> {
    // Two lines are the same if they differ in their moment only.
    let said: Vec<&str> =
        lines.iter().map(|line| line.trim_start().split_once("  ").map_or(&**line, |(_, said)| said)).collect();
    let mut told = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let rounds_of = |length: usize| {
            let round = &said[at..at + length];
            said[at..].chunks_exact(length).take_while(|next| *next == round).count()
        };
        let lengths = 1..=ROUND_MAX.min((lines.len() - at) / 3);
        let round = lengths.map(|length| (length, rounds_of(length))).find(|(_, rounds)| *rounds >= 3);
        let (length, rounds) = round.unwrap_or((1, 1));
        told.extend_from_slice(&lines[at..at + length]);
        if rounds > 1 {
            let noun = if length == 1 { "line".to_owned() } else { format!("{length} lines") };
            told.push(format!("{:>8}  the last {noun} again, {} times more", "…", rounds - 1));
        }
        at += length * rounds;
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_round_is_told_once() {
        let lines = |text: &str| -> Vec<String> { text.split(' ').map(|word| format!("      0s  {word}")).collect() };
        let told = |text: &str| -> Vec<String> {
            rounds_once(&lines(text)).iter().map(|line| line.trim().replace("0s  ", "")).collect()
        };
        assert_eq!(told("a b a b"), ["a", "b", "a", "b"]);
        assert_eq!(told("x a b a b a b y"), ["x", "a", "b", "…  the last 2 lines again, 2 times more", "y"]);
        assert_eq!(told("a a a a"), ["a", "…  the last line again, 3 times more"]);
    }
}
