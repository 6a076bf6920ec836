//! Dead-lettering, at most once and at least once.

pub(crate) mod at_least_once;
pub(crate) mod at_most_once;
