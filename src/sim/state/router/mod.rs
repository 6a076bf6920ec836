//! Indexes by which exchanges find destinations: patterns of topics, and rings of hashes.

pub(crate) mod hash_ring;
pub(crate) mod known_destinations;
pub(crate) mod topic_trie;
