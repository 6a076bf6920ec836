//! The record of a run as lines of JSON: a head, a line for each cell on each broker, and an end, without which it was cut short.

use crate::model::Cell;
use crate::player::{RunResult, TimelineEvent};
use crate::report::{body, session_entry};
use crate::rules::Edition;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The form that this version writes and reads.
pub const RECORD_FORMAT: u64 = 1;

/// How many entries of a timeline stand in a record; a digest tells of all.
const ENTRIES_MAX: usize = 500;

/// What the whole run went by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordHead {
    /// The form of the record; its name marks the file as one.
    pub rmqplay_record: u64,
    /// Of rmqplay.
    pub version: String,
    /// The files that were read, with the SHA-256 of each; absent where it was not there.
    pub files: BTreeMap<String, Option<String>>,
    /// `NAME=VALUE` of the command line, but secrets.
    pub vars: Vec<String>,
    /// The names of secrets of the command line, which have to be given again.
    pub secrets: Vec<String>,
    /// Files of variables.
    pub vars_files: Vec<String>,
    /// The schedule that was played, and the seed of its draws; absent for the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<(u64, u64)>,
}

/// A cell on a broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedCell {
    /// The path of its scenario.
    pub file: String,
    /// `ttl-dlq [queue_type=quorum]`.
    pub name: String,
    /// The choice of the matrix.
    pub axes: BTreeMap<String, String>,
    /// `sim 4.3`, `RabbitMQ 4.0.5`.
    pub broker: String,
    /// The release whose rules held, `4.3.6`.
    pub release: String,
    /// Whether it was a real broker: times and order of what happened vary there.
    pub live: bool,
    /// Deprecated features that were permitted.
    pub permits: Vec<String>,
    /// Plugins that were enabled.
    pub plugins: Vec<String>,
    /// Why it was not played.
    pub skipped: Option<String>,
    /// The expectations and steps that failed.
    pub failures: Vec<String>,
    /// As a snapshot holds it; absent where the run failed.
    pub outcome: Option<String>,
    /// How many things happened.
    pub events: u64,
    /// What happened, in order, as far as it is kept.
    pub entries: Vec<String>,
    /// The digest of all that happened.
    pub digest: String,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// What the run went by.
    pub head: RecordHead,
    /// Each cell on each broker, in the order of the run.
    pub cells: Vec<RecordedCell>,
}

/// Why a text is no record that can be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadRecord {
    /// It is something else.
    NoRecord,
    /// Another version of rmqplay wrote it, in another form.
    OtherFormat {
        /// The form.
        format: u64,
        /// The version of rmqplay, where it says one.
        version: Option<String>,
    },
    /// It ends before its end, after so many whole cells.
    CutShort(usize),
    /// A line that is none of a record, counted from 1.
    BrokenLine(usize),
}

/// The last line.
#[derive(Serialize, Deserialize)]
struct End {
    end: u64,
}

impl RunRecord {
    /// Writes it.
    pub fn text(&self) -> String {
        let json = |value: Result<String, serde_json::Error>| value.unwrap_or_default();
        let mut text = json(serde_json::to_string(&self.head)) + "\n";
        for cell in &self.cells {
            text.push_str(&json(serde_json::to_string(cell)));
            text.push('\n');
        }
        text + &json(serde_json::to_string(&End { end: self.cells.len() as u64 })) + "\n"
    }

    /// Reads one.
    ///
    /// # Errors
    /// The text is no whole record of this form.
    pub fn read(text: &str) -> Result<Self, BadRecord> {
        let mut lines = text.lines();
        let head: serde_json::Value =
            lines.next().and_then(|line| serde_json::from_str(line).ok()).ok_or(BadRecord::NoRecord)?;
        match head.get("rmqplay_record").and_then(serde_json::Value::as_u64) {
            None => return Err(BadRecord::NoRecord),
            Some(RECORD_FORMAT) => {}
            Some(format) => {
                let version = head.get("version").and_then(serde_json::Value::as_str).map(str::to_owned);
                return Err(BadRecord::OtherFormat { format, version });
            }
        }
        let head: RecordHead = serde_json::from_value(head).map_err(|_| BadRecord::BrokenLine(1))?;
        let mut cells: Vec<RecordedCell> = Vec::new();
        let mut lines = lines.peekable();
        while let Some(line) = lines.next() {
            let is_last = lines.peek().is_none();
            if let Ok(End { end }) = serde_json::from_str(line) {
                let is_whole = is_last && end == cells.len() as u64;
                return if is_whole { Ok(Self { head, cells }) } else { Err(BadRecord::BrokenLine(cells.len() + 2)) };
            }
            match serde_json::from_str(line) {
                Ok(cell) => cells.push(cell),
                Err(_) if is_last => return Err(BadRecord::CutShort(cells.len())),
                Err(_) => return Err(BadRecord::BrokenLine(cells.len() + 2)),
            }
        }
        Err(BadRecord::CutShort(cells.len()))
    }
}

