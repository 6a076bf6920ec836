//! Maps by name with a fixed hasher: quick, and the same in every run.

use crate::model::Name;
use indexmap::IndexMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Maps names to values; iterates in order of arrival as long as nothing is removed.
pub(crate) type NameMap<V> = IndexMap<Name, V, BuildHasherDefault<FixedHasher>>;

/// Hashes bytes eight at a time by multiplication; no seed.
#[derive(Default)]
pub(crate) struct FixedHasher(u64);

pub(crate) const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

impl FixedHasher {
    pub(crate) fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    }
}

impl Hasher for FixedHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            self.add(u64::from_le_bytes(word));
        }
        let mut last = [0; 8];
        let rest = chunks.remainder();
        last[..rest.len()].copy_from_slice(rest);
        self.add(u64::from_le_bytes(last) ^ ((bytes.len() as u64) << 56));
    }

    fn write_u8(&mut self, n: u8) {
        self.add(n.into());
    }

    fn write_u32(&mut self, n: u32) {
        self.add(n.into());
    }

    fn write_u64(&mut self, n: u64) {
        self.add(n);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}

/// Removes CR and LF, as declare does (ER-9).
pub(crate) fn stripped(name: &Name) -> Name {
    if name.contains(['\r', '\n']) { name.replace(['\r', '\n'], "").into() } else { name.clone() }
}

/// The name that stands for a channel's own replies.
pub(crate) const REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// What the keys of such channels begin with.
pub(crate) const REPLY_TO_KEY: &str = "amq.rabbitmq.reply-to.";
