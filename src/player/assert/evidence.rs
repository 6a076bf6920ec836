//! What judging may look at, and how single counts and lists are compared and written.

use crate::model::{Count, Millis, Name, QueueName};
use crate::player::driver::reading::contents::{Contents, READ_MAX};
use crate::player::record::failure::Difference;
use crate::player::record::failure::Finding;
use crate::player::record::ledger::Ledger;
use crate::player::record::run_counts::RunCounts;

/// All that judging may look at.
pub(crate) struct Evidence<'a> {
    pub ledger: &'a Ledger,
    /// Contents of queues that were read, by name.
    pub contents: &'a Contents,
    /// Whose the open connections are, each with all names that fit; none where they are not asked for.
    pub connections: Vec<Vec<Name>>,
    /// What the run came to as numbers; absent where no expectation asks.
    pub counts: Option<&'a RunCounts>,
    pub live: bool,
    /// How far a measured time may always be off.
    pub tolerance_floor: Millis,
}

impl Evidence<'_> {
    /// Returns how much of a queue was read, where that is not all.
    pub fn part_read(&self, queue: &QueueName) -> Option<String> {
        let read = self.contents.of(queue)?.len() as u64;
        let ready = self.ledger.queues.get(queue).map_or(0, |tally| tally.ready());
        (read >= READ_MAX && ready > read).then(|| format!("only the first {read} are read, of {ready}"))
    }
}

pub(crate) fn count(field: &str, wanted: Option<Count>, found: u64, findings: &mut Vec<Finding>) {
    if let Some(wanted) = wanted.filter(|wanted| !wanted.holds(found)) {
        let difference = if found < wanted.min { Difference::Fewer } else { Difference::More };
        findings.push(Finding::new(field, wanted, found).by(difference));
    }
}

/// Writes a list as files do, `[5s, 5s]`.
pub(crate) fn list_in_words<T: ToString>(entries: &[T]) -> String {
    format!("[{}]", entries.iter().map(T::to_string).collect::<Vec<_>>().join(", "))
}
