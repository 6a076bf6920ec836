//! What can be written at a place of a file: keys and words of the table, and names that the files know.
//! Takes texts that may be broken at that place; returns candidates. Decides nothing that `decode` decides.

mod names;
mod outline;

use crate::language::syntax::wrong_kind::{FileKind, kind_of};
use crate::language::words::examples::{alternatives, kind_of_key};
use crate::language::words::{OF_SCENARIOS, WordGroup, queue_field, queue_fields};
use crate::model::Profile;
use crate::rules::{QUEUE_ARGUMENTS, differences, policy_keys};
use crate::source::Code;
use outline::{Outline, OutlineEntry, PathStep, WritingPlace, outline};

/// A word that can be written at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionWord {
    /// The word.
    pub word: String,
    /// What it means; empty where its name says it.
    pub note: String,
    /// Whether a value follows behind a colon.
    pub is_key: bool,
}

/// What can be written at a place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// The byte at which the word begins that is replaced; it ends at the place.
    pub from: usize,
    /// Those that begin with what stands there come first, then those that hold it.
    pub candidates: Vec<CompletionWord>,
}

/// Exchange types that every broker has.
const EXCHANGE_TYPES: [&str; 5] = ["direct", "fanout", "topic", "headers", "x-local-random"];

/// Lists what can be written at a byte of a text; `others` are the texts of other files whose names are known there, and
/// `paths` how this file would name files that declare topologies.
///
/// ```
/// use rmqplay::language::complete;
/// let text = "queues:\n  - name: work\n    ty";
/// let found = complete(text, text.len(), &[], &[]);
/// assert_eq!((found.from, found.candidates[0].word.as_str()), (27, "type"));
/// ```
pub fn complete(text: &str, at: usize, others: &[&str], paths: &[String]) -> Completion {
    let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let Some(place) = outline(&text[..at]).end else { return Completion::default() };
    let root = match kind_of(text.as_bytes()) {
        Some(FileKind::Topology) => "@topology",
        Some(FileKind::Scenario) | None => "@scenario",
    };
    let all: Vec<Outline> = std::iter::once(&text).chain(others).map(|text| outline(text)).collect();
    let written: Vec<&OutlineEntry> = all.iter().flat_map(|one| &one.written).collect();
    let setting = Setting { own: &all[0], written, paths };
    let mut candidates = setting.candidates(&place, root);
    let typed = text[place.from.min(at)..at].to_lowercase();
    candidates.retain(|one| one.word.to_lowercase().contains(&typed) && one.word != text[place.from.min(at)..at]);
    candidates.sort_by_key(|one| !one.word.to_lowercase().starts_with(&typed));
    Completion { from: place.from.min(at), candidates }
}

/// What is known beside the place.
struct Setting<'a> {
    own: &'a Outline,
    written: Vec<&'a OutlineEntry>,
    paths: &'a [String],
}

/// What may stand somewhere, in the words of the table, and the group and key that say so.
struct Kinds {
    kinds: Vec<String>,
    said_by: Vec<(&'static str, String)>,
}

impl Setting<'_> {
    fn candidates(&self, place: &WritingPlace, root: &str) -> Vec<CompletionWord> {
        let found = kinds_at(&place.path, root);
        let mut candidates = Vec::new();
        if !place.is_value {
            let used: Vec<&str> = self.own.written.iter().filter_map(|one| key_in(one, &place.path)).collect();
            for group in found.kinds.iter().filter_map(|kind| WordGroup::named(kind.strip_prefix('@')?)) {
                candidates.extend(keys_of(group).filter(|key| !used.contains(&&*key.word)));
            }
            candidates.extend(free_keys(&found).filter(|key| !used.contains(&&*key.word)));
        }
        // A scalar on a line of its own is an element of a list.
        if place.is_value || matches!(place.path.last(), Some(PathStep::Item(_))) {
            let words: Vec<CompletionWord> = found.kinds.iter().flat_map(|kind| words_of(kind)).collect();
            candidates.extend(
                words
                    .into_iter()
                    .filter(|word| !candidates.iter().any(|key| key.word == word.word))
                    .collect::<Vec<_>>(),
            );
            candidates.extend(self.names(&found));
        }
        candidates
    }

    fn names(&self, found: &Kinds) -> Vec<CompletionWord> {
        let mut all: Vec<CompletionWord> = Vec::new();
        for (group, key) in &found.said_by {
            match (*group, key.as_str()) {
                ("scenario", "topology") => all.extend(self.paths.iter().map(|path| plain(path, ""))),
                ("exchange", "type") => all.extend(EXCHANGE_TYPES.iter().map(|word| plain(word, ""))),
                ("allowance", "code") => {
                    let codes = Code::ALL.iter().map(|code| code.text()).filter(|code| code.starts_with("lint::"));
                    all.extend(codes.map(|code| plain(code, "")));
                }
                _ => {}
            }
            for kind in names::taken(group, key) {
                all.extend(names::names(self.written.iter().copied(), *kind).into_iter().map(|name| plain(name, "")));
            }
        }
        all
    }
}

/// Returns the key where it is one of the map at a way.
fn key_in<'w>(written: &'w OutlineEntry, path: &[PathStep]) -> Option<&'w str> {
    match (written.path.split_last()?, &written.scalar) {
        ((PathStep::Key(key), before), None) if before == path => Some(key),
        _ => None,
    }
}

fn plain(word: &str, note: &str) -> CompletionWord {
    CompletionWord { word: word.to_owned(), note: note.to_owned(), is_key: false }
}

