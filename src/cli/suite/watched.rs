//! What `watch` looks at: scenarios, the files that each read, their snapshots, and what all of them go by.
//! Two looks tell which scenarios a change concerns. Reads no file but to load scenarios.

use crate::cli::load::Loader;
use crate::io::{BROKERS_FILE, FileStamp, snapshots};
use crate::report::SnapshotName;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The scenarios that are watched, with what each read when it was loaded.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    reads: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    /// Files of which each concerns all scenarios.
    common: Vec<PathBuf>,
}

/// How the files stood at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    /// The scenarios that were there, or why they cannot be listed.
    pub scenarios: Result<BTreeSet<PathBuf>, String>,
    stamps: BTreeMap<PathBuf, Option<FileStamp>>,
}

/// What is different between two looks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// The files that were written, made or removed.
    pub files: BTreeSet<PathBuf>,
    /// The scenarios that are concerned, and there.
    pub concerned: BTreeSet<PathBuf>,
    /// The scenarios that are no more.
    pub gone: BTreeSet<PathBuf>,
}

impl Watched {
    /// Watches files of variables beside the scenarios.
    pub fn new(vars_files: &[PathBuf]) -> Self {
        let common = [PathBuf::from(BROKERS_FILE)].into_iter().chain(vars_files.iter().cloned());
        Self { reads: BTreeMap::new(), common: common.collect() }
    }

    /// Finds out what scenarios read; one that is broken may name less than it did before.
    pub fn load(&mut self, scenarios: &BTreeSet<PathBuf>, mut loader: Loader) {
        for path in scenarios {
            loader.take_reads();
            // What is wrong with it is told when it is played.
            let (loaded, _) = loader.scenario(path);
            let mut reads = loader.take_reads();
            reads.insert(path.clone());
            if loaded.is_none() {
                reads.extend(self.reads.remove(path).unwrap_or_default());
            }
            self.reads.insert(path.clone(), reads);
        }
    }

    /// Forgets scenarios.
    pub fn forget(&mut self, gone: &BTreeSet<PathBuf>) {
        self.reads.retain(|path, _| !gone.contains(path));
    }

    /// Counts the files that scenarios read.
    pub fn files(&self) -> usize {
        self.reads.values().flatten().collect::<BTreeSet<_>>().len()
    }

    /// Looks at all there is below some paths.
    pub fn look(&self, paths: &[PathBuf]) -> Look {
        let scenarios: Result<BTreeSet<PathBuf>, String> =
            snapshots::yaml_files(paths).map(|found| found.into_iter().collect());
        let mut files: BTreeSet<PathBuf> = self.common.iter().cloned().collect();
        files.extend(scenarios.iter().flatten().cloned());
        files.extend(self.reads.values().flatten().cloned());
        let folders: BTreeSet<PathBuf> = scenarios.iter().flatten().map(|path| snapshots::folder_of(path)).collect();
        files.extend(folders.iter().flat_map(|folder| snapshots_in(folder)));
        let stamps = files.into_iter().map(|path| (path.clone(), FileStamp::of(&path))).collect();
        Look { scenarios, stamps }
    }

    /// Tells what a change from one look to another concerns.
    pub fn changes(&self, before: &Look, now: &Look) -> Changes {
        let files = before.stamps.keys().chain(now.stamps.keys());
        let stamp = |look: &Look, path: &PathBuf| look.stamps.get(path).copied().flatten();
        let files: BTreeSet<PathBuf> = files.filter(|path| stamp(before, path) != stamp(now, path)).cloned().collect();
        let there = || now.scenarios.iter().flatten();
        let all = self.common.iter().any(|path| files.contains(path));
        let concerned = there().filter(|path| all || self.concerns(path, &files)).cloned().collect();
        let gone = match &now.scenarios {
            Ok(there) => before.scenarios.iter().flatten().filter(|path| !there.contains(*path)).cloned().collect(),
            Err(_) => BTreeSet::new(),
        };
        Changes { files, concerned, gone }
    }

    fn concerns(&self, scenario: &Path, files: &BTreeSet<PathBuf>) -> bool {
        let folder = snapshots::folder_of(scenario);
        let stem = snapshots::stem_of(scenario);
        let is_its_snapshot = |file: &PathBuf| {
            let name = file.file_name().and_then(|name| SnapshotName::parse(&name.to_string_lossy()));
            file.parent() == Some(&folder) && name.is_some_and(|name| name.is_of(&stem))
        };
        match self.reads.get(scenario) {
            Some(reads) => files.iter().any(|file| reads.contains(file) || is_its_snapshot(file)),
            None => true,
        }
    }
}

impl Look {
    /// Takes over how snapshots stand in a later look: a run that accepts writes them itself.
    pub fn with_snapshots_of(mut self, later: Look) -> Self {
        let is_snapshot = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "snap");
        self.stamps.retain(|path, _| !is_snapshot(path));
        self.stamps.extend(later.stamps.into_iter().filter(|(path, _)| is_snapshot(path)));
        self
    }
}

/// Lists the snapshots of a folder; what waits for a review is written by runs themselves.
fn snapshots_in(folder: &Path) -> Vec<PathBuf> {
    let names = snapshots::names_in(folder).unwrap_or_default();
    names.iter().filter(|name| name.ends_with(".snap")).map(|name| folder.join(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Vars;
    use crate::io::write_atomically;

    #[test]
    fn a_change_concerns_who_read_the_file_or_has_the_snapshot() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |path: &str| folder.path().join(path);
        let write = |path: &str, text: &str| write_atomically(&at(path), text).expect("written");
        write("t.yaml", "queues: [{name: q}]\n");
        write("s/a.yaml", "scenario: a\ntopology: ../t.yaml\nsteps: []\n");
        write("s/b.yaml", "scenario: b\ntopology: {queues: [{name: q}]}\nsteps: []\n");
        write("s/snapshots/b.snap", "x\n");
        let (paths, none) = (vec![at("s")], Vars { vars: Vec::new(), vars_files: Vec::new() });
        let loader = || Loader::new(&none, None).expect("a loader").noting_reads();
        let mut watched = Watched::new(&[at("vars.yaml")]);
        let scenarios = watched.look(&paths).scenarios.expect("listed");
        watched.load(&scenarios, loader());
        assert_eq!(watched.files(), 3);
        let before = watched.look(&paths);
        let concerned = |before: &Look| {
            let changes = watched.changes(before, &watched.look(&paths));
            let stems = |paths: BTreeSet<PathBuf>| {
                paths.iter().map(|path| snapshots::stem_of(path)).collect::<Vec<_>>().concat()
            };
            (stems(changes.concerned), stems(changes.gone))
        };
        let told = |concerned: &str, gone: &str| (concerned.to_owned(), gone.to_owned());
        assert_eq!(concerned(&before), told("", ""));
        write("t.yaml", "queues: [{name: q}, {name: r}]\n");
        assert_eq!(concerned(&before), told("a", ""));
        let before = watched.look(&paths);
        write("s/snapshots/b.snap", "another\n");
        write("s/snapshots/a.snap.new", "waits\n");
        assert_eq!(concerned(&before), told("b", ""));
        let before = watched.look(&paths);
        write("s/c.yaml", "scenario: c\n");
        std::fs::remove_file(at("s/b.yaml")).expect("removed");
        assert_eq!(concerned(&before), told("c", "b"));
        let before = watched.look(&paths);
        write("vars.yaml", "n: 1\n");
        assert_eq!(concerned(&before), told("ac", ""));
    }
}
