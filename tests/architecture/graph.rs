//! The graph of source files: who imports whom, re-exports followed to the file that defines a name.
//! Takes texts with their paths; returns the circles. Never reads a file.

use std::collections::{BTreeMap, BTreeSet};

/// A source file: its module path below the crate, and the code without comments and without its tests.
pub struct Source {
    pub module: Vec<String>,
    pub code: String,
}

/// The imports among files, by the files' module paths (`player::driver::steps`).
#[derive(Default)]
pub struct Graph {
    uses: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// Builds the graph; faces (`mod.rs`) are no files of it: what they re-export counts for where it is defined.
    pub fn new(files: &[Source], faces: &[Source]) -> Self {
        let modules: BTreeSet<Vec<String>> = files.iter().map(|file| file.module.clone()).collect();
        let exported = exports(faces);
        let mut graph = Self::default();
        for file in files {
            let uses = graph.uses.entry(file.module.join("::")).or_default();
            for path in crate_paths(&file.code) {
                let found = defining_module(&path, &modules, &exported);
                uses.extend(found.filter(|found| *found != file.module).map(|found| found.join("::")));
            }
        }
        graph
    }

    /// Returns the circles: groups of files of which each reaches each other one, largest first.
    pub fn circles(&self) -> Vec<BTreeSet<String>> {
        let reached: BTreeMap<&String, BTreeSet<&String>> =
            self.uses.keys().map(|from| (from, self.reached_from(from))).collect();
        let mut circles: Vec<BTreeSet<String>> = Vec::new();
        for from in self.uses.keys() {
            if circles.iter().any(|circle| circle.contains(from)) {
                continue;
            }
            let both = |to: &&&String| reached[**to].contains(from);
            let circle: BTreeSet<String> = reached[from].iter().filter(both).map(|to| (*to).clone()).collect();
            if circle.len() > 1 {
                circles.push(circle);
            }
        }
        circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
        circles
    }

    fn reached_from<'a>(&'a self, from: &'a String) -> BTreeSet<&'a String> {
        let (mut reached, mut todo) = (BTreeSet::new(), vec![from]);
        while let Some(one) = todo.pop() {
            for next in self.uses.get(one).into_iter().flatten() {
                if reached.insert(next) {
                    todo.push(next);
                }
            }
        }
        reached
    }
}

/// Maps each name that a face re-exports (`sim::Sim`) to where it comes from (`sim::broker::Sim`).
fn exports(faces: &[Source]) -> BTreeMap<Vec<String>, Vec<String>> {
    let mut exported = BTreeMap::new();
    for face in faces {
        for tree in face.code.split(';').filter_map(|item| item.trim().strip_prefix("pub").map(str::trim)) {
            let Some(tree) = tree.strip_prefix("(crate)").unwrap_or(tree).trim().strip_prefix("use ") else { continue };
            for path in expanded(tree) {
                let path = match path.first().map(String::as_str) {
                    Some("crate") => path[1..].to_vec(),
                    _ => face.module.iter().cloned().chain(path).collect(),
                };
                let name = path.last().cloned().unwrap_or_default();
                exported.insert(face.module.iter().cloned().chain([name]).collect(), path);
            }
        }
    }
    exported
}

fn defining_module(
    path: &[String],
    modules: &BTreeSet<Vec<String>>,
    exported: &BTreeMap<Vec<String>, Vec<String>>,
) -> Option<Vec<String>> {
    let mut path = path.to_vec();
    for _ in 0..8 {
        let known = (1..=path.len()).rev().map(|length| &path[..length]).find(|part| modules.contains(*part));
        if let Some(known) = known {
            return Some(known.to_vec());
        }
        let (length, to) = (1..=path.len()).find_map(|length| Some((length, exported.get(&path[..length])?)))?;
        path = to.iter().chain(&path[length..]).cloned().collect();
    }
    None
}

/// Lists the paths below `crate::` that code names, braces expanded.
pub fn crate_paths(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        if before.is_alphanumeric() || before == '_' {
            continue;
        }
        paths.extend(expanded(tree_at(&code[at + "crate::".len()..])));
    }
    paths
}

/// Cuts the path or tree of paths that a text begins with.
fn tree_at(text: &str) -> &str {
    let mut depth = 0;
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    for (at, c) in text.char_indices() {
        match c {
            '{' if text[..at].is_empty() || text[..at].ends_with("::") || depth > 0 => depth += 1,
            '}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    return &text[..=at];
                }
            }
            _ if depth > 0 || is_part(c) => {}
            _ => return &text[..at],
        }
    }
    text
}

/// Expands `a::{b, c::D}` to its paths; aliases are dropped.
fn expanded(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    if let Some((head, inside)) = tree.split_once('{') {
        let head: Vec<String> =
            head.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let inside = inside.strip_suffix('}').unwrap_or(inside);
        let mut paths = Vec::new();
        for part in top_level_parts(inside) {
            paths.extend(expanded(part).into_iter().map(|path| [head.clone(), path].concat()));
        }
        return paths;
    }
    let path = tree.split(" as ").next().unwrap_or(tree);
    let parts = path.split("::").map(str::trim).filter(|part| !part.is_empty() && *part != "self" && *part != "*");
    let parts: Vec<String> = parts.map(str::to_owned).collect();
    Vec::from_iter((!tree.is_empty()).then_some(parts))
}

fn top_level_parts(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0, 0);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[from..]);
    parts
}
