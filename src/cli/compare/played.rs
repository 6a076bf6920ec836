//! Every cell on every broker that is compared: how it ended there, or why it was not played.
//! Simulated brokers are played on once, live ones through the machinery of `run`.

use crate::cli::ExitCode;
use crate::cli::brokers::{LiveTarget, PlayedOn};
use crate::cli::commands::run_live::play_on_live;
use crate::cli::live_settings;
use crate::cli::run_reporter::RunReporter;
use crate::cli::runtime::Runtime;
use crate::cli::select::ToPlay;
use crate::compare::Ending;
use crate::player::{RunResult, Verdict};
use crate::report;
use crate::report::{CellReport, ComparedBroker};
use crate::rules::{Edition, Permits, differences_of};
use crate::simulate::rehearse_by;

/// How a cell ended on a broker, or why it was not played there.
pub(crate) type Played = Result<PlayedThere, String>;

/// How a cell ended on a broker.
pub(crate) struct PlayedThere {
    pub ending: Ending,
    /// The run itself, of a live broker: a simulated one can play it again.
    pub run: Option<RunResult>,
}

/// A broker with how each cell ended there.
pub(crate) struct Contestant<'t> {
    pub broker: ComparedBroker,
    /// The rules that hold there: the first of these by which a cell ends as it did. What the configuration of a live
    /// broker permits is not known.
    pub editions: Vec<Edition>,
    pub live: Option<&'t LiveTarget>,
    pub played: Vec<Played>,
}

/// All brokers, in the order in which they were named.
pub(crate) struct Contestants<'t>(pub Vec<Contestant<'t>>);

impl<'t> Contestants<'t> {
    /// Plays every cell on every broker.
    ///
    /// # Errors
    /// A live broker cannot be played on, or a signal came: nothing can be compared then.
    pub fn play(
        stage: &RunReporter<'_>,
        targets: &'t [PlayedOn],
        cells: &[ToPlay],
        runtime: &mut Option<Runtime>,
    ) -> Result<Self, ExitCode> {
        let mut all = Vec::new();
        for target in targets {
            all.push(match target {
                PlayedOn::Sim(edition) => on_sim(stage, *edition, cells),
                PlayedOn::Live(live) => on_live(stage, live, cells, runtime)?,
            });
        }
        tell_apart(&mut all);
        Ok(Self(all))
    }
}

fn on_sim(stage: &RunReporter<'_>, edition: Edition, cells: &[ToPlay]) -> Contestant<'static> {
    let played = cells.iter().map(|one| {
        let played = match live_settings::why_not_on_sim(&one.cell, edition.profile) {
            Some(reason) => Err(reason),
            None => {
                let run = rehearse_by(differences_of(edition), &one.cell, edition, false);
                Ok(PlayedThere { ending: report::ending(&run, &one.cell.scenario), run: None })
            }
        };
        stage.progress.ended(false);
        played
    });
    let broker = ComparedBroker { name: format!("sim {}", edition.profile), profile: edition.profile };
    Contestant { broker, editions: vec![edition], live: None, played: played.collect() }
}

fn on_live<'t>(
    stage: &RunReporter<'_>,
    live: &'t LiveTarget,
    cells: &[ToPlay],
    runtime: &mut Option<Runtime>,
) -> Result<Contestant<'t>, ExitCode> {
    let reports = reports_of(stage, live, cells, runtime)?;
    let Some(first) = reports.first() else { return Err(ExitCode::Environment) };
    let broker = ComparedBroker { name: first.broker.clone(), profile: first.edition.profile };
    let editions = [Permits::ALL, Permits::NONE].map(|permits| Edition { permits, ..first.edition }).to_vec();
    let played = reports.into_iter().map(|report| played_of(report, cells));
    Ok(Contestant { broker, editions, live: Some(live), played: played.collect() })
}

/// Plays cells on a live broker; one that does not answer, or is left unfinished, ends the comparison.
pub(crate) fn reports_of(
    stage: &RunReporter<'_>,
    live: &LiveTarget,
    cells: &[ToPlay],
    runtime: &mut Option<Runtime>,
) -> Result<Vec<CellReport>, ExitCode> {
    let mut reports = Vec::new();
    let runtime = runtime.get_or_insert_with(Runtime::new);
    let code = play_on_live(stage, live, cells, &mut reports, runtime);
    let code = runtime.heard().unwrap_or(code);
    match code {
        ExitCode::Fine if reports.len() == cells.len() => Ok(reports),
        ExitCode::Fine => Err(ExitCode::Environment),
        code => Err(code),
    }
}

/// Takes what a live broker did with a cell.
pub(crate) fn played_of(report: CellReport, cells: &[ToPlay]) -> Played {
    match (report.played, report.verdict) {
        (Some(run), _) => {
            let ending = report::ending(&run, &cells[report.cell].cell.scenario);
            Ok(PlayedThere { ending, run: Some(run) })
        }
        (None, Verdict::Skipped(reason)) => Err(reason),
        (None, _) => Err("it was not played".to_owned()),
    }
}

/// Adds the address of live brokers that would be called alike.
fn tell_apart(all: &mut [Contestant<'_>]) {
    let names: Vec<String> = all.iter().map(|one| one.broker.name.clone()).collect();
    for one in all {
        let alike = names.iter().filter(|name| **name == one.broker.name).count();
        if let (true, Some(live)) = (alike > 1, one.live) {
            one.broker.name = format!("{} at {}", one.broker.name, live.address.place());
        }
    }
}
