//! Every reason that the sim gives: each section of `tests/trace/*.txt` is a scenario and the story that `run --trace`
//! tells of it, one per way to die, to come back, to wait or to be refused. `=== title | 4.0` plays on that profile,
//! else on the newest. `UPDATE_GOLDEN=1` rewrites what stands behind `---`. Every rule that the sim tells must appear.
#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

#[path = "support/files.rs"]
mod files;
#[path = "support/golden.rs"]
mod golden;
#[path = "support/harness.rs"]
mod harness;

use harness::Checked;
use rmqplay::io::Disk;
use rmqplay::language::{Settings, load_scenario};
use rmqplay::model::Profile;
use rmqplay::report::{self, Palette};
use rmqplay::simulate::rehearse;
use rmqplay::source::Sources;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// Rules that no scenario can bring about, and why.
const BEYOND_SCENARIOS: [(&str, &str); 6] = [
    ("CO-4", "scenarios have no prefetch over a whole channel"),
    ("CO-15", "a cancelled consumer of a quorum queue takes nothing, but never stands alone in a scenario"),
    ("CO-16", "scenarios have no recover"),
    ("CO-27", "a connection is closed by force at a restart, or with its user or vhost"),
    ("ER-12", "queues of scenarios go at a restart only"),
    ("LEN-12", "messages that are not persistent go at a restart only"),
];

fn is_told_as_written(path: &Path) -> Checked {
    let written = fs::read_to_string(path).expect("a readable file");
    golden::check(path, &retold(&written, path)?)
}

fn main() -> ExitCode {
    let mut tests = harness::per_file("", &files::below("tests/trace", "txt", 6), is_told_as_written);
    tests.push(harness::test("every_rule_that_the_sim_tells_has_a_story", every_rule_has_a_story));
    tests.push(harness::test("the_rules_that_coverage_counts_are_those_that_are_told", counted_rules_are_told));
    harness::run(None, tests)
}

fn every_rule_has_a_story() -> Checked {
    let stories = files::below("tests/trace", "txt", 6).into_iter();
    let stories: String = stories.map(|path| fs::read_to_string(path).expect("a readable file")).collect();
    let mut rules = BTreeSet::new();
    for path in files::below("src/sim", "rs", 30) {
        let text = fs::read_to_string(path).expect("a readable file");
        rules.extend(text.split('"').filter(|part| is_rule(part)).map(str::to_owned));
    }
    assert!(rules.len() > 30, "the sim's rules were found: {rules:?}");
    let told =
        |rule: &str| stories.contains(&format!("[{rule}]")) || BEYOND_SCENARIOS.iter().any(|(one, _)| *one == rule);
    let untold: Vec<&String> = rules.iter().filter(|rule| !told(rule)).collect();
    if untold.is_empty() { Ok(()) } else { Err(format!("no story in tests/trace shows {untold:?}")) }
}

fn counted_rules_are_told() -> Checked {
    let mut told = BTreeSet::new();
    for path in files::below("src/sim", "rs", 30).into_iter().chain([Path::new("src/rules/reply_texts.rs").to_owned()])
    {
        let text = fs::read_to_string(path).expect("a readable file");
        told.extend(text.split('"').filter(|part| is_rule(part)).map(str::to_owned));
    }
    let counted: BTreeSet<String> = rmqplay::rules::TOLD_RULES.iter().map(|rule| (*rule).to_owned()).collect();
    let differ: Vec<&String> = told.symmetric_difference(&counted).collect();
    let book = rmqplay::rules::rule_chapters();
    let known = |rule: &String| book.iter().flat_map(|chapter| &chapter.rules).any(|section| section.id == *rule);
    let unknown: Vec<&String> = counted.iter().filter(|rule| !known(rule)).collect();
    match (differ.is_empty(), unknown.is_empty()) {
        (true, true) => Ok(()),
        _ => Err(format!("src/rules/book/told.rs differs in {differ:?}; not in the book: {unknown:?}")),
    }
}

/// Returns whether a text is a rule's number, as `TTL-3` or `QQ-43-1`.
fn is_rule(text: &str) -> bool {
    let mut parts = text.split('-');
    let area = parts.next().unwrap_or_default();
    let numbers: Vec<&str> = parts.collect();
    (2..=4).contains(&area.len())
        && area.bytes().all(|byte| byte.is_ascii_uppercase())
        && !numbers.is_empty()
        && numbers.iter().all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Writes a file anew with the stories as they are told now.
fn retold(text: &str, path: &Path) -> Result<String, String> {
    let (head, sections) = text.split_once("=== ").expect("a section");
    let (mut now, mut faults) = (head.to_owned(), String::new());
    for section in sections.split("\n=== ") {
        let (title, rest) = section.split_once('\n').expect("a title");
        let scenario = rest.split("\n---\n").next().expect("a scenario").trim_end();
        let profile = title.rsplit_once(" | ").map_or(Profile::NEWEST, |(_, name)| name.parse().expect("a profile"));
        match story(scenario, profile, path, title) {
            Ok(story) => now += &format!("=== {title}\n{scenario}\n---\n{story}\n\n"),
            Err(fault) => faults += &format!("\n{}: {title}\n{fault}\n", path.display()),
        }
    }
    if faults.is_empty() { Ok(now.trim_end().to_owned() + "\n") } else { Err(faults) }
}

fn story(scenario: &str, profile: Profile, path: &Path, title: &str) -> Result<String, String> {
    let whole = format!("scenario: {}\n{scenario}\n", title.split(" | ").next().unwrap_or(title));
    let mut sources = Sources::default();
    let settings = Settings::default();
    let world = Disk::at("", Default::default());
    let name = path.to_string_lossy();
    let (loaded, problems) = load_scenario(&mut sources, &name, whole.as_bytes(), &world, &settings);
    let Some(mut loaded) = loaded else { return Err(report::draw(&problems, &sources, 100, false)) };
    let played = rehearse(&loaded.cells.remove(0), profile, true);
    if !played.failures.is_empty() {
        return Err(format!("{:#?}", played.failures));
    }
    Ok(report::trace(&played.timeline, &sources, Palette { colour: false }))
}
