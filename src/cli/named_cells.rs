//! Cells named in the place of a file, as runs print them: `ttl-dlq [queue_type=quorum]`.
//! Takes the words of a command, also such a name that a shell took apart; gives paths, and which cells are meant of some.

use crate::io::snapshots;
use crate::report::cell_stem;
use crate::source::{Help, nearest_name};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The folder of scenarios that are named without one.
const SCENARIOS: &str = "scenarios";

/// Files and folders, and the cells that are meant of some files.
#[derive(Debug, Default)]
pub(crate) struct NamedCells {
    pub paths: Vec<PathBuf>,
    /// The axes as they are printed, by file: of files that are not here all cells are meant.
    only: BTreeMap<PathBuf, Vec<String>>,
}

impl NamedCells {
    /// Reads the words of a command; what names no cell stays a path.
    pub fn read(words: &[PathBuf]) -> Self {
        let (mut named, mut whole) = (Self::default(), BTreeSet::new());
        let words = joined(words);
        for word in &words {
            let text = word.to_string_lossy();
            let (file, axes) = match text.strip_suffix(']').and_then(|text| text.split_once(" [")) {
                Some((file, axes)) => (PathBuf::from(file), Some(axes.to_owned())),
                None => (word.clone(), None),
            };
            let files = if word.exists() { Vec::new() } else { files_called(&file, &words) };
            if files.is_empty() {
                whole.insert(word.clone());
                named.paths.push(word.clone());
            }
            for file in files {
                match &axes {
                    Some(axes) => named.only.entry(file.clone()).or_default().push(axes.clone()),
                    None => drop(whole.insert(file.clone())),
                }
                if !named.paths.contains(&file) {
                    named.paths.push(file);
                }
            }
        }
        named.only.retain(|file, _| !whole.contains(file));
        named
    }

    /// Returns whether of some file only some cells are meant.
    pub fn is_partial(&self) -> bool {
        !self.only.is_empty()
    }

    /// Keeps the cells that are meant.
    ///
    /// # Errors
    /// A file has no cell of a name that was given.
    pub fn keep<T>(
        &self,
        cells: Vec<T>,
        of: impl Fn(&T) -> (&Path, &BTreeMap<String, String>),
    ) -> Result<Vec<T>, String> {
        for (file, wanted) in &self.only {
            let of_file = cells.iter().map(&of).filter(|(path, _)| path == file);
            let there: Vec<String> = of_file.map(|(_, axes)| axes_of(axes)).collect();
            for axes in wanted {
                if !there.iter().any(|known| is_same(known, axes)) {
                    return Err(no_cell(file, axes, &there));
                }
            }
        }
        let is_meant = |one: &T| {
            let (path, own) = of(one);
            self.only.get(path).is_none_or(|only| only.iter().any(|axes| is_same(axes, &axes_of(own))))
        };
        Ok(cells.into_iter().filter(is_meant).collect())
    }

    /// Returns whether a snapshot's cell is meant, of the file that it is of.
    pub fn means_snapshot(&self, file: &Path, cell: &str) -> bool {
        let Some(only) = self.only.get(file) else { return true };
        only.iter().any(|axes| {
            let axes = parts(axes).filter_map(|part| part.split_once('='));
            let axes: BTreeMap<String, String> = axes.map(|(axis, value)| (axis.into(), value.into())).collect();
            cell_stem(&snapshots::stem_of(file), &axes) == cell
        })
    }
}

/// Joins what a shell took apart at its spaces: `ttl-dlq` and `[queue_type=quorum]`.
fn joined(words: &[PathBuf]) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = Vec::new();
    for word in words {
        let text = word.to_string_lossy();
        let open = |last: &PathBuf| {
            let last = last.to_string_lossy();
            last.contains(" [") && !last.ends_with(']')
        };
        match all.last_mut() {
            Some(last) if (text.starts_with('[') || open(last)) && !word.exists() && !last.is_dir() => {
                *last = PathBuf::from(format!("{} {text}", last.to_string_lossy()));
            }
            _ => all.push(word.clone()),
        }
    }
    all
}

/// Finds the scenarios that are called by a name without an ending, or by their path.
fn files_called(name: &Path, words: &[PathBuf]) -> Vec<PathBuf> {
    if name.is_file() {
        return vec![name.to_owned()];
    }
    let has_folder = name.parent().is_some_and(|folder| !folder.as_os_str().is_empty());
    if has_folder {
        let endings = ["yaml", "yml"].map(|ending| PathBuf::from(format!("{}.{ending}", name.display())));
        return endings.into_iter().find(|path| path.is_file()).into_iter().collect();
    }
    let folders = words.iter().filter(|word| word.is_dir()).cloned();
    let usual = Some(PathBuf::from(SCENARIOS)).filter(|folder| folder.is_dir());
    let mut folders: Vec<PathBuf> = folders.chain(usual).collect();
    folders.dedup();
    let files = snapshots::yaml_files(&folders).unwrap_or_default().into_iter();
    let here = ["yaml", "yml"].map(|ending| PathBuf::from(format!("{}.{ending}", name.display())));
    let here = here.into_iter().filter(|path| path.is_file());
    let is_called = |file: &PathBuf| file.file_stem() == Some(name.as_os_str());
    here.chain(files.filter(is_called)).collect()
}

fn axes_of(axes: &BTreeMap<String, String>) -> String {
    let axes: Vec<String> = axes.iter().map(|(axis, value)| format!("{axis}={value}")).collect();
    axes.join(", ")
}

fn parts(axes: &str) -> impl Iterator<Item = &str> {
    axes.split(',').map(str::trim)
}

fn is_same(one: &str, other: &str) -> bool {
    parts(one).eq(parts(other))
}

fn no_cell(file: &Path, axes: &str, there: &[String]) -> String {
    let stem = snapshots::stem_of(file);
    let names: Vec<String> = there.iter().filter(|it| !it.is_empty()).map(|it| format!("{stem} [{it}]")).collect();
    let wanted = format!("{stem} [{axes}]");
    let near = nearest_name(&wanted, names.iter().map(String::as_str));
    let near = near.map_or_else(String::new, |near| format!("; {}", Help::did_you_mean(near)));
    match names.is_empty() {
        true => format!("no cell is called {wanted}: {} has one, {stem}", file.display()),
        false => format!("no cell is called {wanted}; in {} there are: {}{near}", file.display(), names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_took_apart_is_one_name_again() {
        let words = ["ttl", "[kind=quorum,", "mode=lazy]", "other"].map(PathBuf::from);
        let joined: Vec<PathBuf> = joined(&words);
        assert_eq!(joined, ["ttl [kind=quorum, mode=lazy]", "other"].map(PathBuf::from));
    }

    #[test]
    fn a_name_of_axes_means_the_snapshots_of_one_cell() {
        let file = PathBuf::from("scenarios/ttl.yaml");
        let only = BTreeMap::from([(file.clone(), vec!["kind=quorum, mode=a.b".to_owned()])]);
        let named = NamedCells { paths: vec![file.clone()], only };
        assert!(named.means_snapshot(&file, "ttl--kind=quorum--mode=a%2Eb"));
        assert!(!named.means_snapshot(&file, "ttl--kind=classic--mode=a%2Eb"));
        assert!(named.means_snapshot(Path::new("scenarios/other.yaml"), "other"));
    }
}
