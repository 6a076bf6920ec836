//! What two binding keys of topic exchanges have in common, without any message at hand.
//! Takes binding keys; tells whether some routing key fits both, or all. Which key fits one of them is told by `rules`.

use std::collections::{BTreeMap, BTreeSet};

/// Binding keys word by word, so that those are found quickly that may overlap with another.
#[derive(Debug, Default)]
pub struct TopicKeyIndex {
    by_word: BTreeMap<String, TopicKeyIndex>,
    /// The keys that end here, by their places.
    ends: Vec<usize>,
}

impl TopicKeyIndex {
    /// Takes a key with its place.
    pub fn insert(&mut self, key: &str, at: usize) {
        let mut node = self;
        for word in words(key) {
            node = node.by_word.entry(word.to_owned()).or_default();
        }
        node.ends.push(at);
    }

    /// Lists the places of all keys that overlap with one, and of some that do not.
    pub fn candidates(&self, key: &str) -> Vec<usize> {
        let mut found = Vec::new();
        self.walk(&words(key), &mut found);
        found
    }

    fn walk(&self, key: &[&str], found: &mut Vec<usize>) {
        let Some((word, rest)) = key.split_first().filter(|(word, _)| **word != "#") else {
            return match key {
                [] => {
                    found.extend(&self.ends);
                    self.by_word.get("#").into_iter().for_each(|node| node.all(found));
                }
                _ => self.all(found),
            };
        };
        self.by_word.get("#").into_iter().for_each(|node| node.all(found));
        match *word {
            "*" => {
                let others = self.by_word.iter().filter(|(own, _)| *own != "#");
                others.for_each(|(_, node)| node.walk(rest, found));
            }
            word => [word, "*"].iter().filter_map(|own| self.by_word.get(*own)).for_each(|node| node.walk(rest, found)),
        }
    }

    fn all(&self, found: &mut Vec<usize>) {
        found.extend(&self.ends);
        self.by_word.values().for_each(|node| node.all(found));
    }
}

/// Returns whether some routing key fits both binding keys.
pub fn overlap(one: &str, other: &str) -> bool {
    let (one, other) = (words(one), words(other));
    let mut seen: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut waiting = vec![(0, 0)];
    while let Some(at @ (i, j)) = waiting.pop() {
        if !seen.insert(at) {
            continue;
        }
        if i == one.len() && j == other.len() {
            return true;
        }
        let (a, b) = (one.get(i).copied(), other.get(j).copied());
        // A `#` may stand for nothing more.
        waiting.extend((a == Some("#")).then_some((i + 1, j)));
        waiting.extend((b == Some("#")).then_some((i, j + 1)));
        let (Some(a), Some(b)) = (a, b) else { continue };
        if is_wild(a) || is_wild(b) || a == b {
            // One word is taken by both; a `#` may take more.
            waiting.push((i + usize::from(a != "#"), j + usize::from(b != "#")));
        }
    }
    false
}

/// Returns whether each routing key that fits `inner` surely fits `outer`, too.
pub fn covers(outer: &str, inner: &str) -> bool {
    let (outer, inner) = (words(outer), words(inner));
    let mut seen: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut waiting = vec![(0, 0)];
    while let Some(at @ (i, j)) = waiting.pop() {
        if !seen.insert(at) {
            continue;
        }
        match (outer.get(i).copied(), inner.get(j).copied()) {
            (None, None) => return true,
            (Some("#"), None) => waiting.push((i + 1, j)),
            (Some("#"), Some(_)) => waiting.extend([(i + 1, j), (i, j + 1)]),
            (Some("*"), Some(word)) if word != "#" => waiting.push((i + 1, j + 1)),
            (Some(a), Some(b)) if a == b => waiting.push((i + 1, j + 1)),
            _ => {}
        }
    }
    false
}

/// Returns whether a key holds a wildcard of topic exchanges.
pub fn has_wildcard(key: &str) -> bool {
    key.split('.').any(is_wild)
}

fn is_wild(word: &str) -> bool {
    matches!(word, "*" | "#")
}

fn words(key: &str) -> Vec<&str> {
    if key.is_empty() { Vec::new() } else { key.split('.').collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_overlap_where_some_message_fits_both() {
        for (one, other, expected) in [
            ("order.#", "order.created", true),
            ("order.#", "order", true),
            ("order.*", "order", false),
            ("*.created", "order.*", true),
            ("order.*", "parcel.*", false),
            ("#.created", "order.#", true),
            ("#", "", true),
            ("*", "", false),
            ("a.#.z", "a.b.#", true),
            ("a.#.z", "b.#", false),
        ] {
            assert_eq!(overlap(one, other), expected, "{one} and {other}");
            assert_eq!(overlap(other, one), expected, "{other} and {one}");
        }
    }

    #[test]
    fn the_index_misses_no_overlap() {
        let keys = ["", "#", "*", "a", "a.b", "a.*", "*.b", "a.#", "#.b", "a.#.b", "*.*", "b.#.c", "a.b.c", "#.#"];
        let mut index = TopicKeyIndex::default();
        keys.iter().enumerate().for_each(|(at, key)| index.insert(key, at));
        for key in keys {
            let found = index.candidates(key);
            for (at, other) in keys.iter().enumerate().filter(|(_, other)| overlap(key, other)) {
                assert!(found.contains(&at), "{key} and {other}");
            }
        }
        assert_eq!(index.candidates("a.b").len(), 9, "not those of other words");
    }

    #[test]
    fn a_key_covers_what_surely_fits_it() {
        for (outer, inner, expected) in [
            ("#", "order.#", true),
            ("order.#", "order.*", true),
            ("order.*", "order.#", false),
            ("order.*", "order.created", true),
            ("order.created", "order.*", false),
            ("#.created", "*.created", true),
            ("*.*", "order.*", true),
        ] {
            assert_eq!(covers(outer, inner), expected, "{outer} and {inner}");
        }
    }
}
