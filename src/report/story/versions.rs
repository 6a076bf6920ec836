//! Where the runs of one cell by the rules of two versions differ, and the rules behind it.
//! Takes both timelines with the simulator's reasons, and both outcomes; returns text.

use crate::broker::{Refusal, code};
use crate::model::{Moment, Name, Table, Value};
use crate::player::{MessageRecord, RunResult, Timeline, TimelineEntry, TimelineEvent};
use crate::report::Palette;
use crate::report::event::hop_in_words;
use crate::report::story::stories;
use crate::rules::{rule_of_refusal, type_name};
use std::collections::{BTreeMap, BTreeSet};

/// How many differences of a cell are told.
const DIFFERENCES_MAX: usize = 6;

/// Headers that versions write differently, by their beginnings, and the rule of each.
const HEADER_RULES: [(&str, &str); 6] = [
    ("x-first-death-", "DL-21"),
    ("x-last-death-", "DL-21"),
    ("x-delivery-count", "CO-12"),
    ("x-acquired-count", "CO-12"),
    ("x-death", "DL-19"),
    ("CC", "DL-14"),
];

/// A cell whose outcome differs between two versions, played on the simulator by the rules of each.
#[derive(Debug)]
pub struct VersionPair {
    /// The cell's name.
    pub name: String,
    /// As the simulator of each version is called: `sim 3.10`.
    pub brokers: [String; 2],
    /// How the cell went on each.
    pub played: [RunResult; 2],
}

/// One difference: what it is about, and what each version does, with the rule.
#[derive(Debug)]
pub(crate) struct Parting {
    /// A message by its name, or what is refused.
    pub subject: String,
    /// What each side does.
    pub sides: [String; 2],
    /// Whether the subject is a message.
    pub of_message: bool,
    /// The rule of what versions write into a message; elsewhere it stands in the words.
    rule: &'static str,
    of_refusal: bool,
}

/// Tells where each pair of runs parts ways.
pub fn versions_text(pairs: &[VersionPair], palette: Palette) -> String {
    pairs.iter().map(|pair| pair_text(pair, palette)).collect()
}

/// Lists where two runs of a cell part ways, each difference once.
pub(crate) fn partings([one, other]: [&RunResult; 2]) -> Vec<Parting> {
    let mut partings = of_stories(&one.timeline, &other.timeline);
    if !partings.iter().any(|parting| parting.of_refusal) {
        partings.extend(of_refusals(&one.timeline, &other.timeline));
    }
    partings.extend(of_messages(one, other));
    partings.extend(of_orders(one, other));
    // What differs in nothing that is shown would be told as two lines alike.
    partings.retain(|parting| parting.sides[0] != parting.sides[1]);
    let mut known = BTreeSet::new();
    partings.retain(|parting| known.insert(parting.sides.clone()));
    partings
}

fn pair_text(pair: &VersionPair, palette: Palette) -> String {
    let mut partings = partings(pair.played.each_ref());
    let more = partings.len().saturating_sub(DIFFERENCES_MAX);
    partings.truncate(DIFFERENCES_MAX);
    if partings.is_empty() {
        return String::new();
    }
    let [first, second] = &pair.brokers;
    let head = format!("{}: where {first} and {second} differ, and by which rules", pair.name);
    let mut text = format!("\n{}\n", palette.strong(&head));
    let width = first.chars().count().max(second.chars().count());
    for Parting { subject, sides, rule, .. } in &partings {
        let [left, right] = sides.each_ref().map(|side| with_rule(side, rule));
        text.push_str(&format!("  {subject}\n    {first:width$}  {left}\n    {second:width$}  {right}\n"));
    }
    if more > 0 {
        text.push_str(&format!("  {}\n", palette.dim(&format!("and {more} more; --trace tells of all"))));
    }
    text
}

/// Finds the first step at which the story of each message is another.
fn of_stories(one: &Timeline, other: &Timeline) -> Vec<Parting> {
    let others: BTreeMap<_, _> = stories(other.entries()).into_iter().map(|story| (story.name, story.hops)).collect();
    let mut partings = Vec::new();
    for story in stories(one.entries()) {
        let hops = others.get(story.name).map_or(&[][..], Vec::as_slice);
        let at = |at: usize| (story.hops.get(at).copied(), hops.get(at).copied());
        let end = story.hops.len().max(hops.len());
        let mut differing = (0..end).filter(|n| step(at(*n).0) != step(at(*n).1));
        let Some(first) = differing.next() else { continue };
        partings.push(parting(story.name, at(first)));
        // Words may differ where what happens does not: the first step of another kind says more.
        if kind(at(first).0) == kind(at(first).1)
            && let Some(next) = (first..end).find(|n| kind(at(*n).0) != kind(at(*n).1))
        {
            partings.push(parting(story.name, at(next)));
        }
    }
    partings
}