/// Records a run of a cell; `file` is the path of its scenario, `broker` the broker as reports name it.
pub fn recorded_run(
    (file, name, broker): (&str, &str, &str),
    cell: &Cell,
    edition: Edition,
    live: bool,
    run: Result<&RunResult, &str>,
) -> RecordedCell {
    let (entries, digest) = run.map(told).unwrap_or_default();
    let played = run.ok();
    let failures = played.iter().flat_map(|played| &played.failures);
    RecordedCell {
        file: file.to_owned(),
        name: name.to_owned(),
        axes: cell.axes.clone(),
        broker: broker.to_owned(),
        release: edition.release(),
        live,
        permits: edition.permits.iter().map(|feature| feature.to_string()).collect(),
        plugins: edition.plugins.iter().map(|plugin| plugin.to_string()).collect(),
        skipped: run.err().map(str::to_owned),
        failures: failures.map(|failure| failure.message.clone()).collect(),
        outcome: played
            .filter(|played| played.failures.is_empty())
            .and_then(|played| Some(body(played.outcome.as_ref()?, &cell.scenario))),
        events: entries.len() as u64,
        entries: entries.into_iter().take(ENTRIES_MAX).collect(),
        digest,
    }
}

/// Tells what happened, and the digest of it. The simulator's reasons are left out: a run has them only where they are asked for.
fn told(played: &RunResult) -> (Vec<String>, String) {
    let happened = played.timeline.entries().filter(|entry| !matches!(entry.what, TimelineEvent::Told { .. }));
    let entries: Vec<String> = happened.map(|entry| format!("{} {}", entry.moment, session_entry(entry))).collect();
    let mut digest = Sha256::new();
    entries.iter().for_each(|entry| {
        digest.update(entry);
        digest.update("\n");
    });
    let mut hex = String::new();
    digest.finalize().iter().take(8).for_each(|byte| _ = write!(hex, "{byte:02x}"));
    (entries, hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> RunRecord {
        let head = RecordHead {
            rmqplay_record: RECORD_FORMAT,
            version: "0.1.0".to_owned(),
            files: BTreeMap::from([("a.yaml".to_owned(), Some("00".to_owned())), ("b.yaml".to_owned(), None)]),
            vars: vec!["n=1".to_owned()],
            secrets: Vec::new(),
            vars_files: Vec::new(),
            schedule: Some((7, 0)),
        };
        let cell = |name: &str| RecordedCell {
            file: "a.yaml".to_owned(),
            name: name.to_owned(),
            axes: BTreeMap::new(),
            broker: "sim 4.3".to_owned(),
            release: "4.3.6".to_owned(),
            live: false,
            permits: Vec::new(),
            plugins: Vec::new(),
            skipped: None,
            failures: Vec::new(),
            outcome: Some("queues: {}\n".to_owned()),
            events: 1,
            entries: vec!["0s driver publishes m1".to_owned()],
            digest: "0123".to_owned(),
        };
        RunRecord { head, cells: vec![cell("one"), cell("two")] }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        assert_eq!(RunRecord::read(&record().text()), Ok(record()));
    }

    #[test]
    fn a_record_that_was_cut_anywhere_is_told_from_a_whole_one() {
        let text = record().text();
        for end in (0..text.len() - 1).filter(|end| text.is_char_boundary(*end)) {
            let read = RunRecord::read(&text[..end]);
            let cells = text[..end].matches('\n').count().saturating_sub(1);
            // Only the last line end may be missing.
            match read {
                Err(BadRecord::NoRecord) => assert!(!text[..end].contains('\n'), "{end}"),
                Err(BadRecord::CutShort(whole)) => {
                    assert!(whole == cells || whole == cells + 1, "{end}: {whole} of {cells}")
                }
                other => panic!("cut at {end}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_is_no_record_of_this_form_is_told() {
        assert_eq!(RunRecord::read(""), Err(BadRecord::NoRecord));
        assert_eq!(RunRecord::read("scenario: x\n"), Err(BadRecord::NoRecord));
        assert_eq!(RunRecord::read("{\"cells\": []}\n"), Err(BadRecord::NoRecord));
        let other = record()
            .text()
            .replace("\"rmqplay_record\":1,\"version\":\"0.1.0\"", "\"rmqplay_record\":2,\"version\":\"0.9.0\"");
        assert_eq!(
            RunRecord::read(&other),
            Err(BadRecord::OtherFormat { format: 2, version: Some("0.9.0".to_owned()) })
        );
        let broken = record().text().replacen("\"name\":\"one\"", "\"name\":one", 1);
        assert_eq!(RunRecord::read(&broken), Err(BadRecord::BrokenLine(2)));
        let fewer = record().text().replace("{\"end\":2}", "{\"end\":3}");
        assert_eq!(RunRecord::read(&fewer), Err(BadRecord::BrokenLine(4)));
    }
}
