//! How much of a story stands beside a failure, and how its lines are set.

use crate::model::counted;

/// How many lines of a story stand before a failure.
const LINES_MAX: usize = 12;

/// How many messages' stories stand before a failure.
pub(crate) const STORIES_MAX: usize = 3;

/// Sets lines under their head, the last ones where there are many.
pub(crate) fn indented(lines: &[String]) -> String {
    let left_out = lines.len().saturating_sub(LINES_MAX);
    let first = (left_out > 0).then(|| format!("           … {} before\n", counted(left_out, "line")));
    first.into_iter().chain(lines[left_out..].iter().map(|line| format!("  {line}\n"))).collect()
}
