//! Tree to tree: templates, `for_each`, the matrix and the merge of several topologies.
//! Never decodes.

pub(crate) mod expressions;
pub(crate) mod late;
pub(crate) mod matrix;
pub(crate) mod merge_topologies;
pub(crate) mod render;
pub(crate) mod scope;