fn keys_of(group: &'static WordGroup) -> impl Iterator<Item = CompletionWord> {
    let words = group.words.iter().filter(|word| !word.is_of_export);
    let words = words.map(|word| CompletionWord { word: word.key().to_owned(), note: word.hover(), is_key: true });
    let arguments = queue_fields().filter(|_| group.takes_arguments()).map(|(field, argument)| CompletionWord {
        word: field.to_owned(),
        note: format!("The argument {}", argument.full_name()),
        is_key: true,
    });
    words.chain(arguments)
}

/// Lists known keys of maps that take any: those of policies, and arguments of queues.
fn free_keys(found: &Kinds) -> impl Iterator<Item = CompletionWord> {
    let is = |group: &str, key: &str| found.said_by.iter().any(|(of, name)| *of == group && name == key);
    let key = |word: String, note: String| CompletionWord { word, note, is_key: true };
    let policy = is("policy", "definition").then(|| policy_keys(false, differences(Profile::NEWEST)));
    let arguments = is("queue", "arguments").then_some(QUEUE_ARGUMENTS);
    let arguments = arguments.into_iter().flatten();
    let policy = policy.into_iter().flatten().map(move |word| key(word.to_owned(), String::new()));
    policy.chain(arguments.map(move |one| key(one.full_name(), format!("As the key `{}`", queue_field(one)))))
}

/// Lists the words that a kind names.
fn words_of(kind: &str) -> Vec<CompletionWord> {
    if let Some(words) = kind.strip_prefix("word:") {
        return words.split(',').map(|word| plain(word, "")).collect();
    }
    match kind {
        "bool" => ["true", "false"].map(|word| plain(word, "")).to_vec(),
        // An action may be a word alone.
        "@action" => {
            let actions = OF_SCENARIOS.iter().filter(|group| group.name == "action").flat_map(|group| group.words);
            let alone = actions.filter(|word| alternatives(word.kind).contains(&"null"));
            alone.map(|word| plain(word.key(), word.means)).collect()
        }
        _ => Vec::new(),
    }
}

/// Follows a way through the table.
fn kinds_at(path: &[PathStep], root: &str) -> Kinds {
    let mut found = Kinds { kinds: vec![root.to_owned()], said_by: Vec::new() };
    for step in path {
        let (mut kinds, mut said_by) = (Vec::new(), Vec::new());
        for kind in &found.kinds {
            match step {
                PathStep::Key(key) => {
                    let group = kind.strip_prefix('@').and_then(WordGroup::named);
                    if let Some((group, taken)) = group.and_then(|group| Some((group, kind_of_key(group, key)?))) {
                        kinds.extend(alternatives(&taken).into_iter().map(str::to_owned));
                        said_by.push((group.name, key.clone()));
                    } else if let Some(inner) = inside(kind, '{', '}') {
                        kinds.extend(alternatives(inner).into_iter().map(str::to_owned));
                    }
                }
                PathStep::Item(_) => {
                    kinds.extend(inside(kind, '[', ']').into_iter().flat_map(alternatives).map(str::to_owned))
                }
            }
        }
        // An element of a list is said by the key of the list.
        if matches!(step, PathStep::Item(_)) {
            said_by = found.said_by;
        }
        found = Kinds { kinds, said_by };
    }
    found
}

fn inside(kind: &str, open: char, close: char) -> Option<&str> {
    kind.strip_prefix(open)?.strip_suffix(close)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPOLOGY: &str = "exchanges: [{name: orders, type: topic}]\nqueues:\n  - name: work\n  - {name: dead}\n";

    fn words(text: &str) -> Vec<String> {
        let found = complete(text, text.len(), &[TOPOLOGY], &["../topologies/orders.yaml".to_owned()]);
        found.candidates.into_iter().map(|one| one.word).collect()
    }

    #[test]
    fn keys_fit_their_map_and_are_offered_once() {
        let keys = words("scenario: s\nconsumers:\n  worker:\n    queue: work\n    pre");
        assert_eq!(keys, ["prefetch", "global_prefetch"]);
        let keys = words("scenario: s\nconsumers:\n  worker:\n    queue: work\n    prefetch: 1\n    ");
        assert!(keys.contains(&"on_message".to_owned()) && !keys.contains(&"queue".to_owned()), "{keys:?}");
        let keys = words("queues:\n  - name: work\n    message_t");
        assert_eq!(keys, ["message_ttl"]);
        assert!(words("scenario: s\nsteps:\n  - publish: {exchange: orders, rou").contains(&"routing_key".to_owned()));
        assert_eq!(words("policies:\n  - {definition: {message-t"), ["message-ttl"]);
    }

    #[test]
    fn values_are_words_of_the_table_and_names_of_the_files() {
        assert_eq!(words("queues:\n  - name: work\n    type: "), ["classic", "quorum", "stream"]);
        assert_eq!(words("queues:\n  - name: work\n    durable: t"), ["true"]);
        assert_eq!(words("scenario: s\nsteps:\n  - expect: {queue: "), ["work", "dead"]);
        assert_eq!(words("scenario: s\nsteps:\n  - publish: {exchange: or"), ["orders"]);
        assert_eq!(words("scenario: s\ntopology: "), ["../topologies/orders.yaml"]);
        assert_eq!(words("scenario: s\nconsumers: {worker: {queue: work}}\nsteps:\n  - stop: "), ["worker"]);
        assert_eq!(words("scenario: s\nconsumers:\n  w:\n    on_message: [{do: [ac"), ["ack", "nack"]);
        assert_eq!(
            words("scenario: s\nconsumers:\n  w:\n    on_message:\n      - do: re"),
            ["requeue", "reject", "retry", "reply"]
        );
    }

    #[test]
    fn where_nothing_is_known_nothing_is_offered() {
        for text in ["# que", "scenario: what ", "scenario: s\nvars:\n  a: ", "scenario: s\nnothing:\n  - "] {
            assert_eq!(words(text), [""; 0], "{text:?}");
        }
    }
}
