//! The table of what is covered: each rule of `rules.txt` with the files that show it, and how each broker did.
//! Compares with `TABLE.md`, or rewrites it with the outcomes that were recorded. Keeps what was not played anew, unless the
//! file's steps have changed since. On the sim every file passes: one that does not fails a test of its own.

use super::harness::Checked;
use super::script::{self, Step};
use super::{files, folder, golden, name_of};
use rmqplay::model::{Millis, Profile};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// How a broker did with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Failed,
    NotApplicable,
    /// On a broker that is not at hand any more: no play of CI.
    MeasuredOnce,
    /// Not since the file's steps are as they are.
    NotPlayed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotApplicable => "not applicable",
            Self::MeasuredOnce => "measured once",
            Self::NotPlayed => "not played",
        })
    }
}

/// Names a column: on the sim or on a live broker, and which profile. Brokers of most versions were measured once.
pub type Column = (bool, Profile);

/// Holds outcomes by file name and column.
pub type Outcomes = BTreeMap<(String, Column), Outcome>;

/// Files with a longer wait than this are played on the sim only.
const WAIT_MAX: Millis = Millis(25_000);

/// What live brokers did in this run.
static RECORDED: Mutex<Outcomes> = Mutex::new(Outcomes::new());

/// Records how a live broker did with a file; the worst of several counts.
pub fn record(name: &str, profile: Profile, outcome: Outcome) {
    let mut recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = recorded.entry((name.to_owned(), (true, profile))).or_insert(outcome);
    *kept = if *kept == Outcome::Failed { Outcome::Failed } else { outcome };
}

/// Returns whether the kept table says that a file passed on a live broker.
pub fn says_passed(path: &Path, profile: Profile) -> bool {
    let kept = fs::read_to_string(folder().join("TABLE.md")).unwrap_or_default();
    let file = File::read(path, &kept, &Outcomes::new());
    let column = columns().iter().position(|column| *column == (true, profile));
    column.is_some_and(|i| file.outcomes[i] == Outcome::Passed)
}

/// Compares the kept table with the files and rules.
pub fn is_kept() -> Checked {
    let table = found()?;
    if golden::is_updating() { Ok(()) } else { golden::check(&folder().join("TABLE.md"), &table) }
}

/// Rewrites the table where `UPDATE_GOLDEN` asks for that.
pub fn rewritten_if_asked() -> Checked {
    if golden::is_updating() { golden::check(&folder().join("TABLE.md"), &found()?) } else { Ok(()) }
}

fn found() -> Result<String, String> {
    let kept = fs::read_to_string(folder().join("TABLE.md")).unwrap_or_default();
    let recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
    let files: Vec<File> = files().iter().map(|path| File::read(path, &kept, &recorded)).collect();
    let rules = fs::read_to_string(folder().join("rules.txt")).map_err(|error| format!("rules.txt: {error}"))?;
    let faults = faults(&rules, &files);
    if !faults.is_empty() {
        return Err(faults.join("\n"));
    }
    Ok(render(&rules, &files))
}

/// Returns why a real broker does not play a file, if so.
pub fn sim_only(text: &str, steps: &[Step]) -> Option<&'static str> {
    let long = |step: &Step| step.word(0) == "wait" && step.word(1).parse().is_ok_and(|wait: Millis| wait > WAIT_MAX);
    let any = |verb: &str| steps.iter().any(|step| step.word(0) == verb);
    match () {
        () if text.contains("# Sim only") => Some("said in the file"),
        () if any("restart") => Some("restarts the broker"),
        () if any("watch") => Some("watches counts"),
        () if steps.iter().any(long) => Some("waits over 25 s"),
        () => None,
    }
}

/// A file with what is known of it.
struct File {
    name: String,
    rules: BTreeSet<String>,
    print: String,
    sim_only: Option<&'static str>,
    outcomes: Vec<Outcome>,
}