type Hop<'a> = Option<&'a TimelineEntry>;

fn parting(name: &Name, (one, other): (Hop, Hop)) -> Parting {
    let subject = name.to_string();
    if let (Some((at, one)), Some((then, other))) = (refusal_of(one), refusal_of(other)) {
        let side = |at: Moment, refusal: &Refusal| format!("{at}: refused: {}", refusal_in_words(refusal));
        return Parting {
            subject,
            sides: [side(at, one), side(then, other)],
            of_message: true,
            rule: "",
            of_refusal: true,
        };
    }
    let side = |hop: Hop| hop.map_or_else(|| "nothing more".to_owned(), in_words);
    Parting { subject, sides: [side(one), side(other)], of_message: true, rule: "", of_refusal: false }
}

fn refusal_of(hop: Hop<'_>) -> Option<(Moment, &Refusal)> {
    match hop {
        Some(TimelineEntry { moment, what: TimelineEvent::PublishEnded { refusal: Some(refusal), .. }, .. }) => {
            Some((*moment, refusal))
        }
        _ => None,
    }
}

/// Writes a refusal that two versions word otherwise (PE-3).
fn refusal_in_words(refusal: &Refusal) -> String {
    let rule = match refusal.code {
        code::ACCESS_REFUSED => "PE-3",
        code => rule_of_refusal(code, &refusal.text),
    };
    format!("{refusal} [{rule}]")
}

fn in_words(hop: &TimelineEntry) -> String {
    format!("{}: {}", hop.moment, hop_in_words(&hop.what))
}

fn step(hop: Hop) -> Option<(Moment, String)> {
    hop.map(|hop| (hop.moment, hop_in_words(&hop.what)))
}

/// Returns what kind of step it is: the event, and inside the broker what happened.
fn kind(
    hop: Hop,
) -> Option<(std::mem::Discriminant<TimelineEvent>, Option<std::mem::Discriminant<crate::broker::What>>)> {
    let hop = hop?;
    let inner = match &hop.what {
        TimelineEvent::Told { insight, .. } => Some(std::mem::discriminant(&insight.what)),
        _ => None,
    };
    Some((std::mem::discriminant(&hop.what), inner))
}

/// Compares what was refused, in its order.
fn of_refusals(one: &Timeline, other: &Timeline) -> Option<Parting> {
    let refusals = |timeline: &Timeline| -> Vec<(Name, Refusal)> {
        let refused = timeline.entries().filter_map(|entry| match &entry.what {
            TimelineEvent::Refused { who, refusal, .. } => Some((who.clone(), (**refusal).clone())),
            _ => None,
        });
        refused.collect()
    };
    let (one, other) = (refusals(one), refusals(other));
    let at = (0..one.len().max(other.len())).find(|at| one.get(*at) != other.get(*at))?;
    let side = |all: &[(Name, Refusal)]| match all.get(at) {
        Some((who, refusal)) => format!("{who} is refused: {}", refusal_in_words(refusal)),
        None => "no refusal".to_owned(),
    };
    Some(Parting {
        subject: "refused".to_owned(),
        sides: [side(&one), side(&other)],
        of_message: false,
        rule: "",
        of_refusal: true,
    })
}

/// Compares the headers of each message as it was received, and as it lies in a queue at the end.
fn of_messages(one: &RunResult, other: &RunResult) -> Vec<Parting> {
    let (one, other) = (records(one), records(other));
    let pairs = one.iter().filter_map(|(place, record)| Some((record, other.get(place)?)));
    let mut known = BTreeSet::new();
    let all = pairs.flat_map(|(one, other)| of_traits(one, other));
    all.filter(|(rule, _)| known.insert(*rule)).map(|(_, parting)| parting).collect()
}

/// How many messages of an order are told.
const ORDER_MAX: usize = 8;

