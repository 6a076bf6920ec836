//! The names of types: one name for one thing, and docs that say what a type is.

use std::collections::BTreeMap;

/// Lists the types that a text defines, as `(line, name, is public, first line of its docs)`.
pub fn types_in(text: &str) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    let mut docs = String::new();
    for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim_start())) {
        if let Some(doc) = line.strip_prefix("///") {
            if docs.is_empty() {
                docs = doc.trim().to_owned();
            }
            continue;
        }
        if line.starts_with("#[") {
            continue;
        }
        if let Some(name) = type_name(line) {
            found.push((number, name.to_owned(), std::mem::take(&mut docs)));
        }
        docs.clear();
    }
    found
}

/// Returns the name of the type that a line begins to define; associated types are none.
fn type_name(line: &str) -> Option<&str> {
    let line = match line.strip_prefix("pub") {
        Some(rest) => {
            rest.strip_prefix("(crate)").or_else(|| rest.strip_prefix("(super)")).unwrap_or(rest).trim_start()
        }
        None => line,
    };
    let rest = ["struct ", "enum ", "trait ", "union "].iter().find_map(|word| line.strip_prefix(word))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())
}

/// Groups places by name and keeps those with more than one.
pub fn doubles(types: &[(String, String)]) -> BTreeMap<&str, Vec<&str>> {
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, place) in types {
        places.entry(name).or_default().push(place);
    }
    places.retain(|_, places| places.len() > 1);
    places
}
