//! Counts of runs as OpenMetrics text. Takes counts with the labels of their run; writes, and reads nothing.

mod open_metrics;

pub use open_metrics::{MeasuredRun, open_metrics};
