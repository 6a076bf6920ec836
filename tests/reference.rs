//! The reference page, `src/language/reference.md`: every word of the language has a section, every section an example,
//! and every example is played on all profiles (scenarios) or checked (topologies). The list of contents names every section;
//! `UPDATE_GOLDEN=1` writes it anew.
#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

use rmqplay::io::{BROKERS_FILE, Disk, KnownBrokers};
use rmqplay::language::{OF_SCENARIOS, OF_STEPS, OF_TOPOLOGIES, Settings, load_scenario, load_topology};
use rmqplay::model::{Cell, Profile};
use rmqplay::report;
use rmqplay::rules::QUEUE_ARGUMENTS;
use rmqplay::simulate::rehearse;
use rmqplay::source::{Level, Problem, Sources};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Under which parts of the page the words of a group of the table are explained; those of other groups are of topologies.
const PARTS: [(&[&str], &[&str]); 6] = [
    (&["scenario", "requires", "snapshot", "needs", "live"], &["Top level", "Topology files"]),
    (
        &[
            "step",
            "refused",
            "get",
            "ack_held",
            "nack_held",
            "reject_held",
            "consume",
            "qos",
            "recover",
            "wait_until_quiet",
            "queue_only",
            "declare",
            "delete",
            "cleared_permission",
            "cleared_topic_permission",
            "vhost_limits",
            "cleared_vhost_limits",
            "user_limits",
            "cleared_user_limits",
            "close_connection",
            "stop_node",
            "call",
        ],
        &["Steps", "Publish", "Expectations"],
    ),
    (&["publish"], &["Publish", "Actions"]),
    (
        &[
            "consumer",
            "rule",
            "action",
            "ack",
            "nack",
            "reject",
            "forward",
            "batch",
            "timeout",
            "reconnect",
            "own_queue",
        ],
        &["Consumers", "Actions", "Publish", "Matchers", "Topology files"],
    ),
    (&["match", "death_matcher", "seen"], &["Matchers"]),
    (
        &["expect", "peak", "includes", "message", "includes_deaths", "death", "includes_queues", "tally", "metric"],
        &["Expectations", "Time"],
    ),
];

/// The part whose examples are neither topologies nor scenarios.
const BROKERS: &str = "Brokers by name";

/// The part whose examples are commands.
const PLANS: &str = "Plans";

/// Another one.
const COMPARED: &str = "Brokers compared";

/// The part whose examples are commands, not files: what scenarios exercise.
const COVERAGE: &str = "Coverage";

/// Another one: what `--explore` plays.
const EXPLORED: &str = "Schedules explored";

/// Another one: what is served to clients.
const SERVED: &str = "Served brokers";

/// Another one: the kinds of reports.
const REPORTS: &str = "Reports";

/// Another one: parts of a suite, and what is kept of a run.
const SUITES: &str = "Suites";

/// The last part of the page.
const LAST: &str = "Files of other tools";

/// Other spellings of words that are explained.
const OTHER_SPELLINGS: [&str; 4] = ["routing-keys", "original-expiration", "for_each", "headers"];

/// One `###` section of the page.
struct Section {
    part: String,
    heading: String,
    line: usize,
    /// First line and text of each example.
    examples: Vec<(usize, String)>,
}

