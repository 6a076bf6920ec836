//! Which variables some files know: those they declare, their axes, and the names that their templates use.
//! Takes texts that were loaded; gives names, so that a misspelt `--var` is found. Says nothing of what is wrong in them.

use crate::language::check::suspicious::names_used;
use crate::language::decode::suggestions;
use crate::language::syntax::parse::parse;
use crate::source::{Help, Sources};
use std::collections::BTreeSet;

/// Finds the first of the given variables that no file knows; gives the words to say so.
pub fn unknown_variable<'v>(sources: &Sources, given: impl IntoIterator<Item = &'v str>) -> Option<String> {
    let mut known = BTreeSet::new();
    for file in sources.ids() {
        let root = parse(sources, file).root?;
        for map in ["vars", "matrix"].into_iter().filter_map(|key| root.get(key)) {
            known.extend(map.entries().iter().map(|entry| entry.key.to_string()));
        }
        names_used(&root, &mut known);
    }
    let unknown = given.into_iter().find(|name| !known.contains(*name))?;
    let near = suggestions::nearest(unknown, known.iter()).map(|near| format!("; {}", Help::did_you_mean(near)));
    Some(format!("no file knows a variable `{unknown}`{}", near.unwrap_or_default()))
}