impl File {
    fn read(path: &Path, kept: &str, played: &Outcomes) -> Self {
        let text = fs::read_to_string(path).expect("a readable file");
        let steps = script::parse(&text).expect("a script");
        let name = name_of(path);
        let print = fingerprint(&text);
        let row = kept.lines().find(|line| line.starts_with(&format!("| {name} | {print} |"))).unwrap_or_default();
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let head = kept.lines().find(|line| line.starts_with("| file |")).unwrap_or_default();
        let said = |(live, profile): Column| {
            let name = title((live, profile));
            let at = head.split('|').position(|cell| cell.trim() == name)?;
            cells.get(at).copied()
        };
        let sim_only = sim_only(&text, &steps);
        let measured = measured_once(&text);
        let outcomes = columns().into_iter().map(|column| {
            let (live, profile) = column;
            if (live && sim_only.is_some()) || !steps.iter().any(|step| step.profiles.contains(&profile)) {
                return Outcome::NotApplicable;
            }
            if !live {
                return Outcome::Passed;
            }
            if !PLAYED.contains(&profile) {
                return if measured.contains(&profile) { Outcome::MeasuredOnce } else { Outcome::NotPlayed };
            }
            played.get(&(name.clone(), column)).copied().unwrap_or(match said(column) {
                Some("passed") => Outcome::Passed,
                Some("failed") => Outcome::Failed,
                _ => Outcome::NotPlayed,
            })
        });
        let outcomes = outcomes.collect();
        Self { rules: rules_of(&text), name, print, sim_only, outcomes }
    }
}

/// The versions whose brokers play the files in CI.
const PLAYED: [Profile; 3] = [Profile::V3_10, Profile::V4_0, Profile::V4_3];

fn columns() -> Vec<Column> {
    [false, true].into_iter().flat_map(|live| Profile::ALL.into_iter().map(move |profile| (live, profile))).collect()
}

/// Returns whether brokers of a version play the files again and again, so that the table says how.
pub fn is_played(profile: Profile) -> bool {
    PLAYED.contains(&profile)
}

/// Reads `# Measured once, 2026-11: 3.12.14 4.1.8`: the versions whose profiles imitate these releases.
fn measured_once(text: &str) -> Vec<Profile> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("# Measured once, "));
    let releases = lines.flat_map(|line| line.split_once(": ").map_or("", |(_, releases)| releases).split(' '));
    let known = |release: &str| Profile::ALL.into_iter().find(|profile| profile.release() == release);
    releases.map(|release| known(release).unwrap_or_else(|| panic!("no profile imitates {release}"))).collect()
}

/// Reads the rules from comments that begin with them: `# DL-25, DL-26: …`, `# QQ-43-2 to QQ-43-5: …`.
fn rules_of(text: &str) -> BTreeSet<String> {
    let mut rules = BTreeSet::new();
    for comment in text.lines().filter_map(|line| line.strip_prefix("# ")) {
        let Some((list, _)) = comment.split_once(':') else { continue };
        let mut found = BTreeSet::new();
        for part in list.split(", ") {
            let (first, last) = part.split_once(" to ").unwrap_or((part, part));
            let (Some((family, from)), Some((_, to))) = (rule(first), rule(last)) else { break };
            found.extend((from..=to).map(|n| format!("{family}-{n}")));
        }
        rules.extend(found);
    }
    rules
}

/// Splits `QQ-43-2` into family and number.
fn rule(text: &str) -> Option<(&str, u32)> {
    let (family, number) = text.rsplit_once('-')?;
    let number = number.parse().ok()?;
    family.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-').then_some((family, number))
}

/// Computes FNV-1a over the lines that are not comments, as the versions that brokers play see them: what is of others
/// changes nothing for them.
fn fingerprint(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with('#')).filter_map(as_played);
    let bytes = lines.flat_map(|line| (line + "\n").into_bytes());
    let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}

