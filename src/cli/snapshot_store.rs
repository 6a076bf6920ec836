//! The snapshots of a run: read and checked before the first cell plays, compared after each, written at the end.
//! Writes pending outcomes; a snapshot only when `--snapshots accept` says so.

use crate::cli::arguments::Snapshots;
use crate::cli::select::ToPlay;
use crate::cli::terminal::in_ci;
use crate::io::snapshots::{self, Unwritten};
use crate::model::{Version, by_number};
use crate::player::{RunResult, Verdict, versions_of};
use crate::report;
use crate::report::{CellReport, Comparison, Present, SnapshotChanges, SnapshotName, Waits};
use crate::source::{Code, Problem, Sources, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What the snapshots of all cells said when the run began.
pub(crate) struct SnapshotStore {
    pub mode: Snapshots,
    cells: Vec<CellFiles>,
}

/// What lay in the folder for one cell.
struct CellFiles {
    folder: PathBuf,
    /// As the files name it.
    stem: String,
    present: Present,
    /// Whole texts of snapshots and pending files.
    texts: BTreeMap<String, String>,
    /// The versions of pending files, by file.
    waiting: BTreeMap<String, Version>,
    /// The known versions that the scenario can be played on.
    fitting: Vec<Version>,
}

/// The names of snapshots and pending outcomes by folder and cell: each folder is looked at once.
#[derive(Default)]
pub(crate) struct SnapshotFolders(Mutex<BTreeMap<PathBuf, Arc<NamesOfCells>>>);

/// The files of each cell.
type NamesOfCells = BTreeMap<String, Vec<SnapshotName>>;

impl SnapshotFolders {
    /// Returns what is in a folder; that it cannot be read is a problem of who asks first.
    fn names_in(&self, folder: &Path, problems: &mut Vec<Problem>) -> Arc<NamesOfCells> {
        let mut folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = folders.get(folder) {
            return known.clone();
        }
        let names = snapshots::names_in(folder).unwrap_or_else(|error| {
            problems.push(unreadable(error));
            Vec::new()
        });
        let mut of_cells = NamesOfCells::default();
        for name in names.iter().filter_map(|name| SnapshotName::parse(name)) {
            of_cells.entry(name.cell.clone()).or_default().push(name);
        }
        let of_cells = Arc::new(of_cells);
        folders.insert(folder.to_owned(), of_cells.clone());
        of_cells
    }
}

/// What the end of a run left to say.
#[derive(Default)]
pub(crate) struct Settled {
    /// Files that wait for a review, or became snapshots.
    pub written: Vec<PathBuf>,
    /// What they change for versions that were not played.
    pub words: Vec<String>,
    pub errors: BTreeSet<Unwritten>,
}

/// Returns what becomes of outcomes when nobody says.
pub(crate) fn mode_of(asked: Option<Snapshots>) -> Snapshots {
    asked.unwrap_or(if in_ci() { Snapshots::Check } else { Snapshots::Pending })
}

impl SnapshotStore {
    /// Reads all snapshots of the cells; a file that cannot be read, or no longer is a snapshot, is a problem.
    pub fn read(cells: &[ToPlay], mode: Snapshots, sources: &mut Sources) -> (Self, Vec<Problem>) {
        Self::read_in(&SnapshotFolders::default(), cells, mode, sources)
    }

    /// The same, with folders that are looked at once for several calls.
    pub fn read_in(
        folders: &SnapshotFolders,
        cells: &[ToPlay],
        mode: Snapshots,
        sources: &mut Sources,
    ) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut read = Vec::with_capacity(cells.len());
        for one in cells {
            let folder = snapshots::folder_of(&one.path);
            let names = folders.names_in(&folder, &mut problems);
            let mut files = CellFiles {
                stem: report::cell_stem(&snapshots::stem_of(&one.path), &one.cell.axes),
                folder,
                present: Present::default(),
                texts: BTreeMap::new(),
                waiting: BTreeMap::new(),
                fitting: versions_of(&one.cell.scenario),
            };
            if !one.cell.scenario.snapshot.off {
                let ours = names.get(&files.stem).into_iter().flatten();
                ours.for_each(|name| problems.extend(files.take(name, sources)));
            }
            read.push(files);
        }
        (Self { mode, cells: read }, problems)
    }

    /// Joins what was read of further cells behind these.
    pub fn append(&mut self, other: Self) {
        self.cells.extend(other.cells);
    }

    /// Returns whether an outcome of some cell waits for a review.
    pub fn has_waiting(&self) -> bool {
        self.cells.iter().any(|files| files.texts.keys().any(|name| name.ends_with(".new")))
    }

    /// Keeps nothing: no snapshot is read, and no outcome is judged by one.
    pub fn unread() -> Self {
        Self::none(Snapshots::Check)
    }

    /// Holds no cell yet.
    pub fn none(mode: Snapshots) -> Self {
        Self { mode, cells: Vec::new() }
    }

    /// Judges a run, and its outcome against the snapshot; gives the outcome as a snapshot holds it.
    pub fn judge(
        &self,
        index: usize,
        one: &ToPlay,
        played: &RunResult,
        version: Version,
    ) -> (Verdict, Option<String>, Option<String>) {
        let (true, Some(outcome)) = (played.failures.is_empty(), &played.outcome) else {
            return (Verdict::Failed, None, None);
        };
        let scenario = &one.cell.scenario;
        if scenario.snapshot.off {
            return (Verdict::Passed, None, None);
        }
        let body = report::body(outcome, scenario);
        let Some(files) = self.cells.get(index) else { return (Verdict::Passed, None, Some(body)) };
        let name = report::snapshot_for(&files.stem, version, files.present.kept.keys().map(String::as_str));
        let (verdict, words) = match report::compare(name.as_ref().map(|name| &*files.present.kept[name]), &body) {
            Comparison::Same => (Verdict::Passed, None),
            Comparison::Missing => match self.mode {
                Snapshots::Check => (Verdict::New, Some("no snapshot yet, and none is written".to_owned())),
                Snapshots::Pending => (Verdict::New, Some("no snapshot yet".to_owned())),
                Snapshots::Accept => (Verdict::Passed, Some("no snapshot yet: this outcome becomes it".to_owned())),
            },
            Comparison::Different(_) if self.mode == Snapshots::Accept => {
                (Verdict::Passed, Some("the outcome changed, and becomes the snapshot".to_owned()))
            }
            Comparison::Different(difference) => {
                let name = name.unwrap_or_default();
                (Verdict::Changed, Some(format!("the outcome differs from snapshots/{name}:\n{difference}")))
            }
        };
        (verdict, words, Some(body))
    }

    /// Writes what the outcomes of a run ask for; reports that contradict another broker of the same version change.
    pub fn settle(&self, cells: &[ToPlay], reports: &mut [CellReport]) -> Settled {
        let mut settled = Settled::default();
        let mut of_cell: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, report) in reports.iter().enumerate().filter(|(_, report)| report.body.is_some()) {
            of_cell.entry(report.cell).or_default().push(at);
        }
        for (cell, places) in of_cell {
            let files = &self.cells[cell];
            let asked = {
                let outcome = |at: &usize| {
                    let report = &reports[*at];
                    report::OutcomeOnVersion {
                        version: report.version,
                        body: report.body.as_deref().unwrap_or_default(),
                    }
                };
                let outcomes: Vec<report::OutcomeOnVersion<'_>> = places.iter().map(outcome).collect();
                report::pending(&files.stem, &files.fitting, &files.present, &outcomes)
            };
            for (at, other) in &asked.contradicting {
                contradict(reports, places[*at], places[*other]);
            }
            if self.mode == Snapshots::Check {
                continue;
            }
            let versions: BTreeSet<Version> = places.iter().map(|at| reports[*at].version).collect();
            settled.words.extend(asked.reaching.iter().map(|(name, versions)| reaching_in_words(name, versions)));
            for (name, (version, body)) in &asked.files {
                let waits = Waits::new(*version, files.present.kept.get(name).map(String::as_str));
                let waits = Some(&waits).filter(|_| self.mode != Snapshots::Accept);
                let text = report::whole_file(&cells[cell].cell.scenario, body, waits);
                match files.write(name, &text, self.mode) {
                    Ok(path) => settled.written.push(path),
                    Err(error) => _ = settled.errors.insert(error),
                }
            }
            settled.errors.extend(files.drop_settled(&versions, &asked, self.mode));
        }
        settled
    }
}

