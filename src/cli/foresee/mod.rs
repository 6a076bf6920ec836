//! What scenarios exercise: recorded while they play, told at the end, and suggested where nothing does.

pub(crate) mod coverage;
pub(crate) mod suggest;
