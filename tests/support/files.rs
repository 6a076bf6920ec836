//! Files of the repository that tests read. A folder that holds fewer than expected fails, so that a move blinds no test.

use std::path::{Path, PathBuf};

/// Returns a path below the repository.
pub fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Lists the files below a folder, at any depth, that end in `.ending`; sorted.
///
/// # Panics
/// There are fewer than `least`.
pub fn below(folder: &str, ending: &str, least: usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    list(&root(folder), ending, &mut found);
    found.sort();
    assert!(found.len() >= least, "{folder} holds {} .{ending} files, not {least} or more", found.len());
    found
}

fn list(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            list(&path, ending, found);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
}
