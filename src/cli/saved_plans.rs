//! Saved plans on disk: written for their owner alone, read when a file says that it is one.
//! Decides nothing about them.

use crate::cli::ExitCode;
use crate::cli::terminal::Terminal;
use crate::plan::{NoSavedPlan, SavedPlan};
use serde_json::Value as Json;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Who may read a saved plan: it holds hashes of passwords.
const MODE: u32 = 0o600;

/// Reads a saved plan; `None` when the files are none.
pub(crate) fn read(files: &[PathBuf], terminal: &Terminal) -> Option<Result<SavedPlan, ExitCode>> {
    let plans: Vec<(&PathBuf, Json)> = files.iter().filter_map(|file| Some((file, json_of(file)?))).collect();
    let (file, json) = plans.first()?;
    let shown = file.display();
    if files.len() > 1 {
        let message = format!("{shown} is a saved plan, and a saved plan is applied alone");
        return Some(Err(terminal.usage(&message)));
    }
    let why = match SavedPlan::read(json) {
        Ok(plan) => return Some(Ok(plan)),
        Err(NoSavedPlan::AnotherFile) => return None,
        Err(NoSavedPlan::AnotherForm) => "another version of rmqplay wrote it".to_owned(),
        Err(NoSavedPlan::Broken(key)) => format!("its `{key}` is missing or no value of that kind"),
    };
    terminal.error(&format!(
        "error: {shown} is a saved plan that cannot be read: {why}\n  help: plan again with --save-plan"
    ));
    Some(Err(ExitCode::BadFile))
}

fn json_of(file: &Path) -> Option<Json> {
    let text = std::fs::read_to_string(file).ok()?;
    if !text.trim_start().starts_with('{') || !text.contains("\"rmqplay_plan\"") {
        return None;
    }
    let json: Json = serde_json::from_str(&text).ok()?;
    json.get("rmqplay_plan").is_some().then_some(json)
}

/// Writes a plan for its owner alone.
pub(crate) fn write(file: &Path, plan: &SavedPlan, shown: &Json) -> std::io::Result<()> {
    let mut text = serde_json::to_string_pretty(&plan.to_json(shown))?;
    text.push('\n');
    let mut output = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(file)?;
    // A file that was there keeps its mode.
    output.set_permissions(std::fs::Permissions::from_mode(MODE))?;
    output.write_all(text.as_bytes())
}
