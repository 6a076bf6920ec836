//! Finds scenarios, their snapshots and what is pending beside them; writes and removes those files.
//! Compares nothing, and overwrites nothing that changed since it was read.

use crate::io::files::{list_yaml, make_atomically, read_file, why, write_atomically};
use std::io;
use std::path::{Path, PathBuf};

/// Lists the files that some paths mean: files as they are, folders with all YAML and JSON below; each once.
pub fn yaml_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut seen: std::collections::BTreeSet<PathBuf> = Default::default();
    for path in paths {
        // `a.yaml`, `./a.yaml` and the folder's own are one file; a single path cannot name one twice.
        let mut once =
            |file: &PathBuf| paths.len() == 1 || seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone()));
        found.extend(list_yaml(path)?.into_iter().filter(|file| once(file)));
    }
    Ok(found)
}

/// Returns the folder of a scenario's snapshots.
pub fn folder_of(scenario: &Path) -> PathBuf {
    scenario.parent().unwrap_or(Path::new("")).join("snapshots")
}

/// Returns a scenario's name without its ending.
pub fn stem_of(scenario: &Path) -> String {
    scenario.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Lists the names in a folder, sorted; a folder that is not there has none.
///
/// # Errors
/// The folder is there and cannot be read.
pub fn names_in(folder: &Path) -> Result<Vec<String>, String> {
    let failed = |error: io::Error| format!("cannot read {}: {}", folder.display(), why(&error));
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(failed)?,
    };
    let names = entries.map(|entry| Ok(entry.map_err(failed)?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<Result<Vec<String>, String>>()?;
    names.sort();
    Ok(names)
}

/// Reads a snapshot with the line ends of this program.
pub fn read(path: &Path) -> Result<String, String> {
    let text = read_file(path)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(if text.contains('\r') { text.replace("\r\n", "\n") } else { text.to_owned() })
}

/// Reads a snapshot that may not be there.
pub fn read_if_there(path: &Path) -> Result<Option<String>, String> {
    if path.symlink_metadata().is_err() { Ok(None) } else { read(path).map(Some) }
}

/// Why a snapshot or a pending outcome was not written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unwritten {
    /// Another run wrote the file meanwhile, with another outcome.
    Overtaken(PathBuf),
    /// The disk does not take it: a sentence that says which file and why.
    Failed(String),
}

impl std::fmt::Display for Unwritten {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Overtaken(path) => write!(
                f,
                "another run wrote {} meanwhile, with another outcome: nothing was overwritten; run again",
                path.display()
            ),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

/// Writes a file that held `before` when it was last read (`None`: it was not there).
///
/// # Errors
/// It holds something else now, for another run was here; or it cannot be written.
pub fn replace(path: &Path, before: Option<&str>, text: &str) -> Result<(), Unwritten> {
    let overtaken = || Err(Unwritten::Overtaken(path.to_owned()));
    let now = read_if_there(path).map_err(Unwritten::Failed)?;
    match (now.as_deref(), before) {
        (Some(now), _) if now == text => Ok(()),
        (None, None) => match make_atomically(path, text).map_err(Unwritten::Failed)? {
            true => Ok(()),
            // Between our look and our writing somebody made it.
            false if read(path).map_err(Unwritten::Failed)? == text => Ok(()),
            false => overtaken(),
        },
        (now, before) if now == before => write_atomically(path, text).map_err(Unwritten::Failed),
        _ => overtaken(),
    }
}

/// Makes a pending outcome, which says `text` as a snapshot, that snapshot; gives its path.
pub fn accept(pending: &Path, text: &str) -> Result<PathBuf, String> {
    let snapshot = pending.with_extension("");
    write_atomically(&snapshot, text)?;
    match std::fs::remove_file(pending) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(format!("cannot accept {}: {}", pending.display(), why(&error)))
        }
        _ => Ok(snapshot),
    }
}

/// Removes a pending outcome; one that is gone already is as good.
pub fn reject(pending: &Path) -> Result<(), String> {
    match std::fs::remove_file(pending) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(format!("cannot reject {}: {}", pending.display(), why(&error)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_run_wrote_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("snapshots/a.snap.new");
        assert_eq!(replace(&path, None, "mine"), Ok(()));
        assert_eq!(replace(&path, None, "mine"), Ok(()), "the same outcome is no quarrel");
        let quarrel = replace(&path, None, "another").expect_err("it was not there when the run began");
        assert_eq!(quarrel, Unwritten::Overtaken(path.clone()));
        assert_eq!(replace(&path, Some("mine"), "another"), Ok(()));
        assert_eq!(read(&path).as_deref(), Ok("another"));
    }

    #[test]
    fn of_many_runs_that_make_a_snapshot_one_wins_and_the_others_hear_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.snap.new");
        let texts: Vec<String> = (0..8).map(|n| format!("outcome {n}")).collect();
        let ended: Vec<Result<(), Unwritten>> = std::thread::scope(|scope| {
            let begun: Vec<_> = texts.iter().map(|text| scope.spawn(|| replace(&path, None, text))).collect();
            begun.into_iter().map(|run| run.join().expect("a run")).collect()
        });
        let kept = read(&path).expect("one wrote it");
        for (text, ended) in texts.iter().zip(&ended) {
            assert_eq!(ended.is_ok(), *text == kept, "{text}: {ended:?}");
        }
    }
}
