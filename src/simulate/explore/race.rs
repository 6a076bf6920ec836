//! What a run knows of things that could be late: which they are, what comes of them, and what has met them.

use crate::sim::Touched;
use crate::simulate::explore::choice::Deviation;
use crate::simulate::explore::lane::Lane;

/// Something that was not late and could have been.
#[derive(Debug, Clone, Copy)]
pub(super) struct Race {
    /// Where, and which alternative lets it be late.
    pub place: Deviation,
    /// `None`: dead letters.
    pub lane: Option<Lane>,
    pub touched: Touched,
    /// The step of the driver that does not end before it has come; what the driver does later comes of it.
    pub step: Option<u64>,
    /// The consumers whose next work comes of it, a bit each.
    pub caused: u64,
    /// What is heard now comes of it.
    pub is_cause: bool,
}

/// What a run knows of that.
#[derive(Debug, Clone, Default)]
pub(super) struct Races {
    /// Of this moment; nothing has met them so far.
    pub pending: Vec<Race>,
    /// The alternatives behind its last deviation that lead to schedules of their own.
    pub followers: Vec<Deviation>,
    /// The same, before that deviation: the run that it left did not come to them.
    pub earlier: Vec<Deviation>,
    /// Dead letters that wait come of more than the last command.
    pub letters_mixed: bool,
    /// Some that were watched were let go, as they were too many.
    pub crowded: bool,
}

/// How many things of one moment are watched: what was behind so many others is late no more.
const WATCHED_MAX: usize = 200;

impl Races {
    /// Returns whether nothing that could be late is watched now.
    pub fn is_at_rest(&self) -> bool {
        self.pending.is_empty() && !self.crowded
    }

    /// Watches what may meet something from now on.
    pub fn watch(&mut self, race: Race) {
        if self.pending.len() >= WATCHED_MAX {
            self.pending.remove(0);
            self.crowded = true;
        }
        self.pending.push(race);
    }

    /// What is heard next comes of nothing that is known.
    pub fn forget_causes(&mut self) {
        self.pending.iter_mut().for_each(|race| race.is_cause = false);
    }

    /// Forgets those that are known to lead somewhere.
    pub fn forget(&mut self, known: &[Deviation]) {
        self.pending.retain(|race| known.binary_search(&race.place).is_err());
    }
}
