//! A snapshot file as insta writes it: front matter and body. Writes it, takes it apart, and says what is wrong with
//! one that somebody edited. Never looks at a disk.

use crate::model::Scenario;
use serde_json::{Map, Value as Json, json};

/// Is a snapshot file, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotFile {
    /// The scenario's sentence when the outcome was taken.
    pub title: String,
    pub body: String,
}

/// Says what is wrong with a snapshot file, and where: bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenSnapshot {
    pub at: std::ops::Range<usize>,
    pub label: &'static str,
    pub message: String,
    pub help: &'static str,
}

/// What to do with a file that cannot be read any more.
const RESTORE: &str = "restore it from version control, or delete it, run again and review what is new";

/// Puts insta's front matter before a body; no version, host or time in it.
pub fn whole_file(scenario: &Scenario, body: &str) -> String {
    let source = scenario.file.rsplit('/').next().unwrap_or(&scenario.file);
    let matter = json!({ "source": source, "expression": scenario.title });
    let matter = serde_yaml::to_string(&matter).unwrap_or_default();
    format!("---\n{matter}---\n{body}")
}

/// Takes a file's text apart.
///
/// # Errors
/// Marks of a merge, a front matter without beginning or end, or parts that are no YAML map.
pub fn read_snapshot(text: &str) -> Result<SnapshotFile, BrokenSnapshot> {
    let broken = |at: std::ops::Range<usize>, label, message: &str| BrokenSnapshot {
        at,
        label,
        message: message.to_owned(),
        help: RESTORE,
    };
    if let Some(mark) = merge_mark(text) {
        return Err(BrokenSnapshot {
            help: "choose one side, or restore either and run again",
            ..broken(mark, "here", "it holds the marks of a merge")
        });
    }
    let first = 0..text.lines().next().map_or(0, str::len);
    if text.trim().is_empty() {
        return Err(broken(0..0, "nothing here", "it is empty"));
    }
    let Some(rest) = text.strip_prefix("---\n") else {
        return Err(broken(first, "expected `---`", "it does not begin with a front matter"));
    };
    let Some((matter, body)) = rest.split_once("\n---\n") else {
        return Err(broken(first, "begins here, and no line `---` ends it", "its front matter has no end"));
    };
    let (matter_at, body_at) = (4, text.len() - body.len());
    let title = match map_of(matter) {
        Ok(matter) => matter.get("expression").and_then(Json::as_str).unwrap_or_default().to_owned(),
        Err((line, why)) => {
            let message = format!("its front matter cannot be read: {why}");
            return Err(broken(line_at(text, matter_at, line), "here", &message));
        }
    };
    match map_of(body) {
        Ok(_) => Ok(SnapshotFile { title, body: body.to_owned() }),
        Err((line, why)) => {
            let message = format!("its body cannot be read: {why}");
            Err(broken(line_at(text, body_at, line), "here", &message))
        }
    }
}

/// Reads a YAML map, or says why not and in which line (from 1).
fn map_of(text: &str) -> Result<Map<String, Json>, (usize, String)> {
    serde_yaml::from_str(text).map_err(|error| {
        let line = error.location().map_or(1, |place| place.line());
        let why = error.to_string();
        (line, why.split(" at line ").next().unwrap_or(&why).to_owned())
    })
}

/// Gives the bytes of a line (from 1) of what begins at `from`.
fn line_at(text: &str, from: usize, line: usize) -> std::ops::Range<usize> {
    let mut start = from;
    for line in text[from..].split_inclusive('\n').take(line.saturating_sub(1)) {
        start += line.len();
    }
    let length = text[start..].lines().next().map_or(0, str::len);
    start..start + length
}

/// Finds the first mark that a merge left.
fn merge_mark(text: &str) -> Option<std::ops::Range<usize>> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if ["<<<<<<< ", ">>>>>>> "].iter().any(|mark| line.starts_with(mark)) {
            return Some(start..start + line.trim_end().len());
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_broken_is_named_with_its_place() {
        let good = "---\nsource: a.yaml\nexpression: it works\n---\nqueues: {}\n";
        let read = SnapshotFile { title: "it works".into(), body: "queues: {}\n".into() };
        assert_eq!(read_snapshot(good), Ok(read));
        let faults = [
            ("", "it is empty"),
            ("queues: {}\n", "it does not begin with a front matter"),
            ("---\nsource: a\nqueues: {}\n", "its front matter has no end"),
            ("---\nsource: [a\n---\nqueues: {}\n", "its front matter cannot be read"),
            ("---\nsource: a\n---\nqueues: {\n", "its body cannot be read"),
            ("---\nsource: a\n---\n<<<<<<< HEAD\nqueues: {}\n", "it holds the marks of a merge"),
        ];
        for (text, message) in faults {
            let broken = read_snapshot(text).expect_err(text);
            assert!(broken.message.starts_with(message) && broken.at.end <= text.len(), "{text}: {broken:?}");
        }
    }
}
