//! `complete`: what can be written at a place of a file.

use crate::language;
use crate::language::{FileKind, kind_of};
use crate::playground::checking::{byte_of, units};
use crate::playground::project::Request;
use serde_json::{Value as Json, json};

/// Lists what fits at `at` of `file`.
pub(super) fn complete(request: &Request) -> Result<Json, String> {
    let text = request.text(&request.file)?;
    let others = request.files.iter().filter(|(path, _)| **path != request.file);
    let others: Vec<(&String, &String)> = others.collect();
    let is_topology = |text: &str| kind_of(text.as_bytes()) == Some(FileKind::Topology);
    let topologies = others.iter().filter(|(_, text)| is_topology(text));
    let paths: Vec<String> = topologies.map(|(path, _)| from_folder_of(&request.file, path)).collect();
    let texts: Vec<&str> = others.iter().map(|(_, text)| text.as_str()).collect();
    let found = language::complete(text, byte_of(text, request.at), &texts, &paths);
    let candidates: Vec<Json> =
        found.candidates.iter().map(|one| json!({ "word": one.word, "note": one.note, "key": one.is_key })).collect();
    Ok(json!({ "from": units(text, found.from), "candidates": candidates }))
}

/// Writes a path as a file names it: `../topologies/orders.yaml`.
fn from_folder_of(file: &str, path: &str) -> String {
    let folders: Vec<&str> = file.split('/').rev().skip(1).collect::<Vec<_>>().into_iter().rev().collect();
    let parts: Vec<&str> = path.split('/').collect();
    let last = parts.len().saturating_sub(1);
    let shared = folders.iter().zip(&parts[..last]).take_while(|(one, other)| one == other).count();
    let up = std::iter::repeat_n("..", folders.len() - shared);
    up.chain(parts[shared..].iter().copied()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_from_the_folder_of_the_file() {
        assert_eq!(from_folder_of("scenarios/rte/audit.yaml", "topologies/rte.yaml"), "../../topologies/rte.yaml");
        assert_eq!(from_folder_of("scenario.yaml", "topology.yaml"), "topology.yaml");
        assert_eq!(from_folder_of("a/b.yaml", "a/c.yaml"), "c.yaml");
        assert_eq!(from_folder_of("a.yaml", "a/c.yaml"), "a/c.yaml");
    }
}
