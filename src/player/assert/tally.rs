//! Adds up messages by a value of theirs, as they come: what is published and confirmed, or delivered to a consumer.
//! Keeps sums, never messages; what a queue holds is added up when it was read.

use crate::broker::{Delivery, DeliveryTag};
use crate::model::{Count, Key, TallyExpectation, TallyGroups, TallySource};
use crate::player::consumer::matching::message_matches;
use crate::player::record::failure::Finding;
use crate::player::record::memory::text_of;
use crate::player::record::outcome::MessageRecord;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

/// What messages without the value that they are grouped by are counted under.
const NO_GROUP: &str = "(none)";

/// Holds all tallies that a scenario asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tallies {
    asked: Vec<(TallyExpectation, Sums)>,
}

/// One tally in the making.
#[derive(Debug, Clone, Default, Hash)]
pub(crate) struct Sums {
    groups: BTreeMap<String, u64>,
    /// A message whose value is no whole number, and the value.
    unreadable: Option<(String, String)>,
}

/// What one publish adds once it is confirmed: to which tally, and what.
pub(crate) type Share = (usize, TallyPart);

/// What one message adds to a tally.
#[derive(Debug, Clone)]
pub(crate) struct TallyPart {
    group: String,
    amount: Result<u64, (String, String)>,
}

impl Hash for Tallies {
    /// What is asked for is the scenario's.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.asked.iter().for_each(|(_, sums)| sums.hash(state));
    }
}

impl Tallies {
    /// Remembers what expectations ask for; the same tally asked twice is kept once.
    pub fn ask_for<'t>(&mut self, tallies: impl Iterator<Item = &'t TallyExpectation>) {
        for tally in tallies {
            if !self.asked.iter().any(|(known, _)| same(known, tally)) {
                self.asked.push((tally.clone(), Sums::default()));
            }
        }
    }

    /// Takes a delivery to a consumer instance.
    pub fn delivered(&mut self, consumer: &str, name: &str, delivery: &Delivery) {
        for (tally, sums) in &mut self.asked {
            if let TallySource::Consumer(wanted) = &tally.source
                && crate::player::consumer::matching::is_of(consumer, wanted)
                && let Some(part) = part_of(tally, name, delivery)
            {
                sums.add(part);
            }
        }
    }

    /// Returns what a message that is about to be published will add.
    pub fn shares(&self, name: &str, composed: &crate::player::message::compose::Composed) -> Vec<Share> {
        let published = self.asked.iter().enumerate().filter(|(_, (tally, _))| tally.source == TallySource::Published);
        let mut published = published.peekable();
        if published.peek().is_none() {
            return Vec::new();
        }
        let delivery = Delivery {
            tag: DeliveryTag(0),
            redelivered: false,
            exchange: composed.exchange.clone(),
            routing_key: composed.routing_key.clone(),
            message: composed.message.clone().into(),
        };
        published.filter_map(|(at, (tally, _))| Some((at, part_of(tally, name, &delivery)?))).collect()
    }

    /// Adds what a confirmed publish had to add.
    pub fn confirmed(&mut self, shares: Vec<Share>) {
        for (at, part) in shares {
            if let Some((_, sums)) = self.asked.get_mut(at) {
                sums.add(part);
            }
        }
    }

    /// Lists all that are asked for, with their groups so far.
    pub fn so_far(&self) -> impl Iterator<Item = (&TallyExpectation, Vec<(String, u64)>)> {
        let groups = |sums: &Sums| sums.groups.iter().map(|(group, sum)| (group.clone(), *sum)).collect();
        self.asked.iter().map(move |(tally, sums)| (tally, groups(sums)))
    }

    /// Returns the sums so far.
    fn of(&self, tally: &TallyExpectation) -> Sums {
        let found = self.asked.iter().find(|(known, _)| same(known, tally));
        found.map(|(_, sums)| sums.clone()).unwrap_or_default()
    }

    /// Compares a tally with what it must come to; `contents` are those of the queue that it looks at.
    pub fn judge(&self, wanted: &TallyExpectation, contents: Option<&[MessageRecord]>, findings: &mut Vec<Finding>) {
        let sums = match (&wanted.source, contents) {
            (TallySource::Queue(_), None) => {
                return findings.push(Finding::new("tally", "contents", "this queue cannot be read"));
            }
            (TallySource::Queue(_), Some(messages)) => sums_of(wanted, messages),
            _ => self.of(wanted),
        };
        if let (Some((name, value)), Some(sum)) = (&sums.unreadable, &wanted.sum) {
            let expected = format!("a whole number at {} of each message", key_in_words(sum));
            return findings.push(Finding::new("sum", expected, format!("{value} in {name}")));
        }
        match &wanted.groups {
            TallyGroups::Total(count) => {
                let total = sums.groups.values().sum();
                if !count.holds(total) {
                    findings.push(Finding::new("tally", count, total));
                }
            }
            TallyGroups::Each { groups, includes } => judge_groups(groups, *includes, &sums.groups, findings),
        }
    }
}

