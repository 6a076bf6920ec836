//! Plays the guide's examples with the program itself: `check`, then `run` on the simulated broker; those of `plan`
//! are compared as topologies, those of `convert` imported. The wrong ones show their code and nothing else, the right ones nothing at all.

use rmqplay::language::{ReadError, Settings, World, load_topology};
use rmqplay::model::{Profile, Version};
use rmqplay::plan::{Observed, plan};
use rmqplay::source::{Block, Chapter, Code, CodeFamily, CodeSection, ExampleFile, Level, Sources, code_chapters};
use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

const LACKING: &str = "what broker and account lack is read from them: tests/plan/lacking.rs holds that";

/// Codes that no files show, and why.
const WITHOUT_EXAMPLE: [(Code, &str); 14] = [
    (Code::PlanArgument, LACKING),
    (Code::PlanComponent, LACKING),
    (Code::PlanDeniedFeature, LACKING),
    (Code::PlanMissing, LACKING),
    (Code::PlanName, LACKING),
    (Code::PlanPlugin, LACKING),
    (Code::PlanPolicy, LACKING),
    (Code::PlanQueueLimit, LACKING),
    (Code::PlanRights, LACKING),
    (Code::PlanSpared, "only what deletes spares anything: tests/plan/pruning.rs holds that"),
    (Code::PlanUnknownLimit, LACKING),
    (Code::PlanUnread, LACKING),
    (Code::RunBesideClients, "only a served broker has outside clients: tests/commands/serve-scenario.txt holds that"),
    (Code::RunBroker, "a live broker goes away: tests/ending.rs and tests/live.rs hold that"),
];

/// Codes whose files are too large, or not of text, to stand in the guide; they are made here.
const MADE_HERE: [Code; 5] =
    [Code::FileNotText, Code::FileNotUtf8, Code::FileTooLarge, Code::FileTooMany, Code::SnapshotUnreadable];

#[test]
fn wrong_examples_show_their_code_and_right_ones_nothing() {
    let sections: Vec<CodeSection> = code_chapters().into_iter().flat_map(|chapter| chapter.codes).collect();
    let next = AtomicUsize::new(0);
    let faults: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let mut faults = Vec::new();
            while let Some(section) = sections.get(next.fetch_add(1, Ordering::Relaxed)) {
                faults.extend(faults_of(section));
            }
            faults
        };
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker that ends")).collect()
    });
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn faults_of(section: &CodeSection) -> Vec<String> {
    let code = section.code().expect("a code, which another test holds");
    let is_without = WITHOUT_EXAMPLE.iter().any(|(known, _)| *known == code) || MADE_HERE.contains(&code);
    if is_without || section.wrong.is_empty() || section.right.is_empty() {
        let has_none = section.wrong.is_empty() && section.right.is_empty();
        let told = format!("{code}: an example is missing, or stands where none is expected");
        return if is_without && has_none { Vec::new() } else { vec![told] };
    }
    let found = |files: &[ExampleFile]| match code.family() {
        CodeFamily::Plan => planned(files),
        CodeFamily::Convert => converted(files),
        CodeFamily::Lint => played(files, true),
        // What is small enough to show one thing leads nowhere, or dead-letters nowhere.
        _ => played(files, false).into_iter().filter(|code| !code.starts_with("lint::")).collect(),
    };
    let mut faults = Vec::new();
    let (wrong, right) = (found(&section.wrong), found(&section.right));
    if wrong != BTreeSet::from([code.text().to_owned()]) {
        faults.push(format!("{code}: the wrong example shows {wrong:?}"));
    }
    if !right.is_empty() {
        faults.push(format!("{code}: the right example shows {right:?}"));
    }
    faults
}

