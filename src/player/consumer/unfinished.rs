//! What an instance has begun and not ended.

use crate::model::Name;
use crate::player::consumer::instance::ConsumerInstance;
use crate::player::consumer::job::Wait;
use crate::player::record::circumstances::UnderWay;
use std::collections::BTreeSet;

/// How many messages in a consumer's hands are named.
const NAMED_MAX: usize = 5;

impl ConsumerInstance {
    /// Lists what it works on, and what it holds without working on it.
    pub fn unfinished(&self) -> Vec<UnderWay> {
        let jobs = self.jobs.iter().map(|job| UnderWay::Work {
            consumer: self.name.clone(),
            on: job.unit(),
            until: match job.wait {
                Wait::Until(moment) => Some(moment),
                _ => None,
            },
        });
        let mut all: Vec<UnderWay> = jobs.collect();
        let at_work = self.jobs.iter().flat_map(|job| &job.held).chain(&self.inbox);
        let at_work: BTreeSet<_> = at_work.map(|held| held.delivery.tag).collect();
        let consumer = &self.name;
        if let Some((messages, more)) = named(self.inbox.iter().map(|held| &held.name)) {
            all.push(UnderWay::Waiting { consumer: consumer.clone(), messages, more });
        }
        let held = self.in_hand.iter().filter(|(tag, _)| !at_work.contains(tag)).map(|(_, one)| &one.name);
        if let Some((messages, more)) = named(held) {
            all.push(UnderWay::Held { consumer: consumer.clone(), messages, more });
        }
        if self.absence.is_some() {
            all.push(UnderWay::Away { consumer: consumer.clone() });
        }
        all
    }
}

/// Returns the first names and how many more there are; `None` when there is none.
fn named<'a>(mut names: impl Iterator<Item = &'a Name>) -> Option<(Vec<Name>, usize)> {
    let first: Vec<Name> = names.by_ref().take(NAMED_MAX).cloned().collect();
    (!first.is_empty()).then(|| (first, names.count()))
}
