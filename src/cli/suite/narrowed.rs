//! `--shard` and `--rerun-failed`: which of the selected cells are meant, by what is known of the last run.
//! Takes cells, gives fewer of them, and says which and why.

use crate::cli::ExitCode;
use crate::cli::brokers::PlayedOn;
use crate::cli::options::SuiteOptions;
use crate::cli::select::ToPlay;
use crate::cli::suite::shard::{Shard, Weighed};
use crate::cli::terminal::Terminal;
use crate::io::{LastPlay, LastRun, Unknown, file_key};
use crate::model::{by_number, counted};
use crate::player::Verdict;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How many cells that are no more are named.
const GONE_NAMED_MAX: usize = 10;

/// What a run is narrowed by.
pub(crate) struct Narrowing<'a> {
    asked: &'a SuiteOptions,
    /// As `--broker` takes them.
    brokers: Vec<String>,
    known: Result<LastRun, Unknown>,
    /// The names of all cells that were loaded, by file.
    there: BTreeMap<String, BTreeSet<String>>,
    paths: Vec<PathBuf>,
    /// Lines for people; machines that read along get none.
    terminal: Option<&'a Terminal>,
}

/// A cell: its file as the last run keeps it, and its name.
pub(crate) type CellKey = (String, String);

/// Returns the key of a cell.
pub(crate) fn key_of(one: &ToPlay) -> CellKey {
    (file_key(&one.path), one.name())
}

/// Returns a broker as the last run keeps it.
fn broker_of(target: &PlayedOn) -> String {
    match target {
        PlayedOn::Sim(edition) => format!("sim:{}", edition.profile),
        PlayedOn::Live(live) => live.argument.clone(),
    }
}

impl<'a> Narrowing<'a> {
    /// Reads what is known of the last run of `all` cells, below `paths`; `None` where nothing asks for it.
    pub(crate) fn of(
        asked: &'a SuiteOptions,
        targets: &[PlayedOn],
        all: impl Iterator<Item = CellKey>,
        paths: &[PathBuf],
        terminal: Option<&'a Terminal>,
    ) -> Option<Self> {
        if asked.shard.is_none() && !asked.rerun_failed {
            return None;
        }
        let mut there: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        if asked.rerun_failed {
            for (file, name) in all {
                there.entry(file).or_default().insert(name);
            }
        }
        let known = LastRun::read(Path::new(""));
        let brokers = targets.iter().map(broker_of).collect();
        Some(Self { asked, brokers, known, there, paths: paths.to_vec(), terminal })
    }

    /// Keeps the cells that are meant, maybe none; gives those that failed last time and are no more.
    ///
    /// # Errors
    /// Nothing is known of what failed.
    pub(crate) fn keep<T>(
        &self,
        cells: Vec<T>,
        key_of: impl Fn(&T) -> CellKey,
        complain: &Terminal,
    ) -> Result<(Vec<T>, Vec<CellKey>), ExitCode> {
        if let Err(why) = &self.known {
            complain.warning(&format!("{why}; nothing is known of the last run"));
        }
        let known = self.known.as_ref().cloned().unwrap_or_default();
        let cells = match self.asked.shard {
            Some(shard) => self.share(shard, cells, &key_of, &known),
            None => cells,
        };
        if !self.asked.rerun_failed {
            return Ok((cells, Vec::new()));
        }
        if known.is_empty() {
            complain.error(
                "error: nothing is known of a last run here\n  help: `rmqplay run` plays all cells and keeps in \
                 .rmqplay/last-run.json what failed",
            );
            return Err(ExitCode::Nothing);
        }
        self.failed(cells, key_of, &known, complain)
    }

    fn say(&self, text: &str) {
        if let Some(terminal) = self.terminal {
            terminal.status(text);
        }
    }

    fn share<T>(&self, shard: Shard, cells: Vec<T>, key_of: &impl Fn(&T) -> CellKey, known: &LastRun) -> Vec<T> {
        let weigh = |one: &T| {
            let (file, name) = key_of(one);
            let micros = self.brokers.iter().filter_map(|broker| known.of(&file, &name, broker)?.micros);
            let micros = micros.reduce(u64::saturating_add);
            Weighed { name: format!("{file}\n{name}"), micros }
        };
        let weighed: Vec<Weighed> = cells.iter().map(weigh).collect();
        let own: BTreeSet<usize> = shard.share(&weighed).into_iter().collect();
        let all = cells.len();
        let timed = weighed.iter().filter(|cell| cell.micros.is_some()).count();
        let by = match timed {
            0 => "by count: the last run tells no times".to_owned(),
            _ if timed == all => format!("by the times of the last run ({})", fingerprint(&weighed)),
            _ => format!("by the times of the last run ({timed} known, {})", fingerprint(&weighed)),
        };
        match own.len() {
            0 => self.say(&format!(
                "shard {shard} has no cell to play: there {} {}, and other shards play {}",
                by_number(all, "is", "are"),
                counted(all, "cell"),
                by_number(all, "it", "them"),
            )),
            n => self.say(&format!("shard {shard}: {n} of {}, {by}", counted(all, "cell"))),
        }
        cells.into_iter().enumerate().filter(|(at, _)| own.contains(at)).map(|(_, one)| one).collect()
    }

