//! Finds scenarios, their snapshots and what is pending beside them.
//! Replaces a snapshot only when `accept` says so; compares nothing.

use super::list_yaml;
use std::path::{Path, PathBuf};

/// Lists the files that some paths mean: files as they are, folders with all YAML and JSON below.
pub fn yaml_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for path in paths {
        found.extend(list_yaml(path)?);
    }
    Ok(found)
}

/// Lists the names in a folder; a missing folder has none.
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Lists the pending outcomes of scenarios, or of all below folders.
pub fn pending_below(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for scenario in yaml_files(paths)? {
        let folder = scenario.parent().unwrap_or(Path::new("")).join("snapshots");
        let stem = scenario.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let ours = |name: &String| {
            let rest = name.strip_prefix(&stem).filter(|rest| rest.starts_with('.') || rest.starts_with("--"));
            rest.is_some_and(|rest| rest.ends_with(".snap.new"))
        };
        found.extend(names_in(&folder).into_iter().filter(ours).map(|name| folder.join(name)));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Makes a pending outcome the snapshot and gives its path.
pub fn accept(pending: &Path) -> Result<PathBuf, String> {
    let snapshot = pending.with_extension("");
    std::fs::rename(pending, &snapshot).map_err(|error| format!("cannot accept {}: {error}", pending.display()))?;
    Ok(snapshot)
}
