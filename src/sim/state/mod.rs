//! What the broker holds: data and their own rules, without a verb on the whole broker.

pub(crate) mod arena;
pub(crate) mod cc_bcc;
pub(crate) mod classic_queue;
pub(crate) mod delayed;
pub(crate) mod names;
pub(crate) mod queued_message;
pub(crate) mod quorum_queue;
pub(crate) mod refusal;
pub(crate) mod timer;
pub(crate) mod topic_trie;