/// Returns which versions an overlay changes that were not played.
fn reaching_in_words(name: &str, versions: &[Version]) -> String {
    let names: Vec<String> = versions.iter().map(Version::to_string).collect();
    let names = match names.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => names.concat(),
    };
    let brokers: Vec<String> = versions.iter().map(|version| format!("--broker sim:{version}")).collect();
    format!(
        "{name} holds for {} too, which read another snapshot and {} not played: add {}",
        names,
        by_number(versions.len(), "was", "were"),
        brokers.join(" ")
    )
}

/// Reports that two brokers of one version gave different outcomes for the same file.
fn contradict(reports: &mut [CellReport], at: usize, other: usize) {
    let first = &reports[other];
    let (kept, now) = (first.body.clone().unwrap_or_default(), reports[at].body.clone().unwrap_or_default());
    let difference = report::difference(&kept, &now);
    let words = format!("the outcome differs from that on {}, of the same version:\n{difference}", first.broker);
    reports[at].verdict = Verdict::Changed;
    reports[at].snapshot_words = Some(words);
}

impl CellFiles {
    /// Reads one file of the cell.
    fn take(&mut self, name: &SnapshotName, sources: &mut Sources) -> Option<Problem> {
        let name_text = name.to_string();
        let path = self.folder.join(&name_text);
        let text = match snapshots::read(&path) {
            Ok(text) => text,
            Err(error) => return Some(unreadable(error)),
        };
        // What waits is read again by the review, which says what is wrong with it.
        let problem = match name.pending {
            true => self.note_waiting(name, &name_text, &text),
            false => self.keep(&name_text, &path, &text, sources),
        };
        self.texts.insert(name_text, text);
        problem
    }

