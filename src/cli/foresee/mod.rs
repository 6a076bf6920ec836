//! What would happen: what is looked at for it, and with which rights; what scenarios exercise, recorded while they play,
//! told at the end, and suggested where nothing does.

pub(crate) mod coverage;
pub(crate) mod looked_at;
pub(crate) mod suggest;
pub(crate) mod unread;
