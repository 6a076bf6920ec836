//! `explain`: what a rule of RabbitMQ or the code of a problem means; without a name, all there are.

use crate::cli::ExitCode;
use crate::cli::arguments::ExplainOptions;
use crate::cli::terminal::Terminal;
use crate::language::nearest;
use crate::report::{code_json, explain_code, explain_list, explain_rule, rule_json};
use crate::rules::{RuleChapter, RuleSection, rule_chapters};
use crate::source::{CodeChapter, CodeSection, Help, code_chapters};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// Prints what was asked for, or the list.
pub fn explain(command: &ExplainOptions, terminal: &Terminal) -> ExitCode {
    let book = Explainable { rules: rule_chapters(), codes: code_chapters() };
    if command.names.is_empty() {
        book.print_list(command.json, terminal);
        return ExitCode::Fine;
    }
    let found: Result<Vec<Explained<'_>>, String> = command.names.iter().map(|name| book.find(name)).collect();
    let found = match found {
        Ok(found) => found,
        Err(message) => return terminal.usage(&message),
    };
    if command.json {
        let shown: Vec<Json> = found.iter().map(Explained::json).collect();
        terminal.print(&json!(shown).to_string());
        return ExitCode::Fine;
    }
    let shown: Vec<String> = found.iter().map(|entry| entry.text(terminal)).collect();
    terminal.print(&shown.join("\n"));
    ExitCode::Fine
}

/// The fewest letters of a word that is looked for in titles.
const TITLE_WORD_MIN: usize = 3;

/// How many titles are named where a word is misspelled.
const TITLED_MAX: usize = 6;

/// Parts a text into words that are long enough to be looked for.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() >= TITLE_WORD_MIN)
}

/// All that can be explained.
struct Explainable {
    rules: Vec<RuleChapter>,
    codes: Vec<CodeChapter>,
}

/// One thing that can be explained, with the title of its chapter.
enum Explained<'b> {
    Rule(&'b RuleSection, &'b str),
    Code(&'b CodeSection, &'b str),
    /// All rules or codes of a family: `DL`, `topology`.
    Family(Vec<RuleChapter>, Vec<CodeChapter>),
    /// What nothing is named, and the rules and codes whose titles speak of it.
    Titled(String, Vec<RuleChapter>, Vec<CodeChapter>),
}

impl Explainable {
    fn print_list(&self, json: bool, terminal: &Terminal) {
        if json {
            let all: Vec<Json> = self.entries().map(|entry| entry.json()).collect();
            terminal.print(&json!(all).to_string());
            return;
        }
        terminal.print(&explain_list(&self.rules, &self.codes, terminal.palette));
        terminal.status("\nrmqplay explain NAME tells more: rmqplay explain TTL-2, rmqplay explain yaml::unknown_key");
    }