    fn note_waiting(&mut self, name: &SnapshotName, name_text: &str, text: &str) -> Option<Problem> {
        let file = report::read_snapshot(text).ok()?;
        let version = file.waits?.version;
        self.waiting.insert(name_text.to_owned(), version);
        if name.upto.is_none() {
            self.present.waiting_base = Some((version, file.body));
        }
        None
    }

    fn keep(&mut self, name: &str, path: &Path, text: &str, sources: &mut Sources) -> Option<Problem> {
        match report::read_snapshot(text) {
            Ok(file) => {
                self.present.kept.insert(name.to_owned(), file.body);
                None
            }
            Err(broken) => Some(problem_of(&broken, path, text, sources)),
        }
    }

    /// Writes an outcome where the mode wants it.
    fn write(&self, name: &str, text: &str, mode: Snapshots) -> Result<PathBuf, Unwritten> {
        let name = if mode == Snapshots::Accept { name.to_owned() } else { format!("{name}.new") };
        let path = self.folder.join(&name);
        snapshots::replace(&path, self.texts.get(&name).map(String::as_str), text).map(|()| path)
    }

    /// Removes what waited for these versions before and is settled by now; what waits for another one stays.
    fn drop_settled(
        &self,
        versions: &BTreeSet<Version>,
        asked: &SnapshotChanges,
        mode: Snapshots,
    ) -> Option<Unwritten> {
        let spoken_for = |name: &str| match self.waiting.get(&format!("{name}.new")) {
            Some(version) => versions.contains(version),
            None => versions.iter().any(|version| {
                let read = report::snapshot_for(&self.stem, *version, self.present.kept.keys().map(String::as_str));
                read.as_deref() == Some(name) || SnapshotName::overlay(&self.stem, *version).to_string() == name
            }),
        };
        let settled = self.texts.keys().filter_map(|file| {
            let name = file.strip_suffix(".new")?;
            let again = asked.files.contains_key(name);
            (if again { mode == Snapshots::Accept } else { spoken_for(name) }).then_some(file)
        });
        settled.filter_map(|file| snapshots::reject(&self.folder.join(file)).err()).next().map(Unwritten::Failed)
    }
}