    fn failed<T>(
        &self,
        cells: Vec<T>,
        key_of: impl Fn(&T) -> CellKey,
        known: &LastRun,
        complain: &Terminal,
    ) -> Result<(Vec<T>, Vec<CellKey>), ExitCode> {
        let gone = self.gone(known);
        self.tell_gone(&gone);
        let all = cells.len();
        let is_played =
            |(file, name): &CellKey| self.brokers.iter().any(|broker| known.of(file, name, broker).is_some());
        let keys: Vec<CellKey> = cells.iter().map(key_of).collect();
        let failed: Vec<T> =
            std::iter::zip(cells, &keys).filter(|(_, key)| self.has_failed(known, key)).map(|(one, _)| one).collect();
        let on = self.brokers.join(", ");
        if !failed.is_empty() {
            self.say(&format!("playing the {} of {} that failed last time", failed.len(), counted(all, "cell")));
            return Ok((failed, gone));
        }
        let elsewhere = self.elsewhere(known, &keys);
        if keys.iter().any(is_played) {
            self.say(&format!("no cell failed last time on {on}: nothing to play again{elsewhere}"));
            return Ok((failed, gone));
        }
        complain.error(&format!(
            "error: nothing is known of a last run of {} on {on}{elsewhere}",
            by_number(all, "this cell", "these cells")
        ));
        Err(ExitCode::Nothing)
    }

    fn has_failed(&self, known: &LastRun, (file, name): &CellKey) -> bool {
        self.brokers.iter().any(|broker| known.of(file, name, broker).is_some_and(is_bad))
    }

    /// Tells on which other brokers cells failed.
    fn elsewhere(&self, known: &LastRun, keys: &[CellKey]) -> String {
        let meant: BTreeSet<(&str, &str)> = keys.iter().map(|(file, name)| (file.as_str(), name.as_str())).collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (file, cell, broker, play) in known.plays() {
            if is_bad(play) && meant.contains(&(file, cell)) && !self.brokers.iter().any(|own| own == broker) {
                *counts.entry(broker).or_default() += 1;
            }
        }
        let told = counts
            .iter()
            .map(|(broker, n)| format!("\n  {} failed on {broker}: --broker {broker}", counted(*n, "cell")));
        told.collect()
    }

    /// Finds what failed on these brokers, was meant by the paths, and is no more.
    fn gone(&self, known: &LastRun) -> Vec<CellKey> {
        let roots: Vec<String> = self.paths.iter().map(|path| file_key(path)).collect();
        let is_below = |file: &str| {
            let below = |root: &String| root.is_empty() || Path::new(file).starts_with(root);
            roots.iter().any(below)
        };
        let is_gone = |file: &str, cell: &str| match self.there.get(file) {
            Some(names) => !names.contains(cell),
            None => is_below(file) && !Path::new(file).exists(),
        };
        let plays =
            known.plays().filter(|(_, _, broker, play)| is_bad(play) && self.brokers.iter().any(|own| own == broker));
        let gone =
            plays.filter(|(file, cell, ..)| is_gone(file, cell)).map(|(file, cell, ..)| (file.into(), cell.into()));
        let mut gone: Vec<CellKey> = gone.collect();
        gone.dedup();
        gone
    }

    fn tell_gone(&self, gone: &[CellKey]) {
        for (file, cell) in gone.iter().take(GONE_NAMED_MAX) {
            self.say(&format!("{cell} of {file} failed last time, and is not there any more"));
        }
        if gone.len() > GONE_NAMED_MAX {
            self.say(&format!("and {} more", gone.len() - GONE_NAMED_MAX));
        }
    }
}

fn is_bad(play: &LastPlay) -> bool {
    [Verdict::Failed, Verdict::Changed].iter().any(|bad| bad.as_str() == play.verdict)
}

/// Returns a short digest of names and times, by which runs on several machines see whether they share alike.
fn fingerprint(cells: &[Weighed]) -> String {
    let mut digest = Sha256::new();
    for cell in cells {
        digest.update(format!("{}\n{:?}\n", cell.name, cell.micros));
    }
    digest.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
