//! What `check` says of the files for one of two versions and not for the other: refused, denied, another default.

use crate::cli::load::Loader;
use crate::cli::select::ToPlay;
use crate::model::Profile;
use crate::report::{ComparedStep, Sameness, VersionFindings};
use crate::source::Problem;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Adds to each step what `check` says for one of its versions only, of the files of the cells that were compared.
pub(crate) fn add(steps: &mut [ComparedStep], loader: &Loader, cells: &[ToPlay]) {
    let mut said: BTreeMap<Profile, VersionFindings> = BTreeMap::new();
    for profile in steps.iter().flat_map(|step| [step.from.profile, step.to.profile]) {
        said.entry(profile).or_insert_with(|| findings(profile, loader, cells));
    }
    for step in steps.iter_mut().filter(|step| step.from.profile != step.to.profile) {
        let left_out = left_out(step);
        let (from, to) = (&said[&step.from.profile], &said[&step.to.profile]);
        step.findings = from.apart(to, |file| left_out.contains(file));
    }
}

/// Lists the scenarios of which no cell was compared: they may not be for one of the versions.
fn left_out(step: &ComparedStep) -> BTreeSet<String> {
    let compared = |file: &str| {
        let mut of_file = step.cells.iter().filter(|cell| cell.file == file);
        of_file.any(|cell| !matches!(cell.sameness, Sameness::NotCompared(_)))
    };
    step.cells.iter().map(|cell| cell.file.clone()).filter(|file| !compared(file)).collect()
}

/// Checks the scenarios and the files that they include for one version.
fn findings(profile: Profile, loader: &Loader, cells: &[ToPlay]) -> VersionFindings {
    let of = |one: &ToPlay| one.made_of.clone().unwrap_or_else(|| one.path.clone());
    let mut files: BTreeSet<PathBuf> = cells.iter().map(of).collect();
    let made: BTreeSet<&Path> =
        cells.iter().filter(|one| one.made_of.is_some()).map(|one| one.path.as_path()).collect();
    files.extend(loader.files().filter(|path| is_declaring(path) && !made.contains(path.as_path())));
    let files: Vec<PathBuf> = files.into_iter().collect();
    let mut loader = loader.clone().judging_for(&[profile]);
    let problems: Vec<Problem> = loader.each(&files, Loader::check).concat();
    VersionFindings::new(&problems, &loader.sources)
}

/// Returns whether a file that was loaded may hold a topology.
fn is_declaring(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml" || ending == "json")
}