/// Returns a path below the repository.
fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn every_word_of_the_language_has_a_section() {
    let sections = sections();
    let mut faults = Vec::new();
    let mut words = 0;
    for group in OF_SCENARIOS.iter().chain(OF_STEPS).chain(OF_TOPOLOGIES) {
        let parts =
            PARTS.iter().find(|(names, _)| names.contains(&group.name)).map_or(&["Topology files"][..], |it| it.1);
        for word in group.words.iter().filter(|word| !word.is_of_export && !OTHER_SPELLINGS.contains(&word.key())) {
            words += 1;
            let key = format!("`{}`", word.key());
            let is_there = |section: &Section| parts.contains(&&*section.part) && section.heading.contains(&key);
            if !sections.iter().any(is_there) {
                faults.push(format!("{key} of {} has no heading under ## {}", group.name, parts.join(" or ## ")));
            }
        }
    }
    for argument in QUEUE_ARGUMENTS.iter().filter(|argument| argument.name != "queue-type") {
        words += 1;
        let field = format!("`{}`", argument.field());
        if !sections.iter().any(|section| section.part == "Topology files" && section.heading.contains(&field)) {
            faults.push(format!("{field} (QUEUE_ARGUMENTS) has no heading under ## Topology files"));
        }
    }
    assert!(words > 200, "only {words} words are in the table: the table has lost them");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_section_has_an_example() {
    let bare: Vec<String> = sections()
        .iter()
        .filter(|section| section.examples.is_empty())
        .map(|section| format!("reference.md:{}: {}", section.line, section.heading))
        .collect();
    assert!(bare.is_empty(), "\n{}", bare.join("\n"));
}

#[test]
fn every_example_plays() {
    let (mut scenarios, mut topologies) = (0, 0);
    let commands = [BROKERS, PLANS, COMPARED, COVERAGE, EXPLORED, SERVED, REPORTS, SUITES];
    let of_language = sections().into_iter().filter(|section| !commands.contains(&section.part.as_str()));
    for (line, text) in of_language.flat_map(|section| section.examples) {
        let name = format!("src/language/reference.md:{line}");
        let mut sources = Sources::default();
        let settings = Settings::default();
        // Of the example of `import`: what it writes has no default.
        let hash = "AQIDBLXgXLQE6blp5wp8S0s+h6jcxHG4bEAxHPOTq8iiB0oO";
        let world = Disk::at("", [("TILL_PASSWORD_HASH".to_owned(), hash.to_owned())].into());
        if text.lines().any(|line| line.starts_with("scenario:")) {
            scenarios += 1;
            let (loaded, mut problems) = load_scenario(&mut sources, &name, text.as_bytes(), &world, &settings);
            problems.retain(|problem| !is_of_some_versions(problem));
            assert!(problems.is_empty(), "{}", report::draw(&problems, &sources, 100, false));
            loaded.expect("a scenario").cells.iter().for_each(|cell| play(&name, cell));
        } else {
            topologies += 1;
            let (loaded, mut problems) = load_topology(&mut sources, &name, text.as_bytes(), &world, &settings);
            problems.retain(|problem| !is_of_some_versions(problem));
            assert!(problems.is_empty(), "{}", report::draw(&problems, &sources, 100, false));
            assert!(loaded.is_some_and(|loaded| loaded.topology != Default::default()), "{name}: declares nothing");
        }
    }
    assert!(scenarios > 60 && topologies > 10, "{scenarios} scenarios and {topologies} topologies were found");
}

#[test]
fn every_example_of_a_command_is_one_of_the_program() {
    for (part, commands) in [
        (PLANS, &["rmqplay plan ", "rmqplay apply "][..]),
        (COMPARED, &["rmqplay compare "][..]),
        (COVERAGE, &["rmqplay run ", "rmqplay suggest ", "jq "][..]),
        (SERVED, &["rmqplay "][..]),
        (SUITES, &["rmqplay "][..]),
    ] {
        let lines = sections().into_iter().filter(|section| section.part == part).flat_map(|section| section.examples);
        let lines: Vec<String> =
            lines.flat_map(|(_, text)| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        assert!(lines.len() > 2, "too few examples under ## {part}");
        assert_eq!(lines.iter().find(|line| !commands.iter().any(|one| line.starts_with(one))), None);
    }
}

#[test]
fn every_example_of_brokers_is_read() {
    let examples: Vec<_> = sections().into_iter().filter(|section| section.part == BROKERS).collect();
    let examples: Vec<_> = examples.into_iter().flat_map(|section| section.examples).collect();
    assert!(!examples.is_empty(), "no example under ## {BROKERS}");
    for (line, text) in examples {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join(BROKERS_FILE), text).expect("a written file");
        let disk = Disk::at(folder.path(), BTreeMap::from([("STAGING_PASSWORD".to_owned(), "s3".to_owned())]));
        let known = KnownBrokers::read(&disk).expect("a file of brokers");
        let names: Vec<&str> = known.names().collect();
        assert!(!names.is_empty(), "reference.md:{line} names no broker");
        for name in names {
            known.address(name, &disk).expect("a broker").expect("its address");
        }
        for name in known.profiles().names() {
            known.profiles().read(name, &disk).expect("a profile").expect("its flags");
        }
    }
}

#[test]
fn the_contents_name_every_section() {
    let path = root("src/language/reference.md");
    let page = fs::read_to_string(&path).expect("the reference page");
    let (before, rest) = page.split_once("## Contents\n").expect("## Contents");
    let (kept, after) = rest.split_once("\n## ").expect("a part behind the contents");
    let mut wanted = String::from("\n");
    let mut anchors = BTreeMap::new();
    let mut part = String::new();
    for (level, heading) in headings(&format!("## {after}")) {
        let entry = format!("[{heading}](#{})", anchor(&heading, &mut anchors));
        match level {
            2 => {
                wanted.push_str(&format!("- {entry}\n"));
                part = heading;
            }
            _ => wanted.push_str(&format!("  - {entry}\n")),
        }
    }
    assert_eq!(part, LAST, "the page ends otherwise: were all headings found?");
    let strange = kept.lines().find(|line| !line.is_empty() && !line.trim_start().starts_with("- ["));
    assert_eq!(strange, None, "stands among the contents, which are written anew: move it above them");
    if kept != wanted && std::env::var_os("UPDATE_GOLDEN").is_some() {
        return fs::write(&path, format!("{before}## Contents\n{wanted}\n## {after}")).expect("a writable page");
    }
    assert_eq!(kept, wanted, "UPDATE_GOLDEN=1 writes the contents of reference.md anew");
}

/// Lists the headings of a page of Markdown, with their level.
fn headings(page: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in page.lines() {
        fenced ^= line.starts_with("```");
        let level = line.chars().take_while(|letter| *letter == '#').count();
        if !fenced && (2..=3).contains(&level) {
            found.push((level, line[level..].trim().to_owned()));
        }
    }
    found
}

/// Makes the anchor that GitHub gives a heading: letters, digits, `-` and `_` stay; one that is there already is numbered.
fn anchor(heading: &str, seen: &mut BTreeMap<String, usize>) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || "-_ ".contains(*letter));
    let plain: String = kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect::<String>().to_lowercase();
    let before = seen.entry(plain.clone()).or_default();
    *before += 1;
    if *before == 1 { plain } else { format!("{plain}-{}", *before - 1) }
}

