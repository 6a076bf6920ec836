//! Tree to model: maps, lists and scalars to values, with every problem at its place.
//! Never asks what a broker would do.

pub(crate) mod collect;
pub(crate) mod judged_for;
pub(crate) mod map_decoder;
pub(crate) mod merge;
pub(crate) mod other_words;
pub(crate) mod read;
pub(crate) mod scenario;
pub(crate) mod suggestions;
pub(crate) mod topology;
