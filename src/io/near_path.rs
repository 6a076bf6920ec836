//! The nearest path that is there, for one that is not.
//! Reads names of folders, never files; gives one path, or none.

use crate::source::nearest_name;
use std::path::{Path, PathBuf};

/// Folders in which a file may lie that was named alone.
const USUAL_FOLDERS: [&str; 2] = ["scenarios", "topologies"];

/// Finds the path that was likely meant: a near name in the same folder, in a folder of a near name, or the same name in
/// `scenarios` or `topologies`.
pub fn near_path(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let folder = path.parent().unwrap_or(Path::new(""));
    if let Some(found) = near_in(folder, name) {
        return Some(found);
    }
    if folder.as_os_str().is_empty() {
        let usual = USUAL_FOLDERS.iter().map(|usual| Path::new(usual).join(name));
        return usual
            .into_iter()
            .find(|path| path.exists())
            .or_else(|| USUAL_FOLDERS.iter().find_map(|usual| near_in(Path::new(usual), name)));
    }
    if folder.exists() {
        return None;
    }
    let meant = near_in(folder.parent().unwrap_or(Path::new("")), folder.file_name()?.to_str()?)?;
    let same = meant.join(name);
    if same.exists() { Some(same) } else { near_in(&meant, name).or(Some(meant)) }
}

fn near_in(folder: &Path, name: &str) -> Option<PathBuf> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let names = names_in(here)?;
    let shown = || names.iter().filter(|known| !known.starts_with('.')).map(String::as_str);
    let near = nearest_name(stem(name), shown().map(stem))?;
    // Of two that differ in their endings only, the same ending is meant.
    let mut of_stem = shown().filter(|known| stem(known) == near);
    let first = of_stem.clone().next()?;
    let found = of_stem.find(|known| known.len() - near.len() == name.len() - stem(name).len()).unwrap_or(first);
    Some(folder.join(found))
}

/// Lists the names in a folder, sorted; what cannot be read has none.
fn names_in(folder: &Path) -> Option<Vec<String>> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Some(names)
}

/// Returns a name without the ending of a file that is read here: all have one of the same few.
fn stem(name: &str) -> &str {
    [".yaml", ".yml", ".json"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_looked_for_in_near_folders_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |path: &str| folder.path().join(path);
        for path in ["scenarios/orders.yaml", "scenarios/.hidden.yaml", "other/x.yaml"] {
            std::fs::create_dir_all(at(path).parent().expect("a folder")).expect(path);
            std::fs::write(at(path), "x: 1\n").expect(path);
        }
        assert_eq!(near_path(&at("scenarios/order.yml")), Some(at("scenarios/orders.yaml")));
        assert_eq!(near_path(&at("scenaros/orders.yaml")), Some(at("scenarios/orders.yaml")));
        assert_eq!(near_path(&at("scenaros/nothing.yaml")), Some(at("scenarios")));
        assert_eq!(near_path(&at("scenarios/far-away.yaml")), None);
        assert_eq!(near_path(&at("scenarios/reader.yaml")), None);
    }
}