/// Returns whether a note says only that some versions refuse what others take, which an example may show.
fn is_of_some_versions(problem: &Problem) -> bool {
    problem.level == Level::Note && problem.message.starts_with("RabbitMQ ")
}

/// Plays a cell on each profile that it is for.
fn play(name: &str, cell: &Cell) {
    // A cluster is not simulated: the file is read and checked.
    if cell.scenario.needs.nodes.is_some() {
        return;
    }
    let mut played = 0;
    for profile in Profile::ALL {
        let version = profile.version();
        let is_for = |one: &rmqplay::model::Requirement| {
            one.at_least.is_none_or(|least| version >= least) && one.below.is_none_or(|below| version < below)
        };
        if !cell.scenario.requires.iter().all(is_for) {
            continue;
        }
        played += 1;
        let run = rehearse(cell, profile, false);
        assert!(run.failures.is_empty(), "{name} on sim {profile}: {:#?}", run.failures);
        assert!(run.outcome.is_some(), "{name} on sim {profile} came to no end");
    }
    assert!(played > 0, "{name} is for no profile");
}

/// Reads the page: its parts, headings and examples.
fn sections() -> Vec<Section> {
    let page = fs::read_to_string(root("src/language/reference.md")).expect("the reference page");
    let mut sections: Vec<Section> = Vec::new();
    let mut part = String::new();
    let mut fence: Option<(usize, String)> = None;
    for (number, line) in page.lines().enumerate().map(|(at, line)| (at + 1, line)) {
        match &mut fence {
            Some(_) if line == "```" => {
                let example = fence.take().expect("an open fence");
                sections.last_mut().expect("an example stands in a section").examples.push(example);
            }
            Some((_, text)) => {
                text.push_str(line);
                text.push('\n');
            }
            None if line == "```yaml" || line == "```sh" => fence = Some((number + 1, String::new())),
            None => {
                if let Some(title) = line.strip_prefix("## ") {
                    part = title.to_owned();
                } else if let Some(heading) = line.strip_prefix("### ") {
                    let (part, heading) = (part.clone(), heading.to_owned());
                    sections.push(Section { part, heading, line: number, examples: Vec::new() });
                }
            }
        }
    }
    assert!(fence.is_none(), "an example has no end");
    sections
}
