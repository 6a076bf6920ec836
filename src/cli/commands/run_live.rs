//! `run` on a live broker: cells in parallel, each in throw-away vhosts that are gone afterwards, whatever happens.

use crate::cli::arguments::{KeepVhost, RunOptions};
use crate::cli::brokers::LiveTarget;
use crate::cli::live_settings::NeededAbilities;
use crate::cli::options::USUAL_WAIT;
use crate::cli::run_reporter::FAILED_BEFORE;
use crate::cli::run_reporter::{Named, Once, RunReporter};
use crate::cli::runtime::{Runtime, Signals};
use crate::cli::select::ToPlay;
use crate::cli::suite::CountingBroker;
use crate::cli::{ExitCode, live_settings, verdicts};
use crate::io::Address;
use crate::io::live::{ExistingVhost, TestVhosts, VhostNotUsable, lend, start_nodes};
use crate::io::management::ManagementClient;
use crate::io::meet;
use crate::io::rehearse::{needs, rehearse_live};
use crate::io::{BrokerFailure, BrokerFailureKind};
use crate::model::counted;
use crate::player::{BrokerTraits, RunResult, Verdict};
use crate::report::{CellReport, shell_word};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Within this time a second signal belongs to the first.
const ONE_WISH: Duration = Duration::from_secs(1);

/// How long a request of a stopped cell may be under way to the broker.
const UNDER_WAY: Duration = Duration::from_millis(400);

/// What to do about a vhost of --in-vhost that is not there.
const NO_SUCH_VHOST: &str = "--in-vhost takes the name of an empty vhost that is there, as it is (`/`, not %2F); without \
    --in-vhost each cell gets a throw-away vhost, which takes the tag `administrator`";

/// One cell that was played, or was not because the run was stopped.
struct PlayedCell {
    index: usize,
    played: Option<RunResult>,
    failure: Option<BrokerFailure>,
    /// How many places it leaves free.
    room: usize,
    /// The clean-up's own failure.
    left_behind: Option<BrokerFailure>,
    /// What is not swept yet: it may be kept for a look.
    guard: Option<TestVhosts>,
    real: Duration,
}

impl PlayedCell {
    /// Makes one of which nothing is known yet.
    fn of(index: usize) -> Self {
        Self { index, played: None, failure: None, room: 0, left_behind: None, guard: None, real: Duration::ZERO }
    }
}

/// Plays all cells on one broker.
pub(crate) fn play_on_live(
    stage: &RunReporter,
    live: &LiveTarget,
    cells: &[ToPlay],
    reports: &mut Vec<CellReport>,
    runtime: &mut Runtime,
) -> ExitCode {
    let address = &live.address;
    runtime.run(async |signals| {
        let asked = signals.interrupt(meet(address)).await;
        match asked {
            Err(code) => code,
            Ok(Err(failure)) => {
                stage.failure(&live.argument, &failure.or_simulated());
                ExitCode::Environment
            }
            Ok(Ok(overview)) => {
                let broker = format!("RabbitMQ {}", overview.full_version);
                stage.announce(&format!("{broker} at {}", address.place()), true);
                let (argument, arguments) = (live.argument.clone(), live_arguments(stage.command));
                let edition = live_settings::edition_of(&overview);
                let on = Named { broker, argument, arguments, version: overview.version, edition };
                // Held until all cells are swept.
                let lent = match take_vhost(stage, address, &on.broker).await {
                    Ok(lent) => lent,
                    Err(code) => return code,
                };
                let counting = CountingBroker::begin(stage, address, &overview, &on.broker).await;
                let mut show = LiveRun::new(stage, address, on, cells);
                let code = show.play_all(signals).await;
                if let Some(counting) = counting {
                    counting.end(stage).await;
                }
                if let Some(lent) = lent {
                    lent.give_back().await;
                }
                reports.extend(show.finished.into_values());
                code
            }
        }
    })
}

/// Writes out what a live broker is played with beside its address, with a space before each.
fn live_arguments(command: &RunOptions) -> String {
    let [management, in_vhost] = [("--management", &command.management), ("--in-vhost", &command.in_vhost)]
        .map(|(option, given)| given.as_ref().map(|value| format!(" {option} {}", shell_word(value))));
    let scale = command.pace.time_scale.map(|scale| format!(" --time-scale {scale}"));
    let max_wait = command.pace.max_wait.to_string().replace(' ', "");
    let max_wait = (command.pace.max_wait != USUAL_WAIT).then(|| format!(" --max-wait {max_wait}"));
    [management, in_vhost, scale, max_wait].into_iter().flatten().collect()
}

