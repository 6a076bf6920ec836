//! Which messages a failure is about, as whole families: every copy of a message, the lost ones first.
//! Takes a failure and the stories up to it, returns the stories to tell. Never reads a sentence.

use crate::broker::What;
use crate::model::{Name, PublishOutcome, QueueName, of_same_id};
use crate::player::{Difference, Failure, FailureSubject, TimelineEntry, TimelineEvent};
use crate::report::story::Story;
use crate::report::story::whereabouts::Whereabouts;

/// A story with where its message is, and how early it is told.
struct Candidate<'a> {
    story: Story<'a>,
    at: Whereabouts<'a>,
    rank: u8,
}

/// Lists the stories of the messages that a failure is about; families stay together.
pub(crate) fn concerned<'a>(
    failure: &Failure,
    stories: Vec<Story<'a>>,
    entries: impl Iterator<Item = &'a TimelineEntry>,
) -> Vec<Story<'a>> {
    let gone = queues_gone(entries);
    let mut all: Vec<Candidate> = stories
        .into_iter()
        .map(|story| Candidate { at: Whereabouts::of(&story, &gone), story, rank: NOT_MEANT })
        .collect();
    if !rank_by_name(failure, &mut all) {
        rank_by_subject(failure, &mut all);
    }
    families(all)
}

/// What is not told.
const NOT_MEANT: u8 = u8::MAX;

fn queues_gone<'a>(entries: impl Iterator<Item = &'a TimelineEntry>) -> Vec<(u64, &'a QueueName)> {
    let gone = entries.filter_map(|entry| match &entry.what {
        TimelineEvent::Told { insight, .. } if matches!(insight.what, What::QueueGone { .. }) => {
            Some((entry.sequence, insight.queue.as_ref()?))
        }
        _ => None,
    });
    gone.collect()
}

/// Ranks the messages that findings or subjects name: missing ones, then those that should not be there.
fn rank_by_name(failure: &Failure, all: &mut [Candidate]) -> bool {
    let (mut missing, mut surplus): (Vec<&Name>, Vec<&Name>) = (Vec::new(), Vec::new());
    for finding in &failure.findings {
        if let Difference::Messages { missing: one, surplus: other } = &finding.difference {
            missing.extend(one);
            surplus.extend(other);
        }
    }
    missing.extend(failure.subjects.iter().filter_map(|subject| match subject {
        FailureSubject::Message(name) => Some(name),
        _ => None,
    }));
    let is_one_of = |names: &[&Name], story: &Story| {
        names.iter().any(|name| match name.strip_suffix('*') {
            Some(beginning) => story.name.starts_with(beginning),
            None => family_of(name) == family_of(story.name),
        })
    };
    for one in &mut *all {
        one.rank = match () {
            () if is_one_of(&missing, &one.story) => 0,
            () if is_one_of(&surplus, &one.story) => 1,
            () => NOT_MEANT,
        };
    }
    all.iter().any(|one| one.rank != NOT_MEANT)
}

/// Ranks by what the failure is about: too few look for what is lost or elsewhere, too many for what is there.
fn rank_by_subject(failure: &Failure, all: &mut [Candidate]) {
    let is = |difference: &Difference| failure.findings.iter().any(|finding| finding.difference == *difference);
    let (fewer, more) = (is(&Difference::Fewer), is(&Difference::More));
    for subject in &failure.subjects {
        for one in &mut *all {
            one.rank = one.rank.min(rank(subject, (fewer, more), &one.at));
        }
    }
    // Without a direction, or where nothing is missing after all: what met it.
    if all.iter().all(|one| one.rank == NOT_MEANT) {
        for one in &mut *all {
            let met = failure.subjects.iter().any(|subject| has_met(subject, &one.at));
            one.rank = if met { 0 } else { NOT_MEANT };
        }
    }
    // Of those that fit only the likeliest: the rest is as it should be.
    let best = all.iter().map(|one| one.rank).min().unwrap_or(NOT_MEANT);
    all.iter_mut().filter(|one| one.rank > best).for_each(|one| one.rank = NOT_MEANT);
}

fn rank(subject: &FailureSubject, (fewer, more): (bool, bool), at: &Whereabouts) -> u8 {
    match subject {
        FailureSubject::Queue(queue) if fewer && !at.is_in(queue) => match (at.lost, at.met.contains(queue)) {
            (true, true) => 0,
            (true, false) => 1,
            (false, _) if !at.places.is_empty() => 2,
            (false, true) => 3,
            (false, false) => 4,
        },
        FailureSubject::Queue(queue) if more && at.is_in(queue) => u8::from(!at.over_limit),
        FailureSubject::Consumer(consumer, queue) if fewer => {
            let got = at.got_by.iter().any(|name| is_of(name, consumer));
            match (at.lost, at.is_in(queue), got) {
                (true, ..) => 0,
                (false, true, _) => 1,
                (false, false, false) => 2,
                (false, false, true) => NOT_MEANT,
            }
        }
        FailureSubject::Consumer(consumer, _) if more => match at.got_by.iter().any(|name| is_of(name, consumer)) {
            true => 0,
            false => NOT_MEANT,
        },
        FailureSubject::Publishes(outcome) => rank_of_outcome(*outcome, fewer, at),
        FailureSubject::Unroutable if at.unroutable != fewer => 0,
        FailureSubject::Dropped if at.lost != fewer => 0,
        _ => NOT_MEANT,
    }
}

fn rank_of_outcome(outcome: PublishOutcome, fewer: bool, at: &Whereabouts) -> u8 {
    if (at.outcome == Some(outcome)) != fewer { 0 } else { NOT_MEANT }
}

fn has_met(subject: &FailureSubject, at: &Whereabouts) -> bool {
    match subject {
        FailureSubject::Queue(queue) | FailureSubject::Consumer(_, queue) => at.met.contains(queue),
        _ => false,
    }
}

/// Returns whether a name is the consumer's, or that of an instance of it.
fn is_of(name: &str, consumer: &str) -> bool {
    name == consumer || name.rsplit_once('.').is_some_and(|(first, n)| first == consumer && n.parse::<u16>().is_ok())
}

/// Returns the name that a message shares with its copies: `job` of `job#2`.
fn family_of(name: &str) -> &str {
    of_same_id(name).map_or(name, |(first, _)| first)
}

/// Orders the stories that are meant with all copies of their messages: by rank, the lost ones of a family first.
fn families(all: Vec<Candidate<'_>>) -> Vec<Story<'_>> {
    let mut groups: Vec<(u8, Vec<Candidate>)> = Vec::new();
    for one in all {
        match groups.iter_mut().find(|(_, group)| family_of(group[0].story.name) == family_of(one.story.name)) {
            Some((rank, group)) => {
                *rank = one.rank.min(*rank);
                group.push(one);
            }
            None => groups.push((one.rank, vec![one])),
        }
    }
    groups.retain(|(rank, _)| *rank != NOT_MEANT);
    groups.sort_by_key(|(rank, _)| *rank);
    for (_, group) in &mut groups {
        group.sort_by_key(|one| !one.at.lost);
    }
    groups.into_iter().flat_map(|(_, group)| group).map(|one| one.story).collect()
}
