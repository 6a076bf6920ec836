//! Where a consumer stands in a stream, and which messages it wants (ST-3, ST-9).

use crate::rules::StreamFilter;

/// A consumer's place in a stream.
#[derive(Debug, Clone)]
pub(crate) struct StreamReader {
    /// How many messages of the log are behind it, those that are gone included.
    pub passed: u64,
    /// It wants none of a smaller offset.
    pub from: u64,
    pub filter: Option<StreamFilter>,
}