impl Sums {
    fn add(&mut self, part: TallyPart) {
        match part.amount {
            Ok(amount) => {
                let sum = self.groups.entry(part.group).or_default();
                *sum = sum.saturating_add(amount);
            }
            Err(unreadable) => drop(self.unreadable.get_or_insert(unreadable)),
        }
    }
}

/// Returns whether two tallies add up the same, whatever they must come to.
fn same(a: &TallyExpectation, b: &TallyExpectation) -> bool {
    a.source == b.source && a.by == b.by && a.sum == b.sum && a.only == b.only
}

fn sums_of(tally: &TallyExpectation, messages: &[MessageRecord]) -> Sums {
    let mut sums = Sums::default();
    for record in messages {
        let delivery = Delivery {
            tag: DeliveryTag(0),
            redelivered: record.redelivered,
            exchange: record.exchange.clone(),
            routing_key: record.routing_key.clone(),
            message: record.message.clone().into(),
        };
        if let Some(part) = part_of(tally, &record.name, &delivery) {
            sums.add(part);
        }
    }
    sums
}

/// Returns what a message adds; nothing when it is not meant.
fn part_of(tally: &TallyExpectation, name: &str, delivery: &Delivery) -> Option<TallyPart> {
    if !message_matches(&tally.only, name, delivery).unwrap_or(false) {
        return None;
    }
    let plain = |key: &Key| text_of(key, delivery).map(|text| serde_json::from_str::<String>(&text).unwrap_or(text));
    let group = tally.by.as_ref().map_or(Some(String::new()), plain).unwrap_or_else(|| NO_GROUP.to_owned());
    let amount = tally.sum.as_ref().map_or(Ok(1), |key| {
        let text = plain(key);
        let number = text.as_ref().and_then(|text| text.trim().parse::<u64>().ok());
        number.ok_or_else(|| (name.to_owned(), text.unwrap_or_else(|| "nothing".to_owned())))
    });
    Some(TallyPart { group, amount })
}

fn judge_groups(
    wanted: &BTreeMap<String, Count>,
    includes: bool,
    found: &BTreeMap<String, u64>,
    findings: &mut Vec<Finding>,
) {
    for (group, count) in wanted {
        let sum = found.get(group).copied();
        if !count.holds(sum.unwrap_or(0)) {
            findings.push(Finding::new(
                format!("tally.{group}"),
                count,
                sum.map_or("none".to_owned(), |n| n.to_string()),
            ));
        }
    }
    for (group, sum) in found.iter().filter(|(group, _)| !includes && !wanted.contains_key(*group)) {
        findings.push(Finding::new(format!("tally.{group}"), "no such group", sum));
    }
}

/// Writes what a tally groups by or adds up.
pub(crate) fn key_in_words(key: &Key) -> String {
    match key {
        Key::MessageId => "message_id".to_owned(),
        Key::CorrelationId => "correlation_id".to_owned(),
        Key::RoutingKey => "routing_key".to_owned(),
        Key::Body => "body".to_owned(),
        Key::Json(path) => format!("json.{path}"),
        Key::Header(name) => format!("headers.{name}"),
    }
}