    fn entries(&self) -> impl Iterator<Item = Explained<'_>> {
        let rules = self.rules.iter().flat_map(|chapter| {
            let title = chapter.title.as_str();
            chapter.rules.iter().map(move |rule| Explained::Rule(rule, title))
        });
        let codes = self.codes.iter().flat_map(|chapter| {
            let title = chapter.title.as_str();
            chapter.codes.iter().map(move |code| Explained::Code(code, title))
        });
        rules.chain(codes)
    }

    /// Finds a rule or a code by its name, a code by what stands behind `::`, or a family by what stands before.
    fn find(&self, name: &str) -> Result<Explained<'_>, String> {
        let wanted = name.trim().trim_start_matches('[').trim_end_matches(']').to_lowercase();
        if let Some(entry) = self.entries().find(|entry| entry.name().to_lowercase() == wanted) {
            return Ok(entry);
        }
        if let Some(family) = self.family(&wanted) {
            return Ok(family);
        }
        let behind = |entry: &Explained<'_>| entry.name().split_once("::").is_some_and(|(_, behind)| behind == wanted);
        let mut same: Vec<Explained<'_>> = self.entries().filter(behind).collect();
        if same.len() == 1 {
            return Ok(same.remove(0));
        }
        if !same.is_empty() {
            let names: Vec<String> = same.iter().map(|entry| format!("`{}`", entry.name())).collect();
            return Err(format!("several codes end in `{name}`: {}", names.join(", ")));
        }
        if let Some(titled) = self.titled(&wanted) {
            return Ok(titled);
        }
        let help = self.near(&wanted).unwrap_or_else(|| "`rmqplay explain` lists all".to_owned());
        Err(format!("there is no rule or code `{name}`: {help}"))
    }

    /// Tells what is nearest to `wanted`: a name, what stands behind `::` in one, or the words of titles.
    fn near(&self, wanted: &str) -> Option<String> {
        let names: Vec<&str> = self.codes.iter().flat_map(|chapter| &chapter.codes).map(|code| &*code.name).collect();
        let ids = self.rules.iter().flat_map(|chapter| &chapter.rules).map(|rule| &*rule.id);
        if let Some(near) = nearest(wanted, names.iter().copied().chain(ids)) {
            return Some(Help::did_you_mean(near).to_string());
        }
        let ends = || names.iter().filter_map(|name| Some((*name, name.split_once("::")?.1)));
        if let Some(near) = nearest(wanted, ends().map(|(_, end)| end)) {
            let same: Vec<String> =
                ends().filter(|(_, end)| *end == near).map(|(name, _)| format!("`{name}`")).collect();
            return Some(format!("did you mean {}?", same.join(" or ")));
        }
        self.near_titles(wanted)
    }

    /// Lists what has words in its title that are nearest to those of `wanted`.
    fn near_titles(&self, wanted: &str) -> Option<String> {
        let rules = || self.rules.iter().flat_map(|chapter| &chapter.rules).map(|rule| (&*rule.id, &*rule.title));
        let codes = || self.codes.iter().flat_map(|chapter| &chapter.codes).map(|code| (&*code.name, &*code.title));
        let titles: Vec<String> = rules().chain(codes()).map(|(_, title)| title.to_lowercase()).collect();
        let known: BTreeSet<&str> = titles.iter().flat_map(|title| words_of(title)).collect();
        let meant: Option<Vec<&str>> = words_of(wanted)
            .map(|word| if known.contains(word) { Some(word) } else { nearest(word, known.iter().copied()) })
            .collect();
        let meant = meant.filter(|meant| !meant.is_empty())?;
        let speaks = |(_, title): &(&str, &str)| {
            let title = title.to_lowercase();
            meant.iter().all(|word| words_of(&title).any(|known| known == *word))
        };
        let found: Vec<String> =
            rules().chain(codes()).filter(speaks).map(|(name, title)| format!("{name} ({title})")).collect();
        let (shown, left) = found.split_at(found.len().min(TITLED_MAX));
        let more = if left.is_empty() { String::new() } else { format!(" and {} more", left.len()) };
        (!found.is_empty()).then(|| format!("did you mean `{}`? See {}{more}", meant.join(" "), shown.join(", ")))
    }

    /// Keeps what has all words of `wanted` in its title.
    fn titled(&self, wanted: &str) -> Option<Explained<'_>> {
        let words: Vec<&str> = wanted.split(['_', '-', ' ']).filter(|word| !word.is_empty()).collect();
        if words.iter().all(|word| word.len() < TITLE_WORD_MIN) {
            return None;
        }
        let speaks = |title: &str| {
            let title = title.to_lowercase();
            words.iter().all(|word| title.contains(word))
        };
        let (rules, codes) = self.chosen(|rule| speaks(&rule.title), |code| speaks(&code.title));
        (!rules.is_empty() || !codes.is_empty()).then(|| Explained::Titled(wanted.to_owned(), rules, codes))
    }

    /// Keeps what begins with `wanted` and a dash, or `wanted` and two colons.
    fn family(&self, wanted: &str) -> Option<Explained<'_>> {
        let (rules, codes) = self.chosen(
            |rule| rule.id.to_lowercase().rsplit_once('-').is_some_and(|(family, _)| family == wanted),
            |code| code.name.split_once("::").is_some_and(|(family, _)| family == wanted),
        );
        (!rules.is_empty() || !codes.is_empty()).then_some(Explained::Family(rules, codes))
    }

    /// Keeps chapters with what is chosen of them.
    fn chosen(
        &self,
        is_rule: impl Fn(&RuleSection) -> bool,
        is_code: impl Fn(&CodeSection) -> bool,
    ) -> (Vec<RuleChapter>, Vec<CodeChapter>) {
        let rules = self.rules.iter().filter_map(|chapter| {
            let rules: Vec<RuleSection> = chapter.rules.iter().filter(|rule| is_rule(rule)).cloned().collect();
            (!rules.is_empty()).then(|| RuleChapter { title: chapter.title.clone(), rules })
        });
        let codes = self.codes.iter().filter_map(|chapter| {
            let codes: Vec<CodeSection> = chapter.codes.iter().filter(|code| is_code(code)).cloned().collect();
            (!codes.is_empty()).then(|| CodeChapter { title: chapter.title.clone(), codes })
        });
        (rules.collect(), codes.collect())
    }
}

impl Explained<'_> {
    fn name(&self) -> &str {
        match self {
            Explained::Rule(rule, _) => &rule.id,
            Explained::Code(code, _) => &code.name,
            Explained::Family(..) | Explained::Titled(..) => "",
        }
    }

    fn json(&self) -> Json {
        match self {
            Explained::Rule(rule, chapter) => rule_json(rule, chapter),
            Explained::Code(code, chapter) => code_json(code, chapter),
            Explained::Family(rules, codes) | Explained::Titled(_, rules, codes) => {
                let of_rules =
                    rules.iter().flat_map(|chapter| chapter.rules.iter().map(|rule| rule_json(rule, &chapter.title)));
                let of_codes =
                    codes.iter().flat_map(|chapter| chapter.codes.iter().map(|code| code_json(code, &chapter.title)));
                of_rules.chain(of_codes).collect()
            }
        }
    }

    fn text(&self, terminal: &Terminal) -> String {
        match self {
            Explained::Rule(rule, chapter) => explain_rule(rule, chapter, terminal.width, terminal.palette),
            Explained::Code(code, chapter) => explain_code(code, chapter, terminal.width, terminal.palette),
            Explained::Family(rules, codes) => explain_list(rules, codes, terminal.palette),
            Explained::Titled(wanted, rules, codes) => {
                let list = explain_list(rules, codes, terminal.palette);
                format!("Nothing is named `{wanted}`; these speak of it:\n\n{list}")
            }
        }
    }
}
