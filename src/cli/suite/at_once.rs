//! Several brokers of one run, played at once and told one after another.
//! One after another they play where that is asked for: with --fail-fast, and live ones where a cell restarts its broker.

use crate::cli::ExitCode;
use crate::cli::brokers::PlayedOn;
use crate::cli::commands::run_live;
use crate::cli::run_reporter::{FAILED_BEFORE, Named, Once, RunReporter};
use crate::cli::runtime::Runtime;
use crate::cli::select::ToPlay;
use crate::cli::suite::lanes::OutputLanes;
use crate::cli::suite::on_sim::{jobs_of, play_on_sim};
use crate::model::Profile;
use crate::report::{BrokerError, CellReport};
use std::sync::{Mutex, PoisonError};

/// Plays all cells on all brokers; ends early when a signal or --fail-fast says so.
pub(crate) fn play_on_all(
    stage: &RunReporter<'_>,
    targets: &[PlayedOn],
    cells: &[ToPlay],
    reports: &mut Vec<CellReport>,
) -> ExitCode {
    let is_live = |target: &PlayedOn| matches!(target, PlayedOn::Live(_));
    // Whoever listens for a signal of a live broker takes it from the whole program: the simulated ones hear of it here.
    let mut listener = (targets.len() > 1 && targets.iter().any(is_live)).then(Runtime::new);
    if let Some(listener) = &listener {
        stage.stop.listen(listener);
    }
    let code = match targets {
        [one] => play_on_one(stage, one, cells, reports, 1),
        _ if stage.command.fail_fast => one_after_another(stage, targets, cells, reports),
        _ => at_once(stage, targets, cells, reports),
    };
    listener.as_mut().and_then(Runtime::heard).map_or(code, |signal| signal.and(code))
}

fn one_after_another(
    stage: &RunReporter<'_>,
    targets: &[PlayedOn],
    cells: &[ToPlay],
    reports: &mut Vec<CellReport>,
) -> ExitCode {
    let mut code = ExitCode::Fine;
    for target in targets {
        if reports.iter().any(|report| stage.is_enough(report)) {
            skip_all(stage, target, cells, reports);
            continue;
        }
        code = code.and(play_on_one(stage, target, cells, reports, 1));
        if stage.is_stopped() || matches!(code, ExitCode::Interrupted | ExitCode::Terminated) {
            break;
        }
    }
    code
}

/// What a broker came to: its exit code, its cells, and what kept it from being played on.
type PlayedBroker = (ExitCode, Vec<CellReport>, Vec<BrokerError>);

fn at_once(stage: &RunReporter<'_>, targets: &[PlayedOn], cells: &[ToPlay], reports: &mut Vec<CellReport>) -> ExitCode {
    let lanes = OutputLanes::new(targets.len());
    let simulated = targets.iter().filter(|target| matches!(target, PlayedOn::Sim(_))).count();
    // Two addresses may lead to one broker: where a cell restarts it, or stops a node, nothing may play beside.
    let one_at_a_time = cells.iter().any(|one| one.cell.scenario.needs.plays_alone());
    let turn = Mutex::new(());
    let play = |at: usize, target: &PlayedOn| -> PlayedBroker {
        let own = stage.in_lane(lanes.lane(at));
        let waits = one_at_a_time && matches!(target, PlayedOn::Live(_));
        let _turn = waits.then(|| turn.lock().unwrap_or_else(PoisonError::into_inner));
        let mut reports = Vec::new();
        let code =
            if own.is_stopped() { ExitCode::Fine } else { play_on_one(&own, target, cells, &mut reports, simulated) };
        own.end_lane();
        (code, reports, own.errors.into_inner().unwrap_or_else(PoisonError::into_inner))
    };
    let play = &play;
    let played: Vec<PlayedBroker> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            targets.iter().enumerate().map(|(at, target)| scope.spawn(move || play(at, target))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, PlayedBroker>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    });
    let mut code = ExitCode::Fine;
    for (of_broker, its, errors) in played {
        code = code.and(of_broker);
        reports.extend(its);
        stage.take_errors(errors);
    }
    code
}

/// Plays on one broker; `simulated` of those that play at once are.
fn play_on_one(
    stage: &RunReporter<'_>,
    target: &PlayedOn,
    cells: &[ToPlay],
    reports: &mut Vec<CellReport>,
    simulated: usize,
) -> ExitCode {
    match target {
        PlayedOn::Sim(edition) => {
            play_on_sim(stage, *edition, cells, reports, jobs_of(stage.command.jobs, simulated));
            ExitCode::Fine
        }
        PlayedOn::Live(live) => {
            let (mut runtime, before) = (Runtime::new(), reports.len());
            let code = run_live::play_on_live(stage, live, cells, reports, &mut runtime);
            stage.covering.replay(cells, &reports[before..]);
            runtime.heard().unwrap_or(code)
        }
    }
}

/// Counts the cells of a broker that is not begun any more as skipped.
fn skip_all(stage: &RunReporter<'_>, target: &PlayedOn, cells: &[ToPlay], reports: &mut Vec<CellReport>) {
    let on = match target {
        PlayedOn::Sim(edition) => Named::sim(*edition, stage.command),
        // Nobody asked it for its version, and nothing is compared.
        PlayedOn::Live(live) => Named {
            broker: format!("RabbitMQ at {}", live.address.place()),
            argument: live.argument.clone(),
            arguments: String::new(),
            version: Profile::NEWEST.version(),
            edition: Profile::NEWEST.into(),
        },
    };
    for (index, one) in cells.iter().enumerate() {
        let once = Once { skipped: Some(FAILED_BEFORE.to_owned()), ..Once::default() };
        reports.push(stage.judge(index, one, once, &on));
    }
}
