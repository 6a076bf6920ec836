//! What a run leaves: the timeline, its counts, outcome, verdict, failures.

pub(crate) mod bounded_log;
pub(crate) mod circumstances;
pub(crate) mod contests;
pub(crate) mod delivery_counts;
pub(crate) mod failure;
pub(crate) mod finding;
pub(crate) mod ledger;
pub(crate) mod memory;
pub(crate) mod outcome;
pub(crate) mod reach;
pub(crate) mod returns;
pub(crate) mod run_counts;
pub(crate) mod timeline;
pub(crate) mod verdict;
