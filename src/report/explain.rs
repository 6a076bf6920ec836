//! Rules of the book and codes of problems as text and JSON, and the list of both.
//! Takes a section, a width and a palette, returns what to print. Never looks anything up.

use crate::model::Profile;
use crate::report::Palette;
use crate::rules::{KnownFrom, PLAYED_RELEASES, RuleChapter, RuleSection};
use crate::source::{Block, CodeChapter, CodeSection, ExampleFile};
use serde_json::{Value as Json, json};
use std::fmt::Write as _;

/// The widest line of prose: longer ones are hard to read.
pub(crate) const WIDTH_MAX: usize = 100;

/// Draws a rule: what happens, what differs between versions, and where that is known from.
pub fn explain_rule(rule: &RuleSection, chapter: &str, width: usize, palette: Palette) -> String {
    let width = width.min(WIDTH_MAX);
    let mut text = head(&rule.id, &rule.title, chapter, palette);
    text.push_str(&blocks(&rule.text, width));
    let _ = write!(text, "\n{}\n", palette.strong("Versions"));
    if rule.versions.is_empty() {
        text.push_str("  No difference between versions is known.\n");
    }
    let widest = rule.versions.iter().map(|note| note.versions.chars().count()).max().unwrap_or(0);
    for note in &rule.versions {
        let aside = match note.known_from {
            KnownFrom::Broker => "",
            KnownFrom::Source => " (read in source, never run)",
            KnownFrom::Notes => " (from the release notes)",
        };
        let first = format!("  {:widest$}  ", note.versions);
        text.push_str(&wrapped(&format!("{}{aside}", note.text), &first, &" ".repeat(widest + 4), width));
    }
    if let Some(advice) = &rule.upgrade {
        let _ = write!(text, "\n{}\n", palette.strong("When you upgrade"));
        text.push_str(&wrapped(advice, "  ", "  ", width));
    }
    let _ = write!(text, "\n{}\n", palette.strong("Known from"));
    for source in &rule.sources {
        let first = match source.known_from {
            KnownFrom::Broker => {
                text.push_str(&of_brokers(&source.text, width));
                continue;
            }
            KnownFrom::Source => "  source         ",
            KnownFrom::Notes => "  release notes  ",
        };
        text.push_str(&wrapped(&source.text, first, LATER_LINES, width));
    }
    let unseen = without_broker(rule);
    if !unseen.is_empty() {
        text.push_str(&wrapped(&Profile::listed(&unseen, ", "), "  read only      ", LATER_LINES, width));
    }
    text
}

/// What stands before each further line of a source.
const LATER_LINES: &str = "                 ";

/// Tells brokers that every run of the tests plays from those that were measured once.
fn of_brokers(releases: &str, width: usize) -> String {
    let is_played = |release: &&str| PLAYED_RELEASES.contains(release);
    let (played, once): (Vec<&str>, Vec<&str>) = releases.split(", ").partition(is_played);
    let rows = [("  played by CI   ", played), ("  measured once  ", once)];
    let rows = rows.into_iter().filter(|(_, releases)| !releases.is_empty());
    rows.map(|(first, releases)| wrapped(&releases.join(", "), first, LATER_LINES, width)).collect()
}

/// Lists the profiles whose release no broker showed this rule on.
fn without_broker(rule: &RuleSection) -> Vec<Profile> {
    let seen = |release: &str| {
        let brokers = rule.sources.iter().filter(|source| source.known_from == KnownFrom::Broker);
        brokers.flat_map(|source| source.text.split(", ")).any(|seen| seen == release)
    };
    Profile::ALL.into_iter().filter(|profile| !seen(&profile.release())).collect()
}

/// Draws a code: what it means, what to do, and its examples.
pub fn explain_code(code: &CodeSection, chapter: &str, width: usize, palette: Palette) -> String {
    let mut text = head(&code.name, &code.title, chapter, palette);
    text.push_str(&blocks(&code.text, width.min(WIDTH_MAX)));
    for (label, files) in [(palette.bad("Wrong"), &code.wrong), (palette.good("Right"), &code.right)] {
        if !files.is_empty() {
            let _ = write!(text, "\n{label}\n");
            text.push_str(&example(files, palette));
        }
    }
    text
}