/// Takes the vhost of --in-vhost for this run alone.
async fn take_vhost(
    stage: &RunReporter<'_>,
    address: &Address,
    broker: &str,
) -> Result<Option<ExistingVhost>, ExitCode> {
    let Some(vhost) = &stage.command.in_vhost else { return Ok(None) };
    match lend(address, vhost).await {
        Ok(lent) => Ok(Some(lent)),
        Err(VhostNotUsable::Unsafe(why)) => {
            stage.refuse(broker, &why);
            Err(ExitCode::Unsafe)
        }
        Err(VhostNotUsable::Failed(failure)) => {
            let failure = match &failure.kind {
                BrokerFailureKind::NotFound { .. } => failure.hint(NO_SUCH_VHOST),
                _ => failure,
            };
            stage.failure(broker, &failure);
            Err(ExitCode::Environment)
        }
    }
}

/// All cells on one broker, while they play.
struct LiveRun<'s> {
    stage: &'s RunReporter<'s>,
    address: &'s Address,
    on: Named,
    cells: &'s [ToPlay],
    tasks: JoinSet<PlayedCell>,
    /// How many cells may play at once, and how many of those places are free.
    room: usize,
    free: usize,
    /// Who has not begun, in order.
    waiting: VecDeque<usize>,
    /// How each cell that fits is played.
    grounds: BTreeMap<usize, BrokerTraits>,
    stop: watch::Sender<bool>,
    /// Nobody begins any more, for a cell failed and --fail-fast was given.
    enough: bool,
    /// Attempts that failed, of cells that play again.
    attempts: BTreeMap<usize, Vec<CellReport>>,
    finished: BTreeMap<usize, CellReport>,
    code: ExitCode,
    told: bool,
    /// A clean-up failed: throw-away vhosts may still be there.
    left: bool,
    signalled: Option<Instant>,
}

impl<'s> LiveRun<'s> {
    fn new(stage: &'s RunReporter<'s>, address: &'s Address, on: Named, cells: &'s [ToPlay]) -> Self {
        // In one vhost cells would meet.
        let room = match stage.command.in_vhost {
            Some(_) => 1,
            None => stage.command.jobs.unwrap_or_else(default_jobs),
        };
        Self {
            stage,
            address,
            on,
            cells,
            tasks: JoinSet::new(),
            room,
            free: room,
            waiting: VecDeque::new(),
            grounds: BTreeMap::new(),
            stop: watch::channel(false).0,
            enough: false,
            attempts: BTreeMap::new(),
            finished: BTreeMap::new(),
            code: ExitCode::Fine,
            told: false,
            left: false,
            signalled: None,
        }
    }

    async fn play_all(&mut self, signals: &mut Signals) -> ExitCode {
        let abilities = match signals.interrupt(abilities_needed(self.address, self.cells)).await {
            Ok(Ok(abilities)) => abilities,
            Err(code) => return code,
            Ok(Err(failure)) => {
                self.stage.failure(&self.on.broker, &failure);
                return ExitCode::Environment;
            }
        };
        let mut order: Vec<usize> = (0..self.cells.len()).collect();
        order.sort_by_key(|index| self.cells[*index].cell.scenario.needs.plays_alone());
        for index in order {
            match self.ground(index, &abilities) {
                Ok(ground) => {
                    self.grounds.insert(index, ground);
                    self.waiting.push_back(index);
                }
                Err(reason) => self.skip(index, reason, true),
            }
        }
        loop {
            self.begin_next();
            tokio::select! {
                joined = self.tasks.join_next() => match joined {
                    None => break,
                    Some(Err(panicked)) => {
                        let words = format!("a cell ended in a bug of rmqplay: {panicked}");
                        self.stage.refuse(&self.on.broker, &words);
                        self.code = self.code.and(ExitCode::Bug);
                    }
                    Some(Ok(cell)) => self.ended(cell),
                },
                signal = signals.next() => if self.stopped_at_once(signal) {
                    break;
                },
            }
        }
        // What is in a vhost that was lent is not for `clean` to delete.
        if self.left && self.stage.command.in_vhost.is_none() {
            let (place, clean) = (self.address.place(), self.clean("0s"));
            self.stage.error(&format!(
                "throw-away vhosts may be left at {place}; once it answers, and no other run plays there: {clean}"
            ));
        }
        self.code
    }

