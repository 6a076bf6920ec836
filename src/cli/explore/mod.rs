//! `run --explore N` and `run --schedule K`: each cell on the simulated broker under the orders that RabbitMQ leaves open.
//! Reads and writes no snapshot.

use crate::cli::ExitCode;
use crate::cli::arguments::RunOptions;
use crate::cli::brokers::PlayedOn;
use crate::cli::live_settings;
use crate::cli::run_reporter::{FAILED_BEFORE, Named, RunReporter};
use crate::cli::select::ToPlay;
use crate::player::Verdict;
use crate::report;
use crate::report::{CellReport, ExploredCell};
use crate::rules::Edition;
use crate::simulate::{explore, play_schedule};
use std::time::Instant;

/// Says what cannot be explored.
pub(crate) fn why_not(command: &RunOptions, targets: &[PlayedOn]) -> Option<String> {
    let Some(option) = command.exploring.asked() else {
        let seed = "--seed is for schedules: give --explore N or --schedule K with it; what a scenario itself draws \
                    follows its own `seed:`";
        return command.exploring.seed.map(|_| seed.to_owned());
    };
    let live = targets.iter().find_map(|target| match target {
        PlayedOn::Live(live) => Some(&live.argument),
        PlayedOn::Sim(_) => None,
    });
    live.map(|argument| {
        format!(
            "{option} is for the simulated broker, and {argument} is a live one: which order it takes cannot be chosen; \
             give --broker sim, or sim:VERSION for the rules of that version"
        )
    })
}

/// Plays all cells on all brokers; their reports go along for the summary and JUnit.
pub(crate) fn run(
    stage: &RunReporter<'_>,
    targets: &[PlayedOn],
    cells: &[ToPlay],
    reports: &mut Vec<CellReport>,
) -> ExitCode {
    let mut code = ExitCode::Fine;
    for target in targets {
        let PlayedOn::Sim(edition) = target else { continue };
        let on = Named::sim(*edition, stage.command);
        stage.announce(&on.broker, false);
        for (index, one) in cells.iter().enumerate() {
            let enough = reports.iter().any(|report| stage.is_enough(report));
            let skipped = if enough {
                Some(FAILED_BEFORE.to_owned())
            } else {
                live_settings::why_not_on_sim(&one.cell, edition.profile)
            };
            let mut report = stage.unjudged(index, one, &on);
            if let Some(reason) = skipped {
                report.verdict = Verdict::Skipped(reason);
                stage.emit(&report);
            } else if let Some(number) = stage.command.exploring.schedule {
                code = code.and(play_one(stage, one, *edition, number, &mut report));
            } else {
                report = explore_cell(stage, one, *edition, report);
            }
            reports.push(report);
        }
    }
    code
}

fn explore_cell(stage: &RunReporter<'_>, one: &ToPlay, edition: Edition, mut report: CellReport) -> CellReport {
    let options = &stage.command.exploring;
    let (schedules, seed) = (options.explore.unwrap_or(1), options.seed.unwrap_or(0));
    let began = Instant::now();
    let exploration = explore(&one.cell, edition, schedules, seed);
    report.real = began.elapsed();
    let replay = |schedule: &crate::simulate::Schedule| schedule.replay(&one.cell, edition);
    let pair = exploration.pair.as_ref().map(|(first, second)| (replay(first), replay(second)));
    report.verdict = if exploration.failed > 0 { Verdict::Failed } else { Verdict::Passed };
    report.played = exploration.first_failed.as_ref().map(replay);
    let first_failed = exploration.first_failed.as_ref().map(|failed| failed.number);
    let plain = report.again();
    if let Some(number) = first_failed {
        report.arguments.push_str(&format!(" --seed {seed} --schedule {number}"));
    }
    let terminal = stage.terminal;
    let cell = ExploredCell { report, exploration, pair, seed, plain };
    stage.progress.ended(cell.report.is_bad());
    stage.progress.suspended(|| {
        if stage.command.json {
            terminal.print(&report::explored_json(&cell, stage.sources).to_string());
        } else {
            terminal.print(&report::explored_text(&cell, stage.width, stage.sources, terminal.palette));
        }
    });
    cell.report
}

fn play_one(stage: &RunReporter<'_>, one: &ToPlay, edition: Edition, number: u64, report: &mut CellReport) -> ExitCode {
    let seed = stage.command.exploring.seed.unwrap_or(0);
    let began = Instant::now();
    let Some(explored) = play_schedule(&one.cell, edition, seed, number) else {
        let there = explore(&one.cell, edition, number, seed).schedules;
        report.verdict = Verdict::Skipped(format!("it has no schedule {number}: {there} are all that there are"));
        stage.emit(report);
        return ExitCode::Fine;
    };
    report.real = began.elapsed();
    let terminal = stage.terminal;
    report.verdict = if explored.played.failures.is_empty() { Verdict::Passed } else { Verdict::Failed };
    report.arguments.push_str(&format!(" --seed {seed} --schedule {number}"));
    stage.progress.ended(report.is_bad());
    stage.progress.suspended(|| {
        if stage.command.json {
            terminal.print(&report::schedule_json(&explored, report, stage.sources).to_string());
        } else {
            terminal.print(&report::schedule_text(&explored, report, stage.sources, terminal.palette));
        }
    });
    report.played = Some(explored.played);
    ExitCode::Fine
}