/// Returns a line with those versions in front that brokers play; `None` when it is for none of them.
fn as_played(line: &str) -> Option<String> {
    let step = line.trim_start();
    let indent = &line[..line.len() - step.len()];
    let (profiles, rest) = script::profiles_of(step).expect("a line of a script");
    let played: Vec<String> = PLAYED.iter().filter(|it| profiles.contains(it)).map(Profile::to_string).collect();
    match played.len() {
        0 => None,
        n if n == PLAYED.len() => Some(format!("{indent}{rest}")),
        _ => Some(format!("{indent}[{}] {rest}", played.join(" "))),
    }
}

/// Reads `RULE` and what stands behind it: nothing, `no file yet`, or `out of scope: …`.
fn listed(rules: &str) -> Vec<(&str, &str)> {
    rules.lines().map(|line| line.split_once(' ').unwrap_or((line, ""))).collect()
}

fn faults(rules: &str, files: &[File]) -> Vec<String> {
    let listed = listed(rules);
    let mut faults = Vec::new();
    for (rule, remark) in &listed {
        match (remark.is_empty(), files.iter().any(|file| file.rules.contains(*rule))) {
            (true, false) => faults.push(format!("rules.txt: {rule} has no file")),
            (false, true) => faults.push(format!("rules.txt: {rule} has a file, yet says `{remark}`")),
            _ => {}
        }
    }
    for file in files {
        let unknown = file.rules.iter().filter(|rule| !listed.iter().any(|(other, _)| other == rule));
        faults.extend(unknown.map(|rule| format!("{}: no rule {rule} in rules.txt", file.name)));
        if file.rules.is_empty() {
            faults.push(format!("{}: says no rule in its comments", file.name));
        }
    }
    faults
}

/// Sums up what the files of a rule show in a column.
fn summed<'a>(files: impl Iterator<Item = &'a File>, i: usize) -> Outcome {
    let outcomes: Vec<Outcome> = files.map(|file| file.outcomes[i]).collect();
    let order = [Outcome::Failed, Outcome::MeasuredOnce, Outcome::NotPlayed, Outcome::Passed];
    order.into_iter().find(|outcome| outcomes.contains(outcome)).unwrap_or(Outcome::NotApplicable)
}

fn render(rules: &str, files: &[File]) -> String {
    let names: Vec<String> = columns().into_iter().map(title).collect();
    let (head, dashes) = (names.join(" | "), "|---".repeat(names.len()));
    let mut text = format!(
        "# What the files cover\n\nWritten by `UPDATE_GOLDEN=1 cargo test --test conformance` from the files and `rules.txt`; do not edit.\n\
         The live columns are of the last run on real brokers (`RMQPLAY_TEST_BROKERS`); `not played`: the file changed since.\n\
         The columns `once` are of releases whose brokers played the files once (`# Measured once` in a file, with the month), and count as no play.\n\n\
         ## Rules\n\n| rule | {head} | files |\n|---{dashes}|---|\n"
    );
    for (rule, remark) in listed(rules) {
        let of_rule = || files.iter().filter(|file| file.rules.contains(rule));
        let cell = |i| if remark.is_empty() { summed(of_rule(), i).to_string() } else { "–".to_owned() };
        let cells: Vec<String> = (0..names.len()).map(cell).collect();
        let shown = if remark.is_empty() { of_rule().count().to_string() } else { remark.to_owned() };
        let _ = writeln!(text, "| {rule} | {} | {shown} |", cells.join(" | "));
    }
    let _ = write!(text, "\n## Files\n\n| file | steps | {head} | sim only |\n|---|---{dashes}|---|\n");
    for file in files {
        let cells: Vec<String> = file.outcomes.iter().map(Outcome::to_string).collect();
        let why = file.sim_only.unwrap_or_default();
        let _ = writeln!(text, "| {} | {} | {} | {why} |", file.name, file.print, cells.join(" | "));
    }
    text
}

/// Names a column: `sim 4.1`, `live 4.3`, and the release where one was measured.
fn title((live, profile): Column) -> String {
    match (live, PLAYED.contains(&profile)) {
        (false, _) => format!("sim {profile}"),
        (true, true) => format!("live {profile}"),
        (true, false) => format!("{} once", profile.release()),
    }
}
