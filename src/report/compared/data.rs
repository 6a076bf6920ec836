//! A comparison as data: steps from one broker to the next, each with its cells and what differs in them.

use crate::model::Profile;
use crate::rules::ChangedRule;
use crate::source::Level;
use std::collections::BTreeMap;

/// The way from one broker to the next of those that were named.
#[derive(Debug)]
pub struct ComparedStep {
    /// The one that was named first.
    pub from: ComparedBroker,
    /// The next one.
    pub to: ComparedBroker,
    /// In the order of the files.
    pub cells: Vec<ComparedCell>,
    /// What `check` says of the files for one of the two versions only.
    pub findings: Vec<VersionFinding>,
}

/// A broker that is compared.
#[derive(Debug, Clone)]
pub struct ComparedBroker {
    /// `sim 4.3`, `RabbitMQ 4.3.6`.
    pub name: String,
    /// The version whose rules hold there.
    pub profile: Profile,
}

/// A cell on both brokers.
#[derive(Debug)]
pub struct ComparedCell {
    /// As reports name it.
    pub name: String,
    /// The scenario's file, or the topology that it was made of.
    pub file: String,
    /// The sentence of the scenario.
    pub title: String,
    /// Whether the scenario was made of a topology, and lies in no file.
    pub is_made: bool,
    /// What chose it in a matrix.
    pub axes: BTreeMap<String, String>,
    /// How the two ends compare.
    pub sameness: Sameness,
}

/// What was compared of a topology alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedTopology {
    /// Its file.
    pub file: String,
    /// How many scenarios were made of it.
    pub scenarios: usize,
    /// For how many of its ways, limits, rights, retries and bindings there is none.
    pub without: usize,
    /// What they leave out, since a broker refuses it or the simulator does not play it: object, and who.
    pub left_out: Vec<(String, String)>,
}

/// How the two ends of a cell compare.
#[derive(Debug)]
pub enum Sameness {
    /// Both ended alike, and nothing failed.
    Same,
    /// The same failed on both, with the same found.
    FailedAlike,
    /// By these causes, at least one.
    Differs(Vec<CellCause>),
    /// The brokers of these names end it otherwise when it is played again, so that nothing can be said.
    Unsteady(Vec<String>),
    /// It was not played on both: why.
    NotCompared(String),
}

/// One cause of a difference in a cell.
#[derive(Debug)]
pub struct CellCause {
    /// The rule that makes it; `None` where no rule that the simulator knows does.
    pub rule: Option<ChangedRule>,
    /// The queues that it concerns.
    pub queues: Vec<String>,
    /// The messages that it concerns.
    pub messages: Vec<String>,
    /// What each broker does.
    pub lines: Vec<ComparedLine>,
}

/// What both brokers do with one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedLine {
    /// A message, what is refused, or a line of the file.
    pub subject: String,
    /// What each does.
    pub sides: [String; 2],
}

/// What `check` says for one of two versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionFinding {
    /// Whether it is said for the broker that was named first.
    pub on_first: bool,
    /// Whether RabbitMQ refuses this, or somebody will regret it.
    pub level: Level,
    /// The finding's code.
    pub code: &'static str,
    /// The rule behind it.
    pub rule: Option<&'static str>,
    /// One sentence without a full stop.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
    /// Where: file and line.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
}

/// What one cause does in a step.
#[derive(Debug)]
pub(crate) struct CauseGroup<'s> {
    pub rule: Option<ChangedRule>,
    pub cells: Vec<(&'s ComparedCell, &'s CellCause)>,
}

impl ComparedStep {
    /// Groups what differs by its cause: the one of most cells first, what no rule explains last.
    pub(crate) fn groups(&self) -> Vec<CauseGroup<'_>> {
        let mut groups: Vec<CauseGroup<'_>> = Vec::new();
        for cell in &self.cells {
            let Sameness::Differs(causes) = &cell.sameness else { continue };
            for cause in causes {
                match groups.iter_mut().find(|group| group.rule == cause.rule) {
                    Some(group) => group.cells.push((cell, cause)),
                    None => groups.push(CauseGroup { rule: cause.rule, cells: vec![(cell, cause)] }),
                }
            }
        }
        groups.sort_by_key(|group| (group.rule.is_none(), std::cmp::Reverse(group.cells.len()), group.rule));
        groups
    }

    /// Counts the cells of a kind.
    pub(crate) fn count(&self, is: impl Fn(&Sameness) -> bool) -> usize {
        self.cells.iter().filter(|cell| is(&cell.sameness)).count()
    }

    /// Returns whether the two brokers differ.
    pub fn differs(&self) -> bool {
        !self.findings.is_empty() || self.count(|sameness| matches!(sameness, Sameness::Differs(_))) > 0
    }

    /// Returns whether no cell was played on both.
    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| matches!(cell.sameness, Sameness::NotCompared(_)))
    }
}