/// Draws what is wrong with a snapshot at its place.
pub(crate) fn problem_of(broken: &report::BrokenSnapshot, path: &Path, text: &str, sources: &mut Sources) -> Problem {
    let file = sources.add(path.to_string_lossy(), text);
    let problem = Problem::new(Code::SnapshotBroken, format!("this is no snapshot any more: {}", broken.message));
    problem.at(Span::new(file, broken.at.start, broken.at.end), broken.label).help(broken.help)
}

/// Makes a problem of a file that cannot be read.
fn unreadable(error: String) -> Problem {
    Problem::new(Code::SnapshotUnreadable, error).help("a snapshot that cannot be read is not taken for a missing one")
}

/// A cell as its snapshots are called by: path of the scenario, axes, and whether it has any.
pub(crate) type SnapshotOwner<'c> = (&'c Path, &'c BTreeMap<String, String>, bool);

/// Lists snapshots below the folders of some scenarios that no cell has. `all` are the cells as they were loaded.
pub(crate) fn unreferenced<'c>(all: impl Iterator<Item = SnapshotOwner<'c>>) -> Vec<PathBuf> {
    // Most folders of a large suite have none.
    let mut folders: BTreeMap<PathBuf, Option<BTreeMap<PathBuf, BTreeSet<String>>>> = BTreeMap::new();
    for (path, axes, has_snapshot) in all {
        let folder = snapshots::folder_of(path);
        let begin = || (!snapshots::names_in(&folder).unwrap_or_default().is_empty()).then(BTreeMap::new);
        let scenarios = folders.entry(folder.clone()).or_insert_with(begin);
        let Some(scenarios) = scenarios else { continue };
        let cells = scenarios.entry(path.to_owned()).or_default();
        if has_snapshot {
            cells.insert(report::cell_stem(&snapshots::stem_of(path), axes));
        }
    }
    let mut found = Vec::new();
    for (folder, scenarios) in folders.into_iter().filter_map(|(folder, scenarios)| Some((folder, scenarios?))) {
        let beside = folder.parent().filter(|beside| !beside.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let stems = snapshots::names_in(beside).unwrap_or_default();
        // Hidden ones (`.schema.json`) are no scenarios.
        let stems = stems.iter().filter(|name| !name.starts_with('.')).map(Path::new);
        let stems: Vec<String> = stems.filter(is_yaml).map(snapshots::stem_of).collect();
        let loaded: BTreeSet<String> = scenarios.keys().map(|path| snapshots::stem_of(path)).collect();
        let whole = stems.iter().all(|stem| loaded.contains(stem));
        let cells: BTreeSet<&String> = scenarios.values().flatten().collect();
        for name in snapshots::names_in(&folder).unwrap_or_default() {
            let Some(snapshot) = SnapshotName::parse(&name) else { continue };
            let owner = stems.iter().filter(|stem| snapshot.is_of(stem)).max_by_key(|stem| stem.len());
            let known = cells.contains(&snapshot.cell) || owner.is_some_and(|owner| !loaded.contains(owner));
            if !known && (whole || owner.is_some()) {
                found.push(folder.join(name));
            }
        }
    }
    found
}

fn is_yaml(path: &&Path) -> bool {
    path.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known))
}
