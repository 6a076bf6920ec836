//! What stands around a failure: the policies in force by then and those that lost, and what a run leaves unfinished.
//! Reads the player's state and changes none of it.

use crate::model::{Act, Name, Policy, Profile};
use crate::player::consumer::actor::Actor;
use crate::player::consumer::job::Wait;
use crate::player::context::Player;
use crate::player::driver::state::{DriverState, RunStage};
use crate::player::record::circumstances::{Awaited, UnderWay};
use crate::player::record::failure::FailureSubject;
use crate::rules::{PolicyContest, differences};
use std::collections::BTreeSet;

/// How many messages in a consumer's hands are named.
const NAMED_MAX: usize = 5;

/// How many publishes without an outcome are named.
const PUBLISHES_MAX: usize = 10;

/// How many messages at work a failure is about.
const SUBJECTS_MAX: usize = 3;

impl Player {
    /// Lists the declared queues on which a policy or an argument lost by now.
    pub(crate) fn policy_contests(&self) -> Vec<PolicyContest> {
        let rules = differences(Profile::nearest(self.ground.version));
        let policies = self.policies_by_now();
        let operator = &self.scenario.topology.operator_policies;
        let queues = self.scenario.declared_queues().into_iter();
        let contests = queues.map(|queue| PolicyContest::on_queue(queue, policies.iter().copied(), operator, rules));
        contests.filter(PolicyContest::has_losers).collect()
    }

    /// Lists the user policies that the topology declared, and the steps so far set.
    fn policies_by_now(&self) -> Vec<&Policy> {
        let done = match self.driver.stage {
            RunStage::Linking(_) | RunStage::Opening(_) => 0,
            RunStage::Steps(at) => at,
            _ => self.scenario.steps.len(),
        };
        let mut policies: Vec<&Policy> = self.scenario.topology.policies.iter().collect();
        for step in self.scenario.steps.iter().take(done).filter(|step| step.refused.is_none()) {
            match &step.act {
                Act::SetPolicy(policy) => {
                    policies.retain(|known| (&known.vhost, &known.name) != (&policy.vhost, &policy.name));
                    policies.push(policy);
                }
                Act::ClearPolicy { vhost, name } => {
                    policies.retain(|known| (&known.vhost, &known.name) != (vhost, name));
                }
                _ => {}
            }
        }
        policies
    }

    /// Adds to the last failure what had not come to its end, and makes it the failure's subject.
    pub(crate) fn note_under_way(&mut self) {
        let under_way = self.under_way();
        let at_work = self.actors.iter().flat_map(|actor| &actor.jobs).flat_map(|job| &job.held);
        let mut subjects: Vec<FailureSubject> =
            at_work.map(|held| FailureSubject::Message(held.name.clone())).take(SUBJECTS_MAX).collect();
        if subjects.is_empty()
            && let Some(expectation) = self.current_expectation()
        {
            subjects.extend(self.subject_of(&expectation.subject));
        }
        if let Some(failure) = self.failures.last_mut() {
            failure.circumstances.under_way = under_way;
            failure.subjects.extend(subjects);
        }
    }

    fn under_way(&self) -> Vec<UnderWay> {
        let mut all = Vec::new();
        all.extend(self.awaited().map(|awaits| UnderWay::Step { span: self.driver.span(&self.scenario), awaits }));
        for actor in &self.actors {
            all.extend(unfinished(actor));
        }
        let publishes = self.in_flight.values().take(PUBLISHES_MAX);
        all.extend(publishes.map(|one| UnderWay::Publish { by: one.by.clone(), message: one.name.clone() }));
        all
    }

    /// Returns what the driver waits for.
    fn awaited(&self) -> Option<Awaited> {
        Some(match &self.driver.doing {
            DriverState::Nothing => return None,
            DriverState::CommandSequence(..) | DriverState::ClosingConnections(_) | DriverState::Reading(_) => {
                Awaited::Answer
            }
            DriverState::Publishing(_) => Awaited::Confirms,
            DriverState::PendingCall(_) => Awaited::Reply,
            DriverState::Leaving => Awaited::Consumers,
            DriverState::Quieting | DriverState::EndingInstant(_) | DriverState::Refreshing(_) => Awaited::Quiet,
            DriverState::Lingering { .. } => Awaited::Quiet,
            DriverState::Watching { until } => {
                let missing = self.current_expectation().map_or(Vec::new(), |one| self.findings(&one.subject));
                Awaited::Expectation { until: *until, missing }
            }
            DriverState::Sleeping { until } | DriverState::Pausing { until } => Awaited::Time { until: *until },
        })
    }
}

/// Lists what a consumer works on, and what it holds without working on it.
fn unfinished(actor: &Actor) -> Vec<UnderWay> {
    let jobs = actor.jobs.iter().map(|job| UnderWay::Work {
        consumer: actor.name.clone(),
        on: job.unit(),
        until: match job.wait {
            Wait::Until(moment) => Some(moment),
            _ => None,
        },
    });
    let mut all: Vec<UnderWay> = jobs.collect();
    let at_work = actor.jobs.iter().flat_map(|job| &job.held).chain(&actor.inbox);
    let at_work: BTreeSet<_> = at_work.map(|held| held.delivery.tag).collect();
    let consumer = &actor.name;
    if let Some((messages, more)) = named(actor.inbox.iter().map(|held| &held.name)) {
        all.push(UnderWay::Waiting { consumer: consumer.clone(), messages, more });
    }
    let held = actor.in_hand.iter().filter(|(tag, _)| !at_work.contains(tag)).map(|(_, one)| &one.name);
    if let Some((messages, more)) = named(held) {
        all.push(UnderWay::Held { consumer: consumer.clone(), messages, more });
    }
    if actor.comeback.is_some() {
        all.push(UnderWay::Away { consumer: actor.name.clone() });
    }
    all
}

/// Returns the first names and how many more there are; `None` when there is none.
fn named<'a>(mut names: impl Iterator<Item = &'a Name>) -> Option<(Vec<Name>, usize)> {
    let first: Vec<Name> = names.by_ref().take(NAMED_MAX).cloned().collect();
    (!first.is_empty()).then(|| (first, names.count()))
}
