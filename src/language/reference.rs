//! The reference of the language as plain text: the whole page, or the sections about a word.
//! Takes a word, returns text in which links are their own words. Never prints.

use crate::language::decode::suggestions::nearest;

const PAGE: &str = include_str!("reference.md");

/// One `###` section of the page.
struct ReferenceSection<'p> {
    part: &'p str,
    heading: &'p str,
    text: String,
}

impl ReferenceSection<'_> {
    /// Returns the words that the heading names: those between backticks.
    fn words(&self) -> impl Iterator<Item = &str> {
        self.heading.split('`').skip(1).step_by(2)
    }

    fn is_about(&self, word: &str) -> bool {
        let same = |other: &str| other.eq_ignore_ascii_case(word);
        self.words().any(same) || same(&self.heading.replace('`', ""))
    }
}

/// Returns the whole reference.
pub fn reference() -> String {
    PAGE.lines().map(without_links).collect::<Vec<_>>().join("\n") + "\n"
}

/// Returns the sections about a word: those whose heading names it, or all of a part (`Consumers`).
///
/// # Errors
/// No section is about it; the nearest word that has one, if any is near.
///
/// ```
/// use rmqplay::language::reference_of;
/// assert!(reference_of("delivery_limit").is_ok_and(|text| text.starts_with("## Topology files\n\n### `delivery_limit`\n")));
/// assert_eq!(reference_of("prefetsh"), Err(Some("prefetch".to_owned())));
/// ```
pub fn reference_of(word: &str) -> Result<String, Option<String>> {
    let sections = sections();
    let word = word.trim_matches('`');
    let mut found: Vec<&ReferenceSection<'_>> = sections.iter().filter(|section| section.is_about(word)).collect();
    if found.is_empty() {
        found = sections.iter().filter(|section| section.part.eq_ignore_ascii_case(word)).collect();
    }
    if found.is_empty() {
        let words = sections.iter().flat_map(ReferenceSection::words);
        let titles = sections.iter().flat_map(|section| [section.heading, section.part]);
        let candidates: Vec<&str> = words.chain(titles.filter(|title| !title.contains('`'))).collect();
        return Err(nearest(word, candidates).map(str::to_owned));
    }
    let mut text = String::new();
    let mut part = "";
    for section in found {
        if section.part != part {
            part = section.part;
            text.push_str(&format!("## {part}\n\n"));
        }
        text.push_str(&format!("### {}\n{}", section.heading, section.text));
    }
    Ok(text)
}

fn sections() -> Vec<ReferenceSection<'static>> {
    let mut sections: Vec<ReferenceSection<'static>> = Vec::new();
    let mut part = "";
    let mut fenced = false;
    for line in PAGE.lines() {
        fenced ^= line.starts_with("```");
        match (fenced, line.strip_prefix("## "), line.strip_prefix("### ")) {
            (false, Some(title), _) => part = title,
            (false, _, Some(heading)) => sections.push(ReferenceSection { part, heading, text: String::new() }),
            // What stands before the first section of a part is the part's own.
            _ => {
                if let Some(section) = sections.last_mut().filter(|section| section.part == part) {
                    section.text.push_str(&without_links(line));
                    section.text.push('\n');
                }
            }
        }
    }
    sections
}

/// Replaces `[text](#place)` by its text.
fn without_links(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("](") {
        let Some(open) = rest[..at].rfind('[') else { break };
        let Some(close) = rest[at..].find(')') else { break };
        plain.push_str(&rest[..open]);
        plain.push_str(&rest[open + 1..at]);
        rest = &rest[at + close + 1..];
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_their_text() {
        assert_eq!(without_links("- [`get`: `queue`](#get-queue), [ä](#b)."), "- `get`: `queue`, ä.");
        assert_eq!(without_links("messages: [a, b] (two)"), "messages: [a, b] (two)");
        assert_eq!(without_links("a](b"), "a](b");
        assert!(!reference().contains("](#"));
    }

    #[test]
    fn a_word_leads_to_its_sections() {
        let every = reference_of("every").expect("sections");
        let headings: Vec<&str> = every.lines().filter(|line| line.starts_with('#')).collect();
        assert_eq!(headings[0], "## Topology files");
        assert!(headings.iter().filter(|line| line.starts_with("### ")).count() >= 3, "{headings:?}");
        assert!(headings.iter().all(|line| line.starts_with("## ") || line.contains("`every`")), "{headings:?}");
        assert_eq!(reference_of("quiet").expect("a section").lines().next(), Some("## Time"));
        let time = reference_of("time").expect("a part");
        assert!(time.contains("### Quiet") && time.contains("### `at`") && !time.contains("## Expectations"), "{time}");
        assert_eq!(reference_of("sleep"), Err(Some("advance".to_owned())));
        assert_eq!(reference_of("xyzzyxyzzy"), Err(None));
    }
}