/// Lists rules and codes by chapter, each with its title.
pub fn explain_list(rules: &[RuleChapter], codes: &[CodeChapter], palette: Palette) -> String {
    let of_rules = rules.iter().map(|chapter| (&chapter.title, chapter.rules.iter().map(|it| (&it.id, &it.title))));
    let of_codes = codes.iter().map(|chapter| (&chapter.title, chapter.codes.iter().map(|it| (&it.name, &it.title))));
    let rules: Vec<String> = of_rules.map(|(title, entries)| listed(title, entries.collect(), palette)).collect();
    let codes: Vec<String> = of_codes.map(|(title, entries)| listed(title, entries.collect(), palette)).collect();
    rules.into_iter().chain(codes).collect::<Vec<_>>().join("\n")
}

/// Returns a rule as JSON.
pub fn rule_json(rule: &RuleSection, chapter: &str) -> Json {
    let known_from = |from: KnownFrom| match from {
        KnownFrom::Broker => "broker",
        KnownFrom::Source => "source",
        KnownFrom::Notes => "notes",
    };
    let versions = rule
        .versions
        .iter()
        .map(|note| json!({ "versions": note.versions, "known_from": known_from(note.known_from), "text": note.text }));
    let sources =
        rule.sources.iter().map(|source| json!({ "known_from": known_from(source.known_from), "text": source.text }));
    json!({
        "type": "rule",
        "name": rule.id,
        "title": rule.title,
        "chapter": chapter,
        "text": plain(&rule.text),
        "versions": versions.collect::<Vec<_>>(),
        "upgrade": rule.upgrade,
        "sources": sources.collect::<Vec<_>>(),
        "evidence": evidence(rule),
    })
}

/// Returns how each version is known: `played`, `measured_once` or `read`.
fn evidence(rule: &RuleSection) -> Json {
    let unseen = without_broker(rule);
    let known = Profile::ALL.into_iter().map(|profile| {
        let release = profile.release();
        let how = match (unseen.contains(&profile), PLAYED_RELEASES.contains(&release.as_str())) {
            (true, _) => "read",
            (false, true) => "played",
            (false, false) => "measured_once",
        };
        (profile.to_string(), json!({ "release": release, "known": how }))
    });
    Json::Object(known.collect())
}

/// Returns a code as JSON.
pub fn code_json(code: &CodeSection, chapter: &str) -> Json {
    let files = |files: &[ExampleFile]| -> Vec<Json> {
        files.iter().map(|file| json!({ "file": file.name, "text": file.text })).collect()
    };
    json!({
        "type": "code",
        "name": code.name,
        "title": code.title,
        "chapter": chapter,
        "text": plain(&code.text),
        "wrong": files(&code.wrong),
        "right": files(&code.right),
    })
}

fn head(name: &str, title: &str, chapter: &str, palette: Palette) -> String {
    format!("{}  {title}\n{}\n\n", palette.strong(name), palette.dim(chapter))
}

fn listed(title: &str, entries: Vec<(&String, &String)>, palette: Palette) -> String {
    let widest = entries.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut text = format!("{}\n", palette.strong(title));
    for (name, title) in entries {
        let _ = writeln!(text, "  {name:widest$}  {title}");
    }
    text
}

fn example(files: &[ExampleFile], palette: Palette) -> String {
    let mut text = String::new();
    for (number, file) in files.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        if files.len() > 1 {
            let _ = writeln!(text, "  {}", palette.dim(&format!("{}:", file.name)));
        }
        for line in file.text.lines() {
            let _ = writeln!(text, "{}", format!("    {line}").trim_end());
        }
    }
    text
}

/// Draws paragraphs with a blank line between them, and items with a dash.
fn blocks(all: &[Block], width: usize) -> String {
    let mut text = String::new();
    let mut in_list = false;
    for (number, block) in all.iter().enumerate() {
        let is_item = matches!(block, Block::Item(_));
        if number > 0 && !(is_item && in_list) {
            text.push('\n');
        }
        in_list = is_item;
        match block {
            Block::Paragraph(words) => text.push_str(&wrapped(words, "  ", "  ", width)),
            Block::Item(words) => text.push_str(&wrapped(words, "  - ", "    ", width)),
            Block::Fenced(lines) => lines.lines().for_each(|line| {
                let _ = writeln!(text, "    {line}");
            }),
        }
    }
    text
}

/// Breaks words into lines of at most `width` columns, where no single word is longer.
pub(crate) fn wrapped(words: &str, first: &str, further: &str, width: usize) -> String {
    let mut text = String::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in words.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > width {
            text.push_str(line.trim_end());
            text.push('\n');
            line = further.to_owned();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    text.push_str(line.trim_end());
    text.push('\n');
    text
}

fn plain(all: &[Block]) -> Vec<&str> {
    let words = |block| match block {
        &Block::Paragraph(ref words) | &Block::Item(ref words) | &Block::Fenced(ref words) => words.as_str(),
    };
    all.iter().map(words).collect()
}
