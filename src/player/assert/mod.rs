//! Expectations judged against the record.

pub(crate) mod evidence;
pub(crate) mod judge;
pub(crate) mod judge_consumer;
pub(crate) mod judge_messages;
pub(crate) mod judge_metric;
pub(crate) mod list_advice;
pub(crate) mod tally;
