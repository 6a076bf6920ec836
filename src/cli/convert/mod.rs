//! What `import` and `export` share: their options, and where what they write goes.

pub(crate) mod options;
pub(crate) mod output;
