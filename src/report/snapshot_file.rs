//! A snapshot file as insta writes it: front matter and body. Writes it, takes it apart, and says what is wrong with
//! one that somebody edited. Never looks at a disk.

use crate::model::{Scenario, Version};
use serde_json::{Map, Value as Json, json};

/// A snapshot file, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotFile {
    /// The scenario's sentence when the outcome was taken.
    pub title: String,
    /// The outcome, in YAML.
    pub body: String,
    /// Of an outcome that waits for a review: a snapshot has none.
    pub waits: Option<Waits>,
}

/// What a pending file says of itself while it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// The version that gave it: an older one must not speak for a newer one.
    pub version: Version,
    /// The digest of the snapshot that it differs from; `None`: there was none.
    pub differs_from: Option<String>,
}

impl Waits {
    /// Notes from which version an outcome is, and what its snapshot says until it is accepted.
    pub fn new(version: Version, kept: Option<&str>) -> Self {
        Self { version, differs_from: kept.map(digest) }
    }

    /// Returns whether the snapshot still says what it said when the outcome was taken.
    pub fn is_about(&self, kept: Option<&str>) -> bool {
        self.differs_from == kept.map(digest)
    }
}

fn digest(body: &str) -> String {
    format!("{:016x}", crate::player::digest_of(body.trim_end().as_bytes()))
}

/// What is wrong with a snapshot file, and where: bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenSnapshot {
    /// The bytes to mark.
    pub at: std::ops::Range<usize>,
    /// What stands at the mark.
    pub label: &'static str,
    /// One sentence without a full stop.
    pub message: String,
    /// What to do next.
    pub help: &'static str,
}

/// What to do with a file that cannot be read any more.
const RESTORE: &str = "restore it from version control, or delete it, run again and review what is new";

/// Puts insta's front matter before a body; no version, host or time in it, but what is said of it while it waits.
pub fn whole_file(scenario: &Scenario, body: &str, waits: Option<&Waits>) -> String {
    let source = scenario.file.rsplit('/').next().unwrap_or(&scenario.file);
    let mut matter = Map::new();
    matter.insert("source".into(), json!(source));
    matter.insert("expression".into(), json!(scenario.title));
    if let Some(waits) = waits {
        matter.insert(VERSION.into(), json!(waits.version.to_string()));
        matter.extend(waits.differs_from.as_ref().map(|digest| (DIFFERS.into(), json!(digest))));
    }
    let matter = serde_yaml::to_string(&Json::Object(matter)).unwrap_or_default();
    format!("---\n{matter}---\n{body}")
}

/// The keys of a pending file's front matter that no snapshot has.
const VERSION: &str = "version";
const DIFFERS: &str = "differs_from";

/// Returns the text of the snapshot that a pending file becomes.
pub fn accepted(text: &str) -> String {
    let is_passing = |line: &&str| [VERSION, DIFFERS].iter().any(|key| line.split(": ").next() == Some(key));
    let Some((matter, body)) = text.split_once("\n---\n") else { return text.to_owned() };
    let matter: Vec<&str> = matter.lines().filter(|line| !is_passing(line)).collect();
    format!("{}\n---\n{body}", matter.join("\n"))
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
    let text_of = |matter: &Map<String, Json>, key: &str| matter.get(key).and_then(Json::as_str).map(str::to_owned);
    let (title, waits) = match map_of(matter) {
        Ok(matter) => {
            let version = text_of(&matter, VERSION).and_then(|version| version.parse().ok());
            let waits = version.map(|version| Waits { version, differs_from: text_of(&matter, DIFFERS) });
            (text_of(&matter, "expression").unwrap_or_default(), waits)
        }
        Err((line, why)) => {
            let message = format!("its front matter cannot be read: {why}");
            return Err(broken(line_at(text, matter_at, line), "here", &message));
        }
    };
    match map_of(body) {
        Ok(_) => Ok(SnapshotFile { title, body: body.to_owned(), waits }),
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

/// Returns the bytes of a line (from 1) of what begins at `from`.
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
        let read = SnapshotFile { title: "it works".into(), body: "queues: {}\n".into(), waits: None };
        assert_eq!(read_snapshot(good), Ok(read.clone()));
        let waiting = good.replace("works\n", "works\nversion: '3.10'\ndiffers_from: '0'\n");
        let version = Version { major: 3, minor: 10 };
        let waits = Some(Waits { version, differs_from: Some("0".into()) });
        assert_eq!(read_snapshot(&waiting), Ok(SnapshotFile { waits, ..read }));
        assert_eq!(accepted(&waiting), good);
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
