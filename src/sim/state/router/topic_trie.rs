//! The index of a topic exchange: a trie by words, so that routing does not look at every binding (RT-5).
//! Takes binding keys with destinations; gives the destinations of a routing key.

use crate::sim::state::arena::BindingDestination;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

type TrieWords = IndexMap<Box<str>, u32, FxBuildHasher>;

#[derive(Debug, Clone, Default)]
pub(crate) struct TrieNode {
    words: TrieWords,
    star: Option<u32>,
    hash: Option<u32>,
    is_hash: bool,
    destinations: Vec<BindingDestination>,
}

/// The binding keys of one topic exchange.
#[derive(Debug, Clone)]
pub(crate) struct TopicTrie {
    nodes: Vec<TrieNode>,
}

impl TopicTrie {
    pub(crate) fn new() -> Self {
        Self { nodes: vec![TrieNode::default()] }
    }

    pub(crate) fn insert(&mut self, key: &str, destination: BindingDestination) {
        let mut at = 0;
        for word in words(key) {
            at = self.child_or_new(at, word);
        }
        let destinations = &mut self.nodes[at as usize].destinations;
        if !destinations.contains(&destination) {
            destinations.push(destination);
        }
    }

    pub(crate) fn remove(&mut self, key: &str, destination: BindingDestination) {
        let mut at = 0;
        for word in words(key) {
            match self.child(at, word) {
                Some(next) => at = next,
                None => return,
            }
        }
        self.nodes[at as usize].destinations.retain(|other| *other != destination);
    }

    /// Adds the destinations of `key` to `found`; may repeat one.
    pub(crate) fn route(&self, key: &str, found: &mut Vec<BindingDestination>) {
        let mut states: Vec<u32> = vec![0];
        let mut next: Vec<u32> = Vec::new();
        self.reach(&mut states);
        for word in words(key) {
            next.clear();
            for &state in &states {
                let node = &self.nodes[state as usize];
                if node.is_hash {
                    next.push(state);
                }
                next.extend(node.star);
                next.extend(node.words.get(word));
            }
            std::mem::swap(&mut states, &mut next);
            self.reach(&mut states);
            if states.is_empty() {
                return;
            }
        }
        for state in states {
            found.extend_from_slice(&self.nodes[state as usize].destinations);
        }
    }

    /// Adds the states that a `#` reaches without a word, and removes repetitions.
    pub(crate) fn reach(&self, states: &mut Vec<u32>) {
        let mut i = 0;
        while i < states.len() {
            if let Some(hash) = self.nodes[states[i] as usize].hash {
                states.push(hash);
            }
            i += 1;
        }
        if states.len() > 1 {
            states.sort_unstable();
            states.dedup();
        }
    }

    pub(crate) fn child(&self, at: u32, word: &str) -> Option<u32> {
        let node = &self.nodes[at as usize];
        match word {
            "*" => node.star,
            "#" => node.hash,
            other => node.words.get(other).copied(),
        }
    }

    pub(crate) fn child_or_new(&mut self, at: u32, word: &str) -> u32 {
        if let Some(child) = self.child(at, word) {
            return child;
        }
        let new = self.nodes.len() as u32;
        self.nodes.push(TrieNode { is_hash: word == "#", ..TrieNode::default() });
        let node = &mut self.nodes[at as usize];
        match word {
            "*" => node.star = Some(new),
            "#" => node.hash = Some(new),
            other => {
                node.words.insert(other.into(), new);
            }
        }
        new
    }
}

/// Splits a key into words; the empty key has none.
pub(crate) fn words(key: &str) -> impl Iterator<Item = &str> {
    key.split('.').take(if key.is_empty() { 0 } else { usize::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::topic_matches;
    use crate::sim::state::arena::{ExchangeId, Index};

    #[test]
    pub(crate) fn agrees_with_the_rule_on_all_short_keys() {
        let words = ["", "a", "b", "*", "#"];
        let mut keys: Vec<String> = vec![String::new()];
        for a in words {
            keys.push(a.into());
            for b in words {
                keys.push(format!("{a}.{b}"));
                keys.extend(words.iter().map(|c| format!("{a}.{b}.{c}")));
            }
        }
        keys.sort();
        keys.dedup();
        let queues: Vec<BindingDestination> =
            (0..keys.len()).map(|i| BindingDestination::Exchange(ExchangeId::nth(i as u32))).collect();
        let mut index = TopicTrie::new();
        for (key, queue) in keys.iter().zip(&queues) {
            index.insert(key, *queue);
        }
        for key in &keys {
            let mut found = Vec::new();
            index.route(key, &mut found);
            for (pattern, queue) in keys.iter().zip(&queues) {
                assert_eq!(found.contains(queue), topic_matches(pattern, key), "{pattern:?} on {key:?}");
            }
        }
    }
}
