//! The table of the language: every key of every map, what it takes, what it is when absent, since when, what it means.
//! Decoders may read no other key; suggestions, the schema for editors with its hover texts, and the check of the
//! reference come from here. A new key is a new line of `scenario`, `steps` or `topology`, and nowhere else.
//!
//! A line says `key`, what it takes, and what it means. What it takes is written in words, several parted by ` | `: `text`,
//! `bool`, `int`, `int:0..9`, `duration`, `size`, `count`, `word:a,b`, `[kind]` for a list, `{kind}` for a map of any keys,
//! `@group` for a map of this table, `any`. A `!` behind the key: it must be there.

mod config;
pub(crate) mod examples;
pub(crate) mod hints;
mod scenario;
mod steps;
mod topology;

pub use config::OF_CONFIG;
pub use scenario::OF_SCENARIOS;
pub use steps::OF_STEPS;
pub use topology::OF_TOPOLOGIES;

use crate::model::Profile;
use crate::rules::{QUEUE_ARGUMENTS, QueueArgument};
use std::sync::LazyLock;

/// One kind of map in a file.
#[derive(Debug, Clone, Copy)]
pub struct WordGroup {
    /// As other lines refer to it.
    pub name: &'static str,
    /// In the order of the reference.
    pub words: &'static [Word],
}

/// One key of a map.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    written: &'static str,
    /// What it takes, in the words of the table.
    pub kind: &'static str,
    /// One sentence without a full stop.
    pub means: &'static str,
    /// The value of an absent key.
    pub default: Option<&'static str>,
    /// The first RabbitMQ version for which it has an effect; absent: all.
    pub since: Option<Profile>,
    /// Only files that a broker wrote have it.
    pub is_of_export: bool,
}

const fn group(name: &'static str, words: &'static [Word]) -> WordGroup {
    WordGroup { name, words }
}

const fn word(written: &'static str, kind: &'static str, means: &'static str) -> Word {
    Word { written, kind, means, default: None, since: None, is_of_export: false }
}

impl Word {
    const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    const fn of_export(self) -> Self {
        Self { is_of_export: true, ..self }
    }

    /// Returns the key.
    pub fn key(&self) -> &'static str {
        self.written.trim_end_matches('!')
    }

    /// Returns whether the key must be there.
    pub fn is_required(&self) -> bool {
        self.written.ends_with('!')
    }

    /// Returns what editors show beside the key: its meaning, its default, its first version.
    pub fn hover(&self) -> String {
        let default = self.default.map_or_else(String::new, |default| format!(" (default: {default})"));
        let since = self.since.map_or_else(String::new, |since| format!(" (since RabbitMQ {since})"));
        format!("{}{default}{since}", self.means)
    }
}

impl WordGroup {
    /// Finds a group of the table.
    pub fn named(name: &str) -> Option<&'static WordGroup> {
        OF_SCENARIOS.iter().chain(OF_STEPS).chain(OF_TOPOLOGIES).chain(OF_CONFIG).find(|group| group.name == name)
    }

    /// Returns whether maps of this kind have a key; those of queues have their arguments as keys, too.
    pub fn has(&self, key: &str) -> bool {
        self.words.iter().any(|word| word.key() == key)
            || self.takes_arguments() && QUEUE_ARGUMENTS.iter().any(|argument| is_queue_field(argument, key))
    }

    /// Returns whether the typed fields of queue arguments are keys of it.
    pub fn takes_arguments(&self) -> bool {
        matches!(self.name, "queue" | "own_queue")
    }

    /// Lists its keys in the order of the table.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.words.iter().map(Word::key)
    }
}

/// Returns whether a key is that of a queue's argument, as [`queue_field`] gives it.
fn is_queue_field(argument: &QueueArgument, key: &str) -> bool {
    if argument.name == "queue-type" {
        return key == "type";
    }
    let parted = |letter: u8| if letter == b'-' { b'_' } else { letter };
    argument.name.len() == key.len() && argument.name.bytes().map(parted).eq(key.bytes())
}

/// Lists the keys of a queue's arguments.
pub fn queue_fields() -> impl Iterator<Item = (&'static str, &'static QueueArgument)> {
    static FIELDS: LazyLock<Vec<String>> = LazyLock::new(|| QUEUE_ARGUMENTS.iter().map(queue_field).collect());
    FIELDS.iter().map(String::as_str).zip(QUEUE_ARGUMENTS)
}

/// Returns the key of a queue's argument: `message_ttl`; the type is `type`.
pub fn queue_field(argument: &QueueArgument) -> String {
    if argument.name == "queue-type" { "type".to_owned() } else { argument.field() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_an_argument_is_found_without_being_written() {
        for argument in QUEUE_ARGUMENTS {
            let field = queue_field(argument);
            assert!(is_queue_field(argument, &field) && !is_queue_field(argument, &format!("{field}s")), "{field}");
        }
    }

    #[test]
    fn the_table_refers_to_its_own_groups_and_names_no_key_twice() {
        for group in OF_SCENARIOS.iter().chain(OF_STEPS).chain(OF_TOPOLOGIES).chain(OF_CONFIG) {
            let mut keys: Vec<&str> = group.keys().collect();
            keys.sort_unstable();
            assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{}: {keys:?}", group.name);
            for word in group.words {
                let named = word.kind.split('@').skip(1);
                let names =
                    named.map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(""));
                names.for_each(|name| assert!(WordGroup::named(name).is_some(), "{}: no group `{name}`", word.key()));
            }
        }
    }
}
