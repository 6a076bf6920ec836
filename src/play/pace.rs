//! How fast a run goes on: not at all, so many times as fast as real time, or as fast as it can; and until when.

use crate::model::{Millis, Moment};

/// The most that time can be scaled by.
const SPEED_MAX: f64 = 1_000_000.0;

/// How fast a run goes on while it runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum PlaySpeed {
    /// A real millisecond is so many of the run.
    Times(f64),
    /// From one thing that happens to the next, without a wait.
    Fastest,
}

impl PlaySpeed {
    /// Makes a speed of a number; `None` where it is none.
    pub(crate) fn times(number: f64) -> Option<Self> {
        (number.is_finite() && number > 0.0 && number <= SPEED_MAX).then_some(Self::Times(number))
    }
}

/// The clock of a run that somebody holds.
#[derive(Debug, Clone)]
pub(crate) struct PlayClock {
    pub speed: PlaySpeed,
    /// Since which real millisecond it runs, and from which moment; none: it is held.
    since: Option<(u64, Moment)>,
    /// The moment at which it is held again.
    pub until: Option<Moment>,
    /// Until then it goes as fast as it can.
    hurries: bool,
}

impl PlayClock {
    /// Makes one that is held.
    pub(crate) fn held() -> Self {
        Self { speed: PlaySpeed::Times(1.0), since: None, until: None, hurries: false }
    }

    pub(crate) fn is_held(&self) -> bool {
        self.since.is_none()
    }

    /// Lets it run from a moment on.
    pub(crate) fn run(&mut self, now_ms: u64, from: Moment) {
        self.since = Some((now_ms, from));
    }

    /// Lets it run as fast as it can, up to a moment or to the end.
    pub(crate) fn hurry(&mut self, now_ms: u64, from: Moment, until: Option<Moment>) {
        (self.until, self.hurries) = (until, true);
        self.run(now_ms, from);
    }

    /// Holds it.
    pub(crate) fn hold(&mut self) {
        (self.since, self.until, self.hurries) = (None, None, false);
    }

    /// Changes its speed; one that runs goes on from where it is.
    pub(crate) fn set_speed(&mut self, speed: PlaySpeed, now_ms: u64, at: Moment) {
        self.speed = speed;
        if !self.is_held() {
            self.run(now_ms, at);
        }
    }

    /// Returns whether it goes as fast as it can.
    pub(crate) fn is_fastest(&self) -> bool {
        self.hurries || self.speed == PlaySpeed::Fastest
    }

    /// Returns up to which moment the run may go on; `None` while it is held.
    pub(crate) fn reach(&self, now_ms: u64) -> Option<Moment> {
        let (since_ms, from) = self.since?;
        let own = match self.speed {
            _ if self.hurries => Moment(u64::MAX),
            PlaySpeed::Fastest => Moment(u64::MAX),
            PlaySpeed::Times(speed) => from + Millis((now_ms.saturating_sub(since_ms) as f64 * speed) as u64),
        };
        Some(self.until.map_or(own, |until| own.min(until)))
    }

    /// Returns in which real millisecond a moment comes; `None` while it is held.
    pub(crate) fn due_ms(&self, moment: Moment) -> Option<u64> {
        let (since_ms, from) = self.since?;
        Some(match self.speed {
            PlaySpeed::Times(speed) if !self.hurries => {
                since_ms + ((moment.0.saturating_sub(from.0)) as f64 / speed).ceil() as u64
            }
            _ => since_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_held_goes_nowhere() {
        let clock = PlayClock::held();
        assert!(clock.is_held() && clock.reach(1_000).is_none() && clock.due_ms(Moment(5)).is_none());
    }

    #[test]
    fn time_goes_as_fast_as_is_said_from_where_it_was_let_go() {
        let mut clock = PlayClock::held();
        clock.speed = PlaySpeed::Times(10.0);
        clock.run(1_000, Moment(500));
        assert_eq!((clock.reach(1_000), clock.reach(1_100)), (Some(Moment(500)), Some(Moment(1_500))));
        assert_eq!(clock.due_ms(Moment(1_501)), Some(1_101));
        clock.set_speed(PlaySpeed::Times(1.0), 1_100, Moment(1_500));
        assert_eq!(clock.reach(1_200), Some(Moment(1_600)));
        clock.hold();
        assert!(clock.is_held());
    }

    #[test]
    fn a_clock_that_hurries_ends_at_its_moment() {
        let mut clock = PlayClock::held();
        clock.hurry(0, Moment(0), Some(Moment(30_000)));
        assert_eq!((clock.reach(1), clock.is_fastest()), (Some(Moment(30_000)), true));
        clock.hold();
        clock.run(5, Moment(30_000));
        assert_eq!((clock.reach(5), clock.is_fastest()), (Some(Moment(30_000)), false));
        clock.set_speed(PlaySpeed::Fastest, 6, Moment(30_000));
        assert_eq!(clock.reach(6), Some(Moment(u64::MAX)));
    }

    #[test]
    fn a_speed_is_a_number_above_zero() {
        assert_eq!(PlaySpeed::times(0.5), Some(PlaySpeed::Times(0.5)));
        assert!([0.0, -1.0, f64::NAN, f64::INFINITY, 1e9].iter().all(|wrong| PlaySpeed::times(*wrong).is_none()));
    }
}
