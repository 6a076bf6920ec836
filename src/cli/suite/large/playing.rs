//! The second pass over a large suite: tells the cells that were played ahead, reads the others again and plays them.
//! A file that is another one than it was when it was checked is told, and not played.

use crate::cli::load::Loader;
use crate::cli::run_reporter::RunReporter;
use crate::cli::suite::in_order::in_order;
use crate::cli::suite::large::cells::{CellEnd, LargeCell, LargeFile};
use crate::cli::suite::large::checking::to_play;
use crate::cli::suite::large::file_player::{FilePlayer, LoaderPool};
use std::collections::VecDeque;

/// The cells of one file: their places among all cells of the suite.
type CellRange = std::ops::Range<usize>;

/// Plays what was not played ahead, and tells the cells of the first broker as they end, then those of the others.
pub(super) fn play_rest(
    stage: &RunReporter<'_>,
    player: &FilePlayer<'_>,
    loader: &mut Loader,
    (files, cells): (&[LargeFile], &mut [LargeCell]),
    jobs: usize,
) {
    let Some(first) = player.brokers.first() else { return };
    stage.announce(&first.broker, false);
    let ranges = ranges_of(cells);
    let is_waiting = |cell: &LargeCell| matches!(cell.end, CellEnd::Unplayed);
    let waiting: Vec<Vec<u32>> = ranges
        .iter()
        .map(|range| cells[range.clone()].iter().filter(|cell| is_waiting(cell)).map(|cell| cell.place).collect())
        .collect();
    let file_of: Vec<usize> = ranges.iter().map(|range| cells[range.start].file as usize).collect();
    let pool = LoaderPool::new(loader, jobs);
    let play = |at: usize| -> VecDeque<CellEnd> {
        let (places, file) = (&waiting[at], &files[file_of[at]]);
        match places.is_empty() {
            true => VecDeque::new(),
            false => pool.with(|loader| play_file(player, loader, file, places)).unwrap_or_default(),
        }
    };
    let mut overtaken: Vec<usize> = Vec::new();
    // Where all were played ahead there is nothing to do at once.
    let jobs = if waiting.iter().all(Vec::is_empty) { 1 } else { jobs };
    in_order(ranges.len(), jobs, play, |at, mut ends| {
        for cell in &mut cells[ranges[at].clone()] {
            if is_waiting(cell) {
                cell.end = ends.pop_front().unwrap_or(CellEnd::Overtaken);
            }
            tell(stage, cell, 0, &first.broker);
        }
        if cells[ranges[at].clone()].iter().any(|cell| matches!(cell.end, CellEnd::Overtaken)) {
            overtaken.push(file_of[at]);
        }
        !stage.is_stopped()
    });
    pool.join(loader);
    for (number, broker) in player.brokers.iter().enumerate().skip(1).filter(|_| !stage.is_stopped()) {
        stage.announce(&broker.broker, false);
        cells.iter_mut().for_each(|cell| tell(stage, cell, number, &broker.broker));
    }
    for file in overtaken {
        let path = files[file].path.display();
        let message = format!("{path} changed since it was checked, and was not played");
        stage.error(&format!("error: {message}\n  help: run again"));
        stage.keep_error(None, message, Some("run again".to_owned()));
    }
}

/// Groups cells that lie beside each other by their file.
fn ranges_of(cells: &[LargeCell]) -> Vec<CellRange> {
    let mut start = 0;
    let groups = cells.chunk_by(|one, other| one.file == other.file).map(|group| {
        let range = start..start + group.len();
        start = range.end;
        range
    });
    groups.collect()
}

/// Reads a file again and plays some of its cells; none where it is another one now.
fn play_file(player: &FilePlayer<'_>, loader: &mut Loader, file: &LargeFile, places: &[u32]) -> VecDeque<CellEnd> {
    let held = loader.sources.held();
    let (loaded, _) = loader.scenario(&file.path);
    if loader.take_digest() != file.digest {
        loader.sources.forget_since(held);
        return VecDeque::new();
    }
    let mut ends = VecDeque::new();
    for (place, one) in to_play(&file.path, loaded).enumerate() {
        if places.contains(&(place as u32)) {
            let (keeping, _) = player.snapshots_of(&one, &mut loader.sources);
            ends.push_back(player.play(one, keeping, &loader.sources));
        }
    }
    if !ends.iter().any(|end| matches!(end, CellEnd::Told(_))) {
        loader.sources.forget_since(held);
    }
    ends
}

/// Writes the line of a cell on the broker of this number.
fn tell(stage: &RunReporter<'_>, cell: &mut LargeCell, number: usize, broker: &str) {
    match &mut cell.end {
        CellEnd::Passed(plays) => stage.emit_passed(&cell.name, broker, plays[number].took, plays[number].real()),
        CellEnd::Told(told) => {
            let notes = std::mem::take(&mut told.notes[number]);
            stage.emit_noted(&told.reports[number], notes);
        }
        CellEnd::Unplayed | CellEnd::Overtaken => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::{CliCommand, CommandLine, Snapshots};
    use crate::io::write_atomically;
    use crate::model::Profile;
    use clap::Parser as _;

    #[test]
    fn a_file_that_changed_since_it_was_checked_is_not_played() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.yaml");
        let write = |ready: u8| {
            let text = format!(
                "scenario: a\ntopology: {{queues: [{{name: q}}]}}\nsteps: [{{expect: {{queue: q, ready: {ready}}}}}]\nsnapshot: off\n"
            );
            write_atomically(&path, &text).expect("written");
        };
        write(0);
        let CliCommand::Run(command) = CommandLine::parse_from(["rmqplay", "run", "a.yaml"]).command else {
            panic!("it is a run");
        };
        let player = FilePlayer::new(&command, Snapshots::Check, &[Profile::NEWEST.into()]);
        let mut loader = Loader::new(&command.vars, None).expect("a loader").noting_digest();
        assert!(loader.scenario(&path).0.is_some());
        let file = LargeFile { path: path.clone(), digest: loader.take_digest() };
        let mut play = || play_file(&player, &mut loader, &file, &[0]);
        assert!(matches!(play().make_contiguous(), [CellEnd::Passed(_)]));
        write(1);
        assert!(play().is_empty());
        write(0);
        assert_eq!(play().len(), 1);
    }
}
