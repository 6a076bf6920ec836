//! Which cells are meant: files and folders loaded, then `--filter`, `--tag` and `--cell`.

use crate::cli::ExitCode;
use crate::cli::filter::Filter;
use crate::cli::load::{Loader, missing_path_help};
use crate::cli::named_cells::NamedCells;
use crate::cli::options::Selection;
use crate::cli::terminal::Terminal;
use crate::io::snapshots;
use crate::model::Cell;
use crate::report;
use crate::report::{SnapshotName, cell_stem};
use crate::source::{Code, Help, Problem, nearest_name};
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folder that is meant when none is named.
const SCENARIOS: &str = "scenarios";

/// What to do where nothing is yet.
const BEGIN: &str =
    "`rmqplay init` writes a first topology and scenario, or name the folder of your own: rmqplay run PATH";

/// One cell to play, and where its file lies.
#[derive(Debug, Clone)]
pub(crate) struct ToPlay {
    pub path: PathBuf,
    pub title: String,
    pub cell: Cell,
    /// The topology that it was made of: it lies in no file.
    pub made_of: Option<PathBuf>,
}

impl ToPlay {
    /// Returns the file that reports name.
    pub fn file(&self) -> String {
        let made_of = self.made_of.as_ref();
        made_of.map_or_else(|| self.cell.scenario.file.clone(), |topology| topology.display().to_string())
    }

    /// Returns what its snapshots are called by.
    pub fn snapshot_owner(&self) -> (&Path, &BTreeMap<String, String>, bool) {
        (&self.path, &self.cell.axes, !self.cell.scenario.snapshot.off)
    }

    /// Names the cell as reports do.
    pub fn name(&self) -> String {
        report::cell_name(&self.cell.scenario, &self.cell.axes)
    }
}

/// Loads all scenarios below the paths, or the cells that are named in their place; any problem ends the run before a cell is
/// played.
pub(crate) fn load_all(words: &[PathBuf], loader: &mut Loader, terminal: &Terminal) -> Result<Vec<ToPlay>, ExitCode> {
    let named = NamedCells::read(words);
    let paths = named.paths.as_slice();
    let found = snapshots::yaml_files(paths).map_err(|error| {
        let nothing_yet = *paths == [PathBuf::from(SCENARIOS)] && !Path::new(SCENARIOS).exists();
        let help = if nothing_yet { BEGIN.into() } else { missing_path_help(paths) };
        terminal.usage(&format!("{error}\n  help: {help}"));
        ExitCode::BadFile
    })?;
    if found.is_empty() {
        let places: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        terminal.error(&format!("there is no scenario in {}", places.join(", ")));
        return Err(ExitCode::Nothing);
    }
    let (mut cells, mut problems): (Vec<ToPlay>, Vec<Problem>) = Default::default();
    let loaded = loader.each(&found, Loader::scenario);
    for (path, (loaded, found)) in found.into_iter().zip(loaded) {
        problems.extend(found);
        for cell in loaded.into_iter().flat_map(|loaded| loaded.cells) {
            let title = cell.scenario.title.clone();
            cells.push(ToPlay { path: path.clone(), title, cell, made_of: None });
        }
    }
    if let Some(unknown) = loader.unknown_variable() {
        return Err(terminal.usage(&format!("--var: {unknown}")));
    }
    problems.extend(shared_snapshots(cells.iter().map(|one| (one.path.as_path(), &one.cell.axes))));
    let problems = report::distinct(problems, &loader.sources);
    match terminal.problems_of_files(&problems, &loader.sources) {
        ExitCode::Fine if cells.is_empty() => Err(ExitCode::Nothing),
        ExitCode::Fine => named.keep(cells, |one| (&one.path, &one.cell.axes)).map_err(|message| {
            terminal.error(&message);
            ExitCode::Nothing
        }),
        code => Err(code),
    }
}

