//! From each broker to the next: which cells end alike, which rules make the others differ, and which ends are chance.

use crate::cli::ExitCode;
use crate::cli::compare::played::{Contestant, Contestants, Played, PlayedThere, played_of, reports_of};
use crate::cli::live_settings;
use crate::cli::run_reporter::RunReporter;
use crate::cli::runtime::Runtime;
use crate::cli::select::ToPlay;
use crate::player::RunResult;
use crate::report;
use crate::report::{CellCause, ComparedCell, ComparedScenario, ComparedStep, Sameness};
use crate::rules::{ChangedRule, Edition, differences_of};
use crate::simulate::rehearse_by;
use std::collections::BTreeSet;

/// Why a cell that cannot be played on one of two brokers is not compared.
fn not_compared(one: &Contestant<'_>, reason: &str) -> Sameness {
    Sameness::NotCompared(format!("not on {}: {reason}", one.broker.name))
}

impl Contestants<'_> {
    /// Compares each broker with the one before it. What differs on a live broker is played there once more first.
    ///
    /// # Errors
    /// A live broker went away, or a signal came.
    pub fn compare(
        &self,
        stage: &RunReporter<'_>,
        cells: &[ToPlay],
        runtime: &mut Option<Runtime>,
    ) -> Result<Vec<ComparedStep>, ExitCode> {
        let unsteady = self.unsteady(stage, cells, runtime)?;
        let mut steps = Vec::new();
        for (number, pair) in self.0.windows(2).enumerate() {
            let [from, to] = pair else { continue };
            let mut step = StepOfTwo { from, to, sources: stage.sources, found: Vec::new() };
            let compared = cells.iter().enumerate().map(|(index, one)| {
                let moving = [number, number + 1].into_iter().filter(|at| unsteady.contains(&(*at, index)));
                let moving: Vec<String> = moving.map(|at| self.0[at].broker.name.clone()).collect();
                ComparedCell {
                    name: one.name(),
                    file: one.file(),
                    title: one.title.clone(),
                    is_made: one.made_of.is_some(),
                    axes: one.cell.axes.clone(),
                    sameness: if moving.is_empty() { step.cell(index, one) } else { Sameness::Unsteady(moving) },
                }
            });
            let cells = compared.collect();
            steps.push(ComparedStep { from: from.broker.clone(), to: to.broker.clone(), cells, findings: Vec::new() });
        }
        Ok(steps)
    }

    /// Finds the cells that end otherwise when a live broker, on which they differ from a neighbour, plays them again: by
    /// broker and cell.
    fn unsteady(
        &self,
        stage: &RunReporter<'_>,
        cells: &[ToPlay],
        runtime: &mut Option<Runtime>,
    ) -> Result<BTreeSet<(usize, usize)>, ExitCode> {
        let mut unsteady = BTreeSet::new();
        for (at, one) in self.0.iter().enumerate() {
            let Some(live) = one.live else { continue };
            let neighbours = [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter_map(|at| self.0.get(at));
            let neighbours: Vec<&Contestant<'_>> = neighbours.collect();
            let again: Vec<usize> = (0..cells.len())
                .filter(|index| neighbours.iter().any(|other| differs(&one.played[*index], &other.played[*index])))
                .collect();
            if again.is_empty() {
                continue;
            }
            let to_play: Vec<ToPlay> = again.iter().map(|index| cells[*index].clone()).collect();
            let reports = reports_of(stage, live, &to_play, runtime)?;
            for (index, report) in again.into_iter().zip(reports) {
                if differs(&one.played[index], &played_of(report, &to_play)) {
                    unsteady.insert((at, index));
                }
            }
        }
        Ok(unsteady)
    }
}

fn differs(one: &Played, other: &Played) -> bool {
    matches!((one, other), (Ok(one), Ok(other)) if one.ending != other.ending)
}

/// Two brokers that are compared, with the rules that made them differ so far.
struct StepOfTwo<'s> {
    from: &'s Contestant<'s>,
    to: &'s Contestant<'s>,
    sources: &'s crate::source::Sources,
    found: Vec<ChangedRule>,
}

impl StepOfTwo<'_> {
    fn cell(&mut self, index: usize, one: &ToPlay) -> Sameness {
        match (&self.from.played[index], &self.to.played[index]) {
            (Err(reason), _) => not_compared(self.from, reason),
            (_, Err(reason)) => not_compared(self.to, reason),
            (Ok(from), Ok(to)) if from.ending != to.ending => Sameness::Differs(self.causes([from, to], one)),
            (Ok(from), Ok(_)) if from.ending.failures.is_empty() => Sameness::Same,
            _ => Sameness::FailedAlike,
        }
    }

    /// Finds the rules behind a difference. Where a live broker is one of the two, the simulated brokers of both versions
    /// tell the rules; what they do not show is told without one.
    fn causes(&mut self, ends: [&PlayedThere; 2], one: &ToPlay) -> Vec<CellCause> {
        let scenario = &one.cell.scenario;
        let rules = [(self.from, ends[0]), (self.to, ends[1])].map(|(broker, end)| rules_there(broker, end, one));
        let mut causes = Vec::new();
        if let [Some((first, _)), Some((second, _))] = rules {
            let of = ComparedScenario { scenario, is_made: one.made_of.is_some(), sources: self.sources };
            causes.extend(report::causes_between(&one.cell, [first, second], &mut self.found, of));
        }
        let is_whole = rules.iter().all(|one| matches!(one, Some((_, true))));
        if causes.is_empty() || !is_whole {
            causes.extend(self.without_rule(ends, one));
        }
        causes
    }

    /// Tells the difference as it is.
    fn without_rule(&self, ends: [&PlayedThere; 2], one: &ToPlay) -> Option<CellCause> {
        let play = |broker: &Contestant<'_>| broker.editions.first().map(|edition| simulate(one, *edition));
        let simulated: [Option<RunResult>; 2] =
            [(self.from, ends[0]), (self.to, ends[1])].map(|(broker, end)| match end.run {
                Some(_) => None,
                None => play(broker),
            });
        let run = |at: usize| ends[at].run.as_ref().or(simulated[at].as_ref());
        Some(report::unexplained([run(0)?, run(1)?], self.of(one)))
    }

    fn of<'c>(&'c self, one: &'c ToPlay) -> ComparedScenario<'c> {
        ComparedScenario { scenario: &one.cell.scenario, is_made: one.made_of.is_some(), sources: self.sources }
    }
}

/// Finds the rules by which the simulated broker ends a cell as this one did, and whether it does: where none fits, those
/// of its version. `None` where the simulated broker does not play the cell.
fn rules_there(broker: &Contestant<'_>, end: &PlayedThere, one: &ToPlay) -> Option<(Edition, bool)> {
    if live_settings::why_not_on_sim(&one.cell, broker.broker.profile).is_some() {
        return None;
    }
    if end.run.is_none() {
        return broker.editions.first().map(|edition| (*edition, true));
    }
    let fits = |edition: &&Edition| report::ending(&simulate(one, **edition), &one.cell.scenario) == end.ending;
    let fitting = broker.editions.iter().find(fits).map(|edition| (*edition, true));
    fitting.or_else(|| broker.editions.first().map(|edition| (*edition, false)))
}

fn simulate(one: &ToPlay, edition: Edition) -> RunResult {
    rehearse_by(differences_of(edition), &one.cell, edition, false)
}
