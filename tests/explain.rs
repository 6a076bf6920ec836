//! What `rmqplay explain` knows: the rule book covers every rule that is cited, the guide every code of a problem, and
//! the guide's examples show exactly what they are said to show. `explain/examples.rs` plays them.
#![expect(clippy::disallowed_methods, reason = "tests read files and environment")]

#[path = "explain/examples.rs"]
mod examples;

use fancy_regex::Regex;
use rmqplay::rules::{RuleSection, rule_chapters};
use rmqplay::source::{Block, Code, code_chapters};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_cited_rule_has_a_section() {
    let known: BTreeSet<String> = rules().into_iter().map(|rule| rule.id).collect();
    let families: BTreeSet<&str> = known.iter().filter_map(|id| Some(id.rsplit_once('-')?.0)).collect();
    let families: Vec<&str> = families.into_iter().collect();
    let cited = Regex::new(&format!(r"\b(?:{})-[0-9]+\b", families.join("|"))).expect("a pattern");
    let mut faults = Vec::new();
    let mut found = 0;
    for path in texts() {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (number, line) in text.lines().enumerate() {
            for rule in cited.find_iter(line).flatten() {
                found += 1;
                if !known.contains(rule.as_str()) {
                    faults.push(format!("{}:{}: {}", path.display(), number + 1, rule.as_str()));
                }
            }
        }
    }
    assert!(found > 1_000, "the citations are found: {found}");
    assert!(faults.is_empty(), "rules that the book does not have:\n{}", faults.join("\n"));
}

/// `rules.txt` says of each rule that its files are in `tests/conformance`, which that test holds, or why there are none.
#[test]
fn every_rule_has_conformance_files_or_a_reason() {
    let listed = fs::read_to_string(root().join("tests/conformance/rules.txt")).expect("the list");
    let listed: BTreeMap<&str, &str> = listed
        .lines()
        .map(|line| line.split_once(' ').unwrap_or((line, "")))
        .filter(|(id, _)| !id.is_empty())
        .collect();
    let rules = rules();
    let known: BTreeSet<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
    let here: BTreeSet<&str> = listed.keys().copied().collect();
    assert_eq!(here, known, "rules.txt and the rule book name the same rules");
    for (id, reason) in listed {
        let told = reason.strip_prefix("out of scope: ").is_some_and(|reason| reason.len() > 5);
        assert!(reason.is_empty() || told, "{id}: `{reason}` is no reason");
    }
}

#[test]
fn every_rule_is_written_in_the_form_of_the_book() {
    let one = r"[34]\.[0-9]+(?:\.[0-9]+)?";
    let versions = Regex::new(&format!("^{one}(?:(?:, | to ){one})*$")).expect("a pattern");
    let modules = Regex::new(&format!(r"^[a-z0-9_/]+ at v{one}(?:, [a-z0-9_/]+ at v{one})*$")).expect("a pattern");
    let mut ids = BTreeSet::new();
    for rule in rules() {
        let id = &rule.id;
        assert!(ids.insert(id.clone()), "{id} has two sections");
        assert!(!rule.title.is_empty() && !rule.title.ends_with('.'), "{id} has a title without a full stop");
        assert!(
            !rule.text.is_empty() && !rule.sources.is_empty(),
            "{id} says what happens and where that is known from"
        );
        for block in &rule.text {
            let (Block::Paragraph(text) | Block::Item(text)) = block else { panic!("{id} holds code") };
            assert!(!text.starts_with("Versions:") && !text.starts_with("Source:"), "{id}: `{text}` is misplaced");
        }
        for note in &rule.versions {
            let fits = versions.is_match(&note.versions).expect("a match");
            assert!(fits && note.text.ends_with(['.', ')']), "{id}: `{}: {}`", note.versions, note.text);
        }
        for source in &rule.sources {
            let fits =
                versions.is_match(&source.text).expect("a match") || modules.is_match(&source.text).expect("a match");
            assert!(fits, "{id}: `{}` is no source", source.text);
        }
    }
    let headings = written("src/rules/book", r"(?m)^## ").len();
    assert_eq!(headings, ids.len(), "every section of every file of src/rules/book is listed");
}

#[test]
fn every_code_has_one_section_and_every_section_a_code() {
    let mut explained = BTreeSet::new();
    for section in code_chapters().into_iter().flat_map(|chapter| chapter.codes) {
        let code = section.code().unwrap_or_else(|| panic!("there is no code `{}`", section.name));
        assert!(explained.insert(code), "{code} is explained twice");
        assert!(!section.title.is_empty() && !section.title.ends_with('.'), "{code} has a title without a full stop");
        assert!(!section.text.is_empty(), "{code} says what to do");
    }
    let all: BTreeSet<Code> = Code::ALL.iter().copied().collect();
    assert_eq!(explained, all);
    let headings = written("src/source/codes", r"(?m)^## ").len();
    assert_eq!(headings, explained.len(), "every section of every file of src/source/codes is listed");
}

#[test]
fn codes_are_written_in_one_file_only() {
    let pattern = Regex::new(r#""[a-z0-9_]+::[a-z0-9_]+""#).expect("a pattern");
    let mut faults = Vec::new();
    for path in files(&root().join("src")).into_iter().filter(|path| has_ending(path, "rs")) {
        let text = fs::read_to_string(&path).expect("readable source");
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
        faults.extend(
            lines
                .filter(|(_, line)| pattern.is_match(line).expect("a match"))
                .map(|(number, line)| format!("{}:{}: {}", path.display(), number + 1, line.trim())),
        );
    }
    assert!(faults.is_empty(), "codes are values of `source::Code`, not texts:\n{}", faults.join("\n"));
}

fn rules() -> Vec<RuleSection> {
    rule_chapters().into_iter().flat_map(|chapter| chapter.rules).collect()
}

/// Finds a pattern in the Markdown files of a folder, but for its README.
fn written(folder: &str, pattern: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).expect("a pattern");
    let paths =
        files(&root().join(folder)).into_iter().filter(|path| has_ending(path, "md") && !path.ends_with("README.md"));
    let texts: Vec<String> = paths.map(|path| fs::read_to_string(path).expect("readable text")).collect();
    texts.iter().flat_map(|text| pattern.find_iter(text).flatten().map(|found| found.as_str().to_owned())).collect()
}

/// Lists everything that may cite a rule.
fn texts() -> Vec<PathBuf> {
    let folders = ["src", "tests", "scenarios", "topologies", "examples", ".github", "findings"];
    let mut found: Vec<PathBuf> = folders.iter().flat_map(|folder| files(&root().join(folder))).collect();
    found.extend(["README.md", "CHANGELOG.md"].map(|name| root().join(name)));
    found
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|extension| extension == ending)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
