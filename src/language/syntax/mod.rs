//! Text to tree: bytes to text, YAML events to a tree with places, what is wrong with broken YAML.
//! Never knows a word of the language.

pub(crate) mod encoding;
pub(crate) mod foreign;
pub(crate) mod parse;
pub(crate) mod scalar;
pub(crate) mod syntax_errors;
pub(crate) mod top_level;
pub(crate) mod tree;
pub(crate) mod tree_builder;
pub(crate) mod unclosed;
pub(crate) mod wrong_kind;