/// Compares the order of messages, where the same came to a consumer or are left in a queue.
pub(crate) fn of_orders(one: &RunResult, other: &RunResult) -> Vec<Parting> {
    let (ours, theirs) = (orders(one), orders(other));
    let pairs = ours.iter().filter_map(|(place, names)| Some((place, names, theirs.get(place)?)));
    let parting = |(place, one, other): (&String, &Vec<Name>, &Vec<Name>)| {
        let from = one.iter().zip(other).position(|(one, other)| one != other)?;
        let sorted = |names: &[Name]| {
            let mut names = names.to_vec();
            names.sort_unstable();
            names
        };
        let is_order = one.len() == other.len() && sorted(&one[from..]) == sorted(&other[from..]);
        let told = |names: &[Name]| {
            let shown: Vec<&str> = names[from..].iter().take(ORDER_MAX).map(|name| &**name).collect();
            let more = if names.len() - from > ORDER_MAX { ", …" } else { "" };
            let begin = if from > 0 { "…, " } else { "" };
            format!("{begin}{}{more}", shown.join(", "))
        };
        let sides = [told(one), told(other)];
        let subject = place.clone();
        is_order.then_some(Parting { subject, sides, of_message: false, rule: "", of_refusal: false })
    };
    pairs.filter_map(parting).collect()
}

/// Lists the messages of each consumer and of each queue, in their order.
fn orders(played: &RunResult) -> BTreeMap<String, Vec<Name>> {
    let Some(outcome) = &played.outcome else { return BTreeMap::new() };
    let name = |record: &MessageRecord| record.name.clone();
    let received = outcome.consumers.iter().map(|consumer| {
        let names = consumer.received.iter().map(|receipt| name(&receipt.record)).collect();
        (format!("order of what {} gets", consumer.name), names)
    });
    let left = outcome.queues.iter().filter_map(|(queue, left)| {
        let names = left.messages.as_ref()?.iter().map(name).collect();
        Some((format!("order in {}", queue.name), names))
    });
    received.chain(left).collect()
}

/// Lists the messages of an outcome, by where they were and the number of their kind there.
fn records(played: &RunResult) -> BTreeMap<(Name, Name, usize), &MessageRecord> {
    let Some(outcome) = &played.outcome else { return BTreeMap::new() };
    let received = outcome
        .consumers
        .iter()
        .flat_map(|consumer| consumer.received.iter().map(move |receipt| (consumer.name.clone(), &receipt.record)));
    let left = outcome
        .queues
        .iter()
        .flat_map(|(queue, left)| left.messages.iter().flatten().map(move |record| (queue.name.clone(), record)));
    let mut all = BTreeMap::new();
    for (place, record) in received.chain(left) {
        let alike = all.keys().filter(|(at, name, _)| *at == place && *name == record.name).count();
        all.insert((place, record.name.clone(), alike), record);
    }
    all
}

/// Compares what versions write into a message; one difference a rule.
fn of_traits(one: &MessageRecord, other: &MessageRecord) -> Vec<(&'static str, Parting)> {
    let headers = |record: &MessageRecord| record.message.properties.headers.clone().unwrap_or_default();
    let tables = [headers(one), headers(other)];
    let names: BTreeSet<Name> = tables.iter().flat_map(|table| table.keys()).cloned().collect();
    let mut by_rule: BTreeMap<&str, Vec<Name>> = BTreeMap::new();
    for name in names.into_iter().filter(|name| tables[0].get(name) != tables[1].get(name)) {
        let rule = HEADER_RULES.iter().find(|(beginning, _)| name.starts_with(beginning));
        by_rule.entry(rule.map_or("", |(_, rule)| rule)).or_default().push(name);
    }
    let subject = one.name.to_string();
    let parting = |rule: &'static str, sides: [String; 2]| {
        (rule, Parting { subject: subject.clone(), sides, of_message: true, rule, of_refusal: false })
    };
    let of_headers = |(rule, names): (&'static str, Vec<Name>)| {
        let (sides, detail) = headers_in_words(&names, tables.each_ref());
        // In the entries themselves versions differ by another rule than in their order and counts.
        let is_of_entries = rule == "DL-19" && detail == DeathDetail::Fields;
        parting(if is_of_entries { "DL-16" } else { rule }, sides)
    };
    let mut all: Vec<(&str, Parting)> = by_rule.into_iter().map(of_headers).collect();
    if one.redelivered != other.redelivered {
        let rule = if one.message.deaths().next().is_some() { "DL-13" } else { "CO-9" };
        all.push(parting(rule, [one, other].map(|record| format!("redelivered: {}", record.redelivered))));
    }
    let [ours, theirs] = [one, other].map(properties_in_words);
    let differing = ours.iter().zip(&theirs).filter(|(one, other)| one != other);
    all.extend(differing.map(|(one, other)| parting(one.0, [one.1.clone(), other.1.clone()])));
    all
}

