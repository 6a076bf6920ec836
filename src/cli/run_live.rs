//! `run` on a live broker: cells in parallel, each in throw-away vhosts that are gone afterwards, whatever happens.

use super::run::{Stage, ToPlay};
use super::{ExitCode, pace, runtime};
use crate::io::Address;
use crate::io::live::Guard;
use crate::io::management::{ManagementClient, Overview};
use crate::io::meet;
use crate::io::rehearse::{needs, rehearse_live};
use crate::io::{Failure, FailureKind};
use crate::play::{Ground, Played};
use crate::report::CellReport;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Within this time a second signal belongs to the first.
const ONE_WISH: Duration = Duration::from_secs(1);

/// How long a request of a stopped cell may be under way to the broker.
const UNDER_WAY: Duration = Duration::from_millis(400);

/// Is one cell that was played, or was not because the run was stopped.
struct PlayedCell {
    index: usize,
    played: Option<Played>,
    failure: Option<Failure>,
    /// The clean-up's own failure.
    left_behind: Option<Failure>,
    real: Duration,
}

/// Plays all cells on one broker.
pub(super) fn play_on_live(
    stage: &Stage,
    address: &Address,
    cells: &[ToPlay],
    reports: &mut Vec<CellReport>,
) -> ExitCode {
    runtime::block_on(async {
        let asked = runtime::interruptible(meet(address)).await;
        match asked {
            Err(code) => code,
            Ok(Err(failure)) => stage.terminal.failure(&failure),
            Ok(Ok(overview)) => play_all(stage, address, &overview, cells, reports).await,
        }
    })
}

async fn play_all(
    stage: &Stage<'_>,
    address: &Address,
    overview: &Overview,
    cells: &[ToPlay],
    reports: &mut Vec<CellReport>,
) -> ExitCode {
    let broker = format!("RabbitMQ {}", overview.full_version);
    stage.announce(&format!("{broker} at {}", address.place()), true);
    let jobs = stage.command.jobs.unwrap_or_else(default_jobs).max(1);
    let permits = Arc::new(Semaphore::new(jobs));
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let mut finished: Vec<(usize, CellReport)> = Vec::new();
    let argument = address.to_string();
    let judge = |cell: PlayedCell, unfit: Option<String>| {
        let names = (broker.as_str(), argument.as_str());
        let report = stage.judge(&cells[cell.index], cell.played, unfit, overview.version, names, cell.real);
        stage.tell(&report);
        (cell.index, report)
    };
    let plugins = match plugins_needed(address, cells).await {
        Ok(plugins) => plugins,
        Err(failure) => return stage.terminal.failure(&failure),
    };
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_by_key(|index| cells[*index].cell.scenario.needs.restart);
    for index in order {
        let one = &cells[index];
        let cell = PlayedCell { index, played: None, failure: None, left_behind: None, real: Duration::ZERO };
        let fit = pace::live_ground(&one.cell, address, overview.version, &plugins, &stage.command.pace);
        let ground = match fit {
            Ok(ground) => ground,
            Err(unfit) => {
                finished.push(judge(cell, Some(unfit)));
                continue;
            }
        };
        // Whoever restarts the broker plays alone: it takes all room there is.
        let room = if one.cell.scenario.needs.restart { jobs as u32 } else { 1 };
        let (address, one) = (address.clone(), one.clone());
        let (permits, stopped) = (permits.clone(), stopped.clone());
        tasks.spawn(async move {
            // The semaphore is never closed.
            let _permit = permits.acquire_many_owned(room).await;
            play_cell(cell, one, address, ground, stopped).await
        });
    }
    let mut code = ExitCode::Fine;
    let mut told = false;
    let mut signalled: Option<Instant> = None;
    loop {
        tokio::select! {
            joined = tasks.join_next() => match joined {
                None => break,
                Some(Err(panicked)) => {
                    stage.terminal.complain(&format!("a cell ended in a bug of rmqplay: {panicked}"));
                    code = code.and(ExitCode::Bug);
                }
                Some(Ok(cell)) => {
                    for failure in cell.failure.iter().chain(&cell.left_behind) {
                        if !std::mem::replace(&mut told, true) {
                            let _ = stage.terminal.failure(failure);
                        }
                        code = code.and(ExitCode::Environment);
                    }
                    if cell.played.is_some() {
                        finished.push(judge(cell, None));
                    }
                }
            },
            signal = runtime::signalled() => {
                if let Some(first) = signalled {
                    // `timeout` and shells signal the group and the process: that is one wish, not two.
                    if first.elapsed() < ONE_WISH {
                        continue;
                    }
                    stage.terminal.complain("stopped at once; `rmqplay clean` removes what is left once it is 10m old");
                    return code;
                }
                signalled = Some(Instant::now());
                code = signal;
                stage.terminal.complain("stopping, and removing the throw-away vhosts");
                // Nobody listens any more when every cell has ended.
                let _ = stop.send(true);
            }
        }
    }
    finished.sort_by_key(|(index, _)| *index);
    reports.extend(finished.into_iter().map(|(_, report)| report));
    code
}

/// Asks which plugins are enabled, if a cell wants to know.
async fn plugins_needed(address: &Address, cells: &[ToPlay]) -> Result<Vec<String>, Failure> {
    if cells.iter().all(|one| one.cell.scenario.needs.plugins.is_empty()) {
        return Ok(Vec::new());
    }
    ManagementClient::new(address)?.enabled_plugins().await
}

/// Plays one cell and sweeps its vhosts and users, also when it is stopped or fails.
async fn play_cell(
    cell: PlayedCell,
    one: ToPlay,
    address: Address,
    ground: Ground,
    mut stopped: watch::Receiver<bool>,
) -> PlayedCell {
    if *stopped.borrow() {
        return cell;
    }
    let began = Instant::now();
    let guard = match Guard::bare(&address) {
        Ok(guard) => guard,
        Err(failure) => return PlayedCell { failure: Some(failure), ..cell },
    };
    let playing = guard.clone();
    let place = address.place();
    let mut task = tokio::spawn(async move {
        let (vhosts, users) = needs(&one.cell);
        match playing.make(&vhosts, &users).await {
            Ok(()) => {
                let (played, failure) = rehearse_live(&one.cell, &address, &playing, ground).await;
                (Some(played), failure)
            }
            Err(failure) => (None, Some(failure)),
        }
    });
    let (played, failure) = tokio::select! {
        ended = &mut task => ended.unwrap_or_else(|error| (None, Some(bug(&error.to_string(), &place)))),
        _ = stopped.changed() => {
            task.abort();
            // A request that was on its way may still arrive after the first sweep, and make what that deleted.
            let _ = guard.sweep().await;
            tokio::time::sleep(UNDER_WAY).await;
            (None, None)
        }
    };
    let left_behind = guard.sweep().await.err();
    PlayedCell { played, failure, left_behind, real: began.elapsed(), ..cell }
}

/// Makes a failure of a task that panicked.
fn bug(why: &str, place: &str) -> Failure {
    let kind = FailureKind::Broken { doing: "playing a cell".to_owned(), why: why.to_owned() };
    Failure::new(kind, place).hint("this is a bug of rmqplay: please report the scenario")
}

/// Gives how many cells play at once: twice the cores, at most eight.
fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get() * 2).min(8)
}
