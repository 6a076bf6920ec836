//! What exploring a cell came to, as text and JSON: how many schedules failed, what varied, what was chosen otherwise, and
//! where the two shortest timelines that differ part.

mod json;
mod text;

pub use json::{explored_json, schedule_json};
pub use text::{explored_text, schedule_text};

use crate::player::{RunResult, TimelineEntry};
use crate::report::CellReport;
use crate::report::cell::{entry_line, is_telling};
use crate::simulate::{Exploration, Fact, Schedule, Total, Uncounted};
use crate::source::Sources;

/// A cell under its schedules.
#[derive(Debug)]
pub struct ExploredCell {
    /// The cell; its run is that of the first schedule that failed, if one did.
    pub report: CellReport,
    /// What came of all schedules.
    pub exploration: Exploration,
    /// The runs of the two shortest timelines that differ.
    pub pair: Option<(RunResult, RunResult)>,
    /// By which draws were made.
    pub seed: u64,
    /// The command that plays the cell as a plain run.
    pub plain: String,
}

impl ExploredCell {
    /// Returns the command that plays one schedule again.
    pub fn again(&self, schedule: &Schedule) -> String {
        format!("{} --seed {} --schedule {}", self.plain, self.seed, schedule.number)
    }
}

/// Names a fact.
fn fact_in_words(fact: &Fact, sources: &Sources) -> String {
    match fact {
        Fact::Expectation(place) => {
            let at = sources.position(place.0);
            format!("{}:{}", sources.get(place.0.file).name, at.line)
        }
        Fact::Publishes(by) => format!("publishes of {by}"),
        Fact::Queue(queue) => format!("queue {queue}"),
        Fact::Consumer(consumer) => format!("consumer {consumer}"),
        Fact::Refusals => "refusals".to_owned(),
        Fact::Replies => "replies".to_owned(),
    }
}

/// Returns the lines of a timeline, in order.
fn lines_of(played: &RunResult, sources: &Sources) -> Vec<String> {
    let entries: Vec<&TimelineEntry> = played.timeline.entries().filter(|entry| is_telling(entry)).collect();
    entries.into_iter().map(|entry| entry_line(entry, sources)).collect()
}

/// Returns how many lines two timelines share at their beginning.
fn shared_beginning(one: &[String], other: &[String]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// Returns how many lines two timelines share at their end.
fn shared_end(one: &[String], other: &[String]) -> usize {
    one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count()
}

/// Returns why it is not known how many schedules there are.
fn why_not_counted(total: Total) -> Option<String> {
    match total {
        Total::Exactly(_) => None,
        Total::AtLeast(_, Uncounted::Left(left)) => {
            Some(format!("{left} were left when it was given up, and each may lead to others"))
        }
        Total::AtLeast(_, Uncounted::Drawn(level)) => {
            Some(format!("more than {level} have the same number of choices, so they are drawn and not listed"))
        }
    }
}