/// Writes what stands beside the headers of a message, each with the rule by which versions differ in it.
fn properties_in_words(record: &MessageRecord) -> [(&'static str, String); 4] {
    let properties = &record.message.properties;
    let or_none = |name: &str, value: Option<String>| match value {
        Some(value) => format!("{name}: {value}"),
        None => format!("no {name}"),
    };
    [
        ("DL-16", or_none("expiration", properties.expiration.as_ref().map(ToString::to_string))),
        ("PRI-4", or_none("priority", properties.priority.map(|priority| priority.to_string()))),
        ("ER-7", or_none("delivery_mode", properties.delivery_mode.map(|mode| mode.to_string()))),
        ("DL-11", format!("from {} with key '{}'", shown_exchange(&record.exchange), record.routing_key)),
    ]
}

fn shown_exchange(name: &str) -> String {
    if name.is_empty() { "the default exchange".to_owned() } else { format!("exchange '{name}'") }
}

fn with_rule(words: &str, rule: &str) -> String {
    if rule.is_empty() { words.to_owned() } else { format!("{words} [{rule}]") }
}

/// How much is told of the deaths of a message.
#[derive(Clone, Copy, PartialEq)]
enum DeathDetail {
    /// The queues, newest first.
    Queues,
    /// How often it died in each, too.
    Counts,
    /// The fields that differ, too.
    Fields,
}

/// Writes the headers of those names as two messages have them: of deaths as much as tells them apart.
fn headers_in_words(names: &[Name], tables: [&Table; 2]) -> ([String; 2], DeathDetail) {
    let [ours, theirs] = tables;
    let side = |table: &Table, other: &Table, detail: DeathDetail| {
        let there = names.iter().filter_map(|name| Some((name, table.get(name)?)));
        let there: Vec<String> =
            there.map(|(name, value)| header_in_words(name, value, other.get(name), detail)).collect();
        match there.is_empty() {
            true => format!("no {}", names.iter().map(|name| &**name).collect::<Vec<_>>().join(", ")),
            false => there.join(", "),
        }
    };
    let sides = |detail| ([side(ours, theirs, detail), side(theirs, ours, detail)], detail);
    let few = [DeathDetail::Queues, DeathDetail::Counts].map(sides);
    few.into_iter().find(|([one, other], _)| one != other).unwrap_or_else(|| sides(DeathDetail::Fields))
}

fn header_in_words(name: &Name, value: &Value, other: Option<&Value>, detail: DeathDetail) -> String {
    match value {
        Value::Array(deaths) if &**name == "x-death" => {
            let others = other.and_then(Value::as_array).unwrap_or_default();
            let deaths = deaths.iter().enumerate();
            let deaths = deaths.map(|(at, death)| death_in_words(death, others.get(at), detail));
            format!("x-death of {}", deaths.collect::<Vec<_>>().join(", "))
        }
        value => format!("{name}: {}", value_in_words(value, other)),
    }
}

/// Writes an entry of x-death; with the fields that `other` does not have so.
fn death_in_words(death: &Value, other: Option<&Value>, detail: DeathDetail) -> String {
    let Some(fields) = death.as_table() else { return value_in_words(death, other) };
    let mut words = fields.get("queue").and_then(Value::as_text).unwrap_or("no queue").to_owned();
    if detail != DeathDetail::Queues {
        let count = fields.get("count").map_or_else(|| "?".to_owned(), |count| count.to_json().to_string());
        words.push_str(&format!(" x{count}"));
    }
    let Some(theirs) = other.and_then(Value::as_table).filter(|_| detail == DeathDetail::Fields) else { return words };
    let names: BTreeSet<&Name> = fields.keys().chain(theirs.keys()).collect();
    let differing = names.into_iter().filter(|name| fields.get(name) != theirs.get(name));
    let told = differing.map(|name| match fields.get(name) {
        Some(value) => format!("{name}: {}", value_in_words(value, theirs.get(name))),
        None => format!("no {name}"),
    });
    let told: Vec<String> = told.collect();
    match told.is_empty() {
        true => words,
        false => format!("{words} with {}", told.join(", ")),
    }
}

/// Writes a value, with its type where another one looks the same.
fn value_in_words(value: &Value, other: Option<&Value>) -> String {
    let shown = value.to_json().to_string();
    match other.filter(|other| *other != value && other.to_json() == value.to_json()) {
        Some(_) => format!("{shown} ({})", type_name(value)),
        None => shown,
    }
}
