//! What all readers of `rmqplay.yaml` share: its name, the line of a key, and templates that know the environment only.

use crate::io::files::Disk;
use crate::model::{Scope, Template};
use crate::source::{FileId, Span};
use serde_json::Value as Json;

/// The file's name, in the working directory.
pub const BROKERS_FILE: &str = "rmqplay.yaml";

/// Returns whether a line sets a key.
pub(super) fn sets(line: &str, key: &str) -> bool {
    let bare = line.trim_start().trim_start_matches(['"', '\'']);
    let rest = bare.strip_prefix(key).map(|rest| rest.trim_start_matches(['"', '\'']));
    rest.is_some_and(|rest| rest.trim_start().starts_with(':'))
}

/// Renders `{{ env.NAME }}`.
pub(super) fn rendered(text: &str, disk: &Disk) -> Result<String, String> {
    if !Template::looks_like_one(text) {
        return Ok(text.to_owned());
    }
    let mut template = Template::compile(text, Span::new(FileId::default(), 0, 0)).map_err(|error| error.message)?;
    let paths = template.paths();
    let names = paths.iter().filter_map(|path| path.strip_prefix("env."));
    let found = names.filter_map(|name| Some((name.to_owned(), Json::String(disk.variable(name)?))));
    let found: serde_json::Map<String, Json> = found.collect();
    template.bind("env", Json::Object(found));
    template.text(&Scope::new()).map_err(|error| format!("{} (templates know `env.NAME`)", error.message))
}
