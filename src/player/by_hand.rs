//! What a player does with the rows of steps that are done by hand, beside those of its scenario, with which they share
//! consumers, names and timeline. A step that fails ends its row, and not the run.

use crate::model::{Consumer, Moment, Origins, Scenario, Step, Topology};
use crate::player::client::Player;
use crate::player::driver::state::RunStage;
use crate::player::hands::Hand;
use crate::player::record::failure::Failure;
use crate::player::record::memory::Memory;
use std::sync::Arc;

impl Player {
    /// Has steps done from now on, one after another, beside those of the scenario and those of earlier calls.
    pub fn do_by_hand(&mut self, steps: Vec<Step>) {
        let own = &self.scenario;
        let scenario = Scenario { steps, at_end: Vec::new(), finally: Vec::new(), ..Scenario::clone(own) };
        match self.hands.rows.iter_mut().find(|hand| hand.is_through()) {
            Some(free) => {
                free.scenario = Arc::new(scenario);
                free.driver.stage = RunStage::Steps(0);
            }
            None => self.hands.rows.push(Hand::new(scenario, self.context.broker.scale)),
        }
    }

    /// Takes up consumers that were not in the scenario; they start by a step.
    pub fn add_consumers(&mut self, consumers: &[Consumer]) {
        let from = self.scenario.consumers.len();
        Arc::make_mut(&mut self.scenario).consumers.extend_from_slice(consumers);
        self.context.memories.extend(consumers.iter().map(Memory::of));
        let scenario = Arc::clone(&self.scenario);
        self.consumers.extend(&scenario, from, &mut self.context);
        for hand in &mut self.hands.rows {
            Arc::make_mut(&mut hand.scenario).consumers.extend_from_slice(consumers);
        }
    }

    /// Takes up objects that were not in the topology; steps declare them.
    pub fn add_objects(&mut self, objects: &Topology, origins: &Origins) {
        let scenario = Arc::make_mut(&mut self.scenario);
        let own = &mut scenario.topology;
        own.exchanges.extend_from_slice(&objects.exchanges);
        own.queues.extend_from_slice(&objects.queues);
        own.bindings.extend_from_slice(&objects.bindings);
        own.policies.extend_from_slice(&objects.policies);
        for (object, origin) in origins {
            scenario.origins.entry(object.clone()).or_insert_with(|| origin.clone());
        }
    }

    /// Returns whether something that is done by hand can go on at this moment, or waits for an answer.
    pub fn is_at_work_by_hand(&self) -> bool {
        self.hands.rows.iter().any(|hand| !hand.is_through() && hand.driver.wake_at().is_none())
    }

    /// Returns how many rows of steps are under way.
    pub fn rows_by_hand(&self) -> usize {
        self.hands.rows.iter().filter(|hand| !hand.is_through()).count()
    }

    /// Takes what failed of what was done by hand.
    pub fn take_failures_by_hand(&mut self) -> Vec<Failure> {
        std::mem::take(&mut self.hands.failures)
    }

    /// Lets all rows go on; returns whether anything came of it.
    pub(super) fn step_hands(&mut self, moment: Moment) -> bool {
        let mut acted = false;
        for hand in 0..self.hands.rows.len() {
            if !self.hands.rows[hand].is_through() {
                acted |= self.by_hand(hand, |player| player.step_driver(moment));
            }
        }
        acted
    }

    /// Does something with the driver of a row in the place of the scenario's. What fails ends the row.
    pub(super) fn by_hand<T>(&mut self, hand: usize, act: impl FnOnce(&mut Self) -> T) -> T {
        self.swap(hand);
        let known = self.context.failures.len();
        self.driver.failures_before = known;
        let before = self.context.hand.replace(hand);
        let done = act(self);
        self.context.hand = before;
        let failed = self.context.failures.split_off(known);
        if !failed.is_empty() {
            self.driver.enter(RunStage::Steps(self.scenario.steps.len()));
            self.hands.failures.extend(failed);
        }
        self.swap(hand);
        done
    }

    /// Does something with the driver of each row in the place of the scenario's.
    pub(super) fn by_each_hand(&mut self, mut act: impl FnMut(&mut Self)) {
        for hand in 0..self.hands.rows.len() {
            self.by_hand(hand, &mut act);
        }
    }

    fn swap(&mut self, hand: usize) {
        let hand = &mut self.hands.rows[hand];
        std::mem::swap(&mut self.driver, &mut hand.driver);
        std::mem::swap(&mut self.scenario, &mut hand.scenario);
    }
}
