//! Counts of runs as OpenMetrics text. Takes counts with the labels of their run; writes, and reads nothing.

mod broker_counters;
mod open_metrics;

pub use broker_counters::BrokerCounters;
pub use open_metrics::{MeasuredRun, open_metrics};
