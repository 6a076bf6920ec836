//! `run`: plays all cells of a scenario on each profile, and tells it as the page of a run shows it.

use crate::broker::Exercised;
use crate::language::{LoadedScenario, World, load_scenario};
use crate::model::Cell;
use crate::player::{Verdict, why_not_on_sim};
use crate::playground::checking::placed;
use crate::playground::project::Request;
use crate::report::{CellReport, RunPage, body, cell_name, cell_stem, page_data};
use crate::rules::Edition;
use crate::simulate::rehearse_covering;
use crate::source::{Level, Problem, Sources};
use serde_json::{Value as Json, json};
use std::time::Duration;

/// The cells of the scenario that is played.
pub(super) struct Loaded {
    pub cells: Vec<Cell>,
    pub sources: Sources,
    /// All that was found; nothing is played where one of them stops the work.
    pub problems: Vec<Problem>,
}

impl Loaded {
    pub fn read(request: &Request) -> Result<Self, String> {
        let text = request.text(&request.play)?;
        let mut sources = Sources::default();
        let world: &dyn World = request;
        let (loaded, problems) =
            load_scenario(&mut sources, &request.play, text.as_bytes(), world, &request.settings());
        let stops = problems.iter().any(|problem| problem.level == Level::Problem);
        let cells = loaded.filter(|_| !stops).map_or(Vec::new(), |LoadedScenario { cells, .. }| cells);
        Ok(Self { cells, sources, problems })
    }

    /// Writes what was found.
    pub fn problems_json(&self) -> Json {
        placed(self.problems.clone(), &self.sources)
    }

    /// Plays each cell on each broker, and writes the data of the page, `null` where nothing can be played, and the outcomes.
    pub fn played_json(&self, editions: &[Edition]) -> Result<[String; 2], String> {
        if self.cells.is_empty() {
            return Ok(["null".to_owned(), "[]".to_owned()]);
        }
        let cells = || self.cells.iter().enumerate();
        let reports = editions.iter().flat_map(|edition| cells().map(|(at, cell)| report(at, cell, *edition)));
        let reports: Vec<CellReport> = reports.collect();
        let run = RunPage {
            reports: &reports,
            scenario_of: &|cell| &self.cells[cell].scenario,
            errors: &[],
            differing: &[],
            sources: &self.sources,
            real: Duration::ZERO,
        };
        let mut page = String::new();
        page_data(run, &mut |part| {
            page.push_str(part);
            Ok(())
        })?;
        let outcomes: Vec<Json> = reports.iter().map(|report| self.outcome_json(report)).collect();
        Ok([page, Json::from(outcomes).to_string()])
    }

    /// Writes an outcome with the stem of the names of its snapshots.
    fn outcome_json(&self, report: &CellReport) -> Json {
        let file = report.file.rsplit('/').next().unwrap_or(&report.file);
        let stem = file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml")).unwrap_or(file);
        json!({
            "cell": report.name,
            "stem": cell_stem(stem, &report.axes),
            "profile": report.edition.profile.to_string(),
            "verdict": report.verdict.as_str(),
            "body": report.body,
        })
    }
}

/// Lists the files that the scenario names, of those that are there.
pub(super) fn read(request: &Request) -> Result<Json, String> {
    let loaded = Loaded::read(request)?;
    let named = request.named.borrow();
    let others = named.iter().filter(|path| **path != request.play && request.files.contains_key(*path));
    let reads: Vec<&String> = std::iter::once(&request.play).chain(others).collect();
    let title = loaded.cells.first().map(|cell| cell.scenario.title.as_str());
    Ok(json!({ "title": title, "reads": reads }))
}

/// Plays the scenario.
pub(super) fn run(request: &Request) -> Result<String, String> {
    let editions = request.editions()?;
    let loaded = Loaded::read(request)?;
    let [page, outcomes] = loaded.played_json(&editions)?;
    Ok(format!("{{\"problems\":{},\"page\":{page},\"outcomes\":{outcomes}}}", loaded.problems_json()))
}

/// Plays a cell. There are no snapshots here: what fails no expectation has passed.
fn report(index: usize, cell: &Cell, edition: Edition) -> CellReport {
    let mut exercised = Exercised::default();
    let skipped = why_not_on_sim(&cell.scenario, edition.profile);
    let played = skipped.is_none().then(|| rehearse_covering(cell, edition, true, Some(&mut exercised)));
    let outcome = played.as_ref().filter(|played| played.failures.is_empty());
    let outcome = outcome.and_then(|played| played.outcome.as_ref());
    let verdict = match skipped {
        Some(reason) => Verdict::Skipped(reason),
        None if outcome.is_some() => Verdict::Passed,
        None => Verdict::Failed,
    };
    CellReport {
        cell: index,
        name: cell_name(&cell.scenario, &cell.axes),
        file: cell.scenario.file.clone(),
        axes: cell.axes.clone(),
        title: cell.scenario.title.clone(),
        broker: edition.sim_name(),
        broker_argument: format!("sim:{}", edition.profile),
        arguments: String::new(),
        version: edition.profile.version(),
        edition,
        variables: String::new(),
        verdict,
        body: outcome.filter(|_| !cell.scenario.snapshot.off).map(|outcome| body(outcome, &cell.scenario)),
        exercised: played.is_some().then_some(exercised),
        played,
        simulated: None,
        real: Duration::ZERO,
        snapshot_words: None,
        beside: None,
        earlier: Vec::new(),
    }
}