    /// Returns the ground that a cell plays on, or says why it is not played.
    fn ground(&self, index: usize, abilities: &NeededAbilities) -> Result<BrokerTraits, String> {
        let command = self.stage.command;
        let cell = &self.cells[index].cell;
        match verdicts::why_not_lent(&cell.scenario).filter(|_| command.in_vhost.is_some()) {
            Some(reason) => Err(reason),
            None => {
                let (version, edition) = (self.on.version, self.on.edition);
                live_settings::live_ground(cell, self.address, version, edition, abilities, &command.pace)
            }
        }
    }

    /// Lets cells play in order while there is room.
    fn begin_next(&mut self) {
        while let Some(index) = self.waiting.front().copied() {
            // Whoever restarts the broker, or nodes, plays alone: it takes all room there is.
            let room = if self.cells[index].cell.scenario.needs.plays_alone() { self.room } else { 1 };
            if self.enough {
                self.skip(index, FAILED_BEFORE.to_owned(), false);
            } else if room > self.free {
                break;
            } else if self.signalled.is_none() {
                self.free -= room;
                self.begin(index, room);
            }
            self.waiting.pop_front();
        }
    }

    fn begin(&mut self, index: usize, room: usize) {
        let cell = PlayedCell { room, ..PlayedCell::of(index) };
        let (address, one, ground) = (self.address.clone(), self.cells[index].clone(), self.grounds[&index]);
        let stopped = self.stop.subscribe();
        let (in_vhost, keep) = (self.stage.command.in_vhost.clone(), self.stage.command.keep_vhost);
        self.tasks.spawn(async move {
            let guard = match in_vhost {
                None => TestVhosts::bare(&address),
                Some(vhost) => TestVhosts::lent(&address, &one.cell.scenario.vhosts()[0], &vhost.as_str().into()),
            };
            match guard {
                Ok(guard) => play_cell(cell, guard, one, address, (ground, keep), stopped).await,
                Err(failure) => PlayedCell { failure: Some(failure), ..cell },
            }
        });
    }

    fn skip(&mut self, index: usize, reason: String, aloud: bool) {
        let once = Once { skipped: Some(reason), ..Once::default() };
        let report = self.stage.judge(index, &self.cells[index], once, &self.on);
        if aloud {
            self.stage.emit(&report);
        }
        self.finished.insert(index, report);
    }

    /// Takes a cell that ended: tells it, or lets it play again.
    fn ended(&mut self, cell: PlayedCell) {
        for failure in cell.failure.iter().chain(&cell.left_behind) {
            // One word about the broker is enough for all cells.
            if !std::mem::replace(&mut self.told, true) {
                self.stage.failure(&self.on.broker, failure);
            }
            self.code = self.code.and(ExitCode::Environment);
        }
        // Who may not delete a vhost could not make one either.
        let is_able = |failure: &BrokerFailure| !matches!(failure.kind, BrokerFailureKind::NoRight { .. });
        self.left |= cell.left_behind.as_ref().is_some_and(is_able);
        self.free += cell.room;
        let index = cell.index;
        let Some(mut played) = cell.played else { return };
        if cell.failure.is_none() {
            played.notes.extend(live_settings::drifted(&self.cells[index].cell, self.on.edition, &played));
        }
        let once = Once { played: Some(played), real: cell.real, ..Once::default() };
        let mut report = self.stage.judge(index, &self.cells[index], once, &self.on);
        if let Some(guard) = cell.guard {
            self.keep_or_sweep(index, guard, report.is_bad());
        }
        let earlier = self.attempts.entry(index).or_default();
        let tries_left = (earlier.len() as u32) < self.stage.command.retries;
        if report.is_bad() && tries_left && cell.failure.is_none() && self.signalled.is_none() {
            earlier.push(report);
            return self.waiting.push_front(index);
        }
        report.earlier = std::mem::take(earlier);
        if report.verdict == Verdict::Failed {
            report.simulated = live_settings::simulated(&self.cells[index].cell, self.on.edition);
        }
        if report.verdict == Verdict::Passed && !report.earlier.is_empty() {
            report.verdict = Verdict::Flaky(report.earlier.len() as u32);
        }
        if self.stage.is_enough(&report) {
            self.enough = true;
        }
        self.stage.emit(&report);
        self.finished.insert(index, report);
    }