/// Mistakes that the guide has no room for: several of a code, and in several places.
#[test]
fn more_wrong_examples_show_their_code_and_right_ones_nothing() {
    let chapter = Chapter::read(include_str!("more-examples.md"));
    let mut faults = Vec::new();
    for section in &chapter.sections {
        let (code, title) = section.heading.split_once(' ').expect("a code and a title");
        assert!(Code::ALL.iter().any(|known| known.text() == code), "no code `{code}`");
        let fenced = section.blocks.iter().filter_map(|block| match block {
            Block::Fenced(lines) => Some(lines.as_str()),
            _ => None,
        });
        let [wrong, right] = fenced.collect::<Vec<_>>()[..] else {
            panic!("`{title}`: one wrong example and one right")
        };
        for (text, expected) in [(wrong, BTreeSet::from([code.to_owned()])), (right, BTreeSet::new())] {
            let found = checked_alone(text);
            if found != expected {
                faults.push(format!("{code} {title}: {found:?}, not {expected:?}, of\n{text}"));
            }
        }
    }
    assert!(chapter.sections.len() > 20 && faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Checks one file, for the versions that a first line `# --for VERSION` names.
fn checked_alone(text: &str) -> BTreeSet<String> {
    let folder = Folder::new();
    fs::write(folder.0.path().join("example.yaml"), text).expect("writable");
    let asked = text.lines().next().and_then(|line| line.strip_prefix("# --for "));
    let asked: Vec<&str> = asked.map(|version| vec!["--for", version]).unwrap_or_default();
    codes_of(&folder.rmqplay(&[["check", "--json", "."].as_slice(), &asked].concat()))
}

#[test]
fn a_file_of_other_bytes_is_not_text() {
    let folder = Folder::new();
    fs::write(folder.0.path().join("picture.yaml"), b"queues: []\0").expect("writable");
    assert_eq!(codes_of(&folder.rmqplay(&["check", "--json", "."])), BTreeSet::from(["file::not_text".to_owned()]));
}

#[test]
fn a_file_in_another_encoding_is_not_utf8() {
    let folder = Folder::new();
    fs::write(folder.0.path().join("latin.yaml"), b"queues: [{name: gr\xfc\xdfe}]\n").expect("writable");
    assert_eq!(codes_of(&folder.rmqplay(&["check", "--json", "."])), BTreeSet::from(["file::not_utf8".to_owned()]));
}

#[test]
fn a_file_over_the_limit_is_too_large() {
    let folder = Folder::new();
    let line = "  - {name: a.queue.with.a.name.that.takes.some.room}\n";
    fs::write(folder.0.path().join("large.yaml"), format!("queues:\n{}", line.repeat(400_000))).expect("writable");
    assert_eq!(codes_of(&folder.rmqplay(&["check", "--json", "."])), BTreeSet::from(["file::too_large".to_owned()]));
}

#[test]
fn more_problems_than_are_listed_are_told_as_such() {
    let folder = Folder::new();
    let queues: String = (0..300).map(|n| format!("  - {{name: q{n}, tpye: quorum}}\n")).collect();
    fs::write(folder.0.path().join("many.yaml"), format!("queues:\n{queues}")).expect("writable");
    let found = codes_of(&folder.rmqplay(&["check", "--json", "."]));
    assert_eq!(found, BTreeSet::from(["file::too_many".to_owned(), "yaml::unknown_key".to_owned()]));
}

#[test]
fn a_folder_in_place_of_a_snapshot_is_unreadable() {
    let folder = Folder::new();
    let scenario = "scenario: nothing waits\ntopology: {queues: [{name: work}]}\n\
                    steps: [{expect: {queue: work, ready: 0}}]\n";
    fs::write(folder.0.path().join("one.yaml"), scenario).expect("writable");
    fs::create_dir_all(folder.0.path().join("snapshots/one.snap")).expect("a folder");
    let found = codes_of(&folder.rmqplay(&["run", "--json", "one.yaml"]));
    assert_eq!(found, BTreeSet::from(["snapshot::unreadable".to_owned()]));
}

/// Checks the files of an example; if that finds nothing, plays its scenarios.
fn played(files: &[ExampleFile], with_lints: bool) -> BTreeSet<String> {
    let folder = Folder::new();
    for file in files {
        let path = folder.0.path().join(&file.name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, &file.text).expect("writable");
    }
    let checked = codes_of(&folder.rmqplay(&["check", "--json", "."]));
    let scenarios = files.iter().filter(|file| file.text.starts_with("scenario:")).map(|file| file.name.as_str());
    let scenarios: Vec<&str> = scenarios.collect();
    let is_told = |code: &String| with_lints || !code.starts_with("lint::");
    if checked.iter().any(is_told) || scenarios.is_empty() {
        return checked;
    }
    let output = folder.rmqplay(&[&["run", "--json"], scenarios.as_slice()].concat());
    let mut found = codes_of(&output);
    // What stops nodes is skipped: a cluster is not simulated.
    let skipped = output.status.code() == Some(5) && files.iter().any(|file| file.text.contains("\nneeds: {nodes"));
    if found.is_empty() && !output.status.success() && !skipped {
        found.insert(format!("{output:?}"));
    }
    found
}

/// Imports the files of an example.
fn converted(files: &[ExampleFile]) -> BTreeSet<String> {
    let folder = Folder::new();
    for file in files {
        fs::write(folder.0.path().join(&file.name), &file.text).expect("writable");
    }
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let output = folder.rmqplay(&[&["import", "-o", "topology.yaml"], names.as_slice()].concat());
    codes_of(&Output { stdout: Vec::new(), ..output })
}

/// Compares `broker.yaml`, what a broker holds, with `topology.yaml`, what is applied to it.
fn planned(files: &[ExampleFile]) -> BTreeSet<String> {
    let mut sources = Sources::default();
    let mut load = |name: &str| {
        let file = files.iter().find(|file| file.name == name).unwrap_or_else(|| panic!("no {name}"));
        let settings = Settings::default();
        let (loaded, problems) = load_topology(&mut sources, name, file.text.as_bytes(), &Nothing, &settings);
        let stops: Vec<_> = problems.into_iter().filter(|problem| problem.level == Level::Problem).collect();
        (loaded.unwrap_or_else(|| panic!("{name} cannot be loaded: {stops:?}")), file.text.clone())
    };
    let (broker, text) = load("broker.yaml");
    let version = text.lines().find_map(|line| line.strip_prefix("rabbitmq_version: ")?.parse().ok());
    let version = version.unwrap_or(Version { major: 4, minor: 3 });
    let (desired, _) = load("topology.yaml");
    let observed = Observed {
        topology: broker.topology,
        version,
        exchange_types: ["direct", "fanout", "headers", "topic"].map(str::to_owned).to_vec(),
        ..Observed::empty(Profile::NEWEST)
    };
    let plan = plan(&desired.topology, &desired.origins, &observed);
    plan.problems.iter().map(|problem| problem.code.to_string()).collect()
}

/// Takes the codes out of JSON on the one output and of drawn problems on the other.
fn codes_of(output: &Output) -> BTreeSet<String> {
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let mut found = BTreeSet::new();
    let mut take = |code: &serde_json::Value| found.extend(code["code"].as_str().map(str::to_owned));
    for line in out.lines() {
        let shown: serde_json::Value = serde_json::from_str(line).expect("JSON");
        shown.as_array().into_iter().flatten().for_each(&mut take);
        shown["failures"].as_array().into_iter().flatten().for_each(&mut take);
    }
    let drawn = error.lines().filter(|line| Code::ALL.iter().any(|code| code.text() == *line));
    found.extend(drawn.map(str::to_owned));
    found
}

/// A world without files and variables.
struct Nothing;

impl World for Nothing {
    fn read(&self, _path: &str) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::NotFound)
    }

    fn variable(&self, _name: &str) -> Option<String> {
        None
    }
}

/// A fresh folder, gone with the value.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// Runs the program here, without what the environment says of CI.
    fn rmqplay(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rmqplay"));
        command.args(arguments).current_dir(self.0.path()).env_remove("CI").env_remove("NO_COLOR");
        command.output().expect("rmqplay runs")
    }
}
