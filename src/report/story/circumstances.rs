//! What stands around a failure in words: the policies and arguments that lost on its queues, and what was under way.
//! Takes data, returns text. Judges nothing.

use crate::model::{Name, QueueName};
use crate::player::{Awaited, Failure, FailureSubject, UnderWay};
use crate::report::Palette;
use crate::report::event::unit;
use crate::report::story::Story;
use crate::report::story::whereabouts::Whereabouts;
use crate::rules::{PolicyContest, PolicyFate, PolicyStanding, Precedence, SetBy, SettingContest};
use crate::source::Sources;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// How many queues' policies are told.
const QUEUES_MAX: usize = 3;

/// Tells what was under way when a run was given up.
pub(crate) fn under_way(failure: &Failure, sources: &Sources, palette: Palette) -> String {
    let all = &failure.circumstances.under_way;
    if all.is_empty() {
        return String::new();
    }
    let lines = all.iter().map(|one| format!("    {}\n", under_way_in_words(one, sources)));
    format!("  {}\n{}", palette.dim("still under way:"), lines.collect::<String>())
}

fn under_way_in_words(one: &UnderWay, sources: &Sources) -> String {
    match one {
        UnderWay::Step { span, awaits } => {
            format!("driver: line {} waits {}", sources.position(*span).line, awaited_in_words(awaits))
        }
        UnderWay::Work { consumer, on, until: Some(until) } => {
            format!("{consumer}: works on {} until {until}", unit(on))
        }
        UnderWay::Work { consumer, on, until: None } => {
            format!("{consumer}: waits for a publish of its work on {}", unit(on))
        }
        UnderWay::Held { consumer, messages, more } => {
            let more = if *more == 0 { String::new() } else { format!(" and {more} more") };
            format!("{consumer}: holds {}{more} and settles nothing", listed(messages))
        }
        UnderWay::Waiting { consumer, messages, more } => {
            let more = if *more == 0 { String::new() } else { format!(" and {more} more") };
            format!("{consumer}: has not begun with {}{more}", listed(messages))
        }
        UnderWay::Publish { by, message } => format!("{by}: has no confirm of {message}"),
        UnderWay::Away { consumer } => format!("{consumer}: is away and connects again"),
    }
}

fn awaited_in_words(awaits: &Awaited) -> String {
    match awaits {
        Awaited::Expectation { until, missing } => {
            let missing =
                missing.iter().map(|one| format!("{}: expected {}, found {}", one.field, one.expected, one.found));
            let missing: Vec<String> = missing.collect();
            let missing = if missing.is_empty() { String::new() } else { format!(" ({})", missing.join("; ")) };
            format!("until {until} for what it expects{missing}")
        }
        Awaited::Time { until } => format!("until {until}"),
        Awaited::Confirms => "for confirms".to_owned(),
        Awaited::Reply => "for a reply".to_owned(),
        Awaited::Quiet => "until nothing more happens".to_owned(),
        Awaited::Consumers => "until the broker has noticed that consumers are gone".to_owned(),
        Awaited::Answer => "for an answer of the broker".to_owned(),
    }
}

/// Tells which policies and arguments lost on the queues that a failure is about.
pub(crate) fn contests(failure: &Failure, told: &[Story], palette: Palette) -> String {
    let queues = concerned_queues(failure, told);
    let contests = failure.circumstances.contests.iter().filter(|contest| queues.contains(&contest.queue));
    contests.take(QUEUES_MAX).map(|contest| contest_text(contest, palette)).collect()
}

/// Lists the queues of a failure's subjects, and those that the messages it tells of came to.
fn concerned_queues<'a>(failure: &'a Failure, told: &[Story<'a>]) -> BTreeSet<&'a QueueName> {
    let named = failure.subjects.iter().filter_map(|subject| match subject {
        FailureSubject::Queue(queue) | FailureSubject::Consumer(_, queue) => Some(queue),
        _ => None,
    });
    let met = told.iter().flat_map(|story| Whereabouts::of(story, &[]).met);
    named.chain(met).collect()
}

fn contest_text(contest: &PolicyContest, palette: Palette) -> String {
    let head = palette.dim(&format!("what holds for queue {}:", contest.queue.name));
    let losers = contest.policies.iter().any(|one| one.fate != PolicyFate::InForce);
    let policies = contest.policies.iter().filter(|_| losers).map(standing_in_words);
    let lines = policies.chain(contest.settings.iter().map(setting_in_words));
    format!("  {head}\n{}", lines.map(|line| format!("    {line}\n")).collect::<String>())
}

fn standing_in_words(one: &PolicyStanding) -> String {
    let word = if one.operator { "operator policy" } else { "policy" };
    let sets =
        one.definition.iter().map(|(key, value)| format!("{key} {}", plain(value))).collect::<Vec<_>>().join(", ");
    let (name, priority) = (&one.name, one.priority);
    let lost =
        |why: String| format!("{word} '{name}' (priority {priority}) does not hold, and would set {sets}: {why}");
    match &one.fate {
        PolicyFate::InForce => format!("{word} '{name}' (priority {priority}) holds: {sets}"),
        PolicyFate::Outranked { by } => {
            lost(format!("one {word} holds at a time, and '{by}' has a higher priority [PO-1]"))
        }
        PolicyFate::Tied { by, first: true } => {
            lost(format!("of equal priority with '{by}', and this version takes the first by name [PO-1]"))
        }
        PolicyFate::Tied { by, first: false } => {
            lost(format!("of equal priority with '{by}', where this version promises no order [PO-1]"))
        }
        PolicyFate::Unsupported { keys, kind } => {
            let keys = keys.iter().map(|key| format!("'{key}'")).collect::<Vec<_>>().join(", ");
            lost(format!("a {} queue does not support {keys}, so all of it is ignored there [PO-2]", kind.as_str()))
        }
        PolicyFate::NotMeant { apply_to } => lost(format!("it applies to {} [PO-7]", apply_to.as_str())),
    }
}

fn setting_in_words(one: &SettingContest) -> String {
    let (by, value) = &one.winner;
    let key = &one.key;
    let mut losers = Vec::new();
    for same in one.losers.chunk_by(|(.., one), (.., other)| one == other) {
        let values: Vec<String> =
            same.iter().map(|(other, value, _)| format!("not {} of {}", plain(value), set_by(other, key))).collect();
        let why = match same[0].2 {
            Precedence::Smaller => "the smallest value holds",
            Precedence::Larger => "the largest value holds",
            Precedence::ArgumentFirst => "the argument holds",
            Precedence::PolicyFirst => "the policy holds on this type of queue",
            Precedence::OperatorFirst => "the operator policy holds",
        };
        losers.push(format!("{}: {why}", values.join(", ")));
    }
    format!("{key} is {} by {}, {} [{}]", plain(value), set_by(by, key), losers.join("; "), one.rule())
}

fn set_by(by: &SetBy, key: &str) -> String {
    match by {
        SetBy::Argument => format!("argument x-{key}"),
        SetBy::Policy(name) => format!("policy '{name}'"),
        SetBy::OperatorPolicy(name) => format!("operator policy '{name}'"),
    }
}

/// Writes a value as people do: a text without quotes.
fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn listed(names: &[Name]) -> String {
    names.iter().map(|name| &**name).collect::<Vec<_>>().join(", ")
}
