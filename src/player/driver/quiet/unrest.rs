//! Work that goes on after quiet, watched as long as a live broker would wait for its rest.

use crate::broker::Event;
use crate::model::{Millis, Moment};
use crate::player::driver::decision_points::SHIFT;

/// How long a live broker bears unrest before it says "never quiet".
const UNREST_MAX: Millis = Millis(2_000);

/// Watches work go on after quiet, as long as a live broker would wait for its rest.
#[derive(Debug, Clone)]
pub(crate) struct Unrest {
    /// When the wait began, or an end came nearer: what is emptied comes to an end.
    since: Moment,
    /// The last that happened.
    stirred: Moment,
    /// Something was published meanwhile: a new message need not be one message less.
    published: bool,
}

impl Unrest {
    pub fn new(now: Moment) -> Self {
        Self { since: now, stirred: now, published: false }
    }

    pub fn note(&mut self, now: Moment, event: &Event) {
        match event {
            Event::Told(_) => return,
            Event::Delivered { delivery, .. } if delivery.is_fresh() && !self.published => self.since = now,
            Event::Confirmed { .. } => self.published = true,
            _ => {}
        }
        self.stirred = now;
    }

    pub fn acted(&mut self, now: Moment) {
        self.stirred = now;
    }

    /// Says until when rest must be waited for; `None`: it is there.
    pub fn until(&self, now: Moment) -> Option<Moment> {
        Some(self.stirred + SHIFT).filter(|until| *until > now)
    }

    pub fn is_too_long(&self, now: Moment) -> bool {
        now >= self.since + UNREST_MAX
    }
}