    /// Leaves a cell's vhosts for a look, and says where; or sweeps them.
    fn keep_or_sweep(&mut self, index: usize, guard: TestVhosts, bad: bool) {
        if bad || self.stage.command.keep_vhost == Some(KeepVhost::Always) {
            let (vhosts, users) = guard.handed_out();
            let all: Vec<&str> = vhosts.iter().map(|name| &**name).collect();
            let users = if users.is_empty() { String::new() } else { format!(" and {}", counted(users.len(), "user")) };
            let (name, clean) = (self.cells[index].name(), self.clean("1m"));
            let words = format!("kept for a look: vhost {}{users} of {name}; when seen: {clean}", all.join(", "));
            return self.stage.error(&words);
        }
        self.tasks.spawn(async move { PlayedCell { left_behind: guard.sweep().await.err(), ..PlayedCell::of(index) } });
    }

    /// Returns the command that removes what is older than that from this broker.
    fn clean(&self, older_than: &str) -> String {
        let management = self.stage.command.management.as_ref();
        let management = management.map_or(String::new(), |url| format!(" --management {}", shell_word(url)));
        format!("rmqplay clean --older-than {older_than} --broker {}{management}", shell_word(&self.on.argument))
    }

    /// Hears a signal; true when it is the second wish.
    fn stopped_at_once(&mut self, signal: ExitCode) -> bool {
        if let Some(first) = self.signalled {
            // `timeout` and shells signal the group and the process: that is one wish, not two.
            if first.elapsed() < ONE_WISH {
                return false;
            }
            self.stage.error("stopped at once; `rmqplay clean` removes what is left once it is 10m old");
            return true;
        }
        self.signalled = Some(Instant::now());
        self.code = signal;
        self.stage.error("stopping, and removing the throw-away vhosts");
        // Nobody listens any more when every cell has ended.
        let _ = self.stop.send(true);
        false
    }
}

/// Asks which plugins are enabled, if a cell wants to know.
async fn abilities_needed(address: &Address, cells: &[ToPlay]) -> Result<NeededAbilities, BrokerFailure> {
    let mut abilities = NeededAbilities::default();
    if cells.iter().any(|one| !one.cell.scenario.needs.plugins.is_empty()) {
        abilities.plugins = ManagementClient::new(address)?.enabled_plugins().await?;
    }
    if cells.iter().any(|one| one.cell.scenario.needs.nodes.is_some()) {
        let nodes = ManagementClient::new(address)?.nodes().await?;
        abilities.nodes = nodes.iter().filter(|node| node.running).count();
    }
    Ok(abilities)
}

/// Plays one cell and sweeps its vhosts and users, also when it is stopped or fails; or hands them back unswept.
async fn play_cell(
    cell: PlayedCell,
    guard: TestVhosts,
    one: ToPlay,
    address: Address,
    (ground, keep): (BrokerTraits, Option<KeepVhost>),
    mut stopped: watch::Receiver<bool>,
) -> PlayedCell {
    if *stopped.borrow() {
        return cell;
    }
    let began = Instant::now();
    let playing = guard.clone();
    let place = address.place();
    let cluster = one.cell.scenario.needs.nodes.map(|_| address.clone());
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
    let nodes_left = match &cluster {
        Some(address) => start_nodes(address).await.err(),
        None => None,
    };
    // A run that was stopped leaves nothing.
    if keep.is_some() && played.is_some() && failure.is_none() {
        return PlayedCell { played, guard: Some(guard), real: began.elapsed(), ..cell };
    }
    // Who lacks a right has not shown that the scenario fails.
    let no_right = failure.as_ref().is_some_and(|failure| matches!(failure.kind, BrokerFailureKind::NoRight { .. }));
    let played = played.filter(|_| !no_right);
    let left_behind = nodes_left.or(guard.sweep().await.err());
    PlayedCell { played, failure, left_behind, real: began.elapsed(), ..cell }
}

/// Makes a failure of a task that panicked.
fn bug(why: &str, place: &str) -> BrokerFailure {
    let kind = BrokerFailureKind::Broken { doing: "playing a cell".to_owned(), why: why.to_owned() };
    BrokerFailure::new(kind, place).hint("this is a bug of rmqplay: please report the scenario")
}

/// Returns how many cells play at once: twice the cores, at most eight.
fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get() * 2).min(8)
}
