//! The rows of steps that somebody has a run do by hand: each has a driver of its own, so that none waits for another.

use crate::broker::{ChannelId, Delivery, Event};
use crate::model::{Moment, Name, Scale, Scenario};
use crate::player::context::Context;
use crate::player::driver::state::{Driver, DriverState, RunStage};
use crate::player::record::failure::Failure;
use std::sync::Arc;

/// One row of steps, with who does them.
#[derive(Debug, Clone)]
pub(super) struct Hand {
    pub driver: Driver,
    /// The run's own, with these steps in place of its own.
    pub scenario: Arc<Scenario>,
}

/// All rows of steps that are done by hand.
#[derive(Debug, Clone, Default)]
pub(super) struct Hands {
    pub rows: Vec<Hand>,
    pub failures: Vec<Failure>,
}

impl Hand {
    pub(super) fn new(scenario: Scenario, scale: Scale) -> Self {
        let mut driver = Driver::new(&scenario, scale);
        driver.is_kept_open = true;
        driver.stage = RunStage::Steps(0);
        Self { driver, scenario: Arc::new(scenario) }
    }

    /// Returns whether all its steps are done.
    pub(super) fn is_through(&self) -> bool {
        matches!(self.driver.doing, DriverState::Nothing) && self.driver.is_through(&self.scenario)
    }
}

impl Hands {
    pub(super) fn note_event(&mut self, now: Moment, event: &Event) {
        self.rows.iter_mut().for_each(|hand| hand.driver.note_event(now, event));
    }

    pub(super) fn note_consumers(&mut self, now: Moment) {
        self.rows.iter_mut().for_each(|hand| hand.driver.note_consumers(now));
    }

    pub(super) fn note_delivery(&mut self, message: &Name) {
        self.rows.iter_mut().for_each(|hand| hand.driver.note_delivery(message));
    }

    pub(super) fn take_reply(&mut self, channel: ChannelId, delivery: &Delivery) -> bool {
        self.rows.iter_mut().any(|hand| hand.driver.take_reply(channel, delivery))
    }

    pub(super) fn take_read(&mut self, channel: ChannelId, delivery: &Delivery, context: &mut Context) -> bool {
        self.rows.iter_mut().any(|hand| hand.driver.take_read(channel, delivery, context))
    }

    pub(super) fn wake_at(&self) -> Option<Moment> {
        self.rows.iter().filter_map(|hand| hand.driver.wake_at()).min()
    }

    pub(super) fn are_restarting(&self) -> bool {
        self.rows.iter().any(|hand| hand.driver.restarting)
    }

    pub(super) fn rest(&mut self) {
        self.rows.iter_mut().for_each(|hand| hand.driver.news = false);
    }
}
