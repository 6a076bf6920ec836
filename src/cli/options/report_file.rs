//! Reports that a run writes, `KIND:FILE`: never in the place of what it reads.

use crate::source::{Help, nearest_name};
use std::path::{Path, PathBuf};

/// Reads `KIND:FILE`, of the kinds that there are; `inputs` are the files that the command reads.
///
/// # Errors
/// In words: another kind, no file, or a file that the report would destroy.
pub(crate) fn report_file<'k>(
    option: &str,
    text: &str,
    kinds: &[&'k str],
    inputs: &[PathBuf],
) -> Result<(&'k str, PathBuf), String> {
    let named = text.split_once(':').filter(|(_, file)| !file.is_empty());
    let known = named.and_then(|(kind, file)| Some((*kinds.iter().find(|known| **known == kind)?, Path::new(file))));
    let Some((kind, file)) = known else {
        let all: Vec<String> = kinds.iter().map(|kind| format!("{kind}:FILE")).collect();
        let near = nearest_name(text.split(':').next().unwrap_or(text), kinds.iter().copied());
        let help = near.map_or(String::new(), |kind| {
            let file = named.map_or("FILE", |(_, file)| file);
            format!("\n  help: {}", Help::did_you_mean(format!("{kind}:{file}")))
        });
        return Err(format!("{option} takes {}, not `{text}`{help}", listed(&all)));
    };
    let is_yaml = file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let same = |input: &PathBuf| file.canonicalize().is_ok_and(|file| input.canonicalize().is_ok_and(|it| it == file));
    let is_input = inputs.iter().any(same);
    if file.exists() && is_yaml || is_input {
        return Err(format!(
            "{option} {text} would overwrite {}, which is {}\n  help: give the report a file of its own",
            file.display(),
            if is_yaml { "no report" } else { "read here" }
        ));
    }
    Ok((kind, file.to_owned()))
}

/// Writes `a, b or c`.
fn listed(kinds: &[String]) -> String {
    match kinds {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
