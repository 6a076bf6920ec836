//! The run's own time, which begins once set-up is done and consumers are subscribed.

use crate::model::Moment;

/// The run's own time.
#[derive(Debug, Clone, Default, Hash)]
pub(crate) struct Clock {
    /// The broker's moment at which the run began.
    epoch: Option<Moment>,
    now: Moment,
}

impl Clock {
    /// Begins the run's own time at a moment of the broker.
    pub fn begin(&mut self, moment: Moment) {
        self.epoch = Some(moment);
        self.now = Moment(0);
    }

    /// Goes on to a moment of the broker; before the beginning all time is the first moment.
    pub fn set(&mut self, moment: Moment) {
        self.now = Moment(moment.0.saturating_sub(self.epoch.unwrap_or(moment).0));
    }

    pub fn now(&self) -> Moment {
        self.now
    }

    pub fn has_begun(&self) -> bool {
        self.epoch.is_some()
    }

    /// Returns the broker's moment of a moment of the run, once it has begun.
    pub fn of_broker(&self, own: Moment) -> Option<Moment> {
        Some(Moment(self.epoch?.0 + own.0))
    }
}
