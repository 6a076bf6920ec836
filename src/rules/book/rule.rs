//! The rules of the book as data: what happens, in which versions otherwise, and where that is known from.
//! Takes the Markdown files beside it, returns chapters and single rules. Never draws.

use crate::model::Version;
use crate::source::{Block, Chapter, Section};

/// The files of the book, in the order in which they are listed.
const CHAPTERS: [&str; 21] = [
    include_str!("dead-lettering.md"),
    include_str!("x-death.md"),
    include_str!("quorum-dead-lettering.md"),
    include_str!("ttl.md"),
    include_str!("expires.md"),
    include_str!("length.md"),
    include_str!("priorities.md"),
    include_str!("routing.md"),
    include_str!("exchange-types.md"),
    include_str!("consuming.md"),
    include_str!("acknowledging.md"),
    include_str!("timeouts.md"),
    include_str!("delayed-retry.md"),
    include_str!("policies.md"),
    include_str!("permissions.md"),
    include_str!("refusals.md"),
    include_str!("confirms.md"),
    include_str!("transactions.md"),
    include_str!("streams.md"),
    include_str!("management.md"),
    include_str!("comparing.md"),
];

/// The releases whose brokers play the conformance files in every run of the tests; others were measured once.
pub const PLAYED_RELEASES: [&str; 3] = ["3.10.8", "4.0.5", "4.3.6"];

/// The rules of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleChapter {
    /// What users call the subject: `Message TTL`.
    pub title: String,
    /// In the order of the file.
    pub rules: Vec<RuleSection>,
}

/// One rule of RabbitMQ's behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSection {
    /// `TTL-2`, `QQ-43-1`.
    pub id: String,
    /// What happens, in a line.
    pub title: String,
    /// What happens, in all versions or in the one that is meant by default.
    pub text: Vec<Block>,
    /// What differs; empty where no difference is known.
    pub versions: Vec<VersionNote>,
    /// What to do when an upgrade crosses the difference.
    pub upgrade: Option<String>,
    /// Where it is known from.
    pub sources: Vec<RuleSource>,
}

/// What certain versions do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionNote {
    /// Versions with commas or ` to ` between them: `3.10 to 3.12`, `4.0, 4.3`.
    pub versions: String,
    /// How sure the note is.
    pub known_from: KnownFrom,
    /// What differs.
    pub text: String,
}

/// How a thing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownFrom {
    /// It was seen on a broker.
    Broker,
    /// It was read in RabbitMQ's source and never run.
    Source,
    /// The release notes or the documentation say so.
    Notes,
}

/// Where a rule is known from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSource {
    /// Its kind.
    pub known_from: KnownFrom,
    /// Versions of brokers or release notes; modules with their tags.
    pub text: String,
}

/// Returns the whole book.
pub fn rule_chapters() -> Vec<RuleChapter> {
    let read = |text: &&str| {
        let chapter = Chapter::read(text);
        RuleChapter { title: chapter.title, rules: chapter.sections.iter().map(RuleSection::read).collect() }
    };
    CHAPTERS.iter().map(read).collect()
}

impl RuleSection {
    /// Reads a section of the form that `README.md` beside this file describes.
    fn read(section: &Section) -> Self {
        let (id, title) = section.heading.split_once(' ').unwrap_or((&section.heading, ""));
        let mut rule = RuleSection {
            id: id.to_owned(),
            title: title.to_owned(),
            text: Vec::new(),
            versions: Vec::new(),
            upgrade: None,
            sources: Vec::new(),
        };
        let mut part = RulePart::Text;
        for block in &section.blocks {
            match (part, block) {
                (_, Block::Paragraph(text)) if text == "Versions:" || text == NO_DIFFERENCE => {
                    part = RulePart::Versions
                }
                (_, Block::Paragraph(text)) if text == "Source:" => part = RulePart::Sources,
                (_, Block::Paragraph(text)) if text.starts_with(UPGRADE) => {
                    rule.upgrade = Some(text[UPGRADE.len()..].to_owned());
                }
                (RulePart::Versions, Block::Item(text)) => rule.versions.push(VersionNote::read(text)),
                (RulePart::Sources, Block::Item(text)) => rule.sources.extend(RuleSource::read(text)),
                _ => rule.text.push(block.clone()),
            }
        }
        rule
    }
}

/// Stands in place of a list of versions.
const NO_DIFFERENCE: &str = "Versions: no difference known.";

/// What the advice for an upgrade begins with.
const UPGRADE: &str = "Upgrade: ";

#[derive(Clone, Copy)]
enum RulePart {
    Text,
    Versions,
    Sources,
}

impl VersionNote {
    /// Reads `3.13.0 to 3.13.2 (source): text`.
    fn read(item: &str) -> Self {
        let (versions, text) = item.split_once(": ").unwrap_or(("", item));
        let (versions, known_from) = match versions.split_once(" (") {
            Some((versions, "source)")) => (versions, KnownFrom::Source),
            Some((versions, "notes)")) => (versions, KnownFrom::Notes),
            _ => (versions, KnownFrom::Broker),
        };
        Self { versions: versions.to_owned(), known_from, text: text.to_owned() }
    }

    /// Returns whether the note is about a version; a patch is taken for its minor version.
    pub fn covers(&self, version: Version) -> bool {
        self.versions.split(", ").any(|range| {
            let (first, last) = range.split_once(" to ").unwrap_or((range, range));
            match (first.parse::<Version>(), last.parse::<Version>()) {
                (Ok(first), Ok(last)) => first <= version && version <= last,
                _ => false,
            }
        })
    }
}

impl RuleSource {
    /// Reads `live: 3.10.8, 4.0.5`, `code: rabbit_fifo at v4.3.5` or `notes: 4.2.1`.
    fn read(item: &str) -> Option<Self> {
        let (kind, text) = item.split_once(": ")?;
        let known_from = match kind {
            "live" => KnownFrom::Broker,
            "code" => KnownFrom::Source,
            "notes" => KnownFrom::Notes,
            _ => return None,
        };
        Some(Self { known_from, text: text.to_owned() })
    }
}
