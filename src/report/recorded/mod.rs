//! A run as a record: what was played of which files, by which rules, and what it came to; and what differs when it is played again.
//! Takes runs and texts, gives lines and differences. Reads no file and plays nothing.

mod differences;
mod run_record;

pub use differences::record_differences;
pub use run_record::{BadRecord, RECORD_FORMAT, RecordHead, RecordedCell, RunRecord, recorded_run};