/// Finds cells of two files that would keep their outcomes in one snapshot.
pub(crate) fn shared_snapshots<'c>(
    cells: impl Iterator<Item = (&'c Path, &'c BTreeMap<String, String>)>,
) -> Vec<Problem> {
    let mut owners: IndexMap<(Option<&Path>, String), &Path> = IndexMap::new();
    let mut problems = Vec::new();
    for (path, axes) in cells {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = SnapshotName::base(&cell_stem(&stem, axes)).to_string();
        // What looks like an overlay of another one's is its.
        let cell = SnapshotName::parse(&name).map_or(name.clone(), |name| name.cell);
        let owner = *owners.entry((path.parent(), cell)).or_insert(path);
        if owner != path {
            let (owner, other) = (owner.display(), path.display());
            let message = format!("{owner} and {other} would keep their outcomes in one snapshot, {name}");
            problems.push(Problem::new(Code::FileSharedSnapshot, message).help("give one of the files another name"));
        }
    }
    problems
}

/// Tells which cells are meant.
pub(crate) struct CellFilter<'w> {
    wanted: &'w Selection,
    filter: Option<Filter>,
}

impl<'w> CellFilter<'w> {
    /// Reads what is wanted; an expression that cannot be read is a usage error.
    pub fn of(wanted: &'w Selection, terminal: &Terminal) -> Result<Self, ExitCode> {
        let filter = wanted.filter.as_deref().map(Filter::parse).transpose();
        let filter = filter.map_err(|message| terminal.usage(&message))?;
        Ok(Self { wanted, filter })
    }

    /// Returns whether a cell of this name is meant.
    pub fn fits(&self, name: &str, cell: &Cell) -> bool {
        let wanted = self.wanted;
        self.filter.as_ref().is_none_or(|filter| filter.fits(name, cell))
            && (wanted.tags.is_empty() || wanted.tags.iter().any(|tag| cell.scenario.tags.contains(tag)))
            && (wanted.cells.is_empty() || wanted.cells.iter().any(|called| is_called(cell, name, called)))
    }
}

/// Keeps the cells that are meant.
pub(crate) fn select(cells: Vec<ToPlay>, wanted: &Selection, terminal: &Terminal) -> Result<Vec<ToPlay>, ExitCode> {
    let filter = CellFilter::of(wanted, terminal)?;
    let (meant, others): (Vec<ToPlay>, Vec<ToPlay>) =
        cells.into_iter().partition(|one| filter.fits(&one.name(), &one.cell));
    if meant.is_empty() {
        terminal.error(&nothing_fits(wanted, &others));
        return Err(ExitCode::Nothing);
    }
    Ok(meant)
}

/// Returns whether `wanted` is the cell's name, or a choice of its axes: `queue_type=quorum`.
fn is_called(cell: &Cell, name: &str, wanted: &str) -> bool {
    let mut choices = wanted.split(',').map(|choice| choice.split_once('='));
    let chosen = |(axis, value): (&str, &str)| cell.axes.get(axis.trim()).is_some_and(|own| own == value.trim());
    name == wanted || choices.all(|choice| choice.is_some_and(chosen))
}

/// Returns what was wanted and what there is.
fn nothing_fits(wanted: &Selection, cells: &[ToPlay]) -> String {
    let mut tags: Vec<&str> = cells.iter().flat_map(|one| &one.cell.scenario.tags).map(String::as_str).collect();
    tags.sort_unstable();
    tags.dedup();
    let names: Vec<String> = cells.iter().map(ToPlay::name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (what, there) = match (&wanted.filter, &*wanted.tags, &*wanted.cells) {
        (None, [_, ..], []) => (format!("has the tag {}", wanted.tags.join(" or ")), tags),
        (None, [], [_, ..]) => (format!("is called {}", wanted.cells.join(" or ")), names),
        (Some(filter), [], []) => (format!("fits --filter '{filter}'"), names),
        _ => ("fits all of --filter, --tag and --cell".to_owned(), names),
    };
    let single = match (&wanted.filter, &*wanted.tags, &*wanted.cells) {
        (None, [one], []) | (None, [], [one]) => Some(one.as_str()),
        (Some(filter), [], []) => Some(filter.as_str()),
        _ => None,
    };
    let near = single.and_then(|one| nearest_name(one, there.iter().copied()));
    let near = near.map_or_else(String::new, |near| format!("; {}", Help::did_you_mean(near)));
    let more = there.len().saturating_sub(12);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let there: Vec<&str> = there.into_iter().take(12).collect();
    format!("no cell {what}; there are: {}{more}{near}", there.join(", "))
}
